"""Computes checksums from rows that were written past the store's door."""

from sayso_node.store import singles
from sayso_node.store.integrity import bit_sums, totals
from sayso_node.store.integrity.checksums import of_message, packed_sum
from sayso_node.store.interface import Writing
from sayso_protocol.permissions.state_digest import SUM_BYTES

_AT_ONCE = 1_000  # messages or people


def rebuild(db: Writing) -> None:
    """Compute the checksums of bits, messages, people, terms and the state's sum."""
    rebuild_bits(db)
    _sum_messages(db)
    totals.rebuild(db)
    if total := singles.get(db, "state-sum"):
        singles.put(db, "state-sum", total[:SUM_BYTES] + packed_sum(total[:SUM_BYTES]))


def rebuild_bits(db: Writing) -> None:
    """Compute the checksums of all bits."""
    db.execute("DELETE FROM bit_sums")
    last = b""
    query = "SELECT DISTINCT address FROM bits WHERE address > ? ORDER BY address LIMIT ?"
    while some := db.execute(query, (last, _AT_ONCE)).fetchall():
        for (address,) in some:
            rows = db.execute("SELECT word, signed, chain FROM bits WHERE address = ?", (address,))
            bit_sums.keep(db, address, rows)
        last = some[-1][0]


def _sum_messages(db: Writing) -> None:
    query = "SELECT seq, digest, kind, body, arrived_at FROM messages WHERE seq > ? ORDER BY seq LIMIT ?"
    seq = -1
    while found := db.execute(query, (seq, _AT_ONCE)).fetchall():
        sums = [(of_message(*row), number) for number, *row in found]
        db.executemany("UPDATE messages SET sum = ? WHERE seq = ?", sums)
        seq = found[-1][0]
