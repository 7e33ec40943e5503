"""What a bucket of InfluxDB 2 does with points: types, retention, merging, deleting."""

import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from .flux import Series, rfc3339
from .lines import Point, Unsigned, Value

HOUR, DAY, WEEK = 3_600, 86_400, 604_800
_SECOND: Final = 1_000_000_000
#: Groups of shards are counted from a Monday: 1970 began on a Thursday.
_MONDAY: Final = 3 * DAY
#: The documented length of a string, in bytes. The server itself takes more, up to a MiB.
MAX_STRING: Final = 65_536
_TYPES: Final = {float: "float", int: "integer", Unsigned: "unsigned", str: "string", bool: "boolean"}
_TERM = re.compile(r'\s*(?:"((?:[^"\\\n]|\\.)+)"|([A-Za-z_]\w*))\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*', re.DOTALL)
_AND = re.compile(r"and\b", re.IGNORECASE)
_INFLUXQL_ESCAPE = re.compile(r"\\(.)", re.DOTALL)

Tags = tuple[tuple[str, str], ...]


class PredicateError(Exception):
    """A predicate that cannot be read."""


@dataclass
class Bucket:
    """A bucket; ``every`` is its retention in seconds, 0 for ever."""

    name: str
    every: int
    description: str | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    values: dict[tuple[str, Tags], dict[str, dict[int, Value]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    _types: dict[tuple[int, str, str], type] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.group = group_seconds(self.every)

    def keep(self, every: int, group: int | None) -> bool:
        """Change the retention, unless it is shorter than the groups of shards, which change only when it is said.

        A ``group`` of 0 seconds lets the server choose.
        """
        shortest = self.group if group is None else group
        if 0 < every < shortest:
            return False
        self.every, self.group = every, self.group if group is None else group or group_seconds(every)
        self._types = {
            (self._shard(time), measurement, name): type(value) for measurement, _, name, time, value in self.points()
        }
        return True

    def write(self, points: list[Point], now: int) -> str | None:
        """Write a batch at an instant (ns); what cannot be written is dropped, the rest is not.

        What was dropped is said in the words of the server: the first reason, and a count.
        """
        expired, refused = [], []
        for point in points:
            if self.every and point.time is not None and point.time < now - self.every * _SECOND:
                expired.append(point)
            elif reason := self._put(point, now):
                refused.append(reason)
        if refused:
            return f"{refused[0]} dropped={len(refused)}"
        return self._outside(expired, now) if expired else None

    def _put(self, point: Point, now: int) -> str | None:
        time = now if point.time is None else point.time
        shard = self._shard(time)
        if not point.fields:
            return f'invalid field name: input field "time" on measurement "{point.measurement}" is invalid'
        for name, value in point.fields.items():
            if reason := self._unfit(shard, point.measurement, name, value):
                return reason
        for name, value in point.fields.items():
            self._types[shard, point.measurement, name] = type(value)
            self.values[point.measurement, point.tags][name][time] = value
        return None

    def _unfit(self, shard: int, measurement: str, name: str, value: Value) -> str | None:
        where = f'input field "{name}" on measurement "{measurement}"'
        known = self._types.get((shard, measurement, name), type(value))
        if known is not type(value):
            return f"field type conflict: {where} is type {_TYPES[type(value)]}, already exists as type {_TYPES[known]}"
        if isinstance(value, str) and (size := len(value.encode(errors="surrogateescape"))) > MAX_STRING:
            return f"{where} is too long, {size} > {MAX_STRING}"
        return None

    def _outside(self, points: list[Point], now: int) -> str:
        bound = rfc3339(now - self.every * _SECOND)
        times = sorted(point.time or 0 for point in points)
        hours, rest = divmod(self.every, HOUR)
        said = [
            f"{which} point {points[0].measurement} at {rfc3339(time)} dropped because it violates a "
            f"Retention Policy Lower Bound at {bound}"
            for which, time in (("oldest", times[0]), ("newest", times[-1]))
        ]
        return (
            f"dropped {len(points)} points outside retention policy of duration {hours}h{rest // 60}m{rest % 60}s - "
            f"{', '.join(said)} dropped={len(points)} for database: {self.id} for retention policy: autogen"
        )

    def expire(self, now: int) -> None:
        """Drop the groups of shards that lie wholly beyond the retention at an instant (ns)."""
        if not self.every:
            return
        last = self._shard(now - self.every * _SECOND)
        self._drop(lambda _measurement, _tags, time: self._shard(time) < last)
        self._types = {key: kind for key, kind in self._types.items() if key[0] >= last}

    def _shard(self, time: int) -> int:
        return (time // _SECOND + _MONDAY) // self.group

    def delete(self, start: int, stop: int, predicate: str) -> None:
        """Delete from start to stop, both included (ns), what has the tags that the predicate names."""
        wanted = terms(predicate)
        self._drop(
            lambda measurement, tags, time: (
                start <= time <= stop
                and all(value == (measurement if key == "_measurement" else tags.get(key, "")) for key, value in wanted)
            )
        )

    def _drop(self, out: Callable[[str, dict[str, str], int], bool]) -> None:
        for (measurement, tags), fields in list(self.values.items()):
            named = dict(tags)
            for name, values in list(fields.items()):
                fields[name] = {time: value for time, value in values.items() if not out(measurement, named, time)}
                if not fields[name]:
                    del fields[name]
            if not fields:
                del self.values[measurement, tags]

    def series(self) -> list[Series]:
        """Give what queries read, in the order of the series."""
        return [
            Series(measurement, tags, name, fields[name])
            for (measurement, tags), fields in sorted(self.values.items(), key=lambda item: item[0])
            for name in sorted(fields)
        ]

    def points(self) -> Iterator[tuple[str, Tags, str, int, Value]]:
        """Give every value: measurement, tags, field, time (ns), value."""
        for one in self.series():
            for time, value in sorted(one.values.items()):
                yield one.measurement, one.tags, one.field, time, value

    def described(self, org: str) -> dict[str, Any]:
        """Describe it as the API does."""
        rule = {"type": "expire", "everySeconds": self.every, "shardGroupDurationSeconds": self.group}
        return {
            "id": self.id,
            "orgID": org,
            "type": "user",
            "name": self.name,
            **({} if self.description is None else {"description": self.description}),
            "retentionRules": [rule],
            "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": "2026-01-01T00:00:00Z",
            "links": {"self": f"/api/v2/buckets/{self.id}", "org": f"/api/v2/orgs/{org}"},
            "labels": [],
        }


def group_seconds(every: int) -> int:
    """Give how long a group of shards lasts that is kept for so many seconds."""
    if every == 0 or every >= 180 * DAY:
        return WEEK
    return DAY if every >= 2 * DAY else HOUR


def terms(predicate: str) -> list[tuple[str, str]]:
    """Read ``key="value" AND …``; an empty one is true everywhere."""
    if not predicate.strip():
        return []
    found: list[tuple[str, str]] = []
    at = 0
    while True:
        term = _TERM.match(predicate, at)
        if term is None:
            raise PredicateError(f"bad logical expression, at position {at}")
        quoted, plain, value = term.groups()
        found.append((_unquoted(quoted) if plain is None else plain, _unquoted(value)))
        if term.end() == len(predicate):
            return found
        joint = _AND.match(predicate, term.end())
        if joint is None:
            raise PredicateError(f"bad logical expression, at position {term.end()}")
        at = joint.end()


def _unquoted(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        escaped = {"n": "\n", "\\": "\\", '"': '"', "'": "'"}.get(found.group(1))
        if escaped is None:
            raise PredicateError(f"bad escape \\{found.group(1)}")
        return escaped

    return _INFLUXQL_ESCAPE.sub(plain, text)
