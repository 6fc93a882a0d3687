"""The published traces are those of the store, whatever came first (section 15)."""

import json
from pathlib import Path
from typing import Any

import pytest

from node.store.harness import Tables
from node.store.test_sublicenses import give
from sayso_node.store.admission import revocations
from sayso_node.store.chain import block_dates, chain_state, relays
from sayso_node.store.chain.chain_state import Anchor
from sayso_node.store.interface import Writing
from sayso_node.store.statements import traces
from sayso_node.store.statements.traces import Held, Holder, TracedDispute, Used
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.messages.envelope import decode
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text, hex_text, sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.traces.duties import Block, Duty
from support.node_rig import NOW
from support.protocol_strategies import BEN, NETWORK

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/traces.json").read_text())
Json = dict[str, Any]
MANY = 100  # messages, of which another order would take long


def _read(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


ENVELOPES = [decode(_read(text), NETWORK) for text in VECTORS["envelopes"]]


def _name(block: int) -> bytes:
    return sha256(b"block %d" % block)


def _tell_chain(db: Writing, case: Json) -> None:
    for one in case["events"]:
        who = address_from_text(one["contributor"])
        word, mask = (int.from_bytes(_read(one[name])) for name in ("word", "bits"))
        relays.seen(db, one["block"], who, word, mask)
        revocations.add_chain_bits(db, who, {word: mask}, NOW)
    for place, one in enumerate(case["batches"]):
        batch = Batch(sha256(b"node %d" % place), tuple(map(hash_from_text, one["digests"])))
        chain_state.add_batch(db, batch, own=False)
        chain_state.add_anchor(db, Anchor(batch.root, BEN, one["block"], _name(one["block"])))
    for number, time in case["times"].items():
        block_dates.want(db, int(number), _name(int(number)))
        block_dates.date(db, ChainPoint(int(number), _name(int(number))), time)
    if case["final"] is not None:
        block_dates.set_final(db, Block(case["final"], case["times"][str(case["final"])]))


def _stated(one: Held | Used | TracedDispute) -> Json:
    digest = one.terms.digest if isinstance(one, Held) else one.digest
    return {"digest": hex_text(digest), "withdrawn": one.is_withdrawn}


def _line(one: Duty) -> Json:
    removal = one.confirmation
    return {
        "landing": one.revoked.number if one.revoked else None,
        "items": one.landing.items,
        "permissions": one.landing.permissions,
        "purposes": list(one.landing.purposes),
        "due": one.due,
        "standing": one.standing.value,
        "removal": hex_text(removal.digest) if removal else None,
        "confirmed": removal.anchored.time if removal and removal.anchored else None,
    }


def _holder(one: Holder) -> Json:
    return {
        "address": address_text(one.address),
        "sublicenses": [_stated(each) for each in one.held],
        "uses": [_stated(each) for each in one.uses],
        "lines": [_line(each) for each in one.duties],
    }


# A node never has a last final block without its time.
CASES = [one for one in VECTORS["traces"] if str(one["final"]) in one["times"] or one["final"] is None]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_published_trace(tables: Tables, case: Json) -> None:
    kept = [ENVELOPES[place] for place in case["kept"]]
    orders = [kept] if len(kept) > MANY else [kept, kept[::-1]]
    for order in orders:
        db = tables()
        give(db, order)
        _tell_chain(db, case)
        found = traces.trace(db, NETWORK, hash_from_text(case["license"]), bytes(20), 16)
        assert [_holder(one) for one in found.holders] == case["holders"]
        assert [_stated(one) for one in found.disputes] == case["disputes"]
