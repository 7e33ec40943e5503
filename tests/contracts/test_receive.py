"""What every store must do with deliveries."""

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quotidian.errors import BehindError, RequestError
from quotidian.model import Arrival, Cause, CauseKind, Enriched, Entity, Gap, Home, Receipt, Refusal, Snapshot, Source
from quotidian.model.event import events_of, table_from
from quotidian.store import Store

from .deliveries import MANUAL, arrival, delivery, event, filled, letter
from .rows import DAY, MONDAY, NOON, ZONE, at, kept, row, table


class TestEvents:
    def test_an_event_comes_back_as_it_was(self, store: Store) -> None:
        """Cause, registry, attributes, removal and times round-trip; attributes that are not allowed do not."""
        words = {"area": "den", "floor": "Attic", "device": "d", "device_class": "power", "unit": "W"}
        attributes = {"temperature": 21.5, "brightness": 3, "token": "hush", "source": {"b": 1, "a": [None]}}
        sent = event("light.🦉", at(MONDAY, 5), "7", attributes=attributes, labels=("x", "y"), **words)
        sent = msgspec.structs.replace(
            sent, last_changed=at(MONDAY, 3), cause=Cause(CauseKind.SCRIPT, "script.a", "u"), source=Source.HISTORY
        )
        gone = event("light.gone", at(MONDAY, 6), None)
        receipt = store.receive(
            delivery(1, 7, *(Arrival(seq=seq, arrived=NOON, event=one) for seq, one in ((5, sent), (7, gone))))
        )
        assert receipt == Receipt(stream="stream", last=7, new=2)
        found = {one.entity_id: one for one in events_of(store.events(), store.home.id)}
        del attributes["token"]
        for one in (sent, gone):
            told = {"attributes": {}, "event_id": "", "home": "", "value": None}
            again = found[one.entity_id]
            assert msgspec.structs.replace(again, **told) == msgspec.structs.replace(one, **told)
        assert found["light.🦉"].attributes == attributes

    def test_what_the_settings_leave_out_is_counted(self, opened: Callable[..., Store]) -> None:
        """Excluded entities never reach the disk; their numbers are accounted for."""
        store = opened({"QUOTIDIAN_EXCLUDE": "*.secret*"})
        events = [arrival(1, "light.a", at(MONDAY)), arrival(2, "light.secret", at(MONDAY))]
        assert store.receive(delivery(1, 2, *events)) == Receipt(stream="stream", last=2, new=1, left_out=1)
        assert [line["entity_id"] for line in kept(store)] == ["light.a"]

    def test_a_copy_is_known_whichever_way_it_comes(self, store: Store) -> None:
        """Heard and filled, imported and received, twice in one delivery: one event, from the best source."""
        first = [arrival(1, "light.a", at(MONDAY)), filled(2, "light.a", at(MONDAY))]
        assert (receipt := store.receive(delivery(1, 2, *first))).new == receipt.known == 1
        assert store.receive(delivery(1, 1, filled(1, "light.a", at(MONDAY)), stream="other")).known == 1
        store.append(table(row("light.b", at(MONDAY), source="recorder", user="u")))
        assert store.receive(delivery(3, 3, arrival(3, "light.b", at(MONDAY)))).known == 1
        assert store.append(table(row("light.a", at(MONDAY), source="recorder"))).known == 1
        assert [(line["entity_id"], line["source"], line["user"]) for line in kept(store)] == [
            ("light.a", "live", None),
            ("light.b", "live", "u"),
        ]

    def test_an_event_of_a_sealed_day_is_late_but_not_lost(self, store: Store) -> None:
        """It is read with the day's file at once, and a copy of what is in the file is known."""
        store.append(table(row("light.a", at(MONDAY))))
        store.seal(MONDAY + DAY)
        events = [filled(1, "light.a", at(MONDAY)), filled(2, "light.b", at(MONDAY))]
        assert (receipt := store.receive(delivery(1, 2, *events))).new == receipt.known == 1
        assert [line["entity_id"] for line in kept(store)] == ["light.a", "light.b"]
        assert store.days()[0].due

    def test_a_time_outside_the_calendar_makes_a_dead_letter(self, store: Store) -> None:
        """One event that cannot be kept keeps no other from it."""
        events = [arrival(seq, "light.a", when) for seq, when in enumerate((1 << 61, at(MONDAY), -(1 << 61)), 1)]
        receipt = store.receive(delivery(1, 3, *events))
        assert (receipt.new, receipt.dead, [refusal.seq for refusal in receipt.refusals]) == (1, 2, [1, 3])
        assert '"light.a"' in store.dead_letters().letters[0].text


class TestNumbers:
    def test_a_redelivery_changes_nothing_and_is_answered_the_same(
        self, store: Store, opened: Callable[..., Store]
    ) -> None:
        """However often an answer is lost, nothing is counted twice, after a restart too."""
        sent = delivery(1, 4, arrival(1, "light.a", at(MONDAY)), letters=[letter(3, at(MONDAY))])
        receipt = store.receive(sent)
        before = store.days(), store.certificates(MONDAY, MONDAY), store.dead_letters()
        assert store.receive(sent) == receipt
        store = opened()
        assert store.receive(sent) == receipt
        assert (store.days(), store.certificates(MONDAY, MONDAY), store.dead_letters()) == before
        assert (receipt.new, receipt.dead, store.received("stream"), store.received("none")) == (1, 1, 4, 0)

    def test_an_older_delivery_is_answered_as_known(self, store: Store) -> None:
        """It says that everything is here, and what could not be used."""
        old = delivery(1, 2, arrival(1, "light.a", at(MONDAY)), letters=[letter(2, at(MONDAY))])
        store.receive(old)
        store.receive(delivery(3, 3))
        refusals = [Refusal(2, "That is no JSON.")]
        assert store.receive(old) == Receipt(stream="stream", last=2, known=1, dead=1, refusals=refusals)
        assert store.received("stream") == 3

    def test_of_an_overlap_only_the_new_numbers_count(self, store: Store) -> None:
        """A delivery that was cut otherwise adds what was not received before."""
        first, second = arrival(1, "light.a", at(MONDAY)), arrival(3, "light.a", at(MONDAY, 1))
        notes = [letter(2, at(MONDAY)), letter(4, at(MONDAY))]
        store.receive(delivery(1, 2, first, letters=notes[:1]))
        receipt = store.receive(delivery(1, 4, first, second, letters=notes))
        assert (receipt.new, receipt.known, receipt.dead) == (1, 0, 1)
        (certificate,) = store.certificates(MONDAY, MONDAY)
        (span,) = certificate.ranges
        assert (span.first, span.last, span.received, span.dead, span.balanced) == (1, 4, 2, 2, True)

    def test_numbers_that_were_skipped_are_told(self, store: Store) -> None:
        """The span reaches from the arrival before to the one after; a lost answer is told again."""
        before, after = arrival(5, "light.a", at(MONDAY)), arrival(9, "light.a", at(MONDAY, 60))
        store.receive(delivery(1, 5, before))
        sent = delivery(9, 9, after)
        span = (before.arrived, after.arrived)
        assert store.receive(sent).missing == store.receive(sent).missing == span
        longer = delivery(9, 10, after, arrival(10, "light.a", at(MONDAY, 61)))
        assert store.receive(longer).missing == span
        assert store.receive(delivery(11, 11)).missing is None
        (certificate,) = store.certificates(MONDAY, MONDAY)
        (hole,) = certificate.holes
        assert (hole.first, hole.last, hole.since, hole.until, certificate.missing) == (6, 8, *span, 3)

    def test_an_older_store_tells_what_it_never_received(self, store: Store) -> None:
        """Of a stream that another store received until now it says so: since it last received anything, if ever."""
        first, next_ = arrival(5, "light.a", at(MONDAY)), arrival(9, "light.a", at(MONDAY, 60))
        sent = delivery(5, 5, first, stream="a")
        assert store.receive(sent).missing == store.receive(sent).missing == (0, first.arrived)
        sent = delivery(9, 9, next_, stream="b")
        assert store.receive(sent).missing == store.receive(sent).missing == (first.arrived, next_.arrived)
        assert store.receive(delivery(10, 10, stream="b")).missing is None
        (certificate,) = store.certificates(MONDAY, MONDAY)
        assert certificate.missing == 0

    @pytest.mark.parametrize("before", [0, 4])
    def test_a_delivery_that_follows_on_what_is_not_here_is_refused(self, store: Store, before: int) -> None:
        """Nothing of it is kept, nor taken note of its stream; without what it follows on it is taken as any other."""
        if before:
            store.receive(delivery(1, before, arrival(1, "light.a", at(MONDAY))))
        known = store.days(), store.certificates(MONDAY, MONDAY), store.home
        events, home = [arrival(8, "light.b", at(MONDAY, 60))], Home("h", ZONE, "Another")
        sent = delivery(8, 10, *events, letters=[letter(9, at(MONDAY, 60))], snapshots=[Snapshot(1, home)])
        for follows in (before + 1, 7, 1 << 62):
            with pytest.raises(BehindError, match=f"follows on {follows}.* behind {before}"):
                store.receive(msgspec.structs.replace(sent, follows=follows))
        assert (store.days(), store.certificates(MONDAY, MONDAY), store.home) == known
        assert (store.received("stream"), store.dead_letters().kept, store.snapshots()) == (before, 0, [])
        assert store.receive(sent).missing == (at(MONDAY) + 10_000 if before else 0, events[0].arrived)

    def test_a_delivery_that_follows_on_what_is_here_is_taken(self, store: Store) -> None:
        """On the last number or on one before it, and also where its own numbers were received before."""
        store.receive(delivery(1, 4))
        for follows, first, last in ((4, 5, 6), (4, 5, 7), (7, 2, 3), (1, 8, 8)):
            receipt = store.receive(delivery(first, last, follows=follows))
            assert (receipt.last, receipt.missing) == (last, None)
        assert store.received("stream") == 8

    def test_streams_do_not_mix(self, store: Store) -> None:
        """Each has numbers of its own."""
        store.receive(delivery(1, 3, stream="a"))
        assert store.receive(delivery(1, 2, stream="b")).missing is None
        assert (store.received("a"), store.received("b")) == (3, 2)

    @pytest.mark.parametrize(
        "wrong",
        [
            delivery(0, 1),
            delivery(2, 1),
            delivery(1, 1 << 63),
            delivery(1, 1, arrival(2, "light.a", NOON)),
            delivery(1, 3, arrival(2, "light.a", NOON), arrival(2, "light.b", NOON)),
            delivery(1, 2, arrival(2, "light.a", NOON), letters=[letter(2, NOON)]),
            delivery(1, 1, arrival(1, "light.a", NOON), gaps=[Gap(id="g", start=0, end=1)]),
        ],
    )
    def test_contradictory_numbers_are_refused(self, store: Store, wrong: Enriched) -> None:
        """Nothing of such a delivery is kept."""
        with pytest.raises(RequestError, match="contradict"):
            store.receive(wrong)
        assert (store.received("stream"), store.days()) == (0, [])


class TestNotes:
    def test_dead_letters_come_newest_first_and_in_pages(self, store: Store) -> None:
        """Each page goes on where the one before ended; long texts are cut."""
        letters = [letter(seq, at(MONDAY, seq), "🦉" * 10_000) for seq in range(1, 6)]
        store.receive(delivery(1, 5, letters=letters))
        page = store.dead_letters(limit=2)
        rest = store.dead_letters(limit=9, before=page.letters[-1].number)
        assert [one.seq for one in (*page.letters, *rest.letters)] == [5, 4, 3, 2, 1]
        assert (page.kept, page.dropped, page.letters[0].text) == (5, 0, "🦉" * 4096)

    def test_the_newest_snapshot_becomes_the_home(self, store: Store, opened: Callable[..., Store]) -> None:
        """The same again is not kept, an older one changes no home, and the id stays the store's own."""
        homes = [Home("foreign", ZONE, name) for name in ("A", "A", "B", "old")]
        for number, (since, home) in enumerate(zip((10, 20, 30, 5), homes, strict=True), 1):
            store.receive(delivery(number, number, snapshots=[Snapshot(since, home)]))
        store = opened()
        assert [(one.since, one.home.name) for one in store.snapshots()] == [(5, "old"), (10, "A"), (30, "B")]
        assert [one.since for one in store.snapshots(5, 1)] == [10]
        assert [one.since for one in store.snapshots(5)] == [10, 30]
        assert [one.since for one in store.snapshots(limit=2)] == [5, 10]
        assert store.home == msgspec.structs.replace(homes[2], id=store.home.id)

    def test_snapshots_come_in_pages(self, store: Store) -> None:
        """Each page goes on behind the instant at which the one before ended."""
        for number in range(1, 6):
            store.receive(delivery(number, number, snapshots=[Snapshot(10 * number, Home("", ZONE, str(number)))]))
        first = store.snapshots(limit=2)
        rest = store.snapshots(after=first[-1].since, limit=9)
        assert [one.home.name for one in (*first, *rest)] == ["1", "2", "3", "4", "5"]
        assert store.snapshots(after=50) == store.snapshots(limit=0) == []

    def test_a_snapshot_in_another_zone_parts_the_events_anew(self, store: Store) -> None:
        """An event of the same delivery lies in its new day; a zone that nobody knows changes none."""
        moment = at(MONDAY, 60)
        home = Home("h", "America/New_York")
        store.receive(delivery(1, 2, arrival(1, "light.a", moment), snapshots=[Snapshot(1, home)]))
        assert [day.date for day in store.days()] == [MONDAY - DAY]
        store.receive(delivery(3, 3, snapshots=[Snapshot(2, Home("h", "Mars/Olympus", "Red"))]))
        assert (store.home.zone, store.home.name) == ("America/New_York", "Red")
        found = {one.date: (one.events, one.moved) for one in store.certificates(MONDAY - DAY, MONDAY)}
        assert found == {MONDAY - DAY: (1, 1), MONDAY: (0, -1)}

    def test_entities_that_are_left_out_are_not_in_snapshots(self, opened: Callable[..., Store]) -> None:
        """Neither the snapshots nor the home name them."""
        store = opened({"QUOTIDIAN_EXCLUDE": "light.secret"})
        entities = {name: Entity(name) for name in ("light.a", "light.secret")}
        store.receive(delivery(1, 1, snapshots=[Snapshot(1, Home("h", ZONE, entities=entities))]))
        assert list(store.home.entities) == list(store.snapshots()[0].home.entities) == ["light.a"]

    def test_a_later_note_replaces_what_was_known_of_a_gap(self, store: Store) -> None:
        """A gap is found by every span that it touches."""
        gap = Gap(id="g", start=at(MONDAY, 10), end=at(MONDAY, 20), reason="no answer")
        store.receive(delivery(1, 1, gaps=[gap]))
        later = msgspec.structs.replace(gap, state="filled", filled=3, end=at(MONDAY, 25))
        store.receive(delivery(2, 2, gaps=[later]))
        assert store.gaps(at(MONDAY, 25), at(MONDAY, 30)) == store.gaps(0, at(MONDAY, 10)) == [later]
        assert store.gaps(at(MONDAY, 26), at(MONDAY, 30)) == store.gaps(0, at(MONDAY, 9)) == []


class TestArrivals:
    def test_new_events_are_followed_in_the_order_of_their_arrival(self, store: Store) -> None:
        """From a cursor on, each new event once; copies and imports are not news."""
        assert store.arrivals().events.num_rows == 0
        start = store.arrivals().cursor
        store.append(table(row("light.import", at(MONDAY))))
        events = [
            arrival(1, "light.b", at(MONDAY, 9)),
            filled(2, "light.a", at(MONDAY)),
            filled(3, "light.a", at(MONDAY)),
        ]
        store.receive(delivery(1, 3, *events))
        first = store.arrivals(start, limit=1)
        rest = store.arrivals(first.cursor)
        assert first.events["entity_id"].to_pylist() + rest.events["entity_id"].to_pylist() == ["light.b", "light.a"]
        assert store.arrivals(rest.cursor).events.num_rows == 0
        assert (store.arrivals().cursor, first.lost, rest.lost) == (rest.cursor, False, False)
        store.receive(delivery(4, 4, arrival(4, "light.c", at(MONDAY, 10))))
        assert store.arrivals(rest.cursor).events["entity_id"].to_pylist() == ["light.c"]

    def test_what_was_sealed_in_between_is_told_as_lost(self, store: Store) -> None:
        """Who was away for too long learns it, once, and goes on with what comes."""
        cursor = store.arrivals().cursor
        for number in range(2):
            moments = [at(MONDAY, number), at(MONDAY + 14 * DAY, number)]
            events = [arrival(2 * number + 1 + place, "light.a", when) for place, when in enumerate(moments)]
            store.receive(delivery(2 * number + 1, 2 * number + 2, *events))
            store.seal(MONDAY + DAY)
            found = store.arrivals(cursor)
            assert (found.lost, found.events["last_updated"].to_pylist()) == (True, moments[1:])
            cursor = found.cursor
        assert not store.arrivals(cursor).lost
        assert store.arrivals(cursor + 1000).lost


_SLOTS = [at(MONDAY), at(MONDAY) + 7, at(MONDAY) + 999, at(MONDAY) + 1000, at(MONDAY + DAY), NOON]


class Sent(NamedTuple):
    """Events in the order of their numbers, where they are cut into deliveries, and where days are sealed."""

    events: list[Arrival]
    bounds: list[int]
    seal: int


@st.composite
def sendings(draw: st.DrawFn) -> Sent:
    """Draw events near to each other, copies among them."""
    found = []
    for seq in range(1, draw(st.integers(0, 8)) + 1):
        updated = draw(st.sampled_from(_SLOTS))
        more: dict[str, Any] = {
            "source": draw(st.sampled_from([Source.LIVE, Source.HISTORY])),
            "cause": draw(st.sampled_from([Cause(), Cause(CauseKind.PERSON, user="u"), MANUAL])),
            "area": draw(st.sampled_from([None, "den", "hall"])),
            "attributes": draw(st.sampled_from([{}, {"brightness": 1}, {"brightness": 2, "x": 3}])),
            "last_changed": updated - draw(st.sampled_from([0, 5])),
        }
        name = draw(st.sampled_from(["light.a", "light.🦉"]))
        found.append(arrival(seq, name, updated, draw(st.sampled_from(["on", "off", None])), **more))
    cuts = draw(st.sets(st.integers(1, max(1, len(found)))))
    return Sent(found, sorted({1, len(found) + 1} | cuts), draw(st.integers(0, 9)))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=sendings(), seed=st.integers(0, 99))
def test_receiving_gives_what_appending_gives(
    opened: Callable[..., Store], tmp_path_factory: pytest.TempPathFactory, sent: Sent, seed: int
) -> None:
    """In any split and order, with days sealed in between, by whichever way: the same events, and they add up."""

    def fresh(directory: Path) -> Store:
        store = opened(directory=directory)
        store.set_home(Home("", ZONE))
        return store

    store = fresh(tmp_path_factory.mktemp("store"))
    store.append(table_from(one.event for one in sent.events))
    wanted = kept(store), [(day.date, day.events) for day in store.days()]
    store = fresh(tmp_path_factory.mktemp("store"))
    shuffled = random.Random(seed).sample(sent.events, len(sent.events))
    events = [msgspec.structs.replace(one, seq=seq) for seq, one in enumerate(shuffled, 1)]
    total = 0
    for first, end in itertools.pairwise(sent.bounds):
        if first <= sent.seal < end:
            store.seal(MONDAY + DAY)
        receipt = store.receive(delivery(first, end - 1, *events[first - 1 : end - 1]))
        assert receipt.new + receipt.known == end - first
        total += receipt.new
    assert (kept(store), [(day.date, day.events) for day in store.days()]) == wanted
    assert total == len(wanted[0])
    certified = store.certificates(MONDAY - DAY, MONDAY + 20 * DAY)
    assert {one.date: one.events for one in certified if one.events} == dict(wanted[1])
    assert all(span.balanced for one in certified for span in one.ranges)
    assert store.arrivals(0).cursor == total


def numbered(first: int, last: int) -> Enriched:
    """Make the delivery of some numbers: every third carries nothing, every fourth is a dead letter."""
    rest = [seq for seq in range(first, last + 1) if seq % 3]
    letters = [letter(seq, at(MONDAY, seq)) for seq in rest if not seq % 4]
    events = [arrival(seq, f"light.{seq % 2}", at(MONDAY, seq // 2)) for seq in rest if seq % 4]
    return delivery(first, last, *events, letters=letters)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(windows=st.lists(st.tuples(st.integers(1, 20), st.integers(0, 9)), min_size=1, max_size=12))
def test_however_numbers_are_cut_and_repeated_each_counts_once(
    opened: Callable[..., Store], tmp_path_factory: pytest.TempPathFactory, windows: list[tuple[int, int]]
) -> None:
    """Redelivered, overlapping, cut anew: the store has what the first delivery of each number carried."""
    store = opened(directory=tmp_path_factory.mktemp("store"))
    store.set_home(Home("", ZONE))
    high, new, dead = 0, 0, 0
    for first, more in windows:
        sent = numbered(min(first, high + 1), min(first, high + 1) + more)
        receipt = store.receive(sent)
        fresh = range(high + 1, sent.last + 1)
        assert receipt.missing is None
        if fresh:
            high, new, dead = sent.last, new + receipt.new, dead + receipt.dead
            assert receipt.new + receipt.known + receipt.dead == sum(bool(seq % 3) for seq in fresh)
    wanted = numbered(1, high)
    certified = store.certificates(MONDAY, MONDAY + 14 * DAY)
    spans = sorted((span for one in certified for span in one.ranges), key=lambda span: span.first)
    assert [1, *(span.last + 1 for span in spans)] == [*(span.first for span in spans), high + 1]
    assert all(span.balanced for span in spans)
    assert (sum(span.received for span in spans), sum(span.dead for span in spans)) == (new, dead)
    assert (sum(one.events for one in certified), sum(one.dead for one in certified)) == (new, dead)
    assert dead == len(wanted.letters) == store.dead_letters().kept
    assert new == len({(one.event.entity_id, one.event.last_updated) for one in wanted.events}) == len(kept(store))
