"""What depends on temperature, light and presence, given the hour."""

import datetime as dt
from collections.abc import Callable

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from quotidian.detect.contextual import Contextual
from quotidian.detect.dependence import Days, below_by_other_weeks, cuts_of, dependence, refined
from quotidian.detect.history import History
from quotidian.detect.levels import PRESENCE, UNKNOWN_LEVEL, light_at
from quotidian.detect.observe import observe
from quotidian.model import Carry, Day, Entity, Finding, Home, Integers, Stage
from quotidian.model.arrays import Floats

from .building import Diary, fold, home_of, table_of_events

OUTSIDE = Entity("sensor.a1", name="Outside temperature", device_class="temperature", unit="°C")
DAYLIGHT = Entity("sensor.b2", name="Daylight", device_class="illuminance", unit="lx")
HOME = Home("h", "Europe/Amsterdam", entities={one.entity_id: one for one in (OUTSIDE, DAYLIGHT)})


def weather(days: int, seed: int, trend: float = 0.0) -> Floats:
    """Make daily temperatures that remember the day before, and may rise over the season (°C a day)."""
    rng = np.random.default_rng(seed)
    level, temperatures = 0.0, []
    for day in range(days):
        level = 0.6 * level + rng.normal(0, 3)
        temperatures.append(8 + level + trend * day)
    return np.array(temperatures)


def with_weather(diary: Diary, temperatures: Floats, rng: np.random.Generator) -> None:
    """Add readings of temperature and light on every hour."""
    for day, degrees in enumerate(temperatures):
        for hour in range(24):
            reading = degrees + 4 * np.sin((hour - 9) / 24 * 2 * np.pi)
            diary.add(day, hour + 0.3, OUTSIDE.entity_id, f"{reading:.1f}", "unknown")
            light = max(0.0, np.sin((hour - 6) / 12 * np.pi)) * rng.uniform(200, 2000)
            diary.add(day, hour + 0.4, DAYLIGHT.entity_id, f"{light:.0f}", "unknown")


def heated(
    days: int = 70, seed: int = 0, *, shown: Floats | None = None, trend: float = 0.0, mild: float = 0.0
) -> Diary:
    """Make a home that is heated in the morning when it is cold, and in which the radio plays when Anna stays home.

    ``shown`` is what the thermometer tells instead of the weather; ``mild`` how often it is heated all the same.
    """
    rng = np.random.default_rng(seed)
    diary = Diary(HOME, days=days)
    cold = weather(days, seed, trend)
    with_weather(diary, cold if shown is None else shown, rng)
    for day in range(days):
        diary.pulse(day, 7 + rng.normal(0, 0.1), "light.kitchen", 25)
        if rng.random() < 0.6:
            diary.pulse(day, 20 + rng.normal(0, 0.5), "light.reading", 60)
        if (cold[day] < 8) ^ (rng.random() < 0.05) or (mild and rng.random() < mild):
            diary.add(day, 7.5 + rng.normal(0, 0.3), "climate.living_room", "heat")
            diary.add(day, 22.5, "climate.living_room", "off")
        away = rng.random() < 0.7
        if away:
            diary.add(day, 8.5, "person.anna", "not_home")
            diary.add(day, 17, "person.anna", "home")
        if away == (rng.random() < 0.05):
            diary.pulse(day, rng.uniform(11, 14), "media_player.radio", 50)
    return diary


def found(diary: Diary) -> list[Finding]:
    """Fold a diary and look at its contexts."""
    return Contextual().detect(diary.history(Contextual()))


def days_of(home: Home, first: dt.date, *days: list[tuple[float, str, str]]) -> list[Integers]:
    """Fold days of events (elapsed hour, entity, state), one after the other."""
    seen, carry, folded = Carry(), Carry(), []
    for number, events in enumerate(days):
        day = Day.of(first + dt.timedelta(days=number), home.zone)
        rows = [(day.start + int(hour * 3.6e9), name, state, "unknown") for hour, name, state in events]
        view, seen = observe(day, table_of_events(rows), home, seen)
        kept, carry = Contextual().fold(view, carry)
        folded.append(kept)
    return folded


def test_the_heater_depends_on_the_cold_and_what_needs_somebody_at_home_is_not_told() -> None:
    """The cold is found, once, with the right side and threshold; that a radio is played by who is there is trivial."""
    findings = {finding.subject[0]: finding for finding in found(heated())}
    assert findings.keys() == {"climate.living_room=heat"}
    heater = findings["climate.living_room=heat"]
    assert heater.subject[1:] == ("sensor.a1", "below")
    # The sensor shows the day's level less 2 to 4 degrees in the morning.
    assert 3 <= heater.measures["threshold"] <= 7.5
    assert heater.evidence.share > 0.8
    assert heater.measures["otherwise"][0] < 0.2 * heater.measures["otherwise"][1]
    assert heater.evidence.low < heater.confidence < heater.evidence.share
    assert heater.stage is Stage.ESTABLISHED
    assert heater.sentence.startswith("When the outside temperature is below ")
    assert "the living room climate changes to “heat”" in heater.sentence
    assert heater.measures["threshold_low"] <= heater.measures["threshold"] <= heater.measures["threshold_high"]
    assert heater.measures["hours"] == [6, 7, 8]


def test_what_happens_mostly_anyway_is_not_told() -> None:
    """A heater that is on at every frost, and on six of ten other days, does not wait for frost."""
    diary = heated(180, mild=0.6)
    history = diary.history(Contextual())
    assert "climate.living_room=heat" not in {one.subject[0] for one in Contextual().detect(history)}
    looser = Contextual(effect=0.05, least_lift=1.01).detect(history)
    assert "climate.living_room=heat" in {one.subject[0] for one in looser}


def test_what_happens_when_nobody_is_at_home_is_told() -> None:
    """A vacuum that is sent round while Anna is out, on days that no calendar tells, is told with the hours."""
    diary = heated(seed=4)
    rng = np.random.default_rng(4)
    for day in range(diary.days):
        out = any(act[1] == "person.anna" for act in diary.acts[day])
        if out == (rng.random() < 0.95):
            diary.add(day, 11 + rng.normal(0, 0.2), "vacuum.robin", "cleaning")
            diary.add(day, 12.2, "vacuum.robin", "docked")
    sentences = {one.subject: one.sentence for one in found(diary)}
    sentence = sentences["vacuum.robin=cleaning", PRESENCE, "below"]
    assert sentence.startswith("When nobody is at home between ")
    assert "starts cleaning (otherwise on " in sentence


AMSTERDAM = msgspec.structs.replace(HOME, latitude=52.4, longitude=4.9, entities={})


def lamp(days: int, stops: int | None) -> Diary:
    """Make a home with a lamp at half past seven, from mid-January on: when it is dark, or until some day."""
    rng = np.random.default_rng(8)
    diary = Diary(AMSTERDAM, dt.date(2026, 1, 12), days)
    sun = diary.history().sun("sunset")
    for day in range(days):
        wanted = sun[day] < 1170 if stops is None else day < stops
        if rng.random() < (0.95 if wanted else 0.03):
            diary.pulse(day, 19.5 + rng.normal(0, 0.1), "light.reading", 60)
        diary.pulse(day, 8 + rng.normal(0, 0.5), "light.kitchen", 20)
    return diary


def test_a_lamp_that_is_lit_in_the_dark_is_told_apart_from_one_that_was_given_up() -> None:
    """What ends when the sun sets later than half past seven goes by the dark; what ends weeks before does not."""
    (finding,) = found(lamp(160, None))
    assert finding.subject == ("light.reading=on", "sun", "below")
    assert finding.sentence.startswith("When it is dark about 19:2")
    assert finding.measures["width"] == 20
    assert not found(lamp(160, 65))


def evenings(minute: Callable[[float, float], float | None], seed: int = 3) -> Diary:
    """Make a home from June to November with a lamp at a minute that follows from chance and the minute of sunset."""
    rng = np.random.default_rng(seed)
    diary = Diary(AMSTERDAM, dt.date(2026, 6, 8), 150)
    for day, fall in enumerate(diary.history().sun("sunset")):
        at = minute(rng.normal(), float(fall))
        if at is not None and rng.random() < 0.9:
            diary.pulse(day, at / 60, "light.reading", 60)
        diary.pulse(day, 8 + rng.normal(0, 0.5), "light.kitchen", 20)
    return diary


def test_what_waits_for_the_dark_at_its_very_moment_is_told() -> None:
    """A lamp at half past seven, give or take ten minutes, is lit now and then in the week in which dusk gets there."""
    (finding,) = found(evenings(lambda x, fall: at if (at := 1170 + 10 * x) > fall + 1 else None, seed=5))
    assert finding.subject == ("light.reading=on", "sun", "below")
    assert 1160 <= finding.measures["minute"] <= 1180


def test_what_keeps_to_the_sun_does_not_wait_for_the_dark() -> None:
    """String lights after sunset are on in the dark at eight in September, and not in June: that is their time."""
    assert found(evenings(lambda x, fall: fall + 15 + 5 * x)) == []


@pytest.mark.parametrize("date", [dt.date(2026, 6, 21), dt.date(2026, 12, 21), dt.date(2026, 3, 29)])
def test_the_sun_is_known_to_the_minute(date: dt.date) -> None:
    """Between the hours it is light from sunrise until sunset, also on the day on which the clocks change."""
    diary = Diary(AMSTERDAM, date, 1)
    diary.pulse(0, 8, "light.kitchen", 20)
    history = diary.history(Contextual())
    (kept,) = history.summaries["contextual"].days.values()
    light = light_at(kept["level"].reshape(1, 24), np.arange(240, 1_440))[0]
    rise, fall = (int(history.sun(event)[0]) for event in ("sunrise", "sunset"))
    assert np.flatnonzero(light >= 0)[[0, -1]].tolist() == pytest.approx([rise - 240, fall - 240], abs=1)


def test_shares_are_those_of_days_that_did_not_draw_the_threshold() -> None:
    """Of a level that says nothing, the best threshold divides its own days, and other weeks' thresholds do not."""
    fitted, honest = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        days = Days(
            np.arange(700_000, 700_100), rng.random(100) < 0.5, rng.integers(0, 40, 100), np.zeros((100, 1), bool)
        )
        found = dependence(days, cuts_of(days.level))
        assert found is not None
        sign = 1 if found.more_below else -1
        for below, into in (
            (days.level < refined(days, found).cut, fitted),
            (below_by_other_weeks(days, found), honest),
        ):
            into.append(sign * (days.acted[below].mean() - days.acted[~below].mean()))
    assert np.mean(fitted) > 0.15
    assert abs(np.mean(honest)) < np.mean(fitted) / 3


def test_a_season_is_no_context() -> None:
    """A heater that is used less and less from winter to summer, whatever the day's cold, does not go by the cold."""
    rng = np.random.default_rng(5)
    diary = Diary(HOME, days=150)
    cold = weather(150, 5, trend=0.1)
    with_weather(diary, cold, rng)
    for day in range(150):
        if rng.random() < 1 / (1 + np.exp((day - 75) / 10)):
            diary.pulse(day, 7.5 + rng.normal(0, 0.3), "switch.heater", 40)
    assert found(diary) == []


def test_the_subject_is_the_same_on_the_next_nights() -> None:
    """Three nights running say the same of the same subjects."""
    history = heated(72).history(Contextual())
    nights = [
        {one.subject for one in Contextual().detect(History(history.rows[:last], history.home, history.summaries))}
        for last in (70, 71, 72)
    ]
    assert nights[0] == nights[1] == nights[2] != set()


@pytest.mark.parametrize("seed", range(6))
def test_another_weather_explains_nothing(seed: int) -> None:
    """A thermometer that shows a weather of its own, rising or not, has nothing to do with the heater."""
    other = weather(70, seed + 100, trend=0.1 * (seed % 3))
    findings = found(heated(seed=seed % 4, shown=other, trend=0.1 * (seed % 3)))
    assert [one.subject for one in findings if one.subject[1] != PRESENCE] == []


def test_the_week_is_no_context() -> None:
    """A radio that plays at weekends, when Anna happens to be at home, follows the week: that is not told."""
    diary = heated(seed=3)
    for day in range(diary.days):
        diary.acts[day] = [act for act in diary.acts[day] if act[1] not in ("person.anna", "media_player.radio")]
        if diary.date(day).weekday() >= 5:
            diary.pulse(day, 12, "media_player.radio", 50)
        else:
            diary.add(day, 8.5, "person.anna", "not_home")
            diary.add(day, 17, "person.anna", "home")
    assert {one.subject[0] for one in found(diary)} <= {"climate.living_room=heat"}


def test_automations_are_not_people() -> None:
    """A heater that an automation switches is no habit."""
    diary = heated()
    for day, acts in diary.acts.items():
        diary.acts[day] = [(s, e, state, "automation" if e[0] == "c" else cause) for s, e, state, cause in acts]
    assert "climate.living_room=heat" not in {one.subject[0] for one in found(diary)}


def test_no_sensor_no_context() -> None:
    """Without a device class of temperature or illuminance and without persons nothing is kept and nothing said."""
    diary = heated()
    diary.home = home_of()
    diary.acts = {day: [act for act in acts if act[1] != "person.anna"] for day, acts in diary.acts.items()}
    history = diary.history(Contextual())
    assert all(not day.words for day in history.summaries["contextual"].days.values())
    assert Contextual().detect(history) == []


@pytest.mark.parametrize("days", [1, 10, 41])
def test_few_days(days: int) -> None:
    """Less than six weeks say nothing, without an error."""
    assert found(heated(days)) == []


def test_no_days() -> None:
    """An empty history gives nothing."""
    assert Contextual().detect(History((), HOME)) == []


def test_three_entities() -> None:
    """A thermometer that never changes and two lamps give nothing."""
    diary = Diary(HOME, days=60)
    for day in range(60):
        diary.add(day, 0.5, OUTSIDE.entity_id, "12", "unknown")
        diary.pulse(day, 8 + day % 5, "light.a", 5)
        if day % 3:
            diary.pulse(day, 9, "light.b", 5)
    assert found(diary) == []


def test_names_are_made_safe() -> None:
    """Newlines and direction characters of a sensor's name do not reach a sentence."""
    diary = heated()
    evil = msgspec.structs.replace(OUTSIDE, name="Evil\n\u202e'; DROP\x00")
    diary.home = Home("h", HOME.zone, entities={evil.entity_id: evil})
    sentences = [one.sentence for one in found(diary) if one.subject[1] == evil.entity_id]
    assert sentences
    assert not any(letter in sentences[0] for letter in "\n\u202e\x00")


def test_order_and_copies_of_events_change_nothing() -> None:
    """Days whose events are shuffled and given twice fold to the same integers."""
    diary = heated(6)
    rng = np.random.default_rng(0)
    tables = diary.tables()
    twice = {day: pa.concat_tables([table, table]) for day, table in tables.items()}
    shuffled = {day: table.take(rng.permutation(table.num_rows)) for day, table in twice.items()}
    assert fold(diary.home, tables, [Contextual()]) == fold(diary.home, shuffled, [Contextual()])


def test_a_level_is_read_before_its_hour_begins_and_goes_stale_after_a_day() -> None:
    """An hour has the last reading before it; yesterday's reading is handed on, but not for more than 24 hours."""
    readings = [(7.5, "sensor.a1", "8.2"), (8.0, "sensor.a1", "9")]
    first, second, third = days_of(HOME, dt.date(2026, 5, 5), readings, [], [])
    assert first["level"].tolist() == [UNKNOWN_LEVEL] * 8 + [18] * 16
    assert second["level"].tolist() == [18] * 8 + [UNKNOWN_LEVEL] * 16
    assert third.words == ()


@pytest.mark.parametrize(
    ("unit", "device_class", "state", "level"),
    [
        ("°F", "temperature", "46.4", 16),
        ("K", "temperature", "281.15", 16),
        ("°C", "temperature", "-3.26", -7),
        ("°C", "temperature", "inf", 10_000),
        ("lx", "illuminance", "0", 0),
        ("lx", "illuminance", "1023.9", 10),
        ("lx", "illuminance", "1024", 11),
    ],
)
def test_units(unit: str, device_class: str, state: str, level: int) -> None:
    """Readings become half degrees Celsius, or powers of two of a lux, whatever they are told in."""
    entity = Entity("sensor.x", device_class=device_class, unit=unit)
    home = Home("h", "UTC", entities={"sensor.x": entity})
    (kept,) = days_of(home, dt.date(2026, 5, 5), [(0.0, "sensor.x", state)])
    assert kept["level"].tolist() == [level] * 24


def test_presence_is_known_from_the_first_change_on_and_handed_on() -> None:
    """Who was where before the first change of a day follows from that change; then it is handed on."""
    moves = [(0.0, "person.anna", "home"), (8.5, "person.anna", "not_home")]
    first, second = days_of(HOME, dt.date(2026, 5, 5), moves, [])
    assert first.words == (PRESENCE,)
    assert first["level"].tolist() == [1] * 9 + [0] * 15
    assert second["level"].tolist() == [0] * 24


def test_the_hour_that_the_clock_skips_is_unknown() -> None:
    """A day of 23 hours has an unknown level at the skipped hour, a day of 25 hours a level at every hour."""
    readings = [(0.0, "sensor.a1", "8"), (12.0, "sensor.a1", "9")]
    (spring,) = days_of(HOME, dt.date(2026, 3, 29), readings)
    assert spring["level"].tolist() == [16] * 2 + [UNKNOWN_LEVEL] + [16] * 10 + [18] * 11
    (autumn,) = days_of(HOME, dt.date(2026, 10, 25), readings)
    assert autumn["level"].tolist() == [16] * 11 + [18] * 13


def test_parameters_are_checked() -> None:
    """A parameter out of its range is refused by name."""
    with pytest.raises(ValueError, match="margin"):
        Contextual(margin=0.5)
    with pytest.raises(ValueError, match="effect"):
        Contextual(effect=1.5)
    with pytest.raises(ValueError, match="least_lift"):
        Contextual(least_lift=1.0)
