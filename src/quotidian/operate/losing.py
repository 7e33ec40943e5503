"""The command that tells, day by day, what was lost: usually nothing."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Final

import typer
from rich.measure import Measurement
from rich.table import Table

from quotidian import clock
from quotidian.model.day import moment
from quotidian.operate.console import answers, as_json, say, warn
from quotidian.operate.opening import opened
from quotidian.operate.options import DataOption, JsonOption
from quotidian.store import Certificate, Verification

#: What is counted, and whether its column stands there also when nothing is in it.
_COUNTED: Final = (
    ("received", True),
    ("filled", True),
    ("copies", False),
    ("by hand", False),
    ("imported", False),
    ("dead", True),
    ("gaps", False),
    ("missing", True),
    ("unknown", True),
)
_UNBOUNDED: Final = 10_000  #: columns, in which a table takes what it wants


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("loss")(loss_command)


def loss_command(
    *,
    data: DataOption = None,
    days: Annotated[int, typer.Option("--days", min=1, help="How many days, up to today.")] = 14,
    json: JsonOption = False,
) -> None:
    """Tell day by day what was heard, filled in later, and lost for good: the loss certificates.

    The numbers follow from contiguous sequence numbers, and the certificates are chained by their hashes: one that was
    changed later is found. Today's is provisional. The exit code is 1 when the chain is broken.

    Examples:

      quotidian loss

      quotidian loss --days 365 --json
    """
    with opened(data) as store:
        today = moment(clock.now(), store.home.zone).date()
        certificates = store.certificates(today - dt.timedelta(days=days - 1), today)
        verification = store.verify()
    if json:
        as_json({"certificates": certificates, "chain": verification})
    else:
        _tell(certificates, verification)
    if verification.fault is not None:
        raise typer.Exit(1)


def _tell(certificates: Sequence[Certificate], verification: Verification) -> None:
    if not certificates:
        say("No day has been watched yet. `quotidian up` watches a live home.")
    else:
        table = _table(certificates)
        unbounded = answers.options.update(width=_UNBOUNDED)
        if Measurement.get(answers, unbounded, table).maximum <= answers.width:
            answers.print(table)
        else:
            _tell_days(certificates)
    if verification.fault is not None:
        warn(f"The chain of certificates is broken at number {verification.number}: {verification.fault}")
    elif verification.certificates:
        count, head = verification.certificates, verification.head[:16]
        say(f"\nThe chain of certificates ({count:,}) is whole; its head is {head}.")


def _tell_days(certificates: Sequence[Certificate]) -> None:
    """Tell each day in lines: where the table has no room, its headings could not be read."""
    for one in certificates:
        counts = zip(_COUNTED, _counts(one), strict=True)
        told = [f"{count} {name}" for (name, _), count in counts if count != "–"]
        say(_day(one))
        answers.print(f"  {', '.join([*told, *(['nothing lost'] if one.whole else [])])}", soft_wrap=False)


def _day(one: Certificate) -> str:
    return f"{one.date:%a %Y-%m-%d}{' so far' if one.provisional else ''}"


def _table(certificates: Sequence[Certificate]) -> Table:
    rows = [_counts(one) for one in certificates]
    shown = [place for place, (_, always) in enumerate(_COUNTED) if always or any(row[place] != "–" for row in rows)]
    table = Table(box=None, pad_edge=False)
    table.add_column("day", no_wrap=True)
    for place in shown:
        table.add_column(_COUNTED[place][0], justify="right", no_wrap=True)
    for one, row in zip(certificates, rows, strict=True):
        table.add_row(_day(one), *(row[place] for place in shown))
    return table


def _counts(one: Certificate) -> tuple[str, ...]:
    counts = (one.received, one.filled, one.duplicate, one.manual, one.imported, one.dead, len(one.gaps), one.missing)
    return (*(f"{count:,}" if count else "–" for count in counts), _span(one.unrecoverable))


def _span(spans: Sequence[tuple[int, int]]) -> str:
    """Give the time (µs) that spans last, in all.

    >>> _span([(0, 90_000_000), (100_000_000, 100_500_000)]), _span([])
    ('1 min 30 s', '–')
    """
    seconds = round(sum(end - start for start, end in spans) / 1e6)
    if not seconds:
        return "–" if not spans else "< 1 s"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{count} {unit}" for count, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if count]
    return " ".join(parts[:2])
