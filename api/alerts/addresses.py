"""Connections to public addresses only: a webhook must not reach what only this machine or its network can.

The check is made on the address that is connected to, at the moment of connecting: a name that resolves to a public
address today and to a private one tomorrow gains nothing.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from httpcore2 import SOCKET_OPTION, AnyIOBackend, AsyncNetworkBackend, AsyncNetworkStream, ConnectError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))  # NAT64: the last 32 bits are of IPv4


class PrivateAddressError(ConnectError):
    """An address that is not public."""


def is_public(text: str) -> bool:
    """Tell whether an IP address is one of the public internet, also where it carries another within."""
    try:
        address = ip_address(text.partition("%")[0])  # %: a zone, which only link-local addresses have
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast and not each.is_reserved for each in _unwrap(address))


def is_address(host: str) -> bool:
    """Tell whether a host is an IP address, not a name."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _unwrap(address: IPv4Address | IPv6Address) -> Iterable[IPv4Address | IPv6Address]:
    """Yield an address, or the IPv4 ones that an IPv6 one stands for."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.sixtofour is not None:
        return [address, address.sixtofour]
    if address.teredo is not None:
        return [address, *address.teredo]
    if any(address in network for network in TRANSLATED):
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address]


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name, in the system's order.

    Raises:
        OSError: it has none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class PublicOnly(AsyncNetworkBackend):
    """Connects to public addresses only.

    Args:
        allow_private: connect to any.
        resolve: from a name to its addresses.
    """

    def __init__(self, *, allow_private: bool = False, resolve: Resolve = resolve) -> None:
        self._allow_private, self._resolve = allow_private, resolve
        self._network = AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore2 declares it
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Connect to the first address of a host that answers; all of them must be public.

        Raises:
            PrivateAddressError: one of them is not.
            ConnectError, ConnectTimeout: none answers.
        """
        try:
            addresses = await asyncio.wait_for(self._resolve(host, port), timeout)
        except (OSError, UnicodeError) as e:
            raise ConnectError(f"{host} has no address") from e
        if not self._allow_private and not (addresses and all(map(is_public, addresses))):
            raise PrivateAddressError(f"{host} is no public address; see LATTICE_ALERTS__ALLOW_PRIVATE_WEBHOOKS")
        problem: Exception = ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except ConnectError as e:
                problem = e
        raise problem

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore2 declares it
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Refuse: a webhook is no socket of this machine.

        Raises:
            PrivateAddressError: always.
        """
        raise PrivateAddressError("a socket of this machine is no public address")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._network.sleep(seconds)
