"""Kinds of days that are a home's own, such as those on which somebody works at home: found, not assumed."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Final

import msgspec
import numpy as np

from quotidian.detect.statistics import q_values, rounded
from quotidian.model.arrays import Bools, Floats, Ints

#: What kinds are called: more happens in some hours, or less.
NAMES: Final = ("at_home", "out")
#: Only days of one class of the calendar are parted.
CLASSES: Final = ("weekdays", "weekends")
#: Days with a long night after them (see ``edges``), and when they are looked for.
LATE, BEFORE_FREE = "late", "friday+saturday"
#: Classes of the calendar less the home's own days.
OTHERS: Final = (*(f"{class_}-{name}" for class_ in CLASSES for name in NAMES), f"{BEFORE_FREE}-{LATE}")
_LEAST_DAYS: Final = 20
_LEAST_OF_KIND: Final = 5
#: Directions in which days may differ, and how many of them the search begins along.
_DIRECTIONS, _BEGINNINGS = 6, 3
_STEPS: Final = 10
#: Homes of one kind of day that the true one is compared with.
_DRAWS: Final = 299
_PERMUTATIONS: Final = 999
_USUAL: Final = 0.5  #: share of a weekday's days that must be of a kind
_APART: Final = 0.5  #: by which the shares of days with activity in a half hour must differ


class Kind(msgspec.Struct, frozen=True):
    """A kind of days.

    Parameters
    ----------
    name
        ``at_home`` when more happens on them in some hours than on others of their class, ``out`` when less does.
    days
        The days of this kind that fall on its usual weekdays: shape (days,).
    among
        All days on these weekdays that could have been of it, so the share of the kind can be told.
    weekdays
        Its usual weekdays, 0 for Monday.
    start, end
        The half hours, end excluded, in which it differs most from the others of its class.
    q_value
        The rate of false discoveries at which it is accepted.
    """

    name: str
    days: Bools
    among: Bools
    weekdays: tuple[int, ...]
    start: int
    end: int
    q_value: float


class DayClasses(Mapping[str, Bools]):
    """Classes of days by name, each a mask over the days: those of the calendar, and those that are the home's own.

    Kinds and long nights are looked for when they are asked for; where there is none of a name, its class is empty. The
    parameters are those of ``kinds_of``, and what gives the days with a long night after them.
    """

    def __init__(self, classes: dict[str, Bools], half_hours: Ints, ordinals: Ints, late: Callable[[], Bools]) -> None:
        self._classes, self._half_hours, self._ordinals, self._late = classes, half_hours, ordinals, late

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of days that were found."""
        return kinds_of(self._half_hours, self._ordinals, self._classes)

    def __getitem__(self, name: str) -> Bools:
        """Give a class of days; several weekdays are asked for at once as ``friday+saturday``.

        Several working days are those that are no public holidays: ``tuesday+thursday`` is a part of ``weekdays``.
        ``weekdays-at_home`` are the weekdays that are not of that kind, where there is such a kind.
        """
        class_, _, less = name.partition("-")
        if less:
            return np.asarray(self[class_] & ~self[less] & self[less].any())
        if name == LATE:
            return self._late()
        if "+" in name:
            return several(self._classes, name)
        if name not in NAMES:
            return self._classes[name]
        found = [kind.days for kind in self.kinds if kind.name == name]
        return np.asarray(np.logical_or.reduce([np.zeros(self._ordinals.size, bool), *found]))

    def __iter__(self) -> Iterator[str]:
        """Give the names."""
        return iter((*self._classes, *NAMES, LATE, *OTHERS))

    def __len__(self) -> int:
        """Count the names."""
        return len(self._classes) + len(NAMES) + 1 + len(OTHERS)


def several(classes: Mapping[str, Bools], name: str) -> Bools:
    """Unite some weekdays, as ``friday+saturday``, of the classes of the calendar (see ``DayClasses``)."""
    parts = name.split("+")
    among = "all" if {"saturday", "sunday"} & set(parts) else "weekdays"
    return np.asarray(np.logical_or.reduce([classes[part] for part in parts]) & classes[among])


def kinds_of(half_hours: Ints, ordinals: Ints, classes: Mapping[str, Bools], level: float = 0.01) -> tuple[Kind, ...]:
    """Part the weekdays and the weekends of a home in two kinds each, where there are two.

    Days are parted by two means over the square roots of their half-hour counts, along the directions in which they
    differ most. There are two kinds when their mean silhouette [1]_, by the distances to the two means, is larger than
    nearly always in homes of one kind: as many days, drawn from one normal distribution that varies as much in the
    same directions [2]_. And the smaller part must belong to certain weekdays, more than when the days of each week
    change their places: so a busy day is no kind, but Tuesdays and Thursdays at home are one.

    Parameters
    ----------
    half_hours
        Changes that people may have caused, by half hour: shape (days, 48).
    ordinals
        The date ordinal of each day, ascending.
    classes
        Masks over the days, by name.
    level
        The rate of false discoveries.

    References
    ----------
    .. [1] P. J. Rousseeuw, Silhouettes: a Graphical Aid to the Interpretation and Validation of Cluster Analysis, 1987.
    .. [2] Y. Liu, D. N. Hayes, A. Nobel, J. S. Marron, Statistical Significance of Clustering for High-Dimension,
       Low-Sample Size Data, 2008.
    """
    found = [_parted(half_hours, ordinals, classes[name], level) for name in CLASSES]
    tested = [(kind, p_value) for kind, p_value in found if kind is not None]
    q = q_values(np.array([p_value for _, p_value in tested]), len(CLASSES))
    return tuple(
        msgspec.structs.replace(kind, q_value=float(value))
        for (kind, _), value in zip(tested, q, strict=True)
        if value <= level
    )


def same_without(kind: Kind, half_hours: Ints, alike: Bools) -> bool:
    """Tell whether a kind has the same days by other counts of them, such as those without one thing.

    Parameters
    ----------
    half_hours
        The other counts: shape (days, 48).
    alike
        The class of the calendar that was parted: shape (days,).
    """
    places = np.flatnonzero(alike)
    small = _smaller(_shown(half_hours[places])[0])[0]
    return bool((small == kind.days[places])[kind.among[places]].all())


def _parted(half_hours: Ints, ordinals: Ints, alike: Bools, level: float) -> tuple[Kind | None, float]:
    """Give the smaller kind of a class of days, and its p-value; ``None`` where that is above a level."""
    places = np.flatnonzero(alike)
    if places.size < _LEAST_DAYS:
        return None, 1.0
    shown, scale = _shown(half_hours[places])
    small, silhouette = _smaller(shown)
    if silhouette[0] <= 0:
        return None, 1.0
    # What is tested costs more than what is looked at: the draws come last, and only where something is left to test.
    kind = _kind(half_hours, ordinals, places, small)
    usual = 1.0 if kind is None else _by_weekday(ordinals[places], small)
    if usual > level:
        return None, 1.0
    drawn = np.random.default_rng(8).standard_normal((_DRAWS, *shown.shape)) * scale
    apart = _p_value(np.concatenate([silhouette, _two_means(drawn)[1]]))
    return kind, max(apart, usual)


def _shown(half_hours: Ints) -> tuple[Floats, Floats]:
    """Give days along the directions in which they differ most, and how much they vary in each of these."""
    roots = np.sqrt(half_hours.astype(np.float64))
    roots -= roots.mean(axis=0)
    spread, directions = np.linalg.svd(roots, full_matrices=False)[1:]
    size = min(_DIRECTIONS, spread.size)
    return np.asarray(roots @ directions[:size].T), spread[:size] / np.sqrt(len(roots) - 1)


def _smaller(shown: Floats) -> tuple[Bools, Floats]:
    """Part days in two; give the smaller part, and the silhouette, -1 where there are no two parts: shape (1,)."""
    label, silhouette = _two_means(shown[None])
    return label[0] if 2 * label[0].sum() <= len(shown) else ~label[0], silhouette


def _two_means(points: Floats) -> tuple[Bools, Floats]:
    """Part each set of points in two, as well as the silhouette says; shapes (sets, points), (sets,).

    Parts of fewer than five points count as none. Points are given as (sets, points, directions), the widest direction
    first.
    """
    best = np.full(points.shape[0], -1.0)
    labels = np.zeros(points.shape[:2], bool)
    total = points.sum(axis=1)
    for direction in range(min(_BEGINNINGS, points.shape[2])):
        label = points[..., direction] > 0
        for _ in range(_STEPS):
            one, other = _means(points, label, total)
            before, label = label, _nearer(points, one, other)
            if (before == label).all():
                break
        one, other = _means(points, label, total)
        silhouette = _silhouette(points, label, one, other)
        few = np.minimum(label.sum(axis=1), (~label).sum(axis=1)) < _LEAST_OF_KIND
        silhouette[few] = -1.0
        better = silhouette > best
        best[better], labels[better] = silhouette[better], label[better]
    return labels, best


def _means(points: Floats, label: Bools, total: Floats) -> tuple[Floats, Floats]:
    size = label.sum(axis=1)[:, None]
    one = np.einsum("sn,snd->sd", label.astype(np.float64), points)
    return one / np.maximum(size, 1), (total - one) / np.maximum(points.shape[1] - size, 1)


def _nearer(points: Floats, one: Floats, other: Floats) -> Bools:
    """Tell which points lie nearer to the one mean than to the other."""
    across = one - other
    middle = np.einsum("sd,sd->s", across, (one + other) / 2)
    return np.asarray(np.einsum("snd,sd->sn", points, across) > middle[:, None])


def _silhouette(points: Floats, label: Bools, one: Floats, other: Floats) -> Floats:
    """Give the mean silhouette of each set of points, by the distances to the means."""
    near, far = (np.sqrt(((points - mean[:, None]) ** 2).sum(axis=2)) for mean in (one, other))
    own, others = np.where(label, near, far), np.where(label, far, near)
    return np.asarray(((others - own) / np.maximum(np.maximum(own, others), 1e-12)).mean(axis=1))


def _p_value(statistics: Floats) -> float:
    """Give the share of statistics that are as large as the first."""
    values = rounded(statistics)
    return float((values >= values[0]).mean())


def _by_weekday(ordinals: Ints, label: Bools) -> float:
    """Tell how surely labelled days belong to their weekdays: the p-value when the days of each week change places."""
    weekday, week = (ordinals - 1) % 7, (ordinals - 1) // 7
    keys = np.random.default_rng(9).random((_PERMUTATIONS, label.size)) + week
    labels = np.vstack([label, label[np.argsort(keys, axis=1, kind="stable")]])
    days = np.bincount(weekday, minlength=7)
    return _p_value((days * (_shares(labels, weekday) - label.mean()) ** 2).sum(axis=1))


def _shares(labels: Bools, weekday: Ints) -> Floats:
    """Give the share of each weekday's days that are labelled: shape (labels, 7)."""
    days = np.bincount(weekday, minlength=7)
    return np.stack([labels[:, weekday == number].sum(axis=1) for number in range(7)], axis=1) / np.maximum(days, 1)


def _kind(half_hours: Ints, ordinals: Ints, places: Ints, label: Bools) -> Kind | None:
    """Describe the labelled days of a class, where they have hours and weekdays of their own."""
    weekday = (ordinals[places] - 1) % 7
    days = np.bincount(weekday, minlength=7)
    if np.count_nonzero(days) < 2:
        return None
    shares = _shares(label[None], weekday)[0]
    usual = _usual(shares, days)
    active = half_hours[places] > 0
    difference = active[label].mean(axis=0) - active[~label].mean(axis=0)
    start, end = _longest(np.abs(difference) >= _APART)
    if start == end or min(shares[number] for number in usual) < _USUAL:
        return None
    on_these = np.isin(weekday, usual)
    among, kept = np.zeros((2, ordinals.size), bool)
    among[places[on_these]] = True
    kept[places[on_these & label]] = True
    name = NAMES[0 if difference[start:end].mean() > 0 else 1]
    return Kind(name, kept, among, usual, start, end, 1.0)


def _usual(shares: Floats, days: Ints) -> tuple[int, ...]:
    """Part the weekdays where those of larger and of smaller share lie furthest apart; give those of larger share."""
    order = sorted(np.flatnonzero(days).tolist(), key=lambda number: (-shares[number], number))
    size = np.cumsum(days[order])
    above = np.cumsum(days[order] * shares[order])
    mean = above[-1] / size[-1]
    apart = rounded((above - size * mean) ** 2 * size[-1] / (size * np.maximum(size[-1] - size, 1)))
    return tuple(sorted(order[: int(np.argmax(apart[:-1])) + 1]))


def _longest(mask: Bools) -> tuple[int, int]:
    """Give the longest run, from its first place to behind its last one; (0, 0) when there is none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    runs = [(int(end - start), int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return max(runs, key=lambda run: (run[0], -run[1]), default=(0, 0, 0))[1:]
