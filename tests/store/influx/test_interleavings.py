"""Whatever is done to a store, in whatever order: in InfluxDB it ends in what it ends in without."""

import datetime as dt
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from hypothesis import HealthCheck, example, given
from hypothesis import settings as laws
from hypothesis import strategies as st

from quotidian import clock
from quotidian.errors import UnreachableError
from quotidian.model import Day, Home, Integers, RollUp, Summary
from quotidian.settings import Settings
from quotidian.store import Checkpoint, Store
from quotidian.store.connect import open_here, prepare
from quotidian.store.influx.lines import tag

from ...contracts.deliveries import arrival, delivery, filled, letter  # noqa: TID252 - tests are no package
from ...influx.server import Influx  # noqa: TID252
from ..backups import archive_of, restored  # noqa: TID252
from .days import DAY, MONDAY, NOON, ZONE, many, one

HALF: Final = 43_200_000_000  # µs
DAYS: Final = 5
#: Days that both kinds keep; InfluxDB drops by itself what is older.
KEPT: Final = {"RAW": "5d", "DAILY": "35d", "WEEKLY": "35d"}
ENTITIES: Final = ("light.a", "light.b", "sensor.\\", 'lock."${x}', "sensor.na\x00\nme")


class Life:
    """A store of one kind, and what happens to it; ``step`` does one thing."""

    def __init__(self, directory: Path, settings: Settings, influx: Influx | None = None) -> None:
        self.directory, self._settings, self._influx = directory, settings, influx
        self.now, self._numbers = NOON, 0
        self.store = self._opened()
        self.store.set_home(Home(self.store.home.id, ZONE))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def _opened(self, *, here: bool = False) -> Store:
        return open_here(self.directory, self._settings, here=here)

    def _again(self, *, here: bool = False) -> None:
        self.store.close()
        self.store = self._opened(here=here)

    def step(self, name: str, *values: Any) -> None:
        """Do one thing; where InfluxDB fails, once more."""
        clock_now = self.now
        try:
            getattr(self, name)(*values)
        except UnreachableError:
            assert self.now == clock_now
            if self._influx is not None:
                self._influx.faults.clear()
            getattr(self, name)(*values)

    def imported(self, day: int, entity: int, seconds: int, source: str) -> None:
        """Import an event, with who caused it."""
        actor = ENTITIES[(entity + 1) % len(ENTITIES)]
        event = one(ENTITIES[entity], MONDAY + day * DAY, seconds, source=source, cause_entity=actor)
        self.store.append(event, Checkpoint("a source", f"{day} {seconds}"))

    def large(self, day: int, seed: int) -> None:
        """Import a day at once."""
        self.store.append(many(MONDAY + day * DAY, 2_100, seed))

    def received(self, day: int, entity: int, seconds: int) -> None:
        """Receive a delivery; where its answer is lost, twice."""
        first = self._numbers + 1
        moment = Day.of(MONDAY + day * DAY, ZONE).start + seconds * 1_000_000
        events = [arrival(first, ENTITIES[entity], moment), filled(first + 1, "light.b", moment + 7)]
        told = delivery(first, first + 3, *events, letters=[letter(first + 2, moment, ENTITIES[entity])])
        receipt = self.store.receive(told)
        assert self.store.receive(told) == receipt
        self._numbers += 4

    def sealed(self, day: int) -> None:
        """Seal days."""
        self.store.seal(min(MONDAY + day * DAY, self._today()))

    def _today(self) -> dt.date:
        return Day.containing(self.now, self.store.home.zone).date

    def settled(self, steps: int) -> None:
        """Move some of what is over."""
        for _ in range(steps):
            self.store.settle()

    def later(self) -> None:
        """Let half a day go by, on which the services run."""
        self.store.seal(self._today())
        while self.store.settle():
            pass
        self.now += HALF
        if self._influx is not None:
            for bucket in self._influx.buckets.values():
                bucket.expire(self.now * 1_000)

    def folded(self) -> None:
        """Fold what is due, and unite weeks."""
        for day in self.store.days():
            if day.due and day.events and day.date < self._today():
                names = sorted(
                    set(self.store.day_events(Day.of(day.date, self.store.home.zone))["entity_id"].to_pylist())
                )
                row = Integers(tuple(names), {"n": [day.events]})
                told = [RollUp(day.date, "a", name, {"n": day.events}) for name in names]
                self.store.put_day(day.date, {"a": (1, row), "row": (1, row)}, {"a": row}, day.revision, told)
        for start, folds in self.store.stale("weekly").items():
            days = self.store.summary("a", 1, start, start + 6 * DAY).days
            before = self.store.period_summary("weekly", "a", 1, start, start)
            after = before.without(frozenset(days)).merged(Summary("a", 1, days))
            self.store.put_period("weekly", start, after, folds)
            self.store.united("weekly", start, folds)
        for start, folds in self.store.stale("monthly").items():
            self.store.united("monthly", start, folds)

    def forgotten(self, entity: int) -> None:
        """Forget an entity."""
        name = ENTITIES[entity]
        self.store.forget(name)
        if self._influx is not None:
            told = repr([[*bucket.points()] for bucket in self._influx.buckets.values()])
            named = {tag(name) in told, json.dumps(name)[1:-1] in told}
            assert named == {False}
        held = [path.read_bytes() for path in self.directory.rglob("*") if path.is_file()]
        assert not sum(name.encode() in content for content in held)

    def rezoned(self, zone: str) -> None:
        """Move the home."""
        self.store.set_home(Home(self.store.home.id, zone))

    def retained(self) -> None:
        """Drop what is old."""
        self.store.retain(self._today())

    def opened_again(self) -> None:
        """Close the store and open it again."""
        self._again()

    def copied(self) -> None:
        """Move everything into files; what is done next brings some of it back."""
        if self._influx is None:
            return
        self._again(here=True)
        try:
            while self.store.settle():
                pass
            assert self.store.astray().days == self.store.astray().summaries == 0
        finally:
            self._again()

    def restored(self) -> None:
        """Back the store up, and go on with what is restored."""
        packed = archive_of(self.store)
        self.store.close()
        restored(packed, self.directory, replace=True)
        for aside in self.directory.glob("replaced-*"):
            shutil.rmtree(aside)
        self.store = self._opened()

    def broken(self, *, done: bool) -> None:
        """Let InfluxDB break off the next request."""
        if self._influx is not None:
            self._influx.cut(done=done)

    def content(self) -> dict[str, Any]:
        """Give everything that is kept, of which nothing may be damaged."""
        if self._influx is not None:
            self._influx.faults.clear()
        store, first, last = self.store, MONDAY - 60 * DAY, MONDAY + 60 * DAY
        assert not store.check(first, last).faults
        assert store.verify().fault is None
        return {
            "days": [msgspec.structs.replace(day, sealed_bytes=0) for day in store.days()],
            "events": [store.day_events(Day.of(day.date, store.home.zone)).to_pylist() for day in store.days()],
            "certificates": [store.certificates(first, last), store.verify()],
            "daily": [store.summary(name, 1, first, last).days for name in ("a", "row")],
            "weekly": store.period_summary("weekly", "a", 1, first, last).days,
            "rollups": store.summaries(first, last, limit=1_000),
            "carries": [store.carries(MONDAY + day * DAY) for day in range(DAYS)],
            "books": [store.marks(), store.stale("weekly"), store.dead_letters().letters, store.gaps(0, 1 << 61)],
            "received": [store.received("stream"), store.checkpoint("a source")],
        }


_DAY = st.integers(0, DAYS - 1)
_ENTITY = st.integers(0, len(ENTITIES) - 1)
_SECONDS = st.integers(0, 5)
STEPS = st.one_of(
    st.tuples(st.just("imported"), _DAY, _ENTITY, _SECONDS, st.sampled_from(("recorder", "csv"))),
    st.tuples(st.just("received"), _DAY, _ENTITY, _SECONDS),
    st.tuples(st.just("large"), _DAY, st.integers(0, 2)),
    st.tuples(st.just("sealed"), _DAY),
    st.tuples(st.just("settled"), st.integers(1, 6)),
    st.tuples(st.just("forgotten"), _ENTITY),
    st.tuples(st.just("rezoned"), st.sampled_from((ZONE, "America/New_York", "Pacific/Auckland"))),
    *(st.tuples(st.just(name)) for name in ("later", "folded", "retained", "opened_again", "copied", "restored")),
)


def kept(influx: Influx, kind: str) -> Settings:
    """Give the settings of a store of one kind; both keep things for as long."""
    values = {"QUOTIDIAN_STORE": kind, "INFLUXDB_URL": influx.url, "INFLUXDB_TOKEN": influx.token}
    values |= {f"{of}_RETENTION_{layer}": days for of in ("QUOTIDIAN", "INFLUXDB") for layer, days in KEPT.items()}
    return Settings(values | {"INFLUXDB_ORG": influx.org})


#: What InfluxDB showed before a restore names the entity too.
AFTER_RESTORE: Final[list[Any]] = [
    (("later",), None),
    (("imported", 1, 4, 0, "recorder"), None),
    (("later",), None),
    (("restored",), None),
    (("forgotten", 0), None),
]


@example(AFTER_RESTORE)
@given(st.lists(st.tuples(STEPS, st.sampled_from((None, None, None, True, False))), min_size=4, max_size=20))
@laws(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_kinds_end_in_the_same(
    running: Influx, time: Callable[[int], None], steps: list[tuple[tuple[Any, ...], bool | None]]
) -> None:
    """Also where InfluxDB breaks off in between, before or after it has done what was asked."""
    time(NOON)
    running.reset()
    running.now = lambda: clock.now()  # noqa: PLW0108 - the clock changes
    prepare(kept(running, "influx"))
    with (
        tempfile.TemporaryDirectory() as scratch,
        Life(Path(scratch, "there"), kept(running, "influx"), running) as moving,
        Life(Path(scratch, "here"), kept(running, "embedded")) as plain,
    ):
        for step, breaks in steps:
            for life in (moving, plain):
                time(life.now)
                if breaks is not None:
                    life.broken(done=breaks)
                life.step(*step)
        # Of what differs only the name is told: to tell how days differ takes pytest hours.
        there, here = moving.content(), plain.content()
        assert [name for name in there if there[name] != here[name]] == []
