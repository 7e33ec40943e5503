"""The page as a whole: complete, inert, and kind to those who have nothing yet."""

import base64
import hashlib
import html
import re
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import msgspec
import pytest

from quotidian.detect import History
from quotidian.model import Area, Entity, Home, Pattern, Stage, Status
from quotidian.report import ReportData, render

from .conftest import DAYS, FIRST, HOME, history_of, report_of

VOID = {"meta", "link", "br", "img", "input", "hr"}
HOSTILE = "\"'><script>alert(1)</script>\n\u202egnirts\u2066 & <img src=x onerror=alert(1)>" + "x" * 500


class _Reader(HTMLParser):
    """Reads a page: its elements, its attributes, its text, and whether every element is closed where it should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.folded: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if "details" in self.open:
            self.folded.append(data)


@pytest.fixture(scope="module")
def page(report: ReportData) -> str:
    """Render the small home's page once."""
    return render(report)


def test_same_data_gives_same_page(report: ReportData, page: str) -> None:
    """The same data gives the same text, to the letter."""
    assert render(report) == page


def test_page_refers_to_nothing_outside_and_runs_nothing(page: str) -> None:
    """There is no script, no handler, and no address but the empty icon."""
    reader = _Reader(page)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|javascript:", page, re.IGNORECASE)
    assert not {"script", "iframe", "object", "embed", "img", "base"} & {tag for tag, _ in reader.elements}
    names = [name for _, attributes in reader.elements for name in attributes]
    assert not [name for name in names if name.startswith("on") or name in ("src", "srcset", "style")]
    assert [attributes["href"] for _, attributes in reader.elements if "href" in attributes] == ["data:,"]


def test_policy_lets_only_this_style_pass(page: str) -> None:
    """The content security policy forbids everything but the style sheet that the page carries."""
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = next(a["content"] for tag, a in _Reader(page).elements if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy


def test_every_element_is_closed(page: str) -> None:
    """The page is well-formed: what is opened is closed, in order."""
    assert _Reader(page).open == []


def test_every_picture_is_well_formed_and_says_what_it_shows(page: str) -> None:
    """Each SVG parses as XML, and has a title or a label, or is hidden from readers."""
    pictures = [ET.fromstring(found) for found in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    assert len(pictures) > 10
    for picture in pictures:
        assert picture.find("title") is not None or {"aria-label", "aria-hidden"} & picture.attrib.keys()
        assert not re.search(r"nan|inf|None", " ".join(element.get("d", "") for element in picture.iter()))


def test_every_sentence_is_told(page: str, patterns: tuple[Pattern, ...]) -> None:
    """No habit is left out, and what the detectors found makes all three kinds of pictures."""
    assert {"time_of_day", "co_occurrence", "duration"} <= {one.finding.detector for one in patterns}
    told = html.unescape(page)
    assert [one.finding.sentence for one in patterns if one.finding.sentence not in told] == []
    for title in ("Round the clock", "One thing leads to another", "How long things last"):
        assert title in told


def test_what_another_tells_better_stands_under_it(history: History, pattern: Callable[..., Pattern]) -> None:
    """It is folded away, in no chapter, and not counted."""
    one, other = pattern("room", "One"), pattern("room", "Two")
    told = msgspec.structs.replace(other, told_by=one.id)
    page = render(report_of(history, (one, told)))
    assert "found 1 habit that holds" in page
    assert page.count("Two") == 1
    assert page.index("The same in other words") < page.index("Two")


def test_summary_counts_what_holds_and_what_emerges(history: History, pattern: Callable[..., Pattern]) -> None:
    """The summary gives days, changes and habits, and tells emerging ones apart."""
    found = (pattern("room", "One"), pattern("room", "Two"), pattern("room", "Three", stage=Stage.EMERGING))
    page = render(report_of(history, found))
    assert "In 21 days Quotidian saw 12,345 changes and found 2 habits that hold, and 1 habit that is emerging." in page
    emerging = render(report_of(history, found[2:]))
    assert "saw 12,345 changes and found 1 habit that is emerging." in emerging


def test_hostile_names_are_inert(pattern: Callable[..., Pattern]) -> None:
    """Names of entities, areas, the home and in sentences cannot add elements, turn the text, or grow without end."""
    entities = {one: Entity(one, HOSTILE, area="bad") for one in HOME.entities}
    home = Home("home", "Europe/Amsterdam", HOSTILE, 52.1, 5.1, areas={"bad": Area("bad", HOSTILE)}, entities=entities)
    history = history_of(home, 12)
    measures = {"minute": 400, "width": 5, "reference": "clock", "days": HOSTILE, "times": [400, 402]}
    found = (
        pattern("time_of_day", HOSTILE, ("light.kitchen=on",), measures={**measures, "dates": [FIRST.toordinal()] * 2}),
        pattern("co_occurrence", HOSTILE, ("light.kitchen=on", f"{HOSTILE}=on"), measures={"lag": 5}),
        pattern("sequence", HOSTILE, measures={"tokens": [HOSTILE, "light.hall=on"], "gaps": [3]}),
        pattern(
            "duration",
            HOSTILE,
            (f"light.hall={HOSTILE}",),
            measures={"median": 60, "lower": 50, "upper": 70, "longest": 90},
        ),
        pattern(HOSTILE, HOSTILE),
        pattern("room", HOSTILE, status=Status.FADING),
    )
    page = render(report_of(history, found))
    reader = _Reader(page)
    assert not {"script", "img"} & {tag for tag, _ in reader.elements}
    assert not {letter for letter in html.unescape(page) if unicodedata.category(letter) in ("Cf", "Cc")} - {"\n"}
    assert max(len(word) for word in re.sub(r"<style>.*</style>|<[^>]*>", " ", page, flags=re.DOTALL).split()) < 200
    for found_svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ET.fromstring(found_svg)


def test_home_without_days_says_so() -> None:
    """A home from which nothing was learned gets a page that says when there will be something."""
    page = render(report_of(History((), HOME), ()))
    assert "Nothing to show yet" in page
    assert "has not learned from any day yet" in page
    assert "Round the clock" not in page
    assert _Reader(page).open == []


def test_one_day_without_habits_shows_the_day() -> None:
    """After one day there is a week with one row, and a kind word instead of habits."""
    page = render(report_of(history_of(days=1), ()))
    assert "In 1 day Quotidian saw" in page
    assert "No habits yet" in page
    assert (
        "More days will bring more: from 3 days on times of day can be found, at the earliest; from 5 days on" in page
    )
    assert "Monday 06:30–07:00" in page
    assert "Tuesday 06:30–07:00" not in page
    assert "Not seen yet: Tuesdays, Wednesdays, Thursdays, Fridays, Saturdays, Sundays." in page


def test_short_history_is_told_what_more_days_bring(patterns: tuple[Pattern, ...], history: History) -> None:
    """After three weeks the page says what four and six weeks will show, and no more what is there already."""
    page = render(report_of(history, patterns))
    assert (
        "More days will bring more: from 28 days on habits of a single weekday can be told from chance; from 42" in page
    )


def test_days_of_automations_alone_show_no_empty_pictures() -> None:
    """Days on which people did nothing make no heat map of nothing, but a page all the same."""
    page = render(report_of(history_of(days=3, cause="automation"), ()))
    assert "In 3 days Quotidian saw" in page
    assert "<h2>The week</h2>" not in page
    assert "skyline" not in page.partition("</style>")[2]
    assert "No day has been learned" not in page


def test_home_without_areas_is_told_what_is_needed(history: History) -> None:
    """Where no entity has an area, the page says where to give one instead of an empty picture."""
    bare = msgspec.structs.replace(HOME, areas={}, entities={})
    page = render(report_of(history_of(bare, 3), ()))
    assert "give areas to your devices in Home Assistant" in page
    assert "give areas to your devices" not in render(report_of(history, ()))


def test_home_without_a_place_has_no_night() -> None:
    """Without latitude and longitude nothing is said of sunrise and sunset."""
    nowhere = msgspec.structs.replace(HOME, latitude=None, longitude=None)
    page = render(report_of(history_of(nowhere, 3), ()))
    assert "Sunrise" not in page
    assert '"night"' not in page


def test_simulated_home_is_said_to_be_one(history: History) -> None:
    """The ribbon is there for a demonstration, and only then."""
    assert "a simulated home" in render(report_of(history, (), demo=True))
    assert "a simulated home" not in render(report_of(history, ()))


def test_old_habits_are_folded_away(history: History, pattern: Callable[..., Pattern]) -> None:
    """Fading and retired habits stand under their own heading, folded, and nowhere else."""
    found = (pattern("room", "It fades", status=Status.FADING), pattern("room", "It went", status=Status.RETIRED))
    page = render(report_of(history, found))
    folded = " ".join(_Reader(page).folded)
    for sentence in ("It fades", "It went"):
        assert page.count(sentence) == 1
        assert sentence in folded
    assert "and no habit in them yet" in page


def test_long_lists_are_capped(history: History, pattern: Callable[..., Pattern]) -> None:
    """Of forty times of day 24 are drawn and sixteen folded away, and the page stays small."""
    ordinals = [FIRST.toordinal() + day for day in range(DAYS)]
    measures = {"minute": 405, "width": 6, "reference": "clock", "days": "all", "times": [405] * DAYS}
    found = tuple(
        pattern("time_of_day", f"Habit number {n}", ("light.kitchen=on",), measures={**measures, "dates": ordinals})
        for n in range(100, 140)
    )
    page = render(report_of(history, found))
    assert page.count('<article class="dial">') == 24
    folded = " ".join(_Reader(page).folded)
    assert sum(one.finding.sentence in folded for one in found) == 16
    assert len(page.encode()) < 300_000


def test_unknown_detectors_are_told(history: History, pattern: Callable[..., Pattern]) -> None:
    """A detector that the page has never heard of gets a chapter with sentence and evidence."""
    page = render(report_of(history, (pattern("moon_phase", "At full moon somebody bakes"),)))
    assert "<h2>Moon phase</h2>" in page
    assert "At full moon somebody bakes" in page
    assert "9 of 12 days" in page
    assert "70 % likely next time" in page


def test_measures_that_tell_no_picture_are_told_in_words(history: History, pattern: Callable[..., Pattern]) -> None:
    """A finding without the measures of its picture is not lost."""
    found = tuple(pattern(name, f"About {name}") for name in ("time_of_day", "co_occurrence", "sequence", "duration"))
    page = render(report_of(history, found))
    assert [one.finding.sentence for one in found if one.finding.sentence not in page] == []
