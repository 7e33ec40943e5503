"""The checks that compare each day with the days before it, and what they have to say of it."""

from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
from scipy.special import betainc, stdtr

from quotidian.detect.before import RARELY, Counts, before, extremes, farthest, heard, usual
from quotidian.detect.dayrow import entity_of, token_of
from quotidian.detect.edges import before_free
from quotidian.detect.history import History
from quotidian.detect.things import ACTUATORS, OPENINGS, is_act, is_sign
from quotidian.model import Home, Integers
from quotidian.model.arrays import Bools, Floats, Ints
from quotidian.model.day import DAY_MINUTES, DAY_SECONDS
from quotidian.model.home import domain_of

HOME: Final = "home"  #: the subject of a check of the whole house

SILENT_HOURS: Final = 2  #: hours either side of a new one that have to be new as well
LONGEST_RUN: Final = 7  #: so many days running something is missed; then it is gone

_USED_DAYS: Final = 10  #: fewer earlier days on which a token occurred: nothing is usual yet
_LONG_SECONDS: Final = 600  #: shorter spans are never too long
_LONGER: Final = 4  #: how many times the longest usual span a span must be
_EVENING: Final = 20  #: the hour from which on an evening is followed, until _MORNING hours after midnight
_MORNING: Final = 5
_QUARTER: Final = 900
_MANY: Final = 6  #: things that change within a quarter of an hour when people are up
_PAUSE: Final = 2  #: quarters of an hour without a sign after which an evening is over,
_BEFORE_BED: Final = 12  #: but for those who then go to bed
_LATER: Final = 30  #: minutes later than usual that are worth telling
_SPREAD: Final = 10  #: the least spread of the ends of evenings, minutes
_LEAST_OF_CLASS: Final = 4  #: fewer evenings of a class have no usual end


class Check(msgspec.Struct, frozen=True):
    """One kind of check of all days; every array has the shape (days, subjects).

    ``chance`` is 1 where nothing speaks against the day; ``tested`` tells where the check could have found something;
    ``value`` is what the day showed, ``usual`` what is usual by the ``days`` before, and ``kept`` on how many of
    these days it held.
    """

    kind: str
    subjects: tuple[str, ...]
    chance: Floats
    tested: Bools
    value: Ints
    usual: Ints
    days: Ints
    kept: Ints


def often(history: History, counts: Counts) -> tuple[Check, Check]:
    """Compare how often each token and the house changed with the days before."""
    lived = history.lived[:, None]
    times = np.column_stack([counts.times.sum(axis=1), counts.times])
    whole = np.column_stack([counts.whole.any(axis=1), counts.whole]) & lived
    mean, variance = usual(history, times, whole)
    low, high = extremes(times, whole)
    used = whole & (before((whole & (times > 0)).astype(np.int64)) >= _USED_DAYS)
    acted = used & [True, *(is_act(history.home, token) for token in counts.tokens)]
    signs = used & [True, *(is_sign(history.home, token) for token in counts.tokens)]
    more = acted & (times > 1.5 * high + 2)
    less = signs & heard(history)[:, None] & (2 * times + 2 <= low)
    size = mean**2 / (variance - mean)
    share = mean / (mean + size)
    upper, lower = np.ones(times.shape), np.ones(times.shape)
    upper[more] = betainc(times[more], size[more], share[more])
    lower[less] = betainc(size[less], times[less] + 1.0, 1 - share[less])
    subjects, days = (HOME, *counts.tokens), before(whole.astype(np.int64))
    return (
        Check("many", subjects, upper, acted, times, high, days, days),
        Check("few", subjects, lower, signs, times, low, days, days),
    )


def hours(history: History, least_days: int) -> Check:
    """Look for activity at an hour that never had any, in the middle of hours that never had any."""
    timeline, size = history.timeline, len(history.rows)
    hour = np.clip(timeline.wall // 3600, 0, 23)
    active = np.zeros((size, 24), bool)
    active[timeline.day, hour] = True
    reach = range(-SILENT_HOURS, SILENT_HOURS + 1)
    near = np.logical_or.reduce([np.roll(active, shift, axis=1) for shift in reach])
    fresh = np.flatnonzero((active & (before(near.astype(np.int64)) == 0))[timeline.day, hour])[::-1]
    minute = np.full(size, -1, np.int64)
    minute[timeline.day[fresh]] = timeline.wall[fresh] // 60  # in reverse, so that each day's first one stays
    days = np.arange(size)
    tested = days >= least_days
    # What belongs to the evening before is told by ``late``.
    follows = np.concatenate([[False], np.diff(history.ordinals) == 1])
    over = np.concatenate([[-1], _evenings(history)[:-1]]) - DAY_MINUTES
    chance = np.where(
        tested & (minute >= np.where(follows, np.maximum(over, 0), 0)), 1.0 / (len(reach) * days + 2), 1.0
    )
    none, days = np.zeros((size, 1), np.int64), days[:, None]
    return Check("hour", (HOME,), chance[:, None], tested[:, None], minute[:, None], none, days, days)


def absent(history: History, counts: Counts, first_days: int, least_share: float) -> Check:
    """Miss what nearly never failed, by the chance that so many days running fail too."""
    tested = np.zeros(counts.times.shape, bool)
    chance = np.ones(counts.times.shape)
    value, known, looked = (np.zeros(counts.times.shape, np.int64) for _ in range(3))
    days, kept, run = (np.zeros(len(counts.tokens), np.int64) for _ in range(3))
    going = np.ones(len(counts.tokens))
    listened = heard(history) & history.lived
    followed = counts.whole & history.lived[:, None]
    for place in range(len(history.rows)):
        whole, came = followed[place], counts.times[place] > 0
        tested[place] = listened[place] & whole & (days >= first_days) & (kept >= least_share * days)
        missed = tested[place] & ~came & (run < LONGEST_RUN)
        # While a run of misses lasts, what was usual before it stays the measure; then it counts as well.
        over = np.where(missed, 0, run)
        run = np.where(missed, run + 1, 0)
        going = np.where(missed, going * (days - kept + run) / (days + 1 + run), 1.0)
        chance[place], value[place], known[place], looked[place] = going, run, kept, days
        days, kept = days + over + (whole & ~missed), kept + (whole & came)
    return Check("absent", counts.tokens, chance, tested, value, known, looked, known)


def long(history: History, days: dict[int, Integers]) -> Check:
    """Compare each day's longest span of what people operate or open with the longest spans before."""
    tokens, longest = _spans(history, days)
    seen = longest > 0
    chance, usually, many, kept = farthest(longest, seen)
    tested = seen & (many >= _USED_DAYS)
    longer = tested & (longest >= _LONGER * usually) & (longest >= usually + _LONG_SECONDS)
    return Check("long", tokens, np.where(longer, chance, 1.0), tested, longest, usually, many, kept)


def late(history: History, first_days: int) -> Check:
    """Compare until when people were up with the evenings before, by a Student tail.

    An evening is measured from the median of those that like it come before a free day, or do not.
    """
    size, free = len(history.rows), before_free(history)
    end = _evenings(history)
    seen = (end >= 0) & history.lived
    chance, latest, days, kept = np.ones(size), *(np.zeros(size, np.int64) for _ in range(3))
    for place in range(first_days, size):
        known = np.flatnonzero(seen[:place])
        days[place] = known.size
        if not seen[place] or known.size < first_days:
            continue
        kept[place] = known.size - known.size // RARELY
        latest[place] = np.sort(end[known])[kept[place] - 1]
        if end[place] >= latest[place] + _LATER:
            middle = _medians(end[known], free[known])
            spread = np.sort(end[known] - middle[free[known].astype(np.int64)])[: kept[place]].std()
            chance[place] = stdtr(known.size - 1, (middle[int(free[place])] - end[place]) / max(spread, _SPREAD))
    tested = seen & (days >= first_days)
    end, latest, days, kept = (column[:, None] for column in (end, latest, days, kept))
    return Check("late", (HOME,), chance[:, None], tested[:, None], end, latest, days, kept)


def _medians(end: Ints, free: Bools) -> Floats:
    """Give the median end of the evenings before a working day, and before a free one; of few, that of all."""
    classes = (end[~free], end[free])
    return np.array([np.median(own if own.size >= _LEAST_OF_CLASS else end) for own in classes])


def _evenings(history: History) -> Ints:
    """Give the minute after each day's midnight until which its evening lasted; -1 where there was nothing.

    An evening goes on until half an hour and more passes without a sign of people: who gets up in the night does not
    prolong it. A quarter of an hour with many things at once, such as going to bed, belongs to it up to three hours
    later: the room in which people were may have no sensor.
    """
    timeline, size = history.timeline, len(history.rows)
    signs = np.array([is_sign(history.home, token) for token in history.tokens], bool)
    chosen = np.flatnonzero(signs[timeline.token]) if signs.size else np.empty(0, np.int64)
    wall = timeline.wall[chosen]
    night = wall < _MORNING * 3600
    second = wall + np.where(night, DAY_SECONDS, 0) - _EVENING * 3600
    ordinal = history.ordinals[timeline.day[chosen]] - night
    place = np.clip(np.searchsorted(history.ordinals, ordinal), 0, size - 1)
    counts = (second >= 0) & (history.ordinals[place] == ordinal)
    entities = np.unique([entity_of(token) for token in history.tokens], return_inverse=True)[1].reshape(-1)
    length = (24 - _EVENING + _MORNING) * 4
    cells = np.stack([place[counts], second[counts] // _QUARTER, entities[timeline.token[chosen[counts]]]])
    many = np.zeros((size, length), np.int64)
    np.add.at(many, tuple(np.unique(cells, axis=1)[:2]), 1)
    last = np.full(size, -1, np.int64)
    for quarter in range(length):
        pause = np.where(many[:, quarter] >= _MANY, _BEFORE_BED, _PAUSE)
        up = (quarter - last <= pause) | (quarter < (24 - _EVENING) * 4)
        last = np.where(up & (many[:, quarter] > 0), quarter, last)
    return np.where(last >= 0, _EVENING * 60 + 15 * (last + 1), -1)


def _spans(history: History, days: dict[int, Integers]) -> tuple[tuple[str, ...], Ints]:
    """Put the longest spans of all days side by side: shape (days, tokens), 0 where there was none."""
    found = [
        {token_of(*place): value for place, value in read(days.get(row.ordinal, Integers()))} for row in history.rows
    ]
    tokens = tuple(sorted({token for day in found for token in day if _matters(history.home, token)}))
    longest = [[day.get(token, 0) for token in tokens] for day in found]
    return tokens, np.array(longest, np.int64).reshape(len(found), len(tokens))


def _matters(home: Home, token: str) -> bool:
    """Tell whether something is operated or opened, so that somebody would see to it when it stays so."""
    entity_id = entity_of(token)
    return domain_of(entity_id) in ACTUATORS or home.entity(entity_id).device_class in OPENINGS


def read(table: Integers) -> Iterator[tuple[tuple[str, str], int]]:
    """Read a number for each entity and state."""
    if table:
        for entity, state, value in zip(*(table[name].tolist() for name in ("entity", "state", "value")), strict=True):
            yield (table.words[entity], table.words[state]), value
