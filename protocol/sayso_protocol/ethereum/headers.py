"""The header of a block of Ethereum: what it binds for who trusts its hash (Yellow Paper, 4.3)."""

from typing import Final, NamedTuple

from sayso_protocol.errors import BadProof
from sayso_protocol.ethereum.tries import decode_rlp, text_of
from sayso_protocol.primitives import keccak

# Where a header has them, after every fork so far.
STATE, TRANSACTIONS, RECEIPTS, NUMBER, TIME = 3, 4, 5, 8, 11
LEAST_FIELDS: Final = 15


class Header(NamedTuple):
    """What a header binds.

    Attributes:
        state: Root of the state after the block, 32 bytes.
        transactions: Root of its transactions.
        receipts: Root of their receipts.
        number: Height.
        time: Seconds since the epoch.
    """

    state: bytes
    transactions: bytes
    receipts: bytes
    number: int
    time: int


def read_header(raw: bytes, block_hash: bytes) -> Header:
    """The header of the block of this hash; raises BadProof for any other bytes."""
    if keccak(raw) != block_hash:
        raise BadProof("the header is not that of the block of this hash")
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
