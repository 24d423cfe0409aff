"""What pages say of prices, and tables on a small phone."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.main_pages import People
from tests.browser.site import VENDOR_MODEL, Site
from tests.browser.visitor import visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILM_MODEL = "wan-t2v"

# What is in several lines although it has no space or mark at which it could be broken.
_STACKED = r"""() => [...document.querySelectorAll("td")].flatMap((cell) => {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    const stacked = [];
    while (texts.nextNode()) {
        const words = texts.currentNode.data.trim();
        const range = document.createRange();
        range.selectNodeContents(texts.currentNode);
        const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
        if (/^[\u4e00-\u9fff]+$/.test(words) && lines.size > 1) stacked.push(words);
    }
    return stacked;
})"""


async def test_a_film_is_priced_by_the_second_and_nowhere_by_tokens(browser: Browser, site: Site):
    async with visit(browser, site) as visitor:
        page = visitor.page
        await visitor.open(f"/models/{FILM_MODEL}")
        main = page.locator("main")
        await expect(main.locator("dl").first).to_contain_text("¥0.6 per second ⁺", ignore_case=True)
        await expect(main.get_by_role("columnheader", name="Price").first).to_be_visible()
        await expect(main.get_by_text("tokens")).to_have_count(0)

        await visitor.open(f"/models?q={FILM_MODEL}")
        await expect(main.get_by_role("row").filter(has_text=FILM_MODEL).first).to_contain_text(
            "¥0.6 per second ⁺", ignore_case=True
        )

        await visitor.open("/")
        await expect(main.get_by_role("link").filter(has_text="Wan").first).to_contain_text(
            "¥0.6per second", ignore_case=True
        )


async def test_a_chat_model_is_priced_by_tokens(browser: Browser, site: Site):
    async with visit(browser, site) as visitor:
        await visitor.open(f"/models/{VENDOR_MODEL}")
        main = visitor.page.locator("main")
        await expect(main.get_by_role("columnheader", name="Per 1k tokens")).to_be_visible()
        await expect(main.locator("dl").first).to_contain_text("Price per 1,000 tokens in¥0.0025")


async def test_no_table_stacks_chinese_words_on_a_phone(browser: Browser, site: Site, people: People):
    async with visit(browser, site, lang="zh", width=360, state=people.member.state) as visitor:
        for path in ("/console/wallet", "/console/keys", "/console/projects", "/console/audit", "/console/calls"):
            await visitor.open(path)
            assert await visitor.page.evaluate(_STACKED) == [], path
            assert await visitor.overhang() == [], path


async def test_the_open_page_is_seen_in_the_navigation_of_a_phone(browser: Browser, site: Site, people: People):
    async with visit(browser, site, width=360, state=people.member.state) as visitor:
        await visitor.open("/console/settings")

        open_item = visitor.page.get_by_role("navigation").get_by_role("link", name="Organisation")

        await expect(open_item).to_be_in_viewport(ratio=0.9)
