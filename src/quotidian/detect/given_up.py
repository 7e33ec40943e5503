"""Which habits can no longer be seen: people gave up what they begin with."""

from typing import Final

import numpy as np

from quotidian.detect.dayrow import entity_of
from quotidian.detect.history import History
from quotidian.model import Finding

#: The detectors that tell what follows a first act: a day without it speaks neither for nor against them.
_WAITING: Final = frozenset({"co_occurrence", "duration", "sequence"})
#: So many days without the first act are no sign yet, and it may pause for so many times its longest pause.
_FEW_DAYS: Final = 14
_LONGER: Final = 3


def given_up(finding: Finding, history: History) -> bool:
    """Tell whether a habit waits for an act that people seem to have given up.

    That the lamp goes on after the television stays true for ever once nobody watches any more. So nothing is told
    whose first act has not come for two weeks, and for three times as long as it ever paused before; lived days count
    on which its entity was observed.
    """
    if finding.detector not in _WAITING:
        return False
    first = finding.subject[0]
    speaker = next((token for token, members in history.members.items() if first in members), None)
    if speaker is None:
        return False
    counts = np.flatnonzero(history.lived & history.present(entity_of(first)))
    acted = np.isin(counts, history.timeline.day[history.occurrences[speaker]])
    pauses = np.diff(np.flatnonzero(acted), append=counts.size)
    return bool(pauses.size) and int(pauses[-1]) > max(_FEW_DAYS, _LONGER * int(pauses[:-1].max(initial=0)))
