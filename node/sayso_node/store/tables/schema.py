"""The tables of the SQLite store. A `seq` is never reused and only grows, so it serves as a cursor.

Words and masks are 32 big-endian bytes, because SQLite's integers have 64 bits. A bit is `signed` when a
stored message carries it, `chain` when an event on any fork set it; neither is ever cleared. Triggers
keep the counts of bounded tables, so that no code path can miss one. A change of a table needs a step in
migrations.py and a new VERSION.
"""

from sayso_node.store.tables.audience_step import AUDIENCE
from sayso_node.store.tables.schema_pending import PENDING
from sayso_node.store.tables.schema_statements import STATEMENTS

VERSION = 24

_MAIN = """
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    contributor BLOB NOT NULL,
    body BLOB NOT NULL,
    arrived_at REAL NOT NULL,
    sum INTEGER  -- a checksum of the row
);
CREATE INDEX messages_by_contributor ON messages (contributor, kind, seq);
CREATE INDEX messages_by_kind ON messages (kind, digest);
CREATE INDEX messages_by_arrival ON messages (arrived_at);
CREATE TABLE items (
    item BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (item, seq)
) WITHOUT ROWID;
CREATE TABLE shared_claims (
    claim BLOB NOT NULL,  -- hash of an item, several parties, one of them and a grantee
    expires_at INTEGER NOT NULL,
    license BLOB NOT NULL,  -- by that party to that grantee
    PRIMARY KEY (claim, expires_at, license)
) WITHOUT ROWID;
CREATE TABLE shared_items (
    list BLOB NOT NULL,  -- hash of an item and several parties
    seq INTEGER NOT NULL,
    PRIMARY KEY (list, seq)
) WITHOUT ROWID;
CREATE TABLE wallet_consents (
    license BLOB PRIMARY KEY,  -- signed by a contract wallet
    accepted INTEGER NOT NULL,  -- what it said when it last answered
    asked_at REAL NOT NULL,  -- the time of the block that it answered at
    tried_at REAL NOT NULL,  -- when it was last asked, answered or not
    wallet BLOB
) WITHOUT ROWID;
CREATE INDEX wallet_consents_by_wallet ON wallet_consents (wallet, tried_at);
CREATE TABLE wallet_sums (
    license BLOB PRIMARY KEY,
    sum INTEGER NOT NULL  -- a checksum of the wallet's answer
) WITHOUT ROWID;
CREATE TABLE wallet_turns (
    wallet BLOB PRIMARY KEY,
    served_at REAL NOT NULL,  -- when its last turn ended
    has_more INTEGER NOT NULL  -- 1: more of its consents were due than one turn takes
) WITHOUT ROWID;
CREATE INDEX wallet_turns_by_time ON wallet_turns (served_at);
CREATE INDEX wallet_turns_more ON wallet_turns (served_at) WHERE has_more = 1;
CREATE TABLE people (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    address BLOB NOT NULL UNIQUE,  -- known: contributors, guardians and grantees (rule 7.12)
    unsure INTEGER NOT NULL,  -- a bitmap of merged marks in which theirs is, or seems to be; or 0
    loose INTEGER NOT NULL DEFAULT 0  -- words of kept scopes that covered nothing when they came
);
CREATE INDEX people_unsure ON people (unsure) WHERE unsure <> 0;
CREATE TABLE terms (
    address BLOB NOT NULL,
    base BLOB NOT NULL,
    permissions INTEGER NOT NULL,  -- of held consents, from base on
    license BLOB,  -- the first of these consents
    PRIMARY KEY (address, base)
) WITHOUT ROWID;
CREATE TABLE bits (
    address BLOB NOT NULL,
    word BLOB NOT NULL,
    signed BLOB NOT NULL,
    chain BLOB NOT NULL,
    place BLOB,  -- in sync; NULL while no message carries a bit of it
    PRIMARY KEY (address, word)
) WITHOUT ROWID;
CREATE INDEX bits_by_place ON bits (place) WHERE place IS NOT NULL;
CREATE TABLE bit_sums (
    address BLOB NOT NULL,
    base BLOB NOT NULL,  -- the first of 64 words
    sums BLOB NOT NULL,  -- for each with a row: its last six bits in a byte, and the row's checksum
    PRIMARY KEY (address, base)
) WITHOUT ROWID;
CREATE TABLE carriers (
    address BLOB NOT NULL,
    word BLOB NOT NULL,
    digest BLOB NOT NULL,  -- of a message that was the first to carry a bit of the word
    PRIMARY KEY (address, word, digest)
) WITHOUT ROWID;
CREATE TABLE sync_sums (
    kind INTEGER NOT NULL,
    node INTEGER NOT NULL,  -- of the tree of places, numbered as in a heap
    total BLOB NOT NULL,  -- modulo 2^256
    size INTEGER NOT NULL,
    split INTEGER NOT NULL DEFAULT 0,  -- 1: the nodes four levels below it are kept, too
    PRIMARY KEY (kind, node)
) WITHOUT ROWID;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    address BLOB NOT NULL,
    word BLOB NOT NULL,
    mask BLOB NOT NULL,  -- the bits that were new
    source TEXT NOT NULL,
    digest BLOB,  -- of the message; NULL from the chain
    time REAL NOT NULL,
    kind INTEGER NOT NULL DEFAULT 2,  -- of the message that it is about
    withdrawn INTEGER NOT NULL DEFAULT 0  -- 1: the statement was withdrawn
);
CREATE TABLE acknowledgements (
    digest BLOB PRIMARY KEY,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE anchor_queue (
    seq INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    queued_at REAL NOT NULL
);
CREATE INDEX anchor_queue_by_digest ON anchor_queue (digest);
CREATE TABLE batches (
    root BLOB PRIMARY KEY,
    sponsor BLOB NOT NULL,
    licenses BLOB NOT NULL,
    own INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE intents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject BLOB NOT NULL,
    data BLOB NOT NULL,
    state TEXT NOT NULL DEFAULT 'open',  -- then done or failed
    nonce INTEGER,
    mined_number INTEGER,
    mined_hash BLOB,
    cost INTEGER NOT NULL DEFAULT 0,  -- wei
    made_at REAL NOT NULL,
    paid_at REAL,
    gas INTEGER  -- what it may take at most, where that is known beforehand
);
CREATE INDEX intents_open ON intents (state, nonce);
CREATE INDEX intents_paid ON intents (paid_at);
CREATE INDEX intents_by_block ON intents (kind, mined_number);
CREATE TABLE transactions (
    intent INTEGER NOT NULL,
    hash BLOB PRIMARY KEY,
    nonce INTEGER NOT NULL,
    raw BLOB NOT NULL,
    gas INTEGER NOT NULL,
    max_fee INTEGER NOT NULL,  -- wei a gas
    priority_fee INTEGER NOT NULL,
    signed_at REAL NOT NULL,
    data_fee INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX transactions_by_intent ON transactions (intent, nonce);
CREATE TABLE relay_wants (
    address BLOB NOT NULL,
    word BLOB NOT NULL,
    mask BLOB NOT NULL,  -- bits whose revocation this node acknowledged to somebody
    wanted_at REAL NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,  -- 1: all of them are final on chain
    not_before REAL NOT NULL DEFAULT 0,  -- what carries them was refused: others do not wait behind them
    PRIMARY KEY (address, word)
) WITHOUT ROWID;
CREATE INDEX relay_wants_open ON relay_wants (done, wanted_at);
CREATE TABLE relay_items (
    intent INTEGER NOT NULL,
    position INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (intent, position)
) WITHOUT ROWID;
CREATE TABLE relay_shares (
    intent INTEGER NOT NULL,
    address BLOB NOT NULL,  -- of a contributor with messages in this relay
    gas INTEGER NOT NULL,  -- its part of the gas
    PRIMARY KEY (intent, address)
) WITHOUT ROWID;
CREATE INDEX relay_shares_by_address ON relay_shares (address, intent);
CREATE TABLE relay_refusals (
    digest BLOB PRIMARY KEY,  -- of a revocation that the registry rejected
    times INTEGER NOT NULL,
    again_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE deployments (
    wallet BLOB PRIMARY KEY,  -- has no code, and a relay of its revocation waits for it
    code BLOB NOT NULL,  -- the contract creation that deploys it
    times INTEGER NOT NULL,  -- how often that failed
    not_before REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE landed (
    block_number INTEGER NOT NULL,
    address BLOB NOT NULL,
    word BLOB NOT NULL,
    mask BLOB NOT NULL,
    PRIMARY KEY (block_number, address, word)
) WITHOUT ROWID;
CREATE INDEX landed_by_word ON landed (address, word, block_number);
CREATE TABLE receipt_blocks (
    number INTEGER PRIMARY KEY,  -- of a block of the followed chain in which a revocation landed
    hash BLOB NOT NULL,
    header BLOB,  -- NULL until what proves its transactions is kept
    times INTEGER NOT NULL,  -- how often no endpoint gave that
    not_before REAL NOT NULL
);
CREATE INDEX receipt_blocks_wanted ON receipt_blocks (number) WHERE header IS NULL;
CREATE TABLE receipt_transactions (
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    nodes BLOB NOT NULL,  -- two lists, of the transaction and of its receipt
    PRIMARY KEY (number, place)
) WITHOUT ROWID;
CREATE TABLE dropped (
    address BLOB NOT NULL,
    word BLOB NOT NULL,
    mask BLOB NOT NULL,  -- bits that were on chain, on a fork that is gone, and are not on this one
    PRIMARY KEY (address, word)
) WITHOUT ROWID;
CREATE INDEX batches_by_sponsor ON batches (sponsor);
CREATE TABLE sponsors (
    node_key BLOB PRIMARY KEY,
    held INTEGER NOT NULL  -- consents within their own quota
) WITHOUT ROWID;
CREATE TABLE pool (
    digest BLOB PRIMARY KEY,  -- of a consent or a statement in the strangers' pool
    expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX pool_by_end ON pool (expires_at);
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
CREATE INDEX anchors_by_block ON anchors (block_number, root);
CREATE TABLE endorsements (
    signer BLOB NOT NULL,
    digest BLOB NOT NULL,  -- of a statement, which the signer endorsed by a transaction
    block_number INTEGER NOT NULL,
    PRIMARY KEY (signer, digest)
) WITHOUT ROWID;
CREATE INDEX endorsements_by_block ON endorsements (block_number);
CREATE TABLE missing_batches (
    root BLOB PRIMARY KEY  -- anchored, and its batch is not stored
) WITHOUT ROWID;
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
CREATE TABLE blocks (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
);
CREATE TABLE late_ranges (
    last INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    read_at REAL NOT NULL,
    passes INTEGER NOT NULL
);
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
CREATE TABLE numbers (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE singles (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
"""
SCHEMA = _MAIN + PENDING + STATEMENTS + AUDIENCE
