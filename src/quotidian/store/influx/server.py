"""The InfluxDB server, spoken to through ``influxdb-client``; what it answers becomes an error of ours, or a result."""

import csv
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

from quotidian.errors import AccessError, QuotidianError, SettingError, StoreRefusedError, UnreachableError
from quotidian.settings import Settings
from quotidian.store.influx import flux
from quotidian.store.influx.flux import Query

T = TypeVar("T")

#: So many lines are written at once, …
BATCH: Final = 5_000
#: … if they have no more bytes than this.
BATCH_BYTES: Final = 4_000_000
#: Of what is refused, so many lines are looked for one by one.
MOST_REFUSED: Final = 100
_TIMEOUT: Final = (3_000, 30_000)  # ms: to connect, and for an answer
_PATIENCE: Final = 5.0  # seconds that are waited in all where InfluxDB says "later"
_PAUSE: Final = 30.0  # seconds after a silence in which nobody waits for it again: events come first
_SHOWN: Final = 300  # characters of a reason
_INSTALL: Final = "Install it: `pip install influxdb-client`."
_INIT: Final = "Run `quotidian store init`."


class Refused(NamedTuple):
    """A line that InfluxDB does not take, and why."""

    line: bytes
    reason: str


class _RefusedError(Exception):
    """A batch was refused, for its size or for something in it."""


class Server:
    """Writes, queries and deletes.

    Parameters
    ----------
    settings
        ``INFLUXDB_URL``, ``INFLUXDB_TOKEN`` and ``INFLUXDB_ORG`` count.

    Raises
    ------
    SettingError
        When one is missing, or the client is not installed.
    """

    def __init__(self, settings: Settings) -> None:
        for name in ("INFLUXDB_URL", "INFLUXDB_TOKEN", "INFLUXDB_ORG"):
            if not settings.text(name):
                raise SettingError(f"QUOTIDIAN_STORE is influx, but {name} is empty.", f"Set {name}.")
        self._client = _client(settings)
        self._org = settings.text("INFLUXDB_ORG")
        address = urlsplit(settings.text("INFLUXDB_URL"))
        self.url: Final = f"{address.scheme}://{address.hostname}:{address.port or 8086}"
        self._secret = settings.text("INFLUXDB_TOKEN")
        self._sleep: Callable[[float], None] = time.sleep
        self._asked_again = 0.0

    def write(self, bucket: str, lines: Sequence[bytes]) -> list[Refused]:
        """Write lines, in batches; give those that are refused for good.

        Writing a line again changes nothing. At most ``MOST_REFUSED`` are given: beyond that, others were not tried.

        Raises
        ------
        UnreachableError
            When InfluxDB does not answer, or says "later" for too long.
        AccessError, SettingError, StoreRefusedError
            When the token, the bucket or something else that is not in the lines is wrong.
        """
        refused: list[Refused] = []
        for batch in _batches(lines):
            self._write(bucket, batch, refused)
            if len(refused) >= MOST_REFUSED:
                break
        return refused

    def _write(self, bucket: str, batch: Sequence[bytes], refused: list[Refused]) -> None:
        pending = [batch]
        while pending and len(refused) < MOST_REFUSED:
            part = pending.pop()
            try:
                self._send(bucket, b"\n".join(part))
            except _RefusedError as error:
                if len(part) == 1:
                    refused.append(Refused(part[0], str(error)))
                else:
                    middle = len(part) // 2
                    pending += [part[middle:], part[:middle]]

    def _send(self, bucket: str, body: bytes) -> None:
        writer = self._client.write_api(write_options=_package("client.write_api").SYNCHRONOUS)
        self._asked(lambda: writer.write(bucket, self._org, body, "us"), bucket, writing=True)

    def query(self, query: Query, bucket: str) -> dict[str, list[str]]:
        """Run a query; give the columns of its result by name, without what parts tables from each other.

        Raises
        ------
        UnreachableError, AccessError, SettingError, StoreRefusedError
            As ``write`` does.
        """
        api = self._client.query_api()
        answer: bytes = self._asked(lambda: api.query_raw(query.text, self._org).data, bucket)
        return self._columns(answer)

    def _columns(self, answer: bytes) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for header, rows in _tables(answer.decode()):
            if "error" in header:
                reason = rows[0][header.index("error")] if rows else "no reason"
                raise StoreRefusedError(f"InfluxDB at {self.url} broke off: {self._shown(reason)}", "See its log.")
            for name, values in zip(header, zip(*rows, strict=True), strict=False):
                found.setdefault(name, []).extend(values)
        return found

    def delete(self, bucket: str, predicate: str, start: int, last: int) -> None:
        """Delete the points from start to last, both included (µs), that have what a predicate says in common.

        Raises
        ------
        UnreachableError, AccessError, SettingError, StoreRefusedError
            As ``write`` does.
        """
        api = self._client.delete_api()
        span = flux.time(start), flux.until(last)
        self._asked(lambda: api.delete(*span, predicate, bucket, self._org), bucket)

    def retention(self, bucket: str) -> int | None:
        """Give the seconds for which a bucket keeps things, 0 for ever; ``None`` where there is no such bucket."""
        found = self._bucket(bucket)
        return None if found is None else sum(rule.every_seconds or 0 for rule in found.retention_rules or ())

    def set_retention(self, bucket: str, seconds: int) -> None:
        """Let a bucket keep things for so many seconds; it is made where there is none."""
        domain, api = _package("domain"), self._client.buckets_api()
        found = self._bucket(bucket)
        if found is None:
            rules = [domain.BucketRetentionRules(type="expire", every_seconds=seconds)]
            self._asked(lambda: api.create_bucket(bucket_name=bucket, retention_rules=rules, org=self._org), bucket)
        else:
            # Groups of shards that InfluxDB makes for this retention: 0 lets it choose.
            rule = domain.PatchRetentionRule(type="expire", every_seconds=seconds, shard_group_duration_seconds=0)
            request = domain.PatchBucketRequest(retention_rules=[rule])
            service = api._buckets_service  # noqa: SLF001 - its own method sends the whole bucket back
            self._asked(lambda: service.patch_buckets_id(found.id, request), bucket)

    def _bucket(self, name: str) -> Any:
        service = self._client.buckets_api()._buckets_service  # noqa: SLF001 - its own method leaves out the organisation

        def found() -> Any:
            buckets = service.get_buckets(name=name, org=self._org).buckets
            return next((one for one in buckets if one.name == name), None)

        try:
            return self._asked(found, name)
        except MissingError as error:
            if error.organisation:
                raise
            return None

    def version(self) -> str:
        """Tell the version of the server; whoever answers like this has also taken the token.

        Raises
        ------
        UnreachableError, AccessError, SettingError, StoreRefusedError
            As ``write`` does.
        """
        self._bucket("_tasks")
        return str(self._asked(lambda: self._client.health().version, "") or "")

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _asked(self, work: Callable[[], T], bucket: str, *, writing: bool = False) -> T:
        """Ask, and once more where InfluxDB says "later", for as long as there is patience.

        For a while after it was silent it is not asked, so that those who wait for the store get their turn.
        """
        waited = 0.0
        if time.monotonic() < self._asked_again:
            raise UnreachableError(
                f"InfluxDB at {self.url} does not answer: it was silent a moment ago.", "See that it is well."
            )
        while True:
            try:
                with self._errors(bucket, writing=writing):
                    return work()
            except UnreachableError as error:
                if error.after is None or waited + error.after > _PATIENCE:
                    raise
                waited += max(error.after, 0.1)
                self._sleep(error.after)

    @contextmanager
    def _errors(self, bucket: str, *, writing: bool) -> Iterator[None]:
        try:
            yield
        except _package("rest").ApiException as error:
            raise self._named(error, bucket, writing=writing) from None
        except (import_module("urllib3.exceptions").HTTPError, OSError) as error:
            if isinstance(error, import_module("urllib3.exceptions").ReadTimeoutError):
                self._asked_again = time.monotonic() + _PAUSE
            raise UnreachableError(
                f"InfluxDB at {self.url} does not answer ({type(error).__name__}).",
                "See that it runs, and that INFLUXDB_URL is its address.",
            ) from None

    def _named(self, error: Any, bucket: str, *, writing: bool) -> QuotidianError | _RefusedError:
        status, reason = error.status, self._shown(_message(error.body))
        if status == 0:
            return UnreachableError(
                f"InfluxDB at {self.url} shows a certificate that is not trusted.",
                "See INFLUXDB_URL, and the server's certificate.",
            )
        if status in (401, 403):
            return AccessError(
                f"InfluxDB at {self.url} does not take the token for {bucket or 'this'} ({status}).",
                "Set INFLUXDB_TOKEN to one that may read and write Quotidian's buckets.",
            )
        if status == 404:
            return MissingError(self.url, bucket, reason)
        if status == 429 or status >= 500:
            return UnreachableError(
                f"InfluxDB at {self.url} cannot do it now ({status}: {reason}).", "It is tried again.", _after(error)
            )
        if "outside retention policy" in reason:
            return SettingError(f"InfluxDB's bucket {bucket} keeps less than the settings say ({reason}).", _INIT)
        if writing and status in (400, 413, 422):
            return _RefusedError(reason)
        return StoreRefusedError(f"InfluxDB at {self.url} refuses it ({status}: {reason}).", "See its log.")

    def _shown(self, reason: str) -> str:
        return reason.replace(self._secret, "(hidden)")[:_SHOWN]


class MissingError(SettingError):
    """The bucket is not there, or (``organisation``) not even the organisation is."""

    def __init__(self, url: str, bucket: str, reason: str) -> None:
        self.organisation = reason.startswith("organization")
        what = "organisation INFLUXDB_ORG" if self.organisation else f"bucket {bucket}"
        super().__init__(f"InfluxDB at {url} has no {what}.", "Set INFLUXDB_ORG." if self.organisation else _INIT)


def _client(settings: Settings) -> Any:
    return _package().InfluxDBClient(
        settings.text("INFLUXDB_URL"),
        settings.text("INFLUXDB_TOKEN"),
        org=settings.text("INFLUXDB_ORG"),
        timeout=_TIMEOUT,
    )


def _package(module: str = "") -> Any:
    """Import InfluxDB's client, or a module of it: only where it is the store."""
    try:
        return import_module(f"influxdb_client.{module}".rstrip("."))
    except ImportError:
        raise SettingError("QUOTIDIAN_STORE is influx, but InfluxDB's client is not installed.", _INSTALL) from None


def _batches(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == BATCH or size + len(line) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield batch


def _tables(answer: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Part annotated CSV into tables: the names of their columns, and their rows."""
    header: list[str] = []
    rows: list[list[str]] = []
    for row in csv.reader(io.StringIO(answer)):
        if not row or row[0].startswith("#"):
            if header:
                yield header, rows
            header, rows = [], []
        elif header:
            rows.append(row)
        else:
            header = row
    if header:
        yield header, rows


def _message(body: Any) -> str:
    try:
        told = str(json.loads(body)["message"])
    except (TypeError, ValueError, KeyError):
        return "no reason"
    # It quotes the whole line, which is known, and then says why.
    return told.rpartition("': ")[2] if told.startswith("unable to parse") else told


def _after(error: Any) -> float | None:
    try:
        return float((error.headers or {})["Retry-After"])
    except (KeyError, ValueError):
        return None
