"""OpenAI's Python SDK judges responses in the background, through the gateway: polled, streamed, resumed, cancelled."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import openai
import pytest
from msgspec import Struct
from openai import OpenAI

from tests.e2e.gateway import GatewayProcess
from tests.hosted import sells, upstream
from tests.simulators.openai_upstream import Call, Reply, ThreadedUpstream, by_model

MODEL = "chunks-6"
WORDS = "word0 word1 word2 word3 word4 word5 "


class Waiting(Struct):
    """A gateway before a vendor whose words wait to be let out."""

    url: str
    key: str
    vendor: ThreadedUpstream

    def next_call(self, count: int) -> Call:
        """Return the call after the first `count`, once it has arrived."""
        return self.vendor.run(self.vendor.upstream.arrived(count + 1))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Waiting]:
    def gated(call: Call) -> Reply:
        return replace(by_model(call), gated=True)

    with ThreadedUpstream(gated) as vendor:
        config = upstream(vendor.url, MODEL) + sells(MODEL, input="0.001", output="0.01")
        with GatewayProcess(tmp_path_factory.mktemp("background"), config) as gateway:
            yield Waiting(f"{gateway.url}/v1", gateway.create_key("1000"), vendor)


def ended(client: OpenAI, response: Any) -> Any:
    while response.status in ("queued", "in_progress"):
        response = client.responses.retrieve(response.id)
    return response


def test_one_is_begun_and_asked_for_until_it_has_ended(client: OpenAI, place: Waiting) -> None:
    calls = len(place.vendor.calls)
    begun = client.responses.create(model=MODEL, input="Hello", background=True)
    place.next_call(calls).release(50)
    response = ended(client, begun)

    assert (begun.status, begun.background, begun.output_text) == ("queued", True, "")
    assert (response.status, response.output_text, response.id) == ("completed", WORDS, begun.id)
    assert response.usage is not None and response.usage.output_tokens == 6


def test_a_stream_is_left_and_goes_on_after_the_event_that_came_last(client: OpenAI, place: Waiting) -> None:
    calls = len(place.vendor.calls)
    heard: list[Any] = []
    with client.responses.create(model=MODEL, input="Hello", background=True, stream=True) as stream:
        call = place.next_call(calls)
        call.release(4)
        for event in stream:
            heard.append(event)
            if event.type == "response.output_text.delta":
                break
    call.release(50)
    id = heard[0].response.id
    with client.responses.retrieve(id, stream=True, starting_after=heard[-1].sequence_number) as rest:
        heard += rest
    again = list(client.responses.retrieve(id, stream=True))

    assert [event.sequence_number for event in heard] == list(range(len(heard)))
    assert [event.type for event in heard[:3]] == ["response.created", "response.queued", "response.in_progress"]
    assert "".join(event.delta for event in heard if event.type == "response.output_text.delta") == WORDS
    assert heard[-1].type == "response.completed" and heard[-1].response == client.responses.retrieve(id)
    assert again == heard


def test_one_is_cancelled_twice_and_says_the_same(client: OpenAI, place: Waiting) -> None:
    calls = len(place.vendor.calls)
    begun = client.responses.create(model=MODEL, input="Hello", background=True)
    call = place.next_call(calls)
    first, second = client.responses.cancel(begun.id), client.responses.cancel(begun.id)
    place.vendor.wait_closed(call)

    assert first.status == "cancelled" and first.output == []
    assert first == second == client.responses.retrieve(begun.id)


def test_one_that_has_ended_is_not_cancelled(client: OpenAI, place: Waiting) -> None:
    calls = len(place.vendor.calls)
    begun = client.responses.create(model=MODEL, input="Hello", background=True)
    place.next_call(calls).release(50)
    response = ended(client, begun)

    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.cancel(response.id)
    with pytest.raises(openai.BadRequestError):
        list(client.responses.retrieve(response.id, stream=True))
    assert "completed" in str(refused.value)


def test_one_that_runs_is_deleted(client: OpenAI, place: Waiting) -> None:
    calls = len(place.vendor.calls)
    begun = client.responses.create(model=MODEL, input="Hello", background=True)
    call = place.next_call(calls)
    client.responses.delete(begun.id)
    place.vendor.wait_closed(call)

    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(begun.id)


def test_it_must_be_stored(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model=MODEL, input="Hello", background=True, store=False)

    assert refused.value.param == "background"
