"""A day in small of a live home: a real Home Assistant, ``quotidian up``, and everything that can come between them.

What happened is not what we believe: Home Assistant's own recorder is the ledger.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from quotidian.homeassistant.moments import micros

from .furnished import FURNISHED
from .pipeline import Pipeline
from .real_home_assistant import HASS, MISSING, RealHomeAssistant, until

pytestmark = [pytest.mark.homeassistant, pytest.mark.skipif(not HASS.exists(), reason=MISSING)]

_DESK = "light.desk"
Row = tuple[str, int, str]  #: entity, last updated (µs), state


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHomeAssistant]:
    """Run a Home Assistant with a light that is switched in every way there is."""
    with RealHomeAssistant(tmp_path_factory.mktemp("home"), FURNISHED) as running:
        running.press("desk_wall")  # from now on the switch on the wall has a state
        yield running


def test_a_live_home(home: RealHomeAssistant, tmp_path: Path) -> None:
    """Five makers, a restart in the middle, a kill and the changes after it: each change once, each maker right."""
    with _running(tmp_path, home) as pipeline:
        until(lambda: _settled(pipeline))
        made = _switched_in_every_way(home, pipeline)
        assert [(one["cause"]["kind"], one["cause"].get("entity")) for one in made] == [
            ("person", None),
            ("person", "script.evening"),
            ("automation", "automation.leaving"),
            ("remote", "automation.goodnight"),
            ("physical", None),
            ("automation", "automation.ticking"),
        ]
        home.restart()
        until(lambda: _settled(pipeline), 60)
        home.call("light.toggle", entity_id=_DESK)
        _agree(home, pipeline)
        pipeline.kill()
    home.press("desk_wall")
    home.call("light.toggle", entity_id=_DESK)
    with _running(tmp_path, home) as pipeline:
        _agree(home, pipeline)
        *_, pressed, toggled = _changes(pipeline)
        assert [pressed["cause"]["kind"], toggled["cause"]["kind"]] == ["physical", "person"]
        assert {pressed["source"], toggled["source"]} == {"history"}
        _certified(pipeline)


def _running(folder: Path, home: RealHomeAssistant) -> Pipeline:
    folder.joinpath("token").write_text(home.token)
    return Pipeline(folder, HA_URL=home.url, HA_TOKEN_FILE=str(folder / "token"))


def _switched_in_every_way(home: RealHomeAssistant, pipeline: Pipeline) -> list[dict[str, Any]]:
    """Switch the light in each way once it has heard of the one before; give the changes."""
    before = len(_changes(pipeline))
    for number, switch in enumerate(
        (
            lambda: home.call("light.turn_on", entity_id=_DESK),
            lambda: home.call("script.evening"),
            lambda: home.call("input_boolean.turn_on", entity_id="input_boolean.away"),
            lambda: home.call("input_button.press", entity_id="input_button.bed"),
            lambda: home.press("desk_wall"),
            lambda: home.call("automation.turn_on", entity_id="automation.ticking"),
        )
    ):
        switch()
        until(lambda wanted=before + number + 1: len(_changes(pipeline)) >= wanted)  # type: ignore[misc]
    home.call("automation.turn_off", entity_id="automation.ticking")
    return _changes(pipeline)[before : before + 6]


def _changes(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Give what the store has of the light, oldest first."""
    return _events(pipeline, f"&entity_id={_DESK}")[::-1]


def _events(pipeline: Pipeline, query: str = "") -> list[dict[str, Any]]:
    found = json.loads(pipeline.get("store", f"/api/v1/events?limit=1000{query}"))
    assert found["cursor"] is None
    return list(found["events"])


def _stored(pipeline: Pipeline) -> Counter[Row]:
    events = _events(pipeline)
    return Counter((one["entity_id"], one["last_updated"], one["new_state"]) for one in events if one.get("new_state"))


def _recorded(home: RealHomeAssistant) -> Counter[Row]:
    """Read the ledger. Rows without a state are removals, whose time the recorder does not keep."""
    with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT states_meta.entity_id, last_updated_ts, state "
            "FROM states JOIN states_meta USING (metadata_id) WHERE state > ''"
        ).fetchall()
    return Counter((entity_id, micros(updated), state) for entity_id, updated, state in rows)


def _agree(home: RealHomeAssistant, pipeline: Pipeline) -> None:
    """Wait until the recorder's rows are all in the store; then none may be there twice."""
    until(lambda: _settled(pipeline) and not _recorded(home) - _stored(pipeline), 60)
    assert max(_stored(pipeline).values()) == 1


def _settled(pipeline: Pipeline) -> bool:
    """Tell whether Home Assistant is heard, every gap is filled and nothing waits."""
    told = json.loads(pipeline.get("admin", "/health"))
    return told["state"] == "ok" and told["figures"]["open_gaps"] == told["figures"]["spool_depth"] == 0


def _certified(pipeline: Pipeline) -> None:
    """Check that the certificates account for every event, and that nothing is known to be missing."""
    told = pipeline.asked("loss")
    kinds = ("received", "filled", "manual", "imported")
    assert sum(day[kind] for day in told["certificates"] for kind in kinds) == sum(_stored(pipeline).values())
    assert not any(day["missing"] or day["unrecoverable"] for day in told["certificates"])
