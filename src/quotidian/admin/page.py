"""The page: the pipeline at a glance, written on the server; names are shown by ``plain`` and escaped."""

import re
from collections.abc import Set
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2
import msgspec
from markupsafe import Markup, escape

from quotidian.admin import wording
from quotidian.admin.overview import Overview
from quotidian.model import Day, Event, Home, Job, JobState
from quotidian.model.certificate import Certificate
from quotidian.model.day import moment
from quotidian.model.health import ServiceHealth
from quotidian.model.plain import plain, plain_sentence

_UTC: Final = Home("", "UTC", name="Your home")
_STATES: Final = {"ok": "works", "degraded": "works with limits", "down": "down"}
_HOME_ASSISTANT: Final = {
    "connected": ("ok", "connected"),
    "connecting": ("degraded", "connecting"),
    "full": ("degraded", "waits: the spool is full"),
    "refused": ("down", "refuses the token"),
    "unset": ("down", "not set up"),
}
_UNHEARD: Final = {
    "connecting": "Home Assistant cannot be reached.",
    "refused": "Home Assistant refuses the token.",
    "unset": "Nobody has said where Home Assistant is.",
    "full": "The disk holds as many waiting events as it may.",
}
_PEERS: Final = {
    "homeassistant": "Home Assistant",
    "capture": "capture",
    "enrich": "enrich",
    "store": "the store",
    "learn": "learn",
}
_RUNS: Final = {
    JobState.WAITING: "waits",
    JobState.RUNNING: "runs",
    JobState.DONE: "done",
    JobState.FAILED: "failed",
    JobState.INTERRUPTED: "was interrupted",
}
_BAR: Final = 40.0  #: height of the tallest bar
_DOWN: Final = "down"
_QUOTED: Final = re.compile(r"`([^`]+)`")

#: Headers of every page: nothing from elsewhere, no script or style within the page.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}


class Station(msgspec.Struct, frozen=True):
    """A station on an event's way."""

    name: str
    state: str
    word: str
    detail: str = ""


class Row(msgspec.Struct, frozen=True):
    """An event as it is shown."""

    time: str
    name: str
    entity_id: str
    state: str
    by: str
    area: str


class Run(msgspec.Struct, frozen=True):
    """A run of the learning as it is shown."""

    time: str
    kind: str
    state: str
    word: str
    told: str


class Bar(msgspec.Struct, frozen=True):
    """A day among the last ones; ``height`` of its bar, and of the part that was filled from history."""

    label: str
    title: str
    height: float
    filled: float
    whole: bool


def render(overview: Overview, *, leavable: bool = False) -> str:
    """Write the page.

    Parameters
    ----------
    overview
        What the services said.
    leavable
        Whether there is a login that can be left.
    """
    home = overview.home or _UTC
    today = Day.containing(overview.asked, home.zone).date
    accounts = overview.accounts or []
    return _template("page.html.j2").render(
        name=plain(home.name) or "Home",
        asked=_clock(overview.asked, home) + ("" if overview.home else " UTC"),
        summary=_summary(overview),
        state=overview.state,
        stations=_stations(overview),
        figures=_figures(overview),
        rows=None if overview.events is None else [_row(event, home) for event in overview.events],
        today=next(
            (one for one in accounts if one.date == today),
            Certificate(date=today, zone=overview.home.zone if overview.home else "UTC", revision=0),
        )
        if overview.accounts is not None
        else None,
        bars=_bars(accounts),
        gaps=[_gap(gap.start, gap.end, gap.reason, home) for gap in overview.gaps or [] if gap.state == "open"],
        lost=[
            _gap(gap.start, gap.end, gap.reason, home) for gap in overview.gaps or [] if gap.state == "unrecoverable"
        ],
        next_run=_next_run(overview, home),
        runs=None if overview.jobs is None else [_run(job, home) for job in overview.jobs],
        leavable=leavable,
    )


def render_login(fault: str = "") -> str:
    """Write the page that asks for a token."""
    return _template("login.html.j2").render(fault=fault)


def asset(name: str) -> bytes:
    """Give one of the files that pages refer to."""
    return resources.files("quotidian.admin").joinpath("templates", name).read_bytes()


def _summary(overview: Overview) -> str:
    """Say in a sentence how things are: the worst first."""
    down = [service.service for service in overview.services if service.state == _DOWN]
    if "store" in down:
        return "The store is down. What Home Assistant says waits on disk until it is back."
    if overview.capture is None:
        return "Capture is down. What Home Assistant says now is fetched from its history later."
    if overview.capture.home_assistant.state in _UNHEARD:
        return f"{_UNHEARD[overview.capture.home_assistant.state]} What it says now is fetched from its history later."
    if "capture" in down:
        return "Home Assistant is heard, but capture cannot keep what it says."
    if "enrich" in down:
        return "Enrich is down. What Home Assistant says waits on disk until it is back."
    if "learn" in down:
        return "Home Assistant is heard and stored. Nothing is learned from it until learn is back."
    if overview.capture.gaps:
        return (
            f"Home Assistant is heard, and {wording.count(len(overview.capture.gaps), 'gap')} in the past being filled."
        )
    if overview.state != "ok":
        return "Home Assistant is heard; something needs a look."
    return "Home Assistant is heard, and everything that it says is stored."


def _stations(overview: Overview) -> list[Station]:
    home_assistant = _home_assistant(overview)
    unwell = {service.service for service in overview.services if service.state != "ok"}
    if home_assistant.state != "ok":
        unwell.add("homeassistant")
    return [
        home_assistant,
        *(
            Station(service.service.capitalize(), service.state, _STATES[service.state], _trouble(service, unwell))
            for service in overview.services
        ),
    ]


def _trouble(service: ServiceHealth, unwell: Set[str]) -> str:
    """Say what is wrong with a service; what is wrong with another one stands at that one's station."""
    poor = [one for one in service.dependencies if one.state != "ok"]
    awaited = [_PEERS[one.name] for one in poor if one.name in _PEERS and one.name in unwell]
    own = [one.detail for one in poor if one.detail and not (one.name in _PEERS and one.name in unwell)]
    return plain_sentence(" ".join([*own, *([f"Waits for {' and '.join(awaited)}."] if awaited else [])]))


def _home_assistant(overview: Overview) -> Station:
    if overview.capture is None:
        return Station("Home Assistant", _DOWN, "not known", "Capture does not answer.")
    told = overview.capture.home_assistant
    state, word = _HOME_ASSISTANT.get(told.state, ("degraded", told.state))
    detail = told.error or (
        "Its token is not an administrator's: some causes stay unknown." if told.admin is False else ""
    )
    version = f", version {told.version}" if told.version else ""
    return Station("Home Assistant", state, plain(word + version), plain_sentence(detail))


def _figures(overview: Overview) -> list[tuple[str, str]]:
    capture = overview.capture
    if capture is None:
        return []
    return [
        ("last event", wording.ago(capture.events.last, overview.asked)),
        ("events a minute", f"{capture.events.per_minute:,.0f}"),
        ("from heard to stored", wording.span(capture.delivery.lag_seconds)),
        ("waiting on disk", f"{capture.spool.depth:,}"),
        ("open gaps", f"{len(capture.gaps):,}"),
    ]


def _row(event: Event, home: Home) -> Row:
    known = home.areas.get(event.area) if event.area else home.area_of(event.entity_id)
    state = "removed" if event.new_state is None else plain(event.new_state)
    unit = f" {plain(event.unit)}" if event.unit and event.value is not None else ""
    return Row(
        time=_clock(event.last_updated, home),
        name=plain(home.name_of(event.entity_id)) or plain(event.entity_id),
        entity_id=plain(event.entity_id),
        state=state + unit,
        by=wording.by(event),
        area=plain(known.name) if known else "",
    )


def _bars(accounts: list[Certificate]) -> list[Bar]:
    most = max((account.events for account in accounts), default=0) or 1
    return [
        Bar(
            label=f"{account.date:%a}"[:2],
            title=f"{account.date:%d %b}: {wording.count(account.events, 'event')}",
            height=_BAR * account.events / most,
            filled=_BAR * account.filled / most,
            whole=account.whole,
        )
        for account in accounts
    ]


def _next_run(overview: Overview, home: Home) -> str:
    """Say when learning runs next; empty when that is not known."""
    if overview.plan is None or not overview.plan.next:
        return ""
    kind, instant = min(overview.plan.next.items(), key=lambda one: (one[1], one[0]))
    return f"{moment(instant, home.zone):%A %H:%M} ({kind})"


def _run(job: Job, home: Home) -> Run:
    since = moment(job.started or job.asked, home.zone)
    done = f"{job.done} of {job.total}" if job.state is JobState.RUNNING and job.total else ""
    told = plain_sentence(job.error) or done or plain_sentence("; ".join(job.tidings))
    return Run(f"{since:%d %b %H:%M}", job.kind.value, job.state.value, _RUNS[job.state], told)


def _gap(start: int, end: int, reason: str, home: Home) -> str:
    since, until = moment(start, home.zone), moment(end, home.zone)
    last = f"{until:%H:%M:%S}" if since.date() == until.date() else f"{until:%d %b %H:%M:%S}"
    told = f": {plain_sentence(reason)}" if reason else ""
    return f"{since:%d %b %H:%M:%S} to {last} ({wording.span((end - start) / 1e6)}){told}"


def _clock(instant: int, home: Home) -> str:
    return f"{moment(instant, home.zone):%H:%M:%S}"


def _told(sentence: str) -> Markup:
    """Escape a sentence, and set what it quotes for typing as code.

    >>> str(_told("Ask `quotidian doctor` <now>."))
    'Ask <code>quotidian doctor</code> &lt;now&gt;.'
    """
    return Markup(_QUOTED.sub(r"<code>\1</code>", str(escape(sentence))))  # noqa: S704 - escaped before


@cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("quotidian.admin"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {"count": wording.count, "number": "{:,}".format, "told": _told}
    environment.filters |= filters
    return environment.get_template(name)
