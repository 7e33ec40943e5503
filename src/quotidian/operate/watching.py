"""Commands that look at the running pipeline."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from quotidian.operate.asking import health_of, secret_of
from quotidian.operate.console import answers, as_json, say
from quotidian.operate.options import JsonOption
from quotidian.settings import PORTS, Settings

_COLOURS: Final = {"ok": "green", "degraded": "yellow", "down": "red"}

ServiceOption = Annotated[
    str | None,
    typer.Option("--service", help=f"Ask only whether one answers: {', '.join(PORTS)}.", metavar="NAME"),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("status")(status_command)


def status_command(*, service: ServiceOption = None, json: JsonOption = False) -> None:
    """Tell at a glance how the running pipeline is.

    The exit code is 1 when something does not work. With one service it only says whether that one answers: a health
    check for containers.

    Examples:

      quotidian status

      quotidian status --service capture
    """
    if service is not None and service not in PORTS:
        raise typer.BadParameter(f"There is {', '.join(PORTS)}.", param_hint="--service")
    asked = service or "admin"
    settings = Settings()
    health = health_of(asked, settings.url(asked), secret=secret_of(settings))
    if json:
        as_json(health)
    elif service is not None:
        say(f"{service} answers.")
    else:
        _tell(health)
    if service is None and health["state"] == "down":
        raise typer.Exit(1)


def _tell(health: dict[str, Any]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    dependencies = health.get("dependencies", ())
    for one in (_itself(health), *dependencies):
        colour = _COLOURS.get(one["state"], "red")
        table.add_row(escape(one["name"]), f"[{colour}]{escape(one['state'])}[/]", escape(_detail(one, dependencies)))
    answers.print(table)
    for name, figure in sorted(health.get("figures", {}).items()):
        told = _when(figure) if name.startswith("last_") and isinstance(figure, int) else _figure(figure)
        say(f"  {escape(name.replace('_', ' ')):<28} {escape(told)}")


def _detail(one: dict[str, Any], dependencies: Sequence[dict[str, Any]]) -> str:
    """Give what is wrong with something; where that is what is wrong with a part of a service, only name that part."""
    detail = str(one.get("detail", ""))
    for part in dependencies:
        told = part.get("detail")
        if "." in part["name"] and part is not one and told and told in detail:
            return f"see {part['name']}"
    return detail


def _itself(health: dict[str, Any]) -> dict[str, str]:
    return {"name": health["service"], "state": health["state"], "detail": f"version {health['version']}"}


def _when(instant: int) -> str:
    """Give an instant (µs) by this machine's clock."""
    return f"{dt.datetime.fromtimestamp(instant / 1e6, dt.UTC).astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _figure(figure: Any) -> str:
    """Give a figure for people.

    >>> _figure(12345), _figure(0.25), _figure(None), _figure({"a": 1})
    ('12,345', '0.25', '–', 'a 1')
    """
    if figure is None:
        return "–"
    if isinstance(figure, dict):
        return ", ".join(f"{name} {_figure(value)}" for name, value in figure.items())
    if isinstance(figure, list):
        return str(len(figure))
    return f"{figure:,}" if isinstance(figure, int) and not isinstance(figure, bool) else str(figure)
