"""What the learning counts, as Prometheus reads it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fastapi import FastAPI
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from quotidian.model import Job, JobKind

if TYPE_CHECKING:
    from quotidian.learn.runner import Runner
    from quotidian.learn.scheduler import Outlook


class Figures(Collector):
    """The counts of a service as they are now."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def describe(self) -> Iterable[Metric]:
        """Name nothing in advance: before the start there are no counts."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Give the counts."""
        runner: Runner = self._app.state.runner
        outlook: Outlook | None = self._app.state.scheduler.outlook
        yield CounterMetricFamily("quotidian_learn_folded", "Days that were folded.", value=runner.days)
        failures = CounterMetricFamily("quotidian_learn_failures", "Jobs that did not end well.", labels=["kind"])
        for kind in JobKind:
            failures.add_metric([kind], runner.failures.get(kind, 0))
        yield failures
        if outlook is not None:
            yield GaugeMetricFamily(
                "quotidian_learn_due", "Days that wait to be learned from.", value=outlook.waiting.days
            )
            yield from _done(outlook.done.values())


def _done(jobs: Iterable[Job]) -> Iterable[Metric]:
    """Tell of the last job of each kind that came to its end."""
    last = GaugeMetricFamily(
        "quotidian_learn_last_success_timestamp_seconds", "When a job last came to its end.", labels=["kind"]
    )
    took = GaugeMetricFamily("quotidian_learn_job_seconds", "How long the last one took.", labels=["kind"])
    peak = GaugeMetricFamily("quotidian_learn_job_memory_bytes", "The most memory that it had.", labels=["kind"])
    for job in jobs:
        ended = job.ended or job.asked
        last.add_metric([job.kind], ended / 1e6)
        took.add_metric([job.kind], (ended - (job.started or job.asked)) / 1e6)
        peak.add_metric([job.kind], job.memory)
    return last, took, peak
