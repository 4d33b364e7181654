"""The smallest use of the schema: gems that have nothing but a name."""

from uuid import UUID, uuid4

from core.pg import Database

INSERT = "INSERT INTO gem (gem_id, name) VALUES (%s, %s)"
NAMES = "SELECT name FROM gem ORDER BY name"
RENAME = "UPDATE gem SET name = name || %s"


async def insert(database: Database, tenant: UUID, name: str) -> None:
    async with database.transaction(tenant) as conn:
        await conn.execute(INSERT, (uuid4(), name))


async def names(database: Database, tenant: UUID) -> list[str]:
    async with database.transaction(tenant, read_only=True) as conn:
        return [name for (name,) in await (await conn.execute(NAMES)).fetchall()]
