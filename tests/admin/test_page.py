"""What the page says, and that names stay names."""

import datetime as dt
import re
from typing import Any

import msgspec
import pytest

from quotidian import clock
from quotidian.admin.overview import CaptureStatus, HomeAssistant, Overview, Plan, Waiting
from quotidian.admin.page import render, render_login
from quotidian.model import Area, Entity, Gap, Home, JobState
from quotidian.model.certificate import Certificate
from quotidian.model.day import instant, moment
from quotidian.model.health import Dependency, ServiceHealth

from .pipeline import HOME, event, job

HOSTILE = "<script>alert(1)</script>'\"&\u202e\x00"
SERVICES = tuple(ServiceHealth("ok", service=name) for name in ("capture", "enrich", "store", "learn"))


def overview(**fields: Any) -> Overview:
    """Give an overview of a pipeline that works."""
    now = clock.now()
    plain = Overview(
        asked=now,
        services=SERVICES,
        capture=CaptureStatus(home_assistant=HomeAssistant("connected", "2026.2.1", admin=True), spool=Waiting(7)),
        home=HOME,
        events=[],
        gaps=[],
        accounts=[certificate(moment(now, HOME.zone).date(), received=5, filled=2)],
        plan=Plan({"daily": instant(dt.datetime(2026, 11, 23, 3, tzinfo=dt.UTC))}),
        jobs=[],
    )
    return msgspec.structs.replace(plain, **fields)


def certificate(date: dt.date, **counts: int) -> Certificate:
    """Give a day's account."""
    return msgspec.structs.replace(Certificate(date=date, zone=HOME.zone, revision=1), **counts)


def text_of(page: str) -> str:
    """Give a page's text."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_a_pipeline_that_works_says_so() -> None:
    """The home, the sentence, the stations, figures, today's account and the last events are there."""
    text = text_of(render(overview(events=[event("light.desk", "on", area="hall"), event("light.x", None)])))
    for part in (
        "Willow Lane 8",
        "everything that it says is stored",
        "connected, version 2026.2.1",
        "7 waiting on disk",
        "Nothing is missing. 7 events , 2 of them",
        "Desk lamp Hall on a person",
        "X light removed",
    ):
        assert part.replace(" ,", ",") in text.replace(" ,", ","), part


@pytest.mark.parametrize(
    ("state", "fields", "told"),
    [
        (
            JobState.DONE,
            {"tidings": ("folded 2026-11-21", "looked at it")},
            "daily done folded 2026-11-21; looked at it",
        ),
        (JobState.RUNNING, {"done": 3, "total": 9}, "daily runs 3 of 9"),
        (JobState.FAILED, {"error": "The store is away <b>."}, "daily failed The store is away &lt;b&gt;."),
        (JobState.INTERRUPTED, {}, "daily was interrupted"),
        (JobState.WAITING, {}, "daily waits"),
    ],
)
def test_the_runs_of_the_learning_are_told(state: JobState, fields: dict[str, Any], told: str) -> None:
    """Each with its time, what became of it, and what it did or why it failed; and when the next one is."""
    text = text_of(render(overview(jobs=[job(clock.now(), state, **fields)])))
    assert told in text
    assert "It runs next on Monday 04:00 (daily)." in text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"capture": None}, "Capture is down."),
        ({"capture": CaptureStatus(HomeAssistant("refused", error="Make a new one."))}, "refuses the token."),
        ({"capture": CaptureStatus(HomeAssistant("unset"))}, "Nobody has said where"),
        ({"capture": CaptureStatus(HomeAssistant("connected"), gaps=[{}, {}])}, "2 gaps in the past"),
        ({"services": (*SERVICES[:2], ServiceHealth("down", service="store"), SERVICES[3])}, "The store is down."),
        ({"services": (*SERVICES[:3], ServiceHealth("down", service="learn"))}, "Nothing is learned from it"),
        ({"jobs": None, "plan": None}, "Learn does not answer."),
        ({"services": (ServiceHealth("degraded", service="capture"), *SERVICES[1:])}, "something needs a look"),
        ({"home": None, "events": None, "gaps": None, "accounts": None}, "The store does not answer."),
    ],
)
def test_what_is_wrong_is_said_first(fields: dict[str, Any], sentence: str) -> None:
    """The sentence at the top names the worst of what is wrong."""
    assert sentence in text_of(render(overview(**fields)))


def test_details_of_what_is_wrong_are_shown() -> None:
    """What a service needs and lacks stands beneath it."""
    ill = ServiceHealth("degraded", (Dependency("homeassistant", "down", "It refuses."),), service="capture")
    assert "works with limits It refuses." in text_of(render(overview(services=(ill, *SERVICES[1:]))))


def test_what_is_wrong_is_said_once() -> None:
    """It stands at the station that it is about; the others wait for that one, and what to type is set as code."""
    sentence = "It rests. `quotidian doctor` tells <more>."
    services = (
        ServiceHealth("degraded", (Dependency("enrich", "down", sentence),), service="capture"),
        ServiceHealth("down", (Dependency("store", "down", sentence),), service="enrich"),
        ServiceHealth("down", (Dependency("answer", "down", sentence),), service="store"),
    )
    page = render(overview(services=services, home=None, events=None, gaps=None, accounts=None))
    assert page.count("It rests. <code>quotidian doctor</code> tells &lt;more&gt;.") == 1
    assert "`" not in page
    text = text_of(page)
    assert "Waits for enrich." in text
    assert "Waits for the store." in text
    assert text.count("The store does not answer.") == 1


def test_a_home_that_is_not_known_yet_is_shown_in_utc() -> None:
    """Its name and its zone are the store's to tell; until then the page says by which clock it goes."""
    text = text_of(render(overview(home=None)))
    assert "Your home" in text
    assert re.search(r"As of \d\d:\d\d:\d\d UTC", text)
    assert " UTC" not in text_of(render(overview()))


def test_what_is_missing_is_not_hidden() -> None:
    """A day with lost numbers or spans says so, and gaps are listed with times and reasons."""
    now = clock.now()
    today = moment(now, HOME.zone).date()
    accounts = [certificate(today - dt.timedelta(days=1), received=9), certificate(today, received=5, missing=3)]
    gaps = [
        Gap(id="1", start=now - 600_000_000, end=now, reason="Home Assistant was restarted"),
        Gap(id="2", start=now - 600_000_000, end=now, state="unrecoverable"),
        Gap(id="3", start=now - 600_000_000, end=now, state="filled", reason="of no interest"),
    ]
    page = render(overview(accounts=accounts, gaps=gaps))
    text = text_of(page)
    assert "Something is missing." in text
    assert "(10 min): Home Assistant was restarted" in text
    assert "Lost for good" in text
    assert "of no interest" not in text
    assert page.count("lacking") == 2  # the bar and the key


def test_names_are_only_names() -> None:
    """Whatever things, rooms, states and errors are called, the page has no element or character of theirs."""
    home = Home(
        "h", "UTC", HOSTILE, areas={"a": Area("a", HOSTILE)}, entities={"light.a": Entity("light.a", HOSTILE, "a")}
    )
    ill = ServiceHealth("down", (Dependency(HOSTILE, "down", HOSTILE),), service="capture")
    events = [event("light.a", HOSTILE, area="a"), event(f"light.{HOSTILE}", "1", value=1.0, unit=HOSTILE)]
    gap = Gap(id=HOSTILE, start=0, end=1, reason=HOSTILE)
    capture = CaptureStatus(HomeAssistant(HOSTILE, HOSTILE, admin=True, error=HOSTILE))
    page = render(overview(home=home, services=(ill, *SERVICES[1:]), events=events, gaps=[gap], capture=capture))
    assert page.count("<script") == 1
    assert "alert(1)" in page
    assert "\u202e" not in page
    assert "\x00" not in page
    assert "<script>" not in render_login(HOSTILE)
