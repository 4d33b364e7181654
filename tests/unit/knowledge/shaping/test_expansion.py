from uuid import UUID

from knowledge.shaping.expansion import Neighbour, Part, Surroundings, group_neighbours

ROME, OSLO = UUID(int=1), UUID(int=2)


def place(document: UUID, ordinal: int) -> UUID:
    return UUID(int=document.int * 1_000 + ordinal)


def chain(document: UUID, ordinal: int, before: int, after: int, tokens: int = 10) -> list[Neighbour]:
    """A passage with so many around it, in any order, as rows come."""
    rows = []
    for step in range(-before, after + 1):
        side, at = (step > 0) - (step < 0), ordinal + step
        rows.append(Neighbour(side, abs(step), place(document, at), document, at, at * 100, at * 100 + 99, tokens))
    return rows[::-1]


def grouped(chains: list[list[Neighbour]], max_tokens: int) -> list[list[int]]:
    """The groups as ordinals, plus 100 in the second document."""
    found = {next(each.passage_id for each in rows if not each.side): rows for rows in chains}
    groups = group_neighbours(found, max_tokens)
    return [[each.ordinal + (100 if each.document_id == OSLO else 0) for each in group] for group in groups]


def test_with_room_all_neighbours_come_in_order() -> None:
    assert grouped([chain(ROME, 5, 2, 3)], 1_000) == [[3, 4, 5, 6, 7, 8]]


def test_a_budget_takes_the_nearest_first() -> None:
    assert grouped([chain(ROME, 5, 2, 3)], 40) == [[3, 4, 5, 6]]
    assert grouped([chain(ROME, 5, 2, 3)], 29) == [[4, 5]]
    assert grouped([chain(ROME, 5, 2, 3)], 10) == [[5]]


def test_what_was_found_comes_before_any_neighbour() -> None:
    assert grouped([chain(ROME, 5, 2, 2), chain(OSLO, 7, 2, 2)], 20) == [[5], [107]]
    assert grouped([chain(ROME, 5, 2, 2), chain(OSLO, 7, 2, 2)], 40) == [[4, 5, 6], [107]]


def test_a_found_passage_that_does_not_fit_is_left_out_and_the_next_tried() -> None:
    assert grouped([chain(ROME, 5, 1, 1, tokens=99), chain(OSLO, 7, 1, 1)], 30) == [[106, 107, 108]]
    assert grouped([chain(ROME, 5, 1, 1)], 9) == []


def test_nothing_is_taken_beyond_a_neighbour_that_does_not_fit() -> None:
    rows = [each for each in chain(ROME, 5, 0, 2) if each.distance != 1]
    rows.append(Neighbour(1, 1, place(ROME, 6), ROME, 6, 600, 699, 500))
    assert grouped([rows], 100) == [[5]]


def test_results_that_overlap_or_touch_become_one_in_the_place_of_the_best() -> None:
    near = [chain(ROME, 5, 2, 2), chain(OSLO, 7, 0, 0), chain(ROME, 8, 2, 2)]
    assert grouped(near, 1_000) == [[3, 4, 5, 6, 7, 8, 9, 10], [107]]
    assert grouped([near[1], near[2], near[0]], 1_000) == [[107], [3, 4, 5, 6, 7, 8, 9, 10]]


def test_results_of_one_document_that_do_not_touch_stay_apart() -> None:
    assert grouped([chain(ROME, 5, 1, 1), chain(ROME, 20, 1, 1)], 1_000) == [[4, 5, 6], [19, 20, 21]]
    assert grouped([chain(ROME, 5, 2, 2), chain(ROME, 8, 2, 2)], 20) == [[5], [8]]


def test_neighbours_that_were_found_too_cost_once() -> None:
    assert grouped([chain(ROME, 5, 0, 1), chain(ROME, 6, 1, 0)], 20) == [[5, 6]]


def test_turns_are_shown_with_their_speakers_and_a_lone_piece_as_it_is() -> None:
    turns = (Part(ROME, "Ann", 0, 4, "Hello", ()), Part(OSLO, None, 0, 3, "Hi", ()))
    assert Surroundings((), turns, 3).text == "Ann: Hello\nHi"
    assert Surroundings((), turns[:1], 3).text == "Hello"
