import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import migrations
from core.embedded import EmbeddedConfig, EmbeddedServer
from tests.conftest import find_memory, run_apart
from tests.integration.cli.process import Lattice


@pytest.fixture
def lattice(database_url: str, tmp_path: Path) -> Lattice:
    """The program on a database of this test alone."""
    return Lattice({"LATTICE_DATABASE_URL": database_url, "LATTICE_DATA_DIR": str(tmp_path)})


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty data folder, for a lattice with a Postgres of its own."""
    folder = Path(tempfile.mkdtemp(prefix="lattice-", dir=find_memory()))  # short: a socket's path is
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(folder: Path) -> Iterator[EmbeddedServer]:
    """The Postgres of the lattice in `folder`, with the schema; it may be killed, but is not stopped before the end."""
    server = EmbeddedServer(EmbeddedConfig(folder / "postgres"))
    run_apart(server.start())
    try:
        run_apart(migrations.upgrade(server.uri()))
        yield server
    finally:
        run_apart(server.stop())
