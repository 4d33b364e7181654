"""`lattice doctor` judges the LLM targets before anything is opened, wherever they are told."""

from pathlib import Path

import pytest

from api.cli.checks import _check_llm
from api.settings import LLMSettings, Settings, TargetSettings

LOCAL = 'provider = "openai"\nmodel = "m"\nbase_url = "http://127.0.0.1:1/v1"'


def of_file(path: Path, text: str) -> Settings:
    path.write_text(text)
    return Settings(llm=LLMSettings(config=path))


def test_a_good_file_is_told_with_its_models_and_targets(tmp_path: Path) -> None:
    path = tmp_path / "llm.toml"
    text = f"[targets.a]\n{LOCAL}\n[targets.e]\n{LOCAL}\n[models]\ndefault.targets = ['a']\nfast.targets = ['a']\n"
    embedding = "[embedding]\nmodel = 'm'\ndimension = 8\ntargets = ['e']"
    finding = _check_llm(of_file(path, text + embedding))
    assert finding.status == "OK"
    assert finding.message == f"{path}: models default, fast; targets a (--online asks each)"


def test_a_bad_file_is_told_with_all_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "llm.toml"
    finding = _check_llm(of_file(path, f"deadline_s = 0\n[targets.a]\n{LOCAL}\nmodle = 'x'"))
    assert finding.status == "FAIL"
    assert finding.message == (
        f"{path}: targets.a.modle: is no key; did you mean model?; deadline_s: must be a positive number"
    )


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    finding = _check_llm(Settings(llm=LLMSettings(config=tmp_path / "llm.toml")))
    assert (finding.status, finding.message) == (
        "FAIL",
        f"{tmp_path / 'llm.toml'}: cannot be read: No such file or directory",
    )


def test_targets_of_the_environment_are_told_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    target = TargetSettings(provider="openai", model="m")
    monkeypatch.setenv("OPENAI_API_KEY", "sk")
    finding = _check_llm(Settings(llm=LLMSettings(targets=(target,))))
    assert (finding.status, finding.message) == ("OK", "asked in this order: openai/m (--online asks each)")
    monkeypatch.delenv("OPENAI_API_KEY")
    assert _check_llm(Settings(llm=LLMSettings(targets=(target,)))).status == "FAIL"
    assert "extractive" in _check_llm(Settings()).message
