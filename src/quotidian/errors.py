"""Every error that Quotidian raises on purpose.

::

    QuotidianError
    ├── RetryableError           the same call may work later
    │   ├── StoreBusyError       another process holds the store
    │   ├── DiskFullError        no space left where the store lives
    │   └── UnreachableError     a service or Home Assistant does not answer, or says "later"
    ├── PermanentError           the same call fails until somebody changes something
    │   ├── SettingError         a setting has a value that cannot be used
    │   ├── SourceError          a file that was to be read cannot be used
    │   ├── StoreRefusedError    the store cannot be opened here, or by this version
    │   ├── NotFoundError        what was asked for is not in the store
    │   ├── RequestError         a request says something that cannot be used
    │   │   └── TooLargeError    … because there is too much of it
    │   ├── BehindError          a delivery follows on what the store does not have
    │   ├── ConflictError        what a change was made from is not what is there any more
    │   └── AccessError          a token is missing, wrong, expired, or may not do this
    └── CorruptError             bytes that were once good are not any more
        ├── CorruptSourceError   a source is damaged
        └── CorruptStoreError    a file of the store is damaged

Each says what is wrong, where, and how to mend it: ``str(error)`` is fit for a person to read.
"""


class QuotidianError(Exception):
    """The root of the tree.

    Parameters
    ----------
    what
        One sentence that names the thing and the place.
    remedy
        One sentence that says what to do about it; empty where nothing can be done.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class RetryableError(QuotidianError):
    """The same call may work later."""


class StoreBusyError(RetryableError):
    """Another process holds the store."""


class DiskFullError(RetryableError):
    """No space is left where the store lives."""


class UnreachableError(RetryableError):
    """A service or Home Assistant does not answer, or says "later".

    ``after`` is the number of seconds after which it wants to be asked again, where it said so.
    """

    def __init__(self, what: str, remedy: str = "", after: float | None = None) -> None:
        super().__init__(what, remedy)
        self.after = after


class PermanentError(QuotidianError):
    """The same call fails until somebody changes something."""


class SettingError(PermanentError):
    """A setting has a value that cannot be used."""


class SourceError(PermanentError):
    """A file that was to be read cannot be used."""


class StoreRefusedError(PermanentError):
    """The store cannot be opened here, or by this version."""


class NotFoundError(PermanentError):
    """What was asked for is not in the store."""


class RequestError(PermanentError):
    """A request says something that cannot be used."""


class TooLargeError(RequestError):
    """A request is larger than is taken at once."""


class BehindError(PermanentError):
    """A delivery follows on what the store does not have."""


class ConflictError(PermanentError):
    """What a change was made from is not what is there any more."""


class AccessError(PermanentError):
    """A token is missing, wrong, expired, or may not do this."""


class CorruptError(QuotidianError):
    """Bytes that were once good are not any more."""


class CorruptSourceError(CorruptError):
    """A source is damaged."""


class CorruptStoreError(CorruptError):
    """A file of the store is damaged."""
