"""Google's JavaScript SDK judges. What it does is in `tests/node/gemini.mjs`."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.judges import scripts
from tests.judges.gemini_place import PLACES, open_place

MODEL = "gemini-3-flash-preview"
Place = tuple[str, str]


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_place(request.param, tmp_path_factory.mktemp("gemini")) as opened:
        yield opened


def run(place: Place, scenario: str) -> Any:
    url, key = place
    return scripts.run("gemini.mjs", scenario, url=url, key=key, model=MODEL)


def test_content_has_all_its_members(place: Place) -> None:
    reply = run(place, "content")

    assert (reply["text"], reply["reason"], reply["modelVersion"]) == ("You said: Hello", "STOP", MODEL)
    assert reply["responseId"] and reply["usageMetadata"]["candidatesTokenCount"] > 0


def test_a_stream_adds_up(place: Place) -> None:
    told = run(place, "stream")

    assert len(told["heard"]) > 2 and "".join(told["heard"]) == "You said: Hello there, friend"
    assert told["reason"] == "STOP" and told["usage"]["totalTokenCount"] > 0


def test_a_tool_loop_takes_its_signatures_along(place: Place) -> None:
    told = run(place, "tool-loop-with-thinking")

    thought, rome, oslo = told["first"]
    assert thought["thought"] and thought["text"]
    assert [one["functionCall"]["args"] for one in (rome, oslo)] == [{"city": "Rome"}, {"city": "Oslo"}]
    assert rome["thoughtSignature"] and "sun in Rome" in told["second"] and "sun in Oslo" in told["second"]


def test_a_function_can_be_forced(place: Place) -> None:
    (call,) = run(place, "forced")

    assert call["name"] == "get_weather"


def test_a_picture_is_seen(place: Place) -> None:
    assert "image/png" in run(place, "picture")


def test_an_answer_keeps_to_a_schema(place: Place) -> None:
    assert run(place, "schema") == {"days": 7}


def test_tokens_are_counted(place: Place) -> None:
    assert run(place, "count")["totalTokens"] == 3


def test_texts_are_embedded(place: Place) -> None:
    first, second = run(place, "embeddings")

    assert len(first) == len(second) == 4 and first != second


def test_models_are_listed_and_described(place: Place) -> None:
    told = run(place, "models")

    assert f"models/{MODEL}" in told["names"] and len(told["names"]) == len(set(told["names"])) > 3
    assert told["one"]["name"] == f"models/{MODEL}" and told["one"]["inputTokenLimit"]


def test_errors_have_their_status(place: Place) -> None:
    wrong_key, *others = run(place, "errors")

    assert wrong_key["status"] in (400, 401) and "API_KEY_INVALID" in wrong_key["message"]
    assert [error["status"] for error in others] == [404, 400, 404]
    assert "INVALID_ARGUMENT" in others[1]["message"]
