"""The AI SDK and its provider for OpenAI-compatible servers judge, at the simulated vendors and through the gateway.

What it does is in `tests/node/ai-sdk.mjs`. It reads `reasoning_content`, and sends it back in tool turns.
"""

from collections.abc import Generator
from typing import Any

import pytest

from tests.judges import scripts
from tests.judges.openai_place import PLACES, Place, place_of

TWO_PLACES = [["get_weather", {"city": "Rome"}], ["get_weather", {"city": "北京"}]]

streamed = pytest.mark.parametrize("scenario", ["tools", "streamed-tools"])


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    with place_of(request.param, tmp_path_factory.mktemp("ai")) as place:
        yield place


def run(place: Place, scenario: str) -> Any:
    return scripts.run("ai-sdk.mjs", scenario, url=place.url, key=place.key, model="gpt-4.1")


def test_text_comes_with_usage(place: Place) -> None:
    (step,) = run(place, "text")

    assert (step["text"], step["finish"]) == ("You said: Grüße, 世界 🙂!", "stop")
    assert step["usage"]["inputTokens"] > 0 and step["usage"]["outputTokens"] > 0


def test_a_stream_comes_in_pieces(place: Place) -> None:
    told = run(place, "stream")

    assert len(told["heard"]) > 2 and "".join(told["heard"]) == "You said: Hello there"
    assert told["steps"][0]["usage"]["outputTokens"] > 0


@streamed
def test_tools_are_run_to_the_end(place: Place, scenario: str) -> None:
    first, second = run(place, scenario)

    assert (first["calls"], first["finish"]) == (TWO_PLACES, "tool-calls")
    assert (second["text"], second["finish"]) == ("The tools say: sun in Rome, sun in 北京.", "stop")


@streamed
def test_thinking_is_read_and_goes_back_with_the_tools_results(place: Place, scenario: str) -> None:
    told = scripts.run("ai-sdk.mjs", scenario, url=place.thinking_url, key=place.key, model="deepseek-v4-pro")

    first, second = told
    assert first["reasoning"].startswith("I think about: get_weather")
    assert first["calls"] == TWO_PLACES
    assert second["reasoning"] == "I think about: what the tools said"
    assert second["text"] == "The tools say: sun in Rome, sun in 北京."
    assert second["usage"]["outputTokenDetails"]["reasoningTokens"] == 9


def test_an_object_keeps_to_its_schema(place: Place) -> None:
    assert run(place, "object") == {"city": "Rome", "days": 7}


def test_a_picture_is_seen(place: Place) -> None:
    assert run(place, "picture") == "I see 1 image(s). You said: What is this?"


def test_an_error_says_that_it_may_be_tried_again(place: Place) -> None:
    told = run(place, "error")

    assert (told["status"], told["retryable"]) == (429, True)
    assert "429" in told["message"]


def test_a_stream_that_fails_says_so(place: Place) -> None:
    told = run(place, "broken-stream")

    assert "".join(told["heard"]) == "You said:"
    assert "The server had an error" in told["message"]
