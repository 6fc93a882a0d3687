"""Receipts and acknowledgements as JSON files: what a person keeps and a script reads.

The JSON is a rendering; what is signed is the canonical content (rules 9.1 and 9.4). Reading builds the
statement again from the fields, so a changed file fails its signature.
"""

import re
from collections.abc import Mapping
from typing import Any

from sayso_protocol.errors import Malformed
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text, hex_text
from sayso_protocol.receipts.receipt import Acknowledgement, ChainPoint, Receipt, Signed
from sayso_protocol.verdicts.verdict import Reason

Json = dict[str, Any]
PATH_STEPS = 64  # no tree of ours is higher
_REASONS = frozenset(Reason)
_BYTES = re.compile(r"0x(?:[0-9a-f]{2})*")  # bytes.fromhex alone would skip white space


def receipt_to_json(signed: Signed[Receipt]) -> Json:
    """A receipt as a JSON object."""
    receipt = signed.statement
    return {
        "type": "sayso-receipt-1",
        **place_json(receipt.network, receipt.node_key),
        "grantee": address_text(receipt.grantee),
        "purpose": receipt.purpose,
        "max_age_s": receipt.max_age_s,
        "run_id": receipt.run_id,
        "manifest_root": hex_text(receipt.manifest_root),
        "results_root": hex_text(receipt.results_root),
        "counts": dict(receipt.counts),
        "sequence": receipt.sequence,
        "state": hex_text(receipt.state),
        "block": block_json(receipt.block),
        "time": receipt.time,
        "signature": hex_text(signed.signature),
    }


def acknowledgement_to_json(signed: Signed[Acknowledgement]) -> Json:
    """An acknowledgement as a JSON object."""
    acknowledgement = signed.statement
    return {
        "type": "sayso-acknowledgement-1",
        **place_json(acknowledgement.network, acknowledgement.node_key),
        "digest": hex_text(acknowledgement.digest),
        "block": block_json(acknowledgement.block),
        "time": acknowledgement.time,
        "signature": hex_text(signed.signature),
    }


def receipt_from_json(value: Any) -> Signed[Receipt]:
    """Read a receipt; its signature is still to be checked. Raises Malformed."""
    table = Table(value, "sayso-receipt-1")
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
    table = Table(value, "sayso-acknowledgement-1")
    acknowledgement = Acknowledgement(
        table.network(), table.node_key(), table.hash("digest"), table.block(), table.number("time")
    )
    return Signed(acknowledgement, table.signature())


def place_json(network: Network, node_key: bytes) -> Json:
    """Where a statement belongs and who made it."""
    return {
        "network": {"chain_id": network.chain_id, "registry": address_text(network.registry)},
        "node_key": node_key.hex(),
    }


def block_json(block: ChainPoint) -> Json:
    """A block's number and hash."""
    return {"number": block.number, "hash": hex_text(block.hash)}


def _whole(text: str) -> str:
    """JSON can spell half a character (a lone surrogate), which has no bytes; raises Malformed."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Malformed("a text holds half a character") from error
    return text


class Table:
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
        """A text without half characters."""
        text: str = self._get(name, str)
        return _whole(text)

    def number(self, name: str) -> int:
        """An integer of 64 bits, not negative."""
        number: int = self._get(name, int)
        if not 0 <= number < 1 << 64:
            raise Malformed(f"{name} is out of range")
        return number

    def hash(self, name: str) -> bytes:
        """32 bytes."""
        return hash_from_text(self.text(name))

    def hashes(self, name: str) -> tuple[bytes, ...]:
        """A path in a tree."""
        values = self._get(name, list)
        if len(values) > PATH_STEPS or not all(isinstance(one, str) for one in values):
            raise Malformed(f"{name} is not a path of hashes")
        return tuple(map(hash_from_text, values))

    def reason(self, name: str) -> Reason:
        """A reason by its name."""
        text = self.text(name)
        if text not in _REASONS:
            raise Malformed(f"{name} is no reason that this release knows")
        return Reason(text)

    def address(self, name: str) -> bytes:
        """20 bytes."""
        return address_from_text(self.text(name))

    def counts(self) -> list[tuple[str, int]]:
        """Reason and number of rows, in the order of the file."""
        counts = Table({"type": "counts", **self._get("counts", dict)}, "counts")
        return [(_whole(name), counts.number(name)) for name in counts._value if name != "type"]

    def network(self) -> Network:
        """The field `network`."""
        place = Table({"type": "network", **self._get("network", dict)}, "network")
        return Network(place.number("chain_id"), place.address("registry"))

    def block(self) -> ChainPoint:
        """The field `block`."""
        block = Table({"type": "block", **self._get("block", dict)}, "block")
        return ChainPoint(block.number("number"), block.hash("hash"))

    def node_key(self) -> bytes:
        """The field `node_key`."""
        return hash_from_text("0x" + self.text("node_key"))

    def signature(self) -> bytes:
        """The field `signature`, of any length."""
        text = self.text("signature")
        if not _BYTES.fullmatch(text):
            raise Malformed("the signature is not 0x and lower-case hexadecimal digits")
        return bytes.fromhex(text[2:])
