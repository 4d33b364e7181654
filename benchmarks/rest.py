"""Recall over REST: requests a second at concurrency 1, 8 and 32, from a second process on loopback."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory

import httpx2
import numpy as np

from benchmarks.corpus import Writer
from benchmarks.figures import Figure

PASSAGES = 2_000
BATCH = 200
REQUESTS = 400
START_S = 60


async def measure() -> AsyncIterator[Figure]:
    """Fill a gem over REST, then ask it from a few and from many callers at once."""
    async with serving() as client:
        gem = (await _post(client, "/gems", {"name": "bench"}))["id"]
        documents = [
            {"text": each.text, "id": each.external_id, "title": each.title}
            for each in Writer(1).documents(PASSAGES, 1)
        ]
        for start in range(0, PASSAGES, BATCH):
            await _post(client, f"/gems/{gem}/documents", {"documents": documents[start : start + BATCH]})
        writer = Writer(2)
        for callers in (1, 8, 32):
            # each question is new, so that nothing is answered from what recall keeps
            bodies: list[dict[str, object]] = [
                {"question": writer.sentence(7), "gem_ids": [gem]} for _ in range(REQUESTS)
            ]
            spent: list[float] = []
            started = time.perf_counter()
            await asyncio.gather(*(_ask(client, bodies[i::callers], spent) for i in range(callers)))
            seconds = time.perf_counter() - started
            yield Figure(f"recall over REST, {callers} at once", REQUESTS / seconds, "requests/s")
            yield Figure(f"its p95, {callers} at once", float(np.percentile(spent, 95)), "ms")


async def _ask(client: httpx2.AsyncClient, bodies: list[dict[str, object]], spent: list[float]) -> None:
    for body in bodies:
        started = time.perf_counter()
        await _post(client, "/recall", body)
        spent.append((time.perf_counter() - started) * 1e3)


async def _post(client: httpx2.AsyncClient, path: str, body: object) -> dict[str, str]:
    response = await client.post(path, json=body)
    response.raise_for_status()
    answer: dict[str, str] = response.json()
    return answer


@asynccontextmanager
async def serving(**settings: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Start a service of its own in another process, and yield a client of it; both are gone afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with TemporaryDirectory(prefix="lattice-", ignore_cleanup_errors=True) as folder:
        environment = {**os.environ, "LATTICE_DATA_DIR": folder, "LATTICE_LOG_LEVEL": "warning", **settings}
        command = (sys.executable, "-m", "api.cli", "serve", "--port", str(port))
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=120) as client:
                await _wait_until_ready(client)
                yield client
        finally:
            process.terminate()
            await process.wait()


async def _wait_until_ready(client: httpx2.AsyncClient) -> None:
    for _ in range(START_S * 10):
        try:
            if (await client.get("/health/ready")).is_success:
                return
        except httpx2.TransportError:
            pass  # not listening yet
        await asyncio.sleep(0.1)
    raise TimeoutError(f"the service was not ready within {START_S} s")
