"""`lattice eval recall`: the figures, and that nothing stays behind."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.cli.process import ROOT, Lattice

DEVELOPMENT_DATA = ROOT.parent / "shared" / "data"
TOPICS = ("tea", "boats", "chess", "volcanoes", "bread", "violins", "bridges", "glaciers", "orchids", "locks", "kites")


def write_rows(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return str(path)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    documents = [
        {"id": f"d{i}", "gem": gem, "text": f"In the {gem} they talk of {topic} all day."}
        for gem in ("north", "south")
        for i, topic in enumerate(TOPICS)
    ]
    questions = [
        {"id": "q1", "gem": "north", "question": "Who talks of tea?", "evidence": ["d0"], "group": "one"},
        {"id": "q2", "gem": "south", "question": "Boats and chess?", "evidence": ["d1", "d2"], "group": "two"},
        {"id": "q3", "gem": "south", "question": "What of kites?", "evidence": ["missing"], "group": "two"},
    ]
    return (
        *("--documents", write_rows(tmp_path / "d.jsonl", documents)),
        *("--questions", write_rows(tmp_path / "q.jsonl", questions)),
    )


def test_figures_overall_and_by_group(lattice: Lattice, files: tuple[str, ...], database_url: str) -> None:
    done = lattice("eval", "recall", *files, "--k", "2,5", "--per", "gem", "--json")
    assert done.code == 0, done.err
    assert "1 id of evidence not among the documents" in done.err
    assert set(done.json) == {"overall", "groups", "ingest"}
    overall = done.json["overall"]
    assert set(overall) == {
        *("recall@2", "recall@5", "hit@2", "hit@5", "mrr", "ndcg@10", "questions", "seconds_per_question")
    }
    assert overall["questions"] == 3
    assert overall["recall@2"] == pytest.approx(2 / 3)
    assert 0 < overall["seconds_per_question"] < 5
    assert done.json["groups"]["one"]["recall@2"] == 1.0
    assert done.json["groups"]["two"]["hit@5"] == 0.5
    assert done.json["ingest"]["documents"] == 2 * len(TOPICS)
    with psycopg.connect(database_url) as conn:
        left = conn.execute("SELECT (SELECT count(*) FROM gem) + (SELECT count(*) FROM lattice)").fetchone()
    assert left == (0,)


def test_ids_that_only_a_gem_keeps_apart_are_pointed_out(lattice: Lattice, files: tuple[str, ...]) -> None:
    done = lattice("eval", "recall", *files)
    assert done.code == 3
    assert "--per gem" in done.err


def test_channels_are_switched_off_in_turn_on_one_ingestion(lattice: Lattice, files: tuple[str, ...]) -> None:
    done = lattice(
        "eval", "recall", *files, "--k=5", "--per=gem", "--without=title", "--ablation", "--intervals", "--json"
    )
    assert done.code == 0, done.err
    assert set(done.json) == {"overall", "groups", "ingest", "intervals", "ablation"}
    assert set(done.json["ablation"]) == {"late", "dense", "lexical", "speaker", "link", "novelty"}
    overall, bounds = done.json["overall"], done.json["intervals"]["overall"]
    for name in ("recall@5", "hit@5", "mrr", "ndcg@10"):
        assert bounds[name]["low"] <= overall[name] <= bounds[name]["high"]
    for each in done.json["ablation"].values():
        change = each["change"]["ndcg@10"]
        assert change["mean"] == pytest.approx(each["figures"]["ndcg@10"] - overall["ndcg@10"])
        assert change["low"] <= change["mean"] <= change["high"]
    assert set(done.json["intervals"]["groups"]) == {"one", "two"}
    assert done.err.count("Ingesting") == 1


def test_a_channel_that_there_is_not_is_a_wrong_command_line(lattice: Lattice, files: tuple[str, ...]) -> None:
    done = lattice("eval", "recall", *files, "--per", "gem", "--without", "luck", "--json")
    assert done.code == 2
    assert "'luck' is not a channel; there are late, dense" in done.error["message"]


def test_tuning_writes_nothing_that_does_not_beat_the_constants(
    lattice: Lattice, files: tuple[str, ...], tmp_path: Path
) -> None:
    questions = [
        {"gem": "north", "question": f"Who talks of {topic}?", "evidence": [f"d{i}"]} for i, topic in enumerate(TOPICS)
    ]
    out = tmp_path / "weights.json"
    arguments = (*files[:2], "--questions", write_rows(tmp_path / "more.jsonl", questions), "--per=gem", "--folds=2")
    done = lattice("eval", "tune", *arguments, "--restarts=0", "--json", "--out", str(out))
    assert done.code == 1, done.err
    assert "not written" in done.err
    assert not out.exists()
    assert (done.json["better"], done.json["written"]) == (False, False)
    assert (done.json["questions"], done.json["folds"]) == (len(TOPICS), 2)
    assert set(done.json["held_out"]) == {"recall@5", "recall@10", "ndcg@10", "mean"}
    assert set(done.json["weights"]) == set(done.json["constants"])


def test_too_few_questions_to_tune_with_are_told(lattice: Lattice, files: tuple[str, ...]) -> None:
    done = lattice("eval", "tune", *files, "--per", "gem", "--json")
    assert done.code == 2
    assert "at least 10 questions for 5 folds" in done.error["message"]


@pytest.mark.skipif(not DEVELOPMENT_DATA.is_dir(), reason="the development data are not beside the repository")
def test_recall_of_conversations_is_as_good_as_we_say(lattice: Lattice) -> None:
    files = (f"--{kind}={DEVELOPMENT_DATA / f'locomo_{kind}.jsonl'}" for kind in ("documents", "questions"))
    done = lattice("eval", "recall", *files, "--per", "gem", "--json")
    assert done.json["overall"]["recall@10"] >= 0.8
