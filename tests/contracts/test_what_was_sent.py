"""All that the contracts made us write and ask, beside the real parts that can be had.

It is collected while they run, so these tests come last, and say something only after the others.
"""

from pathlib import Path
from typing import Final

import pytest

from ..influx import flux  # noqa: TID252 - tests are no package
from ..influx.buckets import Bucket  # noqa: TID252
from ..influx.components import INFLUX_1, MISSING, NODE, RealInflux1, check_flux  # noqa: TID252
from ..influx.lines import points  # noqa: TID252
from .in_influx import server

#: An instant in ns, later than all points.
LATE: Final = 2_000_000_000_000_000_000
#: Of a batch no more lines are tried than these: the thousands behind them are made alike.
MOST: Final = 100
NOTHING: Final = "NOT TESTED: nothing was sent: run all of tests/contracts"


@pytest.mark.skipif(INFLUX_1 is None, reason=MISSING.format("InfluxDB 1"))
def test_a_real_influxdb_keeps_every_line(tmp_path: Path) -> None:
    """InfluxDB 1 takes each batch, and then keeps what the look-alike keeps of them."""
    batches = [one for one in server().all_written if one.status == 204]
    if not batches:
        pytest.skip(NOTHING)
    with RealInflux1(tmp_path) as influx1:
        for name in sorted({one.bucket for one in batches}):
            influx1.fresh(name)
            bucket = Bucket(name, 0)
            for body in {b"\n".join(one.body.split(b"\n")[:MOST]): None for one in batches if one.bucket == name}:
                assert influx1.write(body) == (204, "")
                assert bucket.write(points(body, "us"), LATE) is None
            assert sorted(influx1.points(), key=repr) == sorted(bucket.points(), key=repr)


@pytest.mark.skipif(NODE is None, reason=MISSING.format("parser of Flux"))
def test_the_real_checker_passes_every_query() -> None:
    """And its parser reads the texts in them as the look-alike does."""
    queries = list(server().all_queries)
    if not queries:
        pytest.skip(NOTHING)
    for query, found in zip(queries, check_flux(queries), strict=True):
        assert found == {"wrong": [], "strings": flux.strings(query)}, query
