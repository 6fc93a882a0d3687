"""Migrates the tables of older releases, one step per version; published steps never change.

A new column also goes to the end of its table in schema.py, so that a migrated store and a new one are
equal; tests/node/store/test_migrations.py compares them.
"""

from collections.abc import Callable
from typing import Final

import msgpack

from sayso_node.errors import StoreUnusable
from sayso_node.store import many
from sayso_node.store.integrity.rebuilding import rebuild
from sayso_node.store.interface import Writing
from sayso_node.store.shared_claims import claim_of, list_of
from sayso_node.store.tables import audience_step, endings_step, statements_step
from sayso_protocol.messages.message import CONSENT

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
    # Reads by need: what is looked up by item and parties, and the anchored roots without a batch.
    7: """
CREATE TABLE shared_claims (
    claim BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    license BLOB NOT NULL,
    PRIMARY KEY (claim, expires_at, license)
) WITHOUT ROWID;
CREATE TABLE shared_items (
    list BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (list, seq)
) WITHOUT ROWID;
CREATE INDEX anchor_queue_by_digest ON anchor_queue (digest);
CREATE TABLE missing_batches (
    root BLOB PRIMARY KEY
) WITHOUT ROWID;
INSERT INTO missing_batches SELECT root FROM anchors WHERE root NOT IN (SELECT root FROM batches);
CREATE TRIGGER anchors_in AFTER INSERT ON anchors
WHEN NOT EXISTS (SELECT 1 FROM batches WHERE root = new.root) BEGIN
    INSERT INTO missing_batches VALUES (new.root) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER anchors_out AFTER DELETE ON anchors BEGIN
    DELETE FROM missing_batches WHERE root = old.root;
END;
CREATE TRIGGER batches_in AFTER INSERT ON batches BEGIN
    DELETE FROM missing_batches WHERE root = new.root;
END;
""",
    8: """
CREATE TABLE late_ranges (
    last INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    read_at REAL NOT NULL,
    passes INTEGER NOT NULL
);
""",
    9: """
CREATE TABLE relay_shares (
    intent INTEGER NOT NULL,
    address BLOB NOT NULL,
    gas INTEGER NOT NULL,
    PRIMARY KEY (intent, address)
) WITHOUT ROWID;
CREATE INDEX relay_shares_by_address ON relay_shares (address, intent);
""",
    10: """
ALTER TABLE sponsors DROP COLUMN first_at;
ALTER TABLE sync_sums ADD COLUMN split INTEGER NOT NULL DEFAULT 0;
UPDATE sync_sums SET split = 1 WHERE node < 65536;
""",
    # Snapshots: what is new is read by seq, and by when it came.
    11: """
CREATE INDEX messages_by_arrival ON messages (arrived_at);
CREATE TABLE people_with_seq (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    address BLOB NOT NULL UNIQUE,
    unsure INTEGER NOT NULL
);
INSERT INTO people_with_seq (address, unsure) SELECT address, unsure FROM people;
DROP TABLE people;
ALTER TABLE people_with_seq RENAME TO people;
ALTER TABLE terms RENAME COLUMN words TO permissions;
UPDATE terms SET permissions = permissions * 256;
CREATE TABLE doubts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    address BLOB NOT NULL UNIQUE
);
CREATE TRIGGER marks_doubt AFTER INSERT ON marks
    WHEN EXISTS (SELECT 1 FROM people WHERE address = new.signer) BEGIN
    DELETE FROM doubts WHERE address = new.signer;
    INSERT INTO doubts (address) VALUES (new.signer);
END;
CREATE TRIGGER people_doubt AFTER UPDATE OF unsure ON people WHEN new.unsure BEGIN
    DELETE FROM doubts WHERE address = new.address;
    INSERT INTO doubts (address) VALUES (new.address);
END;
""",
    # Marks by signer and source, merged into bitmaps where there is no room.
    12: """
CREATE INDEX people_unsure ON people (unsure) WHERE unsure <> 0;
DROP TRIGGER marks_in;
DROP TRIGGER marks_out;
DROP INDEX marks_by_signer;
ALTER TABLE marks RENAME TO old_marks;
DELETE FROM numbers WHERE name = 'marks';
CREATE TABLE marks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL,
    signer BLOB NOT NULL,
    source TEXT NOT NULL
);
CREATE UNIQUE INDEX marks_by_signer ON marks (signer, digest);
CREATE INDEX marks_by_source ON marks (source, seq);
CREATE TABLE mark_sources (
    source TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX mark_sources_by_count ON mark_sources (count);
CREATE TRIGGER marks_in AFTER INSERT ON marks BEGIN
    INSERT INTO mark_sources VALUES (new.source, 1)
        ON CONFLICT (source) DO UPDATE SET count = count + 1;
    INSERT INTO numbers VALUES ('marks', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1;
END;
CREATE TRIGGER marks_out AFTER DELETE ON marks BEGIN
    UPDATE mark_sources SET count = count - 1 WHERE source = old.source;
    DELETE FROM mark_sources WHERE source = old.source AND count = 0;
    UPDATE numbers SET value = value - 1 WHERE name = 'marks';
END;
CREATE TABLE mark_bitmaps (
    number INTEGER PRIMARY KEY,
    begun_at REAL NOT NULL,
    merged INTEGER NOT NULL,
    bits INTEGER NOT NULL
);
CREATE TABLE merged_marks (
    bitmap INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    bits BLOB NOT NULL,
    PRIMARY KEY (bitmap, chunk)
) WITHOUT ROWID;
INSERT INTO marks (digest, signer, source) SELECT digest, signer, '' FROM old_marks;
DROP TABLE old_marks;
INSERT INTO mark_bitmaps SELECT 1, CAST(strftime('%s', 'now') AS REAL), value, 0
    FROM numbers WHERE name = 'marks-lost';
DELETE FROM numbers WHERE name = 'marks-lost';
DROP INDEX wallet_consents_by_time;
ALTER TABLE wallet_consents ADD COLUMN wallet BLOB;
UPDATE wallet_consents SET wallet = (SELECT contributor FROM messages WHERE digest = license);
CREATE INDEX wallet_consents_by_wallet ON wallet_consents (wallet, tried_at);
CREATE TABLE wallet_turns (
    wallet BLOB PRIMARY KEY,
    served_at REAL NOT NULL,
    has_more INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX wallet_turns_by_time ON wallet_turns (served_at);
CREATE INDEX wallet_turns_more ON wallet_turns (served_at) WHERE has_more = 1;
INSERT INTO wallet_turns SELECT DISTINCT wallet, 0, 0 FROM wallet_consents WHERE wallet IS NOT NULL;
CREATE INDEX anchors_by_block ON anchors (block_number, root);
CREATE TABLE pool (
    digest BLOB PRIMARY KEY,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX pool_by_end ON pool (expires_at);
DELETE FROM acknowledgements WHERE digest NOT IN (SELECT digest FROM messages);
CREATE TRIGGER marks_doubt AFTER INSERT ON marks
    WHEN EXISTS (SELECT 1 FROM people WHERE address = new.signer) BEGIN
    DELETE FROM doubts WHERE address = new.signer;
    INSERT INTO doubts (address) VALUES (new.signer);
END;
""",
    13: """
ALTER TABLE transactions ADD COLUMN data_fee INTEGER NOT NULL DEFAULT 0;
CREATE TABLE untested_ranges (
    last INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    last_hash BLOB NOT NULL
);
CREATE TABLE doubted_blocks (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    since REAL NOT NULL,
    tried_at REAL NOT NULL,
    proved INTEGER NOT NULL,
    silences INTEGER NOT NULL
);
""",
    # The second reading of the protocol (see _refuse_first_reading).
    14: """
ALTER TABLE people ADD COLUMN loose INTEGER NOT NULL DEFAULT 0;
ALTER TABLE terms ADD COLUMN license BLOB;
""",
    # Checksums, by which reads notice damage.
    15: """
ALTER TABLE messages ADD COLUMN sum INTEGER;
CREATE TABLE wallet_sums (
    license BLOB PRIMARY KEY,
    sum INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE bit_sums (
    address BLOB NOT NULL,
    base BLOB NOT NULL,
    sums BLOB NOT NULL,
    PRIMARY KEY (address, base)
) WITHOUT ROWID;
""",
    # Endorsements, which are read from the chain.
    16: """
CREATE TABLE endorsements (
    signer BLOB NOT NULL,
    digest BLOB NOT NULL,
    block_number INTEGER NOT NULL,
    PRIMARY KEY (signer, digest)
) WITHOUT ROWID;
CREATE INDEX endorsements_by_block ON endorsements (block_number);
""",
    17: statements_step.STATEMENTS_STEP,
    18: statements_step.DISPLACED_STEP,
    19: statements_step.TRACES_STEP,
    20: audience_step.AUDIENCE_STEP,
    # The newest relays are found without reading the old ones.
    21: statements_step.BY_DIGEST_STEP
    + "CREATE INDEX intents_by_block ON intents (kind, mined_number);",
    22: statements_step.NUMBERS_STEP,
    23: endings_step.ENDINGS_STEP,
}
"""The step from each version to the next, by version."""
_AT_ONCE: Final = 1_000  # messages


def _fill_shared(db: Writing) -> None:
    """Fill the tables from the stored consents (rule 6.2 says where the fields are)."""
    query = "SELECT seq, kind, digest, body FROM messages WHERE seq > ? ORDER BY seq LIMIT ?"
    seq = -1
    while found := db.execute(query, (seq, _AT_ONCE)).fetchall():
        seq = found[-1][0]
        rows, lists = list[tuple[bytes, int, bytes]](), list[tuple[bytes, int]]()
        for number, kind, license_hash, body in found:
            if kind == CONSENT:
                _, _, terms, items, *_ = msgpack.unpackb(body)
                contributor, parties, grantee, *_, expires_at = terms[1:]
                if len(parties) > 1:
                    claims = (claim_of(one, parties, contributor, grantee) for one in items)
                    rows += [(claim, expires_at, license_hash) for claim in claims]
                    lists += [(list_of(one, parties), number) for one in items]
        many.insert(db, "INTO shared_claims", rows)
        many.insert(db, "INTO shared_items", lists)


def _refuse_first_reading(db: Writing) -> None:
    """Raise StoreUnusable if the store has messages of the first reading of protocol version 1.

    Consents had two fields less then, and nothing that was signed then is valid now. Nothing is deleted:
    the file stays as it was, for whoever wants to read it with an older release.
    """
    query = "SELECT 1 FROM messages UNION ALL SELECT 1 FROM pending LIMIT 1"
    if db.execute(query).fetchone():
        raise StoreUnusable(
            "the store has messages of the protocol's first reading, which are not valid any more: move"
            " the file away, and sync fills a new one"
        )


FILLS: Final[dict[int, Callable[[Writing], None]]] = {
    7: _fill_shared,
    14: _refuse_first_reading,
    17: statements_step.fill_grantees,
    15: rebuild,
    20: audience_step.fill_audience,
}
"""What a step does besides its SQL, in the same transaction."""
