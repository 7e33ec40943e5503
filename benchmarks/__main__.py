"""Measure, and print one table: ``python -m benchmarks``."""

import sys
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from benchmarks import (
    daily,
    disk,
    enriching,
    importing,
    incremental,
    logs,
    nightly,
    patterns,
    pipeline,
    pipeline_day,
    queries,
    receiving,
)
from benchmarks.figure import Figure

BENCHMARKS: Final[dict[str, Callable[[], list[Figure]]]] = {
    "daily": daily.figures,
    "nightly": nightly.figures,
    "patterns": patterns.figures,
    "incremental": incremental.figures,
    "disk": disk.figures,
    "queries": queries.figures,
    "import": importing.figures,
    "receive": receiving.figures,
    "enrich": enriching.figures,
    "logs": logs.figures,
    "pipeline": pipeline.figures,
    "pipeline-flood": pipeline.flood_figures,
    "pipeline-day": pipeline_day.figures,
    "big": importing.big_figures,
}
#: Not measured unless they are asked for: they take a quarter of an hour and more.
_LONG: Final = frozenset({"big", "pipeline-day"})
_COLOURS: Final = {True: "green", False: "bold red", None: "yellow"}


def main(
    *,
    only: Annotated[list[str] | None, typer.Option("--only", help=f"One of {', '.join(BENCHMARKS)}.")] = None,
    big: Annotated[bool, typer.Option("--big", help="Also import a database of more than 5 GB.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print data instead of a table.")] = False,
) -> None:
    """Measure what Quotidian costs, beside the figures that it is to beat.

    Simulated homes are made on the first run and kept in benchmarks/.cache. With QUOTIDIAN_LOGS set to a folder of
    *.csv.gz, each log in it is learned from too.
    """
    unknown = set(only or ()) - BENCHMARKS.keys()
    if unknown:
        raise typer.BadParameter(f"There is no benchmark {', '.join(unknown)}; choose of {', '.join(BENCHMARKS)}.")
    usual = set(BENCHMARKS) - _LONG | ({"big"} if big else set())
    figures = [figure for name in BENCHMARKS if name in (only or usual) for figure in _measured(name)]
    if json:
        sys.stdout.write(
            msgspec.json.format(msgspec.json.encode([_data(figure) for figure in figures])).decode() + "\n"
        )
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(_table(figures))


def _measured(name: str) -> list[Figure]:
    Console(stderr=True).print(f"measuring: {name} …")
    return BENCHMARKS[name]()


def _table(figures: list[Figure]) -> Table:
    table = Table("what", "ours", "figure to beat", "verdict", "beside it", title="Quotidian, measured")
    before = None
    for figure in figures:
        if figure.benchmark != before:
            before = figure.benchmark
            table.add_section()
            table.add_row(f"[bold]{before}[/]")
        colour = _COLOURS[figure.met] if figure.limit is not None or figure.value is None else "none"
        verdict = f"[{colour}]{figure.verdict}[/]"
        table.add_row(figure.what, figure.ours, figure.to_beat, verdict, figure.note)
    return table


def _data(figure: Figure) -> dict[str, object]:
    return {**msgspec.structs.asdict(figure), "met": figure.met}


if __name__ == "__main__":
    typer.run(main)
