"""What a simulated home is to be like, and a few homes by name."""

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

import holidays
import msgspec

from quotidian.errors import SettingError


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate.

    Parameters
    ----------
    seed
        The home: its devices, people and habits.
    noise
        What happens day by day. The same home with another noise is a fresh draw of the same habits.
    start, days
        The first local day, and how many. The first days are the same however many are asked for.
    zone, latitude, longitude, country
        Where the home stands: IANA name, degrees, ISO 3166 alpha-2 (for public holidays).
    people
        How many live there, 1 to 6.
    entities
        10 to 1,000. The first ones are those of a kitchen and a living room; a large home has more rooms.
    events_per_day
        1,000 to 1,000,000: sensors report so often that an ordinary day has about so many events. What
        people and automations do comes on top where there are fewer reports to spare.
    habits
        ``False`` for a home in which the same devices are used at random times.
    name
        The home's name.
    """

    seed: int = 1
    noise: int = 1
    start: dt.date = dt.date(2026, 2, 2)
    days: int = 90
    zone: str = "Europe/Amsterdam"
    latitude: float = 52.09
    longitude: float = 5.12
    country: str = "NL"
    people: int = 2
    entities: int = 64
    events_per_day: int = 5_000
    habits: bool = True
    name: str = "Home"

    def check(self) -> None:
        """Refuse what cannot be simulated.

        Raises
        ------
        SettingError
            When a field lies outside its range, naming the field and the range.
        """
        for field, low, high in _RANGES:
            value = getattr(self, field)
            if not low <= value <= high:
                raise SettingError(f"A simulated home cannot have {field} {value}.", f"Give {low:,} to {high:,}.")
        if self.country not in holidays.list_supported_countries():
            raise SettingError(
                f"There is no calendar of public holidays for the country {self.country!r}.",
                "Give an ISO 3166 code of two letters, such as NL.",
            )
        try:
            ZoneInfo(self.zone)
        except (KeyError, OSError, ValueError) as error:
            raise SettingError(
                f"{self.zone!r} is not a time zone.", "Give an IANA name such as Europe/Amsterdam."
            ) from error


_RANGES: Final = (
    ("seed", 0, 2**63 - 1),
    ("noise", 0, 2**63 - 1),
    ("days", 1, 3_660),
    ("latitude", -90, 90),
    ("longitude", -180, 180),
    ("people", 1, 6),
    ("entities", 10, 1_000),
    ("events_per_day", 1_000, 1_000_000),
)

#: Homes by name: what the demonstration, the tests and the benchmarks use.
EXAMPLES: Final = {
    "demo": Plan(name="Willow Lane 8", noise=15),
    "small": Plan(name="Studio", people=1, entities=12, events_per_day=1_000, days=30),
    "large": Plan(name="Mill House", seed=3, people=4, entities=300, events_per_day=100_000, days=30),
    "ten-days": Plan(name="Willow Lane 8", noise=15, start=dt.date(2026, 3, 9), days=10),
    "null": Plan(name="House without habits", habits=False, days=60),
}


def example(name: str) -> Plan:
    """Give the plan of a home by name.

    Raises
    ------
    SettingError
        When there is no such home.
    """
    plan = EXAMPLES.get(name)
    if plan is None:
        raise SettingError(f"There is no simulated home called {name!r}.", f"Choose one of {', '.join(EXAMPLES)}.")
    return plan
