"""People move through rooms, and motion sensors see them."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.random import Generator

from quotidian.model.arrays import Ints
from quotidian.model.day import SECOND
from quotidian.simulate.house import House, Role, path
from quotidian.simulate.people import Diary, Stay


def steps_of(house: House, diary: Diary, rng: Generator) -> Iterator[tuple[str, int]]:
    """Give every movement that a sensor could see, as (room, µs): on the way to a room, and while staying there."""
    ends = {(person, time): "porch" for person, leave, back in diary.out for time in (leave, back)}
    for person in house.people:
        stays = sorted((stay for stay in diary.stays if stay.person == person), key=lambda stay: stay.start)
        before = "bedroom"
        for stay in stays:
            yield from _walk(before, stay.room, stay.start, rng)
            yield from _stay(stay, rng)
            before = stay.room
    for (_, time), room in ends.items():
        yield from _walk(room, "kitchen" if rng.random() < 0.5 else "living_room", time, rng)


def _walk(start: str, end: str, time: int, rng: Generator) -> Iterator[tuple[str, int]]:
    trail = path(start, end) if start != end else ()
    for back, room in enumerate(reversed(trail[1:])):
        yield room, time - round((back * rng.uniform(2.5, 6) + rng.uniform(0, 1.5)) * SECOND)


def _stay(stay: Stay, rng: Generator) -> Iterator[tuple[str, int]]:
    count = int(rng.poisson(stay.moves * (stay.end - stay.start) / (3_600 * SECOND)))
    times: Ints = np.sort(rng.integers(stay.start, stay.end, count))
    for time in times.tolist():
        yield stay.room, time


def moved(house: House, steps: Iterable[tuple[str, int]]) -> dict[str, list[tuple[int, int]]]:
    """Give for each motion sensor when it was on (from, to; µs): it falls back some time after the last movement."""
    by_room: dict[str, list[int]] = {}
    for room, time in steps:
        by_room.setdefault(room, []).append(time)
    return {
        sensor.entity_id: _spans(by_room[sensor.area], round(sensor.delay * SECOND))
        for sensor in house.of(Role.MOTION)
        if sensor.area in by_room
    }


def _spans(steps: list[int], delay: int) -> list[tuple[int, int]]:
    times = np.sort(np.array(steps, np.int64))
    first = np.flatnonzero(np.diff(times, prepend=times[0] - delay - 1) > delay)
    last = np.append(first[1:], times.size) - 1
    return list(zip(times[first].tolist(), (times[last] + delay).tolist(), strict=True))
