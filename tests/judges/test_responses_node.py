"""OpenAI's JavaScript SDK judges the Responses API, straight at the simulated vendor and through the gateway.

What it does is in `tests/node/openai-responses.mjs`.
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
    return scripts.run("openai-responses.mjs", scenario, url=place.url, key=place.key, model="gpt-4.1")


def test_an_answer_comes_whole(place: Place) -> None:
    told = run(place, "whole")

    assert (told["text"], told["status"]) == ("You said: Grüße, 世界 🙂!", "completed")
    assert told["tokens"] > 0


def test_an_answer_comes_as_a_stream(place: Place) -> None:
    said = "You said: Hello there"

    assert run(place, "stream") == {"heard": said, "text": said, "ordered": True}


def test_tools_are_answered_by_the_responses_id(place: Place) -> None:
    told = run(place, "tool-loop")

    assert told == {"text": "The tools say: sun in Rome, sun in 北京.", "places": ["Rome", "北京"]}


def test_a_stored_response_is_found_and_deleted(place: Place) -> None:
    assert run(place, "stored") == {"text": "You said: One", "items": ["One"], "gone": 404}


def test_an_answer_keeps_to_its_schema(place: Place) -> None:
    assert run(place, "parsed") == {"city": "Rome"}


def test_a_stream_that_fails_says_so_in_its_last_event(place: Place) -> None:
    assert run(place, "broken") == {"type": "response.failed", "code": "rate_limit_exceeded"}
