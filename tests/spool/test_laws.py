"""A spool is a list that survives: whatever is done to it, in any order, it says what the list says."""

import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from quotidian.spool import Kind, Record, Spool

from .conftest import SMALL, copied

pytestmark = pytest.mark.usefixtures("no_sync")
SINKS = ("enrich", "other")
sinks = strategies.sampled_from(SINKS)


class SpoolIsAList(RuleBasedStateMachine):
    """``durable`` and ``pending`` are what the spool must hold, ``acked`` how far its sinks are."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.copies = 0
        self.runner = asyncio.Runner()
        self.durable: list[Record] = []
        self.pending: list[Record] = []
        self.acked = dict.fromkeys(SINKS, 0)
        self.open()
        self.stream = self.spool.stream
        self.append(Kind.LIVE, b"the first one makes the stream", 0)
        self.commit()

    def open(self) -> None:
        self.spool = Spool(self.folder / str(self.copies), quota=SMALL, sinks=SINKS)

    @rule(
        kind=strategies.sampled_from(Kind),
        payload=strategies.binary(max_size=700),
        arrived=strategies.integers(-(2**63), 2**63 - 1),
    )
    def append(self, kind: Kind, payload: bytes, arrived: int) -> None:
        seq = len(self.durable) + len(self.pending) + 1
        assert self.spool.append(kind, payload, arrived) == seq
        self.pending.append(Record(seq, arrived, kind, payload))

    @rule()
    def commit(self) -> None:
        self.durable += self.pending
        self.pending = []
        assert self.runner.run(self.spool.commit()) == len(self.durable)

    @precondition(lambda self: self.durable)
    @rule(sink=sinks, limit=strategies.integers(1, 5), size=strategies.integers(1, 900), ack=strategies.integers(0, 6))
    def read(self, sink: str, limit: int, size: int, ack: int) -> None:
        if self.acked[sink] == len(self.durable):
            return
        found = self.runner.run(self.spool.read(sink, limit=limit, size=size))
        assert found == self.durable[self.acked[sink] :][: len(found)]
        assert 1 <= len(found) <= limit
        assert len(found) == 1 or sum(len(record.payload) for record in found) <= size
        self.acked[sink] += min(ack, len(found))
        self.spool.ack(sink, self.acked[sink])

    @rule()
    def reopen(self) -> None:
        self.spool.close()
        self.pending = []
        self.open()

    @rule()
    def crash(self) -> None:
        before = self.folder / str(self.copies)
        self.copies += 1
        copied(self.spool, before, self.folder / str(self.copies))
        self.spool.close()
        self.pending = []
        self.open()
        for sink in SINKS:
            assert self.spool.acked(sink) <= self.acked[sink]
            self.acked[sink] = self.spool.acked(sink)

    @rule(since=strategies.integers(-(2**63), 2**63 - 1))
    def replay(self, since: int) -> None:
        kept = list(self.spool.replay(-(2**63)))
        assert kept == self.durable[len(self.durable) - len(kept) :]
        assert len(kept) >= len(self.durable) - min(self.acked.values())
        assert list(self.spool.replay(since)) == [record for record in kept if record.arrived >= since]

    @invariant()
    def it_tells_how_it_stands(self) -> None:
        assert self.spool.stream == self.stream
        assert (self.spool.committed, self.spool.appended) == (
            len(self.durable),
            len(self.durable) + len(self.pending),
        )
        assert bool(self.spool.pending_bytes) == bool(self.pending)
        assert self.spool.last_arrived == (self.durable[-1].arrived if self.durable else None)
        for sink in SINKS:
            assert self.spool.acked(sink) == self.acked[sink]
            assert self.spool.depth(sink) == len(self.durable) - self.acked[sink]
        assert self.spool.damages == []

    def teardown(self) -> None:
        self.spool.close()
        self.runner.close()
        shutil.rmtree(self.folder)


TestSpoolIsAList = SpoolIsAList.TestCase
TestSpoolIsAList.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
