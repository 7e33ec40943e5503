"""Things that happen at about the same time of the day."""

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar, Final

import msgspec
import numpy as np

from quotidian.detect import words
from quotidian.detect.base import Detector
from quotidian.detect.dayline import NOON, REFERENCES, SUN_REACH, DayLine, Mode, Search
from quotidian.detect.dayrow import CELL_MINUTES, DayRow, entity_of, state_of
from quotidian.detect.history import History
from quotidian.detect.rollup import by_entity, hours_of, sides
from quotidian.detect.statistics import LEVEL, around, next_time, q_values, share_interval
from quotidian.detect.things import RESTING, is_act
from quotidian.detect.timewindow import Window, only_ends, window_of
from quotidian.model import Evidence, Finding, Integers, Stage
from quotidian.model.arrays import Floats, Ints
from quotidian.model.day import DAY_MINUTES, wall_seconds
from quotidian.model.rollup import Figures

_SOON: Final = 30  #: minutes after a going on in which a going off says nothing more
_NEAR_SUN: Final = 60  #: minutes from the sun's event within which a time may be the sun's


class TimeOfDay(Detector):
    """Things that happen at about the same time of the day, by the clock or by the sun.

    Each token is tested with kernel J: on how many days does it occur within a window around an instant of a
    5-minute grid, against the chance of that if the instant were shifted by up to ``jitter`` both ways. Only days are
    counted, so a burst is one occurrence. The line of days is not cut at midnight. A token's p-value is its
    smallest, times all that was tried: windows, how many of them fit into a day, and over the weights of the class of
    days (``dayclass``) and of the reference; over all tokens the false discovery rate is controlled. A token may have
    several times a day. Of the windows that tell of the same time, the one with the most days beyond those of chance
    shows its times; its days are the class that describes them best, of the calendar or the home's own. A night
    belongs to the day before.

    What is told is the window that holds nine of ten of these times. A day counts as kept only when it falls into the
    window that the other days draw. As only what stands out is told, the intervals are wider than 95 %, by the
    share of tokens that are told: so the rate of intervals that miss is 5 % among those that were selected [2]_. A
    coming to rest that only ends what was begun has a length, and no time of its own: it is left out.

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
    surely
        The smallest lower end of the share's interval that is worth telling, in [0, 1).
    lead
        The lead in log-likelihood that decides the reference, in nats.
    kinds
        Whether days may be told by the kinds that are the home's own, such as days at home.

    Notes
    -----
    Subject: the token. Anchor: the minute of the day (for the sun: of the last day's event). Measures:
    ``reference``, ``days`` (class), ``minute`` (of the day, or after the sun's event), ``width`` (minutes either side
    that hold 90 % of the times), ``members``, ``times`` (the minute of each kept day, beyond 1440 past midnight),
    ``dates`` (their ordinals).

    Rolled up, of each entity that was observed, what people may have done: ``occurrences``, ``hourly_distribution``
    (24 counts), ``peak_hours`` (those with the largest count), ``states`` and ``states_times``, ``first`` and ``last``
    (minutes of the day), ``automated`` (what others did), ``frequency`` (occurrences in an observed hour),
    ``confidence`` (the share of the day in which it was observed). Of chatter only counts of all changes are
    known, and ``quarters``: in how many quarters of each hour there was one.

    References
    ----------
    .. [1] A. P. Dawid, Statistical Theory: The Prequential Approach, 1984.
    .. [2] Y. Benjamini, D. Yekutieli, False Discovery Rate-Adjusted Multiple Confidence Intervals, 2005.

    Examples
    --------
    >>> TimeOfDay(windows=(5, 15), lead=2.0).lead
    2.0
    >>> TimeOfDay(jitter=7)
    Traceback (most recent call last):
    ValueError: jitter and windows are positive multiples of 5 minutes, jitter above every window
    """

    name: ClassVar[str] = "time_of_day"

    def __init__(
        self,
        *,
        windows: tuple[int, ...] = (5, 15, 30, 45, 60),
        jitter: int = 240,
        false_discovery: float = 0.01,
        least_share: float = 0.5,
        least_lift: float = 3.0,
        surely: float = 0.3,
        lead: float = 3.0,
        kinds: bool = True,
    ) -> None:
        if any(m % CELL_MINUTES or m <= 0 for m in (*windows, jitter)) or jitter <= max(windows):
            raise ValueError("jitter and windows are positive multiples of 5 minutes, jitter above every window")
        if not (0 < false_discovery < 1 and 0 < least_share <= 1 and least_lift > 1 and 0 <= surely < 1 and lead >= 0):
            raise ValueError(
                "false_discovery, least_share, surely lie between 0 and 1, least_lift above 1, lead from 0 on"
            )
        self._search = Search(windows, jitter, false_discovery, least_share, least_lift, kinds)
        self.surely = surely
        self.lead = lead

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say when each entity that was observed changed."""
        del own
        every, learned, none = by_entity(row), by_entity(row, row.learned), np.empty(0, np.int64)
        told = {name: _times(row, every.get(name, none), learned.get(name, none)) for name in sorted(row.present)}
        told |= {name: {"occurrences": row.chatter[name], "quarters": hours} for name, hours in _quarters(row)}
        return {
            name: figures | _rates(row, name, row.chatter.get(name, learned.get(name, none).size))
            for name, figures in told.items()
        }

    def detect(self, history: History) -> list[Finding]:
        """Give each token's times of day, the most certain first."""
        if not history.rows:
            return []
        line = DayLine(history, self._search)
        tokens = [token for token in history.tokens if is_act(history.home, token)]
        found = [(token, mode) for token in tokens for mode in line.modes(entity_of(token), history.occurrences[token])]
        q = q_values(np.array([mode.p_value for _, mode in found]), len(tokens)).tolist()
        told = [
            _Told(token, mode, q_value, *self._window(history, line, mode))
            for (token, mode), q_value in zip(found, q, strict=True)
            if q_value <= self._search.level
        ]
        begun = [one for one in told if state_of(one.token) not in RESTING]
        told = [one for one in told if one in begun or not _only_ends(history, one, begun)]
        told = [one for one in told if self._often(one.kept, one.mode.observed)]
        level = 1 - (1 - LEVEL) * len(told) / max(len(found), len(tokens), 1)
        findings = [self._finding(history, one, level) for one in told]
        return sorted(findings, key=lambda finding: (-finding.evidence.low, finding.subject, finding.anchor))

    def _often(self, kept: int, observed: int) -> bool:
        return kept >= self._search.least_share * observed and share_interval(kept, observed)[0] >= self.surely

    def _window(self, history: History, line: DayLine, mode: Mode) -> tuple[str, Window]:
        """Name the reference of a mode, and give the window that holds nine of ten of its days."""
        reference = self._reference(history, line, mode)
        axis = "clock" if reference == "undecided" else reference
        return reference, window_of(line.by(axis, mode.places, mode.times) - (NOON if axis != "clock" else 0))

    def _finding(self, history: History, told: "_Told", level: float) -> Finding:
        mode, window, reference = told.mode, told.window, told.reference
        axis = "clock" if reference == "undecided" else reference
        last = history.sun(axis)[mode.places[-1]] if axis != "clock" else 0
        minute = window.minute % DAY_MINUTES if axis == "clock" else window.minute
        late = axis == "clock" and window.minute >= DAY_MINUTES
        days = words.nights(mode.days) if late else words.days(mode.days)
        low, high = share_interval(told.kept, mode.observed, level)
        members = history.members[told.token]
        return Finding(
            detector=self.name,
            subject=(told.token,),
            anchor=int(minute + last) % DAY_MINUTES,
            measures={
                "reference": reference,
                "days": mode.days,
                "minute": minute,
                "width": window.width,
                "members": list(members),
                "times": np.round(window.times[window.kept]).astype(int).tolist(),
                "dates": history.ordinals[mode.places[window.kept]].tolist(),
            },
            evidence=Evidence(
                kept=told.kept,
                observed=mode.observed,
                low=low,
                high=high,
                q_value=told.q_value,
                lift=mode.kept / mode.expected if mode.expected else None,
            ),
            confidence=next_time(told.kept, mode.observed),
            stage=Stage.ESTABLISHED if told.kept >= 10 else Stage.EMERGING,
            sentence=_sentence(words.acts(history.home, members), days, reference, minute, window.width),
        )

    def _reference(self, history: History, line: DayLine, mode: Mode) -> str:
        """Name the reference that foretells best; near a sun that has not moved enough to tell, none."""
        scores = {"clock": _forward(mode.times)}
        for name in REFERENCES[1:]:
            if history.sun(name).min() < 0:
                continue
            apart = abs(float(np.median(around(mode.times - history.sun(name)[mode.places], 0))))
            if apart <= SUN_REACH and line.moved(name):
                scores[name] = _forward(line.by(name, mode.places, mode.times))
            elif apart <= _NEAR_SUN:
                return "undecided"
        best = max(scores, key=lambda name: (scores[name], name == "clock"))
        others = [score for name, score in scores.items() if name != best]
        return best if not others or scores[best] - max(others) > self.lead else "undecided"


class _Told(msgspec.Struct, frozen=True, eq=False):
    """A time of day that is told: of a token, with its reference and window."""

    token: str
    mode: Mode
    q_value: float
    reference: str
    window: Window

    @property
    def kept(self) -> int:
        """On how many days it fell into the window that the other days draw."""
        return int(self.window.kept.sum())

    @property
    def minute(self) -> float:
        """The time by the clock."""
        return float(np.median(self.mode.times))


def _only_ends(history: History, one: _Told, begun: list[_Told]) -> bool:
    """Tell whether a coming to rest is soon after a time of its beginning, or only ends what was begun."""
    entity = entity_of(one.token)
    soon = any(entity_of(it.token) == entity and (one.minute - it.minute) % DAY_MINUTES <= _SOON for it in begun)
    return soon or only_ends(history, one.token, one.mode.places, one.mode.times)


def _forward(times: Floats) -> float:
    """Score in nats how well each time from the fifth on follows from those before it: normal, with their moments."""
    count = np.arange(1, times.size)
    mean = np.cumsum(times)[:-1] / count
    spread = np.maximum(np.cumsum(times**2)[:-1] / count - mean**2, 0.0) * count / np.maximum(count - 1, 1)
    variance = (spread + 1.0) * (1 + 1 / count)
    score = -0.5 * ((times[1:] - mean) ** 2 / variance + np.log(2 * np.pi * variance))
    return float(score[3:].sum())


def _sentence(what: str, days: str, reference: str, minute: int, width: int) -> str:
    unsure = ", by the clock or by the sun" if reference == "undecided" else ""
    if reference in ("clock", "undecided"):
        when = f"about {words.clock(minute)}"
    elif abs(minute) < CELL_MINUTES:
        when = f"about {reference}"
    else:
        when = f"about {words.span(abs(minute) * 60)} {'after' if minute > 0 else 'before'} {reference}"
    return f"{days} {when} (± {width} min{unsure}) {what}"


def _times(row: DayRow, every: Ints, learned: Ints) -> Figures:
    """Say when an entity changed, given the places of all its changes, and of those that people may have caused."""
    hours = hours_of(row, learned)
    figures: Figures = {
        "occurrences": int(learned.size),
        "automated": int(every.size - learned.size),
        "hourly_distribution": hours.tolist(),
        "peak_hours": np.flatnonzero((hours > 0) & (hours == hours.max())).tolist(),
        **sides("states", Counter(state_of(row.tokens[token]) for token in row.token[learned].tolist())),
    }
    if learned.size:
        minutes = row.wall[learned] // 60
        figures |= {"first": int(minutes.min()), "last": int(minutes.max())}
    return figures


def _rates(row: DayRow, entity_id: str, occurrences: int) -> Figures:
    observed = row.observed_seconds(entity_id)
    often = 3600 * occurrences / observed if observed else 0.0
    return {"frequency": round(often, 4), "confidence": round(observed / row.seconds, 4)}


def _quarters(row: DayRow) -> Iterator[tuple[str, list[int]]]:
    """Count the quarters of each wall hour in which an entity that chatters changed."""
    for name, quarters in row.quarters.items():
        hours = wall_seconds(row.clock, 900 * np.flatnonzero(quarters)) // 3600
        yield name, np.bincount(np.clip(hours, 0, 23), minlength=24).tolist()
