"""Things that people do when it is cold, when it is dark, or when nobody is at home."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar, Final

import msgspec
import numpy as np

from quotidian.detect import words
from quotidian.detect.base import Cadence, Detector
from quotidian.detect.darkness import Lit, darkness, lead_over_dates
from quotidian.detect.dayrow import DayRow, entity_of, state_of
from quotidian.detect.dayview import DayView
from quotidian.detect.dependence import (
    Days,
    Dependence,
    below_by_other_weeks,
    cuts_of,
    dependence,
    lead_over_a_step,
    refined,
    shifted_ratio,
)
from quotidian.detect.history import WEEKDAYS, History
from quotidian.detect.levels import DAY_HOURS, PRESENCE, SUN, UNKNOWN_LEVEL, levels_of, light_at
from quotidian.detect.statistics import LEVEL, next_time, q_values, share_interval
from quotidian.detect.things import ACTUATORS, ENDS
from quotidian.model import Carry, Evidence, Finding, Home, Integers, Stage
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.home import domain_of
from quotidian.model.rollup import Figures

_ENDS_SHARE: Final = 0.8  #: of its days on which the other state was entered, too

_HOURS: Final = 3  #: in a row, in which an act is looked at
_LEAST_ACTED: Final = 10  #: days with the action, and days without
_LEAST_WIDTH: Final = 20  #: minutes around an act's usual time
_SPREADS: Final = 4.5  #: median distances from it; were they normal, three standard deviations


class _Act(msgspec.Struct, frozen=True):
    """An act worth testing: its usual hours, how often it came in each, on which days it came and could have.

    ``minute`` and ``day`` are the wall minute and the day (position) of each time at which it came in these hours;
    ``by_sun`` tells that these times follow the sun.
    """

    token: str
    hours: Ints
    times: Ints
    came: Bools
    could: Bools
    minute: Floats
    day: Ints
    by_sun: bool


class _Tried(msgspec.Struct, frozen=True, dict=True):
    """An act and a context, and what was found of them; the context of the lowest rank goes before."""

    act: _Act
    context: str
    days: Days
    found: Dependence
    rank: int

    @cached_property
    def below(self) -> Bools:
        """Which days count as below the threshold, as far as it is one that days drew: other days."""
        if self.context in (PRESENCE, SUN):
            return self.days.level < self.found.cut
        return below_by_other_weeks(self.days, self.found)


class Contextual(Detector):
    """What people do depending on temperature, light, darkness or nobody being there, given the hour.

    Each action is looked at in the three hours in a row in which it comes on most days. By days, a logistic regression
    on a smooth season (a cubic in the date, which changes slowly), weekends and a threshold on the context's level is
    compared with one without the threshold; twice the gain in log-likelihood is held against chi-square [1]_, its tail
    multiplied by the number of thresholds tried. For presence each weekday counts as a kind of day, as who is there
    follows the week. Darkness is a season itself: there both are without one, and the act is looked at around its usual
    time, at whose very moment it was light or dark. Beside false discoveries, three things must hold:

    - the shares of days with the action on the two sides differ by ``effect``;
    - the threshold leads by ``lead`` nats over a habit that merely began or ended on some date, each paying for the
      number of possibilities by its logarithm: so darkness, which crosses an hour on one date, is told only when the
      habit changed on that very date; darkness leads over a smooth season, too;
    - no level that keeps its season, with the rest shifted by a week or more, comes within ``margin`` of its gain; this
      is not asked of darkness.

    Who is not there does nothing by hand, so of presence only what is done when nobody is at home is told. What follows
    the sun through the hours does not wait for light or dark at one of them, and is not tested with either.

    A day counts to the side of the threshold that the days of other weeks draw, so that shares are as good as new days
    will show. Only what stands out is told, so with R of m things told the interval has the level 1 - 0.05 R/m [2]_.

    Parameters
    ----------
    days
        So many observed days are needed, at least 28.
    false_discovery
        The rate that is controlled over all pairs of an action and a context, in (0, 1).
    margin
        How many times the largest gain of shifted levels the true one must be, at least 1.
    effect
        The least difference between the shares of days on the two sides of the threshold, in (0, 1).
    least_lift
        The smallest ratio of these shares that is worth telling, above 1.
    lead
        By how many nats the threshold must explain the days better than a date does, at least 0; 2 are seven to one.

    Notes
    -----
    Subject: the token, the context (a sensor, ``presence`` or ``sun``) and ``below`` or ``above``. Anchor: none.
    Measures: ``threshold`` (°C, lx, persons at home; 0 is the horizon), ``threshold_low`` and ``threshold_high``
    (what the likelihood leaves open at 90 %), ``context``, ``side``, ``hours`` (the three wall hours in which the
    action is looked at; of darkness the usual ``minute`` of the day instead, and ``width``, minutes on either side),
    ``otherwise`` (days with the action, days, on the other side), ``members``.

    Contexts are sensors of device class ``temperature`` and ``illuminance`` (no rule goes by names), persons, and the
    sun. Of each kind of sensor the one that varies most from day to day, which is the weather's, and that of the
    action's room are tested; the sun is told rather than light, the weather rather than sun or room. Kept a day, by
    wall hour: temperature in half degrees Celsius, illuminance in powers of two, persons at home, and how far the sun
    is from rising or setting in tenths of a minute, negative in the dark. A level is read before the hour begins, so
    that what an action does to its context (the heater warms the room, the lamp lights it) is not mistaken for its
    reason; the sun's in its middle.

    Rolled up, of each such sensor, and of ``home`` for how many persons are there: the ``hours`` at whose beginning a
    level was known, the ``levels`` as they are kept, ``lowest`` and ``highest``.

    References
    ----------
    .. [1] S. S. Wilks, The Large-Sample Distribution of the Likelihood Ratio for Testing Composite Hypotheses, 1938.
    .. [2] Y. Benjamini, D. Yekutieli, False Discovery Rate-Adjusted Multiple Confidence Intervals for Selected
       Parameters, 2005.

    Examples
    --------
    >>> Contextual(effect=0.4).effect
    0.4
    >>> Contextual(days=10)
    Traceback (most recent call last):
    ValueError: days is at least 28, margin at least 1
    """

    name: ClassVar[str] = "contextual"
    version: ClassVar[int] = 3
    cadence: ClassVar[Cadence] = Cadence.MONTHLY
    keeps: ClassVar[bool] = True

    def __init__(
        self,
        *,
        days: int = 42,
        false_discovery: float = 0.01,
        margin: float = 1.3,
        effect: float = 0.3,
        least_lift: float = 2.0,
        lead: float = 2.0,
    ) -> None:
        if days < 28 or margin < 1:
            raise ValueError("days is at least 28, margin at least 1")
        if lead < 0:
            raise ValueError("lead is at least 0")
        if least_lift <= 1:
            raise ValueError("least_lift is above 1")
        if not (0 < false_discovery < 1 and 0 < effect < 1):
            raise ValueError("false_discovery and effect lie between 0 and 1")
        self.days = days
        self.false_discovery = false_discovery
        self.margin = margin
        self.effect = effect
        self.least_lift = least_lift
        self.lead = lead

    # folding

    def fold(self, day: DayView, carry: Carry) -> tuple[Integers, Carry]:
        """Keep each context's level at the beginning of each wall hour; hand on the last readings and who is where."""
        return levels_of(day, carry)

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say what was measured at the beginning of each hour, and how many persons were at home."""
        del row
        figures: dict[str, Figures] = {}
        for context, levels in zip(own.words, own["level"].reshape(-1, DAY_HOURS), strict=True):
            hours = np.flatnonzero(levels != UNKNOWN_LEVEL)
            if hours.size and context != SUN:
                known = levels[hours]
                told = {"hours": hours.tolist(), "levels": known.tolist()}
                subject = "home" if context == PRESENCE else context
                figures[subject] = {**told, "lowest": int(known.min()), "highest": int(known.max())}
        return figures

    # detecting

    def detect(self, history: History) -> list[Finding]:
        """Give the actions that depend on a context, the strongest first."""
        if len(history.rows) < self.days:
            return []
        contexts, levels = _levels(history, self.summary(history).days)
        tried = []
        for act in _acts(history):
            for place, rank in _chosen(history, act, contexts, levels).items():
                days = self._days(history, act, contexts[place], levels[place])
                if days is not None and (found := _depends(contexts[place], days)) is not None:
                    tried.append(_Tried(act, contexts[place], days, found, rank))
        q = q_values(np.array([one.found.p_value for one in tried]), len(tried)).tolist()
        holding = [
            (one.rank, chance, place)
            for place, (one, chance) in enumerate(zip(tried, q, strict=True))
            if chance <= self.false_discovery and self._holds(one)
        ]
        best: dict[str, tuple[_Tried, float]] = {}
        for _, chance, place in sorted(holding):
            best.setdefault(entity_of(tried[place].act.token), (tried[place], chance))
        looked_at = len({entity_of(one.act.token) for one in tried})
        level = 1 - (1 - LEVEL) * len(best) / max(looked_at, 1)
        findings = [_finding(history, one, chance, level) for one, chance in best.values()]
        return sorted(findings, key=lambda one: (-one.evidence.low, one.subject))

    def _days(self, history: History, act: _Act, context: str, levels: Ints) -> Days | None:
        """Give the days on which an act could come and the context was known in half of its times."""
        if context == SUN:
            return self._lit(history, act, levels)
        usable = levels[:, act.hours] != UNKNOWN_LEVEL
        weights = usable * act.times
        known = act.could & (2 * weights.sum(axis=1) >= act.times.sum())
        if known.sum() < self.days:
            return None
        total = (weights * levels[:, act.hours]).sum(axis=1)[known]
        level = np.round(total / weights.sum(axis=1)[known]).astype(np.int64)
        # Who is at home follows the week, so there each weekday is a kind of its own.
        names = (*WEEKDAYS[:-1], "weekends") if context == PRESENCE else ("weekends",)
        kinds = np.stack([history.calendar[name][known] for name in names], axis=1)
        return Days(history.ordinals[known], act.came[known], level, kinds)

    def _lit(self, history: History, act: _Act, levels: Ints) -> Lit | None:
        """Give the days on which an act could come, by how dark it was then; none for an act around midnight."""
        if np.ptp(act.hours) >= _HOURS:
            return None
        minute = int(np.median(act.minute))
        apart = np.abs(act.minute - minute)
        width = max(_LEAST_WIDTH, int(np.ceil(_SPREADS * np.median(apart))))
        minutes, day = act.minute[apart <= width], act.day[apart <= width]
        light = light_at(levels, np.append(minutes, minute))
        known = act.could & ~np.isnan(light).any(axis=1)
        if known.sum() < self.days:
            return None
        dark = light[:, :-1] < 0
        counted = dark.mean(axis=1)
        acted, first = np.unique(day, return_index=True)
        counted[acted] = dark[acted, first]
        return Lit(
            ordinal=history.ordinals[known],
            acted=np.isin(np.arange(known.size), acted)[known],
            level=np.floor(light[known, -1]).astype(np.int64),
            kinds=history.calendar["weekends"][known, None],
            dark=counted[known],
            minute=minute,
            width=width,
        )

    def _holds(self, tried: _Tried) -> bool:
        """Tell whether a dependence is large, and explained neither by a date nor by a season."""
        days, found = tried.days, tried.found
        if not self._large(days, days.level < found.cut):
            return False
        if tried.context == PRESENCE and not found.more_below:
            return False  # who is not there does nothing by hand
        if isinstance(days, Lit):
            return lead_over_dates(days) >= self.lead
        if lead_over_a_step(days, found) < self.lead or found.ratio < self.margin * shifted_ratio(days):
            return False
        return self._large(days, tried.below)

    def _large(self, days: Days, below: Bools) -> bool:
        """Tell whether the shares of days with the act differ enough on the two sides."""
        acted, counts = _sides(days, below)
        if not min(counts):
            return False
        less, more = sorted((acted[0] / counts[0], acted[1] / counts[1]))
        return more - less >= self.effect and more >= self.least_lift * less


def _depends(context: str, days: Days) -> Dependence | None:
    if min(int(days.acted.sum()), int((~days.acted).sum())) < _LEAST_ACTED:
        return None
    if isinstance(days, Lit):
        return darkness(days)
    return dependence(days, np.array([1]) if context == PRESENCE else cuts_of(days.level))


def _sides(days: Days, below: Bools) -> tuple[tuple[int, int], tuple[int, int]]:
    """Count days with the act, and days, below the threshold and from it on."""
    low, count = int(days.acted[below].sum()), int(below.sum())
    return (low, int(days.acted.sum()) - low), (count, below.size - count)


def _acts(history: History) -> Iterator[_Act]:
    """Give the actions worth testing, each in the three hours in a row in which it comes on most days."""
    timeline, days = history.timeline, len(history.rows)
    acts = np.zeros((len(history.tokens), days, DAY_HOURS), bool)
    hour = np.clip(timeline.wall // 3600, 0, DAY_HOURS - 1)
    acts[timeline.token, timeline.day, hour] = True
    for place, token in enumerate(history.tokens):
        if domain_of(token) not in ACTUATORS or _ends(history.tokens, acts, place):
            continue
        near = [acts[place] | np.roll(acts[place], -1, axis=1) | np.roll(acts[place], -2, axis=1)]
        first = int(near[0].sum(axis=0).argmax())
        hours = (first + np.arange(_HOURS)) % DAY_HOURS
        came = acts[place][:, hours]
        seen = history.cells(entity_of(token)).reshape(days, DAY_HOURS, -1)[:, hours].all(axis=(1, 2))
        rows = history.occurrences[token]
        rows = rows[np.isin(hour[rows], hours)]
        minute, day = timeline.wall[rows] / 60, timeline.day[rows]
        by_sun = any(_follows(minute, history.sun(event)[day]) for event in ("sunrise", "sunset"))
        yield _Act(token, hours, came.sum(axis=0), came.any(axis=1), seen & history.lived, minute, day, by_sun)


def _follows(minutes: Floats, sun: Ints) -> bool:
    """Tell whether times keep much closer to sunrise or sunset (wall minutes on their days) than to the clock."""
    return 2 * _spread(minutes - sun) < _spread(minutes)


def _spread(minutes: Floats) -> float:
    return float(np.median(np.abs(minutes - np.median(minutes))))


def _ends(tokens: tuple[str, ...], acts: Bools, place: int) -> bool:
    """Tell whether a token only ends what another token of its entity began on the same day."""
    if state_of(tokens[place]) not in ENDS:
        return False
    days, entity = acts[place].any(axis=1), entity_of(tokens[place])
    others = (other for other, token in enumerate(tokens) if other != place and entity_of(token) == entity)
    return any(int((acts[other].any(axis=1) & days).sum()) >= _ENDS_SHARE * int(days.sum()) for other in others)


def _levels(history: History, days: dict[int, Integers]) -> tuple[list[str], Ints]:
    """Give the contexts and their levels: shape (contexts, days, 24)."""
    kept = [days.get(row.ordinal, Integers()) for row in history.rows]
    contexts = sorted({context for day in kept for context in day.words})
    place = {context: number for number, context in enumerate(contexts)}
    levels = np.full((len(contexts), len(kept), DAY_HOURS), UNKNOWN_LEVEL, np.int64)
    for number, day in enumerate(kept):
        for row, context in enumerate(day.words):
            levels[place[context], number] = day["level"][row * DAY_HOURS : (row + 1) * DAY_HOURS]
    return contexts, levels


def _chosen(history: History, act: _Act, contexts: list[str], levels: Ints) -> dict[int, int]:
    """Give the contexts to test for an act, and the rank of each.

    Those are the sun, presence, and of each kind of sensor the weather's (that which varies most from day to day) and
    its room's: fewer tests find more. The weather and presence go before the sun, which explains no more than a date;
    light follows the sun, and the room the weather. An act that follows the sun moves through the hours: whether it is
    dark or light in them says nothing of it.
    """
    area = history.home.area_of(entity_of(act.token))
    own = {PRESENCE: 0} if act.by_sun else {PRESENCE: 0, SUN: 1}
    chosen = {place: own[context] for place, context in enumerate(contexts) if context in own}
    sensors = [place for place, context in enumerate(contexts) if context not in (PRESENCE, SUN)]
    for kind in ("temperature",) if act.by_sun else ("temperature", "illuminance"):
        alike = [place for place in sensors if history.home.entity(contexts[place]).device_class == kind]
        if alike:
            chosen[max(alike, key=lambda place: (_varies(levels[place]), -place))] = 2 * (kind == "illuminance")
            for place in [place for place in alike if area and history.home.area_of(contexts[place]) == area][:1]:
                chosen.setdefault(place, 2)
    return dict(sorted(chosen.items()))


def _varies(levels: Ints) -> float:
    """Tell how far a sensor's levels differ from one day to the next, in their middle."""
    known = (levels[1:] != UNKNOWN_LEVEL) & (levels[:-1] != UNKNOWN_LEVEL)
    return float(np.abs(np.diff(levels, axis=0))[known].mean()) if known.any() else 0.0


# telling


def _finding(history: History, tried: _Tried, q_value: float, level: float) -> Finding:
    act, found = tried.act, tried.found
    if tried.context not in (PRESENCE, SUN):
        found = refined(tried.days, found)
    acted, counts = _sides(tried.days, tried.below)
    side, other = (0, 1) if found.more_below else (1, 0)
    low, high = share_interval(acted[side], counts[side], level)
    members = history.members[act.token]
    word = "below" if found.more_below else "above"
    bounds = [_threshold(history.home, tried.context, level) for level in (found.low, found.high)]
    share = acted[other] / counts[other]
    what, otherwise = words.acts(history.home, members), words.kept(acted[other], counts[other])
    return Finding(
        detector=Contextual.name,
        subject=(act.token, tried.context, word),
        measures={
            "context": tried.context,
            "side": word,
            "threshold": _threshold(history.home, tried.context, found.cut),
            "threshold_low": bounds[0],
            "threshold_high": bounds[1],
            "otherwise": [acted[other], counts[other]],
            "members": list(members),
            **_time(tried),
        },
        evidence=Evidence(
            kept=acted[side],
            observed=counts[side],
            low=low,
            high=high,
            q_value=q_value,
            lift=acted[side] / counts[side] / share if share else None,
        ),
        confidence=next_time(acted[side], counts[side]),
        stage=Stage.ESTABLISHED if acted[side] >= 10 else Stage.EMERGING,
        sentence=f"When {_condition(history.home, tried, found)}, {what} (otherwise on {otherwise})",
    )


def _time(tried: _Tried) -> dict[str, Any]:
    """Give when an act is looked at: around a time, or in some hours."""
    if isinstance(tried.days, Lit):
        return {"minute": tried.days.minute, "width": tried.days.width}
    return {"hours": tried.act.hours.tolist()}


def _threshold(home: Home, context: str, level: int) -> float:
    """Give a level in the unit of its context (°C, lx, persons; 0 is the horizon)."""
    if context in (PRESENCE, SUN):
        return level
    return 2.0 ** (level - 1) if home.entity(context).device_class == "illuminance" else level / 2


def _condition(home: Home, tried: _Tried, found: Dependence) -> str:
    """Say on which side of the threshold a context is, and when."""
    below, context = found.more_below, tried.context
    if isinstance(tried.days, Lit):
        light = "dark" if below else "light"
        return f"it is {light} about {words.clock(tried.days.minute)} (± {tried.days.width} min)"
    start, end = (words.clock(60 * int(hour)) for hour in (tried.act.hours[0], tried.act.hours[-1] + 1))
    when = f"between {start} and {end}"
    if context == PRESENCE:
        return f"nobody is at home {when}"
    value, unit = _threshold(home, context, found.cut), "°C"
    if home.entity(context).device_class == "illuminance":
        unit = "lx"
    elif home.entity(context).unit == "°F":
        value, unit = round(value * 1.8 + 32), "°F"
    bound = f"{value:g} {unit}"
    return f"{words.thing(home, context)} is {f'below {bound}' if below else f'{bound} or more'} {when}"
