"""Every entry of the documentation tree opens in both languages, with its title and without a complaint."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from playwright.async_api import Browser, expect

from tests.browser.site import Site
from tests.browser.visitor import LANGS, Lang, Visitor, gather_all, visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT_ONCE = 2


class Entry(NamedTuple):
    """A leaf of the tree: the folders that it is in, its own title, and its page's title."""

    folders: tuple[str, ...]
    title: str
    slug: str


def entries(nodes: list[dict[str, Any]], folders: tuple[str, ...] = ()) -> Iterator[Entry]:
    for node in nodes:
        if node["children"]:
            yield from entries(node["children"], (*folders, node["title"]))
        elif node["slug"] is not None:
            yield Entry(folders, node["title"], node["slug"])


@pytest.mark.parametrize("lang", LANGS)
async def test_every_entry_of_the_tree_opens(browser: Browser, site: Site, lang: Lang):
    found = list(entries(site.get(f"/console/api/portal/tree?lang={lang}")["data"]))
    assert len(found) > 60

    async def walk(part: list[Entry]) -> None:
        async with visit(browser, site, lang=lang) as visitor:
            await visitor.open("/docs")
            await unfold(visitor)
            for entry in part:
                await follow(visitor, entry, lang)

    await gather_all(*(walk(found[number::AT_ONCE]) for number in range(AT_ONCE)))


@pytest.mark.parametrize("lang", LANGS)
async def test_every_page_of_the_guides_opens(browser: Browser, site: Site, lang: Lang):
    """Guides that are not in the tree are reached by links and by search."""
    llms = site.text("/llms.txt")
    slugs = sorted(set(re.findall(r"/docs/(guide/[\w-]+)\.md", llms)))
    assert len(slugs) > 5

    async with visit(browser, site, lang=lang) as visitor:
        for slug in slugs:
            await visitor.open(f"/docs/{slug}")
            assert visitor.complaints == [], slug
            assert await visitor.overhang() == [], slug


async def unfold(visitor: Visitor) -> None:
    """Open every folder of the tree beside the page."""
    closed = visitor.page.locator("aside button[aria-expanded=false]")
    while await closed.count():
        await closed.first.click()


async def follow(visitor: Visitor, entry: Entry, lang: Lang) -> None:
    """Click the entry in the tree, and see its page."""
    page = visitor.page
    await page.locator(f'aside a[href="/docs/{entry.slug}"]').click()
    await expect(page).to_have_url(f"{visitor.site.url}/docs/{entry.slug}")
    wanted = visitor.site.get(f"/console/api/portal/pages/{entry.slug}?lang={lang}")["title"]
    await expect(page.locator("main h1")).to_contain_text(wanted)
    await expect(page).to_have_title(f"{wanted} · TokenGate")
    for folder in entry.folders:
        await expect(page.locator("main nav ol").first).to_contain_text(folder)
    assert visitor.complaints == [], entry.slug
