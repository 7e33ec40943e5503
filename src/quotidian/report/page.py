"""The page itself: one HTML file with its style inside, and nothing that it would have to fetch."""

import base64
import datetime as dt
import hashlib
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup

from quotidian.detect.words import WITH_MORE_DAYS, kept, plain
from quotidian.model import Stage, Status
from quotidian.model.pattern import once
from quotidian.report import wording
from quotidian.report.activity import WEEKDAYS, rooms, week
from quotidian.report.chapters import chapters, foremost
from quotidian.report.data import ReportData
from quotidian.report.holdings import strata
from quotidian.report.outline import outline

MOST_ROOMS: Final = 16


def render(data: ReportData) -> str:
    """Write the page: the same data gives the same text.

    It holds no script and refers to nothing outside itself, which its content security policy also forbids. Names are
    shown by ``words.plain`` and escaped.

    Parameters
    ----------
    data
        What to show. A home without days or habits gives a page that says so.

    Returns
    -------
    str
        A complete HTML document.
    """
    history = data.history
    told = chapters(history, data.patterns)
    by_room = rooms(history)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            name=plain(data.home.name) or "Home",
            demo=data.demo,
            generated=f"{wording.date(data.generated.date())} at {data.generated:%H:%M}",
            style=_style(),
            style_hash=_hash(_style()),
            days=_days(data),
            summary=_summary(data),
            coming=_coming(len(history.rows)),
            foremost=foremost(data.patterns),
            rhythm=outline(history),
            week=week(history),
            weekdays=WEEKDAYS,
            told=told,
            rooms=by_room[:MOST_ROOMS],
            more_rooms=by_room[MOST_ROOMS:],
            strata=strata(data.layers),
            kept_bytes=wording.size(sum(layer.bytes for layer in data.layers)),
        )
    )


def _days(data: ReportData) -> str:
    rows = data.history.rows
    return wording.dates(_date(rows[0].ordinal), _date(rows[-1].ordinal)) if rows else ""


def _summary(data: ReportData) -> str:
    """Say in one or two sentences what was seen and found."""
    days = len(data.history.rows)
    if not days:
        return "Quotidian has not learned from any day yet."
    seen = f"In {wording.count(days, 'day')} Quotidian saw {wording.count(_changes(data), 'change')}"
    held = [one for one in once(data.patterns) if one.status is Status.ACTIVE]
    emerging = sum(one.finding.stage is Stage.EMERGING for one in held)
    found = len(held) - emerging
    if not held:
        return f"{seen}, and no habit in them yet that would be more than chance."
    beginning = f"{wording.count(emerging, 'habit')} that {'is' if emerging == 1 else 'are'} emerging"
    if not found:
        return f"{seen} and found {beginning}."
    holding = f"{seen} and found {wording.count(found, 'habit')} that {'holds' if found == 1 else 'hold'}"
    return f"{holding}, and {beginning}." if emerging else f"{holding}."


def _coming(days: int) -> str:
    """Say what more days will bring, to those who have few."""
    later = [f"from {least} days on {what}" for least, what in WITH_MORE_DAYS if days < least]
    return f"More days will bring more: {'; '.join(later)}." if later else ""


def _changes(data: ReportData) -> int:
    stored = sum(layer.rows for layer in data.layers if layer.layer == 1)
    return stored or sum(row.second.size for row in data.history.rows)


def _date(ordinal: int) -> dt.date:
    return dt.date.fromordinal(ordinal)


@cache
def _style() -> Markup:
    """Read the style sheet, our own text: the only thing on the page that is not escaped."""
    sheet = resources.files("quotidian.report").joinpath("templates", "style.css")
    return Markup(sheet.read_text("utf-8"))  # noqa: S704


def _hash(style: str) -> str:
    """Give the hash by which the content security policy lets the style sheet pass."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("quotidian.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "line": wording.line,
        "unbroken": wording.unbroken,
        "count": wording.count,
        "date": wording.date,
        "percent": lambda share: f"{100 * share:.0f}",
        "kept": lambda pattern: kept(pattern.finding.evidence.kept, pattern.finding.evidence.observed),
        "emerging": lambda pattern: pattern.finding.stage is Stage.EMERGING,
    }
    environment.filters |= filters
    return environment
