from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from knowledge.chunking import BLOCK_CHARS, CHARS_PER_TOKEN, Chunk, Chunker

TOKENIZER = Tokenizer.from_file(
    str(Path(__file__).parents[3] / "knowledge" / "models" / "all-minilm-l6-v2" / "tokenizer.json")
)
CHUNKER = Chunker(TOKENIZER)
SMALL = Chunker(TOKENIZER, max_tokens=20)
SENTENCE = "The quick brown fox jumps over the lazy dog near the river. "


def check(text: str, chunks: list[Chunk], chunker: Chunker, max_tokens: int) -> None:
    """Assert what holds for every text: exact places, in order, nothing lost, nothing empty, nothing too long."""
    end = 0
    for chunk in chunks:
        assert chunk.text
        assert chunk.text == text[chunk.start : chunk.end] == chunk.text.strip()
        assert not text[end : chunk.start].strip()
        assert len(chunk.text) <= max_tokens * CHARS_PER_TOKEN + 450
        assert chunker.count(chunk.text) <= 1.1 * max_tokens + 150  # a run of headings comes on top
        end = chunk.end
    assert not text[end:].strip()


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab .\n#=-`é한字😀ש\u200d\r\t"), max_size=600))
def test_nothing_is_lost_whatever_the_text(text: str) -> None:
    check(text, SMALL.split(text), SMALL, 20)


@pytest.mark.parametrize("text", ["", " \n\t ", "\u3000"])
def test_a_blank_text_has_no_passages(text: str) -> None:
    assert CHUNKER.split(text) == []


def test_a_short_text_is_one_passage() -> None:
    assert CHUNKER.split("  Hi Mel!\n") == [Chunk("Hi Mel!", None, 2, 9)]
    assert CHUNKER.split("# A\n\nshort\n\n## B\n\nnote") == [Chunk("# A\n\nshort\n\n## B\n\nnote", "A", 0, 22)]


def test_headings_open_their_passages_and_give_them_their_path() -> None:
    text = f"# Guide\n\n{SENTENCE * 12}\n## Install\n\n### Docker\n\n{SENTENCE * 30}\n## Use\n\n{SENTENCE * 5}"
    chunks = CHUNKER.split(text)

    check(text, chunks, CHUNKER, 200)
    assert [chunk.heading for chunk in chunks] == ["Guide", *["Guide > Install > Docker"] * 2, "Guide > Use"]
    assert chunks[1].text.startswith("## Install\n\n### Docker\n\nThe quick")
    assert all(chunk.text.endswith("river.") for chunk in chunks)


def test_a_hard_wrapped_paragraph_is_cut_at_sentences() -> None:
    words = (SENTENCE * 60).split()
    text = "\n".join(" ".join(words[i : i + 13]) for i in range(0, len(words), 13))
    chunks = CHUNKER.split(text)
    assert len(chunks) > 3
    assert all(chunk.text.endswith("river.") for chunk in chunks)


def test_a_tiny_rest_joins_the_passage_before_it() -> None:
    text = f"{SENTENCE * 14}\n\nThe end."
    assert [chunk.text[-8:] for chunk in CHUNKER.split(text)] == ["The end."]


def test_comments_in_fenced_code_are_no_headings() -> None:
    text = f"# Real\n\n{SENTENCE * 16}\n\n```sh\n# comment\nmake\n```\n\n{SENTENCE * 16}"
    assert {chunk.heading for chunk in CHUNKER.split(text)} == {"Real"}


@pytest.mark.parametrize(
    "text",
    [
        "A" * 50_000,
        "한국어 문장입니다. " * 2_000,
        "這是一個中文文本今天天氣很好" * 2_000,
        "😀" * 20_000,
        "שלום עולם. " * 3_000,
        "word\n" * 10_000,
        "# Heading\n" * 3_000,
        "# Heading\n\nword\n\n" * 2_000,
        "a" + " " * 50_000 + "b",
        "\r\n".join([SENTENCE] * 500),
    ],
    ids=["one word", "hangul", "chinese", "emoji", "hebrew", "words", "outline", "tiny sections", "gap", "crlf"],
)
def test_hostile_texts_are_cut_into_bounded_passages(text: str) -> None:
    check(text, CHUNKER.split(text), CHUNKER, 200)


def test_the_tokenizer_that_is_given_stays_as_it_is() -> None:
    tokenizer = Tokenizer.from_str(TOKENIZER.to_str())
    tokenizer.enable_truncation(16)
    assert Chunker(tokenizer).count(SENTENCE * 9) > 100
    assert len(tokenizer.encode(SENTENCE * 9).ids) == 16


@pytest.mark.parametrize("sentences", [400, 6_400])
def test_the_splitter_is_never_given_more_than_a_block_and_no_text_twice(
    monkeypatch: pytest.MonkeyPatch, sentences: int
) -> None:
    given: list[int] = []
    splitter = CHUNKER._by_tokens

    class Watched:
        def chunk_indices(self, text: str) -> list[tuple[int, str]]:
            given.append(len(text))
            return splitter.chunk_indices(text)

    monkeypatch.setattr(CHUNKER, "_by_tokens", Watched())
    text = SENTENCE * sentences
    assert CHUNKER.split(text)
    assert max(given) <= BLOCK_CHARS  # its time grows faster than its input: bounded pieces keep the whole linear
    assert sum(given) <= len(text)
