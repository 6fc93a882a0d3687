"""Relays, which carry many signed revocations in one transaction: gas and rejections.

The gas of a relay is computed and never estimated, because an estimate is valid for one block, and a
contract wallet may be cheap in the estimate and expensive later. With less gas than the bound, one such
wallet could make the whole relay revert (TooLittleGas), so a relay is sent with the gas of its `Load`.
Loads add up, for a relay that is filled item by item.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from sayso_contracts.errors import BadLog
from sayso_contracts.registry.abi import describe_revert, topic
from sayso_contracts.registry.calls import Call, Calls, SignedRevocation
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_from_text, address_text, hex_text
from sayso_protocol.signatures.contract_wallets import DEPLOYED, read_wallet_proof
from sayso_protocol.signatures.wallets import EOA_SIGNATURE_BYTES

REJECTED_TOPIC = topic("Rejected")

# Gas of the EVM: EIP-2028 and EIP-7623 for data, EIP-2929 for storage.
_TRANSACTION = 21_000
_ZERO_BYTE, _OTHER_BYTE = 4, 16
_FLOOR_TOKEN, _TOKENS_OTHER = 10, 4
_MEMORY_WORD, _MEMORY_SQUARE = 3, 512
# Gas of the contract's own code, rounded up; a test compares real relays with it.
_RELAY = 3_000
_ITEM = 9_000  # digest, ECDSA, and the event of a rejection
_SET = 26_000  # reading and writing an empty word, with its event
_TEXT_BYTE = 1
_ASK_WALLET = 630_000  # ERC1271_GAS_NEEDED of WalletSignature.sol, and the call
_ITEM_WORDS = 32  # words of memory that an item leaves allocated
_SCRATCH_WORDS = 64 + 16  # of an array during hashing
# Bytes of the call's data. The number and the offsets of items are below 2^24, so they have at most
# three bytes that are not zero.
_HEAD_BYTES = 4 + 2 * 32  # selector, offset of the list, number of items
_PLACE_BYTES = 32
_PLACE_OTHERS = 3


@dataclass(frozen=True)
class RelayItem:
    """RelayItem is one signed revocation of a relay.

    Attributes:
        revocation: The signed revocation.
        chain_id: The chain id under which it was signed.
        signature: The signature for the registry: 65 bytes, or the contract wallet's own.
        asks_wallet: Whether the registry may call a contract wallet (ERC-1271).
        deployment: The call that may create the wallet (ERC-6492) and must come first, or None.
    """

    revocation: Revocation
    chain_id: int
    signature: bytes
    asks_wallet: bool
    deployment: Call | None = None


@dataclass(frozen=True)
class Rejection:
    """Rejection is an item of a relay that had no effect.

    Attributes:
        index: The number of the item, from 0.
        contributor: The address, 20 bytes.
        reason: The revert reason of revokeBySig, for people: `InvalidSignature(...)`.
    """

    index: int
    contributor: bytes
    reason: str


@dataclass(frozen=True)
class Load:
    """Load is the contribution of items to a relay's gas; the loads of two items add up.

    Attributes:
        zeros: Zero bytes of data.
        others: Other bytes of data.
        execution: Gas of the contract's own code.
        memory: Words of memory.
    """

    zeros: int = 0
    others: int = 0
    execution: int = 0
    memory: int = 0

    def __add__(self, other: "Load") -> "Load":
        return Load(
            self.zeros + other.zeros,
            self.others + other.others,
            self.execution + other.execution,
            self.memory + other.memory,
        )

    @property
    def gas(self) -> int:
        """Return the gas that a relay of this load never exceeds, for any state of the chain."""
        whole = self + _EMPTY_RELAY
        data = _ZERO_BYTE * whole.zeros + _OTHER_BYTE * whole.others
        floor = _FLOOR_TOKEN * (whole.zeros + _TOKENS_OTHER * whole.others)
        memory = _MEMORY_WORD * whole.memory + whole.memory**2 // _MEMORY_SQUARE
        return _TRANSACTION + max(floor, data + whole.execution + memory)

    @property
    def alone(self) -> int:
        """Return this load's own part of a relay's gas, to compare parts: without what all share."""
        data = _ZERO_BYTE * self.zeros + _OTHER_BYTE * self.others
        floor = _FLOOR_TOKEN * (self.zeros + _TOKENS_OTHER * self.others)
        return max(floor, data + self.execution + _MEMORY_WORD * self.memory)


_EMPTY_RELAY = Load(
    zeros=_HEAD_BYTES - 4 - 1 - _PLACE_OTHERS,
    others=4 + 1 + _PLACE_OTHERS,
    execution=_RELAY,
    memory=_SCRATCH_WORDS,
)


def relay_item(revocation: Revocation, chain_id: int, signature: bytes) -> RelayItem:
    """Create the item of a gossiped signature (rule 4.4); raises BadSignature, TooLarge."""
    if len(signature) <= EOA_SIGNATURE_BYTES:
        return RelayItem(revocation, chain_id, signature, asks_wallet=False)
    proof = read_wallet_proof(signature)
    first = None if proof.factory == DEPLOYED else Call(address_text(proof.factory), proof.deployment)
    return RelayItem(revocation, chain_id, proof.signature, asks_wallet=True, deployment=first)


def relay_call(registry: str, items: Iterable[RelayItem]) -> Call:
    """Return the call with all items."""
    return Calls(registry).relay(
        SignedRevocation(item.revocation, item.chain_id, item.signature) for item in items
    )


def load_of(item: RelayItem) -> Load:
    """Return the load of one item."""
    alone = relay_call(address_text(DEPLOYED), [item]).data[_HEAD_BYTES + _PLACE_BYTES :]
    zeros = alone.count(0)
    revocation = item.revocation
    bits = len(revocation.words) + len(revocation.scopes)
    texts = sum(map(len, revocation.scopes))
    words = _ITEM_WORDS + sum(len(text) // 32 + 2 for text in revocation.scopes)
    asked = 0
    if item.asks_wallet:
        asked = _ASK_WALLET + len(item.signature)
        words += len(item.signature) // 32 + 8
    return Load(
        zeros=zeros + _PLACE_BYTES - _PLACE_OTHERS,
        others=len(alone) - zeros + _PLACE_OTHERS,
        execution=_ITEM + bits * _SET + texts * _TEXT_BYTE + asked,
        memory=words,
    )


def rejections(logs: Iterable[Mapping[str, Any]], registry: str) -> list[Rejection]:
    """Decode the rejections in the logs of a relay's receipt; raises BadLog."""
    ours = address_from_text(registry)
    return [_rejection(log) for log in logs if _is_rejection(log, ours)]


def _is_rejection(log: Mapping[str, Any], registry: bytes) -> bool:
    topics = log["topics"]
    return bool(topics) and _bytes(topics[0]) == REJECTED_TOPIC and _bytes(log["address"]) == registry


def _rejection(log: Mapping[str, Any]) -> Rejection:
    try:
        (contributor,) = decode(["address"], _bytes(log["topics"][1]))
        data = _bytes(log["data"])
        index, reason = decode(["uint256", "bytes"], data)
    except (DecodingError, LookupError, ValueError) as error:
        raise BadLog(f"the log is not a valid Rejected: {error}") from error
    if encode(["uint256", "bytes"], [index, reason]) != data:
        raise BadLog(f"the log is not a valid Rejected: {hex_text(data)[:200]}")
    return Rejection(index, address_from_text(contributor), describe_revert(reason))


def _bytes(value: Any) -> bytes:
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)
