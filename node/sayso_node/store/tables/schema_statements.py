"""The tables of statements and traces (rules 3.11 to 3.15, section 15), a part of schema.py.

`waiting_names` has a row for each thing that would let a statement be kept, or would make a license of a
kept sublicense meet the parent rule. A row goes when that comes, so nothing is looked at twice.

`passed_on` has a row for each license of each sublicense, which are most rows of a marketplace. So it is
one tree of numbers: what is the same for all licenses of a sublicense is in `sublicense_terms`, and
licenses have the numbers of `grants`, which grow in the order in which they came.
"""

GRANTS = """
CREATE TABLE grants (
    license BLOB PRIMARY KEY,  -- of a consent that is held, or was
    number INTEGER NOT NULL,  -- of the license, which no other one ever has
    grantee BLOB NOT NULL,
    contributor BLOB NOT NULL  -- empty if an older release has forgotten it
) WITHOUT ROWID;
"""
SUBLICENSE_TERMS = """
CREATE TABLE sublicense_terms (
    number INTEGER PRIMARY KEY,  -- its seq among the messages
    digest BLOB NOT NULL UNIQUE,
    parent BLOB NOT NULL,
    signer BLOB NOT NULL,
    grantee BLOB NOT NULL,
    purposes TEXT NOT NULL,  -- separated by spaces
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    seen_at REAL NOT NULL
);
CREATE INDEX sublicense_terms_by_pair ON sublicense_terms (grantee, signer);
CREATE INDEX sublicense_terms_by_parent ON sublicense_terms (grantee, parent);
"""
PASSED_ON = """
CREATE TABLE passed_on (
    license INTEGER NOT NULL,  -- its number
    grantee BLOB NOT NULL,
    counts INTEGER NOT NULL,  -- 1: among those that count (rule 8.15)
    sublicense INTEGER NOT NULL,  -- number of a kept one that meets the parent rule for this license
    depth INTEGER NOT NULL,  -- 1: the signer is the grantee of the consent
    PRIMARY KEY (license, grantee, counts, sublicense)
) WITHOUT ROWID;
"""
NAMED = """
CREATE TABLE named (
    hash BLOB NOT NULL,  -- of a license, a sublicense, a file or a contributor
    kind INTEGER NOT NULL,
    signer BLOB NOT NULL,
    digest BLOB NOT NULL,  -- of a kept use, removal or dispute
    PRIMARY KEY (hash, kind, signer, digest)
) WITHOUT ROWID;
"""
DATED_BLOCKS = """
CREATE TABLE dated_blocks (
    number INTEGER PRIMARY KEY,  -- of a block of the followed chain with a revocation or an anchor
    hash BLOB NOT NULL,
    time INTEGER  -- NULL until it is asked for; seconds since the epoch
);
CREATE INDEX dated_blocks_wanted ON dated_blocks (number) WHERE time IS NULL;
"""
# What goes: terms of erased consents, and when statements may end (rules 8.13, 15.7).
ENDINGS = """
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
_OTHERS = """
CREATE TABLE displaced (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    license BLOB NOT NULL,
    digest BLOB NOT NULL  -- of a sublicense that does not count for the license, which is for good
);
CREATE INDEX displaced_by_digest ON displaced (digest, license);
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
    endorsed INTEGER NOT NULL  -- 0: it has no signature, and no final block has its endorsement
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
    parent BLOB NOT NULL,  -- of a sublicense; empty for other kinds
    signer BLOB NOT NULL,
    digest BLOB NOT NULL,  -- of the statement
    PRIMARY KEY (hash, parent, signer, digest)
) WITHOUT ROWID;
CREATE INDEX waiting_names_by_digest ON waiting_names (digest);
CREATE INDEX waiting_names_by_hash ON waiting_names (hash, digest);
CREATE TABLE statement_sponsors (
    node_key BLOB PRIMARY KEY,
    held INTEGER NOT NULL  -- hashes of statements within their own quota
) WITHOUT ROWID;
"""
STATEMENTS = GRANTS + SUBLICENSE_TERMS + PASSED_ON + NAMED + DATED_BLOCKS + ENDINGS + _OTHERS
