"""Migrates the tables of older releases, one step per version; published steps never change.

A new column also goes to the end of its table in schema.py, so that a migrated store and a new one are
equal; tests/node/store/test_sqlite_migrations.py compares them. No release wrote a version older than
the first one here. A table that a step makes as it is now stands in the schema only; once it changes
there, the step needs its own text.
"""

from collections.abc import Callable
from typing import Final

from sayso_node.store.interface import Writing
from sayso_node.store.tables import audience_step
from sayso_node.store.tables.schema_statements import (
    DATED_BLOCKS,
    ENDINGS,
    GRANTS,
    NAMED,
    PASSED_ON,
    SUBLICENSE_TERMS,
)

# Snapshots: what was displaced is read by seq.
_DISPLACED_STEP: Final = """
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

_TRACES_STEP: Final = f"""
{DATED_BLOCKS}
INSERT INTO dated_blocks SELECT number, hash, NULL FROM receipt_blocks;
INSERT OR IGNORE INTO dated_blocks SELECT block_number, block_hash, NULL FROM anchors;
ALTER TABLE named ADD COLUMN signer BLOB;
UPDATE named SET signer = (SELECT contributor FROM messages WHERE messages.digest = named.digest);
CREATE INDEX named_by_signer ON named (hash, kind, signer, digest);
"""  # noqa: S608 - our own names
"""When blocks were made, and who said what of a license."""

_NUMBERS_STEP: Final = f"""
{GRANTS}
INSERT INTO grants SELECT license, seq, grantee, contributor
    FROM grantees JOIN messages ON messages.digest = grantees.license;
INSERT INTO grants SELECT license, -row_number() OVER (ORDER BY license), grantee, substr(license, 1, 0)
    FROM grantees WHERE NOT EXISTS (SELECT 1 FROM messages WHERE messages.digest = grantees.license);
DROP TABLE grantees;
ALTER TABLE sublicense_terms RENAME TO old_sublicense_terms;
{SUBLICENSE_TERMS}
INSERT INTO sublicense_terms
    SELECT seq, messages.digest, parent, signer, grantee, purposes, issued_at, expires_at, seen_at
    FROM old_sublicense_terms JOIN messages ON messages.digest = old_sublicense_terms.digest;
DROP TABLE old_sublicense_terms;
ALTER TABLE passed_on RENAME TO old_passed_on;
{PASSED_ON}
INSERT INTO passed_on
    SELECT grants.number, old_passed_on.grantee, counts, sublicense_terms.number, depth
    FROM old_passed_on JOIN grants ON grants.license = old_passed_on.license
    JOIN sublicense_terms ON sublicense_terms.digest = old_passed_on.digest;
DROP TABLE old_passed_on;
ALTER TABLE named RENAME TO old_named;
{NAMED}
INSERT INTO named SELECT hash, kind, signer, digest FROM old_named WHERE signer IS NOT NULL;
DROP TABLE old_named;
"""  # noqa: S608 - our own names
"""Licenses and sublicenses by number, so that what they have most of is small."""

_BY_DIGEST_STEP: Final = "CREATE INDEX displaced_by_digest ON displaced (digest, license);"
"""Without it, whoever judges a chain would have to read the row of each license and hop."""

_ENDINGS_STEP: Final = f"""
{ENDINGS}
INSERT INTO statement_ends (digest, look_at, ends_at)
    SELECT digest, 0, 0 FROM messages WHERE kind > 2;
"""  # noqa: S608 - our own names
"""Terms of erased consents, and when statements may end."""

STEPS: Final = {
    18: _DISPLACED_STEP,
    19: _TRACES_STEP,
    20: audience_step.AUDIENCE_STEP,
    # The newest relays are found without reading the old ones.
    21: _BY_DIGEST_STEP + "CREATE INDEX intents_by_block ON intents (kind, mined_number);",
    22: _NUMBERS_STEP,
    23: _ENDINGS_STEP,
}
"""The step from each version to the next, by version."""
FILLS: Final[dict[int, Callable[[Writing], None]]] = {20: audience_step.fill_audience}
"""What a step does besides its SQL, in the same transaction."""
