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
from quotidian.detect.statistics import around
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
_NEARLY: Final = 30.0  #: minutes within which a drifting act is where it should be


class Measured(NamedTuple):
    """By day: whether it kept the claim, whether it could have, and the chance of that (``None``: not claimed).

    Of a time, also by how many minutes the median act around it is ``off``.
    """

    held: Bools
    could: Bools
    by_chance: Floats | None = None
    off: float | None = None

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
    could = days.lived(measures.get("days", "all")) & days.seen(np.round(centre).astype(np.int64)) & present
    return _moved_by_hours(days, places, centre, reach, could)


def _moved_by_hours(days: Days, places: Ints, centre: Floats, reach: float, could: Bools) -> Measured:
    """Look for an act within reach of a minute of each day; chance moves that minute by up to three hours."""
    minutes = np.sort(days.line[days.day[places]] * DAY_MINUTES + days.wall[places] // 60)
    instants = days.line * DAY_MINUTES + centre
    held = [_within(minutes, instants + shift, reach) for shift in _SHIFTS]
    return Measured(held[len(held) // 2], could, np.mean(held, axis=0), _off(minutes, instants[could], 2 * reach))


def _off(ascending: Ints, instants: Floats, reach: float) -> float:
    """Give the median distance of the act nearest to each instant, of those within reach."""
    if not ascending.size:
        return np.inf
    place = np.searchsorted(ascending, instants)
    before = ascending[np.maximum(place - 1, 0)] - instants
    after = ascending[np.minimum(place, ascending.size - 1)] - instants
    nearest = np.where(np.abs(before) < np.abs(after), before, after)
    near = nearest[np.abs(nearest) <= reach]
    return float(np.median(near)) if near.size else np.inf


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
    could = days.lived(finding.measures.get("days", "all")) & days.any(first)
    could &= days.present(entity_of(finding.subject[1]))
    held = days.any(first[_follows(then, days.instant[first], window)])
    return Measured(held, could, _by_chance(days, first, then, window))


def _by_chance(days: Days, first: Ints, then: Ints, window: float) -> Floats:
    """Give by day the chance that some act is followed, each of them moved by up to half an hour."""
    instant, none = days.instant[first], np.ones(days.size)
    missed = np.mean([~_follows(then, instant + s, window) for s in np.linspace(-_JITTER, _JITTER, 61)], axis=0)
    np.multiply.at(none, days.day[first], missed)
    return 1 - none


def _follows(then: Ints, instant: Floats | Ints, window: float) -> Bools:
    return np.asarray(np.searchsorted(then, instant + window, "right") > np.searchsorted(then, instant))


def sequence(finding: Finding, days: Days) -> Measured:
    """Look whether the whole routine follows its first act; chance moves the act before the weakest link."""
    _, begun, *steps = (days.of(token) for token in finding.subject)
    first_limit, *limits = finding.measures.get("limits", [_GAP] * len(finding.subject[1:]))
    at, runs, whole = begun, [], np.ones(begun.size, bool)
    for step, limit in zip(steps, limits, strict=True):
        runs.append(at)
        place = np.searchsorted(days.instant[step], days.instant[at], "right")
        following = step[np.minimum(place, step.size - 1)] if step.size else at
        whole &= (place < step.size) & (days.instant[following] - days.instant[at] <= limit)
        at = following
    told = _followed(finding, days, days.instant[begun[whole]], first_limit)
    later = [
        told.held * _by_chance(days, run[whole], days.instant[step], limit)
        for run, step, limit in zip(runs, steps, limits, strict=True)
    ]
    return told._replace(by_chance=max([told.by_chance, *later], key=lambda chance: float(chance[told.could].sum())))


def duration(finding: Finding, days: Days) -> Measured:
    """Look whether nothing outlasted the usual length, on days that saw an end."""
    places, seconds = days.spans(finding.subject[0])
    longest = np.zeros(days.size, np.int64)
    np.maximum.at(longest, days.day[places], seconds)
    return Measured(longest <= finding.measures["usual"], longest > 0)


def room(finding: Finding, days: Days) -> Measured:
    """Look whether a room was used in half of some hours, or a way was gone in one of them; chance moves the hours."""
    start, end = finding.measures["start"], finding.measures["end"]
    size = (end - start) % 24 or 24
    places, areas = _signs(days)
    if len(finding.subject) > 1:
        ends = _gone(days, places, areas, finding.subject)
        shown = np.zeros((days.size, 24), bool)
        shown[days.day[ends], np.clip(days.wall[ends] // 3600, 0, 23)] = True
        least = 1.0
    else:
        shown = _dwelt(days, places, areas == finding.subject[0]) >= _IN_USE
        least = size / 2
    held = np.stack([shown[:, (hour + np.arange(size)) % 24].sum(axis=1) >= least for hour in range(24)])
    could = days.lived(finding.measures.get("days", "all")) & days.followed(finding.subject)
    return Measured(held[start % 24], could, held.mean(axis=0))


def _signs(days: Days) -> tuple[Ints, "np.ndarray[tuple[int], np.dtype[np.str_]]"]:
    """Give the places of the changes by which people show that they are in some room, and in which."""
    found = [days.home.area_of(entity_of(token)) for token in days.tokens]
    names = np.array([area.id if area else "" for area in found])
    sign = np.array([is_sign(days.home, token) for token in days.tokens], bool) & (names != "")
    places = np.flatnonzero(sign[days.token] & days.learned)
    return places, names[days.token[places]]


def _gone(days: Days, places: Ints, areas: object, way: tuple[str, ...]) -> Ints:
    """Give the places at which a way through rooms ends, without a long silence.

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
    return np.asarray(places[begun[np.flatnonzero(gone) + len(way) - 1]])


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


def later_begun(finding: Finding, days: Days) -> Measured:
    """Look which weekends begin on their side of the middle between weekends and weekdays; chance is as weekdays do.

    A day begins with the first quarter of an hour since 04:00 of which, with the three after it, three see something:
    who gets up in the night lies down again.
    """
    active = np.zeros((days.size, 99), np.int64)
    active[days.day[days.learned], np.clip(days.wall[days.learned] // 900, 0, 95)] = 1
    up = (active[:, :96] > 0) & (sum(active[:, shift : 96 + shift] for shift in range(4)) >= 3)
    up[:, :16] = False
    usual, free = finding.measures["first"]
    begins = 15 * up.argmax(axis=1) + 7.5
    middle = (usual + free) / 2
    held = (begins > middle) if free > usual else (begins < middle)
    begun = up.any(axis=1)
    chance = float(held[begun & days.lived("weekdays")].mean())
    return Measured(held, begun & days.lived("weekends"), np.full(days.size, chance))


def unlike_hour(finding: Finding, days: Days) -> tuple[float, float]:
    """Give the shares of weekends and of weekdays on which more, or less, than usual of the day happens in an hour."""
    hours = np.zeros((days.size, 24))
    np.add.at(hours, (days.day[days.learned], np.clip(days.wall[days.learned] // 3600, 0, 23)), 1)
    part = hours[:, finding.measures["hour"]] / np.maximum(hours.sum(axis=1), 1)
    masks = days.lived("weekends"), days.lived("weekdays")
    middle = sum(float(np.median(part[mask])) for mask in masks) / 2
    like = (part > middle) if finding.measures["more"] else (part < middle)
    return float(like[masks[0]].mean()), float(like[masks[1]].mean())


def moved_away(finding: Finding, days: Days, night: int) -> Measured:
    """Look for a drifting act within half an hour of where it should be by then; chance as for a time of day."""
    measures, token = finding.measures, finding.subject[0]
    first, last = int(days.ordinals.min()), night
    move = float(around(np.array(measures["after"]), measures["before"]))
    passed = (days.ordinals - first) / max(last - first, 1)
    gone = (days.ordinals >= measures["since"]) if measures["shape"] == "step" else passed
    centre = measures["before"] + move * gone
    could = days.lived(measures.get("days", "all")) & days.present(entity_of(token)) & (days.ordinals <= last)
    return _moved_by_hours(days, days.of(token), centre, _NEARLY, could)


MEASURES: Final[dict[str, Callable[[Finding, Days], Measured]]] = {
    "time_of_day": time_of_day,
    "co_occurrence": pair,
    "sequence": sequence,
    "duration": duration,
    "room": room,
    "session": session,
    "contextual": contextual,
}
