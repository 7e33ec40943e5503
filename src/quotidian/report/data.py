"""What a report is made of."""

import datetime as dt

import msgspec

from quotidian.detect import History
from quotidian.model import Home, Pattern
from quotidian.store.protocols import LayerSize


class ReportData(msgspec.Struct, frozen=True):
    """All that the page shows.

    Parameters
    ----------
    home
        The home, for its name, its areas and the names of its entities.
    history
        The days that were learned from.
    patterns
        All patterns, of any status.
    layers
        What each layer of the store holds.
    generated
        When the page was asked for, on the home's clock.
    demo
        Whether the home is a simulated one, which the page then says.
    """

    home: Home
    history: History
    patterns: tuple[Pattern, ...]
    layers: tuple[LayerSize, ...]
    generated: dt.datetime
    demo: bool = False
