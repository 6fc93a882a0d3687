"""The steps for statements: what is displaced, traces, and licenses by number."""

from typing import Final

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

BY_DIGEST_STEP: Final = "CREATE INDEX displaced_by_digest ON displaced (digest, license);"
"""Without it, whoever judges a chain would have to read the row of each license and hop."""
