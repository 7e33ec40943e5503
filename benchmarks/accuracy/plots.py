"""The plots of the accuracy benchmark, as SVG."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib import pyplot as plt

from benchmarks.accuracy.calibration import Calibration
from benchmarks.accuracy.table import Ratio, Row

_OURS: Final = "#1f6f8b"
_PEER: Final = "#9a9a9a"
_ASKED: Final = "#c0392b"
#: What is asked: precision and recall of all detectors together, and the recall of each kind.
_LEAST: Final = {"precision": 0.95, "recall": 0.90}
_EACH: Final = 0.80


def draw(folder: Path, ours: Sequence[Row], peers: Sequence[Row], calibration: Calibration | None) -> list[Path]:
    """Draw precision and recall by detector beside the peers, and the reliability curve; give the files."""
    # The same figures give the same bytes.
    mpl.rcParams.update({"svg.hashsalt": "quotidian", "font.family": "sans-serif", "font.size": 10})
    folder.mkdir(parents=True, exist_ok=True)
    files = [_detectors(folder / "accuracy-detectors.svg", ours, peers)]
    return files if calibration is None else [*files, _reliability(folder / "accuracy-calibration.svg", calibration)]


def _detectors(path: Path, ours: Sequence[Row], peers: Sequence[Row]) -> Path:
    figure, sides = plt.subplots(1, 2, figsize=(10, 4.6), sharey=True)
    names = [row.detector.replace("_", " ") for row in ours]
    for axes, title in zip(sides, ("precision", "recall"), strict=True):
        for place, (row, peer) in enumerate(zip(ours, peers, strict=True)):
            _point(axes, place + 0.18, getattr(peer, title), _PEER, "white")
            _point(axes, place - 0.12, getattr(row, title), _OURS, _OURS)
        axes.axvline(_LEAST[title], color=_ASKED, lw=1)
        if title == "recall":
            axes.axvline(_EACH, color=_ASKED, lw=1, ls=":")
        axes.set(title=title, xlim=(-0.03, 1.03), yticks=range(len(names)), yticklabels=names)
        axes.grid(axis="x", color="#e5e5e5")
        axes.spines[["top", "right"]].set_visible(False)
    sides[0].invert_yaxis()
    figure.text(0.5, 0.005, "filled: Quotidian, hollow: a simple peer; bars: 90 % over homes; red: asked", ha="center")
    return _saved(figure, path)


def _point(axes: Any, place: float, ratio: Ratio, colour: str, face: str) -> None:
    if ratio.value is not None:
        axes.plot([ratio.low, ratio.high], [place, place], color=colour, lw=2)
        axes.plot(ratio.value, place, "o", color=colour, markerfacecolor=face, ms=7)


def _reliability(path: Path, calibration: Calibration) -> Path:
    figure, axes = plt.subplots(figsize=(5, 4.8))
    axes.plot([0, 1], [0, 1], color="#bbbbbb", lw=1)
    told, held = zip(*((one.confidence, one.held) for one in calibration.bins), strict=True)
    axes.plot(told, held, "o-", color=_OURS)
    low = max(min(*told, *held) - 0.1, 0)
    axes.set(xlabel="confidence when it was told", ylabel="share of later days that kept it", aspect="equal")
    axes.set(xlim=(low, 1.01), ylim=(low, 1.01), title=f"{calibration.days:,} habit-days not learned from")
    axes.grid(color="#e5e5e5")
    axes.spines[["top", "right"]].set_visible(False)
    return _saved(figure, path)


def _saved(figure: Any, path: Path) -> Path:
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    # Lines without a blank at their end, as in every other file.
    path.write_text("\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n")
    return path
