"""Files fetched for a caller: what comes back, and that nothing of our own network can be looked at through it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from tests.support import FakeClock
from tokengate.core.errors import BadRequest
from tokengate.core.settings import UpstreamSettings
from tokengate.core.wire import Inlined
from tokengate.upstream.guard import Guard
from tokengate.upstream.media import MediaFetcher
from tokengate.upstream.transport import HttpTransport

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)

Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    runners: list[web.AppRunner] = []

    async def start(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> str:
        app = web.Application()
        app.router.add_get("/{path:.*}", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    yield start
    for runner in runners:
        await runner.cleanup()


async def fetch(url: str, *, private: tuple[str, ...] = ("127.0.0.1",), limit_bytes: int = 4096) -> Inlined:
    guard = Guard(private)
    settings = UpstreamSettings(name="The file's server", base_url="https://media.invalid")
    transport = HttpTransport(settings, FakeClock(), guard, shows_redirects=True)
    try:
        return await MediaFetcher(transport).fetch(url, limit_bytes)
    finally:
        await transport.close()


@pytest.mark.parametrize(
    ("declared", "body", "media_type"),
    [
        ("image/webp", b"anything", "image/webp"),
        ("application/octet-stream", PNG, "image/png"),
        ("binary/octet-stream", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("application/octet-stream", b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        ("application/octet-stream", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        ("application/octet-stream", b"\0\0\0\x20ftypisom", "video/mp4"),
        ("application/pdf; charset=binary", b"%PDF-1.7", "application/pdf"),
    ],
)
async def test_a_file_comes_with_its_type(serve: Serve, declared: str, body: bytes, media_type: str) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=body, headers={"content-type": declared})

    assert await fetch(await serve(handler) + "/file") == Inlined(media_type, body)


async def test_a_redirect_is_followed(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.path == "/moved":
            return web.Response(status=302, headers={"location": "/here.png"})
        return web.Response(body=PNG, content_type="image/png")

    assert await fetch(await serve(handler) + "/moved") == Inlined("image/png", PNG)


async def test_a_redirect_into_our_own_network_is_refused(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"location": "http://10.0.0.1/secret.png"})

    with pytest.raises(BadRequest, match="not a public one"):
        await fetch(await serve(handler) + "/moved")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x.png", "http://169.254.169.254/latest/", "file:///etc/passwd", "http://2130706433/"]
)
async def test_an_address_of_our_own_network_is_refused(url: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        await fetch(url, private=())

    assert refusal.value.code == "invalid_image_url"


async def test_what_cannot_be_fetched_is_the_callers_fault(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        match request.path:
            case "/missing":
                return web.Response(status=404)
            case "/large":
                return web.Response(body=bytes(5000), content_type="image/png")
            case "/page":
                return web.Response(text="<html>", content_type="text/html")
            case _:
                return web.Response(status=302, headers={"location": "/again"})

    base = await serve(handler)

    for path, why in {
        "/missing": "answers 404",
        "/large": "larger than 4096 bytes",
        "/page": "neither a picture",
        "/again": "redirects too often",
    }.items():
        with pytest.raises(BadRequest, match=why):
            await fetch(base + path)
    with pytest.raises(BadRequest, match="connection refused"):
        await fetch("http://127.0.0.1:9/nobody")
