"""The parts of the year that habits belong to, once two cycles exist."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

from quotidian.detect import words
from quotidian.detect.dayrow import entity_of, state_of, token_of
from quotidian.detect.statistics import share_interval
from quotidian.detect.things import RESTING
from quotidian.model import Evidence, Finding, Home, Integers, Stage

_MONTH_DAYS: Final = 20  #: fewer observed days do not describe a month
_MONTHS: Final = 24
_OFTEN: Final = 0.5
_RARELY: Final = 0.1


class _Year(msgspec.Struct, frozen=True):
    """Days with a token and days observed, by calendar month (1 to 12) of each year."""

    kept: dict[tuple[int, int], int]
    observed: dict[tuple[int, int], int]

    def shares(self, month: int) -> list[float]:
        """Give a month's share in each year in which it was observed for long enough."""
        months = [key for key, days in self.observed.items() if key[1] == month and days >= _MONTH_DAYS]
        return [self.kept.get(key, 0) / self.observed[key] for key in months]

    def total(self, months: list[int]) -> tuple[int, int]:
        """Give the days with the token and the days observed in these months of all years."""
        kept = sum(days for (_, month), days in self.kept.items() if month in months)
        return kept, sum(days for (_, month), days in self.observed.items() if month in months)


class _Shape(msgspec.Struct, frozen=True):
    """The months of the year (1 to 12) in which a token occurs often, and those in which it hardly does."""

    year: _Year
    often: list[int]
    rarely: list[int]


def yearly(detector: str, days: Mapping[int, Integers], home: Home) -> list[Finding]:
    """Find the tokens that belong to a part of the year, the most regular first."""
    if len(days) < _MONTHS * _MONTH_DAYS:
        return []
    found = []
    for token, year in sorted(_by_month(days).items()):
        shares = {month: year.shares(month) for month in range(1, 13)}
        if any(len(values) < 2 for values in shares.values()):
            continue
        often = [month for month, values in shares.items() if min(values) >= _OFTEN]
        rarely = [month for month, values in shares.items() if max(values) <= _RARELY]
        if len(often) >= 2 and len(rarely) >= 3 and _in_one_run(often):
            found.append(_finding(detector, home, token, _Shape(year, often, rarely)))
    begun = {_entity(one) for one in found if not _ends(one)}
    told = [one for one in found if not _ends(one) or _entity(one) not in begun]
    return sorted(told, key=lambda finding: (-finding.evidence.low, finding.subject))


def _ends(finding: Finding) -> bool:
    """Tell whether a finding is about what ends; where the beginning belongs to a part of the year, that says it."""
    return state_of(finding.subject[0]) in RESTING


def _entity(finding: Finding) -> str:
    return entity_of(finding.subject[0])


def _by_month(days: Mapping[int, Integers]) -> dict[str, _Year]:
    kept: dict[str, Counter[tuple[int, int]]] = {}
    present: dict[str, Counter[tuple[int, int]]] = {}
    for ordinal, day in sorted(days.items()):
        if not day:
            continue
        date = dt.date.fromordinal(ordinal)
        month = date.year, date.month
        for entity in day["present"].tolist():
            present.setdefault(day.words[entity], Counter())[month] += 1
        for entity, state in zip(day["token_entity"].tolist(), day["token_state"].tolist(), strict=True):
            kept.setdefault(token_of(day.words[entity], day.words[state]), Counter())[month] += 1
    return {token: _Year(months, present.get(entity_of(token), Counter())) for token, months in kept.items()}


def _in_one_run(months: list[int]) -> bool:
    """Tell whether months follow one another on the circle of the year."""
    return sum(month % 12 + 1 not in months for month in months) == 1


def _first_of(months: list[int]) -> int:
    return next(month for month in months if (month - 2) % 12 + 1 not in months)


def _finding(detector: str, home: Home, token: str, shape: _Shape) -> Finding:
    kept, observed = shape.year.total(shape.often)
    low, high = share_interval(kept, observed)
    first = _first_of(shape.often)
    last = (first + len(shape.often) - 2) % 12 + 1
    span = f"{words.MONTHS[first - 1]} to {words.MONTHS[last - 1]}"
    rest = shape.year.total(shape.rarely)
    return Finding(
        detector=detector,
        subject=(token, "year"),
        measures={"months": shape.often, "rest": shape.rarely, "otherwise": list(rest)},
        evidence=Evidence(kept=kept, observed=observed, low=low, high=high),
        confidence=low,
        stage=Stage.EMERGING if len(shape.year.shares(first)) < 3 else Stage.ESTABLISHED,
        sentence=f"From {span} {words.act(home, token)} (in the quiet months on {words.kept(*rest)})",
    )
