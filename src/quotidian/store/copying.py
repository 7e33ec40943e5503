"""Moving finished days and summaries into the other kind of store: where they are, or in a copy of the directory.

The books say of each day and each summary where it lies, so that a directory may hold both kinds at a time, and whoever
is killed in between goes on where he was: each is written in its new place, read again, compared, and only then named
in the books and removed from the old one.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

import msgspec
import pyarrow as pa

from quotidian import clock
from quotidian.errors import CorruptStoreError, SettingError, StoreRefusedError
from quotidian.model import Day
from quotidian.settings import Settings
from quotidian.store.backup import restoring
from quotidian.store.backup.local import set_aside
from quotidian.store.connect import open_here
from quotidian.store.protocols import Astray, Backup, Checked, Store

Kind = Literal["embedded", "influx"]
_KINDS: Final[dict[str, Kind]] = {"embedded": "embedded", "influx": "influx"}
#: Called with the stage, what is done and what there is to do, where that is known.
Progress = Callable[[str, int, int | None], None]

#: A copy that is not complete has such a file in its directory.
MARK: Final = "copying"
_SPAN: Final = 31  #: days that are checked at once


class Copied(msgspec.Struct, frozen=True):
    """What was moved or copied, what was found when all was read once more, and what could not be moved, and why."""

    moved: Astray
    checked: Checked
    faults: tuple[str, ...] = ()


def opened(directory: Path, settings: Settings, to: Kind, *, back: bool = True) -> Store:
    """Open a store so that ``settle`` moves everything into one kind of store, for this process alone.

    Parameters
    ----------
    directory, settings, to
        Where it is, where InfluxDB is, and the kind.
    back
        Whether something may lie in InfluxDB that is to be brought back.

    Raises
    ------
    StoreBusyError
        When a service, or another process, holds it.
    """
    return open_here(directory, settings.replaced(QUOTIDIAN_STORE=to), create=False, here=back and to == "embedded")


def refuse_dropping(directory: Path, settings: Settings) -> None:
    """Refuse to let InfluxDB drop what lies there alone, when it is to keep things for less long.

    Raises
    ------
    StoreRefusedError
        When something is to be brought back first.
    StoreBusyError
        When a service, or another process, holds the store.
    """
    if not restoring.has_store(directory):
        return
    with closing(opened(directory, settings, "influx")) as store:
        left = store.astray()
    if left.days or left.summaries:
        raise StoreRefusedError(
            f"InfluxDB is to keep things for less long, and {left.days:,} days and {left.summaries:,} summaries do not "
            "lie yet where they then belong.",
            "Run `quotidian store copy --from embedded --to influx` first: it brings back what would be dropped.",
        )


def move(store: Store, progress: Progress) -> Copied:
    """Move all that is over in a store that ``opened`` gave, and read everything once more.

    A day that turns out to be damaged is set aside and told; the others go on.

    Raises
    ------
    UnreachableError, AccessError, DiskFullError
        When InfluxDB does not answer or take the token, or there is no space; the next call goes on.
    """
    store.seal(Day.containing(clock.now(), store.home.zone).date)
    before = known = store.astray()
    faults: list[str] = []
    done = 0
    while True:
        try:
            if not store.settle():
                return Copied(before, check(store, progress), tuple(faults))
        except CorruptStoreError as error:
            left = store.astray()
            if left == known:
                raise  # nothing was set aside: it would happen again
            known = left
            faults.append(str(error))
        done += 1
        progress("move days", min(done, before.days), before.days)
        if done > before.days:
            progress("move summaries", done - before.days, None)


def check(store: Store, progress: Progress) -> Checked:
    """Read everything that a store keeps but what came today, and tell what is wrong."""
    found = Checked()
    spans = [*_spans(store)]
    for done, (first, last) in enumerate(spans, 1):
        found += store.check(first, last)
        progress("check", done, len(spans))
    return found + Checked(faults=tuple(_others(store)))


def _spans(store: Store) -> Iterator[tuple[dt.date, dt.date]]:
    layers = [layer for layer in store.layers() if layer.layer <= 3]
    first = min((layer.first for layer in layers if layer.first), default=None)
    last = max((layer.last for layer in layers if layer.last), default=None)
    while first is not None and last is not None and first <= last:
        yield first, first + dt.timedelta(days=_SPAN - 1)
        first += dt.timedelta(days=_SPAN)


def _others(store: Store) -> Iterator[str]:
    """Say what is wrong with the patterns and the chain of certificates."""
    try:
        store.patterns()
    except CorruptStoreError as error:
        yield str(error)
    verified = store.verify()
    if verified.fault is not None:
        yield f"The chain of loss certificates breaks at number {verified.number} ({verified.date}): {verified.fault}."


def copy(source: Store, target: Path, settings: Settings, to: Kind, progress: Progress) -> Copied:
    """Copy a store, which may be in use, into another directory, in one kind of store; the source stays as it is.

    Raises
    ------
    StoreRefusedError
        When there is something else in the directory.
    UnreachableError, AccessError, DiskFullError
        As ``move``; the next call goes on.
    """
    target = target.expanduser()
    faults = [] if _begun(source, target, settings, to) else _taken(source, target, progress)
    with closing(opened(target, settings, to, back=False)) as store:
        copied = move(store, progress)
        different = _compared(source, store, progress)
        size = sum(layer.bytes for layer in store.layers())
    (target / MARK).unlink()
    checked = copied.checked + Checked(faults=tuple(different))
    everything = Astray(checked.days, checked.events, checked.summaries, size)
    return Copied(everything, checked, (*faults, *copied.faults))


def _begun(source: Store, target: Path, settings: Settings, to: Kind) -> bool:
    """Tell whether a copy of a store was begun in a directory before, and all of it was there."""
    if not restoring.has_store(target):
        return False
    if not (target / MARK).exists():
        raise StoreRefusedError(f"There is a store in {target} already.", "Name another directory.")
    with closing(opened(target, settings, to, back=False)) as store:
        if store.home.id != source.home.id:
            raise StoreRefusedError(f"In {target} there is the copy of another home.", "Name another directory.")
    return True


def _taken(source: Store, target: Path, progress: Progress) -> list[str]:
    """Copy all that a store holds now into a directory, as files; give what was damaged, and is not in the copy."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    (target / MARK).touch()
    faults: list[str] = []
    while True:
        with closing(source.backup()) as backup:
            try:
                stream = _Stream(backup)
            except CorruptStoreError as error:
                if backup.damaged is None:
                    raise
                faults.append(str(error))
                set_aside(source, backup)
                continue
            restoring.restore(stream, target, lambda: "", lambda done, total: progress("copy", done, total))
            return faults


class _Stream:
    """A backup, to be read."""

    def __init__(self, backup: Backup) -> None:
        self.manifest = backup.manifest
        self._chunks, self._rest = backup.chunks(), b""

    def read(self, size: int, /) -> bytes:
        """Give so many bytes or fewer; none at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


def _compared(source: Store, target: Store, progress: Progress) -> list[str]:
    """Compare the days of a copy with those that have not changed since in its source."""
    faults = []
    now = {day.date: day for day in source.days()}
    days = [day for day in target.days() if day.events]
    for done, day in enumerate(days, 1):
        there = now.get(day.date)
        if there is not None and (there.events, there.revision) == (day.events, day.revision):
            span = Day.of(day.date, target.home.zone)
            if _spelled(source.day_events(span)) != _spelled(target.day_events(span)):
                faults.append(f"The events of {day.date} are others in the copy. Copy the store again.")
        progress("compare", done, len(days))
    return faults


def _spelled(events: pa.Table) -> pa.Table:
    """Write words out: the same ones may have other numbers."""
    words = [pa.types.is_dictionary(field.type) for field in events.schema]
    fields = [field.with_type(pa.string()) if word else field for field, word in zip(events.schema, words, strict=True)]
    return events.cast(pa.schema(fields))


def kind(name: str) -> Kind:
    """Read the name of a kind of store.

    Raises
    ------
    SettingError
        When there is no such kind.
    """
    if name not in _KINDS:
        raise SettingError(f"{name!r} is no kind of store.", "Name embedded or influx.")
    return _KINDS[name]
