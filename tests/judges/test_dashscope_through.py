"""DashScope's SDK through the gateway to every other vendor: what `test_pairs.py` does not ask of each SDK alike."""

import json
import urllib.request
from collections.abc import Generator
from itertools import pairwise
from typing import Any

import dashscope
import pytest
from dashscope.api_entities.aio_session import close_shared_aio_session
from dashscope.api_entities.http_request import close_shared_sync_session

from tests.judges.backends import ANTHROPIC, BACKENDS, PNG, Backend, Through, through

every = pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])

sdk: Any = dashscope  # its own types are loose


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Generator[Through]:
    with through(tmp_path_factory.mktemp("dashscope")) as place:
        yield place


@pytest.fixture(autouse=True)
def sdk_points_at_it(vendors: Through, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    monkeypatch.setattr(dashscope, "base_http_api_url", f"{vendors.url}/api/v1")
    monkeypatch.setattr(dashscope, "api_key", vendors.key)
    yield
    close_shared_sync_session()


@streamed
@every
def test_a_prompt_is_answered_with_a_text(backend: Backend, stream: bool) -> None:
    how = {"prompt": "one two", "result_format": "text", "max_tokens": 200}
    if stream:
        *_, reply = sdk.Generation.call(backend.text_model, stream=True, **how)
    else:
        reply = sdk.Generation.call(backend.text_model, **how)

    assert "one two" in reply.output.text
    assert reply.output.finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.input_tokens + reply.usage.output_tokens > 0


@every
def test_a_history_is_a_conversation(backend: Backend) -> None:
    history = [{"user": "first words", "bot": "Yes."}]

    reply = sdk.Generation.call(backend.text_model, prompt="second words", history=history, result_format="text")

    assert "second words" in reply.output.text


@streamed
@every
async def test_the_asynchronous_calls_are_answered_too(backend: Backend, stream: bool) -> None:
    how: dict[str, Any] = {"messages": [{"role": "user", "content": "one two"}], "result_format": "message"}
    try:
        if stream:
            events = await sdk.AioGeneration.call(backend.text_model, stream=True, incremental_output=True, **how)
            said = "".join([event.output.choices[0].message.content async for event in events])
        else:
            said = (await sdk.AioGeneration.call(backend.text_model, **how)).output.choices[0].message.content
    finally:
        await close_shared_aio_session()

    assert "one two" in said


@pytest.mark.parametrize("backend", [one for one in BACKENDS if one.image_model], ids=lambda one: one.name)
async def test_a_picture_is_seen_asynchronously(backend: Backend) -> None:
    content = [{"image": f"data:image/png;base64,{PNG}"}, {"text": "What is this?"}]
    try:
        reply = await sdk.AioMultiModalConversation.call(
            backend.image_model, messages=[{"role": "user", "content": content}]
        )
    finally:
        await close_shared_aio_session()

    (said,) = reply.output.choices[0].message.content
    assert "image" in said["text"] or "picture" in said["text"]


@every
def test_the_newer_interface_adds_a_stream_up(vendors: Through, backend: Backend) -> None:
    with sdk.Client(api_key=vendors.key, base_url=f"{vendors.url}/api/v1", max_retries=0) as client:
        stream = client.chat.completions.create(
            model=backend.text_model, messages=[{"role": "user", "content": "one two"}], stream=True
        )
        final = stream.get_final_message()

    assert "one two" in final.output_text
    assert final.choices[0].finish_reason == "stop" and final.usage.output_tokens > 0


@every
def test_every_event_tells_all_that_was_said_so_far(vendors: Through, backend: Backend) -> None:
    """The SDK asks for pieces and adds them up itself; programs without it ask as here."""
    messages = [{"role": "user", "content": backend.weather(["Rome", "Oslo"])}]
    function = {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {backend.place: {"type": "string"}},
            "required": [backend.place],
        },
    }
    parameters = {
        "result_format": "message",
        "incremental_output": False,
        "tools": [{"type": "function", "function": function}],
        "parallel_tool_calls": True,
    }
    body = {"model": backend.text_model, "input": {"messages": messages}, "parameters": parameters}

    events = wholes(vendors, body)

    told = [event["output"]["choices"][0]["message"].get("tool_calls", []) for event in events]
    assert [json.loads(call["function"]["arguments"]) for call in told[-1]] == [
        {backend.place: "Rome"},
        {backend.place: "Oslo"},
    ]
    for before, after in pairwise(told):
        for call, grown in zip(before, after, strict=False):
            assert (call["id"], call["function"]["name"]) == (grown["id"], grown["function"]["name"])
            assert grown["function"]["arguments"].startswith(call["function"]["arguments"])
    assert events[-1]["output"]["choices"][0]["finish_reason"] == "tool_calls"


@streamed
@every
def test_what_is_wrong_is_refused_alike(backend: Backend, stream: bool) -> None:
    how = {"prompt": "hi", "temperature": 5.0}
    if stream:
        (reply,) = sdk.Generation.call(backend.text_model, stream=True, **how)
    else:
        reply = sdk.Generation.call(backend.text_model, **how)

    assert (reply.status_code, reply.code) == (400, "InvalidParameter")
    assert "parameters.temperature" in reply.message and reply.request_id


def test_an_error_inside_a_stream_is_its_last_event() -> None:
    *told, last = sdk.Generation.call(
        ANTHROPIC.text_model,
        prompt="BREAK overloaded_error, please",
        result_format="message",
        stream=True,
        incremental_output=True,
    )

    assert told and all(event.status_code == 200 for event in told)
    assert (last.status_code, last.code) == (503, "ServiceUnavailable")


def wholes(vendors: Through, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a stream that was asked for without the SDK."""
    request = urllib.request.Request(
        f"{vendors.url}/api/v1/services/aigc/text-generation/generation",
        json.dumps(body).encode(),
        {
            "authorization": f"Bearer {vendors.key}",
            "content-type": "application/json",
            "accept": "text/event-stream",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        lines = reply.read().splitlines()
    return [json.loads(line.removeprefix(b"data:")) for line in lines if line.startswith(b"data:")]
