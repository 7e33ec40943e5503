"""Requests that could not be served: what stands in the way is logged once, and not for each that is tried again."""

import time
from typing import Final

import structlog

from quotidian.errors import QuotidianError

_QUIET: Final = 3_600.0  #: seconds after which the same is said again
_MOST: Final = 100  #: things that are remembered


class Unserved:
    """Logs what stood in the way of requests.

    Parameters
    ----------
    log
        The service's logger.
    """

    def __init__(self, log: structlog.stdlib.BoundLogger) -> None:
        self._log = log
        self._told: dict[str, float] = {}

    def tell(self, path: str, error: QuotidianError) -> None:
        """Log why a request was not served: as a warning the first time, else only for who looks for details."""
        now = time.monotonic()
        known = self._told.get(error.what)
        if known is not None and now - known < _QUIET:
            self._log.debug("a request was not served", path=path, why=str(error))
            return
        if len(self._told) >= _MOST:
            self._told.clear()
        self._told[error.what] = now
        self._log.warning("a request was not served", path=path, why=str(error))
