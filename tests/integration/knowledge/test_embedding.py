import asyncio
import base64
import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import ConfigurationError, EmbedderUnavailableError
from knowledge.embedding import Embedder, FloatArray, unit_rows
from knowledge.fastembed_models import FastEmbedModel
from knowledge.minilm import DIMENSION, FOLDER, WORD_PIECES, MiniLM

REFERENCE = Path(__file__).parents[2] / "data" / "minilm_reference.json"
# Measured: mean .992, least .986; .989 and .978 when int16 sums of int8 products saturate, as they do on processors
# with AVX2 but without VNNI (emulated). The rest is slack.
MEAN_COSINE, LEAST_COSINE = 0.985, 0.965
FUZZ = 1e-6  # float32 rounding of a unit vector's length


@pytest.fixture(scope="module")
def minilm() -> MiniLM:
    return MiniLM(threads=2)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [row["text"] for row in json.loads(REFERENCE.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def fp32() -> FloatArray:
    rows = json.loads(REFERENCE.read_text(encoding="utf-8"))
    return np.array([np.frombuffer(base64.b64decode(row["vector"]), "<f2") for row in rows], np.float32)


async def test_agrees_with_the_fp32_model(minilm: MiniLM, texts: list[str], fp32: FloatArray) -> None:
    cosines = (await minilm.embed(texts) * fp32).sum(axis=1)
    assert cosines.mean() >= MEAN_COSINE
    assert cosines.min() >= LEAST_COSINE


async def test_every_text_is_nearest_to_its_own_fp32_vector(minilm: MiniLM, texts: list[str], fp32: FloatArray) -> None:
    vectors = await minilm.embed(texts)
    assert ((vectors @ fp32.T).argmax(axis=1) == np.arange(len(texts))).all()


async def test_vectors_do_not_depend_on_company_order_or_threads(minilm: MiniLM, texts: list[str]) -> None:
    alone = np.array([minilm.encode(text).vector for text in texts])
    together, backwards, twice = await asyncio.gather(
        minilm.embed(texts), minilm.embed(texts[::-1]), minilm.embed(texts * 2)
    )
    assert np.array_equal(alone, together)
    assert np.array_equal(alone, backwards[::-1])
    assert np.array_equal(np.concatenate([alone, alone]), twice)


async def test_no_texts_give_no_vectors(minilm: MiniLM) -> None:
    vectors = await minilm.embed([])
    assert vectors.shape == (0, DIMENSION)
    assert vectors.dtype == np.float32


async def test_any_text_gives_a_unit_vector(minilm: MiniLM) -> None:
    odd = ["", "   ", "\n\t", "\x00", "\u200b", "😀", "👩🏽‍🚀🚀", "a" * 1000, "word " * 1000]
    vectors = await minilm.embed(odd)
    assert vectors.shape == (len(odd), DIMENSION)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < FUZZ


def test_reads_256_word_pieces_and_counts_them_all(minilm: MiniLM) -> None:
    text = "word " * 300
    encoding = minilm.encode(text)
    assert minilm.count_tokens(text) == 300
    assert len(encoding.ids) == WORD_PIECES
    assert (encoding.ids[0], encoding.ids[-1]) == tuple(minilm.tokenizer.encode("").ids)
    assert np.array_equal(encoding.vector, minilm.encode("word " * (WORD_PIECES - 2)).vector)


def test_an_encoding_says_where_each_word_piece_stands(minilm: MiniLM) -> None:
    text = "Ünsal's 😀 code, 東京"
    encoding = minilm.encode(text)
    pieces = [text[start:end] for start, end in encoding.offsets]
    assert pieces[0] == pieces[-1] == ""
    assert "".join(pieces) == text.replace(" ", "")
    assert encoding.states.shape == (len(pieces), DIMENSION)
    mean = encoding.states.mean(axis=0)
    assert np.allclose(encoding.vector, mean / np.linalg.norm(mean))


async def test_a_short_call_does_not_wait_for_a_long_one(minilm: MiniLM) -> None:
    long = asyncio.create_task(minilm.embed(["a text of an ingestion"] * 100))
    await asyncio.sleep(0)  # the long call goes first
    await minilm.embed(["a question"])
    assert not long.done()
    await long


async def test_a_closed_model_has_no_threads(texts: list[str]) -> None:
    before = set(threading.enumerate())
    minilm = MiniLM(threads=1)
    await minilm.embed(texts[:1])
    assert any(thread.name.startswith("minilm") for thread in set(threading.enumerate()) - before)
    await minilm.aclose()
    await minilm.aclose()
    assert not any(thread.name.startswith("minilm") for thread in set(threading.enumerate()) - before)


def test_the_model_files_are_those_of_the_checksums() -> None:
    lines = (FOLDER / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines)}
    assert set(sums) == {path.name for path in FOLDER.iterdir()} - {"SHA256SUMS"}
    assert all(hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == sums[name] for name in sums)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"tokenizer\.json is missing"):
        MiniLM(tmp_path)


@pytest.mark.parametrize("rows", [[[0.0, 0.0]], [[np.nan, 1.0]], [[np.inf, 1.0]], [[1.0]], [[1.0, 0.0]] * 2, []])
def test_useless_vectors_are_refused(rows: list[list[float]]) -> None:
    with pytest.raises(EmbedderUnavailableError):
        unit_rows(rows, count=1, dimension=2)


class FakeTextEmbedding:
    """What we use of fastembed's class."""

    embedding_size = 2

    def __init__(self, model_name: str, cache_dir: str | None) -> None:
        if model_name != "known":
            raise ValueError("not supported")

    def embed(self, documents: list[str], batch_size: int) -> Iterator[FloatArray]:
        assert batch_size == 1
        return (np.array([len(text), 1], np.float32) for text in documents)


@pytest.fixture
def fastembed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastembed", SimpleNamespace(TextEmbedding=FakeTextEmbedding))


@pytest.mark.usefixtures("fastembed")
async def test_fastembed_gives_unit_vectors() -> None:
    embedder: Embedder = FastEmbedModel("known")
    assert (embedder.model, embedder.dimension) == ("known", 2)
    assert np.allclose(await embedder.embed(["", "a"]), [[0, 1], [0.5**0.5, 0.5**0.5]])
    assert (await embedder.embed([])).shape == (0, 2)


@pytest.mark.usefixtures("fastembed")
def test_fastembed_names_a_model_that_it_cannot_load() -> None:
    with pytest.raises(ConfigurationError, match="'unheard-of'"):
        FastEmbedModel("unheard-of")


def test_fastembed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastembed", None)
    with pytest.raises(ConfigurationError, match=r"crystal-lattice\[fastembed\]"):
        FastEmbedModel("known")
