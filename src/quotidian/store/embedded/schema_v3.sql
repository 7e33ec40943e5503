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

-- By which version of each detector days are folded. Where not all were folded by one, all are folded again.
CREATE TABLE edition (detector TEXT PRIMARY KEY, edition INTEGER NOT NULL) WITHOUT ROWID, STRICT;
INSERT INTO edition SELECT detector, min(version) FROM summary GROUP BY detector
HAVING min(version) = max(version) AND count(*) = (SELECT count(DISTINCT ordinal) FROM summary);

-- Weeks and months of which a day was folded since they were united. folds: how often, since then.
CREATE TABLE stale (
    period TEXT NOT NULL,
    start INTEGER NOT NULL,
    folds INTEGER NOT NULL,
    PRIMARY KEY (period, start)
) WITHOUT ROWID, STRICT;
INSERT INTO stale SELECT DISTINCT 'weekly', ordinal - ordinal % 7, 1 FROM summary;
INSERT INTO stale SELECT DISTINCT
    'monthly',
    CAST(julianday(date(ordinal + 1721424.5, 'start of month')) - 1721424.5 AS INTEGER),
    1
FROM summary;

-- expired: 1 where retention has dropped the day's events, 2 where nothing is left of it.
ALTER TABLE day ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;

-- since: the revision of the certificate that the tally continues, where the one before it was dropped for its age.
ALTER TABLE tally ADD COLUMN since INTEGER NOT NULL DEFAULT 0;

-- What InfluxDB still holds of ours and is to delete: the setting's name of the bucket, and a span (µs, both included).
CREATE TABLE leftover (
    n INTEGER PRIMARY KEY,
    bucket TEXT NOT NULL,
    predicate TEXT NOT NULL,
    start INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT;

-- What InfluxDB refused and stays here: a day's file, or a summary.
CREATE TABLE refusal (name TEXT PRIMARY KEY, reason TEXT NOT NULL) STRICT;

-- Files of days that were moved to InfluxDB (there with the digest moved), kept while late events are likely.
CREATE TABLE recent (
    ordinal INTEGER PRIMARY KEY,
    moved BLOB NOT NULL,
    file TEXT NOT NULL,
    size INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;
