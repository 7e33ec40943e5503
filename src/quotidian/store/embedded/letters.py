"""Dead letters: messages that could not be used, with the reason."""

from collections.abc import Sequence
from typing import Final

from quotidian.model import DeadLetter
from quotidian.store.embedded.database import Database
from quotidian.store.embedded.mention import Mention
from quotidian.store.protocols import DeadLetters, StoredLetter

#: So many are kept, …
KEPT: Final = 100_000
#: … so many bytes of the text of each, …
TEXT_BYTES: Final = 16_384
#: … and of its reason.
_REASON_BYTES: Final = 1_024


class Letters:
    """The table ``letter``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, stream: int, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters of a stream, and drop the oldest of too many."""
        rows = [
            (stream, one.seq, one.arrived, _shortened(one.reason, _REASON_BYTES), _shortened(one.text, TEXT_BYTES))
            for one in letters
        ]
        self._database.executemany(
            "INSERT INTO letter (stream, seq, arrived, reason, text) VALUES (?, ?, ?, ?, ?)", rows
        )
        self._database.execute("DELETE FROM letter WHERE n <= (SELECT max(n) FROM letter) - ?", (KEPT,))

    def newest(self, limit: int, before: int | None) -> DeadLetters:
        """Give the newest dead letters."""
        rows = self._database.rows(
            "SELECT n, name, seq, letter.arrived, reason, text FROM letter JOIN stream ON stream.id = letter.stream "
            "WHERE n < ? ORDER BY n DESC LIMIT ?",
            (1 << 62 if before is None else before, limit),
        )
        kept = self._database.value("SELECT count(*) FROM letter")
        ever = self._database.value("SELECT seq FROM sqlite_sequence WHERE name = 'letter'") or 0
        return DeadLetters([StoredLetter(*row) for row in rows], kept, ever - kept)

    def drop(self, before: int) -> None:
        """Drop those that arrived before an instant."""
        self._database.execute("DELETE FROM letter WHERE arrived < ?", (before,))

    def forget(self, mention: Mention) -> None:
        """Blank what names an entity."""
        named = [
            ("" if mention(reason) else reason, "" if mention(text) else text, number)
            for number, reason, text in self._database.execute("SELECT n, reason, text FROM letter")
            if mention(reason) or mention(text)
        ]
        self._database.executemany("UPDATE letter SET reason = ?, text = ? WHERE n = ?", named)


def _shortened(text: str, size: int) -> str:
    packed = text.encode()
    return text if len(packed) <= size else packed[:size].decode(errors="ignore")
