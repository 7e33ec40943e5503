"""The newest runs of the learning."""

from typing import Final

import msgspec

from quotidian.model import Job, JobKind
from quotidian.store.embedded.database import Database

KEPT: Final = 500  #: jobs


class Jobs:
    """The table ``job``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, job: Job) -> None:
        """Replace what is known of a job."""
        row = (job.id, job.kind.value, job.asked, msgspec.msgpack.encode(job))
        self._database.execute("INSERT OR REPLACE INTO job VALUES (?, ?, ?, ?)", row)
        self._database.execute(
            "DELETE FROM job WHERE id NOT IN (SELECT id FROM job ORDER BY asked DESC, id LIMIT ?)", (KEPT,)
        )

    def newest(self, limit: int, kind: JobKind | None) -> list[Job]:
        """Give the jobs that were asked for last, newest first."""
        rows = self._database.rows(
            "SELECT packed FROM job WHERE ? IS NULL OR kind = ? ORDER BY asked DESC, id LIMIT ?", (kind, kind, limit)
        )
        return [msgspec.msgpack.decode(packed, type=Job) for (packed,) in rows]
