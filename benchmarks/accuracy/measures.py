"""What the claims of each detector come to on some days, measured without the detectors.

Each function takes a finding, the days and a reach (whatever the finding does not say of itself), and gives the days
kept, the days that count, and the days that chance would give. Where a claim says nothing against chance,
the last one is ``None``.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from benchmarks.accuracy.fresh import SUNS, Days
from quotidian.detect.dayrow import entity_of
from quotidian.detect.history import History
from quotidian.detect.levels import UNKNOWN_LEVEL
from quotidian.detect.things import is_sign
from quotidian.model import Finding
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.day import DAY_MINUTES

#: What is believed without a sign, in seconds: a room is in use that long after one.
_CAP: Final = 1_800
_IN_USE: Final = 300
_GAP: Final = 600
_SILENCE: Final = 1_800
_JITTER: Final = 1_800


class Measured(NamedTuple):
    """Days kept, days that count, and days that chance would give."""

    kept: int
    days: int
    chance: float | None

    @property
    def share(self) -> float:
        """The share of days kept."""
        return self.kept / self.days if self.days else 0.0

    @property
    def lift(self) -> float | None:
        """How many times more days are kept than by chance."""
        return None if self.chance is None else self.kept / max(self.chance, 1e-9)


def time_of_day(finding: Finding, days: Days, reach: float) -> Measured:
    """Count the days with an occurrence near the claimed minute; chance moves that minute by up to three hours."""
    return _near(finding, days, days.of(finding.subject[0]), finding.subject[0], reach)


def _near(finding: Finding, days: Days, places: Ints, token: str, reach: float) -> Measured:
    measures = finding.measures
    reference = measures.get("reference", "clock")
    minute = days.line[days.day[places]] * DAY_MINUTES + days.wall[places] // 60
    centre = np.full(days.size, float(measures["minute"]))
    centre += days.suns[reference] if reference in SUNS else 0
    counts = days.lived(measures.get("days", "all")) & days.seen(np.round(centre).astype(np.int64))
    counts &= days.present(entity_of(token)) if "." in token else counts
    instants = days.line * DAY_MINUTES + centre
    minute = np.sort(minute)
    hits = [_within(minute, instants[counts] + shift, reach) for shift in range(-180, 181, 10)]
    middle = hits[len(hits) // 2]
    return Measured(int(middle.sum()), int(counts.sum()), float(np.mean(hits, axis=0).sum()))


def _within(sorted_times: Ints, centres: Floats, reach: float) -> Bools:
    return np.asarray(
        np.searchsorted(sorted_times, centres + reach, "right") > np.searchsorted(sorted_times, centres - reach)
    )


def pair(finding: Finding, days: Days, reach: float) -> Measured:
    """Count the days of the first on which the second follows; chance moves the first by up to half an hour."""
    del reach
    first, second = finding.subject[:2]
    return _followed(finding, days, days.of(first), np.sort(days.instant[days.of(second)]), finding.measures["window"])


def _followed(finding: Finding, days: Days, first: Ints, then: Ints, window: int) -> Measured:
    counts = days.lived(finding.measures.get("days", "all")) & days.present(entity_of(finding.subject[1]))
    instant, day = days.instant[first], days.day[first]
    follows = _follows(then, instant, window)
    kept = np.zeros(days.size, bool)
    kept[day[follows]] = True
    shifts = np.linspace(-_JITTER, _JITTER, 61)
    missed = 1 - np.mean([_follows(then, instant + shift, window) for shift in shifts], axis=0)
    product = np.ones(days.size)
    np.multiply.at(product, day, missed)
    counts &= days.any(first)
    return Measured(int((kept & counts).sum()), int(counts.sum()), float((1 - product)[counts].sum()))


def _follows(then: Ints, instant: Floats | Ints, window: float) -> Bools:
    return np.asarray(np.searchsorted(then, instant + window, "right") > np.searchsorted(then, instant))


def sequence(finding: Finding, days: Days, reach: float) -> Measured:
    """Count the days of the first act that show the whole routine; chance moves the first act as in a pair."""
    del reach
    rest = [np.sort(days.instant[days.of(token)]) for token in finding.subject[1:]]
    starts = rest[0]
    for place in range(1, len(rest)):
        # From each second act on, the first of each later one within the gap.
        starts = _chained(rest[0], rest[1 : place + 1])
    return _followed(finding, days, days.of(finding.subject[0]), starts, _GAP)


def _chained(starts: Ints, rest: list[Ints]) -> Ints:
    at, good = starts.copy(), np.ones(starts.size, bool)
    for then in rest:
        place = np.searchsorted(then, at, "right")
        following = then[np.minimum(place, max(then.size - 1, 0))] if then.size else at
        good &= (place < then.size) & (following - at <= _GAP)
        at = following
    return starts[good]


def duration(finding: Finding, days: Days, reach: float) -> Measured:
    """Count the days on which nothing outlasted the usual length, of those that saw an end."""
    del reach
    places, seconds = days.spans(finding.subject[0])
    longest = np.zeros(days.size, np.int64)
    np.maximum.at(longest, days.day[places], seconds)
    counts = longest > 0
    return Measured(int((counts & (longest <= finding.measures["usual"])).sum()), int(counts.sum()), None)


def room(finding: Finding, days: Days, reach: float) -> Measured:
    """Count the days on which a room was in use in half of some hours, or a way was gone in them."""
    del reach
    areas, seconds, day, hour = _signs(days)
    start, end = finding.measures["start"], finding.measures["end"]
    end += 24 if end <= start else 0
    hours = np.arange(start, end)
    counts = days.lived(finding.measures.get("days", "all"))
    if len(finding.subject) == 1:
        used = _dwelt(days, areas == finding.subject[0], seconds) >= _IN_USE
        kept = 2 * used[:, hours % 24].sum(axis=1) >= hours.size
    else:
        kept = np.zeros(days.size, bool)
        steps = len(finding.subject) - 1
        went = np.ones(max(areas.size - steps, 0), bool)
        for step, name in enumerate(finding.subject):
            went &= areas[step : areas.size - steps + step] == name
            if step:
                near = np.diff(seconds)[step - 1 : areas.size - steps + step - 1] <= _CAP
                went &= near
        at = np.flatnonzero(went) + steps
        at = at[np.isin(hour[at], hours % 24)]
        kept[day[at]] = True
    return Measured(int((kept & counts).sum()), int(counts.sum()), None)


def _signs(days: Days) -> tuple[np.ndarray[tuple[int], np.dtype[np.str_]], Ints, Ints, Ints]:
    """Give the areas in which somebody shows that he is there, with the instants, days and hours."""
    area = [days.home.area_of(entity_of(token)) for token in days.tokens]
    names = np.array([one.id if one else "" for one in area])
    sign = np.array([is_sign(days.home, token) for token in days.tokens], bool) & (names != "")
    places = np.flatnonzero(sign[days.token] & days.learned)
    return names[days.token[places]], days.instant[places], days.day[places], days.wall[places] // 3600


def _dwelt(days: Days, here: Bools, seconds: Ints) -> Ints:
    """Add up the seconds in a room by day and hour."""
    areas, instants, day, _ = _signs(days)
    del areas
    ends = np.minimum(np.append(instants[1:], instants[-1:] + _CAP), instants + _CAP)
    total = np.zeros((days.size, 24), np.int64)
    places = np.flatnonzero(here)
    wall = days.wall[np.searchsorted(days.instant, seconds[places])]
    length = (ends - instants)[places]
    hour = np.clip(wall // 3600, 0, 23)
    first = np.minimum(length, (hour + 1) * 3600 - wall)
    np.add.at(total, (day[places], hour), first)
    over = hour < 23
    np.add.at(total, (day[places][over], hour[over] + 1), (length - first)[over])
    return total


def session(finding: Finding, days: Days, reach: float) -> Measured:
    """Count the days on which activity of a room or the house begins near the claimed minute."""
    subject = finding.subject[0]
    area = [days.home.area_of(entity_of(token)) for token in days.tokens]
    sign = np.array([is_sign(days.home, token) for token in days.tokens], bool)
    if subject != "home":
        sign &= np.array([one is not None and one.id == subject for one in area], bool)
    places = np.flatnonzero(sign[days.token] & days.learned)
    begun = places[np.diff(days.instant[places], prepend=-(1 << 40)) >= _SILENCE]
    return _near(finding, days, begun, subject, reach)


def contextual(finding: Finding, days: Days, reach: float) -> Measured:
    """Count the days with the act on the claimed side of the threshold; chance is the share on the other side."""
    del reach
    token, context, side = finding.subject[:3]
    places = days.of(token)
    hours = np.clip(days.wall[places] // 3600, 0, 23)
    weight = np.bincount(hours, minlength=24)
    levels = days.levels.get(context)
    if levels is None:
        raise KeyError(context)
    usable = levels != UNKNOWN_LEVEL
    weights = usable * weight
    counts = (weights.sum(axis=1) * 2 >= weight.sum()) & days.present(entity_of(token))
    level = np.round((weights * levels).sum(axis=1) / np.maximum(weights.sum(axis=1), 1))
    threshold = finding.measures["threshold"]
    if context != "presence":
        illuminance = days.home.entity(context).device_class == "illuminance"
        threshold = np.log2(threshold) + 1 if illuminance else 2 * threshold
    here = counts & ((level < threshold) if side == "below" else (level >= threshold))
    other = counts & ~here
    acted = days.any(places)
    otherwise = float(acted[other].mean()) if other.any() else 0.0
    return Measured(int((acted & here).sum()), int(here.sum()), otherwise * int(here.sum()))


MEASURES: Final[dict[str, Callable[[Finding, Days, float], Measured]]] = {
    "time_of_day": time_of_day,
    "co_occurrence": pair,
    "sequence": sequence,
    "duration": duration,
    "room": room,
    "session": session,
    "contextual": contextual,
}
#: Of what says not how near is near, these are tried on the home's own days (minutes).
REACHES: Final = (5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 75, 90)


def own_reach(finding: Finding, own: Days) -> float:
    """Give the reach with which a claim's own count comes out best on the days that it was made of."""
    if finding.detector not in {"time_of_day", "session"}:
        return 0.0
    measure = MEASURES[finding.detector]
    return min(REACHES, key=lambda reach: abs(measure(finding, own, reach).share - finding.evidence.share))


__all__ = ["MEASURES", "History", "Measured", "own_reach"]
