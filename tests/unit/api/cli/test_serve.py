import pytest
from pydantic import SecretStr

from api.cli.serve import is_loopback, require_token
from api.settings import Settings
from core.errors import ConfigurationError


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("::", False), ("10.0.0.1", False)],
)
def test_loopback_is_told_from_the_rest(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_others_may_reach_the_service_only_with_a_token() -> None:
    with pytest.raises(ConfigurationError, match="LATTICE_API_TOKEN"):
        require_token(Settings(host="10.0.0.1"))
    require_token(Settings(host="10.0.0.1", api_token=SecretStr("t")))
    require_token(Settings(host="127.0.0.1"))
