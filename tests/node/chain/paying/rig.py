"""A node that pays for anchors and relays on a chain in memory; `restart` keeps its store."""

import contextlib
from pathlib import Path
from random import Random

from sayso_node.chain.following.follower import Follower
from sayso_node.chain.paying.anchorer import Anchorer
from sayso_node.chain.paying.fees import ETHER, GWEI, Allowance
from sayso_node.chain.paying.payer import Payer
from sayso_node.chain.paying.relayer import Relayer
from sayso_node.chain.paying.wallet_deployer import WalletDeployer
from sayso_node.chain.wallets.contract_wallets import Prober
from sayso_node.errors import ChainUnreachable
from sayso_node.store import queues
from sayso_node.store.chain import chain_state, intents
from sayso_node.supervision.alarms import Alarms
from sayso_node.verdicts.signer import Signer
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.permissions.words import Masks
from support.fake_account import FakeAccount
from support.fake_chain import FakeChain
from support.node_rig import NOW, NodeRig, consent
from support.protocol_strategies import NETWORK

WAIT_S = 60.0
FINALITY = 3
ALLOWANCE = Allowance(200 * GWEI, ETHER, ETHER // 100)


class Paying:
    """See the module."""

    def __init__(
        self, folder: Path, allowance: Allowance = ALLOWANCE, prober: Prober | None = None
    ) -> None:
        self.folder = folder
        self.prober = prober
        self.chain = FakeChain(NOW)
        self.account = FakeAccount(self.chain)
        self.allowance = allowance
        self.rig = NodeRig(folder, prober=prober).__enter__()
        self.wire()

    def wire(self) -> None:
        rig = self.rig
        self.alarms = Alarms()
        shared = (rig.store, rig.clock, rig.counters, self.alarms)
        key = bytes(rig.identity.verify_key)
        self.anchorer = Anchorer(rig.store, key, rig.clock, rig.counters, wait_s=WAIT_S)
        self.relayer = Relayer(
            *(NETWORK, self.account, *shared),
            wait_s=WAIT_S,
            finality=FINALITY,
            budget=self.allowance.budget,
        )
        self.deployer = WalletDeployer(self.account, *shared, budget=self.allowance.budget)
        work = (self.anchorer, self.relayer, self.deployer)
        self.payer = Payer(self.account, *shared, self.allowance, work, finality=FINALITY)
        self.follower = Follower(
            *(self.chain, rig.store, rig.freshness, rig.clock, rig.counters, rig.alarms, Random(1)),
            registry=NETWORK.registry,
            finality=12,
            deploy_block=1,
            interval_s=1,
        )
        self.signer = Signer(
            NETWORK, rig.store, rig.freshness, rig.identity, rig.clock, rig.counters, relays=True
        )

    def restart(self) -> None:
        clock = self.rig.clock
        self.close()
        self.rig = NodeRig(self.folder, clock=clock, prober=self.prober).__enter__()
        self.wire()

    def close(self) -> None:
        self.rig.__exit__(None, None, None)

    async def give(self, *numbers: int) -> list[bytes]:
        """Consents whose sponsor this node becomes."""
        outcomes = await self.rig.give(*(consent(number, sponsor=None) for number in numbers))
        return [one.envelope.digest for one in outcomes if one.envelope]

    async def promise(self, *revocations: Envelope) -> None:
        """Take revocations in over HTTP and acknowledge them."""
        for one in revocations:
            await self.rig.give(one)
            await self.signer.acknowledge(one)

    async def steps(self, count: int = 1) -> None:
        for _ in range(count):
            await self.payer.step()

    async def block(self) -> None:
        """A block comes, is read, and the payer looks."""
        self.chain.mine()
        await self.follower.read()
        with contextlib.suppress(ChainUnreachable):
            await self.payer.step()

    async def drain(self) -> None:
        """Until everything that waits is final."""
        for _ in range(120):
            with self.rig.store.read() as db:
                waits = (
                    intents.open_intents(db)
                    or chain_state.due(db, self.rig.clock.now(), 1)
                    or queues.lengths(db)["relays"]
                )
            if not waits:
                return
            self.rig.clock.time += WAIT_S
            await self.block()
        raise AssertionError("it is never done")

    def batches(self) -> list[Batch]:
        with self.rig.store.read() as db:
            roots = [root for (root,) in db.execute("SELECT root FROM batches WHERE own")]
            found = [chain_state.batch(db, root) for root in roots]
        return [one for one in found if one]

    def anchored(self) -> set[bytes]:
        with self.rig.store.read() as db:
            return {root for (root,) in db.execute("SELECT root FROM anchors")}

    def bits(self, who: bytes) -> Masks:
        """What stands on the chain now."""
        found: Masks = {}
        for block in self.chain.blocks:
            for event in block.events:
                if vars(event).get("contributor") == who:
                    found[event.word] = found.get(event.word, 0) | event.bits  # type: ignore[union-attr]
        return found

    def relayed(self) -> int:
        """How many relays were paid for."""
        return sum(one.data[:4] != b"" and len(one.data) > 36 for one in self.account.mined())
