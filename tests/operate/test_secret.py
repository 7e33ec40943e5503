"""A token that is typed at a terminal."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from ..ports import free  # noqa: TID252 - tests are no package

CANARY = "canary-6b1e"


def test_token_is_asked_for_and_not_shown(tmp_path: Path) -> None:
    """At a terminal the token is asked for; what is typed is used and not shown."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HA_")}
    line = [sys.executable, "-c", "from quotidian.operate.cli import main; main()"]
    process = subprocess.Popen(
        [*line, "import", f"http://127.0.0.1:{free()}", "--data", str(tmp_path / "store")],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        cwd=tmp_path,
        env={**environment, "COLUMNS": "200"},
    )
    os.close(theirs)
    shown = _until(ours, "it is not shown): ")
    os.write(ours, f"{CANARY}\n".encode())
    shown += _until(ours, "8123")
    assert process.wait(20) == 1
    os.close(ours)
    assert "Nobody answers at 127.0.0.1" in shown
    assert CANARY not in shown


def _until(terminal: int, words: str) -> str:
    """Read what is shown until some words are; the terminal's end is an error."""
    shown = ""
    while words not in shown:
        shown += os.read(terminal, 4096).decode()
    return shown
