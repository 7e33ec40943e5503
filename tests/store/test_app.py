"""Claims about the store as a service, on a real port."""

import asyncio
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from quotidian import clock
from quotidian.clients import StoreClient, health
from quotidian.errors import AccessError, NotFoundError, RequestError, SettingError, StoreBusyError, UnreachableError
from quotidian.model import Arrival, Day, Enriched, Event, Home
from quotidian.model.event import EVENT_SCHEMA, event_id
from quotidian.settings import Settings
from quotidian.store import Store, connect
from quotidian.store.app import create_app
from quotidian.store.app.asked import moment_of, place_of
from quotidian.store.app.housekeeping import Housekeeping
from quotidian.store.app.intake import Intake
from quotidian.store.app.thread import StoreThread
from quotidian.store.connect import open_here
from quotidian.store.remote import RemoteStore

from ..service.apps import SECRET, ask, served  # noqa: TID252 - tests are no package

ZONE = "Europe/Berlin"
MONDAY = Day.of(dt.date(2026, 3, 2), ZONE)
NOON = MONDAY.start + 43_200_000_000
SECOND = 1_000_000


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be one o'clock of a Monday."""
    monkeypatch.setattr(clock, "now", lambda: NOON + 3_600 * SECOND)


class Asked:
    """A served store, and a client of it."""

    def __init__(self, url: str, client: StoreClient, home: str) -> None:
        self.url, self.client, self.home = url, client, home

    def event(self, entity_id: str, updated: int, state: str = "on", **more: Any) -> Event:
        """Make an event of this home."""
        return Event(
            event_id=event_id(self.home, entity_id, updated),
            home=self.home,
            entity_id=entity_id,
            new_state=state,
            last_changed=updated,
            last_updated=updated,
            **more,
        )

    async def fill(self, *events: Event, stream: str = "s") -> None:
        """Deliver events."""
        first = await self.client.received(stream) + 1
        arrivals = [Arrival(seq=first + place, arrived=NOON, event=event) for place, event in enumerate(events)]
        await self.client.receive(Enriched(stream=stream, first=first, last=first + len(events) - 1, events=arrivals))

    async def get(self, path: str, **query: Any) -> tuple[int, Any]:
        """Read a route's JSON."""
        status, _, content = await ask("GET", f"{self.url}/api/v1/{path}", SECRET, params=query)
        return status, json.loads(content)

    async def post(self, data: Any) -> tuple[int, Any]:
        """Post events."""
        found = await ask("POST", f"{self.url}/api/v1/events", SECRET, data=msgspec.json.encode(data))
        return found[0], json.loads(found[2])


def settings_in(folder: Path, **more: str) -> Settings:
    """Make settings in a folder."""
    return Settings({"QUOTIDIAN_DATA": str(folder), "QUOTIDIAN_SECRET": SECRET, **more})


def prepared(folder: Path) -> None:
    """Make a store in Berlin."""
    store = connect(folder, settings_in(folder))
    store.set_home(Home(store.home.id, ZONE, "House"))
    store.close()


def tried(folder: Path, work: Callable[[Asked], Awaitable[Any]]) -> Any:
    """Do something with a served store."""
    prepared(folder)

    async def run() -> Any:
        async with served(create_app(settings_in(folder))) as url:
            client = StoreClient(url, SECRET)
            try:
                return await work(Asked(url, client, (await client.home()).id))
            finally:
                await client.close()

    return asyncio.run(run())


class TestPosting:
    def test_a_delivery_is_answered_by_a_receipt_and_a_redelivery_changes_nothing(self, tmp_path: Path) -> None:
        """What was answered is there after a kill, once."""

        async def work(at: Asked) -> None:
            delivery = Enriched(
                stream="s", first=1, last=3, events=[Arrival(seq=2, arrived=NOON, event=at.event("light.a", NOON))]
            )
            first, second = await at.client.receive(delivery), await at.client.receive(delivery)
            assert (first.last, first.new) == (3, 1)
            assert second.last == 3
            assert await at.client.received("s") == 3
            assert [event.entity_id for event in (await at.client.events()).events] == ["light.a"]

        tried(tmp_path, work)

    def test_a_delivery_with_its_fields_in_another_order_is_one_too(self, tmp_path: Path) -> None:
        """Other programs may write JSON as they like."""

        async def work(at: Asked) -> None:
            assert await at.post({"first": 1, "last": 1, "events": [], "stream": "other"}) == (
                200,
                {
                    **msgspec.to_builtins(await at.client.receive(Enriched(stream="x", first=1, last=1))),
                    "stream": "other",
                },
            )

        tried(tmp_path, work)

    def test_one_event_or_a_list_may_be_posted(self, tmp_path: Path) -> None:
        """Each is stored once; a copy is known."""

        async def work(at: Asked) -> None:
            one, two = at.event("light.a", NOON), at.event("light.b", NOON)
            assert await at.post(one) == (200, {"new": 1, "known": 0, "left_out": 0, "refusals": []})
            assert await at.post([one, two]) == (200, {"new": 1, "known": 1, "left_out": 0, "refusals": []})

        tried(tmp_path, work)

    def test_of_a_list_each_event_is_refused_for_itself(self, tmp_path: Path) -> None:
        """The good ones are stored, the others told with their place and reason; none at all is an error."""

        async def work(at: Asked) -> None:
            good = at.event("light.a", NOON)
            bad = [
                {"entity_id": 7},
                msgspec.structs.replace(good, home="another"),
                msgspec.structs.replace(good, entity_id="light.b"),
                at.event("light.far", 10**18),
            ]
            status, told = await at.post([*bad, good])
            assert (status, told["new"], [one["index"] for one in told["refusals"]]) == (207, 1, [0, 1, 2, 3])
            assert "another home" in told["refusals"][1]["reason"]
            status, told = await at.post(bad)
            assert (status, told["new"], told["error"]["kind"]) == (422, 0, "Request")
            assert (await at.post([]))[0] == 422

        tried(tmp_path, work)

    @pytest.mark.parametrize(
        "body", ["", "{", "7", "null", '"x"', "[1]", "{}", '{"stream":"s"}', '{"stream":7,"first":1}']
    )
    def test_what_is_no_event_is_refused(self, tmp_path: Path, body: str) -> None:
        """With a 4xx and a sentence."""

        async def work(at: Asked) -> None:
            status, _, content = await ask("POST", at.url + "/api/v1/events", SECRET, data=body)
            assert status in (400, 422)
            assert json.loads(content)["error"]["what"]

        tried(tmp_path, work)

    def test_numbers_that_contradict_each_other_are_refused(self, tmp_path: Path) -> None:
        """A delivery that ends before it begins is the sender's mistake."""

        async def work(at: Asked) -> None:
            with pytest.raises(RequestError):
                await at.client.receive(Enriched(stream="s", first=9, last=2))

        tried(tmp_path, work)


class TestReading:
    def test_pages_go_back_in_time_without_a_hole(self, tmp_path: Path) -> None:
        """Following the cursor gives every event once, newest first; the limit is kept."""

        async def work(at: Asked) -> None:
            await at.fill(*(at.event(f"light.ü{n % 3}", NOON + n // 2 * SECOND) for n in range(25)))
            seen: list[Event] = []
            cursor = None
            while True:
                page = await at.client.events(limit=4, cursor=cursor)
                assert len(page.events) <= 4
                seen += page.events
                if (cursor := page.cursor) is None:
                    break
            places = [(event.last_updated, event.entity_id) for event in seen]
            assert len(set(places)) == len(places) == 25
            assert places == sorted(places, key=lambda place: (-place[0], place[1]))

        tried(tmp_path, work)

    def test_queries_choose(self, tmp_path: Path) -> None:
        """By time (absolute, relative, local), entity, area and cause."""

        async def work(at: Asked) -> None:
            await at.fill(
                at.event("light.a", NOON, area="kitchen"), at.event("light.b", NOON + 3_000 * SECOND, area="hall")
            )

            async def found(**query: str) -> list[str]:
                return [event.entity_id for event in (await at.client.events(**query)).events]

            assert await found() == ["light.b", "light.a"]
            assert await found(start_time="30m ago") == ["light.b"]
            assert await found(end_time="2026-03-02T12:30:00") == ["light.a"]
            assert await found(start_time="2026-03-02T11:30:00Z") == ["light.b"]
            assert await found(start_time=str(NOON + 1)) == ["light.b"]
            assert await found(entity_id="light.a") == ["light.a"]
            assert await found(area="hall") == ["light.b"]
            assert await found(cause="person") == []

        tried(tmp_path, work)

    @pytest.mark.parametrize(
        "query",
        [
            {"start_time": "yesterday"},
            {"start_time": "2026-13-01"},
            {"end_time": ""},
            {"start_time": "now", "end_time": "1h ago"},
            {"limit": "0"},
            {"limit": "1001"},
            {"limit": "all"},
            {"cause": "magic"},
            {"cursor": "%%%"},
            {"cursor": "bm90aGluZw"},
            {"after": "x"},
            {"wait": "31", "after": "1"},
            {"enrich": "some"},
            {"entity": "light.a"},
        ],
    )
    def test_a_query_that_cannot_be_used_says_what_is_expected(self, tmp_path: Path, query: dict[str, str]) -> None:
        """A 4xx that names the parameter; never an empty answer instead."""

        async def work(at: Asked) -> None:
            status, told = await at.get("events", **query)
            assert status in (400, 422)
            assert next(iter(query)).removesuffix("_time") in told["error"]["what"].replace("end_time", "start end")
            assert told["error"]["remedy"]

        tried(tmp_path, work)

    def test_arrivals_can_be_followed(self, tmp_path: Path) -> None:
        """From a cursor on each new event comes once; a reader that waits is woken by news."""

        async def work(at: Asked) -> None:
            await at.fill(at.event("light.old", NOON))
            start = await at.client.events(after="")
            assert start.events == []
            waiting = asyncio.create_task(at.client.events(after=start.cursor, wait=30))
            assert (await at.client.events(after=start.cursor, wait=0)).events == []
            await at.fill(at.event("light.new", NOON - 5))
            page = await waiting
            assert [event.entity_id for event in page.events] == ["light.new"]
            assert (await at.client.events(after=page.cursor)).events == []

        tried(tmp_path, work)

    def test_who_waits_for_news_does_not_keep_the_service_from_stopping(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The answer comes when the service is told to stop."""
        prepared(tmp_path)
        until, reached = Intake.until, asyncio.Event()

        async def noting(self: Intake, news: asyncio.Event, seconds: float) -> None:
            reached.set()
            await until(self, news, seconds)

        monkeypatch.setattr(Intake, "until", noting)

        async def run() -> None:
            async with served(create_app(settings_in(tmp_path))) as url:
                client = StoreClient(url, SECRET)
                start = await client.events(after="")
                waiting = asyncio.create_task(client.events(after=start.cursor, wait=30))
                await reached.wait()
            assert (await waiting).events == []
            await client.close()

        async def soon() -> None:
            async with asyncio.timeout(9):
                await run()

        asyncio.run(soon())

    def test_what_follows_for_an_event_is_shown_on_demand(self, tmp_path: Path) -> None:
        """With enrich=full an event tells who was at home, and the state before."""

        async def work(at: Asked) -> None:
            await at.fill(
                at.event("person.anna", NOON, "home"),
                at.event("light.a", NOON + SECOND, "off"),
                at.event("light.a", NOON + 61 * SECOND, "on"),
            )
            _, told = await at.get("events", enrich="full", limit="1")
            (event,) = told["events"]
            assert event["derived"].items() >= {"at_home": ["person.anna"], "day": "weekday"}.items()
            assert (event["derived"]["previous_state"], event["derived"]["previous_seconds"]) == ("off", 60)
            assert told["cursor"]

        tried(tmp_path, work)

    def test_enrich_full_reads_a_few_days_at_once(self, tmp_path: Path) -> None:
        """A page over many days is refused with what to do."""

        async def work(at: Asked) -> None:
            await at.fill(*(at.event("light.a", NOON - n * 86_400 * SECOND) for n in range(12)))
            status, told = await at.get("events", enrich="full")
            assert (status, "12 days" in told["error"]["what"]) == (400, True)

        tried(tmp_path, work)

    def test_a_day_comes_as_arrow(self, tmp_path: Path) -> None:
        """Any reader of Arrow gets the day's table; a day without events is not found."""

        async def work(at: Asked) -> None:
            await at.fill(at.event("light.a", NOON, "on"))
            status, headers, content = await ask("GET", at.url + "/api/v1/days/2026-03-02/events", SECRET)
            table = pa.ipc.open_stream(content).read_all()
            assert (status, headers["Content-Type"]) == (200, "application/vnd.apache.arrow.stream")
            assert table.schema.names == EVENT_SCHEMA.names
            assert table["entity_id"].to_pylist() == ["light.a"]
            for day, expected in (("2026-03-03", 404), ("today", 400), ("9999-12-31", 400), ("0001-01-01", 400)):
                assert (await at.get(f"days/{day}/events"))[0] in (expected, 404)

        tried(tmp_path, work)

    def test_every_account_can_be_read(self, tmp_path: Path) -> None:
        """Days, counts, patterns, letters, gaps, snapshots, certificates and their chain, stats, latest, home."""

        async def work(at: Asked) -> None:
            await at.fill(at.event("light.a", NOON), at.event("light.b", NOON + 1))
            assert [day["events"] for day in await at.client.days()] == [2]
            assert await at.client.counts(by="entity") == {"light.a": 1, "light.b": 1}
            assert await at.client.counts() == {"2026-03-02": 2}
            assert await at.client.counts(by="cause", start_time="now") == {}
            assert await at.client.patterns() == []
            assert await at.client.dead_letters() == []
            assert await at.client.gaps(start_time="1d ago") == []
            assert await at.client.snapshots() == []
            assert [day["received"] for day in await at.client.certificates()] == [2]
            assert (await at.get("certificates/chain"))[1]["fault"] is None
            stats = await at.client.stats()
            assert (stats["home"], stats["events"], stats["latest"]) == ("House", 2, NOON + 1)
            assert await at.client.latest() == NOON + 1
            assert (await at.get("latest"))[1]["time"] == "2026-03-02T11:00:00.000001+00:00"

        tried(tmp_path, work)


class TestAsked:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("now", NOON + 3_600 * SECOND),
            ("5m ago", NOON + 3_300 * SECOND),
            ("90 s ago", NOON + 3_510 * SECOND),
            ("1h", NOON),
            ("2026-03-02", MONDAY.start),
            ("2026-03-02 12:00", NOON),
            ("2026-03-02T12:00:00+01:00", NOON),
            ("2026-03-02T12:00:00 01:00", NOON),
            ("2026-03-02T11:00:00Z", NOON),
            (str(NOON), NOON),
            (None, None),
        ],
    )
    def test_times_are_read_as_people_write_them(self, text: str | None, expected: int | None) -> None:
        """Also with a plus sign that became a blank on its way."""
        assert moment_of("start_time", text, ZONE) == expected

    def test_a_cursor_of_far_away_is_read(self) -> None:
        """A number that no database can hold is brought into bounds."""
        assert place_of("OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OmE") == (1 << 62, "a")


class TestHealth:
    def test_it_tells_of_database_disk_and_housekeeping(self, tmp_path: Path) -> None:
        """All is well, and the service is ready."""

        async def work(at: Asked) -> None:
            found = await health(at.url)
            assert (found.service, found.state) == ("store", "ok")
            assert [one.name for one in found.dependencies] == ["database", "disk", "housekeeping"]
            assert (await ask("GET", at.url + "/ready"))[0] == 200

        tried(tmp_path, work)

    def test_figures_are_counted(self, tmp_path: Path) -> None:
        """New and known events are apart; the newest event's time is there."""

        async def work(at: Asked) -> str:
            await at.fill(at.event("light.a", NOON))
            await at.fill(at.event("light.a", NOON))
            return (await ask("GET", at.url + "/metrics"))[2].decode()

        text = tried(tmp_path, work)
        assert 'quotidian_store_events_total{result="new"} 1.0' in text
        assert 'quotidian_store_events_total{result="known"} 1.0' in text
        (told,) = [
            line for line in text.splitlines() if line.startswith("quotidian_store_last_event_timestamp_seconds")
        ]
        assert float(told.split()[1]) == NOON / 1e6

    def test_a_store_that_is_held_is_told_at_the_start(self, tmp_path: Path) -> None:
        """The service does not start beside another one, and says who holds the store."""
        prepared(tmp_path)
        holder = open_here(tmp_path, settings_in(tmp_path))

        async def run() -> None:
            async with served(create_app(settings_in(tmp_path))):
                pass

        try:
            with pytest.raises(StoreBusyError, match="in use by process"):
                asyncio.run(run())
        finally:
            holder.close()


class TestHousekeeping:
    def test_days_that_are_over_are_sealed_one_at_a_time(self, tmp_path: Path) -> None:
        """Today stays as it is; each step is short; late events reseal their day; certificates join the chain."""
        prepared(tmp_path)
        steps: list[list[dt.date]] = []

        async def run() -> None:
            thread = StoreThread(lambda: open_here(tmp_path, settings_in(tmp_path)))
            store = await thread.open()
            seal = store.seal
            store.seal = lambda before: steps.append(seal(before)) or steps[-1]  # type: ignore[func-returns-value,method-assign]
            at = Asked("", StoreClient("http://x", ""), store.home.id)
            for days in range(4):
                event = at.event("light.a", NOON - days * 86_400 * SECOND)
                arrival = Arrival(seq=days + 1, arrived=NOON, event=event)
                delivery = Enriched(stream="s", first=days + 1, last=days + 1, events=[arrival])
                await thread.call(lambda store, delivery=delivery: store.receive(delivery))  # type: ignore[misc]
            keeping = Housekeeping(thread)
            assert len(await keeping.round()) == 3
            assert await keeping.round() == []
            assert [len(step) for step in steps] == [1, 1, 1, 0, 0]
            assert (await thread.call(lambda store: store.verify())).certificates >= 3
            await thread.close()

        asyncio.run(run())

    def test_trouble_is_told_and_passes(self, tmp_path: Path) -> None:
        """A round that fails does not end the rounds."""

        class Failing(Housekeeping):
            rounds = 0

            async def round(self) -> list[dt.date]:
                self.rounds += 1
                if self.rounds == 1:
                    raise SettingError("It failed.")
                return []

        async def run() -> None:
            keeping = Failing(StoreThread(lambda: open_here(tmp_path, settings_in(tmp_path))))
            task = asyncio.create_task(keeping.run(0, 0.001))
            async with asyncio.timeout(10):
                while keeping.rounds < 1:
                    await asyncio.sleep(0)
                while keeping.rounds < 3:
                    await asyncio.sleep(0.001)
            assert keeping.trouble == ""
            task.cancel()

        asyncio.run(run())


class TestConnect:
    def test_a_command_works_while_a_service_holds_the_store(self, tmp_path: Path) -> None:
        """Another process gets the store over HTTP by the address in the lock, with the secret of the directory."""
        settings = Settings({"QUOTIDIAN_DATA": str(tmp_path)})
        script = (
            "import sys; from pathlib import Path; from quotidian.settings import Settings\n"
            "from quotidian.store import connect\n"
            "store = connect(Path(sys.argv[1]), Settings({}), create=False)\n"
            "store.mark(__import__('datetime').date(2026, 3, 2), 'party')\n"
            "print(type(store).__name__, store.home.zone, *store.marks().values()); store.close()\n"
        )

        async def run() -> str:
            async with served(create_app(settings)):
                command = [sys.executable, "-c", script, str(tmp_path)]
                ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
                return ran.stdout + ran.stderr

        assert asyncio.run(run()) == "RemoteStore UTC party\n"
        store: Store = connect(tmp_path, settings)
        assert list(store.marks().values()) == ["party"]
        assert type(store) is not RemoteStore
        store.close()

    def test_a_held_store_without_an_address_is_busy(self, tmp_path: Path) -> None:
        """While the holder does not serve it, nobody else can use it."""
        holder = open_here(tmp_path, settings_in(tmp_path))
        with pytest.raises(StoreBusyError, match="in use by process"):
            connect(tmp_path, settings_in(tmp_path))
        holder.close()

    def test_a_setting_names_the_service_in_another_container(self, tmp_path: Path) -> None:
        """Where the holder's own address means nothing, DATA_STORAGE_URL counts."""

        async def run() -> None:
            async with served(create_app(settings_in(tmp_path))) as url:
                told = settings_in(tmp_path, DATA_STORAGE_URL=url.replace("127.0.0.1", "localhost"))
                store = await asyncio.to_thread(connect, tmp_path, told)
                assert "localhost" in repr(store)
                assert SECRET not in repr(store)
                assert (await asyncio.to_thread(lambda: store.home)).zone == "UTC"
                store.close()

        asyncio.run(run())

    def test_the_internal_route_is_for_the_services_alone(self, tmp_path: Path) -> None:
        """A token of a person does not open it, nor does it have other methods than the protocol's."""

        async def work(at: Asked) -> None:
            token = create_app(settings_in(tmp_path)).state.access.give("phone")
            path = at.url + "/api/v1/store/"
            assert (await ask("POST", path + "days", token, data=b"\x80"))[0] == 401
            assert (await ask("POST", path + "days", SECRET, data=b"\x80"))[0] == 200
            for name in ("close", "__init__", "_run", "announce"):
                assert (await ask("POST", path + name, SECRET, data=b"\x80"))[0] == 404
            for body in (b"", b"\xc1", b"\x81\xa5first\xa1x"):
                assert (await ask("POST", path + "certificates", SECRET, data=body))[0] == 400

        tried(tmp_path, work)

    def test_a_wrong_secret_and_a_lost_service_are_told(self, tmp_path: Path) -> None:
        """Errors have the type that the store's own would have; a service that ended is unreachable."""
        stores: list[RemoteStore] = []

        async def work(at: Asked) -> None:
            stranger = RemoteStore(at.url, "wrong")
            with pytest.raises(AccessError, match="for the services themselves"):
                await asyncio.to_thread(stranger.days)
            stranger.close()
            store = RemoteStore(at.url, SECRET)
            with pytest.raises(SettingError, match="no time zone"):
                await asyncio.to_thread(lambda: store.set_home(Home("x", "Mars")))
            with pytest.raises(AttributeError, match="has no 'nonsense'"):
                store.nonsense()
            stores.append(store)

        tried(tmp_path, work)
        with pytest.raises(UnreachableError, match="cannot be reached"):
            stores[0].days()
        stores[0].close()

    @pytest.mark.parametrize(
        "answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"HTTP/1.1 500 No\r\n\r\n<html>", b"SSH-2.0\r\n"]
    )
    def test_a_stranger_at_the_address_is_told(self, answer: bytes) -> None:
        """Another program that answers there is no store."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        async def run() -> None:
            async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
                store = RemoteStore(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", SECRET)
                try:
                    await asyncio.to_thread(store.days)
                finally:
                    store.close()

        with pytest.raises(UnreachableError):
            asyncio.run(run())

    def test_a_connection_that_was_closed_meanwhile_is_made_again(self) -> None:
        """A command that thinks for a while does not notice that the service let its connection go."""
        heard: list[int] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(1)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\x07")
            await writer.drain()
            writer.close()

        async def run() -> None:
            async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
                store = RemoteStore(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", SECRET)
                assert [await asyncio.to_thread(store.latest) for _ in range(3)] == [7, 7, 7]
                store.close()

        asyncio.run(run())
        assert len(heard) == 3

    def test_what_is_not_there_is_not_found(self, tmp_path: Path) -> None:
        """A client that asks another service's route is told so as a mistake of the settings, not of the data."""

        async def work(at: Asked) -> None:
            client = StoreClient(at.url + "/elsewhere", SECRET)
            try:
                await client.stats()
            finally:
                await client.close()

        with pytest.raises(NotFoundError):
            tried(tmp_path, work)
