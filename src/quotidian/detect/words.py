"""Findings in words: what a token does, when, and how often."""

import datetime as dt
from typing import Final

from quotidian.detect.dayrow import entity_of, state_of
from quotidian.detect.things import OPENINGS, PASSING
from quotidian.model import Home
from quotidian.model.home import domain_of
from quotidian.model.plain import plain as plain  # noqa: PLC0414 - they belong to these words
from quotidian.model.plain import plain_sentence as plain_sentence  # noqa: PLC0414

_MONTHS: Final = "January February March April May June July August September October November December"
MONTHS: Final = tuple(_MONTHS.split())

_WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS: Final = {
    "all": "Every day",
    "weekdays": "Weekdays",
    "weekends": "Weekends",
    "at_home": "On days at home",
    "out": "On days out",
    "late": "On long nights",
}


#: What an entity does when it enters a state: by (device class or domain, state), else by state.
_ACTS: Final[dict[str | tuple[str, str], str]] = {
    **dict.fromkeys(((kind, "on") for kind in OPENINGS), "opens"),
    **dict.fromkeys(((kind, "off") for kind in OPENINGS), "closes"),
    **dict.fromkeys(((kind, "on") for kind in PASSING), "sees somebody"),
    **dict.fromkeys(((kind, "off") for kind in PASSING), "sees nobody any more"),
    ("person", "home"): "comes home",
    ("person", "not_home"): "leaves",
    ("device_tracker", "home"): "comes home",
    ("device_tracker", "not_home"): "leaves",
    ("media_player", "on"): "is switched on",
    ("media_player", "off"): "is switched off",
    ("climate", "off"): "is switched off",
    "on": "goes on",
    "off": "goes off",
    "open": "opens",
    "opening": "opens",
    "closed": "closes",
    "closing": "closes",
    "locked": "is locked",
    "unlocked": "is unlocked",
    "playing": "starts playing",
    "paused": "is paused",
    "idle": "becomes idle",
    "cleaning": "starts cleaning",
    "docked": "returns to its dock",
    "pressed": "is pressed",
}

#: From how many days on each kind of habit can be found, for those who have fewer.
WITH_MORE_DAYS: Final = (
    (3, "times of day can be found, at the earliest"),
    (5, "what follows on what, routines, rooms and how long things last can be found, at the earliest"),
    (14, "unusual days are pointed out"),
    (28, "habits of a single weekday can be told from chance"),
    (42, "what depends on weather or presence can be seen, at the end of a month"),
    (60, "habits that move with the season can be seen, at the end of a month"),
)

_PLURALS: Final = {"goes": "go", "is": "are", "opens": "open", "closes": "close", "starts": "start", "sees": "see"}


def thing(home: Home, entity_id: str) -> str:
    """Name an entity inside a sentence.

    >>> thing(Home("h", "UTC"), "light.kitchen"), thing(Home("h", "UTC"), "person.anna")
    ('the kitchen light', 'Anna')
    """
    name = plain(home.name_of(entity_id))
    if domain_of(entity_id) in ("person", "device_tracker"):
        return name
    acronym = len(name) > 1 and name[1].isupper()
    if name.lower().startswith("the "):
        return f"the {name[4:]}"
    return f"the {name if acronym else name[:1].lower() + name[1:]}"


def act(home: Home, token: str) -> str:
    """Say what happens when a token occurs.

    >>> act(Home("h", "UTC"), "light.kitchen=on"), act(Home("h", "UTC"), "input_boolean.string_lights=on")
    ('the kitchen light goes on', 'the string lights go on')
    """
    name, verb = thing(home, entity_of(token)), _verb(home, token)
    return f"{name} {_plural(verb) if are_many(home, entity_of(token)) else verb}"


def acts(home: Home, tokens: tuple[str, ...]) -> str:
    """Say what happens when tokens occur that move together.

    >>> acts(Home("h", "UTC"), ("light.desk=on", "light.shelf=on"))
    'the desk light and the shelf light go on together'
    """
    if len(tokens) == 1:
        return act(home, tokens[0])
    names = [thing(home, entity_of(token)) for token in tokens]
    if len(names) > 3:
        names = [*names[:2], f"{len(names) - 2} more"]
    return f"{', '.join(names[:-1])} and {names[-1]} {_plural(_verb(home, tokens[0]))} together"


def staying(home: Home, token: str) -> str:
    """Say that something remains in a state.

    >>> staying(Home("h", "UTC"), "light.kitchen=on"), staying(Home("h", "UTC"), "person.anna=not_home")
    ('the kitchen light stays on', 'Anna stays away')
    """
    entity_id, state = entity_of(token), state_of(token)
    kind = home.entity(entity_id).device_class
    if kind in OPENINGS and state == "on":
        state = "open"
    elif kind in PASSING and state == "on":
        state = "occupied"
    elif state == "not_home":
        state = "away"
    return f"{thing(home, entity_id)} stays {plain(state)}"


def _plural(verb: str) -> str:
    first, _, rest = verb.partition(" ")
    return f"{_PLURALS.get(first, first.removesuffix('s'))} {rest}".strip()


def are_many(home: Home, entity_id: str) -> bool:
    """Guess whether a name is that of several things: blinds and lights, not a glass or a person."""
    last = home.name_of(entity_id).lower().rpartition(" ")[2]
    return last.endswith("s") and not last.endswith(("ss", "us", "is")) and domain_of(entity_id) != "person"


def _verb(home: Home, token: str) -> str:
    entity_id, state = entity_of(token), state_of(token)
    kinds = (home.entity(entity_id).device_class or "", domain_of(entity_id))
    known = next((_ACTS[kind, state] for kind in kinds if (kind, state) in _ACTS), _ACTS.get(state))
    return known or f"changes to “{plain(state)}”"


def days(name: str) -> str:
    """Name a class of days at the beginning of a sentence.

    >>> days("weekdays"), days("friday+saturday"), days("monday+tuesday+wednesday+thursday+saturday")
    ('Weekdays', 'Fridays and Saturdays', 'Every day but Fridays and Sundays')
    >>> days("monday+tuesday+wednesday+thursday"), days("weekdays-at_home")
    ('Mondays to Thursdays', 'Weekdays, but not on days at home,')
    """
    if name in _DAYS:
        return _DAYS[name]
    class_, _, kind = name.partition("-")
    if kind:
        return f"{days(class_)}, but not {_within(days(kind))},"
    named = name.split("+")
    if len(named) in (3, 4) and name in "+".join(_WEEK):
        return f"{named[0].capitalize()}s to {named[-1].capitalize()}s"
    told = [day for day in _WEEK if (day in named) == (len(named) < 5)]
    plurals = [f"{day.capitalize()}s" for day in told]
    words = " and ".join([", ".join(plurals[:-1]), plurals[-1]]) if len(plurals) > 1 else plurals[0]
    return words if len(named) < 5 else f"Every day but {words}"


def nights(name: str) -> str:
    """Name the hours past midnight after a class of days at the beginning of a sentence.

    >>> nights("all"), nights("friday+saturday"), nights("weekdays"), nights("at_home")
    ('Late every day', 'Late on Fridays and Saturdays', 'Late on weekdays', 'Late on days at home')
    """
    told = days(name)
    return f"Late {_within(told)}" if told.startswith(("Every", "On ")) else f"Late on {_within(told)}"


def _within(told: str) -> str:
    """Put a class of days within a sentence; the days of the week stay capitalised."""
    return told if told.lower().startswith(_WEEK) else f"{told[:1].lower()}{told[1:]}"


def clock(minute: float) -> str:
    """Give a minute of the day as people write it.

    >>> clock(405), clock(-5)
    ('06:45', '23:55')
    """
    minute = round(minute) % 1440
    return f"{minute // 60:02d}:{minute % 60:02d}"


def span(seconds: float) -> str:
    """Give a length of time in its two largest units at the most.

    >>> span(42), span(600), span(5400), span(180000)
    ('42 s', '10 min', '1 h 30 min', '2 d 2 h')
    """
    seconds = round(seconds)
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 90 or minutes == 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    whole, hours = divmod(hours, 24)
    return f"{whole} d {hours} h" if hours else f"{whole} d"


def kept(days_kept: int, days_observed: int) -> str:
    """Say how often.

    >>> kept(38, 40)
    '38 of 40 days'
    """
    return f"{days_kept} of {days_observed} day{'s' * (days_observed != 1)}"


def date(day: dt.date) -> str:
    """Give a date as people say it.

    >>> date(dt.date(2026, 10, 5))
    '5 October'
    """
    return f"{day.day} {MONTHS[day.month - 1]}"
