import gzip
from pathlib import Path

import pytest

from tests.support import FakeClock
from tests.web.requests import MemoryChannel, request_of
from tokengate.web.dispatch import Dispatch
from tokengate.web.portal.assets import Assets
from tokengate.web.portal.pages import Pages

PAGE = b"<!doctype html><div id=root></div>"
SCRIPT = b"console.log(1);" * 100
BROWSER = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "accept-encoding": "gzip, deflate, br"}


@pytest.fixture
def build(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(PAGE)
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "index-1a2b.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "assets" / "index-1a2b.js.br").write_bytes(b"brotli")
    return tmp_path


async def ask(
    folder: Path, path: str, headers: dict[str, str] | None = None, method: str = "GET", cors: tuple[str, ...] = ()
) -> MemoryChannel:
    dispatch = Dispatch(
        [],
        pages=Pages(Assets(folder)).answer,
        clock=FakeClock(),
        new_id=lambda prefix, _: f"{prefix}_new",
        cors=cors,
        body_timeout_s=30,
    )
    request, channel = request_of(method, path, headers)
    await dispatch.answer(request)
    return channel


@pytest.mark.parametrize("path", ["/", "/models/qwen/qwen3-vl-8b-instruct", "/docs/guide/billing", "/console/keys"])
async def test_every_address_of_the_map_is_the_one_page(build: Path, path: str):
    answer = await ask(build, path, BROWSER)

    assert (answer.status, answer.body) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_mistyped_address_is_a_page_that_says_404(build: Path):
    answer = await ask(build, "/modles", BROWSER)

    assert (answer.status, answer.body) == (404, PAGE)


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [
        ("GET", "/modles", "application/json"),
        ("GET", "/", ""),
        ("GET", "/v1/unknown", "text/html"),
        ("GET", "/api/gpt/v1/unknown", "text/html"),
        ("GET", "/console/api/unknown", "text/html"),
        ("POST", "/", "text/html"),
    ],
)
async def test_what_is_not_for_a_browser_stays_an_error_of_the_api(build: Path, method: str, path: str, accept: str):
    answer = await ask(build, path, {"accept": accept}, method)

    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"


async def test_the_page_may_run_and_embed_nothing_but_its_own(build: Path):
    headers = (await ask(build, "/", BROWSER)).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"


@pytest.mark.parametrize(
    ("accept_encoding", "encoding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("", None)],
)
async def test_a_file_is_sent_in_the_best_encoding_that_the_caller_takes(
    build: Path, accept_encoding: str, encoding: str | None
):
    answer = await ask(build, "/assets/index-1a2b.js", {"accept-encoding": accept_encoding})

    assert answer.headers.get("content-encoding") == encoding
    opened = gzip.decompress(answer.body) if encoding == "gzip" else answer.body
    assert opened == (b"brotli" if encoding == "br" else SCRIPT)
    assert answer.headers["vary"] == "accept-encoding"


async def test_a_file_named_after_its_content_is_kept_for_ever_and_another_is_asked_for_again(build: Path):
    hashed = await ask(build, "/assets/index-1a2b.js")
    plain = await ask(build, "/favicon.svg")

    assert "immutable" in hashed.headers["cache-control"]
    assert plain.headers["cache-control"] == "no-cache"
    assert plain.headers["content-type"] == "image/svg+xml"


async def test_an_unchanged_file_is_not_sent_again(build: Path):
    first = await ask(build, "/", BROWSER)

    again = await ask(build, "/", {**BROWSER, "if-none-match": first.headers["etag"]})

    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("path", ["/manifest.json", "/assets/index-1a2b.js.gz", "/../secret", "/assets/../index.html"])
async def test_only_the_files_of_the_build_are_sent(build: Path, path: str):
    assert (await ask(build, path)).status == 404


async def test_other_origins_may_not_read_the_pages(build: Path):
    answer = await ask(build, "/", {**BROWSER, "origin": "https://elsewhere.example"}, cors=("*",))

    assert "access-control-allow-origin" not in answer.headers


async def test_without_a_build_a_browser_is_told_what_to_run(tmp_path: Path):
    answer = await ask(tmp_path / "missing", "/models/<script>", BROWSER)

    assert answer.status == 503
    assert "make setup" in answer.body.decode()
    assert "<script>" not in answer.body.decode()
