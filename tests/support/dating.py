"""Dates what a store knows, as if the chain had said it, too."""

from sayso_node.store.chain import block_dates
from sayso_node.store.interface import Writing
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.traces.duties import Block

LANDED = 1_750_000_000  # time of the block


def date_all(db: Writing, number: int = 1) -> None:
    """Let every revocation that is kept land in one final block, which is dated."""
    db.execute(
        "INSERT INTO landed SELECT ?, address, word, signed FROM bits WHERE true"
        " ON CONFLICT (block_number, address, word) DO UPDATE SET mask = excluded.mask",
        (number,),
    )
    name = sha256(b"block %d" % number)
    block_dates.want(db, number, name)
    block_dates.date(db, ChainPoint(number, name), LANDED)
    if block_dates.final(db) is None:
        block_dates.set_final(db, Block(number, LANDED))
