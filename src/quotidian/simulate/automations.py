"""What automations do in the home, beside the people."""

from typing import Final

from quotidian.model import CauseKind, Day
from quotidian.model.day import SECOND
from quotidian.simulate.calendar import DayType
from quotidian.simulate.house import House
from quotidian.simulate.people import MINUTE, Diary, at_wall
from quotidian.simulate.usage import Usage, Use
from quotidian.simulate.weather import Weather

HALL: Final = "automation.hall_light_on_motion"
PORCH: Final = "automation.porch_light_at_sunset"
HEATING: Final = "automation.heating_schedule"
BLINDS: Final = "automation.blinds_open_in_the_morning"
BUTTON: Final = "automation.bedside_button"  #: runs when a person presses a button: the person's act

#: Automations: what they do, the tokens they set, and what triggers them, in Home Assistant's words.
AUTOMATIONS: Final[dict[str, tuple[str, tuple[str, ...], str]]] = {
    HALL: (
        "When somebody moves in the hall and it is dark, its light is on until two minutes after.",
        ("light.hall_ceiling=on", "light.hall_ceiling=off"),
        "state of binary_sensor.hall_motion",
    ),
    PORCH: (
        "The porch light is on from sunset until a quarter past eleven.",
        ("light.porch=on", "light.porch=off"),
        "sun",
    ),
    HEATING: (
        "The living room is heated in the morning and in the evening.",
        ("climate.living_room=heat", "climate.living_room=auto"),
        "time",
    ),
    BLINDS: ("The blinds open at half past seven.", ("cover.living_room_blinds=open",), "time"),
    BUTTON: (
        "The button beside the bed switches the bedside lamp.",
        ("light.bedroom_bedside=on", "light.bedroom_bedside=off"),
        "state of event.bedside_button",
    ),
}


def run(house: House, weather: Weather, diary: Diary, moved: dict[str, list[tuple[int, int]]], usage: Usage) -> None:
    """Let the automations act on a day; what a person is using already they leave alone."""
    day = diary.day
    if house.has("light.hall_ceiling", "binary_sensor.hall_motion"):
        dark = [(on, off) for on, off in moved.get("binary_sensor.hall_motion", []) if weather.dark(on, day)]
        for start, end in _joined(dark, 120 * SECOND):
            _act(usage, "light.hall_ceiling", start + 180_000, end, HALL)
    if house.has("light.porch"):
        _act(usage, "light.porch", weather.sun(day)[1] + 41_000, at_wall(day, 1395) + 38_000, PORCH)
    if house.has("climate.living_room") and diary.kind is not DayType.AWAY:
        for start, end in ((375, 510), (1020, 1350)):
            _act(usage, "climate.living_room", at_wall(day, start) + 52_000, at_wall(day, end) + 47_000, HEATING)


def morning(day: Day) -> int:
    """Give the instant (µs) at which the blinds are opened after a day's night."""
    return at_wall(day, 1440 + 450) + 3 * MINUTE // 1000


def _act(usage: Usage, device: str, start: int, end: int, automation: str) -> None:
    usage.add(Use(device, start, end, CauseKind.AUTOMATION, automation))


def _joined(spans: list[tuple[int, int]], after: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end + after))
        else:
            joined.append((start, end + after))
    return joined
