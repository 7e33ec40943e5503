"""Commands for the place where finished days and summaries lie."""

import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from quotidian import clock
from quotidian.errors import SettingError
from quotidian.model import Day
from quotidian.model.day import DAY_SECONDS, SECOND
from quotidian.operate.console import as_json, plain, progress, say, warn
from quotidian.operate.opening import opened
from quotidian.operate.options import DataOption, JsonOption
from quotidian.operate.telling import size
from quotidian.settings import Settings
from quotidian.store import Store, connect, copying
from quotidian.store.connect import prepare, shortens
from quotidian.store.copying import Copied, Kind
from quotidian.store.protocols import Checked

stores = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(stores, name="store")


@stores.callback()
def store_command() -> None:
    """Prepare, check, extend and copy the place where finished days and summaries lie.

    Examples:

      quotidian store init

      quotidian store check

      quotidian store copy --from embedded --to influx --dry-run
    """


@stores.command("init")
def init_command(*, data: DataOption = None, json: JsonOption = False) -> None:
    """Make InfluxDB's buckets, and let each keep things for as long as the settings say.

    It may be run again at any time: what is as it should be stays as it is. To shorten what InfluxDB keeps, stop the
    services before.

    Example:

      QUOTIDIAN_STORE=influx quotidian store init
    """
    settings = Settings()
    if shortens(settings):
        copying.refuse_dropping(_place(data, settings), settings)
    _told(prepare(settings), json=json)


def _place(data: Path | None, settings: Settings) -> Path:
    return (data or Path(settings.text("QUOTIDIAN_DATA"))).expanduser()


@stores.command("extend")
def extend_command(
    *,
    days: Annotated[int | None, typer.Option("--days", help="For how many days (default: twice as many).")] = None,
    json: JsonOption = False,
) -> None:
    """Let InfluxDB keep events for longer, so that none is dropped before it was learned from.

    Example:

      quotidian store extend --days 14
    """
    settings = Settings()
    if settings.text("QUOTIDIAN_STORE") != "influx":
        raise SettingError(
            "Only InfluxDB drops events by itself, and QUOTIDIAN_STORE is embedded.", "Set QUOTIDIAN_RETENTION_RAW."
        )
    name = "INFLUXDB_RETENTION_RAW"
    now = settings.days(name)
    longer = now * 2 if days is None else days
    if longer <= now:
        raise SettingError(f"{name} is {now} days already.", "Give --days a larger number.")
    done = prepare(settings.replaced(**{name: f"{longer}d"}))
    _told([*done, f"Set {name}={longer}d, so that it stays: `quotidian store init` would shorten it again."], json=json)


def _told(done: list[str], *, json: bool) -> None:
    if json:
        as_json({"done": done})
        return
    for sentence in done:
        say(escape(plain(sentence)))


@stores.command("check")
def check_command(*, data: DataOption = None, json: JsonOption = False) -> None:
    """Read everything that the store keeps, and tell what is damaged and how to mend it.

    The exit code is 1 when something is. A damaged day is set aside, as whenever it is read.

    Example:

      quotidian store check
    """
    with opened(data) as store, progress(quiet=json) as stages:
        checked = copying.check(store, stages)
    if json:
        as_json(checked)
    else:
        _tell_checked(checked)
    if checked.faults:
        raise typer.Exit(1)


def _tell_checked(checked: Checked) -> None:
    for fault in checked.faults:
        warn(fault)
    what = f"{checked.days:,} days with {checked.events:,} events and {checked.summaries:,} summaries"
    if checked.faults:
        say(f"Read {what}; {len(checked.faults)} of them are not as they should be.")
    else:
        say(f"Read {what}: all of it is what was written.")


class _Done(msgspec.Struct, frozen=True):
    """What a copy did, or what it would do."""

    days: int
    events: int
    summaries: int
    bytes: int
    older_days: int = 0
    seconds: float = 0
    checked: Checked | None = None
    faults: tuple[str, ...] = ()


@stores.command("copy")
def copy_command(
    *,
    source: Annotated[str, typer.Option("--from", help="Where it lies now.", metavar="embedded|influx")],
    to: Annotated[str, typer.Option("--to", help="Where it is to lie.", metavar="embedded|influx")],
    to_data: Annotated[
        Path | None, typer.Option("--to-data", help="Make a copy of everything in another directory.", metavar="DIR")
    ] = None,
    data: DataOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be moved.")] = False,
    json: JsonOption = False,
) -> None:
    """Move finished days and summaries into the other kind of store.

    Stop the services before. Stopped or killed, the same command goes on where it was. With --to-data the store stays
    as it is, also while services use it, and everything is copied.

    Examples:

      quotidian store copy --from embedded --to influx --dry-run

      quotidian store copy --from influx --to embedded

      quotidian store copy --from embedded --to embedded --to-data /mnt/new
    """
    kinds = copying.kind(source), copying.kind(to)
    settings = Settings()
    place = _place(data, settings)
    start = time.monotonic()
    if to_data is None:
        done = _moved(place, settings, kinds, dry_run=dry_run, json=json)
    else:
        done = _copied(place, to_data, settings, kinds, dry_run=dry_run, json=json)
    done = msgspec.structs.replace(done, seconds=round(time.monotonic() - start, 1))
    if json:
        as_json(done)
    else:
        _tell_done(done, kinds[1], to_data, dry_run=dry_run)
    if done.faults or (done.checked is not None and done.checked.faults):
        raise typer.Exit(1)


def _moved(place: Path, settings: Settings, kinds: tuple[Kind, Kind], *, dry_run: bool, json: bool) -> _Done:
    source, to = kinds
    if source == to:
        raise SettingError(f"--from and --to are both {to}.", "Name the other kind, or a directory by --to-data.")
    with closing(copying.opened(place, settings, to)) as store:
        older = _older(store, settings, to)
        if dry_run:
            moved = store.astray()
            return _Done(moved.days, moved.events, moved.summaries, moved.bytes, older)
        with progress(quiet=json) as stages:
            return _done(copying.move(store, stages), older)


def _older(store: Store, settings: Settings, to: Kind) -> int:
    """Tell how many days are too old for InfluxDB, and so stay in files."""
    if to == "embedded":
        return 0
    # What InfluxDB would drop within a day is not moved to it.
    first = clock.now() - (settings.days("INFLUXDB_RETENTION_RAW") - 1) * DAY_SECONDS * SECOND
    zone = store.home.zone
    return sum(1 for day in store.days() if day.events and Day.of(day.date, zone).start < first)


def _copied(
    place: Path,
    target: Path,
    settings: Settings,
    kinds: tuple[Kind, Kind],
    *,
    dry_run: bool,
    json: bool,
) -> _Done:
    source, to = kinds
    if source == to == "influx":
        raise SettingError(
            "Both stores would keep the same home in the same buckets of InfluxDB.",
            "Copy it to embedded, or set other buckets there and use `quotidian backup` and `quotidian restore`.",
        )
    with closing(connect(place, settings.replaced(QUOTIDIAN_STORE=source), create=False)) as store:
        older = _older(store, settings, to)
        if dry_run:
            layers = store.layers()
            summaries = sum(layer.rows for layer in layers if layer.layer in (2, 3))
            days = sum(1 for day in store.days() if day.events)
            return _Done(days, layers[0].rows, summaries, sum(layer.bytes for layer in layers), older)
        with progress(quiet=json) as stages:
            return _done(copying.copy(store, target, settings, to, stages), older)


def _done(copied: Copied, older: int) -> _Done:
    moved = copied.moved
    return _Done(
        moved.days, moved.events, moved.summaries, moved.bytes, older, checked=copied.checked, faults=copied.faults
    )


def _tell_done(done: _Done, to: Kind, target: Path | None, *, dry_run: bool) -> None:
    what = f"{done.days:,} days with {done.events:,} events, and {done.summaries:,} summaries: {size(done.bytes)}"
    if dry_run:
        say(f"Would {'move' if target is None else 'copy'} {what}.")
        _tell_older(done)
        return
    for fault in done.faults:
        warn(fault)
    say(f"{'Moved' if target is None else 'Copied'} {what}, in {done.seconds:,.1f} s.")
    _tell_older(done)
    if done.checked is not None:
        _tell_checked(done.checked)
    where = "" if target is None else f", and QUOTIDIAN_DATA={escape(str(target))}"
    say(f"Next: set QUOTIDIAN_STORE={to}{where}, and start the services.")


def _tell_older(done: _Done) -> None:
    if done.older_days:
        say(f"Of {done.older_days:,} days that are older than INFLUXDB_RETENTION_RAW the events stay in files.")
