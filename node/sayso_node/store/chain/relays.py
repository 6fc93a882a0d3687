"""The bits of acknowledged revocations that must reach the chain, until they are final there.

The store keeps bits, not messages: a message without a new bit was acknowledged but not stored (rule
7.13), and its bits must still reach the chain. A bit has landed while an event of the followed chain
sets it; a reorganisation that drops the event makes it wanted again.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sayso_node.store.chain.intents import DAY_S
from sayso_node.store.chain.late_blocks import PASSES_S
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.revocations.bits import masks_at
from sayso_node.supervision.retrying import backoff
from sayso_protocol.messages.message import REVOCATION
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import HASH_BYTES

RELAY_PAUSE_MIN_S = 3_600.0  # after a refusal; doubled with each further one
RELAY_PAUSE_MAX_S = 604_800.0
LATEST_LOGS_S = max(PASSES_S) + 120.0  # after its receipt, the logs of a relay have been read for good


class Refusal(NamedTuple):
    """How often the registry refused a message, and when it is retried."""

    times: int
    again_at: float


class Want(NamedTuple):
    """A word and a mask of bits that must reach the chain, 32 bytes each."""

    word: bytes
    mask: bytes


def want(db: Writing, address: bytes, bits: Masks, now: float) -> None:
    """Record that these bits were acknowledged and must reach the chain."""
    for word, mask in bits.items():
        key = (address, word.to_bytes(HASH_BYTES))
        before = _mask(db, "relay_wants", key)
        if mask & ~before:
            db.execute(
                "INSERT INTO relay_wants VALUES (?, ?, ?, ?, 0, 0) ON CONFLICT (address, word)"
                " DO UPDATE SET mask = excluded.mask, done = 0, not_before = 0",
                (*key, (before | mask).to_bytes(HASH_BYTES), now),
            )


def whose_turn(db: Reading, now: float, limit: int) -> list[tuple[bytes, float]]:
    """As `waiting`, without addresses that are held back, so that those cannot block others."""
    rows = db.execute(
        "SELECT address, min(wanted_at) AS since FROM relay_wants WHERE done = 0 AND not_before <= ?"
        " GROUP BY address ORDER BY since LIMIT ?",
        (now, limit),
    )
    return rows.fetchall()


def hold_back(db: Writing, address: bytes, wanted: list[Want], until: float) -> None:
    """Skip the wanted bits of an address until a time; bits wanted later are not affected."""
    change = "UPDATE relay_wants SET not_before = ? WHERE address = ? AND word = ? AND mask = ?"
    db.executemany(change, ((until, address, *one) for one in wanted))


def wanted(db: Reading, address: bytes) -> list[Want]:
    """Return the wanted bits of an address that are not done."""
    query = "SELECT word, mask FROM relay_wants WHERE address = ? AND done = 0"
    return [Want(*row) for row in db.execute(query, (address,))]


def missing(db: Reading, address: bytes) -> Masks:
    """Return the wanted bits of an address that are not on the followed chain."""
    found = {}
    for name, mask in wanted(db, address):
        word = int.from_bytes(name)
        if left := int.from_bytes(mask) & ~on_chain(db, address, word):
            found[word] = left
    return found


def on_chain(db: Reading, address: bytes, word: int) -> int:
    """Return the bits of a word on the followed chain."""
    _, chain = masks_at(db, address, word)
    return chain & ~_mask(db, "dropped", (address, word.to_bytes(HASH_BYTES)))


def stored_of(db: Reading, address: bytes) -> list[tuple[bytes, bytes]]:
    """Return digest and envelope of an address's stored revocations, oldest first."""
    rows = db.execute(
        "SELECT digest, body FROM messages WHERE contributor = ? AND kind = ? ORDER BY seq",
        (address, REVOCATION),
    )
    return rows.fetchall()


def seen(db: Writing, number: int, address: bytes, word: int, bits: int) -> None:
    """Record that an event of the followed chain set these bits, in the block at this height."""
    key = (address, word.to_bytes(HASH_BYTES))
    query = "SELECT mask FROM landed WHERE block_number = ? AND address = ? AND word = ?"
    row = db.execute(query, (number, *key)).fetchone()
    together = bits | (int.from_bytes(row[0]) if row else 0)
    values = (number, *key, together.to_bytes(HASH_BYTES))
    db.execute(
        "INSERT INTO landed VALUES (?, ?, ?, ?)"
        " ON CONFLICT (block_number, address, word) DO UPDATE SET mask = excluded.mask",
        values,
    )
    if before := _mask(db, "dropped", key):
        _put_dropped(db, key, before & ~bits)


def rewound(db: Writing, number: int) -> None:
    """Delete the landed bits of blocks above a height, after a reorganisation."""
    rows = db.execute(
        "SELECT address, word, mask FROM landed WHERE block_number > ?", (number,)
    ).fetchall()
    for address, word, mask in rows:
        key = (address, word)
        _put_dropped(db, key, _mask(db, "dropped", key) | int.from_bytes(mask))
        again = "UPDATE relay_wants SET done = 0, not_before = 0 WHERE address = ? AND word = ?"
        db.execute(again, key)
    db.execute("DELETE FROM landed WHERE block_number > ?", (number,))


def rewound_to_the_start(db: Writing) -> None:
    """Delete all landed bits, because the chain is read from the start again."""
    db.execute("DELETE FROM landed")
    db.execute("DELETE FROM dropped")
    db.execute("INSERT INTO dropped SELECT address, word, chain FROM bits")
    db.execute("UPDATE relay_wants SET done = 0, not_before = 0")


def block_with(db: Reading, address: bytes, bits: Masks) -> int | None:
    """Return the height of the block that set the last of these bits on the followed chain, or None."""
    blocks = [_block_with(db, address, word, mask) for word, mask in bits.items()]
    found = [block for block in blocks if block is not None]
    return max(found) if len(found) == len(blocks) else None


def blocks_with(db: Reading, address: bytes, bits: Masks) -> list[int]:
    """Return the heights of the followed chain's blocks that set any of these bits, ascending."""
    found = set[int]()
    for word, mask in bits.items():
        rows = db.execute(
            "SELECT block_number, mask FROM landed WHERE address = ? AND word = ?",
            (address, word.to_bytes(HASH_BYTES)),
        )
        found |= {number for number, landed in rows if int.from_bytes(landed) & mask}
    return sorted(found)


def _block_with(db: Reading, address: bytes, word: int, mask: int) -> int | None:
    rows = db.execute(
        "SELECT block_number, mask FROM landed WHERE address = ? AND word = ? ORDER BY block_number",
        (address, word.to_bytes(HASH_BYTES)),
    )
    for number, landed in rows:
        mask &= ~int.from_bytes(landed)
        if not mask:
            return int(number)
    return None


def tick_off(db: Writing, last_final: int) -> None:
    """Mark wanted bits as done that are on chain in blocks up to this height."""
    rows = db.execute(
        "SELECT address, word, mask FROM relay_wants WHERE done = 0 AND NOT EXISTS (SELECT 1 FROM landed"
        " WHERE landed.address = relay_wants.address AND landed.word = relay_wants.word"
        " AND block_number > ?)",
        (last_final,),
    ).fetchall()
    for address, word, mask in rows:
        if not int.from_bytes(mask) & ~on_chain(db, address, int.from_bytes(word)):
            done = "UPDATE relay_wants SET done = 1 WHERE address = ? AND word = ?"
            db.execute(done, (address, word))


def keep_items(db: Writing, intent: int, digests: list[bytes]) -> None:
    """Store which messages a relay carries, in order."""
    rows = ((intent, position, digest) for position, digest in enumerate(digests))
    db.executemany("INSERT INTO relay_items VALUES (?, ?, ?)", rows)


def keep_shares(db: Writing, intent: int, gas: Mapping[bytes, int]) -> None:
    """Store which part of a relay's gas each contributor has."""
    rows = ((address, intent, part) for address, part in gas.items())
    db.executemany("INSERT INTO relay_shares (address, intent, gas) VALUES (?, ?, ?)", rows)


def spent_for(db: Reading, address: bytes, now: float) -> int:
    """Return the wei that relays of the last day cost for one contributor's messages."""
    # `id + 0` keeps SQLite from looking for the least id by reading all intents from the first.
    rows = db.execute(
        "SELECT intent, cost FROM relay_shares JOIN intents ON intents.id = intent"
        " WHERE address = ? AND paid_at > ?"
        " AND intent >= (SELECT min(id + 0) FROM intents WHERE paid_at > ?)",
        (address, now - DAY_S, now - DAY_S),
    ).fetchall()
    return sum(cost * _part(db, intent, address) // _part(db, intent) for intent, cost in rows)


def _part(db: Reading, intent: int, address: bytes | None = None) -> int:
    query = "SELECT sum(gas) FROM relay_shares WHERE intent = ? AND address = coalesce(?, address)"
    gas: int = db.execute(query, (intent, address)).fetchone()[0]
    return gas


def under_way(db: Reading, now: float, last_final: int) -> frozenset[bytes]:
    """Return the messages of relays that are not settled, without refused ones.

    A relay is settled when its sender saw it final and the followed chain is final up to its block:
    until then, the node may follow a fork in which the relay comes later. Its logs may come minutes
    after its receipt, and are waited for, even after a fork: a lagging endpoint looks like one.
    """
    rows = db.execute(
        "SELECT digest FROM relay_items WHERE intent IN (SELECT id FROM intents WHERE state = 'open'"
        " UNION SELECT id FROM intents WHERE kind = 'relay' AND mined_number > ? AND state <> 'failed'"
        " UNION SELECT id FROM intents WHERE paid_at > ? AND state <> 'failed')"
        " AND NOT EXISTS (SELECT 1 FROM relay_refusals"
        " WHERE relay_refusals.digest = relay_items.digest AND again_at > ?)",
        (last_final, now - LATEST_LOGS_S, now),
    )
    return frozenset(digest for (digest,) in rows)


def highest(db: Reading) -> int:
    """Return the height of the last block with a relay of this node, -1 without one."""
    query = "SELECT max(mined_number) FROM intents WHERE kind = 'relay'"
    found: int | None = db.execute(query).fetchone()[0]
    return -1 if found is None else found


def item_at(db: Reading, intent: int, position: int) -> bytes | None:
    """Return the digest of one message of a relay."""
    query = "SELECT digest FROM relay_items WHERE intent = ? AND position = ?"
    row = db.execute(query, (intent, position)).fetchone()
    return row[0] if row else None


def refused(db: Writing, digest: bytes, now: float) -> None:
    """Record that the registry refused a message, so it is retried later each time."""
    times = refusal(db, digest).times + 1
    pause = backoff(RELAY_PAUSE_MIN_S, times - 1, RELAY_PAUSE_MAX_S)
    db.execute(
        "INSERT INTO relay_refusals VALUES (?, ?, ?)"
        " ON CONFLICT (digest) DO UPDATE SET times = excluded.times, again_at = excluded.again_at",
        (digest, times, now + pause),
    )


def refusal(db: Reading, digest: bytes) -> Refusal:
    """Return the refusals of a message so far."""
    query = "SELECT times, again_at FROM relay_refusals WHERE digest = ?"
    row = db.execute(query, (digest,)).fetchone()
    return Refusal(*row) if row else Refusal(0, 0.0)


def _mask(db: Reading, table: str, key: tuple[bytes, bytes]) -> int:
    query = f"SELECT mask FROM {table} WHERE address = ? AND word = ?"  # noqa: S608 - our own constants
    row = db.execute(query, key).fetchone()
    return int.from_bytes(row[0]) if row else 0


def _put_dropped(db: Writing, key: tuple[bytes, bytes], mask: int) -> None:
    if mask:
        values = (*key, mask.to_bytes(HASH_BYTES))
        db.execute(
            "INSERT INTO dropped VALUES (?, ?, ?)"
            " ON CONFLICT (address, word) DO UPDATE SET mask = excluded.mask",
            values,
        )
    else:
        db.execute("DELETE FROM dropped WHERE address = ? AND word = ?", key)
