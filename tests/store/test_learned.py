"""Claims about what the store's service tells of days and habits, on a real port."""

import asyncio
import datetime as dt
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from quotidian import clock
from quotidian.errors import CorruptStoreError
from quotidian.model import Area, Day, Entity, Evidence, Finding, Home, Integers, Pattern, RollUp, Status
from quotidian.model.pattern import Revision
from quotidian.model.rollup import Figures
from quotidian.settings import Settings
from quotidian.store import Store, connect
from quotidian.store.app import create_app
from quotidian.store.embedded.database import FILE

from ..service.apps import SECRET, ask, served  # noqa: TID252 - tests are no package

ZONE = "Europe/Berlin"
MONDAY, DAY = dt.date(2026, 3, 2), dt.timedelta(days=1)
HALL, DESK = "light.hall", "light.desk"
_FIGURES: Figures = {"occurrences": 4, "peak_hours": [6, 18], "states": ["off", "ön"], "confidence": 0.75}
_PACKED = "48A825FD60346B44766A0BB25359902C9CC426841C2B8B0F6FCB4331EC05C430001B9F1FDF"
Get = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be noon of the Monday."""
    monkeypatch.setattr(clock, "now", lambda: Day.of(MONDAY, ZONE).start + 43_200_000_000)


def tried(folder: Path, fill: Callable[[Store], None], work: Callable[[Get], Awaitable[Any]]) -> None:
    """Fill a store, serve it, and ask it."""
    settings = Settings({"QUOTIDIAN_DATA": str(folder), "QUOTIDIAN_SECRET": SECRET})
    store = connect(folder, settings)
    entities = {HALL: Entity(HALL, area="hall"), DESK: Entity(DESK, area="office")}
    areas = {name: Area(name, name) for name in ("hall", "office")}
    store.set_home(Home(store.home.id, ZONE, areas=areas, entities=entities))
    fill(store)
    store.close()

    async def run() -> None:
        async with served(create_app(settings)) as url:

            async def get(path: str, **query: Any) -> tuple[int, Any]:
                status, _, content = await ask("GET", f"{url}/api/v1/{path}", SECRET, params=query)
                return status, json.loads(content)

            await work(get)

    asyncio.run(run())


def days(store: Store) -> None:
    """Put the 30 days up to the Monday: two lamps by two detectors, and a room."""
    for number in range(30):
        date = MONDAY - number * DAY
        lamps = [
            RollUp(date, detector, name, {"occurrences": number})
            for name in (HALL, DESK)
            for detector in ("time_of_day", "duration")
        ]
        rooms = RollUp(date, "room", "hall", {"seconds": 60})
        store.put_day(date, {"room": (1, Integers(("hall",), {"count": [3]}))}, {}, 1, [*lamps, rooms])


def habit(name: str, *subject: str, detector: str = "time_of_day", **more: Any) -> Pattern:
    """Make a pattern."""
    confidence, members = more.pop("confidence", 0.9), more.pop("members", subject)
    finding = Finding(
        detector=detector,
        subject=subject,
        anchor=405,
        measures={"members": list(members)},
        evidence=Evidence(kept=38, observed=40, low=0.85, high=0.98),
        confidence=confidence,
        sentence=f"About 06:45 {name}",
    )
    history = (
        Revision(MONDAY - 9 * DAY, Status.ACTIVE, 398, 29, 31),
        Revision(MONDAY, Status.ACTIVE, 405, 38, 40),
        Revision(MONDAY, Status.ACTIVE, None, 38, 40),
    )
    date = {"first_seen": MONDAY, "last_seen": MONDAY, "updated": MONDAY}
    return Pattern(id=name, finding=finding, history=history, **date, **more)


def habits(store: Store) -> None:
    """Put five habits."""
    patterns = [
        habit("a", f"{HALL}=on", confidence=0.6),
        habit("b", f"{HALL}=off", confidence=0.95),
        habit("c", f"{DESK}=on", members=[f"{DESK}=on", f"{HALL}=on"], status=Status.FADING),
        habit("d", "hall", detector="room", members=()),
        habit("e", "light.hall_ceiling=on", status=Status.RETIRED, confidence=0.99),
    ]
    store.put_patterns("daily", MONDAY, patterns, store.nights.revision)


class TestSummaries:
    def test_what_a_lamp_did_each_day(self, tmp_path: Path) -> None:
        """Newest day first, of one detector or of all, of the entity alone."""

        async def work(get: Get) -> None:
            status, page = await get("summaries/time_of_day", entity_id=HALL)
            assert (status, page["cursor"], len(page["summaries"])) == (200, None, 30)
            assert page["summaries"][0] == {
                "date": "2026-03-02",
                "detector": "time_of_day",
                "entity_id": HALL,
                "figures": {"occurrences": 0},
            }
            assert [one["figures"]["occurrences"] for one in page["summaries"]] == [*range(30)]
            _, page = await get("summaries", entity_id=HALL)
            assert [one["detector"] for one in page["summaries"]] == ["duration", "time_of_day"] * 30

        tried(tmp_path, days, work)

    def test_days_are_asked_for_as_elsewhere(self, tmp_path: Path) -> None:
        """Dates, or times that stand for the home's day in which they lie; both ends are included."""
        asked = [
            ({"start": "2026-02-20", "end": "2026-02-22"}, "2026-02-22", 3),
            ({"start": "7d ago"}, "2026-03-02", 8),
            ({"end": "2026-02-03T23:30:00Z"}, "2026-02-04", 4),
            ({"start": "2026-03-02T12:00:00"}, "2026-03-02", 1),
            ({"start": "now", "end": "now"}, "2026-03-02", 1),
        ]

        async def work(get: Get) -> None:
            for span, newest, count in asked:
                status, page = await get("summaries/room", **span)
                dates = [one["date"] for one in page["summaries"]]
                assert (status, dates[0], len(dates)) == (200, newest, count), span

        tried(tmp_path, days, work)

    def test_pages_and_areas(self, tmp_path: Path) -> None:
        """Pages join without a gap, also among what is said of an area and of what is in it."""

        async def work(get: Get) -> None:
            found, cursor = [], {}
            while True:
                _, page = await get("summaries", area="hall", limit=7, **cursor)
                found += [(one["date"], one["entity_id"], one["detector"]) for one in page["summaries"]]
                if page["cursor"] is None:
                    break
                cursor = {"cursor": page["cursor"]}
            assert len(set(found)) == len(found) == 90
            assert {name for _, name, _ in found} == {"hall", HALL}
            assert found == sorted(found, key=lambda one: (-dt.date.fromisoformat(one[0]).toordinal(), *one[1:]))

        tried(tmp_path, days, work)

    def test_what_cannot_be_answered(self, tmp_path: Path) -> None:
        """The error names what is wrong."""
        asked: list[tuple[str, dict[str, Any], int, str]] = [
            ("summaries/nonsense", {}, 404, "no detector 'nonsense'"),
            ("summaries", {"start": "tomorrow-ish"}, 400, "start"),
            ("summaries", {"start": "2026-03-02", "end": "2026-03-01"}, 400, "end lies before start"),
            ("summaries", {"limit": 0}, 422, "limit"),
            ("summaries", {"limit": 1001}, 422, "limit"),
            ("summaries", {"cursor": "AAAA"}, 400, "cursor"),
            ("summaries", {"cursor": "MjAyNi0xMy0wMTphOmI"}, 400, "cursor"),
            ("summaries/room", {"entity": HALL}, 400, "entity_id"),
            ("patterns", {"kind": "nonsense"}, 404, "no detector 'nonsense'"),
            ("patterns", {"state": "asleep"}, 422, "state"),
            ("patterns", {"min_confidence": 2}, 422, "min_confidence"),
            ("patterns", {"min_confidence": "high"}, 422, "min_confidence"),
            ("patterns", {"limit": -1}, 422, "limit"),
            ("patterns", {"entity": HALL}, 400, "entity_id"),
            ("patterns/nobody", {}, 404, "no pattern 'nobody'"),
            ("patterns/nobody/history", {}, 404, "no pattern 'nobody'"),
        ]

        async def work(get: Get) -> None:
            for path, query, expected, told in asked:
                status, answer = await get(path, **query)
                assert (status, path, query) == (expected, path, query)
                assert told in answer["error"]["what"] + answer["error"]["remedy"]

        tried(tmp_path, days, work)

    def test_the_integers_behind_them(self, tmp_path: Path) -> None:
        """As words and columns, by detector, version and day."""

        async def work(get: Get) -> None:
            status, found = await get("summaries/room/1")
            assert (status, found["days"][-1], len(found["days"])) == (200, "2026-03-02", 30)
            shown = {"words": ["hall"], "columns": {"count": [3]}}
            assert await get("summaries/room/1/2026-03-02") == (200, shown)
            assert (await get("summaries/room/2/2026-03-02"))[0] == 404

        tried(tmp_path, days, work)


class TestPatterns:
    def test_habits_are_chosen(self, tmp_path: Path) -> None:
        """By kind, entity (also one that only moves together with the subject), area, state, confidence and number."""
        asked: list[tuple[dict[str, Any], str]] = [
            ({}, "bdace"),
            ({"kind": "room"}, "d"),
            ({"entity_id": HALL}, "bac"),
            ({"entity_id": "light"}, ""),
            ({"area": "hall"}, "bdac"),
            ({"area": "office"}, "c"),
            ({"state": "active"}, "bda"),
            ({"state": "retired"}, "e"),
            ({"min_confidence": 0.95}, "be"),
            ({"limit": 2}, "bd"),
            ({"entity_id": HALL, "state": "active", "min_confidence": 0.7}, "b"),
        ]

        async def work(get: Get) -> None:
            for query, expected in asked:
                status, found = await get("patterns", **query)
                assert (status, found["reviewed"]) == (200, "2026-03-02")
                assert ("".join(one["id"] for one in found["patterns"]), query) == (expected, query)

        tried(tmp_path, habits, work)

    def test_what_another_tells_better_is_left_out(self, tmp_path: Path) -> None:
        """Unless all are asked for, or the one that tells it is not in the list; each says what it tells."""
        asked: list[tuple[dict[str, Any], str]] = [
            ({}, "bda"),
            ({"all": "true"}, "bdac"),
            ({"all": "true", "limit": 1}, "b"),
            ({"entity_id": DESK}, "c"),
            ({"entity_id": HALL}, "ba"),
        ]

        def fill(store: Store) -> None:
            patterns = [
                habit("a", f"{HALL}=on", confidence=0.6),
                habit("b", f"{HALL}=off", confidence=0.95),
                habit("c", f"{DESK}=on", confidence=0.5, told_by="b"),
                habit("d", "hall", detector="room", members=()),
            ]
            store.put_patterns("daily", MONDAY, patterns, store.nights.revision)

        async def work(get: Get) -> None:
            for query, expected in asked:
                _, found = await get("patterns", **query)
                assert ("".join(one["id"] for one in found["patterns"]), query) == (expected, query)
            _, found = await get("patterns", all="true")
            assert [(one["id"], one["told_by"], one["tells"]) for one in found["patterns"]] == [
                ("b", None, ["c"]),
                ("d", None, []),
                ("a", None, []),
                ("c", "b", []),
            ]
            assert (await get("patterns/b"))[1]["tells"] == ["c"]
            assert (await get("patterns/c"))[1]["told_by"] == "b"

        tried(tmp_path, fill, work)

    def test_how_one_moved(self, tmp_path: Path) -> None:
        """One habit is given as it is among all; its history with times of the day, oldest first."""

        async def work(get: Get) -> None:
            status, one = await get("patterns/a")
            assert status == 200
            assert msgspec.convert(one, Pattern) == habit("a", f"{HALL}=on", confidence=0.6)
            status, moved = await get("patterns/a/history")
            assert (status, moved["id"], moved["sentence"]) == (200, "a", "About 06:45 a")
            assert [(step["date"], step["time"], step["kept"]) for step in moved["history"]] == [
                ("2026-02-21", "06:38", 29),
                ("2026-03-02", "06:45", 38),
                ("2026-03-02", None, 38),
            ]
            assert moved["history"][0] == {
                "date": "2026-02-21",
                "status": "active",
                "anchor": 398,
                "time": "06:38",
                "kept": 29,
                "observed": 31,
            }

        tried(tmp_path, habits, work)


class TestRows:
    def test_a_row_of_once_is_read_for_good(self, tmp_path: Path) -> None:
        """What was packed against the ordinary day of the first release is told as it was put."""
        store = connect(tmp_path, Settings({}))
        store.put_day(MONDAY, {}, {}, 0, [RollUp(MONDAY, "time_of_day", HALL, _FIGURES)])
        store.close()
        with closing(sqlite3.connect(tmp_path / FILE)) as database:
            database.execute("UPDATE rollup SET packed = ?", (bytes.fromhex(_PACKED),))
            database.commit()
        store = connect(tmp_path, Settings({}))
        assert store.summaries(MONDAY, MONDAY) == [RollUp(MONDAY, "time_of_day", HALL, _FIGURES)]
        store.close()

    def test_a_pattern_of_once_is_told_by_none(self, tmp_path: Path) -> None:
        """Patterns that were put away before they could be told by others are read, and told."""
        store = connect(tmp_path, Settings({}))
        store.put_patterns("daily", MONDAY, [habit("a", f"{HALL}=on")], store.nights.revision)
        store.close()
        with closing(sqlite3.connect(tmp_path / FILE)) as database:
            (packed,) = database.execute("SELECT packed FROM pattern").fetchone()
            fields = msgspec.msgpack.decode(packed)
            del fields["told_by"]
            database.execute("UPDATE pattern SET packed = ?", (msgspec.msgpack.encode(fields),))
            database.commit()
        store = connect(tmp_path, Settings({}))
        assert store.patterns() == [habit("a", f"{HALL}=on")]
        store.close()

    def test_a_damaged_row_is_named(self, tmp_path: Path) -> None:
        """The error tells the day, the entity and the remedy."""
        store = connect(tmp_path, Settings({}))
        store.put_day(MONDAY, {}, {}, 0, [RollUp(MONDAY, "time_of_day", HALL, _FIGURES)])
        store.close()
        with closing(sqlite3.connect(tmp_path / FILE)) as database:
            database.execute("UPDATE rollup SET packed = substr(packed, 1, length(packed) - 6)")
            database.commit()
        store = connect(tmp_path, Settings({}))
        with pytest.raises(CorruptStoreError, match=f"{MONDAY} say of {HALL} is damaged.*refold"):
            store.summaries(MONDAY, MONDAY)
        store.close()
