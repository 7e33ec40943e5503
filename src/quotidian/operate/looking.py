"""Commands that look into the store."""

import datetime as dt
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from quotidian import clock
from quotidian.detect import ROW, ROW_VERSION, DayRow, History, words
from quotidian.detect.ranking import useful_first
from quotidian.errors import NotFoundError, SettingError
from quotidian.model import Day, Pattern, Status
from quotidian.model.day import moment
from quotidian.model.event import events_of
from quotidian.model.pattern import Choice
from quotidian.operate.console import answers, as_json, say
from quotidian.operate.opening import opened
from quotidian.operate.options import DataOption, JsonOption, KindOption
from quotidian.operate.telling import as_data, nearest, size, tell_layers, tell_patterns
from quotidian.report import ReportData, render
from quotidian.store import Store

#: The days that a report shows.
_REPORT_DAYS = 90


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("patterns")(patterns_command)
    app.command("events")(events_command)
    app.command("days")(days_command)
    app.command("layers")(layers_command)
    app.command("report")(report_command)


def patterns_command(
    pattern_id: Annotated[str | None, typer.Argument(help="One pattern, with its history.", metavar="ID")] = None,
    *,
    data: DataOption = None,
    kind: KindOption = None,
    entity: Annotated[str | None, typer.Option("--entity", help="Only those about one entity.")] = None,
    area: Annotated[str | None, typer.Option("--area", help="Only those about an area, or what is in it.")] = None,
    state: Annotated[Status | None, typer.Option("--state", help="Only those that are so.")] = None,
    min_confidence: Annotated[
        float, typer.Option("--min-confidence", min=0, max=1, help="Only those that are at least so certain.")
    ] = 0.0,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="How many.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All of them: also fading and retired ones, and what others tell better.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """List the habits that were found, most useful first.

    Examples:

      quotidian patterns --kind time_of_day

      quotidian patterns time_of_day-3f9a2c1b07

      quotidian patterns --entity light.kitchen --all --json

      quotidian patterns --area kitchen --min-confidence 0.8 --limit 5
    """
    choice = Choice(kind=kind, entity_id=entity, area=area, status=state, min_confidence=min_confidence)
    everything = everything or state is not None
    with opened(data) as store:
        home = store.home
        known = store.patterns()
        chosen = choice.of(known, home)
    patterns = useful_first(one for one in chosen if pattern_id in (None, one.id))
    if pattern_id is not None and not patterns:
        raise NotFoundError(f"There is no pattern {pattern_id!r}.", "`quotidian patterns --all` lists them.")
    if json:
        as_json([as_data(one, known) for one in patterns if everything or one.status is Status.ACTIVE][:limit])
    elif pattern_id is not None:
        _tell_history(patterns[0], known)
    elif patterns:
        tell_patterns(patterns, limit=limit, everything=everything)
    elif choice == Choice():
        say("No habits yet. `quotidian learn SOURCE` learns from a history; `quotidian up` learns each night.")
    else:
        say(f"No such habits.{escape(nearest(home, entity, area))}")


def events_command(
    *,
    data: DataOption = None,
    entity: Annotated[str | None, typer.Option("--entity", help="Only those of one entity.")] = None,
    date: Annotated[
        str | None, typer.Option("--date", help="Only those of one local day.", metavar="2026-11-21")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many.")] = 20,
    json: JsonOption = False,
) -> None:
    """List the newest events.

    Examples:

      quotidian events --entity light.kitchen --limit 5

      quotidian events --date 2026-11-21 --json
    """
    with opened(data) as store:
        home = store.home
        day = None if date is None else _day(date, home.zone)
        table = store.events(
            start=None if day is None else day.start,
            end=None if day is None else day.end,
            entity_id=entity,
            limit=limit,
        )
    events = list(events_of(table, home.id))
    if json:
        as_json(events)
        return
    shown = Table(box=None, pad_edge=False)
    for column in ("when", "entity", "state", "by"):
        shown.add_column(column)
    for event in events:
        when = moment(event.last_updated, home.zone).strftime("%Y-%m-%d %H:%M:%S")
        state = "removed" if event.new_state is None else words.plain(event.new_state)
        shown.add_row(when, escape(words.plain(event.entity_id)), escape(state), event.cause.kind.value)
    answers.print(shown)


def days_command(*, data: DataOption = None, json: JsonOption = False) -> None:
    """List the days: how many events each has, what they take, and whether they have been learned from.

    Example:

      quotidian days
    """
    with opened(data) as store:
        records, marks = store.days(), store.marks()
    if json:
        as_json([{**msgspec.to_builtins(one), "due": one.due, "mark": marks.get(one.date)} for one in records])
        return
    table = Table(box=None, pad_edge=False)
    for column in ("day", "events", "sealed", "learned", "mark"):
        table.add_column(column, justify="right" if column in ("events", "sealed") else "left")
    for record in records:
        learned = "due" if record.due else "yes"
        sealed = size(record.sealed_bytes) if record.sealed_bytes else "–"
        mark = escape(words.plain(marks.get(record.date, "")))
        table.add_row(f"{record.date:%a %Y-%m-%d}", f"{record.events:,}", sealed, learned, mark)
    answers.print(table)


def layers_command(*, data: DataOption = None, json: JsonOption = False) -> None:
    """Tell what each of the four layers holds.

    Example:

      quotidian layers
    """
    with opened(data) as store:
        layers = store.layers()
    if json:
        as_json(layers)
    else:
        tell_layers(layers)


def report_command(
    out: Annotated[Path, typer.Argument(help="The page to write.", metavar="FILE")] = Path("quotidian.html"),
    *,
    data: DataOption = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> None:
    """Write one page with pictures of the home's habits; it needs no network.

    Example:

      quotidian report home.html --open
    """
    with opened(data) as store:
        page = write_report(store, out)
    say(f"wrote {escape(str(page))} ({size(page.stat().st_size)})")
    if show:
        webbrowser.open(page.resolve().as_uri())


def write_report(store: Store, out: Path, *, demo: bool = False) -> Path:
    """Write the report of what a store holds, and give its path.

    Raises
    ------
    SettingError
        When it cannot be written there.
    """
    home, last = store.home, store.nights.daily or moment(clock.now()).date()
    history = History(rows_of(store, last - dt.timedelta(days=_REPORT_DAYS - 1), last), home)
    report = ReportData(
        home=home,
        history=history,
        patterns=tuple(useful_first(store.patterns())),
        layers=tuple(store.layers()),
        generated=moment(clock.now(), home.zone),
        demo=demo,
    )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(render(report), encoding="utf-8")
    except OSError as error:
        raise SettingError(
            f"The report cannot be written to {out}: {error.strerror}.", "Give another place."
        ) from error
    return out


def rows_of(store: Store, first: dt.date, last: dt.date) -> list[DayRow]:
    """Give the shared rows of the days from first to last that layer 2 still has."""
    return [DayRow(ordinal, day) for ordinal, day in store.summary(ROW, ROW_VERSION, first, last).days.items()]


def _tell_history(pattern: Pattern, known: Sequence[Pattern]) -> None:
    tell_patterns([pattern], everything=True)
    also = [one for one in useful_first(known) if one.told_by == pattern.id]
    if also:
        say("\n  also seen as:")
        for one in also:
            say(f"    {escape(words.plain_sentence(one.finding.sentence))} [dim]{one.id}[/]")
    evidence = pattern.finding.evidence
    say(f"\n  share of days   {evidence.share:.0%} (95 % interval {evidence.low:.0%} to {evidence.high:.0%})")
    if evidence.q_value is not None:
        say(f"  q-value         {evidence.q_value:.2g}")
    if evidence.lift is not None:
        say(f"  against chance  {evidence.lift:.1f} times as often")
    say(f"  confidence      {pattern.finding.confidence:.0%} that the next such day shows it")
    table = Table(box=None, pad_edge=False)
    for column in ("night after", "status", "time", "kept"):
        table.add_column(column)
    for revision in pattern.history:
        time = "–" if revision.anchor is None else words.clock(revision.anchor)
        table.add_row(str(revision.date), revision.status.value, time, words.kept(revision.kept, revision.observed))
    answers.print()
    answers.print(table)


def _day(date: str, zone: str) -> Day:
    try:
        return Day.of(dt.date.fromisoformat(date), zone)
    except (ValueError, OverflowError) as error:
        raise SettingError(f"{date!r} is not a date.", "Write it as 2026-11-21.") from error
