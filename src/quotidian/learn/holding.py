"""One run of the learning at a time, whoever starts it and wherever."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from quotidian.errors import QuotidianError, StoreBusyError
from quotidian.learn.orders import HOLD
from quotidian.store import Store

HELD: Final = 60.0  #: seconds for which a run holds on: so long others wait when it dies without a word
RENEWED: Final = 10.0  #: seconds after which it takes hold again
ASKED: Final = 1.0  #: seconds after which one that waits asks again


class Hold:
    """The right to run, for as long as it is renewed."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store, self._owner = store, owner
        self._lost, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def taken(self) -> bool:
        """Take it; tell whether it is ours."""
        return self._store.hold(HOLD, self._owner, HELD)

    def check(self) -> None:
        """See that it is still ours.

        Raises
        ------
        StoreBusyError
            When somebody else has it: this process must have stood still for long.
        """
        if self._lost.is_set():
            raise StoreBusyError(
                "Another run of the learning has taken over, because nothing was heard of this one for a minute.",
                "What it had done is kept; the other one goes on from there.",
            )

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew it until the end, then give it back."""
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()
            with suppress(QuotidianError):
                self._store.release(HOLD, self._owner)

    def _renew(self) -> None:
        while not self._over.wait(RENEWED):
            # A store that is away has let go of everything, and is asked again when it is back. What else it refuses,
            # it refuses whoever works, too.
            with suppress(QuotidianError):
                if not self.taken():
                    self._lost.set()
                    return


@contextmanager
def holding(store: Store, owner: str, waiting: Callable[[], None]) -> Iterator[Hold]:
    """Hold the right to run; wait for it while somebody else has it, and say so once a second.

    Raises
    ------
    UnreachableError
        When the store does not answer.
    """
    hold = Hold(store, owner)
    while not hold.taken():
        waiting()
        time.sleep(ASKED)
    with hold.kept():
        yield hold
