"""Which rooms are used when, and how people go from one to the next."""

from collections import Counter
from typing import ClassVar, Final

import msgspec
import numpy as np
from scipy.special import bdtrc

from quotidian.detect import words
from quotidian.detect.base import Detector
from quotidian.detect.dayrow import DayRow
from quotidian.detect.dayview import DayView
from quotidian.detect.history import History
from quotidian.detect.kinds import NAMES
from quotidian.detect.rollup import sides
from quotidian.detect.statistics import covered, next_time, rounded, share_interval
from quotidian.detect.stops import (
    HOURS,
    NEVER,
    dwell,
    first_ways,
    hours_shown,
    observed,
    packed,
    passages,
    runs_of,
    signs,
    watched,
    ways_gone,
)
from quotidian.model import Carry, Evidence, Finding, Home, Integers, Stage
from quotidian.model.arrays import Bools, Ints
from quotidian.model.rollup import Figures

_LEAST_DAYS: Final = 5
#: What the lower bound of a share must reach, so that a few days alone say nothing.
_LEAST_BOUND: Final = 0.5

#: By how much less often the other class may show a way that is told of all days, and how many hours off.
_NEARLY: Final = 0.15
_HOURS_APART: Final = 3
#: The largest chance of what is told of a kind of days, over all rooms and hours.
_CHANCE: Final = 0.01
#: On so many days that show a way it comes before the way back.
_AHEAD: Final = 0.6
#: A way that is gone so often on an ordinary day is that of people in both rooms.
_AGAIN: Final = 3

#: The two classes of days that are compared, and what both together are called.
_KINDS: Final = {"at_home": "On days at home", "out": "On days out"}
_CLASSES: Final = ("weekdays", "weekends")


class _Span(msgspec.Struct, frozen=True):
    """Hours (end excluded, it may lie beyond 24) of a room or way, on which class of days, and which days kept it."""

    areas: tuple[str, ...]
    days: str
    start: int
    end: int
    kept: Bools
    counts: Bools


class Room(Detector):
    """Which rooms are used when, and how people usually go from one to the next.

    Where somebody is follows from motion, doors and operated things that have an area. From one sign to the next, and
    at most for ``cap`` minutes, the room counts as used. A room's hours are those in which it is used on at least
    ``least_share`` of the lived days of a class, in which the house's rooms are used less on average, and in
    which the lower bound of its share lies well above its own average over the day, so that a room that is always in
    use has no hours. They are told of all days when most days of the other class keep them too; and of a kind of days
    that is the home's own (see ``kinds``) when the share of other weekdays would hardly ever give as many.

    Where the next sign elsewhere comes within a minute, somebody only walked through; what is mostly walked through
    has no hours. A way leads from one stop to the next. The usual way out of a room is gone in some hours of
    most days, not again and again, and mostly before the way back.

    Where sensors see people in two rooms or more, only such rooms are told. This describes and makes no claim
    against chance; the bounds are over days [1]_.

    Parameters
    ----------
    cap
        How long a sign says that somebody is there, in minutes.
    least_share
        The smallest share of days that is worth telling, in (0, 1].
    least_seconds
        How long a room must be in use within an hour to count, in seconds; walking through is less.

    Notes
    -----
    Kept per day: *dwell* ``area`` (words), ``hour`` (of the wall clock), ``seconds``; *ways* ``from``, ``to`` (words),
    ``at`` (hour), ``count``, ``since`` (elapsed second of the first); *runs* ``room`` (words), ``stops``, ``passed``
    (how often). Handed on: the last sign.

    Rolled up, of each area: ``seconds`` in use, ``hourly_seconds`` (24); ``to`` and ``to_times``, ``from`` and
    ``from_times``: the most frequent ways.

    Subject: the area, or the two areas of a way. Anchor: the middle of the hours, in minutes. Measures:
    ``days`` (class), ``start``, ``end`` (hours), for a room ``minutes`` (median use in these hours), ``dates`` (kept).

    References
    ----------
    .. [1] C. J. Clopper, E. S. Pearson, The Use of Confidence or Fiducial Limits, 1934.

    Examples
    --------
    >>> Room(cap=15).cap
    15
    >>> Room.lacking(Home("h", "UTC"))
    'No entity has an area: assign areas to devices in Home Assistant to learn which rooms are used when.'
    """

    name: ClassVar[str] = "room"
    keeps: ClassVar[bool] = True
    version: ClassVar[int] = 2
    folds_by: ClassVar[tuple[str, ...]] = ("cap",)

    def __init__(self, *, cap: int = 30, least_share: float = 0.7, least_seconds: int = 300) -> None:
        if not (1 <= cap <= 120 and 0 < least_share <= 1 and 1 <= least_seconds <= 3600):
            raise ValueError(
                "cap is 1 to 120 minutes, least_share lies between 0 and 1, least_seconds between 1 and 3600"
            )
        self.cap = cap
        self.least_share = least_share
        self.least_seconds = least_seconds

    @staticmethod
    def lacking(home: Home) -> str | None:
        """Say what is missing to learn about rooms, ``None`` when nothing is."""
        areas = {entity.area for entity in home.entities.values() if entity.area is not None}
        if len(areas) >= 2:
            return None
        what = "No entity has an area" if not areas else "All entities are in one area"
        return f"{what}: assign areas to devices in Home Assistant to learn which rooms are used when."

    # folding

    def fold(self, day: DayView, carry: Carry) -> tuple[Integers, Carry]:
        """Give the seconds by room and hour and the ways between stops, and hand on the last sign."""
        areas, second, area = signs(day, carry)
        if not second.size:
            return packed(areas), Carry()
        length, cap, size = day.row.seconds, 60 * self.cap, len(areas)
        ends = np.minimum(np.append(second[1:], length), second + cap)
        edges, hours = hours_shown(day.row)
        used = np.zeros((size, HOURS), np.int64)
        for place in range(size):
            here = area == place
            np.add.at(used[place], hours, np.diff(covered(second[here], ends[here], edges)))

        begun, until, room, stop = runs_of(second, area, length)
        came, way = ways_gone(begun[stop], until[stop], room[stop], size, cap)
        cell = way * HOURS + hours[np.searchsorted(edges, came, "right") - 1]
        ways = np.bincount(cell, minlength=size * size * HOURS)
        since = came[np.unique(cell, return_index=True)[1]]
        runs = np.bincount(room[stop], minlength=size), np.bincount(room[~stop], minlength=size)
        last = int(second[-1])
        handed = Carry((areas[area[-1]],), {"instant": [last + day.row.start]}) if length - last < cap else Carry()
        return packed(areas, used.reshape(-1), ways, since, runs), handed

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say how long each room was used, and from where to where people went."""
        del row
        areas = own.words
        dwell, to, origin = (
            np.zeros((len(areas), HOURS), np.int64),
            *([Counter[str]() for _ in areas] for _ in range(2)),
        )
        dwell[own["area"], own["hour"]] = own["seconds"]
        for here, there, count in zip(*(own[name].tolist() for name in ("from", "to", "count")), strict=True):
            to[here][areas[there]] += count
            origin[there][areas[here]] += count
        return {
            area: {
                "seconds": int(dwell[place].sum()),
                "hourly_seconds": dwell[place].tolist(),
                **sides("to", to[place]),
                **sides("from", origin[place]),
            }
            for place, area in enumerate(areas)
        }

    # detecting

    def detect(self, history: History) -> list[Finding]:
        """Give each room's hours, and the usual way out of it."""
        days = self.summary(history).days
        folded = [days.get(row.ordinal) or packed() for row in history.rows]
        areas = tuple(sorted({day.words[word] for day in folded for word in day["area"].tolist()}))
        if len(areas) < 2:
            return []
        seconds, seen = dwell(folded, areas), observed(history, areas)
        rooms = watched(history.home, areas) & ~passages(folded, areas)
        used = seconds >= self.least_seconds
        found = []
        for place in np.flatnonzero(rooms).tolist():
            uses = self._uses(history, areas[place], used, seen[:, place], place)
            found += [_told_use(history, use, seconds[:, place]) for use in uses]
        first, count = first_ways(folded, areas)
        first[:, ~rooms] = first[:, :, ~rooms] = NEVER
        found += [_told_way(history, way) for way in self._ways(history, areas, first, count, seen)]
        return sorted(found, key=lambda finding: (-finding.evidence.low, finding.subject))

    def _uses(self, history: History, area: str, used: Bools, seen: Bools, place: int) -> list[_Span]:
        """Give the hours of a room: those of ordinary days, and those of a kind of days on which they are others."""
        found = []
        for name in (*_CLASSES, *NAMES):
            counts = history.classes[name] & seen
            hours = _longest(self._hours(used[counts], place)) if counts.sum() >= _LEAST_DAYS else None
            found += [_span(area, name, hours, used[:, place], counts)] if hours else []
        ordinary = [use for use in found if use.days in _CLASSES]
        best = max((self._everyday(history, use, used[:, place], seen) for use in ordinary), key=_rank, default=None)
        told = [best] if best and self._sure(best) else []
        for use in (use for use in found if use.days in NAMES):
            others = history.classes["weekdays"] & seen & ~use.counts
            elsewhere = int((_kept(used[:, place], (use.start, use.end)) & others).sum())
            if self._sure(use) and _by_chance(use, elsewhere, int(others.sum())) * used[0].size <= _CHANCE:
                told.append(use)
        return told

    def _everyday(self, history: History, use: _Span, used: Bools, seen: Bools) -> _Span:
        """Give a room's hours of a class of days as those of all days, if most of the others keep them too."""
        everyday = _span(use.areas[0], "all", (use.start, use.end), used, history.classes["all"] & seen)
        others = everyday.counts & ~use.counts
        alike = (everyday.kept & others).sum() >= self.least_share * others.sum()
        return everyday if alike and others.any() else use

    def _sure(self, span: _Span) -> bool:
        return bool(span.kept.sum() >= self.least_share * span.counts.sum() and _low(span) >= _LEAST_BOUND)

    def _hours(self, used: Bools, place: int) -> Bools:
        """Tell in which hours a room is used more than the house and more than it is on average: shape (24,).

        An hour between two such ones is one as well: who works at home has lunch elsewhere.
        """
        kept, days = used[:, place].sum(axis=0), used.shape[0]
        house = used.mean(axis=(0, 1))
        usual = float(used[:, place].mean())
        low = np.array([share_interval(int(count), days, 0.98)[0] for count in kept])
        share = kept / days
        hours = (share >= self.least_share) & (share > house) & (low > 1.25 * usual)
        return np.asarray(hours | (np.roll(hours, 1) & np.roll(hours, -1)))

    def _ways(self, history: History, areas: tuple[str, ...], first: Ints, count: Ints, seen: Bools) -> list[_Span]:
        """Give the usual way out of each room: gone on most days, more often than at other hours, before going back.

        It is that of two hours of a class of days; of all days, where the others have it nearly as often at
        hours close to these.
        """
        known = seen[:, :, None] & seen[:, None, :] & history.lived[:, None, None]
        gone = np.minimum(first, np.roll(first, -1, axis=3)) < NEVER
        masks = {name: known & history.classes[name][:, None, None] for name in _CLASSES}
        shares = {
            name: (gone & mask[..., None]).sum(axis=0) / np.maximum(mask.sum(axis=0), 1)[..., None]
            for name, mask in masks.items()
        }
        best: dict[int, _Span] = {}
        for name, other in (_CLASSES, _CLASSES[::-1]):
            usual = (shares[name].max(axis=2) >= self.least_share) & (masks[name].sum(axis=0) >= _LEAST_DAYS)
            for origin, target in np.argwhere(usual).tolist():
                hour, beside = (int(np.argmax(shares[which][origin, target])) for which in (name, other))
                often = shares[other][origin, target, beside] >= self.least_share - _NEARLY
                alike = often and abs(beside - hour) <= _HOURS_APART
                span = (min(hour, beside), max(hour, beside) + 2) if alike else (hour, hour + 2)
                days = known[:, origin, target] & history.classes["all" if alike else name]
                there, back = (_first(first[:, one, two], span) for one, two in ((origin, target), (target, origin)))
                way = _Span(
                    (areas[origin], areas[target]), "all" if alike else name, *span, (there < NEVER) & days, days
                )
                again = int(count[way.kept, origin, target][:, np.arange(*span) % HOURS].sum())
                ahead = ((there < back) & days).sum() >= _AHEAD * way.kept.sum() and again < _AGAIN * way.kept.sum()
                apart = _low(way) > 2 * float(shares[name][origin, target].mean())
                if ahead and apart and self._sure(way) and (origin not in best or _rank(way) > _rank(best[origin])):
                    best[origin] = way
        return [best[origin] for origin in sorted(best)]


def _first(times: Ints, span: tuple[int, int]) -> Ints:
    """Give the first time of each day in some hours: shape (days,)."""
    return np.asarray(times[:, np.arange(*span) % HOURS].min(axis=1))


def _span(area: str, days: str, hours: tuple[int, int], used: Bools, counts: Bools) -> _Span:
    return _Span((area,), days, *hours, counts & _kept(used, hours), counts)


def _by_chance(use: _Span, elsewhere: int, others: int) -> float:
    """Give the chance that so many days of a kind show a use of a room, at the share of other days."""
    # One more day than was seen: that it never happened elsewhere does not make it impossible.
    chance = (elsewhere + 1) / (others + 2)
    return float(rounded(bdtrc(np.array([use.kept.sum() - 1]), use.counts.sum(), chance))[0]) if use.kept.any() else 1.0


def _rank(span: _Span) -> tuple[int, float]:
    """Prefer what was kept on more days."""
    return int(span.kept.sum()), _low(span)


def _low(span: _Span) -> float:
    """Give the lower bound of the share of days that kept a span."""
    return share_interval(int(span.kept.sum()), int(span.counts.sum()))[0]


def _longest(hours: Bools) -> tuple[int, int] | None:
    """Give the longest run of hours on the circle, from the first to behind the last; ``None`` when there is none."""
    best: tuple[int, int] | None = None
    for start in np.flatnonzero(hours & ~np.roll(hours, 1)).tolist():
        length = int(np.argmin(np.append(np.roll(hours, -start), False)))
        if best is None or length > best[1] - best[0]:
            best = (start, start + length)
    return best


def _kept(used: Bools, span: tuple[int, int]) -> Bools:
    """Tell on which days a room was used in at least half of some hours: shape (days,)."""
    hours = np.arange(*span) % HOURS
    return np.asarray(2 * used[:, hours].sum(axis=1) >= hours.size)


def _named(home: Home, area: str) -> str:
    name = words.plain(home.areas[area].name if area in home.areas else area)
    return f"the {name[:1].lower()}{name[1:]}"


def _told_use(history: History, use: _Span, seconds: Ints) -> Finding:
    hours = np.arange(use.start, use.end) % HOURS
    minutes = round(float(np.median(seconds[use.kept][:, hours].sum(axis=1))) / 60)
    what = f"{_named(history.home, use.areas[0])} is in use, for about {words.span(60 * minutes)}"
    return _finding(history, use, what, {"minutes": minutes})


def _told_way(history: History, way: _Span) -> Finding:
    one, other = (_named(history.home, area) for area in way.areas)
    return _finding(history, way, f"somebody goes from {one} to {other}", {})


def _finding(history: History, span: _Span, what: str, more: dict[str, object]) -> Finding:
    kept, days = int(span.kept.sum()), int(span.counts.sum())
    low, high = share_interval(kept, days)
    hours = {"days": span.days, "start": span.start, "end": span.end % HOURS}
    when = f"between {words.clock(60 * span.start)} and {words.clock(60 * span.end)}"
    return Finding(
        detector=Room.name,
        subject=span.areas,
        anchor=30 * (span.start + span.end) % 1440,
        measures={**hours, "dates": history.ordinals[span.kept].tolist(), **more},
        evidence=Evidence(kept=kept, observed=days, low=low, high=high),
        confidence=next_time(kept, days),
        stage=Stage.ESTABLISHED if kept >= 10 else Stage.EMERGING,
        sentence=f"{_KINDS.get(span.days) or words.days(span.days)} {when} {what}",
    )
