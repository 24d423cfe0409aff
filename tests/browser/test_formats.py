"""Readers find the same model under the SDK that they have."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.site import VENDOR_MODEL, Member, Site
from tests.browser.visitor import LANGS, THEMES, Lang, Theme, visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORMATS = ["OpenAI", "OpenAI Responses", "Anthropic", "Gemini", "DashScope"]
WAYS = {"en": "Call it with the SDK of", "zh": "可以使用以下 SDK 调用"}


@pytest.mark.parametrize("lang", LANGS)
async def test_an_endpoint_s_page_leads_to_the_same_model_in_other_formats(browser: Browser, site: Site, lang: Lang):
    async with visit(browser, site, lang=lang) as visitor:
        page = visitor.page
        await visitor.open(f"/docs/chat.completions/{VENDOR_MODEL}")
        ways = page.get_by_role("navigation", name=WAYS[lang])
        await expect(ways.get_by_role("listitem")).to_have_text(FORMATS)
        await expect(ways.get_by_role("link", name="OpenAI", exact=True)).to_have_attribute("aria-current", "page")

        await ways.get_by_role("link", name="Anthropic", exact=True).click()

        await expect(page.locator("main code").first).to_have_text("/v1/messages")
        await expect(ways.get_by_role("link", name="Anthropic", exact=True)).to_have_attribute("aria-current", "page")
        await expect(
            page.get_by_role("region", name="Code samples" if lang == "en" else "请求示例代码")
        ).to_contain_text(VENDOR_MODEL)
        await ways.get_by_role("link", name="Anthropic", exact=True).press("Shift+Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("main code").first).to_have_text("/v1/responses")


async def test_a_model_s_page_has_a_sample_of_each_format_that_works(browser: Browser, site: Site, member: Member):
    async with visit(browser, site, state=member.state) as visitor:
        page = visitor.page
        await visitor.open(f"/models/{VENDOR_MODEL}")
        choice = page.get_by_label(WAYS["en"])
        await expect(choice.locator("option")).to_have_text(FORMATS)
        paths = ["/v1/chat/completions", "/v1/responses", "/v1/messages", ":generateContent", "/text-generation/"]
        for format, path in zip(FORMATS, paths, strict=True):
            await choice.select_option(label=format)
            await expect(page.get_by_role("region", name="Code samples")).to_contain_text(path)
            bench = page.get_by_role("region", name="Try it")
            await bench.get_by_role("button", name="Open").click()
            await bench.get_by_role("button", name="Send").click()
            await expect(bench.get_by_text("200 OK")).to_be_visible()

        await visitor.open("/models/deepseek-v4-flash")
        await expect(choice.locator("option:checked")).to_have_text("DashScope")  # as chosen before


@pytest.mark.parametrize("theme", THEMES)
async def test_the_formats_of_a_page_have_no_serious_finding_and_fit(browser: Browser, site: Site, theme: Theme):
    async with visit(browser, site, theme=theme) as visitor:
        for path in (f"/docs/chat.completions/{VENDOR_MODEL}", f"/models/{VENDOR_MODEL}"):
            await visitor.resize(1440)
            await visitor.open(path)
            assert await visitor.violations() == [], path
            await visitor.resize(360)
            assert await visitor.overhang() == [], path
