"""Spans of activity, of the house and of its rooms, that come back."""

from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec
import numpy as np

from quotidian.detect import words
from quotidian.detect.base import Cadence, Detector
from quotidian.detect.begun import Group, beginnings, number_of
from quotidian.detect.dayrow import DayRow
from quotidian.detect.groups import Groups
from quotidian.detect.history import History, entities_of
from quotidian.detect.rollup import MOST, by_entity
from quotidian.detect.statistics import LEVEL, around, share_interval
from quotidian.detect.time_of_day import TimeOfDay
from quotidian.model import Finding, Home, Integers
from quotidian.model.arrays import Ints
from quotidian.model.day import DAY_MINUTES
from quotidian.model.rollup import Figures

#: Minutes without any change that part two sessions, in the figures of a day.
_SILENCE: Final = 30
#: Sessions of which one begins that soon (minutes) after another one may be one habit.
_SAME: Final = 45
_NAMED: Final = 4


class Session(Detector):
    """Spans of activity, of the house and of its rooms, that come back at about the same time.

    A session is a group of things that belong together at a time of the day: each of them has that time as its habit
    (see ``TimeOfDay``), and each waits for another one of them (see ``Bonds``), within a quarter of an hour. It takes
    place when at least half of its members are used with no pause between them, and lasts until the last of them comes
    to rest. Its beginnings are tested like any other act, by the clock, with kernel J. It is one of a room when all of
    its things are there, else one of the house.

    Parameters
    ----------
    pause
        The longest time between the uses of two members that begin one session, in minutes.
    shortest, longest
        The lengths between which a session is told, in minutes.
    least_share
        The share of its days on which a token must occur to be a member, in (0, 1].
    false_discovery
        The rate that is controlled over all pairs of acts that may belong together, in (0, 1).

    Notes
    -----
    Rolled up from the shared row, of ``home`` and of each entity, of all changes that people may have caused: how many
    ``sessions`` that half an hour of silence parts; of the first eight ``starts`` (minutes of the day) and ``minutes``
    (lengths).

    Subject: ``home`` or the area. Anchor: the minute of the day at which it begins. Measures: ``days`` (class),
    ``minute``, ``width`` (minutes either side that hold nearly all beginnings), ``length`` (median, minutes),
    ``members`` (tokens, in the order in which they are used), ``pause`` (minutes), ``fewest`` (members that make a
    session), ``dates`` (ordinals of the kept days).

    Examples
    --------
    >>> Session(pause=10).pause
    10
    >>> Session(shortest=0)
    Traceback (most recent call last):
    ValueError: pause is 1 to 30 minutes, shortest at least 1 and below longest, shares lie between 0 and 1
    """

    name: ClassVar[str] = "session"
    cadence: ClassVar[Cadence] = Cadence.WEEKLY

    def __init__(
        self,
        *,
        pause: int = 20,
        shortest: int = 10,
        longest: int = 480,
        least_share: float = 0.6,
        false_discovery: float = 0.01,
    ) -> None:
        shares = 0 < least_share <= 1 and 0 < false_discovery < 1
        if not (1 <= pause <= 30 and 1 <= shortest < longest and shares):
            raise ValueError(
                "pause is 1 to 30 minutes, shortest at least 1 and below longest, shares lie between 0 and 1"
            )
        self.pause = pause
        self.shortest = shortest
        self.longest = longest
        self.least_share = least_share
        self.false_discovery = false_discovery

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say when the house, and each entity, was in use."""
        del own
        subjects = {"home": np.flatnonzero(row.learned), **by_entity(row, row.learned)}
        return {name: self._used(row, places) for name, places in subjects.items() if places.size}

    def _used(self, row: DayRow, places: Ints) -> Figures:
        seconds = row.second[places]
        first = np.flatnonzero(np.diff(seconds, prepend=-(1 << 40)) >= 60 * _SILENCE)
        last = np.append(first[1:], places.size) - 1
        return {
            "sessions": int(first.size),
            "starts": (row.wall[places[first[:MOST]]] // 60).tolist(),
            "minutes": ((seconds[last] - seconds[first])[:MOST] // 60).tolist(),
        }

    def detect(self, history: History) -> list[Finding]:
        """Give the sessions that come back, the most certain first."""
        finder = Groups(self.pause, self.least_share, self.false_discovery, self.longest)
        first, looked_at = finder.of(history)
        # What takes part only now and then was of use to find a time; it is no member.
        usual = {group.usual(history, one, self.least_share) for group, one in _begun(history, first)}
        groups = [finder.group(history, tokens) for tokens in sorted(usual)]
        found = [self._finding(history, group, one) for group, one in _begun(history, [one for one in groups if one])]
        told: list[Finding] = []
        for finding in sorted((one for one in found if one is not None), key=_told_first):
            if not any(_same(finding, other) for other in told):
                told.append(finding)
        # Groups are made of the times of day that fit: the intervals must cover nonetheless.
        level = 1 - (1 - LEVEL) * len(told) / max(looked_at, len(told), 1)
        told = [_widened(finding, level) for finding in told]
        return sorted(told, key=lambda finding: (-finding.evidence.low, finding.subject, finding.anchor))

    def _finding(self, history: History, group: Group, begun: Finding) -> Finding | None:
        """Tell of the time at which the occasions of a group begin, unless they are too short or too long."""
        chosen = group.at(history, begun)
        if not chosen.size:
            return None
        length = round(float(np.median(group.lengths(history, chosen))) / 60)
        if not self.shortest <= length <= self.longest:
            return None
        members = group.in_order(history, chosen)
        measures = {
            "days": begun.measures["days"],
            "minute": begun.measures["minute"],
            "width": begun.measures["width"],
            "length": length,
            "members": members,
            "pause": self.pause,
            "fewest": group.fewest,
            "dates": begun.measures["dates"],
        }
        subject = _room(history.home, members)
        late = float(np.median(begun.measures["times"])) - measures["minute"] > DAY_MINUTES / 2
        days = (words.nights if late else words.days)(measures["days"])
        when = f"{days} from about {words.clock(measures['minute'])}"
        return msgspec.structs.replace(
            begun,
            detector=self.name,
            subject=(subject,),
            measures=measures,
            sentence=f"{when} for about {words.span(60 * length)}: {_what(history.home, subject, members)}",
        )


def _begun(history: History, groups: Sequence[Group]) -> list[tuple[Group, Finding]]:
    """Give the times of day at which the occasions of groups begin."""
    if not groups:
        return []
    begun = TimeOfDay(kinds=False).detect(beginnings(history, groups))
    return [(groups[number_of(one.subject[0])], one) for one in begun]


def _widened(finding: Finding, level: float) -> Finding:
    """Give a finding's share the interval of a level, if that is wider."""
    evidence = finding.evidence
    low, high = share_interval(evidence.kept, evidence.observed, level)
    evidence = msgspec.structs.replace(evidence, low=min(low, evidence.low), high=max(high, evidence.high))
    return msgspec.structs.replace(finding, evidence=evidence)


def _told_first(finding: Finding) -> tuple[float, tuple[str, ...], int | None]:
    return -finding.evidence.low * len(finding.measures["members"]), finding.subject, finding.anchor


def _same(finding: Finding, told: Finding) -> bool:
    """Tell whether a session begins together with one that is told already, with one of its things."""
    if finding.anchor is None or told.anchor is None or abs(around(np.array([told.anchor]), finding.anchor)[0]) > _SAME:
        return False
    return finding.subject == told.subject or bool(set(finding.measures["members"]) & set(told.measures["members"]))


def _room(home: Home, members: Sequence[str]) -> str:
    """Give the area in which all members are, else the house."""
    areas = {area.id if (area := home.area_of(name)) else "home" for name in entities_of(members)}
    return areas.pop() if len(areas) == 1 else "home"


def _what(home: Home, subject: str, members: Sequence[str]) -> str:
    """Name the room of a session and its first members."""
    entities = entities_of(members)
    shown = [words.thing(home, name) for name in entities[:_NAMED]]
    shown = [*shown[: _NAMED - 1], "others"] if len(entities) > _NAMED else shown
    things = f"{', '.join(shown[:-1])} and {shown[-1]}"
    area = home.area_of(entities[0])
    if subject == "home" or area is None:
        return things
    name = words.plain(area.name)
    return f"the {name[:1].lower()}{name[1:]}, with {things}"
