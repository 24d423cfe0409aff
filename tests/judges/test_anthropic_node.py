"""Anthropic's JavaScript SDK judges. What it does is in `tests/node/anthropic.mjs`."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.customer import node
from tests.judges.anthropic_place import PLACES, open_place

SCRIPT = Path(__file__).parents[1] / "node" / "anthropic.mjs"
MODEL = "claude-sonnet-4.5"


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


def run(base_url: str, api_key: str, scenario: str) -> Any:
    """Return what a scenario printed."""
    settings = {"BASE_URL": base_url, "API_KEY": api_key, "MODEL": MODEL}
    done = subprocess.run(
        [node(), SCRIPT, scenario], capture_output=True, text=True, env=os.environ | settings, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_message_has_all_its_members(base_url: str, api_key: str) -> None:
    message = run(base_url, api_key, "message")

    assert message["content"][0]["text"] == "You said: Hello"
    assert (message["type"], message["role"], message["model"]) == ("message", "assistant", MODEL)
    assert message["stop_reason"] == "end_turn" and message["usage"]["output_tokens"] > 0
    assert message["requestId"]


def test_a_stream_adds_up(base_url: str, api_key: str) -> None:
    told = run(base_url, api_key, "stream")

    assert len(told["heard"]) > 2 and "".join(told["heard"]) == "You said: Hello there, how are you?"
    assert told["message"]["content"][0]["text"] == "You said: Hello there, how are you?"
    assert told["message"]["usage"]["input_tokens"] > 0


def test_a_tool_loop_takes_its_thinking_along(base_url: str, api_key: str) -> None:
    told = run(base_url, api_key, "tool-loop-with-thinking")

    thought, text, rome, paris = told["first"]
    assert thought["type"] == "thinking" and thought["thinking"] and thought["signature"]
    assert (text["type"], rome["input"], paris["input"]) == ("text", {"city": "Rome"}, {"city": "Paris"})
    assert told["second"][-1]["text"] == "The tools say: sun in Rome, sun in Paris."


def test_tokens_are_counted(base_url: str, api_key: str) -> None:
    assert run(base_url, api_key, "count")["input_tokens"] > 0


def test_models_are_listed(base_url: str, api_key: str) -> None:
    assert MODEL in run(base_url, api_key, "models")


def test_errors_have_their_classes(base_url: str, api_key: str) -> None:
    errors = run(base_url, api_key, "errors")

    assert [(error["name"], error["status"], error["type"]) for error in errors] == [
        ("AuthenticationError", 401, "authentication_error"),
        ("NotFoundError", 404, "not_found_error"),
        ("BadRequestError", 400, "invalid_request_error"),
        ("RateLimitError", 429, "rate_limit_error"),
    ]
    assert all(error["requestId"] for error in errors)


def test_an_error_inside_a_stream_is_raised(base_url: str, api_key: str) -> None:
    told = run(base_url, api_key, "error-in-stream")

    assert told["heard"] and "overloaded_error" in told["error"]["message"]
