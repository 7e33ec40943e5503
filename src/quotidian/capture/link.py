"""How the connection to Home Assistant stands."""

import asyncio
from typing import Literal

from quotidian import clock
from quotidian.errors import QuotidianError

LinkState = Literal["connecting", "connected", "refused", "unset", "full"]


class Link:
    """What is known of the connection, for whoever shows it or waits for it.

    ``state`` is ``refused`` after a token was, ``unset`` while the settings name no Home Assistant, and ``full``
    while there is no room to write down what would be heard.
    """

    def __init__(self) -> None:
        self.state: LinkState = "connecting"
        self.version: str | None = None
        self.admin: bool | None = None
        self.since: int | None = None  #: µs
        self.error: QuotidianError | None = None
        self.connections = 0
        self.up = asyncio.Event()

    @property
    def reconnects(self) -> int:
        """How often the connection was made again."""
        return max(0, self.connections - 1)

    def made(self, version: str, *, admin: bool) -> None:
        """Note that the connection stands."""
        self.state, self.version, self.admin, self.error = "connected", version, admin, None
        self.since = clock.now()
        self.connections += 1
        self.up.set()

    def lost(self, state: LinkState, error: QuotidianError | None) -> None:
        """Note that it does not stand, and why."""
        if self.state == "connected":
            self.since = clock.now()
        self.state, self.error = state, error
        self.up.clear()
