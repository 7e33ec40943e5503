"""The recorder of a running Home Assistant: whether it can be asked, and whether it has written what happened."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import msgspec

from quotidian.errors import RequestError, UnreachableError
from quotidian.homeassistant.frames import UNREADABLE
from quotidian.homeassistant.moments import iso
from quotidian.homeassistant.session import Session

_T = TypeVar("_T")
#: An entity that does not exist, so that nothing ever comes of it.
_NOBODY: Final = "sensor.quotidian_nobody"
_MIGRATING: Final = 60.0  #: seconds until it is asked again


class _Recorder(msgspec.Struct):
    """The answer to ``recorder/info``."""

    thread_running: bool = True
    migration_in_progress: bool = False
    migration_is_live: bool = False


_INFO: Final = msgspec.json.Decoder(_Recorder)


async def written(session: Session) -> None:
    """Come back when the recorder has written everything that had happened when it was asked.

    It writes late: every 5 s, or as its ``commit_interval`` says. A stream of the history first waits for it, and its
    second message tells that it has.

    Raises
    ------
    RequestError
        When Home Assistant keeps no history.
    UnreachableError
        When the recorder is converting its database, or does not run.
    """
    recorder = decoded(_INFO, await asked(session, "recorder/info"))
    if recorder.migration_in_progress and not recorder.migration_is_live:
        raise UnreachableError("Home Assistant is converting its database.", "It takes a while.", after=_MIGRATING)
    if not recorder.thread_running:
        raise UnreachableError("Home Assistant's recorder does not run.", "Its log says why.", after=_MIGRATING)
    stream = {"entity_ids": [_NOBODY], "include_start_time_state": False, "no_attributes": True}
    with _needed():
        await session.first(2, "history/stream", start_time=iso(0), **stream)


async def asked(session: Session, command: str, **fields: Any) -> msgspec.Raw:
    """Ask for something that needs the recorder.

    Raises
    ------
    RequestError
        When Home Assistant keeps no history.
    """
    with _needed():
        return await session.ask(command, **fields)


@contextmanager
def _needed() -> Iterator[None]:
    """Say what to switch on where Home Assistant does not know a command."""
    try:
        yield
    except RequestError as error:
        raise RequestError(
            f"Home Assistant does not give its history: {error.what}",
            "Its recorder and its history must be switched on, as they are in default_config.",
        ) from error


def decoded(decoder: msgspec.json.Decoder[_T], answer: msgspec.Raw) -> _T:
    """Read an answer.

    Raises
    ------
    RequestError
        When it is not what it should be.
    """
    try:
        return decoder.decode(answer)
    except UNREADABLE as error:
        raise RequestError(f"Home Assistant's history cannot be read: {error}.") from error
