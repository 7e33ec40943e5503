"""Findings in words that a person can read, whatever things are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian.detect import words
from quotidian.model import Entity, Home

HOME = Home(
    "h",
    "UTC",
    entities={
        "binary_sensor.front": Entity("binary_sensor.front", name="Front door", device_class="door"),
        "binary_sensor.pir": Entity("binary_sensor.pir", name="Hall", device_class="motion"),
        "media_player.tv": Entity("media_player.tv", name="TV"),
        "light.evil": Entity("light.evil", name="Lamp\n\u202eevil\x1b[31m [bold]"),
        "light.long": Entity("light.long", name="x" * 500),
    },
)


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("binary_sensor.front=on", "the front door opens"),
        ("binary_sensor.front=off", "the front door closes"),
        ("binary_sensor.pir=on", "the hall sees somebody"),
        ("media_player.tv=on", "the TV is switched on"),
        ("person.anna=not_home", "Anna leaves"),
        ("lock.door=locked", "the door lock is locked"),
        ("select.mode=a=b", "the mode changes to “a=b”"),
        ("button.bell=pressed", "the bell is pressed"),
    ],
)
def test_what_happens(token: str, sentence: str) -> None:
    """A token is said as people say it, by its device class, its domain or its state."""
    assert words.act(HOME, token) == sentence


@pytest.mark.parametrize(
    ("lamps", "sentence"),
    [
        (1, "the lamp 0 light goes on"),
        (2, "the lamp 0 light and the lamp 1 light go on together"),
        (3, "the lamp 0 light, the lamp 1 light and the lamp 2 light go on together"),
        (7, "the lamp 0 light, the lamp 1 light and 5 more go on together"),
    ],
)
def test_what_happens_together(lamps: int, sentence: str) -> None:
    """Things that move together are listed, the many are counted."""
    assert words.acts(HOME, tuple(f"light.lamp_{number}=on" for number in range(lamps))) == sentence


@given(st.text(), st.text())
def test_names_are_safe_to_show(entity_id: str, state: str) -> None:
    """Whatever entity and state are called, a sentence is one printable line without an end in sight."""
    for sentence in (words.act(HOME, f"light.{entity_id}={state}"), words.staying(HOME, f"light.{entity_id}={state}")):
        assert sentence.isprintable()
        assert len(sentence) < 180


def test_hostile_names_are_plain() -> None:
    """Line ends, control characters and marks that turn the direction of writing are gone; long names are cut."""
    assert words.thing(HOME, "light.evil") == "the lamp evil [31m [bold]"
    assert len(words.thing(HOME, "light.long")) < 70


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3_600, "60 min"),
        (5_400, "1 h 30 min"),
        (7_200, "2 h"),
        (86_400 * 3, "3 d"),
    ],
)
def test_lengths_of_time(seconds: int, text: str) -> None:
    """Two units at the most, none of them zero."""
    assert words.span(seconds) == text


@given(st.integers(-3_000, 3_000))
def test_clock_times(minute: int) -> None:
    """Any minute is read on the circle of the day."""
    hours, minutes = words.clock(minute).split(":")
    assert (int(hours) * 60 + int(minutes) - minute) % 1_440 == 0
    assert len(hours) == len(minutes) == 2


def test_days_are_counted() -> None:
    """One day is not days."""
    assert [words.kept(0, 1), words.kept(3, 4)] == ["0 of 1 day", "3 of 4 days"]
    assert [words.days(name) for name in ("all", "weekends", "sunday")] == ["Every day", "Weekends", "Sundays"]
