CREATE TABLE grantees (
    license BLOB PRIMARY KEY,
    grantee BLOB NOT NULL
) WITHOUT ROWID;
INSERT INTO grantees SELECT license, grantee FROM grants;
CREATE TABLE old_passed_on (
    license BLOB NOT NULL,
    grantee BLOB NOT NULL,
    depth INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    digest BLOB NOT NULL,
    signer BLOB NOT NULL,
    counts INTEGER NOT NULL,
    PRIMARY KEY (license, digest)
) WITHOUT ROWID;
INSERT INTO old_passed_on
    SELECT grants.license, passed_on.grantee, depth, expires_at, digest, signer, counts
    FROM passed_on JOIN grants ON grants.number = passed_on.license
    JOIN sublicense_terms ON sublicense_terms.number = sublicense;
DROP TABLE passed_on;
ALTER TABLE old_passed_on RENAME TO passed_on;
CREATE INDEX passed_on_ranked ON passed_on (license, grantee, depth, expires_at DESC, digest, counts)
    WHERE counts = 1;
CREATE INDEX passed_on_by_pair ON passed_on (signer, grantee, license, depth, expires_at, counts)
    WHERE counts = 1;
CREATE TRIGGER displaced_at_once AFTER INSERT ON passed_on WHEN new.counts = 0 BEGIN
    INSERT INTO displaced (license, digest) VALUES (new.license, new.digest);
END;
CREATE TRIGGER displaced_later AFTER UPDATE OF counts ON passed_on
    WHEN new.counts = 0 AND old.counts = 1 BEGIN
    INSERT INTO displaced (license, digest) VALUES (new.license, new.digest);
END;
DROP TABLE grants;
CREATE TABLE old_terms (
    digest BLOB PRIMARY KEY,
    parent BLOB NOT NULL,
    signer BLOB NOT NULL,
    grantee BLOB NOT NULL,
    purposes TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    seen_at REAL NOT NULL
) WITHOUT ROWID;
INSERT INTO old_terms
    SELECT digest, parent, signer, grantee, purposes, issued_at, expires_at, seen_at
    FROM sublicense_terms;
DROP TABLE sublicense_terms;
ALTER TABLE old_terms RENAME TO sublicense_terms;
CREATE TABLE old_named (
    hash BLOB NOT NULL,
    kind INTEGER NOT NULL,
    digest BLOB NOT NULL,
    signer BLOB,
    PRIMARY KEY (hash, kind, digest)
) WITHOUT ROWID;
INSERT INTO old_named SELECT hash, kind, digest, signer FROM named;
DROP TABLE named;
ALTER TABLE old_named RENAME TO named;
CREATE INDEX named_by_signer ON named (hash, kind, signer, digest);
