"""The operators' page of the upstreams: what it shows of a running gateway, and of troubles that are made up."""

import json
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.site import VENDOR_MODEL, VENDOR_MODELS, Member, Site
from tests.browser.visitor import LANGS, THEMES, Lang, Theme, visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

WELL: dict[str, Any] = {
    "state": "closed",
    "failures": 0,
    "open_until_ms": None,
    "last_failure": "",
    "answered": 1200,
    "failed": 1,
}
OPEN: dict[str, Any] = {
    "state": "open",
    "failures": 5,
    "open_until_ms": 1_795_000_000_000,
    "last_failure": "limited",
    "answered": 34,
    "failed": 7,
}
NAMES = ("vendor/a-model-with-a-long-name-of-its-own", "m2", "m3", "m4", "m5")
TROUBLED: list[dict[str, Any]] = [
    {
        "name": "main",
        "provider": "openai_compatible",
        "address": "https://a-rather-long-host-name.of-a-vendor.example:8443/compatible-mode/v1",
        "engine": None,
        "in_flight": 12,
        "models": [{"model": NAMES[0], **OPEN}, *({"model": name, **WELL} for name in NAMES[1:])],
    },
    {
        "name": "refused",
        "provider": "openai",
        "address": "https://api.openai.com/v1",
        "engine": None,
        "in_flight": 0,
        "models": [{"model": "gpt", **OPEN, "state": "disabled", "failures": 0, "last_failure": "quota"}],
    },
    {
        "name": "local",
        "provider": "local",
        "address": "",
        "engine": "missing",
        "in_flight": 0,
        "models": [{"model": "joe", **WELL, "answered": 0, "failed": 0}],
    },
]


async def answers(page: Page, rows: list[dict[str, Any]], status: int = 200) -> None:
    """Answer the page's question with these rows, or with an error."""
    error = {"error": {"message": "Broken.", "code": "defect", "param": None, "request_id": "req_1"}}
    body = json.dumps({"data": rows, "next": None} if status == 200 else error)

    async def answer(route: Route) -> None:
        await route.fulfill(status=status, content_type="application/json", body=body)

    await page.route("**/console/api/admin/upstreams", answer)


async def test_an_upstream_is_followed_while_calls_go_through_it(
    browser: Browser, site: Site, operator: Member, member: Member
):
    key = member.create_key("followed")
    async with visit(browser, site, state=operator.state) as visitor:
        page = visitor.page
        await page.clock.install()
        await visitor.open("/admin/upstreams")
        row = page.get_by_role("row").filter(has_text="simulator")
        for model in VENDOR_MODELS:
            await expect(row).to_contain_text(model)
        await expect(row).to_contain_text("Closed")
        answered = row.get_by_role("cell").nth(3)
        before = int(await answered.inner_text())

        site.ask(key, VENDOR_MODEL)
        await page.clock.fast_forward(5000)

        await expect(answered).to_have_text(str(before + 1))
        await expect(page.get_by_role("row").filter(has_text="in the gateway's process").first).to_be_visible()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("lang", "says"),
    [
        (
            "en",
            (
                "Open",
                "1 of 5 models",
                "until",
                "5 of the last 10 failed · Too busy",
                "Our account is used up",
                "Not installed",
            ),
        ),
        ("zh", ("打开", "5 个模型中的 1 个", "至", "最近 10 次失败 5 次 · 上游限流", "上游额度用尽", "未安装")),
    ],
)
async def test_troubles_are_told_and_fit_a_phone(
    browser: Browser, site: Site, operator: Member, lang: Lang, says: tuple[str, ...], theme: Theme
):
    async with visit(browser, site, lang=lang, theme=theme, state=operator.state) as visitor:
        page = visitor.page
        await answers(page, TROUBLED)
        await visitor.open("/admin/upstreams")
        table = page.get_by_role("table")
        for words in says:
            await expect(table).to_contain_text(words)
        await expect(page.get_by_text("m5", exact=True)).to_be_hidden()
        await page.locator("summary").click()
        await expect(page.get_by_text("m5", exact=True)).to_be_visible()
        assert await visitor.violations() == []

        await visitor.resize(360)

        assert await visitor.overhang() == []
        assert await visitor.violations() == []
        await expect(page.get_by_text(says[0], exact=True).first).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("lang", LANGS)
async def test_without_upstreams_and_without_an_answer_the_page_says_so(
    browser: Browser, site: Site, operator: Member, lang: Lang
):
    none, again = {"en": ("No upstreams", "Try again"), "zh": ("没有上游", "重试")}[lang]
    async with visit(browser, site, lang=lang, state=operator.state) as visitor:
        visitor.expected = ("500 (Internal Server Error)",)
        page = visitor.page
        await answers(page, [], 500)
        await page.goto(f"{site.url}/admin/upstreams")
        await expect(page.get_by_role("alert")).to_contain_text("req_1", timeout=15_000)
        await answers(page, [])
        await page.get_by_role("button", name=again).click()

        await expect(page.locator("main")).to_contain_text(none)
        assert await visitor.violations() == []
