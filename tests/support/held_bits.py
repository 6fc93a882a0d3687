"""All bits of an address in a store; a node reads only those that a question is about."""

from sayso_node.store.integrity import bit_sums
from sayso_node.store.interface import Reading
from sayso_protocol.permissions.words import Masks


def bits_of(db: Reading, address: bytes, *, source: str = "") -> Masks:
    """All bits of an address, or those of one source, `signed` or `chain`."""
    found: Masks = {}
    for word, *masks in bit_sums.all_rows(db, address):
        signed, chain = map(int.from_bytes, masks)
        found[int.from_bytes(word)] = {"signed": signed, "chain": chain}.get(source, signed | chain)
    return found
