"""Things that people do when it is cold, when it is dim, or when somebody is at home."""

from typing import ClassVar, Final

import msgspec
import numpy as np
from scipy.special import stdtr

from quotidian.detect import words
from quotidian.detect.base import Cadence, Detector
from quotidian.detect.dayrow import DayRow, entity_of, state_of
from quotidian.detect.dayview import DayView
from quotidian.detect.history import History
from quotidian.detect.levels import DAY_HOURS, PRESENCE, UNKNOWN_LEVEL, levels_of
from quotidian.detect.statistics import q_values, rounded, share_interval
from quotidian.detect.things import ACTUATORS, ENDS
from quotidian.model import Carry, Evidence, Finding, Home, Integers, Stage
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.home import domain_of
from quotidian.model.rollup import Figures

_ENDS_SHARE: Final = 0.8  #: of its days on which the other state was entered, too

_FIRST_SHIFT: Final = 7  #: days
_SEASON_DAYS: Final = 28  #: strata in which seasons do not matter
_LEAST_SIDE: Final = 7  #: days on each side of the threshold
_LEAST_ACTED: Final = 7  #: days with the action
_MOST_CONTEXTS: Final = 16


class _Cut(msgspec.Struct, frozen=True):
    """The threshold that parts the days best: days with the action and days, below it and from it on."""

    level: int
    acted: tuple[int, int]
    days: tuple[int, int]

    @property
    def below(self) -> bool:
        """Whether the action belongs to the days below the threshold."""
        return self.share(0) > self.share(1)

    def share(self, side: int) -> float:
        """Give the share of days with the action on a side."""
        return self.acted[side] / self.days[side]


class Contextual(Detector):
    """What people do depending on temperature, light or presence, given the hour.

    For each action and each context the numerator of the Cochran-Mantel-Haenszel statistic [1]_ is summed over strata
    of the hour of the day and of 28 days: in which hours the action came, against the level of the context at
    the beginning of the hour, both centred within the stratum. So neither the hour nor the season makes a finding.
    Its variance is not the textbook's (hours of a day are not independent) but that of the same sum with the
    context's days shifted in a circle by 7 days or more. A shift by whole weeks keeps the weekday, so that what only
    follows the week does not stand out.

    So many days allow few different shifts, and their ranks alone could never satisfy a test of hundreds of pairs.
    The p-value is therefore the tail of Student's t for the distance from the mean shift in standard deviations,
    with a third of the shifts as degrees of freedom, as neighbouring shifts are alike. This
    extrapolates beyond what was seen, and it is believed only together with two things that need no
    extrapolation: no shifted sum comes within ``margin`` of the true one, and the days below and above the best
    threshold differ by ``effect``. The threshold is fitted to the days that it is reported for: its shares are
    slightly better than new days will show, and confidence is therefore the lower bound.

    Parameters
    ----------
    days
        So many observed days are needed, at least 28.
    false_discovery
        The rate that is controlled over all pairs of an action and a context, in (0, 1).
    margin
        How many times the largest shifted sum the true one must be, at least 1.
    effect
        The least difference between the shares of days on the two sides of the threshold, in (0, 1).

    Notes
    -----
    Subject: the token, the context (a sensor or ``presence``) and ``below`` or ``above``. Anchor: none.
    Measures: ``threshold`` (°C, lx, persons at home), ``context``, ``side``, ``hours`` (wall
    hours in which the action comes), ``otherwise`` (days with the action, days, on the other side), ``members``.

    Contexts are sensors of device class ``temperature`` and ``illuminance``, wherever they are (no rule goes by
    names), and persons; the first 16 are tested. Kept a day, by wall hour: temperature in half degrees
    Celsius, illuminance in powers of two, persons at home. A level is read before the hour begins, so that what an
    action does to its context (the heater warms the room, the lamp lights it) is not mistaken for its reason.

    Rolled up, of each such sensor, and of ``home`` for how many persons are there: the ``hours`` at whose beginning a
    level was known, the ``levels`` as they are kept, ``lowest`` and ``highest``.

    The sun is no context: at a given hour darkness follows the date, so that shifted days cannot tell it from the
    season. What goes by the sun is told by time of day, and what goes by the light shows in a light sensor.

    References
    ----------
    .. [1] N. Mantel, Chi-Square Tests with One Degree of Freedom; Extensions of the Mantel-Haenszel Procedure, 1963.

    Examples
    --------
    >>> Contextual(effect=0.4).effect
    0.4
    >>> Contextual(days=10)
    Traceback (most recent call last):
    ValueError: days is at least 28, margin at least 1
    """

    name: ClassVar[str] = "contextual"
    cadence: ClassVar[Cadence] = Cadence.MONTHLY
    keeps: ClassVar[bool] = True

    def __init__(
        self, *, days: int = 42, false_discovery: float = 0.01, margin: float = 1.3, effect: float = 0.3
    ) -> None:
        if days < 28 or margin < 1:
            raise ValueError("days is at least 28, margin at least 1")
        if not (0 < false_discovery < 1 and 0 < effect < 1):
            raise ValueError("false_discovery and effect lie between 0 and 1")
        self.days = days
        self.false_discovery = false_discovery
        self.margin = margin
        self.effect = effect

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
            if hours.size:
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
        tokens, acts, seen = _acts(history)
        contexts, levels = _levels(history, self.summary(history).days)
        if not tokens or not contexts:
            return []
        sums = _sums(history, acts, seen, levels)
        p_values = self._chance(sums)
        tested = np.flatnonzero(p_values.reshape(-1) < 1)
        q = np.ones(p_values.size)
        q[tested] = q_values(p_values.reshape(-1)[tested], p_values.size)
        found = []
        for pair in np.flatnonzero(q <= self.false_discovery).tolist():
            token, context = divmod(pair, len(contexts))
            cut = self._cut(acts[token], seen[token], levels[context], float(sums[token, context, 0]))
            if cut is not None:
                found.append(_finding(history, (tokens[token], contexts[context]), cut, float(q[pair])))
        best: dict[str, Finding] = {}
        for finding in sorted(found, key=lambda one: (one.evidence.q_value or 0.0, -one.evidence.low, one.subject)):
            best.setdefault(entity_of(finding.subject[0]), finding)
        return sorted(best.values(), key=lambda one: (-one.evidence.low, one.subject))

    def _chance(self, sums: Floats) -> Floats:
        """Give each pair's p-value from its sums by shift, 1 where a shifted sum comes near the true one."""
        days = sums.shape[2]
        shifted = sums[:, :, _FIRST_SHIFT : days - _FIRST_SHIFT + 1]
        centre, spread = shifted.mean(axis=2), shifted.std(axis=2, ddof=1)
        true = sums[:, :, 0]
        known = spread > 0
        distance = np.abs(true - centre) / np.where(known, spread, 1.0)
        tail = 2 * stdtr(max(shifted.shape[2] // 3, 1), -distance)
        stands_out = known & (np.abs(true) > self.margin * np.abs(shifted).max(axis=2))
        return rounded(np.where(stands_out, tail, 1.0))

    def _cut(self, acts: Bools, seen: Bools, levels: Ints, direction: float) -> _Cut | None:
        """Find the threshold on the level of a day, weighted by the hours of the action, that parts the days best."""
        weight = acts.sum(axis=0)
        usable = seen & (levels != UNKNOWN_LEVEL)
        weights = usable * weight
        days = np.flatnonzero(weights.sum(axis=1) * 2 >= weight.sum())
        if days.size < self.days:
            return None
        level: Ints = np.round((weights * levels).sum(axis=1)[days] / weights.sum(axis=1)[days]).astype(np.int64)
        acted: Bools = np.asarray(acts[days].any(axis=1))
        best: _Cut | None = None
        for threshold in np.unique(level)[1:].tolist():
            low = np.flatnonzero(level < threshold)
            sides = (low.size, level.size - low.size)
            cut = _Cut(threshold, (int(acted[low].sum()), int(acted.sum() - acted[low].sum())), sides)
            difference = (cut.share(1) - cut.share(0)) * (1 if direction > 0 else -1)
            if min(sides) < _LEAST_SIDE or difference < self.effect:
                continue
            if best is None or difference > abs(best.share(1) - best.share(0)):
                best = cut
        return best


def _acts(history: History) -> tuple[list[str], Bools, Bools]:
    """Give the actions worth testing, when they came, and when they could: shape (tokens, days, 24) each."""
    timeline, days = history.timeline, len(history.rows)
    acts = np.zeros((len(history.tokens), days, DAY_HOURS), bool)
    acts[timeline.token, timeline.day, np.clip(timeline.wall // 3600, 0, DAY_HOURS - 1)] = True
    acted = acts.any(axis=2).sum(axis=1)
    chosen = [
        place
        for place, token in enumerate(history.tokens)
        if domain_of(token) in ACTUATORS and _LEAST_ACTED <= acted[place] <= 0.9 * days
    ]
    chosen = [place for place in chosen if not _ends(history.tokens, acts, place)]
    entities = [entity_of(history.tokens[place]) for place in chosen]
    seen = np.array([history.cells(name).reshape(days, DAY_HOURS, -1).all(axis=2) for name in entities], bool)
    return [history.tokens[place] for place in chosen], acts[chosen], seen.reshape(len(chosen), days, DAY_HOURS)


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
    contexts = sorted({context for day in kept for context in day.words})[:_MOST_CONTEXTS]
    place = {context: number for number, context in enumerate(contexts)}
    levels = np.full((len(contexts), len(kept), DAY_HOURS), UNKNOWN_LEVEL, np.int64)
    for number, day in enumerate(kept):
        for row, context in enumerate(day.words):
            if context in place:
                levels[place[context], number] = day["level"][row * DAY_HOURS : (row + 1) * DAY_HOURS]
    return contexts, levels


def _sums(history: History, acts: Bools, seen: Bools, levels: Ints) -> Floats:
    """Sum action times level over all strata, the levels' days shifted by 0, 1, ... days: (tokens, contexts, days)."""
    days = len(history.rows)
    season = np.minimum(np.arange(days) // _SEASON_DAYS, max(days // _SEASON_DAYS - 1, 0))
    action = _centred(acts.astype(np.float64), seen, season)
    level = _centred(levels.astype(np.float64), levels != UNKNOWN_LEVEL, season)
    one = np.fft.rfft(action, axis=1).transpose(1, 0, 2)
    other = np.fft.rfft(level, axis=1).transpose(1, 2, 0)
    sums = np.fft.irfft(np.matmul(np.conj(one), other), n=days, axis=0)
    return np.asarray(np.round(sums.transpose(1, 2, 0), 6))


def _centred(values: Floats, counted: Bools, season: Ints) -> Floats:
    """Take from each value the mean of its hour and season; what is not counted becomes 0."""
    centred = np.zeros(values.shape)
    for number in np.unique(season).tolist():
        part = season == number
        some, weight = values[:, part], counted[:, part]
        mean = (some * weight).sum(axis=1, keepdims=True) / np.maximum(weight.sum(axis=1, keepdims=True), 1)
        centred[:, part] = (some - mean) * weight
    return centred


# telling


def _finding(history: History, pair: tuple[str, str], cut: _Cut, q_value: float) -> Finding:
    token, context = pair
    side, other = (0, 1) if cut.below else (1, 0)
    low, high = share_interval(cut.acted[side], cut.days[side])
    members = history.members[token]
    what = words.acts(history.home, members)
    when = _condition(history.home, context, cut)
    otherwise = words.kept(cut.acted[other], cut.days[other])
    return Finding(
        detector=Contextual.name,
        subject=(token, context, "below" if cut.below else "above"),
        measures={
            "context": context,
            "side": "below" if cut.below else "above",
            "threshold": _threshold(history.home, context, cut.level),
            "hours": np.unique(history.timeline.wall[history.occurrences[token]] // 3600).tolist(),
            "otherwise": [cut.acted[other], cut.days[other]],
            "members": list(members),
        },
        evidence=Evidence(
            kept=cut.acted[side],
            observed=cut.days[side],
            low=low,
            high=high,
            q_value=q_value,
            lift=cut.share(side) / cut.share(other) if cut.acted[other] else None,
        ),
        confidence=low,
        stage=Stage.ESTABLISHED if cut.acted[side] >= 10 else Stage.EMERGING,
        sentence=f"When {when}, {what} (otherwise on {otherwise})",
    )


def _threshold(home: Home, context: str, level: int) -> float:
    """Give a level in the unit of its context (°C, lx, persons)."""
    if context == PRESENCE:
        return level
    return 2.0 ** (level - 1) if home.entity(context).device_class == "illuminance" else level / 2


def _condition(home: Home, context: str, cut: _Cut) -> str:
    """Say on which side of the threshold a context is."""
    if context == PRESENCE:
        if cut.level == 1:
            return "nobody is at home" if cut.below else "somebody is at home"
        return f"{'fewer than' if cut.below else 'at least'} {cut.level} people are at home"
    value, unit = _threshold(home, context, cut.level), "°C"
    if home.entity(context).device_class == "illuminance":
        unit = "lx"
    elif home.entity(context).unit == "°F":
        value, unit = round(value * 1.8 + 32), "°F"
    bound = f"{value:g} {unit}"
    return f"{words.thing(home, context)} is {f'below {bound}' if cut.below else f'{bound} or more'}"
