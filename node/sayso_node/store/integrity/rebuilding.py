"""Computes all checksums from the rows, which are believed: for a store that has none yet."""

from typing import Final

from sayso_node.store import singles
from sayso_node.store.chain import wallets
from sayso_node.store.integrity import bit_sums, totals
from sayso_node.store.integrity.checksums import of_message, packed_sum
from sayso_node.store.integrity.totals import Total
from sayso_node.store.interface import Writing
from sayso_protocol.permissions.state_digest import SUM_BYTES

_AT_ONCE: Final = 1_000  # messages


def rebuild(db: Writing) -> None:
    """Compute the checksums of bits, messages, answers of wallets, people, terms and the state's sum."""
    bit_sums.rebuild(db)
    _sum_messages(db)
    wallets.rebuild_sums(db)
    rebuild_totals(db)
    if total := singles.get(db, "state-sum"):
        singles.put(db, "state-sum", total[:SUM_BYTES] + packed_sum(total[:SUM_BYTES]))


def rebuild_totals(db: Writing) -> None:
    """Compute number and sum of people and terms."""
    people = (address for (address,) in db.execute("SELECT address FROM people").fetchall())
    totals.put(db, totals.PEOPLE, Total().plus(people))
    terms = db.execute("SELECT address, base, permissions FROM terms").fetchall()
    totals.put(db, totals.TERMS, Total().plus(totals.term(*row) for row in terms))


def _sum_messages(db: Writing) -> None:
    query = "SELECT seq, digest, kind, body, arrived_at FROM messages WHERE seq > ? ORDER BY seq LIMIT ?"
    seq = -1
    while found := db.execute(query, (seq, _AT_ONCE)).fetchall():
        sums = [(of_message(*row), number) for number, *row in found]
        db.executemany("UPDATE messages SET sum = ? WHERE seq = ?", sums)
        seq = found[-1][0]
