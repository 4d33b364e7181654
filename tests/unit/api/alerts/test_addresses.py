"""Which addresses a webhook may be sent to, however they are written or resolved."""

from collections.abc import Sequence

import pytest
from httpcore2 import ConnectError

from api.alerts.addresses import PrivateAddressError, PublicOnly, is_public
from api.alerts.messages import check_url
from core.errors import InvalidInputError

PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",  # noqa: S104 - never listened on
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "no address",
    "",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_none_of_the_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_one(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], []])
async def test_a_name_that_resolves_to_a_private_address_is_not_connected_to(addresses: Sequence[str]) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        assert (host, port) == ("rebound.example", 443)
        return addresses

    with pytest.raises(PrivateAddressError, match=r"rebound\.example"):
        await PublicOnly(resolve=resolve).connect_tcp("rebound.example", 443, 1.0)


async def test_a_name_without_an_address_is_not_connected_to() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError("unknown")

    with pytest.raises(ConnectError, match="has no address"):
        await PublicOnly(resolve=resolve).connect_tcp("nowhere.example", 443, 1.0)


async def test_a_socket_of_the_machine_is_not_connected_to() -> None:
    with pytest.raises(PrivateAddressError):
        await PublicOnly(allow_private=True).connect_unix_socket("/run/docker.sock")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/alerts",
        "ftp://example.org",
        "example.org",
        "https://",
        "https://user:word@example.org/",
        "https://example.org:99999/",
        "https://exam ple.org/",
        "https://exämple.org/",
        "https://[::1/",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_no_webhook_can_have_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError):
        check_url(url, allow_private=False)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "[fe80::1]"]
)
def test_an_address_that_is_seen_to_be_private_is_refused_at_once(host: str) -> None:
    with pytest.raises(InvalidInputError, match="ALLOW_PRIVATE_WEBHOOKS"):
        check_url(f"https://{host}/alerts", allow_private=False)
    check_url(f"https://{host}/alerts", allow_private=True)


def test_a_name_or_a_public_address_is_taken() -> None:
    for host in ("8.8.8.8", "[2606:4700::1111]", "example.org", "localhost"):  # what a name is, is seen when it is used
        check_url(f"https://{host}/alerts", allow_private=False)


def test_without_tls_where_private_addresses_are_allowed() -> None:
    check_url("https://example.org/alerts?a=1", allow_private=False)
    check_url("http://127.0.0.1:9000/", allow_private=True)
