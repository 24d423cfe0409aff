"""A developer's journey, with nothing but a browser: from the first visit to the bill of a paid, streamed call."""

import re
from decimal import Decimal

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.site import CHAT_MODEL, PASSWORD, Site
from tests.browser.visitor import visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_from_the_first_visit_to_the_bill_of_a_call(browser: Browser, site: Site):
    async with visit(browser, site) as visitor:
        page = visitor.page
        # The browser notes the refused call, and each time that its record is asked for before it is there.
        visitor.expected = ("402 (Payment Required)", f"{site.url}/v1/usage/")
        email = site.new_email()

        # The home page shows the way, with this gateway's own address.
        await visitor.open("/")
        await expect(page.locator("main")).to_contain_text(f"{site.url}/v1")
        await page.get_by_role("link", name="Get an API key").first.click()
        await page.get_by_role("link", name="Sign up").click()

        await page.get_by_label("Your name").fill("Grace Hopper")
        await page.get_by_label("E-mail").fill(email)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign up").click()

        # The key is shown once, in a dialog that stays until its reader says that it is kept.
        await page.get_by_label("Name", exact=True).fill("my first key")
        await page.get_by_role("button", name="Create a key").click()
        dialog = page.get_by_role("dialog")
        secret = await dialog.get_by_test_id("secret").inner_text()
        assert secret.startswith("sk-")
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_visible()
        await expect(dialog.get_by_role("button", name="Done")).to_be_disabled()
        await dialog.get_by_label("I have kept it safe").check()
        await dialog.get_by_role("button", name="Done").click()
        await expect(dialog).to_be_hidden()

        # A wallet without money: the call is refused, and the page says why.
        await try_it(page)
        await expect(page.get_by_role("region", name="Try it").get_by_text("402")).to_be_visible()

        await redeem(page, site.code("12.50"))
        await expect(page.locator("main")).to_contain_text("¥12.50")

        # Now the local model answers, piece by piece, and its cost is shown.
        await try_it(page)
        bench = page.get_by_role("region", name="Try it")
        await expect(bench.get_by_text("200 OK")).to_be_visible()
        await expect(bench.get_by_text("200 OK")).to_be_in_viewport()
        # A small model may go on for a while.
        await expect(bench.get_by_text(re.compile(r"Cost ¥0\.0"))).to_be_visible(timeout=60_000)
        shown = await bench.get_by_text(re.compile(r"Cost ¥")).inner_text()
        request_id = await bench.get_by_text(re.compile(r"^req_")).inner_text()
        await bench.get_by_role("tab", name="Body").click()
        assert (await bench.inner_text()).count("chat.completion.chunk") > 3

        # The same call among all calls, and its bill with the arithmetic.
        await page.get_by_role("link", name="Console").click()
        await page.get_by_role("link", name="Calls").click()
        await page.get_by_role("link", name=re.compile(r"\d\d:\d\d")).first.click()
        await visitor.at_rest()
        await expect(page.locator("main")).to_contain_text(request_id)
        main = await page.locator("main").inner_text()
        assert CHAT_MODEL in main
        assert shown.removeprefix("Cost ").strip() in main
        assert "worked out again: it agrees" in main

    # What the page showed is what the ledger says.
    member = site.sign_in(email, PASSWORD)
    call = member.call("GET", f"/orgs/{member.org_id}/calls/{request_id}")
    assert Decimal(call["call"]["cost_yuan"]) == amount(shown)
    wallet = member.call("GET", f"/orgs/{member.org_id}/wallets/{member.wallet_id}")
    assert Decimal(wallet["balance_yuan"]) == Decimal("12.50") - amount(shown)


async def try_it(page: Page) -> None:
    """Send the streamed example of the local model's page."""
    await page.goto(re.sub(r"(https?://[^/]+).*", rf"\1/docs/chat.completions/{CHAT_MODEL}", page.url))
    await page.get_by_label("Example", exact=True).select_option(label="Streaming")
    bench = page.get_by_role("region", name="Try it")
    await bench.get_by_role("button", name="Open").click()
    await bench.get_by_role("button", name="Send").click()


async def redeem(page: Page, code: str) -> None:
    await page.goto(re.sub(r"(https?://[^/]+).*", r"\1/apikey-recharge", page.url))
    await page.get_by_label("Redemption code").fill(code.lower())
    await page.get_by_role("button", name="Redeem").click()


def amount(text: str) -> Decimal:
    return Decimal(text.rpartition("¥")[2].replace(",", ""))
