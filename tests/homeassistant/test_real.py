"""A real Home Assistant, heard while it happens and asked afterwards."""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import pytest

from quotidian import clock
from quotidian.errors import AccessError, UnreachableError
from quotidian.homeassistant.address import Address, socket_url
from quotidian.homeassistant.history import HOUR, Change, Window, fetch_changes, oldest, windows
from quotidian.homeassistant.live import fetch_registries, fetch_states, subscribe_all
from quotidian.homeassistant.registries import Registries
from quotidian.homeassistant.session import Pace, Session
from quotidian.model import Cause, CauseKind
from quotidian.model.day import instant
from quotidian.model.event import event_id

from ..furnished import FURNISHED  # noqa: TID252 - tests are no package
from ..real_home_assistant import HASS, MISSING, RealHomeAssistant, until  # noqa: TID252

pytestmark = [
    pytest.mark.homeassistant,
    pytest.mark.skipif(not HASS.exists(), reason=MISSING),
]

DESK = "light.desk"
ALEXA = """
alexa:
  smart_home:
    filter: {include_entities: [light.desk]}
"""
Copy = tuple[str, int, str | None]  #: an event's id, when it was, and the state


class Lived(NamedTuple):
    """An hour in a home: what was heard of it, and what its history says."""

    heard: set[Copy]
    causes: bool
    window: Window
    before: int
    reach: int | None
    registries: Registries
    guest: tuple[bool, Registries, int]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHomeAssistant]:
    """Run a furnished Home Assistant, whose recorder writes every half minute, to spare an SD card."""
    home = RealHomeAssistant(tmp_path_factory.mktemp("homeassistant"), FURNISHED + ALEXA, commit_interval=30)
    home.keep("core.area_registry", {"areas": [{"id": "study", "name": "Study"}]})
    with home:
        home.press("desk_wall")  # it is unknown until then
        until(lambda: home.state("binary_sensor.desk_wall") == "off")
        yield home


@pytest.fixture(scope="module")
def lived(home: RealHomeAssistant) -> Lived:
    """Switch a light in every way there is, listening to it; then ask for the history."""
    return asyncio.run(_lived(home))


async def _lived(home: RealHomeAssistant) -> Lived:
    async with asyncio.timeout(90):
        async with Session.open(address_of(home)) as session:
            causes = await subscribe_all(session)
            before = clock.now()
            heard: set[Copy] = set()
            listening = asyncio.create_task(_listen(session, heard))
            await asyncio.to_thread(_switch, home)
            window = await fetch_changes(session, before, clock.now())
            while len(heard) < len(window.changes):
                await asyncio.sleep(0.05)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            reach, registries = await oldest(session), await fetch_registries(session)
        async with Session.open(address_of(home, home.guest_token)) as session:
            told = await subscribe_all(session), await fetch_registries(session)
            guest = (*told, len((await fetch_changes(session, before, window.end)).changes))
    return Lived(heard, causes, window, before, reach, registries, guest)


async def _listen(session: Session, heard: set[Copy]) -> None:
    async for batch in session.events():
        for text in batch:
            event = msgspec.json.decode(text)
            if event["event_type"] == "state_changed":
                data = event["data"]
                new = data["new_state"]
                updated = instant(dt.datetime.fromisoformat(new["last_updated"] if new else event["time_fired"]))
                heard.add(copy(data["entity_id"], updated, new and new["state"]))


def _switch(home: RealHomeAssistant) -> None:
    """Switch the light by a user, by hand, by a script, an automation, a button, the clock and by voice."""

    def step(state: str, act: Callable[..., Any], *what: Any, **how: Any) -> None:
        act(*what, **how)
        until(lambda: home.state(DESK) == state)

    step("on", home.call, "light.turn_on", entity_id=DESK)
    step("off", home.press, "desk_wall")
    step("on", home.press, "desk_wall")
    step("off", home.call, "script.evening")
    step("on", home.call, "input_boolean.turn_on", entity_id="input_boolean.away")
    step("off", home.call, "input_button.press", entity_id="input_button.bed")
    step("on", home.call, "automation.turn_on", entity_id="automation.ticking")
    home.call("automation.turn_off", entity_id="automation.ticking")
    home.call("light.turn_on", entity_id=DESK)
    step("off", home.ask, "/api/alexa/smart_home", _spoken("TurnOff"))
    step("on", home.call, "script.turn_on", entity_id="script.morning")
    home.put("sensor.gone", "here")
    home.put("sensor.gone", "there")
    home.remove("sensor.gone")


def _spoken(command: str) -> dict[str, Any]:
    """Write what Alexa sends when somebody speaks to it."""
    header = {"namespace": "Alexa.PowerController", "name": command, "messageId": "1", "payloadVersion": "3"}
    endpoint = {"endpointId": DESK.replace(".", "#"), "scope": {"type": "BearerToken", "token": "x"}}
    return {"directive": {"header": header, "endpoint": endpoint, "payload": {}}}


def address_of(home: RealHomeAssistant, token: str = "") -> Address:
    """Give its address."""
    return Address(socket_url(home.url), token or home.token)


def copy(entity_id: str, updated: int, state: str | None) -> Copy:
    """Name a change as the store would."""
    return event_id("home", entity_id, updated), updated, state


def of(lived: Lived, entity_id: str) -> list[Change]:
    """Give an entity's changes."""
    return [change for change in lived.window.changes if change.entity_id == entity_id]


def test_history_has_the_same_events(lived: Lived) -> None:
    """Every change that was heard is in the history under the same id, and no other; removals too."""
    recorded = {copy(change.entity_id, change.last_updated, change.state) for change in lived.window.changes}
    assert recorded == lived.heard
    assert [change.state for change in of(lived, "sensor.gone")] == ["here", "there", None]


def test_causes_from_the_logbook(lived: Lived, home: RealHomeAssistant) -> None:
    """Who switched a light is told of a user, a hand, a script, an automation, a button, the clock and a voice."""
    kinds = [change.cause for change in of(lived, DESK)]
    assert kinds[:7] == [
        Cause(CauseKind.PERSON, None, home.user),
        Cause(CauseKind.PHYSICAL),
        Cause(CauseKind.PHYSICAL),
        Cause(CauseKind.PERSON, "script.evening", home.user),
        Cause(CauseKind.AUTOMATION, "automation.leaving"),
        Cause(CauseKind.REMOTE, "automation.goodnight"),
        Cause(CauseKind.AUTOMATION, "automation.ticking"),
    ]
    assert kinds[-2:] == [
        Cause(CauseKind.BRIDGE, None, home.user),
        Cause(CauseKind.PERSON, "script.morning", home.user),
    ]


def test_causes_that_the_logbook_leaves_out(lived: Lived) -> None:
    """A sensor with a unit is not in the logbook: its cause stays unknown, though it followed the light."""
    assert {change.cause.kind for change in of(lived, "sensor.power")} == {CauseKind.UNKNOWN}


def test_old_states(lived: Lived) -> None:
    """Each change tells the state before it, the first from before the window; the window is known to be whole."""
    states = [(change.old_state, change.state) for change in of(lived, DESK)]
    assert states[:3] == [("off", "on"), ("on", "off"), ("off", "on")]
    assert all(before[1] == after[0] for before, after in pairwise(states))
    assert lived.window.reached
    assert {bytes(change.attributes) for change in of(lived, DESK)} == {b'{"friendly_name":"Desk"}'}


def test_reach(lived: Lived) -> None:
    """How far the recorder reaches is told to the hour, and nothing lies before it."""
    assert lived.reach is not None
    assert 0 < lived.before - lived.reach <= 2 * HOUR


def test_registries(lived: Lived, home: RealHomeAssistant) -> None:
    """Place, zone, areas, device classes and service accounts come over the WebSocket."""
    told = lived.registries
    assert (told.zone, told.config["country"], [area["name"] for area in told.areas]) == (
        "Europe/Amsterdam",
        "NL",
        ["Study"],
    )
    power = next(entity for entity in told.entities if entity["entity_id"] == "sensor.power")
    assert (power["device_class"], power["unit_of_measurement"], power["name"]) == ("power", "W", "Power")
    assert len(told.machines) == 1
    assert not told.machines & {home.user, home.guest}
    assert {key for user in told.users for key in user} == {"id", "system_generated"}


def test_a_guest_hears_no_causes(lived: Lived) -> None:
    """A token that is no administrator's hears changes and reads the history, but neither causes nor users."""
    causes, registries, changes = lived.guest
    assert lived.causes
    assert not causes
    assert registries.users == ()
    assert registries.areas == lived.registries.areas
    assert changes == len(lived.window.changes)


def test_windows_meet_without_a_seam(home: RealHomeAssistant, lived: Lived) -> None:
    """Windows that begin where the one before ended, in the midst of changes, hold each change once."""
    middle = lived.window.changes[len(lived.window.changes) // 2].last_updated

    async def ask() -> list[Change]:
        async with Session.open(address_of(home)) as session:
            halves = ((lived.before, middle), (middle, lived.window.end))
            parts = [await fetch_changes(session, *half) for half in halves]
            whole = [one async for one in windows(session, lived.before - 3 * HOUR, lived.window.end)]
            assert all(one.end == other.start for one, other in pairwise(whole))
            assert len(whole) > 1
            assert not whole[0].reached
            assert lived.window.changes == [c for one in whole for c in one.changes if c.last_updated >= lived.before]
            return [change for part in parts for change in part.changes]

    assert asyncio.run(ask()) == lived.window.changes


def test_wrong_token(home: RealHomeAssistant) -> None:
    """A token that is none is refused."""

    async def connect() -> None:
        async with Session.open(address_of(home, "eyJhbGciOiJIUzI1NiJ9.e30.none")):
            pass

    with pytest.raises(AccessError, match="refuses the token"):
        asyncio.run(connect())


def test_answers_of_many_megabytes(home: RealHomeAssistant) -> None:
    """The states of a large home, more than four megabytes in one frame, are read."""
    blob = "x" * 15_000
    for number in range(300):
        home.put(f"sensor.large_{number}", "1", blob=blob)

    async def ask() -> int:
        async with Session.open(address_of(home)) as session:
            return sum(len(str(state["attributes"])) for state in await fetch_states(session))

    assert asyncio.run(ask()) > 4_400_000


def test_standing_still(home: RealHomeAssistant) -> None:
    """A Home Assistant that stands still, its socket open, is given up; when it goes on, a new session works."""

    async def listen() -> None:
        async with Session.open(address_of(home), Pace(ping=0.2, silence=1)) as session:
            await subscribe_all(session)
            home.pause()
            with pytest.raises(UnreachableError, match="has not said anything"):
                await anext(session.events())

    try:
        asyncio.run(listen())
    finally:
        home.resume()

    async def again() -> str:
        async with Session.open(address_of(home)) as session:
            return session.version

    assert asyncio.run(again())


def test_restart(home: RealHomeAssistant, lived: Lived) -> None:
    """A restart ends the session; afterwards the history still has what was before it."""

    async def listen() -> None:
        async with Session.open(address_of(home)) as session:
            stopping = asyncio.create_task(asyncio.to_thread(home.restart))
            with pytest.raises(UnreachableError, match="closed the connection"):
                await anext(session.events())
            await stopping

    asyncio.run(listen())

    async def ask() -> Window:
        async with Session.open(address_of(home)) as session:
            return await fetch_changes(session, lived.before, lived.window.end, [DESK])

    assert asyncio.run(ask()).changes == of(lived, DESK)
