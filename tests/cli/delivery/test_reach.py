"""A delivery reaches public addresses only, however the URL spells another, and follows no redirect."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from sayso.delivery import reach
from sayso.delivery.errors import BadTarget, PrivateTarget, TargetRefused, TargetUnreachable
from sayso.delivery.targets import Parcel, Poster

SECRET = bytes(32)
ONE = Parcel("store-1", "sayso.revocation", b"{}")
PRIVATE = (
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "255.255.255.255", "224.0.0.1", "192.0.2.1", "198.18.0.1", "240.0.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2002:c0a8:101::1"),
    # Site-local, IPv4-compatible, segment routing, and what nobody has been given (IANA): not 2000::/3.
    *("fec0::1", "feff::1", "::7f00:1", "::a9fe:a9fe", "5f00::1", "4000::1", "1::1", "fe00::1"),
)
PUBLIC = ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e")


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public(address: str) -> None:
    assert not reach.is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_that_is(address: str) -> None:
    assert reach.is_public(address)


class Receiver:
    """A web server that counts what connects to it, and answers as it is told."""

    def __init__(self) -> None:
        self.connections, self.status, self.headers = 0, 200, dict[str, str]()

    async def start(self) -> None:
        async def answer(_request: web.Request) -> web.Response:
            return web.Response(status=self.status, headers=self.headers)

        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        server = self._runner.server
        assert server is not None

        def counted() -> Any:
            self.connections += 1
            return server()

        self._server = await loop.create_server(counted, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self._runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    await one.start()
    yield one
    await one.stop()


async def deliver(url: str, *, allow_private: bool = False) -> None:
    poster = Poster(url, SECRET, allow_private=allow_private)
    try:
        await poster.deliver(ONE)
    finally:
        await poster.close()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0", "[::ffff:127.0.0.1]"]
)
async def test_no_spelling_of_a_private_address_is_connected_to(receiver: Receiver, host: str) -> None:
    try:
        await deliver(f"https://{host}:{receiver.port}/hook")
    except (PrivateTarget, TargetUnreachable, BadTarget) as error:
        refused = error
    assert receiver.connections == 0
    # Whether this one is resolved depends on the C library.
    assert isinstance(refused, (PrivateTarget, BadTarget)) or host == "0x7f000001", refused


async def test_a_name_that_leads_to_a_private_address(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that leads to a public one first: what is judged is what is connected to."""
    loop = asyncio.get_running_loop()
    answers = [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"]]

    async def resolved(host: str, port: int, **_: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers.pop()
        ]

    async def unreachable(*_: Any) -> None:
        raise OSError("there is no internet here")

    monkeypatch.setattr(loop, "getaddrinfo", resolved)
    monkeypatch.setattr(loop, "sock_connect", unreachable)
    for _ in range(2):
        with pytest.raises((PrivateTarget, TargetUnreachable)):
            await deliver(f"https://shop.example:{receiver.port}/hook")
    assert receiver.connections == 0


async def test_a_private_address_that_the_user_allows(receiver: Receiver) -> None:
    await deliver(f"http://127.0.0.1:{receiver.port}/hook", allow_private=True)
    assert receiver.connections == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_a_refusal(receiver: Receiver, status: int) -> None:
    other = Receiver()
    await other.start()
    receiver.status, receiver.headers = status, {"Location": f"http://127.0.0.1:{other.port}/"}
    with pytest.raises(TargetRefused, match=str(status)):
        await deliver(f"http://127.0.0.1:{receiver.port}/hook", allow_private=True)
    assert other.connections == 0
    await other.stop()


@pytest.mark.parametrize("status", [502, 504, 520, 521, 522, 523, 524, 525, 526, 530])
async def test_a_proxy_that_does_not_reach_the_target_is_no_refusal(
    receiver: Receiver, status: int
) -> None:
    """After eight refusals an event is laid aside; proxies have codes of their own for an outage."""
    receiver.status = status
    with pytest.raises(TargetUnreachable, match=str(status)):
        await deliver(f"http://127.0.0.1:{receiver.port}/hook", allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "http://shop.example/",
        "ftp://shop.example/",
        "https:///x",
        "https://a:b@x.example/",
    ],
)
def test_what_is_no_target(url: str) -> None:
    with pytest.raises(BadTarget):
        reach.check_url(url, allow_private=False)
