"""The page in a real browser."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.report.test_browser import FLAGS

from quotidian.model import Home

from .pipeline import Pipeline, event, serving

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="NOT TESTED: the admin page in a browser; install Debian's chromium"),
]

HOSTILE = "<img src=x onerror=alert(1)><script>document.title='taken'</script>"


async def _looked_at(page: Any, url: str, complaints: list[str], asked: list[str]) -> None:
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    await page.goto(url)


def test_hostile_names_are_inert_and_the_page_renews_itself(tmp_path: Path) -> None:
    """On a phone in the dark: no script but ours runs, nothing from elsewhere is asked for, news come by themselves."""
    api = pytest.importorskip("playwright.async_api", reason="NOT TESTED: install playwright")
    pipeline = Pipeline()
    events = pipeline.answers["store"]["/api/v1/events"]["events"]
    events.append(event(f"light.{HOSTILE}", HOSTILE))
    pipeline.answers["store"]["/api/v1/home"] = Home("home", "UTC", name=HOSTILE)

    async def run() -> None:
        complaints: list[str] = []
        asked: list[str] = []
        async with serving(tmp_path, pipeline) as (url, _), api.async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
            page = await browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
            await page.clock.install()
            await _looked_at(page, url, complaints, asked)
            assert await page.locator("img").count() == 0
            assert "taken" not in (await page.title()).split("·")[-1]
            assert HOSTILE[:20] in await page.locator("h1").inner_text()
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390
            assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 28)"
            events.insert(0, event("light.hall", "brand new"))
            await page.clock.run_for(6_000)
            await page.get_by_text("brand new").wait_for()
            await browser.close()
        assert complaints == []
        assert all(one.startswith((url, "data:")) for one in asked)

    asyncio.run(run())


def test_a_person_logs_in(tmp_path: Path) -> None:
    """Where others can reach it, the browser is led to the login, let in with a token, and let out again."""
    api = pytest.importorskip("playwright.async_api", reason="NOT TESTED: install playwright")

    async def run() -> None:
        complaints: list[str] = []
        admin = serving(tmp_path, Pipeline(), QUOTIDIAN_HOST="0.0.0.0")
        async with admin as (url, app), api.async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
            page = await browser.new_page()
            await _looked_at(page, url, complaints, [])
            await page.get_by_label("Token").fill(app.state.access.give("desk"))
            await page.get_by_role("button", name="Log in").click()
            await page.get_by_role("heading", name="Willow Lane 8").wait_for()
            assert await page.evaluate("document.cookie") == ""
            await page.get_by_role("button", name="Log out").click()
            await page.get_by_role("heading", name="Who is there?").wait_for()
            await browser.close()
        assert complaints == []

    asyncio.run(run())
