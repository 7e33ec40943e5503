"""Our way to InfluxDB, when InfluxDB is busy, strict, slow, away, or somebody else."""

from collections.abc import Iterator

import pytest

from quotidian.errors import AccessError, SettingError, StoreRefusedError, UnreachableError
from quotidian.settings import Settings
from quotidian.store.influx.flux import Query
from quotidian.store.influx.server import MOST_REFUSED, Server

from .buckets import DAY, Bucket
from .server import Influx

#: An instant in µs.
NOW = 1_790_000_000_000_000


@pytest.fixture(scope="module")
def running() -> Iterator[Influx]:
    """Run one server for all of these tests."""
    with Influx(now=lambda: NOW) as influx:
        yield influx


@pytest.fixture
def influx(running: Influx) -> Influx:
    """Give it with nothing but a bucket for a week."""
    running.reset()
    running.buckets["raw"] = Bucket("raw", 7 * DAY)
    return running


@pytest.fixture
def waits() -> list[float]:
    """Collect the seconds that are waited."""
    return []


@pytest.fixture
def server(influx: Influx, waits: list[float]) -> Iterator[Server]:
    """Give our way to it, which waits for nothing."""
    server = at(influx)
    server._sleep = waits.append
    yield server
    server.close()


def at(influx: Influx, **settings: str) -> Server:
    """Give our way to a server."""
    return Server(
        Settings({"INFLUXDB_URL": influx.url, "INFLUXDB_TOKEN": influx.token, "INFLUXDB_ORG": influx.org} | settings)
    )


def lines(number: int) -> list[bytes]:
    """Give lines of different instants."""
    return [f'm,e=light.l{n} v={n}.5,s="on" {NOW + n}'.encode() for n in range(number)]


def kept(influx: Influx) -> int:
    """Count the points that were written."""
    return sum(name == "v" for _, _, name, _, _ in influx.buckets["raw"].points())


class TestWriting:
    def test_lines_are_written_once_however_often_they_are_sent(self, influx: Influx, server: Server) -> None:
        """A line is its own identity."""
        assert server.write("raw", lines(6_000)) == []
        assert server.write("raw", lines(6_000)) == []
        assert kept(influx) == 6_000

    @pytest.mark.parametrize("status", [429, 503])
    def test_later_is_waited_for(self, influx: Influx, server: Server, waits: list[float], status: int) -> None:
        """As long as InfluxDB says, and then the batch goes again."""
        influx.fail(status, retry_after=2, times=2)
        assert server.write("raw", lines(10)) == []
        assert waits == [2, 2]
        assert kept(influx) == 10

    def test_but_not_for_ever(self, influx: Influx, server: Server, waits: list[float]) -> None:
        """Whoever asked is told when to come again."""
        influx.fail(503, retry_after=60)
        with pytest.raises(UnreachableError) as caught:
            server.write("raw", lines(1))
        assert caught.value.after == 60
        assert waits == []

    @pytest.mark.parametrize("status", [429, 500, 502, 503])
    def test_who_does_not_say_when(self, influx: Influx, server: Server, status: int) -> None:
        """Is for others to wait for."""
        influx.fail(status)
        with pytest.raises(UnreachableError):
            server.write("raw", lines(1))

    def test_a_batch_that_is_too_large_is_split(
        self, influx: Influx, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Until it fits; nothing of it is refused."""
        monkeypatch.setattr(influx, "max_body", 5_000)
        assert server.write("raw", lines(1_000)) == []
        assert kept(influx) == 1_000
        assert {one.status for one in influx.written} == {204}

    def test_a_line_that_is_too_large_alone_is_refused(
        self, influx: Influx, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And the others are not."""
        monkeypatch.setattr(influx, "max_body", 500)
        huge = b'm v=1.5,s="' + b"x" * 500 + f'" {NOW}'.encode()
        [refused] = server.write("raw", [*lines(50), huge])
        assert refused.line == huge
        assert kept(influx) == 50

    @pytest.mark.parametrize("status", [400, 422])
    def test_the_lines_that_are_refused_are_found(self, influx: Influx, server: Server, status: int) -> None:
        """Each with the reason, among many that are written, whether the rest of a batch is or not."""
        wanted = lines(2_000)
        bad = [wanted[number] for number in (0, 1, 1_000, 1_999)]
        for line in bad:
            influx.refuse(line.decode().split()[0] + " ", status)
        refused = server.write("raw", wanted)
        assert sorted(one.line for one in refused) == sorted(bad)
        assert all("not wanted here" in one.reason for one in refused)
        assert kept(influx) == 2_000 - len(bad)
        assert len(influx.written) < 150

    def test_a_field_of_another_type_is_found(self, influx: Influx, server: Server) -> None:
        """What InfluxDB has by another's hand, say."""
        server.write("raw", [f"m v=1i {NOW}".encode()])
        refused = server.write("raw", [*lines(3), f"n v=1 {NOW}".encode()])
        assert [one.line for one in refused] == lines(3)
        assert "field type conflict" in refused[0].reason

    def test_when_everything_is_refused_not_everything_is_tried(self, influx: Influx, server: Server) -> None:
        """It ends after some."""
        influx.refuse("m,")
        assert len(server.write("raw", lines(2_000))) == MOST_REFUSED
        assert len(influx.written) < 10 * MOST_REFUSED

    def test_a_bucket_that_keeps_less_than_is_thought(self, influx: Influx, server: Server) -> None:
        """Is no fault of the lines: it is said with what to do."""
        with pytest.raises(SettingError, match="raw keeps less") as caught:
            server.write("raw", [f"m v=1 {NOW - 8 * DAY * 1_000_000}".encode()])
        assert "store init" in caught.value.remedy

    def test_an_answer_that_is_lost(self, influx: Influx, server: Server) -> None:
        """It is not known whether anything was done; the same again makes it once."""
        influx.cut(done=True)
        with pytest.raises(UnreachableError):
            server.write("raw", lines(10))
        assert server.write("raw", lines(10)) == []
        assert kept(influx) == 10

    def test_away_and_back(self, influx: Influx, server: Server) -> None:
        """The connection is made again."""
        with influx.away(), pytest.raises(UnreachableError, match="does not answer"):
            server.write("raw", lines(1))
        assert server.write("raw", lines(1)) == []

    def test_silence(self, influx: Influx, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server that never answers is given up."""
        monkeypatch.setattr("quotidian.store.influx.server._TIMEOUT", (200, 200))
        server = at(influx)
        influx.delay(10)
        with pytest.raises(UnreachableError, match="does not answer"):
            server.write("raw", lines(1))
        # It is not waited for again at once, by nobody.
        asked = len(influx.queries)
        with pytest.raises(UnreachableError, match="silent a moment ago"):
            server.query(Query("raw", 0, 1), "raw")
        assert len(influx.queries) == asked
        server._asked_again = 0.0
        assert server.write("raw", lines(1)) == []
        server.close()


class TestWhoIsThere:
    def test_a_wrong_token(self, influx: Influx) -> None:
        """It is said, without the token."""
        server = at(influx, INFLUXDB_TOKEN="canary")
        with pytest.raises(AccessError, match="does not take the token") as caught:
            server.write("raw", lines(1))
        assert "canary" not in str(caught.value) + caught.value.remedy
        server.close()

    def test_a_bucket_that_was_deleted(self, influx: Influx, server: Server) -> None:
        """It is named, with what makes it again."""
        del influx.buckets["raw"]
        for ask in (
            lambda: server.write("raw", lines(1)),
            lambda: server.query(Query("raw", 0, NOW), "raw"),
            lambda: server.delete("raw", 'home="h"', 0, NOW),
        ):
            with pytest.raises(SettingError, match="no bucket raw") as caught:
                ask()
            assert "store init" in caught.value.remedy

    def test_another_organisation(self, influx: Influx) -> None:
        """It is no missing bucket."""
        server = at(influx, INFLUXDB_ORG="other")
        with pytest.raises(SettingError, match="INFLUXDB_ORG"):
            server.retention("raw")
        server.close()

    def test_a_query_that_is_refused(self, influx: Influx, server: Server) -> None:
        """It is an error, not nothing."""
        influx.fail(400, on="/api/v2/query")
        with pytest.raises(StoreRefusedError, match="as the test wants it"):
            server.query(Query("raw", 0, NOW), "raw")

    def test_buckets_are_made_and_changed(self, influx: Influx, server: Server) -> None:
        """For as long as is wished, also for less than the server's groups of shards lasted."""
        assert server.retention("new") is None
        server.set_retention("new", 364 * DAY)
        assert server.retention("new") == influx.buckets["new"].every == 364 * DAY
        server.set_retention("new", 2 * DAY)
        assert server.retention("new") == 2 * DAY
        server.set_retention("new", 0)
        assert server.retention("new") == 0


class TestReading:
    def test_what_was_written(self, influx: Influx, server: Server) -> None:
        """Comes back, and what was deleted does not."""
        server.write("raw", lines(100))
        query = Query("raw", NOW, NOW + 50).where("_measurement", "m").where("_field", "v").keep("_time", "_value")
        assert sorted(map(float, server.query(query, "raw")["_value"])) == [n + 0.5 for n in range(50)]
        server.delete("raw", '_measurement="m"', NOW + 10, NOW + 49)
        assert len(server.query(query, "raw")["_value"]) == 10

    def test_nothing_is_nothing(self, influx: Influx, server: Server) -> None:
        """No columns, no error."""
        assert server.query(Query("raw", 0, NOW), "raw") == {}

    def test_counting(self, influx: Influx, server: Server) -> None:
        """By InfluxDB."""
        server.write("raw", lines(100))
        query = Query("raw", 0, NOW + 100).where("_field", "v").keep("_value").count()
        assert server.query(query, "raw")["_value"] == ["100"]
