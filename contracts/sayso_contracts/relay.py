"""Many signed revocations in one transaction: how many fit, what they may cost, which were rejected.

What a relay may cost is computed, never estimated: an estimate holds for the state of one block, and a
contract wallet may be cheap when it is asked first and dear afterwards. With less gas than the bound one
such wallet could make the whole relay revert (TooLittleGas), so a relay is sent with `gas_bound`.

    for batch in batches([relay_item(revocation, signature), ...]):
        await registry.sign(registry.relay(batch), account, gas=gas_bound(batch))
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from sayso_contracts.abi import describe_revert, topic
from sayso_contracts.calls import Call, Calls
from sayso_contracts.errors import BadLog, TransactionTooLarge
from sayso_contracts.transactions import MAX_TRANSACTION_GAS
from sayso_protocol.messages import Revocation
from sayso_protocol.primitives import address_from_text, address_text, hex_text
from sayso_protocol.signatures import EOA_SIGNATURE_BYTES
from sayso_protocol.wallet_proofs import DEPLOYED, read_wallet_proof

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


def gas_bound(items: Sequence[RelayItem]) -> int:
    """Gas that a relay of these items can never exceed, whatever the state of the chain."""
    data = relay_call(address_text(DEPLOYED), items).data
    return _gas_of_data(data, _RELAY + sum(map(_item_gas, items)) + _memory_gas(items))


def batches(
    items: Iterable[RelayItem], limit: int = MAX_TRANSACTION_GAS
) -> Iterator[tuple[RelayItem, ...]]:
    """The items in order, in as few relays as have a bound within `limit`; nothing is left out.

    Raises TransactionTooLarge when one item alone is beyond the limit.
    """
    batch: list[RelayItem] = []
    for item in items:
        if batch and gas_bound([*batch, item]) > limit:
            yield tuple(batch)
            batch = []
        batch.append(item)
        if len(batch) == 1 and (own := gas_bound(batch)) > limit:
            raise TransactionTooLarge(f"one revocation may take {own} gas, at most {limit} are allowed")
    if batch:
        yield tuple(batch)


def rejections(logs: Iterable[Mapping[str, Any]], registry: str) -> list[Rejection]:
    """The rejections among the logs of a relay's receipt; raises BadLog."""
    ours = address_from_text(registry)
    return [_rejection(log) for log in logs if _is_rejection(log, ours)]


def _gas_of_data(data: bytes, execution: int) -> int:
    zeros = data.count(0)
    others = len(data) - zeros
    floor = _TRANSACTION + _FLOOR_TOKEN * (zeros + _TOKENS_OTHER * others)
    return max(floor, _TRANSACTION + _ZERO_BYTE * zeros + _OTHER_BYTE * others + execution)


def _item_gas(item: RelayItem) -> int:
    revocation = item.revocation
    texts = sum(map(len, revocation.scopes))
    bits = len(revocation.words) + len(revocation.scopes)
    asked = _ASK_WALLET + len(item.signature) if item.asks_wallet else 0
    return _ITEM + bits * _SET + texts * _TEXT_BYTE + asked


def _memory_gas(items: Sequence[RelayItem]) -> int:
    words = _SCRATCH_WORDS
    for item in items:
        texts = sum(len(text) // 32 + 2 for text in item.revocation.scopes)
        asked = len(item.signature) // 32 + 8 if item.asks_wallet else 0
        words += _ITEM_WORDS + texts + asked
    return _MEMORY_WORD * words + words * words // _MEMORY_SQUARE


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
