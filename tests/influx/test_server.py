"""The InfluxDB 2 of the tests does what the documentation says of the real one, and fails when it is told to."""

import gzip
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from influxdb_client import BucketRetentionRules, InfluxDBClient, PatchBucketRequest, PatchRetentionRule
from influxdb_client.rest import ApiException

from . import flux, lines
from .buckets import DAY, HOUR, Bucket, PredicateError, terms
from .server import Influx

#: An instant in µs.
NOW = 1_790_000_000_000_000
ALL = 'from(bucket: "raw") |> range(start: 0, stop: 2030-01-01T00:00:00Z)'


@pytest.fixture(scope="module")
def server() -> Iterator[Influx]:
    """Run one server for all of these tests."""
    with Influx(now=lambda: NOW) as server:
        yield server


@pytest.fixture
def influx(server: Influx) -> Influx:
    """Give it with nothing but a bucket for a week."""
    server.reset()
    server.buckets["raw"] = Bucket("raw", 7 * DAY)
    return server


@pytest.fixture
def client(influx: Influx) -> Iterator[InfluxDBClient]:
    """Connect InfluxDB's own client."""
    with InfluxDBClient(influx.url, influx.token, org=influx.org) as client:
        yield client


def post(influx: Influx, body: bytes, path: str = "/api/v2/write", **headers: str) -> tuple[int, dict[str, Any]]:
    """Send a body; give the status and what was said."""
    query = urlencode({"org": influx.org, "bucket": "raw", "precision": "us"})
    headers = {"Authorization": f"Token {influx.token}"} | headers
    request = urllib.request.Request(f"{influx.url}{path}?{query}", body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read()) | {"after": error.headers.get("Retry-After")}


def line(value: str = "1", *, at: int = 0, name: str = "v", tags: str = "") -> bytes:
    """Give one line."""
    return f"m{tags} {name}={value} {NOW + at}".encode()


def kept(influx: Influx) -> list[tuple[str, int, lines.Value]]:
    """Give field, µs after now, and value of all that the bucket has."""
    return [(name, at // 1000 - NOW, value) for _, _, name, at, value in influx.buckets["raw"].points()]


class TestWriting:
    def test_whoever_is_unknown_is_refused(self, influx: Influx) -> None:
        """Without the token nothing is done."""
        assert post(influx, line(), Authorization="Token wrong")[0] == 401
        assert kept(influx) == []

    def test_one_line_that_cannot_be_read_refuses_its_batch(self, influx: Influx) -> None:
        """Nothing is written, and each such line is told."""
        status, said = post(influx, b"\n".join([line(), line("NaN"), line("x")]))
        assert (status, said["code"]) == (400, "invalid")
        assert [one.split(": ")[-1] for one in said["message"].split("\n")] == ["invalid number", "invalid boolean"]
        assert kept(influx) == []

    def test_a_field_of_another_type_is_dropped_alone(self, influx: Influx) -> None:
        """The rest of the batch is written, and only the number of those that were not is told."""
        post(influx, line("1.5"))
        status, said = post(influx, b"\n".join([line('"on"', at=1), line("2.5", at=2), line("3i", at=3)]))
        assert status == 422
        assert said["message"].endswith("is type string, already exists as type float dropped=2")
        assert kept(influx) == [("v", 0, 1.5), ("v", 2, 2.5)]

    def test_types_hold_for_a_group_of_shards(self, influx: Influx) -> None:
        """On another day the field may have another type."""
        assert post(influx, line("1.5"))[0] == 204
        assert post(influx, line('"on"', at=-2 * DAY * 1_000_000))[0] == 204

    def test_what_is_older_than_the_retention_is_dropped_alone(self, influx: Influx) -> None:
        """The rest of the batch is written."""
        status, said = post(influx, line(at=-7 * DAY * 1_000_000 - 1) + b"\n" + line(at=-7 * DAY * 1_000_000))
        assert status == 422
        assert "dropped 1 points outside retention policy of duration 168h0m0s" in said["message"]
        assert len(kept(influx)) == 1

    def test_fields_of_one_instant_merge(self, influx: Influx) -> None:
        """Of two values the later one stays."""
        post(influx, b"\n".join([line("1"), line("2"), line("3", name="w")]))
        assert kept(influx) == [("v", 0, 2.0), ("w", 0, 3.0)]

    def test_long_strings_are_refused(self, influx: Influx) -> None:
        """Up to 64 KiB is documented."""
        assert post(influx, line('"' + "x" * 65_536 + '"'))[0] == 204
        assert post(influx, line('"' + "x" * 65_537 + '"'))[0] == 422

    def test_bodies_may_be_packed_but_not_huge(self, influx: Influx, monkeypatch: pytest.MonkeyPatch) -> None:
        """What counts is the size after unpacking."""
        monkeypatch.setattr(influx, "max_body", 1000)
        packed = {"Content-Encoding": "gzip"}
        assert post(influx, gzip.compress(line()), **packed)[0] == 204
        assert post(influx, gzip.compress(line() * 1000), **packed)[0] == 413
        assert post(influx, b"no gzip", **packed)[0] == 400

    def test_a_bucket_that_was_deleted_is_not_found(self, influx: Influx) -> None:
        """By hand, say."""
        del influx.buckets["raw"]
        status, said = post(influx, line())
        assert (status, said["message"]) == (404, 'bucket "raw" not found')

    def test_whole_groups_of_shards_expire(self, influx: Influx) -> None:
        """A point lives up to a group longer than the retention says."""
        post(influx, line(at=-6 * DAY * 1_000_000) + b"\n" + line())
        bucket = influx.buckets["raw"]
        bucket.expire((NOW + 1 * DAY * 1_000_000) * 1000)
        assert len(kept(influx)) == 2
        bucket.expire((NOW + 2 * DAY * 1_000_000) * 1000)
        assert len(kept(influx)) == 1


class TestLines:
    @pytest.mark.parametrize(
        "written",
        [
            b"m,t= v=1",
            b"m,t=a\\ v=1",
            b"m,=a v=1",
            b"m,t=a=b v=1",
            b"m,t=a,t=b v=1",
            b"m,time=a v=1",
            b",t=a v=1",
            b"m",
            b"m v",
            b"m v=",
            b"m =1",
            b'm v="a',
            b'm v="a"b',
            b"m v=1i2",
            b"m v=9223372036854775808i",
            b"m v=-1u",
            b"m v=1e999",
            b"m v=1 1.5",
            b"m v=1 1 2",
            b"m v=1,v=2",
            b"m," + b"t" * 70_000 + b"=a v=1",
        ],
    )
    def test_refused(self, written: bytes) -> None:
        """Lines that no InfluxDB takes, or that it does not keep as they are."""
        with pytest.raises(lines.ParseError):
            lines.points(written, "us")

    def test_every_type(self) -> None:
        """Numbers, integers, strings and booleans are four types; unsigned integers a fifth."""
        [point] = lines.points(rb'm,b=\,\ \=\x,a=1 f=-1.5e-3,i=-7i,u=7u,s="\"\\n\x=, ",t=T,n=FALSE 5', "us")
        assert point == lines.Point(
            "m",
            (("a", "1"), ("b", r", =\x")),
            {"f": -0.0015, "i": -7, "u": 7, "s": r'"\n\x=, ', "t": True, "n": False},
            5000,
        )
        assert [type(value).__name__ for value in point.fields.values()] == [
            "float", "int", "Unsigned", "str", "bool", "bool",
        ]  # fmt: skip

    def test_a_string_may_hold_the_end_of_a_line(self) -> None:
        """But a name may not."""
        assert [point.fields for point in lines.points(b'# no\nm v="a\nb" 1\n\nm v=1 2\n', "s")] == [
            {"v": "a\nb"},
            {"v": 1.0},
        ]


class TestQueries:
    def test_rows_come_back_with_their_types(self, influx: Influx, client: InfluxDBClient) -> None:
        """Through InfluxDB's own client."""
        post(influx, line('1.5,i=3i,b=t,s="a,\\"b\\" é"', tags=",e=x"))
        found = [record.values for table in client.query_api().query(ALL) for record in table]
        assert {record["_field"]: record["_value"] for record in found} == {
            "v": 1.5, "i": 3, "b": True, "s": 'a,"b" é',
        }  # fmt: skip
        assert {record["e"] for record in found} == {"x"}
        assert found[0]["_time"].timestamp() * 1_000_000 == NOW

    def test_filter_keep_sort_limit_count(self, influx: Influx, client: InfluxDBClient) -> None:
        """Each step does what the language says."""
        post(influx, b"\n".join(line(str(n), at=n, tags=f",e=e{n % 2},f=x") for n in range(6)))
        where = ALL + ' |> filter(fn: (r) => r._measurement == "m" and (r.e == "e1" or r["e"] == "e2"))'
        newest = where + ' |> keep(columns: ["_time", "_value"]) |> sort(columns: ["_time"], desc: true) |> limit(n: 2)'
        assert [record["_value"] for table in client.query_api().query(newest) for record in table] == [5.0, 3.0]
        [table] = client.query_api().query(where + " |> count()")
        assert [record["_value"] for record in table] == [3]

    def test_an_end_of_a_line_comes_back_as_two_characters(self, influx: Influx, client: InfluxDBClient) -> None:
        """As Go writes CSV: LF becomes CR LF, CR is lost; and nothing cannot be told from an empty string."""
        post(influx, line('"a\nb\rc",w=""'))
        found = {record["_field"]: record["_value"] for table in client.query_api().query(ALL) for record in table}
        assert found == {"v": "a\r\nbc", "w": None}

    @pytest.mark.parametrize(
        "text",
        [
            'from(bucket: "raw")',
            'from(bucket: "raw") |> range(start: 5, stop: 3)',
            ALL + " |> yield()",
            ALL + ' |> drop(columns: ["x"])',
            ALL + " |> limit(n: -1)",
            ALL + " |> limit(m: 1)",
            ALL + " |> filter(fn: (r) => r.e =~ /a/)",
            ALL + ' |> filter(fn: (r) => r.e != "a")',
            ALL + ' |> filter(fn: (r) => r.e == "a${r.b}")',
            ALL + r' |> filter(fn: (r) => r.e == "\q")',
            ALL + r' |> filter(fn: (r) => r.e == "\xff")',
            ALL + ' |> filter(fn: (r) => r.e == "a"',
            ALL + ALL,
        ],
    )
    def test_anything_else_is_refused(self, influx: Influx, client: InfluxDBClient, text: str) -> None:
        """What the look-alike does not understand, or nobody does, is no success."""
        with pytest.raises(ApiException) as caught:
            client.query_api().query(text)
        assert caught.value.status == 400

    def test_columns_of_two_types_collide(self, influx: Influx, client: InfluxDBClient) -> None:
        """When keep makes one table of them."""
        post(influx, line('1,w="on"'))
        with pytest.raises(ApiException, match="schema collision"):
            client.query_api().query(ALL + ' |> keep(columns: ["_time", "_value"])')

    def test_strings_are_unquoted_as_the_language_says(self) -> None:
        """Escapes are undone once."""
        query = flux.parse(r'from(bucket: "\"\\n\n\x41\${x}$") |> range(start: 0, stop: 1)')
        assert query.bucket == '"\\n\nA${x}$'


class TestBuckets:
    def test_made_found_and_changed(self, influx: Influx, client: InfluxDBClient) -> None:
        """With their retention."""
        buckets = client.buckets_api()
        org = client.organizations_api().find_organizations(org=influx.org)[0].id
        rules = BucketRetentionRules(type="expire", every_seconds=90 * DAY)
        buckets.create_bucket(bucket_name="daily", org=org, retention_rules=rules)
        found = buckets.find_bucket_by_name("daily")
        found.retention_rules[0].every_seconds = 30 * DAY
        buckets.update_bucket(found)
        assert influx.buckets["daily"].every == 30 * DAY
        buckets.delete_bucket(found)
        assert list(influx.buckets) == ["raw"]

    def test_what_is_not_there(self, influx: Influx, client: InfluxDBClient) -> None:
        """By its name alone it finds another one; with the organisation it is not found."""
        assert client.buckets_api().find_bucket_by_name("nothing").name == "_tasks"
        with pytest.raises(ApiException) as caught:
            client.buckets_api().find_buckets(name="nothing", org=influx.org)
        assert caught.value.status == 404

    @pytest.mark.parametrize("seconds", [HOUR - 1, DAY - 1])
    def test_too_short_a_retention_is_refused(self, influx: Influx, client: InfluxDBClient, seconds: int) -> None:
        """Less than an hour, or than the bucket's groups of shards last."""
        bucket = client.buckets_api().find_buckets(name="raw", org=influx.org).buckets[0]
        bucket.retention_rules[0].every_seconds = seconds
        with pytest.raises(ApiException) as caught:
            client.buckets_api().update_bucket(bucket)
        assert caught.value.status == 422

    def test_groups_of_shards_change_when_it_is_said(self, influx: Influx, client: InfluxDBClient) -> None:
        """A bucket for ever has groups of a week; 0 lets the server choose."""
        influx.buckets["raw"] = Bucket("raw", 0)
        post(influx, line("1.5"))
        service = client.buckets_api()._buckets_service

        def shorten(group: int | None) -> None:
            rule = PatchRetentionRule(type="expire", every_seconds=3 * DAY, shard_group_duration_seconds=group)
            service.patch_buckets_id(influx.buckets["raw"].id, PatchBucketRequest(retention_rules=[rule]))

        with pytest.raises(ApiException, match="shard-group duration"):
            shorten(None)
        shorten(0)
        assert (influx.buckets["raw"].every, influx.buckets["raw"].group) == (3 * DAY, DAY)
        assert post(influx, line('"on"'))[0] == 422

    def test_deleting(self, influx: Influx, client: InfluxDBClient) -> None:
        """By tags, and both ends are included."""
        post(influx, b"\n".join(line(at=n, tags=tags) for n in range(4) for tags in (r",e=a\,b", ",e=c")))
        first, last = (flux.rfc3339((NOW + n) * 1000) for n in (1, 2))
        client.delete_api().delete(first, last, '_measurement="m" AND e="a,b"', "raw")
        left = [(dict(tags)["e"], at // 1000 - NOW) for _, tags, _, at, _ in influx.buckets["raw"].points()]
        assert left == [("a,b", 0), ("a,b", 3), ("c", 0), ("c", 1), ("c", 2), ("c", 3)]

    def test_predicates(self) -> None:
        """Equality and AND; nothing else."""
        assert terms(r'a="x" and "b c" = "\"\\\n"') == [("a", "x"), ("b c", '"\\\n')]
        for wrong in ('a="x" OR b="y"', 'a!="x"', "a='x", 'a="x" AND', 'a="\\q"', 'a="x" b="y"'):
            with pytest.raises(PredicateError):
                terms(wrong)


class TestFaults:
    def test_later(self, influx: Influx) -> None:
        """So many times, with the seconds to wait; nothing is written."""
        influx.fail(429, retry_after=2, times=2)
        assert [post(influx, line()) for _ in range(3)] == [
            (429, {"code": "too many requests", "message": "as the test wants it", "after": "2"}),
            (429, {"code": "too many requests", "message": "as the test wants it", "after": "2"}),
            (204, {}),
        ]

    @pytest.mark.parametrize("done", [True, False])
    def test_no_answer(self, influx: Influx, *, done: bool) -> None:
        """The work may be done all the same."""
        influx.cut(done=done)
        with pytest.raises(OSError, match="closed connection"):
            post(influx, line())
        assert bool(kept(influx)) == done

    def test_silence(self, influx: Influx) -> None:
        """And stopping does not wait for it."""
        influx.delay(0.2)
        began = time.monotonic()
        assert post(influx, line())[0] == 204
        assert time.monotonic() - began >= 0.2

    def test_away(self, influx: Influx) -> None:
        """It comes back at the same address with what it had."""
        post(influx, line())
        with influx.away(), pytest.raises(OSError, match="refused"):
            post(influx, line(at=1))
        assert post(influx, line(at=2))[0] == 204
        assert [at for _, at, _ in kept(influx)] == [0, 2]

    @pytest.mark.parametrize(("status", "left"), [(400, []), (422, [1])])
    def test_one_line_is_not_wanted(self, influx: Influx, status: int, left: list[int]) -> None:
        """It is refused with its batch, or alone."""
        influx.refuse("e=bad", status)
        assert post(influx, line(tags=",e=bad") + b"\n" + line(at=1))[0] == status
        assert [at for _, at, _ in kept(influx)] == left
