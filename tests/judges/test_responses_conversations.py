"""Conversations by `previous_response_id`, which the gateway keeps, whichever vendor answers."""

import json
from collections.abc import Callable, Generator
from typing import Any

import pytest
from openai import BadRequestError, OpenAI

from tests.judges.backends import BACKENDS, RESPONSES, Backend, Through, through
from tests.judges.callers import weather_schema

every = pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
thinking = pytest.mark.parametrize(
    "backend", [one for one in BACKENDS if one.thinking_model], ids=lambda backend: backend.name
)


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Generator[Through]:
    with through(tmp_path_factory.mktemp("conversations")) as place:
        yield place


@pytest.fixture
def client(vendors: Through) -> Generator[OpenAI]:
    with OpenAI(base_url=f"{vendors.url}/v1", api_key=vendors.key, max_retries=0) as client:
        yield client


Ask = Callable[..., Any]


@pytest.fixture(params=["whole", "stream"])
def ask(request: pytest.FixtureRequest, client: OpenAI) -> Ask:
    create: Callable[..., Any] = client.responses.create

    def streamed(**options: Any) -> Any:
        return list(create(**options, stream=True))[-1].response

    return create if request.param == "whole" else streamed


def tool(backend: Backend) -> dict[str, Any]:
    parameters = weather_schema(backend.place)
    return {"type": "function", "name": "get_weather", "description": "The weather.", "parameters": parameters}


@every
def test_tokens_are_counted_without_a_run(client: OpenAI, backend: Backend) -> None:
    first = client.responses.create(model=backend.text_model, input="first words")
    count: Callable[..., Any] = client.responses.input_tokens.count
    short = count(model=backend.text_model, input="second words")
    long = count(
        model=backend.text_model,
        input="second words",
        instructions="Be brief. " * 20,
        tools=[tool(backend)],
        reasoning={"effort": None},
        previous_response_id=first.id,
    )

    assert short.object == "response.input_tokens"
    assert 0 < short.input_tokens < long.input_tokens


def test_a_count_needs_a_model_and_an_input(client: OpenAI) -> None:
    for name, given in {"model": {"input": "Hi"}, "input": {"model": BACKENDS[0].text_model}}.items():
        count: Callable[..., Any] = client.responses.input_tokens.count
        with pytest.raises(BadRequestError) as refused:
            count(**given)
        assert refused.value.param == name


@pytest.mark.parametrize("backend", [one for one in BACKENDS if one.provider != "openai"], ids=lambda one: one.name)
def test_only_a_vendor_of_responses_folds_and_opens_a_conversation(client: OpenAI, ask: Ask, backend: Backend) -> None:
    with pytest.raises(BadRequestError) as folding:
        client.responses.compact(model=backend.text_model, input="words")
    folded = client.responses.compact(model=RESPONSES.text_model, input="words").output[-1]
    window: Any = [folded.model_dump(exclude_none=True), {"role": "user", "content": "Go on."}]
    with pytest.raises(BadRequestError) as opening:
        ask(model=backend.text_model, input=window)

    assert (folding.value.param, folding.value.code) == ("model", "operation_not_offered")
    assert opening.value.code == "unsupported_parameter" and "compaction" in opening.value.message


@every
def test_a_conversation_goes_on_from_its_last_response(client: OpenAI, ask: Ask, backend: Backend) -> None:
    first = ask(model=backend.text_model, input="first words", instructions="Be brief.")
    second = ask(model=backend.text_model, input="second words", previous_response_id=first.id)
    found = client.responses.retrieve(second.id)

    assert "first words" in first.output_text and "second words" in second.output_text
    assert second.usage.input_tokens > first.usage.input_tokens // 2
    assert (found.id, found.output_text, found.status) == (second.id, second.output_text, "completed")
    assert found.previous_response_id == first.id


@every
def test_three_rounds_of_tools_by_their_ids(ask: Ask, backend: Backend) -> None:
    tools, previous = [{**tool(backend), "strict": False}], None
    for place in ("Rome", "Oslo", "Lima"):
        asked = {"model": backend.text_model, "tools": tools}
        wants = ask(**asked, input=backend.weather([place]), previous_response_id=previous)
        (call,) = [item for item in wants.output if item.type == "function_call"]
        result = {"type": "function_call_output", "call_id": call.call_id, "output": f"It is sunny in {place}"}
        said = ask(**asked, input=[result], previous_response_id=wants.id)
        previous = said.id

        assert json.loads(call.arguments) == {backend.place: place}
        assert f"It is sunny in {place}" in said.output_text


@thinking
def test_three_rounds_of_tools_with_thinking(ask: Ask, backend: Backend) -> None:
    tools, previous = [{**tool(backend), "strict": False}], None
    for place in ("Rome", "Oslo", "Lima"):
        asked: dict[str, Any] = {"model": backend.thinking_model, "tools": tools}
        asked["reasoning"] = {"effort": "low", "summary": "auto"}
        wants = ask(**asked, input=backend.weather([place]), previous_response_id=previous)
        thoughts = [item for item in wants.output if item.type == "reasoning"]
        (call,) = [item for item in wants.output if item.type == "function_call"]
        result = {"type": "function_call_output", "call_id": call.call_id, "output": f"It is sunny in {place}"}
        said = ask(**asked, input=[result], previous_response_id=wants.id)
        previous = said.id

        assert any(part.text for one in thoughts for part in (*one.summary, *(one.content or ())))
        assert f"It is sunny in {place}" in said.output_text


def test_a_conversation_may_go_from_one_vendor_to_the_next(client: OpenAI, ask: Ask) -> None:
    previous, texts = None, list[str]()
    for number, backend in enumerate(BACKENDS):
        said = ask(
            model=backend.thinking_model or backend.text_model,
            input=f"words {number}",
            reasoning={"summary": "auto"} if backend.thinking_model else None,
            previous_response_id=previous,
        )
        previous = said.id
        texts.append(said.output_text)

    assert all(f"words {number}" in text for number, text in enumerate(texts))
