"""Where an entity is named."""

import pytest

from quotidian.store.embedded.mention import Mention


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("light.kitchen", True),
        ("light.kitchen=on", True),
        ("light.desk=on+light.kitchen=off", True),
        ("Turned on by light.kitchen.", True),
        ('["light.kitchen"]', True),
        ("light.kitchen_ceiling=on", False),
        ("flight.kitchen", False),
        ("my.light.kitchen", False),
        ("Light.Kitchen", False),
        ("", False),
    ],
)
def test_an_entity_is_named_as_a_whole(text: str, named: bool) -> None:
    """Tokens and sentences name it; longer names do not."""
    assert Mention("light.kitchen")(text) is named


def test_it_is_found_however_deep() -> None:
    """Keys and values of containers are searched."""
    mention = Mention("light.a")
    assert mention.within({"x": [1, ("light.a=on",)]})
    assert mention.within({"light.a": None})
    assert not mention.within({"x": ["light.b"], "y": None})


def test_an_empty_id_is_nowhere() -> None:
    """Forgetting a nameless entity does not forget all others."""
    assert not Mention("").within(["", "light.a"])
