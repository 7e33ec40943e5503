"""Claims about what every service does with requests, told at a small one on a real port."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quotidian.errors import RequestError, TooLargeError
from quotidian.service import Access
from quotidian.service.gate import names_of
from quotidian.service.wire import LARGEST, decoded
from quotidian.settings import Settings

from .apps import SECRET, ask, served
from .plain import plain_app


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Make settings in a folder."""
    return {"QUOTIDIAN_DATA": str(folder), "QUOTIDIAN_SECRET": SECRET, **more}


def tried(folder: Path, work: Callable[[str], Awaitable[Any]], **more: str) -> Any:
    """Do something with a small service that is served on a port."""

    async def run() -> Any:
        async with served(plain_app(environment(folder, **more))) as url:
            return await work(url)

    return asyncio.run(run())


def error_of(content: bytes) -> dict[str, str]:
    """Read an error, and check its shape."""
    told = json.loads(content)
    assert set(told) == {"error"}
    assert set(told["error"]) == {"kind", "what", "remedy"}
    found: dict[str, str] = told["error"]
    return found


class TestErrors:
    @pytest.mark.parametrize(
        ("method", "path", "status", "kind"),
        [
            ("GET", "/nowhere", 404, "NotFound"),
            ("GET", "/docs", 404, "NotFound"),
            ("DELETE", "/things", 405, "NotFound"),
            ("GET", "/things?limit=many", 422, "Request"),
            ("GET", "/broken", 500, "Internal"),
            ("GET", "/later", 503, "Unreachable"),
            ("GET", "/changed", 409, "Conflict"),
            ("POST", "/things", 401, "Access"),
        ],
    )
    def test_every_error_has_one_shape(self, tmp_path: Path, method: str, path: str, status: int, kind: str) -> None:
        """Kind, what and remedy, whoever refused: never a traceback, never a secret."""
        found, headers, content = tried(tmp_path, lambda url: ask(method, url + path))
        assert (found, error_of(content)["kind"]) == (status, kind)
        assert headers["Content-Type"] == "application/json"
        assert b"Traceback" not in content
        assert SECRET.encode() not in content

    def test_a_fault_inside_is_named_by_the_request(self, tmp_path: Path) -> None:
        """The answer tells the id under which the log has the fault."""
        _, headers, content = tried(tmp_path, lambda url: ask("GET", url + "/broken"))
        assert headers["X-Request-Id"] in error_of(content)["what"]

    def test_later_tells_when(self, tmp_path: Path) -> None:
        """A peer that rests is told as seconds to wait, rounded up."""
        assert tried(tmp_path, lambda url: ask("GET", url + "/later"))[1]["Retry-After"] == "3"

    @pytest.mark.parametrize(("told", "kept"), [("abc-1.2_Z", True), ("a b", False), ("x" * 65, False), ("", False)])
    def test_a_request_keeps_its_id(self, tmp_path: Path, told: str, kept: bool) -> None:
        """An id that came along is answered; one that could disturb a log is replaced."""
        headers = tried(tmp_path, lambda url: ask("GET", url + "/health", headers={"X-Request-Id": told}))[1]
        assert (headers["X-Request-Id"] == told) is kept
        assert len(headers["X-Request-Id"]) >= 9


class TestGate:
    HOSTS = (
        ("127.0.0.1:8001", 200),
        ("localhost", 200),
        ("LOCALHOST:8001", 200),
        ("[::1]:8001", 200),
        ("192.168.1.7", 200),
        ("store:8004", 200),
        ("home.example", 200),
        ("nas.example:8004", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("evil.example:127", 403),
        ("localhost@evil.example", 403),
        ("localhost:port", 403),
        ("localhost/evil", 403),
    )

    def test_the_host_is_checked(self, tmp_path: Path) -> None:
        """Addresses and the home's own names are let in; a foreign name that points here is not."""
        more = {"QUOTIDIAN_NAMES": "home.example", "DATA_STORAGE_URL": "http://nas.example:8004"}

        async def work(url: str) -> list[tuple[str, int]]:
            return [(host, (await ask("GET", url + "/things", headers={"Host": host}))[0]) for host, _ in self.HOSTS]

        assert tried(tmp_path, work, **more) == [*self.HOSTS]

    def test_a_browser_is_told_on_a_page(self, tmp_path: Path) -> None:
        """Who can show a page is given one with the name to set, escaped; a program is given an error."""

        async def work(url: str) -> list[tuple[int, dict[str, str], bytes]]:
            asked = (("nas.local:8003", "text/html,*/*"), ("<b>&.x", "text/html"), ("nas.local", "*/*"))
            return [await ask("GET", url, headers={"Host": host, "Accept": accept}) for host, accept in asked]

        page, hostile, program = tried(tmp_path, work)
        assert [page[0], hostile[0], program[0]] == [403] * 3
        assert page[1]["Content-Type"].startswith("text/html")
        assert b"<code>QUOTIDIAN_NAMES=nas.local</code>" in page[2]
        assert b"&lt;b&gt;&amp;.x" in hostile[2]
        assert b"<b>" not in hostile[2]
        assert "QUOTIDIAN_NAMES" in error_of(program[2])["remedy"]

    HEADERS: tuple[tuple[dict[str, str], int], ...] = (
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "SELF"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://proxied.example"}, 200),
        ({"Origin": "SELF"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    )

    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    def test_changes_come_from_no_other_origin(self, tmp_path: Path, method: str) -> None:
        """A page of another origin changes nothing, even with the token; reading is left to the browser's own rule."""

        async def work(url: str) -> None:
            for headers, status in self.HEADERS:
                told = {name: value.replace("SELF", url) for name, value in headers.items()}
                found = (await ask(method, url + "/things", SECRET, headers=told, json={}))[0]
                assert (found == 403) is (status == 403), headers
                got = await ask("GET", url + "/things", headers=told)
                assert got[0] == 200
                assert not [name for name in got[1] if name.lower().startswith("access-control")]

        tried(tmp_path, work)

    def test_a_preflight_is_not_answered(self, tmp_path: Path) -> None:
        """There is no CORS, wildcard or other."""
        asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
        status, headers, _ = tried(tmp_path, lambda url: ask("OPTIONS", url + "/things", headers=asked))
        assert status == 405
        assert "Access-Control-Allow-Origin" not in headers

    def test_the_machine_s_own_names_are_known(self) -> None:
        """Also the host that was set, without port and in small letters."""
        names = names_of(Settings({"QUOTIDIAN_HOST": "Server.lan", "ENRICHMENT_PIPELINE_URL": "http://Pi:1"}))
        assert {"localhost", "server.lan", "pi", "store"} <= names


class TestBodies:
    def test_what_is_compressed_is_refused(self, tmp_path: Path) -> None:
        """A megabyte that unpacks to a gigabyte is not unpacked."""
        packed = gzip.compress(b"0" * 1_000_000)
        headers = {"Content-Encoding": "gzip"}
        found = tried(tmp_path, lambda url: ask("POST", url + "/things", SECRET, data=packed, headers=headers))
        assert found[0] == 415
        assert error_of(found[2])["what"]

    @pytest.mark.parametrize("chunked", [True, False])
    @pytest.mark.parametrize(
        ("content", "status"),
        [
            (b'{"a":"' + b"x" * 10_000_000 + b'"}', 413),
            (b"[" * 7_000_000, 413),
            (b"[" * 200_000, 400),
            (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, 400),
            (b'{"a":[' + b"[]," * 2_500_000 + b"[]]}", 413),
            (b'{"a":[' + b"1.5," * 1_900_000 + b"1]}", 413),
            (b"\xff" * 7_000_000, 400),
            (b"", 400),
        ],
        ids=["text", "open", "deep list", "deep object", "lists", "numbers", "no text", "nothing"],
    )
    def test_what_is_huge_or_deep_is_refused_in_little_memory(
        self, tmp_path: Path, content: bytes, status: int, chunked: bool
    ) -> None:
        """The refusal is heard by who sends, and memory grows by less than 50 MB."""

        async def parts() -> AsyncIterator[bytes]:
            for first in range(0, len(content), 1_000_000):
                yield content[first : first + 1_000_000]

        async def work(url: str) -> int:
            before = psutil.Process().memory_info().rss
            data = parts() if chunked else io.BytesIO(content)
            found = await ask("POST", url + "/things", SECRET, data=data)
            assert found[0] == status
            assert error_of(found[2])["what"]
            return psutil.Process().memory_info().rss - before

        assert tried(tmp_path, work) < 50_000_000

    def test_an_endless_body_is_cut(self, tmp_path: Path) -> None:
        """Somebody who never stops sending is cut off."""

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 1_000_000

        async def work(url: str) -> None:
            try:
                status, _, _ = await ask("POST", url + "/things", SECRET, data=endless())
            except aiohttp.ClientError:
                return
            assert status == 413

        tried(tmp_path, work)

    @given(st.binary(max_size=200))
    @settings(max_examples=200, deadline=None)
    def test_bytes_are_decoded_or_refused(self, content: bytes) -> None:
        """No bytes raise anything but a refusal."""
        try:
            found = decoded(content, dict[str, Any], "/x")
        except RequestError:
            return
        assert isinstance(found, dict)

    def test_many_values_are_too_many_at_once(self) -> None:
        """The error says that less may pass, so that a sender splits."""
        with pytest.raises(TooLargeError):
            decoded(b"[" + b"1," * 400_000 + b"1]", list[int], "/x")
        assert LARGEST < 10_000_000


class TestAccess:
    def test_a_token_that_was_given_lets_in_at_once_and_not_after_it_was_revoked(self, tmp_path: Path) -> None:
        """The file of tokens is read again when another process changed it."""
        other = Access(Settings(environment(tmp_path)))

        async def work(url: str) -> list[int]:
            found = [(await ask("POST", url + "/things", "qt_unknown", json={}))[0]]
            token = other.give("phone")
            found.append((await ask("POST", url + "/things", token, json={}))[0])
            other.revoke("phone")
            found.append((await ask("POST", url + "/things", token, json={}))[0])
            return found

        assert tried(tmp_path, work) == [401, 200, 401]

    @pytest.mark.parametrize("content", ["{", "[1]", '[{"name": "x"}]', "\udcff"])
    def test_a_damaged_file_of_tokens_lets_nobody_in_but_the_services(self, tmp_path: Path, content: str) -> None:
        """A token that cannot be checked is refused with a sentence; the secret still works."""
        (tmp_path / "tokens.json").write_bytes(content.encode(errors="surrogateescape"))

        async def work(url: str) -> list[int]:
            return [(await ask("POST", url + "/things", token, json={}))[0] for token in ("qt_some", SECRET)]

        assert tried(tmp_path, work) == [500, 200]

    @pytest.mark.parametrize(
        ("host", "opened", "status"),
        [
            ("127.0.0.1", "false", 200),
            ("::1", "false", 200),
            ("localhost", "false", 200),
            ("0.0.0.0", "false", 401),
            ("0.0.0.0", "true", 200),
        ],
    )
    def test_reading_is_open_on_loopback_or_by_setting(
        self, tmp_path: Path, host: str, opened: str, status: int
    ) -> None:
        """Where others can reach the service, reading needs a token unless the owner said otherwise."""
        more = {"QUOTIDIAN_HOST": host, "QUOTIDIAN_OPEN_READING": opened}
        assert tried(tmp_path, lambda url: ask("GET", url + "/things"), **more)[0] == status

    @pytest.mark.parametrize(
        ("host", "token", "told"), [("127.0.0.1", None, True), ("0.0.0.0", None, False), ("0.0.0.0", SECRET, True)]
    )
    def test_health_tells_strangers_only_states(self, tmp_path: Path, host: str, token: str | None, told: bool) -> None:
        """Figures and details are for those who may read."""
        content = tried(tmp_path, lambda url: ask("GET", url + "/health", token), QUOTIDIAN_HOST=host)[2]
        assert json.loads(content)["dependencies"][0]["state"] == "ok"
        assert (b"last_event" in content, b"cellar" in content) == (told, told)

    def test_the_files_are_the_owner_s_alone(self, tmp_path: Path) -> None:
        """Neither the secret nor the tokens can be read by other users, and no token is in any file."""
        access = Access(Settings({"QUOTIDIAN_DATA": str(tmp_path / "data")}))
        secret, token = access.secret, access.give("phone")
        files = [*(tmp_path / "data").iterdir()]
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
        assert not any(token in file.read_text() for file in files)
        assert Access(Settings({"QUOTIDIAN_DATA": str(tmp_path / "data")})).secret == secret


class TestDocument:
    def test_the_document_has_the_structs(self, tmp_path: Path) -> None:
        """What a route takes is described by msgspec's schema, and errors by theirs."""
        document = json.loads(tried(tmp_path, lambda url: ask("GET", url + "/openapi.json"))[2])
        posted = document["paths"]["/things"]["post"]
        assert posted["requestBody"]["content"]["application/json"]["schema"]["$ref"] == "#/components/schemas/Event"
        assert {"Event", "Cause", "Error"} <= set(document["components"]["schemas"])
        assert "4XX" in posted["responses"]
        assert "x-components" not in posted


class TestMetrics:
    def test_requests_are_counted_by_route(self, tmp_path: Path) -> None:
        """A path that somebody makes up does not become a label."""

        async def work(url: str) -> str:
            await ask("GET", url + "/things")
            await ask("GET", url + "/made/up")
            return (await ask("GET", url + "/metrics"))[2].decode()

        text = tried(tmp_path, work)
        assert 'quotidian_http_requests_total{method="GET",route="/things",status="200"} 1.0' in text
        assert 'route="other",status="404"' in text
        assert "made" not in text
