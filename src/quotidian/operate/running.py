"""Commands that run the services until they are stopped."""

import asyncio
import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer
from fastapi import FastAPI
from rich.markup import escape

from quotidian.errors import SettingError
from quotidian.homeassistant.address import address_of
from quotidian.operate.conditions import Service, refuse_small_system, refuse_taken_port, refuse_unwritable
from quotidian.operate.console import answers, say, warn
from quotidian.operate.options import DataOption
from quotidian.service import Access
from quotidian.service.logs import configure
from quotidian.service.memory import give_back
from quotidian.service.run import serve
from quotidian.settings import Settings

PortOption = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65_000, help="Capture's port (default 8001); the others take those that follow."),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("up")(up_command)
    app.command("serve")(serve_command)


def up_command(*, data: DataOption = None, port: PortOption = None) -> None:
    """Watch a live home: run all services in this process, until Ctrl-C.

    Examples:

      HA_URL=http://192.168.1.10:8123 HA_TOKEN_FILE=token.txt quotidian up

      quotidian up --data /srv/quotidian --port 9001
    """
    settings = _settings(data, port)
    _run(settings, tuple(Service), greeting=True)


def serve_command(
    service: Annotated[Service, typer.Argument(help="Which one.")],
    *,
    data: DataOption = None,
    port: PortOption = None,
) -> None:
    """Run one service alone, as in a container.

    Examples:

      quotidian serve store --data /srv/quotidian

      DATA_STORAGE_URL=http://store:8004 quotidian serve enrich
    """
    _run(_settings(data, port), (service,), greeting=False)


def _settings(data: Path | None, port: int | None) -> Settings:
    return Settings().replaced(
        QUOTIDIAN_DATA=None if data is None else str(data), QUOTIDIAN_PORT=None if port is None else str(port)
    )


def _run(settings: Settings, services: tuple[Service, ...], *, greeting: bool) -> None:
    refuse_small_system(sys.maxsize)
    for service in services:
        refuse_taken_port(settings, service)
    refuse_unwritable(Path(settings.text("QUOTIDIAN_DATA")).expanduser())
    _remark(settings, services)
    configure(settings)
    give_back()
    apps = [(_app(service, settings), settings.port(service)) for service in services]

    def ready() -> None:
        if greeting:
            greet(settings)

    asyncio.run(serve(apps, settings.text("QUOTIDIAN_HOST"), ready=ready))


def _app(service: Service, settings: Settings) -> FastAPI:
    # Only the services that are asked for are loaded: a container with one of them stays small.
    app: FastAPI = importlib.import_module(f"quotidian.{service}.app").create_app(settings)
    return app


def _remark(settings: Settings, services: tuple[Service, ...]) -> None:
    if Service.CAPTURE in services:
        try:
            address_of(settings)
        except SettingError as error:
            warn(f"Nothing is heard of Home Assistant: {error}")


def greet(settings: Settings) -> None:
    """Tell where the web page is; a person at a terminal is given the first token, and nobody else is."""
    host = settings.text("QUOTIDIAN_HOST")
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not listened at
    say(f"Quotidian is at [bold]http://{escape(shown)}:{settings.port('admin')}[/]. Ctrl-C stops it.")
    access = Access(settings)
    # Asked of the file itself: colours can be forced, and then a log would be taken for a terminal.
    if not access.tokens and answers.file.isatty():
        say(f"Your first token, shown only now: [bold]{access.give('first')}[/]")
        say("It lets you change things from a browser or a program; `quotidian token` makes and revokes others.")
