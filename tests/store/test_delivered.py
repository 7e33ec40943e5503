"""Nothing that a receipt told is lost or counted twice, whatever happens to the process or the disk."""

import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from quotidian.errors import DiskFullError
from quotidian.model import Enriched
from quotidian.settings import Settings
from quotidian.store import Store, connect
from quotidian.store.embedded import letters
from quotidian.store.embedded.database import FILE

from ..killing import ROOT, command  # noqa: TID252 - tests are no package
from . import delivered
from .delivered import SIZE, check, delivery

_HEADER, _FRAME = 32, 24 + 1024


def test_every_receipt_survives_a_kill_once(tmp_path: Path) -> None:
    """Killed again and again at seeded steps: whole deliveries, each once, and certificates that agree."""
    killed = command("store.delivered", tmp_path / "store", 5, 25)
    ended = subprocess.run(killed, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 10


@pytest.fixture
def logged(tmp_path: Path) -> Path:
    """Give the files of a store that received four deliveries and never came to check its log in."""
    store = connect(tmp_path / "store", Settings({}))
    for number in range(4):
        store.receive(delivery(number))
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (FILE, f"{FILE}-wal"):
        shutil.copy(tmp_path / "store" / name, copy / name)
    store.close()
    return copy


def left(logged: Path, log: bytes, place: Path) -> int:
    """Open a store with this log; give how many deliveries there are, after checking that all of it agrees."""
    place.mkdir()
    shutil.copy(logged / FILE, place / FILE)
    (place / f"{FILE}-wal").write_bytes(log)
    store = connect(place, Settings({}))
    found = store.received("victim") // SIZE
    check(store, found)
    store.close()
    shutil.rmtree(place)
    return found


def test_a_log_that_was_cut_is_a_prefix(logged: Path, tmp_path: Path) -> None:
    """Wherever the write-ahead log ends, in whatever frame and byte: whole deliveries from the first on."""
    log = (logged / f"{FILE}-wal").read_bytes()
    assert (len(log) - _HEADER) % _FRAME == 0
    seeded = random.Random(7)
    ends = [_HEADER + frame * _FRAME for frame in range((len(log) - _HEADER) // _FRAME + 1)]
    cuts = {0, *ends, *(end - seeded.randrange(1, _FRAME) for end in ends[1:]), *(end - 1 for end in ends)}
    found = [left(logged, log[:cut], tmp_path / "cut") for cut in sorted(cuts)]
    assert found == sorted(found)
    assert set(found) == set(range(5))


def test_a_log_that_rotted_is_a_prefix(logged: Path, tmp_path: Path) -> None:
    """A byte that changed in any frame ends the log before the transaction in which it is."""
    log = (logged / f"{FILE}-wal").read_bytes()
    seeded = random.Random(8)
    found = []
    for start in range(_HEADER, len(log), _FRAME):
        rotten = bytearray(log)
        rotten[start + seeded.randrange(_FRAME)] ^= 1 << seeded.randrange(8)
        found.append(left(logged, bytes(rotten), tmp_path / "rotten"))
    assert found == sorted(found)
    assert set(found) == set(range(4))


def long(number: int) -> Enriched:
    """Make a delivery with a long word."""
    sent = delivery(number)
    sent.letters[0] = type(sent.letters[0])(seq=sent.letters[0].seq, arrived=0, reason=str(number), text="x" * 16_000)
    return sent


def receive_all(store: Store, deliveries: Iterable[Enriched]) -> None:
    """Receive one delivery after the other."""
    for sent in deliveries:
        store.receive(sent)


def test_a_full_disk_is_said_and_what_was_received_stays(small_disk: Path) -> None:
    """The delivery that did not fit is not there at all; with space it goes on where it was."""
    store = connect(small_disk / "store", Settings({}))
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(2_500_000))
    with pytest.raises(DiskFullError, match="No space is left"):
        receive_all(store, map(long, range(1_000)))
    done = store.received("victim") // SIZE
    assert 0 < done < 1_000
    with pytest.raises(DiskFullError):
        store.receive(long(done))
    store.close()
    ballast.unlink()
    store = connect(small_disk / "store", Settings({}))
    for number in range(done, done + 3):
        store.receive(delivery(number))
    assert store.received("victim") == (done + 3) * SIZE
    assert [day.events for day in store.days()] == [done + 3] * 3
    (span,) = store.certificates(delivered.MONDAY, delivered.MONDAY)[0].ranges
    assert (span.received + span.filled, span.balanced) == ((done + 3) * 3, True)
    store.close()


def test_a_delivery_that_failed_leaves_no_words_behind(
    opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers that words were given in a transaction that did not happen are not used by the next."""
    store = opened()
    with monkeypatch.context() as patched:
        patched.setattr("quotidian.store.embedded.streams.Streams.put", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.receive(delivery(3))
    for number in range(3):
        store.receive(delivery(number))
    check(store, 3)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_words_that_were_collected_are_numbered_anew(opened: Callable[..., Store]) -> None:
    """After a day was sealed, its words come back with other numbers."""
    store = opened()
    for number in range(6):
        store.receive(delivery(number))
        if number % 2:
            store.seal(delivered.MONDAY.replace(day=30))
    check(store, 6)


def test_dead_letters_are_bounded(opened: Callable[..., Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go, and are counted, after opening again too."""
    monkeypatch.setattr(letters, "KEPT", 3)
    store = opened()
    for number in range(5):
        store.receive(delivery(number))
    found = opened().dead_letters()
    assert [one.text for one in found.letters] == ["4", "3", "2"]
    assert (found.kept, found.dropped) == (3, 2)


CHANGES = {
    "UPDATE certificate SET body = CAST(replace(body, '\"received\":2', '\"received\":3') AS BLOB) WHERE n = 2": (1, 2),
    "UPDATE certificate SET revision = 7 WHERE n = 2": (1, 2),
    "DELETE FROM certificate WHERE n = 2": (1, 2),
    "DELETE FROM certificate WHERE n = 3": (2, None),
    "UPDATE certificate SET hash = zeroblob(32) WHERE n = 1": (0, 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whoever_changes_a_certificate_is_found_out(opened: Callable[..., Store], tmp_path: Path, change: str) -> None:
    """Verifying says where the chain breaks, and of which day."""
    store = opened()
    for number in range(4):
        store.receive(delivery(number))
    store.certificates(delivered.MONDAY, delivered.MONDAY)
    assert (store.verify().certificates, store.verify().fault) == (3, None)
    opened(tmp_path / "other")
    connection = sqlite3.connect(tmp_path / "store" / FILE)
    connection.execute(change)
    connection.commit()
    connection.close()
    found = opened().verify()
    assert found.fault
    assert (found.certificates, found.number) == CHANGES[change]
