"""The history of a Home Assistant that keeps none, or cannot give it now."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from quotidian.errors import QuotidianError, RequestError, UnreachableError
from quotidian.homeassistant import history
from quotidian.homeassistant.history import DAY, HOUR, Change, Window, fetch_changes, oldest, windows
from quotidian.homeassistant.moments import iso, micros
from quotidian.homeassistant.recorder import written
from quotidian.model import Cause

_RUNNING = {"recording": True, "thread_running": True, "backlog": 0, "migration_in_progress": False}
_WRITTEN: Any = {"recorder__info": _RUNNING, "history__stream": {}}


_EMPTY: Any = {
    "get_config": {"state": "RUNNING"},
    "get_states": [],
    "config/entity_registry/list": [],
    "config/auth/list": [],
}


class Answering:
    """A session of which only the answers matter: JSON by command, an error where there is none."""

    def __init__(self, **answers: Any) -> None:
        self._answers = {name.replace("__", "/"): answer for name, answer in answers.items()}

    async def ask(self, command: str, **_: Any) -> msgspec.Raw:
        if command not in self._answers:
            raise RequestError("Home Assistant refuses: Unknown command.")
        answer = self._answers[command]
        return msgspec.Raw(answer if isinstance(answer, bytes) else msgspec.json.encode(answer))

    async def command(self, command: str, **fields: Any) -> Any:
        return msgspec.json.decode(await self.ask(command, **fields))

    async def first(self, count: int, command: str, **fields: Any) -> list[msgspec.Raw]:
        return [await self.ask(command, **fields)] * count


def failed(work: Callable[[Any], Awaitable[Any]], kind: type[QuotidianError], **answers: Any) -> str:
    """Give what is said when something fails."""

    async def do() -> None:
        await work(Answering(**answers))

    with pytest.raises(kind) as error:
        asyncio.run(do())
    return str(error.value)


def test_home_assistant_starts() -> None:
    """While Home Assistant starts, not all entities are there: the history waits for them."""
    assert "still starting" in failed(oldest, UnreachableError, get_config={"state": "STARTING"}, get_states=[])


def test_no_history() -> None:
    """Without recorder or history it is said what to switch on."""
    assert "default_config" in failed(written, RequestError)
    assert "default_config" in failed(written, RequestError, recorder__info=_RUNNING)
    assert "default_config" in failed(lambda s: fetch_changes(s, 0, HOUR, ["a.b"], machines=frozenset()), RequestError)
    assert "default_config" in failed(oldest, RequestError, **_EMPTY)


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ({"migration_in_progress": True}, "converting its database"),
        ({"thread_running": False}, "recorder does not run"),
    ],
)
def test_recorder_cannot_answer_now(info: dict[str, bool], said: str) -> None:
    """A recorder that converts its database, or has died, is waited for."""
    assert said in failed(written, UnreachableError, recorder__info=_RUNNING | info, history__stream={})


def test_migration_beside_the_recording() -> None:
    """A conversion during which the recorder goes on is no reason to wait."""
    info = _RUNNING | {"migration_in_progress": True, "migration_is_live": True}
    asyncio.run(written(Answering(recorder__info=info, history__stream={})))  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [b"[1]", b'{"a.b": [{"s": "on"}]}', b'{"a.b": ' + b"[" * 100_000])
def test_history_that_cannot_be_read(answer: bytes) -> None:
    """An answer that is no history is an error, not a crash."""
    assert "cannot be read" in failed(
        lambda s: fetch_changes(s, 0, HOUR, ["a.b"], machines=frozenset()),
        RequestError,
        **_WRITTEN,
        logbook__get_events=[],
        history__history_during_period=answer,
    )


def test_no_logbook() -> None:
    """A history without a logbook gives changes whose causes are unknown."""
    rows = [
        {"s": "on", "a": {}, "lu": 0.5},
        {"s": "", "a": {}, "lu": 10.0},
        {"s": "on", "a": {}, "lu": 20.0, "lc": 15.0},
    ]
    session: Any = Answering(**_WRITTEN, history__history_during_period={"light.desk": rows})
    window = asyncio.run(fetch_changes(session, 1_000_000, HOUR, ["light.desk"], machines=frozenset()))
    assert window.reached
    assert [(c.old_state, c.state, c.last_updated, c.last_changed) for c in window.changes] == [
        ("on", None, 10_000_000, 10_000_000),
        (None, "on", 20_000_000, 15_000_000),
    ]
    assert {change.cause for change in window.changes} == {Cause()}


def test_fractions_at_a_seam() -> None:
    """A change whose fraction of a µs lies on the other side of a seam than its µs is in one window, and once."""
    seam = 1_760_000_003_463_395
    rows = [{"s": "on", "a": {}, "lu": 1_760_000_003.4633949}, {"s": "off", "a": {}, "lu": 1_760_000_003.4633954}]
    session: Any = Answering(**_WRITTEN, history__history_during_period={"light.desk": rows})

    async def ask(start: int, end: int) -> list[str | None]:
        window = await fetch_changes(session, start, end, ["light.desk"], machines=frozenset())
        return [change.state for change in window.changes]

    assert asyncio.run(ask(seam - HOUR, seam)) == []
    assert asyncio.run(ask(seam, seam + HOUR)) == ["on", "off"]


@pytest.mark.parametrize(("busy", "lengths"), [(0, (HOUR, 4 * HOUR, 16 * HOUR, DAY)), (200_000, (HOUR,) * 4)])
def test_windows_grow_where_little_happens(
    busy: int, lengths: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows begin with an hour, and become longer by what they bring: to a day, never longer."""

    async def window(_: Any, span: tuple[int, int], *__: Any) -> Window:
        return Window([change] * busy, False, *span)

    change = Change("a.b", "on", msgspec.Raw(b"{}"), 0, 0, Cause())
    monkeypatch.setattr(history, "_fetched", window)
    session: Any = Answering(**_WRITTEN)

    async def read() -> list[int]:
        return [w.end - w.start async for w in windows(session, 0, 5 * DAY)]

    assert tuple(asyncio.run(read())[:4]) == lengths
    assert sum(asyncio.run(read())) == 5 * DAY


def test_written_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorder has written all of it before the first window is read, though by our clock that was days ago."""
    done: list[str] = []

    async def waited(_: Any) -> None:
        done.append("written")

    async def window(_: Any, span: tuple[int, int], *__: Any) -> Window:
        done.append("read")
        return Window([], False, *span)

    monkeypatch.setattr(history, "written", waited)
    monkeypatch.setattr(history, "_fetched", window)
    session: Any = Answering()

    async def read() -> None:
        assert [w.end async for w in windows(session, 0, 2 * HOUR)] == [HOUR, 2 * HOUR]

    asyncio.run(read())
    assert done == ["written", "read", "read"]


def test_times_are_rounded_as_home_assistant_does() -> None:
    """A float of the database and the text of the event name the same µs, also halfway between two."""
    assert micros(1_795_361_812.0078125) == 1_795_361_812_007_812  # half a µs: to the even one, as datetime does
    assert micros(1_795_361_812.5041509) == 1_795_361_812_504_151
    assert micros(0) == 0
    assert iso(1_795_361_812_504_151) == "2026-11-22T15:36:52.504151+00:00"
