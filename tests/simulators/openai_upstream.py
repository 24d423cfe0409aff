"""A scriptable OpenAI-compatible upstream for tests: every byte, every wait and every close is in the test's hand.

    async with Upstream(lambda call: Reply(pieces=[b"data: 1\\n\\n", b"data: 2\\n\\n"], gated=True)) as upstream:
        ...                                 # the client calls upstream.url
        call = await upstream.arrived(1)    # the first call, with its raw bytes
        call.release()                      # lets the next piece out
        await call.closed.wait()            # the client closed the connection

`ThreadedUpstream` is the same in a thread of its own, for clients that block or run in another process. As a module,
`python -m tests.simulators.openai_upstream --port N`, the behaviour is chosen by the model's name: see `by_model`.
"""

import argparse
import asyncio
import base64
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


@dataclass
class Reply:
    """What to answer. `body` is sent whole with its length; `pieces` are sent one by one, chunked."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    pieces: list[bytes] | None = None
    gated: bool = False  # each piece, the first too, waits for one release(); a whole reply is one piece
    gap_s: float = 0.0  # between pieces
    silent: bool = False  # never answers at all
    ending: str = (
        "complete"  # complete | cut (closes before the end) | reset | stall (stays open) | eof (ends by closing)
    )
    declared_bytes: int | None = None  # a Content-Length that is not true
    raw: bytes | None = None  # sent instead of everything above


class Call:
    """A request as it arrived, and the events of its connection."""

    def __init__(self, method: str, path: str, headers: dict[str, str], raw_head: bytes, body: bytes) -> None:
        self.method, self.path, self.headers, self.raw_head, self.body = method, path, headers, raw_head, body
        self.connection = 0  # counts connections, so that reuse can be seen
        self.closed = asyncio.Event()  # the client closed the connection, or we did
        self.answered = asyncio.Event()  # the last byte was handed to the network
        self._permits = asyncio.Semaphore(0)
        self._loop = asyncio.get_running_loop()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def model(self) -> str:
        try:
            return str(self.json["model"])
        except (ValueError, KeyError, TypeError):
            return ""

    def release(self, pieces: int = 1) -> None:
        """Let that many more pieces out. Safe from any thread."""
        for _ in range(pieces):
            self._loop.call_soon_threadsafe(self._permits.release)

    async def permitted(self) -> None:
        await self._permits.acquire()


Script = Callable[[Call], Reply]


class Upstream:
    """The server. Without a script it answers by the model's name."""

    def __init__(self, script: Script | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.script: Script = script or by_model
        self.calls: list[Call] = []
        self.connections = 0
        self.hold_until = 0  # answers nothing before that many calls have arrived
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._arrival = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """The base URL that a gateway is configured with."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    async def start(self, port: int = 0) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self._accept), "127.0.0.1", port, ssl=self._tls, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        await self.stop()

    async def arrived(self, count: int = 1) -> Call:
        """Wait until that many calls have arrived; return the last of them."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.calls) >= count)
        return self.calls[count - 1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        number = self.connections
        served: list[Call] = []
        try:
            while (call := await _read_call(reader)) is not None:
                call.connection = number
                served.append(call)
                await self._note(call)
                if not await self._answer(call, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client is gone, or the test is over
        finally:
            for call in served:
                call.closed.set()
            writer.close()
            self._tasks.discard(task)

    async def _note(self, call: Call) -> None:
        async with self._arrival:
            self.calls.append(call)
            self._arrival.notify_all()
            await self._arrival.wait_for(lambda: len(self.calls) >= self.hold_until)

    async def _answer(self, call: Call, writer: asyncio.StreamWriter) -> bool:
        """Answer; return whether the connection may serve another call."""
        reply = self.script(call)
        answering = asyncio.ensure_future(_write_reply(call, reply, writer))
        connection = writer.transport.get_protocol()
        assert isinstance(connection, _Connection)
        leaving = asyncio.ensure_future(connection.left.wait())
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                return False
            answering.result()
            call.answered.set()
            if reply.ending == "stall":
                await leaving
            return reply.ending == "complete" and reply.raw is None
        finally:
            answering.cancel()
            leaving.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)


class ThreadedUpstream:
    """An `Upstream` in a thread of its own; `run` executes a coroutine there, such as `run(upstream.arrived(3))`."""

    def __init__(self, script: Script | None = None) -> None:
        self._script = script
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.upstream: Upstream

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float = 30.0) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        self.run(self.upstream.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return self.upstream.url

    @property
    def calls(self) -> list[Call]:
        return self.upstream.calls

    def wait_closed(self, call: Call) -> None:
        """Wait until the connection of a call is closed."""
        self.run(_wait(call.closed))

    async def _start(self) -> None:
        self.upstream = Upstream(self._script)
        await self.upstream.start()


def by_model(call: Call) -> Reply:
    """Answer plausibly. The model's name may ask for something else:

    echo               the last user message comes back
    usage-P-C          usage of P prompt and C completion tokens (any name: 10 and 5)
    chunks-N           a stream of N content chunks
    slow-N-chunks      the same, 50 ms apart
    error-STATUS       an OpenAI-style error with that status; 429 and 503 with Retry-After: 1
    cut-stream         closes the connection after three chunks
    empty-200          status 200 and no body
    no-usage           neither a usage field nor a usage chunk
    usage-null-chunks  `"usage": null` on every chunk before the last
    hang               never answers
    stall              three chunks, then silence on an open connection
    """
    if call.method == "GET" and call.path.endswith("/models"):
        return _json({"object": "list", "data": [{"id": "echo", "object": "model", "owned_by": "simulator"}]})
    model = call.model
    kind, _, rest = model.partition("-")
    if model == "hang":
        return Reply(silent=True)
    if model == "empty-200":
        return Reply()
    if kind == "error":
        return _error(int(rest))
    if call.path.endswith("/embeddings"):
        return _embeddings(call)
    if call.path.endswith("/rerank"):
        return _ranking(call)
    if call.path.endswith("/audio/speech"):
        return _speech(call)
    if call.path.endswith("/moderations"):
        results = [{"flagged": False, "categories": {"violence": False}}]
        return _json({"id": "modr-simulated", "model": call.model, "results": results})
    if "/images/" in call.path:
        return _picture(call)
    if call.path.endswith(("/chat/completions", "/completions")):
        return _stream(call) if call.json.get("stream") else _whole(call)
    return _error(404)


def completion(model: str, content: str, usage: dict[str, Any] | None, *, chat: bool = True) -> dict[str, Any]:
    """Return a whole reply."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "logprobs": None}
    choice |= {"message": {"role": "assistant", "content": content}} if chat else {"text": content}
    reply: dict[str, Any] = {
        "id": "chatcmpl-simulated" if chat else "cmpl-simulated",
        "object": "chat.completion" if chat else "text_completion",
        "created": 1_750_000_000,
        "model": model,
        "choices": [choice],
    }
    return reply if usage is None else {**reply, "usage": usage}


def chunk(model: str, choices: list[dict[str, Any]], *, chat: bool = True, **extra: Any) -> bytes:
    """Return one SSE frame."""
    frame = {
        "id": "chatcmpl-simulated" if chat else "cmpl-simulated",
        "object": "chat.completion.chunk" if chat else "text_completion",
        "created": 1_750_000_000,
        "model": model,
        "choices": choices,
        **extra,
    }
    return b"data: " + json.dumps(frame, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"


def usage_of(prompt: int, output: int) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}


DONE = b"data: [DONE]\n\n"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def _whole(call: Call) -> Reply:
    usage = None if call.model == "no-usage" else _usage(call.model)
    chat = call.path.endswith("/chat/completions")
    return _json(completion(call.model, _content(call), usage, chat=chat))


def _stream(call: Call) -> Reply:
    model, chat = call.model, call.path.endswith("/chat/completions")
    words = _words(call)
    nulls = {"usage": None} if model == "usage-null-chunks" else {}

    def piece(text: str, finish: str | None = None, **delta: str) -> bytes:
        body = {"delta": {**delta, "content": text} if text or delta else {}} if chat else {"text": text}
        return chunk(model, [{"index": 0, "finish_reason": finish, **body}], chat=chat, **nulls)

    pieces = [piece("", role="assistant")] if chat else []
    pieces += [piece(word) for word in words]
    if model in ("cut-stream", "stall"):
        return Reply(headers=_SSE, pieces=pieces[:3], ending="cut" if model == "cut-stream" else "stall")
    pieces.append(piece("", "stop"))
    options: dict[str, Any] = call.json.get("stream_options") or {}
    asked = bool(options.get("include_usage"))
    if asked and model != "no-usage":
        pieces.append(chunk(model, [], chat=chat, usage=_usage(model, len(words))))
    pieces.append(DONE)
    return Reply(headers=_SSE, pieces=pieces, gap_s=0.05 if model.startswith("slow-") else 0.0)


def _embeddings(call: Call) -> Reply:
    given: str | list[Any] = call.json.get("input", "")
    one = isinstance(given, str) or not given or isinstance(given[0], int)
    texts: list[Any] = [given] if one or isinstance(given, str) else given
    size = int(call.json.get("dimensions") or 8)
    packed = call.json.get("encoding_format") == "base64"
    vectors = [[(index + 1) / size] * size for index in range(len(texts))]
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else vector}
        for index, vector in enumerate(vectors)
    ]
    tokens = 4 * len(texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return _json({"object": "list", "data": data, "model": call.model, "usage": usage})


def _ranking(call: Call) -> Reply:
    documents: list[Any] = call.json.get("documents") or []
    count = min(int(call.json.get("top_n") or len(documents)), len(documents))
    results = [{"index": index, "relevance_score": 1 / (index + 1)} for index in range(count)]
    usage = {"prompt_tokens": 4 * len(documents), "total_tokens": 4 * len(documents)}
    return _json({"id": "rerank-simulated", "model": call.model, "results": results, "usage": usage})


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _words(call: Call) -> list[str]:
    parts = call.model.split("-")
    count = parts[1] if parts[0] in ("chunks", "slow") and len(parts) > 1 and parts[1].isdigit() else None
    if count is not None:
        return [f"word{index} " for index in range(int(count))]
    return [f"{word} " for word in _content(call).split(" ")]


def _content(call: Call) -> str:
    if call.model != "echo":
        return "Hello from the simulated upstream."
    if "prompt" in call.json:
        return str(call.json["prompt"])
    content = call.json["messages"][-1].get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content)


def _usage(model: str, output: int | None = None) -> dict[str, Any]:
    parts = model.split("-")
    if parts[0] == "usage" and len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
        return usage_of(int(parts[1]), int(parts[2]))
    return usage_of(10, 5 if output is None else output)


def _speech(call: Call) -> Reply:
    frame = b"\xff\xfb\x90\x00" + bytes(413)  # of MP3, silent
    if call.json.get("stream_format") != "sse":
        return Reply(200, {"content-type": "audio/mpeg"}, pieces=[frame] * 8)
    sound = base64.b64encode(frame).decode()
    events: list[dict[str, Any]] = [{"type": "speech.audio.delta", "audio": sound}] * 8
    events.append({"type": "speech.audio.done", "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}})
    return Reply(200, _SSE, pieces=[f"data: {json.dumps(event)}\n\n".encode() for event in events])


def _picture(call: Call) -> Reply:
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    if not _asks(call, "stream", True):
        at_address = _asks(call, "response_format", "url")
        picture = {"url": "https://simulated.example/pixel.png"} if at_address else {"b64_json": PIXEL}
        return _json({"created": 1_750_000_000, "data": [picture], "usage": usage})
    kind = "image_edit" if call.path.endswith("/edits") else "image_generation"
    looks = {"size": "1024x1024", "quality": "low", "background": "opaque", "output_format": "png"}
    event = {"type": f"{kind}.completed", "b64_json": PIXEL, "created_at": 1_750_000_000, **looks, "usage": usage}
    return Reply(200, _SSE, pieces=[f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()])


def _asks(call: Call, name: str, value: str | bool) -> bool:
    """Say whether a body, JSON or a form, has a member of that value."""
    if not call.headers.get("content-type", "").startswith("multipart/form-data"):
        return call.json.get(name) == value
    text = "true" if value is True else str(value)
    return f'name="{name}"\r\n\r\n{text}\r\n'.encode() in call.body


def _error(status: int) -> Reply:
    kinds = {400: "invalid_request_error", 404: "invalid_request_error", 429: "rate_limit_error"}
    error = {
        "message": f"The simulated upstream answers {status}.",
        "type": kinds.get(status, "server_error"),
        "param": "messages" if status == 400 else None,
        "code": f"simulated_{status}",
    }
    headers = {"retry-after": "1"} if status in (429, 503) else {}
    return _json({"error": error}, status, headers)


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Reply(status, {"content-type": "application/json", "x-request-id": "req-simulated", **(headers or {})}, body)


_SSE = {"content-type": "text/event-stream; charset=utf-8", "x-request-id": "req-simulated"}


async def _read_call(reader: asyncio.StreamReader) -> Call | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    request, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, path, _ = request.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":  # as JavaScript sends a file that it streams
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Call(method, path, headers, head, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size_bytes := int(await reader.readline(), 16):
        body += (await reader.readexactly(size_bytes + 2))[:-2]
    await reader.readline()
    return bytes(body)


async def _write_reply(call: Call, reply: Reply, writer: asyncio.StreamWriter) -> None:
    if reply.silent:
        await asyncio.Event().wait()
    if reply.gated and reply.pieces is None:
        await call.permitted()
    if reply.raw is not None:
        writer.write(reply.raw)
        await writer.drain()
        return
    headers = dict(reply.headers)
    if reply.ending == "eof":
        headers["connection"] = "close"
    elif reply.pieces is not None:
        headers["transfer-encoding"] = "chunked"
    else:
        headers["content-length"] = str(len(reply.body) if reply.declared_bytes is None else reply.declared_bytes)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {reply.status} Simulated\r\n{lines}\r\n".encode() + reply.body)
    for number, piece in enumerate(reply.pieces or []):
        if reply.gated:
            await call.permitted()
        if number and reply.gap_s:
            await asyncio.sleep(reply.gap_s)
        writer.write(piece if reply.ending == "eof" else b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
    if reply.gated and reply.pieces is not None and reply.ending in ("cut", "reset", "complete"):
        await call.permitted()  # the end waits too, so that a test sees the last piece before it
    if reply.ending == "complete" and reply.pieces is not None:
        writer.write(b"0\r\n\r\n")
    await writer.drain()
    if reply.ending == "reset":
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


class _Connection(asyncio.StreamReaderProtocol):
    """A stream connection that tells when its client has left."""

    def __init__(
        self, accept: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
    ) -> None:
        super().__init__(asyncio.StreamReader(limit=1 << 26), accept)
        self.left = asyncio.Event()

    def eof_received(self) -> bool | None:
        self.left.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.left.set()
        super().connection_lost(exc)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def _serve(port: int) -> None:
    upstream = Upstream()
    await upstream.start(port)
    print(f"listening on {upstream.url}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A simulated OpenAI-compatible upstream.")
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(_serve(parser.parse_args().port))
