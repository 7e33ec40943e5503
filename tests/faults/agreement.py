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


def settled(pipeline: Pipeline, home: ScriptedHome, seconds: float = 60, *, unrecorded: int = 0) -> None:
    """Wait until the store has as many events as were said, and check that they are the same, once, and certified."""
    until(lambda: not home.status()["flooding"], seconds)
    wanted = Counter(said(home.ledger()))
    try:
        until(lambda: total(pipeline) >= sum(wanted.values()) - unrecorded, seconds)
    except TimeoutError:
        raise AssertionError(differences(wanted, Counter(stored(pipeline)))) from None
    found = Counter(stored(pipeline))
    assert found == wanted, differences(wanted, found)
    certified(pipeline, sum(found.values()))


def differences(wanted: Counter[Said], found: Counter[Said]) -> str:
    """Say what is missing and what is too much."""
    missing, extra = wanted - found, found - wanted
    return "; ".join(
        f"{sum(rows.values())} {what}: {[*itertools.islice(sorted(rows, key=lambda row: row[1]), 3)]}"
        for what, rows in (("missing", missing), ("too much", extra))
    )


def certified(pipeline: Pipeline, count: int) -> None:
    """Check that the loss certificates account for every event and every number."""
    certificates = pipeline.get("store", "/api/v1/certificates")["certificates"]
    account = Counter[str]()
    for one in certificates:
        account.update({name: one[name] for name in ("received", "filled", "manual", "imported", "moved", "missing")})
        account["removed"] += one["removed"]
        assert not one["unrecoverable"], one
        for numbers in one["ranges"]:
            kinds = ("received", "filled", "manual", "duplicate", "left_out", "dead", "notes", "telling")
            assert numbers["last"] - numbers["first"] + 1 == sum(numbers.get(kind, 0) for kind in kinds), numbers
    kept = sum(account[name] for name in ("received", "filled", "manual", "imported", "moved")) - account["removed"]
    assert kept == count, (account, count)
    assert account["missing"] == 0, account
