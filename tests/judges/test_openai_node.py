"""OpenAI's JavaScript SDK judges, straight at the simulated vendor and through the gateway.

What it does is in `tests/node/openai-chat.mjs`.
"""

from collections.abc import Generator
from typing import Any

import pytest

from tests.judges import scripts
from tests.judges.openai_place import PLACES, Place, place_of


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of(request.param, tmp_path_factory.mktemp("node")) as place:
        yield place


def run(place: Place, scenario: str) -> Any:
    return scripts.run("openai-chat.mjs", scenario, url=place.url, key=place.key, model="gpt-4.1")


def test_several_answers_come_with_their_probabilities(place: Place) -> None:
    said = ["You said: Hello", "You said: Hello", "stop"]

    assert run(place, "several") == [[said, said], [said, said]]


def test_the_sdk_runs_tools_to_the_end(place: Place) -> None:
    assert run(place, "run-tools") == {"text": "The tools say: sun in Rome, sun in 北京.", "places": ["Rome", "北京"]}


def test_custom_tools_take_any_text(place: Place) -> None:
    assert run(place, "custom-tool") == {"name": "code_exec", "input": "print(1)"}


def test_an_answer_keeps_to_its_schema(place: Place) -> None:
    assert run(place, "parsed") == {"city": "Rome"}


def test_usage_comes_last_and_alone(place: Place) -> None:
    told = run(place, "usage")

    assert told["last"]["choices"] == [] and told["last"]["usage"]["completion_tokens"] > 0
    assert set(told["before"]) == {None}


def test_a_stream_that_fails_raises_what_the_vendor_said(place: Place) -> None:
    told = run(place, "broken")

    assert told["heard"] == "You said:"
    assert told["name"] == "APIError" and "The server had an error" in told["message"]
