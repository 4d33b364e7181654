"""`lattice export`, `lattice import`: gems into a file, and in again."""

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import JsonOption, examples
from api.cli.output import counted, emit, open_bar
from api.cli.session import with_service
from core.text import make_storable

if TYPE_CHECKING:
    from api.service import Service
    from gems import EntanglementCount
    from knowledge.keeping import ImportedGem


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    exporting = ("lattice export -o lattice.jsonl.gz", "lattice export research -o research.jsonl.gz")
    app.command("export", epilog=examples(*exporting))(export)
    importing = (
        "lattice import lattice.jsonl.gz",
        "lattice import research.jsonl.gz --rename 'research 2024'",
        "lattice import research.jsonl.gz --reembed",
    )
    app.command("import", epilog=examples(*importing))(import_file)


def export(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="What is written; replaced if there.")],
    gems: Annotated[
        list[str] | None,
        typer.Argument(metavar="[GEM]...", help="Names or ids; all gems, archived ones too, if none is given."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write gems into a file: documents, passages, vectors, entities, relations, log, reflections and entanglements.

    The file is gzipped JSON lines. It holds one moment of the lattice, whatever is written meanwhile. An entanglement
    is in it if both of its gems are; how many are left out is told.
    """
    names = [make_storable(gem) for gem in gems or ()]
    # written aside, so that a file of this name is always a whole one
    partial = output.with_name(f"{output.name}.part")
    counts: list[EntanglementCount] = []

    async def work(service: "Service") -> int:
        at = service.at()
        gem_ids = [(await service.gems.resolve(service.tenant, name, at)).gem_id for name in names] or None
        size = 0
        with partial.open("wb") as file, open_bar("Exporting", "bytes") as bar:
            async with aclosing(service.exports.stream(service.tenant, gem_ids, at, counts.append)) as pieces:
                async for piece in pieces:
                    size += file.write(piece)
                    bar.advance_to(size, None)
        return size

    try:
        size = with_service(work)
        partial.replace(output)
    except OSError as e:
        raise typer.BadParameter(f"cannot be written: {e}", param_hint="--output") from e
    finally:
        partial.unlink(missing_ok=True)
    (count,) = counts
    lines = [f"{output}: {size:,} bytes"]
    if count.leading_out:
        lines.append(f"left out: {counted(count.leading_out, 'entanglement')} with gems that are not in the file")
    told = {"entanglements": count.among, "entanglements_left_out": count.leading_out}
    emit(
        as_json,
        lambda: {"file": str(output), "bytes": size} | told,
        lambda console: console.print("\n".join(lines), soft_wrap=True),
    )


def import_file(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="As `lattice export` writes it, gzipped or not.")],
    rename: Annotated[
        str | None,
        typer.Option(help="A name for the file's one gem, which becomes a copy with ids of its own."),
    ] = None,
    reembed: Annotated[
        bool, typer.Option("--reembed", help="Embed the texts anew if the file's vectors are of another model.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Store the gems of an exported file, each whole or not at all; of a broken file nothing is stored."""

    async def work(service: "Service") -> "list[ImportedGem]":
        from knowledge.keeping import ImportWish

        wish = ImportWish(rename=None if rename is None else make_storable(rename), reembed=reembed)
        done = 0

        def advance(gem: "ImportedGem") -> None:
            nonlocal done
            done += gem.passages
            bar.advance_to(done, None)

        with path.open("rb") as file, open_bar("Importing", "passages") as bar:
            return await service.imports.carry_out(service.tenant, file, str(path), wish, advance)

    try:
        gems = with_service(work)
    except OSError as e:
        raise typer.BadParameter(f"cannot be read: {e}", param_hint="FILE") from e
    from api.schemas.keeping import to_import

    lines = [
        f"{gem.name}: {counted(gem.documents, 'document')}, {counted(gem.passages, 'passage')}"
        f"{', ' + counted(gem.entanglements, 'entanglement') if gem.entanglements else ''}"
        f"{', embedded anew' if gem.reembedded else ''}"
        for gem in gems
    ]
    emit(
        as_json,
        lambda: to_import(gems),
        lambda console: console.print("\n".join(lines) or "the file holds no gem", soft_wrap=True),
    )
