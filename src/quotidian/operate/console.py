"""How the command line speaks: to a person in colours and sentences, to a program in JSON."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getpass
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

#: Columns of what is read by another program, which has no edge: names are not shortened there.
_WIDE: Final = 240

#: Answers go to standard output, all else (progress, warnings, errors) to standard error.
answers: Final = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
remarks: Final = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str = "") -> None:
    """Print a line of an answer, with markup."""
    answers.print(text)


def warn(text: str) -> None:
    """Print a remark that the reader should not miss."""
    remarks.print(f"[yellow]![/] {escape(plain(text))}")


def fail(text: str) -> None:
    """Print what went wrong."""
    remarks.print(f"[bold red]Error:[/] {escape(plain(text))}")


def as_json(data: Any) -> None:
    """Print data as one JSON document."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")
    sys.stdout.flush()


@contextmanager
def progress(*, quiet: bool = False) -> Iterator["Stages"]:
    """Show bars on standard error while something takes long."""
    bars = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=remarks,
        disable=quiet or not remarks.is_terminal,
    )
    with bars:
        yield Stages(bars)


class Stages:
    """One bar a stage, made when the stage begins."""

    def __init__(self, bars: Progress) -> None:
        self._bars: Final = bars
        self._tasks: Final[dict[str, Any]] = {}

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Move the bar of a stage."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)

    def secret(self, question: str) -> str:
        """Ask for what must not be seen; nothing where nobody sits at a terminal."""
        if not sys.stdin.isatty():
            return ""
        self._bars.stop()
        try:
            return getpass(question)
        finally:
            self._bars.start()


def plain(text: str) -> str:
    """Make text safe to show: one line, no control or direction characters."""
    # Loading the model takes longer than most commands, and most have nothing to remark.
    from quotidian.model.plain import plain_sentence  # noqa: PLC0415

    return plain_sentence(text)
