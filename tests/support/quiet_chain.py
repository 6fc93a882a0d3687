"""A chain on which nothing happens but blocks, and what an hour of a node's life asks of its endpoint.

calls = asyncio.run(calls_of_an_hour(folder, block_s=12.0))
"""

import heapq
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from eth_account import Account

from sayso_contracts.registry import artifact
from sayso_node.chain.following.follower import Follower
from sayso_node.chain.following.standing import Standing
from sayso_node.chain.paying.anchorer import Anchorer
from sayso_node.chain.paying.fees import ETHER, GWEI, Allowance
from sayso_node.chain.paying.payer import INTERVAL_S, Payer
from sayso_node.chain.paying.relayer import Relayer
from sayso_node.chain.paying.wallet_deployer import WalletDeployer
from sayso_node.chain.paying.web3_account import Web3Account
from sayso_node.chain.proofs.archivist import Archivist
from sayso_node.chain.rpc.endpoints import Endpoints
from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_node.chain.rpc.raw_blocks import encode_header
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.supervision.alarms import Alarms
from sayso_protocol.ethereum.tries import EMPTY_ROOT
from sayso_protocol.primitives import hex_text, keccak
from support.node_rig import NOW, NodeRig
from support.protocol_strategies import NETWORK

HOUR_S = 3_600.0
READ_EVERY_S = 2.0  # the setting of a node that says nothing else
WARM_UP_S = 1_800.0  # until history is read and tested
FINALITY = 64
KEY = "0x" + "07" * 32


class QuietChain:
    """Answers JSON-RPC about empty blocks, and counts."""

    def __init__(self, block_s: float, now: Callable[[], float]) -> None:
        self._block_s, self._now = block_s, now
        self._blocks: list[dict[str, Any]] = []
        self.calls: Counter[str] = Counter()

    async def ask(self, method: str, params: Any) -> dict[str, Any]:
        """See JsonRpc.ask."""
        self.calls[method] += 1
        while NOW + len(self._blocks) * self._block_s <= self._now():
            self._mine()
        answers: dict[str, Callable[[], Any]] = {
            "eth_chainId": lambda: hex(NETWORK.chain_id),
            "eth_getBlockByNumber": lambda: self._block(params[0]),
            "eth_getCode": lambda: hex_text(artifact.runtime_code()),
            "eth_getLogs": list,
            "eth_getBalance": lambda: hex(10 * ETHER),
        }
        return {"jsonrpc": "2.0", "id": 1, "result": answers[method]()}

    def _block(self, which: str) -> dict[str, Any] | None:
        number = len(self._blocks) - 1 if which == "latest" else int(which, 16)
        return self._blocks[number] if number < len(self._blocks) else None

    def _mine(self) -> None:
        number = len(self._blocks)
        empty = {name: hex_text(EMPTY_ROOT) for name in ("transactionsRoot", "receiptsRoot")}
        block: dict[str, Any] = {
            "parentHash": self._blocks[-1]["hash"] if number else "0x" + "00" * 32,
            "number": hex(number),
            "timestamp": hex(int(NOW + number * self._block_s)),
            **dict.fromkeys(("sha3Uncles", "stateRoot", "mixHash"), "0x" + "11" * 32),
            "miner": "0x" + "22" * 20,
            "logsBloom": "0x" + "00" * 256,
            **dict.fromkeys(("difficulty", "gasUsed"), "0x0"),
            "gasLimit": hex(30_000_000),
            "extraData": "0x",
            "nonce": "0x" + "00" * 8,
            "transactions": [],
        }
        block |= empty
        block["hash"] = hex_text(keccak(encode_header(block)))
        self._blocks.append(block)


async def calls_of_an_hour(folder: Path, block_s: float) -> Counter[str]:
    """What a node that pays, and to which nothing comes, asks in an hour; time is virtual."""
    with NodeRig(folder) as rig:
        chain = QuietChain(block_s, rig.clock.now)
        with mock.patch.object(JsonRpc, "ask", lambda _, *asked: chain.ask(*asked[:2])):
            parts = _parts(rig)
            await _live(rig, parts, WARM_UP_S)
            chain.calls.clear()
            await _live(rig, parts, HOUR_S)
        blocks = (HOUR_S + WARM_UP_S) / block_s
        assert block_s < 1 or rig.count("chain_headers_tested") >= 0.9 * blocks
    return chain.calls


Part = tuple[Callable[[], Awaitable[object]], Callable[[], float]]  # a turn, seconds until the next


def _parts(rig: NodeRig) -> list[Part]:
    """As sayso_node.chain.side wires them."""
    alarms = Alarms()
    endpoints = Endpoints(
        [Web3Chain("http://127.0.0.1:1", NETWORK)],
        rig.freshness,
        alarms,
        rig.counters,
        finality=FINALITY,
    )
    shared = (rig.store, rig.clock, rig.counters, alarms)
    follower = Follower(
        *(endpoints, rig.store, rig.freshness, rig.clock, rig.counters, alarms, Random(1)),
        registry=NETWORK.registry,
        finality=12,
        deploy_block=1,
        interval_s=READ_EVERY_S,
    )
    standing = Standing(endpoints, rig.store, 1)
    account = Web3Account(Account.from_key(KEY), NETWORK, endpoints)
    allowance = Allowance(200 * GWEI, ETHER, ETHER // 100)
    work = (
        Anchorer(rig.store, bytes(rig.identity.verify_key), rig.clock, rig.counters, wait_s=60),
        Relayer(*(NETWORK, account, *shared), wait_s=60, finality=FINALITY, budget=ETHER),
        WalletDeployer(account, *shared, budget=ETHER),
    )
    payer = Payer(account, *shared, allowance, work, finality=FINALITY)
    archivist = Archivist(
        endpoints, NETWORK.registry, rig.store, rig.clock, rig.counters, interval_s=READ_EVERY_S
    )

    async def read() -> None:
        await standing.update(await follower.read())

    return [
        (read, follower.wait_s),
        (payer.step, lambda: INTERVAL_S),
        (archivist.archive, lambda: READ_EVERY_S),
        (rig.watch.ask, lambda: READ_EVERY_S),
    ]


async def _live(rig: NodeRig, parts: list[Part], seconds: float) -> None:
    end = rig.clock.time + seconds
    due = [(rig.clock.time, place) for place in range(len(parts))]
    while due[0][0] < end:
        at, place = heapq.heappop(due)
        rig.clock.time = max(rig.clock.time, at)
        turn, wait_s = parts[place]
        await turn()
        heapq.heappush(due, (rig.clock.time + wait_s(), place))
    rig.clock.time = end
