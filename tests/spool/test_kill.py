"""A spool whose process is killed."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("seed", [1, 2])
def test_what_a_commit_returned_survives_a_kill_once(tmp_path: Path, seed: int) -> None:
    """Killed under load, again and again: what was told durable is there once, and no number was given twice."""
    script = Path(__file__).with_name("killed.py")
    command = [sys.executable, "-W", "error", str(script), str(tmp_path / "spool"), str(seed), "30"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    durable, given = map(int, ended.stdout.split())
    assert durable >= given > 300
