"""One habit is told once, by the pattern that tells it best."""

import datetime as dt
from collections.abc import Sequence
from itertools import permutations
from typing import Any

from quotidian.detect.telling import told_once
from quotidian.model import Evidence, Finding, Pattern, Status

DATE = dt.date(2026, 3, 2)
DAYS = range(739_000, 739_040)


def pattern(
    name: str, detector: str, *subject: str, kept: int = 36, anchor: int | None = None, **measures: Any
) -> Pattern:
    """Make an active pattern; ``name`` is its id."""
    evidence = Evidence(kept=kept, observed=40, low=kept / 50, high=1.0)
    finding = Finding(
        detector=detector,
        subject=subject,
        anchor=anchor,
        measures=measures,
        evidence=evidence,
        confidence=0.9,
        sentence=name,
    )
    return Pattern(id=name, finding=finding, first_seen=DATE, last_seen=DATE, updated=DATE)


def wander(days: Sequence[int], width: int) -> list[int]:
    """Give minutes around nought, one for each day: the same for the same day."""
    return [(7 * day) % (2 * width + 1) - width for day in days]


def time(
    name: str, token: str, minutes: Sequence[int] | int, *, days: Sequence[int] = DAYS, reference: str = "clock"
) -> Pattern:
    """Make a time of day: that of each day, or of all."""
    times = [minutes] * len(days) if isinstance(minutes, int) else [*minutes]
    middle = sorted(times)[len(times) // 2]
    return pattern(
        name,
        "time_of_day",
        token,
        kept=len(days),
        anchor=middle % 1440,
        reference=reference,
        days="all",
        minute=middle,
        width=15,
        members=[token],
        times=times,
        dates=[*days],
    )


def pair(name: str, first: str, second: str, *, window: int = 300, kept: int = 36) -> Pattern:
    """Make a pair."""
    return pattern(
        name, "co_occurrence", first, second, kept=kept, window=window, lag=60, members=[first], followers=[second]
    )


def tellers(*patterns: Pattern) -> dict[str, str | None]:
    """Tell by whom each is told; it is the same in every order."""
    found = {tuple((one.id, one.told_by) for one in told_once(order)) for order in permutations(patterns)}
    assert len(found) == 1
    return dict(found.pop())


TV = time("tv", "media_player.tv=playing", [1196 + minute for minute in wander(DAYS, 20)])
LAMP = time("lamp", "light.lamp=on", [1197 + minute for minute in wander(DAYS, 20)])


def test_a_pair_tells_the_time_of_its_second_act() -> None:
    """A lamp that goes on a minute after the television is told with the television."""
    told = tellers(TV, LAMP, pair("pair", "media_player.tv=playing", "light.lamp=on"))
    assert told == {"tv": None, "lamp": "pair", "pair": None}


def test_a_time_of_its_own_stays() -> None:
    """A lamp that keeps to the clock, while the television wanders around it, is told; so is one of other days."""
    both = pair("pair", "media_player.tv=playing", "light.lamp=on", window=3600)
    assert tellers(TV, time("lamp", "light.lamp=on", 1210), both)["lamp"] is None
    later = range(DAYS[-1] - 5, DAYS[-1] + 30)
    assert tellers(TV, time("lamp", "light.lamp=on", 1197, days=later), both)["lamp"] is None


def test_where_the_first_has_no_time_the_second_keeps_its_own() -> None:
    """Nothing else would say when it is."""
    assert tellers(LAMP, pair("pair", "media_player.tv=playing", "light.lamp=on"))["lamp"] is None


def test_what_is_not_active_neither_tells_nor_is_told() -> None:
    """A pair that is fading tells nothing any more, and what it told is told again."""
    both = pair("pair", "media_player.tv=playing", "light.lamp=on")
    found = told_once([TV, LAMP, both])
    faded = [Pattern(**{**_fields(one), "status": Status.FADING}) if one.id == "pair" else one for one in found]
    assert {one.id: one.told_by for one in told_once(faded)} == {"tv": None, "lamp": None, "pair": None}


def _fields(one: Pattern) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}
