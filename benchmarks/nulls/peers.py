"""What simple programs show: no control of chance, as habit finders are commonly written."""

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.stats import linregress, ttest_ind

from benchmarks.accuracy.peers import k_means
from quotidian.detect import History
from quotidian.detect.dayrow import entity_of
from quotidian.detect.levels import UNKNOWN_LEVEL
from quotidian.model import Integers
from quotidian.model.arrays import Bools, Floats, Ints

_SOON: Final = 300  #: seconds
_LEAST_TIMES: Final = 5
_LEAST_SHARE: Final = 0.5
_DIFFERENCE: Final = 0.3
_LEVEL: Final = 0.05
_SCORES: Final = 3.0

Peer = Callable[[History], float]


def k_means_hours(history: History) -> int:
    """Count narrow clusters of each token's minutes, on a quarter of the days or more: k-means, k = 3."""
    return sum(1 for _ in k_means(history))


def busy_hours(history: History) -> int:
    """Count areas whose busiest hour of the day has twice the events of their average hour."""
    timeline = history.timeline
    areas: dict[str, Ints] = {}
    for token, rows in history.occurrences.items():
        area = history.home.area_of(entity_of(token))
        if area is not None:
            hours = np.bincount(np.clip(timeline.wall[rows] // 3600, 0, 23), minlength=24)
            areas[area.id] = areas.get(area.id, np.zeros(24, np.int64)) + hours
    return sum(bool(hours.max() >= 2 * hours.mean() and hours.sum() >= 24) for hours in areas.values())


def counted_pairs(history: History) -> int:
    """Count pairs of which the first is followed by the second within five minutes half of the times, five at least."""
    timeline, found = history.timeline, 0
    instants = {token: np.sort(timeline.instant[rows]) for token, rows in history.occurrences.items()}
    for first, ones in instants.items():
        for second, others in instants.items():
            if entity_of(first) != entity_of(second) and ones.size >= _LEAST_TIMES:
                followed = np.searchsorted(others, ones + _SOON, "right") > np.searchsorted(others, ones)
                found += bool(followed.sum() >= max(_LEAST_TIMES, _LEAST_SHARE * ones.size))
    return found


def different_hours(history: History) -> int:
    """Count the hours whose number of events differs between weekdays and weekends by a t-test at 5 %."""
    timeline, days = history.timeline, len(history.rows)
    hours = np.zeros((days, 24))
    np.add.at(hours, (timeline.day, np.clip(timeline.wall // 3600, 0, 23)), 1)
    free = history.ordinals % 7 % 6 == 0  # Saturdays and Sundays: ordinal 1 is a Monday
    if min(free.sum(), (~free).sum()) < 2:
        return 0
    varied = np.flatnonzero((hours[free].std(axis=0) > 0) & (hours[~free].std(axis=0) > 0))
    return int((ttest_ind(hours[free][:, varied], hours[~free][:, varied]).pvalue < _LEVEL).sum())


def split_contexts(history: History) -> int:
    """Count token and context of which the days above some level have the token more often by 30 points, or less."""
    levels = _daily_levels(history)
    timeline, days = history.timeline, len(history.rows)
    found = 0
    for rows in history.occurrences.values():
        acted = np.zeros(days, bool)
        acted[timeline.day[rows]] = True
        found += sum(_splits(acted, level) for level in levels)
    return found


def _daily_levels(history: History) -> list[Floats]:
    kept = history.summaries["contextual"].days
    folded = [kept.get(row.ordinal, Integers()) for row in history.rows]
    levels: dict[str, Floats] = {}
    for place, day in enumerate(folded):
        for row, context in enumerate(day.words):
            hours = day["level"].reshape(-1, 24)[row]
            known = hours[hours != UNKNOWN_LEVEL]
            mean = float(known.mean()) if known.size else np.nan
            levels.setdefault(context, np.full(len(folded), np.nan))[place] = mean
    return list(levels.values())


def _splits(acted: Bools, level: Floats) -> bool:
    known = np.flatnonzero(~np.isnan(level))
    if known.size < 14:
        return False
    sorted_ = acted[known[np.argsort(level[known], kind="stable")]].astype(np.float64)
    below = np.cumsum(sorted_)[6:-7] / np.arange(7, known.size - 6)
    above = np.cumsum(sorted_[::-1])[::-1][7:-6] / np.arange(known.size - 7, 6, -1)
    return bool((np.abs(above - below) >= _DIFFERENCE).any())


def fitted_lines(history: History) -> int:
    """Count the tokens on most days whose first time of the day has a slope over the days, by regression at 5 %."""
    timeline, days = history.timeline, len(history.rows)
    found = 0
    for rows in history.occurrences.values():
        day, first = np.unique(timeline.day[rows], return_index=True)
        minutes = timeline.wall[rows[first]] / 60
        if day.size >= max(_LEAST_TIMES, _LEAST_SHARE * days) and np.ptp(minutes) > 0:
            found += bool(linregress(day, minutes).pvalue < _LEVEL)
    return found


def scored_days(history: History) -> float:
    """Give the entities a week whose number of events of a day lies three standard deviations from all days' mean."""
    timeline, days = history.timeline, len(history.rows)
    alarms = 0
    for rows in history.occurrences.values():
        counts = np.bincount(timeline.day[rows], minlength=days)
        alarms += int((np.abs(counts - counts.mean()) > _SCORES * max(float(counts.std()), 1e-9)).sum())
    return 7 * alarms / max(days, 1)
