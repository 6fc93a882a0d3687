"""Handing in messages: 200 says that each is kept, and a revocation is acknowledged once and for all."""

from dataclasses import replace
from pathlib import Path

from sayso_node.errors import GossipDown
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.messages.wire import TOPICS, encode_bundle
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.text import acknowledgement_from_json
from support.fake_chain import FakeChain
from support.node_rig import ManualClock, consent, node_key, revocation
from support.protocol_strategies import NETWORK
from support.running_node import MSGPACK, RunningNode, running_node
from support.waiting import until

TRUSTED = NetworkFile(NETWORK, 1, 0, (Operator("rig", bytes(node_key("rig").verify_key)),))


async def test_what_is_taken_in_is_acknowledged_and_told(node: RunningNode) -> None:
    status, body = await node.submit(consent(1, sponsor=None), revocation("everything"))
    assert status == 200
    first, second = body["results"]
    assert first == {"digest": hex_text(consent(1).digest), "status": "stored"}
    assert (second["digest"], second["status"]) == (hex_text(revocation("everything").digest), "stored")
    signed = acknowledgement_from_json(second["acknowledgement"])
    assert signed.check(TRUSTED).name == "rig"
    assert signed.statement.digest == revocation("everything").digest
    await until(lambda: len(published(node)) == 2)
    assert set(published(node)) == {TOPICS[CONSENT].on(NETWORK), TOPICS[REVOCATION].on(NETWORK)}


def published(node: RunningNode) -> list[str]:
    return [topic for topic, _ in node.node._transport.published]  # type: ignore[attr-defined]


async def test_a_repeat_gets_the_first_acknowledgement_also_after_a_restart(tmp_path: Path) -> None:
    clock, chain, said = ManualClock(), FakeChain(), []
    for _ in range(2):
        async with running_node(tmp_path, clock=clock, chain=chain) as node:
            await node.submit(consent(1))  # or nobody here knows whom it is about
            for _ in range(2):
                status, body = await node.submit(revocation("everything"))
                assert status == 200
                said.append(body["results"][0])
                clock.time += 60
                chain.mine()
    assert [one["status"] for one in said] == ["stored", "known", "known", "known"]
    assert all(one["acknowledgement"] == said[0]["acknowledgement"] for one in said)


async def test_a_revocation_without_news_is_acknowledged_for_its_bits(node: RunningNode) -> None:
    base = consent(1).message.base  # type: ignore[attr-defined]
    await node.submit(consent(1), revocation(words={base: 3}))
    status, body = await node.submit(revocation(words={base: 1}))
    assert status == 200
    assert body["results"][0]["status"] == "known"
    signed = acknowledgement_from_json(body["results"][0]["acknowledgement"])
    assert signed.check(TRUSTED).name == "rig"
    assert signed.statement.digest == revocation(words={base: 1}).digest
    assert node.stored()["messages"] == 2


async def test_of_a_mixed_bundle_what_is_good_is_kept(node: RunningNode) -> None:
    forged = replace(consent(2), signature=bytes(64) + b"\x1b")
    early = consent(3, issued_at=1_760_000_000)
    bundle = [encode(one) for one in (consent(1), forged, early, revocation("everything"))]
    body = encode_bundle([*bundle, b"garbage"])
    status, answer = await node.ask("POST", "/v1/messages", data=body, headers=MSGPACK)
    assert status == 422
    results = answer["results"]
    assert [one["status"] for one in results] == ["stored", "refused", "refused", "stored", "refused"]
    codes = [one["error"]["code"] for one in results if "error" in one]
    assert codes == ["bad-signature", "from-the-future", "malformed"]
    assert results[2]["digest"] == hex_text(early.digest)
    assert results[4]["digest"] is None
    assert "acknowledgement" in results[3]
    assert node.stored()["messages"] == 2


async def test_a_peer_to_peer_process_that_is_down_costs_the_user_nothing(node: RunningNode) -> None:
    node.node._transport.failing = GossipDown("restarting")  # type: ignore[attr-defined]
    status, body = await node.submit(revocation("everything"), consent(1))
    assert status == 200
    assert "acknowledgement" in body["results"][0]


async def test_a_store_that_cannot_be_written_is_said_and_nothing_is_promised(node: RunningNode) -> None:
    node.node._store.stop()
    status, body = await node.submit(revocation("everything"))
    assert (status, body["error"]["code"]) == (503, "store-unusable")


async def test_a_revocation_of_what_is_unknown_is_no_promise_until_its_consent_comes(
    node: RunningNode,
) -> None:
    """Rule 7.14: 202 and no acknowledgement; sent again once it matters, it is acknowledged."""
    status, body = await node.submit(revocation("everything"))
    expected = {"digest": hex_text(revocation("everything").digest), "status": "pending"}
    assert (status, body) == (202, {"results": [expected]})
    assert node.stored()["acknowledgements"] == 0
    await node.submit(consent(1))
    status, body = await node.submit(revocation("everything"))
    assert (status, body["results"][0]["status"]) == (200, "known")
    assert "acknowledgement" in body["results"][0]
