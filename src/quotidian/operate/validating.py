"""The command that sends a test event all the way through, and reads it back."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Annotated, Any, Final, TypeVar

import msgspec
import typer
from rich.markup import escape

from quotidian import clock
from quotidian.clients import Caller, StoreClient, health
from quotidian.errors import QuotidianError, UnreachableError
from quotidian.model.day import moment
from quotidian.model.event import event_id
from quotidian.operate.conditions import Service
from quotidian.operate.console import as_json, plain, say
from quotidian.operate.options import DataOption, JsonOption
from quotidian.service.access import Access
from quotidian.service.logs import configure
from quotidian.settings import Settings

ENTITY: Final = "sensor.quotidian_validation"  #: whose changes these events are; they are never learned from
_LOOKING: Final = 0.1  #: seconds between two looks
_BESIDE: Final = (Service.ADMIN, Service.LEARN)  #: an event's way does not lead through these

T = TypeVar("T")

WaitOption = Annotated[float, typer.Option("--wait", min=1, help="Seconds to wait for the event to be stored.")]


class Step(msgspec.Struct, frozen=True):
    """What was tried, how long it took (seconds), what was wrong, and what is worth knowing although it went well."""

    name: str
    seconds: float
    trouble: str = ""
    remark: str = ""


class Validation:
    """The steps that were taken."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    @property
    def passed(self) -> bool:
        """Whether none of them failed."""
        return not any(step.trouble for step in self.steps)

    async def step(self, name: str, work: Awaitable[T]) -> T | None:
        """Take a step; its result, or ``None`` when it failed. A result that is text is a remark."""
        begun = time.monotonic()
        result, trouble = None, ""
        try:
            result = await work
        except QuotidianError as error:
            trouble = str(error)
        seconds = round(time.monotonic() - begun, 4)
        self.steps.append(Step(name, seconds, trouble, result if isinstance(result, str) else ""))
        return result


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("validate")(validate_command)


def validate_command(*, data: DataOption = None, wait: WaitOption = 15, json: JsonOption = False) -> None:
    """Send a test event through the running pipeline, and read it back from the store.

    The exit code is 1 when something is wrong; then it says what and where. The event is marked as made by hand, so
    nothing is ever learned from it.

    Example:

      quotidian validate
    """
    settings = Settings().replaced(QUOTIDIAN_DATA=None if data is None else str(data))
    configure(settings)
    validation = asyncio.run(_validated(settings, wait))
    if json:
        as_json({"passed": validation.passed, "steps": validation.steps})
    else:
        _tell(validation)
    if not validation.passed:
        raise typer.Exit(1)


async def _validated(settings: Settings, wait: float) -> Validation:
    validation, secret = Validation(), Access(settings).secret
    well = {
        service: await validation.step(f"{service} is well", _well(service, settings.url(service), secret))
        for service in Service
    }
    if all(told is not None for service, told in well.items() if service not in _BESIDE):
        await _sent_through(validation, settings, secret, wait)
    return validation


async def _sent_through(validation: Validation, settings: Settings, secret: str, wait: float) -> None:
    store = StoreClient(settings.url("store"), secret)
    try:
        home = await validation.step("the store knows its home", store.home())
        sent = clock.now()
        taken = await validation.step("capture takes an event", _sent(settings, secret, sent))
        if home is not None and taken is not None:
            wanted = event_id(home.id, ENTITY, sent)
            await validation.step("the store gives it back", _stored(store, wanted, wait))
    finally:
        await store.close()


async def _well(service: str, url: str, secret: str) -> str:
    """Give what a service lacks, when it works nevertheless."""
    told = await health(url, secret, service)
    # Where many lack the same thing it is said once.
    poor = {one.detail or one.state: one.name for one in reversed(told.dependencies) if one.state != "ok"}
    lacks = " ".join(f"{name}: {detail}" for detail, name in reversed(poor.items()))
    if told.state == "down":
        raise UnreachableError(f"{service} says that it cannot work. {lacks}")
    return lacks


async def _sent(settings: Settings, secret: str, instant: int) -> dict[str, Any]:
    told = moment(instant).isoformat(timespec="microseconds")
    event = {"event_type": "state_changed", "entity_id": ENTITY, "state": told, "timestamp": told}
    capture = Caller("capture", settings.url("capture"), secret)
    try:
        return await capture.post("/api/v1/events/forward", dict[str, Any], event)
    finally:
        await capture.close()


async def _stored(store: StoreClient, wanted: str, wait: float) -> None:
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        page = await store.events(entity_id=ENTITY, limit=10)
        if any(event.event_id == wanted for event in page.events):
            return
        await asyncio.sleep(_LOOKING)
    letters = [one for one in await store.dead_letters(limit=20) if ENTITY in str(one.get("text"))]
    if letters:
        raise UnreachableError(f"The event became a dead letter: {letters[0].get('reason')}.")
    raise UnreachableError(
        f"The event was not in the store after {wait:g} s.",
        "It waits in capture's spool and is not lost, unless QUOTIDIAN_INCLUDE or QUOTIDIAN_EXCLUDE leaves "
        f"{ENTITY} out; `quotidian status` tells what it waits for.",
    )


def _tell(validation: Validation) -> None:
    for step in validation.steps:
        mark = "[bold red]✗[/]" if step.trouble else "[yellow]![/]" if step.remark else "[green]✓[/]"
        say(f"{mark} {escape(step.name):<26} [dim]{step.seconds * 1000:8.1f} ms[/]")
        if step.trouble or step.remark:
            say(f"    {escape(plain(step.trouble or step.remark))}")
    say("\nThe pipeline works from end to end." if validation.passed else "\nThe pipeline does not work.")
