"""Home Assistant, as one command reaches it."""

import asyncio
from typing import Annotated, Final

import typer

from quotidian.homeassistant.address import Address, address_of
from quotidian.homeassistant.automations import Automations, Installed
from quotidian.operate.console import progress
from quotidian.settings import Settings

#: How the address of a running Home Assistant begins.
RUNNING: Final = ("http://", "https://", "ws://", "wss://")

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


def installed(address: Address) -> list[Installed]:
    """Give the automations that a running Home Assistant has."""

    async def ask() -> list[Installed]:
        async with Automations.open(address) as automations:
            return await automations.installed()

    return asyncio.run(ask())
