"""Precision and recall by detector on simulated homes: ``python -m benchmarks.accuracy``."""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.progress import track

from benchmarks.accuracy.calibration import calibrated, foretold
from benchmarks.accuracy.calibration import said as agreement
from benchmarks.accuracy.cost import costs
from benchmarks.accuracy.cost import said as spent
from benchmarks.accuracy.scoring import Claim, Home, Planted, score
from benchmarks.accuracy.table import drawn_table, rows, written
from quotidian.detect import detectors

_Done = TypeVar("_Done")

NAMES: Final = tuple(one.name for one in detectors())


def main(
    *,
    seeds: Annotated[str, typer.Option(help="The homes, as A-B.")] = "1-4",
    detector: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(NAMES)}.")] = None,
    resimulations: Annotated[int, typer.Option(min=2, help="How often 60 days are lived through again.")] = 20,
    years: Annotated[int, typer.Option(min=0, help="So many of them live for three years, for yearly shapes.")] = 0,
    peers: Annotated[bool, typer.Option(help="Judge the simple peers too.")] = True,
    workers: Annotated[int, typer.Option(min=1, help="Homes at a time.")] = 1,
    listing: Annotated[bool, typer.Option("--list", help="Print wrong claims and missed habits.")] = False,
    every: Annotated[bool, typer.Option("--all", help="With --list, print right claims and found habits too.")] = False,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Look for what was told on later days, too.")] = False,
    cost: Annotated[bool, typer.Option("--cost", help="Measure CPU time, too.")] = False,
    plots: Annotated[Path | None, typer.Option(help="A folder for plots; needs the extra 'bench'.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print data instead of a table.")] = False,
) -> None:
    """Measure how many claims of the detectors are true, and how many planted habits they tell.

    A claim is judged by fresh draws of the same home's days, which are kept in benchmarks/.cache.
    """
    names = frozenset(detector or NAMES)
    if names - set(NAMES):
        raise typer.BadParameter(f"There is no detector {', '.join(sorted(names - set(NAMES)))}.")
    first, _, last = seeds.partition("-")
    numbers = range(int(first), int(last or first) + 1)
    long = frozenset(numbers[:years])
    scored = partial(score, names=names, resimulations=resimulations, long=long, peers=peers)
    homes = _each(scored, numbers, workers, "living")
    calibration = calibrated(_each(foretold, numbers, workers, "waiting")) if calibrate else None
    taken = costs() if cost else None
    ordered = [name for name in NAMES if name in names]
    ours, theirs = rows(homes, ordered), rows(homes, ordered, peers=True)
    if plots is not None:
        from benchmarks.accuracy.plots import draw  # noqa: PLC0415 - only plots need what draws them

        draw(plots, ours, theirs, calibration)
    if json:
        told = {"ours": ours, "peers": theirs, "calibration": calibration, "cost": taken, "homes": homes}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")
        return
    console = Console(width=None if sys.stdout.isatty() else 200)
    if listing:
        _list(console, homes, every=every)
    console.print(written(ours, theirs) if markdown else drawn_table(ours, theirs), soft_wrap=markdown, markup=False)
    if calibration is not None:
        console.print(agreement(calibration), highlight=False, markup=False)
    if taken is not None:
        console.print(spent(taken), highlight=False, markup=False)


def _each(work: Callable[[int], _Done], seeds: range, workers: int, what: str) -> list[_Done]:
    """Do the same for each home, with a bar that shows how far it is."""
    console = Console(stderr=True)
    if workers == 1:
        return [work(seed) for seed in track(seeds, what, console=console)]
    with ProcessPoolExecutor(workers) as pool:
        return list(track(pool.map(work, seeds), what, total=len(seeds), console=console))


def _list(console: Console, homes: list[Home], *, every: bool) -> None:
    for home in homes:
        lines = [f"home {home.seed}"]
        lines += [line for one in home.ours.claims if every or not one.right for line in _claimed(one)]
        lines += [line for one in home.ours.habits if every or not one.found for line in _planted(one)]
        console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _claimed(claim: Claim) -> list[str]:
    word = "right" if claim.right else "DUPLICATE" if claim.duplicate else "WRONG"
    habit = f"[{claim.habit}] " if claim.habit else ""
    said = f"  {word:10} {claim.detector}: {claim.kept}/{claim.observed} {claim.said}"
    return [said, f"{'':13}{habit}{claim.why}"]


def _planted(habit: Planted) -> list[str]:
    word = "found" if habit.found else "MISSED"
    told = f", told by another: {habit.said}" if habit.said else ""
    return [
        f"  {word:10} {habit.detector}: {habit.id} {habit.kept}/{habit.chances}{told}",
        *(f"{'':13}near it: {sentence}" for sentence in habit.near),
    ]


if __name__ == "__main__":
    typer.run(main)
