"""Asking a service how it is, with nothing that takes long to load: containers ask every half minute."""

import json
import urllib.error
import urllib.request
from typing import Any, Final

from quotidian.errors import UnreachableError

PATIENCE: Final = 5.0  #: seconds


def health_of(service: str, url: str, patience: float = PATIENCE) -> dict[str, Any]:
    """Give what a service says of itself.

    Raises
    ------
    UnreachableError
        When it does not answer, or something else does.
    """
    # A proxy that is set for the internet does not know the services.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/health", timeout=patience) as response:
            told = json.load(response)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise UnreachableError(
            f"{service} does not answer at {url} ({reason}).",
            "Start it with `quotidian up`; `quotidian doctor` looks for what is wrong.",
        ) from error
    if not isinstance(told, dict) or told.get("service") != service:
        raise UnreachableError(f"What answers at {url} is not {service}.", "Choose other ports with QUOTIDIAN_PORT.")
    return told
