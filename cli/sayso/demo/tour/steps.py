"""The steps of the demo, in order. Each returns one sentence about its result, or raises.

A step about a channel also reads the node's counter of that channel, so that a message that came another
way does not pass for one that came by gossip.
"""

import asyncio
import time
from functools import partial
from pathlib import Path

from sayso.contributor.onchain import revoke_on_chain
from sayso.contributor.revoking import license_masks, revoke_masks, revoke_scopes
from sayso.demo.nodes import NAMES
from sayso.demo.opening import OPENING
from sayso.demo.stage import MAX_AGE_S, Step
from sayso.demo.tour.passing import sell_on, show_trace, take_back
from sayso.demo.tour.people import CLONING, MARKET, TRAINING, ManifestRow, three_items
from sayso.demo.tour.stage import Tour
from sayso.errors import DemoFailed
from sayso.gate.formats.json_rows import granted_lines
from sayso.gate.gate import Gate
from sayso.gate.records.receipts import read_receipt, verify_receipt
from sayso.gate.records.record import Record
from sayso.gate.running import GateFiles
from sayso.networks import load_network
from sayso.node_client.answers import Anchored
from sayso.node_client.transport import Transport
from sayso.outputs import write_file
from sayso_node.api.schema.about import NodeJson
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import of_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import Scope
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import address_from_text
from sayso_protocol.verdicts.verdict import License, Reason, Row


async def sign_consents(stage: Tour) -> str:
    """Step 3: sign consents and submit them to A."""
    people, network = stage.people, stage.trusted.network
    own = people.license_folder(network, stage.options.data)
    stage.consents = [*own, *people.license_call(network, stage.folder / "people")]
    await stage.submit("A", stage.consents)
    items = len({one.row.item for one in people.own})
    return (
        f"{len(people.own)} files with {items} different items need {len(own)} consent(s) for two"
        f" purposes; two other people signed {len(stage.consents) - len(own)}; A received all of them"
    )


async def hear_by_gossip(stage: Tour) -> str:
    """Step 4, first half: B and C receive the consents by gossip."""
    heard = {}
    for name in NAMES[1:]:
        heard[name] = await stage.until(
            f"{name} receives consents by gossip", partial(stage.counter, name, "gossip_consents")
        )
        for envelope in stage.consents:
            await stage.until(f"{name} stores every license", partial(_holds, stage, name, envelope))
    counts = " and ".join([f"{name} received {count}" for name, count in heard.items()])
    return f"{counts} consents by gossip, and both store all {len(stage.consents)}"


async def _holds(stage: Tour, name: str, envelope: Envelope) -> bool:
    message = envelope.message
    async with stage.nodes[name].client(stage.trusted) as client:
        held = await client.licenses_of(message.signer)
    return any(one.hash == envelope.digest for one in held)


async def see_anchored(stage: Tour) -> str:
    """Step 4, second half: C answers with proofs of anchoring, and the client verifies each."""
    roots, longest = set(), 0
    for envelope in stage.consents:
        held = await stage.until("C sees the license anchored", partial(_anchored, stage, envelope))
        roots.add(held.root)
        longest = max(longest, len(held.proof.path))
    if len(roots) != 1 or not longest:
        raise DemoFailed(f"{len(roots)} batches, longest path {longest}: one batch was expected")
    if not await stage.counter("C", "batches_fetched"):
        raise DemoFailed("C did not fetch the batch")
    return (
        f"one root anchors {len(stage.consents)} license hashes; C fetched the batch from A and"
        f" checked paths of up to {longest} hashes against its own view of the chain"
    )


async def _anchored(stage: Tour, envelope: Envelope) -> Anchored | None:
    async with stage.nodes["C"].client(stage.trusted) as client:
        return (await client.license(envelope.digest)).anchor


async def check_manifest(stage: Tour) -> str:
    """Step 5: check a manifest and verify the receipt, like `sayso check` and `sayso receipt verify`."""
    folder = stage.folder
    rows = stage.people.manifest
    lines = granted_lines((str(one.file), one.row.item, one.row.license) for one in rows)
    write_file(folder / "manifest.jsonl", b"".join(lines))
    record = await asyncio.to_thread(_run_gate, stage, folder)
    if record.counts != {Reason.GRANTED.value: len(rows)}:
        raise DemoFailed(f"not all of {len(rows)} rows are clear: {record.counts}")
    trusted = load_network(folder / "network.toml")
    receipt = read_receipt(folder / "receipt.json")
    operator = verify_receipt(receipt, trusted, folder / "manifest.jsonl", folder / "rejected.jsonl")
    return f"all {len(rows)} rows are clear; the receipt of node {operator.name} verifies offline"


def _run_gate(stage: Tour, folder: Path) -> Record:
    query = stage.people.query(TRAINING)
    files = GateFiles(folder / "kept.jsonl", folder / "rejected.jsonl", folder / "receipt.json")
    with Gate(
        query.grantee,
        query.purpose,
        network=stage.trusted,
        nodes=[stage.nodes["C"].url],
        max_age_s=MAX_AGE_S,
        run_id="demo run 1",
        wait_s=20.0,
    ) as gate:
        return gate.check(folder / "manifest.jsonl", files)


async def revoke_three(stage: Tour) -> str:
    """Step 6: revoke three files with one signature and no gas."""
    people = stage.people
    stage.chosen = three_items(people.own)
    revocations = _revoke_items(stage, stage.chosen)
    rows = [one.row for one in people.own if one.row.item in stage.chosen]
    begun = time.monotonic()
    answer = await stage.hand_in("B", people.contributor, *revocations)

    async def all_refused() -> bool:
        reasons = (await stage.ask("C", TRAINING, rows)).reasons
        return set(reasons) == {Reason.REVOKED}

    await stage.until("C refuses the files", all_refused)
    seconds = time.monotonic() - begun
    await _expect_refused(stage, "C", TRAINING, _rows_with(people.own, stage.chosen))
    if not await stage.counter("C", "gossip_revocations"):
        raise DemoFailed("C did not receive the revocation by gossip")
    signer = answer.operator.name if answer.operator else "nobody"
    return (
        f"node {signer} acknowledged the revocation; C refuses exactly {len(rows)} rows,"
        f" {seconds * 1000:.0f} ms after the signature"
    )


def _revoke_items(stage: Tour, items: list[bytes]) -> list[Revocation]:
    """Return the fewest revocations that cover these items in all their licenses."""
    masks: Masks = {}
    for envelope, consent in of_kind(stage.consents, Consent):
        if set(items) & set(envelope.items):
            held = License(consent, envelope.items)
            masks |= license_masks(held, [item for item in items if held.position_of(item) is not None])
    return revoke_masks(address_from_text(stage.people.contributor.address), masks)


def _rows_with(rows: list[ManifestRow], items: list[bytes]) -> set[int]:
    return {index for index, one in enumerate(rows) if one.row.item in items}


async def _expect_refused(stage: Tour, node: str, purpose: str, expected: set[int]) -> None:
    refused = await stage.refused(node, purpose)
    if refused != expected:
        seen = "other reasons than revoked" if refused is None else f"{len(refused)} rows refused"
        raise DemoFailed(f"{node}, {purpose}: {seen}, expected {len(expected)} revoked, the rest clear")


async def revoke_on_chain_directly(stage: Tour) -> str:
    """Step 7: revoke with the contributor's own transaction, without a node."""
    people, chain = stage.people, stage.chain
    await chain.fund(people.contributor)
    contributor = address_from_text(people.contributor.address)
    revocations = revoke_scopes(contributor, [Scope("everything", CLONING)])
    begun = time.monotonic()
    network = stage.trusted.network
    receipts = await revoke_on_chain(chain.url, network, people.contributor, revocations)
    every_row = set(range(len(people.own)))

    async def all_refuse() -> bool:
        return all([await stage.refused(name, CLONING) == every_row for name in NAMES])

    for name in NAMES:
        chain_count = partial(stage.counter, name, "chain_revocations")
        await stage.until(f"{name} reads the revocation from the chain", chain_count)
    await stage.until("all nodes refuse the purpose", all_refuse)
    seconds = time.monotonic() - begun
    await _expect_refused(stage, "C", TRAINING, _rows_with(people.own, stage.chosen))
    return (
        f"`{revocations[0].scopes[0]}` cost {receipts[0].gas_used:,} gas; all three nodes refuse"
        f" {len(every_row)} rows after {seconds:.1f} s, and the verdicts for training are unchanged"
    )


async def catch_up(stage: Tour) -> str:
    """Step 8: C is stopped during a revocation, and restarts after gossip has dropped it."""
    people, node = stage.people, stage.nodes["C"]
    assert node.process  # noqa: S101 - started in step 2
    await node.process.kill()
    contributor = address_from_text(people.contributor.address)
    await stage.hand_in("A", people.contributor, *revoke_scopes(contributor, [Scope(f"via {MARKET}")]))
    async with Transport(stage.nodes["A"].url) as transport:
        window = (await transport.get("/v1/node", NodeJson)).gossip_replay_window_s
    # The only fixed wait of the demo: it lets the replay window of gossip end.
    await asyncio.sleep(window + 1.0)
    begun = time.monotonic()
    await node.start()
    await node.ready(stage.trusted)
    await stage.until(
        "C receives the revocation by sync", partial(stage.counter, "C", "sync_revocations")
    )
    if await stage.counter("C", "gossip_revocations"):
        raise DemoFailed("C received the revocation by gossip")
    rows: list[Row] = [one.row for one in people.own]
    reasons = (await stage.ask("C", TRAINING, rows)).reasons
    if set(reasons) != {Reason.REVOKED}:
        raise DemoFailed(f"C does not refuse everything via {MARKET}")
    return (
        f"`via {MARKET}` was revoked while C was stopped; C started {window + 1:.0f} s later, synced"
        f" and refuses all {len(rows)} rows after {time.monotonic() - begun:.1f} s"
    )


STEPS: tuple[Step[Tour], ...] = (
    *OPENING,
    Step("consent", "License a folder of files", ("nodes",), sign_consents),
    Step("gossip", "The consents spread by gossip", ("consent",), hear_by_gossip),
    Step("anchor", "The license hashes are anchored on chain", ("consent",), see_anchored),
    Step("check", "A buyer checks before training", ("consent",), check_manifest),
    Step("revoke", "One signature revokes three files", ("consent",), revoke_three),
    Step("purpose", "A transaction revokes voice cloning", ("consent",), revoke_on_chain_directly),
    Step("catch-up", "A stopped node catches up", ("consent",), catch_up),
    Step("sale", "A marketplace passes a license on", ("nodes",), sell_on),
    Step("take-back", "One signature stops everybody who holds it", ("sale",), take_back),
    Step("trace", "Who removed it, and who has not", ("take-back",), show_trace),
)
