"""Things that people do when it is cold, when it is dark, or when nobody is at home."""

from collections.abc import Iterator
from typing import ClassVar, Final

import msgspec
import numpy as np

from quotidian.detect import words
from quotidian.detect.base import Cadence, Detector
from quotidian.detect.dayrow import DayRow, entity_of, state_of
from quotidian.detect.dayview import DayView
from quotidian.detect.dependence import Days, Dependence, cuts_of, dependence, lead_over_a_step, refined, shifted_ratio
from quotidian.detect.history import WEEKDAYS, History
from quotidian.detect.levels import DAY_HOURS, PRESENCE, SUN, UNKNOWN_LEVEL, levels_of
from quotidian.detect.statistics import q_values, share_interval
from quotidian.detect.things import ACTUATORS, ENDS
from quotidian.model import Carry, Evidence, Finding, Home, Integers, Stage
from quotidian.model.arrays import Bools, Ints
from quotidian.model.home import domain_of
from quotidian.model.rollup import Figures

_ENDS_SHARE: Final = 0.8  #: of its days on which the other state was entered, too

_HOURS: Final = 3  #: in a row, in which an act is looked at
_LEAST_ACTED: Final = 10  #: days with the action, and days without


class _Act(msgspec.Struct, frozen=True):
    """An act worth testing: its usual hours, how often it came in each, on which days it came and could have."""

    token: str
    hours: Ints
    times: Ints
    came: Bools
    could: Bools


class _Tried(msgspec.Struct, frozen=True):
    """An act and a context, and what was found of them; ``spare`` tells that others, which move alike, go before."""

    act: _Act
    context: str
    days: Days
    found: Dependence
    spare: bool


class Contextual(Detector):
    """What people do depending on temperature, light, darkness or nobody being there, given the hour.

    Each action is looked at in the three hours in a row in which it comes on most days. By days, a logistic regression
    on a smooth season (a cubic in the date, which changes slowly), weekends and a threshold on the context's level is
    compared with one without the threshold; twice the gain in log-likelihood is held against chi-square [1]_, its tail
    multiplied by the number of thresholds tried. For presence each weekday counts as a kind of day, as who is there
    follows the week. Beside false discoveries, three things must hold:

    - the shares of days with the action on the two sides differ by ``effect``;
    - the threshold leads by ``lead`` nats over a habit that merely began or ended on some date, each paying for the
      number of possibilities by its logarithm: so darkness, which crosses an hour on one date, is told only when the
      habit changed on that very date;
    - no level that keeps its season, with the rest shifted by a week or more, comes within ``margin`` of its gain.

    Who is not there does nothing by hand, so of presence only what is done when nobody is at home is told. The
    threshold is fitted to the days that it is reported for: its shares are slightly better than new days will show,
    and confidence is therefore the lower bound.

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
        By how many nats the threshold must explain the days better than a date does, at least 0.

    Notes
    -----
    Subject: the token, the context (a sensor, ``presence`` or ``sun``) and ``below`` or ``above``. Anchor: none.
    Measures: ``threshold`` (°C, lx, persons at home; 0 is the horizon), ``threshold_low`` and ``threshold_high``
    (what the likelihood leaves open at 90 %), ``context``, ``side``, ``hours`` (the three wall hours in which the
    action is looked at), ``otherwise`` (days with the action, days, on the other side), ``members``.

    Contexts are sensors of device class ``temperature`` and ``illuminance`` (no rule goes by names), persons, and the
    sun. Of each kind of sensor the one that varies most from day to day, which is the weather's, and that of the
    action's room are tested; the sun is told rather than light, the weather rather than the room. Kept a day, by wall
    hour: temperature in half degrees Celsius, illuminance in powers of two, persons at home, whether the sun is up. A
    level is read before the hour begins, so that what an action does to its context (the heater warms the room, the
    lamp lights it) is not mistaken for its reason; the sun's in its middle.

    Rolled up, of each such sensor, and of ``home`` for how many persons are there: the ``hours`` at whose beginning a
    level was known, the ``levels`` as they are kept, ``lowest`` and ``highest``.

    References
    ----------
    .. [1] S. S. Wilks, The Large-Sample Distribution of the Likelihood Ratio for Testing Composite Hypotheses, 1938.

    Examples
    --------
    >>> Contextual(effect=0.4).effect
    0.4
    >>> Contextual(days=10)
    Traceback (most recent call last):
    ValueError: days is at least 28, margin at least 1
    """

    name: ClassVar[str] = "contextual"
    version: ClassVar[int] = 2
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
        lead: float = 3.0,
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
            for place, spare in _chosen(history, act.token, contexts, levels).items():
                days = self._days(history, act, contexts[place], levels[place])
                if days is not None and (found := _depends(contexts[place], days)) is not None:
                    tried.append(_Tried(act, contexts[place], days, found, spare))
        q = q_values(np.array([one.found.p_value for one in tried]), len(tried)).tolist()
        holding = [
            (one.spare, chance, place)
            for place, (one, chance) in enumerate(zip(tried, q, strict=True))
            if chance <= self.false_discovery and self._holds(one)
        ]
        best: dict[str, Finding] = {}
        for _, chance, place in sorted(holding):
            entity_id = entity_of(tried[place].act.token)
            if entity_id not in best:
                best[entity_id] = _finding(history, tried[place], chance)
        return sorted(best.values(), key=lambda one: (-one.evidence.low, one.subject))

    def _days(self, history: History, act: _Act, context: str, levels: Ints) -> Days | None:
        """Give the days on which an act could come and the context was known in half of its times."""
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

    def _holds(self, tried: _Tried) -> bool:
        """Tell whether a dependence is large, and explained neither by a date nor by a season."""
        days, found = tried.days, tried.found
        acted, counts = _sides(days, found)
        less, more = sorted((acted[0] / counts[0], acted[1] / counts[1]))
        if more - less < self.effect or more < self.least_lift * less:
            return False
        if tried.context == PRESENCE and not found.more_below:
            return False  # who is not there does nothing by hand
        if lead_over_a_step(days, found) < self.lead:
            return False
        return tried.context == SUN or found.ratio >= self.margin * shifted_ratio(days)


def _depends(context: str, days: Days) -> Dependence | None:
    if min(int(days.acted.sum()), int((~days.acted).sum())) < _LEAST_ACTED:
        return None
    fixed = {PRESENCE: 1, SUN: 0}
    return dependence(days, np.array([fixed[context]]) if context in fixed else cuts_of(days.level))


def _sides(days: Days, found: Dependence) -> tuple[tuple[int, int], tuple[int, int]]:
    """Count days with the act, and days, below the threshold and from it on."""
    below = days.level < found.cut
    low, count = int(days.acted[below].sum()), int(below.sum())
    return (low, int(days.acted.sum()) - low), (count, below.size - count)


def _acts(history: History) -> Iterator[_Act]:
    """Give the actions worth testing, each in the three hours in a row in which it comes on most days."""
    timeline, days = history.timeline, len(history.rows)
    acts = np.zeros((len(history.tokens), days, DAY_HOURS), bool)
    acts[timeline.token, timeline.day, np.clip(timeline.wall // 3600, 0, DAY_HOURS - 1)] = True
    for place, token in enumerate(history.tokens):
        if domain_of(token) not in ACTUATORS or _ends(history.tokens, acts, place):
            continue
        near = [acts[place] | np.roll(acts[place], -1, axis=1) | np.roll(acts[place], -2, axis=1)]
        first = int(near[0].sum(axis=0).argmax())
        hours = (first + np.arange(_HOURS)) % DAY_HOURS
        came = acts[place][:, hours]
        seen = history.cells(entity_of(token)).reshape(days, DAY_HOURS, -1)[:, hours].all(axis=(1, 2))
        yield _Act(token, hours, came.sum(axis=0), came.any(axis=1), seen & history.lived)


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


def _chosen(history: History, token: str, contexts: list[str], levels: Ints) -> dict[int, bool]:
    """Give the contexts to test for an act, and whether another goes before each.

    Those are the sun, presence, and of each kind of sensor the weather's (that which varies most from day to day) and
    its room's: fewer tests find more. The sun goes before light, the weather before the room, which follow them.
    """
    area = history.home.area_of(entity_of(token))
    chosen = {place: False for place, context in enumerate(contexts) if context in (PRESENCE, SUN)}
    sensors = [place for place, context in enumerate(contexts) if context not in (PRESENCE, SUN)]
    for kind in ("illuminance", "temperature"):
        alike = [place for place in sensors if history.home.entity(contexts[place]).device_class == kind]
        if alike:
            chosen[max(alike, key=lambda place: (_varies(levels[place]), -place))] = kind == "illuminance"
            for place in [place for place in alike if area and history.home.area_of(contexts[place]) == area][:1]:
                chosen.setdefault(place, True)
    return dict(sorted(chosen.items()))


def _varies(levels: Ints) -> float:
    """Tell how far a sensor's levels differ from one day to the next, in their middle."""
    known = (levels[1:] != UNKNOWN_LEVEL) & (levels[:-1] != UNKNOWN_LEVEL)
    return float(np.abs(np.diff(levels, axis=0))[known].mean()) if known.any() else 0.0


# telling


def _finding(history: History, tried: _Tried, q_value: float) -> Finding:
    act, found = tried.act, tried.found
    if tried.context not in (PRESENCE, SUN):
        found = refined(tried.days, found)
    acted, days = _sides(tried.days, found)
    side, other = (0, 1) if found.more_below else (1, 0)
    low, high = share_interval(acted[side], days[side])
    members = history.members[act.token]
    word = "below" if found.more_below else "above"
    bounds = [_threshold(history.home, tried.context, level) for level in (found.low, found.high)]
    share = acted[other] / days[other]
    what, otherwise = words.acts(history.home, members), words.kept(acted[other], days[other])
    return Finding(
        detector=Contextual.name,
        subject=(act.token, tried.context, word),
        measures={
            "context": tried.context,
            "side": word,
            "threshold": _threshold(history.home, tried.context, found.cut),
            "threshold_low": bounds[0],
            "threshold_high": bounds[1],
            "hours": act.hours.tolist(),
            "otherwise": [acted[other], days[other]],
            "members": list(members),
        },
        evidence=Evidence(
            kept=acted[side],
            observed=days[side],
            low=low,
            high=high,
            q_value=q_value,
            lift=acted[side] / days[side] / share if share else None,
        ),
        confidence=low,
        stage=Stage.ESTABLISHED if acted[side] >= 10 else Stage.EMERGING,
        sentence=f"When {_condition(history.home, tried, found)}, {what} (otherwise on {otherwise})",
    )


def _threshold(home: Home, context: str, level: int) -> float:
    """Give a level in the unit of its context (°C, lx, persons; 0 is the horizon)."""
    if context in (PRESENCE, SUN):
        return level
    return 2.0 ** (level - 1) if home.entity(context).device_class == "illuminance" else level / 2


def _condition(home: Home, tried: _Tried, found: Dependence) -> str:
    """Say on which side of the threshold a context is, and when."""
    start, end = (words.clock(60 * int(hour)) for hour in (tried.act.hours[0], tried.act.hours[-1] + 1))
    when = f"between {start} and {end}"
    below, context = found.more_below, tried.context
    if context == PRESENCE:
        return f"nobody is at home {when}"
    if context == SUN:
        return f"it is {'dark' if below else 'light'} {when}"
    value, unit = _threshold(home, context, found.cut), "°C"
    if home.entity(context).device_class == "illuminance":
        unit = "lx"
    elif home.entity(context).unit == "°F":
        value, unit = round(value * 1.8 + 32), "°F"
    bound = f"{value:g} {unit}"
    return f"{words.thing(home, context)} is {f'below {bound}' if below else f'{bound} or more'} {when}"
