"""What an operator does with AI applications on the pages, and what readers see of them."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.site import VENDOR_MODEL, Member, Site
from tests.browser.visitor import LANGS, THEMES, Lang, Theme, visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_application_is_published_tried_changed_and_deleted(
    browser: Browser, site: Site, operator: Member, member: Member
):
    async with visit(browser, site, state=operator.state) as visitor:
        page = visitor.page
        await visitor.open("/admin/apps")
        await page.get_by_role("button", name="Publish an application").first.click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name", exact=True).fill("city-guide")
        await dialog.get_by_label("Model", exact=True).fill(VENDOR_MODEL)
        await dialog.get_by_label("Prompt").fill("You show people around.")
        await dialog.get_by_text("Names and descriptions").click()
        await dialog.get_by_label("Display name (English)").fill("City guide")
        await dialog.get_by_label("Fixed parameters").fill('{"temperature": 0.2}')
        await dialog.get_by_role("button", name="Publish an application").click()

        row = page.get_by_role("row").filter(has_text="app/city-guide")
        await expect(row).to_contain_text("Released")
        await expect(row).to_contain_text("City guide")

        answer = site.ask(member.create_key("guided"), "app/city-guide")
        assert (answer.status_code, answer.json()["model"]) == (200, "app/city-guide")

        await row.get_by_role("button", name="More").click()
        await page.get_by_role("menuitem", name="Change").click()
        await expect(dialog.get_by_label("Prompt")).to_have_value("You show people around.")
        await dialog.get_by_label("Price").select_option("own")
        await dialog.get_by_label("Input (¥").fill("5")
        await dialog.get_by_label("Output (¥").fill("5")
        visitor.expected = ("409 (Conflict)",)
        await dialog.get_by_role("button", name="Save").click()
        await dialog.get_by_label("The price may move more than tenfold").check()
        await dialog.get_by_role("button", name="Save").click()
        await expect(row).to_contain_text("¥5 / ¥5")

        await row.get_by_role("button", name="More").click()
        await page.get_by_role("menuitem", name="Turn off").click()
        await page.get_by_role("alertdialog").get_by_role("button", name="Turn off").click()
        await expect(row).to_contain_text("Turned off")
        await row.get_by_role("button", name="More").click()
        await page.get_by_role("menuitem", name="Turn on").click()
        await expect(row).to_contain_text("Released")

        await row.get_by_role("link", name="Try it").click()
        await visitor.at_rest()
        await expect(page.locator("main")).to_contain_text("app/city-guide")

        await visitor.open("/admin/apps")
        await row.get_by_role("button", name="More").click()
        await page.get_by_role("menuitem", name="Delete").click()
        await page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
        await expect(row).to_have_count(0)


async def test_a_form_says_what_is_wrong_before_and_after_it_is_sent(browser: Browser, site: Site, operator: Member):
    async with visit(browser, site, state=operator.state) as visitor:
        visitor.expected = ("400 (Bad Request)",)
        page = visitor.page
        await visitor.open("/admin/apps")
        await page.get_by_role("button", name="Publish an application").first.click()
        dialog = page.get_by_role("dialog")
        send = dialog.get_by_role("button", name="Publish an application")
        await dialog.get_by_label("Name", exact=True).fill("City guide")
        await expect(dialog.get_by_text("at most 64")).to_be_visible()
        await dialog.get_by_label("Name", exact=True).fill("city-guide")
        await dialog.get_by_label("Fixed parameters").fill("temperature 0.2")
        await expect(dialog.get_by_text("This is not a JSON object")).to_be_visible()
        await expect(send).to_be_disabled()
        await dialog.get_by_label("Fixed parameters").fill("")

        await dialog.get_by_label("Model", exact=True).fill("nobody")
        await send.click()

        await expect(dialog.get_by_label("Model", exact=True)).to_have_attribute("aria-invalid", "true")
        await expect(dialog.get_by_role("alert").first).to_contain_text("nobody")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("lang", LANGS)
async def test_the_form_has_no_serious_finding_and_fits(
    browser: Browser, site: Site, operator: Member, lang: Lang, theme: Theme
):
    create = {"en": "Publish an application", "zh": "发布应用"}[lang]
    async with visit(browser, site, lang=lang, theme=theme, state=operator.state) as visitor:
        await visitor.open("/admin/apps")
        await visitor.page.get_by_role("button", name=create).first.click()
        dialog = visitor.page.get_by_role("dialog")
        await dialog.locator("summary").click()
        await dialog.locator("select").nth(0).select_option("some")
        await dialog.locator("select").nth(1).select_option("own")

        assert await visitor.violations() == []
        await visitor.resize(360)
        assert await visitor.overhang() == []


@pytest.mark.parametrize(("lang", "name"), [("en", "Phrase book"), ("zh", "会话手册")])
async def test_readers_find_an_application_in_their_language(browser: Browser, site: Site, lang: Lang, name: str):
    app = {"name": f"phrases-{lang}", "model": VENDOR_MODEL, "title": {"zh": "会话手册", "en": "Phrase book"}}
    site.operate("POST", "/admin/apps", app)
    try:
        async with visit(browser, site, lang=lang) as visitor:
            await visitor.open(f"/models?q=phrases-{lang}")
            await expect(visitor.page.locator("main")).to_contain_text(name)

            await visitor.open(f"/models/app/phrases-{lang}")
            await expect(visitor.page.locator("h1")).to_contain_text(name)
    finally:
        site.operate("DELETE", f"/admin/apps/phrases-{lang}")
