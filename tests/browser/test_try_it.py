"""Try it on the pages of operations that are not chats."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.site import Member, Site
from tests.browser.visitor import visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("operation", ["models.list", "balance", "quote"])
async def test_what_costs_nothing_waits_for_no_bill(browser: Browser, site: Site, member: Member, operation: str):
    """The browser would note each vain question for a bill as an error."""
    async with visit(browser, site, state=member.state) as visitor:
        await visitor.open(f"/docs/api/{operation}")
        bench = visitor.page.get_by_role("region", name="Try it")
        await bench.get_by_role("button", name="Open").click()
        await bench.get_by_role("button", name="Send").click()

        await expect(bench.get_by_text("200 OK")).to_be_in_viewport()
        await expect(bench.get_by_text("waiting for the bill")).to_be_hidden()
        await expect(bench.get_by_role("button", name="Send")).to_be_enabled()
        await expect(bench).not_to_contain_text("Cost ¥")
