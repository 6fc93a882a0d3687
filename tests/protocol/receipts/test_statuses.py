"""Status answers: one signature for many, each checked alone (rules 9.8 to 9.10)."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import BadProof, BadSignature, SaysoError, UnknownSigner, WrongNetwork
from sayso_protocol.network import Network
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint, Signed
from sayso_protocol.receipts.status import (
    Status,
    StatusAnswer,
    StatusMoment,
    sign_statuses,
    status_from_json,
    status_to_json,
)
from sayso_protocol.signatures.nodes import RECEIPT, sign_by_node
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.json_places import at, leaves, other_values, with_value, without
from support.packed import unpack
from support.protocol_strategies import ADA, BEN, NETWORK, NODE, addresses, hashes, purposes
from support.statements import OTHER_KEY, OTHER_NODE, TRUSTED, heeds, numbers, points

statuses = st.builds(
    Status,
    st.builds(Row, hashes, hashes),
    st.builds(Query, addresses, purposes, heeds),
    numbers,
    st.binary(max_size=32),
    st.sampled_from(Reason),
    numbers,
)
moments = st.builds(StatusMoment, st.just(NETWORK), hashes, points, numbers)
batches = st.lists(statuses, min_size=1, max_size=40)

HEED = tuple(sorted((ADA, BEN)))
MOMENT = StatusMoment(NETWORK, b"\x02" * 32, ChainPoint(19, b"\x05" * 32), 1_750_000_000)
FIVE = [
    Status(
        Row(sha256(b"%d" % n), sha256(b"item")),
        Query(ADA, "train-ai", HEED),
        60,
        b"n",
        Reason.REVOKED,
        0,
    )
    for n in range(5)
]
ANSWERS = sign_statuses(NODE, MOMENT, FIVE)
ANSWER = ANSWERS[1]
JSON = status_to_json(ANSWER)


@given(moments, batches)
def test_every_answer_of_a_moment_is_checked_alone(moment: StatusMoment, asked: list[Status]) -> None:
    answers = sign_statuses(NODE, moment, asked)
    assert [one.status for one in answers] == asked
    assert len({one.head.signature for one in answers}) == 1
    for one in answers:
        assert one.check(TRUSTED).name == "north"
        assert status_from_json(json.loads(json.dumps(status_to_json(one)))) == one


def test_what_is_signed_is_as_documented() -> None:
    head, status = ANSWER.head.statement, ANSWER.status
    assert unpack(status.content()) == [*status.row, ADA, "train-ai", 60, b"n", 2, 0, [*HEED]]
    assert unpack(head.content()) == [
        [NETWORK.chain_id, NETWORK.registry],
        bytes(NODE.verify_key),
        head.root,
        5,
        MOMENT.state,
        [19, MOMENT.block.hash],
        MOMENT.time,
    ]


CHANGED_LEAVES: dict[str, Any] = {
    "row": Row(ANSWER.status.row.license, sha256(b"other")),
    "query": Query(BEN, "train-ai"),
    "max_age_s": 61,
    "nonce": b"m",
    "reason": Reason.GRANTED,
    "until": 1_750_604_800,
}


@pytest.mark.parametrize("name", CHANGED_LEAVES)
def test_a_changed_leaf_fails(name: str) -> None:
    changed = ANSWER.status._replace(**{name: CHANGED_LEAVES[name]})
    with pytest.raises(BadProof):
        ANSWER._replace(status=changed).check(TRUSTED)


def test_every_field_of_a_leaf_was_changed_above() -> None:
    assert set(CHANGED_LEAVES) == set(Status._fields)


@pytest.mark.parametrize("index", [-1, 0, 2, 4, 5])
def test_another_place_fails(index: int) -> None:
    with pytest.raises(BadProof):
        ANSWER._replace(index=index).check(TRUSTED)


@pytest.mark.parametrize("path", [(), ANSWER.path[:-1], (*ANSWER.path, bytes(32)), ANSWER.path[::-1]])
def test_another_path_fails(path: tuple[bytes, ...]) -> None:
    with pytest.raises(BadProof):
        ANSWER._replace(path=path).check(TRUSTED)


HEADS: list[tuple[str, Any, type[SaysoError]]] = [
    ("network", Network(1, NETWORK.registry), WrongNetwork),
    ("node_key", b"\x01" * 32, UnknownSigner),
    ("node_key", OTHER_KEY, BadSignature),
    ("root", bytes(32), BadSignature),
    ("count", 6, BadSignature),
    ("state", bytes(32), BadSignature),
    ("block", ChainPoint(20, MOMENT.block.hash), BadSignature),
    ("time", 1_750_000_001, BadSignature),
]


@pytest.mark.parametrize(("name", "value", "error"), HEADS)
def test_a_changed_head_fails(name: str, value: Any, error: type[SaysoError]) -> None:
    head = replace(ANSWER.head.statement, **{name: value})
    with pytest.raises(error):
        ANSWER._replace(head=Signed(head, ANSWER.head.signature)).check(TRUSTED)


def test_every_field_of_a_head_was_changed_above() -> None:
    assert {name for name, *_ in HEADS} == set(ANSWER.head.statement.__dataclass_fields__)


def test_signing_for_another_node_or_as_another_thing_fails() -> None:
    theirs = sign_statuses(OTHER_NODE, MOMENT, FIVE)[1]
    with pytest.raises(BadProof):
        StatusAnswer(FIVE[0], theirs.head, 1, theirs.path).check(TRUSTED)
    head = ANSWER.head.statement
    with pytest.raises(BadSignature):
        ANSWER._replace(head=Signed(head, sign_by_node(NODE, RECEIPT, head.content()))).check(TRUSTED)


def test_the_file_is_as_documented() -> None:
    assert list(JSON) == [
        "type", "network", "node_key", "root", "count", "state", "block", "time", "license", "item",
        "grantee", "purpose", "max_age_s", "nonce", "reason", "until", "heed", "index",
        "path", "signature",
    ]  # fmt: skip
    assert JSON["type"] == "sayso-status-1"


@pytest.mark.parametrize("path", list(leaves(JSON)), ids=".".join)
def test_any_changed_place_of_a_file_is_found(path: tuple[str, ...]) -> None:
    for value in other_values(at(JSON, path)):
        with pytest.raises(SaysoError):
            status_from_json(with_value(JSON, path, value)).check(TRUSTED)
    with pytest.raises(SaysoError):
        status_from_json(without(JSON, path)).check(TRUSTED)
