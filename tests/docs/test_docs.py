"""What the documentation says is so."""

import ast
import inspect
import re
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest
import typer.main
from typer.testing import CliRunner

from quotidian import __version__
from quotidian.detect import Detector, detectors
from quotidian.model.event import EVENT_SCHEMA
from quotidian.operate.cli import PLACES, app
from quotidian.store.embedded.database import schemas

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = ROOT / "src" / "quotidian"
DOCS: Final = sorted((ROOT / "docs").glob("*.md"))
PAGES: Final = [*sorted(ROOT.glob("*.md")), *DOCS]

FENCE: Final = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S)
SPAN: Final = re.compile(r"`([^`\n]+)`")
LINK: Final = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING: Final = re.compile(r"^#{1,6} (.+)$", re.M)
# The container of the same name takes other commands, too.
COMMAND: Final = re.compile(r"(?<!exec )(?<!-T )\bquotidian ([a-z]+)\b([^|#&\n>]*)")
OPTION: Final = re.compile(r"(?<![\w-])(--[a-z][a-z-]*)")
NETWORK: Final = frozenset(
    {"aiohttp", "asyncio", "ftplib", "http", "httpx", "imaplib", "requests", "smtplib", "socket", "socketserver", "ssl"}
    | {"telnetlib", "urllib.request", "urllib3", "xmlrpc"}
)

#: The rooms and modules that speak to Home Assistant, to each other, or serve.
SPEAKING: Final = frozenset(
    {"homeassistant", "clients", "service", "capture", "enrich", "admin", "operate"}
    | {"store/app", "store/influx/server.py", "store/remote.py", "importers/live.py"}
)
WAITING: Final = frozenset({"spool", "learn"})  #: may use asyncio, to wait for the disk and for children

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@cache
def text_of(page: Path) -> str:
    """Give a page's text."""
    return page.read_text("utf-8")


def prose(page: Path) -> str:
    """Give a page without its code blocks."""
    return FENCE.sub("", text_of(page))


def code(page: Path) -> Iterator[str]:
    """Give the commands that a page shows: the lines of its blocks that are no Python, and the spans in its text."""
    for fence in FENCE.finditer(text_of(page)):
        if not fence["kind"].startswith("python"):
            yield from fence["text"].splitlines()
    yield from (span.replace(r"\|", "|") for span in SPAN.findall(prose(page)))


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in HEADING.findall(prose(page)):
        anchor = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        again = sum(re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", other) is not None for other in found)
        found.add(f"{anchor}-{again}" if again else anchor)
    return found


@cache
def commands() -> dict[str, set[str]]:
    """Give the options of each command of the command line; those of a group are those of its commands."""
    group: Any = typer.main.get_command(app)
    return {name: _options(group.get_command(None, name)) | {"--help"} for name in PLACES}


def _options(command: Any) -> set[str]:
    own = {option for parameter in command.params for option in parameter.opts}
    return own.union(*map(_options, getattr(command, "commands", {}).values()))


def section(page: Path, title: str) -> str:
    """Give what stands under the heading that holds a title, up to the next of its level."""
    found = re.search(rf"^(#+) [^\n]*{re.escape(title)}[^\n]*\n(.*?)(?=^\1 |\Z)", text_of(page), re.M | re.S)
    assert found, f"{page.name} has no section {title}"
    return found[2]


@every_page
def test_links_resolve(page: Path) -> None:
    """Every relative link leads to a file of the project, and every anchor to a heading in it."""
    for link in LINK.findall(SPAN.sub("", prose(page))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


@every_page
def test_commands_exist(page: Path) -> None:
    """Every command that is shown can be typed, with the options that are shown with it."""
    for line in code(page):
        for name, rest in COMMAND.findall(line):
            assert name in commands(), line
            unknown = set(OPTION.findall(rest)) - commands()[name]
            assert not unknown, line


@every_page
def test_options_exist(page: Path) -> None:
    """An option that is named by itself belongs to some command."""
    known = set().union(*commands().values()) | {"--version"}
    named = {span.split()[0] for span in SPAN.findall(prose(page)) if span.startswith("--")}
    assert named <= known


@every_page
def test_make_targets_exist(page: Path) -> None:
    """Every target of make that is named has a rule in the Makefile."""
    rules = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    named = {target for line in code(page) for target in re.findall(r"^make ([a-z][a-z-]*)", line)}
    assert named <= rules


@every_page
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of Python that say so run, one after another, in an empty directory."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for fence in FENCE.finditer(text_of(page)):
        if fence["kind"] == "python run":
            line = text_of(page)[: fence.start("text")].count("\n")
            exec(compile("\n" * line + fence["text"], str(page), "exec"), names)


@every_page
def test_names_of_this_project_import(page: Path) -> None:
    """What a block of Python imports of ours is there, also where the block is only shown."""
    for fence in FENCE.finditer(text_of(page)):
        if fence["kind"].startswith("python"):
            ours = re.findall(r"^from (quotidian[\w.]*) import (.+)$", fence["text"], re.M)
            for module, names in ours:
                exec(f"from {module} import {names}", {})


def test_index_links_every_page() -> None:
    """The index has one line for each page beside it."""
    index = ROOT / "docs" / "index.md"
    linked = LINK.findall(text_of(index))
    assert sorted(linked) == sorted({page.name for page in DOCS} - {"index.md"})


@pytest.mark.parametrize("detector", detectors(), ids=lambda detector: detector.name)
def test_every_detector_is_described(detector: Detector) -> None:
    """Each detector has a section with its weaknesses, and a row with the default of each of its parameters."""
    told = section(ROOT / "docs" / "detectors.md", f"(`{detector.name}`)")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", told, re.M))
    parameters = inspect.signature(type(detector)).parameters.values()
    assert rows == {parameter.name: spelled(parameter.default) for parameter in parameters}
    assert "**Weak.**" in told
    assert "**Needs.**" in told


def spelled(default: Any) -> str:
    """Write a default as the page does."""
    return ", ".join(f"{value:g}" for value in (default if isinstance(default, tuple) else (default,)))


def test_every_table_is_described() -> None:
    """The page on storage has a row for each table of the schema, and for no other."""
    script = "\n".join(schemas())
    dropped = re.findall(r"^DROP TABLE (\w+)", script, re.M)
    tables = [name for name in re.findall(r"^CREATE TABLE (\w+)", script, re.M) if name not in dropped]
    told = section(ROOT / "docs" / "storage.md", "The database")
    assert re.findall(r"^\| `(\w+)` \|", told, re.M) == tables


def test_every_column_is_described() -> None:
    """The page on storage has a row for each column of events, in their order, and for the store's own."""
    told = section(ROOT / "docs" / "storage.md", "The files of events")
    assert re.findall(r"^\| `(\w+)` \|", told, re.M) == [*EVENT_SCHEMA.names, "origins"]


def test_every_room_is_described() -> None:
    """The page on architecture has a row for each room and module of the package, and no row for what is not there."""
    there = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    there |= {path.name for path in SOURCE.glob("*.py") if not path.name.startswith("_")}
    told = section(ROOT / "docs" / "architecture.md", "The rooms")
    assert set(re.findall(r"^\| `([\w.]+)` \|", told, re.M)) == there
    assert all(f"`store/{path.parent.name}`" in told for path in SOURCE.glob("store/*/__init__.py"))


def test_every_guarantee_names_tests_that_exist() -> None:
    """Each promise names a test, and each test that is named is there."""
    page = ROOT / "docs" / "guarantees.md"
    named = [span for span in SPAN.findall(text_of(page)) if "::" in span]
    missing = [name for name in named if name not in claims_of(name.partition("::")[0])]
    assert not missing
    promises = re.split(r"^## ", text_of(page), flags=re.M)[1:]
    assert [promise for promise in promises if "::test_" not in promise and not promise.startswith("For later")] == []


@cache
def claims_of(file: str) -> set[str]:
    """Give the tests of a file by pytest's names, in classes and outside."""
    found: set[str] = set()
    if not (ROOT / file).is_file():
        return found
    for node in ast.parse((ROOT / file).read_text("utf-8")).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        within = f"{file}::{node.name}" if isinstance(node, ast.ClassDef) else file
        found |= {f"{within}::{one.name}" for one in inner if isinstance(one, ast.FunctionDef)}
    return found


def test_changelog_has_this_version() -> None:
    """The changelog tells of this version, or of one that is not released yet."""
    headings = " ".join(HEADING.findall(text_of(ROOT / "CHANGELOG.md")))
    assert re.search(rf"(?<![\w.]){re.escape(__version__)}(?![\w.])|\[Unreleased\]", headings)


# what SECURITY.md and the guarantees say of the network


def test_only_what_speaks_imports_a_library_of_the_network() -> None:
    """No module of ours imports what could open a connection, but those that are there to speak."""
    silent = [path for path in SOURCE.rglob("*.py") if not _speaks(path.relative_to(SOURCE))]
    assert len(silent) > 100
    for path in silent:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            used = {name for name in names if name in NETWORK or name.partition(".")[0] in NETWORK}
            assert not used - ({"asyncio"} if path.parent.name in WAITING else set()), path


def _speaks(module: Path) -> bool:
    return any(place.as_posix() in SPEAKING for place in (module, *module.parents))


def test_a_whole_run_opens_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a file of events to the report, no socket is made: neither by us nor by what we use."""

    def refused(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    store, runner = str(tmp_path / "store"), CliRunner()
    for line in (
        ["simulate", str(tmp_path), "--home", "small", "--days", "5", "--json"],
        ["learn", str(tmp_path / "events.jsonl.gz"), "--data", store, "--json"],
        ["report", str(tmp_path / "report.html"), "--data", store],
    ):
        result = runner.invoke(app, line, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "report.html").stat().st_size > 10_000
