"""Headers of Ethereum blocks, verified by block hash (Yellow Paper, 4.3)."""

from typing import Final, NamedTuple

from sayso_protocol.errors import BadProof
from sayso_protocol.ethereum.tries import decode_rlp, text_of
from sayso_protocol.primitives import keccak

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
