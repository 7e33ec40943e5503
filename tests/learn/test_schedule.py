"""When the learning runs: times as cron writes them, each night once, whatever the clocks do."""

import datetime as dt
import itertools
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from quotidian.errors import SettingError
from quotidian.learn.due import FIRST, SETTLED, standing, waiting
from quotidian.learn.schedule import Cron, crons
from quotidian.model import Job, JobKind, JobState
from quotidian.model.day import SECOND, instant, moment
from quotidian.settings import Settings

ZONES = ("Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham")
HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND
BEGAN = instant(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


def at(text: str, zone: str = "UTC", fold: int = 0) -> int:
    """Give the instant of a time on a zone's clock."""
    return instant(dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold))


def times(text: str, start: str, zone: str = "UTC") -> Iterator[str]:
    """Give the times of a schedule behind one, as the zone's clock shows them."""
    found, schedule = at(start, zone), Cron(text)
    while True:
        found = schedule.after(found, zone)
        yield f"{moment(found, zone):%Y-%m-%d %H:%M}"


def first(count: int, text: str, start: str, zone: str = "UTC") -> list[str]:
    """Give the first few times."""
    return [*itertools.islice(times(text, start, zone), count)]


# as cron writes them

#: 2026-11-22 is a Sunday; the days (of November) on which each comes in the week from there.
WEEKDAYS = {
    "0": [22],
    "7": [22],
    "1": [23],
    "6": [28],
    "sun": [22],
    "SAT": [28],
    "1-5": [23, 24, 25, 26, 27],
    "mon-fri": [23, 24, 25, 26, 27],
    "5-7": [22, 27, 28],
    "fri-sun": [22, 27, 28],
    "0-1": [22, 23],
    "sun-tue": [22, 23, 24],
    "*/2": [22, 24, 26, 28],
    "1-5/2": [23, 25, 27],
    "2/2": [24, 26, 28],
    "0,3,sat": [22, 25, 28],
    "*": [22, 23, 24, 25, 26, 27, 28],
    "0-7": [22, 23, 24, 25, 26, 27, 28],
}


@pytest.mark.parametrize(("field", "days"), WEEKDAYS.items())
def test_weekdays_are_those_of_cron(field: str, days: list[int]) -> None:
    """0 and 7 are Sunday and 1 is Monday, as numbers and names, in ranges, lists and steps."""
    found = itertools.takewhile(lambda told: told < "2026-11-29", times(f"0 3 * * {field}", "2026-11-21 12:00"))
    assert [int(told[8:10]) for told in found] == days


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/20 3 * * *", ["2026-01-01 03:00", "2026-01-01 03:20", "2026-01-01 03:40", "2026-01-02 03:00"]),
        ("5,50 1-2 * * *", ["2026-01-01 01:05", "2026-01-01 01:50", "2026-01-01 02:05", "2026-01-01 02:50"]),
        ("0 3 1 * *", ["2026-01-01 03:00", "2026-02-01 03:00", "2026-03-01 03:00", "2026-04-01 03:00"]),
        ("0 3 31 * *", ["2026-01-31 03:00", "2026-03-31 03:00", "2026-05-31 03:00", "2026-07-31 03:00"]),
        ("0 3 1 jan,JUL *", ["2026-01-01 03:00", "2026-07-01 03:00", "2027-01-01 03:00", "2027-07-01 03:00"]),
        ("0 3 29 2 *", ["2028-02-29 03:00", "2032-02-29 03:00", "2036-02-29 03:00", "2040-02-29 03:00"]),
        # Either of them is enough: the fifth, and Mondays.
        ("0 3 5 * 1", ["2026-01-05 03:00", "2026-01-12 03:00", "2026-01-19 03:00", "2026-01-26 03:00"]),
        ("0 3 6 * 1", ["2026-01-05 03:00", "2026-01-06 03:00", "2026-01-12 03:00", "2026-01-19 03:00"]),
    ],
)
def test_times_are_those_of_cron(text: str, expected: list[str]) -> None:
    """Steps, lists and ranges; months by name; days that some months lack; a day of the month or a weekday."""
    assert first(4, text, "2025-12-31 12:00") == expected


WRONG = (
    *("0 3 * *", "0 3 * * * *", "60 3 * * *", "0 24 * * *", "0 3 0 * *", "0 3 32 * *", "0 3 * 13 *", "0 3 * * 8"),
    *("0 3 * * mo", "0 3 * * 5-1", "*/0 3 * * *", "a b c d e", "0 3 30 2 *", "0 3 31 4,6 *", "-1 3 * * *"),
    *("0 3 L * *", "1,, 3 * * *", "1- 3 * * *", "*-5 3 * * *", "0 3 last * *", "0 3 * * 1#2", "@daily", "1.5 3 * * *"),
    "\u0663 3 * * *",
)


@pytest.mark.parametrize("text", WRONG)
@pytest.mark.parametrize("name", ["ANALYSIS_SCHEDULE", "WEEKLY_ANALYSIS_SCHEDULE", "MONTHLY_ANALYSIS_SCHEDULE"])
def test_what_is_no_schedule_is_refused(name: str, text: str) -> None:
    """The error has the setting's name, its value, and how it is written."""
    with pytest.raises(SettingError) as error:
        crons(Settings({name: text}))
    assert name in str(error.value)
    assert repr(text) in str(error.value)
    assert "minute hour day month weekday" in str(error.value)


# the clocks of a year


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", ["0 0", "30 1", "15 2", "0 3", "50 2", "45 3", "59 23"])
def test_each_night_of_a_year_has_one_time(zone: str, hour: str) -> None:
    """Through both changes of the clocks every date has its time exactly once, and never before the clock shows it."""
    found, schedule, dates = at("2025-12-31 23:59", zone), Cron(f"{hour} * * *"), []
    minute, told = map(int, hour.split())
    while moment(found, zone).year < 2027:
        found = schedule.after(found, zone)
        local = moment(found, zone)
        dates.append(local.date())
        shown = local.hour * 60 + local.minute
        # Later only where the clocks skip it, and then at the moment when they are set.
        assert shown == told * 60 + minute or shown - 60 <= told * 60 + minute < shown, local
        assert found == min(found, at(f"{local:%Y-%m-%d %H:%M}", zone, fold=0))
    year = dt.date(2026, 1, 1).toordinal()
    assert [date.toordinal() for date in dates if date.year == 2026] == [*range(year, year + 365)]


@pytest.mark.parametrize(
    ("zone", "night", "skipped", "expected"),
    [
        ("Europe/Amsterdam", "2026-03-29", "30 2", "2026-03-29 03:00"),
        ("America/New_York", "2026-03-08", "0 2", "2026-03-08 03:00"),
        ("Australia/Lord_Howe", "2026-10-04", "15 2", "2026-10-04 02:30"),
        ("Pacific/Chatham", "2026-09-27", "0 3", "2026-09-27 03:45"),
        ("America/Santiago", "2026-09-06", "30 0", "2026-09-06 01:00"),
    ],
)
def test_a_time_that_the_clocks_skip_comes_when_they_are_set(
    zone: str, night: str, skipped: str, expected: str
) -> None:
    """It runs right after the hour that is missing, once."""
    eve = dt.date.fromisoformat(night) - dt.timedelta(days=1)
    found = first(2, f"{skipped} * * *", f"{eve} 12:00", zone)
    assert found[0] == expected
    assert found[1][:10] > night


@pytest.mark.parametrize(
    ("zone", "night", "twice"),
    [
        ("Europe/Amsterdam", "2026-10-25", "30 2"),
        ("America/New_York", "2026-11-01", "30 1"),
        ("Australia/Lord_Howe", "2026-04-05", "45 1"),
        ("Pacific/Chatham", "2026-04-05", "0 3"),
    ],
)
def test_a_time_that_the_clocks_show_twice_comes_once(zone: str, night: str, twice: str) -> None:
    """It comes with the first of the two, and then on the next day."""
    minute, hour = twice.split()
    shown = f"{night} {int(hour):02}:{int(minute):02}"
    schedule = Cron(f"{twice} * * *")
    found = schedule.after(at(f"{night} 00:00", zone), zone)
    assert found == at(shown, zone, fold=0) < at(shown, zone, fold=1)
    assert moment(schedule.after(found, zone), zone).date() == dt.date.fromisoformat(night) + dt.timedelta(days=1)


# what is due


def job(asked: int, state: JobState = JobState.DONE, ended: int | None = None) -> Job:
    """Make a daily job that was asked for at an instant."""
    return Job(id=str(asked), kind=JobKind.DAILY, by="schedule", asked=asked, state=state, ended=ended)


def lived(zone: str, clock: list[int], began: int) -> list[int]:
    """Look at each instant of a clock whether the days are due, and run them; give when they ran."""
    schedule, runs, ran = Cron("0 3 * * *"), [job(began - HOUR)], []
    for now in clock:
        began = min(began, now)
        if standing(schedule, runs, now, zone, began).at <= now:
            runs = [job(now), *runs[:9]]
            ran.append(now)
    return ran


@pytest.mark.parametrize("zone", ZONES)
def test_a_year_of_looking_runs_each_night_once(zone: str) -> None:
    """By an injected clock, often in the nights on which the clocks change."""
    began = at("2026-01-01 12:00", zone)
    clock = [began + minute * 60 * SECOND for minute in range(0, 365 * 1440, 120)]
    offsets = {now: moment(now, zone).utcoffset() for now in clock}
    changes = [now for now, later in itertools.pairwise(clock) if offsets[now] != offsets[later]]
    assert len(changes) == 2
    clock += [change + minute * 60 * SECOND for change in changes for minute in range(-120, 180, 3)]
    ran = [moment(now, zone).date() for now in lived(zone, sorted(set(clock)), began)]
    first_night = dt.date(2026, 1, 2).toordinal()
    assert [date.toordinal() for date in ran] == [*range(first_night, first_night + len(ran))]
    assert len(ran) == 365


def looks(start: str, end: str, shift: int = 0) -> list[int]:
    """Give instants ten minutes apart, on a clock that is off by a shift (µs)."""
    return [now + shift for now in range(at(start), at(end), 600 * SECOND)]


@pytest.mark.parametrize("shift", [-HOUR, HOUR, -DAY, DAY, -40 * DAY])
@pytest.mark.parametrize("moment_of", ["02:30", "03:30", "23:30", "00:30"])
def test_a_clock_that_is_set_leaves_no_night_out(shift: int, moment_of: str) -> None:
    """Set back or forward by an hour, over midnight or by weeks: from then on each night has its run, within a day."""
    began = at("2026-05-01 12:00")
    before = looks("2026-05-01 12:00", f"2026-05-03 {moment_of}")
    after = looks(f"2026-05-03 {moment_of}", f"2026-05-06 {moment_of}", shift)
    ran = lived("UTC", before + after, began)
    in_time = [now for now in ran if now in set(after)]
    # Three nights follow, by the clock as it is now; each has at least one run, at three or when it is caught up.
    wanted = {moment(now).date() for now in after if moment(now).hour == 3 and moment(now).minute == 0}
    assert wanted <= {moment(now).date() for now in in_time}
    # And never two in a row without a reason: at the most one more, which finds nothing to do.
    assert len(in_time) <= len(wanted) + 1


def test_a_change_of_zone_is_followed() -> None:
    """A home that moves has its nights by the clock of where it is."""
    schedule, ran = Cron("0 3 * * *"), [job(at("2026-05-01 03:00", "Europe/Berlin"))]
    for zone in ("Europe/Berlin", "America/New_York"):
        due = standing(schedule, ran, at("2026-05-01 12:00"), zone, BEGAN).due
        assert f"{moment(due, zone):%Y-%m-%d %H:%M}" == ("2026-05-02 03:00" if zone[0] == "E" else "2026-05-01 03:00")


def test_missed_times_are_caught_up_once() -> None:
    """After a week off one run is due, shortly after the start: what happened meanwhile is fetched first."""
    schedule, began = Cron("0 3 * * *"), at("2026-05-10 18:00")
    runs = [job(at("2026-05-03 03:00"))]
    found = standing(schedule, runs, began, "UTC", began)
    assert found.at == began + SETTLED
    after = standing(schedule, [job(found.at), *runs], found.at + 1, "UTC", began)
    assert moment(after.at) == moment(at("2026-05-11 03:00"))


def test_the_very_first_time_waits_for_history() -> None:
    """Where nothing ever ran it is due an hour after the start, whenever its time comes."""
    schedule = Cron("0 3 * * *")
    for start, expected in (("2026-05-10 18:00", "2026-05-10 19:00"), ("2026-05-10 02:58", "2026-05-10 03:58")):
        assert standing(schedule, [], at(start), "UTC", at(start)).at == at(expected)
    assert FIRST == HOUR


def test_failures_are_tried_again_with_growing_pauses() -> None:
    """After 5, 10, 20 minutes … and at the latest six hours; a new start of the service tries at once."""
    schedule, due, began = Cron("0 3 * * *"), at("2026-05-02 03:00"), at("2026-05-01 12:00")
    runs, now, pauses = [job(at("2026-05-01 03:00"))], due, []
    for _ in range(9):
        runs.insert(0, job(now, JobState.FAILED, ended=now))
        again = standing(schedule, runs, now, "UTC", began).at
        pauses.append((again - now) // (60 * SECOND))
        now = again
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 360, 360]
    assert standing(schedule, runs, now, "UTC", now).at == now + SETTLED


def test_what_waits_follows_from_the_books() -> None:
    """Days whose events changed, the last week and the last month that nobody looked at; never the very last day."""

    def line(date: str, revision: int, folded: int | None, **more: object) -> dict[str, object]:
        return {"date": date, "events": 5, "sealed_bytes": 0, "revision": revision, "folded": folded, **more}

    ledger = [
        line("2026-10-31", 2, 2),
        line("2026-11-19", 2, 1),
        line("2026-11-20", 1, 1),
        line("2026-11-20", 3, None, expired=True),
        line("2026-11-21", 1, None),
        line("2026-11-22", 9, None),
    ]
    now = at("2026-11-22 12:00")
    found = waiting(ledger, {"daily": "2026-11-20", "weekly": None, "monthly": None, "revision": 7}, now, "UTC")
    assert (found.days, found.first, found.last) == (2, dt.date(2026, 11, 19), dt.date(2026, 11, 21))
    assert (found.week, found.month) == (dt.date(2026, 11, 21), dt.date(2026, 10, 31))
    seen = {"daily": "2026-11-20", "weekly": "2026-11-21", "monthly": "2026-10-31", "revision": 8}
    found = waiting(ledger[:5], seen, now, "UTC")
    assert (found.days, found.week, found.month) == (1, None, None)
    assert waiting([], seen, now, "UTC").days == 0
