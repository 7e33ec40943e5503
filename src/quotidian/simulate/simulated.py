"""A simulated home: who lives there, what happens day by day, and what is true of it."""

import datetime as dt
from collections.abc import Iterator
from functools import cached_property

import msgspec
import pyarrow as pa

from quotidian.model import Day, Home
from quotidian.simulate.calendar import Calendar
from quotidian.simulate.changes import Change, changes_of
from quotidian.simulate.house import build
from quotidian.simulate.lived import Life, Lived
from quotidian.simulate.plan import Plan
from quotidian.simulate.record import Record, renaming
from quotidian.simulate.sensors import Meters
from quotidian.simulate.telling import tell
from quotidian.simulate.truth import Truth
from quotidian.simulate.unlived import Unlived
from quotidian.simulate.usage import Use
from quotidian.simulate.weather import Weather


class SimulatedHome:
    """A home that was never built.

    The same plan gives the same bytes. Nothing is kept between days but what reaches from one into the next, so
    memory is bounded by one day.
    """

    def __init__(self, plan: Plan) -> None:
        plan.check()
        self.plan = plan
        self._house = build(plan)
        self._calendar, self._weather = Calendar(plan), Weather(plan)
        self._life = Life(plan, self._house, self._calendar, self._weather)

    @cached_property
    def home(self) -> Home:
        """The home: where it stands, its areas and entities, as the registries have them on the last day."""
        home, change = self._house.home, renaming(self.plan, self._house)
        if change is None:
            return home
        entities = dict(home.entities)
        old = entities.pop(change.entity_id)
        words = change.successor.partition(".")[2].replace("_", " ").capitalize()
        entities[change.successor] = msgspec.structs.replace(old, entity_id=change.successor, name=words)
        return msgspec.structs.replace(home, entities=entities)

    @cached_property
    def truth(self) -> Truth:
        """What is true of the home. It is found by living all days once, without writing down their events."""
        return tell(self.plan, self._house, self._calendar, self._life, self._lived())

    def days(self) -> Iterator[tuple[Day, pa.Table]]:
        """Give each local day with its events: a table of ``EVENT_SCHEMA`` sorted by last update."""
        meters = Meters(self.plan, self._house, self._weather)
        record = Record(self.plan, self._house, meters.things)
        coming: list[Change] = []
        for lived in self._lived():
            day = lived.diary.day
            coming += changes_of(self.plan, self._house, self._weather, lived)
            today = [change for change in coming if change.time < day.end]
            coming = [change for change in coming if change.time >= day.end]
            yield day, record.day(day, today, meters.read(day, lived.usage), self._calendar.downs(day))

    def _lived(self) -> Iterator[Lived]:
        life = self._life if self.plan.habits else Unlived(self.plan, self._house)
        reaching: list[Use] = []
        for number in range(self.plan.days):
            day = Day.of(self.plan.start + dt.timedelta(days=number), self.plan.zone)
            lived = life.live(day, reaching)
            yield lived
            reaching = lived.usage.reaching(day.end)


def simulate(plan: Plan) -> SimulatedHome:
    """Give the home of a plan.

    Raises
    ------
    SettingError
        When the plan asks for what cannot be simulated.
    """
    return SimulatedHome(plan)
