"""A home that is backed up while it lives: what is restored is what was acknowledged, up to a moment."""

import json
import random
import signal
import subprocess
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from quotidian.model import Day
from quotidian.settings import Settings
from quotidian.store import connect

from ..pipeline import COMMAND  # noqa: TID252 - tests are no package
from ..real_home_assistant import until  # noqa: TID252 - tests are no package
from .agreement import said, settled, total
from .running import Nursery, Pipeline
from .scripted import TOKEN, ScriptedHome


def test_backed_up_under_load(nursery: Nursery, home: ScriptedHome, tmp_path: Path) -> None:
    """The backup has a prefix of what was said, at least all that was acknowledged before, certified."""
    with Pipeline(nursery, tmp_path, (home.url, TOKEN)) as pipeline:
        pipeline.start()
        home.listened()
        home.flood(3000, rate=600, entities=40)
        until(lambda: total(pipeline) > 300)
        acknowledged = total(pipeline)
        made = ended(run(pipeline, "backup", "backup.tar", "--json"))
        assert home.status()["flooding"], "the load ended too early"
        settled(pipeline, home)
        assert json.loads(made)["encrypted"] is False
        assert pipeline.secret.encode() not in (tmp_path / "backup.tar").read_bytes()
    ended(run(pipeline, "restore", "backup.tar", "--data", tmp_path / "new"))
    found = events(tmp_path / "new")
    assert acknowledged <= len(found) < 3000
    assert Counter(found) == Counter(said(home.ledger()[: len(found)]))


def test_killed_while_it_is_backed_up(nursery: Nursery, home: ScriptedHome, tmp_path: Path) -> None:
    """The command or the store is killed in the middle: nothing that matters is left, and the next backup works."""
    seeded = random.Random(7)
    path = tmp_path / "backup.tar"
    with Pipeline(nursery, tmp_path, (home.url, TOKEN)) as pipeline:
        pipeline.start()
        home.listened()
        home.flood(3000, rate=600, entities=40)
        for victim in ("the command", "store", "store"):
            until(lambda: total(pipeline) > 100)
            command = run(pipeline, "backup", path, "--replace")
            time.sleep(seeded.uniform(0.4, 0.9))  # the seeded moment, not a wait for something
            if victim == "store":
                assert pipeline.kill("store") == -signal.SIGKILL
                pipeline.start("store")
            else:
                command.kill()
            command.communicate(timeout=60)
            until(lambda: not [*(pipeline.data / "snapshot").glob("*")])
            assert not path.exists() or ended(run(pipeline, "backup", "--verify", path))
        settled(pipeline, home)
        ended(run(pipeline, "backup", path, "--replace"))
        assert not [*tmp_path.glob(".backup*")]
    ended(run(pipeline, "restore", path, "--data", tmp_path / "new"))
    assert Counter(events(tmp_path / "new")) == Counter(said(home.ledger()))


def test_restored_while_the_home_goes_on(nursery: Nursery, home: ScriptedHome, tmp_path: Path) -> None:
    """What happened since the backup comes again, once; the store that was replaced is kept."""
    with Pipeline(nursery, tmp_path, (home.url, TOKEN)) as pipeline:
        pipeline.start()
        home.listened()
        home.changes("light.desk", 10)
        until(lambda: total(pipeline) == 10)
        ended(run(pipeline, "backup", "backup.tar"))
        home.changes("light.desk", 20)
        until(lambda: total(pipeline) == 30)
        refused = run(pipeline, "restore", "backup.tar", "--replace")
        assert f"process {pipeline.pids['store']}" in refused.communicate(timeout=60)[1]
        pipeline.kill("store")
        home.changes("light.desk", 1)
        told = json.loads(ended(run(pipeline, "restore", "backup.tar", "--replace", "--json")))
        assert (told["events"], len(events(Path(told["aside"])))) == (10, 30)
        pipeline.start("store")
        home.changes("light.desk", 1)
        settled(pipeline, home)


def run(pipeline: Pipeline, *words: Any) -> "subprocess.Popen[str]":
    """Begin a command with a pipeline's settings."""
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        env=pipeline.settings,
        cwd=pipeline.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(command: "subprocess.Popen[str]") -> str:
    """Wait for a command that is to succeed; give what it said."""
    output, errors = command.communicate(timeout=60)
    assert command.returncode == 0, errors
    return output


def events(directory: Path) -> list[tuple[str, int, str | None]]:
    """Give the events of a store that nobody holds, and check its certificates."""
    with closing(connect(directory, Settings({}))) as store:
        days = [Day.of(day.date, store.home.zone) for day in store.days()]
        certificates = store.certificates(days[0].date, days[-1].date)
        rows = [row for day in days for row in store.day_events(day).to_pylist()]
        assert store.verify().fault is None
        assert sum(one.events for one in certificates) == len(rows)
        assert not any(one.missing or one.unrecoverable for one in certificates)
    return [(row["entity_id"], row["last_updated"], row["state"]) for row in rows]
