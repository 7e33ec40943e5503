"""Numpy into Arrow and back, in the few ways that the store needs."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from quotidian.model.arrays import Bools, Ints

# The stubs of Arrow take every numpy array for one of booleans, hence Any.


def arrow(values: NDArray[Any], null: Bools | None = None) -> Any:
    """Make an Arrow array, null where told."""
    return pa.array(values, mask=null)


def numbers(column: Any, null: int = 0) -> Ints:
    """Read a column of integers, with a number in place of nulls."""
    filled = column.fill_null(null) if column.null_count else column
    return np.asarray(filled).astype(np.int64)


def instants(events: pa.Table) -> Ints:
    """Read the column ``last_updated``: µs."""
    return numbers(events["last_updated"])


def chosen(events: pa.Table, rows: Bools) -> pa.Table:
    """Give the rows that are true."""
    return events.filter(arrow(rows))


def ordered(events: pa.Table, order: Ints) -> pa.Table:
    """Give rows by position."""
    return events.take(arrow(order))
