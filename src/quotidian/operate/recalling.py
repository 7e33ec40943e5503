"""The command that looks back: what a thing, a room or the house did each day, and how its habits moved."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, cast

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from quotidian.detect import words
from quotidian.detect.ranking import useful_first
from quotidian.errors import NotFoundError
from quotidian.model import Home, Pattern, Status
from quotidian.model.pattern import Choice
from quotidian.model.rollup import DETECTORS, Figures
from quotidian.operate.console import answers, as_json, say
from quotidian.operate.opening import opened
from quotidian.operate.options import DataOption, JsonOption, KindOption
from quotidian.operate.telling import as_data, nearest, tell_patterns
from quotidian.store import Store

_BARS: Final = "▁▂▃▄▅▆▇█"
_SHORTEST_DAY: Final = 23 * 3600
_COLUMNS: Final = ("day", "times", "0     6     12    18     ", "in use", "unusual")


class _Past(msgspec.Struct, frozen=True):
    """What is known of somebody: figures by detector of each day, newest first, what was unusual, and its habits."""

    entity_id: str
    days: dict[dt.date, dict[str, Figures]]
    unusual: dict[dt.date, list[str]]
    habits: list[Pattern]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("history")(history_command)


def history_command(
    entity: Annotated[str, typer.Argument(help="An entity, an area's id, or home.", metavar="ENTITY")],
    *,
    data: DataOption = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How many, up to the last one learned.")] = 30,
    detector: KindOption = None,
    json: JsonOption = False,
) -> None:
    """Tell what something did each day, and how its habits moved.

    Examples:

      quotidian history light.hall --days 30

      quotidian history kitchen

      quotidian history light.hall --detector co_occurrence --json
    """
    with opened(data) as store:
        past = _past(store, entity, days, detector)
    if json:
        as_json(_as_data(past))
    elif detector is not None:
        _tell_figures(past, detector)
    else:
        _tell_days(past)
        _tell_habits(past.habits, min(past.days))


def _past(store: Store, entity: str, days: int, detector: str | None) -> _Past:
    """Read what is known of somebody.

    Raises
    ------
    NotFoundError
        When nothing has been learned yet, or nobody is called that.
    """
    folded = [record.date for record in store.days() if record.folded is not None]
    if not folded:
        raise NotFoundError("No day has been learned from yet.", "Run `quotidian learn SOURCE`, or wait for a night.")
    first = folded[-1] - dt.timedelta(days=days - 1)
    rollups = store.summaries(first, folded[-1], detector=detector, entity_id=entity, limit=days * len(DETECTORS))
    found = Choice(entity_id=entity).of(store.patterns(), store.home)
    if not rollups and not found:
        raise _unknown(store.home, entity)
    by_day: dict[dt.date, dict[str, Figures]] = {date: {} for date in reversed(folded) if date >= first}
    for one in rollups:
        by_day.setdefault(one.date, {})[one.detector] = one.figures
    habits = [one for one in found if one.finding.detector != "anomaly" and detector in (None, one.finding.detector)]
    return _Past(entity, by_day, _unusual(found), habits)


def _unknown(home: Home, entity: str) -> NotFoundError:
    if entity in home.entities or entity in home.areas or entity == "home":
        meant = "It is there, but did not change in them. Numbers (temperature, power) are not told by day."
    else:
        meant = nearest(home, entity).strip() or "Numbers (temperature, power) are not told by day."
    return NotFoundError(f"Nothing is known of {entity[:80]!r} in the days that were learned from.", meant)


def _unusual(patterns: Iterable[Pattern]) -> dict[dt.date, list[str]]:
    """Give the sentences of what was unusual, by day."""
    told: dict[dt.date, list[str]] = {}
    for pattern in patterns:
        if pattern.finding.detector == "anomaly":
            date = dt.date.fromordinal(pattern.finding.measures["date"])
            told.setdefault(date, []).append(words.plain_sentence(pattern.finding.sentence))
    return told


def _as_data(past: _Past) -> dict[str, Any]:
    days = [
        {"date": date, "figures": figures, "unusual": past.unusual.get(date, [])} for date, figures in past.days.items()
    ]
    habits = [as_data(one, past.habits) for one in useful_first(past.habits)]
    return {"entity_id": past.entity_id, "days": days, "habits": habits}


def _tell_days(past: _Past) -> None:
    hours = {date: _hours(figures) for date, figures in past.days.items()}
    most = max((count for counts in hours.values() for count in counts), default=0)
    table = Table(box=None, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, justify="right" if column in ("times", "in use") else "left", no_wrap=True)
    for date, figures in past.days.items():
        unusual = escape("; ".join(past.unusual.get(date, [])))
        if figures:
            table.add_row(f"{date:%a %Y-%m-%d}", _times(figures), _bars(hours[date], most), _use(figures), unusual)
        else:
            table.add_row(f"{date:%a %Y-%m-%d}", "–", "[dim]not observed[/]", "", unusual)
    answers.print(table)


def _times(figures: Mapping[str, Figures]) -> str:
    for detector, name in (("time_of_day", "occurrences"), ("day_type", "changes")):
        if name in figures.get(detector, {}):
            automated = figures[detector].get("automated")
            return f"{figures[detector][name]}" + (f" + {automated}" if automated else "")
    return "–"


def _hours(figures: Mapping[str, Figures]) -> list[int]:
    """Give 24 numbers that tell when it was a matter of the day; none where nothing says."""
    for detector, name in (
        ("time_of_day", "hourly_distribution"),
        ("time_of_day", "quarters"),
        ("room", "hourly_seconds"),
    ):
        if name in figures.get(detector, {}):
            return [*cast("Sequence[int]", figures[detector][name])]
    halves = cast("Sequence[int]", figures.get("day_type", {}).get("half_hours", ()))
    return [one + other for one, other in zip(halves[::2], halves[1::2], strict=True)]


def _bars(hours: Sequence[int], most: int) -> str:
    """Draw a day: a bar an hour, as tall as the largest of all days allows.

    >>> _bars([0, 1, 4, 8], 8)
    '·▁▄█'
    """
    return "".join("·" if not count else _BARS[-(-count * len(_BARS) // most) - 1] for count in hours)


def _use(figures: Mapping[str, Figures]) -> str:
    for detector, name in (("duration", "on_seconds"), ("room", "seconds")):
        if name in figures.get(detector, {}):
            return words.span(cast("int", figures[detector][name]))
    # What was on or open all day did not change, so that only its standing tells.
    longest = cast("Sequence[int]", figures.get("anomaly", {}).get("longest", ()))
    return "all day" if max(longest, default=0) >= _SHORTEST_DAY else ""


def _tell_figures(past: _Past, detector: str) -> None:
    for date, figures in past.days.items():
        told = ", ".join(f"{name} {_plainly(value)}" for name, value in figures.get(detector, {}).items())
        say(f"{date:%a %Y-%m-%d}  {escape(told) or '–'}")


def _plainly(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _tell_habits(habits: Sequence[Pattern], first: dt.date) -> None:
    """Tell habits that are there, or were within the days, and how they moved."""
    shown = [one for one in habits if one.status is not Status.RETIRED or one.updated >= first]
    if not shown:
        say("\nNo habit of it was found.")
        return
    tell_patterns(shown, everything=True)
    moved = [(one.id, line) for one in useful_first(shown) if (line := _moves(one))]
    if moved:
        say("\n[bold]How they moved[/]")
        for name, line in moved:
            say(f"  {line} [dim]{name}[/]")


def _moves(pattern: Pattern) -> str:
    """Tell the times of a habit in the order in which it took them; nothing where it never moved."""
    steps: list[str] = []
    last: int | None = None
    for one in pattern.history:
        if one.anchor is not None and one.anchor != last:
            steps.append(f"{words.clock(one.anchor)} ({one.date})")
            last = one.anchor
    return " → ".join(steps) if len(steps) > 1 else ""
