"""The system's Chromium, started the same way by the tests, the screenshots and the page timings."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = "Chromium is missing: make browser installs it as root, or install the package chromium"

# It talks to the gateway only: no look-ups of updates, models or accounts of its own.
_QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
)


def find_chromium() -> str | None:
    """Return where it is; None when it is not installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@asynccontextmanager
async def open_chromium() -> AsyncGenerator[Browser]:
    """Start it without a window. Raises RuntimeError with the package's name when it is missing."""
    path = find_chromium()
    if path is None:
        raise RuntimeError(MISSING)
    async with async_playwright() as playwright:
        # Containers and CI run as root, where Chromium's sandbox cannot; it opens pages of this project only.
        browser = await playwright.chromium.launch(executable_path=path, chromium_sandbox=False, args=_QUIET)
        try:
            yield browser
        finally:
            await browser.close()
