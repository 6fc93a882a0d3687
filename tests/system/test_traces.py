"""Real nodes over libp2p: each loses half of the messages and restarts, and all show the same trace."""

import asyncio
import time
from pathlib import Path

import pytest

from sayso.contributor.licensing import Terms, grant
from sayso.contributor.revoking import license_masks, revoke_masks
from sayso.demo.opening import start_chain, start_nodes
from sayso.demo.scenarios.acting import DAY_S, clips, own_address
from sayso.demo.scenarios.kled import Kled
from sayso.demo.stage import Options
from sayso.holder.drafts import NOTHING
from sayso.holder.withdrawing import withdrawals
from sayso.node_client.transport import Transport
from sayso_node.api.schema.about import NodeJson
from sayso_node.api.schema.traces import TraceJson
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.statements.dispute import FILES, Dispute
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.primitives import address_text
from sayso_protocol.verdicts.verdict import License
from support.waiting import DEADLINE_S

TRAINING = "train-ai"


class Trouble(Kled):
    """A person, a marketplace that is heeded, two labs; nodes of which one at a time is killed."""

    async def kill(self, name: str) -> None:
        process = self.nodes[name].process
        assert process
        await process.kill()

    async def start(self, name: str) -> None:
        await self.nodes[name].start()
        await self.nodes[name].ready(self.trusted)

    async def forget(self) -> None:
        """Let so much time pass that gossip does not repeat what a node missed."""
        async with Transport(self.nodes["A"].url) as transport:
            window_s = (await transport.get("/v1/node", NodeJson)).gossip_replay_window_s
        await asyncio.sleep(window_s + 1.0)

    async def license(self) -> None:
        now = int(time.time())
        purposes = ("resale", TRAINING)
        terms = Terms(own_address(self.shop), purposes, now + 365 * DAY_S, "kled.ai", removal_days=7)
        files = clips(self.folder / "walk", 4)
        (self.consent,) = grant(self.person, self.trusted.network, files, terms, now).envelopes
        await self.submit("A", [self.consent])

    async def sell_and_use(self) -> Envelope:
        """The license goes to X and from X to Y; X uses it. Returns the second sublicense."""
        now, name = int(time.time()), self.consent.digest
        x, y, shop = map(own_address, (self.lab_x, self.lab_y, self.shop))
        end = now + 90 * DAY_S
        both = ("resale", TRAINING)
        first = Sublicense(shop, NOTHING, 1, NO_PARENT, x, both, NOTHING, "", now, end)
        (to_x,) = await self.state("A", self.shop, first, [name])
        second = Sublicense(x, NOTHING, 1, to_x.digest, y, (TRAINING,), NOTHING, "", now, end)
        (to_y,) = await self.state("A", self.lab_x, second, [name])
        use = Use(x, NOTHING, 1, TRAINING, "run-1", NOTHING, now)
        await self.state("A", self.lab_x, use, [to_x.digest])
        return to_y

    async def take_back(self, to_y: Envelope) -> None:
        """The person takes a clip back, X what Y has; the shop disputes a file; X confirms."""
        held = License(as_kind(self.consent.message, Consent), self.consent.items)
        masks = license_masks(held, self.consent.items[:1])
        await self.hand_in("A", self.person, *revoke_masks(own_address(self.person), masks))
        await self.hand_in("A", self.lab_x, *withdrawals(own_address(self.lab_x), [to_y.digest]))
        now = int(time.time())
        shop, x = own_address(self.shop), own_address(self.lab_x)
        dispute = Dispute(shop, NOTHING, 1, FILES, "voice", now, now + 30 * DAY_S)
        await self.state("A", self.shop, dispute, self.consent.items[1:2])

        async def dated() -> TraceJson | None:
            async with self.nodes["A"].client(self.trusted) as client:
                found = await client.trace(self.consent.digest)
            return found if found.holders[0].duties and found.holders[0].duties[0].due else None

        final = (await self.until("A dates the revocation", dated)).final
        assert final
        gone = Removal(x, NOTHING, 1, final.number, NOTHING)
        await self.state("A", self.lab_x, gone, [self.consent.digest])

    async def complete(self) -> TraceJson | None:
        """The trace, once every node has all of it."""
        found = await self.trace(self.consent.digest)
        if found is None or found.anchored is None or not found.disputes:
            return None
        holders = {one.address: one for one in found.holders}
        anchored = all(passed.anchored for one in found.holders for passed in one.passed_on)
        anchored &= all(use.anchored for one in found.holders for use in one.uses)
        stands = {who: {str(duty.standing) for duty in one.duties} for who, one in holders.items()}
        accounts = (self.shop, self.lab_x, self.lab_y)
        shop, x, y = (address_text(own_address(one)) for one in accounts)
        is_whole = stands == {shop: {"due"}, x: {"confirmed"}, y: {"due"}}
        return found if anchored and is_whole and holders[y].passed_on[0].withdrawn else None


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_trace_is_complete_after_restarts_losses_and_syncs(tmp_path: Path) -> None:
    """B is killed during the first half of the messages, C during the second; then A restarts."""
    stage = Trouble(tmp_path, Options(tmp_path, patience_s=DEADLINE_S))
    try:
        await start_chain(stage)
        await start_nodes(stage)
        await stage.license()
        await stage.kill("B")
        to_y = await stage.sell_and_use()
        await stage.forget()
        await stage.start("B")
        await stage.kill("C")
        await stage.take_back(to_y)
        await stage.forget()
        await stage.start("C")
        await stage.kill("A")
        await stage.start("A")
        found = await stage.until("all nodes show the same, and all of it", stage.complete)
        x = next(one for one in found.holders if one.uses)
        assert [one.run for one in x.uses] == ["run-1"]
        assert await stage.counter("C", "sync_revocations") > 0
    finally:
        await stage.stop()
