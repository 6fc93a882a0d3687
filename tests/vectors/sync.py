"""Vectors of sync (section 11): nodes, entries, sums and fingerprints, questions and their answers."""

from collections.abc import Iterator
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
from support.protocol_strategies import ADA, signed
from vectors.sync_refused import SALT, requests

Json = dict[str, Any]
HEEDED = (b"\x01" * 20, b"\x02" * 20)
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
        "requests": requests(),
        "holdings": {name: [hex_text(encode(one)) for one in some] for name, some in _many().items()},
        "exchanges": [_exchange(*one) for one in _exchanges(entries, list(envelopes.values()))]
        + [_exchange(*one) for one in _lists_of_many()],
    }


def _many() -> dict[str, list[Envelope]]:
    """As many entries in the root as a list can have, and one more; and bits that come again."""
    words = [tuple(range(64 * at, 64 * at + 64)) for at in range(4)]
    full = [signed(Revocation(ADA, (), some, (1,) * 64)) for some in words]
    again = [signed(Revocation(ADA, (), (7, word), (mask, 1))) for word, mask in ((8, 3), (9, 2))]
    return {
        "256 entries": full,
        "257 entries": [*full, signed(Revocation(ADA, ("everything",)))],
        "bits that come again": again,
    }


def _lists_of_many() -> list[tuple[str, bytes, bytes, str]]:
    """Rules 11.5 and 11.7: what has more than 256 entries is neither listed nor given whole."""
    ask = encode_request(ListRequest(REVOCATION, SALT, (1,)))
    get = encode_request(GetRequest(REVOCATION, SALT, (1,), ()))
    full, more, again = _many()

    def listed(name: str) -> bytes:
        own = sorted(_carried(_many()[name]))
        return answers.encode_lists(REVOCATION, [[_listed(one) for one in own]])

    return [
        (f"list of {full}", ask, listed(full), full),
        (f"list of {again}", ask, listed(again), again),
        (f"list of {more}", ask, answers.encode_lists(REVOCATION, [None]), more),
        (f"get of {more}", get, answers.encode_messages([]), more),
    ]


def _carried(envelopes: list[Envelope]) -> Iterator[Entry]:
    """The entries of these; each is carried by the first with one of its bits (rule 11.2)."""
    found: dict[tuple[bytes, int], tuple[int, list[bytes]]] = {}
    for one in envelopes:
        for word, mask in as_kind(one.message, Revocation).bits.items():
            known, carriers = found.get((one.message.signer, word), (0, []))
            new = [one.digest] if mask & ~known else []
            found[one.message.signer, word] = known | mask, carriers + new
    for (signer, word), (mask, carriers) in found.items():
        yield revocation_entry(signer, word, mask, carriers)


def _listed(entry: Entry) -> answers.Listed:
    return answers.Listed(short_id(SALT, entry.id), tuple(short_id(SALT, one) for one in entry.carriers))


def _exchanges(entries: dict[int, list[Entry]], held: list[Envelope]) -> list[tuple[str, bytes, bytes]]:
    found = [one for kind, own in entries.items() for one in _of_kind(kind, own)]
    return [*found, *_of_messages(entries[CONSENT], held)]


def _of_kind(kind: int, own: list[Entry]) -> list[tuple[str, bytes, bytes]]:
    below = [[one.id for one in own if node_at(3, one.place) == node] for node in range(8, 16)]
    prints = [fingerprint(SALT, sum_of(ids)) for ids in below]
    listed = [_listed(one) for one in sorted(own)]
    return [
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


def _of_messages(own: list[Entry], held: list[Envelope]) -> list[tuple[str, bytes, bytes]]:
    first = min((one for one in held if isinstance(one.message, Consent)), key=lambda one: one.digest)
    second = min(e.id for e in own if e.id > first.digest)
    other = next(encode(one) for one in held if one.digest == second)
    upper = [e.id for e in own if node_at(1, e.place) == 3 and e.id > second]
    by_digest = {one.digest: encode(one) for one in held}
    get = GetRequest(CONSENT, SALT, (1,), (short_id(SALT, first.digest),))
    whole = GetRequest(CONSENT, SALT, (node_at(40, digest_entry(first.digest).place),), ())
    nodes = tuple(range(8, 16))
    below = [[e.id for e in own if node_at(3, e.place) == node] for node in nodes]
    cells = [cell(node, sum_of(ids)) for node, ids in zip(nodes, below, strict=True)]
    given, over = answers.encode_messages([encode(first)]), answers.encode_messages([])
    return [
        ("get", encode_request(get), given),
        ("get all of a node", encode_request(whole), given),
        ("cells", encode_request(CellsRequest(CONSENT, nodes)), answers.encode_cells(cells)),
        (
            "range after a digest",
            encode_request(RangeRequest(1, node_at(40, int.from_bytes(second[:8])), first.digest)),
            answers.encode_messages([other]),
        ),
        (
            "range after nothing",
            encode_request(RangeRequest(1, node_at(40, int.from_bytes(second[:8])), b"")),
            answers.encode_messages([other]),
        ),
        (
            "range after the only one",
            encode_request(RangeRequest(1, node_at(40, int.from_bytes(second[:8])), second)),
            over,
        ),
        (
            "range of half of them, after the second",
            encode_request(RangeRequest(1, 3, second)),
            answers.encode_messages([by_digest[one] for one in sorted(upper)]),
        ),
        (
            "cells of level 3 and after it",
            encode_request(CellsRequest(CONSENT, nodes[1:4])),
            answers.encode_cells(cells[1:4]),
        ),
        ("range that is over", encode_request(RangeRequest(1, 1, b"\xff" * 32)), over),
        ("heed", encode_request(HeedRequest()), answers.encode_heed(HEEDED)),
        ("offer", encode_request(OfferRequest((encode(first), b"\0"))), answers.encode_taken([0, 1])),
    ]


def _exchange(name: str, question: bytes, answer: bytes, held: str = "messages") -> Json:
    """A request and its response; `held` names what the responder has: all of messages.json, or more."""
    return {"name": name, "held": held, "question": hex_text(question), "answer": hex_text(answer)}


def _entry(name: str, entry: Entry) -> Json:
    return {
        "message": name,
        "id": hex_text(entry.id),
        "place": hex_text(entry.place.to_bytes(8)),
        "short_id": hex_text(short_id(SALT, entry.id)),
    }


def _word(number: int) -> str:
    return hex_text(number.to_bytes(32))
