"""Automations on simulated homes, beside simple programs: ``python -m benchmarks.automations``."""

import time
from collections.abc import Sequence
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.accuracy.lived import Lived, live, plan_of
from benchmarks.accuracy.table import ratio
from benchmarks.automations.peers import PEERS, WINDOW
from benchmarks.automations.scoring import Counted, counted
from quotidian.suggest.propose import propose
from quotidian.suggest.tape import Tape

#: Days that are learned from, and days after them on which it is counted what the automations would have done.
_DAYS: Final = 90
_AFTER: Final = 30
#: How strict each simple program is made.
_LEVELS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
OURS: Final = "Quotidian"


def main(*, seeds: Annotated[str, typer.Option(help="The homes, as A-B.")] = "1-6") -> None:
    """Count how often proposed automations are right on the thirty days after, and what they save."""
    first, _, last = seeds.partition("-")
    counts: dict[str, list[Counted]] = {}
    spent = []
    for seed in track(range(int(first), int(last or first) + 1), "living", console=Console(stderr=True)):
        lived = live(plan_of(seed, _DAYS + _AFTER), [])
        tape = Tape(lived.rows, lived.home)
        began = time.process_time()
        proposals = propose(tape.part(0, _DAYS))
        spent.append(time.process_time() - began)
        ours = [(one.automation, one.window) for one in proposals]
        counts.setdefault(OURS, []).append(counted(ours, lived, tape, _DAYS))
        for name, found in _peers(lived, tape).items():
            counts.setdefault(name, []).append(found)
    Console(width=150).print(_table(counts))
    typer.echo(f"All proposals of a home of {_DAYS} days: {sorted(spent)[len(spent) // 2]:.1f} s of CPU (median).")


def _peers(lived: Lived, tape: Tape) -> dict[str, Counted]:
    known = tape.part(0, _DAYS)
    return {
        f"{name}, {level:.0%}": counted([(one, WINDOW) for one in peer(known, level)], lived, tape, _DAYS)
        for name, peer in PEERS.items()
        for level in _LEVELS
    }


def _table(counts: dict[str, Sequence[Counted]]) -> Table:
    table = Table("", title=f"Automations from {_DAYS} days, on the {_AFTER} days after")
    for name in ("automations", "moments", "right", "acts that could be saved", "saved"):
        table.add_column(name, justify="right")
    for name, homes in counts.items():
        right = ratio([one.useful for one in homes], [one.useful + one.nuisance for one in homes])
        saved = ratio([one.saved for one in homes], [one.planted for one in homes])
        sums = (sum(one.automations for one in homes), sum(one.useful + one.nuisance for one in homes))
        table.add_row(name, *map(str, sums), right.shown, str(sum(one.planted for one in homes)), saved.shown)
    return table


if __name__ == "__main__":
    typer.run(main)
