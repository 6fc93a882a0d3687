"""Vectors of snapshots: keys and their hashes, files that are right or wrong, and rows (section 13)."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import encode
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import (
    Scope,
    agreement_subject,
    file_subject,
    scope_word,
    to_subject,
)
from sayso_protocol.permissions.words import FULL
from sayso_protocol.primitives import address_text, hex_text, sha256
from sayso_protocol.signatures.nodes import SNAPSHOT, sign_by_node
from sayso_protocol.snapshots.fuse_filter import Shape, key_hashes
from sayso_protocol.snapshots.hash_list import (
    Names,
    hashes_of,
    license_key,
    packed,
    person_key,
    sublicense_key,
    unpacked,
)
from sayso_protocol.snapshots.head import SnapshotHead
from sayso_protocol.snapshots.key_list import list_of
from sayso_protocol.snapshots.keys import (
    as_keys,
    bit_key,
    displaced_for_key,
    displaced_key,
    dispute_key,
    disputer_key,
    permissions_key,
    scopes_key,
    word_key,
)
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.part import Part, signed_part
from sayso_protocol.snapshots.snapshot import Snapshot, Snapshots, read_snapshot
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License
from support.known import license_hash
from support.protocol_strategies import (
    ADA,
    BEN,
    CLEO,
    NETWORK,
    NODE,
    a_consent,
    full_words,
    item_hashes,
    signed,
)
from support.snapshot_making import Content, make_delta
from support.snapshots import (
    AS_OF,
    DAY,
    OTHER,
    STRANGER,
    TRUSTED,
    add_delta,
    content_of,
    moment_at,
    names_of,
    parts_of,
    salts,
)
from vectors.snapshot_chains import passed

Json = dict[str, Any]
SALT = next(salts())
ITEMS = item_hashes(3)
PAIR = tuple(sorted([ADA, BEN]))
CONSENTS = {
    "Ada's": a_consent(ITEMS),
    "Ada's with Ben": a_consent(ITEMS, parties=PAIR, guardian=CLEO),
    "Ben's with Ada": a_consent(ITEMS, parties=PAIR, contributor=BEN),
    "Ada's to anyone": a_consent(ITEMS, grantee=bytes(20), via=""),
    "Ada's of before": a_consent(ITEMS, issued_at=AS_OF - 2_000),
    "Ben's of then": a_consent(ITEMS, contributor=BEN, parties=(BEN,), issued_at=AS_OF),
    "Ben's of later": a_consent(ITEMS, contributor=BEN, parties=(BEN,), issued_at=AS_OF + 5),
}
HELD = [License(one, ITEMS) for one in CONSENTS.values()]
NAMES = names_of(HELD)
HEEDED = tuple(sorted(sha256(b"heeded %d" % number)[:20] for number in range(16)))
SALE = sha256(b"a sublicense")
MANY = [sha256(b"many %d" % number)[:20] for number in range(300)]
ONE_BIT = CONSENTS["Ada's"].masks([1], ["train-ai"])
STATES = {
    "nothing": {},
    "one permission": {ADA: ONE_BIT},
    "a license": {ADA: full_words(CONSENTS["Ada's"])},
    "everything": {ADA: {scope_word("everything"): 1}},
    "an agreement": {ADA: {scope_word(agreement_subject(CONSENTS["Ada's"].agreement)): 1}},
    "to the buyer": {ADA: {scope_word(to_subject(BEN) + " for train-ai"): 1}},
    "to the buyer, by the guardian": {CLEO: {scope_word(Scope(to_subject(BEN), None, ADA).text): 1}},
    "a file": {BEN: {scope_word(file_subject(ITEMS[2]) + " for train-ai"): 1}},
    "a ward": {CLEO: {scope_word(Scope("via kled.ai", None, ADA).text): FULL}},
    "many": {sha256(b"%d" % number)[:20]: {64 * number: number} for number in range(1, 400)},
}


def _keys() -> list[Json]:
    word, scope = CONSENTS["Ada's"].base, scope_word("everything")
    ada = license_hash(CONSENTS["Ada's"])
    cases = [
        ("permissions", 1, ADA, None, None, permissions_key(ADA)),
        ("scopes", 2, BEN, None, None, scopes_key(BEN)),
        ("word", 3, ADA, word, None, word_key(ADA, word)),
        ("scope", 3, ADA, scope, None, word_key(ADA, scope)),
        ("bit", 4, ADA, word, 255, bit_key(ADA, word, 255)),
        ("somebody who disputes", 5, CLEO, None, None, disputer_key(CLEO)),
        ("a dispute", 6, CLEO + ITEMS[0], None, None, dispute_key(CLEO, ITEMS[0])),
        ("displaced", 7, SALE, None, None, displaced_key(SALE)),
        ("displaced for a license", 8, SALE + ada, None, None, displaced_for_key(SALE, ada)),
    ]
    return [
        {
            "name": name,
            "kind": kind,
            "about": hex_text(about),
            "word": None if number is None else hex_text(number.to_bytes(32)),
            "bit": bit,
            "key": hex_text(key),
            "hash": hex_text(int(key_hashes(SALT, as_keys(key))[0]).to_bytes(8)),
        }
        for name, kind, about, number, bit, key in cases
    ]


def _names() -> list[Json]:
    """The names of people and licenses, and their hashes under one salt."""
    ada = license_hash(CONSENTS["Ada's"])
    cases = [
        ("person", 16, ADA, person_key(ADA)),
        ("license", 17, ada, license_key(ada)),
        ("sublicense", 18, SALE, sublicense_key(SALE)),
    ]
    return [
        {
            "name": name,
            "kind": kind,
            "about": hex_text(about),
            "hash": hex_text(hashes_of(SALT, [key]).tobytes()),
        }
        for name, kind, about, key in cases
    ]


def _right() -> dict[str, list[Part]]:
    ada = license_hash(CONSENTS["Ada's"])
    with_deltas = parts_of(
        STATES["one permission"], STATES["one permission"], _sum("a file", "many"), named=NAMES
    )
    withdrawn = Content(as_keys(b""), (), [person_key(CLEO)])
    moment = moment_at(AS_OF + 30)
    return {
        **{name: parts_of(state, named=NAMES) for name, state in STATES.items()},
        "of the other operator": parts_of(STATES["a file"], named=NAMES, key=OTHER),
        "of one who knows nobody": parts_of({}, key=OTHER),
        "without the guardian": parts_of({}, named=names_of(HELD, [CLEO])),
        "without a party": parts_of({}, named=names_of(HELD, [BEN])),
        "without a license": parts_of({}, named=names_of(HELD, [ada])),
        "of one who knows many": parts_of({}, named=[*NAMES, *map(person_key, MANY)], key=OTHER),
        "with deltas": with_deltas,
        "with the guardian withdrawn": [
            *with_deltas,
            add_delta(with_deltas, withdrawn, moment=moment, salt=next(salts("withdrawn"))),
        ],
        "from nothing": parts_of({}, STATES["everything"], named=NAMES),
        "that heeds sixteen": [_heeding(*HEEDED)],
        "of which a delta heeds one less": [_heeding(*HEEDED), _delta_heeding(HEEDED[1:])],
    }


def _heeding(*heeded: bytes) -> Part:
    return _again(parts_of({}, named=NAMES)[0], heeded=heeded)


def _delta_heeding(heeded: tuple[bytes, ...], *before: bytes) -> Part:
    news = Content(as_keys(b""), heeded=heeded)
    first = _heeding(*(before or HEEDED))
    return add_delta([first], news, moment=moment_at(AS_OF + 10), salt=next(salts("heeding")))


def _sum(*names: str) -> dict[bytes, dict[int, int]]:
    return {who: masks for name in ("one permission", *names) for who, masks in STATES[name].items()}


def _joined(parts: Iterable[Part]) -> bytes:
    return b"".join(part.data for part in parts)


def _again(part: Part, *, body: bytes | None = None, **changes: object) -> Part:
    """Signed by its node, though it is wrong."""
    head = replace(part.head, **changes)  # type: ignore[arg-type]
    made = part.body if body is None else body
    return signed_part(
        NODE, head.network, head.moment, head.counts, head.salt, made, head.form, head.heeded
    )


def _raw(head: SnapshotHead, longer: bytes, shorter: bytes) -> bytes:
    """A signed head with another encoding of one of its values."""
    content = head.content().replace(shorter, longer, 1)
    signature = sign_by_node(NODE, SNAPSHOT, content)
    return b"sayso-snapshot-1" + len(content).to_bytes(4) + content + signature


def _swapped(names: Names) -> Names:
    """Two neighbours with the same three high bits, which six hashes have, in the other order."""
    highs = [name[0] >> 5 for name in names.tolist()]
    at = next(at for at, (one, other) in enumerate(pairwise(highs)) if one == other)
    order = [*range(len(names))]
    order[at : at + 2] = [at + 1, at]
    return names[order]


def _with_bit(body: bytes, at: int, bit: int) -> bytes:
    """A body in which a bit is 1 that was 0."""
    assert not body[at] >> bit & 1
    return body[:at] + bytes([body[at] | 1 << bit]) + body[at + 1 :]


def _heeding_wrongly() -> dict[str, bytes]:
    return {
        "seventeen who are heeded": _heeding(*HEEDED, b"\xff" * 20).data,
        "who is heeded out of order": _heeding(*HEEDED[1::-1]).data,
        "somebody heeded twice": _heeding(*HEEDED[:1], *HEEDED[:1]).data,
        "nobody heeded": _heeding(bytes(20)).data,
        "a short address heeded": _heeding(HEEDED[0][1:]).data,
        "a delta that heeds somebody more": _heeding(*HEEDED[1:]).data
        + _delta_heeding(HEEDED, *HEEDED[1:]).data,
    }


def _alone(base: Part) -> Part:
    """A delta of one key."""
    one_key = Content(as_keys(word_key(ADA, 7)), (), ())
    return make_delta(NODE, NETWORK, moment_at(), one_key, SALT, base.head, base.head.salt)


def _wrong() -> dict[str, bytes]:
    base, first, second = _right()["with deltas"]
    file = _joined([base, first, second])
    at = len(base.data) - len(base.body)
    alone = _alone(base)

    def linked(**changes: Any) -> bytes:
        return base.data + _again(first, form=replace(first.head.form, **changes)).data

    return {
        "nothing at all": b"",
        "another version": b"sayso-snapshot-2" + file[16:],
        "a long head": file[:16] + (1_025).to_bytes(4) + file[20:],
        "a changed head": file[:60] + bytes([file[60] ^ 1]) + file[61:],
        "a changed signature": file[: at - 1] + bytes([file[at - 1] ^ 1]) + file[at:],
        "a changed body": file[:at] + bytes([file[at] ^ 1]) + file[at + 1 :],
        "cut short in the body": file[: at + 3],
        "cut short in the head": file[:90],
        "something behind it": base.data + b"\0",
        "a delta that names another snapshot": linked(snapshot=bytes(32)),
        "a first delta of number 2": linked(number=2),
        "a delta of number 0": linked(number=0),
        "a delta that follows another part": linked(previous=bytes(32)),
        "a mark behind a list of one key": base.data
        + _again(alone, body=alone.body[:-1] + b"\x20").data,
        "without the snapshot": _joined([first, second]),
        "without a delta": _joined([base, second]),
        "deltas in another order": _joined([base, second, first]),
        "a delta twice": _joined([base, first, first]),
        **_heeding_wrongly(),
        "two snapshots": _joined([base, base]),
        "a delta of another snapshot": _joined([parts_of({})[0], first]),
        "of a stranger": _joined(parts_of({}, key=STRANGER)),
        "a delta of another operator": base.data + parts_of({}, {}, key=OTHER)[1].data,
        "of another network": _again(base, network=Network(1, NETWORK.registry)).data,
        "signed by another": replace(base, signature=first.signature).data,
    }


def _wrong_bodies() -> dict[str, bytes]:
    base = _right()["with deltas"][0]
    empty, many = parts_of({})[0], content_of(STATES["many"])
    list_ = list_of(SALT, many.keys)
    delta = make_delta(NODE, NETWORK, moment_at(), many, SALT, base.head, base.head.salt)
    six = parts_of({}, named=[*map(person_key, MANY[:6])])[0]
    names, counts = unpacked(six.body, 6), six.head.counts
    unsorted = replace(list_, values=list_.values.copy())
    unsorted.values[:2] = list_.values[1::-1]
    alone = _alone(base)
    high = delta.body[:-1] + bytes([delta.body[-1] ^ 0x80])
    return {
        "an integer in a longer form": _raw(empty.head, b"\x93\xcc\x00", b"\x93\x00"),
        "a time that is text": _raw(empty.head, b"\xa4time", (AS_OF).to_bytes(5)[1:].rjust(5, b"\xce")),
        "a filter of another shape": _again(base, form=Shape(8, 1)).data,
        "a shape that is none": _again(
            empty, form=Shape(3, 1), counts=replace(empty.head.counts, keys=1), body=bytes(18)
        ).data,
        "keys without cells": _again(empty, counts=replace(empty.head.counts, keys=1)).data,
        "cells without keys": _again(base, counts=replace(base.head.counts, keys=0)).data,
        "two keys out of order": base.data
        + _again(alone, counts=replace(alone.head.counts, keys=2), body=b"\5\0\3\0\3").data,
        "a list out of order": base.data + _again(delta, body=unsorted.packed()).data,
        "a list that is too long": base.data + _again(delta, body=delta.body + b"\0").data,
        "a list with a key more": base.data + _again(delta, body=high).data,
        "names out of order": _again(six, body=packed(_swapped(names))).data,
        "a name twice": _again(six, body=packed(names[[0, 0, *range(1, 5)]])).data,
        "a name less than the head states": _again(six, counts=replace(counts, named=5)).data,
        "a name more than the head states": _again(six, counts=replace(counts, named=7)).data,
        "names that are too long": _again(six, body=six.body + b"\0").data,
        "a bit between the names and their marks": _again(six, body=_with_bit(six.body, 69, 0)).data,
        "a mark behind the names": _again(six, body=_with_bit(six.body, 71, 7)).data,
        "a snapshot that withdraws": _again(
            six, counts=replace(counts, withdrawn=1), body=six.body + packed(names[:1])
        ).data,
    }


def _files() -> list[Json]:
    files, wrong = [], _wrong() | _wrong_bodies()
    for name, parts in _right().items():
        snapshot = read_snapshot(_joined(parts), TRUSTED)
        keys = [key for state in STATES.values() for key in content_of(state).keys[:12]]
        asked = dict.fromkeys(row.tobytes() for row in keys)
        known = [key for key in asked if snapshot.holds(as_keys(key))[0]]
        files.append(
            {
                "name": name,
                "file": hex_text(_joined(parts)),
                "code": None,
                "ids": [hex_text(head.id) for head in snapshot.heads],
                "as_of": snapshot.head.moment.as_of,
                "known": [hex_text(key) for key in known],
                "unknown": [hex_text(key) for key in asked if key not in known],
                **_named(snapshot),
            }
        )
    return files + [
        {"name": name, "file": hex_text(data), "code": _code(data)} for name, data in wrong.items()
    ]


def _named(snapshot: Snapshot) -> Json:
    """Who and what is named, of everybody and everything here."""
    people = [ADA, BEN, CLEO, MANY[0]]
    licenses = [license_hash(one) for one in CONSENTS.values()]
    flags = snapshot.name([*map(person_key, people), *map(license_key, licenses)]).tolist()
    asked = [*map(address_text, people), *map(hex_text, licenses)]
    return {
        "named": [one for one, flag in zip(asked, flags, strict=True) if flag],
        "unnamed": [one for one, flag in zip(asked, flags, strict=True) if not flag],
    }


def _code(data: bytes) -> str:
    try:
        read_snapshot(data, TRUSTED)
    except SaysoError as error:
        return error.code
    raise AssertionError("this file was to be refused")


GATES: list[tuple[list[str], int, int]] = [
    (["nothing"], AS_OF + 20, 20),
    (["nothing"], AS_OF + 20, 19),
    (["nothing"], AS_OF + DAY, 2 * DAY),
    (["nothing"], AS_OF - 601, DAY),
    (["nothing"], AS_OF - 600, DAY),
    (["nothing"], AS_OF + DAY - 1, 2 * DAY),
    (["from nothing", "nothing"], AS_OF + DAY + 5, 2 * DAY),
    (["with the guardian withdrawn", "nothing"], AS_OF + 30, 20),
    (["one permission"], AS_OF + 20, 60),
    (["a license"], AS_OF + 20, 60),
    (["everything"], AS_OF + 20, 60),
    (["a ward"], AS_OF + 20, 60),
    (["an agreement"], AS_OF + 20, 60),
    (["to the buyer"], AS_OF + 20, 60),
    (["to the buyer, by the guardian"], AS_OF + 20, 60),
    (["nothing", "of the other operator"], AS_OF + 20, 60),
    (["without the guardian"], AS_OF + 20, 60),
    (["without a party"], AS_OF + 20, 60),
    (["without a license"], AS_OF + 20, 60),
    (["nothing", "of one who knows many"], AS_OF + 20, 60),
    (["nothing", "of one who knows nobody"], AS_OF + 20, 60),
    (["nothing", "without the guardian"], AS_OF + 20, 60),
    (["with deltas"], AS_OF + 20, 60),
    (["with the guardian withdrawn"], AS_OF + 30, 60),
    (["from nothing", "of the other operator"], AS_OF + DAY + 5, 2 * DAY),
]


def _rows() -> list[Json]:
    """Every row of every consent, for the queries of one gate."""
    right = {name: _joined(parts) for name, parts in _right().items()}
    held = HeldLicenses((license_hash(one), one, ITEMS) for one in CONSENTS.values())
    cases = []
    for names, now, max_age_s in GATES:
        snapshots = Snapshots(read_snapshot(right[name], TRUSTED) for name in names)
        for purpose in ("train-ai", "resale"):
            gate = OfflineGate(held, snapshots, Query(BEN, purpose), max_age_s=max_age_s)
            rows = b"".join(license_hash(one) + item for one in CONSENTS.values() for item in ITEMS)
            reasons = [REASONS[number].value for number in gate.judge(rows, now)[0].tolist()]
            answers = iter(reasons)
            cases.append(
                {
                    "files": names,
                    "now": now,
                    "max_age_s": max_age_s,
                    "grantee": address_text(BEN),
                    "purpose": purpose,
                    "reasons": {name: [next(answers) for _ in ITEMS] for name in CONSENTS},
                }
            )
    return cases


def snapshots() -> Json:
    """All of them."""
    return {
        "trusted": TRUSTED.to_toml(),
        "salt": hex_text(SALT),
        "keys": _keys(),
        "names": _names(),
        "files": _files(),
        "envelopes": {
            name: hex_text(encode(signed(one, ITEMS).sponsored_by(NODE)))
            for name, one in CONSENTS.items()
        },
        "items": [hex_text(item) for item in ITEMS],
        "rows": _rows(),
        "passed": passed(),
    }
