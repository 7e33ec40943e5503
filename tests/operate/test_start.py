"""Commands load only what they need: containers run one every half minute, and small machines run them at night."""

import subprocess
import sys

import pytest

from quotidian.operate.cli import PLACES


def loaded(module: str) -> set[str]:
    """Give what a fresh process has loaded after an import."""
    program = f"import sys, {module}; print('\\n'.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize("module", ["alive", "cli", "watching"])
def test_a_health_check_loads_next_to_nothing(module: str) -> None:
    """Neither numbers nor servers are loaded to ask a service whether it answers."""
    heavy = {"numpy", "pyarrow", "scipy", "fastapi", "aiohttp", "jinja2", "quotidian.store", "quotidian.detect"}
    assert loaded(f"quotidian.operate.{module}").isdisjoint(heavy)


@pytest.mark.parametrize("module", sorted({"learning", "looking", "keeping", "losing"} & set(PLACES.values())))
def test_learning_loads_no_web_server(module: str) -> None:
    """What works on the store alone does without the services."""
    assert loaded(f"quotidian.operate.{module}").isdisjoint({"fastapi", "uvicorn", "quotidian.capture"})


def test_every_command_is_where_it_is_said_to_be() -> None:
    """Each module registers the commands that are looked for in it, and no other."""
    import importlib

    import typer

    for module in set(PLACES.values()):
        part = typer.Typer()
        importlib.import_module(f"quotidian.operate.{module}").register(part)
        group = typer.main.get_group(part)
        assert set(group.commands) == {name for name, place in PLACES.items() if place == module}


def test_the_containers_health_check_does_without_the_command_line() -> None:
    """It runs every half minute in every container."""
    assert loaded("quotidian.operate.alive").isdisjoint({"typer", "rich", "quotidian.operate.cli"})
