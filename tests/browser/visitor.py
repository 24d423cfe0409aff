"""A person at a browser: one page in a language, a theme and a width, and everything that its console complained of."""

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, ConsoleMessage, Page, StorageState, expect

from tests.browser.site import Site

Lang = Literal["zh", "en"]
Theme = Literal["light", "dark"]

LANGS: tuple[Lang, ...] = ("zh", "en")
THEMES: tuple[Theme, ...] = ("light", "dark")
WIDTHS = {360: 740, 768: 1024, 1440: 900}  # a small phone, a tablet, a desk
_LOCALES = {"zh": "zh-CN", "en": "en-GB"}
_SLOW_MS = 15_000  # two busy cores
_FRAMES = 30
_AXE = Path(__file__).parents[2] / "console" / "node_modules" / "axe-core" / "axe.min.js"
_SERIOUS = ("serious", "critical")

_SKELETON = ".animate-pulse"


class Visitor:
    """One page of one browser context. `complaints` are errors and warnings of its console, and uncaught errors."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ()
        page.set_default_timeout(_SLOW_MS)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def _note(self, message: ConsoleMessage) -> None:
        said = f"{message.type}: {message.text} ({message.location['url']})"
        if message.type in ("error", "warning") and not any(text in said for text in self.expected):
            self.complaints.append(said)

    async def open(self, path: str) -> None:
        """Go to an address of the site and wait until its page shows what it has to show."""
        await self.page.goto(self.site.url + path)
        await self.at_rest()

    async def at_rest(self) -> None:
        """Wait until the page has its heading and no skeleton is left."""
        await self.page.locator("main h1").first.wait_for()
        await expect(self.page.locator(_SKELETON)).to_have_count(0, timeout=_SLOW_MS)

    async def resize(self, width: int) -> None:
        await self.page.set_viewport_size({"width": width, "height": WIDTHS[width]})

    async def overhang(self) -> list[str]:
        """Return what makes the page scroll sideways once it is laid out; empty when nothing does."""
        found: list[str] = []
        for _ in range(_FRAMES):  # a chart follows its place a frame or two later
            found = await self.page.evaluate(_OVERHANG)
            if not found:
                break
            await self.page.evaluate("() => new Promise(requestAnimationFrame)")
        return found

    async def violations(self) -> list[str]:
        """Return the serious and critical findings of axe-core, each with the elements that it is about."""
        # The page's content security policy forbids script from elsewhere; an evaluated one comes from the debugger.
        if not await self.page.evaluate("() => 'axe' in window"):
            await self.page.evaluate(_axe())
        found: dict[str, Any] = await self.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']} ({one['impact']}): {json.dumps(node['html'])[:300]} {node['failureSummary']}"
            for one in found["violations"]
            if one["impact"] in _SERIOUS
            for node in one["nodes"]
        ]


# An element that reaches over the right edge and is not inside something that scrolls or clips by itself.
_OVERHANG = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const clipped = (element) => {
        for (let one = element.parentElement; one && one !== document.body; one = one.parentElement)
            if (getComputedStyle(one).overflowX !== "visible") return true;
        return false;
    };
    return [...document.body.querySelectorAll("*")]
        .filter((one) => one.getBoundingClientRect().right > width + 0.5 && !clipped(one))
        .slice(0, 8)
        .map((one) => `${one.tagName} ${one.className} ${Math.round(one.getBoundingClientRect().right)} > ${width}: `
            + (one.textContent ?? "").slice(0, 60));
}"""

_axe_source: list[str] = []


def _axe() -> str:
    if not _axe_source:
        assert _AXE.is_file(), "axe-core is missing: make setup"
        _axe_source.append(_AXE.read_text() + "; 0")
    return _axe_source[0]


@asynccontextmanager
async def visit(
    browser: Browser,
    site: Site,
    *,
    lang: Lang = "en",
    theme: Theme = "light",
    width: int = 1440,
    state: StorageState | None = None,
) -> AsyncGenerator[Visitor]:
    """Open a page in a browser context of its own. Complaints of its console that are not expected fail the test."""
    context = await browser.new_context(
        locale=_LOCALES[lang],
        timezone_id="Asia/Shanghai",
        color_scheme=theme,
        viewport={"width": width, "height": WIDTHS[width]},
        reduced_motion="reduce",
        storage_state=state,
    )
    try:
        visitor = Visitor(await context.new_page(), site)
        try:
            yield visitor
            assert not visitor.complaints, "\n".join(visitor.complaints)
        except BaseException as failure:
            failure.add_note(f"The page then: {await _picture(visitor.page)}")
            raise
    finally:
        await context.close()


async def _picture(page: Page) -> Path:
    path = Path(tempfile.mkdtemp(prefix="tokengate-page-")) / "page.png"
    await page.screenshot(path=path)
    return path


async def gather_all(*visits: Any) -> list[Any]:
    """Await several visits at once; every failure is told, not only the first."""
    done = await asyncio.gather(*visits, return_exceptions=True)
    failures = [one for one in done if isinstance(one, BaseException)]
    if failures:
        raise AssertionError("\n\n".join(f"{type(one).__name__}: {one}" for one in failures)) from failures[0]
    return done
