"""The containers' health check: ``python -m quotidian.operate.alive store`` ends with 0 when the store answers.

It is asked every half minute, on small machines too, so it does without the command line, which takes three times
as long to load.
"""

import sys

from quotidian.errors import QuotidianError
from quotidian.operate.asking import health_of
from quotidian.settings import Settings


def main(service: str) -> None:
    """Ask a service whether it answers.

    Raises
    ------
    SystemExit
        With the reason, when it does not.
    """
    try:
        health_of(service, Settings().url(service))
    except QuotidianError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1])
