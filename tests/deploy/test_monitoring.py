"""The files for Prometheus and Grafana are right, and speak of figures that the services really have."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from ..pipeline import PORTS, Pipeline  # noqa: TID252 - tests are no package

ROOT: Final = Path(__file__).parents[2]
ALERTS: Final = ROOT / "deploy" / "prometheus" / "alerts.yml"
CONFIG: Final = ROOT / "deploy" / "prometheus" / "prometheus.yml"
DASHBOARD: Final = ROOT / "deploy" / "grafana" / "quotidian.json"
PAGE: Final = ROOT / "docs" / "operations.md"
TRIED: Final = Path(__file__).with_name("alerts_test.yml")
METRIC: Final = re.compile(r"\b(?:quotidian|process)_[a-z_]+")

promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool (Debian's prometheus): run `make test-components`"
)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Run the services, without a home."""
    with Pipeline(tmp_path_factory.mktemp("pipeline")) as running:
        yield running


def checked(*words: object, given: str | None = None) -> str:
    """Run promtool; it must find nothing wrong."""
    result = subprocess.run(["promtool", *map(str, words)], input=given, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def expressions() -> list[str]:
    """Give what the alerts and the panels ask for."""
    panels: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [ALERTS.read_text("utf-8"), *(target["expr"] for panel in panels for target in panel["targets"])]


@promtool
def test_prometheus_takes_its_configuration_and_rules() -> None:
    """Prometheus's own checker finds nothing wrong in them."""
    checked("check", "config", CONFIG)
    checked("check", "rules", "--lint=all", "--lint-fatal", ALERTS)


@promtool
def test_alerts_are_raised_when_they_should_be() -> None:
    """A quiet home raises none; each trouble raises its alert, and no other."""
    assert "SUCCESS" in checked("test", "rules", TRIED)


def test_every_alert_is_tried_and_explained() -> None:
    """Each alert has a history that raises it, and a section in the documentation."""
    names = re.findall(r"- alert: (\w+)", ALERTS.read_text("utf-8"))
    tried = re.findall(r'alertname="(\w+)"', TRIED.read_text("utf-8"))
    explained = re.findall(r"^### `(Quotidian\w+)`", PAGE.read_text("utf-8"), re.M)
    assert names == tried == explained


@promtool
@pytest.mark.parametrize("service", PORTS)
def test_the_figures_of_a_service_are_well_made(service: str, pipeline: Pipeline) -> None:
    """Prometheus's own checker finds nothing wrong in what a real service answers to a scrape."""
    checked("check", "metrics", given=pipeline.get(service, "/metrics"))


def test_alerts_and_panels_ask_for_figures_that_exist(pipeline: Pipeline) -> None:
    """Each name in them is one that a running service exposes."""
    exposed = {
        name
        for service in PORTS
        for name in re.findall(r"^(?:# TYPE )?((?:quotidian|process)_[a-z_]+)", pipeline.get(service, "/metrics"), re.M)
    }
    asked = {name for text in expressions() for name in METRIC.findall(text)}
    assert asked - exposed - {"quotidian_token"} == set()


def test_the_dashboard_has_panels_that_do_not_overlap() -> None:
    """Each asks the data source that the reader chose, and lies where no other does."""
    board = json.loads(DASHBOARD.read_text("utf-8"))
    covered: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert covered.isdisjoint(cells), panel["title"]
        assert max(x for x, _ in cells) < 24
        assert panel["datasource"]["uid"] == "${datasource}"
        covered |= cells
    assert [one["name"] for one in board["templating"]["list"]] == ["datasource"]


def test_prometheus_asks_at_the_ports_of_the_services() -> None:
    """Each service is asked at the port that is its default."""
    targets = re.findall(r"127\.0\.0\.1:(\d+)\"\], labels: \{service: (\w+)\}", CONFIG.read_text("utf-8"))
    assert {name: int(port) for port, name in targets} == {name: 8001 + place for name, place in PORTS.items()}
