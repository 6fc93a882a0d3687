"""Headers and transactions as bytes: of forks to come, and of rollups on a real EVM."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.chain.anvil_world import PayingNode
from node.chain.paying.test_on_anvil import known
from node.chain.proofs.test_archivist import World, prove, read
from sayso_node.chain.rpc.raw_blocks import encode_header, encode_transaction, has_hash
from sayso_protocol.ethereum.tries import EMPTY_ROOT, decode_rlp, encode_rlp
from sayso_protocol.primitives import address_from_text, hex_text, keccak
from support.anvil import anvil
from support.waiting import until

CHAIN: dict[str, Any] = {"hardfork": "isthmus", "options": ("-n", "optimism")}
HASH = "0x" + "ab" * 32
PRAGUE: dict[str, Any] = {
    **dict.fromkeys(("parentHash", "sha3Uncles", "stateRoot", "mixHash"), "0x" + "11" * 32),
    **dict.fromkeys(("transactionsRoot", "receiptsRoot", "withdrawalsRoot"), hex_text(EMPTY_ROOT)),
    "miner": "0x" + "22" * 20,
    "logsBloom": "0x" + "00" * 256,
    **dict.fromkeys(("difficulty", "gasUsed", "blobGasUsed", "excessBlobGas"), "0x0"),
    "number": "0x7",
    "gasLimit": "0x1c9c380",
    "timestamp": "0x684ee180",
    "baseFeePerGas": "0x7",
    "extraData": "0x",
    "nonce": "0x" + "00" * 8,
    **dict.fromkeys(("parentBeaconBlockRoot", "requestsHash"), "0x" + "33" * 32),
}
LATER: dict[str, list[tuple[str, str, bytes]]] = {  # name, JSON, RLP
    "Amsterdam": [("blockAccessListHash", HASH, b"\xab" * 32), ("slotNumber", "0xc0de", b"\xc0\xde")],
    "after it": [
        ("blockAccessListHash", HASH, b"\xab" * 32),
        ("slotNumber", "0x0", b""),
        ("newRoot", HASH, b"\xab" * 32),
        ("newNumber", "0x100", b"\x01\x00"),
        ("newZero", "0x0", b""),
    ],
    "without Amsterdam's": [("gasThing", "0xff", b"\xff")],
}


def header_of(fields: list[tuple[str, str, bytes]], **other: Any) -> dict[str, Any]:
    """A block as an endpoint gives it, whose hash is that of all its fields."""
    known = decode_rlp(encode_header(PRAGUE))
    assert isinstance(known, list)
    raw = encode_rlp([*known, *(value for *_, value in fields)])
    more = {name: text for name, text, _ in fields}
    return PRAGUE | more | other | {"hash": hex_text(keccak(raw)), "size": "0x220", "transactions": []}


@pytest.mark.parametrize("name", LATER)
def test_headers_with_more_fields_are_hashed_as_they_come(name: str) -> None:
    """On the commit before, these blocks had another hash, so that nothing in them was proved."""
    block = header_of(LATER[name])
    assert keccak(encode_header(block)) == bytes.fromhex(block["hash"][2:])
    assert has_hash(block, bytes.fromhex(block["hash"][2:]))


def test_what_endpoints_add_is_not_hashed() -> None:
    arbitrum = {"l1BlockNumber": "0x9", "sendCount": "0x1", "sendRoot": HASH, "totalDifficulty": "0x1"}
    block = header_of([], milliTimestamp="0x5", **arbitrum)
    assert has_hash(block, bytes.fromhex(block["hash"][2:]))
    block = header_of(LATER["Amsterdam"], milliTimestamp="0x5", **arbitrum)
    assert has_hash(block, bytes.fromhex(block["hash"][2:]))


def test_a_header_that_nothing_explains_is_none() -> None:
    block = header_of([]) | {f"more{number}": "0x5" for number in range(100)} | {"gasUsed": "0x1"}
    assert not has_hash(block, bytes.fromhex(block["hash"][2:]))


ARBITRUM: dict[str, Any] = {
    "chainId": "0xa4b1",
    "requestId": HASH,
    "from": "0x" + "44" * 20,
    "to": None,
    "value": "0x0",
    "nonce": "0x1",
    "gasPrice": "0x2",
    "gas": "0x3",
    "input": "0x05",
    "ticketId": HASH,
    "refundTo": "0x" + "55" * 20,
    "maxRefund": "0x6",
    "submissionFeeRefund": "0x0",
    "l1BaseFee": "0x8",
    "depositValue": "0x9",
    "retryTo": None,
    "retryValue": "0x0",
    "beneficiary": "0x" + "66" * 20,
    "maxSubmissionFee": "0xa",
    "retryData": "0x0b",
}
CHAIN_ID, REQUEST, FROM = b"\xa4\xb1", b"\xab" * 32, b"\x44" * 20
ENCODED: dict[int, list[bytes]] = {  # core/types/arb_types.go of Nitro's go-ethereum
    0x64: [CHAIN_ID, REQUEST, FROM, b"", b""],
    0x65: [CHAIN_ID, FROM, b"\1", b"\2", b"\3", b"", b"", b"\5"],
    0x66: [CHAIN_ID, REQUEST, FROM, b"\2", b"\3", b"", b"", b"\5"],
    0x68: [CHAIN_ID, b"\1", FROM, b"\2", b"\3", b"", b"", b"\5", REQUEST, b"\x55" * 20, b"\6", b""],
    0x69: [
        *(CHAIN_ID, REQUEST, FROM, b"\x08", b"\x09", b"\2", b"\3", b"", b""),
        *(b"\x66" * 20, b"\x0a", b"\x55" * 20, b"\x0b"),
    ],
    0x6A: [CHAIN_ID, b"\5"],
}


@pytest.mark.parametrize("kind", ENCODED)
def test_the_kinds_of_arbitrum(kind: int) -> None:
    raw = encode_transaction(ARBITRUM | {"type": hex(kind)})
    assert raw == bytes([kind]) + encode_rlp(ENCODED[kind])


@pytest.fixture
def world() -> Iterator[World]:
    with anvil(**CHAIN) as url:
        yield World(url)


def deposit(world: World, sender: str, data: bytes) -> str:
    """Let a transaction come from the other chain, which nobody signs here; returns its hash."""
    what = {
        "type": "0x7e",
        "from": sender,
        "to": world.calls.address,
        "sourceHash": HASH,
        "mint": "0x5",
        "value": "0x0",
        "gas": hex(200_000),
        "isSystemTx": False,
        "input": hex_text(data),
    }
    world.registry.ask("anvil_impersonateAccount", sender)
    return str(world.registry.ask("eth_sendTransaction", what))


async def test_a_block_with_a_deposit_is_proved_on_the_op_stack(world: World, tmp_path: Path) -> None:
    """As in every block there, the first transaction is a deposit; none was proved before."""
    registry = world.registry
    async with PayingNode(tmp_path, [world.url], registry.network) as paying:
        paying.rig.intake._network = registry.network
        await known(paying, [world.person])
        registry.ask("evm_setAutomine", False)
        deposit(world, registry.rich, world.calls.revoke_scopes(["everything for resale"]).data)
        own = world.by_herself(world.calls.revoke_scopes(["everything"]).data, {"gasPrice": 3 * 10**9})
        registry.ask("anvil_mine")
        await read(paying)
        envelope = world.person.revocation("everything")
        await paying.rig.give(envelope)
        [landing] = prove(paying, world, envelope).landings
        assert (landing.tx_hash, landing.sender, landing.is_signed) == (own, world.person.address, True)
        assert len(registry.w3.eth.get_block("latest")["transactions"]) == 2


async def test_a_revocation_that_is_a_deposit_is_proved_without_a_signer(
    world: World, tmp_path: Path
) -> None:
    registry = world.registry
    async with PayingNode(tmp_path, [world.url], registry.network) as paying:
        paying.rig.intake._network = registry.network
        await known(paying, [world.person])
        sent = deposit(world, world.account.address, world.calls.revoke_scopes(["everything"]).data)
        await until(lambda: registry.ask("eth_getTransactionReceipt", sent))
        await read(paying)
        envelope = world.person.revocation("everything")
        await paying.rig.give(envelope)
        [landing] = prove(paying, world, envelope).landings
        assert (landing.sender, landing.is_signed) == (world.person.address, False)
        assert landing.sender == address_from_text(world.account.address)
