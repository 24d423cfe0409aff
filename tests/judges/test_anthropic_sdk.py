"""Anthropic's own SDK judges: it must get what it expects, from the simulated vendor and from whoever stands before."""

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic
from anthropic.types import Message, TextBlock, ThinkingBlock, ToolUseBlock
from pydantic import BaseModel

from tests.judges.anthropic_place import PLACES, open_place

BUDGET = "claude-sonnet-4.5"  # the SDK warns of the vendor's own name for it
ADAPTIVE = "claude-opus-4-7"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
PDF = base64.b64encode(b"%PDF-1.4\n").decode()
WEATHER: Any = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CLOCK: Any = {"name": "get_time", "input_schema": {"type": "object", "properties": {}}}


class Recipe(BaseModel):
    name: str
    minutes: int


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with open_place(request.param, tmp_path_factory.mktemp("anthropic")) as opened:
        yield opened


@pytest.fixture(scope="module")
def base_url(place: tuple[str, str]) -> str:
    return place[0]


@pytest.fixture(scope="module")
def api_key(place: tuple[str, str]) -> str:
    return place[1]


@pytest.fixture(scope="module")
def client(base_url: str, api_key: str) -> Iterator[Anthropic]:
    with Anthropic(base_url=base_url, api_key=api_key, max_retries=0) as client:
        yield client


def ask(client: Anthropic, text: str, model: str = BUDGET, **more: Any) -> Message:
    asked = {"model": model, "max_tokens": 4096, "messages": [{"role": "user", "content": text}]}
    return create(client, **(asked | more))


def create(client: Anthropic, **asked: Any) -> Message:
    """Return a whole message; what is asked is checked by the other side alone."""
    send: Any = client.messages.create
    return send(**asked)


def stream(client: Anthropic, **asked: Any) -> Message:
    """Return what a stream adds up to."""
    open_stream: Any = client.messages.stream
    with open_stream(**asked) as opened:
        return opened.get_final_message()


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if isinstance(block, TextBlock))


def calls_of(message: Message) -> list[ToolUseBlock]:
    return [block for block in message.content if isinstance(block, ToolUseBlock)]


def results(message: Message, *said: Any) -> list[Any]:
    """Return the turns that answer the calls of a message."""
    blocks = [
        {"type": "tool_result", "tool_use_id": call.id, "content": one}
        for call, one in zip(calls_of(message), said, strict=True)
    ]
    content = [block.model_dump(exclude_none=True) for block in message.content]
    return [{"role": "assistant", "content": content}, {"role": "user", "content": blocks}]


# Answers


def test_a_question_is_answered_with_usage(client: Anthropic) -> None:
    message = ask(client, "Hello there", system="Be brief.")

    assert text_of(message) == "You said: Hello there"
    assert (message.type, message.role, message.model) == ("message", "assistant", BUDGET)
    assert message.id.startswith("msg_") and message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0


def test_a_stream_adds_up_to_the_message(client: Anthropic) -> None:
    with client.messages.stream(
        model=BUDGET, max_tokens=100, messages=[{"role": "user", "content": "Hello there, how are you?"}]
    ) as opened:
        pieces = list(opened.text_stream)
        message = opened.get_final_message()

    assert len(pieces) > 2 and "".join(pieces) == text_of(message) == "You said: Hello there, how are you?"
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 1


def test_events_of_a_stream_come_in_order(client: Anthropic) -> None:
    events = [
        event.type
        for event in client.messages.create(
            model=BUDGET, max_tokens=100, stream=True, messages=[{"role": "user", "content": "Hi"}]
        )
    ]

    assert events[:2] == ["message_start", "content_block_start"]
    assert events[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(events[2:-3]) == {"content_block_delta"}


def test_an_answer_stops_where_it_should(client: Anthropic) -> None:
    stopped = ask(client, "one END two", stop_sequences=["END"])
    assert (stopped.stop_reason, stopped.stop_sequence, text_of(stopped)) == ("stop_sequence", "END", "You said: one ")

    cut = ask(client, "one two three four", max_tokens=3)
    assert (cut.stop_reason, text_of(cut)) == ("max_tokens", "You said: one")


def test_a_model_may_decline(client: Anthropic) -> None:
    message = ask(client, "REFUSE this")

    assert message.stop_reason == "refusal" and message.content == []


def test_sampling_is_taken(client: Anthropic) -> None:
    more: dict[str, Any] = {
        "extra_body": {"temperature": 0.3, "top_k": 5},
        "metadata": {"user_id": "u1"},
        "service_tier": "auto",
    }

    assert text_of(ask(client, "Hi", **more)) == "You said: Hi"


# Tools


def test_tools_are_called_and_answered(client: Anthropic) -> None:
    question: Any = {"role": "user", "content": 'get_weather({"city": "Rome"}) and get_weather({"city": "Paris"})'}
    first = ask(client, "", messages=[question], tools=[WEATHER, CLOCK])

    assert first.stop_reason == "tool_use"
    assert [(call.name, call.input) for call in calls_of(first)] == [
        ("get_weather", {"city": "Rome"}),
        ("get_weather", {"city": "Paris"}),
    ]
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    picture = [{"type": "text", "text": "rain"}, {"type": "image", "source": source}]

    second = ask(client, "", messages=[question, *results(first, "sun", picture)], tools=[WEATHER, CLOCK])

    assert text_of(second) == "The tools say: sun, rain [image]."


def test_one_tool_at_a_time_when_so_asked(client: Anthropic) -> None:
    choice: Any = {"type": "auto", "disable_parallel_tool_use": True}
    message = ask(client, "get_time({}) get_time({})", tools=[CLOCK], tool_choice=choice)

    assert len(calls_of(message)) == 1


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ({"type": "any"}, ["get_weather"]),
        ({"type": "tool", "name": "get_time"}, ["get_time"]),
        ({"type": "none"}, []),
    ],
)
def test_tools_may_be_chosen(client: Anthropic, choice: Any, names: list[str]) -> None:
    message = ask(client, "anything", tools=[WEATHER, CLOCK], tool_choice=choice)

    assert [call.name for call in calls_of(message)] == names


def test_arguments_arrive_piece_by_piece(client: Anthropic) -> None:
    snapshots: list[Any] = []
    with client.messages.stream(
        model=BUDGET,
        max_tokens=100,
        tools=[WEATHER, CLOCK],
        messages=[{"role": "user", "content": 'get_weather({"city": "Rome"}) get_time({})'}],
    ) as opened:
        for event in opened:
            if event.type == "input_json":
                snapshots.append(event.snapshot)
        message = opened.get_final_message()

    assert [(call.name, call.input) for call in calls_of(message)] == [
        ("get_weather", {"city": "Rome"}),
        ("get_time", {}),
    ]
    assert {"city": "Rome"} in snapshots and len(snapshots) > 2


# Media


def test_pictures_and_documents_are_seen(client: Anthropic) -> None:
    content: list[Any] = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "image", "source": {"type": "url", "url": "https://pages.example/cat.png"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}, "title": "A"},
        {"type": "text", "text": "What is this?"},
    ]

    message = ask(client, "", messages=[{"role": "user", "content": content}])

    assert text_of(message) == "I see 2 image(s). I see 1 document(s). You said: What is this?"


# Thinking


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        (BUDGET, {"type": "enabled", "budget_tokens": 2000}),
        (ADAPTIVE, {"type": "adaptive", "display": "summarized"}),
        (ADAPTIVE, {"type": "adaptive"}),
    ],
)
def test_thinking_goes_back_into_the_tool_loop_with_its_proof(
    client: Anthropic, model: str, thinking: Any, streamed: bool
) -> None:
    question: Any = {"role": "user", "content": 'get_weather({"city": "Rome"})'}
    asked: dict[str, Any] = {"model": model, "max_tokens": 8000, "thinking": thinking, "tools": [WEATHER]}
    asking = stream if streamed else create
    first = asking(client, **asked, messages=[question])

    thought = first.content[0]
    assert isinstance(thought, ThinkingBlock) and thought.signature
    assert (thought.thinking == "") is (thinking == {"type": "adaptive"})

    second = create(client, **asked, messages=[question, *results(first, "sun")])

    assert text_of(second) == "The tools say: sun."


def test_sealed_thinking_goes_back_as_it_came(client: Anthropic) -> None:
    question: Any = {"role": "user", "content": "REDACTED get_time({})"}
    asked: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "tools": [CLOCK]}
    first = ask(client, "", messages=[question], **asked)

    assert first.content[0].type == "redacted_thinking"
    assert text_of(ask(client, "", messages=[question, *results(first, "noon")], **asked)) == "The tools say: noon."


def test_effort_is_taken(client: Anthropic) -> None:
    assert text_of(ask(client, "Hi", ADAPTIVE, output_config={"effort": "xhigh"})) == "You said: Hi"


# Structured output, search, caching, counting


def test_an_answer_fits_its_schema(client: Anthropic) -> None:
    message = client.messages.parse(
        model=BUDGET, max_tokens=500, output_format=Recipe, messages=[{"role": "user", "content": "A cake"}]
    )

    assert message.parsed_output == Recipe(name="text", minutes=7)


@pytest.mark.parametrize("streamed", [False, True])
def test_what_was_searched_is_cited(client: Anthropic, streamed: bool) -> None:
    search: Any = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    asked: dict[str, Any] = {
        "model": BUDGET,
        "max_tokens": 500,
        "tools": [search],
        "messages": [{"role": "user", "content": "search(the weather)"}],
    }
    message = stream(client, **asked) if streamed else create(client, **asked)

    assert [block.type for block in message.content] == ["server_tool_use", "web_search_tool_result", "text", "text"]
    cited = message.content[2]
    assert isinstance(cited, TextBlock) and cited.citations
    assert cited.citations[0].type == "web_search_result_location"
    assert cited.citations[0].url == "https://pages.example/a"
    assert message.usage.server_tool_use and message.usage.server_tool_use.web_search_requests == 1

    history: list[Any] = [
        *asked["messages"],
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in message.content]},
        {"role": "user", "content": "Thanks"},
    ]
    assert "You said: Thanks" in text_of(ask(client, "", tools=[search], messages=history))


def test_a_cached_prompt_is_written_once_and_read_after(client: Anthropic) -> None:
    system: Any = [{"type": "text", "text": "A long book. " * 50, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]

    first, second = (ask(client, text, system=system).usage for text in ("one", "two"))

    assert first.cache_creation_input_tokens and not first.cache_read_input_tokens
    assert first.cache_creation and first.cache_creation.ephemeral_1h_input_tokens == first.cache_creation_input_tokens
    assert second.cache_read_input_tokens == first.cache_creation_input_tokens
    assert not second.cache_creation_input_tokens


def test_tokens_are_counted(client: Anthropic) -> None:
    short = client.messages.count_tokens(model=BUDGET, messages=[{"role": "user", "content": "Hi"}])
    long = client.messages.count_tokens(
        model=BUDGET, system="Be kind. " * 20, tools=[WEATHER], messages=[{"role": "user", "content": "Hi"}]
    )

    assert 0 < short.input_tokens < long.input_tokens


# Errors


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (413, anthropic.RequestTooLargeError, "request_too_large"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
    ],
)
def test_errors_of_the_vendor_have_their_classes(
    client: Anthropic, status: int, kind: type[anthropic.APIStatusError], word: str
) -> None:
    with pytest.raises(kind) as caught:
        ask(client, f"ERROR {status}")

    assert (caught.value.status_code, caught.value.type) == (status, word)
    assert caught.value.request_id


def test_a_wrong_key_is_refused(base_url: str) -> None:
    with (
        Anthropic(base_url=base_url, api_key="sk-wrong", max_retries=0) as stranger,
        pytest.raises(anthropic.AuthenticationError) as caught,
    ):
        ask(stranger, "Hi")

    assert caught.value.type == "authentication_error"


def test_a_key_may_stand_in_either_header(base_url: str, api_key: str) -> None:
    with Anthropic(base_url=base_url, auth_token=api_key, default_headers={"X-Api-Key": api_key}) as both:
        assert text_of(ask(both, "Hi")) == "You said: Hi"


def test_an_unknown_model_is_not_found(client: Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        ask(client, "Hi", "no-such-model")

    assert caught.value.type == "not_found_error" and "no-such-model" in str(caught.value)


@pytest.mark.parametrize(
    "more",
    [
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        {"messages": []},
        {"extra_body": {"temperature": 1.5}},
        {"max_tokens": -1},
        {"tools": [{"name": "x"}]},
        {"thinking": {"type": "enabled", "budget_tokens": 5}},
    ],
)
def test_what_is_wrong_is_refused(client: Anthropic, more: dict[str, Any]) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        ask(client, "Hi", **more)

    assert caught.value.type == "invalid_request_error" and caught.value.api_message


def test_a_signature_that_is_not_the_vendors_is_refused(client: Anthropic) -> None:
    question: Any = {"role": "user", "content": "get_time({})"}
    asked: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "tools": [CLOCK]}
    first = ask(client, "", messages=[question], **asked)
    turns = results(first, "noon")
    turns[0]["content"][0]["signature"] = "EqForged"

    with pytest.raises(anthropic.BadRequestError, match="signature"):
        ask(client, "", messages=[question, *turns], **asked)


def test_an_error_inside_a_stream_is_raised(client: Anthropic) -> None:
    heard: list[str] = []
    with (
        pytest.raises(anthropic.APIStatusError) as caught,
        client.messages.stream(
            model=BUDGET, max_tokens=100, messages=[{"role": "user", "content": "BREAK overloaded_error, please"}]
        ) as opened,
    ):
        for piece in opened.text_stream:
            heard.append(piece)

    assert heard and "overloaded_error" in str(caught.value.body)


def test_a_busy_vendor_is_asked_again(base_url: str, api_key: str) -> None:
    with Anthropic(base_url=base_url, api_key=api_key, max_retries=2) as patient:
        assert "ERROR 529" in text_of(ask(patient, "ERROR 529 after 1"))


def test_the_request_has_an_id(client: Anthropic) -> None:
    raw = client.messages.with_raw_response.create(
        model=BUDGET, max_tokens=10, messages=[{"role": "user", "content": "Hi"}]
    )

    assert raw.headers["request-id"] and raw.request_id == raw.headers["request-id"]
    message = raw.parse()
    assert message._request_id == raw.request_id and text_of(message) == "You said: Hi"  # pyright: ignore[reportPrivateUsage]  # the SDK's way


# Models, betas, the other client


def test_models_are_listed(client: Anthropic) -> None:
    listed = [model.id for model in client.models.list()]

    assert BUDGET in listed
    assert client.models.retrieve(BUDGET).type == "model"


def test_betas_are_taken(client: Anthropic) -> None:
    message = client.beta.messages.create(
        model=BUDGET,
        max_tokens=100,
        betas=["context-management-2025-06-27"],
        context_management={"edits": [{"type": "clear_tool_uses_20250919"}]},
        messages=[{"role": "user", "content": "Hi"}],
    )

    assert json.loads(message.to_json())["content"][0]["text"] == "You said: Hi"


def test_many_ask_at_once(base_url: str, api_key: str) -> None:
    async def all_at_once() -> list[str]:
        async with AsyncAnthropic(base_url=base_url, api_key=api_key) as client:

            async def one(number: int) -> str:
                async with client.messages.stream(
                    model=BUDGET, max_tokens=50, messages=[{"role": "user", "content": f"number {number}"}]
                ) as opened:
                    return await opened.get_final_text()

            return list(await asyncio.gather(*map(one, range(8))))

    assert asyncio.run(all_at_once()) == [f"You said: number {number}" for number in range(8)]
