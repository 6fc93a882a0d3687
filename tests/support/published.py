"""What a node publishes, as a buyer reads it: the files joined, and verdicts from them."""

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from sayso_node.snapshots.building import Order, make
from sayso_node.snapshots.publishing import SnapshotPublisher
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind, of_kind
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.snapshots.keys import as_keys
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.offline_chains import HeldSublicense
from sayso_protocol.snapshots.snapshot import Snapshot, Snapshots, read_snapshot
from sayso_protocol.verdicts.chains import Hop
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS
from support.node_rig import NodeRig, node_key
from support.protocol_strategies import BEN, NETWORK

NAMES = ("rig", "x", "y")
TRUSTED = NetworkFile(
    NETWORK, 1, 0, tuple(Operator(name, bytes(node_key(name).verify_key)) for name in NAMES)
)


async def built_here(module: str, order: object) -> tuple[int, bytes]:
    """Stand for the process that builds a body: to start it takes longer than to build a small one."""
    assert module == make.__module__
    asked = msgspec.json.decode(msgspec.json.encode(order), type=Order)
    return 0, msgspec.json.encode(await asyncio.to_thread(make, asked))


def publisher(rig: NodeRig, interval_s: float = 0.01, heeded: Iterable[bytes] = ()) -> SnapshotPublisher:
    """The publisher of a node, with its folder."""
    made = SnapshotPublisher(
        NETWORK,
        rig.store.location,
        rig.folder / "snapshots",
        rig.freshness,
        rig.identity,
        rig.clock,
        rig.counters,
        interval_s=interval_s,
        heeded=heeded,
    )
    made.shelf.open()
    return made


def snapshot(made: SnapshotPublisher) -> Snapshot:
    """What a client has who fetched every file."""
    return read_snapshot(b"".join(one.path.read_bytes() for one in made.shelf.chain), TRUSTED)


def knows(made: SnapshotPublisher, *keys: bytes) -> list[bool]:
    """Whether the filter has each of the keys."""
    found: list[bool] = snapshot(made).holds(as_keys(b"".join(keys))).tolist()
    return found


def names(made: SnapshotPublisher, *keys: bytes) -> list[bool]:
    """Whether each of the keys is named."""
    found: list[bool] = snapshot(made).name(keys).tolist()
    return found


def terms(envelope: Envelope) -> Consent:
    """The terms of a consent."""
    return as_kind(envelope.message, Consent)


def verdicts(
    files: Sequence[Snapshot], *held: Envelope, asker: bytes = BEN, heed: tuple[bytes, ...] = ()
) -> list[str]:
    """The reason of each row of the first license, by a gate that holds all of them."""
    bundle = HeldLicenses(
        ((one.digest, consent, one.items) for one, consent in of_kind(held, Consent)),
        (
            HeldSublicense(Hop(one.digest, message), one.items)
            for one, message in of_kind(held, Sublicense)
        ),
    )
    query = Query(asker, "train-ai", heed)
    gate = OfflineGate(bundle, Snapshots(files), query, max_age_s=60)
    rows = b"".join(held[0].digest + item for item in held[0].items)
    now = max(one.head.moment.as_of for one in files)
    return [REASONS[number].value for number in gate.judge(rows, now)[0].tolist()]
