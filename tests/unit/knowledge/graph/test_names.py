import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.graph.names import LONGEST_KEY, MOST_NAMES, find_names, name_title, normalise


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann Harbour", "  ann   HARBOUR "),
        ("Ann's", "Ann"),
        ("Ann’s", "ann"),
        ("the harbour galleries", "The Harbour Gallery"),
        ("Boxes", "box"),
        ("Greyhounds'", "greyhound"),
        ("Harbour-Gallery", "harbour gallery"),
        ("J. K. Rowling", "J.K. Rowling"),
        ("STRASSE", "Straße"),
        ("Ελλάς", "ΕΛΛΆΣ"),
        ("Ångström", unicodedata.normalize("NFD", "ångström")),
        ("ﬁne arts", "Fine Art"),
    ],
)
def test_ways_to_write_a_name_have_one_key(one: str, other: str) -> None:
    assert normalise(one) == normalise(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Williams", "William"),
        ("Paris", "Pari"),
        ("Mercury (planet)", "Mercury (element)"),
        ("C++", "C"),
        ("C#", "C++"),
        ("Schindler's List", "Schindler List"),
        ("हिन्दी", "हन्द"),
        ("!!!", "???"),
    ],
)
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(st.text(max_size=600))
def test_a_key_is_its_own_key_fits_an_index_and_is_empty_only_for_a_blank_name(name: str) -> None:
    key = normalise(name)
    assert len(key) <= LONGEST_KEY
    assert (key == "") == (name.strip() == "" or unicodedata.normalize("NFKC", name).strip() == "")
    assert "\n" not in key
    assert "  " not in key


def test_long_names_that_begin_alike_stay_apart() -> None:
    assert normalise("word " * 200 + "one") != normalise("word " * 200 + "two")


def test_a_title_with_a_suffix_also_names_what_stands_before_it() -> None:
    assert name_title("Mercury (planet)") == ["Mercury", "Mercury (planet)"]
    assert name_title("Mercury") == ["Mercury"]
    assert name_title("(untitled)") == ["(untitled)"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("We met Ann Lee at the Harbour Gallery.", ["Ann Lee", "Harbour Gallery"]),
        ("He studied at the University of Copenhagen.", ["University of Copenhagen", "University", "Copenhagen"]),
        ("a letter from Anna von Bergen to Ludwig van der Rohe", ["Anna von Bergen", "Ludwig van der Rohe"]),
        ("The launch of Apollo 11 was seen in St. Ives.", ["Apollo 11", "St. Ives"]),
        ("books by J. K. Rowling and G.E. Briggs", ["J. K. Rowling", "G.E. Briggs"]),
        ("In 1979 Pál Gábor left. Когда приехал Иван Петров?", ["Pál Gábor", "Иван Петров"]),
        ("we saw Schindler's List", ["Schindler's List", "Schindler"]),
        ("She paints. Lighthouses stand there.", []),
        ("Biscuit ran. Then we fed Biscuit.", ["Biscuit"]),
        ("“Biscuit ran,” said Ann’s brother.", ["Ann"]),
        ("- Milk\n- Bread\n# Plans", []),
        ("It began in May 2023, on Monday, and cost 11 euros.", []),
        ("THIS IS SHOUTED AT ALL OF US", []),
        ("東京都に住んでいます。", []),
        ("I'm sure. I am. Thanks!", []),
        ("", []),
    ],
)
def test_names_are_found_by_their_capitals(text: str, names: list[str]) -> None:
    assert [name for name in find_names(text) if name in names or not _is_part(name, names)] == names


def _is_part(name: str, names: list[str]) -> bool:
    return any(name in whole.split() for whole in names)


def test_parts_of_joined_names_are_names_and_come_last() -> None:
    assert find_names("about Anna von Bergen and Ann") == ["Anna von Bergen", "Ann", "Anna", "Bergen"]


def test_one_key_is_found_once() -> None:
    assert find_names("near Vienna, in Vienna's centre, so VIENNA") == ["Vienna"]


def test_who_speaks_is_named_by_the_first_person_and_the_listener_by_the_second() -> None:
    assert find_names("I went home.", "Ann", "Ben") == ["Ann"]
    assert find_names("That's my dog, did you see?", "Ann", "Ben") == ["Ann", "Ben"]
    assert find_names("It rains.", "Ann", "Ben") == []
    assert find_names("I went home, and you?") == []


@given(st.text(max_size=2_000))
def test_any_text_gives_a_bounded_number_of_names_that_it_says(text: str) -> None:
    names = find_names(text)
    assert len(names) <= MOST_NAMES
    assert all(name in text for name in names)
    assert len({normalise(name) for name in names}) == len(names)
