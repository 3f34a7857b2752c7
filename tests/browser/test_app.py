"""The App in a real browser, headless: what a person sees when `dataengine app` opens it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dataengine import cockpit
from dataengine.cockpit import app, connection, service
from dataengine.workspace import Workspace
from tests.factory import tiny_workspace

pytestmark = [pytest.mark.browser, pytest.mark.mongo]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PICTURES = Path(os.environ.get("DATAENGINE_PICTURES", tempfile.gettempdir()))
"""Where a run leaves its screenshots, to be looked at."""
POPUPS = ("Accelerate your workflow", "Explore clusters in three dimensions", "allowing anonymous analytics")
WAIT_MS = 90_000


@pytest.fixture(scope="module")
def chromium() -> Path:
    found = os.environ.get("DATAENGINE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no chromium here; install it or set DATAENGINE_CHROMIUM")
    return Path(found)


@pytest.fixture(scope="module")
def address(mongo: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The App on a tiny workspace."""
    workspace: Workspace = tiny_workspace(tmp_path_factory.mktemp("browser") / "fleet")
    name = cockpit.sync(workspace, workspace.runs())
    port = service.free_port("127.0.0.1", 5600)
    with app.serving("127.0.0.1", port):
        yield app.page("127.0.0.1", port, name)
    connection.connect().delete_dataset(name)


@pytest.fixture
def page(chromium: Path) -> Iterator[Any]:
    """A page of a browser that was never here: nothing is stored, so every pop-up would show."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=FLAGS)
        opened = browser.new_page(viewport={"width": 1600, "height": 1000})
        opened.set_default_timeout(WAIT_MS)
        yield opened
        browser.close()


def cy(page: Any, name: str) -> Any:
    return page.locator(f'[data-cy="{name}"]')


def open_view(page: Any, address: str, name: str) -> None:
    """Open a saved view by its link, and wait for its tiles."""
    import fiftyone as fo

    root, dataset = address.partition("?")[0].rsplit("/", 1)
    slug = fo.core.utils.to_slug(name)
    assert fo.load_dataset(dataset).has_saved_view(name)
    page.goto(f"{root}/{dataset}?view={slug}")
    cy(page, "looker").first.wait_for()
    page.wait_for_timeout(1500)


def open_first(page: Any) -> None:
    """Open the first tile; forced, since the opening modal covers the tile while the click is checked."""
    cy(page, "looker").first.click(force=True)
    cy(page, "modal").wait_for()


def picture(page: Any, name: str) -> None:
    page.wait_for_timeout(1500)
    page.screenshot(path=PICTURES / f"dataengine-app-{name}.png")


def assert_clean(page: Any) -> None:
    for name in ("error-boundary", "looker-error-info", "btn-disable-cookies"):
        assert cy(page, name).count() == 0, name
    for text in POPUPS:
        assert not any(found.is_visible() for found in page.get_by_text(text).all()), text


def test_the_curation_workspace_opens_without_popups(page: Any, address: str) -> None:
    page.goto(address)
    cy(page, "looker").first.wait_for()
    page.get_by_text("frame_map").first.wait_for()
    cy(page, "histograms-container").wait_for()
    picture(page, "workspace")
    assert_clean(page)
    assert cy(page, "entry-counts").inner_text().startswith("64")
    for group in ("LABELS", "MINING", "ERRORS", "QUALITY", "TELEMETRY"):
        assert cy(page, f"sidebar-group-{group}").count() == 1, group
    assert cy(page, "sidebar-field-pick_class_balanced.reason").count() == 1


def test_a_sample_opens_with_its_reason(page: Any, address: str) -> None:
    open_view(page, address, "mined in cycle 1 (class_balanced)")
    open_first(page)
    cy(page, "modal-looker-container").wait_for()
    reason = cy(page, "sidebar-entry-pick_class_balanced.reason")
    reason.wait_for()
    picture(page, "sample")
    assert "predicted cyclist" in reason.inner_text()
    assert_clean(page)


def test_a_clip_plays_as_video(page: Any, address: str) -> None:
    open_view(page, address, "clips as video")
    assert cy(page, "entry-counts").inner_text().startswith("16")
    open_first(page)
    cy(page, "imavid-container").wait_for()
    picture(page, "clip")
    assert cy(page, "imavid-seekbar").count() == 1
    page.get_by_text("1 / 4").wait_for()
    assert_clean(page)


def test_frames_are_ready_to_be_corrected(page: Any, address: str) -> None:
    open_view(page, address, "labelled frames")
    open_first(page)
    cy(page, "annotate").click()
    page.get_by_text("ground_truth").first.wait_for()
    picture(page, "annotate")
    assert_clean(page)
