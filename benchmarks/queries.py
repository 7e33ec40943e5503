"""Questions about the past, asked of ninety days of the large home: in this process, and over HTTP."""

import datetime as dt
import http.client
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple
from urllib.parse import urlencode

from tests.faults.running import PORTS, Bare, Pipeline

from benchmarks import homes
from benchmarks.figure import Figure
from benchmarks.fresh import MEGABYTE, copied
from quotidian.model import Status
from quotidian.model.pattern import Choice
from quotidian.store import Store, connect
from quotidian.store.embedded.database import FILE

_ROUNDS: Final = 5
_TIMES: Final = 300  #: questions a round
_MONTH: Final = dt.timedelta(days=29)
_LIMIT: Final = 10.0  #: ms


class Question(NamedTuple):
    """What is asked, of one after another: of a store, or by its path over HTTP."""

    what: str
    calls: list[Callable[[], object]]
    paths: list[str]


def figures() -> list[Figure]:
    """Ask each question in rounds, each time about something else; the round in the middle counts."""
    with copied(homes.due("quarter")) as place:
        store = connect(Path(place))
        asked = [*_summaries(store), *_patterns(store)]
        inside = [figure for one in asked for figure in _figures(f"{one.what}, in process", _timed(one.calls))]
        kept = _kept(store, Path(place))
        store.close()
        return [*inside, *_outside(place, asked), kept]


def _summaries(store: Store) -> Iterator[Question]:
    last = max(record.date for record in store.days() if record.folded is not None)
    first = last - _MONTH
    day = store.summaries(last, last, detector="time_of_day", limit=10_000)
    entities, areas = [one.entity_id for one in day], sorted(store.home.areas)
    detector = "time_of_day"
    yield _question(
        "30 days of an entity, one detector",
        partial(store.summaries, first, last, detector=detector),
        f"summaries/{detector}?start={first}&end={last}",
        [{"entity_id": name, "limit": 100} for name in entities],
    )
    yield _question(
        "30 days of an entity, all detectors",
        partial(store.summaries, first, last),
        f"summaries?start={first}&end={last}",
        [{"entity_id": name, "limit": 300} for name in entities],
    )
    yield _question(
        "a detector's month in an area",
        partial(store.summaries, first, last, detector=detector),
        f"summaries/{detector}?start={first}&end={last}",
        [{"area": name, "limit": 300} for name in areas],
    )


def _question(what: str, call: Callable[..., object], path: str, rows: list[dict[str, str | int]]) -> Question:
    return Question(what, [partial(call, **row) for row in rows], [f"{path}&{urlencode(row)}" for row in rows])


def _patterns(store: Store) -> Iterator[Question]:
    names = sorted({name for pattern in store.patterns() for name in pattern.names})
    yield Question(
        "active habits of an entity",
        [partial(_chosen, store, Choice(entity_id=name, status=Status.ACTIVE, min_confidence=0.5)) for name in names],
        [f"patterns?{urlencode({'entity_id': name, 'state': 'active', 'min_confidence': 0.5})}" for name in names],
    )
    ids = [pattern.id for pattern in store.patterns()]
    yield Question(
        "how a habit moved",
        [partial(_history, store, name) for name in ids],
        [f"patterns/{name}/history" for name in ids],
    )


def _chosen(store: Store, choice: Choice) -> object:
    return choice.of(store.patterns(), store.home)


def _history(store: Store, name: str) -> object:
    return next(one.history for one in store.patterns() if one.id == name)


def _timed(calls: list[Callable[[], object]]) -> list[list[float]]:
    """Make the calls in turn; give the milliseconds that each took, by round."""
    taken, found = cycle(calls), []
    for _ in range(_ROUNDS * _TIMES):
        call = next(taken)
        begun = time.perf_counter()
        call()
        found.append((time.perf_counter() - begun) * 1e3)
    return [found[start : start + _TIMES] for start in range(0, len(found), _TIMES)]


def _outside(place: str, asked: list[Question]) -> Iterator[Figure]:
    """Ask the same of a store that is served by a process of its own, on one connection."""
    with (
        TemporaryDirectory(dir=homes.CACHE, prefix="queries-") as folder,
        Pipeline(Bare(), Path(folder), ("http://127.0.0.1:1", "none")) as pipeline,
    ):
        shutil.copytree(place, pipeline.data)
        pipeline.start("store")
        connection = http.client.HTTPConnection("127.0.0.1", pipeline.port + PORTS["store"])
        for one in asked:
            yield from _figures(
                f"{one.what}, over HTTP", _timed([partial(_get, connection, path) for path in one.paths])
            )
        connection.close()


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", f"/api/v1/{path}")
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {content[:200]!r}")
    return content


def _figures(what: str, rounds: list[list[float]]) -> Iterator[Figure]:
    found = sorted(statistics.quantiles(took, n=100)[98] for took in rounds)
    middle = statistics.median(chain.from_iterable(rounds))
    note = f"p50 {middle:.2f} ms; p99 of {_ROUNDS} rounds {found[0]:.1f} to {found[-1]:.1f} ms"
    value = statistics.median(found)
    yield Figure(benchmark="queries", what=f"{what}: p99", value=value, unit="ms", limit=_LIMIT, note=note)


def _kept(store: Store, place: Path) -> Figure:
    layer, days = store.layers()[1], sum(record.folded is not None for record in store.days())
    size = layer.bytes / MEGABYTE * 90 / days
    database = (place / FILE).stat().st_size / MEGABYTE
    note = f"{days} days; the database, with its indices, weeks, months and patterns: {database:.1f} MB"
    return Figure(benchmark="queries", what="all summaries of 90 days", value=size, unit="MB", limit=15, note=note)
