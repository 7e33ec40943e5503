"""Enrich as a service: between capture and the store."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from fastapi import Depends, FastAPI
from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from quotidian.clients import StoreClient, dependency
from quotidian.enrich.intake import Intake
from quotidian.enrich.posted import Form, Outcome
from quotidian.errors import RequestError
from quotidian.model import Delivery
from quotidian.service import Dependency, Health, answer, create
from quotidian.service.openapi import speaks
from quotidian.service.wire import decoded, raw_body
from quotidian.settings import Settings

#: Seconds within which the store must say how it is.
_PATIENCE: Final = 3.0
_EXAMPLE: Final = {"entity_id": "light.desk", "state": "on", "timestamp": "2026-03-02T07:00:00+01:00"}
_OUTCOME: Final = {"results": [{"event_id": "2f1c9d0b6f0e4b0d8f7a4c1de2b35a90"}]}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "All of it is durable in the store, or counted as a probe."},
    207: {"description": "Some events were refused; `results` tells which and why."},
    400: {"description": "The body is not JSON, or not of a form that is understood."},
    401: {"description": "A token is missing or not known."},
    409: {"description": "The delivery follows on what the store does not have: begin with what comes behind that."},
    413: {"description": "The body is too large: send less at once."},
    422: {"description": "None of the events can be used; `results` tells why."},
    503: {"description": "The store cannot be reached: nothing was acknowledged. Send it again."},
}


def create_app(settings: Settings) -> FastAPI:
    """Make enrich's application."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = StoreClient(settings.url("store"), app.state.access.secret)
        app.state.intake = Intake(store, settings.words("QUOTIDIAN_ATTRIBUTES"))
        yield
        await store.close()

    async def health() -> Health:
        needed = await _store_health(settings.url("store"), app.state.access.secret)
        intake: Intake = app.state.intake
        return Health(needed.state, (needed,), intake.figures)

    app = create("enrich", settings, health, lifespan)
    app.state.metrics.register(_Figures(app))
    seconds = Histogram(
        "quotidian_enrich_seconds",
        "Seconds from a delivery's arrival until the store had it on disk.",
        registry=app.state.metrics,
    )

    async def post_events(request: Request) -> Response:
        """Take events, and answer when the store has made them durable.

        The body is one event as Home Assistant sends it, a flat one, a list of such, or a delivery of capture's. Other
        events than changes of state are probes: counted, not stored.
        """
        intake: Intake = request.app.state.intake
        with seconds.time():
            sent = read_body(await raw_body(request), request.url.path)
            if isinstance(sent, Delivery):
                return answer(await intake.deliver(sent))
            found = await intake.post(sent)
        return answer({"results": found.outcomes}, found.status)

    for path in ("/api/v1/events", "/events"):
        app.post(
            path,
            summary="Take events",
            tags=["events"],
            dependencies=[Depends(app.state.access.changing)],
            openapi_extra=speaks(
                takes=Form | list[Form], gives=dict[str, list[Outcome]], example=_EXAMPLE, answered=_OUTCOME
            ),
            responses=_ANSWERS,
            include_in_schema=path != "/events",
        )(post_events)

    @app.get(
        "/api/v1/status",
        summary="What was done since the start",
        tags=["operation"],
        dependencies=[Depends(app.state.access.reading)],
    )
    async def _status(request: Request) -> Response:
        return answer(request.app.state.intake.figures)

    return app


def read_body(raw: bytes, path: str) -> Delivery | list[msgspec.Raw]:
    """Read a body: a delivery, or posted events."""
    try:
        return decoded(raw, Delivery, path)
    except RequestError as error:
        if not isinstance(error.__cause__, msgspec.ValidationError):
            raise
        fault = error
    sent: dict[str, msgspec.Raw] | list[msgspec.Raw] = decoded(raw, _Sent, path)
    if isinstance(sent, dict):
        if "stream" in sent:
            raise fault
        return [msgspec.Raw(raw)]
    if not sent:
        raise RequestError(f"The body of {path} holds no event.", "See /openapi.json.")
    return sent


_Sent: Any = dict[str, msgspec.Raw] | list[msgspec.Raw]


async def _store_health(url: str, secret: str) -> Dependency:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await dependency("store", url, secret)
    except TimeoutError:
        return Dependency("store", "down", f"It does not answer within {_PATIENCE:g} s.")


class _Figures(Collector):
    """The counts as Prometheus reads them."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def describe(self) -> Iterable[Metric]:
        """Name nothing in advance: before the start there are no counts."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Give the counts as they are now."""
        intake: Intake = self._app.state.intake
        yield _counter("events", "Events that the store acknowledged.", intake.events)
        yield _counter("probes", "Posted events that were no changes of state.", intake.probes)
        letters = CounterMetricFamily("quotidian_enrich_dead_letters", "Messages of no use.", labels=["reason"])
        for reason, count in intake.letters.items():
            letters.add_metric([reason], count)
        yield letters
        if intake.last_event is not None:
            when = intake.last_event / 1e6
            yield GaugeMetricFamily("quotidian_enrich_last_event_timestamp_seconds", "When it happened.", value=when)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"quotidian_enrich_{name}", text, value=value)
