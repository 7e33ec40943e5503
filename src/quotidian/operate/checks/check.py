"""What a check found."""

from typing import Literal, Self

import msgspec

from quotidian.errors import QuotidianError

State = Literal["ok", "warning", "problem"]


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at: how it is, a sentence, and what to do where it is not well."""

    name: str
    state: State
    sentence: str
    remedy: str = ""

    @classmethod
    def of(cls, name: str, error: QuotidianError) -> Self:
        """Make a problem of an error."""
        return cls(name, "problem", error.what, error.remedy)
