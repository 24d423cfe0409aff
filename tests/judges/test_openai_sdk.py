"""OpenAI's Python SDK judges all of chat completions, straight at the simulated vendor and through the gateway."""

import base64
import json
from collections.abc import Callable
from typing import Any, cast

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from tests.judges.openai_place import Place

CHAT, THINKS = "gpt-4.1", "gpt-5.4"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {"name": "get_weather", "description": "The weather.", "parameters": CITY, "strict": True},
}
CODE: dict[str, Any] = {
    "type": "custom",
    "custom": {
        "name": "code_exec",
        "description": "Runs code.",
        "format": {"type": "grammar", "grammar": {"syntax": "regex", "definition": ".+"}},
    },
}
TWO_PLACES = 'get_weather({"city": "Rome"}) and get_weather({"city": "北京"})'


class Trip(BaseModel):
    city: str
    days: int
    sunny: bool


Ask = Callable[..., Any]


@pytest.fixture(params=["whole", "stream"])
def ask(request: pytest.FixtureRequest, client: OpenAI) -> Ask:
    """Ask and return the completion, which a stream's chunks are put together to."""

    def whole(content: Any, model: str = CHAT, **options: Any) -> Any:
        create: Callable[..., Any] = client.chat.completions.create
        return create(model=model, messages=_messages(content), **options)

    def streamed(content: Any, model: str = CHAT, **options: Any) -> Any:
        create: Callable[..., Any] = client.chat.completions.create
        options = {"stream_options": {"include_usage": True}, **options}
        return _put_together(list(create(model=model, messages=_messages(content), stream=True, **options)))

    return whole if request.param == "whole" else streamed


def test_an_answer_has_every_member(place: Place, ask: Ask) -> None:
    reply = ask("Grüße, 世界 🙂!")

    assert reply.choices[0].message.content == "You said: Grüße, 世界 🙂!"
    assert reply.choices[0].message.role == "assistant"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.id.startswith("chatcmpl-") and reply.created > 0
    assert (reply.model, reply.system_fingerprint, reply.service_tier) == (CHAT, "fp_simulated", "default")
    usage = reply.usage
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens_details.cached_tokens == usage.prompt_tokens // 2


def test_several_answers_come_with_their_probabilities(ask: Ask) -> None:
    reply = ask("Hello", n=3, logprobs=True, top_logprobs=2)

    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    for choice in reply.choices:
        tokens = choice.logprobs.content
        assert "".join(token.token for token in tokens) == choice.message.content == "You said: Hello"
        assert all(token.logprob == -0.25 and len(token.top_logprobs) == 2 for token in tokens)
        assert bytes(tokens[0].bytes) == tokens[0].token.encode()


def test_tools_are_called_at_once_and_answered(place: Place, ask: Ask) -> None:
    asked: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": TWO_PLACES}]
    first = ask(asked, tools=[WEATHER])
    calls = first.choices[0].message.tool_calls
    asked.append(first.choices[0].message.model_dump(exclude_none=True))
    asked += [{"role": "tool", "tool_call_id": call.id, "content": f"sun {index}"} for index, call in enumerate(calls)]
    second = ask(asked, tools=[WEATHER])

    assert first.choices[0].finish_reason == "tool_calls"
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Rome"}, {"city": "北京"}]
    assert second.choices[0].message.content == "The tools say: sun 0, sun 1."


def test_tools_can_be_called_one_at_a_time(ask: Ask) -> None:
    reply = ask(TWO_PLACES, tools=[WEATHER], parallel_tool_calls=False)

    assert len(reply.choices[0].message.tool_calls) == 1


@pytest.mark.parametrize(
    ("choice", "called", "finish"),
    [
        ("none", 0, "stop"),
        ("auto", 0, "stop"),
        ("required", 1, "tool_calls"),
        ({"type": "function", "function": {"name": "get_weather"}}, 1, "stop"),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "auto",
                    "tools": [{"type": "function", "function": {"name": "get_weather"}}],
                },
            },
            0,
            "stop",
        ),
    ],
)
def test_the_choice_of_a_tool_is_obeyed(ask: Ask, choice: Any, called: int, finish: str) -> None:
    reply = ask("Hello", tools=[WEATHER, CODE], tool_choice=choice)

    assert len(reply.choices[0].message.tool_calls or ()) == called
    assert reply.choices[0].finish_reason == finish


def test_custom_tools_take_any_text(ask: Ask) -> None:
    asked: list[Any] = [{"role": "user", "content": "code_exec<print('你好')>"}]
    first = ask(asked, tools=[CODE])
    call = first.choices[0].message.tool_calls[0]
    asked.append(first.choices[0].message.model_dump(exclude_none=True))
    asked.append({"role": "tool", "tool_call_id": call.id, "content": "你好"})

    assert call.type == "custom"
    assert _members(call.custom) == {"name": "code_exec", "input": "print('你好')"}
    assert ask(asked, tools=[CODE]).choices[0].message.content == "The tools say: 你好."


def test_functions_from_before_tools_are_still_called(ask: Ask) -> None:
    function = {"name": "get_weather", "parameters": CITY}
    asked: list[Any] = [{"role": "user", "content": 'get_weather({"city": "Rome"})'}]
    first = ask(asked, functions=[function])
    asked.append(first.choices[0].message.model_dump(exclude_none=True))
    asked.append({"role": "function", "name": "get_weather", "content": "sun"})

    assert first.choices[0].finish_reason == "function_call"
    assert json.loads(first.choices[0].message.function_call.arguments) == {"city": "Rome"}
    assert ask(asked, functions=[function]).choices[0].message.content == "The tools say: sun."


def test_pictures_sounds_and_documents_arrive(place: Place, ask: Ask) -> None:
    content = [
        {"type": "text", "text": "What is all this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}},
        {"type": "input_audio", "input_audio": {"data": base64.b64encode(b"RIFF").decode(), "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
    ]

    reply = ask(content)

    assert reply.choices[0].message.content == (
        "I see 2 image(s). I see 1 sound(s). I see 1 document(s). You said: What is all this?"
    )
    assert place.vendor.asked[-1]["messages"][0]["content"] == content


def test_an_answer_is_parsed_to_its_schema(client: OpenAI) -> None:
    reply = client.chat.completions.parse(
        model=CHAT, messages=[{"role": "user", "content": "To 'Rome'"}], response_format=Trip
    )

    assert reply.choices[0].message.parsed == Trip(city="Rome", days=7, sunny=True)


def test_a_streamed_answer_is_parsed_to_its_schema(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model=CHAT, messages=[{"role": "user", "content": "To 'Rome'"}], response_format=Trip
    ) as stream:
        kinds = {event.type for event in stream}
        reply = stream.get_final_completion()

    assert reply.choices[0].message.parsed == Trip(city="Rome", days=7, sunny=True)
    assert {"chunk", "content.delta", "content.done"} <= kinds


def test_json_can_be_had_without_a_schema(ask: Ask) -> None:
    reply = ask("Answer in JSON.", response_format={"type": "json_object"})

    assert json.loads(reply.choices[0].message.content) == {"said": "Answer in JSON."}


def test_an_answer_can_be_spoken(ask: Ask) -> None:
    reply = ask(
        "Hello",
        model="gpt-4o-audio-preview",
        modalities=["text", "audio"],
        audio={"voice": "alloy", "format": "wav"},
    )

    audio = _members(reply.choices[0].message.audio)
    assert base64.b64decode(audio["data"]) == b"RIFFYou said: Hello"
    assert (audio["transcript"], audio["expires_at"]) == ("You said: Hello", 1_764_003_600)
    assert reply.usage.completion_tokens_details.audio_tokens > 0


def test_a_search_tells_its_sources(ask: Ask) -> None:
    options = {"search_context_size": "low", "user_location": {"type": "approximate", "approximate": {"city": "Rome"}}}
    reply = ask("Hello", model="gpt-4o-search-preview", web_search_options=options)

    assert _members(reply.choices[0].message.annotations[0])["url_citation"] == {
        "start_index": 0,
        "end_index": 3,
        "title": "A page",
        "url": "https://pages.example/a",
    }


def test_thinking_is_counted(ask: Ask) -> None:
    reply = ask("Hello", model=THINKS, reasoning_effort="high", max_completion_tokens=500, verbosity="low")

    assert reply.usage.completion_tokens_details.reasoning_tokens == 11
    assert reply.choices[0].message.content == "You said: Hello"


def test_a_refusal_is_told_apart(ask: Ask) -> None:
    message = ask("REFUSE").choices[0].message

    assert message.refusal == "I'm sorry, I cannot help with that."
    assert not message.content


def test_a_withheld_answer_says_so(ask: Ask) -> None:
    assert ask("FILTER").choices[0].finish_reason == "content_filter"


def test_the_cap_cuts_an_answer(ask: Ask) -> None:
    reply = ask("one two three four five six", max_tokens=4)

    assert reply.choices[0].finish_reason == "length"
    assert reply.choices[0].message.content == "You said: one two"
    assert reply.usage.completion_tokens == 4


@pytest.mark.parametrize("stop", ["three", ["nine", "three"]])
def test_a_stop_sequence_ends_an_answer(ask: Ask, stop: Any) -> None:
    reply = ask("one two three four", stop=stop)

    assert reply.choices[0].message.content == "You said: one two "
    assert reply.choices[0].finish_reason == "stop"


def test_every_parameter_reaches_the_vendor_as_it_was(place: Place, ask: Ask) -> None:
    options: dict[str, Any] = {
        "temperature": 0.7,
        "top_p": 0.9,
        "frequency_penalty": 0.5,
        "presence_penalty": -0.5,
        "seed": 42,
        "logit_bias": {"1234": -100},
        "user": "u",
        "safety_identifier": "s",
        "metadata": {"a": "b"},
        "store": False,
        "service_tier": "flex",
        "prompt_cache_key": "k",
        "prediction": {"type": "content", "content": "x"},
    }

    reply = ask("Hello", **options)

    assert reply.service_tier == "flex"
    assert options.items() <= place.vendor.asked[-1].items()


@pytest.mark.parametrize(
    ("options", "param", "code"),
    [
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", None),
        ({"top_logprobs": 2}, "top_logprobs", None),
        ({"response_format": {"type": "json_object"}}, "messages", None),
        ({"model": THINKS, "temperature": 0.5}, "temperature", "unsupported_value"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name", "invalid_value"),
        ({"messages": [{"role": "tool", "tool_call_id": "x", "content": "y"}]}, "messages[0].role", None),
    ],
)
def test_a_bad_request_is_a_bad_request_that_names_its_parameter(
    client: OpenAI, options: dict[str, Any], param: str, code: str | None
) -> None:
    create: Callable[..., Any] = client.chat.completions.create
    asked = {"model": CHAT, "messages": [{"role": "user", "content": "Hello"}], **options}

    with pytest.raises(openai.BadRequestError) as failure:
        create(**asked)

    assert failure.value.type == "invalid_request_error"
    assert str(failure.value.param).startswith(param)
    assert code is None or failure.value.code == code
    assert failure.value.message


def test_a_wrong_key_is_an_authentication_error(place: Place) -> None:
    with (
        OpenAI(base_url=place.url, api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as failure,
    ):
        client.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": "Hello"}])

    assert failure.value.code == "invalid_api_key"


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as failure:
        client.chat.completions.create(model="gpt-none", messages=[{"role": "user", "content": "Hello"}])

    assert failure.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_the_vendors_errors_have_the_sdks_classes(
    client: OpenAI, status: int, kind: type[openai.APIStatusError]
) -> None:
    with pytest.raises(kind) as failure:
        client.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": f"ERROR {status}"}])

    assert str(status) in failure.value.message


def test_a_stream_that_fails_raises_what_the_vendor_said(client: OpenAI) -> None:
    heard: list[str] = []

    with pytest.raises(openai.APIError, match="The server had an error"):
        for chunk in client.chat.completions.create(
            model=CHAT, messages=[{"role": "user", "content": "BREAK please"}], stream=True
        ):
            heard.append(chunk.choices[0].delta.content or "")

    assert "".join(heard) == "You said:"


def test_the_sdk_tries_again_what_may_be_tried_again(place: Place) -> None:
    with OpenAI(base_url=place.url, api_key=place.key, max_retries=2) as client:
        reply = client.chat.completions.create(
            model=CHAT, messages=[{"role": "user", "content": f"ERROR 500 after 1 {place.kind}"}]
        )

    assert (reply.choices[0].message.content or "").startswith("You said: ERROR 500")


def test_models_are_listed(client: OpenAI) -> None:
    assert CHAT in {model.id for model in client.models.list()}


def _members(value: Any) -> dict[str, Any]:
    """Return the members of what the SDK has a type for in whole replies, and none when it adds up a stream."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else value.model_dump()


def _messages(content: Any) -> list[Any]:
    if not isinstance(content, str) and "role" in content[0]:
        return cast("list[Any]", content)
    return [{"role": "user", "content": content}]


def _put_together(chunks: list[Any]) -> Any:
    """Return what the SDK's own accumulator makes of chunks, and check that usage came last and alone."""
    from openai.lib.streaming.chat._completions import ChatCompletionStreamState

    assert [bool(chunk.usage) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].choices == []
    assert {chunk.id for chunk in chunks} == {chunks[0].id}
    state: Any = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(chunk)
    return state.current_completion_snapshot
