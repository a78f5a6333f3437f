"""Where requests of ours may go: connections are made to the address that was looked at, and to no other.

What a name leads to is DNS's doing, and a shop's name may lapse and be registered by somebody else: to the loopback
address of the function's own runtime, to the metadata of a machine, into the merchant's network. So each name is
resolved here, once for each connection; every address that it has is judged; and the connection goes to one of those
(no second look-up, in which the answer could be another: DNS rebinding). TLS goes on proving the name.

Redirects are followed by none of our clients; addresses that a vendor's answer names are held against the vendor's own
hosts where they are read (`payments.http.place_of`, `notifications.chat.hosts`).
"""

import ipaddress
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Final

import httpcore
import httpx

from shared.kernel.errors import Rejected

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_METADATA: Final = (
    ipaddress.ip_network("169.254.0.0/16"),
    ipaddress.ip_network("fd00:ec2::/32"),
    ipaddress.ip_network("100.100.100.200/32"),
    ipaddress.ip_network("168.63.129.16/32"),
)
"""Of machines at AWS and others (IPv4 link-local as a whole), at AWS by IPv6, at Alibaba Cloud, at Azure: general
knowledge."""


def transport(tls: ssl.SSLContext, *, own_network: bool = False) -> httpx.HTTPTransport:
    """For `httpx.Client(mounts={"all://": …})`: a proxy that the environment names goes on being used.

    `own_network`: a name may also lead into a private network, as a back office's may. An address that the settings
    write as numbers, or `localhost`, is what somebody chose: only what nobody means is refused then.
    """
    made = httpx.HTTPTransport(verify=tls)
    made._pool = httpcore.ConnectionPool(  # noqa: SLF001 - httpx has no parameter for it; a test connects through it
        ssl_context=tls,
        max_connections=100,
        max_keepalive_connections=20,
        keepalive_expiry=5.0,
        network_backend=Guard(httpcore.SyncBackend(), own_network=own_network),
    )
    return made


class Guard(httpcore.NetworkBackend):
    """Resolves, judges, and connects to what it has judged.

    Raises:
        Rejected: `forbidden_address`.
    """

    def __init__(self, behind: httpcore.NetworkBackend, *, own_network: bool) -> None:
        self._behind = behind
        self._own_network = own_network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[_SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        options = list(socket_options or ())
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in permitted(host, port, own_network=self._own_network):
            try:
                return self._behind.connect_tcp(str(address), port, timeout, local_address, options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("the name has no address")


def permitted(host: str, port: int, *, own_network: bool) -> Sequence[Address]:
    """The addresses of a host, all of which may be connected to.

    Raises:
        Rejected: `forbidden_address`, if any of them may not: of two addresses, somebody else chooses which is used.
        httpcore.ConnectError: the name has none.
    """
    chosen = _as_written(host)
    addresses = [chosen] if chosen else _resolved(host, port)
    is_chosen = chosen is not None or host.lower().rstrip(".") == "localhost"
    if not all(is_permitted(address, chosen=is_chosen, own_network=own_network) for address in addresses):
        raise Rejected(
            "forbidden_address",
            "the address leads to a place that nothing of ours may call",
            field="address",
            hint="check the address in the settings, and where its name leads in DNS",
        )
    return addresses


def is_permitted(address: Address, *, chosen: bool, own_network: bool) -> bool:
    """Whether a connection may go there. `chosen`: the settings write this very address."""
    inner = _unwrapped(address)
    nowhere = inner.is_unspecified or inner.is_multicast or inner.is_link_local or inner.is_reserved
    if nowhere or any(inner in network for network in _METADATA if network.version == inner.version):
        return False
    if chosen:
        return True
    return inner.is_global or (own_network and inner.is_private and not inner.is_loopback)


def _as_written(host: str) -> Address | None:
    """An address in its one usual form; 2130706433, 0x7f.1 and 0177.0.0.1 are names: they resolve to what they hide."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def _resolved(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"the name cannot be resolved: {type(error).__name__}") from error
    each = dict.fromkeys(str(place[0]).partition("%")[0] for _, _, _, _, place in found)
    return [ipaddress.ip_address(text) for text in each]


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for: mapped, compatible, 6to4, Teredo's client, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if address.teredo:
        return address.teredo[1]
    embeds = address in _NAT64 or (not int(address) >> 32 and int(address) > 1)
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if embeds else address
