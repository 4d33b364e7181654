"""Snapshots on the command line: kept, compared, restored, verified, pruned."""

from pathlib import Path

import psycopg
import pytest

from tests.integration.cli.process import Finished, Lattice


@pytest.fixture
def notes(lattice: Lattice, tmp_path: Path) -> Lattice:
    file = tmp_path / "notes.jsonl"
    file.write_text("\n".join(f'{{"id": "n{i}", "text": "Note {i} is about the pier."}}' for i in range(5)), "utf-8")
    done = lattice("ingest", str(file), "--gem", "notes", "--json")
    assert done.code == 0, done.err
    return lattice


def snapshot(lattice: Lattice, *words: str) -> Finished:
    return lattice("gems", "snapshot", *words)


def test_a_gem_that_was_deleted_comes_back(notes: Lattice, database_url: str) -> None:
    taken = snapshot(notes, "create", "notes", "--note", "five notes", "--json").json
    key = taken["id"]
    assert (taken["documents"], taken["note"]) == (5, "five notes")
    assert "nothing differs" in snapshot(notes, "diff", key).out
    assert notes("gems", "delete", "notes", "--yes").code == 0
    assert "notes  removed" in snapshot(notes, "diff", key).out
    told = snapshot(notes, "restore", key)
    assert "notes  added" in told.out
    assert "nothing is changed without --yes" in told.out
    assert notes("gems", "list", "--json").json == []
    done = snapshot(notes, "restore", key, "--gem", "notes", "--yes", "--json").json
    assert (done["dry_run"], done["safety_id"], done["gems"][0]["documents"]["added"]) == (False, None, 5)
    assert notes("recall", "the pier", "--json").code == 0
    again = snapshot(notes, "restore", key, "--yes")
    assert "to undo: lattice gems snapshot restore" in again.out
    assert [each["reason"] for each in snapshot(notes, "list", "notes", "--json").json] == ["safety", "asked"]

    assert "sound:" in snapshot(notes, "verify", key).out
    with psycopg.connect(database_url) as conn:
        conn.execute("UPDATE snapshot_member SET part = part + 1 WHERE kind = 'states'")
        conn.execute("DELETE FROM gem_embedding")
    broken = snapshot(notes, "verify", key)
    assert (broken.code, "list: gem notes" in broken.out) == (1, True)
    assert "embedding: gem notes, as it is now: not what its passages give; a restore makes it right" in broken.out


def test_the_lattice_is_kept_and_pruned(notes: Lattice) -> None:
    keys = [snapshot(notes, "create", "--lattice", "--json").json["id"] for _ in range(3)]
    assert "five" not in snapshot(notes, "show", keys[0]).out
    assert "notes" in snapshot(notes, "show", keys[0]).out
    assert snapshot(notes, "create").code == 2
    assert snapshot(notes, "list", "notes", "--lattice").code == 2
    told = snapshot(notes, "prune", "--keep-last", "1")
    assert "2 snapshots would go, for good; nothing is deleted without --yes" in told.out
    assert "2 snapshots deleted" in snapshot(notes, "prune", "--keep-last", "1", "--yes").out
    assert [each["id"] for each in snapshot(notes, "list", "--lattice", "--json").json] == keys[2:]
    assert snapshot(notes, "delete", keys[2], "--yes", "--json").json["freed_bytes"] > 0
    gone = snapshot(notes, "show", keys[2], "--json")
    assert (gone.code, gone.error["code"]) == (4, "snapshot_not_found")
