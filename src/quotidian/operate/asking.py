"""Asking a service how it is, with nothing that takes long to load: containers ask every half minute."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from quotidian.errors import UnreachableError
from quotidian.settings import Settings

PATIENCE: Final = 5.0  #: seconds


def secret_of(settings: Settings) -> str:
    """Give the services' secret, with which they tell everything; empty where it is neither set nor made yet."""
    path = Path(settings.text("QUOTIDIAN_DATA")).expanduser() / "secret"
    try:
        return settings.text("QUOTIDIAN_SECRET") or path.read_text().strip()
    except OSError:
        return ""


def health_of(service: str, url: str, patience: float = PATIENCE, *, secret: str = "") -> dict[str, Any]:
    """Give what a service says of itself; to strangers it tells no figures and no details.

    Raises
    ------
    UnreachableError
        When it does not answer, or something else does.
    """
    # A proxy that is set for the internet does not know the services.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        with opener.open(urllib.request.Request(f"{url}/health", headers=headers), timeout=patience) as response:  # noqa: S310
            told = json.load(response)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        reason = getattr(reason, "strerror", None) or reason
        raise UnreachableError(
            f"{service} does not answer at {url} ({reason}).",
            "Start it with `quotidian up`; `quotidian doctor` looks for what is wrong.",
        ) from error
    if not isinstance(told, dict) or told.get("service") != service:
        raise UnreachableError(f"What answers at {url} is not {service}.", "Choose other ports with QUOTIDIAN_PORT.")
    return told
