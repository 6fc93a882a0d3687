"""Values of proofs: the contract's storage, and transactions (rules 10.6 and 10.10)."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from sayso_node.api.schema.values import AnchorProofJson, Decimal
from sayso_protocol.receipts.json_values import Address, Count, Hash, Hex, NetworkJson, Purpose

Quantity = Annotated[
    str,
    Meta(
        title="Quantity",
        description="An integer in hexadecimal digits.",
        extra_json_schema={"pattern": "^0x[0-9a-f]{1,64}$"},
    ),
]


class AccountProof(Struct):
    """The contract's account, with its proof (EIP-1186)."""

    account_proof: list[Hex]
    balance: Quantity
    nonce: Quantity
    code_hash: Hex
    storage_hash: Hex


class PlaceProof(Struct):
    """A place that rule 8.2 reads."""

    address: Address
    word: Decimal
    bit: Count
    scope: str | None
    slot: Hash
    value: Quantity
    proof: list[Hex]


class AnchorSlot(Struct):
    """The slot of an anchor's root; `batch` leads from the license to the root."""

    root: Hash
    slot: Hash
    value: Quantity
    proof: list[Hex]
    batch: AnchorProofJson | UnsetType = UNSET


class HeaderJson(Struct):
    """A block with its header's RLP."""

    number: Count
    hash: Hash
    header: Hex


class ChainProof(Struct, kw_only=True):
    """Rule 10.6: EIP-1186 proofs of every place that rule 8.2 reads."""

    type: str
    network: NetworkJson
    license: Hash
    item: Hash
    grantee: Address
    purpose: Purpose
    envelope: Hex
    block: HeaderJson
    account: AccountProof
    places: list[PlaceProof]
    anchor: AnchorSlot | None


class Landing(Struct):
    """A transaction that brought bits to the chain and its receipt, with trie proofs in its block."""

    block: HeaderJson
    index: Count
    transaction: list[Hex]
    receipt: list[Hex]


class ReceiptProof(Struct):
    """Rule 10.10: the transactions that brought a revocation to the chain."""

    type: str
    network: NetworkJson
    digest: Hash
    envelope: Hex
    landings: list[Landing]
