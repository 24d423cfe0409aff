"""Google's SDK through the gateway to every other vendor: what `test_pairs.py` does not ask of each SDK alike."""

# The SDK's types name PIL, which is not installed.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

import json
from collections.abc import Generator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from tests.judges.backends import ANTHROPIC, BACKENDS, Backend, Through, through

every = pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
# The SDK derives a class that aiohttp would rather not see derived.
asynchronous = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


class Trip(BaseModel):
    city: str
    days: int


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Generator[Through]:
    with through(tmp_path_factory.mktemp("gemini")) as place:
        yield place


@pytest.fixture(scope="module")
def client(vendors: Through) -> Generator[genai.Client]:
    with genai.Client(api_key=vendors.key, http_options=types.HttpOptions(base_url=vendors.url)) as client:
        yield client


def weather_of(backend: Backend, asked: list[str]) -> Any:
    """Return the function that the SDK describes and calls by itself, with the argument that the vendor gives."""

    def by_city(city: str) -> dict[str, str]:
        """Tells the weather of a city."""
        asked.append(city)
        return {"result": f"It is sunny in {city}"}

    def by_location(location: str) -> dict[str, str]:
        """Tells the weather of a place."""
        return by_city(location)

    function = by_city if backend.place == "city" else by_location
    function.__name__ = "get_weather"
    return function


@streamed
@every
def test_functions_are_called_by_themselves(client: genai.Client, backend: Backend, stream: bool) -> None:
    asked: list[str] = []
    chat = client.chats.create(
        model=backend.text_model, config=types.GenerateContentConfig(tools=[weather_of(backend, asked)])
    )

    question = backend.weather(["Rome", "Oslo"])
    if stream:
        said = "".join(chunk.text or "" for chunk in chat.send_message_stream(question))
    else:
        said = chat.send_message(question).text or ""

    assert asked == ["Rome", "Oslo"]
    assert all(f"It is sunny in {city}" in said for city in asked)


@asynchronous
@streamed
@every
async def test_the_asynchronous_client_is_answered_too(vendors: Through, backend: Backend, stream: bool) -> None:
    options = types.HttpOptions(base_url=vendors.url)
    async with genai.Client(api_key=vendors.key, http_options=options).aio as client:
        if stream:
            chunks = await client.models.generate_content_stream(model=backend.text_model, contents="one two")
            said = "".join([chunk.text or "" async for chunk in chunks])
        else:
            said = (await client.models.generate_content(model=backend.text_model, contents="one two")).text or ""

    assert "one two" in said


@every
def test_a_reply_names_the_model_and_the_call(client: genai.Client, backend: Backend) -> None:
    reply = client.models.generate_content(model=f"models/{backend.text_model}", contents="Hi")

    assert reply.model_version == backend.text_model and reply.response_id
    assert reply.candidates and reply.candidates[0].finish_reason is types.FinishReason.STOP
    usage = reply.usage_metadata
    assert usage and usage.prompt_token_count and usage.candidates_token_count
    assert usage.total_token_count == usage.prompt_token_count + usage.candidates_token_count + (
        usage.thoughts_token_count or 0
    )


@pytest.mark.parametrize("backend", [one for one in BACKENDS if one.keeps_schemas], ids=lambda one: one.name)
def test_a_schema_is_parsed(client: genai.Client, backend: Backend) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Trip)
    reply = client.models.generate_content(model=backend.text_model, contents="A trip", config=config)

    assert isinstance(reply.parsed, Trip)


@every
def test_tokens_are_counted_for_free(vendors: Through, client: genai.Client, backend: Backend) -> None:
    before = vendors.gateway.get("/v1/balance", vendors.key)["balance"]
    short, long = (
        client.models.count_tokens(model=backend.text_model, contents=text).total_tokens or 0
        for text in ("Hi", "many words " * 50)
    )

    assert 0 < short < long
    assert vendors.gateway.get("/v1/balance", vendors.key)["balance"] == before


@streamed
@every
def test_what_is_wrong_is_refused_alike(client: genai.Client, backend: Backend, stream: bool) -> None:
    config = types.GenerateContentConfig(temperature=5)
    with pytest.raises(errors.ClientError) as caught:
        if stream:
            list(
                client.models.generate_content_stream(model=backend.text_model, contents="Hi", config=config),
            )
        else:
            client.models.generate_content(model=backend.text_model, contents="Hi", config=config)

    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert "temperature" in json.dumps(caught.value.details)


def test_an_error_inside_a_stream_is_raised(client: genai.Client) -> None:
    heard: list[str] = []
    with pytest.raises(errors.APIError) as caught:
        for chunk in client.models.generate_content_stream(
            model=ANTHROPIC.text_model, contents="BREAK overloaded_error, please"
        ):
            heard.append(chunk.text or "")

    assert "".join(heard) and caught.value.status == "UNAVAILABLE"


def test_every_model_is_listed(client: genai.Client) -> None:
    names = {model.name for model in client.models.list(config={"page_size": 2})}

    assert names == {f"models/{name}" for backend in BACKENDS for name in backend.models}


def test_what_only_google_runs_is_refused_by_name_elsewhere(client: genai.Client) -> None:
    config = types.GenerateContentConfig(tools=[types.Tool(code_execution=types.ToolCodeExecution())])
    for backend in BACKENDS:
        if backend.name == "google":
            continue
        with pytest.raises(errors.ClientError, match="codeExecution"):
            client.models.generate_content(model=backend.text_model, contents="Hi", config=config)
