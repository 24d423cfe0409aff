"""OpenAI's Python SDK judges the Responses API, straight at the simulated vendor and through the gateway."""

import json
from collections.abc import Callable
from typing import Any

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
WEATHER: dict[str, Any] = {"type": "function", "name": "get_weather", "parameters": CITY, "strict": True}
CODE: dict[str, Any] = {"type": "custom", "name": "code_exec", "description": "Runs code."}
MAY_WEATHER = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "get_weather"}]}
TWO_PLACES = 'get_weather({"city": "Rome"}) and get_weather({"city": "北京"})'


class Trip(BaseModel):
    city: str
    days: int
    sunny: bool


Ask = Callable[..., Any]


@pytest.fixture(params=["whole", "stream"])
def ask(request: pytest.FixtureRequest, client: OpenAI) -> Ask:
    """Ask and return the response, which a stream ends with and the SDK's own accumulator agrees to."""
    create: Callable[..., Any] = client.responses.create

    def whole(input: Any, model: str = CHAT, **options: Any) -> Any:
        return create(model=model, input=input, **options)

    def streamed(input: Any, model: str = CHAT, **options: Any) -> Any:
        heard = list(create(model=model, input=input, stream=True, **options))
        assert [event.sequence_number for event in heard] == list(range(len(heard)))
        assert [event.type for event in heard[:2]] == ["response.created", "response.in_progress"]
        last = heard[-1].response
        done = [event.item for event in heard if event.type == "response.output_item.done"]
        assert [item.id for item in done] == [item.id for item in last.output]
        return last

    return whole if request.param == "whole" else streamed


def test_an_answer_has_every_member(ask: Ask) -> None:
    response = ask("Grüße, 世界 🙂!", instructions="Be brief.", metadata={"a": "b"}, temperature=0.5)

    assert response.output_text == "You said: Grüße, 世界 🙂!"
    assert (response.object, response.status, response.model, response.error) == ("response", "completed", CHAT, None)
    assert (response.instructions, response.metadata, response.temperature) == ("Be brief.", {"a": "b"}, 0.5)
    assert response.id.startswith("resp_") and response.output[0].id.startswith("msg_")
    usage = response.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert usage.input_tokens_details.cached_tokens == usage.input_tokens // 2


def test_the_sdks_accumulator_sees_every_event(client: OpenAI) -> None:
    with client.responses.stream(model=CHAT, input=TWO_PLACES, tools=[WEATHER]) as stream:  # pyright: ignore[reportArgumentType] a plain dict
        kinds = [event.type for event in stream]
        response = stream.get_final_response()

    arguments = [getattr(item, "parsed_arguments", None) for item in response.output]
    assert arguments == [{"city": "Rome"}, {"city": "北京"}]
    assert kinds.count("response.function_call_arguments.done") == 2
    assert kinds[-1] == "response.completed"


@pytest.mark.parametrize("by_id", [False, True], ids=["whole-history", "previous-id"])
def test_tools_are_called_at_once_and_answered(ask: Ask, by_id: bool) -> None:
    first = ask(TWO_PLACES, tools=[WEATHER])
    results = [
        {"type": "function_call_output", "call_id": call.call_id, "output": f"sun {index}"}
        for index, call in enumerate(first.output)
    ]
    if by_id:
        second = ask(results, tools=[WEATHER], previous_response_id=first.id)
    else:
        turns = [{"role": "user", "content": TWO_PLACES}, *map(_sent_back, first.output), *results]
        second = ask(turns, tools=[WEATHER])

    assert [json.loads(call.arguments) for call in first.output] == [{"city": "Rome"}, {"city": "北京"}]
    assert second.output_text == "The tools say: sun 0, sun 1."


def test_custom_tools_take_any_text(ask: Ask) -> None:
    first = ask("code_exec<print('你好')>", tools=[CODE])
    call = first.output[0]
    output = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "你好"}
    second = ask([output], tools=[CODE], previous_response_id=first.id)

    assert (call.type, call.name, call.input) == ("custom_tool_call", "code_exec", "print('你好')")
    assert second.output_text == "The tools say: 你好."


@pytest.mark.parametrize(
    ("choice", "called"),
    [("none", 0), ("required", 1), ({"type": "function", "name": "get_weather"}, 1), (MAY_WEATHER, 0)],
)
def test_the_choice_of_a_tool_is_obeyed(ask: Ask, choice: Any, called: int) -> None:
    response = ask("Hello", tools=[WEATHER, CODE], tool_choice=choice)

    assert sum(item.type == "function_call" for item in response.output) == called


def test_sealed_thinking_comes_back_in_every_round(ask: Ask) -> None:
    options: dict[str, Any] = {
        "model": THINKS,
        "tools": [WEATHER],
        "store": False,
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
    }
    turns: list[Any] = []
    for number in range(3):
        turns.append({"role": "user", "content": f'get_weather({{"city": "Rome {number}"}})'})
        wants = ask(turns, **options)
        turns += map(_sent_back, wants.output)
        thought, call = wants.output
        turns.append({"type": "function_call_output", "call_id": call.call_id, "output": f"sun {number}"})
        said = ask(turns, **options)
        turns += map(_sent_back, said.output)

        assert thought.summary[0].text == "I thought about it." and thought.encrypted_content
        assert json.loads(call.arguments) == {"city": f"Rome {number}"}
        assert said.output_text == f"The tools say: sun {number}."
        assert said.usage.output_tokens_details.reasoning_tokens == 11


def test_a_conversation_goes_on_and_is_kept(client: OpenAI, ask: Ask) -> None:
    first = ask("One")
    second = ask("Two", previous_response_id=first.id)
    found = client.responses.retrieve(second.id)
    items = client.responses.input_items.list(first.id)

    assert found.previous_response_id == first.id
    assert found.output_text == second.output_text == "You said: Two"
    assert [item.model_dump()["content"][0]["text"] for item in items] == ["One"]
    client.responses.delete(second.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(second.id)


def test_a_conversation_that_was_folded_goes_on(place: Place, client: OpenAI, ask: Ask) -> None:
    first = ask("One", instructions="Be brief.")

    folded = client.responses.compact(
        model=CHAT, input="Two", previous_response_id=first.id, instructions="Keep names.", prompt_cache_key="k"
    )
    window = [_sent_back(item) for item in folded.output]
    again = ask([*window, {"role": "user", "content": "Three"}])
    last = ask("Four", previous_response_id=again.id)

    assert folded.object == "response.compaction" and folded.id not in (first.id, again.id)
    assert folded.usage.input_tokens > 0 and folded.usage.total_tokens > folded.usage.input_tokens
    assert [item["type"] for item in window] == ["message", "message", "compaction"]
    assert [item["content"][0]["text"] for item in window[:2]] == ["One", "Two"]
    assert (again.output_text, last.output_text) == ("You said: Three", "You said: Four")
    vendor = place.vendor.responses
    assert [turn["content"] for turn in vendor.compacted[-1]["input"]][-1] == "Two"
    assert vendor.compacted[-1]["instructions"] == "Keep names."
    for asked in vendor.asked[-2:]:
        assert [item for item in asked["input"] if item.get("type") == "compaction"] == [window[2]]


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"input": [{"role": "user", "content": 7}]}, "input[0].content"),
        ({"previous_response_id": "resp_none"}, "previous_response_id"),
        ({"extra_body": {"stream": True}}, "stream"),
        ({"extra_body": {"temperature": 1}}, "temperature"),
        ({"input": [{"type": "compaction", "encrypted_content": "gAAAAACnone"}]}, None),
    ],
)
def test_a_fold_that_cannot_be_is_a_bad_request(client: OpenAI, options: dict[str, Any], param: str | None) -> None:
    compact: Callable[..., Any] = client.responses.compact

    with pytest.raises(openai.BadRequestError) as failure:
        compact(**{"model": CHAT, "input": "Hello", **options})

    assert failure.value.type == "invalid_request_error"
    assert failure.value.param == param and failure.value.message


def test_what_is_not_in_the_background_is_not_cancelled(client: OpenAI, ask: Ask) -> None:
    made = ask("One")

    with pytest.raises(openai.BadRequestError):
        client.responses.cancel(made.id)


def test_nothing_is_kept_for_who_says_no(client: OpenAI, ask: Ask) -> None:
    made = ask("One", store=False)

    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    with pytest.raises(openai.BadRequestError) as refused:
        ask("Two", previous_response_id=made.id)
    assert refused.value.code == "previous_response_not_found"


def test_pictures_and_documents_arrive(place: Place, ask: Ask) -> None:
    content = [
        {"type": "input_text", "text": "What is all this?"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "low"},
        {"type": "input_image", "image_url": "https://pictures.example/a.png"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
    ]

    response = ask([{"role": "user", "content": content}])

    assert response.output_text == "I see 2 image(s). I see 1 document(s). You said: What is all this?"
    assert place.vendor.responses.asked[-1]["input"][0]["content"] == content


def test_an_answer_is_parsed_to_its_schema(client: OpenAI) -> None:
    response = client.responses.parse(model=CHAT, input="To 'Rome'", text_format=Trip)

    assert response.output_parsed == Trip(city="Rome", days=7, sunny=True)


def test_a_streamed_answer_is_parsed_to_its_schema(client: OpenAI) -> None:
    with client.responses.stream(model=CHAT, input="To 'Rome'", text_format=Trip) as stream:
        kinds = {event.type for event in stream}
        response = stream.get_final_response()

    assert response.output_parsed == Trip(city="Rome", days=7, sunny=True)
    assert {"response.output_text.delta", "response.output_text.done", "response.completed"} <= kinds


def test_probabilities_come_with_the_tokens(ask: Ask) -> None:
    part = ask("Hello", include=["message.output_text.logprobs"]).output[0].content[0]

    assert "".join(token.token for token in part.logprobs) == part.text
    assert all(token.logprob == -0.25 for token in part.logprobs)


def test_the_vendors_own_search_comes_through(ask: Ask) -> None:
    call, message = ask("SEARCH this", tools=[{"type": "web_search"}]).output

    assert (call.type, call.status, call.action.type) == ("web_search_call", "completed", "search")
    (annotation,) = message.content[0].annotations
    assert (annotation.type, annotation.url, annotation.title) == ("url_citation", "https://pages.example/a", "A page")


def test_a_refusal_is_told_apart(ask: Ask) -> None:
    (message,) = ask("REFUSE").output

    assert message.content[0].type == "refusal"
    assert message.content[0].refusal == "I'm sorry, I cannot help with that."


def test_what_was_not_said_to_its_end_is_incomplete(ask: Ask) -> None:
    cut = ask(" ".join(f"word{number}" for number in range(40)), max_output_tokens=16)
    withheld = ask("FILTER")

    assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert cut.output_text.endswith("word13") and cut.output[0].status == "incomplete"
    assert (withheld.status, withheld.incomplete_details.reason) == ("incomplete", "content_filter")


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"input": [{"role": "user", "content": 7}]}, "input[0].content"),
        ({"temperature": 3}, "temperature"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"tools": [{"type": "nothing"}]}, "tools[0].type"),
        ({"include": ["everything"]}, "include"),
        ({"input": [{"type": "function_call_output", "call_id": "x", "output": "y"}]}, "input"),
        ({"reasoning": {"effort": "low"}}, "reasoning.effort"),
    ],
)
def test_a_bad_request_is_a_bad_request_that_names_its_parameter(
    client: OpenAI, options: dict[str, Any], param: str
) -> None:
    create: Callable[..., Any] = client.responses.create

    with pytest.raises(openai.BadRequestError) as failure:
        create(**{"model": CHAT, "input": "Hello", **options})

    assert failure.value.type == "invalid_request_error"
    assert failure.value.param == param and failure.value.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
def test_the_vendors_errors_have_the_sdks_classes(
    client: OpenAI, status: int, kind: type[openai.APIStatusError]
) -> None:
    with pytest.raises(kind) as failure:
        client.responses.create(model=CHAT, input=f"ERROR {status}")

    assert str(status) in failure.value.message


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as failure:
        client.responses.create(model="gpt-none", input="Hello")

    assert failure.value.code == "model_not_found"


def test_a_stream_that_fails_says_so_in_its_last_event(client: OpenAI) -> None:
    heard: list[Any] = list(client.responses.create(model=CHAT, input="LATER rate_limit_exceeded", stream=True))

    assert heard[-1].type == "response.failed"
    assert heard[-1].response.error.code == "rate_limit_exceeded"
    assert heard[-1].response.error.message == "The simulated vendor says rate_limit_exceeded."


def _sent_back(item: Any) -> dict[str, Any]:
    """Return an output item as it is sent back."""
    return item.model_dump(exclude_none=True, mode="json", warnings=False)  # its class has no user's messages
