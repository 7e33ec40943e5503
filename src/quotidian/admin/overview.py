"""The pipeline at a glance: all services are asked at once, and one that does not answer is said to be down."""

import asyncio
import datetime as dt
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

import msgspec

from quotidian import clock
from quotidian.clients import Caller
from quotidian.errors import QuotidianError
from quotidian.model import Event, Gap, Home, Job
from quotidian.model.certificate import Certificate, Verification
from quotidian.model.day import DAY_SECONDS, SECOND, moment
from quotidian.model.health import Dependency, Health, ServiceHealth, State
from quotidian.settings import Settings

SERVICES: Final = ("capture", "enrich", "store", "learn")
_PATIENCE: Final = 2.5  #: seconds
_WORST: Final[tuple[State, ...]] = ("ok", "degraded", "down")
_ANSWER: Final = "answer"  #: what is missing of a service that says nothing
_RECENT: Final = 15
_DAYS: Final = 14
_JOBS: Final = 5

T = TypeVar("T")


class HomeAssistant(msgspec.Struct, frozen=True):
    """Capture's connection."""

    state: str = "unknown"
    version: str | None = None
    admin: bool | None = None
    error: str | None = None


class Heard(msgspec.Struct, frozen=True):
    """What capture heard: the time of the newest event (µs), and events a minute."""

    heard: int = 0
    last: int | None = None
    per_minute: float = 0.0


class Waiting(msgspec.Struct, frozen=True):
    """What waits in the spool: records, and bytes on disk."""

    depth: int = 0
    bytes: int = 0
    full: bool = False


class Delivering(msgspec.Struct, frozen=True):
    """How deliveries go."""

    lag_seconds: float = 0.0
    error: str | None = None


class CaptureStatus(msgspec.Struct, frozen=True):
    """What capture says of itself."""

    home_assistant: HomeAssistant = HomeAssistant()
    events: Heard = Heard()
    spool: Waiting = Waiting()
    delivery: Delivering = Delivering()
    gaps: list[dict[str, Any]] = []


class Plan(msgspec.Struct, frozen=True):
    """When learning runs next, by kind (µs)."""

    next: dict[str, int] = {}


class Loss(msgspec.Struct, frozen=True):
    """What is known of each day's loss, and whether the chain of certificates is whole."""

    certificates: list[Certificate]
    chain: Verification


class Overview(msgspec.Struct, frozen=True):
    """What all services said at one instant (µs); ``None`` where one did not answer."""

    asked: int
    services: tuple[ServiceHealth, ...]
    capture: CaptureStatus | None
    home: Home | None
    events: list[Event] | None
    gaps: list[Gap] | None
    accounts: list[Certificate] | None
    plan: Plan | None
    jobs: list[Job] | None

    @property
    def state(self) -> State:
        """The worst state of a service."""
        return max((service.state for service in self.services), key=_WORST.index)


class Overviews:
    """Asks the services.

    Parameters
    ----------
    settings
        They say where the services are.
    secret
        The services' shared secret.
    """

    def __init__(self, settings: Settings, secret: str) -> None:
        self._callers = {
            name: Caller(name, settings.url(name), secret, patience=_PATIENCE, retries=False) for name in SERVICES
        }
        self._home: Home | None = None

    async def close(self) -> None:
        """Close the connections."""
        for caller in self._callers.values():
            await caller.close()

    async def overview(self) -> Overview:
        """Ask everything that the page shows."""
        store, now = self._callers["store"], clock.now()
        since = moment(now).date() - dt.timedelta(days=_DAYS)
        learning = asyncio.create_task(self._learning())
        services, capture, home, events, gaps, accounts = await asyncio.gather(
            self._services(),
            self._capture(),
            _or_none(store.get("/api/v1/home", Home)),
            _or_none(store.get("/api/v1/events", dict[str, Any], limit=_RECENT)),
            _or_none(store.get("/api/v1/gaps", dict[str, list[Gap]], start_time=str(now - 7 * DAY_SECONDS * SECOND))),
            _or_none(store.get("/api/v1/certificates", dict[str, list[Certificate]], first=since.isoformat())),
        )
        plan, jobs = await learning
        self._home = home or self._home  # it keeps its name and its clock while the store is away
        return Overview(
            asked=now,
            services=services,
            capture=capture,
            home=self._home,
            events=None if events is None else msgspec.convert(events["events"], list[Event]),
            gaps=None if gaps is None else gaps["gaps"],
            accounts=None if accounts is None else accounts["certificates"],
            plan=plan,
            jobs=jobs,
        )

    async def health(self) -> Health:
        """Tell how all services are, what they depend on, and how far behind they are."""
        services, capture = await asyncio.gather(self._services(), self._capture())
        needed: list[Dependency] = []
        for service in services:
            needed.append(Dependency(service.service, service.state, trouble_of(service)))
            parts = (one for one in service.dependencies if one.name not in (*SERVICES, _ANSWER))
            needed += [Dependency(f"{service.service}.{one.name}", one.state, one.detail) for one in parts]
        state = max((service.state for service in services), key=_WORST.index)
        return Health(state, tuple(needed), _figures(capture))

    async def read(self, service: str, path: str, **query: str | int | None) -> Any:
        """Pass on what a service answers.

        Raises
        ------
        UnreachableError, RequestError, NotFoundError
            Those of the service.
        """
        return await self._callers[service].get(path, dict[str, Any], **query)

    async def _services(self) -> tuple[ServiceHealth, ...]:
        return tuple(await asyncio.gather(*(self._service(name) for name in SERVICES)))

    async def _service(self, name: str) -> ServiceHealth:
        try:
            return await self._callers[name].get("/health", ServiceHealth)
        except QuotidianError as error:
            return ServiceHealth("down", (Dependency(_ANSWER, "down", str(error)),), service=name)

    async def _learning(self) -> tuple[Plan | None, list[Job] | None]:
        learn = self._callers["learn"]
        plan, jobs = await asyncio.gather(
            _or_none(learn.get("/api/v1/schedule", Plan)),
            _or_none(learn.get("/api/v1/jobs", dict[str, list[Job]], limit=_JOBS)),
        )
        return plan, None if jobs is None else jobs["jobs"]

    async def _capture(self) -> CaptureStatus | None:
        return await _or_none(self._callers["capture"].get("/api/v1/status", CaptureStatus))


def trouble_of(service: ServiceHealth) -> str:
    """Say what is wrong with a service; empty when nothing is."""
    return " ".join(one.detail for one in service.dependencies if one.state != "ok" and one.detail)


def _figures(capture: CaptureStatus | None) -> dict[str, Any]:
    if capture is None:
        return {}
    return {
        "home_assistant": capture.home_assistant.state,
        "events_per_minute": capture.events.per_minute,
        "last_event": capture.events.last,
        "lag_seconds": capture.delivery.lag_seconds,
        "spool_depth": capture.spool.depth,
        "spool_bytes": capture.spool.bytes,
        "open_gaps": len(capture.gaps),
    }


async def _or_none(call: Awaitable[T]) -> T | None:
    """Give an answer; that there is none is told by the service's health."""
    try:
        return await call
    except QuotidianError:
        return None
