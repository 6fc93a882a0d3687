"""Receipts and acknowledgements as JSON files (rule 9.6).

The JSON is a rendering; the signature covers the canonical content (rules 9.1 and 9.4). A reader builds
the statement from the fields, so the signature of a changed file does not match.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from sayso_protocol.primitives import hash_from_text, hex_text
from sayso_protocol.receipts.json_values import (
    Address,
    Count,
    Hash,
    HeedJson,
    Hex,
    Json,
    Key,
    NetworkJson,
    Nonce,
    Purpose,
    texts_of,
    typed,
    values_of,
)
from sayso_protocol.receipts.receipt import Acknowledgement, ChainPoint, Receipt, Signed

PATH_STEPS: Final = 64  # no tree is higher (rule 9.6.5)
Path = Annotated[list[Hash], Meta(max_length=PATH_STEPS)]


class BlockJson(Struct):
    """BlockJson is a block as JSON: number and hash."""

    number: Count
    hash: Hash

    @classmethod
    def of(cls, block: ChainPoint) -> "BlockJson":
        """Return the JSON form of a block."""
        return cls(block.number, hex_text(block.hash))

    def read(self) -> ChainPoint:
        """Return the block; raises Malformed."""
        return ChainPoint(self.number, hash_from_text(self.hash))


class ReceiptJson(Struct, kw_only=True):
    """ReceiptJson is a signed receipt as JSON (rule 9.6)."""

    type: Literal["sayso-receipt-1"]
    network: NetworkJson
    node_key: Key
    grantee: Address
    purpose: Purpose
    max_age_s: Count
    run_id: str
    nonce: Nonce
    manifest_root: Hash
    results_root: Hash
    counts: dict[str, Count]
    sequence: Count
    state: Hash
    block: BlockJson
    time: Count
    run_until: Count
    until: Count
    heed: HeedJson
    signature: Hex


class AcknowledgementJson(Struct, kw_only=True):
    """AcknowledgementJson is a signed acknowledgement as JSON (rule 9.6)."""

    type: Literal["sayso-acknowledgement-1"]
    network: NetworkJson
    node_key: Key
    digest: Hash
    block: BlockJson
    time: Count
    signature: Hex


def signed_texts(kind: type[Struct], signed: Signed[Any]) -> Json:
    """Return the JSON fields of a statement and its signature (rule 9.6)."""
    return texts_of(kind, signed.statement) | {"signature": hex_text(signed.signature)}


def signed_values(found: ReceiptJson | AcknowledgementJson) -> tuple[Json, bytes]:
    """Return the fields of a statement and its signature; raises Malformed, InvalidAddress."""
    values = values_of(found)
    del values["type"]
    return values, values.pop("signature")


def receipt_json(signed: Signed[Receipt]) -> ReceiptJson:
    """Return the JSON form of a receipt (rule 9.6)."""
    texts = signed_texts(ReceiptJson, signed) | {"counts": dict(signed.statement.counts)}
    return ReceiptJson(type="sayso-receipt-1", **texts)


def acknowledgement_json(signed: Signed[Acknowledgement]) -> AcknowledgementJson:
    """Return the JSON form of an acknowledgement (rule 9.6)."""
    texts = signed_texts(AcknowledgementJson, signed)
    return AcknowledgementJson(type="sayso-acknowledgement-1", **texts)


def receipt_to_json(signed: Signed[Receipt]) -> Json:
    """Return a receipt as a JSON object (rule 9.6)."""
    return plain(receipt_json(signed))


def acknowledgement_to_json(signed: Signed[Acknowledgement]) -> Json:
    """Return an acknowledgement as a JSON object (rule 9.6)."""
    return plain(acknowledgement_json(signed))


def receipt_from_json(value: Any) -> Signed[Receipt]:
    """Read a receipt without checking its signature (rule 9.6); raises Malformed, InvalidAddress."""
    return receipt_of(typed(value, ReceiptJson))


def receipt_of(found: ReceiptJson) -> Signed[Receipt]:
    """Return the receipt of its JSON form, unchecked (rule 9.6); raises Malformed, InvalidAddress."""
    values, signature = signed_values(found)
    values["counts"] = tuple(sorted(found.counts.items()))
    return Signed(Receipt(**values), signature)


def acknowledgement_from_json(value: Any) -> Signed[Acknowledgement]:
    """Read an acknowledgement without checking its signature (9.6); raises Malformed, InvalidAddress."""
    values, signature = signed_values(typed(value, AcknowledgementJson))
    return Signed(Acknowledgement(**values), signature)


def plain(value: Struct) -> Json:
    """Return a JSON value as dictionaries and lists."""
    found: Json = msgspec.to_builtins(value)
    return found
