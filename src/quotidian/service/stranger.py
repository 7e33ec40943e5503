"""The page for a browser that called a service by a name that is not one of its own."""

import html
from typing import Final

from starlette.responses import Response

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Another name · Quotidian</title>
</head>
<body>
<h1>Quotidian does not know this name</h1>
<p>{what}</p>
<p>Open it by the machine’s IP address, or add the name to the setting <code>QUOTIDIAN_NAMES</code>{example}
and start Quotidian again.</p>
<p>Only names that you have listed are let in, because anybody can point a name of their own at this address.</p>
</body>
</html>
"""
_HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; img-src data:", "Referrer-Policy": "no-referrer"}


def page(what: str, name: str | None) -> Response:
    """Refuse a browser with a page.

    Parameters
    ----------
    what
        What is wrong.
    name
        The name by which it called; ``None`` when that is none.
    """
    example = f" (<code>QUOTIDIAN_NAMES={html.escape(name)}</code>)" if name else ""
    text = _PAGE.format(what=html.escape(what), example=example)
    return Response(text, 403, _HEADERS, "text/html")
