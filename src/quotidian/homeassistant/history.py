"""What a running Home Assistant recorded: changes of state with their causes, window by window."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterator, Sequence
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from quotidian import clock
from quotidian.errors import RequestError, UnreachableError
from quotidian.homeassistant.live import fetch_listed, fetch_states, fetch_users
from quotidian.homeassistant.logbook import VOICE, Logbook, Row
from quotidian.homeassistant.moments import iso, micros
from quotidian.homeassistant.recorder import asked, decoded, written
from quotidian.homeassistant.registries import Registries
from quotidian.homeassistant.session import Session
from quotidian.model import Cause, CauseKind

_T = TypeVar("_T")
SECOND: Final = 1_000_000  #: µs
HOUR: Final = 3_600 * SECOND
DAY: Final = 24 * HOUR
ENTITIES: Final = 200  #: asked for at once
ROWS: Final = 20_000  #: changes that a window should not have many more of
MARGIN: Final = HOUR  #: for which the logbook is read before a window: a script may have been running for that long
_REST: Final = 10.0  #: seconds of rest after a request, at most
_STARTED: Final = 3.0
#: While it starts, not all entities are there yet.
_STARTING: Final = frozenset({"NOT_RUNNING", "STARTING"})
_GONE: Final = frozenset({"unavailable", "unknown"})
_SELF: Final = frozenset({CauseKind.PHYSICAL, CauseKind.UNKNOWN})


class Change(msgspec.Struct, frozen=True):
    """A change of state as the recorder has it; ``state`` is ``None`` for a removal.

    ``old_state`` is ``None`` where there was none, or the recorder does not know it. All times are µs.
    """

    entity_id: str
    state: str | None
    attributes: msgspec.Raw
    last_changed: int
    last_updated: int
    cause: Cause
    old_state: str | None = None


class Window(msgspec.Struct, frozen=True):
    """The changes from ``start`` on and before ``end``, in the order of time.

    ``reached`` tells whether the recorder knew states before the start: whether the window can be complete.
    """

    changes: list[Change]
    reached: bool
    start: int
    end: int


class _State(msgspec.Struct):
    """A row of ``history/history_during_period``."""

    lu: float
    s: str | None = None
    a: msgspec.Raw = msgspec.Raw(b"{}")
    lc: float | None = None


class _Known(msgspec.Struct, frozen=True):
    """Whom a session can ask about."""

    entity_ids: tuple[str, ...]
    machines: frozenset[str]


_STATES: Final = msgspec.json.Decoder(dict[str, list[_State]])
_ROWS: Final = msgspec.json.Decoder(list[Row])
_known: WeakKeyDictionary[Session, _Known] = WeakKeyDictionary()


async def fetch_changes(
    session: Session,
    start: int,
    end: int,
    entity_ids: Sequence[str] | None = None,
    *,
    machines: frozenset[str] | None = None,
    rest: float = 1.0,
) -> Window:
    """Fetch the changes of a span of time (µs), its end not included.

    Parameters
    ----------
    entity_ids
        Whom to ask for; without them, all that have a state, are in the registry, or are in the logbook. An entity that
        was removed since, and is a sensor with a unit, cannot be found so.
    machines
        Ids of users that are no persons; without them, those that Home Assistant made for itself.
    rest
        How long Home Assistant is left alone after each request, as a multiple of what the request took.

    Raises
    ------
    RequestError
        When Home Assistant keeps no history.
    UnreachableError
        When the connection ends, or Home Assistant or its recorder cannot answer now, as they are starting.
    """
    await written(session)
    return await _fetched(session, (start, end), entity_ids, machines, rest)


async def _fetched(
    session: Session,
    span: tuple[int, int],
    entity_ids: Sequence[str] | None,
    machines: frozenset[str] | None,
    rest: float,
) -> Window:
    """Fetch the changes of a span that the recorder has written."""
    start, end = span
    known = await _whom(session) if entity_ids is None or machines is None else _Known((), frozenset())
    rows = await _logged(session, start, end, rest)
    logbook = Logbook(rows, known.machines if machines is None else machines)
    if entity_ids is None:
        entity_ids = tuple(dict.fromkeys((*known.entity_ids, *(row.entity_id for row in rows if row.entity_id))))
    changes: list[Change] = []
    reached = False
    for some in _chunks(entity_ids):
        states = await _rested(rest, _recorded(session, start, end, some))
        for entity_id, told in states.items():
            reached = reached or any(micros(state.lu) < start for state in told)
            changes.extend(_changes(entity_id, told, (start, end), logbook))
    changes.sort(key=_order)
    return Window(changes, reached, start, end)


async def windows(
    session: Session,
    start: int,
    end: int,
    entity_ids: Sequence[str] | None = None,
    *,
    machines: frozenset[str] | None = None,
    rest: float = 1.0,
    length: int = HOUR,
) -> AsyncGenerator[Window, None]:
    """Fetch a long span of time in windows of an hour to a day, by how much happens; see ``fetch_changes``.

    ``length`` is that of the first window (µs). Of windows that begin after its present Home Assistant tells nothing.
    What happens while they are fetched may be missing in them.
    """
    await written(session)
    while start < end:
        window = await _fetched(session, (start, min(start + length, end)), entity_ids, machines, rest)
        yield window
        start = window.end
        length = min(max(length * ROWS // max(len(window.changes), 1), HOUR), 4 * length, DAY)


async def oldest(session: Session, now: int | None = None) -> int | None:
    """Tell how far the recorder reaches back (µs, on the hour before): a few small questions, twice as far each time.

    ``None`` where it knows nothing of any entity that has a state now. ``now`` is an instant of Home Assistant's, where
    one is known: by a clock that is ahead of its own, it would be asked of a time to come, and know nothing.

    Raises
    ------
    RequestError
        When Home Assistant keeps no history.
    """
    entity_ids, now = (await _whom(session)).entity_ids, clock.now() if now is None else now
    await written(session)
    if not await _knew(session, entity_ids, now):
        return None
    reached, beyond, step = now, now - DAY, DAY
    while beyond > 0 and await _knew(session, entity_ids, beyond):
        reached, step = beyond, 2 * step
        beyond = now - step
    while reached - beyond > HOUR:
        between = (reached + beyond) // 2
        if await _knew(session, entity_ids, between):
            reached = between
        else:
            beyond = between
    return max(beyond, 0)


async def _whom(session: Session) -> _Known:
    """Give all entities that have a state or are in the registry, and the service accounts: asked once a session."""
    if session not in _known:
        if (await session.command("get_config")).get("state") in _STARTING:
            raise UnreachableError("Home Assistant is still starting.", "It takes a while.", after=_STARTED)
        told = (*await fetch_states(session), *await fetch_listed(session, "entity"))
        entity_ids = tuple(dict.fromkeys(str(one["entity_id"]) for one in told if "entity_id" in one))
        _known[session] = _Known(entity_ids, Registries(users=await fetch_users(session)).machines)
    return _known[session]


async def _knew(session: Session, entity_ids: Sequence[str], instant: int) -> bool:
    """Tell whether the recorder knows any entity's state of an instant."""
    for some in _chunks(entity_ids):
        if await _recorded(session, instant, instant + 1, some, no_attributes=True, minimal_response=True):
            return True
    return False


async def _recorded(
    session: Session, start: int, end: int, entity_ids: Sequence[str], **options: Any
) -> dict[str, list[_State]]:
    """Fetch states, each entity's state at the start first. Home Assistant leaves out both ends, we only the later."""
    answer = await asked(
        session,
        "history/history_during_period",
        start_time=iso(start - 1),
        end_time=iso(end),
        entity_ids=list(entity_ids),
        include_start_time_state=True,
        significant_changes_only=False,
        **{"minimal_response": False, "no_attributes": False, **options},
    )
    return decoded(_STATES, answer)


async def _logged(session: Session, start: int, end: int, rest: float) -> list[Row]:
    """Fetch the logbook; nothing where there is none."""
    try:
        answer = await _rested(
            rest, session.ask("logbook/get_events", start_time=iso(max(start - MARGIN, 0)), end_time=iso(end + VOICE))
        )
    except RequestError:
        return []  # a history without a logbook: causes stay unknown
    return decoded(_ROWS, answer)


async def _rested(rest: float, request: Awaitable[_T]) -> _T:
    """Wait for a request, and leave Home Assistant alone for a while after it."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    answer = await request
    await asyncio.sleep(min((loop.time() - begun) * rest, _REST))
    return answer


def _changes(entity_id: str, told: list[_State], span: tuple[int, int], logbook: Logbook) -> Iterator[Change]:
    """Make an entity's rows changes; the one before the start only tells what its state was.

    The database has fractions of µs, so that a change which is at the end by its µs may stand just before it there.
    """
    old: str | None = None
    for state in told:
        word, updated = state.s or None, micros(state.lu)
        if span[0] <= updated < span[1]:
            changed = updated if state.lc is None else micros(state.lc)
            cause = logbook.cause(entity_id, updated)
            if old in _GONE and word is not None and word not in _GONE and cause.kind in _SELF:
                cause = Cause(CauseKind.RESTORED)
            yield Change(entity_id, word, state.a.copy(), changed, updated, cause, old)
        old = word


def _chunks(entity_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(entity_ids), ENTITIES):
        yield entity_ids[first : first + ENTITIES]


def _order(change: Change) -> tuple[int, str]:
    return change.last_updated, change.entity_id
