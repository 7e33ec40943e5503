"""The InfluxDB of the tests, and what we send to it, beside the real parts that can be had."""

from collections.abc import Iterator
from typing import Final

import pytest

from quotidian.store.influx.flux import Query

from . import flux, hostile
from .buckets import DAY, Bucket
from .components import INFLUX_1, MISSING, NODE, RealInflux1, check_flux
from .lines import ParseError, points

#: An instant in ns, later than all of these tests' points.
LATE: Final = 2_000_000_000_000_000_000

needs_flux = pytest.mark.skipif(NODE is None, reason=MISSING.format("parser of Flux"))


@pytest.fixture(scope="module")
def influx1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealInflux1]:
    """Run a real InfluxDB 1."""
    with RealInflux1(tmp_path_factory.mktemp("influxdb")) as server:
        yield server


@pytest.mark.skipif(INFLUX_1 is None, reason=MISSING.format("InfluxDB 1"))
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
