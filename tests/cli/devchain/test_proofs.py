"""Proofs are checked here with nothing but Keccak, RLP and the block hash."""

from typing import Any

import pytest
import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak
from trie.hexary import HexaryTrie

from cli.devchain.harness import Client
from sayso_node.chain.rpc.raw_blocks import encode_header, encode_receipt, encode_transaction
from sayso_protocol.ethereum.trie_building import trie_over

STORE = "5f355f5160203560005560016001550000"  # storage[0] = second word of the call, storage[1] = 1
HEADER = (  # the fields of a Prague header in their order, # before those that are numbers
    "parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom #difficulty #number"
    " #gasLimit #gasUsed #timestamp extraData mixHash nonce #baseFeePerGas withdrawalsRoot"
    " #blobGasUsed #excessBlobGas parentBeaconBlockRoot requestsHash"
)


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def number(text: str) -> bytes:
    value = int(text, 16)
    return value.to_bytes((value.bit_length() + 7) // 8)


def block_hash(block: dict[str, Any]) -> bytes:
    fields = [number(block[f[1:]]) if f.startswith("#") else raw(block[f]) for f in HEADER.split()]
    return keccak(rlp.encode(fields))


def proved(root: str, key: bytes, proof: list[str]) -> bytes:
    nodes = [rlp.decode(raw(node)) for node in proof]
    prove: Any = HexaryTrie.get_from_proof
    return bytes(prove(raw(root), keccak(key), nodes))


@pytest.mark.parametrize("label", ["0x0", "0x1", "latest"])
async def test_a_block_hash_is_that_of_its_header(client: Client, label: str) -> None:
    await client.send(client.chain.accounts[0], data="0x00")
    block = (await client.rpc("eth_getBlockByNumber", label, False))["result"]
    assert "0x" + block_hash(block).hex() == block["hash"]


async def test_a_slot_is_proved_from_the_block_hash(client: Client) -> None:
    address = await client.deploy(STORE)
    sent = await client.send(client.chain.accounts[0], to=address, data=f"0x{7:064x}{2**200:064x}")
    block = (await client.rpc("eth_getBlockByNumber", hex(sent["blockNumber"]), False))["result"]
    keys = ["0x0", f"0x{1:064x}", "0x5"]
    answer = (await client.rpc("eth_getProof", address, keys, block["number"]))["result"]

    account = rlp.decode(proved(block["stateRoot"], raw(address), answer["accountProof"]))
    assert account[2] == raw(answer["storageHash"])
    assert account[3] == raw(answer["codeHash"]) == keccak(raw(STORE))
    values = []
    for key, slot in zip(keys, answer["storageProof"], strict=True):
        leaf = proved(answer["storageHash"], int(key, 16).to_bytes(32), slot["proof"])
        values.append(int.from_bytes(rlp.decode(leaf)) if leaf else 0)
        assert int(slot["value"], 16) == values[-1]
    assert values == [2**200, 1, 0]


async def test_the_past_can_be_proved(client: Client) -> None:
    address = await client.deploy(STORE)
    before = await client.web3.eth.block_number
    await client.send(client.chain.accounts[0], to=address, data=f"0x{0:064x}{9:064x}")
    values = []
    for at in (hex(before), "latest"):
        answer = await client.rpc("eth_getProof", address, ["0x0"], at)
        values.append(answer["result"]["storageProof"][0]["value"])
    assert values == ["0x0", "0x9"]


async def test_an_account_that_is_not_there_is_proved_absent(client: Client) -> None:
    block = (await client.rpc("eth_getBlockByNumber", "latest", False))["result"]
    nobody = "0x" + "17" * 20
    answer = (await client.rpc("eth_getProof", nobody, ["0x0"], "latest"))["result"]
    assert proved(block["stateRoot"], raw(nobody), answer["accountProof"]) == b""
    assert answer["storageProof"] == [{"key": "0x0", "value": "0x0", "proof": []}]


@pytest.mark.parametrize("keys", [7, "0x0", ["no"], [7], None, ["0x" + "f" * 65]], ids=str)
async def test_keys_that_are_none(client: Client, keys: object) -> None:
    address = client.chain.accounts[0].address
    answer = await client.rpc("eth_getProof", address, keys, "latest")
    assert answer["error"]["code"] == -32602


async def test_transactions_and_receipts_are_proved_from_the_block_hash(client: Client) -> None:
    """As the archivist of a node proves them (rule 10.10)."""
    address = await client.deploy(STORE)
    sent = await client.send(client.chain.accounts[0], to=address, data=f"0x{7:064x}{5:064x}")
    block = (await client.rpc("eth_getBlockByNumber", hex(sent["blockNumber"]), True))["result"]
    [transaction] = block["transactions"]
    receipt = (await client.rpc("eth_getTransactionReceipt", transaction["hash"]))["result"]
    assert trie_over([encode_transaction(transaction)]).root == raw(block["transactionsRoot"])
    assert trie_over([encode_receipt(receipt)]).root == raw(block["receiptsRoot"])
    assert keccak(encode_header(block)) == raw(block["hash"])
