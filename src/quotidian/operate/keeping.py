"""Commands that take things out of the store, or set days aside."""

import datetime as dt
from typing import Annotated

import typer
from rich.markup import escape

from quotidian import clock
from quotidian.detect import words
from quotidian.errors import SettingError
from quotidian.model import Day
from quotidian.operate.console import as_json, progress, say, warn
from quotidian.operate.opening import opened
from quotidian.operate.options import DataOption, JsonOption
from quotidian.operate.telling import size
from quotidian.settings import Settings
from quotidian.store.retention import losses


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("forget")(forget_command)
    app.command("mark")(mark_command)
    app.command("retain")(retain_command)


def forget_command(
    entity: Annotated[str, typer.Argument(help="The entity to forget.", metavar="ENTITY")],
    *,
    data: DataOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Take an entity out of every layer, for ever.

    Example:

      quotidian forget device_tracker.guest_phone
    """
    if not yes and not json:
        typer.confirm(f"Forget everything about {words.plain(entity)}, for ever?", abort=True)
    with opened(data) as store, progress(quiet=json) as stages:
        forgotten = store.forget(entity, lambda done, total: stages("forget", done, total))
    if json:
        as_json(forgotten)
        return
    say(
        f"Forgot {escape(words.plain(entity))}: {forgotten.events:,} events, {forgotten.patterns} patterns. "
        f"{forgotten.days} days are folded again with the next `quotidian learn`."
    )


def mark_command(
    date: Annotated[str, typer.Argument(help="The day.", metavar="2026-11-21")],
    label: Annotated[str | None, typer.Argument(help="What it was (party, away …); without it the mark goes.")] = None,
    *,
    data: DataOption = None,
) -> None:
    """Mark a day, so that it is not learned from.

    Examples:

      quotidian mark 2026-11-21 party

      quotidian mark 2026-11-21
    """
    try:
        day = dt.date.fromisoformat(date)
    except ValueError as error:
        raise SettingError(f"{date!r} is not a date.", "Write it as 2026-11-21.") from error
    with opened(data) as store:
        store.mark(day, label)
    what = "is not marked any more" if label is None else f"is marked “{escape(words.plain(label))}”"
    say(f"{day} {what}; the next `quotidian learn` counts accordingly.")


def retain_command(
    *,
    data: DataOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    json: JsonOption = False,
) -> None:
    """Drop whole days that are older than the settings say, counted from the newest day in the store.

    Example:

      quotidian retain --dry-run
    """
    for loss in losses(Settings()):
        warn(loss)
    with opened(data) as store:
        days = store.days()
        newest = days[-1].date if days else dt.date.min
        # A day to come is a wrong clock's, and no reason to call the others old.
        today = Day.containing(clock.now(), store.home.zone).date
        retained = store.retain(min(newest, today), dry_run=dry_run)
    if json:
        as_json(retained)
        return
    verb = "Would drop" if dry_run else "Dropped"
    say(
        f"{verb} {retained.raw_days} days of events, {retained.daily_days} of daily summaries and "
        f"{retained.weeks} weekly ones: {size(retained.bytes)}."
    )
