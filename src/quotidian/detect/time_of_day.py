"""Things that happen at about the same time of the day."""

from collections.abc import Iterator
from typing import ClassVar, Final

import msgspec
import numpy as np

from quotidian.detect import words
from quotidian.detect.base import Detector
from quotidian.detect.dayrow import CELL_MINUTES, DAY_CELLS, entity_of, state_of
from quotidian.detect.dayview import RESTING
from quotidian.detect.history import History
from quotidian.detect.statistics import DAY, ONE, around, at_least, next_time, q_values, share_interval
from quotidian.model import Evidence, Finding, Stage
from quotidian.model.arrays import Bools, Floats, Ints

REFERENCES: Final = ("clock", "sunrise", "sunset")
_NOON: Final = 720  #: where the sun's event is put on its own axis, in minutes
_SUN_REACH: Final = 240  #: minutes before and after the sun's event in which it may be what people go by
_LEAST_DAYS: Final = 3
_SOON: Final = 30  #: minutes after a going on in which a going off says nothing more
_MOST_TIMES: Final = 4


class _Axis(msgspec.Struct, frozen=True):
    """One token's occurrences along a line of calendar days of 288 cells.

    ``minutes`` counts from the line's beginning, ``cells`` is how many occurrences each cell has, ``observed`` tells
    which cells were observed; ``places`` gives the line's day of each day of the history.
    """

    minutes: Ints
    cells: Ints
    observed: Bools
    places: Ints


class _Mode(msgspec.Struct, frozen=True):
    """A time of day at which a token occurs more often than chance has it."""

    reference: str
    days: str
    cell: int
    window: int
    p_value: float
    kept: int
    observed: int
    expected: float


class TimeOfDay(Detector):
    """Things that happen at about the same time of the day, by the clock or by the sun.

    Each token is tested with kernel J: on how many days does it occur within a window around an instant of a
    5-minute grid, against the chance of that if the instant were shifted by up to ``jitter`` both ways. Only days are
    counted, so a burst is one occurrence. The line of days is not cut at midnight. A token's p-value is its
    smallest, times all that was tried: windows, classes of days, references, and how many windows fit into a day;
    over all tokens the false discovery rate is controlled. What is found is
    then taken out, and the rest searched for a further time.

    Clock or sun is decided by forward (prequential) log-likelihood [1]_: whichever foretold each day's time better
    from the days before it, by more than ``lead`` nats; else the reference is ``undecided``, and the clock is named.

    Parameters
    ----------
    windows
        Half-widths tried, in minutes, multiples of 5.
    jitter
        How far instants are shifted to see what chance does, in minutes, a multiple of 5.
    false_discovery
        The rate that is controlled over all tokens, in (0, 1).
    least_share
        The smallest share of days that is worth telling, in (0, 1].
    least_lift
        The smallest ratio of kept days to those that chance would give, above 1.
    lead
        The lead in log-likelihood that decides the reference, in nats.

    Notes
    -----
    Subject: the token. Anchor: the minute of the day (for the sun: of the last day's event). Measures:
    ``reference``, ``days`` (class), ``minute`` (of the day, or after the sun's event), ``width`` (minutes either side
    that hold 80 % of the kept days), ``members``, ``times`` (the minute of each kept day), ``dates`` (their ordinals).

    References
    ----------
    .. [1] A. P. Dawid, Statistical Theory: The Prequential Approach, 1984.

    Examples
    --------
    >>> TimeOfDay(windows=(5, 15)).windows
    (5, 15)
    >>> TimeOfDay(jitter=7)
    Traceback (most recent call last):
    ValueError: jitter and windows are positive multiples of 5 minutes, jitter above every window
    """

    name: ClassVar[str] = "time_of_day"

    def __init__(
        self,
        *,
        windows: tuple[int, ...] = (5, 15, 30, 60),
        jitter: int = 180,
        false_discovery: float = 0.01,
        least_share: float = 0.5,
        least_lift: float = 2.5,
        lead: float = 3.0,
    ) -> None:
        if any(m % CELL_MINUTES or m <= 0 for m in (*windows, jitter)) or jitter <= max(windows):
            raise ValueError("jitter and windows are positive multiples of 5 minutes, jitter above every window")
        if not (0 < false_discovery < 1 and 0 < least_share <= 1 and least_lift > 1 and lead >= 0):
            raise ValueError("false_discovery and least_share lie between 0 and 1, least_lift above 1, lead from 0 on")
        self.windows = windows
        self.jitter = jitter
        self.false_discovery = false_discovery
        self.least_share = least_share
        self.least_lift = least_lift
        self.lead = lead

    def detect(self, history: History) -> list[Finding]:
        """Give each token's times of day, the most certain first."""
        if not history.rows:
            return []
        found = [(token, *mode) for token in history.tokens for mode in self._search(history, token)]
        q = q_values(np.array([mode.p_value for _, _, mode in found]), max(len(history.tokens), len(found)))
        kept = [
            self._finding(history, token, axes, mode, q_value)
            for (token, axes, mode), q_value in zip(found, q.tolist(), strict=True)
            if q_value <= self.false_discovery
        ]
        return sorted(_told_once(kept), key=lambda finding: (-finding.evidence.low, finding.subject, finding.anchor))

    # searching

    def _search(self, history: History, token: str) -> Iterator[tuple[dict[str, _Axis], _Mode]]:
        """Find a token's best time, take it out, and look again: at most four times a day."""
        left = history.occurrences[token]
        for _ in range(_MOST_TIMES):
            if not self._worth_testing(history, token, left):
                return
            axes = {"clock": _axis(history, token, left, "clock")}
            modes = self._best(history, "clock", axes["clock"])
            if not modes:
                return
            for name in REFERENCES[1:]:
                if history.sun(name).min() >= 0:
                    axes[name] = _axis(history, token, left, name)
                    modes += self._best(history, name, axes[name])
            best = min(modes, key=lambda mode: (mode.p_value, REFERENCES.index(mode.reference)))
            if best.p_value >= self.false_discovery:
                return
            yield axes, best
            left = self._without(history, axes[best.reference], best, left)

    def _worth_testing(self, history: History, token: str, left: Ints) -> bool:
        """Look whether any class of days has any hour that could reach the least share."""
        timeline, present = history.timeline, history.present(entity_of(token))
        hours = np.zeros((len(history.rows), 24), bool)
        hours[timeline.day[left], np.clip(timeline.wall[left] // 3600, 0, 23)] = True
        # Four hours hold every window of an hour either side, wherever the hours begin and the sun moves.
        wide = np.logical_or.reduce([np.roll(hours, shift, axis=1) for shift in (-1, 0, 1, 2)])
        return any(
            int(wide[mask].sum(axis=0).max(initial=0))
            >= max(_LEAST_DAYS, 0.8 * self.least_share * int((mask & present).sum()))
            for mask in history.classes.values()
        )

    def _best(self, history: History, reference: str, axis: _Axis) -> list[_Mode]:
        """Give the best time for each window in which some time could be worth telling."""
        masks, names = np.stack(list(history.classes.values())).astype(np.float64), list(history.classes)
        modes = []
        for window in self.windows:
            kept, expected, days = ((masks @ part).astype(np.int64) for part in self._kernel(axis, window))
            likely = (
                (kept >= _LEAST_DAYS) & (kept >= self.least_share * days) & (kept * ONE >= self.least_lift * expected)
            )
            if reference != "clock":
                likely[:, np.abs(np.arange(DAY_CELLS) * CELL_MINUTES - _NOON) > _SUN_REACH] = False
            if not likely.any():
                continue
            p = at_least(kept[likely], days[likely], expected[likely])
            classes, cells = np.nonzero(likely)
            first = int(np.argmin(p))
            place, cell = int(classes[first]), int(cells[first])
            tried = len(self.windows) * len(names) * len(REFERENCES) * DAY // (2 * window)
            modes.append(
                _Mode(
                    reference=reference,
                    days=names[place],
                    cell=cell,
                    window=window,
                    p_value=min(float(p[first]) * tried, 1.0),
                    kept=int(kept[place, cell]),
                    observed=int(days[place, cell]),
                    expected=float(expected[place, cell]) / ONE,
                )
            )
        return modes

    def _kernel(self, axis: _Axis, window: int) -> tuple[Floats, Floats, Floats]:
        """Give for each day and grid instant whether it was hit, its chance in 16 bits, and whether it counts.

        Shape of each: (days, 288). An instant counts where every cell of its window was observed.
        """
        half, jitter = window // CELL_MINUTES, self.jitter // CELL_MINUTES
        hit = _within(axis.cells, half) > 0
        counts = _within((~axis.observed).astype(np.int64), half) == 0
        cover = _within(hit.astype(np.int64), jitter)
        chance = ONE - (ONE * (2 * jitter - cover)) // (2 * jitter)
        days = (hit & counts, np.where(counts, chance, 0), counts)
        hits, chances, seen = (part.reshape(-1, DAY_CELLS)[axis.places].astype(np.float64) for part in days)
        return hits, chances, seen

    def _without(self, history: History, axis: _Axis, mode: _Mode, left: Ints) -> Ints:
        """Take the occurrences near a mode away, on the days of its class."""
        centre = mode.cell * CELL_MINUTES
        near = np.abs(around(axis.minutes, centre)) <= max(2 * mode.window, 30)
        of_class = np.zeros(int(axis.places[-1]) + 3, bool)
        of_class[axis.places] = history.classes[mode.days]
        return left[~(near & of_class[np.round((axis.minutes - centre) / DAY).astype(np.int64)])]

    # telling

    def _finding(self, history: History, token: str, axes: dict[str, _Axis], mode: _Mode, q_value: float) -> Finding:
        places, times = _kept(history, axes[mode.reference], mode)
        reference, mode, places, times = self._decided(history, axes, mode, places, times)
        centre = float(np.median(times))
        width = max(float(np.quantile(np.abs(times - centre), 0.8)), 1.0)
        sunny = mode.reference != "clock"
        minute = round(centre) - _NOON if sunny else round(centre) % DAY
        anchor = minute
        if sunny:
            anchor = int(minute + history.sun(mode.reference)[places[-1]]) % DAY
        low, high = share_interval(mode.kept, mode.observed)
        members = history.members[token]
        return Finding(
            detector=self.name,
            subject=(token,),
            anchor=anchor,
            measures={
                "reference": reference,
                "days": mode.days,
                "minute": minute,
                "width": round(width),
                "members": list(members),
                "times": [round(float(time)) - (_NOON if sunny else 0) for time in times],
                "dates": history.ordinals[places].tolist(),
            },
            evidence=Evidence(
                kept=mode.kept,
                observed=mode.observed,
                low=low,
                high=high,
                q_value=q_value,
                lift=mode.kept / mode.expected if mode.expected else None,
            ),
            confidence=next_time(mode.kept, mode.observed),
            stage=Stage.ESTABLISHED if mode.kept >= 10 else Stage.EMERGING,
            sentence=_sentence(words.acts(history.home, members), mode, reference, minute, width),
        )

    def _decided(
        self, history: History, axes: dict[str, _Axis], mode: _Mode, places: Ints, times: Floats
    ) -> tuple[str, _Mode, Ints, Floats]:
        """Name the reference that foretells best, and give the mode's times by it."""
        scores = {"clock": _forward(_by(history, "clock", mode, places, times))}
        for name in REFERENCES[1:]:
            if name in axes and _moved(history, name, places) >= 20:
                scores[name] = _forward(_by(history, name, mode, places, times))
        best = max(scores, key=lambda name: (scores[name], name == "clock"))
        others = [score for name, score in scores.items() if name != best]
        decided = not others and mode.reference == "clock"
        decided = decided or (bool(others) and scores[best] - max(others) > self.lead)
        named = best if decided else "clock"
        times = _by(history, named, mode, places, times)
        return (named if decided else "undecided"), msgspec.structs.replace(mode, reference=named), places, times


def _told_once(findings: list[Finding]) -> list[Finding]:
    """Leave out a going off that follows a going on of the same thing within half an hour: its duration says it."""
    begun = [one for one in findings if state_of(one.subject[0]) not in RESTING]
    return [one for one in findings if one in begun or not any(_follows(one, other) for other in begun)]


def _follows(one: Finding, other: Finding) -> bool:
    if entity_of(one.subject[0]) != entity_of(other.subject[0]) or one.anchor is None or other.anchor is None:
        return False
    return one.measures["days"] == other.measures["days"] and (one.anchor - other.anchor) % DAY <= _SOON


def _axis(history: History, token: str, left: Ints, reference: str) -> _Axis:
    """Lay a token's occurrences along the line of days, by the clock or so that the sun's event is at noon."""
    timeline, ordinals = history.timeline, history.ordinals
    places = ordinals - ordinals[0] + 1  # an empty day before and one after
    size = int(places[-1] + 2) * DAY_CELLS
    observed = np.zeros((size // DAY_CELLS, DAY_CELLS), bool)
    observed[places] = history.cells(entity_of(token))
    minutes = places[timeline.day[left]] * DAY + timeline.wall[left] // 60
    if reference != "clock":
        events = history.sun(reference)
        minutes = minutes - events[timeline.day[left]] + _NOON
        observed = _shifted(observed, places, (events - _NOON) // CELL_MINUTES)
    minutes = np.clip(minutes, 0, size * CELL_MINUTES - 1)
    cells = np.bincount(minutes // CELL_MINUTES, minlength=size)
    return _Axis(minutes, cells, observed.reshape(-1), places)


def _shifted(observed: Bools, places: Ints, cells: Ints) -> Bools:
    """Move each day's observed cells back by so many cells along the line of days."""
    shift = np.zeros(observed.shape[0], np.int64)
    shift[places] = cells
    seen = np.flatnonzero(observed)
    line = np.zeros(observed.size, bool)
    line[np.clip(seen - shift[seen // DAY_CELLS], 0, observed.size - 1)] = True
    return line


def _within(counts: Ints, half: int) -> Ints:
    """Sum over the cells within ``half`` either side of each cell's left edge."""
    total = np.concatenate([np.zeros(half + 1, np.int64), np.cumsum(counts)])
    total = np.concatenate([total, np.full(half, total[-1])])
    return np.asarray(total[2 * half : 2 * half + counts.size] - total[: counts.size])


def _kept(history: History, axis: _Axis, mode: _Mode) -> tuple[Ints, Floats]:
    """Give the days of the class that were kept, and the time nearest to the mode on each (minutes on its axis)."""
    mask = history.classes[mode.days]
    centre = axis.places * DAY + mode.cell * CELL_MINUTES
    order = np.sort(axis.minutes)
    after = np.clip(np.searchsorted(order, centre), 1, max(order.size - 1, 1))
    before, behind = order[after - 1] - centre, order[np.minimum(after, order.size - 1)] - centre
    nearest = np.where(np.abs(before) <= np.abs(behind), before, behind)
    places = np.flatnonzero(mask & (np.abs(nearest) <= mode.window))
    return places, (nearest[places] + mode.cell * CELL_MINUTES).astype(np.float64)


def _by(history: History, reference: str, mode: _Mode, places: Ints, times: Floats) -> Floats:
    """Turn times on the mode's axis into times on another reference's axis."""
    clock = times if mode.reference == "clock" else times - _NOON + history.sun(mode.reference)[places]
    return np.asarray(clock if reference == "clock" else clock + _NOON - history.sun(reference)[places])


def _moved(history: History, reference: str, places: Ints) -> int:
    return int(np.ptp(history.sun(reference)[places]))


def _forward(times: Floats) -> float:
    """Score in nats how well each time from the fifth on follows from those before it: Laplace around their median."""
    score = 0.0
    for place in range(4, times.size):
        before = times[:place]
        centre = float(np.median(before))
        scale = float(np.abs(before - centre).mean()) * place / (place - 1) + 1.0
        score -= abs(float(times[place]) - centre) / scale + float(np.log(2 * scale))
    return score


def _sentence(what: str, mode: _Mode, reference: str, minute: int, width: float) -> str:
    if mode.reference == "clock":
        when = f"about {words.clock(minute)}"
    elif abs(minute) < 5:
        when = f"about {mode.reference}"
    else:
        when = f"about {words.span(abs(minute) * 60)} {'after' if minute > 0 else 'before'} {mode.reference}"
    unsure = ", by the clock or by the sun" if reference == "undecided" else ""
    return f"{words.days(mode.days)} {when} (± {round(width)} min{unsure}) {what}"
