"""Logs: one line of JSON an entry on standard error (readable text on a terminal), and never a secret.

Whatever our own loggers, uvicorn's and Python's say goes the same way: through one handler, whose last step takes
secrets out of the finished line, so that no field, exception or foreign message can carry one past it.
"""

import logging
import os
import re
import sys
from collections.abc import Iterable
from typing import Any, Final, TextIO
from urllib.parse import quote

import msgspec
import structlog

from quotidian.errors import SettingError
from quotidian.settings import Settings

HIDDEN: Final = "(hidden)"
LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_hidden: Final[set[str]] = set()
_TOKENS: Final = re.compile(
    r"(?<=[Bb]earer )[^\s\"',;\\]+"
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"  # a JSON Web Token
    r"|\bqt_[\w-]{16,}"  # one of our own
    r"|(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[A-Za-z\d_-]{32,}"  # too mixed to be a word
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")


def hide(*secrets: str) -> None:
    """Keep texts out of every log entry from now on, however they are spelled there."""
    for secret in filter(None, secrets):
        shown = {secret, repr(secret)[1:-1], repr(secret.encode())[2:-1], quote(secret), quote(secret, safe="")}
        _hidden.update(shown, (msgspec.json.encode(text).decode()[1:-1] for text in shown))


def redacted(text: str) -> str:
    """Take what is hidden, and what looks like a token, out of a text.

    >>> redacted("Authorization: Bearer abc.def")
    'Authorization: Bearer (hidden)'
    """
    # The longest first: one secret may be the beginning of another.
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _TOKENS.sub(HIDDEN, text)


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send all logs of this process one way.

    Parameters
    ----------
    settings
        They say how much is logged, and which values are secret.
    stream
        By default standard error.

    Raises
    ------
    SettingError
        When there is no such level.
    """
    stream = stream or sys.stderr
    level = _level(settings)
    hide(*settings.secrets)
    handler = logging.StreamHandler(stream)
    readable = stream.isatty()
    handler.setFormatter(_formatter(readable))
    root = logging.getLogger()
    root.handlers[:], root.level = [handler], level
    logging.captureWarnings(capture=True)
    # What uvicorn warns of is what strangers ask it.
    for name, least in (("uvicorn.error", logging.ERROR), ("aiohttp", logging.INFO), ("asyncio", logging.INFO)):
        logging.getLogger(name).setLevel(max(level, least))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(readable),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _level(settings: Settings) -> int:
    told = settings.text("QUOTIDIAN_LOG_LEVEL").strip().lower()
    if told not in LEVELS:
        raise SettingError(f"QUOTIDIAN_LOG_LEVEL is {told!r}.", f"Set it to one of {', '.join(LEVELS)}.")
    return LEVELS[told]


def _shared(readable: bool) -> Iterable[Any]:
    # A person wants the clock on the wall, a program one that is the same everywhere.
    wall = structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False, key="time")
    return (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        wall if readable else structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    )


def _formatter(readable: bool) -> logging.Formatter:
    renderer = (
        structlog.dev.ConsoleRenderer(
            colors=not os.environ.get("NO_COLOR"),
            pad_event_to=0,
            timestamp_key="time",
            exception_formatter=structlog.dev.plain_traceback,
        )
        if readable
        else structlog.processors.JSONRenderer(serializer=_json)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(readable), structlog.stdlib.PositionalArgumentsFormatter()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *(() if readable else (structlog.processors.format_exc_info,)),
            renderer,
            _without_secrets,
        ],
    )


def _json(entry: dict[str, Any], **_: Any) -> str:
    return msgspec.json.encode(entry, enc_hook=repr).decode()


def _without_secrets(_: Any, __: str, line: Any) -> Any:
    """Take secrets and what could steer a terminal out of a finished line."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", redacted(line))
