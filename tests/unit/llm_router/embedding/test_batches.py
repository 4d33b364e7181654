from hypothesis import given
from hypothesis import strategies as st

from llm_router.embedding.batches import Item, halve, plan_batches


def items(*texts: str) -> list[Item]:
    return [Item(str(place).encode(), text) for place, text in enumerate(texts)]


@given(st.lists(st.text(max_size=60), max_size=40), st.integers(1, 7), st.integers(1, 40))
def test_batches_keep_all_texts_in_order_within_both_limits(
    texts: list[str], most_texts: int, most_tokens: int
) -> None:
    batches = [*plan_batches(items(*texts), most_texts, most_tokens)]
    assert [item for batch in batches for item in batch] == items(*texts)
    for batch in batches:
        assert 1 <= len(batch) <= most_texts
        assert len(batch) == 1 or sum(item.tokens for item in batch) <= most_tokens


def test_a_text_too_long_for_any_batch_is_alone_in_its_own() -> None:
    batches = plan_batches(items("a", "b", "c" * 400, "d"), 10, 50)
    assert [[item.text[0] for item in batch] for batch in batches] == [["a", "b"], ["c"], ["d"]]


def test_other_scripts_count_by_their_bytes() -> None:
    assert [item.tokens for item in items("", "abcdefgh", "日本語日本語", "\ud800")] == [1, 3, 5, 1]


def test_halves_are_the_whole() -> None:
    one, other = halve(tuple(items("a", "b", "c")))
    assert ([item.text for item in one], [item.text for item in other]) == (["a"], ["b", "c"])
