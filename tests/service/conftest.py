"""What the tests of services share."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Give a text for logs; afterwards logs go where they went before."""
    root, names = logging.getLogger(), ("uvicorn.error", "aiohttp", "asyncio")
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in names}
    yield io.StringIO()
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()
