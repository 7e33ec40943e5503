"""The days that automations are tried on, read from layer 2."""

import datetime as dt
from typing import Final

from quotidian.detect import ROW, ROW_VERSION, DayRow
from quotidian.learn.periods import newest_folded
from quotidian.store import Store
from quotidian.suggest.tape import Tape

#: So many days are looked at, up to the newest that is folded.
DAYS: Final = 90


def tape_of(store: Store) -> Tape:
    """Give the last days that were folded, less those that the user marked; none where nothing was learned yet."""
    newest = newest_folded(store)
    if newest is None:
        return Tape([], store.home)
    days = store.summary(ROW, ROW_VERSION, newest - dt.timedelta(days=DAYS - 1), newest).days
    marked = {date.toordinal() for date in store.marks()}
    rows = [DayRow(ordinal, integers) for ordinal, integers in sorted(days.items()) if ordinal not in marked]
    return Tape(rows, store.home)
