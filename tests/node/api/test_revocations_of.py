"""What an address has revoked, as a node knows it: a page at a time, each signed and complete."""

import base64
from typing import Any

from sayso_node.api.routes.revocations import REVOCATIONS
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_text, hex_text
from support.fake_chain import revoked
from support.node_rig import consent, revocation
from support.protocol_strategies import ADA, BEN, NETWORK
from support.running_node import RunningNode

OF_ADA = f"/v1/contributors/{address_text(ADA)}/revocations"
OF_BEN = f"/v1/contributors/{address_text(BEN)}/revocations"


async def test_all_revocations_of_a_signer_in_bounded_pages(node: RunningNode) -> None:
    await node.submit(consent(1))
    stops = [revocation(f"everything for use-{number:02}") for number in range(2 * REVOCATIONS + 3)]
    others = revocation("everything", contributor=BEN)
    await node.submit(*stops, others)
    pages: list[list[dict[str, Any]]] = []
    cursor = ""
    while cursor is not None:
        _, body = await node.get(OF_ADA + (f"?cursor={cursor}" if cursor else ""))
        pages.append(body["revocations"])
        cursor = body["next"]
    assert [len(page) for page in pages] == [REVOCATIONS, REVOCATIONS, 3]
    listed = [one for page in pages for one in page]
    assert [one["digest"] for one in listed] == [hex_text(one.digest) for one in stops]
    for one, stop in zip(listed, stops, strict=True):
        assert decode(base64.b64decode(one["envelope"]), NETWORK).digest == stop.digest
        assert one["revocation"]["scopes"] == list(stop.message.scopes)
    status, body = await node.get(f"{OF_ADA}?limit={REVOCATIONS + 1}")
    assert (status, body["error"]["code"]) == (400, "bad-request")


async def test_what_is_pending_is_not_listed_and_what_landed_says_where(node: RunningNode) -> None:
    stop = revocation("everything")
    await node.submit(stop)  # no license that it covers is known
    assert (await node.get(OF_ADA))[1]["revocations"] == []
    await node.submit(consent(1))
    [one] = (await node.get(OF_ADA))[1]["revocations"]
    assert (one["on_chain"], one["chain_block"]) == (False, None)
    assert isinstance(stop.message, Revocation)
    for word, mask in stop.message.bits.items():
        node.chain.mine(revoked(ADA, word, mask))
    while not one["on_chain"]:  # the test's own limit ends this
        [one] = (await node.get(OF_ADA))[1]["revocations"]
    assert one["chain_block"] == len(node.chain.blocks) - 1
    assert (await node.get(OF_BEN))[1] == {"revocations": [], "next": None}
