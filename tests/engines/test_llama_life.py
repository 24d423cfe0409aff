"""Loading, concurrency, cancelling and stopping of the local model."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.engines.support import DATA, LIMIT_BYTES, MODEL, chat, read_some, whole
from tests.support import FakeClock, eventually
from tokengate.core.errors import BadRequest, Unavailable, UpstreamFailed, UpstreamTimeout
from tokengate.core.http import Timeouts
from tokengate.core.settings import ChatEngineSettings
from tokengate.engines import weights
from tokengate.engines.llama import LlamaEngine
from tokengate.engines.runtime import LoadFailed, Server

ENDLESS: dict[str, Any] = {"content": "Tell a long story.", "max_tokens": 2000, "ignore_eos": True, "stream": True}


def engine_with(gguf: Path, data: Path = DATA, **settings: Any) -> LlamaEngine:
    return LlamaEngine(ChatEngineSettings(model="mine", gguf=str(gguf), threads=1, **settings), data, FakeClock())


async def idle(engine: LlamaEngine) -> None:
    """Wait until no generation runs, on a machine that may be busy."""
    await eventually(lambda: engine.running == 0, within_s=20)


async def test_calls_run_side_by_side(llama: LlamaEngine) -> None:
    first = await llama.send(chat(**ENDLESS))
    second = await llama.send(chat(**ENDLESS))

    pieces = [(await read_some(exchange, 3)) for exchange in (first, second)]

    assert llama.running == 2
    assert all(piece.startswith(b"data: ") for piece in pieces[0] + pieces[1])
    first.close()
    second.close()
    await idle(llama)


async def test_closing_a_stream_frees_its_slot(llama: LlamaEngine) -> None:
    exchange = await llama.send(chat(**ENDLESS))
    started_s = time.monotonic()
    await read_some(exchange, 20)
    twenty_tokens_s = time.monotonic() - started_s
    assert llama.running == 1

    exchange.close()
    exchange.close()

    await eventually(lambda: llama.running == 0, within_s=1 + 5 * twenty_tokens_s)  # of some 23 that remain


async def test_a_whole_call_that_is_cancelled_frees_its_slot(llama: LlamaEngine) -> None:
    task = asyncio.create_task(llama.send(chat(**ENDLESS | {"stream": False})))
    await eventually(lambda: llama.running == 1)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await idle(llama)


async def test_too_many_waiting_calls_are_refused_and_those_that_leave_make_room(llama: LlamaEngine) -> None:
    running = [await llama.send(chat(**ENDLESS)) for _ in range(2)]
    waiting = [asyncio.create_task(llama.send(chat(**ENDLESS))) for _ in range(64)]
    await eventually(lambda: llama.waiting == 64)

    with pytest.raises(Unavailable, match="64 calls waiting") as caught:
        await llama.send(chat())

    assert caught.value.retry_after_s
    assert caught.value.code == "model_busy"
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert llama.waiting == 0
    for exchange in running:
        exchange.close()
    await idle(llama)


@pytest.mark.parametrize(
    ("stage", "timeouts"), [("first", Timeouts(first=0.0001)), ("total", Timeouts(first=60, total=0.0001))]
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_deadline_ends_the_call(llama: LlamaEngine, stage: str, timeouts: Timeouts, stream: bool) -> None:
    with pytest.raises(UpstreamTimeout) as caught:
        await llama.send(chat(**ENDLESS | {"stream": stream}, timeouts=timeouts))

    assert caught.value.stage == stage
    await idle(llama)


async def test_a_total_deadline_ends_a_stream(llama: LlamaEngine) -> None:
    exchange = await llama.send(chat(**ENDLESS, timeouts=Timeouts(total=1)))

    with pytest.raises(UpstreamTimeout) as caught:
        await exchange.read(LIMIT_BYTES)

    assert caught.value.stage == "total"
    await idle(llama)


async def test_a_reply_above_the_readers_limit_ends_the_generation(llama: LlamaEngine) -> None:
    exchange = await llama.send(chat(**ENDLESS))

    with pytest.raises(UpstreamFailed) as caught:
        await exchange.read(1_000)

    assert caught.value.kind == "too_large"
    await idle(llama)


async def test_an_unknown_path_is_refused(llama: LlamaEngine) -> None:
    asked = chat()

    with pytest.raises(BadRequest, match="/embeddings"):
        await llama.send(type(asked)(asked.method, "/embeddings", {}, asked.body, asked.timeouts))


async def test_any_gguf_by_path_is_offered_under_its_own_name(smollm2: None, tmp_path: Path) -> None:
    gguf = tmp_path / "mine.gguf"
    gguf.symlink_to(weights.weights_path(DATA).resolve())
    engine = engine_with(gguf, context=99_999, parallel=1)

    await engine.start()

    assert engine.context == 8192, "no more than the model was trained for"
    assert (await whole(engine, chat(max_tokens=1)))["choices"]
    await engine.close()


async def test_a_model_whose_template_knows_tools_is_shown_them(smollm2: None, tmp_path: Path) -> None:
    gguf = tmp_path / "tools.gguf"
    gguf.write_bytes(with_template(weights.weights_path(DATA).read_bytes(), TOOLS_TEMPLATE))
    engine = engine_with(gguf, context=512, parallel=1)
    await engine.start()
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]

    without = await whole(engine, chat(max_tokens=4))
    reply = await whole(engine, chat(max_tokens=4, tools=tools))

    assert reply["usage"]["prompt_tokens"] > without["usage"]["prompt_tokens"] + 10
    await engine.close()


async def test_signals_still_reach_python_after_loading(smollm2: None) -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    engine = engine_with(weights.weights_path(DATA), context=64, parallel=1)

    try:
        await engine.start()
        os.kill(os.getpid(), signal.SIGTERM)
        await eventually(lambda: received == [signal.SIGTERM])
    finally:
        signal.signal(signal.SIGTERM, before)
        await engine.close()


async def test_closing_the_engine_ends_its_streams(smollm2: None) -> None:
    engine = engine_with(weights.weights_path(DATA), context=2048, parallel=1)
    await engine.start()
    exchange = await engine.send(chat(**ENDLESS))
    reading = asyncio.create_task(exchange.read(LIMIT_BYTES))
    waiting = asyncio.create_task(engine.send(chat(**ENDLESS)))
    await eventually(lambda: engine.waiting == 1)

    await engine.close()

    for task in (reading, waiting):
        with pytest.raises(UpstreamFailed) as caught:
            await task
        assert caught.value.kind == "cut"
    with pytest.raises(Unavailable):
        await engine.send(chat())


async def test_while_the_model_loads_calls_are_told_to_come_again() -> None:
    engine = LlamaEngine(ChatEngineSettings(model=MODEL), DATA, FakeClock())

    with pytest.raises(Unavailable, match="being loaded") as caught:
        await engine.send(chat())

    assert caught.value.retry_after_s
    assert caught.value.code == "model_loading"


async def test_missing_weights_name_the_command_that_brings_them(tmp_path: Path) -> None:
    engine = LlamaEngine(ChatEngineSettings(), tmp_path, FakeClock())

    await engine.start()

    assert engine.state.name == "missing"
    assert "tokengate models pull smollm2" in engine.state.sentence
    with pytest.raises(Unavailable, match="models pull smollm2"):
        await engine.send(chat())


async def test_altered_weights_are_not_loaded(tmp_path: Path) -> None:
    path = weights.weights_path(tmp_path)
    path.parent.mkdir()
    with path.open("wb") as file:
        file.truncate(weights.SMOLLM2.size_bytes)
    engine = LlamaEngine(ChatEngineSettings(), tmp_path, FakeClock())

    await engine.start()

    assert engine.state.name == "failed"
    assert "digest differs" in engine.state.sentence
    assert "tokengate models pull smollm2" in engine.state.sentence


@pytest.mark.parametrize(
    ("size_bytes", "state", "words"),
    [
        (None, "missing", "engine.chat.gguf"),
        (1_000, "failed", "not a readable GGUF"),
        (5_000_000, "failed", "incomplete"),
    ],
)
async def test_a_file_that_is_no_model_is_a_sentence(
    smollm2: None, tmp_path: Path, size_bytes: int | None, state: str, words: str
) -> None:
    gguf = tmp_path / "cut.gguf"
    if size_bytes is not None:
        with weights.weights_path(DATA).open("rb") as file:
            gguf.write_bytes(file.read(size_bytes))
    engine = engine_with(gguf)

    await engine.start()

    assert engine.state.name == state
    assert words in engine.state.sentence
    assert str(gguf) in engine.state.sentence


@pytest.mark.parametrize(("cores", "configured", "threads"), [(1, 0, 1), (2, 0, 1), (8, 0, 4), (8, 7, 7)])
async def test_half_of_the_cores_write_unless_the_configuration_says_otherwise(
    cores: int, configured: int, threads: int, smollm2: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def affinity(_process: int) -> set[int]:
        return set(range(cores))

    monkeypatch.setattr(os, "sched_getaffinity", affinity)
    given: list[int] = []

    def load(_gguf: Path, **settings: Any) -> Server:
        given.append(settings["threads"])
        raise LoadFailed("not loaded in this test")

    await LlamaEngine(ChatEngineSettings(threads=configured), DATA, FakeClock(), load).start()

    assert given == [threads]


async def test_a_model_that_was_missing_can_be_started_once_it_is_there(smollm2: None, tmp_path: Path) -> None:
    engine = LlamaEngine(ChatEngineSettings(context=64, threads=1, parallel=1), tmp_path, FakeClock())
    await engine.start()
    seen: list[tuple[int, int]] = []
    path = weights.weights_path(tmp_path)
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(weights.weights_path(DATA).resolve())

    await engine.start(lambda done, total: seen.append((done, total)))

    assert engine.state.name == "ready"
    assert seen[-1] == (weights.SMOLLM2.size_bytes, weights.SMOLLM2.size_bytes)
    await engine.close()


TOOLS_TEMPLATE = (
    "{% if tools %}<|im_start|>system\n{{ tools | tojson }}<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def with_template(gguf: bytes, template: str) -> bytes:
    """Return the model with another chat template of the same length."""
    key = b"tokenizer.chat_template"
    start = gguf.index(key) + len(key) + 4 + 8
    length = int.from_bytes(gguf[start - 8 : start], "little")
    padded = template + "{#" + " " * (length - len(template) - 4) + "#}"
    assert len(padded) == length
    return gguf[:start] + padded.encode() + gguf[start + length :]
