"""Names and sentences of others, made safe to show."""

import unicodedata
from typing import Final

_LONGEST: Final = 60


def plain_sentence(text: str) -> str:
    """Make text safe to show: one line, no control or direction characters."""
    return " ".join("".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text).split())


def plain(text: str) -> str:
    """Make a name safe to show: one line, no control or direction characters, at most 60 letters."""
    shown = plain_sentence(text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
