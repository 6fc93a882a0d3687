"""Receipts and acknowledgements as JSON files: what a person keeps and a script reads.

The JSON is a rendering; what is signed is the canonical content (rules 9.1 and 9.4). Reading builds the
statement again from the fields, so a changed file fails its signature.
"""

from collections.abc import Mapping
from typing import Any

from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text, hex_text
from sayso_protocol.receipts import Acknowledgement, ChainPoint, Receipt, Signed
from sayso_protocol.typed_data import Network

Json = dict[str, Any]


def receipt_to_json(signed: Signed[Receipt]) -> Json:
    """A receipt as a JSON object."""
    receipt = signed.statement
    return {
        "type": "sayso-receipt-1",
        **_place(receipt.network, receipt.node_key),
        "grantee": address_text(receipt.grantee),
        "purpose": receipt.purpose,
        "max_age_s": receipt.max_age_s,
        "run_id": receipt.run_id,
        "manifest_root": hex_text(receipt.manifest_root),
        "results_root": hex_text(receipt.results_root),
        "counts": dict(receipt.counts),
        "sequence": receipt.sequence,
        "state": hex_text(receipt.state),
        "block": _block(receipt.block),
        "time": receipt.time,
        "signature": hex_text(signed.signature),
    }


def acknowledgement_to_json(signed: Signed[Acknowledgement]) -> Json:
    """An acknowledgement as a JSON object."""
    acknowledgement = signed.statement
    return {
        "type": "sayso-acknowledgement-1",
        **_place(acknowledgement.network, acknowledgement.node_key),
        "digest": hex_text(acknowledgement.digest),
        "block": _block(acknowledgement.block),
        "time": acknowledgement.time,
        "signature": hex_text(signed.signature),
    }


def receipt_from_json(value: Any) -> Signed[Receipt]:
    """Read a receipt; its signature is still to be checked. Raises Malformed."""
    table = _Table(value, "sayso-receipt-1")
    receipt = Receipt(
        table.network(),
        table.node_key(),
        table.address("grantee"),
        table.text("purpose"),
        table.number("max_age_s"),
        table.text("run_id"),
        table.hash("manifest_root"),
        table.hash("results_root"),
        tuple(sorted(table.counts())),
        table.number("sequence"),
        table.hash("state"),
        table.block(),
        table.number("time"),
    )
    return Signed(receipt, table.signature())


def acknowledgement_from_json(value: Any) -> Signed[Acknowledgement]:
    """Read an acknowledgement; its signature is still to be checked. Raises Malformed."""
    table = _Table(value, "sayso-acknowledgement-1")
    acknowledgement = Acknowledgement(
        table.network(), table.node_key(), table.hash("digest"), table.block(), table.number("time")
    )
    return Signed(acknowledgement, table.signature())


def _place(network: Network, node_key: bytes) -> Json:
    return {
        "network": {"chain_id": network.chain_id, "registry": address_text(network.registry)},
        "node_key": node_key.hex(),
    }


def _block(block: ChainPoint) -> Json:
    return {"number": block.number, "hash": hex_text(block.hash)}


def _whole(text: str) -> str:
    """JSON can spell half a character (a lone surrogate), which has no bytes; raises Malformed."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Malformed("a text holds half a character") from error
    return text


class _Table:
    """Typed access to an untrusted JSON object; every miss is Malformed and names the field."""

    def __init__(self, value: Any, kind: str) -> None:
        if not isinstance(value, Mapping) or value.get("type") != kind:
            raise Malformed(f"this is not a {kind}")
        self._value = value

    def _get(self, name: str, kind: type) -> Any:
        value = self._value.get(name)
        if type(value) is not kind:
            raise Malformed(f"{name} is missing or not of type {kind.__name__}")
        return value

    def text(self, name: str) -> str:
        text: str = self._get(name, str)
        return _whole(text)

    def number(self, name: str) -> int:
        number: int = self._get(name, int)
        if not 0 <= number < 1 << 64:
            raise Malformed(f"{name} is out of range")
        return number

    def hash(self, name: str) -> bytes:
        return hash_from_text(self.text(name))

    def address(self, name: str) -> bytes:
        return address_from_text(self.text(name))

    def counts(self) -> list[tuple[str, int]]:
        counts = _Table({"type": "counts", **self._get("counts", dict)}, "counts")
        return [(_whole(name), counts.number(name)) for name in counts._value if name != "type"]

    def network(self) -> Network:
        place = _Table({"type": "network", **self._get("network", dict)}, "network")
        return Network(place.number("chain_id"), place.address("registry"))

    def block(self) -> ChainPoint:
        block = _Table({"type": "block", **self._get("block", dict)}, "block")
        return ChainPoint(block.number("number"), block.hash("hash"))

    def node_key(self) -> bytes:
        return hash_from_text("0x" + self.text("node_key"))

    def signature(self) -> bytes:
        try:
            return bytes.fromhex(self.text("signature").removeprefix("0x"))
        except ValueError as error:
            raise Malformed("the signature is not hexadecimal") from error
