-- Ids and texts stand once; everything else points to them. Id 0 means "none".
CREATE TABLE entity (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE text (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE) STRICT;

-- Events of days that are not sealed, and late events of days that are.
-- lag: last_updated minus last_changed, µs. origins: see copies.py.
CREATE TABLE hot (
    updated INTEGER NOT NULL,
    entity INTEGER NOT NULL,
    lag INTEGER NOT NULL,
    state INTEGER NOT NULL,
    cause INTEGER NOT NULL,
    cause_entity INTEGER NOT NULL,
    user INTEGER NOT NULL,
    source INTEGER NOT NULL,
    attributes INTEGER NOT NULL,
    origins INTEGER NOT NULL,
    PRIMARY KEY (updated, entity)
) WITHOUT ROWID, STRICT;

-- The ledger. A day's events are those of its file (if it has one) merged with its rows in hot.
CREATE TABLE day (
    ordinal INTEGER PRIMARY KEY,
    events INTEGER NOT NULL DEFAULT 0,
    file TEXT,
    size INTEGER NOT NULL DEFAULT 0,
    digest BLOB,
    revision INTEGER NOT NULL DEFAULT 0,
    folded INTEGER
) STRICT;

CREATE TABLE home (only INTEGER PRIMARY KEY CHECK (only = 1), packed BLOB NOT NULL) STRICT;
CREATE TABLE checkpoint (source TEXT PRIMARY KEY, position TEXT NOT NULL) STRICT;
CREATE TABLE mark (ordinal INTEGER PRIMARY KEY, label TEXT NOT NULL) STRICT;
CREATE TABLE night (only INTEGER PRIMARY KEY CHECK (only = 1), ordinal INTEGER NOT NULL) STRICT;

CREATE TABLE summary (
    detector TEXT NOT NULL,
    version INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    packed BLOB NOT NULL,
    PRIMARY KEY (detector, version, ordinal)
) WITHOUT ROWID, STRICT;
CREATE INDEX summary_ordinal ON summary (ordinal);

CREATE TABLE carry (
    ordinal INTEGER NOT NULL,
    detector TEXT NOT NULL,
    packed BLOB NOT NULL,
    PRIMARY KEY (ordinal, detector)
) WITHOUT ROWID, STRICT;

CREATE TABLE period (
    period TEXT NOT NULL,
    detector TEXT NOT NULL,
    version INTEGER NOT NULL,
    start INTEGER NOT NULL,
    packed BLOB NOT NULL,
    PRIMARY KEY (period, detector, version, start)
) WITHOUT ROWID, STRICT;

CREATE TABLE pattern (
    id TEXT PRIMARY KEY,
    detector TEXT NOT NULL,
    status TEXT NOT NULL,
    last_seen INTEGER NOT NULL,
    sentence TEXT NOT NULL,
    packed BLOB NOT NULL
) STRICT;
