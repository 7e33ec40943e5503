"""What capture counts, for Prometheus and for people."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from quotidian.capture.forwarder import SINK, Forwarder
from quotidian.capture.gaps import Gaps, Hole
from quotidian.capture.link import Link
from quotidian.capture.reader import Reader
from quotidian.clients.policy import RestingError
from quotidian.spool import Spool

_STATES: Final = ("connecting", "connected", "refused", "unset", "full")


class Rate:
    """Events a minute, from a counter that is looked at now and then.

    Parameters
    ----------
    count
        Gives the counter.
    span
        Seconds over which the rate is taken.
    """

    def __init__(self, count: Callable[[], int], span: float = 60.0) -> None:
        self._count, self._span = count, span
        self._seen: deque[tuple[float, int]] = deque([(time.monotonic(), count())])

    def look(self) -> None:
        """Note the counter."""
        now = time.monotonic()
        self._seen.append((now, self._count()))
        while len(self._seen) > 2 and now - self._seen[1][0] >= self._span:
            self._seen.popleft()

    @property
    def per_minute(self) -> float:
        """Give the rate as seen last."""
        (since, before), (until, after) = self._seen[0], self._seen[-1]
        return 60 * (after - before) / (until - since) if until > since else 0.0


class Figures(Collector):
    """Reads what the parts of capture count when it is asked; counting costs an event nothing."""

    def __init__(self, link: Link, reader: Reader, spool: Spool, gaps: Gaps, forwarder: Forwarder) -> None:
        self._link, self._reader, self._spool, self._gaps, self._forwarder = link, reader, spool, gaps, forwarder
        self.heard, self.delivered = Rate(lambda: reader.heard), Rate(lambda: forwarder.delivered)

    def look(self) -> None:
        """Note the counters that rates are made of."""
        self.heard.look()
        self.delivered.look()

    @property
    def breaker(self) -> str:
        """Whether deliveries go through: ``open`` while enrich is left alone."""
        return "open" if isinstance(self._forwarder.error, RestingError) else "closed"

    def collect(self) -> Iterable[Metric]:
        """Give the metrics as they are now."""
        for name, text, count in self._counters():
            yield CounterMetricFamily(f"quotidian_capture_{name}", text, count)
        for name, text, value in self._gauges():
            yield GaugeMetricFamily(f"quotidian_capture_{name}", text, value)
        state = GaugeMetricFamily("quotidian_capture_connection", "The state of the connection.", labels=["state"])
        for name in _STATES:
            state.add_metric([name], float(self._link.state == name))
        yield state

    def _counters(self) -> Iterable[tuple[str, str, float]]:
        yield "events_heard", "Events that Home Assistant told since the start.", self._reader.heard
        yield "records_spooled", "The last number that is durable in the spool.", self._spool.committed
        yield "messages_delivered", "Messages of which there is a receipt, since the start.", self._forwarder.delivered
        yield "messages_dead", "Messages that became dead letters, since the start.", self._forwarder.dead
        yield "reconnects", "Connections to Home Assistant after the first.", self._link.reconnects
        yield "gap_seconds_unrecoverable", "Seconds that could not be filled.", self._gaps.unfilled / 1e6

    def _gauges(self) -> Iterable[tuple[str, str, float]]:
        spool, gaps = self._spool, self._gaps.open
        open_seconds = sum(hole.gap.end - hole.done for hole in gaps if not hole.first) / 1e6
        yield "spool_depth", "Durable records that wait for delivery.", spool.depth(SINK)
        yield "spool_bytes", "Bytes of the spool on disk.", spool.bytes
        yield "spool_pending_bytes", "Bytes that wait for the disk.", spool.pending_bytes
        yield "gaps_open", "Gaps that are not filled yet.", len(gaps)
        yield "gap_seconds_open", "Seconds that are not filled yet, without the first history.", open_seconds
        yield "lag_seconds", "From hearing to durable in the store, of the last message.", self._forwarder.lag
        yield "breaker_open", "Whether enrich is left alone because it failed.", float(self.breaker == "open")

    def status(self) -> dict[str, Any]:
        """Tell the same to people."""
        link, spool, forwarder = self._link, self._spool, self._forwarder
        return {
            "home_assistant": {
                "state": link.state,
                "version": link.version,
                "admin": link.admin,
                "since": link.since,
                "reconnects": link.reconnects,
                "error": None if link.error is None else str(link.error),
            },
            "events": {
                "heard": self._reader.heard,
                "last": self._reader.last_event,
                "per_minute": round(self.heard.per_minute, 1),
            },
            "spool": {
                "stream": spool.stream,
                "committed": spool.committed,
                "acknowledged": spool.acked(SINK),
                "depth": spool.depth(SINK),
                "bytes": spool.bytes,
                "pending_bytes": spool.pending_bytes,
                "full": spool.full,
            },
            "delivery": {
                "delivered": forwarder.delivered,
                "dead": forwarder.dead,
                "per_minute": round(self.delivered.per_minute, 1),
                "lag_seconds": round(forwarder.lag, 3),
                "breaker": self.breaker,
                "last": forwarder.last_delivered,
                "error": None if forwarder.error is None else str(forwarder.error),
            },
            "gaps": [_told(hole) for hole in self._gaps.open],
        }


def _told(hole: Hole) -> dict[str, Any]:
    gap = hole.gap
    span = gap.end - gap.start
    return {
        "id": gap.id,
        "start": gap.start,
        "end": gap.end,
        "first": hole.first,
        "filled": gap.filled,
        "unverifiable": gap.unverifiable,
        "progress": round((hole.done - gap.start) / span, 3) if span else 1.0,
    }
