"""Chats with models that draw: what is billed is what the caller got, whichever lane the reply takes."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from tests.gateway.parts import CHAT, MODEL, backend, call, target
from tests.gateway.test_convert import nothing_fetched
from tests.simulators.gemini_upstream import PNG
from tests.support import pictures_in
from tokengate.core.http import Exchange
from tokengate.core.usage import Usage, UsageSource
from tokengate.gateway.adapt import adapt
from tokengate.gateway.adapter import Adapter
from tokengate.gateway.call import Call
from tokengate.gateway.convert import Converted
from tokengate.gateway.count import used_by
from tokengate.gateway.drawing_chat import DrawingChat
from tokengate.gateway.forward import Forwarded
from tokengate.gateway.gemini import generate
from tokengate.gateway.lane import OpenAILane
from tokengate.gateway.openai import CHAT_COMPLETIONS
from tokengate.gateway.other_way import OtherWay
from tokengate.gateway.written import Written
from tokengate.providers.load import provider_of

Json = dict[str, Any]
Drawn = list[list[str]]  # what each choice holds, in order

URL = f"data:image/png;base64,{PNG}"
USAGE = {"prompt_tokens": 10, "completion_tokens": 260, "total_tokens": 270}
METADATA = {"promptTokenCount": 10, "candidatesTokenCount": 260, "totalTokenCount": 270}
HEAD = {"id": "chatcmpl-1", "created": 5, "model": "m"}
GEMINI_CHAT = b'{"contents":[{"role":"user","parts":[{"text":"a cat"}]}]}'


class Lane(Struct, frozen=True):
    """A caller's format, a provider whose models draw, and the adapter between them."""

    caller: str
    provider: str
    adapter: type


LANES = (
    Lane("openai", "openai_compatible", OpenAILane),
    Lane("openai", "google", Converted),
    Lane("openai", "vllm", Converted),
    Lane("gemini", "google", Forwarded),
    Lane("gemini", "openai_compatible", Converted),
)
each_lane = pytest.mark.parametrize("lane", LANES, ids=[f"{one.caller}-{one.provider}" for one in LANES])
# A thought picture is a sketch, which Google shows to who asks for thoughts, and does not charge.
drawn = st.lists(
    st.lists(st.sampled_from(["text", "picture", "sketch"]), min_size=1, max_size=5), min_size=1, max_size=3
)


class Sent:
    """Implements `Exchange`: a body in pieces of some size."""

    status = 200
    headers: Mapping[str, str] = {}

    def __init__(self, body: bytes, cut: int) -> None:
        self._pieces = [body[at : at + cut] for at in range(0, len(body), cut)]

    async def read(self, limit_bytes: int) -> bytes:
        return b"".join(self._pieces)

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece

    def close(self) -> None:
        pass


def google_part(what: str) -> Json:
    if what == "text":
        return {"text": "Here it is."}
    picture = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    return picture | {"thought": True} if what == "sketch" else picture


def google_whole(choices: Drawn) -> Json:
    candidates = [
        {"content": {"role": "model", "parts": list(map(google_part, one))}, "finishReason": "STOP", "index": at}
        for at, one in enumerate(choices)
    ]
    return {"candidates": candidates, "usageMetadata": METADATA, "modelVersion": "m", "responseId": "r"}


def google_events(choices: Drawn) -> list[Json]:
    events: list[Json] = []
    for at, one in enumerate(choices):
        for number, what in enumerate(one, 1):
            candidate: Json = {"content": {"role": "model", "parts": [google_part(what)]}, "index": at}
            if number == len(one):
                candidate["finishReason"] = "STOP"
            events.append({"candidates": [candidate], "usageMetadata": METADATA, "modelVersion": "m"})
    return events


def message(what: list[str], *, in_content: bool) -> Json:
    """Return a message, or a delta: OpenRouter's has its pictures beside the content, vLLM-Omni's inside."""
    text = "".join("Here it is." for one in what if one == "text")
    pictures = [{"type": "image_url", "image_url": {"url": URL}} for one in what if one == "picture"]
    if in_content:
        return {"role": "assistant", "content": pictures or text}
    return {"role": "assistant", "content": text or None} | ({"images": pictures} if pictures else {})


def openai_whole(choices: Drawn, *, in_content: bool) -> Json:
    said = [
        {"index": at, "message": message(one, in_content=in_content), "finish_reason": "stop"}
        for at, one in enumerate(choices)
    ]
    return {**HEAD, "object": "chat.completion", "choices": said, "usage": USAGE}


def openai_events(choices: Drawn, *, in_content: bool) -> list[Json]:
    said: list[Json] = [
        {"index": at, "delta": message([what], in_content=in_content), "finish_reason": None}
        for at, one in enumerate(choices)
        for what in one
    ]
    said += [{"index": at, "delta": {}, "finish_reason": "stop"} for at in range(len(choices))]
    head = {**HEAD, "object": "chat.completion.chunk"}
    return [*({**head, "choices": [one]} for one in said), {**head, "choices": [], "usage": USAGE}]


def whole_of(lane: Lane, choices: Drawn) -> bytes:
    if lane.provider == "google":
        return json.dumps(google_whole(choices)).encode()
    return json.dumps(openai_whole(choices, in_content=lane.provider == "vllm")).encode()


def stream_of(lane: Lane, choices: Drawn) -> bytes:
    if lane.provider == "google":
        return b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in google_events(choices))
    events = openai_events(choices, in_content=lane.provider == "vllm")
    return b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in events) + b"data: [DONE]\n\n"


async def asked(lane: Lane, *, choices: int = 1, stream: bool = False, kind: Any = "image") -> tuple[Adapter, Call]:
    if lane.caller == "gemini":
        body, operation = GEMINI_CHAT, generate("m", stream=stream)
    else:
        body = json.dumps({**json.loads(CHAT), "stream": stream, "stream_options": {"include_usage": True}}).encode()
        operation = CHAT_COMPLETIONS
    one = call(body, operation=operation)
    one.model = replace(MODEL, kind=kind)
    one.asked = replace(one.asked, choices=choices)
    one.reply_type = "text/event-stream" if stream else "application/json"
    to = replace(target(backend()), formats=provider_of(lane.provider).drawing)
    return await adapt(one, to, body, None, nothing_fetched), one


async def streamed(adapter: Adapter, exchange: Exchange) -> tuple[bytes, Any]:
    """Return what the caller is told, and the lane that told it."""
    lane = adapter.lane(Written(MODEL))
    told = [lane.feed(piece) async for piece in adapter.pieces(exchange, nothing_fetched)]
    return b"".join([*told, lane.close(), lane.end(Usage(input=10, output=260))]), lane


def values_in(stream: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in stream.splitlines() if line.startswith(b"data: {")]


@each_lane
@given(choices=drawn)
async def test_the_pictures_of_a_whole_reply_are_billed_as_the_caller_got_them(lane: Lane, choices: Drawn) -> None:
    adapter, one = await asked(lane, choices=len(choices))
    data = whole_of(lane, choices)

    reply = adapter.whole(data)
    used = await used_by(one, CHAT, reply.usage, reply.texts)

    assert isinstance(adapter, DrawingChat) and isinstance(adapter.inner, OtherWay)
    assert isinstance(adapter.inner.inner, lane.adapter)
    assert used.usage.image == pictures_in(json.loads(reply.body)) == sum(one.count("picture") for one in choices)
    assert (used.usage.input, used.usage.output, used.source) == (10, 260, UsageSource.VENDOR)
    assert used.size == ("1x1" if used.usage.image else None)
    if lane.adapter is not Converted:
        assert reply.body == data


@each_lane
@given(choices=drawn, cut=st.sampled_from([7, 100, 1_000, 100_000]))
async def test_the_pictures_of_a_stream_are_billed_as_the_caller_got_them(lane: Lane, choices: Drawn, cut: int) -> None:
    adapter, one = await asked(lane, choices=len(choices), stream=True)
    data = stream_of(lane, choices)

    told, ended = await streamed(adapter, Sent(data, cut))
    used = await used_by(one, CHAT, ended.usage, Written(MODEL))

    assert ended.finished
    assert used.usage.image == pictures_in(values_in(told)) == sum(one.count("picture") for one in choices)
    assert (used.usage.input, used.usage.output, used.source) == (10, 260, UsageSource.VENDOR)
    if lane.adapter is not Converted:
        assert told == data


@each_lane
@pytest.mark.parametrize("stream", [False, True])
async def test_a_backend_that_answers_in_the_other_way_is_counted_too(lane: Lane, stream: bool) -> None:
    adapter, one = await asked(lane, stream=stream)
    one.reply_type = "application/json" if stream else "text/event-stream"
    choices = [["text", "picture", "picture"]]

    if stream:
        told = values_in((await streamed(adapter, Sent(whole_of(lane, choices), 100)))[0])
    else:
        told = json.loads(adapter.whole(stream_of(lane, choices)).body)

    assert one.drawn is not None and one.drawn.count == pictures_in(told) == 2


@each_lane
async def test_a_stream_that_is_cut_is_billed_for_the_pictures_that_came(lane: Lane) -> None:
    adapter, one = await asked(lane, stream=True)
    data = stream_of(lane, [["picture", "picture"]])
    half = data[: data.rindex(PNG.encode()) + 10]

    passing, told = adapter.lane(Written(MODEL)), b""
    async for piece in adapter.pieces(Sent(half, 50), nothing_fetched):
        told += passing.feed(piece)

    assert not passing.finished
    assert one.drawn is not None and one.drawn.count == pictures_in(values_in(told)) == 1


@each_lane
async def test_each_attempt_counts_from_the_beginning(lane: Lane) -> None:
    adapter, one = await asked(lane)
    adapter.whole(whole_of(lane, [["picture"]]))

    await adapt(
        one, replace(target(backend()), formats=provider_of(lane.provider).drawing), CHAT, None, nothing_fetched
    )

    assert one.drawn is not None and one.drawn.count == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_what_the_lane_passes_on_unread_does_not_break_it(stream: bool) -> None:
    adapter, one = await asked(LANES[0], stream=stream)
    data = b'data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: oh\n\n'

    if stream:
        assert (await streamed(adapter, Sent(data + b"data: [DONE]\n\n", 1_000)))[0].startswith(data)
    else:
        assert adapter.whole(b'{"model": "m", "choices": null, "data": [1]}').has_content
    assert one.drawn is not None and one.drawn.count == 0


async def test_models_that_chat_are_not_looked_at() -> None:
    adapter, one = await asked(LANES[0], kind="chat")

    reply = adapter.whole(whole_of(LANES[0], [["picture"]]))
    used = await used_by(one, CHAT, reply.usage, reply.texts)

    assert not isinstance(adapter, DrawingChat) and one.drawn is None
    assert used.usage == Usage(input=10, output=260)


async def test_pictures_are_counted_where_the_vendor_tells_no_usage() -> None:
    adapter, one = await asked(LANES[0])
    data = json.loads(whole_of(LANES[0], [["text", "picture"]]))

    reply = adapter.whole(json.dumps(data | {"usage": None}).encode())
    used = await used_by(one, CHAT, reply.usage, reply.texts)

    assert (used.usage.image, used.size, used.source) == (1, "1x1", UsageSource.ESTIMATED)
    assert used.usage.input and used.usage.output
