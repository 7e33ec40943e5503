"""What the summaries of each day say of each entity, in readable figures."""

import datetime as dt
import zlib
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Final, NamedTuple

import msgspec

from quotidian.errors import CorruptStoreError
from quotidian.model import Home, RollUp
from quotidian.model.rollup import Figures
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.mention import Mention

#: 4 kB suffice for what a row holds, and take a tenth of the usual memory.
_WINDOW: Final = 12
_MEMORY: Final = 5

#: What rows are packed against: an ordinary day as rows tell it, ``0*24`` being so many zeros. Rows that were packed
#: against another one cannot be read, so it stays as it is.
_ORDINARY: Final = msgspec.msgpack.encode(
    msgspec.json.decode(
        """
        [{"day_type": {"half_hours": [0*48], "changes": 0, "first": 0, "last": 0, "late": 0},
          "room": {"seconds": 0, "hourly_seconds": [0*24],
                   "to": ["hall"], "to_times": [1], "from": ["hall"], "from_times": [1]},
          "contextual": {"hours": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                                   23],
                         "levels": [0, 0, 0, 0], "lowest": 0, "highest": 0}},
         {"anomaly": {"changes": 0, "entities": 0, "hours": [0]}},
         "switch.", "sensor.", "media_player.", "lock.", "person.", "cover.", "light.", "binary_sensor.",
         {"anomaly": {"states": ["open", "on"], "longest": [0]},
          "co_occurrence": {"others": ["light.living_room_ceiling", "binary_sensor.living_room_motion"],
                            "times": [1, 1, 1, 1], "lags": [0]},
          "duration": {"states": ["on"], "spans": [1], "longest": [0], "unended": 0, "on_seconds": 0},
          "seasonal": {"states": ["off", "on"]},
          "sequence": {"actions": 1, "before": "binary_sensor.living_room_motion", "before_times": 1, "before_gap": 0,
                       "after": "light.living_room_ceiling", "after_times": 1, "after_gap": 0},
          "session": {"sessions": 1, "starts": [0], "minutes": [0]},
          "time_of_day": {"occurrences": 0, "automated": 0, "hourly_distribution": [0*24], "peak_hours": [],
                          "states": [], "states_times": [], "first": 0, "last": 0, "frequency": 0.0,
                          "confidence": 1.0}}]
        """.replace("0*48", ", ".join("0" * 48)).replace("0*24", ", ".join("0" * 24))
    )
)

_ROW: Final = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_FIGURES: Final = msgspec.msgpack.Decoder(Figures)


class WantedRollUps(NamedTuple):
    """Which roll-ups are looked for, see ``Store.summaries``; ``names``: of whom, all when ``None``."""

    first: int
    last: int
    detector: str | None
    names: frozenset[str] | None
    before: tuple[int, str, str] | None

    @classmethod
    def of(
        cls,
        home: Home,
        *,
        first: dt.date,
        last: dt.date,
        detector: str | None,
        entity_id: str | None,
        area: str | None,
        before: tuple[dt.date, str, str] | None,
    ) -> "WantedRollUps":
        """Read what was asked for."""
        names = None if entity_id is None else frozenset((entity_id,))
        if area is not None:
            within = {name for name, entity in home.entities.items() if entity.area == area} | {area}
            names = frozenset(within) if names is None else names & within
        until = last.toordinal()
        after = None if before is None else (before[0].toordinal(), before[1], before[2])
        return cls(first.toordinal(), until if after is None else min(until, after[0]), detector, names, after)

    def takes(self, rollup: RollUp) -> bool:
        """Tell whether one of these days and entities is looked for."""
        ordinal = rollup.date.toordinal()
        return self.before is None or ordinal < self.before[0] or (rollup.entity_id, rollup.detector) > self.before[1:]


class RollUps:
    """The table of roll-ups: a row for each day and entity, of all detectors.

    Read by day, from the newest on, so that a page costs what is on it: 30 days of an entity are 30 rows.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put_day(self, ordinal: int, rollups: Iterable[RollUp]) -> None:
        """Keep a day's roll-ups, of which none are there."""
        found = sorted(rollups, key=lambda one: one.place)
        self._database.executemany(
            "INSERT INTO rollup VALUES (?, ?, ?)",
            [
                (ordinal, name, _packed({one.detector: one.figures for one in group}))
                for name, group in groupby(found, lambda one: one.entity_id)
            ],
        )

    def remove_day(self, ordinal: int) -> None:
        """Remove a day's roll-ups."""
        self._database.execute("DELETE FROM rollup WHERE ordinal = ?", (ordinal,))

    def newest(self, wanted: WantedRollUps, limit: int) -> list[RollUp]:
        """Give the newest roll-ups that are looked for."""
        found = (one for ordinal in self._days(wanted) for one in self._of_day(ordinal, wanted) if wanted.takes(one))
        return list(islice(found, limit))

    def forget(self, mention: Mention) -> list[tuple[int, str]]:
        """Remove what names an entity; give the days' ordinals, with of whom it was told."""
        named = [
            (ordinal, name)
            for ordinal, name, packed in self._database.rows("SELECT ordinal, entity_id, packed FROM rollup")
            if mention(name) or mention.within(_unpacked(packed, name, ordinal))
        ]
        self._database.executemany("DELETE FROM rollup WHERE ordinal = ? AND entity_id = ?", named)
        return named

    def of_day(self, ordinal: int) -> list[RollUp]:
        """Give a day's roll-ups."""
        return [*self._of_day(ordinal, WantedRollUps(ordinal, ordinal, None, None, None))]

    def _days(self, wanted: WantedRollUps) -> Iterator[int]:
        """Give the days of which something is there, newest first."""
        ordinal: int | None = wanted.last + 1
        while ordinal is not None:
            ordinal = self._database.value(
                "SELECT max(ordinal) FROM rollup WHERE ordinal >= ? AND ordinal < ?", (wanted.first, ordinal)
            )
            if ordinal is not None:
                yield ordinal

    def _of_day(self, ordinal: int, wanted: WantedRollUps) -> Iterator[RollUp]:
        among, names = "", sorted(wanted.names or ())
        if wanted.names is not None:
            among = f" AND entity_id IN ({', '.join('?' * len(names))})"
        rows = self._database.rows(
            f"SELECT entity_id, packed FROM rollup WHERE ordinal = ?{among} ORDER BY entity_id",  # noqa: S608
            (ordinal, *names),
        )
        date = dt.date.fromordinal(ordinal)
        for name, packed in rows:
            for detector, figures in _unpacked(packed, name, ordinal, wanted.detector).items():
                yield RollUp(date, detector, name, figures)


def _packed(figures: dict[str, Figures]) -> bytes:
    packer = zlib.compressobj(wbits=_WINDOW, memLevel=_MEMORY, zdict=_ORDINARY)
    return packer.compress(msgspec.msgpack.encode(figures)) + packer.flush()


def _unpacked(packed: bytes, name: str, ordinal: int, detector: str | None = None) -> dict[str, Figures]:
    """Unpack the figures of all detectors, or of one.

    Raises
    ------
    CorruptStoreError
        When the bytes are damaged.
    """
    try:
        unpacker = zlib.decompressobj(wbits=_WINDOW, zdict=_ORDINARY)
        told = _ROW.decode(unpacker.decompress(packed) + unpacker.flush())
        return {one: _FIGURES.decode(figures) for one, figures in told.items() if detector in (None, one)}
    except (zlib.error, msgspec.DecodeError) as error:
        raise CorruptStoreError(
            f"What the summaries of {dt.date.fromordinal(ordinal)} say of {name} is damaged.",
            "Run `quotidian learn --refold` to make it again from the events.",
        ) from error
