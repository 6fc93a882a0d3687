"""The tables. `seq` never repeats and never goes back, so it is a cursor for everybody.

Words and masks are 32 big-endian bytes: SQLite's integers end at 64 bits. A bit is `signed` when a
stored message carries it, `chain` when an event was seen, on any fork: nothing ever clears either.
"""

VERSION = 1

SCHEMA = """
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    contributor BLOB NOT NULL,
    body BLOB NOT NULL,
    arrived_at REAL NOT NULL
);
CREATE INDEX messages_by_contributor ON messages (contributor, kind, seq);
CREATE INDEX messages_by_kind ON messages (kind, digest);
CREATE TABLE items (
    item BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (item, seq)
) WITHOUT ROWID;
CREATE TABLE people (
    address BLOB PRIMARY KEY  -- contributors and guardians of held consents
) WITHOUT ROWID;
CREATE TABLE bits (
    address BLOB NOT NULL,
    word BLOB NOT NULL,
    signed BLOB NOT NULL,
    chain BLOB NOT NULL,
    PRIMARY KEY (address, word)
) WITHOUT ROWID;
CREATE TABLE acknowledgements (
    digest BLOB PRIMARY KEY,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE anchor_queue (
    seq INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    queued_at REAL NOT NULL
);
CREATE TABLE batches (
    root BLOB PRIMARY KEY,
    sponsor BLOB NOT NULL,
    licenses BLOB NOT NULL,
    own INTEGER NOT NULL,
    raw_transaction BLOB
) WITHOUT ROWID;
CREATE TABLE batch_members (
    license BLOB NOT NULL,
    root BLOB NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (license, root)
) WITHOUT ROWID;
CREATE TABLE anchors (
    root BLOB PRIMARY KEY,
    submitter BLOB NOT NULL,
    block_number INTEGER NOT NULL,
    block_hash BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE blocks (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
);
CREATE TABLE numbers (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
"""
