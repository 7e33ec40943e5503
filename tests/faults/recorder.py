"""What a real Home Assistant's own recorder has."""

import datetime as dt
import sqlite3
from contextlib import closing

from ..real_home_assistant import RealHomeAssistant  # noqa: TID252 - tests are no package


def recorded(home: RealHomeAssistant) -> set[tuple[str, int, str | None]]:
    """Give every change that was recorded: entity, instant (µs), state."""
    with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT states_meta.entity_id, last_updated_ts, state FROM states JOIN states_meta USING (metadata_id) "
            "WHERE state IS NOT NULL AND state != ''"
        ).fetchall()
    return {(entity_id, _micros(updated), state) for entity_id, updated, state in rows}


def _micros(seconds: float) -> int:
    """Round as Home Assistant does when it makes a time of its float: to the nearest µs of the float itself."""
    since = dt.datetime.fromtimestamp(seconds, dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return since // dt.timedelta(microseconds=1)
