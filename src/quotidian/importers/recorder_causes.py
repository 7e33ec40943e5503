"""Causes of a page of the recorder's states, settled from the events that it kept beside them."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from quotidian.homeassistant.cause import REMOTE_DOMAINS, Causes, Key, Trace
from quotidian.importers.database import Database
from quotidian.importers.recorder_schema import RecorderSchema
from quotidian.model import CauseKind
from quotidian.model.arrays import Ints
from quotidian.model.day import SECOND
from quotidian.model.home import domain_of

#: Seconds of events that are read before the first state: a script may have been running for that long.
MARGIN: Final = 3_600.0
_AFTER: Final = 1.0  #: and behind the last one of a page
_TOGETHER: Final = 500


class Contexts(NamedTuple):
    """Contexts of a page's states: ids, users and parents, as the database has them."""

    ids: Sequence[Key | None]
    users: Sequence[Key | None]
    parents: Sequence[Key | None]


class Settled(NamedTuple):
    """Causes of a page's states in columns: the kinds, the automations or scripts, the users."""

    kinds: list[str]
    makers: list[str | None]
    users: list[str | None]


class RecorderCauses:
    """Reads the events that tell causes alongside the states, and settles each page's causes."""

    def __init__(self, database: Database, schema: RecorderSchema, causes: Causes, warnings: list[str]) -> None:
        self._database, self._schema, self._causes = database, schema, causes
        self._warnings = warnings
        self._heard: float | None = None
        causes.complete = schema.tells is not None and self._any(schema.tells)

    def settle(
        self,
        codes: NDArray[np.int32],
        names: list[str],
        states: Sequence[str | None],
        instants: Ints,
        contexts: Contexts,
    ) -> Settled:
        """Tell who caused each state of a page; ``codes`` number its entities, ``names`` are their ids by number."""
        rows = len(states)
        if not self._schema.contexts:
            return Settled([CauseKind.UNKNOWN.value] * rows, [None] * rows, [None] * rows)
        self._hear(instants)
        self._press(codes, names, contexts)
        usual = CauseKind.PHYSICAL if self._causes.complete else CauseKind.UNKNOWN
        settled = Settled([usual.value] * rows, [None] * rows, [None] * rows)
        times, entities = instants.tolist(), codes.tolist()
        for n in self._telling(codes, names, contexts):
            cause = self._causes.cause(names[entities[n]], states[n] or None, _trace(contexts, n), times[n])
            settled.kinds[n], settled.makers[n], settled.users[n] = cause.kind.value, cause.entity, cause.user
        self._causes.forget_calls(int(instants[-1]))
        return settled

    def _telling(self, codes: NDArray[np.int32], names: list[str], contexts: Contexts) -> list[int]:
        """Give the rows of which more is known than that something happened: few, so only these are looked at."""
        facts, targets = self._causes.facts, self._causes.targets
        aimed = np.array([name in targets for name in names], bool)[codes].tolist()
        return [
            n
            for n, (key, user, parent, hit) in enumerate(zip(*contexts, aimed, strict=True))
            if hit or user is not None or parent is not None or key is None or key in facts
        ]

    def _press(self, codes: NDArray[np.int32], names: list[str], contexts: Contexts) -> None:
        remote = np.array([domain_of(name) in REMOTE_DOMAINS for name in names], bool)
        for n in np.flatnonzero(remote[codes]).tolist() if remote.any() else ():
            trace = _trace(contexts, n)
            if trace is not None:
                self._causes.pressed(trace)

    def _any(self, question: str) -> bool:
        try:
            return self._database.execute(question).fetchone() is not None
        except sqlite3.DatabaseError:
            return False  # damaged events cost the causes, not the states

    def _hear(self, instants: Ints) -> None:
        """Read the events up to the page's last state."""
        if self._schema.events is None:
            return
        until = float(instants.max()) / SECOND + _AFTER
        since = float(instants[0]) / SECOND - MARGIN if self._heard is None else self._heard
        if until <= since:
            return
        try:
            cursor = self._database.execute(self._schema.events, (since, until))
            while some := cursor.fetchmany(_TOGETHER):
                for event in some:
                    self._take(event)
        except sqlite3.DatabaseError as error:
            self._causes.complete = False
            self._warnings.append(f"The database's events are damaged: some causes stay unknown ({error}).")
        # Only up to the last state all is known to be written: what was fired after it may still come to stand there.
        self._heard = until - _AFTER

    def _take(self, event: tuple[str, str | None, float | None, Key | None, Key | None, Key | None]) -> None:
        kind, data, seconds, key, user, parent = event
        if key is None or seconds is None:
            return
        self._causes.heard(kind, _decoded(data), Trace(key, parent, _user(user)), round(seconds * SECOND))


@lru_cache(maxsize=2048)
def _decoded(data: str | None) -> Mapping[str, Any]:
    """Read an event's data; most are the same again and again. Without it, an event still tells its kind."""
    try:
        told = msgspec.json.decode(data or "{}")
    except (msgspec.DecodeError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _trace(contexts: Contexts, n: int) -> Trace | None:
    key = contexts.ids[n]
    return None if key is None else Trace(key, contexts.parents[n], _user(contexts.users[n]))


def _user(user: Key | None) -> str | None:
    return user.hex() if isinstance(user, bytes) else user or None
