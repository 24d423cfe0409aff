"""What the owner of an org does with its projects: here, whether they keep what callers let us keep."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.site import Site
from tests.browser.visitor import visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_project_is_told_to_store_no_responses(browser: Browser, site: Site):
    owner = site.sign_up("Emmy Noether")

    async with visit(browser, site, state=owner.state) as visitor:
        page = visitor.page
        await visitor.open("/console/projects")
        row = page.locator("tbody tr").first
        await expect(row).to_contain_text("yes")
        await row.get_by_role("button", name="Change").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Stores responses").click()
        await dialog.get_by_role("button", name="Save").click()

        await expect(dialog).to_have_count(0)
        await expect(row).to_contain_text("no")
    (project,) = owner.call("GET", f"/orgs/{owner.org_id}/projects")["data"]
    assert project["stores_responses"] is False
