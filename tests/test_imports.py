"""What is imported when, because a small machine pays for it every night."""

import subprocess
import sys

import pytest

#: Large, and not needed to learn.
HEAVY = ("scipy.stats", "pandas", "sklearn", "quotidian.operate", "typer", "rich", "jinja2", "quotidian.report")


def loaded(module: str) -> set[str]:
    """Give what a fresh process has loaded after an import."""
    program = f"import sys, {module}; print('\\n'.join(sys.modules))"
    return set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )


@pytest.mark.parametrize("module", ["quotidian.detect", "quotidian.learn"])
def test_learning_needs_no_large_library(module: str) -> None:
    """The detectors and the nightly work do without scipy's distributions, pandas and the command line."""
    assert loaded(module).isdisjoint(HEAVY)


def test_a_nightly_job_needs_neither_a_store_nor_a_web_framework() -> None:
    """The process of a job asks the store over HTTP: it loads none of its own, and serves nothing."""
    there = loaded("quotidian.learn.child")
    assert "quotidian.store.remote" in there
    assert there.isdisjoint(("quotidian.store.embedded.store", "pyarrow.parquet", "fastapi", "uvicorn", "aiohttp"))


def test_the_words_need_no_detector() -> None:
    """The words that everyone uses load no other room."""
    rooms = {name.split(".")[1] for name in loaded("quotidian.model") if name.startswith("quotidian.")}
    assert rooms == {"model"}
