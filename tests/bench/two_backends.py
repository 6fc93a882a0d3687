"""The store in PostgreSQL beside the one in SQLite, on one disk: single changes, bundles, and looks."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import api_scaling
from bench.consents import consent
from bench.durable import KEEPER, SPONSOR, at_once
from bench.figure import REPEATS, Figure
from sayso_node.store import messages
from sayso_node.store.admission import consents
from sayso_node.store.interface import Store
from sayso_node.store.opening import store_at
from sayso_protocol.messages.envelope import Envelope
from support.postgres import postgres

CHANGES = 1_000
BUNDLE = 1_000
LOOKS = 2_000

Work = Callable[[Store, list[Envelope]], float]


def figures() -> Iterator[Figure]:
    """postgres.*"""
    count = 2 * 2 * REPEATS * CHANGES
    envelopes = iter([consent(number).sponsored_by(SPONSOR) for number in range(count)])
    works: dict[str, Work] = {
        "postgres.durable_per_s": lambda store, some: asyncio.run(at_once(store, some)),
        "postgres.bulk_per_s": lambda store, some: asyncio.run(_bundle(store, some)),
    }
    with tempfile.TemporaryDirectory() as folder, postgres() as server:
        stores = {"postgres": store_at(server.schema()), "sqlite": store_at(Path(folder) / "s.sqlite")}
        for store in stores.values():
            store.start()
        for name, work in works.items():
            rates: dict[str, list[float]] = {one: [] for one in stores}
            for _ in range(REPEATS):
                for one, store in stores.items():
                    rates[one].append(work(store, [next(envelopes) for _ in range(CHANGES)]))
            yield _figure(name, {one: statistics.median(values) for one, values in rates.items()})
        looks = {one: statistics.median(_looks(store)) for one, store in stores.items()}
        yield _figure("postgres.looks_per_s", looks)
        for store in stores.values():
            store.stop()
    yield from api_scaling.figures()


def _figure(name: str, rates: dict[str, float]) -> Figure:
    peer = {"sqlite": rates["sqlite"]}
    return Figure(name, rates["postgres"], "per second", "higher", peer)


async def _bundle(store: Store, envelopes: list[Envelope]) -> float:
    """Consents a second that are admitted by one change a bundle."""
    begun = time.perf_counter()
    for start in range(0, len(envelopes), BUNDLE):
        part = envelopes[start : start + BUNDLE]
        await store.write(lambda db, part=part: consents.admit(db, part, KEEPER, 0.0, 0.0))  # type: ignore[misc]
    return len(envelopes) / (time.perf_counter() - begun)


def _looks(store: Store) -> Iterator[float]:
    """Looks at one message a second, each in a transaction of its own."""
    for _ in range(REPEATS):
        begun = time.perf_counter()
        for _ in range(LOOKS):
            with store.read() as db:
                assert messages.consent(db, bytes(32)) is None
        yield LOOKS / (time.perf_counter() - begun)
