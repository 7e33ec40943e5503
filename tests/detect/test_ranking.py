"""What is told first is what somebody could do something with."""

import datetime as dt

import msgspec
import numpy as np

from quotidian.detect.ranking import useful_first
from quotidian.model import Evidence, Finding, Pattern, Stage, Status

DATE = dt.date(2026, 3, 2)


def pattern(
    name: str,
    *subject: str,
    detector: str = "time_of_day",
    low: float = 0.8,
    stage: Stage = Stage.ESTABLISHED,
    status: Status = Status.ACTIVE,
) -> Pattern:
    """Make a pattern."""
    evidence = Evidence(kept=9, observed=10, low=low, high=1.0)
    finding = Finding(detector=detector, subject=subject, evidence=evidence, confidence=0.9, stage=stage, sentence=name)
    return Pattern(id=name, finding=finding, status=status, first_seen=DATE, last_seen=DATE, updated=DATE)


def order(*patterns: Pattern) -> list[str]:
    """Give the ids in the order in which they are told."""
    return [one.id for one in useful_first(patterns)]


def test_active_before_certain_before_emerging() -> None:
    """What has faded comes last, however certain it was; then what is more certain and longer known comes first."""
    assert order(
        pattern("faded", "light.a=on", status=Status.FADING, low=1.0),
        pattern("emerging", "light.b=on", stage=Stage.EMERGING),
        pattern("certain", "light.c=on", low=0.9),
        pattern("likely", "light.d=on", low=0.7),
    ) == ["certain", "likely", "emerging", "faded"]


def test_what_people_operate_before_what_only_measures() -> None:
    """A lamp counts more than a sensor, and its going on more than its going off."""
    assert order(
        pattern("sensor", "binary_sensor.door=on"), pattern("off", "light.a=off"), pattern("on", "light.b=on")
    ) == ["on", "off", "sensor"]


def test_what_another_tells_comes_after_what_is_told() -> None:
    """However certain it is."""
    told = msgspec.structs.replace(pattern("told", "light.a=on", low=1.0), told_by="pair")
    assert order(told, pattern("pair", "light.b=on", low=0.5)) == ["pair", "told"]


def test_one_entity_does_not_fill_the_list() -> None:
    """The more was told of a thing, the later one more habit of it comes."""
    told = order(
        *[pattern(f"a{place}", "light.a=on", low=0.8) for place in range(4)], pattern("b", "light.b=on", low=0.6)
    )
    assert told[:2] == ["a0", "b"]


def test_the_order_of_the_patterns_does_not_matter() -> None:
    """Every pattern is told once, in an order of its own."""
    rng = np.random.default_rng(1)
    patterns = [
        pattern(f"p{place}", f"light.{place % 5}=on", low=float(low)) for place, low in enumerate(rng.random(30))
    ]
    mixed = [patterns[place] for place in rng.permutation(30).tolist()]
    assert order(*patterns) == order(*mixed)
    assert sorted(order(*mixed)) == sorted(one.id for one in patterns)
    assert order() == []
