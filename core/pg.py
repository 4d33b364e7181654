"""Postgres."""
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID
import psycopg
from psycopg_pool import AsyncConnectionPool
from pgvector.psycopg import register_vector_async
DEFAULT_TENANT = UUID("00000000-0000-0000-0000-000000000001")
@dataclass(frozen=True)
class PoolConfig:
    url: str
    max_size: int = 10
    statement_timeout_s: float = 30
    lock_timeout_s: float = 10
def normalise_url(u): return u
class Database:
    def __init__(self, c): self.c = c; self.pool=None
    async def _conf(self, conn):
        await register_vector_async(conn)
        await conn.execute("SET ROLE lattice_app"); await conn.execute("SET hnsw.iterative_scan = strict_order"); await conn.execute("SET hnsw.ef_search = 100"); await conn.commit()
    async def __aenter__(self):
        self.pool = AsyncConnectionPool(self.c.url, min_size=2, max_size=self.c.max_size, configure=self._conf, open=False); await self.pool.open(); return self
    async def __aexit__(self, *a): await self.pool.close()
    @asynccontextmanager
    async def transaction(self, tenant, read_only=False):
        async with self.pool.connection() as conn:
            await conn.execute("SELECT set_config('lattice.tenant', %s, true)", (str(tenant),)); yield conn
    async def retrying(self, tenant, work):
        async with self.transaction(tenant) as conn: return await work(conn)
