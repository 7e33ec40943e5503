"""An InfluxDB 2 in memory, on a real port: as strict as the real one, for nobody can install the real one here.

It speaks the part of the v2 API that we use, as the public documentation tells it, and can be told to fail.
``python -m tests.influx.server --port 8086`` runs it by hand.
"""

import argparse
import gzip
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self, cast
from urllib.parse import parse_qs, urlsplit

from . import flux, lines
from .buckets import DAY, HOUR, Bucket, PredicateError

_CODES: Final = {
    400: "invalid",
    401: "unauthorized",
    404: "not found",
    405: "method not allowed",
    413: "request too large",
    422: "unprocessable entity",
    429: "too many requests",
    500: "internal error",
    503: "unavailable",
}
_ORG_ID: Final = "0000000000000abc"
_SYSTEM: Final = ("_tasks", "_monitoring")
_VERSION: Final = "v2.7.12"


class Refused(Exception):  # noqa: N818  # an answer, not an error of ours
    """An answer with a status of 400 or more."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code = status, code or _CODES[status]


@dataclass
class Fault:
    """What is wrong with the next requests to a path."""

    path: str
    times: int
    status: int | None = None
    retry_after: float | None = None
    wait: float = 0
    cut: bool = False
    done: bool = False


@dataclass(frozen=True)
class Written:
    """A body that was sent to be written, whatever became of it, and the status of the answer."""

    bucket: str
    precision: str
    body: bytes
    status: int


class Influx:
    """The server, while the context lasts. It may be stopped and started: its data and its port stay.

    Parameters
    ----------
    port
        Where to listen on 127.0.0.1; 0 takes a free one.
    now
        The present instant in µs, for retention; the machine's clock unless told otherwise.
    max_body
        Larger bodies (after unpacking) get a 413.
    """

    def __init__(
        self, port: int = 0, now: Callable[[], int] = lambda: time.time_ns() // 1000, max_body: int = 25_000_000
    ) -> None:
        self.token, self.org = "a-token-for-tests", "home"
        self.now, self.max_body = now, max_body
        self._port = port
        self._server: ThreadingHTTPServer | None = None
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self.all_written: list[Written] = []
        self.all_queries: dict[str, None] = {}
        self.reset()

    def reset(self) -> None:
        """Forget everything: buckets, faults, and what was recorded, but in ``all_written`` and ``all_queries``."""
        with self._lock:
            self.buckets: dict[str, Bucket] = {}
            self.faults: list[Fault] = []
            self.unwanted: dict[bytes, int] = {}
            self.written: list[Written] = []
            self.queries: list[str] = []

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    # faults

    def fail(self, status: int, *, retry_after: float | None = None, times: int = 1, on: str = "/api/v2/") -> None:
        """Answer the next requests to paths that begin so with a status; nothing is done then."""
        self.faults.append(Fault(on, times, status=status, retry_after=retry_after))

    def cut(self, *, done: bool, times: int = 1, on: str = "/api/v2/") -> None:
        """Close the connection in place of an answer: before or after the work is done."""
        self.faults.append(Fault(on, times, cut=True, done=done))

    def delay(self, seconds: float, *, times: int = 1, on: str = "/api/v2/") -> None:
        """Be silent for a while before doing anything."""
        self.faults.append(Fault(on, times, wait=seconds))

    def refuse(self, text: str, status: int = 400) -> None:
        """Never write a line with this text in it.

        With 400 nothing of its batch is written, with 422 the rest is.
        """
        self.unwanted[text.encode()] = status

    # life

    def start(self) -> None:
        """Listen."""
        self._closing.clear()
        self._server = _Server(("127.0.0.1", self._port), _Handler)
        self._server.influx = self
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        self._closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """Be stopped for a while."""
        self.stop()
        yield
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # what it does

    def bucket(self, wanted: str) -> Bucket | None:
        """Find a bucket by name or id."""
        return self.buckets.get(wanted) or next((one for one in self.buckets.values() if one.id == wanted), None)

    def fault(self, path: str) -> Fault | None:
        """Take the fault that is due on a path."""
        with self._lock:
            for fault in self.faults:
                if path.startswith(fault.path):
                    fault.times -= 1
                    self.faults = [one for one in self.faults if one.times > 0]
                    return fault
        return None

    def wait(self, seconds: float) -> None:
        """Be silent, but not when it is to be stopped."""
        self._closing.wait(seconds)

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        """Do what a request asks for; give status, content type and body."""
        with self._lock:
            if path == "/api/v2/write" and method == "POST":
                return self._write(query, body)
            if path == "/api/v2/query" and method == "POST":
                return self._query(query, body)
            if path == "/api/v2/delete" and method == "POST":
                return self._delete(query, body)
            if path == "/api/v2/orgs" and method == "GET":
                return self._orgs(query)
            if path == "/api/v2/buckets":
                return self._list(query) if method == "GET" else self._create(body)
            if path.startswith("/api/v2/buckets/"):
                return self._one(method, path.removeprefix("/api/v2/buckets/"), body)
        raise Refused(404, "path not found")

    def _write(self, query: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        precision = query.get("precision", "ns")
        status = 204
        try:
            self._take(query, precision, body)
        except Refused as refused:
            status = refused.status
            raise
        finally:
            self.written.append(Written(query.get("bucket", ""), precision, body, status))
            self.all_written.append(self.written[-1])
        return 204, "", b""

    def _take(self, query: dict[str, str], precision: str, body: bytes) -> None:
        if precision not in lines.NANOSECONDS:
            raise Refused(400, "invalid precision; valid precision units are ns, us, ms, and s")
        self._same_org(query)
        bucket = self._known(query.get("bucket", ""))
        try:
            points = lines.points(body, precision)
        except lines.ParseError as error:
            raise Refused(400, str(error)) from None
        points, unwanted = self._sifted(body, points)
        now = self.now() * 1000
        bucket.expire(now)
        reason = bucket.write(points, now) or (f"not wanted here dropped={unwanted}" if unwanted else None)
        if reason:
            raise Refused(422, f"failure writing points to database: partial write: {reason}")

    def _sifted(self, body: bytes, points: list[lines.Point]) -> tuple[list[lines.Point], int]:
        if not self.unwanted:
            return points, 0
        wanted = []
        for line, point in zip(lines.split(body), points, strict=True):
            status = next((status for text, status in self.unwanted.items() if text in line), None)
            if status == 400:
                raise Refused(400, f"unable to parse '{line.decode(errors='replace')}': not wanted here")
            if status is None:
                wanted.append(point)
        return wanted, len(points) - len(wanted)

    def _query(self, query: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        request = _json(body)
        text = request.get("query", "")
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        self.queries.append(text)
        self.all_queries[text] = None
        self._same_org(query)
        if (request.get("extern") or {}).get("body"):
            raise Refused(400, "parameters are not understood here")
        try:
            understood = flux.parse(text)
            bucket = self.bucket(understood.bucket)
            if bucket is None:
                raise Refused(404, f'failed to initialize execute state: could not find bucket "{understood.bucket}"')
            bucket.expire(self.now() * 1000)
            return 200, "text/csv; charset=utf-8", flux.answer(understood.run(bucket.series()))
        except flux.FluxError as error:
            raise Refused(400, f"error in query: {error}") from None

    def _delete(self, query: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        request = _json(body)
        self._same_org(query)
        bucket = self._known(query.get("bucket") or query.get("bucketID", ""))
        span = [self._instant(request, name) for name in ("start", "stop")]
        try:
            bucket.delete(*span, request.get("predicate") or "")
        except PredicateError as error:
            raise Refused(400, f"invalid request; error parsing predicate: {error}") from None
        return 204, "", b""

    def _instant(self, request: dict[str, Any], name: str) -> int:
        try:
            return flux.nanoseconds(request[name])
        except (KeyError, ValueError, TypeError):
            raise Refused(400, f"invalid RFC3339Nano for field {name}, please use RFC3339Nano") from None

    def _orgs(self, query: dict[str, str]) -> tuple[int, str, bytes]:
        self._same_org(query)
        return _said(200, {"links": {"self": "/api/v2/orgs"}, "orgs": [{"id": _ORG_ID, "name": self.org}]})

    def _list(self, query: dict[str, str]) -> tuple[int, str, bytes]:
        self._same_org(query)
        found = [bucket for bucket in self.buckets.values() if query.get("name") in (None, bucket.name)]
        shown = [bucket.described(_ORG_ID) for bucket in found][int(query.get("offset", 0)) :]
        if "name" in query and ("org" in query or "orgID" in query):
            if not found:
                raise Refused(404, f'bucket "{query["name"]}" not found')
        else:  # even beside a name, some versions list their own
            shown += [Bucket(name, 3 * DAY).described(_ORG_ID) | {"type": "system"} for name in _SYSTEM]
        return _said(200, {"links": {"self": "/api/v2/buckets"}, "buckets": shown[: int(query.get("limit", 20))]})

    def _create(self, body: bytes) -> tuple[int, str, bytes]:
        request = _json(body)
        if request.get("orgID") != _ORG_ID:
            raise Refused(404, "organization not found")
        name = request.get("name", "")
        if not name or name.startswith("_") or '"' in name:
            raise Refused(400, f"bucket name {name} is invalid")
        if name in self.buckets:
            raise Refused(422, f"bucket with name {name} already exists", "conflict")
        self.buckets[name] = Bucket(name, _retention(request) or 0, request.get("description"))
        return _said(201, self.buckets[name].described(_ORG_ID))

    def _one(self, method: str, bucket_id: str, body: bytes) -> tuple[int, str, bytes]:
        bucket = next((one for one in self.buckets.values() if one.id == bucket_id), None)
        if bucket is None:
            raise Refused(404, "bucket not found")
        if method == "DELETE":
            del self.buckets[bucket.name]
            return 204, "", b""
        if method == "PATCH":
            request = _json(body)
            every = _retention(request)
            if every is not None and not bucket.keep(every, _group(request)):
                raise Refused(422, "shard-group duration must also be updated to be smaller than new data duration")
        return _said(200, bucket.described(_ORG_ID))

    def _same_org(self, query: dict[str, str]) -> None:
        asked = query.get("org", query.get("orgID", _ORG_ID))
        if asked not in (self.org, _ORG_ID):
            raise Refused(404, f'organization name "{asked}" not found')

    def _known(self, name: str) -> Bucket:
        bucket = self.bucket(name)
        if bucket is None:
            raise Refused(404, f'bucket "{name}" not found')
        return bucket


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    influx: Influx

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def handle_any(self) -> None:
        """Answer one request."""
        influx = cast("_Server", self.server).influx
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = influx.fault(parts.path)
        if fault is not None:
            influx.wait(fault.wait)
            if fault.cut and not fault.done:
                self.close_connection = True
                return
            if fault.status is not None:
                self._answer(*_error(Refused(fault.status, "as the test wants it")), fault.retry_after)
                return
        try:
            status, kind, content = self._done(influx, parts.path, parts.query, body)
        except Refused as refused:
            status, kind, content = _error(refused)
        if fault is not None and fault.cut:
            self.close_connection = True
            return
        self._answer(status, kind, content)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_any  # noqa: N815  # the names are http.server's

    def _done(self, influx: Influx, path: str, query: str, body: bytes) -> tuple[int, str, bytes]:
        if path == "/ping":
            return 204, "", b""
        if path == "/health":
            return _said(200, {"name": "influxdb", "status": "pass", "version": _VERSION, "checks": []})
        if self.headers.get("Authorization") not in (f"Token {influx.token}", f"Bearer {influx.token}"):
            raise Refused(401, "unauthorized access")
        if self.headers.get("Content-Encoding") == "gzip":
            body = _unpacked(body)
        if len(body) > influx.max_body:
            raise Refused(413, "unable to read data: points batch is too large")
        first = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
        return influx.answer(self.command, path, first, body)

    def _answer(self, status: int, kind: str, content: bytes, retry_after: float | None = None) -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        if retry_after is not None:
            self.send_header("Retry-After", f"{retry_after:g}")
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Influxdb-Build", "OSS")
        self.send_header("X-Influxdb-Version", _VERSION)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is http.server's
        """Say nothing."""


def _said(status: int, content: Any) -> tuple[int, str, bytes]:
    return status, "application/json; charset=utf-8", json.dumps(content).encode()


def _error(refused: Refused) -> tuple[int, str, bytes]:
    return _said(refused.status, {"code": refused.code, "message": str(refused)})


def _json(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Refused(400, "invalid request; error parsing request json")
    return content


def _retention(request: dict[str, Any]) -> int | None:
    rules = request.get("retentionRules")
    if rules is None:
        return None
    every = int(rules[0].get("everySeconds", 0)) if rules else 0
    if 0 < every < HOUR:
        raise Refused(422, "retention policy duration must be at least 1h0m0s")
    return every


def _group(request: dict[str, Any]) -> int | None:
    seconds = [rule.get("shardGroupDurationSeconds") for rule in request["retentionRules"]]
    return seconds[0] if seconds else None


def _unpacked(body: bytes) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        raise Refused(400, "gzipped HTTP body contains an invalid header") from None


def main() -> None:
    """Run it by hand, with the three buckets that a home has."""
    parser = argparse.ArgumentParser(description="An InfluxDB 2 in memory, for trials.")
    parser.add_argument("--port", type=int, default=8086)
    influx = Influx(parser.parse_args().port)
    for name, days in (
        ("home_assistant_events", 7),
        ("pattern_aggregates_daily", 90),
        ("pattern_aggregates_weekly", 364),
    ):
        influx.buckets[name] = Bucket(name, days * DAY)
    with influx:
        print(f"INFLUXDB_URL={influx.url} INFLUXDB_ORG={influx.org} INFLUXDB_TOKEN={influx.token}", flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    main()
