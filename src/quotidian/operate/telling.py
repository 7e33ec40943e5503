"""What a run found, told to the person who asked."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final

import msgspec
from rich.markup import escape
from rich.table import Table

from quotidian.detect import DayRow, Room, words
from quotidian.detect.ranking import useful_first
from quotidian.learn import Learned
from quotidian.model import Home, Pattern, Stage, Status
from quotidian.model.pattern import once, shown
from quotidian.operate.console import answers, say
from quotidian.store import LayerSize

#: What a person reads in one go.
SHOWN: Final = 20


def as_data(pattern: Pattern, among: Sequence[Pattern]) -> dict[str, Any]:
    """Give a pattern as plain data, with the ids of those among others that it tells."""
    data: dict[str, Any] = msgspec.to_builtins(shown(pattern, among))
    return data


def tell_patterns(patterns: Sequence[Pattern], *, limit: int | None = None, everything: bool = False) -> None:
    """Print habits as sentences with their evidence, most useful first: as many as a person reads, each once.

    ``everything`` means also those that are not active, and those that another one tells better.
    """
    ordered = useful_first(patterns)
    active = [one for one in once(ordered) if one.status is Status.ACTIVE]
    listed = ordered[:limit] if everything else active[: limit or SHOWN]
    for title, stage in (("Habits", Stage.ESTABLISHED), ("Emerging: first signs, not yet proven", Stage.EMERGING)):
        told = [one for one in listed if one.finding.stage is stage]
        if told:
            say(f"\n[bold]{title}[/]")
            for pattern in told:
                say(_line(pattern))
    if len(active) > len(listed):
        say(f"\n[dim]… and {len(active) - len(listed)} more: `quotidian patterns --all` shows every one.[/]")


def tell_learned(learned: Learned, home: Home, rows: Sequence[DayRow]) -> None:
    """Print what a run learned, why where it is nothing, and what more days would bring."""
    days = len(rows)
    tell_patterns(learned.patterns)
    if not any(one.status is Status.ACTIVE for one in learned.patterns):
        say(f"\n{_why_nothing(rows)}")
    later = [(least, what) for least, what in words.WITH_MORE_DAYS if days < least]
    if later:
        say("\n[bold]With more days[/]")
        for least, what in later:
            say(f"  from {least} days on: {what}")
    lacking = Room.lacking(home)
    if lacking is not None:
        say(f"\n[dim]{escape(lacking)} Then: `quotidian learn SOURCE --refold`.[/]")


def _why_nothing(rows: Sequence[DayRow]) -> str:
    if not rows:
        return "No habits yet: no whole day has passed. A day that ends before 22:00 is taken for cut short, and waits."
    if not any(row.token.size for row in rows):
        return "No habits: every entity here reports readings; nothing is switched, opened or entered."
    if not any(row.learned.any() for row in rows):
        return "No habits: all changes were made by automations, none by people."
    days = f"{len(rows)} day{'s' * (len(rows) != 1)}"
    if len(rows) < words.WITH_MORE_DAYS[0][0]:
        return f"No habits yet: {days} cannot show what comes back."
    return f"No habit can be told from chance yet, after {days}."


def nearest(home: Home, *names: str | None) -> str:
    """Ask whether a name like the ones given was meant; empty where each is known, or nothing is like it."""
    known = [*home.entities, *home.areas, "home"]
    near = [one for name in names if name and name not in known for one in get_close_matches(name, known, 3)]
    return f" Did you mean {words.plain(' or '.join(near))}?" if near else ""


def tell_layers(layers: Sequence[LayerSize]) -> None:
    """Print what each layer holds."""
    table = Table(box=None, pad_edge=False)
    for column in ("layer", "", "rows", "size", "from", "to"):
        table.add_column(column, justify="right" if column in ("rows", "size") else "left")
    for layer in layers:
        span = [str(date) if date else "–" for date in (layer.first, layer.last)]
        table.add_row(str(layer.layer), layer.name, f"{layer.rows:,}", size(layer.bytes), *span)
    answers.print(table)


def size(count: int) -> str:
    """Give a number of bytes for people.

    >>> size(512), size(20_480), size(5_400_000)
    ('512 B', '20.5 kB', '5.4 MB')
    """
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def _line(pattern: Pattern) -> str:
    finding, evidence = pattern.finding, pattern.finding.evidence
    status = "" if pattern.status is Status.ACTIVE else f" [dim]({pattern.status.value})[/]"
    status = status if pattern.told_by is None else f" [dim](told by {pattern.told_by})[/]"
    sentence = escape(words.plain_sentence(finding.sentence))
    return f"  • {sentence}: [bold]{words.kept(evidence.kept, evidence.observed)}[/]{status} [dim]{pattern.id}[/]"
