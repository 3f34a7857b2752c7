"""The page in a real browser: it loads nothing, fits a phone, opens everything in print."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from dataengine.workspace import Workspace

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_horizontal_scroll_no_request_no_error(
    browser: Any, finished: Workspace, html: str, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    requests: list[str] = []
    mistakes: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: mistakes.append(message.text))
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    address = finished.report_path.as_uri()
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert mistakes == []
    context.close()


def test_text_stands_out_from_its_ground(browser: Any, finished: Workspace, html: str) -> None:
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(finished.report_path.as_uri())
        for name in ("--ink", "--muted", "--link", "--warn"):
            assert contrast(colour(page, name), colour(page, "--paper")) >= 4.5, (scheme, name)
        for slot in range(7):
            assert contrast(colour(page, f"--s{slot}"), colour(page, "--paper")) >= 3.0, (scheme, slot)
        context.close()


def test_paper_shows_what_was_folded_away(browser: Any, finished: Workspace, html: str) -> None:
    page = browser.new_page()
    page.goto(finished.report_path.as_uri())
    assert page.evaluate("document.querySelectorAll('details[open]').length") == 0
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    page.close()


def colour(page: Any, name: str) -> tuple[float, ...]:
    """Linear red, green and blue in 0..1 of a custom property written as ``#rrggbb``."""
    text = page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('{name}').trim()")
    channels = [int(text[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    return tuple(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)


def contrast(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """Contrast ratio of two colours, 1..21 (WCAG 2.2, relative luminance)."""
    light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (first, second))
    return (light[1] + 0.05) / (light[0] + 0.05)
