"""Reading what the store holds."""

import asyncio
import datetime as dt
from typing import Annotated, Any, Final, Literal

import msgspec
import pyarrow as pa
from fastapi import Depends, FastAPI, Query
from starlette.responses import Response

from quotidian import clock
from quotidian.errors import NotFoundError, RequestError
from quotidian.model import Event, Gap, Home, Snapshot
from quotidian.model.certificate import Certificate, Verification
from quotidian.model.day import DAY_SECONDS, SECOND, moment
from quotidian.model.event import events_of
from quotidian.service.wire import answer
from quotidian.store.app import asked, learned
from quotidian.store.app.derived import completed, days_of
from quotidian.store.app.intake import Intake
from quotidian.store.app.routes import Limit, route
from quotidian.store.app.thread import StoreThread
from quotidian.store.calls import table_bytes
from quotidian.store.protocols import By, DayRecord, DeadLetters, LayerSize, Store

ARROW: Final = "application/vnd.apache.arrow.stream"
_DAY: Final = DAY_SECONDS * SECOND
_EVER: Final = 1 << 62
Time = Annotated[str | None, Query(description="ISO 8601, µs since 1970, `now`, or as in `5m ago`.")]
Date = Annotated[str | None, Query(description="As in 2026-11-21.")]


class EventPage(msgspec.Struct, frozen=True):
    """Events, and the cursor with which to go on; ``lost``: some that came in between are to be read by time."""

    events: list[Event] = []
    cursor: str | None = None
    lost: bool = False


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What the store holds: events, the days of which there are some, the newest event (µs), and its layers."""

    home: str
    zone: str
    events: int
    days: int
    first: dt.date | None
    last: dt.date | None
    latest: int | None
    dead_letters: int
    dead_letters_dropped: int
    layers: list[LayerSize]


def add(app: FastAPI, thread: StoreThread, intake: Intake) -> None:
    """Add all routes."""
    _add_events(app, thread, intake)
    _add_days(app, thread)
    learned.add(app, thread)
    _add_accounts(app, thread)
    _add_overview(app, thread)


def _add_events(app: FastAPI, thread: StoreThread, intake: Intake) -> None:
    @route(app, "/events", "Read events, newest first, or as they arrive", EventPage)
    async def _events(
        *,
        start_time: Time = None,
        end_time: Time = None,
        entity_id: str | None = None,
        area: str | None = None,
        cause: str | None = None,
        limit: Limit = 100,
        cursor: Annotated[str | None, Query(description="That of the page before.")] = None,
        after: Annotated[str | None, Query(description="An arrival cursor; empty asks for the first.")] = None,
        wait: Annotated[float, Query(ge=0, le=30, description="With `after`: seconds to wait for news.")] = 0,
        enrich: Annotated[Literal["full"] | None, Query(description="Add what follows from other events.")] = None,
    ) -> Response:
        if after is not None:
            page = await _arrived(thread, intake, asked.arrival_of(after), limit, wait)
        else:
            kind, before = asked.cause_of(cause), asked.place_of(cursor)

            def work(store: Store) -> EventPage:
                start, end = _span(store, start_time, end_time)
                found = store.events(
                    start=start, end=end, entity_id=entity_id, area=area, cause=kind, before=before, limit=limit
                )
                return _page(found, store.home.id, limit)

            page = await thread.call(work)
        return answer(page if enrich is None else await _full(thread, page))


async def _full(thread: StoreThread, page: EventPage) -> dict[str, Any]:
    home, days = await thread.call(lambda store: (store.home, days_of(store, page.events)))
    events = await asyncio.to_thread(completed, page.events, home, days)
    return {"events": events, "cursor": page.cursor, "lost": page.lost}


async def _arrived(thread: StoreThread, intake: Intake, after: int | None, limit: int, wait: float) -> EventPage:
    def work(store: Store) -> EventPage:
        found = store.arrivals(after, limit)
        return EventPage([*events_of(found.events, store.home.id)], str(found.cursor), found.lost)

    news = intake.news  # of before the first look, so that nothing comes unnoticed in between
    page = await thread.call(work)
    if wait and after is not None and not page.events:
        await intake.until(news, wait)
        page = await thread.call(work)
    return page


def _page(found: pa.Table, home: str, limit: int) -> EventPage:
    events = [*events_of(found, home)]
    more = len(events) == limit
    return EventPage(events, asked.cursor_for(events[-1].last_updated, events[-1].entity_id) if more else None)


def _span(store: Store, start_time: str | None, end_time: str | None) -> tuple[int | None, int | None]:
    """Read the span of a query.

    Raises
    ------
    RequestError
        When one of its ends is no time, or the end lies before the start.
    """
    zone = store.home.zone
    start, end = asked.moment_of("start_time", start_time, zone), asked.moment_of("end_time", end_time, zone)
    if start is not None and end is not None and end < start:
        raise RequestError("end_time lies before start_time.", "Exchange them.")
    return start, end


def _add_days(app: FastAPI, thread: StoreThread) -> None:
    @route(app, "/days", "The day ledger, oldest first", dict[str, list[DayRecord]])
    async def _days() -> Response:
        return answer({"days": await thread.call(lambda store: store.days())})

    @app.get(
        "/api/v1/days/{date}/events",
        summary="A day's events as an Arrow IPC stream, sorted by entity and time",
        tags=["store"],
        dependencies=[Depends(app.state.access.reading)],
        responses={200: {"content": {ARROW: {}}}},
    )
    async def _day_events(date: str) -> Response:
        def work(store: Store) -> bytes:
            day = asked.day_of(date, store.home.zone)
            if not any(record.date == day.date and record.events for record in store.days()):
                raise NotFoundError(f"There are no events of {day.date}.", "/api/v1/days lists the days.")
            return table_bytes(store.day_events(day))

        return Response(await thread.call(work), media_type=ARROW)

    @route(app, "/counts", "Count events by entity, cause or day", dict[str, dict[str, int]])
    async def _counts(by: By = "day", start_time: Time = None, end_time: Time = None) -> Response:
        """Without a start it counts those of the last 24 hours, by day all."""

        def work(store: Store) -> dict[str, int]:
            start, end = _span(store, start_time, end_time)
            end = _EVER if end is None else end
            start = (-_EVER if by == "day" else min(clock.now(), end) - _DAY) if start is None else start
            return store.counts(start, end, by)

        return answer({"counts": await thread.call(work)})


def _add_accounts(app: FastAPI, thread: StoreThread) -> None:
    @route(app, "/dead-letters", "Messages that could not be used, newest first", DeadLetters)
    async def _letters(limit: Limit = 100, before: int | None = None) -> Response:
        return answer(await thread.call(lambda store: store.dead_letters(limit, before)))

    @route(app, "/certificates", "The loss certificate of each day", dict[str, list[Certificate]])
    async def _certificates(first: Date = None, last: Date = None) -> Response:
        since = asked.date_of("first", first) or dt.date.min
        until = asked.date_of("last", last) or dt.date.max
        return answer({"certificates": await thread.call(lambda store: store.certificates(since, until))})

    @route(app, "/certificates/chain", "Whether the chain of certificates is whole", Verification)
    async def _chain() -> Response:
        return answer(await thread.call(lambda store: store.verify()))

    @route(app, "/gaps", "Spans in which nobody listened", dict[str, list[Gap]])
    async def _gaps(start_time: Time = None, end_time: Time = None) -> Response:
        def work(store: Store) -> list[Gap]:
            start, end = _span(store, start_time, end_time)
            return store.gaps(-_EVER if start is None else start, _EVER if end is None else end)

        return answer({"gaps": await thread.call(work)})

    @route(app, "/streams/{stream}", "How far a stream was received", dict[str, str | int])
    async def _stream(stream: str) -> Response:
        return answer({"stream": stream, "last": await thread.call(lambda store: store.received(stream))})


def _add_overview(app: FastAPI, thread: StoreThread) -> None:
    @route(app, "/home", "The home as it is known now", Home)
    async def _home() -> Response:
        return answer(await thread.call(lambda store: store.home))

    @route(app, "/snapshots", "What the registries said, oldest first", dict[str, list[Snapshot]])
    async def _snapshots(
        after: Annotated[int | None, Query(description="Only those that hold from a later µs on.")] = None,
        limit: Annotated[int | None, Query(ge=1, le=1000, description="How many, at most.")] = None,
    ) -> Response:
        return answer({"snapshots": await thread.call(lambda store: store.snapshots(after, limit))})

    @route(app, "/latest", "When the newest event happened", dict[str, int | str | None])
    async def _latest() -> Response:
        found = await thread.call(lambda store: store.latest())
        return answer({"latest": found, "time": None if found is None else moment(found).isoformat()})

    @route(app, "/stats", "What the store holds", Stats)
    async def _stats() -> Response:
        return answer(await thread.call(stats_of))


def stats_of(store: Store) -> Stats:
    """Tell what a store holds."""
    held = [day for day in store.days() if day.events]
    letters = store.dead_letters(1)
    return Stats(
        home=store.home.name,
        zone=store.home.zone,
        events=sum(day.events for day in held),
        days=len(held),
        first=held[0].date if held else None,
        last=held[-1].date if held else None,
        latest=store.latest(),
        dead_letters=letters.kept,
        dead_letters_dropped=letters.dropped,
        layers=store.layers(),
    )
