"""What a misbehaving llama.cpp does to a call, with a server that says what the test wants."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.engines.support import DATA, LIMIT_BYTES, chat, joined, streamed, text_of, whole
from tests.support import FakeClock, eventually
from tokengate.core.errors import BadRequest, GatewayError, Unavailable, UpstreamFailed
from tokengate.core.settings import ChatEngineSettings
from tokengate.engines.llama import LlamaEngine

JSON_OUTPUT = {"type": "json_object"}


def said(text: str) -> list[dict[str, Any]]:
    """Return the chunks of a generation that says `text`, as llama.cpp's server writes them."""
    return [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}]},
        *({"choices": [{"index": 0, "delta": {"content": part}, "finish_reason": None}]} for part in text.split("|")),
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}},
    ]


class FakeServer:
    """Plays one script per generation: chunks, bytes that are not JSON, or an exception."""

    def __init__(self, *scripts: Sequence[dict[str, Any] | bytes] | Exception) -> None:
        self.scripts = list(scripts)
        self.bodies: list[dict[str, Any]] = []
        self.stopped = threading.Event()

    def handle_chat_completions(self, prompt: bytes, callback: Callable[[bytes], bool]) -> None:
        self.bodies.append(json.loads(prompt))
        script = self.scripts.pop(0)
        if isinstance(script, Exception):
            raise script
        for chunk in script:
            if callback(chunk if isinstance(chunk, bytes) else json.dumps(chunk).encode()):
                self.stopped.set()
                return

    handle_completions = handle_chat_completions


class EndlessServer(FakeServer):
    """Says the same until it is told to stop."""

    def __init__(self, chunk: dict[str, Any]) -> None:
        super().__init__()
        self._chunk = json.dumps(chunk).encode()
        self.calls = 0

    def handle_chat_completions(self, prompt: bytes, callback: Callable[[bytes], bool]) -> None:
        self.bodies.append(json.loads(prompt))
        while not callback(self._chunk):
            self.calls += 1


async def engine_on(server: FakeServer) -> LlamaEngine:
    def load(path: Path, **_: Any) -> FakeServer:
        return server

    engine = LlamaEngine(ChatEngineSettings(), DATA, FakeClock(), load)
    await engine.start()
    return engine


@pytest.fixture(autouse=True)
def weights_are_there(smollm2: None) -> None:
    pass


async def test_output_that_had_to_be_json_is_asked_for_again_with_another_seed() -> None:
    server = FakeServer(said('{"a": '), said('{"a"|: 1}'))
    engine = await engine_on(server)

    reply = await whole(engine, chat(response_format=JSON_OUTPUT, seed=5))

    assert text_of(reply) == '{"a": 1}'
    assert reply["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "total_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    assert server.bodies[0]["seed"] == 5 != server.bodies[1]["seed"]
    await engine.close()


@pytest.mark.parametrize("failure", [said("not json"), RuntimeError("does not match the expected format")])
async def test_output_that_is_not_json_twice_is_the_backends_failure(failure: Any) -> None:
    engine = await engine_on(FakeServer(failure, failure))

    with pytest.raises(UpstreamFailed) as caught:
        await engine.send(chat(response_format=JSON_OUTPUT))

    assert caught.value.kind == "invalid"
    assert caught.value.status == 502
    await engine.close()


async def test_a_stream_that_is_not_json_ends_with_the_failure() -> None:
    engine = await engine_on(FakeServer(said("not| json")))
    exchange = await engine.send(chat(response_format=JSON_OUTPUT, stream=True))

    with pytest.raises(UpstreamFailed):
        await exchange.read(LIMIT_BYTES)

    await engine.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("failure", "error", "status"),
    [
        (ValueError("'messages' is required"), BadRequest, 400),
        (RuntimeError("vocabulary is on fire: secret prompt"), UpstreamFailed, 502),
        ([{"error": {"code": 400, "message": "no such thing", "type": "invalid_request_error"}}], BadRequest, 400),
        ([{"error": {"code": 500, "message": "decode failed", "type": "server_error"}}], UpstreamFailed, 502),
        ([b"not json at all"], UpstreamFailed, 502),
    ],
)
async def test_failures_before_the_first_token(
    failure: Any, error: type[GatewayError], status: int, stream: bool
) -> None:
    engine = await engine_on(FakeServer(failure))

    with pytest.raises(error) as caught:
        await engine.send(chat(stream=stream))

    assert caught.value.status == status
    assert "secret" not in caught.value.message
    await engine.close()


async def test_a_failure_after_the_first_token_cuts_the_stream() -> None:
    trouble = {"error": {"code": 500, "message": "decode failed", "type": "server_error"}}
    engine = await engine_on(FakeServer([*said("half")[:2], trouble]))
    exchange = await engine.send(chat(stream=True))
    seen: list[bytes] = []

    with pytest.raises(UpstreamFailed):
        async for part in exchange.chunks():
            seen.append(part)

    assert b"half" in b"".join(seen)
    assert b"[DONE]" not in b"".join(seen)
    await engine.close()


async def test_a_closed_stream_is_told_to_stop_at_its_next_token() -> None:
    server = FakeServer(said("|".join("words" for _ in range(5_000))))
    engine = await engine_on(server)
    exchange = await engine.send(chat(stream=True))

    exchange.close()
    await engine.close()

    assert server.stopped.is_set()


async def test_a_call_that_left_is_told_to_stop_while_its_prompt_is_read() -> None:
    progress: dict[str, Any] = {
        "choices": [{"index": 0, "delta": {}}],
        "prompt_progress": {"total": 9_000, "processed": 256},
    }
    server = EndlessServer(progress)
    engine = await engine_on(server)
    task = asyncio.create_task(engine.send(chat()))
    await eventually(lambda: server.calls > 2)

    task.cancel()

    await eventually(lambda: engine.running == 0)
    assert server.bodies[0]["return_progress"] is True
    await engine.close()


async def test_an_engine_closed_while_it_loads_stays_closed() -> None:
    loading, go_on = threading.Event(), threading.Event()

    def load(path: Path, **_: Any) -> FakeServer:
        loading.set()
        go_on.wait(10)
        return FakeServer()

    engine = LlamaEngine(ChatEngineSettings(), DATA, FakeClock(), load)
    starting = asyncio.create_task(engine.start())
    await eventually(loading.is_set)

    await engine.close()
    go_on.set()
    await starting

    assert engine.state.name == "failed"
    with pytest.raises(Unavailable, match="stopped"):
        await engine.send(chat())


async def test_reasoning_and_native_tool_calls_pass() -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    more = {"index": 0, "function": {"arguments": '{"x":1}'}}
    script: list[Any] = [
        {"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [more]}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    ]
    engine = await engine_on(FakeServer(script, script))

    choice = (await whole(engine, chat()))["choices"][0]
    chunks = await streamed(engine, chat(stream=True))

    assert choice["message"]["reasoning_content"] == "hm"
    assert choice["message"]["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
    ]
    assert choice["finish_reason"] == "tool_calls"
    assert joined(chunks) == ""
    assert [
        delta["tool_calls"] for chunk in chunks for part in chunk["choices"] if "tool_calls" in (delta := part["delta"])
    ] == [
        [call],
        [more],
    ]
    await engine.close()
