"""Many signed revocations in one transaction: how many fit, what they may cost, which were rejected.

What a relay may cost is computed, never estimated: an estimate holds for the state of one block, and a
contract wallet may be cheap when it is asked first and dear afterwards. With less gas than the bound one
such wallet could make the whole relay revert (TooLittleGas), so a relay is sent with `gas_bound`.

    for batch in batches([relay_item(revocation, signature), ...]):
        await registry.sign(registry.relay(batch), account, gas=gas_bound(batch))

A bound is a sum over the items, so whoever fills a relay item by item keeps a `Load`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from sayso_contracts.abi import describe_revert, topic
from sayso_contracts.calls import Call, Calls
from sayso_contracts.errors import BadLog, TransactionTooLarge
from sayso_contracts.transactions import MAX_TRANSACTION_GAS
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_from_text, address_text, hex_text
from sayso_protocol.signatures.contract_wallets import DEPLOYED, read_wallet_proof
from sayso_protocol.signatures.wallets import EOA_SIGNATURE_BYTES

REJECTED_TOPIC = topic("Rejected")

# Gas. What the EVM asks: EIP-2028 and EIP-7623 for data, EIP-2929 for storage.
_TRANSACTION = 21_000
_ZERO_BYTE, _OTHER_BYTE = 4, 16
_FLOOR_TOKEN, _TOKENS_OTHER = 10, 4
_MEMORY_WORD, _MEMORY_SQUARE = 3, 512
# Gas of the contract's own code, rounded up; a test holds real relays to them.
_RELAY = 3_000
_ITEM = 9_000  # digest, ECDSA, and the event of a rejection
_SET = 26_000  # an empty word is read and written, with its event
_TEXT_BYTE = 1
_ASK_WALLET = 165_000  # ERC1271_GAS_NEEDED of WalletSignature.sol, and the question
_ITEM_WORDS = 32  # words of memory that an item leaves behind
_SCRATCH_WORDS = 64 + 16  # of an array on its way through the hash
# Bytes of the call's data. The number of items and where one begins are below 2^24: they take at most
# three bytes that are not zero.
_HEAD_BYTES = 4 + 2 * 32  # selector, where the list begins, how many there are
_PLACE_BYTES = 32
_PLACE_OTHERS = 3


@dataclass(frozen=True)
class RelayItem:
    """One signed revocation in a relay.

    Attributes:
        revocation: What was signed.
        signature: What the registry takes: 65 bytes, or the wallet's own.
        asks_wallet: Whether a contract may be asked about it (ERC-1271).
        deployment: The call that must come first because it may create the wallet (ERC-6492), or None.
    """

    revocation: Revocation
    signature: bytes
    asks_wallet: bool
    deployment: Call | None = None


@dataclass(frozen=True)
class Rejection:
    """An item of a relay that had no effect.

    Attributes:
        index: Which item, from 0.
        contributor: 20 bytes.
        reason: What revokeBySig would have reverted with, for people: `InvalidSignature(...)`.
    """

    index: int
    contributor: bytes
    reason: str


@dataclass(frozen=True)
class Load:
    """What items put into a relay; the loads of two make the load of both.

    Attributes:
        zeros: Bytes of data that are zero.
        others: Bytes of data that are not.
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
        """Gas that a relay of this load can never exceed, whatever the state of the chain."""
        whole = self + _EMPTY_RELAY
        data = _ZERO_BYTE * whole.zeros + _OTHER_BYTE * whole.others
        floor = _FLOOR_TOKEN * (whole.zeros + _TOKENS_OTHER * whole.others)
        memory = _MEMORY_WORD * whole.memory + whole.memory**2 // _MEMORY_SQUARE
        return _TRANSACTION + max(floor, data + whole.execution + memory)


_EMPTY_RELAY = Load(
    zeros=_HEAD_BYTES - 4 - 1 - _PLACE_OTHERS,
    others=4 + 1 + _PLACE_OTHERS,
    execution=_RELAY,
    memory=_SCRATCH_WORDS,
)


def relay_item(revocation: Revocation, signature: bytes) -> RelayItem:
    """The item for a signature as it travels in gossip (rule 4.4); raises BadSignature, TooLarge."""
    if len(signature) <= EOA_SIGNATURE_BYTES:
        return RelayItem(revocation, signature, asks_wallet=False)
    proof = read_wallet_proof(signature)
    first = None if proof.factory == DEPLOYED else Call(address_text(proof.factory), proof.deployment)
    return RelayItem(revocation, proof.signature, asks_wallet=True, deployment=first)


def relay_call(registry: str, items: Iterable[RelayItem]) -> Call:
    """The call that carries them all."""
    return Calls(registry).relay((item.revocation, item.signature) for item in items)


def load_of(item: RelayItem) -> Load:
    """What one item puts into a relay."""
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


def gas_bound(items: Iterable[RelayItem]) -> int:
    """Gas that a relay of these items can never exceed, whatever the state of the chain."""
    return sum(map(load_of, items), Load()).gas


def batches(
    items: Iterable[RelayItem], limit: int = MAX_TRANSACTION_GAS
) -> Iterator[tuple[RelayItem, ...]]:
    """The items in order, in as few relays as have a bound within `limit`; nothing is left out.

    Raises TransactionTooLarge when one item alone is beyond the limit.
    """
    batch: list[RelayItem] = []
    taken = Load()
    for item in items:
        load = load_of(item)
        if load.gas > limit:
            raise TransactionTooLarge(f"one revocation may take {load.gas} gas, {limit} are allowed")
        if (taken + load).gas > limit:
            yield tuple(batch)
            batch, taken = [], Load()
        batch.append(item)
        taken += load
    if batch:
        yield tuple(batch)


def rejections(logs: Iterable[Mapping[str, Any]], registry: str) -> list[Rejection]:
    """The rejections among the logs of a relay's receipt; raises BadLog."""
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
        raise BadLog(f"the log is no Rejected: {error}") from error
    if encode(["uint256", "bytes"], [index, reason]) != data:
        raise BadLog(f"the log is no Rejected: {hex_text(data)[:200]}")
    return Rejection(index, address_from_text(contributor), describe_revert(reason))


def _bytes(value: Any) -> bytes:
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)
