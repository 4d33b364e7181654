"""How a measurement is told: figures with their unit, and on which machine."""

import asyncio
import os
import platform
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psycopg

import migrations
from core.clock import utc_now
from core.embedded import EmbeddedConfig, EmbeddedServer
from core.pg import Database, PoolConfig
from gems import Moment


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, what it is, and the aim if there is one."""

    name: str
    value: float
    unit: str
    aim: str = ""


def read_machine() -> dict[str, str | int]:
    """Return what the figures depend on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"python": platform.python_version(), "system": platform.system(), "cpu": platform.machine(), "cores": cores}


async def time_each(calls: int, call: Callable[[int], Awaitable[object]], warmup: int = 5) -> np.ndarray:
    """Return how long each call took, in milliseconds, shape (calls,); the first ones, untimed, warm up."""
    for i in range(warmup):
        await call(i)
    spent = np.empty(calls)
    for i in range(calls):
        started = time.perf_counter()
        await call(i)
        spent[i] = (time.perf_counter() - started) * 1e3
    return spent


async def time_in_turn(
    calls: int, first: Callable[[int], Awaitable[object]], second: Callable[[int], Awaitable[object]]
) -> tuple[np.ndarray, np.ndarray]:
    """Time two calls A B A B …, so that what else the machine does meets both; milliseconds, each of shape (calls,)."""
    spent = np.empty((calls, 2))
    for i in range(-10, calls):
        for j, call in enumerate((first, second)):
            started = time.perf_counter()
            await call(i)
            spent[i, j] = (time.perf_counter() - started) * 1e3
    return spent[:, 0], spent[:, 1]


async def refresh_statistics(url: str) -> None:
    """Bring the planner's statistics up to date, as autovacuum does a minute later."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        await conn.execute("ANALYZE")


def this_moment() -> Moment:
    """Return now, with the default unit of time."""
    return Moment(utc_now(), timedelta(days=30))


@asynccontextmanager
async def fresh_database() -> AsyncIterator[tuple[Database, str]]:
    """Yield an open database of its own and its URL; both are gone afterwards."""
    with TemporaryDirectory(prefix="lattice-", ignore_cleanup_errors=True) as folder:
        async with EmbeddedServer(EmbeddedConfig(await asyncio.to_thread(Path, folder))) as server:
            await migrations.upgrade(server.uri())
            async with Database(PoolConfig(server.uri()), server.ensure_running) as database:
                yield database, server.uri()
