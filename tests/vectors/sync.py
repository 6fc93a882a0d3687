"""Vectors of sync (section 11): nodes, entries, sums and fingerprints, questions and their answers."""

from typing import Any

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import CONSENT, REVOCATION, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import hex_text
from sayso_protocol.sync import answers
from sayso_protocol.sync.fingerprints import (
    Entry,
    cell,
    check_of,
    digest_entry,
    fingerprint,
    node_at,
    pack_nodes,
    revocation_entry,
    short_id,
    sum_of,
)
from sayso_protocol.sync.requests import (
    CellsRequest,
    CheckRequest,
    FingerprintsRequest,
    GetRequest,
    HeedRequest,
    ListRequest,
    OfferRequest,
    RangeRequest,
    encode_request,
)

Json = dict[str, Any]
HEEDED = (b"\x01" * 20, b"\x02" * 20)
SALT = bytes(range(16))
NODES = ((1,), (2, 3), (16, 20, 31), (65_536, 65_791, 131_071), ((1 << 63), (2 << 63) - 1))


def sync(envelopes: dict[str, Envelope]) -> Json:
    """Over the messages of messages.json, all of them held."""
    entries = {CONSENT: list[Entry](), REVOCATION: list[Entry]()}
    named = []
    for name, one in envelopes.items():
        if isinstance(one.message, Consent):
            entries[CONSENT].append(digest_entry(one.digest))
            named.append(_entry(name, entries[CONSENT][-1]))
            continue
        for word, mask in as_kind(one.message, Revocation).bits.items():
            entry = revocation_entry(one.message.signer, word, mask, [one.digest])
            entries[REVOCATION].append(entry)
            named.append(_entry(name, entry) | {"word": _word(word), "mask": _word(mask)})
    return {
        "salt": hex_text(SALT),
        "heeded": [hex_text(one) for one in HEEDED],
        "nodes": [
            {"numbers": [str(node) for node in nodes], "bytes": hex_text(pack_nodes(nodes))}
            for nodes in NODES
        ],
        "entries": named,
        "exchanges": [_exchange(*one) for one in _exchanges(entries, list(envelopes.values()))],
    }


def _exchanges(entries: dict[int, list[Entry]], held: list[Envelope]) -> list[tuple[str, bytes, bytes]]:
    found = []
    for kind, own in entries.items():
        below = [[one.id for one in own if node_at(3, one.place) == node] for node in range(8, 16)]
        prints = [fingerprint(SALT, sum_of(ids)) for ids in below]
        listed = [
            answers.Listed(short_id(SALT, e.id), tuple(short_id(SALT, c) for c in e.carriers))
            for e in sorted(own)
        ]
        found += [
            (
                f"fingerprints, kind {kind}",
                encode_request(FingerprintsRequest(kind, SALT, 2, (2, 3))),
                answers.encode_fingerprints(prints),
            ),
            (
                f"list, kind {kind}",
                encode_request(ListRequest(kind, SALT, (1,))),
                answers.encode_lists(kind, [listed]),
            ),
            (
                f"check, kind {kind}",
                encode_request(CheckRequest(kind, SALT, 1)),
                answers.encode_check(check_of(SALT, [one.id for one in own])),
            ),
        ]
    first = min((one for one in held if isinstance(one.message, Consent)), key=lambda one: one.digest)
    get = GetRequest(CONSENT, SALT, (1,), (short_id(SALT, first.digest),))
    whole = GetRequest(CONSENT, SALT, (node_at(40, digest_entry(first.digest).place),), ())
    nodes = tuple(range(8, 16))
    below = [[e.id for e in entries[CONSENT] if node_at(3, e.place) == node] for node in nodes]
    cells = [cell(node, sum_of(ids)) for node, ids in zip(nodes, below, strict=True)]
    given, over = answers.encode_messages([encode(first)]), answers.encode_messages([])
    return [
        *found,
        ("get", encode_request(get), given),
        ("get all of a node", encode_request(whole), given),
        ("cells", encode_request(CellsRequest(CONSENT, nodes)), answers.encode_cells(cells)),
        ("range that is over", encode_request(RangeRequest(1, 1, b"\xff" * 32)), over),
        ("heed", encode_request(HeedRequest()), answers.encode_heed(HEEDED)),
        ("offer", encode_request(OfferRequest((encode(first), b"\0"))), answers.encode_taken([0, 1])),
    ]


def _exchange(name: str, question: bytes, answer: bytes) -> Json:
    return {"name": name, "question": hex_text(question), "answer": hex_text(answer)}


def _entry(name: str, entry: Entry) -> Json:
    return {
        "message": name,
        "id": hex_text(entry.id),
        "place": hex_text(entry.place.to_bytes(8)),
        "short_id": hex_text(short_id(SALT, entry.id)),
    }


def _word(number: int) -> str:
    return hex_text(number.to_bytes(32))
