"""The second interface of the vendor's SDK for Python, `dashscope.Client`, in the vendor's own protocol."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import dashscope
import pytest
from dashscope.v2.errors import (
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    DashScopeError,
    NotFoundError,
    RateLimitError,
)

from tests.judges.dashscope_place import PIXEL, PLACES, WEATHER, Place, open_place

SAID = "You said: good day to you"
HI: list[Any] = [{"role": "user", "content": "good day to you"}]


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place, None, None]:
    with open_place(request.param, tmp_path_factory.mktemp("dashscope")) as place:
        yield place


@pytest.fixture
def client(place: Place) -> Generator[Any, None, None]:
    place.vendor.error_form = "whole"
    with client_of(place) as client:
        yield client


@pytest.fixture
def vendors_client(tmp_path: Path) -> Generator[Any, None, None]:
    """A client of the simulated vendor alone, with the services that are no chat."""
    with open_place("vendor", tmp_path) as place, client_of(place) as client:
        yield client


def client_of(place: Place, key: str | None = None) -> Any:
    return dashscope.Client(api_key=key or place.key, base_url=place.url, max_retries=0)


def look(client: Any, *parts: dict[str, Any], **how: Any) -> Any:
    return client.chat.completions.create(
        model="qwen-vl-max", messages=[{"role": "user", "content": list(parts)}], **how
    )


def test_messages_are_answered(client: Any):
    reply = client.chat.completions.create(model="qwen-plus", messages=HI)

    assert reply.output_text == SAID
    assert reply.choices[0].finish_reason == "stop"
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.total_tokens) == (8, 6, 14)
    assert reply.request_id


@pytest.mark.parametrize("incremental", [None, True, False])
def test_a_stream_adds_up_to_its_message(client: Any, incremental: bool | None):
    stream = client.chat.completions.create(
        model="qwen-plus", messages=HI, stream=True, incremental_output=incremental, enable_thinking=True
    )

    final = stream.get_final_message()

    message = final.choices[0].message
    assert (message.content, message.reasoning_content) == (SAID, "Let me think about it.")
    assert final.choices[0].finish_reason == "stop"
    assert final.usage.output_tokens == 11


def test_a_tool_loop_goes_round(client: Any):
    how = {"model": "qwen-plus", "tools": [WEATHER], "parallel_tool_calls": True}
    messages: list[Any] = [{"role": "user", "content": "weather in Hangzhou and Shanghai"}]
    asked = client.chat.completions.create(messages=messages, stream=True, **how).get_final_message().choices[0]

    places = [json.loads(call.function.arguments)["location"] for call in asked.message.tool_calls]
    assert places == ["Hangzhou", "Shanghai"]
    messages.append(asked.message.model_dump(exclude_none=True) | {"content": ""})
    for call in asked.message.tool_calls:
        messages.append({"role": "tool", "content": "sunny", "tool_call_id": call.id})
    answer = client.chat.completions.create(messages=messages, **how)
    assert answer.output_text == "The tools say: sunny; sunny"


def test_media_are_seen(client: Any):
    text = {"type": "text", "text": "and?"}

    address = look(client, {"type": "image", "url": "https://img.example/a.png", "max_pixels": 4096}, text)
    frames = look(client, {"type": "video", "frames": ["https://img.example/1.jpg"] * 4, "fps": 2.0}, text)
    film = look(client, {"type": "video", "url": "https://img.example/v.mp4"}, text, stream=True)

    assert address.output_text == "You said: and? (image)"
    assert frames.output_text == "You said: and? (video of 4 frames)"
    assert film.get_final_message().output_text == "You said: and? (video)"


def test_a_local_picture_is_uploaded_and_seen(vendors_client: Any, tmp_path: Path):
    path = tmp_path / "dog.png"
    path.write_bytes(PIXEL)

    local = look(vendors_client, {"type": "image", "url": str(path)}, {"type": "text", "text": "and?"})

    assert local.output_text == "You said: and? (image)"


def test_a_search_tells_what_it_found(client: Any):
    reply = client.chat.completions.create(model="qwen-plus", messages=HI, enable_search=True)

    assert reply.search_info.search_results[0].url == "https://news.example/1"


def test_vectors_and_rankings(vendors_client: Any):
    vectors = vendors_client.embeddings.create(model="text-embedding-v4", input=["one", "two words"], dimension=64)
    ranking = vendors_client.rerank.create(
        model="qwen3-rerank", query="the dog", documents=["a cat", "the dog"], top_n=1
    )

    assert [len(one.embedding) for one in vectors.embeddings] == [64, 64]
    assert vectors.usage.total_tokens == 3
    assert [one.index for one in ranking.results] == [1]


ERRORS: list[tuple[str, type[DashScopeError]]] = [
    ("fail DataInspectionFailed", ContentFilterError),
    ("fail Throttling", RateLimitError),
    ("fail InternalError", DashScopeError),
]


@pytest.mark.parametrize(("text", "kind"), ERRORS)
@pytest.mark.parametrize("stream", [False, True])
def test_errors_are_told_apart(place: Place, client: Any, text: str, kind: type[DashScopeError], stream: bool):
    with pytest.raises(kind) as caught:
        client.chat.completions.create(
            model=next(place.breakable), messages=[{"role": "user", "content": text}], stream=stream
        )

    assert caught.value.request_id
    assert caught.value.code == text.partition(" ")[2]


@pytest.mark.parametrize("form", ["events", "framed", "mislabelled"])
def test_a_refused_stream_raises(place: Place, client: Any, form: str):
    place.vendor.error_form = form
    messages = [{"role": "user", "content": "fail DataInspectionFailed"}]

    with pytest.raises(ContentFilterError):
        list(client.chat.completions.create(model="qwen-plus", messages=messages, stream=True))


def test_an_error_inside_a_stream_raises(place: Place, client: Any):
    messages = [{"role": "user", "content": "break InternalError"}]
    stream = client.chat.completions.create(model=next(place.breakable), messages=messages, stream=True)

    with pytest.raises(DashScopeError) as caught:
        list(stream)

    assert caught.value.code == "InternalError"


def test_the_callers_own_mistakes_are_told(place: Place, client: Any):
    with pytest.raises(NotFoundError):
        client.chat.completions.create(model="nothing", messages=HI)
    with pytest.raises(BadRequestError):
        client.chat.completions.create(model="qwen-plus", messages=HI, temperature=3.0)
    with client_of(place, "sk-wrong") as wrong, pytest.raises(AuthenticationError):
        wrong.chat.completions.create(model="qwen-plus", messages=HI)


async def test_the_asynchronous_client_does_the_same(place: Place):
    client: Any = dashscope.AsyncClient(api_key=place.key, base_url=place.url, max_retries=0)
    async with client:
        whole = await client.chat.completions.create(model="qwen-plus", messages=HI)
        stream = await client.chat.completions.create(model="qwen-plus", messages=HI, stream=True)
        final = await stream.get_final_message()

    assert whole.output_text == final.output_text == SAID
