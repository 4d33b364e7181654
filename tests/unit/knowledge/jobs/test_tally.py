from knowledge import IngestReport, SourceDocument, SourceProblem
from knowledge.jobs.tally import Counts, Tally, digest_row


def document(number: int) -> SourceDocument:
    return SourceDocument(text=f"text {number}", external_id=str(number))


def taken(*rows: SourceDocument | SourceProblem, **known: object) -> Tally:
    tally = Tally(**known)  # type: ignore[arg-type]
    for number, row in enumerate(rows):
        tally.take(number, row)
    return tally


def stored(documents: int, **more: int) -> IngestReport:
    return IngestReport(documents=documents, passages=documents, **more)


BAD = SourceProblem("rows.jsonl", "is not JSON", 2)


def test_rows_count_as_read_when_all_before_them_are_dealt_with() -> None:
    tally = taken(document(0), BAD, document(2), document(3))
    assert tally.counts == Counts()
    tally.settle(stored(1))
    assert tally.counts == Counts(read=2, stored=1, failed=1, passages=1)  # the problem follows at once
    tally.settle(IngestReport(skipped=1))
    assert tally.counts == Counts(read=3, stored=1, skipped=1, failed=1, passages=1)
    assert [(each.number, each.problem) for each in tally.problems] == [(1, BAD)]


def test_problems_alone_are_dealt_with_without_a_document() -> None:
    tally = taken(BAD, BAD)
    tally.settle(IngestReport())
    assert tally.counts == Counts(read=2, failed=2)


def test_documents_that_a_gem_refused_are_problems_of_their_rows() -> None:
    tally = taken(document(0), document(1), document(2))
    tally.settle(stored(2), {1: BAD}, 3)
    assert tally.counts == Counts(read=3, stored=2, failed=1, passages=2)
    assert [each.number for each in tally.problems] == [1]


def test_rows_taken_up_again_leave_what_was_read_as_it_was() -> None:
    before = Counts(read=3, stored=1, failed=2, passages=1)
    tally = Tally(before, again=frozenset({1, 2}))
    tally.take(1, document(1))
    tally.take(2, BAD)
    tally.take(3, document(3))
    tally.settle(stored(2))
    assert tally.counts == Counts(read=4, stored=3, failed=1, passages=3)
    assert tally.mended == [1]
    assert [each.number for each in tally.problems] == [2]


def test_the_fingerprint_is_that_of_all_documents_in_whatever_order_they_were_stored() -> None:
    tally = taken(document(0), BAD, document(2))
    tally.settle(stored(2))
    assert tally.fingerprint == (digest_row(0, document(0)) + digest_row(2, document(2))) % 2**128


def test_a_row_differs_by_its_place_and_by_what_it_says() -> None:
    one = SourceDocument(text="Yes.", thread="t", speaker="Ann")
    other = SourceDocument(text="Yes.", thread="t", speaker="Bob")
    assert len({digest_row(0, one), digest_row(1, one), digest_row(0, other)}) == 3
