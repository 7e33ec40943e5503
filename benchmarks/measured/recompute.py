"""What a nightly run replaces: read the last days' raw events again over HTTP, fold them all, and look once."""

from typing import Final, cast

from benchmarks.fresh import Laps, Told
from quotidian.detect import Cadence, detectors
from quotidian.learn.fold import fold
from quotidian.learn.look import look_on
from quotidian.model import Day
from quotidian.store import Store
from quotidian.store.remote import RemoteStore

TIMES: Final = 5


def run(laps: Laps, url: str, secret: str, days: str) -> Told:
    """Fold so many days and look on the last night; then, for comparison, one day several times."""
    store = cast("Store", RemoteStore(url, secret))
    records = store.days()
    last = records[-1].date
    now, who = Day.of(last, store.home.zone).end, detectors()
    laps.lap("begun")
    folded = fold(store, who, now, again=True, since=records[-int(days)].date)
    laps.lap("all")
    list(look_on(store, who, Cadence.DAILY, [last], store.nights.revision))
    laps.lap("look")
    for _ in range(TIMES):
        fold(store, who, now, again=True, since=last)
    laps.lap("one")
    store.close()
    if len(folded.days) != int(days):
        raise RuntimeError(f"{len(folded.days)} days were folded instead of {days}")
    return {"events": float(folded.events)}
