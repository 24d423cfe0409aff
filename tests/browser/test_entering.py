"""Ways in besides signing up: an invitation, the organisation's own sign-on, a portal for members only."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.main_pages import People
from tests.browser.site import PASSWORD, Site
from tests.browser.visitor import visit
from tests.simulators.oidc_provider import OidcProvider

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_member_invites_somebody_who_joins(browser: Browser, site: Site, people: People):
    email = site.new_email()
    async with visit(browser, site, state=people.member.state) as visitor:
        page = visitor.page
        await visitor.open("/console/members")
        await page.get_by_role("button", name="Invite").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("E-mail").fill(email)
        await dialog.get_by_label("Role").select_option(label="Viewer")
        await dialog.get_by_role("button", name="Invite").click()
        link = await page.get_by_test_id("secret").inner_text()

    async with visit(browser, site) as visitor:
        page = visitor.page
        await page.goto(link)
        await expect(page.locator("main")).to_contain_text("Viewer")
        await page.get_by_label("Your name").fill("Barbara")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign up").click()

        # A viewer sees the inviter's keys and may not make any.
        await expect(page.locator("main")).to_contain_text("support bot, production")
        await expect(page.get_by_role("button", name="Create a key")).to_have_count(0)


async def test_the_organisations_own_sign_on_leads_back_to_where_one_was(
    browser: Browser, site: Site, provider: OidcProvider
):
    async with visit(browser, site) as visitor:
        page = visitor.page
        await visitor.open("/sign-in?next=%2Fconsole%2Fusage")
        await page.get_by_role("link", name="Continue with Company").click()
        await page.get_by_role("link", name="Yes, it is me").click()

        await expect(page).to_have_url(f"{site.url}/console/usage")
        await page.get_by_role("button", name="Account").click()
        await expect(page.get_by_role("menu")).to_contain_text("ann@a.example")


async def test_a_sign_on_that_fails_says_why(browser: Browser, site: Site, provider: OidcProvider):
    provider.person = {"sub": "2", "email": "eve@a.example", "email_verified": False}
    async with visit(browser, site) as visitor:
        page = visitor.page
        await visitor.open("/sign-in")
        await page.get_by_role("link", name="Continue with Company").click()
        await page.get_by_role("link", name="Yes, it is me").click()

        await expect(page.get_by_role("alert")).to_contain_text("has not verified")


async def test_a_wrong_password_is_told_in_the_readers_language(browser: Browser, site: Site):
    async with visit(browser, site, lang="zh") as visitor:
        visitor.expected = ("401 (Unauthorized)",)
        page = visitor.page
        await visitor.open("/sign-in")
        await page.locator("[name=email]").fill("nobody@example.com")
        await page.locator("[name=password]").fill("not the password")
        await page.keyboard.press("Enter")

        await expect(page.get_by_role("alert")).to_contain_text("密码")


async def test_a_portal_for_members_sends_others_to_sign_in_and_back(browser: Browser, site: Site, people: People):
    site.operate("PATCH", "/admin/settings", {"portal_public": False})
    try:
        async with visit(browser, site) as visitor:
            visitor.expected = ("401 (Unauthorized)",)
            page = visitor.page
            await page.goto(f"{site.url}/prices")
            await expect(page).to_have_url(f"{site.url}/sign-in?next=%2Fprices")
            await page.get_by_label("E-mail").fill(people.member.email)
            await page.get_by_label("Password").fill(PASSWORD)
            await page.get_by_role("button", name="Sign in").click()

            await expect(page).to_have_url(f"{site.url}/prices")
            await visitor.at_rest()
            await expect(page.locator("main")).to_contain_text("¥")
    finally:
        site.operate("PATCH", "/admin/settings", {"portal_public": True})
