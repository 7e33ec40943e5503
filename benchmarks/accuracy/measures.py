"""What the claims of each detector come to on some days, measured without the detectors.

Each function takes a finding and days, and gives, day by day, where the claim was kept, where it could have been, and
what chance would give. What a claim says is what a person reads of it: near a time is within its width.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from benchmarks.accuracy.fresh import SUNS, Days
from quotidian.detect.dayrow import entity_of
from quotidian.detect.levels import UNKNOWN_LEVEL
from quotidian.detect.things import is_sign
from quotidian.model import Finding
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.day import DAY_MINUTES

_STOP: Final = 60
_CAP: Final = 1_800  #: seconds after a sign in which a room is in use
_IN_USE: Final = 300  #: seconds of an hour that make a room used
_GAP: Final = 600  #: seconds between two acts of a routine
_JITTER: Final = 1_800  #: seconds by which a first act is moved to see what chance does
_SHIFTS: Final = range(-180, 181, 10)  #: minutes by which a time of day is moved for that


class Measured(NamedTuple):
    """By day: whether it kept the claim, whether it could have, and the chance of that (``None``: not claimed)."""

    held: Bools
    could: Bools
    by_chance: Floats | None = None

    @property
    def kept(self) -> int:
        """Days kept."""
        return int((self.held & self.could).sum())

    @property
    def days(self) -> int:
        """Days on which the claim could have been kept."""
        return int(self.could.sum())

    @property
    def share(self) -> float:
        """The share of days kept."""
        return self.kept / max(self.days, 1)

    @property
    def lift(self) -> float | None:
        """How many times more days are kept than by chance."""
        return None if self.by_chance is None else self.kept / max(float(self.by_chance[self.could].sum()), 0.1)


def time_of_day(finding: Finding, days: Days) -> Measured:
    """Look for an occurrence near the claimed minute; chance moves that minute by up to three hours."""
    token = finding.subject[0]
    return _near(finding, days, days.of(token), days.present(entity_of(token)))


def _near(finding: Finding, days: Days, places: Ints, present: Bools) -> Measured:
    measures = finding.measures
    reference, reach = measures.get("reference", "clock"), float(measures["width"])
    centre = np.full(days.size, _unwrapped(finding))
    centre += days.suns[reference] if reference in SUNS else 0
    minutes = np.sort(days.line[days.day[places]] * DAY_MINUTES + days.wall[places] // 60)
    instants = days.line * DAY_MINUTES + centre
    held = [_within(minutes, instants + shift, reach) for shift in _SHIFTS]
    could = days.lived(measures.get("days", "all")) & days.seen(np.round(centre).astype(np.int64)) & present
    return Measured(held[len(held) // 2], could, np.mean(held, axis=0))


def _unwrapped(finding: Finding) -> float:
    """Give the claimed minute; of what belongs to the day before though it is past midnight, beyond 1,440."""
    measures = finding.measures
    minute, known = float(measures["minute"]), measures.get("times")
    if not known or measures.get("reference") in SUNS:
        return minute
    return minute + DAY_MINUTES * round((float(np.median(known)) - minute) / DAY_MINUTES)


def _within(ascending: Ints, centres: Floats, reach: float) -> Bools:
    first = np.searchsorted(ascending, centres - reach)
    return np.asarray(np.searchsorted(ascending, centres + reach, "right") > first)


def pair(finding: Finding, days: Days) -> Measured:
    """Look whether the second follows some first; chance moves the first by up to half an hour."""
    then = np.sort(days.instant[days.of(finding.subject[1])])
    return _followed(finding, days, then, float(finding.measures["window"]))


def _followed(finding: Finding, days: Days, then: Ints, window: float) -> Measured:
    first = days.of(finding.subject[0])
    instant, day = days.instant[first], days.day[first]
    missed = np.mean([~_follows(then, instant + s, window) for s in np.linspace(-_JITTER, _JITTER, 61)], axis=0)
    none = np.ones(days.size)
    np.multiply.at(none, day, missed)
    could = days.lived(finding.measures.get("days", "all")) & days.any(first)
    could &= days.present(entity_of(finding.subject[1]))
    return Measured(days.any(first[_follows(then, instant, window)]), could, 1 - none)


def _follows(then: Ints, instant: Floats | Ints, window: float) -> Bools:
    return np.asarray(np.searchsorted(then, instant + window, "right") > np.searchsorted(then, instant))


def sequence(finding: Finding, days: Days) -> Measured:
    """Look whether the whole routine follows its first act; chance moves that act as in a pair."""
    second, *rest = (np.sort(days.instant[days.of(token)]) for token in finding.subject[1:])
    first_limit, *limits = finding.measures.get("limits", [_GAP] * len(finding.subject[1:]))
    at, whole = second, np.ones(second.size, bool)
    for then, limit in zip(rest, limits, strict=True):
        place = np.searchsorted(then, at, "right")
        following = then[np.minimum(place, then.size - 1)] if then.size else at
        whole &= (place < then.size) & (following - at <= limit)
        at = following
    return _followed(finding, days, second[whole], first_limit)


def duration(finding: Finding, days: Days) -> Measured:
    """Look whether nothing outlasted the usual length, on days that saw an end."""
    places, seconds = days.spans(finding.subject[0])
    longest = np.zeros(days.size, np.int64)
    np.maximum.at(longest, days.day[places], seconds)
    return Measured(longest <= finding.measures["usual"], longest > 0)


def room(finding: Finding, days: Days) -> Measured:
    """Look whether a room was in use in half of some hours, or a way was gone in one of them."""
    start, end = finding.measures["start"], finding.measures["end"]
    hours = np.arange(start, end if end > start else end + 24) % 24
    places, areas = _signs(days)
    if len(finding.subject) > 1:
        held = days.any(_gone(days, places, areas, finding.subject, hours))
    else:
        held = 2 * (_dwelt(days, places, areas == finding.subject[0])[:, hours] >= _IN_USE).sum(axis=1) >= hours.size
    return Measured(held, days.lived(finding.measures.get("days", "all")) & days.followed(finding.subject))


def _signs(days: Days, subject: str | None = None) -> tuple[Ints, "np.ndarray[tuple[int], np.dtype[np.str_]]"]:
    """Give the places of the changes by which people show that they are in some room, and in which."""
    found = [days.home.area_of(entity_of(token)) for token in days.tokens]
    names = np.array([area.id if area else "" for area in found])
    sign = np.array([is_sign(days.home, token) for token in days.tokens], bool)
    sign &= {None: names != "", "home": sign}.get(subject, names == subject)
    places = np.flatnonzero(sign[days.token] & days.learned)
    return places, names[days.token[places]]


def _gone(days: Days, places: Ints, areas: object, way: tuple[str, ...], hours: Ints) -> Ints:
    """Give the places at which a way through rooms ends within some hours, without a long silence.

    A room in which somebody is for less than a minute is only walked through.
    """
    names, instant = np.asarray(areas), days.instant[places]
    begun = np.flatnonzero(np.append(True, names[1:] != names[:-1]))
    last = np.append(begun[1:], names.size) - 1
    stop = np.append(np.diff(instant[begun]) >= _STOP, True)
    begun, last = begun[stop], last[stop]
    size = len(begun) - len(way) + 1
    gone = np.logical_and.reduce([names[begun[step : step + size]] == area for step, area in enumerate(way)])
    quick = instant[begun[1:]] - instant[last[:-1]] <= _CAP
    for step in range(len(way) - 1):
        gone &= quick[step : step + size]
    ends = places[begun[np.flatnonzero(gone) + len(way) - 1]]
    return np.asarray(ends[np.isin(days.wall[ends] // 3600, hours)])


def _dwelt(days: Days, places: Ints, here: Bools) -> Ints:
    """Add up the seconds in a room by day and hour."""
    length = np.minimum(np.diff(days.instant[places], append=days.instant[places[-1:]] + _CAP), _CAP)[here]
    day, wall = days.day[places[here]], days.wall[places[here]]
    hour = np.clip(wall // 3600, 0, 23)
    first = np.minimum(length, (hour + 1) * 3600 - wall)
    total, more = np.zeros((days.size, 24), np.int64), hour < 23
    np.add.at(total, (day, hour), first)
    np.add.at(total, (day[more], hour[more] + 1), (length - first)[more])
    return total


def session(finding: Finding, days: Days) -> Measured:
    """Look whether enough of the members are used without a long pause, from near the claimed minute on."""
    measures = finding.measures
    used = [days.of(token) for token in measures["members"]]
    places = np.concatenate(used)
    order = np.argsort(days.instant[places], kind="stable")
    member, places = np.repeat(np.arange(len(used)), [one.size for one in used])[order], places[order]
    fresh = np.diff(days.instant[places], prepend=-(1 << 40)) > 60 * measures["pause"]
    occasion = np.unique((np.cumsum(fresh) - 1) * len(used) + member) // len(used)
    begun = places[fresh][np.bincount(occasion, minlength=int(fresh.sum())) >= measures["fewest"]]
    return _near(finding, days, begun, np.ones(days.size, bool))


def contextual(finding: Finding, days: Days) -> Measured:
    """Look for the act at its time, on the claimed side of the threshold; chance is its share on the other side."""
    token, _, side = finding.subject[:3]
    places, known, level = _at_its_time(finding, days) if "minute" in finding.measures else _in_its_hours(finding, days)
    threshold = _level(finding, days)
    known = known & days.lived() & days.present(entity_of(token))
    here = known & ((level < threshold) if side == "below" else (level >= threshold))
    acted, other = days.any(places), known & ~here
    return Measured(acted, here, np.full(days.size, float(acted[other].mean()) if other.any() else 0.0))


def _at_its_time(finding: Finding, days: Days) -> tuple[Ints, Bools, Floats]:
    """Give the act's changes near the claimed minute, the days observed then, and for how long it stays light (min)."""
    minute, places = int(finding.measures["minute"]), days.of(finding.subject[0])
    places = places[np.abs(days.wall[places] // 60 - minute) <= finding.measures["width"]]
    rise, fall = (days.suns[event] for event in SUNS)
    return places, days.seen(np.full(days.size, minute)), np.minimum(minute - rise, fall - minute - 0.5)


def _in_its_hours(finding: Finding, days: Days) -> tuple[Ints, Bools, Floats]:
    """Give the act's changes in the claimed hours, the days on which the context was known in them, and its level."""
    places = days.of(finding.subject[0])
    places = places[np.isin(days.wall[places] // 3600, list(finding.measures.get("hours", range(24))))]
    weight = np.bincount(np.clip(days.wall[places] // 3600, 0, 23), minlength=24)
    levels = days.levels[finding.subject[1]]
    weights = (levels != UNKNOWN_LEVEL) * weight
    level = np.round((weights * levels).sum(axis=1) / np.maximum(weights.sum(axis=1), 1))
    return places, 2 * weights.sum(axis=1) >= weight.sum(), level


def _level(finding: Finding, days: Days) -> float:
    """Give a threshold as levels are kept: half degrees, powers of two of a lux, or persons."""
    context, threshold = finding.subject[1], float(finding.measures["threshold"])
    if context in {"presence", "sun"}:
        return threshold
    return float(np.log2(threshold)) + 1 if days.home.entity(context).device_class == "illuminance" else 2 * threshold


MEASURES: Final[dict[str, Callable[[Finding, Days], Measured]]] = {
    "time_of_day": time_of_day,
    "co_occurrence": pair,
    "sequence": sequence,
    "duration": duration,
    "room": room,
    "session": session,
    "contextual": contextual,
}
