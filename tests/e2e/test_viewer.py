"""The pages in a real browser: the index, an operation in the viewer, a request that is sent from it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from .conftest import Served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
#: Milliseconds. The viewer computes for four seconds, which took two minutes on a machine with ten times its load.
DEADLINE = 120_000
expect.set_options(timeout=DEADLINE)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser(served: Served) -> Iterator[BrowserContext]:
    """One browser, so that the second test finds the viewer's script in its cache."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium: Debian's package `chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(base_url=served.url)
        context.set_default_timeout(DEADLINE)
        yield context
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
        page.get_by_role("navigation", name="Tags").get_by_role("link", name=re.compile("^platforms$", re.IGNORECASE))
    ).to_be_visible()
    page.get_by_role("searchbox").fill("list platforms")
    expect(page.get_by_role("link", name="Create a cluster")).to_be_hidden()
    page.get_by_role("link", name="List platforms").first.click()
    expect(page.get_by_role("heading", name="List platforms", exact=True)).to_be_visible()
    page.get_by_role("button", name="Test Request (get /api/v1/platforms)", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_placeholder("Token").fill(served.tokens["reader"])
    with page.expect_response(lambda response: response.url.startswith(f"{served.url}/api/v1/platforms")) as answer:
        dialog.get_by_role("button", name="Send").first.click()
    assert (answer.value.status, visit.errors, visit.foreign) == (200, [], [])


def test_a_token_that_was_entered_is_not_stored(visit: Visit, served: Served) -> None:
    page = visit.page
    page.goto("/docs?tag=platforms")
    page.get_by_placeholder("Token").first.fill(served.tokens["reader"])
    page.reload()
    expect(page.get_by_placeholder("Token").first).to_have_value("")
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert served.tokens["reader"] not in stored
