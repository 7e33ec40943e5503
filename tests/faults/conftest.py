"""What the fault tests share: a process that forks services, and a scripted Home Assistant for each test."""

from collections.abc import Iterator

import pytest

from .running import Nursery
from .scripted import ScriptedHome


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Give the process that forks services."""
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def home() -> Iterator[ScriptedHome]:
    """Run a scripted Home Assistant."""
    with ScriptedHome() as made:
        yield made
