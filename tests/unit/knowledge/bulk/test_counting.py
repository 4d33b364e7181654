"""Counting tokens by word gives what the tokenizer gives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from knowledge.bulk.counting import TokenCounter
from knowledge.minilm import FOLDER

TOKENIZER = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
COUNTER = TokenCounter(TOKENIZER)


def count(text: str) -> int:
    return len(TOKENIZER.encode(text, add_special_tokens=False))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[SEP] a [MASK]",
        "a\x00b",
        "a\x07b c",
        "x" * 150,
        "İstanbul été",
        "snake_case",
        "##ing",
        "日本語",
        "a\u2028b",
    ],
)
def test_awkward_texts_are_counted_as_the_tokenizer_counts_them(text: str) -> None:
    assert COUNTER.count([text]) == [count(text)]


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(max_codepoint=300), max_size=80))
def test_any_text_is_counted_as_the_tokenizer_counts_it(text: str) -> None:
    assert COUNTER.count([text]) == [count(text)]


def test_another_tokenizer_is_asked_for_every_text() -> None:
    from tokenizers.models import BPE  # noqa: PLC0415 - only here

    counter = TokenCounter(Tokenizer(BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")])))
    assert counter.count(["ab", "ba"]) == [1, 2]
