"""The adapter is held to the ASGI specification by small applications behind a real connection of each version."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from structlog.testing import capture_logs

from tests.e2e.gateway import free_port
from tests.raw_http import Connection
from tests.support import FakeClock
from tokengate.core.errors import BodyTimeout, BodyTooLarge
from tokengate.core.ids import new_id
from tokengate.web.asgi import AsgiApp, AsgiHandler, Receive, Scope, Send
from tokengate.web.dispatch import Dispatch, Mount
from tokengate.web.opening import Opening
from tokengate.web.server import WRITE_BUFFER_BYTES, Server

MAX_BODY = 1_000


@asynccontextmanager
async def served(app: AsgiApp, *, body_timeout_s: float = 5.0) -> AsyncGenerator[int]:
    """Serve one application below /app/ and yield the port."""
    handler = AsgiHandler(lambda: app, max_body_bytes=MAX_BODY, body_timeout_s=body_timeout_s)
    dispatch = Dispatch(
        [], mounts=[Mount("/app/", handler)], clock=FakeClock(), new_id=new_id, cors=["*"], body_timeout_s=5
    )
    server = Server(dispatch.answer, Opening)
    port = free_port()
    await server.start("127.0.0.1", port)
    try:
        yield port
    finally:
        await server.close(0)


async def reply(send: Send, body: bytes = b"", status: int = 200, headers: list[tuple[bytes, bytes]] | None = None):
    await send({"type": "http.response.start", "status": status, "headers": headers or []})
    await send({"type": "http.response.body", "body": body})


async def test_the_scope_says_what_was_asked():
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await reply(send)

    async with served(app) as port, Connection(port) as connection:
        await connection.request("PUT", "/app/a%20b/%E9%94%AE?x=1&y=%20", {"x-one": "1"})
        answer = await connection.answer()

    (scope,) = seen
    assert (scope["type"], scope["method"], scope["scheme"]) == ("http", "PUT", "http")
    assert (scope["path"], scope["query_string"], scope["root_path"]) == ("/app/a b/键", b"x=1&y=%20", "")
    assert (b"x-one", b"1") in scope["headers"]
    assert scope["client"][0] == "127.0.0.1" and scope["client"][1] > 0
    assert scope["asgi"]["version"] == "3.0"
    assert scope["state"]["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("http2", [False, True])
async def test_a_body_arrives_and_headers_may_repeat(http2: bool):
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        assert message["type"] == "http.request" and not message["more_body"]
        headers = [(b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"content-length", b"999")]
        await reply(send, message["body"] * 2, 201, headers)

    async with served(app) as port, httpx.AsyncClient(http1=not http2, http2=http2, timeout=60) as client:
        answer = await client.post(f"http://127.0.0.1:{port}/app/", content=b"twice ")

    assert (answer.status_code, answer.content) == (201, b"twice twice ")
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["content-length"] == "12"


async def test_crumbs_of_a_cookie_are_one_cookie():
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send, dict(scope["headers"])[b"cookie"])

    async with served(app) as port, httpx.AsyncClient(http1=False, http2=True, timeout=60) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/app/", headers=[("cookie", "a=1"), ("cookie", "b=2")])

    assert answer.content == b"a=1; b=2"


async def test_pieces_leave_as_they_are_sent():
    go_on = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"two"})

    async with served(app) as port, Connection(port) as connection:
        await connection.request("GET", "/app/")
        head = await connection.read_head()
        first = await connection.read_piece()
        go_on.set()
        rest = await connection.read_rest()

    assert head.headers["transfer-encoding"] == "chunked" and "content-length" not in head.headers
    assert (first, rest) == (b"one", b"two")


async def test_an_empty_last_piece_ends_a_stream():
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"all", "more_body": True})
        await send({"type": "http.response.body"})

    async with served(app) as port, Connection(port) as connection:
        for _ in range(2):  # the connection is good for another request
            await connection.request("GET", "/app/")
            assert (await connection.answer()).body == b"all"


async def test_a_caller_who_leaves_is_told_on_both_ways():
    told: list[object] = []
    done = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        told.append(await receive())
        try:
            await send({"type": "http.response.body", "body": b"two", "more_body": True})
        except OSError as error:
            told.append(error)
            raise
        finally:
            done.set()

    with capture_logs() as logs:
        async with served(app) as port:
            async with Connection(port) as connection:
                await connection.request("GET", "/app/")
                await connection.read_head()
                await connection.read_until(b"one")
            async with asyncio.timeout(60):
                await done.wait()
            await asyncio.sleep(0)

    assert told[0] == {"type": "http.disconnect"} and isinstance(told[1], OSError)
    assert not logs, "leaving is no defect"


async def test_receiving_behind_the_whole_reply_says_disconnect():
    received: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        waiting = asyncio.ensure_future(receive())
        await reply(send)
        received.extend([await waiting, await receive()])

    async with served(app) as port, Connection(port) as connection:
        await connection.request("GET", "/app/")
        await connection.answer()

    assert received == [{"type": "http.disconnect"}] * 2


async def test_a_slow_reader_slows_the_application():
    sent = 0
    piece = b"x" * 64 * 1024

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200})
        for _ in range(1_000):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            sent += len(piece)

    async with served(app) as port, Connection(port) as connection:
        await connection.request("GET", "/app/")
        await connection.read_piece()
        before = -1
        while before != sent:  # until nothing moves any more
            before = sent
            await asyncio.sleep(0.05)

    assert sent < 1_000 * len(piece) - WRITE_BUFFER_BYTES


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("raises", [False, True])
async def test_a_reply_that_is_not_finished_is_broken_off(raises: bool, http2: bool):
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        if raises:
            raise ZeroDivisionError

    with capture_logs() as logs:
        async with served(app) as port, httpx.AsyncClient(http1=not http2, http2=http2, timeout=60) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(f"http://127.0.0.1:{port}/app/")

    assert [log["event"] for log in logs] == ["defect"]


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"type": "http.response.start", "status": 200}],
        [{"type": "http.response.body", "body": b"x"}],
        [{"type": "http.response.start", "status": 200}] * 2,
        [{"type": "websocket.accept"}],
    ],
)
async def test_what_the_specification_forbids_is_a_defect_and_a_500(messages: list[dict[str, object]]):
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    with capture_logs() as logs:
        async with served(app) as port, Connection(port) as connection:
            await connection.request("GET", "/app/")
            answer = await connection.answer()

    assert answer.status == 500 and [log["event"] for log in logs] == ["defect"]


def telling(refusals: list[type[Exception]]) -> AsgiApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await receive()
        except Exception as error:
            refusals.append(type(error))
            raise

    return app


async def test_a_body_that_is_too_large_or_too_late_is_refused():
    refusals: list[type[Exception]] = []
    async with served(telling(refusals), body_timeout_s=0.05) as port:
        async with Connection(port) as connection:
            await connection.request("POST", "/app/", {}, b"x" * (MAX_BODY + 1))
            large = await connection.answer()
        async with Connection(port) as connection:
            await connection.request("POST", "/app/", {"content-length": "5"}, b"x")
            late = await connection.answer()

    assert (large.status, late.status) == (413, 408)
    assert refusals == [BodyTooLarge, BodyTimeout]


async def test_a_caller_who_leaves_before_the_body_is_whole_is_a_disconnect():
    received: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        received.set_result(await receive())
        await reply(send)

    async with served(app) as port:
        async with Connection(port) as connection:
            await connection.request("POST", "/app/", {"content-length": "5"}, b"x")
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            assert await received == {"type": "http.disconnect"}


async def test_the_application_is_loaded_once_and_only_when_it_is_asked_for():
    loads = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send, b"ok")

    def load() -> Callable[[Scope, Receive, Send], Awaitable[None]]:
        nonlocal loads
        loads += 1
        return app

    handler = AsgiHandler(load, max_body_bytes=MAX_BODY, body_timeout_s=5)
    dispatch = Dispatch(
        [], mounts=[Mount("/app/", handler)], clock=FakeClock(), new_id=new_id, cors=["*"], body_timeout_s=5
    )
    server = Server(dispatch.answer, Opening)
    port = free_port()
    await server.start("127.0.0.1", port)
    assert loads == 0

    async with httpx.AsyncClient(timeout=60) as client:
        answers = await asyncio.gather(*(client.get(f"http://127.0.0.1:{port}/app/{n}") for n in range(3)))
        other = await client.get(f"http://127.0.0.1:{port}/appx", headers={"origin": "https://a.example"})
        own = await client.get(f"http://127.0.0.1:{port}/app/", headers={"origin": "https://a.example"})
    await server.close(0)

    assert [answer.content for answer in answers] == [b"ok"] * 3 and loads == 1
    assert other.status_code == 404 and other.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in own.headers, "pages of other sites may not read it"
