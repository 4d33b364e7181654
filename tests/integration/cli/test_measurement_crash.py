"""A service that is ended by `kill -9` in the middle of measurements: the log and the states agree afterwards."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

from core.embedded import EmbeddedServer
from tests.integration.cli.process import Lattice
from tests.integration.cli.test_job_crash import ask, running, serve, wait_for

ASKERS = 4
ENOUGH = 40  # measurements, before all is killed
REFLECTIONS = b"SELECT count(*) FROM reflection"
USED = b"SELECT count(DISTINCT reflection_id) FROM measurement"
MEASURED = b"SELECT count(*) FROM measurement WHERE cause <> 'ingest'"


def test_log_and_states_agree_after_service_and_database_were_killed(folder: Path, postgres: EmbeddedServer) -> None:
    lattice = Lattice({"LATTICE_DATA_DIR": str(folder), "LATTICE_LOG_LEVEL": "error"})
    over = threading.Event()
    with running(lattice, "serve", "--port", "0") as process:
        api = serve(process)
        gems = [make_gem(api, name) for name in ("harbour", "island")]

        def reflect(i: int) -> int:
            told = 0
            while not over.is_set():
                try:
                    asked = httpx2.post(
                        f"{api}/gems/{gems[i % 2]}/reflections", json={"question": "When does it leave?"}, timeout=60
                    )
                    told += asked.status_code == 201
                except httpx2.HTTPError:
                    break
            return told

        with ThreadPoolExecutor(ASKERS) as askers:
            told = [askers.submit(reflect, i) for i in range(ASKERS)]
            wait_for(lambda: ask(postgres.uri(), MEASURED)[0][0] > ENOUGH, "some measurements")
            postmaster = int((postgres.data / "postmaster.pid").read_text("ascii").split()[0])
            process.kill()
            os.kill(postmaster, signal.SIGKILL)  # as if the machine had died
            over.set()
            answered = sum(each.result() for each in told)

    with running(lattice, "serve", "--port", "0") as process:
        replayed = httpx2.get(f"{serve(process)}/lattice/replay", timeout=60).json()
        assert replayed["agrees"], replayed
        assert replayed["steps"] > ENOUGH
        (stored,), (used,) = (ask(postgres.uri(), query)[0] for query in (REFLECTIONS, USED))
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    # each reflection that was told is stored with its measurements, and none without
    assert stored == used
    assert stored >= answered > 0


def make_gem(api: str, name: str) -> str:
    gem: str = httpx2.post(f"{api}/gems", json={"name": name}, timeout=60).json()["id"]
    text = f"The ferry of {name} leaves at seven. Herring gulls nest on the roof."
    httpx2.post(f"{api}/gems/{gem}/documents", json={"documents": [{"text": text}]}, timeout=60).raise_for_status()
    return gem
