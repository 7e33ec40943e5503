"""Deliveries: what a stream of numbers carries, made durable together with the account of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from quotidian import clock
from quotidian.errors import BehindError, RequestError
from quotidian.model import Arrival, Day, DeadLetter, Enriched, Receipt, Refusal
from quotidian.store.embedded.events import Events
from quotidian.store.embedded.intake import Intake
from quotidian.store.embedded.letters import Letters
from quotidian.store.embedded.notes import Gaps
from quotidian.store.embedded.straight import Row, Straight
from quotidian.store.embedded.streams import Stream, Streams
from quotidian.store.embedded.tally import Tally

#: Times (µs) that have a day in every zone: those of the years 2 to 9998.
_CALENDAR: Final = range(-62_104_060_800_000_000, 253_370_764_800_000_000)
_TIMELESS: Final = "The time of the event lies outside the calendar."
#: The certificates of so many days before its end tell of a gap.
_GAP_DAYS: Final = 3_660
_EVENTS: Final = ("received", "filled", "manual")


class Books(NamedTuple):
    """Where the account of a delivery is kept."""

    streams: Streams
    tally: Tally
    letters: Letters
    gaps: Gaps


class Receiver:
    """Takes deliveries, each within a transaction."""

    def __init__(self, events: Events, intake: Intake, straight: Straight, books: Books) -> None:
        self._events, self._intake, self._straight = events, intake, straight
        self._streams, self._tally, self._letters, self._gaps = books

    def receive(self, delivery: Enriched) -> Receipt:
        """Store what is new of a delivery but its snapshots; see ``Store.receive``."""
        found = self._streams.find(delivery.stream)
        _refuse_ahead(delivery, 0 if found is None else found.high)
        stream = found or self._streams.add(delivery)
        if delivery.last <= stream.high:
            return self._answer_again(stream, delivery)
        return self._take(_Account(stream, delivery, self._events.zone))

    def _take(self, account: "_Account") -> Receipt:
        stream, delivery = account.stream, account.delivery
        hole = account.first > stream.high + 1
        told = self._streams.missing(stream, delivery, account.first_arrived)
        missing = self._skip(stream, account) if hole else told
        self._store(account)
        if account.letters:
            self._letters.add(stream.id, account.letters)
            account.days[account.today]["dead"] += len(account.letters)
        for ordinal, counts in account.days.items():
            self._tally.add(ordinal, counts)
        for gap in delivery.gaps:
            self._touch(self._gaps.put(gap))
        carried = account.carried()
        stream = self._streams.advance(stream, account.first, delivery.last, account.today, carried)
        receipt = Receipt(
            stream=delivery.stream,
            last=delivery.last,
            new=sum(carried[name] for name in _EVENTS),
            known=carried["duplicate"],
            left_out=carried["left_out"],
            dead=carried["dead"],
            refusals=[Refusal(letter.seq, letter.reason) for letter in account.letters],
            missing=missing,
        )
        self._streams.put(stream._replace(arrived=account.last_arrived), receipt)
        return receipt

    def _skip(self, stream: Stream, account: "_Account") -> tuple[int, int]:
        since, until = self._streams.skip(stream, account.first, account.first_arrived)
        self._touch([(since, until)])
        return since, until

    def _store(self, account: "_Account") -> None:
        kept: dict[int, list[Row]] = {}
        taken, new = list[Row](), set[tuple[int, str]]()
        wants = self._intake.wants
        for arrival in account.arrivals:
            event = arrival.event
            if event.last_updated not in _CALENDAR or event.last_changed not in _CALENDAR:
                account.letters.append(_timeless(arrival))
                continue
            ordinal = account.ordinal(event.last_updated)
            if wants(event.entity_id):
                taken.append(Row.of(event, self._intake))
                kept.setdefault(ordinal, []).append(taken[-1])
            else:
                account.days[ordinal]["left_out"] += 1
        for ordinal, rows in kept.items():
            account.days[ordinal].update(self._straight.take(ordinal, rows, new))
        self._straight.arrive(taken, new)

    def _touch(self, spans: Iterable[tuple[int, int]]) -> None:
        for start, end in spans:
            zone, latest = self._events.zone, min(end, clock.now())
            if start in _CALENDAR and start <= latest:
                last = Day.containing(latest, zone).ordinal
                first = max(Day.containing(start, zone).ordinal, last - _GAP_DAYS)
                self._tally.touch(range(first, last + 1))

    def _answer_again(self, stream: Stream, delivery: Enriched) -> Receipt:
        if stream.receipt is not None:
            receipt = msgspec.json.decode(stream.receipt, type=Receipt)
            if receipt.last == delivery.last:
                return receipt
        kept = sum(self._intake.wants(arrival.event.entity_id) for arrival in delivery.events)
        return Receipt(
            stream=delivery.stream,
            last=delivery.last,
            known=kept,
            left_out=len(delivery.events) - kept,
            dead=len(delivery.letters),
            refusals=[Refusal(letter.seq, letter.reason) for letter in delivery.letters],
            missing=self._streams.missing(stream, delivery, stream.arrived),
        )


class _Account:
    """What becomes of the numbers of one delivery that were not received before."""

    def __init__(self, stream: Stream, delivery: Enriched, zone: str) -> None:
        self.stream, self.delivery = stream, delivery
        self.first = max(delivery.first, stream.high + 1)
        self.arrivals = [arrival for arrival in delivery.events if arrival.seq >= self.first]
        self.letters = [letter for letter in delivery.letters if letter.seq >= self.first]
        messages: list[Arrival | DeadLetter] = [*self.arrivals, *self.letters]
        self._others = delivery.last - self.first + 1 - len(messages)
        # Numbers without a message arrived with those that have one, or else just now.
        arrived = _arrived(messages) or _arrived([*delivery.events, *delivery.letters])
        now = 0 if arrived else clock.now()
        self.first_arrived = arrived[0] if arrived else now
        self.last_arrived = arrived[-1] if arrived else stream.arrived or now
        self._zone = zone
        self._day = Day.containing(self.first_arrived, zone)
        self.today = self._day.ordinal
        #: The counts of each day of events, and of the day of arrival.
        self.days: dict[int, Counter[str]] = {self.today: Counter()}

    def ordinal(self, instant: int) -> int:
        """Give the day of an event, ready to be counted."""
        if not self._day.start <= instant < self._day.end:
            self._day = Day.containing(instant, self._zone)
        ordinal = self._day.ordinal
        if ordinal not in self.days:
            self.days[ordinal] = Counter()
        return ordinal

    def carried(self) -> Counter[str]:
        """Tell what the numbers carried: all that had no message of their own only told causes."""
        total: Counter[str] = sum(self.days.values(), Counter())
        # Notes do not tell their numbers: of a delivery that was received in part, they count as what is left.
        total["notes"] = min(len(self.delivery.snapshots) + len(self.delivery.gaps), self._others)
        total["telling"] = self._others - total["notes"]
        return total


def _arrived(messages: Iterable[Arrival | DeadLetter]) -> list[int]:
    """Give when messages arrived, in the order of their numbers, as far as that can be."""
    numbered = sorted((message.seq, message.arrived) for message in messages)
    return [arrived for _, arrived in numbered if arrived in _CALENDAR]


def refuse_contradictions(delivery: Enriched) -> None:
    """Refuse a delivery whose numbers cannot be right.

    Raises
    ------
    RequestError
        When they contradict each other.
    """
    messages: Sequence[Arrival | DeadLetter] = [*delivery.events, *delivery.letters]
    numbers = {message.seq for message in messages}
    if not (
        1 <= delivery.first <= delivery.last < 1 << 62
        and len(numbers) == len(messages)
        and (not numbers or (delivery.first <= min(numbers) and max(numbers) <= delivery.last))
        and len(messages) + len(delivery.snapshots) + len(delivery.gaps) <= delivery.last - delivery.first + 1
    ):
        raise RequestError(
            f"The numbers of the delivery {delivery.first} to {delivery.last} contradict what it holds.",
            "Each message needs a number of its own within them.",
        )


def _refuse_ahead(delivery: Enriched, high: int) -> None:
    if delivery.follows > high:
        raise BehindError(
            f"The delivery follows on {delivery.follows}, and of its stream nothing is here behind {high}.",
            "Deliver first what comes behind that, as far as it is kept.",
        )


def _timeless(arrival: Arrival) -> DeadLetter:
    text = msgspec.json.encode(arrival.event).decode()
    return DeadLetter(seq=arrival.seq, arrived=arrival.arrived, reason=_TIMELESS, text=text)
