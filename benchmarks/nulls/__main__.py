"""Show what each detector finds in homes without habits: ``python -m benchmarks.nulls``."""

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import msgspec
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.nulls import sources
from benchmarks.nulls.days import Days
from benchmarks.nulls.kinds import KINDS, Kind, most_homes
from benchmarks.nulls.makers import MOVING, Maker
from benchmarks.nulls.peers import Peer
from quotidian.detect import Detector, detectors

#: A seed of its own for each null home, so that one more kind changes none of the others.
_NULL: Final = 20_260_101


class Outcome(msgspec.Struct):
    """What one kind showed in the null homes of one source.

    ``days`` of the longest home; ``showed`` homes with anything, ``most`` that may; ``findings`` in all of them;
    ``peer_showed`` homes in which the peer shows anything, ``peer_findings`` in all of them; ``example`` of a sentence.
    """

    detector: str
    null: str
    source: str
    days: int = 0
    homes: int = 0
    showed: int = 0
    findings: int = 0
    peer_showed: int = 0
    peer_findings: float = 0
    example: str = ""

    @property
    def most(self) -> int:
        """On how many homes it may show something."""
        return most_homes(self.homes)

    def add(self, kind: Kind, detector: Detector, days: Days, peer: float) -> None:
        """Look at one more null home, in which the peer shows so much."""
        found = kind.shown(detector, days)
        self.days = max(self.days, len(days.rows))
        self.homes += 1
        self.showed += bool(found)
        self.findings += len(found)
        self.peer_showed += peer > 0
        self.peer_findings += peer
        if found and not self.example:
            self.example = f"{found[0].evidence.kept}/{found[0].evidence.observed} {found[0].sentence}"


def measured(kinds: Sequence[Kind], source: str, homes: Iterator[tuple[int, Days]]) -> Iterator[list[Outcome]]:
    """Look at one null home of each kind after another, and give the outcomes so far after each of them."""
    every = {detector.name: detector for detector in detectors()}
    outcomes = [Outcome(kind.detector, kind.null, source) for kind in kinds]
    for number, days in homes:
        made: dict[Maker, Days] = {}
        beside: dict[tuple[Maker, Peer], float] = {}
        for kind, outcome in zip(kinds, outcomes, strict=True):
            if kind.maker not in made:
                named = {one.detector for one in kinds if one.maker is kind.maker}
                rng = np.random.default_rng([_NULL, number])
                made[kind.maker] = kind.maker(days, rng, [every[name] for name in sorted(named)])
            peered = kind.maker, kind.peer
            if peered not in beside:
                beside[peered] = kind.peer(made[kind.maker].history())
            outcome.add(kind, every[kind.detector], made[kind.maker], beside[peered])
        yield outcomes


def simulated(seeds: Sequence[int], homes: int, days: int, needed: Sequence[Detector]) -> Iterator[tuple[int, Days]]:
    """Give simulated homes, the same ones again where there are fewer seeds than homes."""
    for number in range(homes):
        yield number, sources.simulated(seeds[number % len(seeds)], days, needed)


def main(
    *,
    homes: Annotated[int, typer.Option(help="Null homes of each kind and source.", min=1)] = 100,
    seeds: Annotated[str, typer.Option(help="Simulated homes, first and last seed.")] = "1001-1100",
    days: Annotated[int, typer.Option(help="Days of a simulated home.", min=1)] = 60,
    detector: Annotated[list[str] | None, typer.Option(help="Only these detectors.")] = None,
    simulate: Annotated[bool, typer.Option(help="Null homes from simulated homes.")] = True,
    logs: Annotated[bool, typer.Option(help="Null homes from the logs that the environment names.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print data instead of a table.")] = False,
) -> None:
    """Count in how many homes without habits each detector shows something: at most 9 of 100 may."""
    kinds = [kind for kind in KINDS if detector is None or kind.detector in detector]
    if not kinds:
        raise typer.BadParameter(f"choose of {', '.join(dict.fromkeys(kind.detector for kind in KINDS))}")
    moved = {kind.detector for kind in kinds if kind.maker in MOVING}
    needed = [one for one in detectors() if one.name in moved]
    first, _, last = seeds.partition("-")
    outcomes: list[Outcome] = []
    if simulate:
        chosen = range(int(first), int(last or first) + 1)
        outcomes += _shown(kinds, "simulated", simulated(chosen, homes, days, needed), homes)
    for log in sources.logs() if logs else []:
        logged = sources.logged(log, needed)
        outcomes += _shown(kinds, logged.source, ((number, logged) for number in range(homes)), homes)
    if logs and not sources.logs():
        Console(stderr=True).print(f"real logs: {sources.SKIPPED}")
    if json:
        rows = [{**msgspec.structs.asdict(one), "most": one.most} for one in outcomes]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(rows)).decode() + "\n")
    else:
        Console(width=None if sys.stdout.isatty() else 200).print(_table(outcomes))


def _shown(kinds: Sequence[Kind], source: str, homes: Iterator[tuple[int, Days]], size: int) -> list[Outcome]:
    outcomes: list[Outcome] = []
    progress = Console(stderr=True)
    for number, outcomes in enumerate(measured(kinds, source, homes), 1):
        if number % 10 == 0 or number == size:
            told = ", ".join(f"{one.detector} {one.showed}" for one in outcomes if one.showed)
            progress.print(f"{source}: {number} of {size} homes; showed something: {told or 'none'}", highlight=False)
    return outcomes


def _table(outcomes: Sequence[Outcome]) -> Table:
    table = Table("detector", "null home", "from", "days", "showed", "may", "findings", "peer showed", "peer's a home")
    table.add_column("for example")
    for one in outcomes:
        colour = "green" if one.showed <= one.most else "bold red"
        table.add_row(
            one.detector,
            one.null,
            one.source,
            str(one.days),
            f"[{colour}]{one.showed} of {one.homes}[/]",
            str(one.most),
            str(one.findings),
            f"{one.peer_showed} of {one.homes}",
            f"{one.peer_findings / max(one.homes, 1):.1f}",
            one.example,
        )
    return table


if __name__ == "__main__":
    typer.run(main)
