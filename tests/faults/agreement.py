"""Whether the store holds what Home Assistant said: all of it, once, and certified."""

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from ..real_home_assistant import until  # noqa: TID252 - tests are no package
from .running import Pipeline
from .scripted import Row, ScriptedHome

SEEDS = range(int(os.environ.get("QUOTIDIAN_SEEDS", "1")))
_PAGE = 1000

Said = tuple[str, int, str | None]  #: entity, instant (µs), state


def said(rows: Iterable[Row]) -> list[Said]:
    """Give a ledger without who did what."""
    return [row[:3] for row in rows]


def events(pipeline: Pipeline) -> Iterator[dict[str, Any]]:
    """Read every event of the store, newest first."""
    cursor: str | None = None
    while True:
        query = {"limit": _PAGE} | ({} if cursor is None else {"cursor": cursor})
        page = pipeline.get("store", "/api/v1/events", **query)
        yield from page["events"]
        cursor = page.get("cursor")
        if cursor is None:
            return


def stored(pipeline: Pipeline) -> list[Said]:
    """Give what the store holds."""
    return [(one["entity_id"], one["last_updated"], one.get("new_state")) for one in events(pipeline)]


def total(pipeline: Pipeline) -> int:
    """Give how many events the store has by its ledger of days."""
    return sum(day["events"] for day in pipeline.get("store", "/api/v1/days")["days"])


def settled(pipeline: Pipeline, home: ScriptedHome, seconds: float = 60, *, damaged: bool = False) -> None:
    """Wait until the store has as many events as were said, and check that they are the same, once, and certified.

    Only where the spool was damaged may numbers be missing: the events that they had come again from the history.
    """
    until(lambda: not home.status()["flooding"], seconds)
    wanted = Counter(said(home.ledger()))
    try:
        until(lambda: total(pipeline) >= sum(wanted.values()), seconds)
    except TimeoutError:
        raise AssertionError(differences(wanted, Counter(stored(pipeline)))) from None
    found = Counter(stored(pipeline))
    assert found == wanted, differences(wanted, found)
    certified(pipeline, sum(found.values()), damaged=damaged)


def differences(wanted: Counter[Said], found: Counter[Said]) -> str:
    """Say what is missing and what is too much."""
    missing, extra = wanted - found, found - wanted
    return "; ".join(
        f"{sum(rows.values())} {what}: {[*itertools.islice(sorted(rows, key=lambda row: row[1]), 3)]}"
        for what, rows in (("missing", missing), ("too much", extra))
    )


def certified(pipeline: Pipeline, count: int, *, damaged: bool = False) -> None:
    """Check that the loss certificates account for every event and every number."""
    until(lambda: not any(one["unrecoverable"] for one in certificates(pipeline)))
    account = Counter[str]()
    for one in certificates(pipeline):
        account.update({name: one[name] for name in (*_EVENTS, "missing", "removed")})
        for numbers in one["ranges"]:
            carried = sum(numbers.get(kind, 0) for kind in _CARRIED)
            assert numbers["last"] - numbers["first"] + 1 == carried, numbers
    kept = sum(account[name] for name in _EVENTS) - account["removed"]
    assert kept == count, (account, count)
    assert (account["missing"] > 0) == damaged, account


def certificates(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Give the loss certificates."""
    return list(pipeline.get("store", "/api/v1/certificates")["certificates"])


_EVENTS = ("received", "filled", "manual", "imported", "moved")
_CARRIED = ("received", "filled", "manual", "duplicate", "left_out", "dead", "notes", "telling")
