"""An endpoint without EIP-1898: it is asked by number, the hash is compared, the operator is told."""

from typing import Any

import pytest

from sayso_node.chain.proofs.storage_proofs import StorageProofs
from sayso_node.chain.rpc.endpoints import Endpoints
from sayso_node.chain.rpc.eth_call import EthCall
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.errors import ChainUnreachable, ProofUnavailable
from sayso_node.freshness import Freshness
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_protocol.network import Network
from sayso_protocol.receipts.receipt import ChainPoint
from support.endpoint import CHAIN_ID, HASH, Failure, block, endpoint

NETWORK = Network(CHAIN_ID, b"\x5a" * 20)
POINT = ChainPoint(7, bytes.fromhex(HASH[2:]))
ONE = "0x" + "00" * 31 + "01"
REFUSALS = {
    "geth": {"code": -32602, "message": "invalid argument 1: json: cannot unmarshal object"},
    "ganache": {"code": -32700, "message": "Incorrect number of arguments"},
    "besu": {"code": -32602, "message": "Invalid block parameter"},
}
PROOF = {
    "accountProof": ["0x01"],
    "balance": "0x0",
    "nonce": "0x1",
    "codeHash": HASH,
    "storageHash": HASH,
    "storageProof": [{"key": "0x1", "value": "0x0", "proof": []}],
}


def only_numbers(refusal: dict[str, Any], answer: Any) -> Any:
    return lambda asked: Failure(refusal) if isinstance(asked[-1], dict) else answer


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_it_is_asked_by_number(refusal: dict[str, Any]) -> None:
    """On the commit before, contract wallets and proofs were unsupported, and `/readyz` was clean."""
    async with endpoint() as rpc:
        alarms = Alarms()
        chains = [Web3Chain(rpc.url, NETWORK)]
        endpoints = Endpoints(chains, Freshness([]), alarms, Counters(), finality=0)
        rpc.answers["eth_call"] = only_numbers(refusal, ONE)
        rpc.answers["eth_getProof"] = only_numbers(refusal, PROOF)
        for _ in range(2):
            assert await EthCall(endpoints).created(b"\0", 1, POINT) == (1).to_bytes(32)
        proof = await StorageProofs(endpoints, NETWORK.registry).proof([(1).to_bytes(32)], POINT)
        assert proof["nonce"] == "0x1"
        assert rpc.asked.count("eth_call") == 3  # it is not asked by hash again
        assert alarms.active() == {}
        await endpoints.head()
        assert list(alarms.active()) == ["chain-by-number"]
        await endpoints.close()


async def test_another_block_at_that_height_is_no_answer() -> None:
    async with endpoint() as rpc:
        endpoints = Endpoints(
            [Web3Chain(rpc.url, NETWORK)], Freshness([]), Alarms(), Counters(), finality=0
        )
        rpc.answers["eth_call"] = only_numbers(REFUSALS["geth"], ONE)
        rpc.answers["eth_getProof"] = only_numbers(REFUSALS["geth"], PROOF)
        rpc.answers["eth_getBlockByNumber"] = block(7, hash="0x" + "cd" * 32)
        with pytest.raises(ChainUnreachable):
            await EthCall(endpoints).created(b"\0", 1, POINT)
        with pytest.raises((ChainUnreachable, ProofUnavailable)):
            await StorageProofs(endpoints, NETWORK.registry).proof([(1).to_bytes(32)], POINT)
        await endpoints.close()


async def test_a_block_that_is_not_there_yet_is_no_reason_to_forget_hashes() -> None:
    async with endpoint() as rpc:
        chain = Web3Chain(rpc.url, NETWORK)
        endpoints = Endpoints([chain], Freshness([]), Alarms(), Counters(), finality=0)
        rpc.answers["eth_call"] = only_numbers({"code": -32000, "message": "header not found"}, ONE)
        assert await EthCall(endpoints).created(b"\0", 1, POINT) == (1).to_bytes(32)
        assert not chain.link.takes_numbers_only
        await endpoints.close()
