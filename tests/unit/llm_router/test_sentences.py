import pytest

from llm_router.providers.sentences import split_sentences

MARKDOWN = """# A heading
Some *text* with `code` and a [link](http://127.0.0.1/).
It goes on
over lines, e.g. here [3].

| a | b |
|---|---|
| 1 | 2 |

- first item. Its second sentence
- second item
  continued
* [x] done
> quoted words
> more quoted.

```python
x = 1
```
---
In May.
"""


def test_markup_is_taken_off_and_words_are_kept() -> None:
    assert split_sentences(MARKDOWN) == [
        "Some *text* with `code` and a link.",
        "It goes on over lines, e.g. here.",
        "first item.",
        "Its second sentence",
        "second item continued",
        "done",
        "quoted words more quoted.",
        "In May.",
    ]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Dr. Smith met J. R. Jones at 3 p.m. on Jan. 5. He left.", 2),
        ("It cost $3.5 million. See Fig. 3, e.g. of the U.S. economy.", 2),
        ("Is it v1.2.3? Yes!", 2),
        ("No full stop", 1),
        ("这是测试。你好。", 2),
        ("", 0),
        ("12 34\n---\n| 1 | 2 |", 0),
    ],
)
def test_abbreviations_do_not_end_a_sentence(text: str, sentences: int) -> None:
    assert len(split_sentences(text)) == sentences


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("| name | Bob |\n|---|---|\n| town | Turin |", ["name: Bob", "town: Turin"]),
        ("```\nx = one\n```", ["x = one"]),
        ("# Only a heading", ["Only a heading"]),
    ],
)
def test_a_passage_without_prose_gives_its_lines(text: str, lines: list[str]) -> None:
    assert split_sentences(text) == lines
