"""Try it on the pages of operations that are not chats."""

import re
from collections.abc import Generator

import pytest
from playwright.async_api import Browser, expect

from tests.browser.site import Member, Site, open_site
from tests.browser.visitor import visit
from tests.simulators.film_upstream import KEY, FilmSimulator
from tests.simulators.openai_upstream import ThreadedUpstream

FILM_MODEL = "wan-t2v"
_LATE_MS = 30_000  # the gateway looks at a film every other second

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """A site with a model that makes films."""
    with ThreadedUpstream(FilmSimulator("vllm", model=FILM_MODEL)) as upstream:
        more = (
            f'[[upstream]]\nname = "films"\nprovider = "vllm"\nbase_url = "{upstream.url}"\napi_key = "{KEY}"\n'
            f'models = ["{FILM_MODEL}"]\n'
        )
        with open_site(tmp_path_factory.mktemp("cinema"), more) as site:
            yield site


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


async def test_a_film_above_what_a_page_s_key_may_spend_is_allowed_then_followed_and_played(
    browser: Browser, cinema: Site
):
    member = cinema.sign_up()
    member.call("POST", f"/orgs/{member.org_id}/wallets/{member.wallet_id}/redeem", {"code": cinema.code("20")})

    async with visit(browser, cinema, state=member.state) as visitor:
        visitor.expected = ("402 (Payment Required)",)
        await visitor.open("/docs/api/videos.create")
        bench = visitor.page.get_by_role("region", name="Try it")
        await bench.get_by_role("button", name="Open").click()
        await bench.get_by_role("button", name="Send", exact=True).click()
        await expect(bench.get_by_text("402 Payment Required")).to_be_visible()
        await bench.get_by_role("button", name="Allow up to ¥10 and send again").click()

        await expect(bench.get_by_role("progressbar", name=re.compile(r"Running: \d+ %"))).to_be_visible(
            timeout=_LATE_MS
        )
        film = bench.locator("video")
        await expect(film).to_be_visible(timeout=_LATE_MS)
        await expect(film).to_have_js_property("videoWidth", 1280)
        await expect(film).to_have_js_property("duration", 5)
        await expect(bench.get_by_text("Cost ¥3")).to_be_visible()
        await expect(bench.get_by_role("progressbar")).to_be_hidden()


async def test_a_film_that_fails_says_why(browser: Browser, cinema: Site):
    member = cinema.sign_up()
    member.call("POST", f"/orgs/{member.org_id}/wallets/{member.wallet_id}/redeem", {"code": cinema.code("20")})

    async with visit(browser, cinema, state=member.state) as visitor:
        visitor.expected = ("402 (Payment Required)",)
        await visitor.open("/docs/api/videos.create")
        bench = visitor.page.get_by_role("region", name="Try it")
        await bench.get_by_role("button", name="Open").click()
        await bench.get_by_label("Body").fill(f'{{"model": "{FILM_MODEL}", "prompt": "FAIL"}}')
        await bench.get_by_role("button", name="Send").click()
        await bench.get_by_role("button", name="Allow up to ¥10 and send again").click()

        await expect(bench.get_by_text("Your request was blocked by our moderation system.")).to_be_visible(
            timeout=_LATE_MS
        )
        await expect(bench.locator("video")).to_be_hidden()
