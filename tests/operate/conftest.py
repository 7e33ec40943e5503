"""What the tests of the command line share."""

import csv
import datetime as dt
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quotidian.operate.cli import app


class Ran:
    """What a command said, and how it ended."""

    def __init__(self, output: str, errors: str, code: int) -> None:
        self.output = output
        self.errors = errors
        self.code = code

    @property
    def json(self) -> Any:
        return json.loads(self.output)


def ran(*words: object, given: bytes | None = None) -> Ran:
    """Run a command in this process; what nobody foresaw is raised."""
    result = CliRunner().invoke(app, [str(word) for word in words], input=given, catch_exceptions=False)
    return Ran(result.stdout, result.stderr, result.exit_code)


@pytest.fixture
def quotidian(tmp_path: Path) -> Callable[..., Ran]:
    """Run a command on a store of the test's own."""

    def run(*words: object, given: bytes | None = None) -> Ran:
        return ran(*words, "--data", tmp_path / "store", given=given)

    return run


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the smallest simulated home, of a fortnight."""
    folder = tmp_path_factory.mktemp("simulated")
    assert ran("simulate", folder, "--home", "small", "--days", 14).code == 0
    return folder


@pytest.fixture(scope="session")
def lived(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store that has learned from it; not to be changed."""
    store = tmp_path_factory.mktemp("lived") / "store"
    source = simulated / "events.jsonl.gz"
    assert ran("learn", source, "--zone", "Europe/Amsterdam", "--data", store).code == 0
    return store


@pytest.fixture(scope="session")
def ten_days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Learn from the ten days that Home Assistant keeps by default; give the store, and what was said."""
    folder = tmp_path_factory.mktemp("ten-days")
    assert ran("simulate", folder, "--home", "ten-days").code == 0
    learned = ran("learn", folder / "events.jsonl.gz", "--zone", "Europe/Amsterdam", "--data", folder / "store")
    assert learned.code == 0
    return folder / "store", learned.output


def following(days: int, trigger: str, lamp: str, sensor: str = "binary_sensor.hall") -> str:
    """Give a CSV download in which somebody switches a lamp on soon after something else, and a sensor goes its way."""
    chance, rows = random.Random(6), list[tuple[str, str, dt.datetime]]()
    for day in (dt.datetime(2026, 1, 5, tzinfo=dt.UTC) + dt.timedelta(days=number) for number in range(days)):
        for hour in (8, 13, 20):
            if chance.random() < 0.8:
                began = day + dt.timedelta(hours=hour, minutes=chance.randrange(50))
                ended = began + dt.timedelta(minutes=chance.randrange(30, 100))
                rows += [(trigger, "on", began), (trigger, "off", ended)]
                rows.append((lamp, "on", began + dt.timedelta(seconds=chance.randrange(5, 40))))
                rows.append((lamp, "off", ended + dt.timedelta(minutes=chance.randrange(5, 60))))
            passed = day + dt.timedelta(hours=7, seconds=chance.randrange(54_000))
            rows += [(sensor, "on", passed), (sensor, "off", passed + dt.timedelta(seconds=90))]
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(("entity_id", "state", "last_changed"))
    table.writerows((name, state, at.isoformat()) for name, state, at in sorted(rows, key=lambda row: row[2]))
    return written.getvalue()


def learned(folder: Path, history: str) -> Path:
    """Give a store that has learned from a CSV download."""
    source = folder / "history.csv"
    source.write_text(history)
    told = ran("learn", source, "--zone", "Europe/Amsterdam", "--data", folder / "store")
    assert told.code == 0, told.errors
    return folder / "store"


@pytest.fixture(scope="session")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store whose home has a desk light that follows the heater; not to be changed."""
    return learned(tmp_path_factory.mktemp("followed"), following(36, "switch.heater", "light.desk"))


@pytest.fixture(scope="session")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store whose home has a lock that is unlocked for a while each day; not to be changed."""
    history = following(45, "switch.heater", "lock.front").replace(",on,", ",unlocked,")
    return learned(tmp_path_factory.mktemp("unlocked"), history)
