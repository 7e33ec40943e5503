"""What is left of a log when its end is torn or its bytes change: everything that was not hit."""

import errno
import os
import random
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from quotidian.spool import Kind, Record, Spool
from quotidian.spool.frame import encode

from .conftest import SMALL, Spools, record

RECORDS = 40


def segments(directory: Path) -> list[Path]:
    """Give the files of a log in order."""
    return sorted(directory.glob("*.log"))


def made(spools: Spools, records: int = RECORDS, quota: int = SMALL) -> list[Record]:
    """Fill several segments, and close."""
    found = spools.put(spools(quota=quota), records)
    spools.close()
    assert len(segments(spools.directory)) >= 3
    return found


def hit(path: Path, change: Callable[[bytearray], object]) -> None:
    """Change the bytes of a file."""
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)


def flip(path: Path, at: int, bit: int = 3) -> None:
    """Flip a bit of a file."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1 << bit
    path.write_bytes(content)


def agree(spools: Spools, spool: Spool, whole: list[Record]) -> list[int]:
    """Check that what is not told as lost is there, and that the spool goes on; give the numbers that are lost."""
    found = spools.drain(spool)
    lost = [seq for damage in spool.damages for seq in range(damage.first, damage.last + 1)]
    assert found == [each for each in whole if each.seq not in lost]
    assert len(lost) == len(set(lost))
    for damage in spool.damages:
        last = max((each.arrived for each in found if each.seq < damage.first), default=0)
        following = next((each.arrived for each in found if each.seq > damage.last), None)
        assert damage.since == last
        assert following is None or damage.until == following
    new = record(max([*lost, whole[-1].seq]) + 1)
    assert spool.append(new.kind, new.payload, new.arrived) == new.seq
    spools.run(spool.commit())
    assert spools.drain(spool) == [new]
    return lost


def test_a_log_cut_at_any_byte_leaves_what_was_committed(spools: Spools, no_sync: None) -> None:
    """Wherever the last file ends, every whole record is there, nothing is damaged, and the numbers go on."""
    whole = made(spools)
    newest = segments(spools.directory)[-1]
    content = newest.read_bytes()
    for end in range(len(content) + 1):
        spools.directory = newest.parent
        newest.write_bytes(content[:end])
        spool = spools(spools.crashed(f"cut-{end}"))
        assert agree(spools, spool, whole[: spool.committed]) == []
    assert spool.committed == RECORDS + 1


def test_nothing_is_left_of_a_torn_end(spools: Spools) -> None:
    """A long record that was cut off, then a short one, then another crash: no remains are taken for damage."""
    whole = spools.put(spools(), 5)
    spools.close()
    (log,) = segments(spools.directory)
    sound = log.read_bytes()
    spool = spools()
    spool.append(Kind.GARBAGE, b"x" * 5000, 0)
    spools.run(spool.commit())
    spools.close()
    log.write_bytes(log.read_bytes()[: len(sound) + 4000])
    whole += spools.put(spools(), 1)
    assert agree(spools, spools(spools.crashed("later")), whole) == []


def test_a_number_that_was_acknowledged_is_never_given_again(spools: Spools) -> None:
    """When the end of the log is gone, the cursor still tells which numbers were given away."""
    spool = spools()
    whole = spools.put(spool, 10)
    spool.ack("enrich", 9)
    spools.close()
    newest = segments(spools.directory)[-1]
    newest.write_bytes(b"")
    spool = spools()
    assert (spool.committed, spool.depth("enrich")) == (9, 0)
    assert spools.put(spool, 1)[0].seq == 10
    assert [damage.last for damage in spool.damages] == [9]
    assert list(spool.replay(0))[:-1] == whole[: int(newest.stem) - 1]


def test_zeros_behind_the_end_are_no_damage(spools: Spools) -> None:
    """After a power cut a file may be longer than what was written to it."""
    whole = made(spools)
    hit(segments(spools.directory)[-1], lambda content: content.extend(bytes(5000)))
    assert agree(spools, spools(), whole) == []


def test_a_flipped_bit_costs_one_record(spools: Spools, no_sync: None) -> None:
    """A bit flipped at any byte of the log loses the record there, and tells its number, its time and its remains."""
    whole = made(spools, 9, quota=SMALL // 3)
    for file, path in enumerate(segments(spools.directory)):
        content = path.read_bytes()
        for at in range(len(content)):
            spools.directory = path.parent
            flip(path, at, at % 8)
            spool = spools(spools.crashed(f"flip-{file}-{at}"), quota=SMALL // 3)
            lost = agree(spools, spool, whole)
            assert min(lost) <= 9
            # At the very end nothing follows that could tell how many there were.
            assert len(lost) == 1 or max(lost) > 9
            (damage,) = spool.damages
            assert damage.file.parent.name == "quarantine"
            remains = damage.file.read_bytes()
            assert remains in path.read_bytes()
            assert remains not in content
            path.write_bytes(content)


def test_damage_is_told_once_and_again_after_a_restart(spools: Spools) -> None:
    """Two sinks and a replay meet the same damage: it is counted once; whoever opens the spool next is told too."""
    whole = made(spools)
    flip(segments(spools.directory)[1], 100)
    later = spools.crashed("later")
    spool = spools(sinks=("enrich", "other"))
    good = list(spool.replay(0))
    assert spools.drain(spool) == spools.drain(spool, "other") == good
    (damage,) = spool.damages
    assert good == [each for each in whole if not damage.first <= each.seq <= damage.last]
    spool = spools(later)
    assert spools.drain(spool) == good
    assert [(each.first, each.last, each.file.name) for each in spool.damages] == [
        (damage.first, damage.last, damage.file.name)
    ]


@pytest.mark.parametrize("already", [0, 1])
def test_a_hole_parts_what_is_read(spools: Spools, already: int) -> None:
    """The numbers of one reading follow each other, so that a hole shows between two deliveries."""
    made(spools)
    damaged = segments(spools.directory)[1]
    first, content = int(damaged.stem), damaged.read_bytes()
    ends = list(accumulate(len(encode(record(first + number))) for number in range(4)))
    # The second record has a flipped bit, the fourth is gone without a trace.
    damaged.write_bytes(content[: ends[0]] + b"?" + content[ends[0] + 1 : ends[2]] + content[ends[3] :])
    spool = spools()
    spool.ack("enrich", first - 1 + already)
    readings = []
    for _ in range(3 - already):
        readings.append([each.seq for each in spools.run(spool.read("enrich", limit=1000, size=1 << 20))])
        spool.ack("enrich", readings[-1][-1])
    following = int(segments(spools.directory)[2].stem)
    assert readings == [[first], [first + 2], [*range(first + 4, following)]][already:]
    assert [(damage.first, damage.last) for damage in spool.damages] == [
        (first + 1, first + 1),
        (first + 3, first + 3),
    ]


def test_a_record_that_is_gone_without_a_trace_is_missed(spools: Spools) -> None:
    """Bytes that were cut out exactly between two records are told by the numbers alone."""
    whole = made(spools)
    hit(segments(spools.directory)[1], lambda content: content.__delitem__(slice(0, 2 * len(content) // 3)))
    number = int(segments(spools.directory)[1].stem)
    size = len(encode(record(1)))
    hit(segments(spools.directory)[0], lambda content: content.__delitem__(slice(size, size + len(encode(record(2))))))
    lost = agree(spools, spools(), whole)
    assert lost[0] == 2
    assert lost[1] == number


def test_a_clock_that_was_set_back_makes_no_span_backwards(spools: Spools) -> None:
    """The span of time of a loss starts before it ends."""
    spool = spools()
    for arrived in (900, 800, 700):
        spool.append(Kind.LIVE, b"{}", arrived)
    spools.run(spool.commit())
    flip(segments(spools.directory)[0], len(encode(Record(1, 0, Kind.LIVE, b"{}"))))
    assert len(list(spool.replay(0))) == 2
    assert [(damage.since, damage.until) for damage in spool.damages] == [(700, 900)]


def test_a_payload_cannot_pass_for_a_record(spools: Spools) -> None:
    """Bytes within a damaged record that look like another record do not come out of order."""
    spool = spools()
    whole = spools.put(spool, 3)
    spool.append(Kind.GARBAGE, encode(Record(2, 0, Kind.LIVE, b"forged")), 0)
    spools.run(spool.commit())
    flip(segments(spools.directory)[-1], sum(len(encode(each)) for each in whole) + 20)
    whole += spools.put(spool, 1)
    assert list(spool.replay(0)) == whole
    assert agree(spools, spool, whole) == [4]


def test_damage_while_running_stops_nothing(spools: Spools) -> None:
    """A file that changes, shrinks or goes away under a running spool costs what was in it, and no more."""
    spool = spools()
    whole = spools.put(spool, RECORDS)
    files = segments(spools.directory)
    flip(files[0], 60)
    files[1].unlink()
    os.truncate(files[2], 50)
    lost = agree(spools, spool, whole)
    assert len(spool.damages) >= 2
    assert len(lost) < RECORDS / 2


def test_a_disk_that_cannot_read_loses_only_that_file(spools: Spools, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment that gives input/output errors, the newest or another, is lost as a whole; the others are not."""
    whole = made(spools)
    pread = os.pread
    for bad in (segments(spools.directory)[1], segments(spools.directory)[-1]):

        def failing(file: int, size: int, at: int, inode: int = bad.stat().st_ino) -> bytes:
            if os.fstat(file).st_ino == inode:
                raise OSError(errno.EIO, "Input/output error")
            return pread(file, size, at)

        with monkeypatch.context() as patched:
            patched.setattr(os, "pread", failing)
            assert agree(spools, spools(), whole)
        spools.close()
        for cursor in spools.directory.glob("cursor-*"):
            cursor.unlink()
        whole = list(spools().replay(0))
        spools.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=strategies.integers(0, 2**32))
def test_whatever_happens_to_the_files_what_can_be_read_is_right(spools: Spools, no_sync: None, seed: int) -> None:
    """Files overwritten, shortened, blown up or deleted: no error, no wrong record, no number given twice."""
    chance = random.Random(seed)
    spools.close()
    spools.directory = Path(mkdtemp(dir=spools.directory.parent))
    whole = spools.put(spools(), 25)
    spools.close()
    oldest, *middle, newest = segments(spools.directory)
    for path in {oldest, newest, *chance.sample(middle, 2)}:
        content = bytearray(path.read_bytes())
        at, size = chance.randrange(len(content) + 1), chance.randrange(1, 120)
        content[at : at + chance.choice((0, size))] = chance.randbytes(chance.choice((0, size)))
        path.write_bytes(content[: chance.choice((at, None))])
    chance.choice(middle).unlink()
    for path in chance.sample(sorted(spools.directory.glob("[!0]*")), 1):
        path.write_bytes(chance.randbytes(40))
    spool = spools()
    found = spools.drain(spool)
    assert found == [each for each in whole if each in found]
    lost = [seq for damage in spool.damages for seq in range(damage.first, damage.last + 1)]
    assert {each.seq for each in whole[: spool.committed]} <= {each.seq for each in found} | set(lost)
    assert spool.committed >= max((each.seq for each in found), default=0)
    added = spools.put(spool, 1)
    assert spools.drain(spool) == added
