"""What is wrong with a setting is told by its variable's name, whatever is wrong."""

import pytest

from api.settings import read_settings
from core.errors import ConfigurationError


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("LATTICE_LLM__TARGETS", '[{"provider": "openai"', "LATTICE_LLM__TARGETS: is no JSON"),
        ("LATTICE_LLM__TARGETS", '{"provider": "openai"}', "LATTICE_LLM__TARGETS: Input should be a JSON list"),
        ("LATTICE_LLM__TARGETS", '[{"provider": "abc", "model": "m"}]', "LATTICE_LLM__TARGETS__0__PROVIDER: "),
        ("LATTICE_LLM__DEADLINE_S", "inf", "LATTICE_LLM__DEADLINE_S: "),
        ("LATTICE_TIME_UNIT_DAYS", "1e308", "LATTICE_TIME_UNIT_DAYS: "),
        ("LATTICE_TIME_UNIT_DAYS", "1e-300", "LATTICE_TIME_UNIT_DAYS: "),
        ("LATTICE_TIME_UNIT_DAYS", "nan", "LATTICE_TIME_UNIT_DAYS: "),
        ("LATTICE_POOL__STATEMENT_TIMEOUT_S", "1e30", "LATTICE_POOL__STATEMENT_TIMEOUT_S: "),
        ("LATTICE_API_TOKEN", "two words", "LATTICE_API_TOKEN: must be of visible ASCII characters"),
        ("LATTICE_API_TOKEN", "token\n", "LATTICE_API_TOKEN: must be of visible ASCII characters"),
        ("LATTICE_DATA_DIR", "/data/\udcff", "LATTICE_DATA_DIR: must be of printable characters"),
        ("LATTICE_PROT", "80", "LATTICE_PROT is not a setting"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        read_settings()
    assert problem in caught.value.message
    if "TOKEN" in variable:
        assert value.strip() not in caught.value.message
