-- What the registries said of an entity: a number of the table text.
ALTER TABLE hot ADD COLUMN registry INTEGER NOT NULL DEFAULT 0;

-- The streams of numbers from which events are received. high: the last number that is here. arrived: when the last
-- message arrived at capture, µs. span: the row of span that is being continued. receipt: the last answer, JSON.
CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    high INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    span INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    receipt BLOB
) STRICT;

-- Numbers that arrived on one day, without a hole, and what they carried.
CREATE TABLE span (
    id INTEGER PRIMARY KEY,
    ordinal INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    received INTEGER NOT NULL,
    filled INTEGER NOT NULL,
    manual INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    left_out INTEGER NOT NULL,
    dead INTEGER NOT NULL,
    notes INTEGER NOT NULL,
    telling INTEGER NOT NULL
) STRICT;
CREATE INDEX span_ordinal ON span (ordinal);

-- Numbers that were never received.
CREATE TABLE hole (
    stream INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (stream, last)
) WITHOUT ROWID, STRICT;

-- What a day's events came from. revision: that of its newest certificate. changed: whether that is out of date.
CREATE TABLE tally (
    ordinal INTEGER PRIMARY KEY,
    received INTEGER NOT NULL DEFAULT 0,
    filled INTEGER NOT NULL DEFAULT 0,
    manual INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0,
    left_out INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    imported INTEGER NOT NULL DEFAULT 0,
    removed INTEGER NOT NULL DEFAULT 0,
    moved INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 1
) STRICT;

-- Appended to only. hash: of the hash before and the body, see certificates.py.
CREATE TABLE certificate (
    n INTEGER PRIMARY KEY,
    ordinal INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    body BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX certificate_ordinal ON certificate (ordinal, revision);

CREATE TABLE gap (
    id TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    filled INTEGER NOT NULL,
    unverifiable INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE letter (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    reason TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;

-- Received events that are still in hot, in the order of their arrival. The last row stays, so that numbers only grow.
CREATE TABLE arrival (n INTEGER PRIMARY KEY, updated INTEGER NOT NULL, entity INTEGER NOT NULL) STRICT;

CREATE TABLE snapshot (since INTEGER PRIMARY KEY, packed BLOB NOT NULL) STRICT;

-- What was imported before there were certificates.
INSERT INTO tally (ordinal, imported) SELECT ordinal, events FROM day WHERE events > 0;
