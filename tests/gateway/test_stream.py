"""What a stream does between its first and its last byte; how it can end is tested end to end."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import DONE, Reply, Upstream, chunk, usage_of
from tests.support import eventually

SSE = {"content-type": "text/event-stream"}
ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


def text(words: str, index: int = 0, **more: Any) -> bytes:
    return chunk("m", [{"index": index, "delta": {"content": words}, "finish_reason": None}], **more)


def stop(index: int = 0, **more: Any) -> bytes:
    return chunk("m", [{"index": index, "delta": {}, "finish_reason": "stop"}], **more)


@asynccontextmanager
async def streaming(
    folder: Path, *pieces: bytes, gated: bool = False, max_output: int = 1_000, balance: str = "100", **more: Any
) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    reply = Reply(headers=SSE, pieces=list(pieces), gated=gated)
    async with Upstream(lambda _: reply) as simulator:
        config = upstream(simulator.url, "m", **more) + sells("m", max_output=max_output)
        async with hosted(folder, config, balances={"main": balance}) as gateway:
            yield simulator, gateway


async def test_the_hold_of_an_uncapped_stream_grows_with_what_was_delivered(tmp_path: Path) -> None:
    page = text("many words in one chunk " * 300)  # about 1,500 tokens
    pieces = [*[page] * 8, stop(), DONE]
    async with streaming(tmp_path, *pieces, gated=True, max_output=100_000) as (simulator, gateway):
        async with gateway.connect() as caller:
            await gateway.begin(caller, ASK)
            call = await simulator.arrived()
            held: list[float] = []
            for _ in range(8):
                call.release()
                if not held:
                    await caller.read_head()
                await caller.read_piece()
                held.append(float((await gateway.balance())["held"]))
            call.release(3)
            await caller.read_rest()
        record = await gateway.last_call()

    assert held[0] == held[1] < held[-1]
    assert held[-1] - held[0] > 8
    assert float(record["cost"]) < held[-1]


async def test_a_stream_of_huge_chunks_goes_on_while_the_wallet_can_pay(tmp_path: Path) -> None:
    """A chunk may hold more tokens than one step of the hold."""
    pieces = [*[text("0123456789" * 3_000)] * 8, stop(), DONE]
    async with streaming(tmp_path, *pieces, balance="1000", max_output=500_000) as (_, gateway):
        answer = await gateway.post(ASK)
        record = await gateway.last_call()

    assert answer.body == b"".join(pieces)
    assert record["outcome"] == "ok"
    assert record["output_tokens"] > 100_000


async def test_a_capped_stream_s_hold_is_enough_from_the_start(tmp_path: Path) -> None:
    page = text("many words in one chunk " * 300)
    pieces = [*[page] * 4, stop(), DONE]
    served = streaming(tmp_path, *pieces, gated=True, max_output=100_000)
    async with served as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, {**ASK, "max_tokens": 9_000})
        call = await simulator.arrived()
        held: set[str] = set()
        for number in range(4):
            call.release()
            if not number:
                await caller.read_head()
            await caller.read_piece()
            held.add((await gateway.balance())["held"])
        call.release(3)
        await caller.read_rest()

    assert len(held) == 1


async def test_a_stream_that_forgets_its_done_is_whole_when_every_choice_finished(tmp_path: Path) -> None:
    async with streaming(tmp_path, text("Hi"), stop(), chunk("m", [], usage=usage_of(10, 5))) as (_, gateway):
        answer = await gateway.post(ASK)
        record = await gateway.bill(answer.headers["x-request-id"])

    assert answer.body == text("Hi") + stop() + DONE
    assert (record["outcome"], record["cost"]) == ("ok", "0.015")


async def test_a_stream_of_several_choices_is_whole_only_when_all_have_finished(tmp_path: Path) -> None:
    pieces = (text("Hi", 0), text("Ho", 1), stop(0))
    async with streaming(tmp_path / "half", *pieces) as (_, gateway):
        half = await gateway.post({**ASK, "n": 2})
    async with streaming(tmp_path / "whole", *pieces, stop(1)) as (_, gateway):
        whole = await gateway.post({**ASK, "n": 2})

    assert b'"error"' in half.body and b"[DONE]" not in half.body
    assert whole.body == b"".join((*pieces, stop(1), DONE))


async def test_usage_that_only_the_gateway_asked_for_is_taken_out_of_chunks_with_choices(tmp_path: Path) -> None:
    last = stop(usage=usage_of(10, 5))
    async with streaming(tmp_path, text("Hi"), last, DONE) as (_, gateway):
        unasked = await gateway.post(ASK)
        asked = await gateway.post({**ASK, "stream_options": {"include_usage": True}})
        records = [await gateway.bill(answer.headers["x-request-id"]) for answer in (unasked, asked)]

    assert unasked.body == text("Hi") + stop() + DONE
    assert asked.body == text("Hi") + last + DONE
    assert [record["cost"] for record in records] == ["0.015", "0.015"]


async def test_comments_of_the_upstream_keep_the_connection_alive_while_it_thinks(tmp_path: Path) -> None:
    ping = b": ping\n\n"
    served = streaming(tmp_path, ping, ping, text("Hi"), stop(), DONE, gated=True)
    async with served as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, ASK)
        call = await simulator.arrived()
        call.release()
        head = await caller.read_head()
        first = await caller.read_piece()
        call.release()
        second = await caller.read_piece()
        call.release(4)
        rest = await caller.read_rest()

    assert (head.status, first, second) == (200, ping, ping)
    assert rest == text("Hi") + stop() + DONE


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_frames_that_are_cut_anywhere_arrive_the_same(tmp_path: Path, size: int) -> None:
    body = text("Hé ") + text("你好") + stop() + chunk("m", [], usage=usage_of(10, 5)) + DONE
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    async with streaming(tmp_path, *pieces) as (_, gateway):
        answer = await gateway.post(ASK)
        record = await gateway.bill(answer.headers["x-request-id"])

    assert answer.body == text("Hé ") + text("你好") + stop() + DONE
    assert record["usage_source"] == "vendor"


async def test_a_cut_stream_is_counted_where_the_model_has_a_public_tokenizer(tmp_path: Path) -> None:
    model = "qwen2.5-14b-instruct"
    said = ["你好", "!有什么我", "可以帮助你的吗?"]
    reply = Reply(headers=SSE, pieces=[*map(text, said)])  # no end
    async with Upstream(lambda _: reply) as simulator:
        config = upstream(simulator.url, model) + sells(model)
        async with hosted(tmp_path, config, balances={"main": "10"}) as gateway:
            asked = {"model": model, "messages": [{"role": "user", "content": "你好"}], "stream": True}
            answer = await gateway.post(asked)
            record = await gateway.bill(answer.headers["x-request-id"])

    assert b'"error"' in answer.body and b"[DONE]" not in answer.body
    assert (record["outcome"], record["usage_source"]) == ("upstream_cut", "counted")
    assert (record["input_tokens"], record["output_tokens"]) == (20, 8)
    assert record["bill"]["usage_source"] == "counted"


async def test_a_frame_without_an_end_is_cut_off(tmp_path: Path) -> None:
    endless = [text("Hi"), b"data: ", *[b"x" * 65_536] * 40]
    async with streaming(tmp_path, *endless) as (_, gateway):
        answer = await gateway.post(ASK)
        record = await gateway.bill(answer.headers["x-request-id"])

    assert b"sent an event of more than" in answer.body
    assert (record["outcome"], [attempt["outcome"] for attempt in record["attempts"]]) == (
        "upstream_cut",
        ["too_large"],
    )


async def test_a_caller_who_reads_slowly_holds_the_upstream_back(tmp_path: Path) -> None:
    """Memory is bounded by the slower side: what the caller does not take, the upstream keeps."""
    pieces = [text("x" * 65_536) for _ in range(800)]  # 50 MB
    served = streaming(tmp_path, *pieces, stop(), DONE, max_output=1_000_000)
    async with served as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, {**ASK, "max_tokens": 10})
        call = await simulator.arrived()
        await caller.read_head()
        for _ in range(50):  # while others are served, this upstream could have sent everything
            await gateway.get("/healthz")
        assert not call.answered.is_set()
        assert len(gateway.platform.watch) == 1
        caller.leave()
        await call.closed.wait()


async def test_a_drain_gives_up_on_an_upstream_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokengate.gateway.stream._MAX_DRAIN_BYTES", 200_000)
    pieces = [text("x" * 10_000) for _ in range(100)]
    draining = streaming(tmp_path, *pieces, gated=True, on_abort="drain", balance="1000")
    async with draining as (simulator, gateway), gateway.connect() as caller:
        await gateway.begin(caller, ASK)
        call = await simulator.arrived()
        call.release()
        await caller.read_head()
        await caller.read_piece()
        caller.leave()
        await eventually(lambda: gateway.counter("tokengate_drains") == 1)
        call.release(90)

        await call.closed.wait()
        record = await gateway.last_call()

    assert not call.answered.is_set()
    assert (record["outcome"], record["usage_source"]) == ("client_gone", "estimated")
    assert record["output_tokens"] > 0
