"""What a detector is: fold a day, merge, detect."""

from abc import ABC, abstractmethod
from enum import StrEnum
from hashlib import blake2b
from inspect import signature
from typing import ClassVar

from quotidian.detect.dayrow import DayRow
from quotidian.detect.dayview import DayView
from quotidian.detect.history import History
from quotidian.model import Carry, Finding, Integers, Summary
from quotidian.model.rollup import Figures


class Cadence(StrEnum):
    """How often a detector looks."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Detector(ABC):
    """A kind of habit, and how it is found.

    The laws that hold for every detector: folding days one at a time, with merges in any grouping or order, gives
    to the bit what one pass over all days gives; events shuffled, duplicated or late change nothing; memory is
    bounded; a day at a change of the clocks is one day; there is no habit in noise.
    """

    #: The name under which summaries and findings are kept.
    name: ClassVar[str]
    #: Grows when ``fold`` gives other integers for the same day.
    version: ClassVar[int] = 1
    cadence: ClassVar[Cadence] = Cadence.DAILY
    #: Whether it keeps integers of its own beside the shared row.
    keeps: ClassVar[bool] = False
    #: The parameters of the constructor that ``fold`` reads.
    folds_by: ClassVar[tuple[str, ...]] = ()

    @property
    def edition(self) -> int:
        """What kind of integers ``fold`` gives: the key under which summaries are kept.

        It is the version as long as what ``fold`` reads is as by default; otherwise 32 bits that follow from the
        parameters that are not, above the 16 bits of the version.
        """
        defaults = signature(type(self)).parameters
        set_apart = {
            name: getattr(self, name) for name in self.folds_by if getattr(self, name) != defaults[name].default
        }
        if not set_apart:
            return self.version
        words = repr(sorted(set_apart.items())).encode()
        return int.from_bytes(blake2b(words, digest_size=4).digest(), "big") << 16 | self.version

    def fold(self, day: DayView, carry: Carry) -> tuple[Integers, Carry]:
        """Reduce a day to a few integers, given what the day before handed on; and hand on what crosses midnight.

        A detector for which the shared row says enough keeps nothing of its own.
        """
        del day, carry
        return Integers(), Carry()

    def merge(self, one: Summary, other: Summary) -> Summary:
        """Unite two summaries: associative, commutative, with the empty summary as identity."""
        return one.merged(other)

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say in readable figures what the shared row and its own integers tell of a day: by entity, area or ``home``.

        They follow from these integers alone, and no list has more than 48 members.
        """
        del row, own
        return {}

    @abstractmethod
    def detect(self, history: History) -> list[Finding]:
        """Say what holds on the evidence of these days, best first."""

    def summary(self, history: History) -> Summary:
        """Give this detector's own summaries of the history's days."""
        return history.summaries.get(self.name, Summary(self.name, self.edition))
