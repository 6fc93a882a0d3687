"""The tables of pending revocations and of marks (rules 7.14 and 7.15), a part of schema.py."""

PENDING = """
CREATE TABLE pending (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    signer BLOB NOT NULL,
    source TEXT NOT NULL,
    body BLOB NOT NULL,
    bits BLOB NOT NULL,  -- word and mask, 64 bytes each
    arrived_at REAL NOT NULL
);
CREATE INDEX pending_by_signer ON pending (signer, seq);
CREATE INDEX pending_by_source ON pending (source, seq);
CREATE TABLE pending_sources (
    source TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX pending_sources_by_count ON pending_sources (count);
CREATE TRIGGER pending_in AFTER INSERT ON pending BEGIN
    INSERT INTO pending_sources VALUES (new.source, 1)
        ON CONFLICT (source) DO UPDATE SET count = count + 1;
    INSERT INTO numbers VALUES ('pending', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1;
END;
CREATE TRIGGER pending_out AFTER DELETE ON pending BEGIN
    UPDATE pending_sources SET count = count - 1 WHERE source = old.source;
    DELETE FROM pending_sources WHERE source = old.source AND count = 0;
    UPDATE numbers SET value = value - 1 WHERE name = 'pending';
END;
CREATE TABLE marks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL,  -- the first 8 bytes; none: all of the signer
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
CREATE TABLE doubts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    address BLOB NOT NULL UNIQUE  -- a known person who came into doubt (rule 7.15); it may be over
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
CREATE TABLE mark_bitmaps (
    number INTEGER PRIMARY KEY,
    begun_at REAL NOT NULL,
    merged INTEGER NOT NULL,  -- marks
    bits INTEGER NOT NULL  -- its size
);
CREATE TABLE merged_marks (
    bitmap INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    bits BLOB NOT NULL,
    PRIMARY KEY (bitmap, chunk)
) WITHOUT ROWID;
"""
