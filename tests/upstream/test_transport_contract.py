"""What every network transport must do, by order of events and never by time."""

import asyncio
import contextlib
import gc
import gzip
import io
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Protocol, cast

import pytest
from msgspec.structs import replace

from tests.simulators.openai_upstream import Call, Reply, Script, Upstream
from tests.support import FakeClock
from tests.upstream.certificates import Authority
from tokengate.core.errors import UpstreamFailed, UpstreamTimeout
from tokengate.core.http import Exchange, HttpRequest, Timeouts
from tokengate.core.settings import UpstreamSettings
from tokengate.core.upload import StoredFile, Upload
from tokengate.upstream.exchange import HttpExchange
from tokengate.upstream.transport import HttpTransport


class Bench:
    """One transport under test, its clock, and its upstream."""

    def __init__(self, upstream: Upstream, clock: FakeClock, **settings: object) -> None:
        self.upstream = upstream
        self.clock = clock
        fields = {"name": "acme", "base_url": upstream.url, **settings}
        self.transport = HttpTransport(UpstreamSettings(**fields), clock)  # pyright: ignore[reportArgumentType] - by name

    async def send(self, body: bytes = b"{}", timeouts: Timeouts | None = None, url: str = "") -> Exchange:
        return await self.transport.send(self.request(body, timeouts, url))

    def request(self, body: bytes = b"{}", timeouts: Timeouts | None = None, url: str = "") -> HttpRequest:
        headers = {"authorization": "Bearer sk-test", "content-type": "application/json"}
        url = url or self.upstream.url + "/chat/completions"
        return HttpRequest("POST", url, headers, body, timeouts or Timeouts())

    def pass_s(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.transport.watchdog.tick()


@pytest.fixture
async def benches() -> AsyncIterator[list[Bench]]:
    made: list[Bench] = []
    yield made
    for bench in made:
        await bench.transport.close()
        await bench.upstream.stop()


class Make(Protocol):
    async def __call__(self, script: Script, *, tls: ssl.SSLContext | None = None, **settings: object) -> Bench: ...


@pytest.fixture
def bench_of(benches: list[Bench]) -> Make:
    async def make(script: Script, *, tls: ssl.SSLContext | None = None, **settings: object) -> Bench:
        upstream = Upstream(script, tls=tls)
        await upstream.start()
        bench = Bench(upstream, FakeClock(), **settings)
        benches.append(bench)
        return bench

    return make


async def test_request_carries_our_headers_and_no_others(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(body=b"{}"))

    exchange = await bench.send(b'{"model":"m"}')
    body = await exchange.read(1000)

    call = bench.upstream.calls[0]
    assert (call.method, call.path, call.body, body) == ("POST", "/v1/chat/completions", b'{"model":"m"}', b"{}")
    assert call.headers == {
        "host": f"127.0.0.1:{bench.upstream.port}",
        "authorization": "Bearer sk-test",
        "content-type": "application/json",
        "accept-encoding": "identity",
        "content-length": "13",
    }


async def test_reply_headers_are_found_in_any_case(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(429, {"Retry-After": "7"}, b"slow down"))

    exchange = await bench.send()

    assert exchange.status == 429
    assert exchange.headers["retry-after"] == exchange.headers["RETRY-AFTER"] == "7"
    assert await exchange.read(1000) == b"slow down"


async def test_chunk_after_next_is_sent_only_after_the_reader_has_the_first(bench_of: Make) -> None:
    """A transport that buffers hangs here."""
    pieces = [b"data: %d\n\n" % number for number in range(5)]
    bench = await bench_of(lambda call: Reply(pieces=pieces, gated=True))

    exchange = await bench.send()
    call = await bench.upstream.arrived()
    seen: list[bytes] = []
    call.release()
    async for piece in exchange.chunks():
        seen.append(piece)
        call.release()

    assert seen == pieces


async def test_connection_is_used_again_after_a_whole_body(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(pieces=[b"a", b"b"]))

    for _ in range(3):
        exchange = await bench.send()
        assert await exchange.read(100) == b"ab"
        exchange.close()

    assert bench.upstream.connections == 1


async def test_closing_an_unread_reply_that_arrived_whole_keeps_the_connection(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(500, body=b"oops"))

    for _ in range(2):
        exchange = await bench.send()
        exchange.close()
        exchange.close()

    assert bench.upstream.connections == 1


async def test_caller_leaving_before_the_head_closes_the_upstream(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(silent=True))
    sending = asyncio.create_task(bench.send())
    call = await bench.upstream.arrived()

    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending
    await call.closed.wait()


async def test_caller_leaving_while_a_large_body_is_being_sent_closes_the_upstream() -> None:
    """The rest of the body is dropped, not delivered first."""
    seen = asyncio.Event()
    closed = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        seen.set()  # and takes in no more than the buffers hold
        await go_on.wait()
        while await reader.read(1 << 20):
            pass
        closed.set()
        writer.close()

    go_on = asyncio.Event()
    async with await asyncio.start_server(accept, "127.0.0.1", 0, limit=1024) as server:
        port = server.sockets[0].getsockname()[1]
        transport = HttpTransport(UpstreamSettings(name="acme", base_url=f"http://127.0.0.1:{port}"), FakeClock())
        request = HttpRequest("POST", f"http://127.0.0.1:{port}/", {}, bytes(64 << 20), Timeouts())
        sending = asyncio.create_task(transport.send(request))
        await seen.wait()

        sending.cancel()
        await asyncio.wait([sending])
        go_on.set()

        await closed.wait()
        await transport.close()


@pytest.mark.parametrize("reading", [True, False])
async def test_closing_mid_stream_closes_the_upstream(bench_of: Make, reading: bool) -> None:
    bench = await bench_of(lambda call: Reply(pieces=[b"one", b"two"], gated=True))
    exchange = await bench.send()
    call = await bench.upstream.arrived()
    if reading:
        call.release()
        assert await anext(exchange.chunks()) == b"one"

    exchange.close()

    await call.closed.wait()
    assert not call.answered.is_set()


async def test_reader_that_waits_is_woken_by_close(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(pieces=[b"one"], gated=True))
    exchange = await bench.send()
    reading = asyncio.create_task(exchange.read(100))
    await asyncio.sleep(0)

    exchange.close()

    with pytest.raises(UpstreamFailed):
        await reading


async def test_cancelling_the_reader_and_closing_closes_the_upstream(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(pieces=[b"one"], gated=True))
    exchange = await bench.send()
    reading = asyncio.create_task(exchange.read(100))
    call = await bench.upstream.arrived()

    reading.cancel()
    await asyncio.wait([reading])
    exchange.close()

    await call.closed.wait()


async def test_first_deadline_before_the_head(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(silent=True))
    sending = asyncio.create_task(bench.send(timeouts=Timeouts(first=30)))
    call = await bench.upstream.arrived()

    bench.pass_s(29)
    assert not sending.done()
    bench.pass_s(2)

    with pytest.raises(UpstreamTimeout) as caught:
        await sending
    assert (caught.value.stage, caught.value.status, caught.value.backend) == ("first", 504, "acme")
    assert caught.value.message == "acme sent no answer within 30 s."
    await call.closed.wait()


async def test_first_deadline_begins_when_the_backend_has_taken_in_the_request() -> None:
    taken = asyncio.Queue[int]()
    wanted = asyncio.Queue[int]()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        taken.put_nowait(0)
        while size_bytes := await wanted.get():
            await reader.readexactly(size_bytes)
            taken.put_nowait(size_bytes)
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0, limit=1024) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        clock = FakeClock()
        transport = HttpTransport(UpstreamSettings(name="acme", base_url=url), clock)
        request = HttpRequest("POST", url, {}, bytes(64 << 20), Timeouts(first=30))
        sending = asyncio.create_task(transport.send(request))
        await taken.get()
        clock.advance(20)
        transport.watchdog.tick()
        wanted.put_nowait(32 << 20)
        await taken.get()
        transport.watchdog.tick()

        clock.advance(20)
        transport.watchdog.tick()
        assert not sending.done()
        clock.advance(11)
        transport.watchdog.tick()

        with pytest.raises(UpstreamTimeout):
            await sending
        wanted.put_nowait(0)
        await transport.close()


async def test_answer_before_the_end_of_the_request_ends_the_connection() -> None:
    """The rest of a refused body must not be read as the next request."""
    connections: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await hold.wait()
        writer.close()

    hold = asyncio.Event()
    async with await asyncio.start_server(accept, "127.0.0.1", 0, limit=1024) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        transport = HttpTransport(UpstreamSettings(name="acme", base_url=url), FakeClock())
        request = HttpRequest("POST", url, {}, bytes(64 << 20), Timeouts())

        for _ in range(2):
            exchange = await transport.send(request)
            assert (exchange.status, await exchange.read(10)) == (413, b"no")

        assert len(connections) == 2
        hold.set()
        await transport.close()


class Tape(io.RawIOBase):
    """A file of zeros; it knows how much of it was read."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        self.read_bytes += size
        return bytes(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return offset


def upload_of(content: IO[bytes], size_bytes: int) -> Upload:
    return Upload((("model", "whisper-1"),), StoredFile("a.wav", "audio/wav", size_bytes, "0" * 64, content))


async def test_upload_arrives_whole_and_the_connection_is_used_again(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(body=b"heard"))
    data = bytes(range(256)) * 4096
    upload = upload_of(io.BytesIO(data), len(data))
    request = replace(bench.request(b""), upload=upload)

    for number in (1, 2):
        exchange = await bench.transport.send(request)
        assert await exchange.read(10) == b"heard"
        call = await bench.upstream.arrived(number)
        assert call.body == b"".join(upload.pieces())

    assert bench.upstream.connections == 1


async def test_upload_is_read_as_the_backend_takes_it_in() -> None:
    head = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head.set()
        await hold.wait()
        writer.close()

    hold = asyncio.Event()
    tape = Tape()
    async with await asyncio.start_server(accept, "127.0.0.1", 0, limit=1024) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        transport = HttpTransport(UpstreamSettings(name="acme", base_url=url), FakeClock())
        upload = upload_of(cast(IO[bytes], tape), 1 << 30)
        sending = asyncio.create_task(transport.send(HttpRequest("POST", url, {}, b"", Timeouts(), upload)))

        await head.wait()
        sending.cancel()
        await asyncio.wait([sending])

        assert tape.read_bytes < 64 << 20  # what the network's own buffers hold, at most
        hold.set()
        await transport.close()


async def test_answer_before_the_end_of_an_upload_ends_it_and_the_connection() -> None:
    connections: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await hold.wait()
        writer.close()

    hold = asyncio.Event()
    tape = Tape()
    async with await asyncio.start_server(accept, "127.0.0.1", 0, limit=1024) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        transport = HttpTransport(UpstreamSettings(name="acme", base_url=url), FakeClock())
        request = HttpRequest("POST", url, {}, b"", Timeouts(), upload_of(cast(IO[bytes], tape), 1 << 30))

        for _ in range(2):
            exchange = await transport.send(request)
            assert (exchange.status, await exchange.read(10)) == (413, b"no")

        assert len(connections) == 2
        assert tape.read_bytes < 128 << 20
        hold.set()
        await transport.close()


async def test_first_deadline_counts_to_the_first_byte_of_the_body(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(pieces=[b"one"], gated=True))
    exchange = await bench.send(timeouts=Timeouts(first=30, between=5))
    bench.pass_s(20)
    reading = asyncio.create_task(exchange.read(100))
    await asyncio.sleep(0)

    bench.pass_s(9)
    assert not reading.done()
    bench.pass_s(2)

    with pytest.raises(UpstreamTimeout) as caught:
        await reading
    assert caught.value.stage == "first"
    await bench.upstream.calls[0].closed.wait()


async def test_between_deadline(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(pieces=[b"one", b"two"], gated=True))
    exchange = await bench.send(timeouts=Timeouts(between=5))
    call = await bench.upstream.arrived()
    call.release()
    chunks = exchange.chunks()
    assert await anext(chunks) == b"one"
    waiting = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0)

    bench.pass_s(4.9)
    assert not waiting.done()
    bench.pass_s(0.5)

    with pytest.raises(UpstreamTimeout) as caught:
        await waiting
    assert caught.value.message == "acme fell silent for 5 s in the middle of its answer."
    await call.closed.wait()


async def test_slow_reader_is_not_a_silent_backend(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(pieces=[b"one", b"two"], gated=True))
    exchange = await bench.send(timeouts=Timeouts(between=5))
    call = await bench.upstream.arrived()
    call.release(3)
    chunks = exchange.chunks()
    first = await anext(chunks)

    bench.pass_s(100)
    rest = [piece async for piece in chunks]

    assert first + b"".join(rest) == b"onetwo"


async def test_total_deadline_ends_a_stream_that_never_pauses(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(pieces=[b"x"] * 10, gated=True))
    exchange = await bench.send(timeouts=Timeouts(between=60, total=100))
    call = await bench.upstream.arrived()
    chunks = exchange.chunks()

    with pytest.raises(UpstreamTimeout) as caught:
        for _ in range(10):
            call.release()
            await anext(chunks)
            bench.pass_s(15)

    assert (caught.value.stage, caught.value.kind) == ("total", "timeout")
    await call.closed.wait()


async def test_total_deadline_spares_a_body_that_has_arrived(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(body=b"whole"))
    exchange = await bench.send(timeouts=Timeouts(total=10))

    bench.pass_s(20)

    assert await exchange.read(100) == b"whole"


async def test_connect_deadline() -> None:
    """The proxy accepts, and never opens the tunnel."""
    accepted = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        accepted.set()
        await reader.read()
        closed.set()
        writer.close()

    closed = asyncio.Event()
    async with await asyncio.start_server(accept, "127.0.0.1", 0) as proxy:
        clock = FakeClock()
        address = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        settings = UpstreamSettings(name="acme", base_url="https://vendor.invalid", proxy=address)
        transport = HttpTransport(settings, clock)
        request = HttpRequest("POST", "https://vendor.invalid/v1", {}, b"{}", Timeouts(connect=3))
        sending = asyncio.create_task(transport.send(request))
        await accepted.wait()

        clock.advance(4)
        transport.watchdog.tick()

        with pytest.raises(UpstreamTimeout) as caught:
            await sending
        assert (caught.value.stage, caught.value.message) == ("connect", "acme accepted no connection within 3 s.")
        assert sending.cancelling() == 0
        await closed.wait()
        await transport.close()


async def test_connect_deadline_covers_waiting_for_a_place_in_the_pool(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(pieces=[b"x"], gated=True), max_connections=1)
    first = await bench.send()
    second = asyncio.create_task(bench.send(timeouts=Timeouts(connect=3)))
    await asyncio.sleep(0)

    bench.pass_s(4)

    with pytest.raises(UpstreamTimeout) as caught:
        await second
    assert caught.value.stage == "connect"
    first.close()


async def test_watchdog_runs_by_itself() -> None:
    async with Upstream(lambda call: Reply(silent=True)) as upstream:
        transport = HttpTransport(UpstreamSettings(name="acme", base_url=upstream.url))
        request = HttpRequest("POST", upstream.url, {}, b"{}", Timeouts(first=0.01))

        with pytest.raises(UpstreamTimeout):
            await transport.send(request)

        await transport.close()


async def test_body_longer_than_its_limit(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(body=b"x" * 101))
    streamed = await bench_of(lambda call: Reply(pieces=[b"x" * 60, b"x" * 60]))

    for one in (bench, streamed):
        with pytest.raises(UpstreamFailed) as caught:
            await (await one.send()).read(100)
        assert caught.value.kind == "too_large"
    assert await (await bench.send()).read(101) == b"x" * 101


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"half", declared_bytes=8, ending="cut"),
        Reply(pieces=[b"half"], gated=True, ending="cut"),
        Reply(pieces=[b"half"], gated=True, ending="reset"),
        Reply(pieces=[b"half"], gated=True, ending="reset", headers={"connection": "close"}),
    ],
    ids=["length", "chunked", "reset", "reset-close"],
)
async def test_cut_body_is_a_failure(bench_of: Make, reply: Reply) -> None:
    bench = await bench_of(lambda call: reply)
    exchange = await bench.send()
    bench.upstream.calls[0].release()
    chunks = exchange.chunks()
    assert await anext(chunks) == b"half"
    bench.upstream.calls[0].release()

    with pytest.raises(UpstreamFailed) as caught:
        await anext(chunks)

    assert (caught.value.kind, caught.value.status) == ("cut", 502)
    assert caught.value.message == "acme broke off in the middle of its answer."


async def test_body_without_length_ends_with_the_connection(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(pieces=[b"one", b"two"], ending="eof"))

    assert await (await bench.send()).read(100) == b"onetwo"


async def test_backend_that_closes_without_an_answer_on_a_fresh_connection_is_asked_once(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(raw=b""))

    with pytest.raises(UpstreamFailed) as caught:
        await bench.send()

    assert (caught.value.kind, len(bench.upstream.calls)) == ("cut", 1)


async def test_idle_connection_that_closes_at_the_wrong_moment_is_replaced(bench_of: Make) -> None:
    def script(call: Call) -> Reply:
        stale = call.connection == 1 and len(bench.upstream.calls) == 2
        return Reply(raw=b"") if stale else Reply(body=b"ok")

    bench = await bench_of(script)

    assert await (await bench.send()).read(10) == b"ok"
    assert await (await bench.send()).read(10) == b"ok"
    assert [call.connection for call in bench.upstream.calls] == [1, 1, 2]


async def test_answer_that_has_begun_is_never_asked_for_again(bench_of: Make) -> None:
    replies = iter([Reply(body=b"ok"), Reply(raw=b"HTTP/1.1 200 OK\r\ncontent-le")])
    bench = await bench_of(lambda call: next(replies))
    await (await bench.send()).read(10)

    with pytest.raises(UpstreamFailed):
        await bench.send()

    assert len(bench.upstream.calls) == 2


async def test_refused_connection(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply())
    await bench.upstream.stop()

    with pytest.raises(UpstreamFailed) as caught:
        await bench.send()

    assert (caught.value.kind, caught.value.message) == ("connect", "acme could not be reached: connection refused.")


async def test_reply_that_is_not_http(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(raw=b"SSH-2.0-OpenSSH\r\n\r\n"))

    with pytest.raises(UpstreamFailed) as caught:
        await bench.send()

    assert caught.value.kind == "invalid"


async def test_redirect_is_a_failure_and_is_not_followed(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(307, {"location": "/elsewhere"}))

    with pytest.raises(UpstreamFailed) as caught:
        await bench.send()

    assert (caught.value.upstream_status, len(bench.upstream.calls)) == (307, 1)


async def test_interim_replies_are_passed_over(bench_of: Make) -> None:
    raw = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    bench = await bench_of(lambda call: Reply(raw=raw))

    exchange = await bench.send()

    assert (exchange.status, await exchange.read(10)) == (200, b"ok")


async def test_body_compressed_unasked_is_decompressed(bench_of: Make) -> None:
    packed = gzip.compress(b"hello" * 100)
    bench = await bench_of(lambda call: Reply(headers={"content-encoding": "gzip"}, body=packed))

    exchange = await bench.send()

    assert await exchange.read(500) == b"hello" * 100
    assert "content-encoding" not in exchange.headers
    assert "content-length" not in exchange.headers


async def test_decompressed_size_is_what_the_limit_counts(bench_of: Make) -> None:
    packed = gzip.compress(bytes(10_000_000))
    bench = await bench_of(lambda call: Reply(headers={"content-encoding": "gzip"}, body=packed))

    with pytest.raises(UpstreamFailed) as caught:
        await (await bench.send()).read(100_000)

    assert caught.value.kind == "too_large"


async def test_broken_compression_is_a_failure(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(headers={"content-encoding": "gzip"}, body=b"not gzip at all"))

    with pytest.raises(UpstreamFailed) as caught:
        await (await bench.send()).read(100_000)

    assert caught.value.kind == "invalid"


async def test_compressed_body_that_is_cut_is_a_failure(bench_of: Make) -> None:
    packed = gzip.compress(b"hello" * 100)[:-4]
    bench = await bench_of(lambda call: Reply(headers={"content-encoding": "gzip"}, body=packed))

    with pytest.raises(UpstreamFailed) as caught:
        await (await bench.send()).read(100_000)

    assert caught.value.kind == "invalid"


async def test_connection_is_not_used_again_when_more_than_the_reply_has_come(bench_of: Make) -> None:
    raw = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"
    bench = await bench_of(lambda call: Reply(raw=raw, ending="stall"))

    for _ in range(2):
        exchange = await bench.send()
        assert await exchange.read(10) == b"ok"
        exchange.close()

    assert [call.connection for call in bench.upstream.calls] == [1, 2]


async def test_reply_that_was_never_read_leaves_nothing_to_the_next_one(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(body=call.body))

    (await bench.send(b'"first"')).close()
    exchange = await bench.send(b'"second"')

    assert await exchange.read(10) == b'"second"'
    assert bench.upstream.connections == 1


async def test_deadline_that_passes_while_nobody_reads_is_no_end_of_the_body(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(pieces=[b"one", b"two"], gated=True))
    exchange = await bench.send(timeouts=Timeouts(total=10))
    call = await bench.upstream.arrived()
    call.release()
    chunks = exchange.chunks()
    assert await anext(chunks) == b"one"

    bench.pass_s(11)

    with pytest.raises(UpstreamTimeout) as caught:
        await anext(chunks)
    assert caught.value.stage == "total"
    await call.closed.wait()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"whole"),
        Reply(pieces=[b"one", b"two"]),
        Reply(pieces=[b"half"], ending="cut"),
        Reply(body=b"half", declared_bytes=8, ending="cut"),
        Reply(raw=b"SSH-2.0-OpenSSH\r\n\r\n"),
        Reply(raw=b""),
    ],
    ids=["whole", "stream", "cut", "short", "not-http", "nothing"],
)
async def test_no_exchange_is_left_to_the_cyclic_collector(bench_of: Make, reply: Reply) -> None:
    bench = await bench_of(lambda call: reply)

    async def exchange_once() -> None:
        with contextlib.suppress(UpstreamFailed):
            exchange = await bench.send()
            try:
                await exchange.read(1000)
            finally:
                exchange.close()

    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            await exchange_once()
        left = [found for found in gc.get_objects() if isinstance(found, HttpExchange)]
    finally:
        gc.enable()

    assert left == []


async def test_header_with_a_line_break_is_refused(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply())
    request = HttpRequest("POST", bench.upstream.url, {"x-a": "1\r\nx-b: 2"}, b"{}", Timeouts())

    with pytest.raises(UpstreamFailed) as caught:
        await bench.transport.send(request)

    assert (caught.value.kind, bench.upstream.calls) == ("invalid", [])


async def test_get_has_no_body(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(body=b"[]"))
    request = HttpRequest("GET", bench.upstream.url + "/models?limit=2", {}, b"", Timeouts())

    exchange = await bench.transport.send(request)

    assert await exchange.read(10) == b"[]"
    assert bench.upstream.calls[0].path == "/v1/models?limit=2"
    assert "content-length" not in bench.upstream.calls[0].headers


async def test_tls_with_a_private_authority(bench_of: Make, tmp_path: Path) -> None:
    authority = Authority("Test authority")
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(authority.certificate_pem)
    server = authority.server_context(tmp_path)

    trusting = await bench_of(lambda call: Reply(body=b"ok"), tls=server, ca_file=str(ca_file))
    careless = await bench_of(lambda call: Reply(body=b"ok"), tls=server, verify_tls=False)
    strict = await bench_of(lambda call: Reply(body=b"ok"), tls=server)

    assert await (await trusting.send()).read(10) == b"ok"
    assert await (await careless.send()).read(10) == b"ok"
    with pytest.raises(UpstreamFailed) as caught:
        await strict.send()
    assert caught.value.message == "acme could not be reached: its TLS certificate is not trusted."


async def test_closing_mid_stream_closes_tls_at_once(bench_of: Make, tmp_path: Path) -> None:
    server = Authority("Test authority").server_context(tmp_path)
    bench = await bench_of(lambda call: Reply(pieces=[b"one"], gated=True), tls=server, verify_tls=False)
    exchange = await bench.send()

    exchange.close()

    await bench.upstream.calls[0].closed.wait()


async def test_plain_http_through_a_proxy(bench_of: Make) -> None:
    """To an HTTP proxy, a plain request is one with an absolute address."""
    proxy = await bench_of(lambda call: Reply(body=b"proxied"))
    address = f"http://user:secret@127.0.0.1:{proxy.upstream.port}"
    bench = await bench_of(lambda call: Reply(), proxy=address)

    exchange = await bench.send(url="http://vendor.invalid/v1/chat/completions")

    assert await exchange.read(10) == b"proxied"
    call = proxy.upstream.calls[0]
    assert (call.path, call.headers["host"]) == ("http://vendor.invalid/v1/chat/completions", "vendor.invalid")
    assert call.headers["proxy-authorization"] == "Basic dXNlcjpzZWNyZXQ="


async def test_tls_through_a_proxy(bench_of: Make, tmp_path: Path) -> None:
    authority = Authority("Test authority")
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(authority.certificate_pem)
    heads: list[bytes] = []

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        port = int(heads[-1].split(b" ")[1].rsplit(b":", 1)[1])
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))

    async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy:
        address = f"http://user:secret@127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
        tls = authority.server_context(tmp_path)
        bench = await bench_of(lambda call: Reply(body=b"ok"), tls=tls, ca_file=str(ca_file), proxy=address)

        exchange = await bench.send()

        assert await exchange.read(10) == b"ok"
        assert heads[0].startswith(b"CONNECT 127.0.0.1:")
        assert b"proxy-authorization: basic dxnlcjpzzwnyzxq=" in heads[0].lower()
        assert "proxy-authorization" not in bench.upstream.calls[0].headers
        await bench.transport.close()


async def test_closing_the_transport_ends_open_exchanges(bench_of: Make) -> None:
    bench = await bench_of(lambda call: Reply(pieces=[b"one"], gated=True))
    exchange = await bench.send()
    reading = asyncio.create_task(exchange.read(10))
    await asyncio.sleep(0)

    await bench.transport.close()

    with pytest.raises(UpstreamFailed):
        await reading


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # one end was closed
    finally:
        writer.close()
