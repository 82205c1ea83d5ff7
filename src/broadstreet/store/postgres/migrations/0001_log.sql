-- The log, the current versions, and the cursors of followers.
-- Types are in PostgreSQL's own words; the meaning of each table is in docs/store/log.md.
-- Texts are compared by their bytes (COLLATE "C"), as on every back end.

CREATE TABLE meta (
    name  text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);

-- Who may write. `epoch` counts the sessions that took the lease, `commits` their transactions: each one
-- raises `commits` where both are what its writer knows, or has no effect. One row, rewritten in its page.
CREATE TABLE lease (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch    bigint NOT NULL,
    commits  bigint NOT NULL,
    holder   text NOT NULL
) WITH (fillfactor = 10);
INSERT INTO lease VALUES (true, 0, 0, '');

-- One row for each thing that ever happened; seq has no gaps.
CREATE TABLE entry (
    seq     bigint PRIMARY KEY,
    at      bigint NOT NULL,
    type    text COLLATE "C" NOT NULL,
    id      text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    subject text COLLATE "C",
    actor   text COLLATE "C",
    source  text COLLATE "C" NOT NULL,
    key     text COLLATE "C" NOT NULL,
    cause   bigint,
    seal    bigint NOT NULL DEFAULT 0,
    body    bytea
);
CREATE UNIQUE INDEX entry_key ON entry (source, key);
CREATE INDEX entry_id ON entry (id, seq);

-- A server may be built without lz4; then bodies over 2 kB are compressed by its own, slower method.
DO $$ BEGIN
    ALTER TABLE entry ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;

-- Who an entry is about where it is about several residents (entry.subject is then null).
CREATE TABLE entry_subject (
    seq     bigint NOT NULL,
    subject text COLLATE "C" NOT NULL,
    PRIMARY KEY (seq, subject)
);

-- What policy decides on, as it was when the version was put; 64-bit keyed hashes, 0 where it is unknown.
-- No body tells it again, so the search index takes it from here.
CREATE TABLE entry_label (
    seq          bigint PRIMARY KEY,
    organisation bigint NOT NULL,
    district     bigint NOT NULL,
    category     bigint NOT NULL,
    sensitivity  bigint NOT NULL
);

-- The newest version of each resource. Room is left in each page: a new version is written beside the old.
CREATE TABLE current (
    type    text COLLATE "C" NOT NULL,
    id      text COLLATE "C" NOT NULL,
    seq     bigint NOT NULL,
    version integer NOT NULL,
    digest  bigint NOT NULL,
    PRIMARY KEY (type, id)
) WITH (fillfactor = 80);

-- How far each follower has come; mode is live, or shadow for a reactor's new version on trial.
CREATE TABLE cursor (
    follower text COLLATE "C" PRIMARY KEY,
    version  integer NOT NULL,
    seq      bigint NOT NULL,
    mode     text COLLATE "C" NOT NULL CHECK (mode IN ('live', 'shadow'))
) WITH (fillfactor = 50);

-- What a reactor in shadow would have emitted.
CREATE TABLE shadow (
    follower text COLLATE "C" NOT NULL,
    version  integer NOT NULL,
    key      text COLLATE "C" NOT NULL,
    type     text COLLATE "C" NOT NULL,
    body     bytea,
    PRIMARY KEY (follower, version, key)
);
