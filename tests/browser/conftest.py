"""Fixtures: Chromium, and a live site with its own database, queue and worker."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from recommender.services import load_demo_catalogue
from tests.stories.workers import real_worker

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A machine that is busy with other things takes its time; nothing waits longer than it must.
PATIENCE_MS = 30_000


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; skip without one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium on this machine")
    # Playwright keeps an event loop in this thread, for which Django would refuse the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def site(live_server: Any, settings: Any) -> str:
    """The address of the live site, with tracks to suggest and a working sandbox."""
    url = str(live_server.url).replace("localhost", "127.0.0.1")
    settings.SITE_URL = url
    settings.SPOTIFY_ACCOUNTS_URL = f"{url}/sandbox/accounts"
    settings.SPOTIFY_API_URL = f"{url}/sandbox/api"
    load_demo_catalogue()
    return url


class Requests:
    """Counts the requests that the live server is answering."""

    def __init__(self) -> None:
        self.running, self.changed = 0, threading.Condition()

    def begin(self, **_: Any) -> None:
        with self.changed:
            self.running += 1

    def end(self, **_: Any) -> None:
        with self.changed:
            self.running -= 1
            self.changed.notify_all()

    def wait(self) -> None:
        """Wait until none is left: truncating tables that a request reads is a deadlock."""
        with self.changed:
            self.changed.wait_for(lambda: self.running <= 0, timeout=10)


@pytest.fixture
def requests() -> Iterator[Requests]:
    counted = Requests()
    request_started.connect(counted.begin)
    request_finished.connect(counted.end)
    yield counted
    request_started.disconnect(counted.begin)
    request_finished.disconnect(counted.end)


@pytest.fixture
def open_window(
    request: pytest.FixtureRequest, chromium: Browser, site: str, requests: Requests
) -> Iterator[Callable[..., Page]]:
    """Open a new window; console errors fail the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def opened(**options: Any) -> Page:
        context = chromium.new_context(base_url=site, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    requests.wait()
    if request.config.stash.get(real_worker.RUNNING, False):
        real_worker.wait_until_idle()
    assert complaints == []


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """The folder of screenshots, which outlives the run."""
    folder = Path(django_settings.BASE_DIR) / "var" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
