"""A pipeline whose services say what a test tells them to, and the admin service before it on a real port."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from tests.enrich.serving import serving as plainly_served

from quotidian import clock
from quotidian.admin.app import create_app
from quotidian.model import Area, Cause, CauseKind, Entity, Event, Home, Job, JobKind, JobState
from quotidian.model.day import moment
from quotidian.service.run import listening, running
from quotidian.settings import URLS, Settings

SECRET = "canary-secret"
HOME = Home(
    "home",
    "Europe/Amsterdam",
    name="Willow Lane 8",
    areas={"den": Area("den", "Den"), "hall": Area("hall", "Hall")},
    entities={"light.desk": Entity("light.desk", "Desk lamp", "den"), "sensor.oven": Entity("sensor.oven", "Oven")},
)


def event(
    entity_id: str, state: str | None, seconds: float = 5, cause: CauseKind = CauseKind.PERSON, **fields: Any
) -> Event:
    """Make an event of so many seconds ago."""
    at = clock.now() - round(seconds * 1e6)
    cause_ = Cause(cause)
    return Event(
        event_id=f"{at:032x}",
        home="home",
        entity_id=entity_id,
        new_state=state,
        last_changed=at,
        last_updated=at,
        cause=cause_,
        **fields,
    )


def job(asked: int, state: JobState = JobState.DONE, **fields: Any) -> Job:
    """Make a run of the learning."""
    return Job(id="a", kind=JobKind.DAILY, by="schedule", asked=asked, started=asked, state=state, **fields)


class Pipeline:
    """What each service answers, by service and path; a service in ``away`` answers nothing of ours."""

    def __init__(self) -> None:
        now = clock.now()
        today = moment(now, HOME.zone).date()
        status = {
            "home_assistant": {"state": "connected", "version": "2026.2.1", "admin": True, "error": None},
            "events": {"heard": 812, "last": now - 3_000_000, "per_minute": 17.4},
            "spool": {"depth": 3, "bytes": 81_234, "full": False},
            "delivery": {"lag_seconds": 0.007, "error": None},
            "gaps": [],
        }
        account = {
            "date": today.isoformat(),
            "received": 1204,
            "filled": 31,
            "duplicate": 2,
            "dead": 1,
            "provisional": True,
        }
        events = [
            event("light.desk", "on", area="den", value=1.0),
            event("sensor.oven", "201.5", 21, CauseKind.PHYSICAL, unit="°C", value=201.5),
        ]
        self.away: set[str] = set()
        self.asked: list[tuple[str, str, str]] = []
        self.answers: dict[str, dict[str, Any]] = {
            "capture": {"/health": health("capture", spool="ok", homeassistant="ok"), "/api/v1/status": status},
            "enrich": {"/health": health("enrich", store="ok"), "/api/v1/status": {"events": 1235}},
            "store": {
                "/health": health("store", database="ok"),
                "/api/v1/home": HOME,
                "/api/v1/events": {"events": events, "cursor": None},
                "/api/v1/gaps": {"gaps": []},
                "/api/v1/certificates": {"certificates": [account]},
                "/api/v1/certificates/chain": {"certificates": 0, "head": ""},
                "/api/v1/stats": {"events": 1235},
            },
            "learn": {
                "/health": health("learn", store="ok"),
                "/api/v1/schedule": {"next": {"daily": now + 3_600_000_000, "weekly": now + 86_400_000_000}},
                "/api/v1/jobs": {"jobs": [job(now - 60_000_000, tidings=("folded 2026-11-21: 101,233 events",))]},
            },
        }

    @property
    def status(self) -> dict[str, Any]:
        """What capture says of itself; may be changed."""
        found: dict[str, Any] = self.answers["capture"]["/api/v1/status"]
        return found

    @property
    def app(self) -> FastAPI:
        """All services in one, each beneath its name."""
        app = FastAPI()

        async def found(service: str, request: Request) -> Response:
            path = request.url.path.removeprefix(f"/{service}")
            self.asked.append((service, path, request.headers.get("authorization", "")))
            if service in self.away or path not in self.answers[service]:
                return Response(status_code=500)
            return Response(msgspec.json.encode(self.answers[service][path]), media_type="application/json")

        app.get("/{service}/{path:path}")(found)
        return app


def health(service: str, **parts: str) -> dict[str, Any]:
    """Say how a service is."""
    told = [
        {"name": name, "state": state, "detail": "" if state == "ok" else f"{name} is {state}."}
        for name, state in parts.items()
    ]
    worst = max(parts.values(), key=("ok", "degraded", "down").index)
    return {"state": worst, "service": service, "version": "1", "dependencies": told}


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """Serve an application on a free port; give its address."""
    with listening("127.0.0.1", 0) as taken:
        async with running(app, taken):
            yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@asynccontextmanager
async def serving(directory: Path, pipeline: Pipeline, **environment: str) -> AsyncIterator[tuple[str, FastAPI]]:
    """Serve the admin service before a pipeline; give its address and its application."""
    async with plainly_served(pipeline.app) as base:
        urls = {setting: f"{base}/{service}" for service, setting in URLS.items() if service != "admin"}
        told = {"QUOTIDIAN_DATA": str(directory), "QUOTIDIAN_SECRET": SECRET, **urls, **environment}
        app = create_app(Settings(told))
        async with served(app) as url:
            yield url, app


def with_admin(
    directory: Path, pipeline: Pipeline, check: Callable[[str, FastAPI], Awaitable[None]], **environment: str
) -> None:
    """Run a check against the admin service."""

    async def run() -> None:
        async with serving(directory, pipeline, **environment) as (url, app):
            await check(url, app)

    asyncio.run(run())
