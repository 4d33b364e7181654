import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.graph.names import normalise
from knowledge.graph.wording import KeySearch, has_words, is_searchable, read_words, says_key

SOME = ["Ann", "ann", "the", "The", "of", "Harbour", "harbour", "Galleries", "gallery", "Ann's", "11", "is", "."]


def search(texts: list[str], stored: set[str]) -> dict[str, set[int]]:
    found = KeySearch([read_words(text) for text in texts])
    while asked := found.ask():
        longer = {key for key in asked if any(other.startswith(f"{key} ") for other in stored)}
        found.tell(asked & stored, longer)
    return found.said


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("He went to the harbour gallery twice.", "Harbour Gallery"),
        ("He likes lighthouses.", "Lighthouse"),
        ("Jeff Porcaro's drumming", "Jeff Porcaro"),
        ("as the Beatles sang", "The Beatles"),
        ("He read Gone with the Wind.", "Gone with the Wind"),
        ("before the atomic bombings of Hiroshima and Nagasaki", "Atomic bombings of Hiroshima and Nagasaki"),
        ("played at Shelly's Manne-Hole", "At Shelly's Manne-Hole"),
        ("see Notes on the harbour project", "Notes on the harbour project"),
        ("by J.K. Rowling", "J. K. Rowling"),
        ("über die STRASSE", "Straße"),
    ],
)
def test_a_text_says_a_title_in_any_case(text: str, title: str) -> None:
    assert says_key(read_words(text), normalise(title))
    assert search([text], {normalise(title)}) == {normalise(title): {0}}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("the harbours galleries", "Harbour Gallery"),  # only the last word may be a plural
        ("a harbour and a gallery", "Harbour Gallery"),
        ("the office opens", "The Office"),  # a stop word in lower case stands before a capital only
        ("what he is up to", "Up To"),
        ("we came for love", "For Love"),
    ],
)
def test_a_text_does_not_say_what_no_title_would_look_like(text: str, title: str) -> None:
    assert not says_key(read_words(text), normalise(title))
    assert not search([text], {normalise(title)})


@pytest.mark.parametrize(
    "title",
    [
        "UN",
        "1984",
        "The Who",
        "a b c",
        "!!!",
        "a title of a good many more words than anybody would ever say in a text",
    ],
)
def test_short_long_and_empty_titles_are_not_searched(title: str) -> None:
    assert not is_searchable(normalise(title))


def test_the_words_of_a_name_are_found_wherever_they_stand() -> None:
    assert has_words(read_words("what he is up to"), normalise("Up To"))
    assert not has_words(read_words("what is he up to"), normalise("he is"))


@given(
    st.lists(st.lists(st.sampled_from(SOME), max_size=12).map(" ".join), max_size=4),
    st.sets(st.lists(st.sampled_from(SOME), min_size=1, max_size=10).map(" ".join).map(normalise), max_size=8),
)
def test_the_search_of_new_texts_and_the_one_of_older_texts_find_the_same(texts: list[str], keys: set[str]) -> None:
    stored = {key for key in keys if is_searchable(key)}
    said = {key: {i for i, text in enumerate(texts) if says_key(read_words(text), key)} for key in stored}
    assert search(texts, stored) == {key: found for key, found in said.items() if found}


def test_runs_that_begin_no_stored_key_are_not_followed() -> None:
    found = KeySearch([read_words("Ann sees the Harbour Gallery")])
    assert "ann see" not in found.ask()
    found.tell({"ann"}, {"harbour"})
    assert found.ask() == {"harbour gallery"}
    found.tell({"harbour gallery"}, set())
    assert found.ask() == set()
    assert found.said == {"ann": {0}, "harbour gallery": {0}}
