"""What simple programs would claim: one for each kind, as they are commonly written, without control of chance.

Each reads the same days as the detector beside it, and its claims are judged and matched like the detector's. Their
shares and intervals are counted as ours are, so that what is judged is what they choose to claim.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from scipy.stats import linregress, pearsonr

from quotidian.detect import History
from quotidian.detect.dayrow import entity_of
from quotidian.detect.levels import UNKNOWN_LEVEL
from quotidian.detect.statistics import share_interval
from quotidian.detect.things import ACTIVE_STATES
from quotidian.model import Evidence, Finding
from quotidian.model.arrays import Bools, Floats, Ints

_CLUSTERS: Final = 3
_WIDE: Final = 90.0  #: minutes, the standard deviation of a cluster that is taken for a habit
_SOON: Final = 300  #: seconds
_GAP: Final = 600
_SILENCE: Final = 1_800
_LEAST_TIMES: Final = 5
_HALF: Final = 0.5
_SCORES: Final = 3.0
_RELATED: Final = 0.3
_LEVEL: Final = 0.05


def k_means(history: History) -> Iterator[Finding]:
    """Cluster the minutes of each token (k = 3); a narrow cluster on a quarter of the days is a habit."""
    timeline, days = history.timeline, len(history.rows)
    for token, rows in history.occurrences.items():
        minutes = (timeline.wall[rows] / 60).astype(np.float64)
        label = _clustered(minutes)
        for mine in (label == cluster for cluster in range(_CLUSTERS)):
            kept = np.unique(timeline.day[rows[mine]]).size
            if kept >= max(_LEAST_TIMES, days / 4) and minutes[mine].std() <= _WIDE:
                middle, width = round(float(minutes[mine].mean())), round(2 * float(minutes[mine].std()))
                within = mine & (np.abs(minutes - middle) <= width)
                kept = np.unique(timeline.day[rows[within]]).size
                yield _finding("time_of_day", (token,), {"minute": middle, "width": width}, kept, days)


def _clustered(minutes: Floats) -> Ints:
    centres = np.quantile(minutes, (np.arange(_CLUSTERS) + 0.5) / _CLUSTERS)
    label = np.zeros(minutes.size, np.int64)
    for _ in range(20):
        label = np.abs(minutes[:, None] - centres).argmin(axis=1)
        centres = np.array([minutes[label == k].mean() if (label == k).any() else centres[k] for k in range(_CLUSTERS)])
    return label


def counted_pairs(history: History) -> Iterator[Finding]:
    """Count each pair within five minutes; half as often as the rarer of both occurs is a habit."""
    timeline = history.timeline
    instants = {token: timeline.instant[rows] for token, rows in history.occurrences.items()}
    for first, ones in instants.items():
        for second, others in instants.items():
            if entity_of(first) == entity_of(second):
                continue
            place = np.searchsorted(others, ones)
            lag = others[np.minimum(place, others.size - 1)] - ones
            near = (place < others.size) & (lag <= _SOON)
            if near.sum() >= max(_LEAST_TIMES, _HALF * min(ones.size, others.size)):
                day = timeline.day[history.occurrences[first]]
                measures = {"window": _SOON, "lag": int(np.median(lag[near]))}
                kept = np.unique(day[near]).size
                yield _finding("co_occurrence", (first, second), measures, kept, np.unique(day).size)


def frequent_triples(history: History) -> Iterator[Finding]:
    """Count what comes one after another with at most ten minutes between; on half of the days it is a routine."""
    timeline = history.timeline
    seen: dict[tuple[str, ...], set[int]] = {}
    near = np.diff(timeline.instant) <= _GAP
    names = [history.tokens[token] for token in timeline.token.tolist()]
    for place in np.flatnonzero(near[:-1] & near[1:]).tolist():
        three = tuple(names[place : place + 3])
        if len({entity_of(token) for token in three}) == len(three):
            seen.setdefault(three, set()).add(int(timeline.day[place]))
    for three, days in seen.items():
        first = np.unique(timeline.day[history.occurrences[three[0]]]).size
        if len(days) >= max(_LEAST_TIMES, _HALF * first):
            yield _finding("sequence", three, {}, _shown(history, three), first)


def _shown(history: History, tokens: tuple[str, ...]) -> int:
    """Count the days on which some acts follow one another in time, whatever comes between."""
    timeline = history.timeline
    at = begun = history.occurrences[tokens[0]]
    for token in tokens[1:]:
        after = history.occurrences[token]
        place = np.searchsorted(timeline.instant[after], timeline.instant[at], "right")
        following = after[np.minimum(place, after.size - 1)]
        near = (place < after.size) & (timeline.instant[following] - timeline.instant[at] <= _GAP)
        at, begun = following[near], begun[near]
    return int(np.unique(timeline.day[begun]).size)


def busy_hours(history: History) -> Iterator[Finding]:
    """Take the hours of an area with more than its average hour's events for its hours of use."""
    timeline, days = history.timeline, len(history.rows)
    hits: dict[str, Ints] = {}
    for token, rows in history.occurrences.items():
        area = history.home.area_of(entity_of(token))
        if area is not None:
            table = hits.setdefault(area.id, np.zeros((days, 24), np.int64))
            np.add.at(table, (timeline.day[rows], np.clip(timeline.wall[rows] // 3600, 0, 23)), 1)
    for area_id, table in hits.items():
        total = table.sum(axis=0)
        start = end = int(total.argmax())
        while end < 23 and total[end + 1] > total.mean():
            end += 1
        while start > 0 and total[start - 1] > total.mean():
            start -= 1
        kept = int((2 * (table[:, start : end + 1] > 0).sum(axis=1) >= end + 1 - start).sum())
        yield _finding("room", (area_id,), {"start": start, "end": (end + 1) % 24}, kept, days)


def mean_spans(history: History) -> Iterator[Finding]:
    """Give the mean length of what is on or open, and two standard deviations above as the usual limit."""
    timeline = history.timeline
    by_entity: dict[str, list[str]] = {}
    for token in history.tokens:
        by_entity.setdefault(entity_of(token), []).append(token)
    for token, rows in history.occurrences.items():
        if token.partition("=")[2] not in ACTIVE_STATES:
            continue
        ends = np.sort(np.concatenate([history.occurrences[one] for one in by_entity[entity_of(token)]]))
        place = np.searchsorted(ends, rows, "right")
        whole = rows[place < ends.size]
        after = ends[place[place < ends.size]]
        seconds = timeline.instant[after] - timeline.instant[whole]
        if seconds.size < _LEAST_TIMES:
            continue
        usual = float(seconds.mean() + 2 * seconds.std())
        days = np.unique(timeline.day[after]).size
        kept = days - np.unique(timeline.day[after[seconds > usual]]).size
        mean, spread = float(seconds.mean()), float(seconds.std())
        measures = {"median": mean, "lower": mean - spread, "upper": mean + spread, "usual": usual}
        yield _finding("duration", (token,), measures, kept, days)


def scored_days(history: History) -> Iterator[Finding]:
    """Take a day on which a token comes three standard deviations more or less often than on average for strange."""
    timeline, days = history.timeline, len(history.rows)
    for token, rows in history.occurrences.items():
        counts = np.bincount(timeline.day[rows], minlength=days)
        for day in np.flatnonzero(np.abs(counts - counts.mean()) > _SCORES * max(float(counts.std()), 1e-9)).tolist():
            date = int(history.ordinals[day])
            measures = {"check": "many", "date": date}
            subject = ("many", token, dt.date.fromordinal(date).isoformat())
            yield _finding("anomaly", subject, measures, days - 1, days)


def gaps(history: History) -> Iterator[Finding]:
    """Part each room's events where half an hour is silent; the hour in which most spans begin is a session."""
    timeline, days = history.timeline, len(history.rows)
    areas: dict[str, list[str]] = {}
    for token in history.tokens:
        area = history.home.area_of(entity_of(token))
        if area is not None:
            areas.setdefault(area.id, []).append(token)
    for area_id, tokens in areas.items():
        rows = np.sort(np.concatenate([history.occurrences[token] for token in tokens]))
        begun = rows[np.diff(timeline.instant[rows], prepend=-(1 << 40)) >= _SILENCE]
        hours = timeline.wall[begun] // 3600
        hour = int(np.bincount(hours, minlength=24).argmax())
        mine = begun[hours == hour]
        kept = np.unique(timeline.day[mine]).size
        if kept >= _HALF * days:
            minute = round(float(np.median(timeline.wall[mine]))) // 60
            measures = {"minute": minute, "width": 60, "members": tokens, "pause": _SILENCE // 60, "fewest": 1}
            yield _finding("session", (area_id,), measures, kept, days)


def two_clusters(history: History) -> Iterator[Finding]:
    """Cluster the days by their events by hour (k = 2); the smaller cluster is a type of day."""
    timeline, days = history.timeline, len(history.rows)
    hours = np.zeros((days, 24))
    np.add.at(hours, (timeline.day, np.clip(timeline.wall // 3600, 0, 23)), 1)
    centres = hours[[int(hours.sum(axis=1).argmin()), int(hours.sum(axis=1).argmax())]]
    label = np.zeros(days, np.int64)
    for _ in range(20):
        label = ((hours[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        centres = np.stack([hours[label == k].mean(axis=0) if (label == k).any() else centres[k] for k in range(2)])
    smaller = int(np.bincount(label, minlength=2).argmin())
    dates = history.ordinals[label == smaller].tolist()
    if dates:
        yield _finding("day_type", ("home", "cluster"), {"dates": dates}, len(dates), days)


def correlated(history: History) -> Iterator[Finding]:
    """Correlate what happens on a day with the day's mean of each context; beyond 0.3 the act depends on it."""
    timeline, days = history.timeline, len(history.rows)
    for context, hours in _levels(history).items():
        known = hours != UNKNOWN_LEVEL
        level = (hours * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        for token, rows in history.occurrences.items():
            acted = np.zeros(days, bool)
            acted[timeline.day[rows]] = True
            if acted.all() or np.ptp(level) == 0 or acted.sum() < _LEAST_TIMES:
                continue
            related = float(pearsonr(acted, level).statistic)
            if abs(related) > _RELATED:
                yield _dependent(history, (token, context), acted, level, above=related > 0)


def _levels(history: History) -> dict[str, Ints]:
    kept = history.summaries["contextual"].days
    folded = [kept[row.ordinal] for row in history.rows]
    names = sorted({name for day in folded for name in day.words})
    table = {name: np.full((len(folded), 24), UNKNOWN_LEVEL) for name in names}
    for place, day in enumerate(folded):
        for number, name in enumerate(day.words):
            table[name][place] = day["level"].reshape(-1, 24)[number]
    return table


def _dependent(history: History, pair: tuple[str, str], acted: Bools, level: Floats, *, above: bool) -> Finding:
    cut = float(np.median(level))
    here = level >= cut if above else level < cut
    unit = cut if pair[1] == "presence" else cut / 2
    if pair[1] != "presence" and history.home.entity(pair[1]).device_class == "illuminance":
        unit = 2.0 ** (cut - 1)
    subject = (*pair, "above" if above else "below")
    return _finding("contextual", subject, {"threshold": unit}, int((acted & here).sum()), int(here.sum()))


def fitted_lines(history: History) -> Iterator[Finding]:
    """Fit a line to the first time of each day of what happens on half of them; at 5 % it drifts."""
    timeline, days = history.timeline, len(history.rows)
    for token, rows in history.occurrences.items():
        day, first = np.unique(timeline.day[rows], return_index=True)
        minutes = timeline.wall[rows[first]] / 60
        if day.size < max(_LEAST_TIMES, _HALF * days) or np.ptp(minutes) == 0:
            continue
        line = linregress(day, minutes)
        if line.pvalue < _LEVEL:
            slope, reach = 7 * float(line.slope), 7 * 1.645 * float(line.stderr)
            before, after = (round(float(line.intercept + line.slope * at)) % 1440 for at in (0, days - 1))
            measures = {"shape": "line", "before": before, "after": after, "since": int(history.ordinals[0])}
            measures |= {"slope": slope, "slope_low": slope - reach, "slope_high": slope + reach}
            yield _finding("seasonal", (token, "drift"), measures, day.size, days)


def _finding(detector: str, subject: tuple[str, ...], measures: dict[str, Any], kept: int, days: int) -> Finding:
    kept = min(kept, days)
    low, high = share_interval(kept, days)
    figures = [f"{name} {value}" for name, value in measures.items() if isinstance(value, int | float | str)]
    anchor = measures.get("minute")
    return Finding(
        detector=detector,
        subject=subject,
        anchor=anchor,
        measures=measures,
        evidence=Evidence(kept=kept, observed=days, low=low, high=high),
        confidence=kept / max(days, 1),
        sentence=" ".join((*subject, *figures)),
    )


#: The peer of each detector, and what it is called.
PEERS: Final[dict[str, tuple[str, Callable[[History], Iterator[Finding]]]]] = {
    "time_of_day": ("k-means of the hour", k_means),
    "co_occurrence": ("pairs within 5 min, counted", counted_pairs),
    "sequence": ("frequent triples", frequent_triples),
    "room": ("hours above average", busy_hours),
    "duration": ("mean + 2 sd", mean_spans),
    "anomaly": ("3 sd from the mean", scored_days),
    "session": ("gaps of half an hour", gaps),
    "day_type": ("k-means of days", two_clusters),
    "contextual": ("correlation", correlated),
    "seasonal": ("regression", fitted_lines),
}
