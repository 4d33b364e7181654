"""Ingestions without a record: of rows that bring their embeddings, and on a Ray cluster.

Neither is written down to be resumed: the same command again passes over what is stored.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import typer

from api.cli.exit_codes import PARTIAL
from api.cli.output import counted, emit, note, open_bar
from api.cli.session import with_service

if TYPE_CHECKING:
    from rich.console import Console

    from api.cli.intake import IntakeReport
    from api.service import Service
    from knowledge.bulk import BulkReport, LoadEmbedder

PROBLEMS_SHOWN = 20
DOING = {"load": "storing", "seal": "indexing words", "index": "indexing vectors"}


def is_precomputed(paths: Sequence[str]) -> bool:
    """Tell whether all that is to be ingested brings its embeddings."""
    from knowledge.bulk import is_precomputed as brings_embeddings

    return all(brings_embeddings(Path(path)) for path in paths)


def load(paths: Sequence[str], gem: str, *, as_json: bool) -> None:
    """Store rows that bring their embeddings."""

    async def work(service: "Service") -> "IntakeReport":
        import migrations
        from api.cli.intake import IntakeReport
        from knowledge.bulk import BulkLoader

        names: dict[UUID, str] = {}

        async def find_gem(name: str) -> UUID:
            found = await service.gems.ensure(service.tenant, name, service.at())
            names[found.gem_id] = found.name
            return found.gem_id

        indexes = migrations.EmbeddingIndexes(await service.database.address())
        loader = BulkLoader(service.ingestion, indexes)
        with open_bar("Loading", "rows") as bar:

            def advance(report: "BulkReport") -> None:
                total = report.total
                done = total.documents + total.skipped + report.failed
                bar.advance_to(done, round(done / report.read) if report.read else None, f", {DOING[report.phase]}")

            done = await loader.load(
                service.tenant,
                await find_gem(gem),
                [Path(path) for path in paths],
                service.at(),
                advance,
                gem_named=find_gem,
            )
        gems = {names[gem_id]: part for gem_id, part in done.gems.items()}
        return IntakeReport(gems, done.problems, done.failed)

    _show(with_service(work), as_json=as_json)


def ingest_on_ray(paths: Sequence[str], gem: str, address: str | None, *, as_json: bool) -> None:
    """Store files and folders that a Ray cluster reads and embeds."""

    async def work(service: "Service") -> "IntakeReport":
        from dataclasses import replace

        from api.cli.intake import take_in
        from knowledge.bulk import RayEngine

        async with RayEngine(address, load=_loader(service)) as engine:
            over = replace(service, ingestion=engine.over(service.ingestion))
            with open_bar("Ingesting", "documents") as bar:
                return await take_in(
                    over,
                    engine.read_sources(paths),
                    lambda document: document.gem or gem,
                    lambda report: bar.advance_to(report.total.documents + report.total.skipped, report.rows),
                )

    _show(with_service(work), as_json=as_json)


def _loader(service: "Service") -> "LoadEmbedder":
    """Return what loads the service's model in another process.

    Raises:
        ConfigurationError: its model is behind an endpoint, which a cluster would not make quicker.
    """
    from functools import partial

    from core.errors import ConfigurationError
    from knowledge import load_fastembed, load_local

    settings = service.settings.embedding
    if service.embedder.model == "all-MiniLM-L6-v2" and settings.provider == "local":
        return load_local
    if settings.provider == "fastembed":
        return partial(load_fastembed, settings.model)
    raise ConfigurationError("the engine `ray` needs LATTICE_EMBEDDING__PROVIDER local or fastembed")


def _show(report: "IntakeReport", *, as_json: bool) -> None:
    emit(as_json, lambda: _as_json(report), lambda console: _render(console, report))
    if not report.failed:
        return
    if not as_json:
        note(f"{report.failed:,} could not be read:")
        for problem in report.problems[:PROBLEMS_SHOWN]:
            note(f"  {problem}")
        if report.failed > PROBLEMS_SHOWN:
            note(f"  … and {report.failed - PROBLEMS_SHOWN:,} more; --json lists up to 1,000")
    raise typer.Exit(PARTIAL)


def _render(console: "Console", report: "IntakeReport") -> None:
    for name, part in report.gems.items():
        stored = f"{counted(part.documents, 'document')} stored ({part.replaced:,} replaced), {part.skipped:,} skipped"
        console.print(f"{name}: {stored}, {counted(part.passages, 'passage')}", soft_wrap=True)
    if not report.gems:
        console.print("nothing was stored")


def _as_json(report: "IntakeReport") -> object:
    return {
        "gems": {name: _counts(part) for name, part in report.gems.items()},
        **_counts(report.total),
        "failed": report.failed,
        "problems": [{"name": each.name, "line": each.line, "problem": each.problem} for each in report.problems],
    }


def _counts(report: object) -> dict[str, object]:
    return {name: getattr(report, name) for name in ("documents", "replaced", "skipped", "passages", "seconds")}
