"""Migrates the tables of older releases, one step per version; published steps never change.

A new column also goes to the end of its table in schema.py, so that a migrated store and a new one are
equal; tests/node/store/test_migrations.py compares them.
"""

from typing import Final

STEPS: Final = {
    3: """
ALTER TABLE intents ADD COLUMN gas INTEGER;
ALTER TABLE relay_wants ADD COLUMN not_before REAL NOT NULL DEFAULT 0;
""",
    4: "CREATE INDEX landed_by_word ON landed (address, word, block_number);",
    5: """
CREATE TABLE deployments (
    wallet BLOB PRIMARY KEY,
    code BLOB NOT NULL,
    times INTEGER NOT NULL,
    not_before REAL NOT NULL
) WITHOUT ROWID;
""",
    6: """
CREATE TABLE receipt_blocks (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    header BLOB,
    times INTEGER NOT NULL,
    not_before REAL NOT NULL
);
CREATE INDEX receipt_blocks_wanted ON receipt_blocks (number) WHERE header IS NULL;
CREATE TABLE receipt_transactions (
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    nodes BLOB NOT NULL,
    PRIMARY KEY (number, place)
) WITHOUT ROWID;
""",
}
"""The step from each version to the next, by version."""
