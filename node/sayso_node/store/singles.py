"""Values of which a store has one, by name."""

from sayso_node.store.interface import Reading, Writing

OWNER = "owner"  # whose store it is
RUN = "run"  # the last run of the node, and the one before it
MOVE = "move"  # where it was moved (moving/marks.py)
RESTORED = "restored"  # there while a restored node has not compared with a peer


def get(db: Reading, name: str) -> bytes | None:
    """Return a value; None if there is none."""
    row = db.execute("SELECT value FROM singles WHERE name = ?", (name,)).fetchone()
    return bytes(row[0]) if row else None


def put(db: Writing, name: str, value: bytes) -> None:
    """Store a value in place of the one before."""
    db.execute(
        "INSERT INTO singles VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def drop(db: Writing, name: str) -> None:
    """Delete a value, if there is one."""
    db.execute("DELETE FROM singles WHERE name = ?", (name,))
