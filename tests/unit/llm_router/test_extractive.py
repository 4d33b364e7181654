import asyncio
import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from llm_router import NO_ANSWER, PROVIDERS, Clocks, Embed, Evidence, Materials, Prompt, TargetConfig
from llm_router.providers.extractive import ExtractiveTarget
from llm_router.providers.salience import MOST_SENTENCES
from llm_router.providers.sentences import split_sentences
from llm_router.reply import NO_USAGE, Answer

TURIN = "Ada moved to Turin in 2019. She works for the railway. The railway museum opened in 1884."
BREAD = "Bread is baked before dawn. The oven needs four hours. Rye keeps longest."
CITED = re.compile(r"(.+?) \[(\d+)\](?: |$)")


def ask(question: str, *texts: str, embed: Embed | None = None, title: str | None = None) -> str:
    evidence = tuple(Evidence(label, text, title, None, 0.5) for label, text in enumerate(texts, 1))
    answer = asyncio.run(ExtractiveTarget(embed=embed).ask(Prompt("", question, evidence, 100), Clocks()))
    assert (answer.finish, answer.usage) == ("stop", NO_USAGE)
    return answer.text


async def embed_by_topic(texts: Sequence[str]) -> NDArray[np.float32]:
    """Trains and railways are one topic, all else another."""
    rows = [[1.0, 0.0] if re.search("rail|train", text) else [0.0, 1.0] for text in texts]
    return np.array(rows, np.float32)


def test_the_nearest_sentence_is_quoted_and_cited() -> None:
    assert ask("When did Ada move to Turin?", BREAD, TURIN) == "Ada moved to Turin in 2019. [2]"


def test_what_the_evidence_does_not_say_is_said_plainly() -> None:
    assert ask("Who won the chess olympiad?", BREAD, TURIN) == NO_ANSWER
    assert ask("Who won the chess olympiad?") == NO_ANSWER
    assert ask("Who won?", "") == NO_ANSWER
    assert ask("", TURIN) == NO_ANSWER


def test_sentences_of_a_passage_keep_its_order() -> None:
    text = "The museum opened in 1884. Ada runs the railway museum of Turin. It has a train."
    answer = ask("When was the railway museum of Turin opened by Ada?", text, BREAD)
    assert answer.index("1884. [1]") < answer.index("Turin. [1]")


def test_the_same_sentence_is_not_given_twice() -> None:
    twin = "In the year 2019 Ada moved to Turin."
    assert ask("When did Ada move to Turin?", TURIN, TURIN).count("2019") == 1
    assert ask("Ada Turin 2019?", TURIN, twin, twin).count(twin) <= 1


def test_a_title_helps_the_sentences_under_it() -> None:
    text = "The village has a church. It was founded in 1410."
    assert "1410. [1]" in ask("When was Oldfield founded?", text, title="Oldfield")


def test_meaning_finds_what_words_miss() -> None:
    question = "Which train company employs her?"
    assert ask(question, BREAD, TURIN) == NO_ANSWER
    assert "She works for the railway. [2]" in ask(question, BREAD, TURIN, embed=embed_by_topic)


async def fail(texts: Sequence[str]) -> NDArray[np.float32]:
    raise RuntimeError(len(texts))


async def misshape(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.zeros((len(texts) - 1, 2), np.float32)


async def poison(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.full((len(texts), 2), np.nan, np.float32)


@pytest.mark.parametrize("embed", [fail, misshape, poison])
def test_without_usable_vectors_words_decide(embed: Embed) -> None:
    assert ask("When did Ada move to Turin?", BREAD, TURIN, embed=embed) == "Ada moved to Turin in 2019. [2]"


async def test_a_hanging_embedder_does_not_hang_the_answer() -> None:
    async def hang(texts: Sequence[str]) -> NDArray[np.float32]:
        await asyncio.Event().wait()
        return np.zeros((len(texts), 2), np.float32)

    prompt = Prompt("", "When did Ada move to Turin?", (Evidence(1, TURIN, None, None, 0.5),), 100)
    answer = await ExtractiveTarget(embed=hang).ask(prompt, Clocks(total_s=0.01))
    assert "2019" in answer.text


async def test_the_stream_is_the_answer_in_sentences() -> None:
    prompt = Prompt("", "Ada, Turin, railway?", (Evidence(1, TURIN, None, None, 0.5),), 100)
    *pieces, answer = [item async for item in ExtractiveTarget().stream(prompt, Clocks())]
    assert isinstance(answer, Answer)
    assert "".join(map(str, pieces)) == answer.text
    assert len(pieces) >= 2


async def test_it_is_built_from_its_configuration_with_what_compares_meanings() -> None:
    provider = PROVIDERS.get("extractive")
    assert provider.local
    assert (provider.limits.tools, provider.limits.schema, provider.limits.vision) == (False, False, False)
    assert (provider.limits.streaming, provider.limits.refuses) == (True, frozenset())
    target = provider.build(TargetConfig("last", "extractive"), Materials(embed_by_topic))
    evidence = (Evidence(1, BREAD, None, None, 0.5), Evidence(2, TURIN, None, None, 0.5))
    answer = await target.ask(Prompt("", "Which train company employs her?", evidence, 100), Clocks())
    await target.aclose()
    assert (target.name, answer.model) == ("last", "extractive")
    assert "She works for the railway. [2]" in answer.text


@given(
    question=st.text(max_size=80),
    texts=st.lists(st.text(st.sampled_from("Ada Turin 19.\n-#|>`[2]!? é你"), max_size=200), max_size=4),
    with_meaning=st.booleans(),
)
def test_it_never_fails_and_never_invents(question: str, texts: list[str], with_meaning: bool) -> None:
    answer = ask(question + " Ada Turin", *texts, embed=embed_by_topic if with_meaning else None)
    if answer == NO_ANSWER:
        return
    quoted = CITED.findall(answer)
    assert 1 <= len(quoted) <= MOST_SENTENCES
    assert all(sentence in split_sentences(texts[int(label) - 1]) for sentence, label in quoted)
