"""A store in InfluxDB that is killed."""

import os
import subprocess
from pathlib import Path

from quotidian.settings import Settings

from ...influx.server import Influx  # noqa: TID252 - tests are no package
from ...killing import ROOT, command  # noqa: TID252


def test_a_kill_at_any_step_loses_nothing(influx: Influx, settings: Settings, tmp_path: Path) -> None:
    """Killed before any step on the disk or towards InfluxDB: every event is there once, and no day is damaged."""
    del settings
    influx.now = Influx().now
    environment = os.environ | {
        "QUOTIDIAN_STORE": "influx",
        "INFLUXDB_URL": influx.url,
        "INFLUXDB_TOKEN": influx.token,
        "INFLUXDB_ORG": influx.org,
    }
    killed = command("store.influx.killed", tmp_path / "store", 5, 6)
    ended = subprocess.run(killed, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 1
