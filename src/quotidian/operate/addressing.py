"""Home Assistant, as one command reaches it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from quotidian.homeassistant.address import Address, address_of
from quotidian.homeassistant.automations import Automations
from quotidian.operate.console import progress
from quotidian.settings import Settings

_Answer = TypeVar("_Answer")

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", help="A running Home Assistant (default: HA_URL); token in HA_TOKEN, or asked for.", metavar="http://…"
    ),
]


def asked_address(url: str | None) -> Address:
    """Give the address and token that are set; a token that is not set is asked for at a terminal.

    Raises
    ------
    SettingError
        When one of them is missing, or is none.
    """
    settings = Settings().replaced(HA_URL=url)
    if settings.text("HA_URL") and not settings.text("HA_TOKEN"):
        with progress() as stages:
            settings = settings.replaced(HA_TOKEN=stages.secret("Home Assistant's token (it is not shown): "))
    return address_of(settings)


def asked(address: Address, ask: Callable[[Automations], Awaitable[_Answer]]) -> _Answer:
    """Ask a running Home Assistant something about its automations, over a connection of its own."""

    async def answer() -> _Answer:
        async with Automations.open(address) as automations:
            return await ask(automations)

    return asyncio.run(answer())
