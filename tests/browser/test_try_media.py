"""Try it on the pages of pictures, sound, films, music and tasks: what was made is seen and heard on the page."""

import json
import re
from collections.abc import Generator
from typing import NamedTuple

import httpx
import pytest
from playwright.async_api import Browser, FilePayload, Locator, expect

from tests.browser.site import Member, Site, open_site
from tests.browser.visitor import Lang, Theme, Visitor, visit
from tests.simulators.image_upstream import png
from tests.simulators.music_media import mp3
from tests.simulators.openai_transcription import SPOKEN, TRANSLATED
from tests.simulators.studio import FILM_MODEL, SPEECH_MODEL, TRANSCRIPTION_MODEL, open_studio

_LATE_MS = 30_000  # the gateway looks at a job every other second

pytestmark = pytest.mark.asyncio(loop_scope="session")


class View(NamedTuple):
    """How somebody looks at a page, and the words that they look for."""

    lang: Lang
    theme: Theme
    width: int
    bench: str
    open: str
    send: str
    add: str
    path: str
    body: str
    allow: str


ENGLISH = View(
    "en", "light", 1440, "Try it", "Open", "Send", "Add a field…", "GET path", "Body", "Allow up to ¥10 and send again"
)
CHINESE = View(
    "zh", "dark", 360, "在线调试", "打开", "发送", "添加字段…", "GET 请求路径", "请求体", "放宽到最多 ¥10 并重新发送"
)
VIEWS = pytest.mark.parametrize("view", [ENGLISH, CHINESE], ids=["en", "zh"])
PICTURE: FilePayload = {"name": "dog.png", "mimeType": "image/png", "buffer": png(64, 48, "dog")}
SOUND: FilePayload = {"name": "speech.mp3", "mimeType": "audio/mpeg", "buffer": mp3()}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    with open_studio() as studio, open_site(tmp_path_factory.mktemp("studio"), studio.config) as site:
        yield site


@pytest.fixture(scope="module")
def artist(studio: Site) -> Member:
    member = studio.sign_up()
    member.call("POST", f"/orgs/{member.org_id}/wallets/{member.wallet_id}/redeem", {"code": studio.code("1000")})
    return member


async def opened(visitor: Visitor, view: View, operation: str) -> Locator:
    """Open the page of an operation and return its bench."""
    await visitor.open(f"/docs/api/{operation}")
    bench = visitor.page.get_by_role("region", name=view.bench)
    await bench.get_by_role("button", name=view.open, exact=True).click()
    return bench


async def send(bench: Locator, view: View) -> None:
    await bench.get_by_role("button", name=view.send, exact=True).click()
    await expect(bench.get_by_text("200 OK")).to_be_visible(timeout=_LATE_MS)


async def send_dear(visitor: Visitor, bench: Locator, view: View) -> None:
    """Send what may cost more than a try-it key may spend, and allow more."""
    visitor.expected = ("402 (Payment Required)",)
    await bench.get_by_role("button", name=view.send, exact=True).click()
    await bench.get_by_role("button", name=view.allow).click()
    await expect(bench.get_by_text("200 OK")).to_be_visible(timeout=_LATE_MS)


async def looks_right(visitor: Visitor) -> None:
    assert await visitor.overhang() == []
    assert await visitor.violations() == []


@VIEWS
@pytest.mark.parametrize("operation", ["images.edits", "images.variations"])
async def test_a_picture_is_chosen_and_what_was_made_of_it_is_shown(
    browser: Browser, studio: Site, artist: Member, view: View, operation: str
):
    async with visit(
        browser, studio, lang=view.lang, theme=view.theme, width=view.width, state=artist.state
    ) as visitor:
        bench = await opened(visitor, view, operation)
        await expect(bench.get_by_role("button", name=view.send, exact=True)).to_be_disabled()

        await bench.get_by_label("image", exact=True).set_input_files(PICTURE)
        await expect(bench.get_by_role("img", name="dog.png")).to_have_js_property("naturalWidth", 64)
        await bench.get_by_label(view.add).select_option("size")
        await bench.get_by_label("size", exact=True).fill("1024x1024")
        await looks_right(visitor)
        await send_dear(visitor, bench, view)

        made = bench.get_by_role("img", name=re.compile("^(Picture|图片) 1$"))
        await expect(made).to_have_js_property("complete", value=True)
        await expect(made).not_to_have_js_property("naturalWidth", 0)
        await looks_right(visitor)


@VIEWS
@pytest.mark.parametrize(
    ("operation", "words"), [("audio.transcriptions", SPOKEN[:2]), ("audio.translations", TRANSLATED[:2])]
)
async def test_a_recording_is_chosen_and_read(
    browser: Browser, studio: Site, artist: Member, view: View, operation: str, words: tuple[str, ...]
):
    async with visit(
        browser, studio, lang=view.lang, theme=view.theme, width=view.width, state=artist.state
    ) as visitor:
        bench = await opened(visitor, view, operation)
        await bench.get_by_label("file", exact=True).set_input_files(SOUND)
        await expect(bench.get_by_label("speech.mp3")).to_be_visible()
        await bench.get_by_label("model", exact=True).fill(TRANSCRIPTION_MODEL)
        await send(bench, view)

        await expect(bench.get_by_text(" ".join(words))).to_be_visible()
        await looks_right(visitor)


async def test_subtitles_are_read_as_they_are(browser: Browser, studio: Site, artist: Member):
    async with visit(browser, studio, state=artist.state) as visitor:
        bench = await opened(visitor, ENGLISH, "audio.transcriptions")
        await bench.get_by_label("file", exact=True).set_input_files(SOUND)
        await bench.get_by_label("model", exact=True).fill(TRANSCRIPTION_MODEL)
        await bench.get_by_label(ENGLISH.add).select_option("response_format")
        await bench.get_by_label("response_format", exact=True).select_option("srt")
        await send(bench, ENGLISH)

        await expect(bench.get_by_text("00:00:00,000 --> ")).to_be_visible()


@VIEWS
async def test_speech_is_heard(browser: Browser, studio: Site, artist: Member, view: View):
    async with visit(
        browser, studio, lang=view.lang, theme=view.theme, width=view.width, state=artist.state
    ) as visitor:
        bench = await opened(visitor, view, "audio.speech")
        asked = {"model": SPEECH_MODEL, "input": "Hello, 你好", "voice": "alloy"}
        await bench.get_by_role("textbox", name=view.body, exact=True).fill(json.dumps(asked))
        await send(bench, view)

        await expect(bench.locator("audio")).to_have_js_property("readyState", 4, timeout=_LATE_MS)
        await looks_right(visitor)


@VIEWS
async def test_music_is_followed_and_its_clips_are_played(browser: Browser, studio: Site, artist: Member, view: View):
    async with visit(
        browser, studio, lang=view.lang, theme=view.theme, width=view.width, state=artist.state
    ) as visitor:
        bench = await opened(visitor, view, "suno.create")
        await send(bench, view)

        await expect(bench.locator("audio")).to_have_count(2, timeout=_LATE_MS)
        await expect(bench.locator("audio").first).to_have_js_property("duration", 1, timeout=_LATE_MS)
        await expect(bench.get_by_text(re.compile("^job_[0-9a-f]+$"))).to_be_visible()
        await looks_right(visitor)

        await bench.get_by_role("link", name="¥0.5").click()
        await visitor.at_rest()
        await expect(visitor.page).to_have_url(re.compile("/console/calls/job_[0-9a-f]+"))
        await expect(visitor.page.locator("main tfoot")).to_contain_text("¥0.5")
        await looks_right(visitor)


@VIEWS
@pytest.mark.parametrize(("operation", "seen"), [("dashscope.image", "img"), ("dashscope.video", "video")])
async def test_a_task_of_dashscope_is_followed(
    browser: Browser, studio: Site, artist: Member, view: View, operation: str, seen: str
):
    async with visit(
        browser, studio, lang=view.lang, theme=view.theme, width=view.width, state=artist.state
    ) as visitor:
        bench = await opened(visitor, view, operation)
        await send_dear(visitor, bench, view)

        await expect(bench.locator(seen).first).to_be_visible(timeout=_LATE_MS)
        await looks_right(visitor)


@VIEWS
@pytest.mark.parametrize("operation", ["jobs.events", "jobs.show"])
async def test_a_job_is_looked_at(browser: Browser, studio: Site, artist: Member, view: View, operation: str):
    body = {"model": FILM_MODEL, "prompt": "A cat", "size": "64x64"}
    headers = {"authorization": f"Bearer {artist.create_key('films')}"}
    video = httpx.post(f"{studio.url}/v1/videos", json=body, headers=headers).raise_for_status().json()["id"]
    job = video.replace("video_", "job_")

    async with visit(
        browser, studio, lang=view.lang, theme=view.theme, width=view.width, state=artist.state
    ) as visitor:
        bench = await opened(visitor, view, operation)
        path = bench.get_by_label(view.path)
        await path.fill(re.sub("job_[0-9a-f]+", job, await path.input_value()))
        await send(bench, view)

        await expect(bench.locator("video")).to_have_js_property("videoWidth", 64, timeout=_LATE_MS)
        await looks_right(visitor)


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_the_name_of_the_site_is_whole_on_a_small_phone(browser: Browser, studio: Site, lang: Lang):
    """The language and the theme are in the menu there."""
    async with visit(browser, studio, lang=lang, width=360) as visitor:
        await visitor.open("/")
        name = visitor.page.get_by_role("banner").get_by_text("TokenGate", exact=True)
        assert await name.evaluate("(shown) => shown.scrollWidth <= shown.clientWidth")

        await visitor.page.get_by_role("button", name={"en": "Menu", "zh": "菜单"}[lang]).click()
        menu = visitor.page.get_by_role("dialog")
        await expect(menu.get_by_role("button", name={"en": "Language", "zh": "语言"}[lang])).to_be_visible()
        await looks_right(visitor)
