"""Why a message cannot be used: every reason that there is."""

from enum import StrEnum


class Reason(StrEnum):
    """A reason, as people read it in the dead letters."""

    TOO_LARGE = "too large"
    NOT_JSON = "not JSON"
    TOO_DEEP = "nested too deeply"
    NOT_A_CHANGE = "not a state_changed event"
    NOT_AN_EVENT = "not an event"
    NO_ENTITY_ID = "no entity id"
    MALFORMED_ENTITY_ID = "a malformed entity id"
    NOT_A_TIME = "not a time"
    BEFORE_1970 = "a time before 1970"
    IN_THE_FUTURE = "a time in the future"
    STATE_NOT_TEXT = "a state that is not text"
    STATE_TOO_LONG = "a state of more than 255 characters"


class Unusable(Exception):  # noqa: N818 - a message's, never seen outside
    """Says why one message cannot be used."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
