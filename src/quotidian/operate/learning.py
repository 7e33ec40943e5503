"""Commands that bring a history in and its habits out."""

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import msgspec
import typer
from rich.markup import escape

from quotidian import clock
from quotidian.detect import detectors, words
from quotidian.detect.ranking import useful_first
from quotidian.importers import Imported, Source, import_source, open_source
from quotidian.learn import Learned, learn
from quotidian.learn.holding import holding
from quotidian.model import Day
from quotidian.operate.console import Stages, as_json, progress, say, warn
from quotidian.operate.looking import rows_of, write_report
from quotidian.operate.opening import opened
from quotidian.operate.options import DataOption, JsonOption, SourceArgument, ZoneOption
from quotidian.operate.scheduling import who_runs
from quotidian.operate.telling import as_data, tell_learned
from quotidian.simulate import Plan, example, simulate, write_home, write_jsonl, write_truth
from quotidian.store import Store, connect

RejectsOption = Annotated[
    Path | None,
    typer.Option("--rejects", help="Where to write rows that cannot be used.", metavar="FILE"),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("learn")(learn_command)
    app.command("import")(import_command)
    app.command("simulate")(simulate_command)
    app.command("demo")(demo_command)


def learn_command(
    source: Annotated[str | None, SourceArgument.__metadata__[0]] = None,
    *,
    data: DataOption = None,
    zone: ZoneOption = None,
    rejects: RejectsOption = None,
    refold: Annotated[bool, typer.Option("--refold", help="Fold every day again from its events.")] = False,
    json: JsonOption = False,
) -> None:
    """Learn a home's habits from its history, and print them.

    Without a source it learns from what the store has. Nothing is read twice: stopped or repeated, it goes on
    where it was.

    Examples:

      quotidian learn /config/home-assistant_v2.db

      quotidian learn http://192.168.1.10:8123

      quotidian learn history.csv --zone Europe/Berlin

      zcat history.csv.gz | quotidian learn -
    """
    with progress(quiet=json) as stages:
        opened_source = None if source is None else _opened_source(source, zone, rejects, stages)
    with opened(data, create=source is not None) as store:
        with progress(quiet=json) as stages:
            imported = None if opened_source is None else _imported(store, opened_source, stages)
            learned = _learned(store, stages, refold=refold)
        if json:
            as_json(_as_data(store, imported, learned))
            return
        if opened_source is not None and imported is not None:
            _tell_imported(opened_source, imported)
        _tell(store, learned)


def import_command(
    source: SourceArgument,
    *,
    data: DataOption = None,
    zone: ZoneOption = None,
    rejects: RejectsOption = None,
    json: JsonOption = False,
) -> None:
    """Bring a history into the store without learning from it yet.

    Examples:

      quotidian import backup.tar

      quotidian import events.jsonl.zst --json
    """
    with progress(quiet=json) as stages:
        opened_source = _opened_source(source, zone, rejects, stages)
    with opened(data, create=True) as store:
        with progress(quiet=json) as stages:
            imported = _imported(store, opened_source, stages)
        if json:
            as_json(_imported_data(imported))
        else:
            _tell_imported(opened_source, imported)


def simulate_command(
    out: Annotated[Path, typer.Argument(help="The directory to write into.", metavar="DIR")],
    *,
    home: Annotated[str, typer.Option("--home", help="demo, small, large, ten-days or null.")] = "demo",
    seed: Annotated[int | None, typer.Option("--seed", help="Another home of this kind.")] = None,
    days: Annotated[int | None, typer.Option("--days", help="How many days.")] = None,
    entities: Annotated[int | None, typer.Option("--entities", help="How many entities, 10 to 1,000.")] = None,
    events: Annotated[int | None, typer.Option("--events", help="How many events a day, about.")] = None,
    json: JsonOption = False,
) -> None:
    """Write a simulated home: its events, its registries, and the truth about its habits.

    Examples:

      quotidian simulate /tmp/home --home large --days 7

      quotidian learn /tmp/home/events.jsonl.gz --data /tmp/store
    """
    plan = example(home)
    changed = {"seed": seed, "days": days, "entities": entities, "events_per_day": events}
    plan = msgspec.structs.replace(plan, **{name: value for name, value in changed.items() if value is not None})
    simulated = simulate(plan)
    out.mkdir(parents=True, exist_ok=True)
    files = [out / name for name in ("events.jsonl.gz", "home.json", "truth.json")]
    with progress(quiet=json) as stages:
        write_jsonl(simulated, files[0], lambda day: stages("simulate", (day.date - plan.start).days + 1, plan.days))
    write_home(simulated.home, files[1])
    write_truth(simulated.truth, files[2])
    if json:
        as_json({"files": [str(file) for file in files], "habits": len(simulated.truth.habits)})
        return
    for file in files:
        say(f"wrote {escape(str(file))}")


def demo_command(
    directory: Annotated[Path, typer.Argument(help="A directory for the demonstration alone.")] = Path("demo"),
) -> None:
    """Show on a simulated home what Quotidian does, in a directory of its own.

    Example:

      quotidian demo
    """
    plan = example("demo")
    with progress() as stages:
        store = connect(directory / "store")
        try:
            _lived(store, plan, stages)
            last = Day.of(plan.start + dt.timedelta(days=plan.days - 1), plan.zone)
            learned = learn(store, detectors(), last.end, stages)
            page = write_report(store, directory / "report.html", demo=True)
            _tell(store, learned)
        finally:
            store.close()
    say(f"\nThe picture book of this home: [bold]{escape(str(page))}[/] (open it in a browser)")
    say(f"Your own home: [bold]{escape(sys.argv[0])} learn /path/to/home-assistant_v2.db[/]")


def _opened_source(where: str, zone: str | None, rejects: Path | None, stages: Stages) -> Source:
    return open_source(
        where,
        zone=zone,
        rejects=rejects,
        unpacking=lambda done: stages("unpack", done, None),
        token=lambda: stages.secret("Home Assistant's token (it is not shown): "),
    )


def _imported(store: Store, source: Source, stages: Stages) -> Imported:
    return import_source(store, source, lambda done, total: stages("import", done, total))


def _lived(store: Store, plan: Plan, stages: Stages) -> None:
    """Put a simulated home's events into its store."""
    simulated = simulate(plan)
    store.set_home(msgspec.structs.replace(simulated.home, id=store.home.id))
    for place, (_, events) in enumerate(simulated.days()):
        store.append(events)
        stages("simulate", place + 1, plan.days)


def _learned(store: Store, stages: Stages, *, refold: bool) -> Learned:
    """Learn, when nobody else does."""
    remarks: list[str] = []

    def waiting() -> None:
        if not remarks:
            remarks.append(who_runs(store))
            warn(remarks[0])

    with holding(store, uuid4().hex, waiting) as hold:

        def moved(stage: str, done: int, total: int) -> None:
            hold.check()
            stages(stage, done, total)

        return learn(store, detectors(), clock.now(), moved, refold=refold)


def _tell_imported(source: Source, imported: Imported) -> None:
    appended = imported.appended
    say(
        f"[bold]{escape(source.kind)}[/]: {imported.read:,} states read, {appended.new:,} new, "
        f"{appended.known:,} known already."
    )
    for sentence in imported.warnings:
        warn(sentence)
    if imported.rejected:
        where = f" They are in {source.rejects.path}." if source.rejects.path else " Give --rejects FILE to see them."
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(source.rejects.counts.items()))
        warn(f"{imported.rejected:,} rows could not be used: {reasons}.{where}")
    if imported.fault is not None:
        warn(str(imported.fault))


def _tell(store: Store, learned: Learned) -> None:
    records = store.days()
    rows = rows_of(store, records[0].date, records[-1].date) if records else []
    events, days = sum(record.events for record in records), sum(record.folded is not None for record in records)
    name = escape(words.plain(store.home.name))
    say(f"[bold]{name}[/]: {events:,} changes of state, {days} whole days learned ({store.home.zone}).")
    for sentence in learned.folded.damaged:
        warn(sentence)
    tell_learned(learned, store.home, rows)


def _as_data(store: Store, imported: Imported | None, learned: Learned) -> dict[str, Any]:
    return {
        "home": {"id": store.home.id, "name": store.home.name, "zone": store.home.zone},
        "imported": None if imported is None else _imported_data(imported),
        "folded_days": len(learned.folded.days),
        "folded_events": learned.folded.events,
        "damaged": list(learned.folded.damaged),
        "nights": len(learned.nights),
        "days": len([record for record in store.days() if record.folded is not None]),
        "patterns": [as_data(pattern, learned.patterns) for pattern in useful_first(learned.patterns)],
    }


def _imported_data(imported: Imported) -> dict[str, Any]:
    return {
        "read": imported.read,
        "new": imported.appended.new,
        "known": imported.appended.known,
        "rejected": imported.rejected,
        "warnings": list(imported.warnings),
        "fault": None if imported.fault is None else str(imported.fault),
    }
