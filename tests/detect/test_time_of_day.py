"""Times of day: planted ones are found as they are, and none where there is none."""

import datetime as dt

import msgspec
import numpy as np
import pytest

from quotidian.detect import TimeOfDay
from quotidian.detect.dayline import DayLine, Search
from quotidian.detect.dayrow import entity_of
from quotidian.detect.statistics import ONE
from quotidian.model import Finding, Home, Stage

from .building import Diary, home_of, home_office

LAMP = "light.kitchen"
UTRECHT = msgspec.structs.replace(home_of(), latitude=52.09, longitude=5.12)


def found(diary: Diary, token: str = f"{LAMP}=on") -> list[Finding]:
    """Give what is found of a token."""
    return [one for one in TimeOfDay().detect(diary.history()) if one.subject == (token,)]


def some_noise(diary: Diary, rng: np.random.Generator) -> None:
    """Let another lamp be used whenever somebody likes."""
    for day in range(diary.days):
        for hour in rng.uniform(7, 23, rng.poisson(4)):
            diary.pulse(day, float(hour), "light.hall", 8)


def test_weekdays_at_a_quarter_to_seven() -> None:
    """A habit of weekdays is told with its class, its minute, its width and its days; what is left to chance is not."""
    rng = np.random.default_rng(1)
    diary = Diary(days=56)
    some_noise(diary, rng)
    for day in range(56):
        if diary.date(day).weekday() < 5 and day not in (8, 30):
            diary.pulse(day, 6.75 + rng.normal(0, 4) / 60, LAMP, 60)
        diary.pulse(day, rng.uniform(9, 23), LAMP, 5)
    (one,) = found(diary)
    assert one.measures["reference"] == "clock"
    assert one.measures["days"] == "weekdays"
    assert abs(one.measures["minute"] - 405) <= 2
    assert one.anchor == one.measures["minute"]
    assert 3 <= one.measures["width"] <= 8
    assert 36 <= one.evidence.kept <= one.evidence.observed == 40
    assert one.evidence.q_value is not None
    assert one.evidence.q_value < 1e-6
    assert one.stage is Stage.ESTABLISHED
    assert one.sentence.startswith("Weekdays about 06:4")
    assert one.sentence.endswith("min) the kitchen light goes on")
    assert not found(diary, "light.hall=on")


def test_two_times_a_day() -> None:
    """A thing may have a time in the morning and one in the evening; both are told."""
    rng = np.random.default_rng(2)
    diary = Diary(days=28)
    for day in range(28):
        for hour in (7, 21.5):
            diary.pulse(day, hour + rng.normal(0, 3) / 60, LAMP, 45)
    minutes = sorted(one.measures["minute"] for one in found(diary))
    assert minutes == [pytest.approx(420, abs=3), pytest.approx(1290, abs=3)]


def test_around_midnight_is_one_habit() -> None:
    """What happens at 23:58, give or take 25 minutes, falls on two dates and is one habit of every day."""
    rng = np.random.default_rng(3)
    diary = Diary(days=42)
    for day in range(1, 41):
        diary.pulse(day, 23 + 58 / 60 + rng.uniform(-25, 25) / 60, LAMP, 2)
    (one,) = found(diary)
    apart = (one.measures["minute"] - 1438 + 720) % 1440 - 720
    assert abs(apart) <= 8
    assert one.measures["days"] == "all"
    assert 34 <= one.evidence.kept <= 40
    assert one.evidence.observed <= 42


def test_saturdays_only() -> None:
    """A habit of one weekday in ten weeks is told of that weekday."""
    rng = np.random.default_rng(4)
    diary = Diary(days=70)
    for day in range(70):
        if diary.date(day).weekday() == 5:
            diary.pulse(day, 10 + rng.normal(0, 3) / 60, LAMP, 20)
        else:
            diary.pulse(day, rng.uniform(7, 22), LAMP, 20)
    (one,) = found(diary)
    assert one.measures["days"] == "saturday"
    assert 9 <= one.evidence.kept <= one.evidence.observed == 10
    assert one.sentence.startswith("Saturdays about ")


def by(reference: str, days: int, seed: int, first: dt.date = dt.date(2026, 2, 2)) -> Finding:
    """Plant a habit in the evening that goes by the sun or by the clock, and find it."""
    rng = np.random.default_rng(seed)
    diary = Diary(UTRECHT, first, days)
    suns = Diary(UTRECHT, first, days).history().sun("sunset")
    for day in range(days):
        minute = int(suns[day]) + 15 if reference == "sunset" else int(suns[0]) + 25
        diary.pulse(day, (minute + rng.normal(0, 4)) / 60, LAMP, 90)
    (one,) = found(diary)
    return one


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("reference", "minute"), [("sunset", 15), ("clock", None)])
def test_sun_and_clock_are_told_apart(reference: str, minute: int | None, seed: int) -> None:
    """In ninety days of spring, across the change of the clocks, what goes by the sun is said to, and vice versa."""
    one = by(reference, 90, seed)
    assert one.measures["reference"] == reference
    assert one.evidence.kept >= 70
    if minute is not None:
        assert abs(one.measures["minute"] - minute) <= 3
        assert "after sunset" in one.sentence


@pytest.mark.parametrize("reference", ["sunset", "clock"])
def test_a_fortnight_cannot_tell_sun_from_clock(reference: str) -> None:
    """When the sun has moved by less than the habit varies, neither is named."""
    one = by(reference, 14, 5, dt.date(2026, 6, 12))
    assert one.measures["reference"] == "undecided"
    assert "by the clock or by the sun" in one.sentence


def test_days_on_which_it_could_not_be_seen_do_not_count() -> None:
    """Unavailable on two of forty-two days, kept on 38 of the other forty: 38 of 40, not of 42."""
    rng = np.random.default_rng(6)
    diary = Diary(days=42)
    for day in range(42):
        if day in (10, 20):
            diary.add(day, 0.2, LAMP, "unavailable")
            diary.add(day, 23.9, LAMP, "off")
        elif day not in (5, 25):
            diary.pulse(day, 7 + rng.uniform(-2, 2) / 60, LAMP, 30)
    (one,) = found(diary)
    assert (one.evidence.kept, one.evidence.observed) == (38, 40)


@pytest.mark.parametrize("change", [dt.date(2026, 3, 29), dt.date(2026, 10, 25)])
def test_a_wall_time_is_one_habit_across_a_change_of_the_clocks(change: dt.date) -> None:
    """Who gets up by the clock gets up at the same time before and after it was put forward or back."""
    rng = np.random.default_rng(7)
    diary = Diary(first=change - dt.timedelta(days=15), days=30)
    for day in range(30):
        diary.pulse(day, 7 + rng.normal(0, 3) / 60, LAMP, 30)
    (one,) = found(diary)
    assert abs(one.measures["minute"] - 420) <= 2
    assert one.evidence.kept >= 26
    assert one.evidence.observed == 30


def test_what_automations_do_is_no_habit() -> None:
    """A lamp that an automation switches every evening at eight tells nothing of people."""
    diary = Diary(days=28)
    for day in range(28):
        diary.pulse(day, 20, LAMP, 60, cause="automation")
    assert not TimeOfDay().detect(diary.history())


def test_a_going_off_soon_after_is_not_told() -> None:
    """What is off again after ten minutes has a duration, not a second time of day."""
    diary = Diary(days=28)
    for day in range(28):
        diary.pulse(day, 7, LAMP, 10)
    assert [one.subject for one in TimeOfDay().detect(diary.history())] == [(f"{LAMP}=on",)]


def test_few_days_are_emerging() -> None:
    """Ten kept days make a habit established; nine are first signs, and three are nothing."""
    stages = []
    for days in (10, 9, 3):
        diary = Diary(days=days)
        for day in range(days):
            diary.pulse(day, 7, LAMP, 45)
        stages.append([one.stage for one in found(diary)])
    assert stages == [[Stage.ESTABLISHED], [Stage.EMERGING], []]


def lively(seed: int, days: int = 30) -> Diary:
    """Make a home with strong habits, bursts, and noise."""
    rng = np.random.default_rng(seed)
    diary = Diary(UTRECHT, days=days)
    some_noise(diary, rng)
    for day in range(days):
        diary.pulse(day, 7 + rng.normal(0, 0.1), LAMP, 30)
        diary.pulse(day, 19 + rng.normal(0, 0.3), "media_player.tv", 120)
        start = rng.uniform(8, 20)
        for step in range(30):
            diary.pulse(day, start + step / 12, "binary_sensor.motion", 2)
        for hour in rng.normal(18, 2, 3):
            diary.pulse(day, float(np.clip(hour, 0, 23)), "switch.kettle", 4)
    return diary


def test_nothing_is_found_in_shifted_homes() -> None:
    """Of a dozen homes in which each day of each entity was shifted in a circle, at most one shows anything."""
    homes = [TimeOfDay().detect(lively(seed).circled(seed).history()) for seed in range(12)]
    assert sum(map(bool, homes)) <= 1
    assert TimeOfDay().detect(lively(0).history())


def test_p_values_are_conservative() -> None:
    """Of the tokens of shifted homes, no more than the level says have a p-value below it, whatever was tried."""
    p = []
    for seed in range(12):
        history = lively(seed, 20).circled(seed + 50).history()
        line = DayLine(history, Search((5, 15, 30, 60), 180, 0.5, 0.05, 1.01))
        for token in history.tokens:
            modes = line.modes(entity_of(token), history.occurrences[token])
            p.append(min([mode.p_value for mode in modes], default=1.0))
    assert len(p) > 100
    for level in (0.4, 0.2, 0.05):
        assert np.mean(np.array(p) <= level) <= level


@pytest.mark.parametrize("window", [5, 30])
def test_days_and_chances_are_those_of_the_definition(window: int) -> None:
    """Kept days and the chance of them, counted instant by instant over all shifted copies."""
    rng = np.random.default_rng(window)
    diary = Diary(days=15)
    for day in range(15):
        diary.pulse(day, 12 + rng.normal(0, 0.1), LAMP, 1)
        diary.pulse(day, float(rng.uniform(0, 24)), LAMP, 1)
    history = diary.history()
    rows = history.occurrences[f"{LAMP}=on"]
    mode = DayLine(history, Search((window,), 180, 0.01, 0.5, 1.5)).modes(LAMP, rows)[0]
    cells = set((history.timeline.day[rows] * 288 + history.timeline.wall[rows] // 300).tolist())
    reach = window // 5

    def hit(cell: int) -> bool:
        return any(place in cells for place in range(cell - reach, cell + reach))

    days = np.flatnonzero(history.classes[mode.days]).tolist()
    centres = [day * 288 + mode.cell for day in days]
    copies = [sum(hit(centre + step) for step in range(-36, 36)) for centre in centres]
    assert (mode.kept, mode.observed) == (sum(map(hit, centres)), len(days))
    assert mode.expected == sum(ONE - ONE * (72 - count) // 72 for count in copies) / ONE


def test_nothing_is_asked_of_a_home_without_days() -> None:
    """A day alone shows nothing; neither does a home of which nobody knows where it stands break."""
    assert TimeOfDay().detect(Diary(Home("h", "UTC"), days=1).history()) == []


def test_two_weekdays_are_one_habit() -> None:
    """What is done late on Fridays and Saturdays, and else at any time, is told once, of both days."""
    rng = np.random.default_rng(8)
    diary = Diary(days=84)
    for day in range(84):
        late = diary.date(day).weekday() in (4, 5)
        diary.pulse(day, 22.5 + rng.normal(0, 5) / 60 if late else rng.uniform(7, 21), LAMP, 20)
    (one,) = found(diary)
    assert one.measures["days"] == "friday+saturday"
    assert one.evidence.observed == 24
    assert one.sentence.startswith("Fridays and Saturdays about 22:")


@pytest.mark.parametrize(
    ("minute", "told"),
    [(-20, "Fridays and Saturdays about 23:"), (-2, None), (2, None), (20, "Late on Fridays and Saturdays about 00:")],
)
def test_a_night_belongs_to_its_evening(minute: int, told: str | None) -> None:
    """What is done about midnight after Fridays and Saturdays is told once, of these, on whichever side it falls."""
    rng = np.random.default_rng(8)
    diary = Diary(days=84)
    for day in range(83):
        late = diary.date(day).weekday() in (4, 5)
        diary.pulse(day, 24 + (minute + rng.normal(0, 8)) / 60 if late else rng.uniform(7, 21), LAMP, 5)
    (one,) = found(diary)
    assert one.measures["days"] == "friday+saturday"
    assert {dt.date.fromordinal(day).weekday() for day in one.measures["dates"]} == {4, 5}
    assert abs(float(np.median(one.measures["times"])) - 1440 - minute) <= 4
    assert one.evidence.observed in (23, 24)
    assert one.sentence.startswith(told or ("Late on " if one.measures["minute"] < 720 else "Fridays and "))


@pytest.mark.parametrize(("hour", "days"), [(2.5, "sunday+monday+tuesday+wednesday+thursday"), (3.5, "weekdays")])
def test_who_gets_up_early_is_not_up_late(hour: float, days: str) -> None:
    """Until three it is night, and belongs to the day before; later it is morning."""
    rng = np.random.default_rng(5)
    diary = Diary(days=56)
    for day in range(56):
        free = diary.date(day).weekday() >= 5
        diary.pulse(day, rng.uniform(7, 21) if free else hour + rng.normal(0, 4) / 60, LAMP, 5)
    (one,) = found(diary)
    assert set(one.measures["days"].split("+")) == set(days.split("+"))
    assert one.sentence.startswith("Late ") == (hour < 3)


def test_who_leaves_does_so_on_days_out() -> None:
    """Where most Tuesdays and Thursdays are spent at home, leaving is told of all other weekdays, and of these days."""
    diary, at_home = home_office()
    rng = np.random.default_rng(3)
    for day in range(diary.days):
        if diary.date(day).weekday() < 5 and day not in at_home:
            diary.add(day, 8.1 + rng.normal(0, 6) / 60, "person.anna", "not_home")
            diary.add(day, 17.2 + rng.normal(0, 15) / 60, "person.anna", "home")
    (one,) = found(diary, "person.anna=not_home")
    assert one.measures["days"] == "weekdays-at_home"
    assert one.evidence.observed == 50 - len(at_home)
    assert one.sentence.startswith("Weekdays, but not on days at home, about 08:0")
    assert found(diary, "person.anna=home")[0].measures["days"] == "weekdays-at_home"
    assert {one.measures["days"] for one in TimeOfDay(kinds=False).detect(diary.history())} <= {
        *("weekdays", "monday+wednesday+friday", "tuesday+thursday")
    }


def test_a_thing_that_makes_a_kind_of_days_is_not_told_by_it() -> None:
    """When only a radio parts days at home from others, its time is told of weekdays: the rest would go in circles."""
    rng = np.random.default_rng(4)
    diary = Diary(days=70)
    for day in range(70):
        for hour in np.sort(np.append(rng.uniform(6.5, 8.5, 12), rng.uniform(17.5, 22.5, 30))):
            diary.pulse(day, float(hour), "binary_sensor.kitchen_motion", 2)
        if diary.date(day).weekday() in (1, 3) and rng.random() < 0.85:
            diary.add(day, 9 + rng.normal(0, 0.1), "media_player.radio", "playing")
            for hour in np.arange(9.5, 17, 0.2) + rng.uniform(0, 0.05, 38):
                diary.pulse(day, float(hour), "media_player.radio", 6)
    assert [kind.name for kind in diary.history().kinds] == ["at_home"]
    told = found(diary, "media_player.radio=playing")
    assert {one.measures["days"] for one in told} == {"tuesday+thursday"}


def test_long_nights_are_left_out_of_what_is_done_before_them() -> None:
    """A page that is read at eleven on Fridays and Saturdays, not when guests stay, is told of those without guests."""
    rng = np.random.default_rng(6)
    diary, guests = Diary(days=84), (5, 18, 33, 47, 61, 74)
    for day in range(84):
        until = 26.8 if day in guests else 23.8
        for hour in np.sort(np.append(rng.uniform(7, 9, 10), rng.uniform(17, until, round(12 * (until - 17))))):
            diary.pulse(day, float(hour), f"binary_sensor.{rng.choice(['hall', 'bath'])}_motion", 1)
        if diary.date(day).weekday() in (4, 5) and day not in guests:
            diary.pulse(day, 23 + rng.normal(0, 6) / 60, LAMP, 15)
    (one,) = found(diary)
    assert one.measures["days"] == "friday+saturday-late"
    assert one.evidence.observed == 24 - len(guests)
    assert one.sentence.startswith("Fridays and Saturdays, but not on long nights, about 2")


@pytest.mark.parametrize("seed", range(3))
def test_every_day_is_told_of_every_day(seed: int) -> None:
    """A habit of every day that is missed more often on weekdays is not told of weekends."""
    rng = np.random.default_rng(seed)
    diary = Diary(days=56)
    for day in range(56):
        if rng.random() < (1.0 if diary.date(day).weekday() >= 5 else 0.72):
            diary.pulse(day, 19 + rng.normal(0, 8) / 60, LAMP, 60)
    assert [one.measures["days"] for one in found(diary)] == ["all"]


@pytest.mark.parametrize("seed", [0, 4, 5])
def test_a_time_is_told_once_however_its_days_are_mixed(seed: int) -> None:
    """Mostly at weekends, and often on Tuesdays and Thursdays: each of its days is claimed by one time of day."""
    rng = np.random.default_rng(seed)
    diary = Diary(days=56)
    shares = (0.15, 0.65, 0.15, 0.75, 0.2, 0.9, 0.95)
    for day in range(56):
        if rng.random() < shares[diary.date(day).weekday()]:
            diary.pulse(day, 17.5 + rng.normal(0, 12) / 60, LAMP, 30)
    told = found(diary)
    dates = [date for one in told for date in one.measures["dates"]]
    assert told
    assert len(dates) == len(set(dates))


def test_an_end_is_told_only_where_it_keeps_its_own_time() -> None:
    """A machine's end follows from its start; a television's end at bedtime does not."""
    rng = np.random.default_rng(9)
    diary = Diary(days=42)
    for day in range(42):
        diary.pulse(day, 9 + rng.normal(0, 20) / 60, "switch.washer", 100 + rng.normal(0, 6))
        start = 19 + rng.normal(0, 25) / 60
        diary.pulse(day, start, "media_player.tv", (22.5 - start) * 60 + rng.normal(0, 6))
    told = {one.subject[0] for one in TimeOfDay().detect(diary.history())}
    assert told == {"switch.washer=on", "media_player.tv=on", "media_player.tv=off"}


def test_a_share_covers_days_to_come() -> None:
    """Of fifty habits, at least nine in ten intervals cover the share of days that fall into the told window later."""
    covered = []
    for seed in range(50):
        rng = np.random.default_rng(seed)
        diary = Diary(days=40)
        for day in range(40):
            if rng.random() < 0.85:
                diary.pulse(day, 19 + rng.normal(0, 12) / 60, LAMP, 45)
        (one,) = found(diary)
        later = 1140 + rng.normal(0, 12, 20_000)
        share = 0.85 * np.mean(np.abs(np.floor(later) - one.measures["minute"]) <= one.measures["width"])
        covered.append(one.evidence.low <= share <= one.evidence.high)
    assert np.mean(covered) >= 0.9


def test_a_clock_that_was_wrong_for_a_day_does_not_move_a_habit() -> None:
    """A day on which everything is stamped five hours late costs that day, nothing else."""
    rng = np.random.default_rng(10)
    diary = Diary(days=40)
    for day in range(40):
        diary.pulse(day, 7 + rng.normal(0, 3) / 60 + 5 * (day == 17), LAMP, 30)
    (one,) = found(diary)
    assert abs(one.measures["minute"] - 420) <= 2
    assert diary.date(17).toordinal() not in one.measures["dates"]


def test_a_renamed_entity_has_its_days_under_either_name() -> None:
    """Each name has the days on which it was there, and counts none of the other's."""
    rng = np.random.default_rng(11)
    diary = Diary(days=60)
    diary.add(0, 0.1, "light.pantry", "unavailable")
    diary.add(30, 0.1, LAMP, "unavailable")
    diary.add(30, 0.1, "light.pantry", "off")
    for day in range(60):
        diary.pulse(day, 7 + rng.normal(0, 3) / 60, LAMP if day < 30 else "light.pantry", 30)
    (old,), (new,) = found(diary), found(diary, "light.pantry=on")
    assert max(old.measures["dates"]) < diary.date(30).toordinal() <= min(new.measures["dates"])
    assert old.evidence.observed == new.evidence.observed == 30
