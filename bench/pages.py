"""How soon a reader sees a page: the gateway's in Chromium, beside a static page that nginx serves.

Each page is opened with an empty cache and then again. Without Chromium nothing is measured, and the report says so.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from statistics import median

from playwright.async_api import Browser, BrowserContext

from bench.results import PageTimes
from tests.browser.chromium import find_chromium, open_chromium

MISSING = "Chromium is missing (make browser), so pages were not measured"
STATIC = "static page (nginx)"
PATHS = {
    "home": "/",
    "models": "/models",
    "endpoint": "/docs/chat.completions/qwen-plus",
}

# Paint and load as the browser notes them; then when the page's own heading was there, which a script may bring.
_TIMES = """async () => {
    const heading = performance.now();
    const painted = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
    const loaded = () => performance.getEntriesByType("navigation")[0].loadEventEnd;
    while (!painted() || !loaded()) await new Promise(requestAnimationFrame);
    return [painted(), loaded(), heading];
}"""


def measure_pages(ours: str, static: str, rounds: int, say: Callable[[str], None]) -> dict[str, PageTimes]:
    """Return the medians of each page's times; empty without Chromium."""
    if find_chromium() is None:
        say(MISSING)
        return {}
    return asyncio.run(_measure(ours, static, rounds, say))


def static_page() -> str:
    """Return a page of about the size of an endpoint's text, with its styles inline and no script."""
    paragraph = "<p>Compatible with OpenAI: every model can be called with OpenAI's SDKs.</p>\n"
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Static</title><link rel=icon href=data:,>"
        f"<style>body{{font:16px system-ui;margin:2rem}}</style><main><h1>Static</h1>{paragraph * 200}</main></html>"
    )


def static_config(folder: Path, port: int) -> str:
    """Write the page and return the configuration of an nginx that serves it, compressed."""
    (folder / "index.html").write_text(static_page())
    return f"""
daemon off;
pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    gzip on;
    default_type text/html;
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


async def _measure(ours: str, static: str, rounds: int, say: Callable[[str], None]) -> dict[str, PageTimes]:
    found: dict[str, PageTimes] = {}
    async with open_chromium() as browser:
        for name, url in {STATIC: static, **{name: ours + path for name, path in PATHS.items()}}.items():
            first, again = await _rounds(browser, url, rounds)
            found[name] = PageTimes(*first, *again)
            say(f"page {name}: painted after {first[0]:.0f} ms, again after {again[0]:.0f} ms")
    return found


async def _rounds(browser: Browser, url: str, rounds: int) -> tuple[list[float], list[float]]:
    first: list[list[float]] = []
    again: list[list[float]] = []
    for _ in range(rounds):
        context = await browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
        first.append(await _open(context, url))
        again.append(await _open(context, url))
        await context.close()
    return [median(times) for times in zip(*first, strict=True)], [median(times) for times in zip(*again, strict=True)]


async def _open(context: BrowserContext, url: str) -> list[float]:
    page = await context.new_page()
    await page.goto(url)
    await page.locator("main h1").first.wait_for()
    times: list[float] = await page.evaluate(_TIMES)
    await page.close()
    return times
