"""A home without habits: the same devices, used at any time of any day."""

from numpy.random import Generator

from quotidian.model import Day
from quotidian.model.day import SECOND
from quotidian.simulate.calendar import DayType
from quotidian.simulate.chance import chance, lognormal
from quotidian.simulate.habits import Habit
from quotidian.simulate.house import House, Role, Thing
from quotidian.simulate.lived import Lived
from quotidian.simulate.people import MINUTE, Diary
from quotidian.simulate.plan import Plan
from quotidian.simulate.rooms import moved
from quotidian.simulate.usage import Usage, Use


class Unlived:
    """Days on which everything happens as often as in a lived home, and nothing for a reason."""

    habits: tuple[Habit, ...] = ()

    def __init__(self, plan: Plan, house: House) -> None:
        self._plan, self._house = plan, house

    def live(self, day: Day, earlier: list[Use]) -> Lived:
        """Use devices and move through rooms at uniform random times of a day."""
        rng, usage = chance(self._plan.noise, "unlived", day.ordinal), Usage(earlier)
        for thing in [*self._house.of(Role.DEVICE), *self._house.of(Role.PERSON)]:
            for start in _times(day, rng, max(1.0, 1.5 * thing.uses)):
                usage.add(Use(thing.entity_id, start, start + _length(thing, rng)))
        steps = [(str(sensor.area), time) for sensor in self._house.of(Role.MOTION) for time in _times(day, rng, 60)]
        return Lived(Diary(day, DayType.WORK, {}, [], []), usage, moved(self._house, steps), [])


def _times(day: Day, rng: Generator, mean: float) -> list[int]:
    return sorted(rng.integers(day.start, day.end, int(rng.poisson(mean))).tolist())


def _length(thing: Thing, rng: Generator) -> int:
    median = 150 if thing.role is Role.PERSON else min(thing.stay, 240)
    return max(SECOND, round(lognormal(rng, median, thing.spread) * MINUTE))
