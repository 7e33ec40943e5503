"""How far a sink has acknowledged, in a file of its own."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from zlib import crc32

from quotidian.spool.place import content_of, replace

_SECONDS: Final = 60.0
_NUMBERS: Final = 10_000


class Cursor:
    """The last number that a sink acknowledged: ``acked``.

    The file is written now and then only, to spare the disk. It may be old, damaged or missing: then the sink is
    given again what it had already, and nothing is lost.
    """

    def __init__(self, directory: Path, sink: str, stream: str) -> None:
        self._path = directory / f"cursor-{sink}"
        self._stream = stream
        self.acked = self._told = self._read()
        self._time = time.monotonic()

    def _read(self) -> int:
        try:
            acked, check = content_of(self._path).split(b" ")
            return int(acked) if check == self._check(acked) else 0
        except ValueError:
            return 0

    def _check(self, number: bytes) -> bytes:
        # The stream is part of it, because a cursor means nothing to a log with other numbers.
        return b"%08x" % crc32(number, crc32(self._stream.encode()))

    def renamed(self, stream: str) -> None:
        """Go on under another name of the stream."""
        self._stream = stream
        self.save()

    def falls_due(self) -> bool:
        """Tell, once each time, that it should be written down."""
        if self.acked - self._told < _NUMBERS and time.monotonic() - self._time < _SECONDS:
            return False
        self._told, self._time = self.acked, time.monotonic()
        return True

    def save(self) -> None:
        """Write it down; it need not be durable."""
        number = str(self.acked).encode()
        # Where that fails the disk says so to whoever commits; here it costs no more than a redelivery.
        with suppress(OSError):
            replace(self._path, number + b" " + self._check(number), durable=False)
