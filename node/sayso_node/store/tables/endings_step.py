"""The tables of what goes: terms of erased consents, and when statements may end (rules 8.13, 15.7)."""

from typing import Final

ENDINGS: Final = """
CREATE TABLE erased (
    license BLOB PRIMARY KEY,
    terms BLOB NOT NULL  -- what a trace needs of them (statements/licenses.py)
) WITHOUT ROWID;
CREATE TABLE statement_ends (
    digest BLOB PRIMARY KEY,  -- of a kept statement
    look_at INTEGER NOT NULL,  -- time of the chain before which it does not end
    over BLOB,  -- which of the hashes that it names are over: a bit for each
    ends_at INTEGER NOT NULL  -- the latest end of a license that was found
) WITHOUT ROWID;
CREATE INDEX statement_ends_by_time ON statement_ends (look_at, digest);
CREATE TRIGGER statement_ends_in AFTER INSERT ON messages WHEN new.kind > 2 BEGIN
    INSERT INTO statement_ends (digest, look_at, ends_at) VALUES (new.digest, 0, 0)
        ON CONFLICT DO NOTHING;
END;
"""

_FILL: Final = """
INSERT INTO statement_ends (digest, look_at, ends_at)
    SELECT digest, 0, 0 FROM messages WHERE kind > 2;
"""
ENDINGS_STEP: Final = ENDINGS + _FILL
