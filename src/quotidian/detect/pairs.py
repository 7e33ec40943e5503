"""What a day keeps of its pairs: on which something followed, and how probable that was."""

from typing import Final

import msgspec
import numpy as np

from quotidian.detect.dayrow import DayRow, entity_numbers
from quotidian.detect.kernel import JITTER
from quotidian.detect.statistics import ONE, covered, merged_spans
from quotidian.model import Carry, Integers
from quotidian.model.arrays import Bools, Ints

WINDOWS: Final = (10, 60, 300, 900)

#: Of each first token that many followers are kept of a day: those that followed it, then the least expected ones.
FOLLOWERS: Final = 48

#: A first act is judged when everything that its jittered copies could meet has happened: that long after it (seconds).
_LATE: Final = JITTER + WINDOWS[-1]
#: What was before is needed back to there.
_TAIL: Final = _LATE + JITTER
_MOST: Final = ONE - 1  #: the largest chance that fits into 16 bits
_BLOCK: Final = 64  #: so many followers are judged at a time, to bound memory


class Acts(msgspec.Struct, frozen=True):
    """Learned changes in columns, sorted by second (negative for the day before), by number of their token."""

    tokens: tuple[str, ...]
    second: Ints
    token: Ints


def acts_of(row: DayRow, carry: Carry) -> Acts:
    """Put the day's learned changes behind what the day before handed on."""
    today = [row.tokens[token] for token in row.token[row.learned].tolist()]
    before, instants = [], np.empty(0, np.int64)
    if carry:
        recent = carry["instant"] >= row.start - _TAIL
        before = [carry.words[token] for token in carry["token"][recent].tolist()]
        instants = carry["instant"][recent]
    tokens = tuple(sorted({*before, *today}))
    number = {token: place for place, token in enumerate(tokens)}
    second = np.concatenate([instants - row.start, row.second[row.learned]])
    token = np.array([number[name] for name in (*before, *today)], np.int64)
    order = np.lexsort((token, second))
    return Acts(tokens, second[order], token[order])


def tail(acts: Acts, row: DayRow) -> Carry:
    """Hand on the changes that tomorrow's pairs may still meet."""
    recent = acts.second >= row.seconds - _TAIL
    used, token = np.unique(acts.token[recent], return_inverse=True)
    words = tuple(acts.tokens[place] for place in used.tolist())
    return Carry(words, {"token": token.reshape(-1), "instant": acts.second[recent] + row.start})


def pairs_of(acts: Acts, length: int) -> Integers:
    """Keep what a day of so many seconds tells of each ordered pair of tokens, as ``CoOccurrence`` describes it."""
    judged = (acts.second >= -_LATE) & (acts.second < length - _LATE)
    bits, chances = np.zeros((len(acts.tokens),) * 2, np.int64), []
    for place, window in enumerate(WINDOWS):
        hit, chance = _judge(acts, judged, window)
        bits |= hit.astype(np.int64) << place
        chances.append(chance)
    active = np.bincount(acts.token[judged], minlength=len(acts.tokens)) > 0
    first, second = np.nonzero((chances[-1] > 0) & active[:, None] & apart(acts.tokens))
    kept = _kept(first, second, bits, chances[-1])
    left = np.bincount(first[~kept], minlength=len(acts.tokens))
    columns = {"active": np.flatnonzero(active), "left": left[active]}
    for place, chance in enumerate(chances):
        most = np.zeros(len(acts.tokens), np.int64)
        np.maximum.at(most, first[~kept], chance[first[~kept], second[~kept]])
        columns |= {f"chance_{place}": chance[first[kept], second[kept]], f"left_{place}": most[active]}
    first, second = first[kept], second[kept]
    return Integers(acts.tokens, {"first": first, "second": second, "hits": bits[first, second], **columns})


def _kept(first: Ints, second: Ints, bits: Ints, chance: Ints) -> Bools:
    """Tell which pairs are among the ``FOLLOWERS`` of their first token that tell most."""
    order = np.lexsort((second, chance[first, second], -bits[first, second], first))
    kept = np.zeros(first.size, bool)
    kept[order] = np.arange(first.size) - np.searchsorted(first, first) < FOLLOWERS
    return kept


def _judge(acts: Acts, judged: Bools, window: int) -> tuple[Bools, Ints]:
    """Judge every ordered pair of tokens in one window: hits and chances, shape (tokens, tokens)."""
    size = len(acts.tokens)
    hit, missed = np.zeros((size, size), bool), np.full((size, size), ONE, np.int64)
    order = np.flatnonzero(judged)[np.argsort(acts.token[judged], kind="stable")]
    second, token = acts.second[order], acts.token[order]
    asked = np.concatenate([second - JITTER, second + JITTER, second, second + 1])
    turn = np.arange(token.size) - np.searchsorted(token, token)
    # All tokens' first occurrences, then all second ones, …: each product is floored in the order of time.
    turns = [np.flatnonzero(turn == n) for n in range(int(turn.max(initial=-1)) + 1)]
    for start in range(0, size, _BLOCK):
        followers = range(start, min(start + _BLOCK, size))
        left = np.empty((token.size, len(followers)), np.int64)
        for place, follower in enumerate(followers):
            after = acts.second[acts.token == follower]
            until = covered(*merged_spans(after - window, after + 1), asked).reshape(4, -1)
            left[:, place] = 2 * JITTER - (until[1] - until[0])
            hit[token[until[3] > until[2]], follower] = True
        block = missed[:, start : start + _BLOCK]
        for chosen in turns:
            block[token[chosen]] = block[token[chosen]] * left[chosen] // (2 * JITTER)
    return hit, np.minimum(ONE - missed, _MOST)


def apart(tokens: tuple[str, ...]) -> Bools:
    """Tell which pairs of tokens belong to different entities: shape (tokens, tokens)."""
    entity = entity_numbers(tokens)
    return np.asarray(entity[:, None] != entity[None, :])
