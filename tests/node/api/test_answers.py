"""What a node says of licenses, batches, checks and itself, over HTTP."""

import base64
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sayso_node.freshness import QUORUM
from sayso_node.supervision.counters import names
from sayso_protocol.ethereum.batches import AnchorProof, Batch
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import address_text, hash_from_text, hex_text
from sayso_protocol.receipts.receipt import check_results, join_rows
from sayso_protocol.receipts.text import receipt_from_json
from sayso_protocol.verdicts.verdict import Reason, Row
from support.fake_chain import SUBMITTER, FakeChain
from support.node_rig import NOW, ManualClock, consent, node_key, revocation
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK
from support.receipt_values import number_reasons
from support.running_node import RunningNode, running_node
from support.waiting import until

KEY = bytes(node_key("rig").verify_key)
TRUSTED = NetworkFile(NETWORK, 1, 0, (Operator("rig", KEY),))


def asking(*rows: Row, **changes: Any) -> dict[str, Any]:
    body = {
        "grantee": address_text(BEN),
        "purpose": "train-ai",
        "max_age_s": 600,
        "run_id": "run 7",
        "rows": [[hex_text(row.license), hex_text(row.item)] for row in rows],
    }
    return body | changes


async def current(node: RunningNode, clock: ManualClock) -> None:
    """Let the chain be read once more, after all that came before."""
    clock.time += 1
    node.chain.time = clock.time
    node.chain.mine()
    head = len(node.chain.blocks) - 1
    await until(lambda: node.node._freshness.head.point.number >= head)
    assert node.node._freshness.view(clock.now(), 600).silence is None


async def test_a_license(node: RunningNode) -> None:
    one = consent(1, count=3)
    await node.submit(one, revocation(f"file {hex_text(one.items[1])}"))
    await node.submit(revocation(words={one.message.base: 1}))  # type: ignore[attr-defined]
    status, body = await node.get(f"/v1/licenses/{hex_text(one.digest)}")
    assert status == 200
    assert decode(base64.b64decode(body["envelope"]), NETWORK) == one
    assert body["items"] == [hex_text(item) for item in one.items]
    assert body["consent"]["contributor"] == address_text(ADA)
    assert (body["permissions"], body["revoked_permissions"]) == (6, 3)
    assert (body["arrived_at"], body["anchor"]) == (NOW, None)


async def test_licenses_of_a_contributor(node: RunningNode) -> None:
    await node.submit(consent(2), consent(1), revocation("everything"))
    expected = [hex_text(consent(2).digest), hex_text(consent(1).digest)]
    for text in (address_text(ADA), address_text(ADA).lower()):
        status, body = await node.get(f"/v1/contributors/{text}/licenses")
        assert (status, [one["license"] for one in body["licenses"]]) == (200, expected)
        for one, sent in zip(body["licenses"], (consent(2), consent(1)), strict=True):
            assert decode(base64.b64decode(one["envelope"]), NETWORK) == sent
            permissions = len(sent.items) * len(as_kind(sent.message, Consent).purposes)
            assert (one["revoked_permissions"], one["anchor_block"]) == (permissions, None)
    status, body = await node.get(f"/v1/contributors/{address_text(CLEO)}/licenses")
    assert (status, body["licenses"]) == (200, [])


async def test_an_anchor_is_shown_with_its_proof_once_it_is_final(node: RunningNode) -> None:
    one = consent(1, sponsor=None)
    await node.submit(one)
    path = f"/v1/licenses/{hex_text(one.digest)}"
    await until(lambda: node.account.broadcasts)
    for _ in range(2):  # the block of the anchor, and one of the two that have to follow
        node.chain.mine()
        number = len(node.chain.blocks) - 1
        await until(lambda: node.node._freshness.head.point.number == number)  # noqa: B023
        _, body = await node.get(path)
        assert body["anchor"] is None
    node.chain.mine()
    await until(lambda: node.node._freshness.head.point.number == 3)
    _, body = await node.get(path)
    anchor = body["anchor"]
    assert (anchor["block_number"], anchor["submitter"]) == (1, address_text(SUBMITTER))
    said = anchor["proof"]
    proof = AnchorProof(
        bytes.fromhex(said["sponsor"]),
        said["count"],
        said["index"],
        tuple(hash_from_text(step) for step in said["path"]),
        hash_from_text(said["tree"]),
    )
    proof.check(one.digest, hash_from_text(anchor["root"]))
    assert proof.sponsor == KEY
    status, body = await node.get(f"/v1/batches/{anchor['root']}")
    batch = Batch(bytes.fromhex(body["sponsor"]), tuple(map(hash_from_text, body["licenses"])))
    assert (status, hex_text(batch.root)) == (200, anchor["root"])


async def test_a_check_is_answered_row_by_row_with_a_receipt(
    node: RunningNode, clock: ManualClock
) -> None:
    await node.submit(consent(1), consent(2), revocation(f"file {hex_text(consent(2).items[0])}"))
    await current(node, clock)
    rows = [Row(consent(n).digest, consent(n).items[0]) for n in (3, 1, 2, 1)]
    status, body = await node.ask("POST", "/v1/check", json=asking(*rows))
    assert (status, body["reasons"]) == (200, ["unknown", "granted", "revoked", "granted"])
    signed = receipt_from_json(body["receipt"])
    assert signed.check(TRUSTED).name == "rig"
    reasons = number_reasons(Reason(one) for one in body["reasons"])
    check_results(signed.statement, join_rows(rows), reasons)
    assert signed.statement.block.number == len(node.chain.blocks) - 1


async def test_a_node_may_sign_no_receipts(tmp_path: Path, clock: ManualClock) -> None:
    async with running_node(tmp_path, clock=clock, disabled=("receipts",)) as node:
        row = Row(consent(1).digest, consent(1).items[0])
        status, body = await node.ask("POST", "/v1/check", json=asking(row))
        assert (status, body) == (200, {"reasons": ["unknown"], "receipt": None})
        assert node.stored()["numbers"] == 0


async def test_everything_is_there_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    chain, rows = FakeChain(), [Row(consent(n).digest, consent(n).items[0]) for n in (1, 2)]
    answers, sequences = [], []
    for run in range(3):
        async with running_node(tmp_path, clock=clock, chain=chain) as node:
            if run == 0:
                await node.submit(consent(1), consent(2), revocation("via other.ai"))
                await node.submit(revocation(f"file {hex_text(consent(2).items[0])}"))
            await current(node, clock)
            _, body = await node.ask("POST", "/v1/check", json=asking(*rows))
            answers.append((body["reasons"], body["receipt"]["state"]))
            sequences.append(body["receipt"]["sequence"])
    assert answers[0][0] == ["granted", "revoked"]
    assert answers[1:] == answers[:1] * 2
    assert sequences == [1, 2, 3]


async def test_a_node_is_ready_when_chain_and_peers_were_read(tmp_path: Path) -> None:
    clock, chain = ManualClock(NOW + 500), FakeChain(NOW)
    async with running_node(tmp_path, clock=clock, chain=chain) as node:
        await until(lambda: node.node._freshness.head.time == NOW)
        status, body = await node.get("/readyz")  # its last block is old
        assert [one["code"] for one in body.pop("reasons")] == ["chain-frozen", "view-too-old"]
        assert set(body.pop("alarms")) <= {"chain-frozen"}
        expected = {"ready": False, "silence": "view-too-old", "parts_down": [], "marks_full": False}
        assert (status, body) == (503, expected)
        chain.time = clock.time
        chain.mine()
        await until(lambda: node.node._freshness.head.time == clock.time)
        _, body = await node.get("/readyz")
        assert set(body.pop("alarms")) <= {"chain-frozen"}  # until the next look
        quiet: dict[str, Any] = {"silence": None, "parts_down": [], "marks_full": False, "reasons": []}
        assert body == {"ready": True} | quiet
    assert QUORUM == 2


async def test_what_a_node_says_of_itself(node: RunningNode, clock: ManualClock) -> None:
    _, body = await node.get("/v1/node")
    assert (body["name"], body["node_key"], body["time"]) == ("rig", KEY.hex(), NOW)
    assert body["network"] == {"chain_id": 31_337, "registry": address_text(NETWORK.registry)}
    assert set(names()) <= set(body["counters"])
    await current(node, clock)
    _, body = await node.get("/v1/node")
    point = node.node._freshness.head.point
    assert body["block"] == {"number": point.number, "hash": hex_text(point.hash), "time": clock.time}
    status, body = await node.get("/v1/peers")
    assert (status, body) == (200, {"peers": []})


async def test_metrics_are_prometheus_text(node: RunningNode) -> None:
    await node.submit(consent(1), revocation("everything"))
    async with node.http.get(f"{node.url}/metrics") as response:
        assert response.content_type == "text/plain"
        families = {one.name: one for one in text_string_to_metric_families(await response.text())}
    assert {f"sayso_{name}" for name in names()} <= set(families)
    for name, count in {"intake_stored": 2, "http_consents": 1, "acknowledgements": 1}.items():
        family = families[f"sayso_{name}"]
        assert (family.type, family.documentation) == ("counter", names()[name])
        [sample] = family.samples
        assert (sample.name, sample.value) == (f"sayso_{name}_total", count)


@pytest.mark.parametrize("path", ["/v1/node", "/healthz", "/metrics", "/v1/peers"])
async def test_head_is_get_without_a_body(node: RunningNode, path: str) -> None:
    async with node.http.head(node.url + path) as response:
        assert response.status == 200
        assert await response.read() == b""
