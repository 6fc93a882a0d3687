"""Headers of Ethereum blocks, verified by block hash (Yellow Paper, 4.3)."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sayso_protocol.errors import BadProof, WrongNetwork
from sayso_protocol.ethereum.tries import decode_rlp, text_of
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, bytes_from_text, hex_text, keccak

# Indexes of the fields, which no fork has changed so far.
STATE, TRANSACTIONS, RECEIPTS, NUMBER, TIME = 3, 4, 5, 8, 11
LEAST_FIELDS: Final = 15


class Header(NamedTuple):
    """Header holds the fields of a block header that proofs need.

    Attributes:
        state: Root of the state after the block, 32 bytes.
        transactions: Root of the transactions, 32 bytes.
        receipts: Root of the transaction receipts, 32 bytes.
        number: Height.
        time: Seconds since the epoch.
    """

    state: bytes
    transactions: bytes
    receipts: bytes
    number: int
    time: int


def read_header(raw: bytes, block_hash: bytes) -> Header:
    """Read the RLP of the header with this block hash; raises BadProof."""
    if keccak(raw) != block_hash:
        raise BadProof("the header does not have this block hash")
    fields = decode_rlp(raw)
    if not isinstance(fields, list) or len(fields) < LEAST_FIELDS:
        raise BadProof("the header lacks fields")
    return Header(
        text_of(fields[STATE]),
        text_of(fields[TRANSACTIONS]),
        text_of(fields[RECEIPTS]),
        int.from_bytes(text_of(fields[NUMBER])),
        int.from_bytes(text_of(fields[TIME])),
    )


def stated_header(block: Mapping[str, Any], block_hash: bytes) -> Header:
    """Read the header in a proof, whose number and hash must be those stated beside it.

    Raises:
        BadProof, Malformed: The header does not have this hash, or another number or hash is stated.
    """
    header = read_header(bytes_from_text(block["header"]), block_hash)
    check_stated(block, number=header.number, hash=hex_text(block_hash))
    return header


def check_network(place: Mapping[str, Any], network: Network) -> None:
    """Raise WrongNetwork unless a proof states this network."""
    registry = address_from_text(place["registry"])
    if type(place["chain_id"]) is not int or Network(place["chain_id"], registry) != network:
        raise WrongNetwork("the proof is of another network")


def check_stated(entry: Mapping[str, Any], **computed: Any) -> None:
    """Raise BadProof unless an entry of a proof states the values that the checker computed (10.7.9)."""
    for name, value in computed.items():
        if type(entry[name]) is not type(value) or entry[name] != value:
            raise BadProof(f"the proof states another {name} than it shows")
