"""Days on which an automation was tried, drawn in one line and given as data."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from quotidian.model.day import SECOND, moment
from quotidian.suggest.backtest import Moments, Outcome, Score
from quotidian.suggest.tape import Tape

LEGEND: Final = "[dim]● of use   × a nuisance   · nothing to do[/]"
_GOOD: Final = "[green]●[/]"
_BAD: Final = "[red]×[/]"
_NOTHING: Final = "[dim]·[/]"
_MISSING: Final = " "


def calendar(days: Sequence[int], dates: Sequence[int], moments: Moments) -> str:
    """Draw days, a group for each week from Monday on.

    Parameters
    ----------
    days
        Ordinals of the days, ascending.
    dates
        The ordinals of the moments' days.
    moments
        What came of each moment.
    """
    worst: dict[int, int] = {}
    for ordinal, outcome in zip(dates, moments.outcome.tolist(), strict=True):
        worst[ordinal] = max(worst.get(ordinal, Outcome.NO_EFFECT), outcome)
    known, weeks = frozenset(days), list[str]()
    for ordinal in range(days[0], days[-1] + 1):
        if not weeks or dt.date.fromordinal(ordinal).weekday() == 0:
            weeks.append("")
        weeks[-1] += _sign(worst.get(ordinal, Outcome.NO_EFFECT)) if ordinal in known else _MISSING
    return " ".join(weeks)


def _sign(outcome: int) -> str:
    if outcome == Outcome.NO_EFFECT:
        return _NOTHING
    return _BAD if outcome == Outcome.NUISANCE else _GOOD


def as_data(days: Sequence[int], moments: Moments, score: Score, tape: Tape) -> dict[str, Any]:
    """Give what came of an automation as plain data, moment by moment."""
    told = zip(moments.instant.tolist(), moments.outcome.tolist(), strict=True)
    return {
        "score": {**msgspec.structs.asdict(score), "precision": round(score.precision, 4)},
        "days": [dt.date.fromordinal(ordinal) for ordinal in days],
        "moments": [
            {"at": moment(instant * SECOND, tape.home.zone), "outcome": Outcome(outcome).name.lower()}
            for instant, outcome in told
        ],
    }
