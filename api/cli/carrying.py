"""An ingestion carried out by the process that was asked for it, in the same tables as those of workers.

Whatever ends the process, the ingestion can be resumed: files are known by their path, standard input is stored first.
"""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from api.cli.ingestion_view import show_record
from api.cli.output import Bar, note
from api.service import Service
from core.errors import LatticeError
from knowledge import IngestReport
from knowledge.jobs import NO_NAME, IngestionProblem, IngestionRecord, Receiving, Run, add_reports

STANDARD_INPUT = "-"
PROBLEMS_LISTED = 1_000
PIECE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Carried:
    """How an ingestion ended.

    Attributes:
        gems: what this process did in each gem, by name.
        problems: the first PROBLEMS_LISTED of what could not be stored.
    """

    record: IngestionRecord
    gems: Mapping[str, IngestReport]
    problems: Sequence[IngestionProblem]

    @property
    def total(self) -> IngestReport:
        """What this process did in all gems."""
        total = IngestReport()
        for report in self.gems.values():
            total = add_reports(total, report)
        return total


def name_host() -> str:
    """Return the name of this machine: who resumes an ingestion of files must see the same files."""
    return socket.gethostname()


async def begin(service: Service, paths: Sequence[str], gem: str, stream: BinaryIO, input_format: str) -> UUID:
    """Write down what is to be ingested, standard input whole.

    Args:
        service: whose lattice.
        paths: of files and folders; "-" is standard input.
        gem: the name of where documents go that name none; made if missing.
        stream: standard input.
        input_format: how it is read.

    Raises:
        GemArchivedError: the gem is read only.
    """
    at = service.at()
    found = await service.gems.ensure(service.tenant, gem, at)
    receiving = service.ingestions.receive(service.tenant, found.gem_id, at, by_row=True, host=name_host())
    async with receiving as received:
        for path in paths:
            if path == STANDARD_INPUT:
                await _receive(received, stream, input_format)
            else:
                await received.add_path(_absolute(path))
        return (await service.ingestions.enqueue(received)).ingestion_id


async def carry_out(service: Service, ingestion_id: UUID, bar: Bar) -> Carried:
    """Carry out an ingestion here, and say how to go on with it if it is stopped.

    Raises:
        LatticeError: why it failed.
    """
    gems: Mapping[str, IngestReport] = {}

    def watch(run: Run) -> None:
        nonlocal gems
        gems = run.tally.gems
        show_record(bar, run.seen)

    try:
        record = await service.ingestion_work.carry_out(service.tenant, ingestion_id, watch)
    except (asyncio.CancelledError, LatticeError):
        note(f"what was stored stays; go on with: lattice ingestions resume {ingestion_id}")
        raise
    record = record or await service.ingestions.get(service.tenant, ingestion_id)
    problems = await service.ingestions.list_problems(service.tenant, ingestion_id, limit=PROBLEMS_LISTED)
    return Carried(record, gems, problems)


async def _receive(received: Receiving, stream: BinaryIO, input_format: str) -> None:
    await received.open_body(NO_NAME, input_format)
    while piece := await asyncio.to_thread(stream.read, PIECE_BYTES):
        await received.write(piece)


def _absolute(path: str) -> Path:
    return Path(path).absolute()
