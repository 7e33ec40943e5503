"""A token that Home Assistant refuses: said, not hammered with, and nothing is lost by it."""

from pathlib import Path

from ..real_home_assistant import until  # noqa: TID252 - tests are no package
from .agreement import settled
from .running import Nursery, Pipeline
from .scripted import TOKEN, ScriptedHome

_CANARY = "canary-5f1d0c7e"


def test_a_wrong_token(nursery: Nursery, home: ScriptedHome, tmp_path: Path) -> None:
    """It is tried once and said in health; with another one in the file of the setting it goes on by itself."""
    token = tmp_path / "token"
    token.write_text(_CANARY)
    with Pipeline(nursery, tmp_path, (home.url, "")) as pipeline:
        pipeline.settings = {**pipeline.settings, "HA_TOKEN_FILE": str(token), "QUOTIDIAN_LOG_LEVEL": "debug"}
        del pipeline.settings["HA_TOKEN"]
        pipeline.start("store", "enrich")
        pipeline.start("capture", ready=False)
        until(lambda: bool(home.status()["refused"]))
        until(lambda: "refuse" in str(_health(pipeline)))
        home.changes("light.meanwhile", 5)
        token.write_text(TOKEN)
        home.listened()
        home.changes("light.desk", 5)
        settled(pipeline, home)
        assert len(home.status()["refused"]) == 1
        assert not any(_CANARY in pipeline.log(name) for name in ("capture", "enrich", "store"))


def test_a_token_that_is_revoked(nursery: Nursery, home: ScriptedHome, tmp_path: Path) -> None:
    """Revoked in the midst, it is tried once more; once a good one is set, all that happened meanwhile is stored."""
    with Pipeline(nursery, tmp_path, (home.url, TOKEN)) as pipeline:
        pipeline.start()
        home.listened()
        home.changes("light.desk", 5)
        settled(pipeline, home)
        home.set(tokens={"another": True})
        home.drop("close")
        until(lambda: bool(home.status()["refused"]))
        home.changes("light.desk", 5)
        until(lambda: "refuse" in str(_health(pipeline)))
        assert len(home.status()["refused"]) == 1
        pipeline.kill("capture")
        pipeline.settings["HA_TOKEN"] = "another"
        pipeline.start("capture")
        home.listened()
        settled(pipeline, home)
        assert len(home.status()["refused"]) == 1


def test_a_token_without_an_administrators_rights(nursery: Nursery, home: ScriptedHome, tmp_path: Path) -> None:
    """It hears every change all the same."""
    home.set(tokens={"plain": False})
    with Pipeline(nursery, tmp_path, (home.url, "plain")) as pipeline:
        pipeline.start()
        home.listened()
        home.changes("light.desk", 5)
        settled(pipeline, home)


def _health(pipeline: Pipeline) -> object:
    return pipeline.get("capture", "/health")
