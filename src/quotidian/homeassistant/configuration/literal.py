"""Text that Home Assistant would take for a template, written so that it stays text.

What a service is called with is rendered by Jinja: without this, whoever names a lamp could have Home Assistant compute
something.
"""

import json
from typing import Any, Final

MARKS: Final = ("{{", "{%", "{#")
_OPEN, _CLOSE = '{{ "', '" }}'


def literal(value: Any) -> Any:
    r"""Give a value whose texts come out of a rendering as they are.

    >>> literal("plain"), literal("{{ states }}")
    ('plain', '{{ "\\u007b\\u007b states \\u007d\\u007d" }}')
    """
    if isinstance(value, dict):
        return {key: literal(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [literal(inner) for inner in value]
    if not isinstance(value, str) or not any(mark in value for mark in MARKS):
        return value
    text = json.dumps(value, ensure_ascii=False)[1:-1]
    return _OPEN + text.replace("{", "\\u007b").replace("}", "\\u007d") + _CLOSE


def plain_text(text: str) -> str | None:
    """Read what ``literal`` wrote, or a text that is no template; nothing where it is one."""
    if not any(mark in text for mark in MARKS):
        return text
    inner = text.removeprefix(_OPEN).removesuffix(_CLOSE)
    try:
        found = json.loads(f'"{inner}"')
    except ValueError:
        return None
    return found if literal(found) == text else None
