"""The page in a real browser, with the network closed."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quotidian.report import ReportData, render

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="NOT TESTED: the report in a browser; install Debian's chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's chromium."""
    api = pytest.importorskip("playwright.sync_api", reason="NOT TESTED: the report in a browser; install playwright")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield opened
        opened.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_page_shows_its_pictures_and_asks_for_nothing(
    browser: Any, report: ReportData, tmp_path: Path, width: int, scheme: str
) -> None:
    """On a desk and on a phone: no request, no complaint, nothing sticks out, and every picture has a size."""
    file = tmp_path / "report.html"
    file.write_text(render(report), encoding="utf-8")
    asked: list[str] = []
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.set_offline(True)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for picture in (".skyline", ".week .cells", ".clock", ".strip svg", ".lag", ".length", ".rooms .cells", ".stratum"):
        box = page.locator(picture).first.bounding_box()
        assert box is not None, picture
        assert box["width"] > 60, picture
        assert box["height"] > 5, picture
    # Were the style sheet refused, cells would be black and text in the browser's own type.
    fill = "getComputedStyle(document.querySelector('.week .h6')).fill"
    assert page.evaluate(fill) == ("rgb(138, 54, 16)" if scheme == "light" else "rgb(255, 197, 147)")
    context.close()
