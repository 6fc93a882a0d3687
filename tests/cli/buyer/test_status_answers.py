"""NodeClient.status: one verified answer, or an error with a code."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from nacl.signing import SigningKey

from cli.conftest import World
from sayso.errors import BadAnswer, NodeRefused, OtherNonce, ReceiptNotFresh
from sayso.node_client.client import NodeClient
from sayso.node_client.status import StatusQuestion, VerifiedStatus
from sayso_protocol.errors import BadProof, BadSignature, Malformed, SaysoError, UnknownSigner
from sayso_protocol.primitives import hash_from_text
from sayso_protocol.receipts.receipt import Signed, sign_statement
from sayso_protocol.receipts.status import (
    StatusMoment,
    sign_statuses,
    status_from_json,
    status_to_json,
)
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.fake_node import FakeNode
from support.protocol_strategies import BEN

OTHER = SigningKey(b"o" * 32)
ROOT = "0x" + "ab" * 32


def question(world: World, name: str, **changes: Any) -> StatusQuestion:
    found = next(one for one in world.rows("m.jsonl") if one["file"] == name)
    row = Row(hash_from_text(found["license"]), hash_from_text(found["item"]))
    return StatusQuestion(row, Query(bytes(20), changes.get("purpose", "train-ai")), 60)


def ask(world: World, asked: StatusQuestion, **options: Any) -> VerifiedStatus:
    async def run() -> VerifiedStatus:
        async with NodeClient(world.node.url, world.node.trusted, **options) as node:
            return await node.status(asked)

    return asyncio.run(run())


@pytest.fixture
def granted(world: World) -> World:
    world.grant("a.jpg", "b.jpg")
    world.run("revoke", "--file", "b.jpg", "--key", world.key, "--yes")
    return world


def test_a_status_is_answered_and_signed(granted: World) -> None:
    clear, revoked = (ask(granted, question(granted, name)) for name in ("a.jpg", "b.jpg"))
    assert (clear.reason, revoked.reason) == (Reason.GRANTED, Reason.REVOKED)
    assert clear.operator.name == "Fake"
    other = ask(granted, question(granted, "a.jpg", purpose="resale"))
    assert other.reason is Reason.PURPOSE_NOT_GRANTED


def resigned(node: FakeNode, key: SigningKey, **changes: Any) -> Callable[[Any], Any]:
    """Change fields of the head and sign it again: a node that lies, not one on the way."""

    def change(answer: dict[str, Any]) -> dict[str, Any]:
        read = status_from_json(answer | changes)
        head: Signed[Any] = sign_statement(key, read.head.statement)
        return answer | changes | {"signature": "0x" + head.signature.hex()}

    return change


Lie = Callable[[FakeNode], Callable[[Any], Any]]
LIES: dict[str, tuple[type[SaysoError], Lie]] = {
    "an empty object": (Malformed, lambda _: lambda _a: {}),
    "no JSON": (BadAnswer, lambda _: lambda _a: "<html>it works</html>"),
    "another type": (Malformed, lambda _: lambda a: a | {"type": "sayso-receipt-1"}),
    "revoked called granted": (BadProof, lambda _: lambda a: a | {"reason": "granted"}),
    "a reason nobody knows": (Malformed, lambda _: lambda a: a | {"reason": "fine"}),
    "a broken signature": (BadSignature, lambda _: lambda a: a | {"signature": "0x" + "00" * 64}),
    "another head": (BadSignature, lambda _: lambda a: a | {"state": ROOT}),
    "another root, signed": (BadProof, lambda n: resigned(n, n.key, root=ROOT)),
    "another's signature": (BadSignature, lambda n: resigned(n, OTHER)),
    "an unknown key": (
        UnknownSigner,
        lambda n: resigned(n, OTHER, node_key=bytes(OTHER.verify_key).hex()),
    ),
    "an old answer": (ReceiptNotFresh, lambda n: resigned(n, n.key, time=1_700_000_000)),
    "a future answer": (ReceiptNotFresh, lambda n: resigned(n, n.key, time=4_700_000_000)),
    "a refusal": (
        NodeRefused,
        lambda _: lambda _a: {"error": {"code": "internal", "message": "a fault"}},
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_an_answer_that_is_not_proved_is_not_used(granted: World, name: str) -> None:
    error, lie = LIES[name]
    change = lie(granted.node)
    granted.node.twist = lambda route, answer: change(answer) if route == "status" else answer
    with pytest.raises(error):
        ask(granted, question(granted, "b.jpg"))


def test_an_answer_for_another_question_is_not_used(granted: World) -> None:
    kept: list[Any] = []

    def keep(route: str, answer: Any) -> Any:
        if route == "status":
            kept.append(answer)
        return kept[0] if route == "status" else answer

    granted.node.twist = keep
    assert ask(granted, question(granted, "a.jpg")).reason is Reason.GRANTED
    assert status_to_json(status_from_json(kept[0])) == kept[0]
    for other in (question(granted, "b.jpg"), question(granted, "a.jpg", purpose="resale")):
        with pytest.raises(BadAnswer):
            ask(granted, other)


def test_an_answer_under_another_list_is_not_used(granted: World) -> None:
    """Rule 9.9.3: a list that was given must be the one that was applied."""
    asked = question(granted, "a.jpg")
    for heed in ((), (BEN,)):
        mine = replace(asked, query=replace(asked.query, heed=heed))
        assert ask(granted, mine).answer.status.query.heed == heed

        def without_list(route: str, answer: Any, mine: Any = mine, heed: Any = heed) -> Any:
            if route != "status":
                return answer
            kept = status_from_json(answer)
            status = kept.status._replace(query=replace(mine.query, heed=() if heed else (BEN,)))
            head = kept.head.statement
            moment = StatusMoment(head.network, head.state, head.block, head.time)
            return status_to_json(sign_statuses(granted.node.key, moment, [status])[0])

        granted.node.twist = without_list
        with pytest.raises(BadAnswer):
            ask(granted, mine)
        granted.node.twist = None


def test_a_replayed_answer_is_not_used(granted: World) -> None:
    """Rule 9.9.5: the answer of a moment ago is not the answer to a new question."""
    kept: list[Any] = []

    def replay(route: str, answer: Any) -> Any:
        kept.extend([answer] if route == "status" and not kept else [])
        return kept[0] if route == "status" else answer

    granted.node.twist = replay
    assert ask(granted, question(granted, "a.jpg")).reason is Reason.GRANTED
    with pytest.raises(OtherNonce):
        ask(granted, question(granted, "a.jpg"))
    nonce = bytes.fromhex(kept[0]["nonce"][2:])  # only a client that repeats its nonce would take it
    assert ask(granted, question(granted, "a.jpg"), random=lambda _: nonce).reason is Reason.GRANTED


def test_every_question_has_a_nonce_of_its_own(granted: World) -> None:
    found = [ask(granted, question(granted, "a.jpg")).answer.status.nonce for _ in range(3)]
    assert {len(one) for one in found} == {16}
    assert len(set(found)) == 3


@pytest.mark.parametrize(("max_age_s", "most_s"), [(0, 0), (1, 1), (60, 60), (600, 600), (3_600, 600)])
def test_an_answer_is_believed_for_its_maximum_age(granted: World, max_age_s: int, most_s: int) -> None:
    """Rules 9.9.6 and 9.9.7: the least of the maximum age and ten minutes; ten minutes ahead."""
    times: list[int] = []

    def note(route: str, answer: Any) -> Any:
        times.extend([answer["time"]] if route == "status" else [])
        return answer

    granted.node.twist = note
    asked = replace(question(granted, "a.jpg"), max_age_s=max_age_s)
    for late in (most_s, -600):
        assert (
            ask(granted, asked, clock=lambda late=late: times[-1] + late + 0.9).operator.name == "Fake"
        )
    for late in (most_s + 1, -601):
        with pytest.raises(ReceiptNotFresh):
            ask(granted, asked, clock=lambda late=late: times[-1] + late)


def test_nothing_is_asked_of_a_node_of_another_network(granted: World) -> None:
    granted.node.twist = lambda route, a: (
        a | {"network": a["network"] | {"chain_id": 1}} if route == "node" else a
    )
    with pytest.raises(SaysoError):
        ask(granted, question(granted, "a.jpg"))
    assert "status" not in granted.node.asked
