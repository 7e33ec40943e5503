-- The last day that was looked at by the detectors of each cadence. revision: grows with every change of the patterns.
CREATE TABLE nights (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    daily INTEGER,
    weekly INTEGER,
    monthly INTEGER,
    revision INTEGER NOT NULL
) STRICT;

-- All detectors looked at once before: weekly ones after a Saturday, monthly ones after the last of a month.
INSERT INTO nights SELECT
    1,
    ordinal,
    ordinal - (ordinal + 1) % 7,
    CAST(julianday(date(ordinal + 1721424.5, '+1 day', 'start of month', '-1 day')) - 1721424.5 AS INTEGER),
    1
FROM night;
DROP TABLE night;

-- Runs of the learning: the newest few hundred. packed: MessagePack of the job.
CREATE TABLE job (id TEXT PRIMARY KEY, kind TEXT NOT NULL, asked INTEGER NOT NULL, packed BLOB NOT NULL) STRICT;
CREATE INDEX job_asked ON job (asked);

-- What the summaries of a day say of each entity (or area, or the home). packed: see rollups.py.
CREATE TABLE rollup (
    ordinal INTEGER NOT NULL,
    entity_id TEXT NOT NULL,
    packed BLOB NOT NULL,
    UNIQUE (ordinal, entity_id)
) STRICT;
