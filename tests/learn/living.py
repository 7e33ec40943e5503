"""Small lives for the tests of learning, and everything that is learned of them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from quotidian.detect import ROW, ROW_VERSION, CoOccurrence, Detector, Duration, TimeOfDay
from quotidian.model import Day
from quotidian.store import Store

from ..detect.building import Diary  # noqa: TID252 - tests are no package that could be named

#: The detectors that look every night: enough where it does not matter who looks.
NIGHTLY: tuple[Detector, ...] = (TimeOfDay(), CoOccurrence(), Duration())


def settle(store: Store, diary: Diary) -> Store:
    """Make a store's home that of a diary."""
    store.set_home(msgspec.structs.replace(diary.home, id=store.home.id))
    return store


def days_of(diary: Diary) -> list[tuple[Day, pa.Table]]:
    """Give each day with its events."""
    tables = diary.tables().items()
    return [(Day.from_ordinal(ordinal, diary.home.zone), table) for ordinal, table in tables]


def tell_all(store: Store, diary: Diary) -> int:
    """Put all events of a diary into its store; give the instant at which they end."""
    settle(store, diary)
    days = days_of(diary)
    store.append(pa.concat_tables([table for _, table in days]))
    return days[-1][0].end


def summaries(store: Store, detectors: Sequence[Detector]) -> dict[str, Any]:
    """Give all of layers 2 and 3 to the bit."""
    records = store.days()
    first, last = records[0].date - dt.timedelta(days=40), records[-1].date
    found: dict[str, Any] = {}
    for name, version in [(ROW, ROW_VERSION), *((one.name, one.edition) for one in detectors)]:
        layers = [store.summary(name, version, first, last)]
        layers += [store.period_summary(period, name, version, first, last) for period in ("weekly", "monthly")]
        found[name] = [{day: kept.encode() for day, kept in layer.days.items()} for layer in layers]
    for record in records:
        found[str(record.date)] = {name: carry.encode() for name, carry in store.carries(record.date).items()}
    return found


def patterns(store: Store) -> list[bytes]:
    """Give all of layer 4 to the bit."""
    return [msgspec.msgpack.encode(pattern) for pattern in store.patterns()]
