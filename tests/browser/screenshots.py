"""Writes the pictures of the README and the guides: `python -m tests.browser.screenshots`, or `make screenshots`.

They show a gateway of its own, with the local model, and somebody who signed up, made keys and calls. Every picture
exists in both languages, as `docs/pictures/NAME.en.png` and `NAME.zh.png`.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from msgspec import Struct
from playwright.async_api import Browser, expect

from tests.browser.chromium import open_chromium
from tests.browser.main_pages import People
from tests.browser.site import CHAT_MODEL, VENDOR_MODEL, Member, Site, busy_member, open_site
from tests.browser.visitor import LANGS, Lang, Theme, Visitor, visit

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
BASE_URL = "http://127.0.0.1:8700"
MOST_BYTES = 150_000
_WIDTH, _HEIGHT = 1280, 800
_QUESTION = "Name three colours of autumn leaves."


async def _nothing_more(_visitor: Visitor) -> None:
    pass


async def _sign_up(visitor: Visitor) -> None:
    await visitor.page.locator("[name=name]").fill("Ada Lovelace")
    await visitor.page.locator("[name=email]").fill("ada@example.com")
    await visitor.page.locator("[name=password]").fill("correct horse battery")


async def _create_key(visitor: Visitor) -> None:
    page = visitor.page
    await page.locator("main input").first.fill("my first key")
    await page.locator("main form button[type=submit]").click()
    await page.get_by_test_id("secret").wait_for()
    # A picture of a key is a key: what is shown is none.
    await page.get_by_test_id("secret").evaluate("(shown) => { shown.textContent = 'sk-' + 'x'.repeat(43); }")


async def _try_it(visitor: Visitor) -> None:
    page = visitor.page
    await page.locator("section button[aria-expanded]").click()
    message = {"role": "user", "content": _QUESTION}
    asked = {"model": CHAT_MODEL, "stream": True, "max_tokens": 60, "messages": [message]}
    await page.locator("form textarea").fill(json.dumps(asked, indent=2))
    await page.locator("form button[type=submit]").click()
    await expect(page.locator("form")).to_contain_text("¥0.0", timeout=30_000)
    await page.locator("form").evaluate("(form) => form.scrollIntoView({block: 'end'})")


async def _name_codes(visitor: Visitor) -> None:
    await visitor.page.locator("main input").first.fill("7KQM-2XW9-HD4T-PB8R-V3NE")


class Picture(Struct, frozen=True):
    """What is photographed: a page, and what is done there first."""

    name: str
    path: str
    who: str = "visitor"
    theme: Theme = "light"
    prepare: Callable[[Visitor], Awaitable[None]] = _nothing_more


PICTURES_TAKEN = (
    Picture("home", "/"),
    Picture("home-dark", "/", theme="dark"),
    Picture("models", "/models"),
    Picture("model-card", f"/models/{VENDOR_MODEL}"),
    Picture("endpoint", f"/docs/chat.completions/{VENDOR_MODEL}"),
    Picture("sign-up", "/sign-up", prepare=_sign_up),
    Picture("new-key", "/get-apikey", who="newcomer", prepare=_create_key),
    Picture("recharge", "/apikey-recharge", who="member", prepare=_name_codes),
    Picture("try-it", f"/docs/chat.completions/{CHAT_MODEL}", who="member", prepare=_try_it),
    Picture("keys", "/console/keys", who="member"),
    Picture("calls", "/console/calls", who="member"),
    Picture("bill", "/console/calls/{call}", who="member"),
    Picture("usage", "/console/usage?by=model", who="member"),
    Picture("wallet", "/console/wallet", who="member"),
    Picture("members", "/console/members", who="member"),
    Picture("codes", "/admin/codes", who="operator"),
    Picture("settings", "/admin/settings", who="operator"),
)


def main() -> int:
    """Take all pictures, or those that are named."""
    wanted = set(sys.argv[1:]) or {picture.name for picture in PICTURES_TAKEN}
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open_site(Path(folder), base_url=BASE_URL) as site:
        asyncio.run(_take(site, [picture for picture in PICTURES_TAKEN if picture.name in wanted]))
    return 0


async def _take(site: Site, pictures: list[Picture]) -> None:
    people = _people(site)
    async with open_chromium() as browser:
        for lang in LANGS:
            for picture in pictures:
                path = PICTURES / f"{picture.name}.{lang}.png"
                await _photograph(browser, site, people, picture, lang, path)
                _squeeze(path)
                print(f"{path.relative_to(PICTURES.parents[1])}: {path.stat().st_size:,} bytes")


def _people(site: Site) -> People:
    made = site.gateway.command("users", "create", "--email", "olga@example.com", "--name", "Olga", "--operator")
    member = busy_member(site)
    key = member.create_key("translation service")
    for number, model in enumerate((VENDOR_MODEL, CHAT_MODEL, "qwen-vl-plus", VENDOR_MODEL) * 3):
        site.ask(key, model, content=f"{_QUESTION} " * (number + 1))
    site.operate("POST", "/admin/code-batches", {"count": 100, "amount_yuan": "50", "note": "Autumn hackathon"})
    return People(member, site.sign_in("olga@example.com", made["password"]), _local_call(member))


def _local_call(member: Member) -> str:
    return member.call("GET", f"/orgs/{member.org_id}/calls?model={CHAT_MODEL}")["data"][0]["id"]


async def _photograph(browser: Browser, site: Site, people: People, picture: Picture, lang: Lang, path: Path) -> None:
    match picture.who:
        case "newcomer":
            state = site.sign_up("Grace Hopper").state
        case "member":
            state = people.member.state
        case "operator":
            state = people.operator.state
        case _:
            state = None
    async with visit(browser, site, lang=lang, theme=picture.theme, state=state) as visitor:
        await visitor.page.set_viewport_size({"width": _WIDTH, "height": _HEIGHT})
        await visitor.open(picture.path.replace("{call}", people.call_id))
        await picture.prepare(visitor)
        await visitor.page.wait_for_load_state("networkidle")  # names of keys and colours of code come last
        await visitor.page.screenshot(path=path, animations="disabled", caret="hide")


def _squeeze(path: Path) -> None:
    """Make it a palette picture, which pages of text and lines hardly show."""
    subprocess.run(["pngquant", "--force", "--skip-if-larger", "--strip", "--output", path, "64", path], check=True)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path} is larger than {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    sys.exit(main())
