"""What a simulated home promises, held against the events that it gives."""

import datetime as dt
import itertools
from collections import defaultdict
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy.special import bdtr

from quotidian.errors import SettingError
from quotidian.model import CauseKind, Day
from quotidian.model.event import EVENT_SCHEMA
from quotidian.simulate import EXAMPLES, HabitTruth, Plan, SimulatedHome, example, simulate
from quotidian.simulate.automations import AUTOMATIONS
from quotidian.simulate.habits import Kind

#: Habits whose tokens are no changes of states: rooms, kinds of days.
WITHOUT_EVENTS = {"bathroom-then-kitchen", "evenings-in-the-living-room", "office-on-home-office-days"}


@cache
def demo() -> SimulatedHome:
    """Give the home of the demonstration."""
    return simulate(example("demo"))


@cache
def demo_days() -> tuple[tuple[Day, pa.Table], ...]:
    """Give its days."""
    return tuple(demo().days())


def without_numbers(table: pa.Table) -> list[dict[str, Any]]:
    """Give a table's rows but for those of sensors that report numbers."""
    return table.filter(pc.invert(pc.starts_with(table["entity_id"].cast("string"), "sensor."))).to_pylist()


@cache
def demo_times() -> dict[str, set[int]]:
    """Give the instants at which each of its tokens was set, without reports of numbers."""
    times: dict[str, set[int]] = defaultdict(set)
    for _, table in demo_days():
        for row in without_numbers(table):
            times[f"{row['entity_id']}={row['state']}"].add(row["last_updated"])
    return times


def shortened(name: str, days: int) -> Plan:
    """Give fewer days of a home."""
    return msgspec.structs.replace(example(name), days=days)


def habit(name: str) -> HabitTruth:
    """Give one of the demonstration's habits."""
    return next(habit for habit in demo().truth.habits if habit.id == name)


def wall_minutes(instants: list[int], zone: str = "Europe/Amsterdam") -> np.ndarray:
    """Read instants from the clock on the wall, in minutes after midnight."""
    days = [Day.containing(time, zone) for time in instants]
    pairs = zip(days, instants, strict=True)
    return np.array([day.wall(np.array([(time - day.start) // 10**6]))[0] / 60 for day, time in pairs])


class TestDays:
    def test_same_plan_gives_the_same_tables(self) -> None:
        """Two simulations of one plan are equal, event by event."""
        first, second = (list(simulate(shortened("ten-days", 4)).days()) for _ in range(2))
        assert all(a[0] == b[0] and a[1].equals(b[1]) for a, b in zip(first, second, strict=True))

    def test_more_days_do_not_move_the_first(self) -> None:
        """The first days are the same however many are asked for."""
        few, many = (list(simulate(shortened("demo", days)).days()) for days in (3, 5))
        assert all(a[1].equals(b[1]) for a, b in zip(few, many, strict=False))

    def test_noise_is_a_fresh_draw_of_the_same_habits(self) -> None:
        """Another noise gives the same habits and entities, but other events."""
        plan = shortened("demo", 5)
        one, other = simulate(plan), simulate(msgspec.structs.replace(plan, noise=99))
        assert [(h.id, h.parameters) for h in one.truth.habits] == [(h.id, h.parameters) for h in other.truth.habits]
        assert one.home.entities == other.home.entities
        assert not next(one.days())[1].equals(next(other.days())[1])

    def test_seed_is_another_home(self) -> None:
        """Another seed moves the habits."""
        one, other = (simulate(msgspec.structs.replace(example("demo"), seed=seed, days=1)) for seed in (1, 2))
        assert [h.parameters for h in one.truth.habits] != [h.parameters for h in other.truth.habits]

    def test_days_follow_each_other(self) -> None:
        """Every local day is given once, in order, also one without events."""
        days = [day for day, _ in demo_days()]
        assert [day.date for day in days] == [example("demo").start + dt.timedelta(days=n) for n in range(90)]
        assert all(before.end == after.start for before, after in itertools.pairwise(days))

    @pytest.mark.parametrize(
        ("zone", "start", "hours"),
        [
            ("Europe/Amsterdam", dt.date(2026, 3, 28), [24, 23, 24]),
            ("Europe/Amsterdam", dt.date(2026, 10, 24), [24, 25, 24]),
            ("Australia/Lord_Howe", dt.date(2026, 4, 4), [24, 24.5, 24]),
        ],
    )
    def test_events_lie_in_their_day(self, zone: str, start: dt.date, hours: list[float]) -> None:
        """Events are sorted and lie within their local day, also where the clocks change."""
        for (day, table), long in zip(simulate(Plan(zone=zone, start=start, days=3)).days(), hours, strict=True):
            times = table["last_updated"].to_numpy()
            assert day.seconds == long * 3600
            assert np.all(np.diff(times) >= 0)
            assert day.start <= times[0]
            assert times[-1] < day.end
            assert times[-1] - times[0] > (long - 0.5) * 3600 * 10**6

    def test_events_are_well_formed(self) -> None:
        """Tables have the schema; an entity changes once at an instant; no state is empty; entities are known."""
        for _, table in demo_days():
            assert table.schema == EVENT_SCHEMA
            rows = table.select(["entity_id", "last_updated"]).group_by(["entity_id", "last_updated"]).aggregate([])
            assert rows.num_rows == table.num_rows
            assert set(table["entity_id"].unique().to_pylist()) <= set(demo().home.entities)
            assert not {"", None} & set(table["state"].unique().to_pylist())
            assert set(table["cause"].unique().to_pylist()) <= {kind.value for kind in CauseKind}

    def test_only_attributes_change_where_the_state_stays(self) -> None:
        """An event has its own time of change unless the state is that of the event before."""
        seen: dict[str, tuple[str, int]] = {}
        for _, table in demo_days()[:15]:
            for row in table.select(["entity_id", "state", "last_changed", "last_updated"]).to_pylist():
                state, changed = seen.get(row["entity_id"], (None, None))
                if row["last_changed"] is None:
                    assert row["state"] != state, row
                    seen[row["entity_id"]] = row["state"], row["last_updated"]
                else:
                    assert (row["state"], row["last_changed"]) == (state, changed), row

    def test_size_follows_the_plan(self) -> None:
        """A day has about as many events as asked for, and a home exactly the entities."""
        for entities, events in ((10, 1_000), (64, 5_000), (300, 100_000), (1_000, 200_000)):
            home = simulate(Plan(entities=entities, events_per_day=events, days=1))
            _, table = next(home.days())
            assert len(home.home.entities) == entities
            assert 0.8 * events < table.num_rows < 1.2 * events

    def test_names_are_those_of_a_home(self) -> None:
        """Things are named as their owner would, and stand in areas of the home."""
        home = demo().home
        assert home.name_of("light.kitchen_ceiling") == "Kitchen ceiling"
        assert home.name_of("media_player.living_room_tv") == "Living room TV"
        assert home.area_of("light.kitchen_ceiling").name == "Kitchen"
        assert all(entity.area is None or entity.area in home.areas for entity in home.entities.values())


class TestTruth:
    def test_every_kind_is_planted(self) -> None:
        """The demonstration has habits of all ten kinds, each kept at least once."""
        assert {habit.kind for habit in demo().truth.habits if habit.kept} == {kind.value for kind in Kind}

    @pytest.mark.parametrize("kind", Kind)
    def test_kept_habits_have_their_events(self, kind: Kind) -> None:
        """Each time a habit is said to be kept, its tokens were set at exactly those instants."""
        for truth in demo().truth.habits:
            if truth.kind != kind or truth.id in WITHOUT_EVENTS:
                continue
            for occasion in truth.kept:
                tokens = truth.tokens[: len(occasion.at)]
                if truth.id == "light-when-dark":
                    tokens = tuple(token for token in truth.tokens if occasion.at[0] in demo_times()[token])
                assert len(tokens) == len(occasion.at), truth.id
                assert all(at in demo_times()[token] for token, at in zip(tokens, occasion.at, strict=True)), truth.id

    def test_rooms_are_entered_as_told(self) -> None:
        """Whoever enters a room is seen by its sensor within a minute, or was seen there already."""
        truth, seen = habit("bathroom-then-kitchen"), sorted(demo_times()["binary_sensor.bathroom_motion=on"])
        entered = np.array([occasion.at[0] for occasion in truth.kept])
        before = np.array(seen)[np.searchsorted(seen, entered + 60 * 10**6) - 1]
        assert np.mean(entered - before < 10 * 60 * 10**6) > 0.95

    def test_spans_end_as_told(self) -> None:
        """A device that ran until an instant fell back at it."""
        for truth in demo().truth.habits:
            if truth.kind == Kind.DURATION:
                device = truth.tokens[0].partition("=")[0]
                rest = {"media_player": "idle", "vacuum": "docked"}.get(device.partition(".")[0], "off")
                assert all(occasion.until in demo_times()[f"{device}={rest}"] for occasion in truth.kept)

    def test_kept_days_are_possible_days(self) -> None:
        """A habit is kept only where it could be, and never on days of absence."""
        away = set(demo().truth.absences)
        for truth in demo().truth.habits:
            assert set(truth.kept_dates) <= set(truth.possible)
            assert len(truth.kept) <= truth.chances
            if truth.kind != Kind.DURATION:
                assert not set(truth.possible) & away, truth.id

    def test_rates_match_probabilities(self) -> None:
        """Over many days a habit is kept as often as its probability says (binomial bounds of one in 100,000)."""
        truth = simulate(msgspec.structs.replace(example("demo"), days=120, noise=7)).truth
        for habit in truth.habits:
            kept, chances, probability = len(habit.kept), habit.chances, habit.parameters["probability"]
            if probability == 1:
                assert kept == chances, habit.id
            else:
                assert bdtr(kept, chances, probability) > 1e-5, habit.id
                assert bdtr(chances - kept, chances, 1 - probability) > 1e-5, habit.id

    def test_times_of_day_are_about_their_minute(self) -> None:
        """Habits of a time of day lie around the minute that the truth names."""
        clocked = [h for h in demo().truth.habits if h.kind == Kind.TIME_OF_DAY and "minute" in h.parameters]
        assert len(clocked) > 6
        for truth in clocked:
            minute, spread = truth.parameters["minute"], truth.parameters["spread"]
            away = (wall_minutes([occasion.at[0] for occasion in truth.kept]) - minute + 720) % 1440 - 720
            assert abs(away.mean()) < 4.5 * spread / np.sqrt(away.size) + 4, truth.id

    def test_weekday_habits_keep_to_their_weekdays(self) -> None:
        """Washing is a Saturday's; the bins are Wednesday's."""
        assert {date.weekday() for date in habit("saturday-washing").kept_dates} == {5}
        assert {date.weekday() for date in habit("bins-on-wednesday").kept_dates} == {2}

    def test_drift_moves_by_minutes_a_week(self) -> None:
        """The bedroom radio plays four minutes later every week."""
        truth = habit("radio-drifts-later")
        weeks = np.array([(occasion.date - example("demo").start).days / 7 for occasion in truth.kept])
        minutes = wall_minutes([occasion.at[0] for occasion in truth.kept])
        slope = np.polyfit(weeks, np.where(minutes < 720, minutes + 1440, minutes), 1)[0]
        assert abs(slope - truth.parameters["drift"]) < 1

    def test_lags_are_about_their_median(self) -> None:
        """The floor lamp follows the TV after about the lag that the truth names."""
        truth = habit("lamp-with-the-tv")
        lags = [(b - a) / 10**6 for a, b in (occasion.at for occasion in truth.kept)]
        assert 0.6 < np.median(lags) / truth.parameters["lag"] < 1.6

    def test_devices_have_other_uses_too(self) -> None:
        """A habit is not the only thing that its device does."""
        washing = demo_times()["switch.washing_machine=on"]
        assert len(washing) > len(habit("saturday-washing").kept)

    def test_steps_of_a_routine_are_consequences(self) -> None:
        """Two steps of one routine are told as a pair, in their order."""
        pairs = {(pair.first, pair.then) for pair in demo().truth.consequences}
        assert ("lock.front_door=locked", "light.landing=on") in pairs
        assert ("binary_sensor.front_door=on", "person.anna=not_home") in pairs

    def test_day_types_cover_all_days(self) -> None:
        """Every day has a type; all eight types occur in the demonstration; a public holiday is named."""
        types = demo().truth.day_types
        assert len(types) == 90
        assert len(set(types.values())) == 8
        assert "King's Day" in demo().truth.holidays.values()


class TestHomeAssistant:
    def test_automations_are_told_apart(self) -> None:
        """What an automation does carries its name, and the porch light is mostly the automation's."""
        porch = 0
        for _, table in demo_days()[:30]:
            for row in without_numbers(table):
                if row["cause"] in {"automation", "remote"}:
                    assert row["cause_entity"] in AUTOMATIONS
                else:
                    assert row["cause_entity"] is None
                porch += row["entity_id"] == "light.porch" and row["state"] == "on" and row["cause"] == "automation"
        assert porch > 20

    def test_people_are_known_by_their_user(self) -> None:
        """A change by the app names a user, a wall switch names none."""
        for _, table in demo_days()[:20]:
            for row in table.select(["cause", "user"]).to_pylist():
                assert (row["user"] is not None) == (row["cause"] == "person")

    def test_nothing_is_recorded_while_it_is_down(self) -> None:
        """No event lies in an outage, except those of the start at its end."""
        outages = demo().truth.outages
        assert outages
        times = np.concatenate([table["last_updated"].to_numpy() for _, table in demo_days()])
        for outage in outages:
            assert outage.end - outage.start > 15 * 3600 * 10**6
            inside = times[(times > outage.start + 10**7) & (times < outage.end - 80 * 10**6)]
            assert inside.size == 0

    def test_restart_makes_entities_unavailable_and_brings_them_back(self) -> None:
        """At a restart every entity is unavailable, and its next state is another one."""
        restart = demo().truth.restarts[0]
        day = Day.containing(restart.end, "Europe/Amsterdam")
        table = next(table for one, table in demo_days() if one == day)
        near = [r for r in table.to_pylist() if restart.start <= r["last_updated"] <= restart.end + 20 * 10**6]
        lost = {row["entity_id"] for row in near if row["state"] == "unavailable"}
        assert lost == set(demo().home.entities)
        back = {row["entity_id"] for row in near if row["state"] != "unavailable"}
        assert {entity for entity in lost if not entity.startswith("sensor.")} <= back

    def test_dropouts_silence_one_sensor(self) -> None:
        """A sensor that drops out is unavailable, and silent until it is back."""
        drop = demo().truth.dropouts[0]
        day = Day.containing(drop.start, "Europe/Amsterdam")
        table = next(table for one, table in demo_days() if one == day)
        own = [row for row in table.to_pylist() if row["entity_id"] == drop.entity_id]
        inside = [r["state"] for r in own if drop.start - 10**7 <= r["last_updated"] < drop.end - 10**7]
        assert "unavailable" in inside[-1:]

    def test_large_home_replaces_a_sensor(self) -> None:
        """In a large home one entity is removed, and its successor goes on."""
        home = simulate(Plan(entities=200, events_per_day=1_000, days=22, people=1))
        (renaming,) = home.truth.renamings
        assert renaming.successor in home.home.entities
        assert renaming.entity_id not in home.home.entities
        tables = [table for _, table in home.days()]
        rows = [row for row in tables[20].to_pylist() if row["entity_id"] == renaming.entity_id]
        assert rows[-1]["state"] is None
        assert renaming.successor in tables[21]["entity_id"].to_pylist()
        assert renaming.entity_id not in tables[21]["entity_id"].to_pylist()


class TestNull:
    def test_no_habits(self) -> None:
        """The home without habits has none, nor automations; its devices are used all the same."""
        home = simulate(shortened("null", 6))
        tables = [table for _, table in home.days()]
        assert home.truth.habits == ()
        assert all(set(table["cause"].to_pylist()) == {"physical"} for table in tables)
        assert sum(state == "on" for state in tables[2]["state"].to_pylist()) > 50

    def test_uses_are_spread_over_the_clock(self) -> None:
        """No hour of the day has much more or less use than another."""
        hours = np.zeros(24)
        for day, table in simulate(shortened("null", 12)).days():
            for row in without_numbers(table):
                if row["entity_id"].startswith(("light.", "switch.")) and row["state"] == "on":
                    hours[int((row["last_updated"] - day.start) // 3_600_000_000) % 24] += 1
        expected = hours.sum() / 24
        assert np.all(np.abs(hours - expected) < 5 * np.sqrt(expected))


class TestPlan:
    @pytest.mark.parametrize("name", EXAMPLES)
    def test_examples_can_be_simulated(self, name: str) -> None:
        """Every home by name gives a first day."""
        _, table = next(simulate(shortened(name, 1)).days())
        assert table.num_rows > 500

    @pytest.mark.parametrize(
        "fields", [{"entities": 9}, {"people": 0}, {"days": 0}, {"events_per_day": 10}, {"latitude": 91.0}]
    )
    def test_fields_outside_their_range_are_refused(self, fields: dict[str, float]) -> None:
        """A plan outside the ranges is refused with the field's name and the range."""
        with pytest.raises(SettingError, match=next(iter(fields))):
            simulate(Plan(**fields))

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc"])
    def test_unknown_zone_is_refused(self, zone: str) -> None:
        """A zone that does not exist is refused."""
        with pytest.raises(SettingError, match="time zone"):
            simulate(Plan(zone=zone))

    def test_unknown_country_is_refused(self) -> None:
        """A country without a calendar is refused."""
        with pytest.raises(SettingError, match="country"):
            simulate(Plan(country="XX"))

    def test_unknown_name_is_refused(self) -> None:
        """A home that has no plan is refused, naming those that have."""
        with pytest.raises(SettingError, match="demo"):
            example("castle")

    @pytest.mark.parametrize("latitude", [78.2, -77.8, 0.0])
    @pytest.mark.parametrize("start", [dt.date(2026, 6, 20), dt.date(2026, 12, 20)])
    def test_sun_that_does_not_set(self, latitude: float, start: dt.date) -> None:
        """Days without sunrise or sunset can be lived."""
        assert all(table.num_rows for _, table in simulate(Plan(latitude=latitude, start=start, days=2)).days())
