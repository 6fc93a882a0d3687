"""A node's chain side on a real chain: anvil, the registry, an account that pays, a follower."""

import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Protocol, Self

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, Web3

from sayso_contracts.registry import artifact
from sayso_node.chain.following.follower import Follower
from sayso_node.chain.paying.anchorer import Anchorer
from sayso_node.chain.paying.fees import ETHER, GWEI, Allowance
from sayso_node.chain.paying.payer import Payer
from sayso_node.chain.paying.relayer import Relayer
from sayso_node.chain.paying.wallet_deployer import WalletDeployer
from sayso_node.chain.paying.web3_account import Web3Account
from sayso_node.chain.proofs.archivist import Archivist
from sayso_node.chain.rpc.endpoints import Endpoints
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.store import queues
from sayso_node.store.chain import intents
from sayso_node.supervision.alarms import Alarms
from sayso_node.verdicts.signer import Signer
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text
from support.anvil import RICH_KEY
from support.node_rig import NodeRig

FINALITY = 2
ALLOWANCE = Allowance(200 * GWEI, 100 * ETHER, ETHER // 100)


class Chain(Protocol):
    """A chain that a test moves on."""

    def mine(self) -> None: ...


class Registry:
    """The contract on an anvil, and what a test does to that chain."""

    def __init__(self, url: str) -> None:
        self.w3 = Web3(HTTPProvider(url))
        self.rich: Any = list(self.w3.eth.accounts)[1]  # another than the node's
        receipt = self.send({"data": artifact.creation_code()})
        self.network = Network(self.w3.eth.chain_id, address_from_text(receipt["contractAddress"]))
        self.contract = self.w3.eth.contract(receipt["contractAddress"], abi=artifact.abi())

    def send(self, transaction: dict[str, Any]) -> Any:
        sender = {"from": self.rich}
        return self.w3.eth.wait_for_transaction_receipt(
            self.w3.eth.send_transaction(sender | transaction)  # type: ignore[arg-type]
        )

    def ask(self, method: str, *params: Any) -> Any:
        answer = self.w3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        assert "error" not in answer, answer
        return answer["result"]

    def mine(self) -> None:
        """Add a block."""
        self.ask("anvil_mine")

    def bits(self, contributor: bytes, words: Sequence[int]) -> list[int]:
        who = Web3.to_checksum_address(contributor)
        return list(self.contract.functions.revokedWords(who, list(words)).call())


class PayingNode:
    """The parts of a node that pay, wired as side.py wires them; use as an async context manager."""

    def __init__(
        self,
        folder: Path,
        urls: Sequence[str],
        network: Network,
        *,
        payer: LocalAccount | None = None,
        deploy_block: int = 1,
        timeout_s: float = 5.0,
        **options: Any,
    ) -> None:
        self.rig = NodeRig(folder, **options)
        self.rig.clock.time = time.time()
        rig, self.alarms = self.rig, Alarms()
        chains = [Web3Chain(url, network, timeout_s) for url in urls]
        self.endpoints = Endpoints(chains, rig.freshness, self.alarms, rig.counters, finality=FINALITY)
        shared = (rig.store, rig.clock, rig.counters, self.alarms)
        key = bytes(rig.identity.verify_key)
        anchorer = Anchorer(rig.store, key, rig.clock, rig.counters, wait_s=0)
        self.account = Web3Account(payer or Account.from_key(RICH_KEY), network, self.endpoints)
        relayer = Relayer(
            *(network, self.account, *shared), wait_s=0, finality=FINALITY, budget=ALLOWANCE.budget
        )
        deployer = WalletDeployer(self.account, *shared, budget=ALLOWANCE.budget)
        work = (anchorer, relayer, deployer)
        self.payer = Payer(self.account, *shared, ALLOWANCE, work, finality=FINALITY)
        self.follower = Follower(
            self.endpoints,
            rig.store,
            rig.freshness,
            rig.clock,
            rig.counters,
            self.alarms,
            Random(1),
            registry=network.registry,
            finality=12,
            deploy_block=deploy_block,
            interval_s=1,
        )
        self.archivist = Archivist(
            self.endpoints, network.registry, rig.store, rig.clock, rig.counters, interval_s=1
        )
        self.signer = Signer(
            network, rig.store, rig.freshness, rig.identity, rig.clock, rig.counters, relays=True
        )

    async def __aenter__(self) -> Self:
        self.rig.__enter__()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.endpoints.close()
        self.rig.__exit__(None, None, None)

    async def promise(self, *revocations: Envelope) -> None:
        for outcome in await self.rig.give(*revocations):
            assert outcome.error is None, outcome.error
            assert outcome.envelope
            await self.signer.acknowledge(outcome.envelope)

    async def drain(self, registry: Chain, rounds: int = 60) -> None:
        """Until everything is final; a block of nothing is mined each time."""
        for _ in range(rounds):
            await self.follower.read()
            await self.payer.step()
            with self.rig.store.read() as db:
                if not intents.open_intents(db) and not queues.lengths(db)["relays"]:
                    return
            registry.mine()
        raise AssertionError(f"it is never done: {self.alarms.active()}")

    def used(self) -> list[tuple[str, int]]:
        """What was carried out, and what it cost, in wei."""
        with self.rig.store.read() as db:
            return db.execute("SELECT kind, cost FROM intents WHERE state = 'done'").fetchall()
