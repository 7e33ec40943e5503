"""One thing that happens soon after another."""

from collections.abc import Iterator
from typing import ClassVar, Final

import msgspec
import numpy as np

from quotidian.detect import kernel, words
from quotidian.detect.base import Detector
from quotidian.detect.dayrow import DayRow, entity_of, state_of
from quotidian.detect.dayview import DayView
from quotidian.detect.history import History
from quotidian.detect.kernel import against_other_days
from quotidian.detect.links import Link, closest, told_once
from quotidian.detect.occasions import occasions
from quotidian.detect.pairs import WINDOWS, acts_of, apart, pairs_of, tail
from quotidian.detect.rollup import MOST
from quotidian.detect.statistics import LEVEL, ONE, any_within, at_least, next_time, q_values, share_interval
from quotidian.detect.things import RESTING, is_act
from quotidian.model import Carry, Evidence, Finding, Integers, Stage
from quotidian.model.arrays import Bools, Ints
from quotidian.model.rollup import Figures

#: How far apart the changes of partners are, in the figures of a day (seconds).
_SOON: Final = 300


class _Pairs(msgspec.Struct, frozen=True):
    """Ordered pairs of tokens with their sums over the days, shape (pairs, windows) for ``kept`` and ``expected``.

    They are those that go together on enough days; ``known`` counts all that ever could have.
    """

    known: int
    first: Ints
    second: Ints
    days: Ints
    kept: Ints
    expected: Ints


class CoOccurrence(Detector):
    """One thing that happens soon after another.

    For each ordered pair of tokens and each window, kernel J counts the days on which some occurrence of the first
    was followed by the second, against the chance of that if the first had occurred up to half an hour earlier or
    later: what merely falls into the same part of the day is expected, and only what goes together more
    closely is left. A pair's p-value is its smallest over the windows, times their number, or the one against the
    second of other days where that is larger: two things that keep to the clock are no pair. The false discovery
    rate is controlled over all pairs with enough days.

    What is found is then read as a reader does: a pair is told only when the second followed at most *moments* of the
    first, and not only on most of its days, for a sensor that sees somebody sixty times a day is before everything.
    The window that is told covers the lags (see ``Occasions.window``) and is not the one that looks best. Of several
    pairs only those are told that no others explain (see ``closest``), and of two things only one pair.

    The interval of the share allows for the choice among all pairs that were looked at [1]_.

    Told are only pairs whose second is an act: that people walk by after something happened is the rooms' matter.

    The last 45 minutes of a day are judged with the day after, when all is known that could have followed.

    Parameters
    ----------
    false_discovery
        The rate that is controlled over all pairs, in (0, 1).
    least_days
        Days on which the first must have occurred for a pair to be tested.
    least_share
        The smallest share of these days, and of the first's moments, at the lower end of its interval, that is worth
        telling, in (0, 1].
    least_lift
        The smallest ratio of kept days to those that chance would give, above 1.

    Notes
    -----
    Kept per day: ``active`` (words: tokens judged as first), and for each pair with a chance above 0 ``first``,
    ``second`` (words), ``hits`` (a bit per window), ``chance_0`` to ``chance_3`` (16-bit fixed point). Of each first
    at most 48 followers are kept, those that tell most; for each of ``active``, ``left`` counts the others, and
    ``left_0`` to ``left_3`` are their largest chances, which are expected of every pair that is not listed.

    Rolled up from the shared row, of each entity and at most eight others: ``others``, ``times`` that one changed
    within five minutes of the other, ``lags`` (median seconds, negative where the other one came before); first those
    of which the largest share of the busier one's changes came together with the other's.

    Subject: the first token, then the second. Measures: ``window``, ``lag`` (median), ``lag_low`` and ``lag_high``
    (eight of ten lags lie between them) in seconds, ``followed`` of ``times`` (moments of the first), ``members``
    (of the first) and ``followers`` (of the second).

    References
    ----------
    .. [1] Y. Benjamini, D. Yekutieli, False Discovery Rate-Adjusted Multiple Confidence Intervals, 2005.

    Examples
    --------
    >>> CoOccurrence(least_days=10).least_days
    10
    >>> CoOccurrence(least_lift=1)
    Traceback (most recent call last):
    ValueError: least_days is at least 1, least_lift above 1, false_discovery and least_share between 0 and 1
    """

    name: ClassVar[str] = "co_occurrence"
    version: ClassVar[int] = 2
    keeps: ClassVar[bool] = True

    def __init__(
        self,
        *,
        false_discovery: float = 0.01,
        least_days: int = 5,
        least_share: float = 0.5,
        least_lift: float = 2.0,
    ) -> None:
        if least_days < 1 or least_lift <= 1 or not (0 < false_discovery < 1 and 0 < least_share <= 1):
            raise ValueError(
                "least_days is at least 1, least_lift above 1, false_discovery and least_share between 0 and 1"
            )
        self.false_discovery = false_discovery
        self.least_days = least_days
        self.least_share = least_share
        self.least_lift = least_lift

    # folding

    def fold(self, day: DayView, carry: Carry) -> tuple[Integers, Carry]:
        """Give each pair's hits and chances of the day, and hand on the last 75 minutes."""
        acts = acts_of(day.row, carry)
        return pairs_of(acts, day.row.seconds), tail(acts, day.row)

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say which entities changed soon after one another, and how often."""
        del own
        return _partners(row)

    # detecting

    def detect(self, history: History) -> list[Finding]:
        """Give the pairs that go together, the most certain first; of both directions only the better one."""
        if not history.tokens:
            return []
        links, looked_at = self._links(history)
        told = closest(history, told_once([link for link in links if link.p_value <= self.false_discovery]))
        # What is told was chosen among all that was looked at: the intervals must cover nonetheless.
        level = 1 - (1 - LEVEL) * len(told) / max(looked_at, 1)
        findings = [self._finding(history, link, level) for link in told]
        return sorted(findings, key=lambda one: (-one.evidence.low, one.subject))

    def _links(self, history: History) -> tuple[list[Link], int]:
        """Give the pairs that hold at most of the first's moments, with q-values; and how many were looked at.

        Kernel J chooses those that are looked at, at all their moments: a reader takes them, not the days, to be meant.
        """
        home, tokens = history.home, history.tokens
        exposure = self._exposure(history)
        pairs = self._pairs(history, exposure)
        p = at_least(pairs.kept, pairs.days[:, None], pairs.expected)
        p[~self._worth_telling(pairs)] = 1.0
        best = np.minimum(p.min(axis=1, initial=1.0) * len(WINDOWS), 1.0)
        acts = np.array([is_act(home, token) for token in tokens])
        signs = acts | np.array([state_of(token) not in RESTING for token in tokens])
        chosen = np.flatnonzero((best <= self.false_discovery) & signs[pairs.first] & acts[pairs.second])
        found = [
            self._link(history, tokens[pairs.first[place]], tokens[pairs.second[place]], float(best[place]))
            for place in chosen.tolist()
        ]
        links = [link for link in found if link is not None]
        tests = max(int((apart(tokens) & (exposure >= self.least_days)).sum()), pairs.known)
        q = q_values(np.array([link.p_value for link in links]), tests).tolist()
        certain = [msgspec.structs.replace(link, p_value=value) for link, value in zip(links, q, strict=True)]
        return certain, len(found)

    def _link(self, history: History, first: str, second: str, p_value: float) -> Link | None:
        """Give a pair with its window, unless the second mostly does not follow, or two clocks explain that it does."""
        moments = occasions(history, first, second)
        window = moments.window()
        followed = moments.followed(window)
        kept, days = moments.days(window)
        if kept < max(4, self.least_days - 1) or share_interval(kept, days)[0] < self.least_share:
            return None
        if share_interval(int(followed.sum()), followed.size)[0] < self.least_share:
            return None
        earliest, _, latest = moments.lags(window)
        clocks = against_other_days(history, first, second, earliest, latest)
        if clocks[0] * ONE < self.least_lift * clocks[2]:
            return None
        expected = kernel.link(history, first, second, window)[2]
        if kept * ONE < self.least_lift * expected:
            return None
        return Link(
            first=first,
            second=second,
            window=window,
            occasions=moments,
            expected=expected / ONE,
            share=float(followed.mean()),
            before=_before(history, first, second, window),
            p_value=max(p_value, float(at_least(*(np.array([part]) for part in clocks))[0])),
        )

    def _finding(self, history: History, link: Link, level: float) -> Finding:
        kept, days = link.occasions.days(link.window)
        low, high = share_interval(kept, days, level)
        earliest, lag, latest = link.occasions.lags(link.window)
        followed = link.occasions.followed(link.window)
        members, followers = history.members[link.first], history.members[link.second]
        return Finding(
            detector=self.name,
            subject=(link.first, link.second),
            measures={
                "window": link.window,
                "lag": lag,
                "lag_low": earliest,
                "lag_high": latest,
                "followed": int(followed.sum()),
                "times": followed.size,
                "members": list(members),
                "followers": list(followers),
            },
            evidence=Evidence(
                kept=kept,
                observed=days,
                low=low,
                high=high,
                q_value=link.p_value,
                lift=kept / link.expected if link.expected else None,
            ),
            confidence=next_time(kept, days),
            stage=Stage.ESTABLISHED if kept >= 10 else Stage.EMERGING,
            sentence=(
                f"When {words.acts(history.home, members)}, {words.acts(history.home, followers)} "
                f"within {words.span(link.window)} (typically after {words.span(earliest)} to {words.span(latest)})"
            ),
        )

    def _worth_telling(self, pairs: _Pairs) -> Bools:
        kept, days = pairs.kept, pairs.days[:, None]
        return np.asarray(self._often(kept, days) & (kept * ONE >= self.least_lift * pairs.expected))

    def _often(self, kept: Ints, days: Ints) -> Bools:
        return np.asarray(
            (days >= self.least_days) & (kept >= max(4, self.least_days - 1)) & (kept >= self.least_share * days)
        )

    def _pairs(self, history: History, exposure: Ints) -> _Pairs:
        """Sum up the pairs that the widest window meets often enough: the p-value of all others is 1 anyway."""
        number = {token: place for place, token in enumerate(history.tokens)}
        days = self._days(history)
        known, met = np.zeros(exposure.size, bool), np.zeros(exposure.size, np.int64)
        for day in days:
            keys, spoken = _keys(day, number)  # a pair stands only once in a day
            known[keys] = True
            met[keys[day["hits"][spoken] > 0]] += 1
        pairs = np.flatnonzero(self._often(met, exposure.reshape(-1)))
        place_of = np.full(exposure.size, -1, np.int32)
        place_of[pairs] = np.arange(pairs.size)
        kept, expected = np.zeros((2, pairs.size, len(WINDOWS)), np.int64)
        for day in days if pairs.size else ():
            keys, spoken = _keys(day, number)
            chosen = place_of[keys] >= 0
            place, rows = place_of[keys[chosen]], np.flatnonzero(spoken)[chosen]
            for window in range(len(WINDOWS)):
                kept[place, window] += (day["hits"][rows] >> window) & 1
                expected[place, window] += day[f"chance_{window}"][rows]
            unlisted = np.ones(pairs.size, bool)
            unlisted[place] = False
            expected += self._left_out(day, number)[pairs // len(number)] * unlisted[:, None]
        first, second = np.divmod(pairs, len(number))
        return _Pairs(int(known.sum()), first, second, exposure[first, second], kept, expected)

    def _left_out(self, day: Integers, number: dict[str, int]) -> Ints:
        """Give what chance could give at most to a follower that the day left out: shape (tokens, windows)."""
        chances = np.zeros((len(number) + 1, len(WINDOWS)), np.int64)
        names = np.array([number.get(token, -1) for token in day.words], np.int64)
        for window in range(len(WINDOWS)):
            chances[names[day["active"]], window] = day[f"left_{window}"]
        return chances[:-1]

    def _days(self, history: History) -> list[Integers]:
        days = self.summary(history).days
        lived = zip(history.rows, history.lived.tolist(), strict=True)
        return [days[row.ordinal] for row, was in lived if was and days.get(row.ordinal)]

    def _exposure(self, history: History) -> Ints:
        """Count each pair's days on which the first occurred and the second was observed: shape (tokens, tokens)."""
        number = {token: place for place, token in enumerate(history.tokens)}
        days = self.summary(history).days
        active = np.zeros((len(number), len(history.rows)), np.float32)
        for place, row in enumerate(history.rows):
            day = days.get(row.ordinal)
            if day and history.lived[place]:
                named = [number[day.words[word]] for word in day["active"].tolist() if day.words[word] in number]
                active[named, place] = 1
        present = np.stack([history.present(entity_of(token)) for token in history.tokens])
        return (active @ present.T.astype(np.float32)).astype(np.int64)


def _keys(day: Integers, number: dict[str, int]) -> tuple[Ints, Bools]:
    """Give the key of each pair of a day whose tokens both speak for themselves, and which pairs these are."""
    names = np.array([number.get(token, -1) for token in day.words], np.int64)
    first, second = names[day["first"]], names[day["second"]]
    spoken = (first >= 0) & (second >= 0)
    return (first * len(number) + second)[spoken], spoken


def _before(history: History, first: str, second: str, window: int) -> float:
    """Give the share of the second's moments on lived days that the first preceded within a window."""
    timeline = history.timeline
    rows = history.occurrences[second]
    after = timeline.instant[rows[history.lived[timeline.day[rows]]]]
    before = timeline.instant[history.occurrences[first]]
    near = any_within(before, after - window, after)
    return float(near.mean()) if near.size else 0.0


def _partners(row: DayRow) -> dict[str, Figures]:
    """Say of each entity which others it changed together with: of both directions the more frequent one."""
    second, entity = row.second[row.learned], row.entity[row.learned]
    words, totals = row.integers.words, np.bincount(entity, minlength=len(row.integers.words))
    lags: dict[tuple[int, int], list[int]] = {}
    for one, other, lag in _followed(second, entity):
        lags.setdefault((one, other), []).append(lag)
    best: dict[int, list[tuple[float, int, int, int]]] = {}
    for (one, other), found in lags.items():
        back = len(lags.get((other, one), ()))
        if len(found) > back or (len(found) == back and one < other):
            share, lag = len(found) / int(max(totals[one], totals[other])), int(np.median(found))
            best.setdefault(one, []).append((-share, other, len(found), lag))
            best.setdefault(other, []).append((-share, one, len(found), -lag))
    figures: dict[str, Figures] = {}
    for one, partners in best.items():
        _, others, times, typical = zip(*sorted(partners)[:MOST], strict=True)
        figures[words[one]] = {"others": [words[other] for other in others], "times": [*times], "lags": [*typical]}
    return figures


def _followed(second: Ints, entity: Ints) -> Iterator[tuple[int, int, int]]:
    """Give (entity, other entity, lag) for each change and the first change of each other entity soon after it."""
    size = int(entity.max(initial=0)) + 1
    keys, lags = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for step in range(1, second.size):
        lag = second[step:] - second[:-step]
        near = np.flatnonzero((lag <= _SOON) & (entity[step:] != entity[:-step]))
        if lag.min() > _SOON:
            break
        keys.append(near * size + entity[near + step])
        lags.append(lag[near])
    once, place = np.unique(np.concatenate(keys), return_index=True)
    found = (entity[once // size].tolist(), (once % size).tolist(), np.concatenate(lags)[place].tolist())
    return zip(*found, strict=True)
