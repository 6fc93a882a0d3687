"""How the cost of one answer grows with what others stored: the same figure in larger and larger stores.

A store of size n has n words of the person asked about, half of them scopes, n claims of strangers on
the item asked about, and n licenses that wait for an anchor. GROWTH_SIZES names other sizes, such as
`GROWTH_SIZES=2,5000000 make bench`.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from bench.figure import Figure
from sayso_node.api.http.paging import Pages, Wanted
from sayso_node.api.routes.licenses import LicenseRoutes
from sayso_node.store.admission import consents
from sayso_node.store.admission.keeper import Keeper
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.chain import chain_state
from sayso_node.store.interface import Writing
from sayso_node.verdicts.judge import Check
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.status_desk import StatusDesk, StatusQuestion
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.primitives import ANYONE, sha256
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.filled_store import change_store
from support.node_rig import NOW, NodeRig
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, a_consent, item_hashes, signed
from support.rebuilding import rebuild

SIZES: Final = (2, 10_000, 100_000, 1_000_000)  # the first is an ordinary person
BATCH: Final = 10_000  # licenses
LOOKS: Final = 200
PAGES: Final = 50
CHECKS: Final = 5
ROWS: Final = 1_000
MICRO: Final = 1_000_000
QUERY: Final = Query(BEN, "train-ai")
NODE: Final = SigningKey(sha256(b"sponsor"))
KEEPER: Final = Keeper(b"", Quotas(operators=frozenset({bytes(NODE.verify_key)})))
PAIR: Final = tuple(sorted((ADA, CLEO)))
OWN: Final = item_hashes(ROWS, 1)
SHARED: Final = item_hashes(1, 2)
Seen = dict[str, dict[int, float]]


def _consent(items: tuple[bytes, ...], contributor: bytes, parties: tuple[bytes, ...]) -> Envelope:
    message = a_consent(items, contributor=contributor, parties=parties, grantee=ANYONE)
    return signed(message, items).sponsored_by(NODE)


MINE: Final = _consent(OWN, ADA, (ADA,))
TOGETHER: Final = [_consent(SHARED, who, PAIR) for who in PAIR]
STRANGER: Final = _consent(SHARED, BEN, (BEN,))


def figures() -> Iterator[Figure]:
    """growth.*"""
    named = os.environ.get("GROWTH_SIZES")
    sizes = tuple(map(int, named.split(","))) if named else SIZES
    seen: Seen = {}
    for size in sizes:
        for name, value in _measured(size).items():
            seen.setdefault(name, {})[size] = value
    for name, values in seen.items():
        largest = max(values)
        limit = f"the same at every size; here {largest:,}"
        peers = {f"{size:,}": value for size, value in values.items() if size != largest}
        unit = name.rpartition("_")[2]
        yield Figure(f"growth.{name}", values[largest], unit, "lower", peers, limit)


def _measured(size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        location = Path(folder) / "rig.sqlite"
        change_store(location, lambda db: _fill(db, size))
        with NodeRig(Path(folder), location=str(location)) as rig:
            rig.clock.time = NOW + 10
            rig.be_current()
            own, shared = Row(MINE.digest, OWN[0]), Row(TOGETHER[0].digest, SHARED[0])
            found = {
                "look_us": _timed(lambda: _look(rig, own), LOOKS) * MICRO,
                "list_page_us": _timed(lambda: _page(rig), PAGES) * MICRO,
                "row_us": _timed(lambda: _check(rig), CHECKS) / ROWS * MICRO,
                "claims_look_us": _timed(lambda: _look(rig, shared), LOOKS) * MICRO,
            }
            if size >= BATCH:
                found["anchor_batch_ms"] = _batch_s(rig) * 1_000
            return found


def _fill(db: Writing, size: int) -> None:
    """Fill a store past its door, because the door takes an hour for a million."""
    consents.admit(db, [*TOGETHER, MINE], KEEPER, NOW, NOW)  # the newest is listed first
    one = (1).to_bytes(32)
    words = sorted((at << 8 | (SCOPE_FLAG if at % 2 else 0)).to_bytes(32) for at in range(size))
    db.executemany(
        "INSERT INTO bits VALUES (?, ?, ?, ?, NULL)", ((ADA, at, one, bytes(32)) for at in words)
    )
    body, first = encode(STRANGER), db.next_seq("messages", size)
    names = [sha256(b"%d" % number) for number in range(size)]
    db.executemany(
        "INSERT INTO messages VALUES (?, ?, 1, ?, ?, ?, NULL)",
        ((first + at, name, BEN, body, NOW) for at, name in enumerate(names)),
    )
    db.executemany("INSERT INTO items VALUES (?, ?)", ((SHARED[0], first + at) for at in range(size)))
    db.executemany(
        "INSERT INTO anchor_queue VALUES (?, ?, ?)",
        ((first + at, name, NOW) for at, name in enumerate(names)),
    )
    rebuild(db)


def _timed(work: Callable[[], None], repeats: int) -> float:
    """Seconds of CPU of one call, the median of all but the first."""
    taken = []
    for _ in range(repeats + 1):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken[1:])


def _look(rig: NodeRig, row: Row) -> None:
    """A question that finds nothing in memory."""
    shared = (rig.store, rig.freshness, rig.identity, rig.clock, rig.counters)
    [answer] = StatusDesk(NETWORK, *shared, LicenseCache()).answer([StatusQuestion(row, QUERY, 60)])
    assert answer.status.reason is Reason.GRANTED


def _check(rig: NodeRig) -> None:
    rows = join_rows([Row(MINE.digest, item) for item in OWN])
    assert set(rig.judge.judge(Check(QUERY, 60, "run", rows)).reasons) == {Reason.GRANTED.number}


def _page(rig: NodeRig) -> None:
    pages = Pages(rig.identity)
    routes = LicenseRoutes(NETWORK, rig.store, rig.freshness, rig.clock, pages, finality=0)
    [one], _ = routes._consents(ADA, Wanted(0, 1))
    assert one.permissions == ROWS * len(MINE.message.purposes)  # type: ignore[attr-defined]


def _batch_s(rig: NodeRig) -> float:
    with rig.store.read() as db:
        licenses = chain_state.due(db, NOW, BATCH)
    begun = time.process_time()
    asyncio.run(rig.store.write(lambda db: chain_state.make_batch(db, bytes(32), licenses)))
    return time.process_time() - begun
