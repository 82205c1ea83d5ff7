-- The log, the current versions, and the cursors of followers.
-- Types are in SQLite's own words; the meaning of each table is in docs/store/log.md.

PRAGMA application_id = 1112691540;  -- 0x42525354, "BRST": a file of another program is refused

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each thing that ever happened; seq has no gaps.
CREATE TABLE entry (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    type    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    version INTEGER NOT NULL,
    subject TEXT,
    actor   TEXT,
    source  TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    cause   INTEGER,
    seal    INTEGER NOT NULL DEFAULT 0,
    body    BLOB
) STRICT;
CREATE UNIQUE INDEX entry_key ON entry (source, key);
CREATE INDEX entry_id ON entry (id, seq);

-- Who an entry is about where it is about several residents (entry.subject is then null).
CREATE TABLE entry_subject (
    seq     INTEGER NOT NULL,
    subject TEXT    NOT NULL,
    PRIMARY KEY (seq, subject)
) STRICT, WITHOUT ROWID;

-- What policy decides on, as it was when the version was put; 64-bit keyed hashes, 0 where it is unknown.
-- No body tells it again, so the search index takes it from here.
CREATE TABLE entry_label (
    seq          INTEGER PRIMARY KEY,
    organisation INTEGER NOT NULL,
    district     INTEGER NOT NULL,
    category     INTEGER NOT NULL,
    sensitivity  INTEGER NOT NULL
) STRICT;

-- The newest version of each resource.
CREATE TABLE current (
    type    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    version INTEGER NOT NULL,
    digest  INTEGER NOT NULL,
    PRIMARY KEY (type, id)
) STRICT, WITHOUT ROWID;

-- How far each follower has come; mode is live, or shadow for a reactor's new version on trial.
CREATE TABLE cursor (
    follower TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    mode     TEXT    NOT NULL CHECK (mode IN ('live', 'shadow')),
    PRIMARY KEY (follower)
) STRICT, WITHOUT ROWID;

-- What a reactor in shadow would have emitted.
CREATE TABLE shadow (
    follower TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    key      TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    body     BLOB,
    PRIMARY KEY (follower, version, key)
) STRICT, WITHOUT ROWID;
