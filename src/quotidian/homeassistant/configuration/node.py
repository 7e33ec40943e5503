"""A part of a configuration that somebody wrote, with its place in it."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

import msgspec

from quotidian.homeassistant.configuration.literal import MARKS
from quotidian.model.plain import plain

TEMPLATE: Final = "a template is only known while it runs"
#: More than anybody writes; what YAML's anchors can make of little is without end.
_DEEPEST, _LARGEST = 40, 20_000
_ENTITY_ID: Final = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_SPAN: Final = re.compile(r"([+-]?)(\d{1,6}):(\d{1,6})(?::(\d{1,6}(?:\.\d{0,6})?))?")
_T = TypeVar("_T")
_SPANS: Final = ("days", "hours", "minutes", "seconds", "milliseconds")


class UnclearError(Exception):
    """A part of a configuration cannot be understood."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(place, reason)
        self.place = place
        self.reason = reason


class Tagged(msgspec.Struct, frozen=True):
    """What stands in a YAML file for something else, such as ``!secret door_code``."""

    tag: str


class Node(msgspec.Struct, frozen=True):
    """A value and its place, as ``triggers[0].for``.

    Whatever reads it raises ``UnclearError`` where the value is not what it should be.
    """

    value: Any
    place: str = ""

    def __getitem__(self, key: str) -> "Node":
        """Give a field of a mapping; one of nothing where it is not there."""
        inner = self.value.get(key) if isinstance(self.value, dict) else None
        return Node(inner, f"{self.place}.{key}" if self.place else key)

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def unclear(self, reason: str) -> UnclearError:
        """Give the error that says why it cannot be understood."""
        if isinstance(self.value, Tagged):
            reason = f"only Home Assistant knows what {plain(self.value.tag)} stands for"
        return UnclearError(self.place, reason)

    def either(self, *keys: str) -> "Node":
        """Give the field that is there, under one of its names."""
        present = [key for key in keys if key in self]
        if len(present) > 1:
            raise self.unclear(f"both '{present[0]}' and '{present[1]}' are there")
        return self[(present or keys)[0]]

    def known(self, *keys: str) -> None:
        """Refuse what is no mapping, or has other fields."""
        if not isinstance(self.value, dict):
            raise self.unclear("this is no mapping of names to values")
        for key in self.value:
            if key not in keys:
                raise self.unclear(f"'{shown(key)}' is not understood here")

    @property
    def parts(self) -> list["Node"]:
        """What is in a list, or the one thing that stands for a list."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            return [self]
        return [Node(part, f"{self.place}[{number}]") for number, part in enumerate(self.value)]

    @property
    def enabled(self) -> bool:
        """Whether it is not switched off."""
        if "enabled" not in self:
            return True
        node = self["enabled"]
        if not isinstance(node.value, bool):
            raise node.unclear("whether it is switched on is only known while it runs")
        return node.value

    @property
    def counts(self) -> bool:
        """Whether something is there that is not switched off."""
        if self.value is not None and not isinstance(self.value, dict):
            reason = TEMPLATE if isinstance(self.value, str) else "this is no mapping of names to values"
            raise self.unclear(reason)
        return self.value is not None and self.enabled

    def one_of(self, word: str, known: Mapping[str, _T]) -> _T:
        """Give what a word of it stands for."""
        if word not in known:
            raise self.unclear(f"'{plain(word)}' is not one of {' and '.join(known)}")
        return known[word]

    def text(self) -> str:
        """Read a text that is no template."""
        if isinstance(self.value, bool):
            raise self.unclear("on and off without quotes are no text in YAML")
        if not isinstance(self.value, str):
            raise self.unclear("there should be a text")
        if any(mark in self.value for mark in MARKS):
            raise self.unclear(TEMPLATE)
        return self.value

    def texts(self) -> tuple[str, ...]:
        """Read a text, or a list of them."""
        return tuple(part.text() for part in self.parts)

    def entities(self) -> tuple[str, ...]:
        """Read entity ids: a list, one, or several with commas."""
        found = [name.strip().lower() for part in self.parts for name in part.text().split(",")]
        for name in found:
            if not _ENTITY_ID.fullmatch(name):
                raise self.unclear(f"'{plain(name)}' is no entity id")
        if not found:
            raise self.unclear("there should be an entity id")
        return tuple(found)

    def number(self) -> float | None:
        """Read a number, if any is there."""
        if self.value is None:
            return None
        value = self.text() if isinstance(self.value, str) else self.value
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.unclear("there should be a number")
        try:
            number = float(value)
        except (ValueError, OverflowError) as error:
            raise self.unclear("there should be a number") from error
        if not math.isfinite(number):
            raise self.unclear("there should be a number")
        return number

    def limits(self) -> tuple[float | None, float | None]:
        """Read above and below what a number is."""
        above, below = self["above"].number(), self["below"].number()
        if above is None and below is None:
            raise self.unclear("it says neither above nor below what")
        return above, below

    def clock(self) -> int:
        """Read a time of day, as seconds after midnight."""
        if isinstance(self.value, int):
            raise self.unclear("a time without quotes is a number in YAML")
        found = _CLOCK.fullmatch(self.text())
        hour, minute, second = (int(part or 0) for part in found.groups()) if found else (24, 0, 0)
        if hour > 23 or minute > 59 or second > 59:
            raise self.unclear("this is no time of day as 07:30:00")
        return 3600 * hour + 60 * minute + second

    def span(self) -> int:
        """Read a span of time, to whole seconds."""
        if isinstance(self.value, dict):
            self.known(*_SPANS)
            parts = {key: self[key].number() or 0.0 for key in _SPANS}
        elif isinstance(self.value, str) and (found := _SPAN.fullmatch(self.value)):
            sign, *clock = found.groups()
            parts = {
                key: float(f"{sign}{part or 0}")
                for key, part in zip(("hours", "minutes", "seconds"), clock, strict=True)
            }
        else:
            parts = {"seconds": self.number() or 0.0}
        try:
            return round(timedelta(**parts).total_seconds())
        except OverflowError as error:
            raise self.unclear("this is too long") from error

    def walk(self) -> Iterator[tuple[str, Any]]:
        """Give everything in it that holds nothing else, with the name that it stands under.

        Raises ``UnclearError`` where there is more than anybody writes.
        """
        stack, count = [("", self.value, 0)], 0
        while stack:
            key, value, depth = stack.pop()
            count += 1
            if depth > _DEEPEST or count > _LARGEST:
                raise self.unclear("it is too large")
            if isinstance(value, dict):
                stack.extend((shown(name), inner, depth + 1) for name, inner in value.items())
            elif isinstance(value, list):
                stack.extend((key, inner, depth + 1) for inner in value)
            else:
                yield key, value


def entities_named(configuration: Any) -> frozenset[str]:
    """Give the entities that a configuration names openly, templates aside."""
    named = _texts(configuration, ("entity_id",))
    return frozenset(name.strip().lower() for text in named for name in text.split(",") if "{" not in name)


def services_named(configuration: Any) -> frozenset[str]:
    """Give the services that a configuration calls openly."""
    return frozenset(text for text in _texts(configuration, ("action", "service")) if _ENTITY_ID.fullmatch(text))


def _texts(configuration: Any, keys: tuple[str, ...]) -> Iterator[str]:
    return (value for key, value in Node(configuration).walk() if key in keys and isinstance(value, str))


def shown(key: Any) -> str:
    """Give the name of a field; in YAML it can be anything."""
    return plain(key) if isinstance(key, str) else type(key).__name__
