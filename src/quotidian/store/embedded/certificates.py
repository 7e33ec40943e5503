"""The chain of loss certificates: appended to, never changed.

The hash of a certificate is that of the hash before it and its body, so that nobody can change, remove or
insert one without changing all that follow. Reasons of gaps are not in the body: they are free text, and may have to be
forgotten.
"""

import datetime as dt
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final

import msgspec

from quotidian.errors import CorruptStoreError
from quotidian.model import Day, Gap
from quotidian.model.certificate import Certificate, Verification
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.notes import Gaps
from quotidian.store.embedded.streams import Streams
from quotidian.store.embedded.tally import COUNTS, Tally

_DIGEST: Final = 32


class Certificates:
    """The table ``certificate``."""

    def __init__(self, database: Database, tally: Tally, streams: Streams, gaps: Gaps) -> None:
        self._database, self._tally, self._streams, self._gaps = database, tally, streams, gaps

    def certify(self, today: int, zone: str) -> None:
        """Append a certificate of each day before today that has none, or whose account has changed since."""
        rows = self._database.rows(
            "SELECT ordinal FROM tally WHERE changed = 1 AND ordinal < ? ORDER BY ordinal", (today,)
        )
        if rows:
            with self._database.transaction():
                for (ordinal,) in rows:
                    self._append(*self._draft(ordinal, zone))

    def _append(self, draft: Certificate, since: int) -> None:
        ordinal = draft.date.toordinal()
        last = self._newest(ordinal, ordinal).get(ordinal)
        revision = 0 if last is None else last.revision
        if last is None or _body(last) != _body(msgspec.structs.replace(draft, revision=revision)):
            revision += 1
            body = _body(msgspec.structs.replace(draft, revision=revision))
            number, head = self._head()
            row = (number + 1, ordinal, revision, body, _hash(head, body))
            self._database.execute("INSERT INTO certificate VALUES (?, ?, ?, ?, ?)", row)
        self._tally.certified(ordinal, revision, since)

    def _head(self) -> tuple[int, bytes]:
        row = self._database.row("SELECT n, hash FROM certificate ORDER BY n DESC LIMIT 1")
        return (0, b"") if row is None else (row[0], row[1])

    def _draft(self, ordinal: int, zone: str) -> tuple[Certificate, int]:
        """Give a day's certificate as of now, and the revision of the one that it continues (0 for none)."""
        revision, since = self._tally.continued(ordinal)
        draft = self._counted(ordinal, zone)
        if not revision:
            newest = self._newest(ordinal, ordinal).get(ordinal)
            since = 0 if newest is None else newest.revision
        return (draft if not since else _continued(self._revision(ordinal, since), draft)), since

    def _revision(self, ordinal: int, revision: int) -> Certificate:
        row = self._database.row(
            "SELECT body, n FROM certificate WHERE ordinal = ? AND revision = ?", (ordinal, revision)
        )
        if row is None:
            date = dt.date.fromordinal(ordinal)
            raise CorruptStoreError(f"The loss certificate of {date} with revision {revision} is missing.")
        return _read(*row)

    def _counted(self, ordinal: int, zone: str) -> Certificate:
        day = Day.from_ordinal(ordinal, zone)
        gaps = self._gaps.overlapping(day.start, day.end - 1)
        holes = self._streams.holes(day.start, day.end)
        counts: dict[str, Any] = dict(self._tally.counts(ordinal))
        lost = [gap for gap in gaps if gap.state == "unrecoverable"]
        return Certificate(
            date=day.date,
            zone=zone,
            revision=0,
            **counts,
            missing=sum(hole.numbers for hole in holes),
            unverifiable=sum(gap.unverifiable for gap in gaps),
            unrecoverable=[(max(gap.start, day.start), min(gap.end, day.end)) for gap in lost],
            gaps=gaps,
            holes=holes,
            ranges=self._streams.ranges(ordinal),
        )

    def between(self, first: int, last: int, today: int, zone: str) -> list[Certificate]:
        """Give the newest certificates of days; those of days that are not over are provisional."""
        found = self._newest(first, last)
        for (ordinal,) in self._database.rows(
            "SELECT ordinal FROM tally WHERE changed = 1 AND ordinal BETWEEN ? AND ?", (max(first, today), last)
        ):
            revision = found[ordinal].revision if ordinal in found else 0
            draft, _ = self._draft(ordinal, zone)
            found[ordinal] = msgspec.structs.replace(draft, revision=revision + 1, provisional=True)
        return [self._told(found[ordinal]) for ordinal in sorted(found)]

    def _newest(self, first: int, last: int) -> dict[int, Certificate]:
        rows = self._database.rows(
            "SELECT n, ordinal, max(revision), body, hash FROM certificate WHERE ordinal BETWEEN ? AND ? "
            "GROUP BY ordinal",
            (first, last),
        )
        return {
            ordinal: msgspec.structs.replace(_read(body, number), number=number, hash=digest.hex())
            for number, ordinal, _, body, digest in rows
        }

    def _told(self, certificate: Certificate) -> Certificate:
        gaps = [msgspec.structs.replace(gap, reason=self._gaps.reason(gap.id)) for gap in certificate.gaps]
        return msgspec.structs.replace(certificate, gaps=gaps)

    def verify(self) -> Verification:
        """Compute the chain anew."""
        head, number = b"", 0
        revisions: dict[int, int] = {}
        for row in self._rows():
            fault = _fault(row, number, head, revisions)
            if fault is not None:
                found = dt.date.fromordinal(row[1]) if row[0] == number + 1 else None
                return Verification(number, head.hex(), fault, number + 1, found)
            number, ordinal, revision, _, head = row
            revisions[ordinal] = revision
        for ordinal, revision in self._database.rows("SELECT ordinal, revision FROM tally WHERE revision > 0"):
            if revisions.get(ordinal, 0) != revision:
                date = dt.date.fromordinal(ordinal)
                return Verification(number, head.hex(), "its newest certificate is missing", None, date)
        return Verification(number, head.hex())

    def _rows(self) -> Iterator[tuple[int, int, int, bytes, bytes]]:
        yield from self._database.execute("SELECT n, ordinal, revision, body, hash FROM certificate ORDER BY n")


def _continued(before: Certificate, more: Certificate) -> Certificate:
    """Add what came to a day since its account was dropped for its age to what the certificate told of it."""
    counts = {name: getattr(before, name) + getattr(more, name) for name in COUNTS}
    gaps = {gap.id: gap for gap in (*before.gaps, *more.gaps)}
    holes = {(hole.stream, hole.first, hole.last): hole for hole in (*before.holes, *more.holes)}
    return msgspec.structs.replace(
        more,
        **counts,
        missing=sum(hole.numbers for hole in holes.values()),
        unverifiable=sum(gap.unverifiable for gap in gaps.values()),
        unrecoverable=sorted({*before.unrecoverable, *more.unrecoverable}),
        gaps=sorted(gaps.values(), key=lambda gap: (gap.start, gap.id)),
        holes=[holes[key] for key in sorted(holes)],
        ranges=sorted((*before.ranges, *more.ranges), key=lambda one: (one.stream, one.first)),
    )


def _fault(row: tuple[int, int, int, bytes, bytes], before: int, head: bytes, revisions: dict[int, int]) -> str | None:
    """Say what is wrong with a row of the chain, if anything is."""
    number, ordinal, revision, body, digest = row
    if number != before + 1:
        return "a certificate is missing"
    if digest != _hash(head, body):
        return "the certificate is not the one that was appended"
    told = _read(body, number)
    if (told.date.toordinal(), told.revision) != (ordinal, revision) or revision != revisions.get(ordinal, 0) + 1:
        return "the certificate stands in a wrong place"
    return None


def _hash(head: bytes, body: bytes) -> bytes:
    return blake2b(head + body, digest_size=_DIGEST).digest()


def _body(certificate: Certificate) -> bytes:
    gaps = [_plain(gap) for gap in certificate.gaps]
    return msgspec.json.encode(msgspec.structs.replace(certificate, gaps=gaps, number=0, hash="", provisional=False))


def _plain(gap: Gap) -> Gap:
    return msgspec.structs.replace(gap, reason="")


def _read(body: bytes, number: int) -> Certificate:
    try:
        return msgspec.json.decode(body, type=Certificate)
    except msgspec.DecodeError as error:
        raise CorruptStoreError(f"The loss certificate number {number} is damaged.") from error
