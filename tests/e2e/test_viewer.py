"""The pages in a real browser: the index, an operation in the viewer, a request that is sent from it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from .conftest import Served

pytestmark = pytest.mark.slow
#: The viewer takes seconds where others use the processor too.
expect.set_options(timeout=30_000)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser(served: Served) -> Iterator[BrowserContext]:
    """One browser, so that the second test finds the viewer's script in its cache."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: Debian's package `chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_context(base_url=served.url)
        browser.close()


@dataclass
class Visit:
    """A page, and what went wrong on it."""

    page: Page
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


@pytest.fixture
def visit(browser: BrowserContext, served: Served) -> Iterator[Visit]:
    page = browser.new_page()
    visit = Visit(page)
    page.on("console", lambda message: visit.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    own = (served.url, "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(own) else visit.foreign.append(request.url))
    yield visit
    page.close()


def test_an_operation_is_found_opened_and_tried(visit: Visit, served: Served) -> None:
    page = visit.page
    page.goto("/")
    expect(
        page.get_by_role("navigation", name="Tags").get_by_role("link", name=re.compile("^clusters$", re.IGNORECASE))
    ).to_be_visible()
    page.get_by_role("searchbox").fill("list clusters")
    expect(page.get_by_role("link", name="Create a cluster")).to_be_hidden()
    page.get_by_role("link", name="List clusters").first.click()
    expect(page.get_by_role("heading", name="List clusters", exact=True)).to_be_visible()
    page.get_by_role("button", name="Test Request (get /api/v1/clusters)", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_placeholder("Token").fill(served.tokens["reader"])
    with page.expect_response(lambda response: response.url.startswith(f"{served.url}/api/v1/clusters")) as answer:
        dialog.get_by_role("button", name="Send").first.click()
    assert (answer.value.status, visit.errors, visit.foreign) == (200, [], [])


def test_a_token_that_was_entered_is_not_stored(visit: Visit, served: Served) -> None:
    page = visit.page
    page.goto("/docs?tag=clusters")
    page.get_by_placeholder("Token").first.fill(served.tokens["reader"])
    page.reload()
    expect(page.get_by_placeholder("Token").first).to_have_value("")
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert served.tokens["reader"] not in stored
