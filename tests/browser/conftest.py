"""One Chromium for all tests of the page; without one, they are left out and say so in a line."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.evidence.page import write_page
from tests.support.evidence_page_packs import bad_day, empty, good_day, hostile

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Dialog, Page

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
ATTACK = "<svg onload=alert(1)>\u202e\"'</script>&amp;\n" + "W" * 65_536
PACKS = ("good", "bad", "empty", "hostile")

Open = Callable[..., "Visit"]


class Visit:
    """A page that is open, with all that the browser said and asked for meanwhile."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        self.refused: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfailed", lambda request: self.refused.append(f"{request.failure}"))

    def _dismiss(self, dialog: Dialog) -> None:
        self.said.append(dialog.message)
        dialog.dismiss()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's headless Chromium, driven by Playwright; Playwright downloads none."""
    assert CHROMIUM is not None
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of each pack, as a file."""
    folder = tmp_path_factory.mktemp("pages")
    packs = {"good": good_day(), "bad": bad_day(), "empty": empty(), "hostile": hostile(ATTACK)}
    found = {}
    for name, whole in packs.items():
        pack = replace(whole, controls=whole.controls[::9])  # all are alike, and axe reads each
        found[name] = folder / name / "index.html"
        found[name].parent.mkdir()
        found[name].write_text(write_page(pack), encoding="utf-8")
    return found


@pytest.fixture
def visit(browser: Browser, pages: dict[str, Path]) -> Iterator[Open]:
    """Open the page of a pack in a fresh context: `visit("bad", width=320)`."""
    contexts = []

    def opened(name: str, *, width: int = 1280, **settings: Any) -> Visit:
        context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
        contexts.append(context)
        found = Visit(context.new_page())
        found.page.goto(pages[name].as_uri())
        return found

    yield opened
    for context in contexts:
        context.close()
