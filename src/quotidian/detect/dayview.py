"""One day as the detectors see it: changes told from restores, people's doing from automations'."""

from typing import Final

import msgspec

from quotidian.detect.dayrow import DayRow
from quotidian.model import Day, Home
from quotidian.model.arrays import Bools, Floats, Ints

#: States that say that nothing is known.
UNKNOWN_STATES: Final = frozenset({"unavailable", "unknown", ""})

#: Domains that hold no habit: what Home Assistant computes, plans or runs.
IGNORED_DOMAINS: Final = frozenset(
    {"automation", "calendar", "camera", "conversation", "date", "datetime", "image", "notify", "schedule", "script"}
    | {"stt", "sun", "tag", "time", "timer", "todo", "tts", "update", "wake_word", "weather", "zone"}
)

#: Domains whose state is the time of the last press, so that every change is the same act.
PRESSED_DOMAINS: Final = frozenset({"button", "event", "input_button", "scene"})

#: More distinct states than that in a day: free text, not a discrete state.
MOST_STATES: Final = 12

#: More changes than that in a day: chatter, of which counts and occupancy are kept.
MOST_CHANGES: Final = 200


class Changes(msgspec.Struct, frozen=True):
    """Changes of discrete entities in columns, sorted by (second, entity).

    ``entity`` and the states are positions in ``DayView.entities`` and ``DayView.states``; ``second`` is elapsed;
    ``since`` is the elapsed second (negative for an earlier day) at which the state before was entered;
    ``learned`` tells whether people may have caused the change, ``began`` whether they may have caused the
    state before.
    """

    entity: Ints
    second: Ints
    before: Ints
    after: Ints
    since: Ints
    learned: Bools
    began: Bools


class Samples(msgspec.Struct, frozen=True):
    """Readings of numeric entities in columns, sorted by (entity, second)."""

    entity: Ints
    second: Ints
    value: Floats


class DayView(msgspec.Struct, frozen=True):
    """A day, ready for folding: the shared row, and in full what the row leaves out.

    ``lost`` lists when a discrete entity became unknown or was removed, in the columns of ``Changes`` (``after`` is
    the unknown state).
    """

    day: Day
    home: Home
    row: DayRow
    entities: tuple[str, ...]
    states: tuple[str, ...]
    changes: Changes
    lost: Changes
    samples: Samples
