"""Files fetched, for a caller and from a vendor: what comes back, and that nothing of our own network can be looked at
through it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from tests.media_files import HEIGHT, WIDTH, media_file
from tests.support import FakeClock
from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.http import HttpRequest, Timeouts
from tokengate.core.media.steps import Media
from tokengate.core.settings import UpstreamSettings
from tokengate.core.wire import Inlined
from tokengate.upstream.guard import Guard
from tokengate.upstream.media import MediaFetcher, download
from tokengate.upstream.transport import HttpTransport

PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)

Fetched = tuple[str, int | None, Media | None, bytes]
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


@asynccontextmanager
async def transport_of(*private: str) -> AsyncGenerator[HttpTransport]:
    settings = UpstreamSettings(name="The file's server", base_url="https://media.invalid")
    transport = HttpTransport(settings, FakeClock(), Guard(private), shows_redirects=True)
    try:
        yield transport
    finally:
        await transport.close()


async def fetch(url: str, *, private: tuple[str, ...] = ("127.0.0.1",), limit_bytes: int = 4096) -> Inlined:
    async with transport_of(*private) as transport:
        return await MediaFetcher(transport).fetch(url, limit_bytes)


async def stream(
    url: str, *, private: tuple[str, ...] = ("127.0.0.1",), max_bytes: int = 10_000_000, wanted: str = ""
) -> Fetched:
    async with transport_of(*private) as transport, MediaFetcher(transport).stream(url, max_bytes, wanted) as found:
        body = b"".join([piece async for piece in found.pieces()])
        return found.media_type, found.size_bytes, found.media, body


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


FILM = media_file("mp4")


@pytest.mark.parametrize("declared", ["video/mp4", "application/octet-stream", "image/png", ""])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_film_streams_with_what_it_says_of_itself(serve: Serve, declared: str, chunked: bool) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": declared} if declared else {})
        response.content_length = None if chunked else len(FILM)
        await response.prepare(request)
        for at in range(0, len(FILM), 5_000):
            await response.write(FILM[at : at + 5_000])
        return response

    media_type, size_bytes, media, body = await stream(await serve(handler) + "/film")

    assert (media_type, body) == ("video/mp4", FILM)
    assert size_bytes == (None if chunked else len(FILM))
    assert isinstance(media, Media)
    assert (media.media_type, media.width, media.height, media.duration_ms) == ("video/mp4", WIDTH, HEIGHT, 2000)


async def test_a_streamed_redirect_is_followed_and_checked(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        match request.path:
            case "/moved":
                return web.Response(status=302, headers={"location": "/film.mp4"})
            case "/inside":
                return web.Response(status=302, headers={"location": "http://10.0.0.1/secret.mp4"})
            case "/odd":
                return web.Response(status=302, headers={"location": "http://[odd"})
            case "/again":
                return web.Response(status=302, headers={"location": "/again"})
            case _:
                return web.Response(body=FILM, content_type="video/mp4")

    base = await serve(handler)

    assert (await stream(f"{base}/moved"))[3] == FILM
    for path, why in {"/inside": "not a public one", "/odd": "cannot be read", "/again": "too often"}.items():
        with pytest.raises(UpstreamFailed, match=why):
            await stream(base + path)
    with pytest.raises(UpstreamFailed, match="not a public one"):
        await stream(f"{base}/film.mp4", private=())


@pytest.mark.parametrize(
    ("path", "why", "kind"),
    [
        ("/gone?signature=secret", "answers 404", "status"),
        ("/page", "is no picture, sound or film of a known format", "invalid"),
        ("/half", "is cut off", "invalid"),
        ("/empty", "is empty", "invalid"),
        ("/declared", "is larger than 200000 bytes", "too_large"),
        ("/endless", "is larger than 200000 bytes", "too_large"),
        ("/broken", "broke off in the middle", "cut"),
    ],
)
async def test_what_is_not_what_a_vendor_should_give_is_its_failure(
    serve: Serve, path: str, why: str, kind: str
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/gone":
                return web.Response(status=404)
            case "/page":
                return web.Response(text="<html>", content_type="video/mp4")
            case "/half":
                return web.Response(body=FILM[:-10], content_type="video/mp4")
            case "/empty":
                return web.Response(body=b"", content_type="video/mp4")
            case "/declared":
                return web.Response(body=bytes(200_001), content_type="video/mp4")
            case _:
                response = web.StreamResponse()
                await response.prepare(request)
                await response.write(FILM[:50_000])
                if request.path == "/broken":
                    assert request.transport is not None
                    request.transport.abort()
                    return response
                while True:
                    await response.write(FILM[50_000:])

    with pytest.raises(UpstreamFailed, match=why) as caught:
        await stream(await serve(handler) + path, max_bytes=200_000)

    assert caught.value.kind == kind
    assert "secret" not in caught.value.message and "127.0.0.1" not in caught.value.message


async def test_a_vendor_s_file_is_of_the_kind_that_it_should_be(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=FILM if request.path == "/film" else b'{"words": []}', content_type="video/mp4")

    base = await serve(handler)

    assert (await stream(f"{base}/film", wanted="video/quicktime"))[0] == "video/mp4"
    with pytest.raises(UpstreamFailed, match="is video/mp4, not image/png"):
        await stream(f"{base}/film", wanted="image/png")
    with pytest.raises(UpstreamFailed, match="is no picture, sound or film"):
        await stream(f"{base}/words", wanted="video/mp4")
    assert await stream(f"{base}/words", wanted="application/json") == (
        "application/json",
        13,
        None,
        b'{"words": []}',
    )


async def test_what_lies_behind_a_credential_streams_from_an_exchange(serve: Serve) -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.headers.get("authorization") != "Bearer theirs":
            return web.Response(status=401)
        return web.Response(body=FILM, content_type="video/mp4")

    url = await serve(handler) + "/content"
    async with transport_of("127.0.0.1") as transport:
        asked = HttpRequest("GET", url, {"authorization": "Bearer theirs"}, b"", Timeouts())
        async with download(await transport.send(asked), 10_000_000) as found:
            assert b"".join([piece async for piece in found.pieces()]) == FILM
        with pytest.raises(UpstreamFailed, match="answers 401"):
            async with download(await transport.send(HttpRequest("GET", url, {}, b"", Timeouts())), 10_000_000):
                pass


async def test_leaving_a_download_closes_its_connection(serve: Serve) -> None:
    gone = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(FILM)
        except (ConnectionError, asyncio.CancelledError):
            gone.set()
            raise

    url = await serve(handler)
    async with transport_of("127.0.0.1") as transport, MediaFetcher(transport).stream(url, 1 << 40) as found:
        assert found.media_type == "video/mp4"

    async with asyncio.timeout(60):
        await gone.wait()
