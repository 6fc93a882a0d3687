"""What a contributor's page asks a node for: licenses in one list, and how far a revocation has come."""

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.primitives import address_text, hex_text
from support.fake_chain import revoked
from support.fake_network import no_answer
from support.node_rig import consent, revocation
from support.protocol_strategies import ADA, NETWORK
from support.running_node import RunningNode


async def test_licenses_are_listed_with_what_they_allow(node: RunningNode) -> None:
    envelopes = [consent(number, count=number) for number in (1, 2, 3)]
    await node.submit(*envelopes)
    path = f"/v1/contributors/{address_text(ADA)}/consents"
    _, first = await node.get(f"{path}?limit=2")
    _, second = await node.get(f"{path}?limit=2&cursor={first['next']}")
    listed = [*first["consents"], *second["consents"]]
    assert [one["license"] for one in listed] == [hex_text(one.digest) for one in reversed(envelopes)]
    assert [one["consent"]["items"] for one in listed] == [3, 2, 1]  # the newest first
    assert second["next"] is None
    assert "items" not in listed[0]


async def test_which_permissions_are_revoked_is_told(node: RunningNode) -> None:
    held = consent(1, count=200)
    await node.submit(held)
    assert isinstance(held.message, Consent)
    base, width = held.message.base, len(held.message.purposes)
    await node.submit(revocation(words={base: 0b101}))
    _, told = await node.get(f"/v1/licenses/{hex_text(held.digest)}")
    assert len(told["revoked_masks"]) == -(-200 * width // 256)
    assert [int(mask) for mask in told["revoked_masks"]][:2] == [0b101, 0]
    await node.submit(revocation(f"file {hex_text(held.items[0])}"))
    _, told = await node.get(f"/v1/licenses/{hex_text(held.digest)}")
    assert int(told["revoked_masks"][0]) == 0b101 | (1 << width) - 1
    assert told["revoked_permissions"] == int(told["revoked_masks"][0]).bit_count()


async def test_how_far_a_revocation_has_come(node: RunningNode) -> None:
    stop = revocation("everything")
    name = hex_text(digest(stop.message, NETWORK))
    status, body = await node.get(f"/v1/revocations/{name}")
    assert (status, body["error"]["code"]) == (404, "not-found")
    await node.submit(stop)
    _, told = await node.get(f"/v1/revocations/{name}")
    assert (told["status"], told["acknowledgement"], told["on_chain"]) == ("pending", None, False)
    await node.submit(consent(1))
    _, told = await node.get(f"/v1/revocations/{name}")
    assert (told["status"], told["acknowledgement"]["digest"], told["on_chain"]) == (
        "stored",
        name,
        False,
    )
    assert isinstance(stop.message, Revocation)
    assert told["chain_block"] is None
    for word, mask in stop.message.bits.items():
        node.chain.mine(revoked(ADA, word, mask))
    while not told["on_chain"]:  # the test's own limit ends this
        _, told = await node.get(f"/v1/revocations/{name}")
    landed = len(node.chain.blocks) - 1
    assert (told["chain_block"], told["block"]["number"]) == (landed, landed)
    node.chain.mine()
    while told["block"]["number"] == landed:
        _, told = await node.get(f"/v1/revocations/{name}")
    assert told["chain_block"] == landed
    node.chain.drop(len(node.chain.blocks) - landed)  # a reorganisation
    for _ in range(3):
        node.chain.mine()
    while told["on_chain"]:
        _, told = await node.get(f"/v1/revocations/{name}")
    assert told["chain_block"] is None


async def test_to_how_many_peers_a_revocation_was_sent(node: RunningNode) -> None:
    stop = revocation("everything")
    peers = ("one", "two")
    for name in peers:
        node.board.add_peer(name, no_answer)
    await node.submit(consent(1), stop)
    told = {"sent_to": None}
    while told["sent_to"] is None:
        _, told = await node.get(f"/v1/revocations/{hex_text(stop.digest)}")
    assert told["sent_to"] == len(peers)
