"""A home: names and areas, known or not."""

import pytest

from quotidian.model import Area, Entity, Home
from quotidian.model.home import domain_of, words_of

HOME = Home(
    "h",
    "UTC",
    areas={"kitchen": Area("kitchen", "Kitchen", floor="ground")},
    entities={
        "light.a": Entity("light.a", name="Ceiling", area="kitchen"),
        "light.b": Entity("light.b", area="attic"),
        "light.c": Entity("light.c"),
    },
)


def test_names_are_the_registrys_else_the_ids_words() -> None:
    """A name that somebody gave counts; else the entity id is read as words."""
    assert HOME.name_of("light.a") == "Ceiling"
    assert HOME.name_of("light.c") == "C light"
    assert HOME.name_of("switch.garden_pump") == "Garden pump switch"


def test_areas_are_those_that_somebody_gave() -> None:
    """An area is the registry's; one that it does not list is named by its id; nobody's guess stands in for none."""
    assert HOME.area_of("light.a") == Area("kitchen", "Kitchen", floor="ground")
    assert HOME.area_of("light.b") == Area("attic", "attic")
    assert HOME.area_of("light.c") is None
    assert HOME.area_of("light.unknown") is None


@pytest.mark.parametrize(
    ("entity_id", "words"),
    [
        ("light.kitchen", "Kitchen light"),
        ("light.night_light", "Night light"),
        ("binary_sensor.front__door", "Front door"),
        ("odd", "Odd"),
        ("light.", "Light"),
        (".", ""),
        ("light.line\nbreak", "Line break light"),
    ],
)
def test_ids_are_read_as_words(entity_id: str, words: str) -> None:
    """An id becomes words, whatever it looks like; a domain is added only where the words do not have it."""
    assert words_of(entity_id) == words


def test_domain_is_what_stands_before_the_dot() -> None:
    """The domain ends at the first dot."""
    assert [domain_of(name) for name in ("light.a.b", "light", "")] == ["light", "light", ""]
