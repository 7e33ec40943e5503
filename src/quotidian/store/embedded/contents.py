"""Where the contents of daily, weekly and monthly summaries lie: what ``Layers`` asks of it."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, Protocol

from quotidian.errors import CorruptStoreError
from quotidian.model import RollUp
from quotidian.store.retention import period_end

Cadence = Literal["daily", "weekly", "monthly"]


class Row(NamedTuple):
    """Which summary it is: of a day, a week or a month, of a detector in a version, from a day (its ordinal) on."""

    cadence: Cadence
    detector: str
    version: int
    start: int

    @property
    def date(self) -> dt.date:
        """The day on which it starts."""
        return dt.date.fromordinal(self.start)

    @property
    def days(self) -> range:
        """The days (their ordinals) that it is made from."""
        last = self.start + 1 if self.cadence == "daily" else period_end(self.cadence, self.date).toordinal()
        return range(self.start, last)


_NOTHING: Final[Mapping[Row, bytes]] = {}


class LostSummariesError(CorruptStoreError):
    """The contents of summaries are not there any more."""

    def __init__(self, rows: Sequence[Row], place: str) -> None:
        days = sorted({row.date.isoformat() for row in rows})
        super().__init__(
            f"The summaries of {', '.join(days[:8])}{' and more' if len(days) > 8 else ''} are gone from {place}.",
            "The next run folds the days again whose events are still there.",
        )
        self.rows = rows


class Contents(Protocol):
    """Keeps the packed contents of summaries; of each the books keep either the bytes themselves or a stub.

    ``elsewhere`` says whether contents are ever anywhere else than in the books.
    """

    elsewhere: bool

    def put(
        self, rows: Mapping[Row, bytes], rollups: Sequence[RollUp] = (), replaced: Mapping[Row, bytes] = _NOTHING
    ) -> dict[Row, bytes]:
        """Keep contents, with the roll-ups of their day, in place of others; give what the books are to keep."""

    def get(self, kept: Mapping[Row, bytes]) -> dict[Row, bytes]:
        """Give contents again, from what the books keep.

        Raises
        ------
        LostSummariesError
            When some are not there any more.
        """

    def remove(self, rows: Iterable[Row]) -> None:
        """Remove contents, within a transaction."""

    def forget(self, named: Iterable[tuple[int, str]]) -> None:
        """Remove the roll-ups of some days (ordinals) and entities, within a transaction."""

    def clear(self) -> None:
        """Remove everything, within a transaction."""

    def misplaced(self, row: Row, kept: bytes) -> bool:
        """Tell whether a summary's content is to lie somewhere else by now."""


class Within:
    """Contents in the books themselves."""

    elsewhere = False

    def put(
        self,
        rows: Mapping[Row, bytes],
        rollups: Sequence[RollUp] = (),  # noqa: ARG002 - the books have them
        replaced: Mapping[Row, bytes] = _NOTHING,  # noqa: ARG002 - they go with their rows
    ) -> dict[Row, bytes]:
        """Keep the bytes."""
        return dict(rows)

    def get(self, kept: Mapping[Row, bytes]) -> dict[Row, bytes]:
        """Give the bytes."""
        return dict(kept)

    def remove(self, rows: Iterable[Row]) -> None:
        """Do nothing: they go with their rows."""

    def forget(self, named: Iterable[tuple[int, str]]) -> None:
        """Do nothing: they go with their rows."""

    def clear(self) -> None:
        """Do nothing: they go with their rows."""

    def misplaced(self, row: Row, kept: bytes) -> bool:  # noqa: ARG002 - there is one place
        """Tell that every content lies where it is to lie."""
        return False
