"""The addresses in a node's settings: what others can dial, and what no node could start with.

Each error names the setting and its value. What works on one machine only is no error, because tests and
demos need it; `sayso node init` and `sayso node doctor` warn of it.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from sayso_node.errors import InvalidNodeConfig
from sayso_node.folder.settings import Settings
from sayso_node.gossip.peers.addresses import DIALLING, LISTENING, check_where, split_multiaddr
from sayso_protocol.errors import SaysoError
from sayso_protocol.redaction import shown_url

ENDPOINTS: Final = frozenset({"http", "https", "ws", "wss"})
PAGES: Final = frozenset({"http", "https"})
_HERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask, not where to listen
_ELSEWHERE: Final = ("192.0.2.1", 9)  # TEST-NET-1 (RFC 5737): nothing is sent to it


def check_addresses(chosen: Settings) -> None:
    """Check all addresses before a node starts; raises InvalidNodeConfig."""
    if chosen.http.rpartition(":")[2].lstrip("0") == "":
        raise InvalidNodeConfig(f"http: {chosen.http!r} has no port that others could know")
    if chosen.public_url:
        _check_url("public_url", chosen.public_url, PAGES)
    _check_url("rpc", chosen.rpc, ENDPOINTS)
    for url in chosen.more_rpcs:
        _check_url("more_rpcs", url, ENDPOINTS)
    _check_each("listen", chosen.listen, lambda one: check_where(one, LISTENING))
    _check_each("announce", chosen.announce, check_announced)
    _check_each("peers", chosen.peers, split_multiaddr)


def check_announced(address: str) -> None:
    """Check an address that others are told; raises InvalidNodeConfig."""
    check_where(address, DIALLING)
    _, _, host, _, port, *_ = address.split("/")
    if _is(host, "is_unspecified"):
        raise InvalidNodeConfig(f"{address!r} is no address that others could dial")
    if not int(port):
        raise InvalidNodeConfig(f"{address!r} has port 0, which nobody can dial")


def url_here(chosen: Settings) -> str:
    """Return the URL at which programs on this machine ask the node."""
    host, port = chosen.http_address
    where = _HERE.get(host, host)
    return f"http://{f'[{where}]' if ':' in where else where}:{port}"


class Unreached(NamedTuple):
    """What others cannot reach, for people, and the setting that says where it is."""

    text: str
    setting: str


def unreached(chosen: Settings) -> Iterator[Unreached]:
    """Yield what works on one machine or in one network only."""
    reached = (*chosen.announce, *chosen.listen)[:1]
    for address in reached:
        host = address.split("/")[2]
        if _is(host, "is_loopback") or _is(host, "is_unspecified"):
            yield Unreached(f"peers on other machines cannot dial {address}", "announce")
        elif _is(host, "is_private"):
            yield Unreached(f"{address} is of a private network", "announce")
    host = urlsplit(chosen.public_url or f"http://{chosen.http}").hostname or ""
    if _is(host, "is_loopback") or _is(host, "is_unspecified") or host == "localhost":
        yield Unreached("users on other machines cannot reach the HTTP API", "public_url")


def announced(listen: Iterable[str], find: Callable[[bool], str | None] | None = None) -> list[str]:
    """Return what to announce for a node that listens on all addresses: this machine's own."""
    found = list[str]()
    for address in listen:
        _, kind, host, *rest = address.split("/")
        if not _is(host, "is_unspecified"):
            return []
        if own := (find or own_address)(kind == "ip6"):
            found.append("/".join(["", kind, own, *rest]))
    return found


def own_address(is_ip6: bool = False) -> str | None:  # noqa: FBT001, FBT002 - one of two kinds
    """Return the address from which this machine would send to others; None without a route."""
    family, elsewhere = socket.AF_INET, _ELSEWHERE
    if is_ip6:
        family, elsewhere = socket.AF_INET6, ("2001:db8::1", 9)
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(elsewhere)
            host: str = probe.getsockname()[0]
    except OSError:
        return None
    return None if _is(host, "is_loopback") or _is(host, "is_unspecified") else host


def _check_each(name: str, values: Iterable[str], check: Callable[[str], object]) -> None:
    for one in values:
        try:
            check(one)
        except SaysoError as error:
            raise InvalidNodeConfig(f"{name}: {error}") from error


def _check_url(name: str, url: str, schemes: frozenset[str]) -> None:
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right or url != url.strip():
        known = " or ".join(f"{one}://" for one in sorted(schemes))
        shown = repr(shown_url(url)) if "://" in url else "the value"
        raise InvalidNodeConfig(
            f"{name}: {shown} is not the URL of an endpoint, which begins with {known}"
        )


def _is(host: str, what: str) -> bool:
    try:
        return bool(getattr(ipaddress.ip_address(host), what))
    except ValueError:
        return False
