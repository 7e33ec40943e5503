"""The InfluxDB of the tests, and what we send to it, beside the real parts that can be had."""

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest

from quotidian import clock
from quotidian.model import RollUp
from quotidian.model.event import table_of
from quotidian.settings import Settings
from quotidian.store.embedded.contents import Row
from quotidian.store.embedded.copies import stored
from quotidian.store.influx import lines as ours
from quotidian.store.influx.flux import Query
from quotidian.store.influx.server import Server

from . import flux, hostile
from .buckets import DAY, Bucket
from .components import INFLUX_1, MISSING, NODE, VICTORIA_METRICS, Kept, RealInflux1, VictoriaMetrics, check_flux
from .lines import ParseError, points
from .server import Influx

#: An instant in ns, later than all of these tests' points.
LATE: Final = 2_000_000_000_000_000_000

HOME: Final = "5f0c1f4e-0000-4000-8000-000000000001"
ORIGIN: Final = 1_790_000_000_000_000

needs_influx = pytest.mark.skipif(INFLUX_1 is None, reason=MISSING.format("InfluxDB 1"))
needs_flux = pytest.mark.skipif(NODE is None, reason=MISSING.format("parser of Flux"))


@pytest.fixture(scope="module")
def influx1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealInflux1]:
    """Run a real InfluxDB 1."""
    with RealInflux1(tmp_path_factory.mktemp("influxdb")) as server:
        yield server


def events(first: int) -> pa.Table:
    """Make an event each second from an instant (µs) on: every text as an entity's id, a state and whatever else."""
    texts = list(hostile.texts(200))
    numbers = ["21.5", "-0.0", "1e-7", "5", "1e308", "on", "off", "unavailable", None]
    columns: dict[str, list[Any]] = {
        "entity_id": [f"sensor.{text}" if number % 2 else text for number, text in enumerate(texts)],
        "last_updated": [first + number * 1_000_000 for number in range(len(texts))],
        "state": [numbers[number % len(numbers)] if number % 3 else text for number, text in enumerate(texts)],
        "cause": ["automation"] * len(texts),
        "cause_entity": [None, *texts[1:]],
        "user": texts[::-1],
        "source": ["live"] * len(texts),
    }
    return stored(table_of(columns))


def sent(first: int) -> list[bytes]:
    """Give lines of every kind that we write."""
    chance = random.Random(3)
    table = events(first)
    date = dt.date(2026, 9, 7)
    figures = {"occurrences": 4, "peak": 1.5, "said": 'a "b"\\', "hourly_distribution": [0, 1.5, 2], "times": ["a\n"]}
    return [
        *ours.events(HOME, table, ours.records(table)),
        *(
            ours.summary(HOME, Row("daily", f"a{size}", 3, date.toordinal()), chance.randbytes(size))
            for size in (0, 1, 45_000, 45_001, 200_000)
        ),
        *(ours.rollup(HOME, RollUp(date, "time_of_day", text, figures)) for text in hostile.TEXTS),
    ]


def server_at(url: str, token: str = "t", org: str = "o") -> Server:
    """Give our way to a server."""
    return Server(Settings({"INFLUXDB_URL": url, "INFLUXDB_TOKEN": token, "INFLUXDB_ORG": org}))


@needs_influx
class TestInflux1:
    def test_what_the_look_alike_takes_a_real_one_takes_and_keeps(self, influx1: RealInflux1) -> None:
        """Line by line, broken ones among them; and of what they cannot keep because of its type they say the same."""
        influx1.fresh("lines")
        bucket = Bucket("lines", 0)
        taken = dropped = 0
        for line in hostile.lines(8_000):
            try:
                reason = bucket.write(points(line, "us"), LATE)
            except ParseError:
                continue
            status, said = influx1.write(line)
            assert (status, said) == ((400, f"partial write: {reason}") if reason else (204, "")), line
            taken, dropped = taken + (reason is None), dropped + (reason is not None)
        assert taken > 300
        assert dropped > 300
        assert sorted(influx1.points(), key=repr) == sorted(bucket.points(), key=repr)

    def test_what_a_real_one_refuses_the_look_alike_refuses(self, influx1: RealInflux1) -> None:
        """Well-formed lines with hostile texts in strings are taken by both, and come back as they were."""
        influx1.fresh("strings")
        bucket = Bucket("strings", 0)
        for number, text in enumerate(hostile.texts(300)):
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            line = f'm,t=a s="{quoted}",v={number}.5,i={number}i {number}'.encode()
            assert influx1.write(line) == (204, "")
            assert bucket.write(points(line, "us"), LATE) is None
            assert ("m", (("t", "a"),), "s", number * 1000, text) in bucket.points()
        assert sorted(influx1.points(), key=repr) == sorted(bucket.points(), key=repr)

    def test_what_is_older_than_the_retention(self, influx1: RealInflux1) -> None:
        """Both drop it, and write the rest of its batch."""
        influx1.fresh("week", "168h")
        [[now]] = [series["values"][0][:1] for series in self._now(influx1)]
        bucket = Bucket("week", 7 * DAY)
        batch = b"\n".join(f"m v={days} {now // 1000 - days * DAY * 1_000_000}".encode() for days in (0, 3, 6, 8, 400))
        reason = bucket.write(points(batch, "us"), now)
        status, said = influx1.write(batch)
        assert (status, said) == (400, "partial write: points beyond retention policy dropped=2")
        assert str(reason).startswith("dropped 2 points outside retention policy of duration 168h0m0s")
        kept = [value for *_, value in influx1.points() if value != -1.0]
        assert sorted(kept) == sorted(value for *_, value in bucket.points())

    def _now(self, influx1: RealInflux1) -> list[dict[str, list[list[int]]]]:
        influx1.write(b"now v=-1", "u")
        return influx1.query('SELECT v FROM "now"')


@needs_influx
class TestOurLines:
    def test_both_take_them_and_keep_the_same(self, influx1: RealInflux1) -> None:
        """Through our own writer; nothing is refused, and the exact events come back from both."""
        lines = sent(ORIGIN)
        influx1.fresh("ours")
        assert influx1.write(b"\n".join(lines)) == (204, "")
        with Influx(now=lambda: ORIGIN) as look_alike:
            look_alike.buckets["raw"] = Bucket("raw", 0)
            server = server_at(look_alike.url, look_alike.token, look_alike.org)
            assert server.write("raw", lines) == []
            server.close()
            kept = sorted(look_alike.buckets["raw"].points(), key=repr)
        assert sorted(influx1.points(), key=repr) == kept
        self._events_are_as_they_were(kept)

    def _events_are_as_they_were(self, kept: list[Kept]) -> None:
        written = sorted((time, value, dict(tags)) for _, tags, name, time, value in kept if name == ours.RECORD)
        found = ours.recorded(str(value) for _, value, _ in written).to_pylist()
        assert found == events(ORIGIN).to_pylist()
        assert [ours.untag(tags["entity_id"]) for *_, tags in written] == [row["entity_id"] for row in found]
        assert [time // 1000 for time, *_ in written] == [row["last_updated"] for row in found]


@pytest.mark.skipif(VICTORIA_METRICS is None, reason=MISSING.format("VictoriaMetrics"))
class TestVictoriaMetrics:
    def test_it_takes_what_we_send_and_keeps_the_numbers(self, tmp_path: Path) -> None:
        """It is another program that speaks version 2's way of writing; texts it does not keep."""
        first = clock.now() // 1_000_000 * 1_000_000 - DAY * 1_000_000
        # Beside a huge number in the same block it would round small ones.
        lines = [line for line in sent(first) if b"1e+308" not in line]
        with VictoriaMetrics(tmp_path) as victoria:
            server = server_at(victoria.url)
            assert server.write("raw", lines) == []
            server.close()
            numbers = victoria.numbers("value", "version", "occurrences", "peak")
        bucket = Bucket("raw", 0)
        bucket.write(points(b"\n".join(lines), "us"), LATE)
        meant: dict[tuple[tuple[str, str], ...], dict[int, float]] = {}
        for measurement, tags, name, time, value in bucket.points():
            if not isinstance(value, str):
                labels = tuple(sorted({"__name__": f"{measurement}_{name}", **dict(tags)}.items()))
                meant.setdefault(labels, {})[time // 1_000_000] = float(value)
        assert len(meant) > 100
        assert numbers == meant


@needs_flux
class TestFlux:
    def test_whatever_stands_in_a_query_is_only_text(self) -> None:
        """Every query of the builder passes, and the real parser reads the very texts that went in; so do we."""
        words = list(hostile.texts(300))
        queries, meant = [], []
        for number, word in enumerate(words):
            other = words[-number]
            queries.append(
                Query(word, number, number + 5)
                .where(other, word, "b")
                .where("_field", other)
                .keep("_time", word)
                .sort("_time", descending=bool(number % 2))
                .limit(number)
                .count()
                .text
            )
            meant.append([word, other, word, other, "b", "_field", other, "_time", word, "_time"])
        for query, found, strings in zip(queries, check_flux(queries), meant, strict=True):
            assert found == {"wrong": [], "strings": strings}, query
            assert flux.parse(query).bucket == strings[0]
            assert flux.strings(query) == strings

    @pytest.mark.parametrize(
        "text",
        [
            'from(bucket: "a") |> range(start: 0, stop: 1) |> limt(n: 1)',
            'from(bucket: "a") |> range(start: 0, stop: 1) |> limit(m: 1)',
            'from(bucket: "a") |> range(start: 0, stop: 1) |> limit(n: "1")',
            'from(bucket: "a") |> range(start: 0, stop: 1) |> filter(fn: (r) => r.a == "${b}")',
            'from(bucket: "a") |> range(start: 0, stop: 1) |> filter(fn: (r) => r.a == "\\q")',
            'from(bucket: "a") |> range(start: 0, stop: 1) |> filter(fn: (r) => r.a == "$\\"")',
            'from(bucket: "a") |> range(start: 0, stop: 1',
        ],
    )
    def test_a_wrong_query_is_found_out(self, text: str) -> None:
        """By the checker and by the look-alike: otherwise these tests would say nothing."""
        assert check_flux([text])[0]["wrong"]
        with pytest.raises(flux.FluxError):
            flux.parse(text)
