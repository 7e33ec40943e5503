"""The command that explains what is wrong with a set-up, and how to mend it."""

import asyncio
from typing import Final

import typer
from rich.markup import escape

from quotidian.errors import SettingError
from quotidian.operate.checks import Check
from quotidian.operate.checks.finished import finished_checks
from quotidian.operate.checks.home import home_checks
from quotidian.operate.checks.machine import machine_checks
from quotidian.operate.checks.place import place_checks
from quotidian.operate.checks.services import service_checks
from quotidian.operate.checks.told import settings_checks
from quotidian.operate.console import as_json, plain, say
from quotidian.operate.options import DataOption, JsonOption
from quotidian.service.logs import configure
from quotidian.settings import Settings

_MARKS: Final = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "problem": "[bold red]✗[/]"}


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("doctor")(doctor_command)


def doctor_command(*, data: DataOption = None, json: JsonOption = False) -> None:
    """Explain what is wrong with the set-up, and how to mend it.

    It looks at the settings, the disk, the services and Home Assistant, and changes nothing. The exit code is 1 when
    there is a problem; a warning is something that you may want to know.

    Examples:

      quotidian doctor

      quotidian doctor --json
    """
    checks = [*machine_checks(), *_checks(None if data is None else str(data))]
    if json:
        as_json(checks)
    else:
        for check in checks:
            _tell(check)
    if any(check.state == "problem" for check in checks):
        raise typer.Exit(1)


def _checks(data: str | None) -> list[Check]:
    try:
        settings = Settings().replaced(QUOTIDIAN_DATA=data)
    except SettingError as error:
        return [Check.of("settings", error)]  # nothing else can be looked at without them
    told = settings_checks(settings)
    if any(check.state == "problem" for check in told):
        return told
    configure(settings)
    here = [*place_checks(settings), *finished_checks(settings), *service_checks(settings)]
    return [*told, *here, *asyncio.run(home_checks(settings))]


def _tell(check: Check) -> None:
    say(f"{_MARKS[check.state]} [bold]{check.name}[/]: {escape(plain(check.sentence))}")
    if check.remedy:
        say(f"    {escape(plain(check.remedy))}")
