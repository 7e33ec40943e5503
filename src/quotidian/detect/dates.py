"""Days in words: by their dates, the latest when there are many."""

import datetime as dt
from typing import Final

_MOST: Final = 4


def spells(ordinals: list[int]) -> list[tuple[int, int]]:
    """Give the first and the last of days that follow one another.

    >>> spells([3, 4, 5, 9])
    [(3, 5), (9, 9)]
    """
    found: list[tuple[int, int]] = []
    for ordinal in ordinals:
        if found and ordinal == found[-1][1] + 1:
            found[-1] = (found[-1][0], ordinal)
        else:
            found.append((ordinal, ordinal))
    return found


def dated(ordinals: list[int]) -> str:
    """Name days, in order, by their dates.

    >>> dated([dt.date(2026, 3, day).toordinal() for day in (22, 23, 24, 31)])
    '22 to 24 March and 31 March'
    """
    found = spells(ordinals)
    names = [_named(one, last) for one, last in found[-_MOST:]]
    earlier = sum(last - one + 1 for one, last in found[:-_MOST])
    names = [f"{earlier} earlier day{'s' * (earlier != 1)}", *names] if earlier else names
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _named(first: int, last: int) -> str:
    one, other = dt.date.fromordinal(first), dt.date.fromordinal(last)
    if one == other:
        return f"{other.day} {other:%B}"
    begin = f"{one.day}" if one.month == other.month else f"{one.day} {one:%B}"
    return f"{begin} to {other.day} {other:%B}"
