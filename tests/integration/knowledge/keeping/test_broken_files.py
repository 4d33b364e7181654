import base64
import gzip
from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from core.errors import ConflictError, InvalidInputError, UnreadableSourceError
from core.pg import Database
from gems import Gem, Moment
from knowledge.keeping.restore import ImportWish
from tests.integration.knowledge.keeping.conftest import export, fetch_one, importing
from tests.integration.knowledge.keeping.forging import forge


def cut_lines(plain: bytes, *, last: int | None = None, again: int = 1) -> bytes:
    """Lines of a file without those from `last` on, the fifth as often as `again` says."""
    lines = plain.splitlines(keepends=True)
    return b"".join(lines[:4] + lines[4:5] * again + lines[5:last])


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut in the middle of the packing": lambda plain: gzip.compress(plain)[: len(plain) // 20],
    "without its last line": lambda plain: gzip.compress(cut_lines(plain, last=-1)),
    "cut within a line": lambda plain: plain[: len(plain) // 2],
    "a line missing": lambda plain: cut_lines(plain, again=0),
    "a line twice": lambda plain: cut_lines(plain, again=2),
    "one byte changed": lambda plain: plain.replace(b"greyhound", b"greyhoumd", 1),
    "its model changed": lambda plain: plain.replace(b'"dimension":384', b'"dimension":385', 1),
    "no JSON": lambda _: b"\xff\xfe\x00\x01\n" * 3,
    "empty": lambda _: b"",
    "another format": lambda _: b'{"format":"zip","version":1}\n{"end":true}\n',
    "a later version": lambda plain: plain.replace(b'"version":2', b'"version":3', 1),
    "a header of bytes that are no text": lambda plain: plain.replace(b'"crystal-lattice"', b'"\xff\xfe"', 1),
}


@pytest.mark.parametrize("case", DAMAGES)
async def test_of_a_broken_file_nothing_is_stored(
    database: Database, gem: Gem, local: Any, tenant: UUID, stranger: UUID, at: Moment, case: str
) -> None:
    broken = DAMAGES[case](gzip.decompress(await export(database, tenant, at)))
    with pytest.raises(UnreadableSourceError):
        await importing(database, local).carry_out(stranger, BytesIO(broken), "f", ImportWish())
    assert await fetch_one(database, stranger, "SELECT count(*) FROM gem") == 0


def passage(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return next(row for row in rows if row["table"] == "passage")


def entity(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return next(row for row in rows if row["table"] == "entity")


FORGERIES = {
    "a field that is not known": lambda rows: passage(rows).update(colour="red"),
    "another tenant": lambda rows: passage(rows).update(tenant_id="00000000-0000-0000-0000-000000000009"),
    "another gem": lambda rows: passage(rows).update(gem_id="00000000-0000-0000-0000-000000000009"),
    "a slot of nobody": lambda rows: passage(rows).update(slot=7),
    "a short vector": lambda rows: passage(rows).update(embedding=base64.b64encode(bytes(8)).decode()),
    "no base64": lambda rows: passage(rows).update(embedding="?!"),
    "an energy below zero": lambda rows: passage(rows).update(energy=-1),
    "an object for a text": lambda rows: passage(rows).update(body={"a": 1}),
    "a text for a number": lambda rows: passage(rows).update(tokens="many"),
    "a NUL in a text": lambda rows: passage(rows).update(body="a\x00b"),
    "a document of nobody": lambda rows: passage(rows).update(document_id="00000000-0000-0000-0000-000000000009"),
    "no body": lambda rows: passage(rows).pop("body"),
    "a table of nobody": lambda rows: rows[-1].update(table="pg_authid"),
    "a second gem inside": lambda rows: rows.insert(3, rows[0]),
    "an energy that is no number": lambda rows: passage(rows).update(energy="NaN"),
    "a phase without end": lambda rows: passage(rows).update(phase="Infinity"),
    "a time without end": lambda rows: passage(rows).update(measured_at="infinity"),
    "a time before Christ": lambda rows: passage(rows).update(measured_at="4000-01-01 BC"),
    "a time that is none in UTC": lambda rows: passage(rows).update(measured_at="9999-12-31T23:59:59-14:00"),
    "fewer rows than there are": lambda rows: rows[0].update(counts={"document": 1}),
    "a count below zero": lambda rows: rows[0].update(counts={"document": -5}),
    "passages that are not counted": lambda rows: rows[0].update(counts={"document": len(rows) - 1}),
    "a name that is too long": lambda rows: rows[0].update(name="n" * 10_000),
    "a name's vector cut short": lambda rows: entity(rows).update(embedding=base64.b64encode(b"abc").decode()),
    "a vector of nothing but bits": lambda rows: passage(rows).update(
        embedding=base64.b64encode(np.full(384, np.nan, "<f2").tobytes()).decode()
    ),
}


@pytest.mark.parametrize("case", FORGERIES)
async def test_rows_that_do_not_fit_are_refused_and_nothing_is_stored(
    database: Database, gem: Gem, local: Any, tenant: UUID, stranger: UUID, at: Moment, case: str
) -> None:
    forged = forge(await export(database, tenant, at), FORGERIES[case])
    with pytest.raises((UnreadableSourceError, ConflictError, InvalidInputError)):
        await importing(database, local).carry_out(stranger, BytesIO(forged), "f", ImportWish())
    assert await fetch_one(database, stranger, "SELECT count(*) FROM gem") == 0


@pytest.mark.parametrize(("find", "size"), [(passage, 384), (entity, 384)])
async def test_a_vector_without_a_direction_is_refused_by_its_line_and_field(
    database: Database, gem: Gem, local: Any, tenant: UUID, stranger: UUID, at: Moment, find: Any, size: int
) -> None:
    zeros = base64.b64encode(np.full(size, -0.0, "<f2").tobytes()).decode()
    forged = forge(await export(database, tenant, at), lambda rows: find(rows).update(embedding=zeros))
    line = 1 + next(number for number, row in enumerate(forged.splitlines()) if zeros.encode() in row)
    with pytest.raises(UnreadableSourceError, match=f"line {line} has a vector that is all zeros .*: embedding"):
        await importing(database, local).carry_out(stranger, BytesIO(forged), "f", ImportWish())


async def test_an_unchanged_forgery_is_taken(
    database: Database, gem: Gem, local: Any, tenant: UUID, stranger: UUID, at: Moment
) -> None:
    same = forge(await export(database, tenant, at), lambda rows: None)
    await importing(database, local).carry_out(stranger, BytesIO(same), "f", ImportWish())
    assert await fetch_one(database, stranger, "SELECT count(*) FROM passage") == 10


@pytest.mark.parametrize("table", ["passage", "relation"])
async def test_a_gem_that_leads_into_another_one_is_refused(
    database: Database, gem: Gem, local: Any, tenant: UUID, at: Moment, table: str
) -> None:
    def lead_away(rows: list[dict[str, Any]]) -> None:
        row = next(row for row in rows if row["table"] == table)
        row |= {"slot": 0, "ordinal": 99} if table == "passage" else {}
        row |= {key: str(uuid4()) for key in ("passage_id", "relation_id", "claim_id") if key in row}
        rows[:] = [rows[0] | {"gem_id": str(uuid4()), "name": "another", "counts": {table: 1}}, row]

    forged = forge(await export(database, tenant, at), lead_away)
    with pytest.raises(UnreadableSourceError, match="lead into another gem"):
        await importing(database, local).carry_out(tenant, BytesIO(forged), "f", ImportWish())
    assert await fetch_one(database, tenant, "SELECT count(*) FROM gem") == 1
