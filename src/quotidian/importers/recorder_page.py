"""States as the recorder keeps them, made into columns of events: by the page, hardly anything by the row."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from quotidian.importers.batch import Attributes, constant, entity_fault, horizon, same_as_updated
from quotidian.importers.database import Database
from quotidian.importers.recorder_causes import Contexts, RecorderCauses
from quotidian.importers.rejects import Rejects
from quotidian.model import Source
from quotidian.model.arrays import Ints
from quotidian.model.day import SECOND
from quotidian.model.event import EVENT_SCHEMA, table_of

StateRow = tuple[Any, ...]  #: see ``RecorderSchema.page``
_TOGETHER: Final = 500  #: attributes asked for in one question
_REMEMBERED: Final = 50_000  #: attributes ids whose kept text is remembered


class Pages:
    """Makes tables of ``EVENT_SCHEMA`` from pages of states; remembers names and attributes from page to page."""

    def __init__(
        self,
        database: Database,
        causes: RecorderCauses,
        attributes: Attributes,
        rejects: Rejects,
        warnings: list[str],
    ) -> None:
        self._database, self._causes = database, causes
        self._attributes, self._rejects, self._warnings = attributes, rejects, warnings
        self._names: dict[int | str | None, str | None] = {}
        self._kept: dict[int, str | None] = {}

    def table(self, rows: list[StateRow]) -> pa.Table:
        """Make a page's table; rows that cannot be used are rejected."""
        self._look_up({row[1] for row in rows})
        rows = self._usable(rows)
        if not rows:
            return EVENT_SCHEMA.empty_table()
        _, keys, states, updated, changed, attributes, *contexts = zip(*rows, strict=True)
        codes, names = self._entities(keys)
        times, changes = np.array(updated, np.float64), np.array(changed, np.float64)
        told = ~np.isnan(changes)
        instants = microseconds(times)
        settled = self._causes.settle(codes, names, states, instants, Contexts(*contexts))
        return table_of(
            {
                "entity_id": pa.DictionaryArray.from_arrays(codes, pa.array(names, pa.string())),
                "last_updated": instants,
                "last_changed": same_as_updated(microseconds(np.where(told, changes, 0.0)), instants, told),
                "state": [state or None for state in states],
                "cause": settled.kinds,
                "cause_entity": settled.makers,
                "user": settled.users,
                "source": constant(Source.RECORDER.value, len(rows)),
                "attributes": self._texts(attributes),
            }
        )

    def _look_up(self, keys: set[int | str | None]) -> None:
        """Learn the entity ids of metadata ids that were not seen before; an older version has the ids themselves."""
        missing = keys - self._names.keys()
        self._names.update({key: key for key in missing if isinstance(key, str)})
        if any(isinstance(key, int) for key in missing):
            self._names.update(self._database.execute("SELECT metadata_id, entity_id FROM states_meta"))

    def _usable(self, rows: list[StateRow]) -> list[StateRow]:
        keys = {row[1] for row in rows}
        faults = {key: fault for key in keys if (fault := entity_fault(self._names.get(key))) is not None}
        latest = horizon() / SECOND
        times = np.array([row[3] for row in rows], np.float64)
        if not faults and bool((times <= latest).all()):
            return rows
        good = []
        for row in rows:
            fault = faults.get(row[1])
            if fault is None and (row[3] is None or row[3] > latest):
                fault = "not a time" if row[3] is None else "a time in the future"
            if fault is None:
                good.append(row)
            else:
                shown = ",".join(str(field) for field in (self._names.get(row[1]), row[2], row[3]))
                self._rejects.add(fault, f"state_id {row[0]}", shown)
        return good

    def _entities(self, keys: tuple[int | str, ...]) -> tuple[NDArray[np.int32], list[str]]:
        """Give each row's entity as a number, and the entity ids by number."""
        number = {key: n for n, key in enumerate(dict.fromkeys(keys))}
        codes = np.fromiter(map(number.__getitem__, keys), np.int32, len(keys))
        return codes, [self._names[key] or "" for key in number]

    def _texts(self, attributes: tuple[int | str | None, ...]) -> list[str | None]:
        """Give each row's kept attributes; each text is read and picked from once."""
        distinct = dict.fromkeys(attributes)
        if len(self._kept) > _REMEMBERED:
            self._kept.clear()
        numbers = [key for key in distinct if isinstance(key, int)]
        missing = [number for number in numbers if number not in self._kept]
        for start in range(0, len(missing), _TOGETHER):
            self._fetch(missing[start : start + _TOGETHER])
        kept: dict[int | str | None, str | None] = {number: self._kept[number] for number in numbers}
        kept.update((text, self._picked(text)) for text in distinct if isinstance(text, str))
        return [kept.get(key) for key in attributes]

    def _fetch(self, numbers: list[int]) -> None:
        self._kept.update(dict.fromkeys(numbers))
        wanted = ", ".join(map(str, numbers))
        query = f"SELECT attributes_id, shared_attrs FROM state_attributes WHERE attributes_id IN ({wanted})"  # noqa: S608
        self._kept.update((number, self._picked(text)) for number, text in self._database.execute(query))

    def _picked(self, text: str | None) -> str | None:
        try:
            return self._attributes.kept(text)
        except ValueError:
            self._warn("Some attributes are not JSON objects: those states were used without them.")
            return None

    def _warn(self, sentence: str) -> None:
        if sentence not in self._warnings:
            self._warnings.append(sentence)


def microseconds(seconds: NDArray[np.float64]) -> Ints:
    """Give µs for seconds since 1970, rounded as Home Assistant rounds its own, so that a copy has the same time."""
    fraction, whole = np.modf(seconds)
    return np.rint(fraction * 1e6).astype(np.int64) + whole.astype(np.int64) * SECOND
