"""How long to wait before trying again."""

import random
from typing import Final

from quotidian.errors import QuotidianError, UnreachableError

INITIAL: Final = 0.5  #: seconds
LONGEST: Final = 30.0  #: seconds
_DOUBLINGS: Final = 16


def pause(failures: int, error: QuotidianError | None = None, longest: float = LONGEST) -> float:
    """Give the seconds to wait after so many failures running: doubling, then within its upper half by chance.

    The jitter keeps many who lost the same peer from coming back at the same moment. What the peer itself asked for
    (``UnreachableError.after``) counts instead, up to a minute.
    """
    if isinstance(error, UnreachableError) and error.after is not None:
        return min(error.after, 2 * longest)
    highest: float = min(longest, INITIAL * 2 ** min(failures, _DOUBLINGS))
    return random.uniform(highest / 2, highest)  # noqa: S311 - chance, not a secret
