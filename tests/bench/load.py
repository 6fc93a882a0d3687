"""A load of GET requests that costs little itself: bare sockets, one request at a time on each."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_LENGTH = b"content-length: "


@dataclass(frozen=True)
class Seen:
    """What a load saw.

    Attributes:
        per_s: Answers a second.
        waits_s: How long each answer took, seconds, sorted.
    """

    per_s: float
    waits_s: list[float]


async def load(url: str, paths: Sequence[str], *, connections: int, requests: int) -> Seen:
    """Ask for random ones of the paths; every answer must be 200."""
    place = urlsplit(url)
    heads = [f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode() for path in paths]
    order = random.Random(1).choices(heads, k=requests)
    waits: list[float] = []

    async def one(mine: Sequence[bytes]) -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        for head in mine:
            begun = time.perf_counter()
            writer.write(head)
            await _answer(reader)
            waits.append(time.perf_counter() - begun)
        writer.close()
        await writer.wait_closed()

    begun = time.perf_counter()
    await asyncio.gather(*(one(order[number::connections]) for number in range(connections)))
    return Seen(requests / (time.perf_counter() - begun), sorted(waits))


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 200"), head
    _, _, rest = head.partition(_LENGTH)
    return await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
