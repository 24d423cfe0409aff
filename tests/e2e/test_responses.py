"""Stored responses of a real gateway: they outlive it, belong to one tenant, and are gone when their time is over."""

import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.e2e.gateway import GatewayProcess
from tests.hosted import sells, upstream
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.simulators.openai_vendor import KEY, OpenAISimulator

MODEL = "gpt-4.1"
DAYS_MS = 86_400_000


@pytest.fixture
def vendor() -> OpenAISimulator:
    return OpenAISimulator()


@pytest.fixture
def gateway(tmp_path: Path, vendor: OpenAISimulator) -> Generator[GatewayProcess]:
    with ThreadedUpstream(vendor) as simulator:
        config = upstream(simulator.url, MODEL, provider="openai", api_key=KEY) + sells(MODEL)
        with GatewayProcess(tmp_path, config) as gateway:
            yield gateway


Client = Callable[[str], OpenAI]


@pytest.fixture
def client(gateway: GatewayProcess) -> Generator[Client]:
    """Return the SDK for a key."""
    with ExitStack() as stack:
        yield lambda key: stack.enter_context(OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0))


def stored(gateway: GatewayProcess, change: str = "") -> int:
    """Return how many responses are stored, after a change to them."""
    with closing(sqlite3.connect(gateway.folder / "tokengate.db", isolation_level=None)) as database:
        if change:
            database.execute(change)
        return database.execute("SELECT count(*) FROM stored_responses").fetchone()[0]


def restart(gateway: GatewayProcess) -> None:
    assert gateway.stop() == 0
    gateway.start()


def test_two_tenants_go_on_where_they_were_after_a_restart(
    gateway: GatewayProcess, client: Client, vendor: OpenAISimulator
) -> None:
    others = gateway.command("orgs", "create", "--name", "Others")["id"]
    mine = client(gateway.create_key("100"))
    key = gateway.command("keys", "create", "--name", "theirs", "--balance", "100", "--org", others)["key"]
    theirs = client(key)
    first = mine.responses.create(model=MODEL, input="My first words")
    with theirs.responses.stream(model=MODEL, input="Their first words") as stream:
        other = stream.get_final_response()

    restart(gateway)
    second = mine.responses.create(model=MODEL, input="And then?", previous_response_id=first.id)
    found = theirs.responses.retrieve(other.id)

    assert second.output_text == "You said: And then?"
    assert [turn["content"] for turn in vendor.responses.asked[-1]["input"]] == [
        "My first words",
        "You said: My first words",
        "And then?",
    ]
    assert found.output_text == other.output_text == "You said: Their first words"
    for id in (first.id, second.id):
        with pytest.raises(openai.NotFoundError):
            theirs.responses.retrieve(id)
        with pytest.raises(openai.NotFoundError):
            theirs.responses.delete(id)
        with pytest.raises(openai.BadRequestError) as refused:
            theirs.responses.create(model=MODEL, input="And then?", previous_response_id=id)
        assert refused.value.code == "previous_response_not_found"
    assert mine.responses.retrieve(second.id).previous_response_id == first.id


def test_folding_a_conversation_is_billed_by_its_usage_once(
    gateway: GatewayProcess, client: Client, vendor: OpenAISimulator
) -> None:
    key = gateway.create_key("100")
    mine = client(key)
    first = mine.responses.create(model=MODEL, input="My first words")

    folded, again = [
        mine.responses.compact(model=MODEL, previous_response_id=first.id, extra_headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]

    assert folded == again and len(vendor.responses.compacted) == 1
    calls = gateway.get("/v1/usage", key)["data"]
    (call,) = [one for one in calls if one["endpoint"] == "responses.compact"]
    assert call["id"] == folded.id.partition("_")[2]
    assert (call["input_tokens"], call["output_tokens"]) == (folded.usage.input_tokens, folded.usage.output_tokens)


def test_what_is_deleted_stays_away(gateway: GatewayProcess, client: Client) -> None:
    mine = client(gateway.create_key("100"))
    first = mine.responses.create(model=MODEL, input="First")
    second = mine.responses.create(model=MODEL, input="Second", previous_response_id=first.id)

    mine.responses.delete(first.id)
    restart(gateway)

    with pytest.raises(openai.NotFoundError):
        mine.responses.retrieve(first.id)
    with pytest.raises(openai.BadRequestError) as hole:
        mine.responses.create(model=MODEL, input="Third", previous_response_id=second.id)
    assert first.id in hole.value.message
    items: Any = mine.responses.input_items.list(second.id).data
    assert [item.content[0].text for item in items] == ["Second"]


def test_after_thirty_days_nothing_is_left(gateway: GatewayProcess, client: Client) -> None:
    mine = client(gateway.create_key("100"))
    old = mine.responses.create(model=MODEL, input="Old")
    young = mine.responses.create(model=MODEL, input="Young")
    assert gateway.stop() == 0

    aged = f"UPDATE stored_responses SET created_ms = created_ms - {30 * DAYS_MS} WHERE id = '{old.id}'"
    assert stored(gateway, aged) == 2
    gateway.start()

    with pytest.raises(openai.NotFoundError):
        mine.responses.retrieve(old.id)
    assert mine.responses.retrieve(young.id).output_text == "You said: Young"
    deadline_s = time.monotonic() + 10
    while stored(gateway) != 1:
        assert time.monotonic() < deadline_s, "nothing was dropped"


def test_a_project_that_stores_nothing_is_obeyed_at_once(gateway: GatewayProcess, client: Client) -> None:
    mine = client(gateway.create_key("100"))
    (project,) = gateway.command("projects", "list")
    gateway.command("projects", "store-responses", project["id"], "--off")

    deadline_s = time.monotonic() + 10
    while (answer := mine.responses.create(model=MODEL, input="Hello")).model_dump()["store"]:
        assert time.monotonic() < deadline_s, "the gateway did not hear of it"
    before = stored(gateway)
    mine.responses.create(model=MODEL, input="Hello")

    assert answer.status == "completed"
    assert stored(gateway) == before
