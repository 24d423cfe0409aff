"""axe-core looks at the main pages in both themes: no finding of it may be serious or critical."""

import pytest
from playwright.async_api import Browser

from tests.browser.main_pages import MAIN_PAGES, TYPICAL, MainPage, People, Who
from tests.browser.site import CHAT_MODEL, Site
from tests.browser.visitor import LANGS, THEMES, WIDTHS, Lang, Theme, Visitor, gather_all, visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_no_main_page_has_a_serious_finding(browser: Browser, site: Site, people: People):
    async def walk(who: Who) -> None:
        async with visit(browser, site, state=people.state_of(who)) as visitor:
            for page in (one for one in MAIN_PAGES if one.who == who):
                await visitor.open(people.path_of(page))
                assert await visitor.violations() == [], page.path
                # The themes are one set of names, so a few pages show the colours of all; the others: slow.
                if page in TYPICAL:
                    await looks_right(visitor, page)

    await gather_all(walk("visitor"), walk("member"), walk("operator"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("lang", LANGS)
async def test_no_main_page_in_any_language_theme_or_width_has_a_serious_finding(
    browser: Browser, site: Site, people: People, lang: Lang, width: int
):
    for page in MAIN_PAGES:
        async with visit(browser, site, lang=lang, width=width, state=people.state_of(page.who)) as visitor:
            await visitor.open(people.path_of(page))
            await looks_right(visitor, page)


@pytest.mark.parametrize("theme", THEMES)
async def test_dialogs_menus_and_the_drawer_have_no_serious_finding(
    browser: Browser, site: Site, people: People, theme: Theme
):
    async with visit(browser, site, theme=theme, state=people.member.state) as visitor:
        page = visitor.page
        await visitor.open("/console/keys")
        await page.get_by_role("button", name="Create a key").first.click()
        await page.get_by_role("dialog").wait_for()
        assert await visitor.violations() == []
        await page.keyboard.press("Escape")

        await page.get_by_role("button", name="Help").click()
        await page.get_by_role("menu").wait_for()
        assert await visitor.violations() == []
        await page.keyboard.press("Escape")

        await page.keyboard.press("Control+k")
        await page.get_by_role("combobox").fill("temperature")
        await page.get_by_role("option").first.wait_for()
        assert await visitor.violations() == []
        await page.keyboard.press("Escape")

        await visitor.open(f"/docs/chat.completions/{CHAT_MODEL}")
        await visitor.resize(360)
        await page.get_by_role("button", name="Menu").click()
        await page.get_by_role("dialog").wait_for()
        assert await visitor.violations() == []


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("page", TYPICAL, ids=[page.path for page in TYPICAL])
async def test_a_page_has_one_title_one_main_and_says_its_language(
    browser: Browser, site: Site, people: People, page: MainPage, lang: Lang
):
    async with visit(browser, site, lang=lang, state=people.state_of(page.who)) as visitor:
        await visitor.open(people.path_of(page))

        assert await visitor.page.locator("h1").count() == 1
        assert await visitor.page.locator("main").count() == 1
        assert await visitor.page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[lang]
        assert await visitor.page.title() != ""


async def looks_right(visitor: Visitor, page: MainPage) -> None:
    for theme in THEMES:
        await visitor.page.emulate_media(color_scheme=theme)
        assert await visitor.violations() == [], f"{page.path}, {theme}"
