"""What an operator does on the pages: finds whose wallet it is and tops it up."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.site import Member, Site
from tests.browser.visitor import visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_wallet_is_found_by_the_name_of_its_org_and_topped_up(browser: Browser, site: Site, operator: Member):
    site.sign_up("Katherine Johnson")

    async with visit(browser, site, state=operator.state) as visitor:
        page = visitor.page
        await visitor.open("/admin/wallets")
        await page.get_by_role("searchbox").fill("katherine")
        row = page.get_by_role("row").filter(has_text="Katherine Johnson")
        await expect(page.locator("tbody tr")).to_have_count(1)
        await row.get_by_role("button", name="Top up").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Katherine Johnson")
        await dialog.get_by_label("Amount (¥)").fill("12.5")
        await dialog.get_by_role("button", name="Top up").click()

        await expect(row).to_contain_text("¥12.50")
