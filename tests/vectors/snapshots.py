"""Vectors of snapshots: keys and their hashes, files that are right or wrong, and rows (section 13)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import encode
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import Scope, file_subject, scope_word
from sayso_protocol.permissions.words import FULL
from sayso_protocol.primitives import address_text, hex_text, sha256
from sayso_protocol.signatures.nodes import SNAPSHOT, sign_by_node
from sayso_protocol.snapshots.fuse_filter import Shape, key_hashes
from sayso_protocol.snapshots.head import SnapshotHead
from sayso_protocol.snapshots.key_list import list_of
from sayso_protocol.snapshots.keys import (
    as_keys,
    bit_key,
    doubt_key,
    permissions_key,
    scopes_key,
    word_key,
)
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.snapshot import (
    Part,
    Snapshots,
    make_delta,
    make_snapshot,
    read_snapshot,
    signed_part,
)
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS
from support.known import license_hash
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, NODE, a_consent, item_hashes, signed
from support.snapshots import (
    AS_OF,
    DAY,
    OTHER,
    STRANGER,
    TRUSTED,
    content_of,
    moment_at,
    parts_of,
    salts,
)

Json = dict[str, Any]
SALT = next(salts())
ITEMS = item_hashes(3)
PAIR = tuple(sorted([ADA, BEN]))
CONSENTS = {
    "Ada's": a_consent(ITEMS),
    "Ada's with Ben": a_consent(ITEMS, parties=PAIR, guardian=CLEO),
    "Ben's with Ada": a_consent(ITEMS, parties=PAIR, contributor=BEN),
    "Ben's of later": a_consent(ITEMS, contributor=BEN, parties=(BEN,), issued_at=AS_OF + 5),
}
ONE_BIT = CONSENTS["Ada's"].masks([1], ["train-ai"])
STATES = {
    "nothing": {},
    "one permission": {ADA: ONE_BIT},
    "a license": {ADA: CONSENTS["Ada's"].license_masks},
    "everything": {ADA: {scope_word("everything"): 1}},
    "a file": {BEN: {scope_word(file_subject(ITEMS[2]) + " for train-ai"): 1}},
    "a ward": {CLEO: {scope_word(Scope("via kled.ai", None, ADA).text): FULL}},
    "many": {sha256(b"%d" % number)[:20]: {64 * number: number} for number in range(1, 400)},
}


def _keys() -> list[Json]:
    word, scope = CONSENTS["Ada's"].base, scope_word("everything")
    cases = [
        ("permissions", 1, ADA, None, None, permissions_key(ADA)),
        ("scopes", 2, BEN, None, None, scopes_key(BEN)),
        ("word", 3, ADA, word, None, word_key(ADA, word)),
        ("scope", 3, ADA, scope, None, word_key(ADA, scope)),
        ("bit", 4, ADA, word, 255, bit_key(ADA, word, 255)),
        ("doubt", 5, CLEO, None, None, doubt_key(CLEO)),
    ]
    return [
        {
            "name": name,
            "kind": kind,
            "address": address_text(address),
            "word": None if number is None else hex_text(number.to_bytes(32)),
            "bit": bit,
            "key": hex_text(key),
            "hash": hex_text(int(key_hashes(SALT, as_keys(key))[0]).to_bytes(8)),
        }
        for name, kind, address, number, bit, key in cases
    ]


def _right() -> dict[str, list[Part]]:
    doubted = make_snapshot(NODE, NETWORK, moment_at(), content_of({}, [CLEO]), salts())
    return {
        **{name: parts_of(state) for name, state in STATES.items()},
        "of the other operator": parts_of(STATES["a file"], key=OTHER),
        "a guardian in doubt": [doubted],
        "with deltas": parts_of(
            STATES["one permission"], STATES["one permission"], _sum("a file", "many")
        ),
        "from nothing": parts_of({}, STATES["everything"]),
    }


def _sum(*names: str) -> dict[bytes, dict[int, int]]:
    return {who: masks for name in ("one permission", *names) for who, masks in STATES[name].items()}


def _joined(parts: Iterable[Part]) -> bytes:
    return b"".join(part.data for part in parts)


def _again(part: Part, *, body: bytes | None = None, **changes: object) -> Part:
    """Signed by its node, though it is wrong."""
    head = replace(part.head, **changes)  # type: ignore[arg-type]
    made = part.body if body is None else body
    return signed_part(NODE, head.network, head.moment, head.counts, head.salt, made, head.form)


def _raw(head: SnapshotHead, longer: bytes, shorter: bytes) -> bytes:
    """A signed head with another encoding of one of its values."""
    content = head.content().replace(shorter, longer, 1)
    signature = sign_by_node(NODE, SNAPSHOT, content)
    return b"sayso-snapshot-1" + len(content).to_bytes(4) + content + signature


def _wrong() -> dict[str, bytes]:
    base, first, second = _right()["with deltas"]
    file, empty = _joined([base, first, second]), parts_of({})[0]
    at = len(base.data) - len(base.body)
    list_ = list_of(SALT, content_of(STATES["many"]).keys)
    many = content_of(STATES["many"])
    delta = make_delta(NODE, NETWORK, moment_at(), many, SALT, base.head)
    unsorted = replace(list_, values=list_.values.copy())
    unsorted.values[:2] = list_.values[1::-1]
    high = delta.body[:-1] + bytes([delta.body[-1] ^ 0x80])
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
        "without the snapshot": _joined([first, second]),
        "without a delta": _joined([base, second]),
        "deltas in another order": _joined([base, second, first]),
        "a delta twice": _joined([base, first, first]),
        "two snapshots": _joined([base, base]),
        "a delta of another snapshot": _joined([parts_of({})[0], first]),
        "of a stranger": _joined(parts_of({}, key=STRANGER)),
        "a delta of another operator": base.data + parts_of({}, {}, key=OTHER)[1].data,
        "of another network": _again(base, network=Network(1, NETWORK.registry)).data,
        "signed by another": replace(base, signature=first.signature).data,
        "an integer in a longer form": _raw(empty.head, b"\x93\xcc\x00", b"\x93\x00"),
        "a time that is text": _raw(empty.head, b"\xa4time", (AS_OF).to_bytes(5)[1:].rjust(5, b"\xce")),
        "a filter of another shape": _again(base, form=Shape(8, 1)).data,
        "a shape that is none": _again(base, form=Shape(3, 1)).data,
        "keys without cells": _again(empty, counts=base.head.counts).data,
        "a list out of order": base.data + _again(delta, body=unsorted.packed()).data,
        "a list that is too long": base.data + _again(delta, body=delta.body + b"\0").data,
        "a list with a key more": base.data + _again(delta, body=high).data,
    }


def _files() -> list[Json]:
    files = []
    for name, parts in _right().items():
        snapshot = read_snapshot(_joined(parts), TRUSTED)
        keys = [key for state in STATES.values() for key in content_of(state, [CLEO]).keys[:12]]
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
            }
        )
    return files + [
        {"name": name, "file": hex_text(data), "code": _code(data)} for name, data in _wrong().items()
    ]


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
    (["one permission"], AS_OF + 20, 60),
    (["a license"], AS_OF + 20, 60),
    (["everything"], AS_OF + 20, 60),
    (["a ward"], AS_OF + 20, 60),
    (["nothing", "of the other operator"], AS_OF + 20, 60),
    (["a guardian in doubt"], AS_OF + 20, 60),
    (["with deltas"], AS_OF + 20, 60),
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
        "files": _files(),
        "envelopes": {
            name: hex_text(encode(signed(one, ITEMS).sponsored_by(NODE)))
            for name, one in CONSENTS.items()
        },
        "items": [hex_text(item) for item in ITEMS],
        "rows": _rows(),
    }
