"""The tables that give each word a number."""

from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from quotidian.model.arrays import Ints
from quotidian.store.embedded.arrow import arrow
from quotidian.store.embedded.copies import Coded
from quotidian.store.embedded.database import Database

#: So many words of each table are remembered with their numbers.
_REMEMBERED: Final = 16_384


class Words:
    """A table of words with numbers; number 0 means no word."""

    def __init__(self, database: Database, find: str, add: str, read: str) -> None:
        self._database, self._find, self._add, self._read = database, find, add, read
        self.number = lru_cache(_REMEMBERED)(self._number)
        # A number that was given within a transaction that did not happen is not given.
        database.on_rollback(self.number.cache_clear)

    @classmethod
    def of_entities(cls, database: Database) -> "Words":
        """Give the entity ids."""
        return cls(
            database,
            "SELECT id FROM entity WHERE name = ?",
            "INSERT INTO entity (name) VALUES (?)",
            "SELECT id, name FROM entity WHERE id IN (SELECT value FROM json_each(?))",
        )

    @classmethod
    def of_texts(cls, database: Database) -> "Words":
        """Give all other words."""
        return cls(
            database,
            "SELECT id FROM text WHERE value = ?",
            "INSERT INTO text (value) VALUES (?)",
            "SELECT id, value FROM text WHERE id IN (SELECT value FROM json_each(?))",
        )

    def _number(self, word: str | None) -> int:
        """Give a word's number, numbering a new one."""
        if word is None:
            return 0
        number: int | None = self._database.value(self._find, (word,))
        return self._database.execute(self._add, (word,)).lastrowid or 0 if number is None else number

    def ids(self, column: Coded) -> Ints:
        """Give the number of each row's word, numbering new words."""
        numbers = [self.number(word) for word in column.spelled()]
        return np.array([*numbers, 0], np.int64)[column.codes]

    def column(self, ids: Ints) -> Any:
        """Give the words of numbers."""
        used, codes = np.unique(ids, return_inverse=True)
        words = dict(self._database.rows(self._read, (msgspec.json.encode(used.tolist()).decode(),)))
        spelled = pa.array([words.get(number) for number in used.tolist()], pa.string()).dictionary_encode()
        return pa.DictionaryArray.from_arrays(spelled.indices.take(arrow(codes)), spelled.dictionary)
