"""Everything that a node knows to be revoked, and whom it is in doubt about: what a snapshot is of."""

from collections.abc import Iterator

from sayso_node.store import bits
from sayso_node.store.admission import pending
from sayso_node.store.interface import Reading
from sayso_protocol.permissions.state_digest import StateEntry


def entries(db: Reading) -> Iterator[StateEntry]:
    """All bits, of messages kept or pending and of the chain (rule 13.3); a word may come twice."""
    yield from bits.all_entries(db)
    yield from pending.all_entries(db)


def doubted(db: Reading) -> list[bytes]:
    """The addresses that are marked, or as if marked (rule 7.15)."""
    rows = db.execute("SELECT signer FROM marks UNION SELECT address FROM people WHERE unsure")
    return [address for (address,) in rows]
