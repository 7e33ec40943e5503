"""What every store must certify of each day."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quotidian import clock
from quotidian.model import Gap, Home, Snapshot
from quotidian.model.day import Day
from quotidian.store import Certificate, Hole, Range, Store

from .deliveries import MANUAL, arrival, delivery, filled, letter
from .rows import DAY, MONDAY, NOON, ZONE, at, row, table

TODAY = MONDAY + 14 * DAY
DAY_LENGTH = 86_400_000_000
ACTS = ("append", "receive", "fill", "forget", "seal", "certify", "move")


def monday(store: Store) -> Certificate:
    """Give the certificate of the Monday."""
    (found,) = store.certificates(MONDAY, MONDAY)
    return found


def filled_monday(store: Store) -> None:
    """Let one of everything arrive on the Monday."""
    store.append(table(row("light.imported", at(MONDAY)), row("light.a", at(MONDAY))))
    events = [
        arrival(11, "light.b", at(MONDAY, 1)),
        arrival(12, "light.a", at(MONDAY)),
        filled(14, "light.c", at(MONDAY, 2)),
        arrival(15, "light.d", at(MONDAY, 3), cause=MANUAL),
        arrival(16, "light.secret", at(MONDAY, 4)),
        filled(17, "light.e", at(MONDAY - DAY, 4)),
    ]
    notes = {"snapshots": [Snapshot(1, Home("", ZONE))], "letters": [letter(18, at(MONDAY, 5))]}
    store.receive(delivery(10, 21, *events, **notes))


@pytest.fixture
def filtering(opened: Callable[..., Store]) -> Store:
    """Give a store in Berlin that leaves something out."""
    store = opened({"QUOTIDIAN_EXCLUDE": "*.secret"})
    store.set_home(Home("", ZONE))
    return store


def test_every_number_is_accounted_for(filtering: Store) -> None:
    """The range tells what each of its numbers carried, the day what its events came from."""
    filled_monday(filtering)
    found = monday(filtering)
    carried = {"received": 1, "filled": 2, "manual": 1, "duplicate": 1, "left_out": 1, "dead": 1, "notes": 1}
    assert found.ranges == [Range("stream", 10, 21, telling=4, **carried)]
    assert found.ranges[0].balanced
    counts = (found.received, found.filled, found.manual, found.duplicate, found.left_out, found.dead, found.imported)
    assert counts == (1, 1, 1, 1, 1, 1, 2)
    ledger = {day.date: day.events for day in filtering.days()}
    certified = filtering.certificates(MONDAY - DAY, MONDAY)
    assert ledger == {one.date: one.events for one in certified} == {MONDAY - DAY: 1, MONDAY: 5}


def test_a_range_is_a_day_s(store: Store) -> None:
    """What follows on the same day continues it; another day and what comes after a hole begin their own."""
    moments = [(1, at(MONDAY)), (2, at(MONDAY, 5)), (4, at(MONDAY, 6)), (5, at(MONDAY + DAY))]
    for number, moment in moments:
        store.receive(delivery(number, number, arrival(number, "light.a", moment)))
    found = store.certificates(MONDAY, MONDAY + DAY)
    assert [[(span.first, span.last) for span in one.ranges] for one in found] == [[(1, 2), (4, 4)], [(5, 5)]]
    assert [one.holes for one in found] == [[Hole("stream", 3, 3, at(MONDAY, 5.01), at(MONDAY, 6.01))], []]


def test_a_day_is_certified_when_it_is_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Today's certificate is provisional and in no chain; tomorrow it is final."""
    store.receive(delivery(1, 1, arrival(1, "light.a", NOON)))
    (today,) = store.certificates(TODAY, TODAY)
    assert (today.provisional, today.received, today.number, today.hash) == (True, 1, 0, "")
    assert store.verify().certificates == 0
    monkeypatch.setattr(clock, "now", lambda: Day.of(TODAY, ZONE).end)
    (final,) = store.certificates(TODAY, TODAY)
    assert msgspec.structs.replace(final, provisional=True, number=0, hash="") == today
    assert (final.number, len(final.hash)) == (1, 64)
    assert store.verify() == msgspec.structs.replace(store.verify(), certificates=1, head=final.hash, fault=None)


def test_what_changes_later_is_a_new_revision(store: Store, opened: Callable[..., Store]) -> None:
    """The chain grows only where something changed, and stays whole."""
    store.append(table(row("light.a", at(MONDAY)), row("light.a", at(MONDAY + DAY))))
    first = store.certificates(MONDAY, MONDAY + DAY)
    store.append(table(row("light.a", at(MONDAY))))
    store = opened()
    assert store.certificates(MONDAY, MONDAY + DAY) == first
    store.receive(delivery(1, 1, filled(1, "light.a", at(MONDAY, 1))))
    second = store.certificates(MONDAY, MONDAY + DAY)
    assert [(one.number, one.revision, one.events) for one in second] == [(3, 2, 2), (2, 1, 1)]
    assert (store.verify().certificates, store.verify().head, store.verify().fault) == (3, second[0].hash, None)


def test_sealing_certifies(store: Store) -> None:
    """The nightly job leaves a certificate of each day that is over."""
    store.append(table(row("light.a", at(MONDAY))))
    store.seal(TODAY)
    assert store.verify().certificates == 1


def test_gaps_are_told_on_each_day_that_they_touch(store: Store) -> None:
    """Also on a day without any event; what cannot be had back is told as spans of the day."""
    lost = Gap(id="a", start=at(MONDAY, 80_000), end=at(MONDAY + DAY, 60), state="unrecoverable", reason="no history")
    mended = Gap(id="b", start=at(MONDAY, 60), end=at(MONDAY, 70), state="filled", filled=3, unverifiable=2)
    store.receive(delivery(1, 2, gaps=[lost, mended]))
    first, second = store.certificates(MONDAY, MONDAY + DAY)
    assert (first.gaps, second.gaps) == ([mended, lost], [lost])
    assert first.unrecoverable == [(at(MONDAY, 80_000), at(MONDAY + DAY))]
    assert second.unrecoverable == [(at(MONDAY + DAY), at(MONDAY + DAY, 60))]
    assert (first.unverifiable, second.unverifiable) == (2, 0)
    store.receive(delivery(3, 3, gaps=[msgspec.structs.replace(lost, state="filled", end=at(MONDAY, 80_060))]))
    first, second = store.certificates(MONDAY, MONDAY + DAY)
    assert (first.unrecoverable, second.gaps, second.revision) == ([], [], 2)


def test_a_gap_of_a_hundred_years_is_told_of_the_last_ten(store: Store) -> None:
    """However long a gap, and however far in the future its end, the store stays small and today is told."""
    store.receive(delivery(1, 1, gaps=[Gap(id="a", start=0, end=1 << 62, state="unrecoverable")]))
    assert len(store.certificates(MONDAY - 20_000 * DAY, MONDAY + 40 * DAY)) == 3661
    assert store.certificates(TODAY, TODAY)[0].provisional


def test_what_is_forgotten_is_accounted_for(store: Store) -> None:
    """The day says how many events were taken out, in a new revision; the old one stays in the chain."""
    store.append(table(row("light.a", at(MONDAY)), row("light.b", at(MONDAY))))
    monday(store)
    store.forget("light.a")
    found = monday(store)
    assert (found.imported, found.removed, found.events, found.revision) == (2, 1, 1, 2)
    assert store.verify().fault is None


def test_another_zone_moves_events(store: Store) -> None:
    """Each day adds up to the ledger's events afterwards, and names its zone."""
    store.append(table(row("light.a", at(MONDAY, 60)), row("light.b", at(MONDAY, 80_000))))
    monday(store)
    store.set_home(msgspec.structs.replace(store.home, zone="America/New_York"))
    found = store.certificates(MONDAY - DAY, MONDAY)
    assert [(one.date, one.events) for one in found] == [(day.date, day.events) for day in store.days()]
    assert [(one.moved, one.zone) for one in found] == [(1, "America/New_York"), (-1, "America/New_York")]
    assert store.verify().fault is None


def test_an_account_outlives_its_events(opened: Callable[..., Store], tmp_path: Path) -> None:
    """Retention drops events and old dead letters; certificates stay."""
    store = opened({"QUOTIDIAN_RETENTION_RAW": "3"})
    store.set_home(Home("", ZONE))
    store.receive(delivery(1, 2, arrival(1, "light.a", at(MONDAY)), letters=[letter(2, at(MONDAY))]))
    store.receive(delivery(3, 4, snapshots=[Snapshot(at(MONDAY, n), Home("", ZONE, str(n))) for n in (0, 1)]))
    store.put_day(MONDAY, {}, {}, store.days()[0].revision)
    before = monday(store)
    store.retain(TODAY)
    assert (store.days(), store.dead_letters().kept, store.dead_letters().dropped) == ([], 0, 1)
    assert [one.home.name for one in store.snapshots()] == ["1"]
    assert monday(store) == before
    assert before.events == 1


def test_an_old_account_goes_and_is_continued(opened: Callable[..., Store]) -> None:
    """A year later only the certificate tells of a day; what comes then counts on top, and the chain is whole."""
    store = opened()
    store.set_home(Home("", ZONE))
    gap = Gap(id="a", start=at(MONDAY, 60), end=at(MONDAY, 90), state="unrecoverable", reason="no history")
    store.receive(delivery(1, 2, arrival(1, "light.a", at(MONDAY)), gaps=[gap]))
    store.receive(delivery(5, 5, arrival(5, "light.b", at(MONDAY, 9))))
    store.receive(delivery(6, 6, arrival(6, "light.a", at(MONDAY + 400 * DAY))))
    store.put_day(MONDAY, {}, {}, store.days()[0].revision)
    before = monday(store)
    assert (before.missing, len(before.gaps), len(before.ranges)) == (2, 1, 2)
    assert store.gaps(gap.start, gap.end) == [gap]
    store.retain(MONDAY + 400 * DAY)
    assert store.gaps(gap.start, gap.end) == []
    assert monday(store) == plain_gaps(before)
    for number in (1, 2):
        store.append(table(row("light.late", at(MONDAY, number))))
        after = monday(store)
        assert (after.revision, after.imported) == (before.revision + number, number)
        told = msgspec.structs.replace(
            after, imported=0, revision=before.revision, number=before.number, hash=before.hash
        )
        assert told == plain_gaps(before)
    assert store.verify().fault is None


def plain_gaps(certificate: Certificate) -> Certificate:
    """Leave out the reasons of gaps: they are forgotten with the account."""
    gaps = [msgspec.structs.replace(gap, reason="") for gap in certificate.gaps]
    return msgspec.structs.replace(certificate, gaps=gaps)


def act(store: Store, number: int, act: str, hour: int) -> None:
    """Do one of the things that change what days have."""
    moment = at(MONDAY, 3600 * hour)
    name = f"light.{hour % 2}"
    if act == "append":
        copies = [row(name, moment), row(name, moment // 1000 * 1000 - 1000, source="csv")]
        store.append(table(*copies, row("light.2", moment + DAY_LENGTH)))
    elif act == "receive":
        store.receive(delivery(number, number, arrival(number, name, moment + hour % 3)))
    elif act == "fill":
        store.receive(delivery(number, number, filled(number, name, moment)))
    elif act == "forget":
        store.forget(name)
    elif act == "seal":
        store.seal(MONDAY + 5 * DAY)
    elif act == "certify":
        store.certificates(MONDAY, MONDAY)
    else:
        store.set_home(msgspec.structs.replace(store.home, zone=("UTC", ZONE, "Pacific/Apia")[hour % 3]))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 40)), max_size=12))
def test_whatever_happens_certificates_agree_with_the_ledger(
    opened: Callable[..., Store], tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]
) -> None:
    """Imported, received, sealed, forgotten, parted by another zone: each day adds up, and the chain is whole."""
    store = opened(directory=tmp_path_factory.mktemp("store"))
    for number, (name, hour) in enumerate(acts, 1):
        act(store, number, name, hour)
    ledger = {day.date: day.events for day in store.days() if day.events}
    certified = store.certificates(MONDAY - 5 * DAY, MONDAY + 9 * DAY)
    assert {one.date: one.events for one in certified if one.events} == ledger
    assert all(span.balanced for one in certified for span in one.ranges)
    assert store.verify().fault is None
    zone = store.home.zone
    assert {date: store.day_events(Day.of(date, zone)).num_rows for date in ledger} == ledger
