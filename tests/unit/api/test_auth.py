import pytest
from pydantic import SecretStr

from api.auth import Role, authenticate, is_loopback
from api.settings import Settings
from core.errors import ForbiddenError, UnauthenticatedError

GUARDED = Settings(api_token=SecretStr("s3cret"))


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "a.localhost", "127.0.0.1:1", "127.9.9.9", "[::1]:80"])
def test_loopback_names_are_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "example.org", "localhost.example.org", "127.0.0.1.nip.io", "[::1", "0.0.0.0"])  # noqa: S104
def test_other_names_are_foreign(host: str) -> None:
    assert not is_loopback(host)


def test_without_a_token_this_machine_is_the_administrator() -> None:
    assert authenticate(Settings(), None, "localhost:8000").role is Role.ADMIN
    with pytest.raises(ForbiddenError):
        authenticate(Settings(), None, "example.org")


def test_with_a_token_the_host_does_not_matter() -> None:
    assert authenticate(GUARDED, "Bearer s3cret", "example.org").role is Role.ADMIN


@pytest.mark.parametrize("header", [None, "", "s3cret", "Bearer", "Bearer s3cret2", "Basic s3cret", "Bearer é"])
def test_a_wrong_token_is_refused(header: str | None) -> None:
    with pytest.raises(UnauthenticatedError):
        authenticate(GUARDED, header, "localhost")
