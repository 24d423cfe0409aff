"""Every SDK through the gateway to every vendor: what one SDK gets does not depend on who answers."""

import json
from collections.abc import Generator, Iterable
from typing import Any

import pytest

from tests.judges.backends import BACKENDS, Backend, Through, through
from tests.judges.callers import CALLERS, Asked, Caller, weather_schema

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}

streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Generator[Through]:
    with through(tmp_path_factory.mktemp("pairs")) as place:
        yield place


@pytest.fixture(scope="module", params=CALLERS)
def caller(request: pytest.FixtureRequest, vendors: Through) -> Generator[Caller]:
    with CALLERS[request.param](vendors) as caller:
        yield caller


def among(backends: Iterable[Backend]) -> pytest.MarkDecorator:
    """Run a test for each of these backends."""
    return pytest.mark.parametrize("backend", list(backends), ids=lambda backend: backend.name)


every = among(BACKENDS)
seeing = among(backend for backend in BACKENDS if backend.image_model)
thinking = among(backend for backend in BACKENDS if backend.thinking_model)
schematic = among(backend for backend in BACKENDS if backend.keeps_schemas)


@streamed
@every
def test_a_question_is_answered_with_usage(caller: Caller, backend: Backend, stream: bool) -> None:
    history = caller.begin("Grüße, 世界 🙂!", system="Be brief.")

    said = caller.ask(backend.text_model, history, stream=stream, cap=200)

    assert "Grüße, 世界 🙂!" in said.text
    assert said.finish == "stop"
    assert said.input_tokens > 0 and said.output_tokens > 0


@streamed
@every
def test_a_conversation_goes_on(caller: Caller, backend: Backend, stream: bool) -> None:
    history = caller.begin("first words")
    caller.ask(backend.text_model, history, stream=stream, cap=200)
    history += caller.begin("second words")

    assert "second words" in caller.ask(backend.text_model, history, stream=stream, cap=200).text


@streamed
@every
@pytest.mark.parametrize("places", [["Rome"], ["Rome", "Oslo"]], ids=["one", "parallel"])
def test_tools_are_called_and_their_results_are_read(
    caller: Caller, backend: Backend, places: list[str], stream: bool
) -> None:
    history = caller.begin(backend.weather(places))
    tools = weather_schema(backend.place)

    wants = caller.ask(backend.text_model, history, stream=stream, tools=tools, cap=500)
    caller.results(history, wants, [f"It is sunny in {place}" for place in places])
    said = caller.ask(backend.text_model, history, stream=stream, tools=tools, cap=500)

    assert wants.finish == "tools"
    assert [(call.name, call.arguments) for call in wants.calls] == [
        ("get_weather", {backend.place: place}) for place in places
    ]
    assert len({call.id for call in wants.calls}) == len(places)
    assert said.finish == "stop"
    assert all(f"It is sunny in {place}" in said.text for place in places)


@streamed
@seeing
def test_a_picture_is_seen(caller: Caller, backend: Backend, stream: bool) -> None:
    history = caller.begin("What is this?", image=True)

    said = caller.ask(backend.image_model, history, stream=stream, cap=200)

    assert "image" in said.text or "picture" in said.text


@streamed
@every
def test_the_cap_cuts_an_answer(caller: Caller, backend: Backend, stream: bool) -> None:
    history = caller.begin(" ".join(f"word{number}" for number in range(200)))

    said = caller.ask(backend.text_model, history, stream=stream, cap=20)

    assert said.finish == "length"
    assert "word1" in said.text and "word150" not in said.text
    assert 0 < said.output_tokens < 100


@streamed
@schematic
def test_an_answer_keeps_to_a_schema(caller: Caller, backend: Backend, stream: bool) -> None:
    history = caller.begin("A trip")

    said = caller.ask(backend.text_model, history, stream=stream, schema=SCHEMA, cap=500)

    told = json.loads(said.text)
    assert isinstance(told["city"], str) and isinstance(told["days"], int)


@streamed
@thinking
def test_thinking_goes_through_a_tool_loop(caller: Caller, backend: Backend, stream: bool) -> None:
    history = caller.begin(backend.weather(["Rome"]))
    tools = weather_schema(backend.place)

    wants = caller.ask(backend.thinking_model, history, stream=stream, tools=tools, thinking=True)
    caller.results(history, wants, ["It is sunny"])
    said = caller.ask(backend.thinking_model, history, stream=stream, tools=tools, thinking=True)

    assert wants.thinking and wants.calls
    assert "It is sunny" in said.text


@streamed
@every
def test_an_agent_goes_three_rounds_with_its_tools(caller: Caller, backend: Backend, stream: bool) -> None:
    """What a tool gives back makes the model call the next one; every vendor that shows its thinking refuses a round
    in which the thinking before it, or its proof, did not come back."""
    places = ["Rome", "Oslo", "Bonn"]
    model = backend.thinking_model or backend.text_model
    options: dict[str, Any] = {
        "tools": weather_schema(backend.place),
        "thinking": bool(backend.thinking_model),
        "stream": stream,
    }
    history = caller.begin(backend.weather(places[:1]), system="Be brief.")

    wanted: list[Asked] = []
    thought: list[str] = []
    for round, place in enumerate(places):
        wants = caller.ask(model, history, **options)
        wanted += wants.calls
        thought.append(wants.thinking)
        following = f" NEXT {backend.weather([places[round + 1]])}" if round + 1 < len(places) else ""
        caller.results(history, wants, [f"It is sunny in {place}{following}"])
    said = caller.ask(model, history, **options)

    assert [(call.name, call.arguments) for call in wanted] == [
        ("get_weather", {backend.place: place}) for place in places
    ]
    assert len({call.id for call in wanted}) == len(places)
    assert all(thought) or not backend.thinking_model
    assert said.finish == "stop" and "It is sunny in Bonn" in said.text
