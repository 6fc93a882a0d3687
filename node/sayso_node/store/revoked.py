"""The content of a snapshot: all revoked bits that a node knows, and the addresses in doubt."""

from collections.abc import Iterator

from sayso_node.store import bits
from sayso_node.store.admission import pending
from sayso_node.store.interface import Reading
from sayso_protocol.permissions.state_digest import StateEntry


def entries(db: Reading) -> Iterator[StateEntry]:
    """Return all bits of stored and pending messages and of the chain (rule 13.3); words may repeat."""
    yield from bits.all_entries(db)
    yield from pending.all_entries(db)


def doubted(db: Reading) -> list[bytes]:
    """Return the addresses that have a mark, or count as marked (rule 7.15)."""
    rows = db.execute("SELECT signer FROM marks UNION SELECT address FROM people WHERE unsure")
    return [address for (address,) in rows]
