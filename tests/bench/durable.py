"""How many changes a second reach the disk: shared commits beside one commit a change."""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from nacl.signing import SigningKey

from bench.consents import consent
from bench.figure import REPEATS, Figure
from sayso_node.store.admission import consents
from sayso_node.store.admission.keeper import Keeper
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.interface import Store, Writing
from sayso_node.store.opening import store_at
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import sha256

CHANGES = 400
SPONSOR = SigningKey(sha256(b"sponsor"))
KEEPER = Keeper(b"", Quotas(operators=frozenset({bytes(SPONSOR.verify_key)})))


def figures() -> Iterator[Figure]:
    """store.*"""
    count = 2 * REPEATS * CHANGES
    envelopes = iter([consent(number).sponsored_by(SPONSOR) for number in range(count)])
    grouped, single = [], []
    with tempfile.TemporaryDirectory() as folder:
        engine = store_at(Path(folder) / "store.sqlite")
        engine.start()
        for _ in range(REPEATS):
            grouped.append(asyncio.run(at_once(engine, [next(envelopes) for _ in range(CHANGES)])))
            single.append(asyncio.run(_one_by_one(engine, [next(envelopes) for _ in range(CHANGES)])))
        engine.stop()
    peers = {"one commit per message": statistics.median(single)}
    limit = f"flushes of this disk: {_flushes_per_s():.0f}/s"
    yield Figure("store.durable_per_s", statistics.median(grouped), "messages/s", "higher", peers, limit)


def _admit(db: Writing, envelopes: Sequence[Envelope]) -> list[Admitted]:
    return consents.admit(db, envelopes, KEEPER, 0.0, 0.0)


async def _add(engine: Store, envelope: Envelope) -> None:
    """As the intake does for a bundle of one."""
    assert await engine.join("bench", _admit, envelope, 1) is Admitted.STORED


async def at_once(engine: Store, envelopes: list[Envelope]) -> float:
    begun = time.perf_counter()
    await asyncio.gather(*(_add(engine, one) for one in envelopes))
    return len(envelopes) / (time.perf_counter() - begun)


async def _one_by_one(engine: Store, envelopes: list[Envelope]) -> float:
    begun = time.perf_counter()
    for one in envelopes:
        await _add(engine, one)
    return len(envelopes) / (time.perf_counter() - begun)


def _flushes_per_s() -> float:
    with tempfile.NamedTemporaryFile() as file:
        begun = time.perf_counter()
        for _ in range(100):
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
        return 100 / (time.perf_counter() - begun)
