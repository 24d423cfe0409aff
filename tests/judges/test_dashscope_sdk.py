"""The vendor's own SDK for Python, both its interfaces, calling DashScope's services."""

import json
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path
from typing import Any

import dashscope
import pytest
from dashscope.api_entities.aio_session import close_shared_aio_session
from dashscope.api_entities.http_request import close_shared_sync_session

from tests.judges.dashscope_place import PIXEL, PLACES, WEATHER, Place, open_place

HI = [{"role": "user", "content": "good day to you"}]
SAID = "You said: good day to you"

sdk: Any = dashscope  # its own types are loose


@pytest.fixture(scope="module", params=PLACES)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place, None, None]:
    with open_place(request.param, tmp_path_factory.mktemp("dashscope")) as place:
        yield place


@pytest.fixture
def place(opened: Place, monkeypatch: pytest.MonkeyPatch) -> Generator[Place, None, None]:
    yield from point_at(opened, monkeypatch)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[Place, None, None]:
    """The simulated vendor alone, with the services that are no chat."""
    with open_place("vendor", tmp_path) as place:
        yield from point_at(place, monkeypatch)


def point_at(place: Place, monkeypatch: pytest.MonkeyPatch) -> Generator[Place, None, None]:
    place.vendor.error_form = "whole"
    monkeypatch.setattr(dashscope, "base_http_api_url", place.url)
    monkeypatch.setattr(dashscope, "api_key", place.key)
    yield place
    close_shared_sync_session()


def ask(text: str = "good day to you", model: str = "qwen-plus", **parameters: Any) -> Any:
    return sdk.Generation.call(
        model, messages=[{"role": "user", "content": text}], **{"result_format": "message", **parameters}
    )


def look(*content: dict[str, Any], model: str = "qwen-vl-max", **parameters: Any) -> Any:
    return sdk.MultiModalConversation.call(model, messages=[{"role": "user", "content": list(content)}], **parameters)


def test_a_prompt_is_answered_with_text(place: Place):
    reply = sdk.Generation.call("qwen-plus", prompt="good day to you", result_format="text")

    assert reply.status_code == 200
    assert reply.output.text == SAID
    assert reply.output.finish_reason == "stop"
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (8, 6)
    assert reply.request_id


def test_messages_are_answered_with_a_message(place: Place):
    reply = ask()

    choice = reply.output.choices[0]
    assert (choice.finish_reason, choice.message.role, choice.message.content) == ("stop", "assistant", SAID)
    assert reply.usage["total_tokens"] == 14


@pytest.mark.parametrize("model", ["qwen-plus", "qwen3-max"])
def test_a_stream_in_pieces_adds_up(place: Place, model: str):
    chunks = list(ask(model=model, stream=True, incremental_output=True))

    contents = [chunk.output.choices[0].message.content for chunk in chunks]
    assert len([content for content in contents if content]) > 3
    assert "".join(contents) == SAID
    assert [chunk.output.choices[0].finish_reason for chunk in chunks] == ["null"] * (len(chunks) - 1) + ["stop"]
    assert chunks[-1].usage.output_tokens == 6


def test_a_stream_of_wholes_grows(place: Place):
    chunks = list(ask(stream=True, incremental_output=False))

    contents = [chunk.output.choices[0].message.content for chunk in chunks]
    assert contents[-1] == SAID
    assert all(later.startswith(earlier) for earlier, later in pairwise(contents))
    assert chunks[-1].output.choices[0].finish_reason == "stop"


def test_who_does_not_say_how_gets_a_stream_of_whole_texts(place: Place):
    chunks = list(sdk.Generation.call("qwen-plus", prompt="good day to you", stream=True))

    assert [chunk.output.text for chunk in chunks][-2:] == [SAID, SAID]
    assert chunks[-1].output.finish_reason == "stop"


def test_parameters_are_understood(place: Place):
    assert ask(max_tokens=2).output.choices[0].finish_reason == "length"
    assert ask(stop=["day"]).output.choices[0].message.content == "You said: good"
    assert len(ask(n=2).output.choices) == 2
    logprobs = ask(logprobs=True, top_logprobs=1).output.choices[0]["logprobs"]["content"]
    assert "".join(token["token"] for token in logprobs) == SAID
    assert logprobs[0]["top_logprobs"][0]["logprob"] == -0.25
    everything = ask(
        temperature=0.5, top_p=0.9, top_k=40, seed=7, repetition_penalty=1.1, presence_penalty=0.5, enable_search=False
    )
    assert everything.status_code == 200


def test_a_tool_loop_goes_round(place: Place):
    messages: list[Any] = [{"role": "user", "content": "weather in Hangzhou and Shanghai"}]
    how: dict[str, Any] = {"tools": [WEATHER], "parallel_tool_calls": True, "result_format": "message"}
    asked = sdk.Generation.call("qwen-plus", messages=messages, **how).output.choices[0]

    assert asked.finish_reason == "tool_calls"
    calls = asked.message.tool_calls
    assert [json.loads(call["function"]["arguments"])["location"] for call in calls] == ["Hangzhou", "Shanghai"]
    messages.append(asked.message)
    for call, weather in zip(calls, ("sunny", "rain"), strict=True):
        messages.append({"role": "tool", "content": weather, "tool_call_id": call["id"]})
    answer = sdk.Generation.call("qwen-plus", messages=messages, **how).output.choices[0]
    assert answer.message.content == "The tools say: sunny; rain"


@pytest.mark.parametrize("incremental", [True, False])
def test_tool_calls_are_streamed(place: Place, incremental: bool):
    chunks = ask(
        "weather in Hangzhou and Shanghai",
        tools=[WEATHER],
        parallel_tool_calls=True,
        stream=True,
        incremental_output=incremental,
    )

    calls: dict[int, Any] = {}
    for chunk in chunks:
        for call in chunk.output.choices[0].message.get("tool_calls") or ():
            seen = calls.setdefault(call["index"], {"id": "", "name": "", "arguments": ""})
            seen["id"] = call.get("id") or seen["id"]
            seen["name"] = call["function"].get("name") or seen["name"]
            arguments = call["function"].get("arguments", "")
            seen["arguments"] = seen["arguments"] + arguments if incremental else arguments
    assert [json.loads(call["arguments"])["location"] for call in calls.values()] == ["Hangzhou", "Shanghai"]
    assert {call["name"] for call in calls.values()} == {"get_weather"}
    assert all(call["id"] for call in calls.values())


def test_a_tool_can_be_named_or_forbidden(place: Place):
    named = ask(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "get_weather"}})
    forbidden = ask("weather in Hangzhou", tools=[WEATHER], tool_choice="none")

    assert named.output.choices[0].message.tool_calls[0]["function"]["name"] == "get_weather"
    assert "tool_calls" not in forbidden.output.choices[0].message


def test_thinking_is_told(place: Place):
    whole = ask(enable_thinking=True).output.choices[0].message
    chunks = [
        chunk.output.choices[0].message for chunk in ask(enable_thinking=True, stream=True, incremental_output=True)
    ]

    assert whole.reasoning_content == "Let me think about it."
    assert "".join(chunk.get("reasoning_content") or "" for chunk in chunks) == "Let me think about it."
    assert "".join(chunk.content for chunk in chunks) == SAID


def test_a_search_tells_what_it_found(place: Place):
    whole = ask(enable_search=True, search_options={"enable_source": True})
    chunks = list(ask(enable_search=True, stream=True, incremental_output=True))

    assert whole.output["search_info"]["search_results"][0]["url"] == "https://news.example/1"
    assert whole.usage["plugins"]["search"]["count"] == 1
    found = [result for chunk in chunks for result in chunk.output.get("search_info", {}).get("search_results", ())]
    assert [result["url"] for result in found] == ["https://news.example/1"]


def test_json_is_answered_where_it_is_asked_for(place: Place):
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}}}
    shaped = ask(
        response_format={"type": "json_schema", "json_schema": {"name": "weather", "schema": schema, "strict": True}}
    )

    assert json.loads(ask("json please", response_format={"type": "json_object"}).output.choices[0].message.content)
    assert json.loads(shaped.output.choices[0].message.content) == {"city": "text", "degrees": 7}


def test_a_begun_answer_is_gone_on_with(place: Place):
    messages = [{"role": "user", "content": "a tale"}, {"role": "assistant", "content": "Once", "partial": True}]

    assert sdk.Generation.call("qwen-plus", messages=messages, result_format="message").output.choices[
        0
    ].message.content == (" and so on")


def test_translation_options_reach_the_model(place: Place):
    reply = ask("代码", model="qwen-mt-plus", translation_options={"source_lang": "auto", "target_lang": "English"})

    assert reply.output.choices[0].message.content == "[English] 代码"


def test_a_picture_at_an_address_is_seen(place: Place):
    reply = look({"image": "https://img.example/dog.png"}, {"text": "what is it?"})

    assert reply.output.choices[0].message.content == [{"text": "You said: what is it? (image)"}]
    assert reply.usage["image_tokens"] == 500
    assert reply.usage.input_tokens == 507


def test_a_film_and_its_frames_are_seen(place: Place):
    whole = look({"video": "https://img.example/film.mp4", "fps": 2}, {"text": "and?"})
    frames = look({"video": [f"https://img.example/{number}.jpg" for number in range(4)]}, {"text": "and?"})

    assert whole.output.choices[0].message.content[0]["text"] == "You said: and? (video)"
    assert frames.output.choices[0].message.content[0]["text"] == "You said: and? (video of 4 frames)"
    assert frames.usage["video_tokens"] == 2000


def test_a_local_file_is_uploaded_and_seen(vendor: Place, tmp_path: Path):
    path = tmp_path / "dog.png"
    path.write_bytes(PIXEL)

    reply = look({"image": f"file://{path}"}, {"text": "what is it?"})

    assert reply.status_code == 200, reply.message
    assert reply.output.choices[0].message.content[0]["text"] == "You said: what is it? (image)"


@pytest.mark.parametrize("incremental", [True, False])
def test_what_is_seen_is_streamed(place: Place, incremental: bool):
    chunks = list(
        look(
            {"image": "https://img.example/dog.png"},
            {"text": "what is it?"},
            stream=True,
            incremental_output=incremental,
        )
    )

    texts = ["".join(entry["text"] for entry in chunk.output.choices[0].message.content or ()) for chunk in chunks]
    assert ("".join(texts) if incremental else texts[-1]) == "You said: what is it? (image)"
    assert chunks[-1].output.choices[0].finish_reason == "stop"
    assert chunks[-1].usage["image_tokens"] == 500


def test_texts_get_vectors(vendor: Place):
    reply = sdk.TextEmbedding.call("text-embedding-v4", ["one", "two words"], dimension=64, text_type="query")

    assert [one["text_index"] for one in reply.output["embeddings"]] == [0, 1]
    assert len(reply.output["embeddings"][0]["embedding"]) == 64
    assert reply.usage["total_tokens"] == 3


def test_media_get_vectors(vendor: Place):
    contents: Any = [{"text": "a dog"}, {"image": "https://img.example/dog.png"}]

    reply = sdk.MultiModalEmbedding.call("multimodal-embedding-v1", contents)

    assert [one["type"] for one in reply.output["embeddings"]] == ["text", "image"]


def test_documents_are_ranked(vendor: Place):
    documents = ["the sun shines", "a brown dog", "the dog and the sun"]

    reply = sdk.TextReRank.call("qwen3-rerank", "the dog", documents, top_n=2, return_documents=True)

    assert [(one.index, one["document"]["text"]) for one in reply.output.results] == [
        (2, documents[2]),
        (0, documents[0]),
    ]
    assert reply.usage.total_tokens == 11


ERRORS = [
    ("fail DataInspectionFailed", 400, "DataInspectionFailed"),
    ("fail Throttling", 429, "Throttling"),
    ("fail InternalError", 500, "InternalError"),
    ("fail ModelUnavailable", 503, "ModelUnavailable"),
]


@pytest.mark.parametrize(("text", "status", "code"), ERRORS)
def test_errors_have_status_code_and_words(place: Place, text: str, status: int, code: str):
    reply = ask(text, next(place.breakable))

    shown = 502 if place.through and status >= 500 else status  # the vendor's trouble is not the gateway's
    assert (reply.status_code, reply.code) == (shown, code)
    assert reply.message and reply.request_id
    assert reply.output is None


@pytest.mark.parametrize("form", ["whole", "events", "framed"])
def test_a_refused_stream_is_one_error(place: Place, form: str):
    place.vendor.error_form = form

    (reply,) = ask("fail DataInspectionFailed", stream=True, incremental_output=True)

    assert (reply.status_code, reply.code) == (400, "DataInspectionFailed")


def test_an_error_inside_a_stream_is_its_last_event(place: Place):
    chunks = list(ask("break InternalError", next(place.breakable), stream=True, incremental_output=True))

    assert [chunk.status_code for chunk in chunks[:-1]] == [200, 200]
    assert chunks[-1].status_code != 200
    assert chunks[-1].code == "InternalError"


def test_a_bad_key_is_told(place: Place):
    reply = ask(api_key="sk-wrong")

    assert (reply.status_code, reply.code) == (401, "InvalidApiKey")
    assert reply.message == "Invalid API-key provided."


def test_an_unknown_model_is_told(place: Place):
    assert ask(model="nothing").status_code == 404


def test_bad_parameters_are_told(place: Place):
    reply = ask(max_tokens=-1)

    assert (reply.status_code, reply.code) == (400, "InvalidParameter")


async def test_the_asynchronous_calls_do_the_same(place: Place):
    try:
        whole = await sdk.AioGeneration.call("qwen-plus", messages=HI, result_format="message")
        stream: Any = await sdk.AioGeneration.call(
            "qwen-plus", messages=HI, result_format="message", stream=True, incremental_output=True
        )
        pieces = [chunk.output.choices[0].message.content async for chunk in stream]
        film = [{"role": "user", "content": [{"video": "https://img.example/v.mp4"}, {"text": "and?"}]}]
        seen = await sdk.AioMultiModalConversation.call("qwen-vl-max", messages=film)
        failed = await sdk.AioGeneration.call(
            next(place.breakable), messages=[{"role": "user", "content": "fail Throttling"}]
        )
        broken: Any = await sdk.AioGeneration.call(
            next(place.breakable),
            messages=[{"role": "user", "content": "break InternalError"}],
            result_format="message",
            stream=True,
            incremental_output=True,
        )
        last = [chunk async for chunk in broken][-1]
    finally:
        await close_shared_aio_session()

    assert whole.output.choices[0].message.content == SAID
    assert "".join(pieces) == SAID
    assert seen.output.choices[0].message.content[0]["text"] == "You said: and? (video)"
    assert (failed.status_code, failed.code) == (429, "Throttling")
    assert last.code == "InternalError"


async def test_documents_are_ranked_asynchronously(vendor: Place):
    try:
        ranked = await sdk.AioTextReRank.call("qwen3-rerank", "the dog", ["a cat", "the dog"])
    finally:
        await close_shared_aio_session()

    assert [one.index for one in ranked.output.results] == [1, 0]
