"""The live stream: 200 viewers for a minute; what that costs the service, and how old what they see is."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

import httpx2
import numpy as np
import psutil
import psycopg

from benchmarks.figures import Figure, fresh_database
from benchmarks.rest import serving
from core.clock import utc_now

VIEWERS = 200
GEMS = 1_000
AT_ONCE = 8
SECONDS = 60.0
SETTLE_S = 12.0  # by then Postgres has counted what was done before
SCANS = "SELECT coalesce(seq_scan, 0) + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'gem'"


@dataclass(slots=True)
class Watched:
    """What the viewers saw: the age of each snapshot when it came, in seconds, and which snapshots there were."""

    ages_s: list[float] = field(default_factory=list)
    sequences: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Load:
    """What the service's process used until a moment."""

    at: float
    cpu_s: float
    resident_mb: float


async def measure() -> AsyncIterator[Figure]:
    """Let viewers watch a lattice of a thousand gems over the wire, from this process."""
    # rules are looked at every five seconds besides; here nothing but the stream may ask for the gems
    settings = {"LATTICE_ALERTS__INTERVAL_S": "3600", "LATTICE_WORKERS": "0"}
    async with fresh_database() as (_, url), serving(LATTICE_DATABASE_URL=url, **settings) as client:
        await _fill(client)
        service = next(each for each in psutil.Process(os.getpid()).children() if "serve" in each.cmdline())
        watched = Watched()
        viewing = [asyncio.create_task(_view(client, watched)) for _ in range(VIEWERS)]
        await asyncio.sleep(SETTLE_S)
        scans = await _count_scans(url)
        watched.ages_s.clear()
        watched.sequences.clear()
        loads = [_measure_load(service)]
        for _ in range(2):
            await asyncio.sleep(SECONDS / 2)
            loads.append(_measure_load(service))
        scans = await _count_scans(url) - scans  # Postgres tells of them up to a second later, both times
        ticks = len(watched.sequences)
        for task in viewing:
            task.cancel()
        await asyncio.gather(*viewing, return_exceptions=True)
    for figure in _tell(watched, ticks, scans, loads):
        yield figure


def _tell(watched: Watched, ticks: int, scans: int, loads: list[Load]) -> list[Figure]:
    first, second = (
        100 * (later.cpu_s - earlier.cpu_s) / (later.at - earlier.at) for earlier, later in pairwise(loads)
    )
    p50, p95, most = np.percentile(watched.ages_s, [50, 95, 100])
    return [
        Figure("viewers", VIEWERS, ""),
        Figure("snapshots that each was told", len(watched.ages_s) / VIEWERS, "", f"{SECONDS:g}"),
        Figure("readings of all gems a tick", scans / ticks, "", "1"),
        Figure("age of a snapshot when it came, median", 1e3 * float(p50), "ms"),
        Figure("its p95", 1e3 * float(p95), "ms", "< 2,000"),
        Figure("its worst", 1e3 * float(most), "ms"),
        Figure("CPU of the service, first half", first, "% of a core"),
        Figure("CPU of the service, second half", second, "% of a core", "flat"),
        Figure("memory at the start", loads[0].resident_mb, "MB"),
        Figure("memory at the end", loads[-1].resident_mb, "MB", "flat"),
    ]


async def _fill(client: httpx2.AsyncClient) -> None:
    async def create(start: int) -> None:
        for number in range(start, GEMS, AT_ONCE):
            (await client.post("/gems", json={"name": f"gem {number}"})).raise_for_status()

    await asyncio.gather(*map(create, range(AT_ONCE)))


async def _view(client: httpx2.AsyncClient, watched: Watched) -> None:
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(b"GET /api/v1/lattice/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    try:
        while line := await reader.readline():
            if line.startswith(b"data: "):
                # found by hand: reading 200 snapshots a second whole would take this process the cores it measures on
                sequence, at = line.split(b'"', 6)[2][1:-1], line.split(b'"', 6)[5]
                watched.ages_s.append((utc_now() - datetime.fromisoformat(at.decode())).total_seconds())
                watched.sequences.add(int(sequence))
    finally:
        writer.close()


def _measure_load(service: psutil.Process) -> Load:
    used = service.cpu_times()
    return Load(time.monotonic(), used.user + used.system, service.memory_info().rss / 1e6)


async def _count_scans(url: str) -> int:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        row = await (await conn.execute(SCANS)).fetchone()
    return int(row[0]) if row else 0
