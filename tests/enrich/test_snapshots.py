"""What the registries said is found by time, and held once."""

from quotidian.enrich.snapshots import Snapshots
from quotidian.model import Entity, Home, Snapshot


def home(area: str) -> Home:
    """Give a home of two entities, one of which is in an area."""
    return Home("h", "UTC", entities={"light.a": Entity("light.a", area=area), "light.b": Entity("light.b", "B")})


def test_a_later_word_on_the_same_instant_counts() -> None:
    """A snapshot that holds from the same instant on replaces the one before."""
    known = Snapshots([Snapshot(5, home("den")), Snapshot(9, home("attic")), Snapshot(5, home("hall"))])
    assert len(known) == 2
    found = known.at(7)
    assert found is not None
    assert found.entities["light.a"].area == "hall"


def test_nothing_is_known_before_anybody_asked() -> None:
    """Without any snapshot there is no home."""
    assert Snapshots().at(5) is None


def test_what_did_not_change_is_held_once() -> None:
    """A year of renamed things must not fill the memory: equal entities are the same object."""
    known = Snapshots(Snapshot(number, home(f"area {number}")) for number in range(50))
    homes = [known.at(number) for number in range(50)]
    assert len({id(one.entities["light.b"]) for one in homes if one}) == 1
    assert len({one.entities["light.a"].area for one in homes if one}) == 50
