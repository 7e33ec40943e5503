"""What doctor finds of the place of finished days and summaries."""

from collections.abc import Iterator

import pytest

from quotidian.operate.checks.finished import finished_checks
from quotidian.settings import Settings
from quotidian.store.connect import prepare

from ..influx.server import Influx  # noqa: TID252 - tests are no package


@pytest.fixture
def influx() -> Iterator[Influx]:
    """Run an InfluxDB."""
    with Influx() as influx:
        yield influx


def settings(influx: Influx, **more: str) -> Settings:
    """Give the settings of a store in it."""
    known = {"INFLUXDB_URL": influx.url, "INFLUXDB_TOKEN": influx.token, "INFLUXDB_ORG": influx.org}
    return Settings({"QUOTIDIAN_STORE": "influx", **known, **more})


def test_nothing_is_said_of_influxdb_where_nobody_wants_it() -> None:
    """The default needs no word."""
    assert finished_checks(Settings({})) == []


def test_settings_of_influxdb_that_do_not_count_are_remarked() -> None:
    """Somebody thinks that things go there, and they do not."""
    (check,) = finished_checks(Settings({"INFLUXDB_TOKEN": "canary"}))
    assert (check.state, "INFLUXDB_TOKEN is set" in check.sentence) == ("warning", True)
    assert "QUOTIDIAN_STORE=influx" in check.remedy
    assert "canary" not in str(check)


def test_another_word_is_a_problem() -> None:
    """With what can be said in its place."""
    (check,) = finished_checks(Settings({"QUOTIDIAN_STORE": "mysql"}))
    assert (check.state, "embedded or influx" in check.remedy) == ("problem", True)


def test_buckets_are_looked_at(influx: Influx) -> None:
    """Missing ones and those that keep too little are named, with the command that mends it."""
    (check,) = finished_checks(settings(influx))
    assert (check.state, "home_assistant_events is missing" in check.sentence) == ("problem", True)
    assert "store init" in check.remedy
    prepare(settings(influx))
    assert [check.state for check in finished_checks(settings(influx))] == ["ok"]
    (check,) = finished_checks(settings(influx, INFLUXDB_RETENTION_DAILY="100d"))
    assert "pattern_aggregates_daily keeps 90 days in place of 100" in check.sentence


def test_who_does_not_answer_and_who_does_not_know_us(influx: Influx) -> None:
    """Are told apart, without the token."""
    (check,) = finished_checks(settings(influx, INFLUXDB_TOKEN="canary"))
    assert (check.state, "INFLUXDB_TOKEN" in check.remedy, "canary" in str(check)) == ("problem", True, False)
    influx.stop()
    (check,) = finished_checks(settings(influx))
    assert (check.state, "does not answer" in check.sentence) == ("problem", True)
