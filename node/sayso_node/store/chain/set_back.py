"""Corrects dates that were stored while our clock was ahead.

Such a date says when something happened, and lies in the future once the clock is right. Until then
everything that depends on it would wait, maybe for years: anchors, relays, questions to wallets, and
consents that must be older than a reading of the chain. Each such date becomes the present moment, which
is not before what it dates. A pause that began then is over; the next failure makes a longer one.
"""

from typing import Final

from sayso_node.store.integrity.checksums import of_message
from sayso_node.store.interface import Reading, Writing

SMALL_S: Final = 60.0  # smaller steps are those of a clock that is kept right, and harm nothing
# What a node goes on writing, and finds quickly: one of them is to come if the clock was ahead of late.
_SIGNS: Final = (
    ("messages", "arrived_at"),
    ("intents", "paid_at"),
    ("late_ranges", "read_at"),
    ("wallet_turns", "served_at"),
)
_DATES: Final = (
    ("sublicense_terms", "seen_at"),
    ("anchor_queue", "queued_at"),
    ("relay_wants", "wanted_at"),
    ("intents", "paid_at"),
    ("transactions", "signed_at"),
    ("late_ranges", "read_at"),
    ("doubted_blocks", "since"),
    ("doubted_blocks", "tried_at"),
    ("wallet_consents", "tried_at"),  # endless for a consent that had ended, which is asked about again
    ("wallet_turns", "served_at"),
    ("mark_bitmaps", "begun_at"),
    # Pauses
    ("relay_wants", "not_before"),
    ("relay_refusals", "again_at"),
    ("deployments", "not_before"),
    ("receipt_blocks", "not_before"),
)


def was_ahead(db: Reading, now: float) -> bool:
    """Return whether our clock was ahead of `now`, in seconds since the epoch, not long ago."""
    return any(
        db.execute(f"SELECT 1 FROM {table} WHERE {column} > ? LIMIT 1", (now + SMALL_S,)).fetchone()  # noqa: S608 - our own names
        for table, column in _SIGNS
    )


def date_anew(db: Writing, now: float) -> None:
    """Let nothing be dated after `now`, seconds since the epoch."""
    for table, column in _DATES:
        db.execute(f"UPDATE {table} SET {column} = ? WHERE {column} > ?", (now, now))  # noqa: S608 - likewise
    db.execute(
        "INSERT INTO wallet_turns SELECT DISTINCT wallet, CAST(? AS REAL), 0 FROM wallet_consents"
        " WHERE true ON CONFLICT DO NOTHING",
        (now,),
    )
    query = "SELECT seq, digest, kind, body FROM messages WHERE arrived_at > ?"
    for seq, digest, kind, body in db.execute(query, (now,)).fetchall():
        change = "UPDATE messages SET arrived_at = ?, sum = ? WHERE seq = ?"
        db.execute(change, (now, of_message(digest, kind, body, now), seq))
