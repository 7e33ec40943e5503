"""Integers and summaries: exact on disk, exact when merged."""

import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quotidian.model import Integers, Summary

_int64 = st.integers(-(2**63), 2**63 - 1)
_numbers = st.one_of(_int64, st.integers(-200, 200), st.sampled_from([-(2**63), 2**63 - 1, -(2**31), 2**31, 127, 128]))
_words = st.lists(st.text(st.characters(exclude_categories=("Cs",))), max_size=4).map(tuple)
_columns = st.dictionaries(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=8), st.lists(_numbers), max_size=4
)
_integers = st.builds(Integers, _words, _columns)
#: The same ordinal always stands for the same integers, as for the days of one home.
_summaries = st.sets(st.integers(1, 12)).map(lambda days: Summary("d", 1, {day: row(day) for day in sorted(days)}))
EMPTY = Summary("d", 1)


def row(day: int) -> Integers:
    """Make the integers of a day."""
    return Integers(("light.a",), {"token": [0] * (day % 3), "second": list(range(day))})


@given(_integers)
def test_encoding_is_exact(integers: Integers) -> None:
    """Whatever integers and words were packed come back, the extremes of 64 bits and none at all included."""
    back = Integers.decode(integers.encode())
    assert back == integers
    assert back.encode() == integers.encode()
    assert hash(back) == hash(integers)
    assert all(values.dtype == np.int64 for values in back.columns.values())


@given(_columns)
def test_encoding_does_not_depend_on_the_order_of_columns(columns: dict[str, list[int]]) -> None:
    """Equal integers have equal bytes, in whatever order their columns were named."""
    turned = dict(reversed(list(columns.items())))
    assert Integers((), turned) == Integers((), columns)
    assert Integers((), turned).encode() == Integers((), columns).encode()


@given(_integers, st.sampled_from(["word", "number", "name", "length"]))
def test_equal_means_every_integer_and_word(integers: Integers, what: str) -> None:
    """One other word, number, column or length makes them unequal."""
    columns: dict[str, Any] = {"x": [1, 2], **integers.columns}
    whole, words = Integers(integers.words, columns), integers.words
    name = sorted(columns)[-1]
    values = columns[name] if len(columns[name]) else [0]
    first = 0 if values[0] == 1 else 1
    other = {
        "word": Integers((*words, "more"), columns),
        "number": Integers(words, columns | {name: [first, *values[1:]]}),
        "name": Integers(words, {f"{key}'" if key == name else key: column for key, column in columns.items()}),
        "length": Integers(words, columns | {name: [*columns[name], 0]}),
    }[what]
    assert other != whole
    assert whole != "whole"


@pytest.mark.parametrize(("high", "width"), [(127, 1), (128, 2), (32_767, 2), (32_768, 4), (2**31 - 1, 4), (2**31, 8)])
def test_columns_take_their_narrowest_width(high: int, width: int) -> None:
    """A column takes as many bytes a number as its largest needs (looked at before zlib packs it)."""
    columns = [np.resize([-high - 1, high], size) for size in (1_000, 2_000)]
    sizes = [len(zlib.decompress(Integers((), {"x": column}).encode())) for column in columns]
    assert sizes[1] - sizes[0] == 1_000 * width


def test_rising_columns_are_kept_as_differences() -> None:
    """Seconds in order take about a byte each, not four."""
    steps = np.random.default_rng(2).integers(0, 100, 5_000)
    assert len(Integers((), {"second": np.cumsum(steps)}).encode()) < 1.1 * steps.size


@given(_integers, st.data())
def test_damaged_bytes_are_refused(integers: Integers, data: st.DataObject) -> None:
    """Bytes that were cut off, or of which one was changed, are an error, never other integers."""
    packed = integers.encode()
    place = data.draw(st.integers(0, len(packed) - 1))
    flipped = bytes([packed[place] ^ data.draw(st.integers(1, 255))])
    for damaged in (packed[:place], packed[:place] + flipped + packed[place + 1 :], b"", b"garbage"):
        try:
            found = Integers.decode(damaged)
        except ValueError:
            continue
        assert found == integers  # a bit of the packing that means nothing


@given(_integers)
def test_what_is_kept_packed_is_handed_on_as_it_came(integers: Integers) -> None:
    """A store that hands on what it has does not pack it again."""
    packed = integers.encode()
    kept = Integers.decode(packed, keep=True)
    assert kept.encode() is packed
    assert kept == integers == Integers.decode(packed)
    assert hash(kept) == hash(integers)
    assert Integers.decode(packed).encode() == packed


def test_days_share_their_words() -> None:
    """However many days are unpacked, a word is held once."""
    packed = Integers(("light.kitchen", "on"), {"token": [0, 1]}).encode()
    one, other = Integers.decode(packed), Integers.decode(packed)
    assert all(mine is theirs for mine, theirs in zip(one.words, other.words, strict=True))


def test_integers_cannot_be_changed() -> None:
    """Neither the array that was given nor the one that is kept can be written through."""
    integers = Integers((), {"x": np.array([1, 2])})
    with pytest.raises(ValueError, match="read-only"):
        integers["x"][0] = 5


@given(_summaries, _summaries, _summaries)
def test_merging_is_a_union(one: Summary, other: Summary, third: Summary) -> None:
    """Merging is associative and commutative, takes the same days twice, and the empty summary changes nothing."""
    assert one.merged(other) == other.merged(one)
    assert one.merged(other).merged(third) == one.merged(other.merged(third))
    assert one.merged(EMPTY) == EMPTY.merged(one) == one.merged(one) == one
    assert list(one.merged(other).days) == sorted(one.days | other.days)


@given(_summaries, _summaries)
def test_taking_out_is_exact(one: Summary, other: Summary) -> None:
    """What is taken out leaves what would stand if it had never been merged."""
    apart = other.without(frozenset(one.days))
    assert one.merged(apart).without(frozenset(apart.days)) == one
    assert one.without(frozenset(one.days)) == EMPTY


def test_what_does_not_belong_together_is_not_merged() -> None:
    """Other detectors, other versions, and two accounts of one day are refused."""
    one = Summary("d", 1, {1: row(1)})
    for other in (Summary("e", 1), Summary("d", 2), Summary("d", 1, {1: row(2)})):
        with pytest.raises(ValueError, match=r"cannot merge|different integers"):
            one.merged(other)
