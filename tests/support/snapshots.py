"""Snapshots of small worlds: made as a node makes them, and read as a gate reads them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count

from nacl.signing import SigningKey

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.permissions.state_digest import StateEntry
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.snapshots.fuse_filter import Keys
from sayso_protocol.snapshots.hash_list import license_key, person_key, sublicense_key
from sayso_protocol.snapshots.head import SnapshotMoment
from sayso_protocol.snapshots.keys import address_keys, as_keys, new_keys, sorted_keys, word_keys
from sayso_protocol.snapshots.part import Part
from sayso_protocol.snapshots.snapshot import Snapshot
from sayso_protocol.verdicts.verdict import License
from support.known import PassingOn, license_hash, message_hash
from support.protocol_strategies import NETWORK, NODE
from support.snapshot_making import Content, make_delta, make_snapshot

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


def names_of(
    licenses: Iterable[License], but: Iterable[bytes] = (), passed: Iterable[PassingOn] = ()
) -> list[bytes]:
    """The names of licenses, sublicenses and their people, without some addresses and hashes."""
    consents, left_out = [one.consent for one in licenses], {*but}
    terms = [one.terms for one in passed]
    people = {address for one in consents for address in (*one.parties, *one.revokers)}
    people = (people | {who for one in terms for who in (one.signer, one.grantee)}) - left_out
    passed_on = {message_hash(one) for one in terms} - left_out
    held = {license_hash(one) for one in consents} - left_out
    return [
        *map(person_key, sorted(people)),
        *map(license_key, sorted(held)),
        *map(sublicense_key, sorted(passed_on)),
    ]


def names_of_envelopes(held: Iterable[Envelope]) -> list[bytes]:
    """The names of consents as they travel, on whichever network, and of their people."""
    names = set()
    for envelope in held:
        consent = as_kind(envelope.message, Consent)
        names |= {license_key(envelope.digest), *map(person_key, (*consent.parties, *consent.revokers))}
    return sorted(names)


def content_of(
    state: State,
    named: Collection[bytes] = (),
    more: Iterable[bytes] = (),
    heeded: tuple[bytes, ...] = (),
) -> Content:
    """What a node that knows this puts into a snapshot; every bit is a permission of a license."""
    entries = ((who, word, mask) for who, masks in state.items() for word, mask in masks.items())
    keys = [*map(bytes, joined_keys(entries)), *more]
    return Content(sorted_keys(as_keys(b"".join(keys))), named, heeded=heeded)


def parts_of(
    *states: State, named: Collection[bytes] = (), key: SigningKey = NODE, as_of: int = AS_OF
) -> list[Part]:
    """A snapshot of the first state, and a delta for each of the others; ten seconds apart.

    The snapshot has the first half of the names, the first delta the others.
    """
    first, *others = map(content_of, states)
    names = [*named]
    half = len(names) // 2 if others else len(names)
    content = Content(first.keys, names[:half])
    parts = [make_snapshot(key, NETWORK, moment_at(as_of), content, salts())]
    known = first.keys
    for number, one in enumerate(others, 1):
        news = Content(new_keys(one.keys, known), names[half:] if number == 1 else ())
        moment, salt = moment_at(as_of + 10 * number), next(salts(f"delta {number}"))
        parts.append(add_delta(parts, news, moment=moment, salt=salt, key=key))
        known = one.keys
    return parts


def add_delta(
    parts: Sequence[Part], news: Content, *, moment: SnapshotMoment, salt: bytes, key: SigningKey = NODE
) -> Part:
    """The delta that follows these parts."""
    return make_delta(key, NETWORK, moment, news, salt, parts[-1].head, parts[0].head.salt)


def snapshot_of(
    state: State,
    named: Collection[bytes] = (),
    *,
    key: SigningKey = NODE,
    as_of: int = AS_OF,
    more: Iterable[bytes] = (),
    heeded: tuple[bytes, ...] = (),
) -> Snapshot:
    """The checked snapshot of an operator that knows this and has more keys, names these, and heeds."""
    content = content_of(state, named, more, heeded)
    return Snapshot([make_snapshot(key, NETWORK, moment_at(as_of), content, salts())], TRUSTED)


def joined_keys(entries: Iterable[StateEntry]) -> Keys:
    """Return the keys of a state whose bits are all permissions, each once, ascending (rule 13.3)."""
    joined, words = bytearray(), dict[bytes, list[int]]()
    for address, word, mask in entries:
        if keys := word_keys(address, word, mask):
            words.setdefault(address, []).append(word)
            joined += b"".join(keys)
    joined += b"".join(key for address, some in words.items() for key in address_keys(address, some))
    return sorted_keys(as_keys(joined))
