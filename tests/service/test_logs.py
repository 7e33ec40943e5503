"""Claims about logs: what is in them, and what never is."""

import asyncio
import io
import json
import logging
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import structlog

import quotidian
from quotidian.clients import StoreClient
from quotidian.errors import QuotidianError, SettingError
from quotidian.service import Access, logs
from quotidian.settings import Settings

from .apps import SECRET, ask, served
from .plain import plain_app

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJjYW5hcnkifQ.c2lnbmF0dXJl"
ODD = 'canary "quoted" \\ ünï/+% secret'


@pytest.fixture
def written(logged: io.StringIO) -> io.StringIO:
    """Log to a text, at debug level, with secrets that must not be in it."""
    logs.configure(Settings({"QUOTIDIAN_LOG_LEVEL": "debug", "HA_TOKEN": TOKEN, "QUOTIDIAN_SECRET": ODD}), logged)
    return logged


def entries(stream: io.StringIO) -> list[dict[str, str]]:
    """Read what was logged."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


class TestEntries:
    def test_an_entry_is_a_line_of_json(self, written: io.StringIO) -> None:
        """Level, time, event, fields and what the context says; a line break in a name breaks no line."""
        with structlog.contextvars.bound_contextvars(request_id="abc"):
            structlog.get_logger(service="store").info("Stored", entity="light.a\nb\x1b[31m", place=Path("/x"))
        (entry,) = entries(written)
        assert entry.items() >= {"level": "info", "event": "Stored", "service": "store", "request_id": "abc"}.items()
        assert entry["entity"] == "light.a\nb\x1b[31m"
        assert entry["place"] == "PosixPath('/x')"
        assert entry["time"].endswith("Z")

    def test_python_s_own_loggers_and_warnings_go_the_same_way(self, written: io.StringIO) -> None:
        """Also with arguments, and with the traceback of an exception."""
        logging.getLogger("some.library").warning("%d of %s", 3, "ten")
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn("old", stacklevel=1)
        try:
            int("broken")
        except ValueError:
            logging.getLogger("some.library").exception("It failed")
        first, second, third = entries(written)
        assert (first["event"], first["level"]) == ("3 of ten", "warning")
        assert "old" in second["event"]
        assert "ValueError: invalid" in third["exception"]

    def test_the_level_is_kept(self, written: io.StringIO) -> None:
        """What is less important than the setting says is not written; nonsense is refused."""
        logs.configure(Settings({"QUOTIDIAN_LOG_LEVEL": "Warning"}), written)
        log = structlog.get_logger()
        log.info("no")
        log.warning("yes")
        assert [entry["event"] for entry in entries(written)] == ["yes"]
        with pytest.raises(SettingError, match="QUOTIDIAN_LOG_LEVEL"):
            logs.configure(Settings({"QUOTIDIAN_LOG_LEVEL": "loud"}), written)

    def test_a_terminal_gets_text_that_cannot_steer_it(self) -> None:
        """No JSON: the time first, no colour where none is wanted, no control character in any field."""
        code = (
            "import sys, structlog; from quotidian.service import logs; from quotidian.settings import Settings\n"
            "class Terminal:\n"
            "    write, flush, isatty = sys.stderr.write, sys.stderr.flush, lambda self: True\n"
            "logs.configure(Settings({'HA_TOKEN': 'hush-hush'}), Terminal())\n"
            "structlog.get_logger().warning('An event\\x07 came', entity='light.\\x9b2J', token='hush-hush')\n"
        )
        environment = {**os.environ, "NO_COLOR": "1"}
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[warning +\] An event", ran.stderr)
        assert "(hidden)" in ran.stderr
        assert not {"\x07", "\x9b", "\x1b"} & set(ran.stderr)
        assert "hush-hush" not in ran.stderr


class TestFailures:
    def test_what_could_not_be_served_is_logged_with_its_request(self, written: io.StringIO, tmp_path: Path) -> None:
        """A fault with its traceback, a peer that rests with its sentence, both under the id that was answered."""

        async def run() -> list[str]:
            async with served(plain_app({"QUOTIDIAN_DATA": str(tmp_path)})) as url:
                return [(await ask("GET", url + path))[1]["X-Request-Id"] for path in ("/broken", "/later")]

        broken, later = asyncio.run(run())
        told = {entry["request_id"]: entry for entry in entries(written) if entry["level"] in ("error", "warning")}
        assert "Traceback" in told[broken]["exception"]
        assert told[later]["why"] == "It rests. Wait."

    def test_what_stands_in_the_way_is_logged_once(self, written: io.StringIO, tmp_path: Path) -> None:
        """The same reason, met again by whoever tries again, is no second warning."""

        async def run() -> None:
            async with served(plain_app({"QUOTIDIAN_DATA": str(tmp_path)})) as url:
                for _ in range(3):
                    await ask("GET", url + "/later")

        asyncio.run(run())
        assert [entry["level"] for entry in entries(written) if "why" in entry] == ["warning", "debug", "debug"]


class TestSecrets:
    def test_no_secret_is_ever_written(self, written: io.StringIO) -> None:
        """As a field, a key, in a message, an exception, an object's repr, quoted in an address, from any logger."""
        log = structlog.get_logger()
        for secret in (TOKEN, ODD, SECRET):
            log.debug("x " + secret, field=secret, nested={"a": [secret], secret: 1}, object=Exception(secret))
            logging.getLogger("aiohttp").warning("GET /?token=%s", secret)
            try:
                int(secret)
            except ValueError:
                log.exception("It failed")
            log.info("bytes", body=repr(secret).encode())
        logging.getLogger("x").error("Authorization: Bearer abc-def")
        text = written.getvalue()
        assert len(entries(written)) == 13
        for canary in (TOKEN, SECRET, "quoted", "ünï", "abc-def"):
            assert canary not in text

    def test_tokens_that_are_given_out_are_hidden(self, written: io.StringIO, tmp_path: Path) -> None:
        """Also the secret that was made by itself."""
        access = Access(Settings({"QUOTIDIAN_DATA": str(tmp_path)}))
        secret, token = access.secret, access.give("phone")
        structlog.get_logger().info(f"{secret} {token} {token[3:]}")
        assert secret not in written.getvalue()
        assert token not in written.getvalue()

    @pytest.mark.parametrize(
        "text",
        [
            "sensor.a_very_long_name_of_a_thing_in_the_kitchen_2",
            "0123456789abcdef0123456789abcdef",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "/srv/quotidian/events/home=7b1c/date=2026-09-07/events.parquet",
            "2f0f3c0c-9b1e-4d5a-8c8a-0123456789ab",
        ],
    )
    def test_what_is_no_token_stays(self, text: str) -> None:
        """Ids, paths and the names of entities can be read."""
        assert logs.redacted(text) == text

    def test_a_service_and_its_client_log_no_secret_at_debug_level(self, written: io.StringIO, tmp_path: Path) -> None:
        """Through requests that are right, wrong and broken: not in logs, answers, figures or errors."""
        environment = {"QUOTIDIAN_DATA": str(tmp_path), "QUOTIDIAN_SECRET": SECRET}

        async def run() -> str:
            shown = ""
            async with served(plain_app(environment)) as url:
                for path in ("/things", "/broken", "/metrics", "/health", "/openapi.json", "/nowhere"):
                    shown += str([await ask(method, url + path, SECRET) for method in ("GET", "POST")])
                shown += str(await ask("POST", url + "/things", "Canary-Wrong"))
                client = StoreClient(url, SECRET)
                try:
                    await client.stats()
                except QuotidianError as error:
                    shown += repr(error) + str(error) + repr(client)
                await client.close()
            return shown

        shown = asyncio.run(run()) + written.getvalue()
        assert len(entries(written)) > 10
        assert "a request failed" in shown
        assert SECRET not in shown
        assert "Canary-Wrong" not in shown


def test_log_sentences_begin_alike() -> None:
    """Each is a clause in lower case, but for the name of Home Assistant."""
    pattern = re.compile(r"""log\.(?:debug|info|warning|error|exception)\(\s*"([^"]+)""")
    files = Path(quotidian.__file__).parent.rglob("*.py")
    told = [sentence for file in files for sentence in pattern.findall(file.read_text("utf-8"))]
    assert len(told) > 20
    assert [one for one in told if one[0].isupper() and not one.startswith("Home Assistant")] == []
