-- The search index beside the log: a process of its own writes it, with a position of its own.
--
-- `identity` has the rows of identifiers alone, like those of token_index: what a commit itself must be able to
-- look up. `index_meta` says how far the index has come; it is the index's, and in no backup.

CREATE TABLE identity (
    part         bigint NOT NULL,
    code         bigint NOT NULL,
    system       bigint NOT NULL,
    since        bigint NOT NULL,
    until        bigint NOT NULL,
    subject      bigint NOT NULL,
    organisation bigint NOT NULL,
    district     bigint NOT NULL,
    category     bigint NOT NULL,
    sensitivity  bigint NOT NULL,
    PRIMARY KEY (part, code, since, system)
) WITH (fillfactor = 90);
CREATE INDEX identity_since ON identity (since, part);

CREATE TABLE index_meta (
    name  text COLLATE "C" PRIMARY KEY,
    value text COLLATE "C" NOT NULL
) WITH (fillfactor = 10);
