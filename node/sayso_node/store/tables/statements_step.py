"""The steps for statements: tables and grantees of held consents, what is displaced, and traces."""

from typing import Final

import msgpack

from sayso_node.store import many
from sayso_node.store.interface import Writing
from sayso_node.store.revocations.bits import add_people
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.primitives import NOBODY

_AT_ONCE: Final = 1_000  # messages

STATEMENTS_STEP: Final = """
CREATE TABLE grantees (
    license BLOB PRIMARY KEY,
    grantee BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE sublicense_terms (
    digest BLOB PRIMARY KEY,
    parent BLOB NOT NULL,
    signer BLOB NOT NULL,
    grantee BLOB NOT NULL,
    purposes TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    seen_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE passed_on (
    license BLOB NOT NULL,
    grantee BLOB NOT NULL,
    depth INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    digest BLOB NOT NULL,
    signer BLOB NOT NULL,
    counts INTEGER NOT NULL,
    PRIMARY KEY (license, digest)
) WITHOUT ROWID;
CREATE INDEX passed_on_ranked ON passed_on (license, grantee, depth, expires_at DESC, digest, counts)
    WHERE counts = 1;
CREATE INDEX passed_on_by_pair ON passed_on (signer, grantee, license, depth, expires_at, counts)
    WHERE counts = 1;
CREATE TABLE named (
    hash BLOB NOT NULL,
    kind INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (hash, kind, digest)
) WITHOUT ROWID;
CREATE TABLE disputes (
    hash BLOB NOT NULL,
    signer BLOB NOT NULL,
    digest BLOB NOT NULL,
    subject TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (hash, signer, digest)
) WITHOUT ROWID;
CREATE TABLE waiting (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    signer BLOB NOT NULL,
    source TEXT NOT NULL,
    body BLOB NOT NULL,
    weight INTEGER NOT NULL,
    endorsed INTEGER NOT NULL
);
CREATE INDEX waiting_unendorsed ON waiting (digest, signer) WHERE endorsed = 0;
CREATE INDEX waiting_by_source ON waiting (source, seq);
CREATE INDEX waiting_by_signer ON waiting (signer, endorsed, seq, weight);
CREATE TABLE waiting_sources (
    source TEXT PRIMARY KEY,
    weight INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX waiting_sources_by_weight ON waiting_sources (weight);
CREATE TRIGGER waiting_in AFTER INSERT ON waiting BEGIN
    INSERT INTO waiting_sources VALUES (new.source, new.weight)
        ON CONFLICT (source) DO UPDATE SET weight = weight + new.weight;
    INSERT INTO numbers VALUES ('waiting', new.weight)
        ON CONFLICT (name) DO UPDATE SET value = value + new.weight;
END;
CREATE TRIGGER waiting_out AFTER DELETE ON waiting BEGIN
    UPDATE waiting_sources SET weight = weight - old.weight WHERE source = old.source;
    DELETE FROM waiting_sources WHERE source = old.source AND weight = 0;
    UPDATE numbers SET value = value - old.weight WHERE name = 'waiting';
END;
CREATE TABLE waiting_names (
    hash BLOB NOT NULL,
    parent BLOB NOT NULL,
    signer BLOB NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (hash, parent, signer, digest)
) WITHOUT ROWID;
CREATE INDEX waiting_names_by_digest ON waiting_names (digest);
CREATE INDEX waiting_names_by_hash ON waiting_names (hash, digest);
CREATE TABLE statement_sponsors (
    node_key BLOB PRIMARY KEY,
    held INTEGER NOT NULL
) WITHOUT ROWID;
"""

# Snapshots: what was displaced is read by seq.
DISPLACED_STEP: Final = """
CREATE TABLE displaced (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    license BLOB NOT NULL,
    digest BLOB NOT NULL
);
INSERT INTO displaced (license, digest) SELECT license, digest FROM passed_on WHERE counts = 0;
CREATE TRIGGER displaced_at_once AFTER INSERT ON passed_on WHEN new.counts = 0 BEGIN
    INSERT INTO displaced (license, digest) VALUES (new.license, new.digest);
END;
CREATE TRIGGER displaced_later AFTER UPDATE OF counts ON passed_on
    WHEN new.counts = 0 AND old.counts = 1 BEGIN
    INSERT INTO displaced (license, digest) VALUES (new.license, new.digest);
END;
"""

TRACES_STEP: Final = """
CREATE TABLE dated_blocks (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    time INTEGER
);
CREATE INDEX dated_blocks_wanted ON dated_blocks (number) WHERE time IS NULL;
INSERT INTO dated_blocks SELECT number, hash, NULL FROM receipt_blocks;
INSERT OR IGNORE INTO dated_blocks SELECT block_number, block_hash, NULL FROM anchors;
ALTER TABLE named ADD COLUMN signer BLOB;
UPDATE named SET signer = (SELECT contributor FROM messages WHERE messages.digest = named.digest);
CREATE INDEX named_by_signer ON named (hash, kind, signer, digest);
"""
"""When blocks were made, and who said what of a license."""

NUMBERS_STEP: Final = """
CREATE TABLE grants (
    license BLOB PRIMARY KEY,
    number INTEGER NOT NULL,
    grantee BLOB NOT NULL,
    contributor BLOB NOT NULL
) WITHOUT ROWID;
INSERT INTO grants SELECT license, seq, grantee, contributor
    FROM grantees JOIN messages ON messages.digest = grantees.license;
INSERT INTO grants SELECT license, -row_number() OVER (ORDER BY license), grantee, substr(license, 1, 0)
    FROM grantees WHERE NOT EXISTS (SELECT 1 FROM messages WHERE messages.digest = grantees.license);
DROP TABLE grantees;
ALTER TABLE sublicense_terms RENAME TO old_sublicense_terms;
CREATE TABLE sublicense_terms (
    number INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    parent BLOB NOT NULL,
    signer BLOB NOT NULL,
    grantee BLOB NOT NULL,
    purposes TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    seen_at REAL NOT NULL
);
INSERT INTO sublicense_terms
    SELECT seq, messages.digest, parent, signer, grantee, purposes, issued_at, expires_at, seen_at
    FROM old_sublicense_terms JOIN messages ON messages.digest = old_sublicense_terms.digest;
DROP TABLE old_sublicense_terms;
CREATE INDEX sublicense_terms_by_pair ON sublicense_terms (grantee, signer);
CREATE INDEX sublicense_terms_by_parent ON sublicense_terms (grantee, parent);
ALTER TABLE passed_on RENAME TO old_passed_on;
CREATE TABLE passed_on (
    license INTEGER NOT NULL,
    grantee BLOB NOT NULL,
    counts INTEGER NOT NULL,
    sublicense INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    PRIMARY KEY (license, grantee, counts, sublicense)
) WITHOUT ROWID;
INSERT INTO passed_on SELECT grants.number, old_passed_on.grantee, counts, sublicense_terms.number, depth
    FROM old_passed_on JOIN grants ON grants.license = old_passed_on.license
    JOIN sublicense_terms ON sublicense_terms.digest = old_passed_on.digest;
DROP TABLE old_passed_on;
ALTER TABLE named RENAME TO old_named;
CREATE TABLE named (
    hash BLOB NOT NULL,
    kind INTEGER NOT NULL,
    signer BLOB NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (hash, kind, signer, digest)
) WITHOUT ROWID;
INSERT INTO named SELECT hash, kind, signer, digest FROM old_named WHERE signer IS NOT NULL;
DROP TABLE old_named;
"""
"""Licenses and sublicenses by number, so that what they have most of is small."""


def fill_grantees(db: Writing) -> None:
    """Read the grantees of stored consents; they are known from now on (rule 7.12)."""
    query = "SELECT seq, kind, digest, body FROM messages WHERE seq > ? ORDER BY seq LIMIT ?"
    seq = -1
    while found := db.execute(query, (seq, _AT_ONCE)).fetchall():
        seq = found[-1][0]
        rows = []
        for _, kind, license_hash, body in found:
            if kind == CONSENT:
                _, _, terms, *_ = msgpack.unpackb(body)
                rows.append((license_hash, terms[3]))
        many.insert(db, "INTO grantees", rows)
        add_people(db, {grantee for _, grantee in rows} - {NOBODY})


BY_DIGEST_STEP: Final = "CREATE INDEX displaced_by_digest ON displaced (digest, license);"
"""Without it, whoever judges a chain would have to read the row of each license and hop."""
