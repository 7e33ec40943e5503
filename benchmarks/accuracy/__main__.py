"""Precision and recall by detector on simulated homes: ``python -m benchmarks.accuracy``."""

import sys
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.accuracy.scoring import Claim, Home, score
from benchmarks.accuracy.table import Row, rows
from quotidian.detect import detectors

NAMES: Final = tuple(one.name for one in detectors())


def main(
    *,
    seeds: Annotated[str, typer.Option(help="The homes, as A-B.")] = "1-4",
    detector: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(NAMES)}.")] = None,
    resimulations: Annotated[int, typer.Option(help="How often 60 days are lived through again.")] = 20,
    years: Annotated[
        bool, typer.Option("--years", help="Also three years of each home, for parts of the year.")
    ] = False,
    listing: Annotated[bool, typer.Option("--list", help="Print each wrong claim and each missed habit.")] = False,
    every: Annotated[bool, typer.Option("--all", help="With --list, print right claims and found habits too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print data instead of a table.")] = False,
) -> None:
    """Measure how many claims of the detectors are true, and how many planted habits they tell."""
    names = frozenset(detector or NAMES)
    if names - set(NAMES):
        raise typer.BadParameter(f"There is no detector {', '.join(sorted(names - set(NAMES)))}.")
    first, _, last = seeds.partition("-")
    numbers = range(int(first), int(last or first) + 1)
    progress = Console(stderr=True)
    homes = [score(seed, names, resimulations, years=years) for seed in track(numbers, "living", console=progress)]
    table = rows(homes, [name for name in NAMES if name in names])
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode({"rows": table, "homes": homes})).decode() + "\n")
        return
    console = Console(width=None if sys.stdout.isatty() else 180)
    if listing:
        _list(console, homes, every=every)
    console.print(_table(table))


def _list(console: Console, homes: list[Home], *, every: bool) -> None:
    for home in homes:
        console.print(f"[bold]home {home.seed}[/]")
        for claim in home.claims:
            if every or not claim.right:
                console.print(
                    f"  {_word(claim):10} {claim.detector}: {claim.kept}/{claim.observed} {claim.said}",
                    highlight=False,
                    markup=False,
                    soft_wrap=True,
                )
                console.print(
                    f"{'':13}{claim.habit and f'[{claim.habit}] '}{claim.why}",
                    highlight=False,
                    markup=False,
                    soft_wrap=True,
                )
        for habit in home.habits:
            if every or not habit.found:
                told = f", told by another: {habit.said}" if habit.said else ""
                console.print(
                    f"  {'found' if habit.found else 'MISSED':10} {habit.detector}: {habit.id} {habit.kept}/{habit.chances}{told}",
                    highlight=False,
                    markup=False,
                    soft_wrap=True,
                )


def _word(claim: Claim) -> str:
    return "right" if claim.right else "DUPLICATE" if claim.duplicate else "WRONG"


def _table(found: list[Row]) -> Table:
    table = Table("detector", title="Claims and habits of simulated homes")
    for name in ("claims", "true", "duplicate", "precision", "learnable", "found", "recall"):
        table.add_column(name, justify="right")
    for row in found:
        if row.detector == "all":
            table.add_section()
        table.add_row(
            row.detector, str(row.claims), str(row.true), str(row.duplicates), row.precision.shown,
            str(row.learnable), str(row.found), row.recall.shown,
        )  # fmt: skip
    return table


if __name__ == "__main__":
    typer.run(main)
