"""Randomness by name: what is drawn for one purpose never moves what is drawn for another."""

import zlib
from functools import lru_cache

import numpy as np
from numpy.random import Generator


def chance(seed: int, *names: str | int) -> Generator:
    """Give the generator of a purpose, such as ``chance(noise, "habit", "washing", ordinal)``."""
    return np.random.default_rng([seed, *(_number(name) for name in names)])


def _number(name: str | int) -> int:
    return name % 2**63 if isinstance(name, int) else _checksum(name)


@lru_cache(maxsize=4096)
def _checksum(name: str) -> int:
    return zlib.crc32(name.encode())


def lognormal(rng: Generator, median: float, spread: float) -> float:
    """Draw from a lognormal distribution given by its median and the spread of its logarithm."""
    return float(median * np.exp(spread * rng.standard_normal()))
