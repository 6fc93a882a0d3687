"""Receipts and acknowledgements as JSON files (rule 9.6).

The JSON is a rendering; the signature covers the canonical content (rules 9.1 and 9.4). A reader builds
the statement from the fields, so the signature of a changed file does not match.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from sayso_protocol.primitives import (
    address_from_text,
    address_text,
    bytes_from_text,
    hash_from_text,
    hex_text,
)
from sayso_protocol.receipts.json_values import (
    Address,
    Count,
    Hash,
    HeedJson,
    Hex,
    Key,
    NetworkJson,
    Nonce,
    Purpose,
    heed_of,
    heed_texts,
    nonce_from_text,
    typed,
)
from sayso_protocol.receipts.receipt import Acknowledgement, ChainPoint, Receipt, Signed

Json = dict[str, Any]
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


def shared_fields(signed: Signed[Any]) -> Json:
    """Return the JSON fields that all statements have (rule 9.6)."""
    statement = signed.statement
    return {
        "network": NetworkJson.of(statement.network),
        "node_key": statement.node_key.hex(),
        "block": BlockJson.of(statement.block),
        "time": statement.time,
        "signature": hex_text(signed.signature),
    }


def read_shared(found: Any) -> Json:
    """Return their values, without the signature (rule 9.6); raises Malformed, InvalidAddress."""
    return {
        "network": found.network.read(),
        "node_key": node_key_of(found.node_key),
        "block": found.block.read(),
        "time": found.time,
    }


def receipt_json(signed: Signed[Receipt]) -> ReceiptJson:
    """Return the JSON form of a receipt (rule 9.6)."""
    receipt = signed.statement
    return ReceiptJson(
        **shared_fields(signed),
        type="sayso-receipt-1",
        grantee=address_text(receipt.grantee),
        purpose=receipt.purpose,
        max_age_s=receipt.max_age_s,
        run_id=receipt.run_id,
        nonce=hex_text(receipt.nonce),
        manifest_root=hex_text(receipt.manifest_root),
        results_root=hex_text(receipt.results_root),
        counts=dict(receipt.counts),
        sequence=receipt.sequence,
        state=hex_text(receipt.state),
        run_until=receipt.run_until,
        until=receipt.until,
        heed=heed_texts(receipt.heed),
    )


def acknowledgement_json(signed: Signed[Acknowledgement]) -> AcknowledgementJson:
    """Return the JSON form of an acknowledgement (rule 9.6)."""
    digest = hex_text(signed.statement.digest)
    return AcknowledgementJson(**shared_fields(signed), type="sayso-acknowledgement-1", digest=digest)


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
    receipt = Receipt(
        **read_shared(found),
        grantee=address_from_text(found.grantee),
        purpose=found.purpose,
        max_age_s=found.max_age_s,
        run_id=found.run_id,
        nonce=nonce_from_text(found.nonce),
        manifest_root=hash_from_text(found.manifest_root),
        results_root=hash_from_text(found.results_root),
        counts=tuple(sorted(found.counts.items())),
        sequence=found.sequence,
        state=hash_from_text(found.state),
        run_until=found.run_until,
        until=found.until,
        heed=heed_of(found.heed),
    )
    return Signed(receipt, bytes_from_text(found.signature))


def acknowledgement_from_json(value: Any) -> Signed[Acknowledgement]:
    """Read an acknowledgement without checking its signature (9.6); raises Malformed, InvalidAddress."""
    found = typed(value, AcknowledgementJson)
    promise = Acknowledgement(**read_shared(found), digest=hash_from_text(found.digest))
    return Signed(promise, bytes_from_text(found.signature))


def node_key_of(text: str) -> bytes:
    """Read a node key, 64 hexadecimal digits, to 32 bytes (rule 9.6); raises Malformed."""
    return hash_from_text("0x" + text)


def plain(value: Struct) -> Json:
    """Return a JSON value as dictionaries and lists."""
    found: Json = msgspec.to_builtins(value)
    return found
