"""Which rooms are used when, and how people go from one to the next."""

from collections import Counter
from typing import ClassVar, Final

import msgspec
import numpy as np

from quotidian.detect import words
from quotidian.detect.base import Detector
from quotidian.detect.dayrow import DayRow, token_of
from quotidian.detect.dayview import DayView
from quotidian.detect.history import History
from quotidian.detect.rollup import sides
from quotidian.detect.statistics import covered, next_time, share_interval
from quotidian.detect.things import is_sign, tells
from quotidian.model import Carry, Evidence, Finding, Home, Integers, Stage
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import wall_seconds
from quotidian.model.rollup import Figures

_HOURS: Final = 24
_LEAST_DAYS: Final = 5
#: What the lower bound of a share must reach, so that a few days alone say nothing.
_LEAST_BOUND: Final = 0.5

#: The two classes of days that are compared, and what both together are called.
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
    at most for ``cap`` minutes, the room counts as used; two signs in different rooms within that time are a
    way between them. A room's hours are those in which it is used on at least ``least_share`` of a class of days, in
    which the house's rooms are used less on average, and in which the lower bound of its share lies well above
    its own average over the day, so that a room that is always in use has no hours. This describes and makes no claim
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
    ``at`` (hour), ``count``. Handed on: the last sign.

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
        """Give the seconds by room and hour and the ways between rooms, and hand on the last sign."""
        areas, second, area = _signs(day, carry)
        if not second.size:
            return _packed(areas, np.zeros(0, np.int64), np.zeros(0, np.int64)), Carry()
        length, cap, size = day.row.seconds, 60 * self.cap, len(areas)
        ends = np.minimum(np.append(second[1:], length), second + cap)
        edges, hours = _hours_shown(day.row)
        dwell = np.zeros((size, _HOURS), np.int64)
        for place in range(size):
            here = area == place
            np.add.at(dwell[place], hours, np.diff(covered(second[here], ends[here], edges)))

        went = (np.diff(area) != 0) & (np.diff(second) <= cap)
        way = area[:-1][went] * size + area[1:][went]
        at = hours[np.searchsorted(edges, second[1:][went], "right") - 1]
        ways = np.bincount(way * _HOURS + at, minlength=size * size * _HOURS)
        last = int(second[-1])
        handed = Carry((areas[area[-1]],), {"instant": [last + day.row.start]}) if length - last < cap else Carry()
        return _packed(areas, dwell.reshape(-1), ways), handed

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say how long each room was used, and from where to where people went."""
        del row
        areas = own.words
        dwell, to, origin = (
            np.zeros((len(areas), _HOURS), np.int64),
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
        """Give each room's hours and the usual way out of it, at most one of each a room."""
        days = self.summary(history).days
        nothing = _packed((), *[np.empty(0, np.int64)] * 2)
        folded = [days.get(row.ordinal) or nothing for row in history.rows]
        areas = tuple(sorted({day.words[word] for day in folded for word in day["area"].tolist()}))
        if len(areas) < 2:
            return []
        seconds = _dwell(folded, areas)
        observed = _observed(history, areas)
        found = []
        for place in range(len(areas)):
            use = self._use(history, areas, seconds, observed, place)
            found += [_told_use(history, use, seconds[:, place])] if use else []
        found += [_told_way(history, way) for way in self._ways(history, areas, _went(folded, areas), observed)]
        return sorted(found, key=lambda finding: (-finding.evidence.low, finding.subject))

    def _use(
        self, history: History, areas: tuple[str, ...], seconds: Ints, observed: Bools, place: int
    ) -> _Span | None:
        """Find the hours of a room: of both classes of days when they agree, else of the class that is surer."""
        used = seconds >= self.least_seconds
        found: list[tuple[str, Bools, tuple[int, int]]] = []
        for name in _CLASSES:
            counts = history.classes[name] & observed[:, place]
            hours = _longest(self._hours(used[counts], place)) if counts.sum() >= _LEAST_DAYS else None
            found += [(name, counts, hours)] if hours else []
        if len(found) == 2:
            (_, _, one), (_, _, other) = found
            both = max(one[0], other[0]), min(one[1], other[1])
            if both[0] < both[1] and abs(one[0] - other[0]) <= 2:
                found = [("all", history.classes["all"] & observed[:, place], both)]
        told = [
            _Span((areas[place],), name, *hours, counts & _kept(used[:, place], hours), counts)
            for name, counts, hours in found
        ]
        sure = [
            use for use in told if use.kept.sum() >= self.least_share * use.counts.sum() and _low(use) >= _LEAST_BOUND
        ]
        return max(sure, key=lambda use: int(use.kept.sum()), default=None)

    def _hours(self, used: Bools, place: int) -> Bools:
        """Tell in which hours a room is used more than the house and more than it is on average: shape (24,)."""
        kept, days = used[:, place].sum(axis=0), used.shape[0]
        house = used.mean(axis=(0, 1))
        usual = float(used[:, place].mean())
        low = np.array([share_interval(int(count), days, 0.98)[0] for count in kept])
        share = kept / days
        return np.asarray((share >= self.least_share) & (share > house) & (low > 1.25 * usual))

    def _ways(self, history: History, areas: tuple[str, ...], went: Bools, observed: Bools) -> list[_Span]:
        """Give the usual way out of each room: in two hours of most days, more often than else, and one way only."""
        twice = went | np.roll(went, -1, axis=3)
        best: dict[int, tuple[float, _Span]] = {}
        for name in _CLASSES:
            counts = observed[:, :, None] & observed[:, None, :] & history.classes[name][:, None, None]
            days = counts.sum(axis=0)
            share = (twice & counts[..., None]).sum(axis=0) / np.maximum(days, 1)[..., None]
            hours = np.argmax(share, axis=2)
            most = np.take_along_axis(share, hours[..., None], 2)[..., 0]
            back = np.take_along_axis(share.transpose(1, 0, 2), hours[..., None], 2)[..., 0]
            usual = (most >= self.least_share) & (days >= _LEAST_DAYS) & (2 * back <= most)
            for origin, target in zip(*(axis.tolist() for axis in np.nonzero(usual)), strict=True):
                hour = int(hours[origin, target])
                mask = counts[:, origin, target]
                way = _Span(
                    (areas[origin], areas[target]), name, hour, hour + 2, twice[:, origin, target, hour] & mask, mask
                )
                low, usual_share = _low(way), float(share[origin, target].mean())
                if low >= _LEAST_BOUND and low > 2 * usual_share and low > best.get(origin, (0.0, way))[0]:
                    best[origin] = low, way
        return [way for _, (_, way) in sorted(best.items())]


def _signs(day: DayView, carry: Carry) -> tuple[tuple[str, ...], Ints, Ints]:
    """Give areas, and when (elapsed second) in which of them something tells that somebody is there; in order."""
    found = [_area_of(day.home, name) for name in day.entities]
    areas = tuple(sorted({area for area in found if area} | set(carry.words)))
    rank = {area: number for number, area in enumerate(areas)}
    where = np.array([rank[area] if area else -1 for area in found], np.int64)
    changes = day.changes
    tokens, token = np.unique(changes.entity * len(day.states) + changes.after, return_inverse=True)
    pairs = [divmod(one, len(day.states)) for one in tokens.tolist()]
    telling = [is_sign(day.home, token_of(day.entities[entity], day.states[after])) for entity, after in pairs]
    sign = changes.learned & (where[changes.entity] >= 0) & np.array(telling, bool)[token.reshape(-1)]
    second, area = changes.second[sign], where[changes.entity[sign]]
    if carry:
        second = np.append(carry["instant"] - day.row.start, second)
        area = np.append(rank[carry.words[0]], area)
    order = np.lexsort((area, second))
    return areas, second[order], area[order]


def _area_of(home: Home, entity_id: str) -> str | None:
    """Give the area of an entity that tells where somebody is."""
    area = home.area_of(entity_id)
    return area.id if area and tells(home, entity_id) else None


def _hours_shown(row: DayRow) -> tuple[Ints, Ints]:
    """Give the elapsed seconds between which the wall clock shows one hour, and these hours: one fewer."""
    turns = [np.arange(-shift % 3600, row.seconds, 3600) for _, shift in row.clock]
    starts = [since for since, _ in row.clock if since < row.seconds]
    edges = np.unique(np.concatenate([*turns, starts, [0, row.seconds]])).astype(np.int64)
    return edges, wall_seconds(row.clock, edges[:-1]) // 3600 % _HOURS


def _packed(areas: tuple[str, ...], dwell: Ints, ways: Ints) -> Integers:
    """Pack seconds by (area, hour) and ways by (from, to, hour), leaving out what is zero."""
    spans, steps = np.flatnonzero(dwell), np.flatnonzero(ways)
    size = max(len(areas), 1)
    return Integers(
        areas,
        {
            "area": spans // _HOURS,
            "hour": spans % _HOURS,
            "seconds": dwell[spans],
            "from": steps // _HOURS // size,
            "to": steps // _HOURS % size,
            "at": steps % _HOURS,
            "count": ways[steps],
        },
    )


def _dwell(folded: list[Integers], areas: tuple[str, ...]) -> Ints:
    """Give the seconds by day, area and hour: shape (days, areas, 24)."""
    rank = {area: number for number, area in enumerate(areas)}
    seconds = np.zeros((len(folded), len(areas), _HOURS), np.int64)
    for place, day in enumerate(folded):
        number = np.array([rank.get(word, 0) for word in day.words], np.int64)
        if day["area"].size:
            seconds[place, number[day["area"]], day["hour"]] = day["seconds"]
    return seconds


def _went(folded: list[Integers], areas: tuple[str, ...]) -> Bools:
    """Tell on which days and in which hours somebody went from one area to another: shape (days, from, to, 24)."""
    rank = {area: number for number, area in enumerate(areas)}
    went = np.zeros((len(folded), len(areas), len(areas), _HOURS), bool)
    for place, day in enumerate(folded):
        number = np.array([rank.get(word, 0) for word in day.words], np.int64)
        if day["from"].size:
            went[place, number[day["from"]], number[day["to"]], day["at"]] = True
    return went


def _observed(history: History, areas: tuple[str, ...]) -> Bools:
    """Tell on which days something of each area was observed for most of the day: shape (days, areas)."""
    entities = sorted(frozenset().union(*(row.present for row in history.rows)))
    seen = np.zeros((len(history.rows), len(areas)), bool)
    for name in entities:
        area = _area_of(history.home, name)
        if area in areas:
            seen[:, areas.index(area)] |= history.cells(name).mean(axis=1) > 0.5
    return seen


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
    hours = np.arange(*span) % _HOURS
    return np.asarray(2 * used[:, hours].sum(axis=1) >= hours.size)


def _named(home: Home, area: str) -> str:
    name = words.plain(home.areas[area].name if area in home.areas else area)
    return f"the {name[:1].lower()}{name[1:]}"


def _told_use(history: History, use: _Span, seconds: Ints) -> Finding:
    hours = np.arange(use.start, use.end) % _HOURS
    minutes = round(float(np.median(seconds[use.kept][:, hours].sum(axis=1))) / 60)
    what = f"{_named(history.home, use.areas[0])} is in use, for about {words.span(60 * minutes)}"
    return _finding(history, use, what, {"minutes": minutes})


def _told_way(history: History, way: _Span) -> Finding:
    one, other = (_named(history.home, area) for area in way.areas)
    return _finding(history, way, f"somebody goes from {one} to {other}", {})


def _finding(history: History, span: _Span, what: str, more: dict[str, object]) -> Finding:
    kept, days = int(span.kept.sum()), int(span.counts.sum())
    low, high = share_interval(kept, days)
    hours = {"days": span.days, "start": span.start, "end": span.end % _HOURS}
    when = f"between {words.clock(60 * span.start)} and {words.clock(60 * span.end)}"
    return Finding(
        detector=Room.name,
        subject=span.areas,
        anchor=30 * (span.start + span.end) % 1440,
        measures={**hours, "dates": history.ordinals[span.kept].tolist(), **more},
        evidence=Evidence(kept=kept, observed=days, low=low, high=high),
        confidence=next_time(kept, days),
        stage=Stage.ESTABLISHED if kept >= 10 else Stage.EMERGING,
        sentence=f"{words.days(span.days)} {when} {what}",
    )
