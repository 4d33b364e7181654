from pathlib import Path

import pytest

from tests.integration.cli.process import Lattice


@pytest.fixture
def lattice(database_url: str, tmp_path: Path) -> Lattice:
    """The program on a database of this test alone."""
    return Lattice({"LATTICE_DATABASE_URL": database_url, "LATTICE_DATA_DIR": str(tmp_path)})
