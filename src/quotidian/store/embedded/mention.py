"""Where an entity is named."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec


class Mention:
    """Finds an entity id in texts: as the whole of them, or as a token such as ``light.kitchen=on``.

    ``light.kitchen`` does not mention ``light.kitchen_ceiling``, nor the other way round. An empty id is nowhere.
    """

    def __init__(self, entity_id: str) -> None:
        quoted = msgspec.json.encode(entity_id).decode()[1:-1]
        words = "|".join(map(re.escape, {entity_id, quoted}))
        self._pattern = re.compile(rf"(?<![\w.])(?:{words})(?!\w)" if entity_id else r"(?!)")

    def __call__(self, text: str) -> bool:
        """Tell whether a text names the entity."""
        return self._pattern.search(text) is not None

    def within(self, value: Any) -> bool:
        """Tell whether any text within a struct or container names the entity."""
        return any(self(text) for text in _texts(msgspec.to_builtins(value)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.items():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
