"""What one of several may do at a time: held for a while, and lost by whoever falls silent."""

import time
from typing import NamedTuple


class _Hold(NamedTuple):
    owner: str
    until: float  # on the monotonic clock: a clock that is set back prolongs nothing


class Holds:
    """Names that are held, each by one owner. A store's process keeps them; they end with it."""

    def __init__(self) -> None:
        self._holds: dict[str, _Hold] = {}

    def hold(self, name: str, owner: str, seconds: float) -> bool:
        """Take a name, or keep it for so many seconds more; ``False`` while another owner has it."""
        found, now = self._holds.get(name), time.monotonic()
        if found is not None and found.owner != owner and now < found.until:
            return False
        self._holds[name] = _Hold(owner, now + seconds)
        return True

    def held(self, name: str) -> bool:
        """Tell whether somebody has a name."""
        found = self._holds.get(name)
        return found is not None and time.monotonic() < found.until

    def release(self, name: str, owner: str) -> None:
        """Give a name back, if it is the owner's."""
        found = self._holds.get(name)
        if found is not None and found.owner == owner:
            del self._holds[name]
