"""Days drawn in one line."""

import datetime as dt
import re

import numpy as np

from quotidian.operate.calendar import calendar
from quotidian.suggest.backtest import Moments, Outcome


def drawn(days: list[dt.date], moments: list[tuple[dt.date, Outcome]]) -> str:
    """Draw days without colours."""
    outcome = np.array([one for _, one in moments], np.int64)
    columns = Moments(outcome, outcome, outcome, outcome)
    text = calendar([day.toordinal() for day in days], [date.toordinal() for date, _ in moments], columns)
    return re.sub(r"\[[^\]]*\]", "", text)


def test_each_day_shows_the_worst_that_came_of_it() -> None:
    """A nuisance beside something useful is shown as a nuisance; what had no effect is as good as nothing."""
    monday = dt.date(2026, 3, 2)
    days = [monday + dt.timedelta(days=number) for number in range(4)]
    moments = [
        (days[0], Outcome.USEFUL),
        (days[0], Outcome.NUISANCE),
        (days[1], Outcome.NO_EFFECT),
        (days[1], Outcome.KEPT),
        (days[3], Outcome.NO_EFFECT),
    ]
    assert drawn(days, moments) == "×●··"


def test_weeks_begin_on_mondays_and_missing_days_leave_a_gap() -> None:
    """Saturday and Sunday, a week without its Wednesday, and a Monday: three groups."""
    saturday = dt.date(2026, 3, 7)
    days = [saturday + dt.timedelta(days=number) for number in range(10) if number != 4]
    assert drawn(days, []) == "·· ·· ···· ·"
