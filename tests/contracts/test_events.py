"""Logs read back, in JSON form and as web3 hands them on, from an endpoint that may lie."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web3.types import RPCEndpoint

from contracts.harness import Chain
from sayso_contracts.errors import BadLog
from sayso_contracts.registry.client import Registry
from sayso_contracts.registry.events import (
    ANCHORED_TOPIC,
    ENDORSED_TOPIC,
    REVOKED_TOPIC,
    Anchored,
    Endorsed,
    Revoked,
    decode_log,
    log_filter,
)
from sayso_protocol.primitives import address_from_text, hex_text
from support.waiting import DEADLINE_S

REGISTRY = b"\xaa" * 20
CONTRIBUTOR = b"\xbb" * 20
WORD, BITS = 2**247 + 3, 6


def raw_log(**changes: Any) -> dict[str, Any]:
    log: dict[str, Any] = {
        "address": hex_text(REGISTRY),
        "topics": [hex_text(REVOKED_TOPIC), hex_text(CONTRIBUTOR.rjust(32, b"\0"))],
        "data": hex_text(WORD.to_bytes(32) + BITS.to_bytes(32)),
        "blockNumber": "0x10",
        "blockHash": "0x" + "11" * 32,
        "transactionHash": "0x" + "22" * 32,
        "logIndex": "0x2",
        "removed": False,
    }
    return {**log, **changes}


EXPECTED = Revoked(
    block_number=16,
    block_hash=b"\x11" * 32,
    log_index=2,
    tx_hash=b"\x22" * 32,
    contributor=CONTRIBUTOR,
    word=WORD,
    bits=BITS,
)


def test_a_revocation_is_read() -> None:
    assert decode_log(raw_log()) == EXPECTED
    assert decode_log(raw_log(), REGISTRY) == EXPECTED


def test_an_endorsement_is_read() -> None:
    topics = [hex_text(ENDORSED_TOPIC), hex_text(CONTRIBUTOR.rjust(32, b"\0")), "0x" + "cc" * 32]
    event = decode_log(raw_log(topics=topics, data="0x"))
    assert isinstance(event, Endorsed)
    assert (event.signer, event.digest, event.block_number) == (CONTRIBUTOR, b"\xcc" * 32, 16)
    with pytest.raises(BadLog):
        decode_log(raw_log(topics=topics[:2], data="0x"))
    with pytest.raises(BadLog):
        decode_log(raw_log(topics=topics, data="0x" + "00" * 32))


def test_an_anchor_is_read() -> None:
    topics = [hex_text(ANCHORED_TOPIC), "0x" + "cc" * 32, hex_text(CONTRIBUTOR.rjust(32, b"\0"))]
    event = decode_log(raw_log(topics=topics, data="0x"))
    assert isinstance(event, Anchored)
    assert (event.root, event.submitter) == (b"\xcc" * 32, CONTRIBUTOR)


def test_what_is_not_ours_is_nothing() -> None:
    assert decode_log(raw_log(topics=[])) is None
    assert decode_log(raw_log(topics=["0x" + "dd" * 32])) is None
    assert decode_log(raw_log(), b"\xab" * 20) is None
    assert decode_log(raw_log(removed=True)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"topics": [hex_text(REVOKED_TOPIC)]},
        {"topics": [*raw_log()["topics"], "0x" + "00" * 32]},
        {"topics": [hex_text(REVOKED_TOPIC), "0x" + "ff" * 32]},
        {"topics": [hex_text(REVOKED_TOPIC), "0x00"]},
        {"data": "0x" + "ff" * 64},
        {"data": raw_log()["data"] + "00" * 32},
        {"topics": None},
        {"data": "0x"},
        {"data": "0x00"},
        {"data": "no hexadecimal digits"},
        {"blockNumber": None},
        {"blockHash": "0x11"},
        {"logIndex": "many"},
        {"logIndex": True},
        {"blockNumber": -1},
        {"data": 10**12},
        {"transactionHash": None},
    ],
)
def test_what_the_contract_cannot_have_written_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadLog):
        decode_log(raw_log(**changes))


def test_a_missing_field_is_refused() -> None:
    for field in ("topics", "data", "blockNumber", "blockHash", "logIndex", "transactionHash"):
        log = raw_log()
        del log[field]
        with pytest.raises(BadLog):
            decode_log(log)


JSON = st.none() | st.booleans() | st.integers() | st.text(max_size=80) | st.binary(max_size=80)


@given(st.dictionaries(st.sampled_from(sorted(raw_log())), JSON | st.lists(JSON, max_size=4)))
def test_no_endpoint_raises_anything_else(changes: dict[str, Any]) -> None:
    try:
        event = decode_log(raw_log(**changes))
    except BadLog:
        return
    assert event is None or isinstance(event, Revoked)


async def test_both_forms_of_a_real_log_are_read(registry: Registry, chain: Chain) -> None:
    call = registry.revoke_many([1, 2, 1], [1, 2, 5])
    receipt = await registry.wait(await registry.send(call, chain.account), DEADLINE_S)
    await registry.wait(await registry.send(registry.anchor(b"\1" * 32), chain.account), DEADLINE_S)
    await registry.wait(await registry.send(registry.endorse(b"\2" * 32), chain.account), DEADLINE_S)
    last = await chain.w3.eth.block_number
    filter_ = log_filter(address_from_text(registry.address), 0, last)
    as_json = await chain.w3.manager.coro_request(RPCEndpoint("eth_getLogs"), [filter_])
    as_web3 = await chain.w3.eth.get_logs(filter_)  # type: ignore[arg-type]
    events = [decode_log(log, address_from_text(registry.address)) for log in as_json]
    assert events == [decode_log(log) for log in as_web3]
    me = address_from_text(chain.account.address)
    place: dict[str, Any] = {
        "block_number": receipt.block_number,
        "block_hash": receipt.block_hash,
        "tx_hash": receipt.tx_hash,
        "contributor": me,
    }
    assert events[:3] == [
        Revoked(**place, log_index=0, word=1, bits=1),
        Revoked(**place, log_index=1, word=2, bits=2),
        Revoked(**place, log_index=2, word=1, bits=4),
    ]
    assert isinstance(events[3], Anchored)
    assert (events[3].root, events[3].submitter) == (b"\1" * 32, me)
    assert isinstance(events[4], Endorsed)
    assert (events[4].signer, events[4].digest) == (me, b"\2" * 32)
    assert len(events) == 5
