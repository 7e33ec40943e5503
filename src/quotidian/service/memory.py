"""Memory that is not needed any more goes back to the system."""

import ctypes
from typing import Final

#: The names of these are in glibc's malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD.
_THRESHOLDS: Final = (-1, -3)
_LARGE: Final = 131_072  #: bytes, with which glibc begins


def give_back() -> bool:
    """Let large blocks go back to the system as soon as they are free; tell whether that is possible here.

    Left to itself, glibc raises its thresholds with each large block that is freed. A service that once read a busy day
    would keep most of what that took, for good.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return all(mallopt(threshold, _LARGE) for threshold in _THRESHOLDS)
