"""The cross-encoder here is real but tiny: an ONNX graph, written byte by byte, that counts the question's words which
the text has. It is loaded by fastembed where that is installed, and everywhere by a stand-in of the same interface."""

import asyncio
import importlib.util
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from core.errors import ConfigurationError
from knowledge.shaping.rerank import BATCH, FastEmbedReranker, load_fastembed_reranker, rerank

NAME = "Xenova/ms-marco-MiniLM-L-6-v2"  # fastembed opens a folder only under a name that it knows
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
WORDS = ["where", "did", "ann", "buy", "the", "red", "boat", "in", "oslo", "ben", "sold", "a", "bike"]
QUESTION = "Where did Ann buy the red boat"
TEXTS = ["ben sold a bike", "ann did buy a bike", "in oslo", "where ann did buy the red boat in oslo", "the boat"]
BY_SHARED_WORDS = (3, 1, 4, 0, 2)


def number(value: int) -> bytes:
    head, rest = value & 127, value >> 7
    return bytes([head | 128]) + number(rest) if rest else bytes([head])


def field(tag: int, value: int | str | bytes) -> bytes:
    """One field of a protocol buffer: a number, or text or bytes with their length."""
    if isinstance(value, int):
        return number(tag << 3) + number(value)
    data = value.encode() if isinstance(value, str) else value
    return number(tag << 3 | 2) + number(len(data)) + data


def node(kind: str, inputs: str, output: str, cast_to: int | None = None) -> bytes:
    body = b"".join(field(1, name) for name in inputs.split()) + field(2, output) + field(4, kind)
    if cast_to is not None:
        body += field(5, field(1, "to") + field(3, cast_to) + field(20, 2))
    return field(1, body)


def constant(name: str, values: Any) -> bytes:
    kind = {"int64": 7, "float32": 1}[values.dtype.name]
    return field(
        5, b"".join(field(1, n) for n in values.shape) + field(2, kind) + field(8, name) + field(9, values.tobytes())
    )


def value(tag: int, name: str, kind: int, *dimensions: str) -> bytes:
    shape = b"".join(field(1, field(2, each)) for each in dimensions)
    return field(tag, field(1, name) + field(2, field(1, field(1, kind) + field(2, shape))))


def word_counter() -> bytes:
    """A model of ids (b, l) and types (b, l): how many words of type 0 are among those of type 1, as (b, 1)."""
    graph = b"".join(
        [
            node("Unsqueeze", "input_ids two", "asked_ids"),
            node("Unsqueeze", "input_ids one", "told_ids"),
            node("Equal", "asked_ids told_ids", "equal"),
            node("Cast", "equal", "same", cast_to=1),
            node("Greater", "input_ids last_special", "is_word"),
            node("Cast", "is_word", "words", cast_to=1),
            node("Cast", "token_type_ids", "types", cast_to=1),
            node("Mul", "words types", "told"),
            node("Sub", "words told", "asked"),
            node("Unsqueeze", "told two", "told_column"),
            node("MatMul", "same told_column", "hits"),
            node("Min", "hits unit", "covered"),
            node("Unsqueeze", "asked one", "asked_row"),
            node("MatMul", "asked_row covered", "sums"),
            node("Squeeze", "sums two", "logits"),
            field(2, "word_counter"),
            constant("one", np.array([1])),
            constant("two", np.array([2])),
            constant("last_special", np.array(len(SPECIAL) - 1)),
            constant("unit", np.array(1, np.float32)),
            *(value(11, name, 7, "batch", "length") for name in ("input_ids", "token_type_ids")),
            value(12, "logits", 1, "batch", "score"),
        ]
    )
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a model as a hub holds them."""
    folder = tmp_path_factory.mktemp("cross_encoder")
    vocabulary = {word: i for i, word in enumerate([*SPECIAL, *WORDS])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=SPECIAL[1]))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"model_max_length": 64, "pad_token": "[PAD]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(word_counter())
    return folder


class StandIn:
    """What we use of fastembed's cross-encoder, over onnxruntime."""

    def __init__(self, model_name: str, cache_dir: str | None = None, specific_model_path: str | None = None) -> None:
        if model_name != NAME or specific_model_path is None:
            raise ValueError(f"Model {model_name} is not supported")
        self._tokenizer = Tokenizer.from_file(f"{specific_model_path}/tokenizer.json")
        self._tokenizer.enable_padding()
        self._session = onnxruntime.InferenceSession(f"{specific_model_path}/onnx/model.onnx")

    def rerank(self, query: str, documents: Sequence[str], batch_size: int) -> Iterator[float]:
        assert len(documents) <= batch_size
        read = self._tokenizer.encode_batch([(query, text) for text in documents])
        inputs = {"input_ids": [each.ids for each in read], "token_type_ids": [each.type_ids for each in read]}
        yield from self._session.run(None, {name: np.array(rows) for name, rows in inputs.items()})[0][:, 0]


@pytest.fixture(params=["fastembed", "stand-in"])
def sdk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "stand-in":
        cross_encoder = SimpleNamespace(TextCrossEncoder=StandIn)
        monkeypatch.setitem(sys.modules, "fastembed.rerank.cross_encoder", cross_encoder)
        monkeypatch.setitem(sys.modules, "fastembed.rerank", SimpleNamespace(cross_encoder=cross_encoder))
        monkeypatch.setitem(sys.modules, "fastembed", SimpleNamespace())
    elif importlib.util.find_spec("fastembed") is None:
        pytest.skip("the extra fastembed is not installed")


@pytest.mark.usefixtures("sdk")
async def test_a_cross_encoder_orders_by_reading_question_and_text_together(folder: Path) -> None:
    reranker = load_fastembed_reranker(NAME, folder=folder)
    assert reranker.model == NAME
    found = await rerank(reranker, QUESTION, TEXTS, budget_s=60)
    assert (found.order, found.scores) == (BY_SHARED_WORDS, (7, 3, 2, 0, 0))
    assert found.is_complete


@pytest.mark.usefixtures("sdk")
@pytest.mark.parametrize(("name", "place"), [("unheard-of", "."), (NAME, "nowhere")])
def test_a_model_that_cannot_be_loaded_is_named(folder: Path, name: str, place: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load_fastembed_reranker(name, folder=folder / place)


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastembed", None)
    monkeypatch.delitem(sys.modules, "fastembed.rerank", raising=False)
    monkeypatch.delitem(sys.modules, "fastembed.rerank.cross_encoder", raising=False)
    with pytest.raises(ConfigurationError, match=r"crystal-lattice\[fastembed\]"):
        load_fastembed_reranker(NAME)


class ByLength:
    """A reranker that prefers long texts, and takes so long for each batch on the clock that it carries."""

    model = "by length"

    def __init__(self, batch_s: float = 0.0) -> None:
        self.now, self.batch_s, self.batches = 0.0, batch_s, list[list[str]]()

    async def score(self, question: str, texts: Sequence[str]) -> list[float]:
        self.batches.append(list(texts))
        self.now += self.batch_s
        return [float("nan") if text == "?" else float(len(text)) for text in texts]


async def order(texts: Sequence[str], reranker: ByLength, **limits: Any) -> tuple[int, ...]:
    found = await rerank(reranker, "q", texts, clock=lambda: reranker.now, **limits)
    assert sorted(found.order) == list(range(len(texts)))
    return found.order


async def test_what_was_not_scored_in_time_stays_below_in_its_order() -> None:
    texts, reranker = ["a" * n for n in range(1, 13)], ByLength(batch_s=0.3)
    assert await order(texts, reranker, budget_s=0.5) == (7, 6, 5, 4, 3, 2, 1, 0, 8, 9, 10, 11)
    assert [len(batch) for batch in reranker.batches] == [BATCH, BATCH]


async def test_only_so_many_candidates_are_scored() -> None:
    reranker = ByLength()
    assert await order(["a", "aa", "aaa", "b" * 9], reranker, candidates_most=3) == (2, 1, 0, 3)
    assert reranker.batches == [["a", "aa", "aaa"]]


async def test_equal_scores_keep_their_order_and_what_is_no_number_counts_as_not_scored() -> None:
    assert await order(["aa", "bb", "?", "ccc", "dd"], ByLength()) == (3, 0, 1, 4, 2)


@pytest.mark.parametrize("limits", [{"budget_s": 0.0}, {"candidates_most": 0}])
async def test_no_time_or_no_candidates_change_nothing(limits: dict[str, Any]) -> None:
    reranker = ByLength()
    assert await order(["a", "aa"], reranker, **limits) == (0, 1)
    assert reranker.batches == []
    assert await order([], reranker) == ()


async def test_a_batch_that_is_not_done_in_time_is_not_waited_for() -> None:
    class Endless(ByLength):
        async def score(self, question: str, texts: Sequence[str]) -> list[float]:
            await asyncio.Event().wait()
            return []

    found = await rerank(Endless(), "q", ["a", "aa"], budget_s=0.01)
    assert (found.order, found.scores, found.is_complete) == ((0, 1), (), False)


async def test_questions_are_scored_one_at_a_time_off_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads, at_once, most = set[str](), 0, 0

    class Watched:
        def __init__(self, model_name: str) -> None:
            self.name = model_name

        def rerank(self, query: str, documents: list[str], batch_size: int) -> Iterator[float]:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            threads.add(threading.current_thread().name)
            yield from range(len(documents))
            at_once -= 1

    cross_encoder = SimpleNamespace(TextCrossEncoder=Watched)
    monkeypatch.setitem(sys.modules, "fastembed.rerank.cross_encoder", cross_encoder)
    monkeypatch.setitem(sys.modules, "fastembed.rerank", SimpleNamespace(cross_encoder=cross_encoder))
    monkeypatch.setitem(sys.modules, "fastembed", SimpleNamespace())
    reranker = FastEmbedReranker("watched")
    scores = await asyncio.gather(*(reranker.score("q", ["a", "b", "c"]) for _ in range(20)))
    assert scores == [[0.0, 1.0, 2.0]] * 20
    assert most == 1
    assert len(threads) == 1
    assert threading.current_thread().name not in threads
