"""The page of a comparison in a real browser: it fits, its tabs work without a script, paper shows all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from dataengine.report.comparison import build
from tests.report.comparison.comparisons import ARMS, comparison

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = comparison((*ARMS, "a_miner_with_a_very_long_name_indeed", "all_labels"))
    return build(made, tmp_path_factory.mktemp("compare") / "page.html").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.mark.parametrize("width", [360, 1280])
def test_no_horizontal_scroll_no_request_no_error(browser: Any, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    requests: list[str] = []
    mistakes: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: mistakes.append(message.text))
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert mistakes == []
    page.close()


def test_a_tab_shows_its_cost_and_paper_shows_every_cost(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    seen = "[...document.querySelectorAll('.tabs:first-of-type .pane')].map(p => p.offsetHeight > 0)"
    first = page.locator(".tabs").first
    assert first.locator(".pane:visible").count() == 1
    assert "hours" in first.locator(".pane:visible text.name").first.text_content()
    first.locator("label", has_text="Boxes").click()
    assert first.locator(".pane:visible").count() == 1
    assert "boxes" in first.locator(".pane:visible text.name").first.text_content()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert all(page.evaluate(seen))
    page.close()
