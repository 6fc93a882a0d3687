"""A store's tables in memory, for what is only functions over a connection."""

import sqlite3

from sayso_node.store.schema import SCHEMA


def tables() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(SCHEMA)
    return db
