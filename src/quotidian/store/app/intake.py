"""Taking events in: deliveries of enrich's, and events that somebody posts."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from fastapi import Depends, FastAPI
from prometheus_client import Counter, Gauge, Histogram
from starlette.requests import Request
from starlette.responses import Response

from quotidian.errors import PermanentError, RequestError
from quotidian.model import Enriched, Event, Receipt
from quotidian.model.event import event_id, table_from
from quotidian.service.openapi import speaks
from quotidian.service.wire import answer, decoded, raw_body
from quotidian.store.app.thread import StoreThread
from quotidian.store.protocols import Appended, Store

_PATH: Final = "/api/v1/events"
_DELIVERY: Final = b'{"stream":'  # how our own services write one: it need not be looked at twice
_EXAMPLE: Final = Event(
    event_id=event_id("5f0c3c1e-8f0e-4c4a-9d55-0d6c0f3f9a11", "light.desk", 1_772_438_400_000_000),
    home="5f0c3c1e-8f0e-4c4a-9d55-0d6c0f3f9a11",
    entity_id="light.desk",
    new_state="on",
    last_changed=1_772_438_400_000_000,
    last_updated=1_772_438_400_000_000,
)


class Unusable(msgspec.Struct, frozen=True):
    """Why one of the events that were posted was not stored: its place in the list, from 0 on."""

    index: int
    reason: str


class Posted(msgspec.Struct, frozen=True):
    """What became of events that were posted."""

    new: int = 0
    known: int = 0
    left_out: int = 0
    refusals: list[Unusable] = []


class Intake:
    """Makes events durable, counts them, and wakes those who wait for them.

    ``figures`` counts events since the start, and has the newest one's time (µs).
    """

    def __init__(self, app: FastAPI, thread: StoreThread) -> None:
        self._thread = thread
        self._news, self._stopping = asyncio.Event(), app.state.stopping
        self.figures: dict[str, int | None] = {"new": 0, "known": 0, "left_out": 0, "dead": 0, "last_event": None}
        registry = app.state.metrics
        self._events = Counter("quotidian_store_events", "Events that came in.", ["result"], registry=registry)
        self._seconds = Histogram("quotidian_store_receive_seconds", "Until durable.", registry=registry)
        self._last = Gauge("quotidian_store_last_event_timestamp_seconds", "When it happened.", registry=registry)

    async def receive(self, delivery: Enriched) -> Receipt:
        """Make a delivery durable."""
        with self._seconds.time():
            receipt = await self._thread.call(lambda store: store.receive(delivery))
        self._count(receipt.new, receipt.known, receipt.left_out, receipt.dead)
        if delivery.events:
            last = max(arrival.event.last_updated for arrival in delivery.events)
            self.figures["last_event"] = last
            self._last.set(last / 1e6)
        return receipt

    async def post(self, events: Sequence[msgspec.Raw]) -> Posted:
        """Make posted events durable, each for itself when they cannot be stored together."""
        posted = await self._thread.call(lambda store: _appended(store, events))
        self._count(posted.new, posted.known, posted.left_out, len(posted.refusals))
        return posted

    def _count(self, new: int, known: int, left_out: int, dead: int) -> None:
        for result, number in (("new", new), ("known", known), ("left_out", left_out), ("dead", dead)):
            self._events.labels(result).inc(number)
            self.figures[result] = (self.figures[result] or 0) + number
        if new:
            news, self._news = self._news, asyncio.Event()
            news.set()

    @property
    def news(self) -> asyncio.Event:
        """What is set with the next new event."""
        return self._news

    async def until(self, news: asyncio.Event, seconds: float) -> None:
        """Wait for news, at most so many seconds and not beyond the service's end."""
        waits = [asyncio.create_task(event.wait()) for event in (news, self._stopping)]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()


def _appended(store: Store, raws: Sequence[msgspec.Raw]) -> Posted:
    events, refusals = {}, []
    for index, raw in enumerate(raws):
        try:
            events[index] = _read(raw, store.home.id)
        except RequestError as error:
            refusals.append(Unusable(index, error.what))
    try:
        done = store.append(table_from(events.values())) if events else Appended(0, 0)
    except PermanentError:
        done = Appended(0, 0)
        for index, event in events.items():
            try:
                done += store.append(table_from([event]))
            except PermanentError as error:
                refusals.append(Unusable(index, error.what))
    return Posted(done.new, done.known, done.left_out, sorted(refusals, key=lambda one: one.index))


def _read(raw: msgspec.Raw, home: str) -> Event:
    try:
        event = msgspec.json.decode(raw, type=Event)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RequestError(f"{error}.") from error
    if event.home != home:
        raise RequestError("It is an event of another home.")
    if event.event_id != event_id(home, event.entity_id, event.last_updated):
        raise RequestError("Its event_id does not fit its home, entity_id and last_updated.")
    return event


def add(app: FastAPI, intake: Intake) -> None:
    """Add the route."""

    @app.post(
        _PATH,
        summary="Store events",
        tags=["events"],
        dependencies=[Depends(app.state.access.changing)],
        openapi_extra=speaks(takes=(Enriched, Event, list[Event]), gives=(Receipt, Posted), example=_EXAMPLE),
    )
    async def _post(request: Request) -> Response:
        """Take a delivery (answered by a receipt), one event, or a list of events; durable before the answer.

        Events that are known already change nothing. Of a list, each event is taken or refused for itself: 207 when
        some were refused, 422 when all were.
        """
        content = await raw_body(request)
        if content.startswith(_DELIVERY):
            return answer(await intake.receive(decoded(content, Enriched, _PATH)))
        sent: Any = decoded(content, dict[str, msgspec.Raw] | list[msgspec.Raw], _PATH)  # type: ignore[arg-type]
        if isinstance(sent, dict) and "stream" in sent:
            return answer(await intake.receive(decoded(content, Enriched, _PATH)))
        events = sent if isinstance(sent, list) else [msgspec.Raw(content)]
        return _told(await intake.post(events), len(events))


def _told(posted: Posted, events: int) -> Response:
    refused = len(posted.refusals)
    if not refused and events:
        return answer(posted)
    if events > refused:
        return answer(posted, 207)
    what = f"None of the events can be used: {posted.refusals[0].reason}" if refused else "There is no event."
    told: dict[str, Any] = {"error": {"kind": "Request", "what": what, "remedy": "See /openapi.json."}}
    return answer(told | msgspec.to_builtins(posted), 422)
