"""Every action by keyboard: search, dialogs, menus, the way past the navigation."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.main_pages import People
from tests.browser.site import CHAT_MODEL, Site
from tests.browser.visitor import visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOCUS = "() => document.activeElement?.textContent?.trim() ?? ''"
FOCUS_INSIDE = "(selector) => document.querySelector(selector)?.contains(document.activeElement) ?? false"
OUTLINED = """() => {
    const style = getComputedStyle(document.activeElement);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
}"""


@pytest.mark.parametrize("shortcut", ["Control+k", "Meta+k"])
async def test_search_opens_is_walked_and_opened_by_keys(browser: Browser, site: Site, shortcut: str):
    async with visit(browser, site) as visitor:
        page = visitor.page
        await visitor.open("/models")

        await page.keyboard.press(shortcut)
        await expect(page.get_by_role("combobox")).to_be_focused()
        await page.keyboard.type(CHAT_MODEL)
        first = page.get_by_role("option").first
        await expect(first).to_have_attribute("aria-selected", "true")
        await page.keyboard.press("ArrowDown")
        await expect(first).to_have_attribute("aria-selected", "false")
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("Enter")

        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.locator("h1")).to_contain_text(CHAT_MODEL)


async def test_search_finds_in_chinese(browser: Browser, site: Site):
    async with visit(browser, site, lang="zh") as visitor:
        await visitor.open("/")

        await visitor.page.keyboard.press("Control+k")
        await expect(visitor.page.get_by_role("combobox")).to_be_focused()
        await visitor.page.keyboard.type("余额")

        await expect(visitor.page.get_by_role("option").first).to_be_visible()


async def test_a_dialog_keeps_the_focus_and_gives_it_back(browser: Browser, site: Site, people: People):
    async with visit(browser, site, state=people.member.state) as visitor:
        page = visitor.page
        await visitor.open("/console/keys")
        button = page.get_by_role("button", name="Create a key").first
        await button.focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("dialog").wait_for()

        for _ in range(40):
            await page.keyboard.press("Tab")
            assert await page.evaluate(FOCUS_INSIDE, "[role=dialog]")
        await page.keyboard.press("Escape")

        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(button).to_be_focused()


async def test_the_first_stop_leads_past_the_navigation(browser: Browser, site: Site):
    async with visit(browser, site) as visitor:
        page = visitor.page
        await visitor.open(f"/docs/chat.completions/{CHAT_MODEL}")

        await page.keyboard.press("Tab")
        assert await page.evaluate(FOCUS) == "Skip to content"
        await page.keyboard.press("Enter")

        assert await page.evaluate("() => document.activeElement?.id") == "content"


async def test_focus_is_always_seen(browser: Browser, site: Site, people: People):
    async with visit(browser, site, state=people.member.state) as visitor:
        for path in ("/", "/console/calls"):
            await visitor.open(path)
            for _ in range(15):
                await visitor.page.keyboard.press("Tab")
                assert await visitor.page.evaluate(OUTLINED), await visitor.page.evaluate(FOCUS)


async def test_language_and_theme_are_chosen_by_keys_and_remembered(browser: Browser, site: Site):
    async with visit(browser, site, lang="en", theme="light") as visitor:
        page = visitor.page
        await visitor.open("/")

        await choose(page, "Language", "中文")
        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        await choose(page, "外观", "深色")
        await page.reload()
        await visitor.at_rest()

        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def choose(page: Page, menu: str, choice: str) -> None:
    await page.get_by_role("button", name=menu).focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("menuitemradio", name=choice).focus()
    await page.keyboard.press("Enter")
