import asyncio
import itertools
import random
import shutil
import struct
from collections.abc import AsyncGenerator

import httpx
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, ResponseReceived, SettingsAcknowledged
from h2.settings import SettingCodes
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import eventually
from tests.web.http2_caller import Caller, Fields, open_caller
from tests.web.site import LIMIT_BYTES, Pipe, Site, open_site
from tokengate.core.errors import BodyTooLarge, ClientGone
from tokengate.web.http2 import MAX_STREAMS
from tokengate.web.opening import PREFACE, Opening
from tokengate.web.request import Request
from tokengate.web.server import HEAD_TIMEOUT_S, IDLE_TIMEOUT_S, LINGER_S, MAX_HEAD_BYTES, Server


@pytest.fixture
async def site() -> AsyncGenerator[Site, None]:
    async with open_site() as site:
        yield site


@pytest.fixture
async def caller(site: Site) -> AsyncGenerator[Caller, None]:
    async with open_caller(site.port) as caller:
        yield caller


def frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream_id) + payload


async def test_httpx_speaks_http_2_with_the_server(site: Site) -> None:
    async with httpx.AsyncClient(http1=False, http2=True, timeout=60) as client:
        replies = await asyncio.gather(
            *[client.get(f"http://127.0.0.1:{site.port}/describe?n={number}") for number in range(50)]
        )

    assert [reply.json()["query"] for reply in replies] == [f"n={number}" for number in range(50)]
    assert {reply.http_version for reply in replies} == {"HTTP/2"}
    assert all(reply.headers["date"].endswith("GMT") for reply in replies)


async def test_httpx_uploads_and_streams(site: Site) -> None:
    @site.on("/stream")
    async def _stream(request: Request) -> None:
        body = await request.body(LIMIT_BYTES)
        request.open(200, [("content-type", "text/event-stream")])
        for start in range(0, len(body), 5_000):
            await request.write(body[start : start + 5_000])

    body = random.Random(1).randbytes(3_000_000)
    async with httpx.AsyncClient(http1=False, http2=True, timeout=60) as client:
        reply = await client.post(f"http://127.0.0.1:{site.port}/stream", content=body)

    assert reply.content == body
    assert "content-length" not in reply.headers


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("option", ["--http2-prior-knowledge", "--http2", "--http1.1"])
async def test_curl_is_answered_whatever_version_it_prefers(site: Site, option: str) -> None:
    command = ["curl", "-s", "-S", option, "-m", "5", "-w", "%{http_version}", "-d", "hello"]
    curl = await asyncio.create_subprocess_exec(
        *command, f"http://127.0.0.1:{site.port}/echo", stdout=asyncio.subprocess.PIPE
    )
    written, _ = await curl.communicate()

    assert written == (b"hello2" if option == "--http2-prior-knowledge" else b"hello1.1")


async def test_request_has_the_same_shape_as_in_http_1(site: Site, caller: Caller) -> None:
    headers: Fields = [("cookie", "a=b"), ("cookie", "c=d"), ("accept", "x"), ("accept", "y"), ("x-name", "\u00e9")]

    reply = await caller.reply(caller.ask("/a%20b?c=d%20e", headers=headers))

    assert reply.status == 404
    [(method, path, query, seen)] = site.seen
    assert (method, path, query) == ("GET", "/a b", "c=d%20e")
    assert seen["host"] == "a"
    assert seen["cookie"] == "a=b; c=d"
    assert seen["accept"] == "x, y"


async def test_whole_reply_has_a_length_and_nothing_of_the_connection(site: Site, caller: Caller) -> None:
    @site.on("/all")
    async def _all(request: Request) -> None:
        request.whole(200, [("connection", "close"), ("transfer-encoding", "chunked"), ("x-kept", "1")], b"abc")

    reply = await caller.reply(caller.ask("/all"))

    assert reply.body == b"abc"
    assert reply.headers.pop("date").endswith("GMT")
    assert reply.headers == {"x-kept": "1", "content-length": "3"}


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
@pytest.mark.parametrize("streamed", [True, False])
async def test_reply_without_a_body_ends_with_its_head(
    site: Site, caller: Caller, method: str, status: int, streamed: bool
) -> None:
    @site.on("/none")
    async def _none(request: Request) -> None:
        if streamed:
            request.open(status, [])
            await request.write(b"abc")
        else:
            request.whole(status, [], b"abc")

    reply = await caller.reply(caller.ask("/none", method=method))

    assert (reply.status, reply.body) == (status, b"")
    assert reply.headers.get("content-length") == ("3" if status == 200 and not streamed else None)
    assert not any(isinstance(event, DataReceived) for event in caller.events)


async def test_hundred_streams_interleave(site: Site, caller: Caller) -> None:
    turn = asyncio.Event()

    @site.on("/stream")
    async def _stream(request: Request) -> None:
        request.open(200, [])
        await turn.wait()
        for number in range(20):
            await request.write(f"{request.query}:{number},".encode() * 100)

    streams = [caller.ask(f"/stream?{number}") for number in range(100)]
    await eventually(lambda: len(site.seen) == 100)
    turn.set()
    bodies = [(await caller.reply(stream)).body for stream in streams]

    assert bodies == [b"".join([f"{stream}:{number},".encode() * 100 for number in range(20)]) for stream in range(100)]
    order = [event.stream_id for event in caller.events if isinstance(event, DataReceived)]
    changes = sum(1 for a, b in itertools.pairwise(order) if a != b)
    assert changes > 500


async def test_stream_without_room_does_not_hold_up_another(site: Site, caller: Caller) -> None:
    @site.on("/large")
    async def _large(request: Request) -> None:
        request.whole(200, [], b"x" * 1_000_000)

    caller.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1_000})
    caller.flush()
    caller.greedy = False
    await caller.until(lambda: sum(isinstance(event, SettingsAcknowledged) for event in caller.events) == 2)
    large = caller.ask("/large")
    await caller.until(lambda: len(caller.body_of(large)) == 1_000)

    small = await caller.reply(caller.ask("/describe"))

    assert small.status == 200
    assert len(caller.body_of(large)) == 1_000
    caller.h2.increment_flow_control_window(2_000_000)
    caller.h2.increment_flow_control_window(2_000_000, large)
    caller.flush()
    assert (await caller.reply(large)).body == b"x" * 1_000_000


async def test_larger_initial_window_lets_a_waiting_stream_go_on(site: Site, caller: Caller) -> None:
    caller.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    caller.flush()
    stream = caller.ask("/describe")
    await caller.until(lambda: any(isinstance(event, ResponseReceived) for event in caller.events))
    assert caller.body_of(stream) == b""

    caller.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 65_535})
    caller.flush()

    assert (await caller.reply(stream)).body == b'{"method":"GET","path":"/describe","query":""}'


async def test_connection_window_is_shared_in_turns(site: Site, caller: Caller) -> None:
    @site.on("/large")
    async def _large(request: Request) -> None:
        request.whole(200, [], b"x" * 60_000)

    caller.greedy = False
    first, second = caller.ask("/large"), caller.ask("/large")
    await caller.until(lambda: len(caller.body_of(first)) + len(caller.body_of(second)) == 65_535)
    for _ in range(4):
        caller.h2.increment_flow_control_window(10_000)
        caller.flush()
        total = len(caller.body_of(first)) + len(caller.body_of(second))
        await caller.until(
            lambda total=total: len(caller.body_of(first)) + len(caller.body_of(second)) == total + 10_000
        )
    caller.h2.increment_flow_control_window(100_000)
    caller.flush()

    assert len((await caller.reply(first)).body) == len((await caller.reply(second)).body) == 60_000


async def test_caller_that_does_not_read_makes_the_writer_wait(site: Site, caller: Caller) -> None:
    written = 0

    @site.on("/flood")
    async def _flood(request: Request) -> None:
        nonlocal written
        request.open(200, [])
        while True:
            await request.write(b"x" * 10_000)
            written += 10_000

    stream = caller.ask("/flood")
    await eventually(lambda: written > 50_000)
    await asyncio.sleep(0.02)
    assert written <= 65_535  # the windows

    caller.h2.increment_flow_control_window(2**30)
    caller.h2.increment_flow_control_window(2**30, stream)
    caller.flush()
    before = -1
    while before != written:
        before = written
        await asyncio.sleep(0.05)
    assert 65_535 < written < 20_000_000  # the network

    caller.h2.reset_stream(stream, ErrorCodes.CANCEL)
    caller.flush()
    await eventually(lambda: len(site.errors) == 1)
    assert isinstance(site.errors[0], ClientGone)


async def test_large_upload_is_read_as_the_window_opens(site: Site, caller: Caller) -> None:
    body = random.Random(2).randbytes(5_000_000)
    stream = caller.ask("/echo", method="POST", more=True)
    await _upload(caller, stream, body)
    reply = await caller.reply(stream)

    assert reply.body == body


async def _upload(caller: Caller, stream: int, body: bytes, padding: int = 0) -> None:
    sent = 0
    extra = padding + 1 if padding else 0
    while sent < len(body):
        room = min(caller.h2.local_flow_control_window(stream), 16_384) - extra
        if room <= 0:
            before = caller.h2.local_flow_control_window(stream)
            await caller.until(lambda before=before: caller.h2.local_flow_control_window(stream) > before)
            continue
        caller.h2.send_data(stream, body[sent : sent + room], pad_length=padding or None)
        caller.flush()
        sent += room
    caller.h2.end_stream(stream)
    caller.flush()


async def test_padding_does_not_use_up_the_windows(site: Site, caller: Caller) -> None:
    for _ in range(3):
        stream = caller.ask("/echo", method="POST", more=True)
        await _upload(caller, stream, b"x" * 200_000, padding=255)
        assert len((await caller.reply(stream)).body) == 200_000

    # Almost nothing but padding.
    stream = caller.ask("/echo", method="POST", more=True)
    for _ in range(6_000):
        while caller.h2.local_flow_control_window(stream) < 257:
            await caller.receive()
        caller.h2.send_data(stream, b"y", pad_length=255)
        caller.flush()
    caller.h2.end_stream(stream)
    caller.flush()
    assert len((await caller.reply(stream)).body) == 6_000


async def test_upload_that_is_not_read_stops_at_its_window(site: Site, caller: Caller) -> None:
    site.handlers["/hold"] = site.hold

    @site.on("/later")
    async def _later(request: Request) -> None:
        await site.release.wait()
        request.json(len(await request.body(LIMIT_BYTES)))

    await caller.until(lambda: any(isinstance(event, SettingsAcknowledged) for event in caller.events))
    stream = caller.ask("/later", method="POST", more=True)
    uploading = asyncio.ensure_future(_upload(caller, stream, b"x" * 3_000_000))
    await eventually(lambda: caller.h2.local_flow_control_window(stream) == 0)
    await asyncio.sleep(0.02)
    assert caller.h2.local_flow_control_window(stream) == 0

    site.release.set()
    await uploading
    assert (await caller.reply(stream)).body == b"3000000"


async def test_bodies_that_nobody_reads_do_not_use_up_the_connection(site: Site, caller: Caller) -> None:
    for _ in range(10):
        stream = caller.ask("/unknown", method="POST", more=True)
        assert (await caller.reply(stream)).status == 404
        await _upload(caller, stream, b"x" * 500_000)

    assert (await caller.reply(caller.ask("/echo", method="POST", body=b"abc"))).body == b"abc"


async def test_bodies_of_reset_streams_do_not_use_up_the_connection(site: Site, caller: Caller) -> None:
    site.handlers["/leave"] = site.leave
    await caller.until(lambda: any(isinstance(event, SettingsAcknowledged) for event in caller.events))
    for number in range(30):
        stream = caller.ask("/leave", method="POST", more=True)
        await _upload_until_full(caller, stream, 200_000)
        caller.h2.reset_stream(stream)
        caller.flush()
        await eventually(lambda number=number: site.departures == number + 1)

    assert (await caller.reply(caller.ask("/echo", method="POST", body=b"abc"))).body == b"abc"


async def _upload_until_full(caller: Caller, stream: int, size: int) -> None:
    sent = 0
    while sent < size:
        room = min(caller.h2.local_flow_control_window(stream), 16_384, size - sent)
        if room == 0:
            await caller.receive()
            continue
        caller.h2.send_data(stream, b"x" * room)
        caller.flush()
        sent += room


async def test_refused_body_that_does_not_end_is_cut_off(site: Site, caller: Caller) -> None:
    stream = caller.ask("/unknown", method="POST", more=True)
    await caller.reply(stream)
    [connection] = site.server.connections

    connection.check(site.server.loop.time() + LINGER_S - 1)
    await caller.reply(caller.ask("/describe"))
    assert caller.reset_of(stream) is None
    connection.check(site.server.loop.time() + LINGER_S + 1)

    await caller.until(lambda: caller.reset_of(stream) is not None)
    assert caller.reset_of(stream) == ErrorCodes.NO_ERROR


async def test_body_over_the_limit_is_refused_readably(site: Site) -> None:
    async def pieces() -> AsyncGenerator[bytes, None]:  # the client copies what is left of a piece again and again
        for _ in range(41):
            yield b"x" * 1_000_000

    async with httpx.AsyncClient(http1=False, http2=True, timeout=20) as client:
        reply = await client.post(f"http://127.0.0.1:{site.port}/echo", content=pieces())

    assert reply.status_code == 413
    assert isinstance(site.errors[0], BodyTooLarge)


async def test_caller_that_waits_for_100_continue_gets_it(site: Site, caller: Caller) -> None:
    stream = caller.ask("/echo", method="POST", headers=[("expect", "100-continue")], more=True)
    await caller.until(lambda: caller.informed(stream))
    caller.h2.send_data(stream, b"abc", end_stream=True)
    caller.flush()

    assert (await caller.reply(stream)).body == b"abc"


async def test_trailers_end_the_body_and_are_no_headers(site: Site, caller: Caller) -> None:
    stream = caller.ask("/echo", method="POST", body=b"abc", more=True)
    caller.h2.send_headers(stream, [("x-trailer", "1")], end_stream=True)
    caller.flush()

    assert (await caller.reply(stream)).body == b"abc"
    assert "x-trailer" not in site.seen[0][3]


async def test_reset_is_the_callers_departure(site: Site, caller: Caller) -> None:
    site.handlers["/leave"] = site.leave
    stream = caller.ask("/leave")
    await eventually(lambda: bool(site.seen))
    assert site.departures == 0

    caller.h2.reset_stream(stream, ErrorCodes.CANCEL)
    caller.flush()

    await eventually(lambda: site.departures == 1)
    assert (await caller.reply(caller.ask("/describe"))).status == 200


async def test_reset_in_the_middle_of_a_body_is_the_callers_departure(site: Site, caller: Caller) -> None:
    stream = caller.ask("/echo", method="POST", body=b"abc", more=True)
    await eventually(lambda: bool(site.seen))
    caller.h2.reset_stream(stream, ErrorCodes.CANCEL)
    caller.flush()

    await eventually(lambda: len(site.errors) == 1)
    assert isinstance(site.errors[0], ClientGone)


async def test_end_of_the_connection_is_the_departure_of_all(site: Site) -> None:
    site.handlers["/leave"] = site.leave
    async with open_caller(site.port) as caller:
        for _ in range(10):
            caller.ask("/leave")
        await eventually(lambda: len(site.seen) == 10)

    await eventually(lambda: site.departures == 10)
    await eventually(lambda: not site.server.connections)


async def test_unanswered_request_is_broken_off_alone(site: Site, caller: Caller) -> None:
    @site.on("/silent")
    async def _silent(request: Request) -> None:
        pass

    stream = caller.ask("/silent")
    await caller.until(lambda: caller.reset_of(stream) is not None)

    assert caller.reset_of(stream) == ErrorCodes.INTERNAL_ERROR
    assert (await caller.reply(caller.ask("/describe"))).status == 200


async def test_shut_lets_running_streams_end(site: Site, caller: Caller) -> None:
    @site.on("/stream")
    async def _stream(request: Request) -> None:
        request.open(200, [])
        await request.write(b"before,")
        await site.release.wait()
        for _ in range(100):
            await request.write(b"x" * 1_000)

    first = caller.ask("/stream")
    await caller.until(lambda: bool(caller.body_of(first)))
    site.server.stop_listening()
    await caller.until(lambda: caller.goaway() is not None)
    late = caller.ask("/describe")
    await caller.until(lambda: caller.reset_of(late) is not None)
    site.release.set()
    reply = await caller.reply(first)
    await caller.end()

    assert caller.goaway() == (ErrorCodes.NO_ERROR, first)
    assert caller.reset_of(late) == ErrorCodes.REFUSED_STREAM
    assert len(reply.body) == 100_007
    assert len(site.seen) == 1


async def test_shut_closes_an_idle_connection(site: Site, caller: Caller) -> None:
    await caller.reply(caller.ask("/describe"))

    site.server.stop_listening()
    await caller.end()

    assert caller.goaway() == (ErrorCodes.NO_ERROR, 1)
    await eventually(lambda: not site.server.connections)


async def test_caller_that_says_goodbye_gets_its_last_reply(site: Site, caller: Caller) -> None:
    site.handlers["/hold"] = site.hold
    stream = caller.ask("/hold")
    await eventually(lambda: bool(site.seen))
    caller.h2.close_connection()
    caller.flush()
    site.release.set()

    assert (await caller.reply(stream)).status == 200
    await caller.end()


async def test_close_waits_for_the_last_bytes(site: Site, caller: Caller) -> None:
    @site.on("/large")
    async def _large(request: Request) -> None:
        request.whole(200, [], b"x" * 5_000_000)

    stream = caller.ask("/large")
    await eventually(lambda: bool(site.seen))
    closing = asyncio.ensure_future(site.server.close(5))
    reply = await caller.reply(stream)
    await caller.end()
    await closing

    assert len(reply.body) == 5_000_000


async def test_idle_connection_is_closed_and_a_busy_one_is_not(site: Site, caller: Caller) -> None:
    site.handlers["/hold"] = site.hold
    stream = caller.ask("/hold")
    await eventually(lambda: bool(site.seen))
    [connection] = site.server.connections
    connection.check(site.server.loop.time() + 10 * IDLE_TIMEOUT_S)
    site.release.set()
    await caller.reply(stream)
    connection.check(site.server.loop.time() + IDLE_TIMEOUT_S - 1)
    assert (await caller.reply(caller.ask("/describe"))).status == 200
    connection.check(site.server.loop.time() + IDLE_TIMEOUT_S + 1)
    await caller.end()

    assert caller.goaway() == (ErrorCodes.NO_ERROR, 3)


async def test_connection_without_a_request_is_closed_sooner(site: Site, caller: Caller) -> None:
    caller.raw(frame(1, 0, 1, b"\x82"))  # a head that goes on
    await caller.receive()
    [connection] = site.server.connections
    connection.check(site.server.loop.time() + HEAD_TIMEOUT_S + 1)
    await caller.end()

    assert site.seen == []


async def test_whole_reply_that_the_caller_does_not_take_is_given_up(site: Site, caller: Caller) -> None:
    @site.on("/large")
    async def _large(request: Request) -> None:
        request.whole(200, [], b"x" * 1_000_000)

    caller.greedy = False
    stream = caller.ask("/large")
    await caller.until(lambda: len(caller.body_of(stream)) == 65_535)
    [connection] = site.server.connections
    connection.check(site.server.loop.time() + IDLE_TIMEOUT_S - 1)
    connection.check(site.server.loop.time() + IDLE_TIMEOUT_S + 1)
    await caller.until(lambda: caller.reset_of(stream) is not None)

    assert caller.reset_of(stream) == ErrorCodes.CANCEL


async def test_cancelled_streams_are_no_attack(site: Site, caller: Caller) -> None:
    site.handlers["/leave"] = site.leave
    streams = [caller.ask("/leave") for _ in range(MAX_STREAMS - 1)]
    await eventually(lambda: len(site.seen) == len(streams))
    for stream in streams:
        caller.h2.reset_stream(stream, ErrorCodes.CANCEL)
    caller.flush()

    assert (await caller.reply(caller.ask("/describe"))).status == 200
    await eventually(lambda: site.departures == len(streams))


async def test_rapid_resets_end_the_connection(site: Site, caller: Caller) -> None:
    site.handlers["/leave"] = site.leave
    for _ in range(2_000):
        stream = caller.ask("/leave")
        caller.h2.reset_stream(stream, ErrorCodes.CANCEL)
        caller.flush()
    await caller.end()

    goaway = caller.goaway()
    assert goaway is not None
    assert goaway[0] == ErrorCodes.ENHANCE_YOUR_CALM
    assert len(site.seen) <= 2 * MAX_STREAMS
    await eventually(lambda: site.departures == len(site.seen))


FLOODS = {
    "ping": frame(6, 0, 0, b"12345678"),
    "settings": frame(4, 0, 0, struct.pack(">HI", 4, 65_535)),
    "empty data": frame(0, 0, 1, b""),
}


@pytest.mark.parametrize("kind", FLOODS)
async def test_flood_of_frames_ends_the_connection(site: Site, caller: Caller, kind: str) -> None:
    site.handlers["/leave"] = site.leave
    caller.ask("/leave", method="POST", more=True)
    await eventually(lambda: bool(site.seen))
    caller.raw(FLOODS[kind] * 2_000)
    await caller.end()

    goaway = caller.goaway()
    assert goaway is not None
    assert goaway[0] == ErrorCodes.ENHANCE_YOUR_CALM
    await eventually(lambda: site.departures == 1)


async def test_caller_that_does_not_take_the_answers_to_its_frames_is_given_up(site: Site) -> None:
    """h2 answers each frame on a reset stream, which a caller may refuse to read."""
    server = site.server
    pipe = Pipe(Opening(server))
    pipe.unsent_bytes = 1 << 30

    pipe.deliver(PREFACE + frame(4, 0, 0, b""))

    assert b"\x00\x00\x00\x0b" in pipe.written  # ENHANCE_YOUR_CALM
    assert server.connections


async def test_more_streams_than_announced_end_the_connection(site: Site, caller: Caller) -> None:
    site.handlers["/leave"] = site.leave
    for _ in range(MAX_STREAMS + 1):
        caller.ask("/leave")
    await caller.end()

    assert caller.goaway() is not None
    await eventually(lambda: site.departures == len(site.seen))
    assert len(site.seen) <= MAX_STREAMS


async def test_settings_are_announced(site: Site, caller: Caller) -> None:
    await caller.until(lambda: caller.h2.remote_settings.max_concurrent_streams == MAX_STREAMS)

    assert caller.h2.remote_settings.max_header_list_size == MAX_HEAD_BYTES


@pytest.mark.parametrize("headers", [[("x", "a" * MAX_HEAD_BYTES)], [(f"x-{n}", "a" * 1_000) for n in range(70)]])
async def test_oversized_head_ends_the_connection(site: Site, caller: Caller, headers: Fields) -> None:
    caller.ask("/describe", headers=headers)
    await caller.end()

    assert caller.goaway() is not None
    assert site.seen == []


async def test_callers_table_size_does_not_make_the_server_keep_more(site: Site, caller: Caller) -> None:
    caller.h2.update_settings({SettingCodes.HEADER_TABLE_SIZE: 2**30})
    caller.flush()
    for number in range(200):

        @site.on(f"/{number}")
        async def _answer(request: Request) -> None:
            request.whole(200, [("x-unique", request.path * 20)], b"")

        reply = await caller.reply(caller.ask(f"/{number}"))
        assert reply.headers["x-unique"] == f"/{number}" * 20

    assert caller.h2.decoder.header_table_size <= 4_096


AUTHORITY = (":authority", "a")
FINE: Fields = [(":method", "GET"), (":scheme", "http"), AUTHORITY, (":path", "/")]
MALFORMED: dict[str, Fields] = {
    "upper case": [*FINE, ("X-Name", "a")],
    "connection header": [*FINE, ("connection", "close")],
    "transfer-encoding": [*FINE, ("transfer-encoding", "chunked")],
    "no path": [(":method", "GET"), (":scheme", "http"), AUTHORITY],
    "two methods": [(":method", "GET"), *FINE],
    "pseudo header after a header": [*FINE[:3], ("a", "b"), (":path", "/")],
    "line break": [*FINE, ("a", "b\r\nc: d")],
    "length that is no number": [*FINE, ("content-length", "x")],
    "two lengths": [*FINE, ("content-length", "1"), ("content-length", "2")],
    "no host": [(":method", "GET"), (":scheme", "http"), (":path", "/")],
}


@pytest.mark.parametrize("kind", MALFORMED)
async def test_malformed_request_is_not_answered(site: Site, caller: Caller, kind: str) -> None:
    caller.h2.send_headers(1, FINE, end_stream=True)
    caller.flush()
    assert (await caller.reply(1)).status == 404
    caller.h2.config.validate_outbound_headers = False
    caller.h2.config.normalize_outbound_headers = False
    caller.h2.send_headers(3, MALFORMED[kind], end_stream=True)
    caller.flush()
    await caller.end()

    assert len(site.seen) == 1


async def test_body_of_another_length_than_declared_is_not_taken(site: Site, caller: Caller) -> None:
    caller.ask("/echo", method="POST", headers=[("content-length", "3")], body=b"abcd")
    await caller.end()

    assert site.bodies == []


@pytest.mark.parametrize(
    "data",
    [
        frame(0, 0, 1, b"abc"),  # data without a stream
        frame(0, 0, 0, b"abc"),
        frame(9, 4, 1, b""),  # a continuation of nothing
        frame(1, 4, 2, b"\x82"),  # an even stream
        frame(1, 4, 1, b"\xff\xff\xff\xff\xff"),  # broken compression
        frame(6, 0, 0, b"short"),
        frame(8, 0, 0, b"\0\0\0\0"),
        frame(4, 0, 0, struct.pack(">HI", 4, 2**31)),
        frame(4, 0, 0, struct.pack(">HI", 5, 1)),
        frame(5, 4, 1, b"\0\0\0\2\x82"),  # a push
        frame(0, 0, 1, b"x" * 20_000),  # larger than the largest frame
    ],
    ids=str,
)
async def test_broken_protocol_ends_with_goaway(site: Site, caller: Caller, data: bytes) -> None:
    caller.raw(data)
    await caller.end()

    goaway = caller.goaway()
    assert goaway is not None
    assert goaway[0] != ErrorCodes.NO_ERROR
    assert site.seen == []


async def test_upload_beyond_the_window_ends_the_connection(site: Site, caller: Caller) -> None:
    site.handlers["/leave"] = site.leave
    stream = caller.ask("/leave", method="POST", more=True)
    caller.raw(frame(0, 0, stream, b"x" * 16_384) * 100)
    await caller.end()

    assert caller.goaway() is not None
    await eventually(lambda: site.departures == 1)


def _conversation() -> bytes:
    caller = H2Connection(H2Configuration(client_side=True))
    caller.initiate_connection()
    pseudo: Fields = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/echo")]
    caller.send_headers(1, [*pseudo, ("x-long", "abc" * 300)])
    caller.send_headers(3, pseudo)
    caller.send_data(1, b"hello")
    caller.send_data(3, b"abc", end_stream=True)
    caller.ping(b"12345678")
    caller.send_data(1, b" world", end_stream=True)
    return caller.data_to_send()


CONVERSATION = _conversation()


@settings(max_examples=100)
@given(cuts=st.lists(st.integers(1, len(CONVERSATION) - 1), max_size=40, unique=True))
def test_however_the_bytes_are_cut_the_requests_are_the_same(cuts: list[int]) -> None:
    async def converse() -> Site:
        site = Site()
        site.server.loop = asyncio.get_running_loop()
        pipe = Pipe(Opening(site.server))
        for number, (a, b) in enumerate(itertools.pairwise(sorted({0, len(CONVERSATION), *cuts}))):
            pipe.deliver(CONVERSATION[a:b])
            if number % 3 == 0:
                await asyncio.sleep(0)
        await eventually(lambda: len(site.bodies) == 2)
        return site

    site = asyncio.run(converse())

    assert sorted(site.bodies) == [b"abc", b"hello world"]
    assert [headers.get("x-long") for *_, headers in site.seen] == ["abc" * 300, None]


@settings(max_examples=300)
@given(
    data=st.one_of(
        st.binary(max_size=200).map(lambda data: PREFACE + data),
        st.tuples(st.integers(len(PREFACE), len(CONVERSATION)), st.binary(max_size=20), st.integers(0, 20)).map(
            lambda edit: CONVERSATION[: edit[0]] + edit[1] + CONVERSATION[edit[0] + edit[2] :]
        ),
        st.lists(
            st.tuples(st.integers(0, 12), st.integers(0, 255), st.integers(0, 6), st.binary(max_size=40)), max_size=12
        ).map(lambda frames: CONVERSATION + b"".join([frame(*parts) for parts in frames])),
    )
)
def test_no_bytes_make_the_connection_fail(data: bytes) -> None:
    async def receive() -> None:
        site = Site()
        server: Server = site.server
        server.loop = asyncio.get_running_loop()
        pipe = Pipe(Opening(server))
        pipe.deliver(data)
        for _ in range(5):
            await asyncio.sleep(0)
        pipe.close()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not server.connections

    asyncio.run(receive())
