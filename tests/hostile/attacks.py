"""What strangers send over HTTP, each attack from an address of its own, again and again.

An attack never waits for anything but the node, and takes every refusal as an answer.
"""

import asyncio
import contextlib
import gzip
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import cache
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import msgpack
from eth_account import Account
from hexbytes import HexBytes

from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, sha256

MIB: Final = 1_048_576
PAUSE_S: Final = 0.01  # after a connection that the node refused, so that an attack is no busy loop
PATIENCE = aiohttp.ClientTimeout(total=30)
SLOW_S: Final = 0.2  # between two bytes of a slow body
JSON: Final = "application/json"
PACKED: Final = "application/msgpack"


class Stranger:
    """Stranger sends requests to a node from one address of the loopback network."""

    def __init__(self, url: str, network: Network, number: int) -> None:
        parts = urlsplit(url)
        self.url, self.network = url, network
        self.host, self.port = parts.hostname or "", parts.port or 0
        self.source = f"127.0.1.{number}"

    async def post(self, path: str, body: bytes, kind: str = JSON, *, packed: bool = True) -> None:
        """Send one body, compressed or not, and read the answer."""
        headers = {"Content-Type": kind} | ({"Content-Encoding": "gzip"} if packed else {})
        connector = aiohttp.TCPConnector(local_addr=(self.source, 0))
        async with (
            aiohttp.ClientSession(connector=connector, timeout=PATIENCE) as http,
            http.post(self.url + path, data=body, headers=headers) as answer,
        ):
            await answer.read()

    async def get(self, path: str) -> None:
        """Read one answer, to at most a mebibyte."""
        connector = aiohttp.TCPConnector(local_addr=(self.source, 0))
        async with (
            aiohttp.ClientSession(connector=connector, timeout=PATIENCE) as http,
            http.get(self.url + path) as answer,
        ):
            await answer.content.read(MIB)

    @contextlib.asynccontextmanager
    async def raw(self) -> AsyncIterator[asyncio.StreamWriter]:
        """Open a connection and give its writer."""
        _, writer = await asyncio.open_connection(self.host, self.port, local_addr=(self.source, 0))
        try:
            yield writer
        finally:
            writer.close()


Attack = Callable[[Stranger], Awaitable[None]]


def _head(path: str, length: int, *more: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *more)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@cache
def _packed(text: bytes, times: int, before: bytes = b"", after: bytes = b"") -> bytes:
    """Compress `text` repeated so many times, between two other texts."""
    return gzip.compress(before + text * times + after, 6)


async def long_texts(stranger: Stranger) -> None:
    """Some kilobytes of gzip that are one long string, after many brackets."""
    await stranger.post("/v1/check", _packed(b"a", 32 * MIB, b"[" * 100 + b'"', b'"'))
    await stranger.post("/v1/check", _packed(b'\\"', 16 * MIB, b"[" * 100 + b'"', b'"'))


async def long_digits(stranger: Stranger) -> None:
    """Hexadecimal and decimal digits without end, where a few are expected."""
    for name in ("signature", "contributor"):
        await stranger.post(
            "/v1/revocations", _packed(b"ab", MIB // 2 - 64, b'{"%s": "0x' % name.encode(), b'"}')
        )
    await stranger.post("/v1/check", _packed(b"9", 32 * MIB, b'{"max_age_s": ', b"}"))


async def deep_json(stranger: Stranger) -> None:
    """Brackets alone."""
    await stranger.post("/v1/check", _packed(b"[", 32 * MIB))
    await stranger.post("/v1/check", _packed(b'{"a":', 6 * MIB))


async def many_small_elements(stranger: Stranger) -> None:
    """Some kilobytes of msgpack that unpack to a million elements, the last of a wrong type."""
    body = _packed(b"\xdc\x04\x00" + b"\x90" * 1_024, 1_023, b"\xdc\x04\x00", b"\xc0")
    for path in ("/v1/messages", "/v1/check"):
        await stranger.post(path, body, PACKED)


async def slow_bodies(stranger: Stranger) -> None:
    """Bodies that are small on the wire and large in memory, and never end."""
    body = _packed(bytes(MIB), 60)

    async def drip() -> None:
        async with stranger.raw() as writer:
            headers = ("Content-Encoding: gzip", f"Content-Type: {PACKED}")
            writer.write(_head("/v1/check", len(body) + 1_000, *headers) + body[:-100])
            for _ in range(10):
                await writer.drain()
                await asyncio.sleep(SLOW_S)

    await asyncio.gather(*(drip() for _ in range(16)))


async def unfinished_bodies(stranger: Stranger) -> None:
    """Bodies whose sender goes away."""
    async with stranger.raw() as writer:
        writer.write(_head("/v1/messages", 1_000, f"Content-Type: {PACKED}") + b"half")
        await writer.drain()


async def silent_listeners(stranger: Stranger) -> None:
    """Hundreds that listen to events and never read."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(300):
            writer = await stack.enter_async_context(stranger.raw())
            writer.write(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(2)


async def large_checks(stranger: Stranger) -> None:
    """Checks of as many unknown rows as one may have, several at a time."""
    rows = os.urandom(64 * 4_096) * 64
    fields = {"grantee": bytes(20), "purpose": "train-ai", "max_age_s": 60, "run_id": "", "rows": rows}
    body = msgpack.packb(fields)
    await asyncio.gather(*(stranger.post("/v1/check", body, PACKED, packed=False) for _ in range(4)))


def _revocations(network: Network) -> Iterator[Envelope]:
    """Large valid revocations, alternately of one unknown wallet and of new ones."""
    number = 0
    while True:
        number += 1
        account = Account.from_key(sha256(b"stranger %d" % (number if number % 2 else 0)))
        words = tuple(range(64 * number, 64 * number + 64))
        message = Revocation(address_from_text(account.address), (), words, 64 * ((1 << 255) - 1,))
        signed = account.unsafe_sign_hash(HexBytes(digest(message, network)))
        yield Envelope(message, network, bytes(signed.signature), ())


async def unknown_revocations(stranger: Stranger) -> None:
    """Valid revocations of nobody whom the node knows."""
    for envelope in _revocations(stranger.network):
        await stranger.post("/v1/messages", encode_bundle([encode(envelope)]), PACKED, packed=False)


async def lookups(stranger: Stranger) -> None:
    """Questions about what does not exist, and in every form that is wrong."""
    name = "0x" + os.urandom(32).hex()
    for path in (
        f"/v1/status/{name}/{name}?grantee=0x{40 * '0'}&purpose=train-ai&max_age_s=60",
        f"/v1/status/{name}/{40_000 * 'a'}",
        f"/v1/items/{name}/claims",
        f"/v1/licenses/{name}/proof",
        "/v1/snapshots/..%2f..%2fetc%2fpasswd",
        "/v1/node?" + "&".join(f"a{at}=1" for at in range(500)),
    ):
        await stranger.get(path)


ATTACKS: Final[tuple[Attack, ...]] = (
    long_texts,
    long_digits,
    deep_json,
    many_small_elements,
    slow_bodies,
    unfinished_bodies,
    silent_listeners,
    large_checks,
    unknown_revocations,
    lookups,
)


async def again_and_again(attack: Attack, stranger: Stranger) -> None:
    """Repeat an attack until cancelled."""
    while True:
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, ValueError):
            await attack(stranger)
        await asyncio.sleep(PAUSE_S)
