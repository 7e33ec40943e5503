"""Numbers, dates and sizes as people write them."""

import datetime as dt
from typing import Final

from quotidian.detect.words import plain

_SIZES: Final = ("bytes", "kB", "MB", "GB", "TB")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def count(number: int, one: str, many: str = "") -> str:
    """Count things.

    >>> count(1, "habit"), count(12_345, "change"), count(2, "day of the week", "days of the week")
    ('1 habit', '12,345 changes', '2 days of the week')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """Give a number of bytes in its largest unit, powers of 1,000.

    >>> size(0), size(999), size(1_250_000), size(31_000)
    ('0 bytes', '999 bytes', '1.2 MB', '31 kB')
    """
    value, unit = float(number), 0
    while value >= 999.5 and unit < len(_SIZES) - 1:
        value, unit = value / 1000, unit + 1
    shown = f"{value:.1f}" if unit and value < 9.95 else f"{value:.0f}"
    return f"{shown} {_SIZES[unit]}"


def date(day: dt.date, *, year: bool = True) -> str:
    """Write a date.

    >>> date(dt.date(2026, 2, 3)), date(dt.date(2026, 2, 3), year=False)
    ('3 February 2026', '3 February')
    """
    return f"{day.day} {_MONTHS[day.month - 1]}" + (f" {day.year}" if year else "")


def brief(day: dt.date) -> str:
    """Write a date in little room.

    >>> brief(dt.date(2026, 2, 3))
    '3 Feb'
    """
    return f"{day.day} {_MONTHS[day.month - 1][:3]}"


def dates(first: dt.date, last: dt.date) -> str:
    """Write a span of dates, the year once where that is enough.

    >>> dates(dt.date(2026, 2, 2), dt.date(2026, 5, 2)), dates(dt.date(2025, 12, 31), dt.date(2026, 1, 1))
    ('2 February to 2 May 2026', '31 December 2025 to 1 January 2026')
    """
    if first == last:
        return date(first)
    return f"{date(first, year=first.year != last.year)} to {date(last)}"


def line(text: str) -> str:
    """Make a sentence safe to show, word by word, however long it is.

    >>> line("The lamp" + chr(0x202E) + " goes" + chr(10) + "on")
    'The lamp goes on'
    """
    return " ".join(word for word in map(plain, text.split()) if word)


def unbroken(sentence: str) -> str:
    """Keep a tolerance on one line.

    >>> "(± 6 min)" in unbroken("Weekdays about 06:45 (± 6 min)")
    False
    """
    return sentence.replace("± ", "±\N{NO-BREAK SPACE}").replace(" min)", "\N{NO-BREAK SPACE}min)")


def capital(text: str) -> str:
    """Begin with a capital letter.

    >>> capital("the kitchen light")
    'The kitchen light'
    """
    return text[:1].upper() + text[1:]
