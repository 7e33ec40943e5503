"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from quotidian.errors import NotFoundError


def _known(detector: str | None) -> str | None:
    # Commands that ask a service whether it answers load next to nothing.
    from quotidian.model.rollup import DETECTORS  # noqa: PLC0415

    if detector is not None and detector not in DETECTORS:
        raise NotFoundError(f"There is no detector {detector!r}.", f"There are {', '.join(DETECTORS)}.")
    return detector


DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Where the store lives (default: QUOTIDIAN_DATA, else ~/.local/share/quotidian).", metavar="DIR"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print data instead of sentences.")]
KindOption = Annotated[
    str | None,
    typer.Option("--kind", "--detector", callback=_known, help="Only what one detector says.", metavar="DETECTOR"),
]
ZoneOption = Annotated[
    str | None,
    typer.Option("--zone", help="The home's time zone, for sources that do not tell it.", metavar="Europe/Berlin"),
]
SourceArgument = Annotated[
    str,
    typer.Argument(
        help="A running Home Assistant (http://…; token in HA_TOKEN, or asked for), a recorder database, a backup "
        ".tar, a CSV download or JSON lines (also .gz, .zst); - is standard input."
    ),
]
