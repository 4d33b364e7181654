"""How snapshots, and what differs between them, look in a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from api.cli.output import counted
from api.cli.views import fact_table, plain_table, show_moment
from api.schemas.snapshot_differences import ROWS

if TYPE_CHECKING:
    from knowledge.keeping import GemDifference, Restored, Retention, Snapshot, Verification

SHOWN = 20
HINTS = {"embedding": ", as it is now: not what its passages give; a restore makes it right"}
MARKS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


def render_snapshots(console: Console, snapshots: "Sequence[Snapshot]") -> None:
    """Show snapshots, one a line."""
    if not snapshots:
        console.print("no snapshots yet: lattice gems snapshot create GEM, or --lattice")
        return
    table = plain_table("id", "taken", "of", "documents", "passages", "stored", "note", right=range(3, 6))
    for each in snapshots:
        sizes = (f"{each.documents:,}", f"{each.passages:,}", show_bytes(each.added_bytes))
        note = each.note if each.reason == "asked" else f"safety: {each.note}"
        table.add_row(str(each.snapshot_id), show_moment(each.taken_at), each.scope, *sizes, note)
    console.print(table)


def render_snapshot(console: Console, snapshot: "Snapshot") -> None:
    """Show one snapshot and its gems."""
    facts = {
        "id": snapshot.snapshot_id,
        "taken": show_moment(snapshot.taken_at),
        "of": snapshot.scope if snapshot.reason == "asked" else f"{snapshot.scope}, for safety",
        **({"note": snapshot.note} if snapshot.note else {}),
        "model": snapshot.model or "none: it holds no vectors",
        "size": f"{show_bytes(snapshot.size_bytes)}, of which {show_bytes(snapshot.added_bytes)} were stored with it",
        "sha256": snapshot.sha256.hex(),
    }
    console.print(fact_table(facts))
    table = plain_table("gem", "documents", "passages", "relations", "id", right=range(1, 4))
    for gem in snapshot.gems:
        numbers = [f"{gem.counts.get(name, 0):,}" for name in ("document", "passage", "relation")]
        table.add_row(Text(gem.name, "bold"), *numbers, str(gem.gem_id))
    console.print(table)


def render_differences(console: Console, found: "Sequence[GemDifference]") -> None:
    """Show what differs, gem by gem."""
    if not found:
        console.print("nothing differs")
    for each in found:
        suffix = f"  {each.change}" if each.change else ""
        console.print(Text(each.name, "bold") + Text(suffix, MARKS[each.change][1] if each.change else ""))
        for name, change in each.fields.items():
            console.print(f"  {name}: {change.before} → {change.after}", soft_wrap=True)
        _render_documents(console, each)
        for name, rows in each.tables.items():
            counts = _counts(rows.added, rows.removed, rows.changed)
            console.print(f"  {ROWS.get(name, name)}: {counts}", soft_wrap=True)


def render_restored(console: Console, restored: "Restored", *, dry_run: bool) -> None:
    """Show what a restore changed, or would change, and how it is undone."""
    render_differences(console, restored.gems)
    if restored.others and restored.snapshot.scope == "lattice":
        console.print(f"{counted(restored.others, 'gem')} made since stay as they are")
    if dry_run:
        console.print("nothing is changed without --yes")
    elif restored.safety is not None:
        undo = f"lattice gems snapshot restore {restored.safety.snapshot_id} --yes"
        console.print(f"restored; to undo: {undo}", soft_wrap=True)
    else:
        console.print("restored; nothing was there before")


def render_verification(console: Console, found: "Verification") -> None:
    """Show whether a snapshot is whole, and what of it is not."""
    if found.is_sound:
        console.print(f"sound: {counted(found.contents, 'content')} read, each as it was written", style="green")
        return
    console.print(f"damaged: {counted(found.problems, 'problem')}", style="red")
    for each in found.shown[:SHOWN]:
        parts = [each.name and f"gem {each.name}", each.content, each.document_id and f"document {each.document_id}"]
        told = ", ".join(str(part) for part in parts if part) + HINTS.get(each.kind, "")
        console.print(f"  {each.kind}{': ' if told else ''}{told}", soft_wrap=True)
    _render_rest(console, found.problems)


def render_retention(console: Console, found: "Retention", *, dry_run: bool) -> None:
    """Show which snapshots stay, by what, and which go."""
    table = plain_table("", "id", "taken", "kept by")
    for each in found.verdicts:
        mark = Text("+", "green") if each.reasons else Text("-", "red")
        moment = show_moment(each.snapshot.taken_at)
        table.add_row(mark, str(each.snapshot.snapshot_id), moment, ", ".join(each.reasons) or "nothing")
    console.print(table)
    gone = counted(sum(not each.reasons for each in found.verdicts), "snapshot")
    if dry_run:
        console.print(f"{gone} would go, for good; nothing is deleted without --yes")
    else:
        console.print(f"{gone} deleted; {show_bytes(found.freed_bytes)} freed")


def show_bytes(number: int) -> str:
    """Show a size: 900 B, 1.2 kB, 3.4 MB."""
    size, unit = float(number), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1_000:
            break
        size, unit = size / 1_000, larger
    return f"{number} B" if unit == "B" else f"{size:.1f} {unit}"


def _render_documents(console: Console, found: "GemDifference") -> None:
    documents = found.documents
    if counts := _counts(documents.added, documents.removed, documents.changed):
        console.print(f"  documents: {counts}")
    for each in documents.shown[:SHOWN]:
        mark, style = MARKS[each.change]
        what = [*each.fields, *(["vectors"] if each.vectors else []), *(["graph"] if each.graph else [])]
        told = f" ({', '.join(what)})" if each.change == "changed" and what else ""
        name = each.title or each.external_id or str(each.document_id)
        console.print(Text(f"    {mark} {name}{told}", style), soft_wrap=True)
    _render_rest(console, documents.added + documents.removed + documents.changed)
    if documents.states:
        console.print(f"  states: {counted(documents.states, 'passage')} changed")


def _render_rest(console: Console, total: int) -> None:
    if total > SHOWN:
        console.print(f"    … and {total - SHOWN:,} more; --json shows more of them")


def _counts(added: int, removed: int, changed: int) -> str:
    told = {"added": added, "removed": removed, "changed": changed}
    return ", ".join(f"{number:,} {name}" for name, number in told.items() if number)
