"""Archives that are encrypted with a passphrase, in the format of age (age-encryption.org).

age encrypts with a passphrase only what is in memory at once, and a year of events is more than a small machine has. So
an encrypted backup is a tar of two age files: a key that was made for this backup alone, encrypted with the passphrase,
and the archive, encrypted with that key. The program ``age`` opens them:
``age --decrypt --identity identity.age quotidian.tar.age``.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Final, Protocol

import pyrage  # type: ignore[import-untyped]

from quotidian.errors import SourceError
from quotidian.store.backup import tar

KEY: Final = "identity.age"
_PAYLOAD: Final = "quotidian.tar.age"
_LARGEST: Final = 65_536  # bytes of an encrypted key
_NONCE, _TAG, _CHUNK = 16, 16, 65_536  # bytes, of age's payload: before it, and in each piece of so many


class Writable(Protocol):
    """What bytes can be written to."""

    def write(self, data: bytes, /) -> int:
        """Write bytes, all of them."""

    def flush(self) -> None:
        """Hand them on."""


def write(chunks: Iterator[bytes], size: int, sink: Writable, passphrase: str | None = None) -> None:
    """Write an archive of a size, which comes in pieces; encrypted where there is a passphrase.

    Raises
    ------
    OSError, QuotidianError
        Whatever reading or writing raises.
    """
    if passphrase is None:
        for chunk in chunks:
            sink.write(chunk)
        return
    key = pyrage.x25519.Identity.generate()
    told = pyrage.passphrase.encrypt(f"{key}\n".encode(), passphrase)
    sink.write(tar.header(KEY, len(told)) + told + tar.padding(len(told)))
    source, payload = _Source(chunks), _Payload(sink, size)
    try:
        pyrage.encrypt_io(source, payload, [key.to_public()])
    except pyrage.EncryptError:
        # It tells only the text of what went wrong on our side.
        raise (source.trouble or payload.trouble or RuntimeError("the archive was not encrypted")) from None
    payload.finish()


class _Source:
    """Pieces, as something to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""
        self.trouble: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            while not self._rest:
                self._rest = next(self._chunks)
        except StopIteration:
            return b""
        except BaseException as error:
            self.trouble = error
            raise
        given, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        return given


class _Payload:
    """An age file as a tar's member: its size is known as soon as its header has been written."""

    def __init__(self, sink: Writable, size: int) -> None:
        self._sink, self._plain = sink, size
        self._head: bytes | None = b""
        self._left = 0
        self.trouble: BaseException | None = None

    def write(self, data: bytes) -> int:
        try:
            self._put(data)
        except BaseException as error:
            self.trouble = error
            raise
        return len(data)

    def _put(self, data: bytes) -> None:
        given = data
        if self._head is not None:
            self._head += data
            start = self._head.find(b"\n--- ") + 1
            stop = self._head.find(b"\n", start) + 1 if start else 0
            if not stop:
                return
            self._left = stop + _NONCE + self._plain + _TAG * max(1, -(-self._plain // _CHUNK))
            self._sink.write(tar.header(_PAYLOAD, self._left))
            self._size, given, self._head = self._left, self._head, None
        self._sink.write(given)
        self._left -= len(given)

    def flush(self) -> None:
        self._sink.flush()

    def finish(self) -> None:
        assert not self._left, "age wrote another size than its format says"
        self._sink.write(tar.padding(self._size) + tar.end())


@contextmanager
def decrypted(outer: tar.Tar, size: int, passphrase: Callable[[], str]) -> Iterator[tar.Readable]:
    """Give the archive in an encrypted one, of which the key's header was read.

    Where what was encrypted is damaged, the archive ends.

    Raises
    ------
    SourceError
        When the passphrase does not open it.
    """
    told = outer.content(size, _LARGEST)
    try:
        key = pyrage.x25519.Identity.from_str(pyrage.passphrase.decrypt(told, passphrase()).decode().strip())
    except (pyrage.DecryptError, pyrage.IdentityError, UnicodeError) as error:
        raise SourceError(
            f"The passphrase does not open {KEY} in the backup.",
            "Try another one; if it is right, the file is damaged.",
        ) from error
    name, size = outer.next()
    if name != _PAYLOAD:
        raise SourceError(f"The backup holds {name!r} where {_PAYLOAD} belongs.", "It is not used.")
    with _piped(_Source(outer.chunks(size)), key) as archive:
        yield archive
    outer.finish()


@contextmanager
def _piped(source: _Source, key: pyrage.x25519.Identity) -> Iterator[tar.Readable]:
    """Decrypt in another thread, so that what comes out can be read as it comes."""
    reading, writing = os.pipe()

    def work() -> None:
        # What goes wrong is told where the archive ends too early.
        with suppress(Exception), os.fdopen(writing, "wb") as sink:
            pyrage.decrypt_io(source, sink, [key])

    thread = threading.Thread(target=work, daemon=True)
    with os.fdopen(reading, "rb") as archive:
        thread.start()
        yield _Archive(archive, source)
    thread.join()


class _Archive:
    """What comes out of the decryption; an error of the file beneath it is raised here."""

    def __init__(self, archive: BinaryIO, source: _Source) -> None:
        self._archive, self._source = archive, source

    def read(self, size: int, /) -> bytes:
        data = self._archive.read(size)
        trouble = self._source.trouble
        if not data and trouble is not None:
            raise trouble
        return data
