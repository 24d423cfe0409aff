"""The simulator is a judge: what it promises is tested too."""

import asyncio
import http.client
import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.simulators.openai_upstream import Reply, ThreadedUpstream, Upstream


def post(url: str, body: dict[str, Any], path: str = "/chat/completions") -> bytes:
    with urlopen(Request(url + path, json.dumps(body).encode()), timeout=10) as reply:
        return reply.read()


def frames(stream: bytes) -> list[Any]:
    lines = [line[6:] for line in stream.decode().split("\n\n") if line]
    return [json.loads(line) if line != "[DONE]" else line for line in lines]


def chat(model: str, **extra: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "one two"}], **extra}


def test_behaviour_is_chosen_by_the_models_name() -> None:
    with ThreadedUpstream() as upstream:
        echo = json.loads(post(upstream.url, chat("echo")))
        assert echo["choices"][0]["message"]["content"] == "one two"
        assert echo["usage"] == {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        assert json.loads(post(upstream.url, chat("usage-7-9")))["usage"]["total_tokens"] == 16
        assert "usage" not in json.loads(post(upstream.url, chat("no-usage")))
        assert post(upstream.url, chat("empty-200")) == b""
        assert len(json.loads(post(upstream.url, {"model": "e", "input": ["a", "b"]}, "/embeddings"))["data"]) == 2
        text = json.loads(post(upstream.url, {"model": "echo", "prompt": "hi"}, "/completions"))
        assert text["choices"][0]["text"] == "hi"


def test_stream_ends_with_usage_only_when_asked() -> None:
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    with ThreadedUpstream() as upstream:
        plain = frames(post(upstream.url, chat("chunks-3", stream=True)))
        counted = frames(post(upstream.url, chat("chunks-3", **asked)))
        nulls = frames(post(upstream.url, chat("usage-null-chunks", **asked)))

    assert [frame["choices"][0]["delta"].get("content") for frame in plain[:-1]] == [
        "",
        "word0 ",
        "word1 ",
        "word2 ",
        None,
    ]
    assert counted[-2]["usage"]["completion_tokens"] == 3
    assert (counted[-2]["choices"], plain[-1], counted[-1]) == ([], "[DONE]", "[DONE]")
    assert all(frame["usage"] is None for frame in nulls[:-2])


@pytest.mark.parametrize(("path", "kind"), [("generations", "image_generation"), ("edits", "image_edit")])
def test_pictures_are_streamed_or_at_an_address_when_asked(path: str, kind: str) -> None:
    with ThreadedUpstream() as upstream:
        streamed = post(upstream.url, {"prompt": "a cat", "stream": True}, f"/images/{path}").decode()
        whole = json.loads(post(upstream.url, {"prompt": "a cat", "stream": False}, f"/images/{path}"))
        placed = json.loads(post(upstream.url, {"prompt": "a cat", "response_format": "url"}, f"/images/{path}"))

    name, data = streamed.removesuffix("\n\n").split("\n")
    event = json.loads(data.removeprefix("data: "))
    assert name == f"event: {kind}.completed" == f"event: {event['type']}"
    assert whole["data"] == [{"b64_json": event["b64_json"]}] and placed["data"][0].keys() == {"url"}


def test_stream_that_is_cut_has_no_end() -> None:
    with ThreadedUpstream() as upstream, pytest.raises(http.client.IncompleteRead):
        post(upstream.url, chat("cut-stream", stream=True))


def test_calls_can_be_held_until_all_have_arrived() -> None:
    with ThreadedUpstream() as upstream:
        upstream.upstream.hold_until = 3
        connections = [http.client.HTTPConnection("127.0.0.1", upstream.upstream.port) for _ in range(3)]
        for connection in connections:
            connection.request("POST", "/v1/chat/completions", json.dumps(chat("echo")))

        upstream.run(upstream.upstream.arrived(3))

        assert [connection.getresponse().status for connection in connections] == [200, 200, 200]
        for connection in connections:
            connection.close()
        for call in upstream.calls:
            upstream.wait_closed(call)


async def test_pieces_wait_for_their_release() -> None:
    async with Upstream(lambda call: Reply(pieces=[b"one", b"two"], gated=True)) as upstream:
        reader, writer = await asyncio.open_connection("127.0.0.1", upstream.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        call = await upstream.arrived()
        await reader.readuntil(b"\r\n\r\n")

        call.release()
        assert await reader.readexactly(8) == b"3\r\none\r\n"
        assert not call.answered.is_set()

        writer.close()
        await call.closed.wait()
        assert not call.answered.is_set()
