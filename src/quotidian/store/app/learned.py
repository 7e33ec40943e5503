"""Reading what was learned: what the days say in figures, the integers behind it, and the habits."""

import datetime as dt
from typing import Annotated, Any, Final

import msgspec
from fastapi import FastAPI, Query
from starlette.responses import Response

from quotidian.errors import NotFoundError
from quotidian.model import Integers, Pattern, RollUp, Status
from quotidian.model.day import DAY_MINUTES
from quotidian.model.pattern import Choice, Revision, Teller, once, shown
from quotidian.model.rollup import Figures
from quotidian.service.wire import answer
from quotidian.store.app import asked
from quotidian.store.app.routes import Limit, route
from quotidian.store.app.thread import StoreThread
from quotidian.store.protocols import Store

DayBound = Annotated[
    str | None, Query(description="A date as in 2026-11-21, or any time of that day, as in `30d ago`.")
]
EntityId = Annotated[str | None, Query(description="An entity, an area, or `home`.")]
AreaId = Annotated[str | None, Query(description="An area: what is said of it, and of what is in it now.")]
Cursor = Annotated[str | None, Query(description="That of the page before.")]


class SummaryPage(msgspec.Struct, frozen=True):
    """What some days say in figures, newest day first, and the cursor with which to go on."""

    summaries: list[RollUp]
    cursor: str | None = None


class Habits(msgspec.Struct, frozen=True):
    """Patterns, and the last day that the daily detectors looked at."""

    patterns: list[Teller]
    reviewed: dt.date | None


class Moved(msgspec.Struct, frozen=True):
    """A night on which a habit changed; ``time`` is the ``anchor`` (minute of the day) as people write it."""

    date: dt.date
    status: Status
    anchor: int | None
    time: str | None
    kept: int
    observed: int

    @classmethod
    def of(cls, one: Revision) -> "Moved":
        """Tell of one revision."""
        time = None if one.anchor is None else dt.time(*divmod(one.anchor % DAY_MINUTES, 60)).isoformat("minutes")
        return cls(one.date, one.status, one.anchor, time, one.kept, one.observed)


class HabitHistory(msgspec.Struct, frozen=True):
    """How a habit moved, oldest first."""

    id: str
    sentence: str
    history: list[Moved]


_LAMP: Final[Figures] = {
    "occurrences": 4,
    "automated": 0,
    "hourly_distribution": [*[0] * 6, 2, *[0] * 11, 2, *[0] * 5],
    "peak_hours": [6, 18],
    "states": ["off", "on"],
    "states_times": [2, 2],
    "first": 405,
    "last": 1130,
    "frequency": 0.1667,
    "confidence": 1.0,
}
_PAGE: Final = SummaryPage([RollUp(dt.date(2026, 11, 21), "time_of_day", "light.hall", _LAMP)])
_HISTORY: Final = HabitHistory(
    "time_of_day-3f9a2c1b07",
    "About 06:45 the hall light goes on",
    [Moved(dt.date(2026, 11, 21), Status.ACTIVE, 405, "06:45", 38, 40)],
)


def add(app: FastAPI, thread: StoreThread) -> None:
    """Add all routes."""
    _add_summaries(app, thread)
    _add_integers(app, thread)
    _add_patterns(app, thread)


def _add_summaries(app: FastAPI, thread: StoreThread) -> None:
    async def page(
        detector: str | None,
        *,
        start: str | None,
        end: str | None,
        entity_id: str | None,
        area: str | None,
        limit: int,
        cursor: str | None,
    ) -> Response:
        before = asked.rollup_place_of(cursor)

        def work(store: Store) -> SummaryPage:
            first, last = asked.days_of(start, end, store.home.zone)
            found = store.summaries(
                first, last, detector=detector, entity_id=entity_id, area=area, before=before, limit=limit
            )
            return SummaryPage(found, asked.rollup_cursor_for(found[-1].place) if len(found) == limit else None)

        return answer(await thread.call(work))

    @route(app, "/summaries", "What each day says of entities, newest first", SummaryPage, _PAGE)
    async def _every(
        *,
        start: DayBound = None,
        end: DayBound = None,
        entity_id: EntityId = None,
        area: AreaId = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        return await page(None, start=start, end=end, entity_id=entity_id, area=area, limit=limit, cursor=cursor)

    @route(app, "/summaries/{detector}", "What each day says by one detector, newest first", SummaryPage, _PAGE)
    async def _one(
        *,
        detector: str,
        start: DayBound = None,
        end: DayBound = None,
        entity_id: EntityId = None,
        area: AreaId = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        known = asked.detector_of(detector)
        return await page(known, start=start, end=end, entity_id=entity_id, area=area, limit=limit, cursor=cursor)


def _add_integers(app: FastAPI, thread: StoreThread) -> None:
    @route(app, "/summaries/{detector}/{version}", "The days that a detector summarised", dict[str, list[dt.date]])
    async def _summarised(detector: str, version: int) -> Response:
        return answer({"days": sorted(await thread.call(lambda store: store.summarised(detector, version)))})

    @route(app, "/summaries/{detector}/{version}/{date}", "A detector's integers of a day", dict[str, Any])
    async def _summary(detector: str, version: int, date: str) -> Response:
        day = asked.date_of("The day", date) or dt.date.min
        found = await thread.call(lambda store: store.summary(detector, version, day, day))
        if day.toordinal() not in found.days:
            raise NotFoundError(f"There is no such summary of {day}.", "The path without the date lists the days.")
        return answer(_shown(found.days[day.toordinal()]))


def _shown(row: Integers) -> dict[str, Any]:
    return {"words": row.words, "columns": {name: values.tolist() for name, values in row.columns.items()}}


def _add_patterns(app: FastAPI, thread: StoreThread) -> None:
    @route(app, "/patterns", "What was learned, the most certain first", Habits)
    async def _patterns(
        *,
        kind: Annotated[str | None, Query(description="A detector.")] = None,
        entity_id: EntityId = None,
        area: AreaId = None,
        state: Annotated[Status | None, Query(description="How a habit is.")] = None,
        min_confidence: Annotated[float, Query(ge=0, le=1, description="How certain it is, at least.")] = 0.0,
        limit: Annotated[int | None, Query(ge=1, le=10_000, description="How many, at most.")] = None,
        all: Annotated[  # noqa: A002 - the name in the query
            bool, Query(description="Also those that another one in the list tells better.")
        ] = False,
    ) -> Response:
        choice = Choice(
            kind=None if kind is None else asked.detector_of(kind),
            entity_id=entity_id,
            area=area,
            status=state,
            min_confidence=min_confidence,
        )

        def work(store: Store) -> Habits:
            patterns = store.patterns()
            chosen = choice.of(patterns, store.home)
            listed = (chosen if all else once(chosen))[:limit]
            return Habits([shown(one, patterns) for one in listed], store.nights.daily)

        return answer(await thread.call(work))

    @route(app, "/patterns/{id}", "One habit, with its evidence", Teller)
    async def _pattern(id: str) -> Response:  # noqa: A002 - the name in the path
        def work(store: Store) -> Teller:
            return shown(_found(store, id), store.patterns())

        return answer(await thread.call(work))

    @route(app, "/patterns/{id}/history", "How a habit moved, oldest first", HabitHistory, _HISTORY)
    async def _history(id: str) -> Response:  # noqa: A002
        found = await thread.call(lambda store: _found(store, id))
        return answer(HabitHistory(found.id, found.finding.sentence, [Moved.of(one) for one in found.history]))


def _found(store: Store, name: str) -> Pattern:
    """Give a pattern.

    Raises
    ------
    NotFoundError
        When there is none of that id.
    """
    for pattern in store.patterns():
        if pattern.id == name:
            return pattern
    raise NotFoundError(f"There is no pattern {name[:60]!r}.", "/api/v1/patterns lists them.")
