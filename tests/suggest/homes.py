"""Small homes in which somebody does what an automation could do."""

import numpy as np

from quotidian.model import Home
from quotidian.suggest.tape import Tape

from ..detect.building import Diary  # noqa: TID252 - tests are no package

IN_AMSTERDAM = Home("home", "Europe/Amsterdam", latitude=52.4, longitude=4.9)
DOOR, LAMP, HALL, RADIO = "binary_sensor.door", "light.lamp", "light.hall", "media_player.radio"


def taped(diary: Diary) -> Tape:
    """Put a diary's days on a tape."""
    return Tape(diary.history().rows, diary.home)


def dark_door(seed: int = 0, days: int = 42, *, lamp: str = LAMP, cause: str = "physical") -> Diary:
    """Make a home whose lamp goes on within a minute of the door when it is dark, for twenty minutes."""
    rng = np.random.default_rng(seed)
    diary = Diary(IN_AMSTERDAM, days=days)
    for day in range(days):
        for hour in (*rng.uniform(9, 16, 3), *rng.uniform(20.5, 23, 2)):
            diary.pulse(day, hour, DOOR, 1)
            if hour > 20:
                diary.pulse(day, hour + rng.uniform(20, 60) / 3600, lamp, 20, cause)
    return diary


def saturdays(seed: int = 0, days: int = 91) -> Diary:
    """Make a home whose door opens every morning, and whose radio goes on after it on Saturdays."""
    rng = np.random.default_rng(seed)
    diary = Diary(IN_AMSTERDAM, days=days)
    for day in range(days):
        hour = 10 + rng.normal(0, 0.4)
        diary.pulse(day, hour, DOOR, 1)
        diary.pulse(day, 18 + rng.normal(0, 1), HALL, 30)
        if diary.date(day).weekday() == 5:
            diary.pulse(day, hour + rng.uniform(20, 50) / 3600, RADIO, 60)
    return diary
