"""Snapshots of small worlds: made as a node makes them, and read as a gate reads them."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from nacl.signing import SigningKey

from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.snapshots.head import SnapshotMoment
from sayso_protocol.snapshots.keys import joined_keys, new_keys
from sayso_protocol.snapshots.snapshot import Content, Part, Snapshot, make_delta, make_snapshot
from support.protocol_strategies import NETWORK, NODE

OTHER = SigningKey(sha256(b"sayso other node"))
STRANGER = SigningKey(sha256(b"sayso strange node"))
TRUSTED = NetworkFile(
    NETWORK,
    1,
    0,
    (Operator("north", bytes(NODE.verify_key)), Operator("south", bytes(OTHER.verify_key))),
)
AS_OF = 1_700_000_060
DAY = 86_400
State = Mapping[bytes, Masks]


def salts(name: str = "salt") -> Iterator[bytes]:
    """Salts that are the same each time."""
    return (sha256(f"{name} {number}".encode())[:16] for number in count())


def moment_at(as_of: int = AS_OF) -> SnapshotMoment:
    """A moment of a node that read chain and peers then."""
    return SnapshotMoment(
        sha256(b"state"), ChainPoint(19, sha256(b"block")), as_of + 1, as_of, as_of + DAY
    )


def content_of(state: State, doubted: Iterable[bytes] = ()) -> Content:
    """What a node that knows this puts into a snapshot."""
    people = [*doubted]
    entries = ((who, word, mask) for who, masks in state.items() for word, mask in masks.items())
    return Content(joined_keys(entries, people), len(state), len(people))


def parts_of(*states: State, key: SigningKey = NODE, as_of: int = AS_OF) -> list[Part]:
    """A snapshot of the first state, and a delta for each of the others; ten seconds apart."""
    first, *others = map(content_of, states)
    parts = [make_snapshot(key, NETWORK, moment_at(as_of), first, salts())]
    known = first.keys
    for number, content in enumerate(others, 1):
        news = Content(new_keys(content.keys, known), content.addresses, content.doubted)
        moment, salt = moment_at(as_of + 10 * number), next(salts(f"delta {number}"))
        parts.append(make_delta(key, NETWORK, moment, news, salt, parts[-1].head))
        known = content.keys
    return parts


def snapshot_of(
    state: State, doubted: Iterable[bytes] = (), *, key: SigningKey = NODE, as_of: int = AS_OF
) -> Snapshot:
    """The checked snapshot of an operator that knows this."""
    content = content_of(state, doubted)
    return Snapshot([make_snapshot(key, NETWORK, moment_at(as_of), content, salts())], TRUSTED)
