"""A store's tables in memory, for what is only functions over a connection."""

import sqlite3

from sayso_node.store import consents
from sayso_node.store.admission import Admitted
from sayso_node.store.consents import Keeper
from sayso_node.store.sponsors import Quotas
from sayso_node.store.sqlite.schema import SCHEMA
from sayso_protocol.messages.envelope import Envelope


def tables() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(SCHEMA)
    return db


def add_consent(db: sqlite3.Connection, envelope: Envelope, now: float, *, own: bool = False) -> bool:
    """Keep a consent, of this node's or of somebody else's; False if it was there."""
    assert envelope.sponsor
    sponsor = envelope.sponsor.node_key
    keeper = Keeper(sponsor if own else b"", Quotas(operators=frozenset({sponsor})))
    return consents.admit(db, [envelope], keeper, now, now) == [Admitted.STORED]
