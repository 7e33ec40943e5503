"""One habit is told once, by the pattern that tells it best."""

import datetime as dt
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import msgspec

from quotidian.detect.telling import told_once
from quotidian.model import Evidence, Finding, Pattern, Status

DATE = dt.date(2026, 3, 2)
DAYS = range(739_000, 739_040)


def pattern(
    name: str, detector: str, *subject: str, kept: int = 36, anchor: int | None = None, **measures: Any
) -> Pattern:
    """Make an active pattern; ``name`` is its id."""
    evidence = Evidence(kept=kept, observed=40, low=kept / 50, high=1.0)
    finding = Finding(
        detector=detector,
        subject=subject,
        anchor=anchor,
        measures=measures,
        evidence=evidence,
        confidence=0.9,
        sentence=name,
    )
    return Pattern(id=name, finding=finding, first_seen=DATE, last_seen=DATE, updated=DATE)


def wander(days: Sequence[int], width: int) -> list[int]:
    """Give minutes around nought, one for each day: the same for the same day."""
    return [(7 * day) % (2 * width + 1) - width for day in days]


def time(
    name: str, token: str, minutes: Sequence[int] | int, *, days: Sequence[int] = DAYS, reference: str = "clock"
) -> Pattern:
    """Make a time of day: that of each day, or of all."""
    times = [minutes] * len(days) if isinstance(minutes, int) else [*minutes]
    middle = sorted(times)[len(times) // 2]
    return pattern(
        name,
        "time_of_day",
        token,
        kept=len(days),
        anchor=middle % 1440,
        reference=reference,
        days="all",
        minute=middle,
        width=15,
        members=[token],
        times=times,
        dates=[*days],
    )


def pair(name: str, first: str, second: str, *, window: int = 300, kept: int = 36) -> Pattern:
    """Make a pair."""
    return pattern(
        name, "co_occurrence", first, second, kept=kept, window=window, lag=60, members=[first], followers=[second]
    )


def tellers(*patterns: Pattern) -> dict[str, str | None]:
    """Tell by whom each is told; it is the same in every order."""
    found = {tuple((one.id, one.told_by) for one in told_once(order)) for order in permutations(patterns)}
    assert len(found) == 1
    return dict(found.pop())


TV = time("tv", "media_player.tv=playing", [1196 + minute for minute in wander(DAYS, 20)])
LAMP = time("lamp", "light.lamp=on", [1197 + minute for minute in wander(DAYS, 20)])


def test_a_pair_tells_the_time_of_its_second_act() -> None:
    """A lamp that goes on a minute after the television is told with the television."""
    told = tellers(TV, LAMP, pair("pair", "media_player.tv=playing", "light.lamp=on"))
    assert told == {"tv": None, "lamp": "pair", "pair": None}


def test_a_time_of_its_own_stays() -> None:
    """A lamp that keeps to the clock, while the television wanders around it, is told; so is one of other days."""
    both = pair("pair", "media_player.tv=playing", "light.lamp=on", window=3600)
    assert tellers(TV, time("lamp", "light.lamp=on", 1210), both)["lamp"] is None
    later = range(DAYS[-1] - 5, DAYS[-1] + 30)
    assert tellers(TV, time("lamp", "light.lamp=on", 1197, days=later), both)["lamp"] is None


def test_where_the_first_has_no_time_the_second_keeps_its_own() -> None:
    """Nothing else would say when it is."""
    assert tellers(LAMP, pair("pair", "media_player.tv=playing", "light.lamp=on"))["lamp"] is None


def routine(name: str, *tokens: str, kept: int = 36, observed: int = 40) -> Pattern:
    """Make a routine of steps a minute apart."""
    found = pattern(name, "sequence", *tokens, kept=kept, gaps=[60] * (len(tokens) - 1), start=1196)
    evidence = msgspec.structs.replace(found.finding.evidence, observed=observed)
    return msgspec.structs.replace(found, finding=msgspec.structs.replace(found.finding, evidence=evidence))


def test_a_routine_tells_its_pairs() -> None:
    """What a routine is made of is not told again, but for a pair of other or many more days."""
    whole = routine("whole", "light.a=on", "light.b=on", "light.c=on")
    assert tellers(whole, pair("part", "light.b=on", "light.c=on"))["part"] == "whole"
    assert tellers(whole, pair("part", "light.a=on", "light.c=on"))["part"] == "whole"
    assert tellers(whole, pair("other", "light.c=on", "light.d=on"))["other"] is None
    assert tellers(whole, pair("end", "light.a=off", "light.c=on"))["end"] == "whole"
    assert tellers(whole, pair("evening", "light.a=off", "light.c=off"))["evening"] is None
    seldom = routine("whole", "light.a=on", "light.b=on", "light.c=on", kept=20, observed=22)
    assert tellers(seldom, pair("part", "light.b=on", "light.c=on"))["part"] is None


def test_a_routine_tells_its_variants() -> None:
    """Of two that begin alike and differ in one step the surer one is told; another beginning is another routine."""
    one = routine("one", "light.a=on", "light.b=on", "switch.coffee=on", kept=36)
    other = routine("other", "light.a=on", "light.b=on", "media_player.radio=playing", kept=30)
    assert tellers(one, other) == {"one": None, "other": "one"}
    evening = routine("other", "light.d=on", "light.b=on", "switch.coffee=on", kept=30)
    assert tellers(one, evening) == {"one": None, "other": None}
    apart = routine("other", "light.a=on", "light.e=on", "media_player.radio=playing", kept=30)
    assert tellers(one, apart) == {"one": None, "other": None}


def test_a_routine_tells_the_times_of_its_later_steps() -> None:
    """The time of its first step is told with it, that of the others follows."""
    whole = routine("whole", "media_player.tv=playing", "light.shelf=on", "light.lamp=on")
    assert tellers(whole, TV, LAMP) == {"whole": None, "tv": None, "lamp": "whole"}
    assert tellers(whole, LAMP) == {"whole": None, "lamp": None}


def test_what_tells_is_told_by_none() -> None:
    """The lamp is told by the pair, and that by the routine: both are told by the routine."""
    whole = routine("whole", "media_player.tv=playing", "light.shelf=on", "light.lamp=on", "cover.blinds=closed")
    part = pair("part", "media_player.tv=playing", "light.lamp=on")
    assert tellers(whole, part, TV, LAMP) == {"whole": None, "tv": None, "part": "whole", "lamp": "whole"}


def test_two_that_lead_to_each_other_are_not_both_silent() -> None:
    """Of a ring of pairs with a time each, one time stays to tell when it is."""
    names = ["light.a=on", "light.b=on", "light.c=on"]
    times = [time(name, name, [1200 + minute for minute in wander(DAYS, 20)]) for name in names]
    ring = [pair(f"pair {place}", names[place], names[(place + 1) % 3]) for place in range(3)]
    told = {one.id: one.told_by for one in told_once([*times, *ring])}
    assert [told[name] for name in names].count(None) == 1


def test_who_comes_home_tells_of_the_door() -> None:
    """A door that opens a minute before somebody comes home, and their pair, are told with the person."""
    tom = time("tom", "person.tom=home", [1070 + minute for minute in wander(DAYS, 20)])
    door = time("door", "binary_sensor.door=on", [1069 + minute for minute in wander(DAYS, 20)])
    both = pair("pair", "binary_sensor.door=on", "person.tom=home")
    assert tellers(tom, door, both) == {"tom": None, "door": "tom", "pair": "tom"}
    assert tellers(time("tom", "person.tom=home", 1040), door)["door"] is None
    other = time("julia", "person.julia=home", [1070 + minute for minute in wander(DAYS, 20)])
    assert tellers(tom, other) == {"tom": None, "julia": None}
    tracker = time("tracker", "device_tracker.phone=home", [1071 + minute for minute in wander(DAYS, 20)])
    assert tellers(tom, tracker)["tracker"] == "tom"


def test_what_is_operated_tells_of_what_sees_it() -> None:
    """A sensor that changes with the lamp is told with the lamp; two lamps at one time are two."""
    seen = time("seen", "binary_sensor.desk=on", [1198 + minute for minute in wander(DAYS, 20)])
    assert tellers(LAMP, seen) == {"lamp": None, "seen": "lamp"}
    assert tellers(LAMP, TV) == {"lamp": None, "tv": None}


def test_sensors_that_see_one_moment_are_one_line() -> None:
    """Of things that are always opened together the surest tells; one at another time, or on other days, is another."""
    early = DAYS[:36]
    fridge = time("fridge", "binary_sensor.fridge=on", [570 + minute for minute in wander(DAYS, 20)])
    cups = time("cups", "binary_sensor.cups=on", [577 + minute for minute in wander(early, 20)], days=early)
    tray = time("tray", "binary_sensor.tray=on", [572 + minute for minute in wander(early, 20)], days=early)
    assert tellers(fridge, cups, tray) == {"fridge": None, "cups": "fridge", "tray": "fridge"}
    assert tellers(fridge, time("mail", "binary_sensor.mail=on", 570))["mail"] is None
    late = range(DAYS[20], DAYS[20] + 36)
    other = time("cups", "binary_sensor.cups=on", [577 + minute for minute in wander(late, 20)], days=late)
    assert tellers(fridge, other) == {"fridge": None, "cups": None}


def on_night(one: Pattern, number: int) -> Pattern:
    """Say that a pattern was found for the last time so many nights later."""
    return msgspec.structs.replace(one, last_seen=DATE + dt.timedelta(days=number))


def test_a_former_routine_is_told_by_the_one_found_since() -> None:
    """What has mostly the things of a routine that was found later is not shown beside it; what has few of them is."""
    now = on_night(routine("now", "light.a=on", "light.b=on", "light.c=on", "light.d=on"), 1)
    former = routine("former", "light.e=on", "light.b=on", "light.d=on", kept=38)
    assert tellers(now, former) == {"now": None, "former": "now"}
    assert tellers(now, on_night(former, 1)) == {"now": None, "former": None}
    another = routine("former", "light.e=on", "light.f=on", "light.d=on", kept=38)
    assert tellers(now, another)["former"] is None


def test_a_former_pair_is_told_by_the_other_way_round() -> None:
    """Of two things one pair is told, also on the nights after it turned round."""
    now = on_night(pair("now", "light.b=on", "light.a=on"), 1)
    assert tellers(now, pair("former", "light.a=on", "light.b=on", kept=38))["former"] == "now"
    assert tellers(now, pair("former", "light.a=on", "light.c=on", kept=38))["former"] is None


def length(name: str, token: str, minutes: int, *, spans: int = 38) -> Pattern:
    """Make a duration."""
    return pattern(name, "duration", token, median=60 * minutes, spans=spans)


BEGIN = time("begin", "switch.oven=on", [1110 + minute for minute in wander(DAYS, 20)])


def test_the_duration_tells_the_going_off() -> None:
    """An oven that is always on for forty minutes goes off forty minutes later; that it goes on is told beside it."""
    end = time("end", "switch.oven=off", [1150 + minute for minute in wander(DAYS, 20)])
    told = tellers(BEGIN, end, length("length", "switch.oven=on", 41))
    assert told == {"begin": None, "end": "length", "length": None}
    assert tellers(BEGIN, end, length("length", "switch.oven=on", 90))["end"] is None
    assert tellers(end, length("length", "switch.oven=on", 41))["end"] is None


def test_a_going_off_by_the_clock_tells_the_duration() -> None:
    """What goes off at half past seven whenever it went on has no length of its own, if it is on once a day."""
    end = time("end", "switch.oven=off", 1150)
    told = tellers(BEGIN, end, length("length", "switch.oven=on", 41))
    assert told == {"begin": None, "end": None, "length": "end"}
    assert tellers(BEGIN, end, length("length", "switch.oven=on", 41, spans=100))["length"] is None


def test_who_comes_home_is_told_by_the_time() -> None:
    """However well the hours away agree, when somebody comes home is worth more."""
    leaves = time("leaves", "person.tom=not_home", [496 + minute for minute in wander(DAYS, 20)])
    comes = time("comes", "person.tom=home", [1070 + minute for minute in wander(DAYS, 20)])
    away = length("away", "person.tom=not_home", 574)
    assert tellers(leaves, comes, away) == {"leaves": None, "comes": None, "away": "comes"}


def test_over_midnight() -> None:
    """A going off at half past midnight belongs to the going on before."""
    begin = time("begin", "light.a=on", [1390 + minute for minute in wander(DAYS, 30)])
    end = time("end", "light.a=off", [(1470 + minute) % 1440 for minute in wander(DAYS, 20)])
    assert tellers(begin, end, length("length", "light.a=on", 80))["end"] is None
    late = time("end", "light.a=off", [(1470 + minute) % 1440 for minute in wander(DAYS, 30)])
    assert tellers(begin, late, length("length", "light.a=on", 80))["end"] == "length"


def test_clock_and_sun_do_not_tell_each_other() -> None:
    """What keeps to sunset does not keep to what keeps to the clock."""
    lamp = time("lamp", "light.lamp=on", wander(DAYS, 20), reference="sunset")
    both = pair("pair", "media_player.tv=playing", "light.lamp=on")
    assert tellers(TV, lamp, both)["lamp"] is None
    shelf = time("shelf", "light.shelf=on", wander(DAYS, 20), reference="sunset")
    assert tellers(shelf, lamp, pair("pair", "light.shelf=on", "light.lamp=on"))["lamp"] == "pair"


def test_a_drift_tells_the_time_that_drifted() -> None:
    """It knows where the time was and where it is; a time hours away is another habit."""
    drift = pattern("drift", "seasonal", "media_player.tv=playing", "drift", anchor=1200)
    assert tellers(TV, drift) == {"tv": "drift", "drift": None}
    assert (
        tellers(TV, msgspec.structs.replace(drift, finding=msgspec.structs.replace(drift.finding, anchor=500)))["tv"]
        is None
    )
    shape = pattern("shape", "seasonal", "media_player.tv=playing", "year", anchor=1200)
    assert tellers(TV, shape)["tv"] is None


def test_the_weather_tells_the_time_that_is_kept_only_then() -> None:
    """When the heater goes on only on cold days, its time says less; that somebody is at home says little."""
    heater = time("heater", "switch.heater=on", 410)
    fields: dict[str, Any] = {"side": "below", "threshold": 8.0, "members": []}
    subject = ("switch.heater=on", "sensor.outside", "below")
    cold = pattern("cold", "contextual", *subject, context="sensor.outside", otherwise=[3, 20], **fields)
    assert tellers(heater, cold)["heater"] == "cold"
    mostly = pattern("cold", "contextual", *subject, context="sensor.outside", otherwise=[12, 20], **fields)
    assert tellers(heater, mostly)["heater"] is None
    sunset = time("heater", "switch.heater=on", 5, reference="sunset")
    assert tellers(sunset, cold) == {"heater": None, "cold": "heater"}
    presence = pattern("here", "contextual", *subject, context="presence", otherwise=[0, 8], **fields)
    assert tellers(heater, presence)["heater"] is None


def stretch(days: str, *members: str, minute: int = 1190, length: int = 40) -> Pattern:
    """Make a session of the living room."""
    return pattern(
        "session", "session", "living_room", days=days, minute=minute, length=length, width=15, members=[*members]
    )


def test_a_routine_tells_the_session_that_consists_of_it() -> None:
    """A session with the same things says no more; one with others, at another time, or for hours does."""
    whole = routine("whole", "media_player.tv=playing", "light.lamp=on", "light.shelf=on")
    things = ("light.lamp=on", "light.shelf=on", "media_player.tv=playing")
    assert tellers(whole, stretch("all", *things))["session"] == "whole"
    assert tellers(whole, stretch("all", *things, "switch.oven=on", "fan.hood=on"))["session"] is None
    assert tellers(whole, stretch("all", *things, minute=600))["session"] is None
    assert tellers(whole, stretch("all", *things, length=180))["session"] is None


def test_a_session_tells_that_its_room_is_in_use() -> None:
    """In the hours of the session, on its days."""
    session = stretch("all", length=216)
    room = pattern("room", "room", "living_room", days="weekdays", start=19, end=23)
    assert tellers(session, room) == {"session": None, "room": "session"}
    morning = pattern("room", "room", "living_room", days="weekdays", start=7, end=9)
    assert tellers(session, morning)["room"] is None
    assert tellers(session, pattern("room", "room", "kitchen", days="all", start=19, end=23))["room"] is None
    way = pattern("way", "room", "living_room", "hall", days="all", start=19, end=23)
    assert tellers(session, way)["way"] is None
    assert tellers(stretch("weekends", length=216), room)["room"] is None


def test_a_day_away_tells_what_was_missing() -> None:
    """An empty day is one thing to tell, not one for each thing that nobody did."""
    away = pattern("away", "day_type", "home", "away", dates=[739_003, 739_004])
    absent = pattern("absent", "anomaly", "absent", "light.a=on", "2024-04-30", check="absent", date=739_003)
    assert tellers(away, absent) == {"away": None, "absent": "away"}
    other = pattern("absent", "anomaly", "absent", "light.a=on", "2024-05-03", check="absent", date=739_006)
    assert tellers(away, other)["absent"] is None
    long = pattern("long", "anomaly", "long", "light.a=on", "2024-04-30", check="long", date=739_003)
    assert tellers(away, long)["long"] is None


def test_patterns_of_other_versions_are_left_alone() -> None:
    """What lacks a measure, or comes from a detector that is not known, neither tells nor is told."""
    bare = [
        pattern(name, name, "light.lamp=on", "light.desk=on")
        for name in ("time_of_day", "co_occurrence", "sequence", "duration", "room", "session", "day_type", "anomaly")
    ]
    every = [*bare, pattern("contextual", "contextual", "a"), pattern("new", "new"), pattern("none", "duration"), TV]
    assert all(one.told_by is None for one in told_once(every))


def test_what_was_marked_before_does_not_matter() -> None:
    """Marks of the night before are made anew."""
    stale = msgspec.structs.replace(LAMP, told_by="gone")
    assert [one.told_by for one in told_once([stale, TV])] == [None, None]


def test_what_is_not_active_neither_tells_nor_is_told() -> None:
    """A pair that is fading tells nothing any more, and what it told is told again."""
    both = pair("pair", "media_player.tv=playing", "light.lamp=on")
    found = told_once([TV, LAMP, both])
    faded = [msgspec.structs.replace(one, status=Status.FADING) if one.id == "pair" else one for one in found]
    assert {one.id: one.told_by for one in told_once(faded)} == {"tv": None, "lamp": None, "pair": None}
