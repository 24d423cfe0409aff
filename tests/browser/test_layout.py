"""Every main page in both languages, both themes and three widths: nothing complains, nothing scrolls sideways."""

import pytest
from playwright.async_api import Browser

from tests.browser.main_pages import MAIN_PAGES, TYPICAL, MainPage, People, Who
from tests.browser.site import Site
from tests.browser.visitor import LANGS, THEMES, WIDTHS, Lang, Theme, Visitor, gather_all, visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("lang", LANGS)
async def test_no_main_page_complains_or_scrolls_sideways(browser: Browser, site: Site, people: People, lang: Lang):
    """English words are the longer ones, so it is looked at everywhere; the slow tests do that in Chinese, too."""

    async def walk(who: Who) -> None:
        async with visit(browser, site, lang=lang, state=people.state_of(who)) as visitor:
            for page in (one for one in (MAIN_PAGES if lang == "en" else TYPICAL) if one.who == who):
                await visitor.open(people.path_of(page))
                await fits(visitor, page, lang)

    await gather_all(walk("visitor"), walk("member"), walk("operator"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("lang", LANGS)
async def test_every_main_page_may_be_opened_first(
    browser: Browser, site: Site, people: People, lang: Lang, theme: Theme, width: int
):
    for page in MAIN_PAGES:
        state = people.state_of(page.who)
        async with visit(browser, site, lang=lang, theme=theme, width=width, state=state) as visitor:
            await visitor.open(people.path_of(page))

            assert await visitor.overhang() == [], f"{page.path} in {lang}, {theme}, {width} px"


async def test_an_address_that_is_mistyped_is_a_page_with_a_way_out(browser: Browser, site: Site):
    async with visit(browser, site, lang="zh", width=360) as visitor:
        visitor.expected = ("404 (Not Found)",)

        await visitor.open("/modles/qwen")

        assert await visitor.overhang() == []
        await visitor.page.locator("main").get_by_role("link").first.click()
        await visitor.at_rest()
        assert visitor.complaints == []


async def fits(visitor: Visitor, page: MainPage, lang: Lang) -> None:
    """Look at the open page in both themes and every width."""
    for theme in THEMES:
        await visitor.page.emulate_media(color_scheme=theme)
        for width in WIDTHS:
            await visitor.resize(width)
            assert await visitor.overhang() == [], f"{page.path} in {lang}, {theme}, {width} px"
    assert visitor.complaints == [], page.path
