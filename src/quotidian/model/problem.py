"""An error as our services tell it to each other and to whoever asks them: the one shape that it has in an answer."""

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, of which kind, and how to mend it."""

    kind: str
    what: str
    remedy: str = ""

    def answer(self) -> bytes:
        """Write it as the body of an answer."""
        return msgspec.json.encode(_Answer(self))

    @staticmethod
    def of(content: bytes) -> "Problem | None":
        """Read the body of an answer; ``None`` when it was not one of our services that answered."""
        try:
            return msgspec.json.decode(content, type=_Answer).error
        except (msgspec.DecodeError, UnicodeError):
            return None


class _Answer(msgspec.Struct, frozen=True):
    error: Problem
