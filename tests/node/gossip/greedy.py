"""A peer that asks the dearest questions there are, on many streams, again and again."""

import contextlib
import threading
from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from typing import Self

import trio
from libp2p.network.stream.exceptions import StreamEOF

from node.gossip.harness import SYNC
from node.gossip.hostile import Attacker, connected, varint
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.sync.fingerprints import NODES, ROOT
from sayso_protocol.sync.requests import (
    MAX_STEP,
    CheckRequest,
    FingerprintsRequest,
    GetRequest,
    ListRequest,
    RangeRequest,
    encode_request,
)
from support.waiting import DEADLINE_S

STREAMS = 8  # at once: twice as many as anybody is served
_SALT = bytes(16)


def nodes(level: int) -> tuple[int, ...]:
    """As many of a level as a question may have, all over it."""
    return tuple((1 << level) + number * (1 << level) // NODES for number in range(NODES))


_UNKNOWN = (b"short",) * NODES

# None of them finds anything in an empty store; each has the node look in a thousand places.
GREEDY: dict[str, bytes] = {
    "fingerprints of the deepest nodes": encode_request(
        FingerprintsRequest(CONSENT, _SALT, MAX_STEP, nodes(59))
    ),
    "fingerprints of the deepest words": encode_request(
        FingerprintsRequest(REVOCATION, _SALT, MAX_STEP, nodes(59))
    ),
    "fingerprints between the levels that are kept": encode_request(
        FingerprintsRequest(CONSENT, _SALT, 1, nodes(12))
    ),
    "fingerprints below the levels that are kept": encode_request(
        FingerprintsRequest(CONSENT, _SALT, MAX_STEP, nodes(13))
    ),
    "lists of the deepest nodes": encode_request(ListRequest(CONSENT, _SALT, nodes(63))),
    "lists of large nodes": encode_request(ListRequest(REVOCATION, _SALT, nodes(10))),
    "unknown messages in the deepest nodes": encode_request(
        GetRequest(CONSENT, _SALT, nodes(63), _UNKNOWN)
    ),
    "unknown messages in large nodes": encode_request(
        GetRequest(REVOCATION, _SALT, nodes(12), _UNKNOWN)
    ),
}
EVERYTHING = [
    encode_request(RangeRequest(1, ROOT, b"")),
    encode_request(CheckRequest(CONSENT, _SALT, ROOT)),
]


class Greedy:
    """Asks until it is stopped; use as a context manager. Counts what was `answered`, and `bytes`."""

    def __init__(self, address: str, bodies: Sequence[bytes]) -> None:
        self._address = address
        self._bodies = cycle(bodies)
        self._over = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._run,))
        self.count: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    async def _run(self) -> None:
        async with connected(self._address) as attacker, trio.open_nursery() as nursery:
            for _ in range(STREAMS):
                nursery.start_soon(self._ask_on, attacker)

    async def _ask_on(self, attacker: Attacker) -> None:
        while not self._over.is_set():
            answered = 0
            with trio.move_on_after(DEADLINE_S):
                answered = await _ask(attacker, next(self._bodies))
            self.count["answered"] += answered > 0
            self.count["bytes"] += answered


async def _ask(attacker: Attacker, body: bytes) -> int:
    """How many bytes came back; 0 if the stream was closed without an answer."""
    size = 0
    try:
        stream = await attacker.stream(SYNC)
        await stream.write(varint(len(body)) + body)
        with contextlib.suppress(StreamEOF):
            while True:
                size += len(await stream.read(1024 * 1024))
        await stream.close()
    except Exception:  # noqa: BLE001  # whatever py-libp2p makes of a stream that was reset
        return 0
    return size
