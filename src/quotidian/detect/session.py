"""Spans of activity, of the house and of its rooms, that come back."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

import msgspec
import numpy as np

from quotidian.detect import words
from quotidian.detect.base import Cadence, Detector
from quotidian.detect.dayrow import DayRow, entity_of, state_of, token_of
from quotidian.detect.history import History, entities_of
from quotidian.detect.rollup import MOST, by_entity
from quotidian.detect.statistics import around
from quotidian.detect.things import ACTUATORS, RESTING, is_sign, tells
from quotidian.detect.time_of_day import TimeOfDay
from quotidian.model import Finding, Home, Integers
from quotidian.model.arrays import Bools, Ints
from quotidian.model.day import DAY_MINUTES
from quotidian.model.home import domain_of
from quotidian.model.rollup import Figures

#: What involves fewer things is told by other detectors.
_LEAST_THINGS: Final = 3
#: Sessions of which one begins that soon (minutes) after another one are one habit.
_SAME: Final = 45
#: The most sessions a day that are told of the house, or of a room.
_MOST: Final = 2
_NAMED: Final = 3


class _Sessions(msgspec.Struct, frozen=True):
    """The spans of activity of one subject, in order: the rows of the timeline from ``first`` to ``last``.

    ``rows`` are the rows of the timeline that count for the subject; ``first`` and ``last`` are places in them.
    """

    subject: str
    rows: Ints
    first: Ints
    last: Ints


class Session(Detector):
    """Spans of activity, of the house and of its rooms, that come back at about the same time.

    A session lasts as long as no ``silence`` interrupts the signs that somebody is there, also across midnight, and
    belongs to the day on which it begins. Its beginnings are tested like any other act, by the clock, with kernel J
    (see ``TimeOfDay``). A session is told when it lasts at least ``shortest`` and at most ``longest`` minutes and has
    members of three or more things: tokens that occur in the sessions of ``least_share`` of its days. A room's
    session that begins together with one that is told already is the same habit.

    Parameters
    ----------
    silence
        How long nothing must happen to end a session, in minutes.
    shortest, longest
        The lengths between which a session is told, in minutes.
    least_share
        The share of its days on which a token must occur to be a member, in (0, 1].

    Notes
    -----
    Rolled up from the shared row, of ``home`` and of each entity, of all changes that people may have caused: how many
    ``sessions`` that ``silence`` parts; of the first eight ``starts`` (minutes of the day) and ``minutes`` (lengths).

    Subject: ``home`` or the area. Anchor: the minute of the day at which it begins. Measures: ``days`` (class),
    ``minute``, ``width`` (minutes either side that hold 80 % of the beginnings), ``length`` (median, minutes),
    ``members`` (tokens), ``dates`` (ordinals of the kept days).

    Examples
    --------
    >>> Session(silence=20).silence
    20
    >>> Session(shortest=0)
    Traceback (most recent call last):
    ValueError: silence is at least 1 minute, shortest at least 1 and below longest, least_share in (0, 1]
    """

    name: ClassVar[str] = "session"
    cadence: ClassVar[Cadence] = Cadence.WEEKLY

    def __init__(self, *, silence: int = 30, shortest: int = 10, longest: int = 480, least_share: float = 0.6) -> None:
        if silence < 1 or not 1 <= shortest < longest or not 0 < least_share <= 1:
            raise ValueError(
                "silence is at least 1 minute, shortest at least 1 and below longest, least_share in (0, 1]"
            )
        self.silence = silence
        self.shortest = shortest
        self.longest = longest
        self.least_share = least_share

    def roll_up(self, row: DayRow, own: Integers) -> dict[str, Figures]:
        """Say when the house, and each entity, was in use."""
        del own
        subjects = {"home": np.flatnonzero(row.learned), **by_entity(row, row.learned)}
        return {name: self._used(row, places) for name, places in subjects.items() if places.size}

    def _used(self, row: DayRow, places: Ints) -> Figures:
        seconds = row.second[places]
        first = np.flatnonzero(np.diff(seconds, prepend=-(1 << 40)) >= 60 * self.silence)
        last = np.append(first[1:], places.size) - 1
        return {
            "sessions": int(first.size),
            "starts": (row.wall[places[first[:MOST]]] // 60).tolist(),
            "minutes": ((seconds[last] - seconds[first])[:MOST] // 60).tolist(),
        }

    def detect(self, history: History) -> list[Finding]:
        """Give the sessions that come back: of the house, then of rooms what the house does not tell."""
        subjects = [sessions for sessions in self._subjects(history) if sessions.first.size]
        if not subjects:
            return []
        begun = TimeOfDay(windows=(15, 45)).detect(_beginnings(history, subjects))
        told: list[Finding] = []
        for place, sessions in enumerate(subjects):
            fresh = [one for one in begun if one.subject == (_token(place),) and not _among(one, told)]
            found = [self._finding(history, sessions, one) for one in fresh]
            told += [one for one in found if one is not None][:_MOST]
        return sorted(told, key=lambda finding: (-finding.evidence.low, finding.subject, finding.anchor))

    def _subjects(self, history: History) -> Iterator[_Sessions]:
        """Give the sessions of the house, then of each area."""
        home, timeline = history.home, history.timeline
        sign = np.array([is_sign(home, token) for token in history.tokens], bool)
        yield self._sessions(history, "home", np.flatnonzero(sign[timeline.token]))
        areas = [home.area_of(entity_of(token)) for token in history.tokens]
        for area in sorted({area.id for area in areas if area}):
            here = sign & np.array([one is not None and one.id == area for one in areas], bool)
            yield self._sessions(history, area, np.flatnonzero(here[timeline.token]))

    def _sessions(self, history: History, subject: str, rows: Ints) -> _Sessions:
        """Cut rows of the timeline where nothing happened for long; leave out what is too short or too long."""
        instants = history.timeline.instant[rows]
        fresh = np.flatnonzero(np.diff(instants, prepend=-(1 << 40)) >= 60 * self.silence)
        last = np.append(fresh[1:], rows.size) - 1 if fresh.size else fresh
        length = instants[last] - instants[fresh]
        kept = (length >= 60 * self.shortest) & (length <= 60 * self.longest)
        return _Sessions(subject, rows, fresh[kept], last[kept])

    def _finding(self, history: History, sessions: _Sessions, begun: Finding) -> Finding | None:
        """Tell of a time at which sessions begin, when they have enough in common."""
        timeline = history.timeline
        first = sessions.rows[sessions.first]
        minutes = history.ordinals[timeline.day[first]] * DAY_MINUTES + timeline.wall[first] // 60
        dates, times = (np.array(begun.measures[name], np.int64) for name in ("dates", "times"))
        moments = dates * DAY_MINUTES + times
        chosen = np.flatnonzero(np.isin(minutes, moments))
        members = self._members(history, sessions, chosen)
        if len(entities_of(members)) < _LEAST_THINGS:
            return None
        ends = timeline.instant[sessions.rows[sessions.last[chosen]]]
        length = round(float(np.median(ends - timeline.instant[first[chosen]])) / 60)
        measures = {
            "days": begun.measures["days"],
            "minute": begun.measures["minute"],
            "width": begun.measures["width"],
            "length": length,
            "members": members,
            "dates": begun.measures["dates"],
        }
        when = f"{words.days(measures['days'])} from about {words.clock(measures['minute'])}"
        return msgspec.structs.replace(
            begun,
            detector=self.name,
            subject=(sessions.subject,),
            measures=measures,
            sentence=f"{when} for about {words.span(60 * length)}: {_what(history.home, sessions.subject, members)}",
        )

    def _members(self, history: History, sessions: _Sessions, chosen: Ints) -> list[str]:
        """Give the tokens that begin something in most of some sessions, those that people operate first."""
        seen = np.zeros((chosen.size, len(history.tokens)), bool)
        for row, place in enumerate(chosen.tolist()):
            rows = sessions.rows[sessions.first[place] : sessions.last[place] + 1]
            seen[row, history.timeline.token[rows]] = True
        times = dict(zip(history.tokens, seen.sum(axis=0).tolist(), strict=True))
        often = [token for token in history.tokens if times[token] >= self.least_share * chosen.size]
        begun = [token for token in often if state_of(token) not in RESTING]
        return sorted(begun, key=lambda token: (domain_of(token) not in ACTUATORS, -times[token], token))


def _token(place: int) -> str:
    # Each its own state, so that sessions that begin together are never taken for the lamps of a scene.
    return token_of(f"session.{place}", f"begun_{place}")


def _beginnings(history: History, subjects: Sequence[_Sessions]) -> History:
    """Make a history in which the beginning of each subject's sessions is a token, without a sun."""
    timeline = history.timeline
    first = np.concatenate([sessions.rows[sessions.first] for sessions in subjects])
    owner = np.repeat(np.arange(len(subjects)), [sessions.first.size for sessions in subjects])
    order = np.lexsort((owner, first))
    first, owner = first[order], owner[order]
    bounds = np.searchsorted(timeline.day[first], np.arange(len(history.rows) + 1))
    observed = np.stack([_observed(history, sessions.subject) for sessions in subjects])
    rows = []
    for place, row in enumerate(history.rows):
        today = slice(bounds[place], bounds[place + 1])
        present = np.flatnonzero(observed[:, place])
        rows.append(_row(row, len(subjects), timeline.instant[first[today]] - row.start, owner[today], present))
    return History(rows, history.home)


def _row(row: DayRow, subjects: int, second: Ints, token: Ints, present: Ints) -> DayRow:
    """Make the row of a day on which sessions begin."""
    names = tuple(entity_of(_token(place)) for place in range(subjects))
    states = tuple(state_of(_token(place)) for place in range(subjects))
    nothing: list[int] = []
    return DayRow(
        row.ordinal,
        Integers(
            names + states,
            {
                "header": [row.start, row.seconds, -1, -1],
                "clock_from": row.integers["clock_from"],
                "clock_shift": row.integers["clock_shift"],
                "token_entity": range(subjects),
                "token_state": range(subjects, 2 * subjects),
                "second": second,
                "token": token,
                "learned": np.ones(second.size, np.int64),
                "present": present,
                **dict.fromkeys(("gap_entity", "gap_start", "gap_end"), nothing),
            },
        ),
    )


def _observed(history: History, subject: str) -> Bools:
    """Tell on which days anything that shows activity of a subject was observed."""
    home = history.home
    entities = [name for name in entities_of(history.tokens) if tells(home, name)]
    areas = [home.area_of(name) for name in entities]
    members = [
        name
        for name, area in zip(entities, areas, strict=True)
        if subject == "home" or (area is not None and area.id == subject)
    ]
    return np.asarray(np.logical_or.reduce([history.present(name) for name in members]))


def _among(finding: Finding, told: Sequence[Finding]) -> bool:
    """Tell whether a session begins together with one that is told already."""
    anchors = np.array([one.anchor for one in told], np.float64)
    return finding.anchor is not None and bool((np.abs(around(anchors, finding.anchor)) <= _SAME).any())


def _what(home: Home, subject: str, members: Sequence[str]) -> str:
    """Name the room of a session and its first members."""
    entities = entities_of(members)
    areas = {area.id: area.name for name in entities if (area := home.area_of(name))}
    room = areas.get(subject) or (next(iter(areas.values())) if len(areas) == 1 else "")
    shown = [words.thing(home, name) for name in entities[:_NAMED]]
    shown += [f"{len(entities) - _NAMED} more"] if len(entities) > _NAMED else []
    things = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    if not room:
        return things
    name = words.plain(room)
    return f"the {name[:1].lower()}{name[1:]}, with {things}"
