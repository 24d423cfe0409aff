"""OpenAI's JavaScript SDK judges responses in the background, through the gateway.

What it does is in `tests/node/openai-background.mjs`.
"""

from collections.abc import Callable, Generator
from typing import Any

import pytest

from tests.e2e.gateway import GatewayProcess
from tests.hosted import sells, upstream
from tests.judges import scripts
from tests.simulators.openai_upstream import Call, Reply, ThreadedUpstream, by_model

MODEL = "chunks-6"
WORDS = "word0 word1 word2 word3 word4 word5 "

Run = Callable[[str], Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Generator[Run]:
    """Runs a scenario at a gateway before a vendor that never answers whoever says "wait"."""

    def answer(call: Call) -> Reply:
        return Reply(silent=True) if call.json["messages"][-1]["content"] == "wait" else by_model(call)

    with ThreadedUpstream(answer) as vendor:
        config = upstream(vendor.url, MODEL) + sells(MODEL, input="0.001", output="0.01")
        with GatewayProcess(tmp_path_factory.mktemp("background"), config) as gateway:
            url, key = f"{gateway.url}/v1", gateway.create_key("1000")
            yield lambda scenario: scripts.run("openai-background.mjs", scenario, url=url, key=key, model=MODEL)


def test_one_is_begun_and_asked_for_until_it_has_ended(run: Run) -> None:
    assert run("polled") == {"begun": ["queued", True, ""], "ended": ["completed", WORDS, 6], "same": True}


def test_a_stream_is_left_and_goes_on_after_the_event_that_came_last(run: Run) -> None:
    assert run("resumed") == {
        "types": ["response.created", "response.queued", "response.in_progress"],
        "last": "response.completed",
        "more": True,
        "ordered": True,
        "text": WORDS,
        "same": True,
    }


def test_one_is_cancelled_twice_and_deleted(run: Run) -> None:
    told = run("cancelled")

    assert told == {"status": "cancelled", "output": [], "output_text": "", "same": True, "gone": 404}


def test_what_cannot_be_done_is_said(run: Run) -> None:
    told = run("refused")

    assert told["unstored"] == {"status": 400, "param": "background"}
    assert (told["ended"]["status"], told["unstreamed"]["status"]) == (400, 400)
