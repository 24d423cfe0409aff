"""What somebody who keeps the books takes from the wallet's page."""

import csv
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.site import Member, Site
from tests.browser.visitor import LANGS, Lang, visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("lang", LANGS)
async def test_the_journal_is_downloaded_as_a_file(
    browser: Browser, site: Site, member: Member, lang: Lang, tmp_path: Path
):
    journal = f"/orgs/{member.org_id}/wallets/{member.wallet_id}/journal"
    async with visit(browser, site, lang=lang, width=360, state=member.state) as visitor:
        page = visitor.page
        await visitor.open("/console/wallet")
        async with page.expect_download() as download:
            await page.get_by_role("link", name="CSV").click()
        file = await download.value
        await file.save_as(tmp_path / "journal.csv")

        head, *rows = csv.reader((tmp_path / "journal.csv").read_text().splitlines())
        ids = [row[head.index("id")] for row in rows]
        assert file.suggested_filename == "journal.csv"
        assert ids == [entry["id"] for entry in member.call("GET", f"{journal}?limit=200")["data"]]
        assert await visitor.overhang() == []
