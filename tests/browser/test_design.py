"""The page of all components: everything that opens is opened, in both themes and every width, and axe looks at it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.pages_in_development import pages_in_development
from tests.browser.site import Site
from tests.browser.visitor import THEMES, WIDTHS, Theme, Visitor, visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

Action = Callable[[Page], Awaitable[None]]


@pytest.fixture(scope="module")
def pages(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with pages_in_development(site.url, tmp_path_factory.mktemp("vite") / "vite.log") as url:
        yield url


@asynccontextmanager
async def design(browser: Browser, site: Site, pages: str, theme: Theme) -> AsyncGenerator[Visitor]:
    """Open the page of all components."""
    async with visit(browser, site, theme=theme) as visitor:
        visitor.expected = ("402 (Payment Required)",)
        await visitor.page.goto(f"{pages}/admin/design", timeout=60_000)
        await visitor.page.locator("main h1").first.wait_for(timeout=60_000)
        await expect(visitor.page.locator("main canvas")).to_have_count(2, timeout=30_000)
        yield visitor


def press(name: str, role: str) -> Action:
    """Return what presses a button and waits for what it opens."""

    async def act(page: Page) -> None:
        await page.locator("main").get_by_role("button", name=name, exact=True).click()
        await page.get_by_role(role).first.wait_for()  # pyright: ignore[reportArgumentType]  # a role by its name

    return act


async def _refused(page: Page) -> None:
    """A confirmation whose action fails says so and stays."""
    await page.locator("main").get_by_role("button", name="Confirm", exact=True).click()
    dialog = page.get_by_role("alertdialog")
    await dialog.get_by_role("button", name="Remove").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("req_0123456789")


async def _chip(page: Page) -> None:
    await page.locator("main").get_by_role("button", name="Vendor").click()
    await page.get_by_role("menuitemcheckbox").or_(page.get_by_role("checkbox", name="GLM")).first.wait_for()


async def _pointed(page: Page) -> None:
    """What a chart says of a bar is drawn on it, so only complaints can be looked for."""
    await page.get_by_role("img", name="Stacked").hover()


OPENED: dict[str, Action] = {
    "menu": press("Menu", "menu"),
    "dialog": press("Dialog", "dialog"),
    "drawer": press("Drawer", "dialog"),
    "confirm": press("Confirm", "alertdialog"),
    "refused": _refused,
    "secret": press("Secret", "dialog"),
    "filter": _chip,
    "tooltip": _pointed,
}


@pytest.mark.parametrize("theme", THEMES)
async def test_every_part_fits_and_has_no_serious_finding(browser: Browser, site: Site, pages: str, theme: Theme):
    async with design(browser, site, pages, theme) as visitor:
        for width in WIDTHS:
            await visitor.resize(width)
            assert await visitor.overhang() == [], f"{theme}, {width} px"
        assert await visitor.violations() == []


@pytest.mark.parametrize("theme", THEMES)
async def test_everything_that_opens_has_no_serious_finding(browser: Browser, site: Site, pages: str, theme: Theme):
    for name, act in OPENED.items():
        async with design(browser, site, pages, theme) as visitor:
            await act(visitor.page)
            assert await visitor.violations() == [], name


async def test_what_opens_takes_the_focus_and_gives_it_back(browser: Browser, site: Site, pages: str):
    async with design(browser, site, pages, "light") as visitor:
        page = visitor.page
        for name, role in (("Menu", "menu"), ("Dialog", "dialog"), ("Drawer", "dialog"), ("Confirm", "alertdialog")):
            button = page.locator("main").get_by_role("button", name=name, exact=True)
            await button.focus()
            await page.keyboard.press("Enter")
            opened = page.get_by_role(role)  # pyright: ignore[reportArgumentType]  # a role by its name
            await opened.wait_for()
            assert await opened.evaluate("(it) => it.contains(document.activeElement)"), name

            await page.keyboard.press("Escape")

            await expect(opened).to_have_count(0)
            await expect(button).to_be_focused()


async def test_a_theme_that_is_chosen_paints_the_charts_anew(browser: Browser, site: Site, pages: str):
    async with design(browser, site, pages, "light") as visitor:
        chart = visitor.page.get_by_role("img", name="Bars").locator("canvas")
        light = await chart.evaluate("(it) => it.toDataURL()")

        await visitor.page.emulate_media(color_scheme="dark")

        await expect(visitor.page.locator("body")).to_have_css("background-color", "rgb(16, 18, 20)")
        await visitor.page.wait_for_function(
            "(before) => document.querySelector('[aria-label=Bars] canvas').toDataURL() !== before", arg=light
        )
