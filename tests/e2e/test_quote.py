"""A quote reads a body as its own endpoint would, and neither runs it nor takes money."""

from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest

from tests.forms import BOUNDARY, FORM_TYPE, form_of
from tests.hosted import Hosted, hosted, sells, upstream
from tests.raw_http import Answer
from tests.simulators.image_upstream import png
from tests.simulators.music_media import mp3
from tests.simulators.openai_upstream import Upstream, by_model
from tests.simulators.studio import Studio, open_studio

CHAT: dict[str, Any] = {"model": "ours", "messages": [{"role": "user", "content": "How long is the river?"}]}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Hosted, Upstream]]:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "ours") + sells("ours", input="2", output="4", max_output=1000)
        async with hosted(tmp_path, config) as gateway:
            yield gateway, simulator


async def test_a_quote_costs_nothing_and_bounds_what_the_call_costs(served: tuple[Hosted, Upstream]) -> None:
    gateway, simulator = served

    quote = await gateway.post(CHAT | {"max_tokens": 50}, "/v1/quote")

    told: Any = quote.json
    assert quote.status == 200
    assert simulator.calls == []
    assert (told["model"], told["format"], told["output_tokens"]) == ("ours", "openai", {"at_most": 50})
    assert 4 < told["input_tokens"]["expected"] < 20 < told["input_tokens"]["at_most"]
    assert float(told["yuan"]["at_least"]) < float(told["yuan"]["at_most"]) == float(told["yuan"]["held"])
    balance = await gateway.get("/v1/balance")
    assert balance.json["balance"] == balance.json["available"] == "10"
    called = await gateway.post(CHAT | {"max_tokens": 50}, "/v1/chat/completions")
    cost = float(called.headers["x-request-cost"])
    assert float(told["yuan"]["at_least"]) <= cost <= float(told["yuan"]["at_most"])


async def test_without_a_cap_the_models_own_bounds_the_quote(served: tuple[Hosted, Upstream]) -> None:
    gateway, _ = served

    quote: Any = (await gateway.post(CHAT, "/v1/quote")).json

    assert quote["output_tokens"] == {"at_most": 1000}


async def test_the_path_says_how_a_body_is_read(served: tuple[Hosted, Upstream]) -> None:
    gateway, _ = served

    text = await gateway.post({"model": "ours", "prompt": "Once", "max_tokens": 3}, "/v1/quote?path=/v1/completions")
    embedding = await gateway.post({"model": "ours", "input": "Once"}, "/v1/quote?path=/v1/embeddings")
    unknown = await gateway.post(CHAT, "/v1/quote?path=/v1/files")
    neither = await gateway.post({"model": "ours"}, "/v1/quote")

    assert text.json["output_tokens"] == {"at_most": 3}
    assert (embedding.status, embedding.json["error"]["code"]) == (400, "model_kind_mismatch")
    assert (unknown.status, unknown.json["error"]["param"]) == (400, "path")
    assert (neither.status, neither.json["error"]["param"]) == (400, "path")


async def test_what_the_call_would_refuse_the_quote_refuses(served: tuple[Hosted, Upstream]) -> None:
    gateway, _ = served

    unknown = await gateway.post(CHAT | {"model": "nobody"}, "/v1/quote")
    wrong = await gateway.post(CHAT | {"temperature": 9}, "/v1/quote")
    stranger = await gateway.post(CHAT, "/v1/quote", headers={"authorization": "Bearer sk-wrong"})

    assert (unknown.status, unknown.json["error"]["code"]) == (404, "model_not_found")
    assert (wrong.status, wrong.json["error"]["param"]) == (400, "temperature")
    assert stranger.status == 401


FILES = {"speech.mp3": mp3(), "dog.png": png(16, 16)}
FORMS = [
    ("/v1/images/edits", {"model": "gpt-image-2", "prompt": "A hat", "image": "@dog.png"}),
    ("/v1/images/variations", {"model": "gpt-image-2", "image": "@dog.png"}),
    ("/v1/audio/transcriptions", {"model": "whisper-1", "file": "@speech.mp3"}),
    ("/compatible-mode/v1/audio/translations", {"model": "whisper-1", "file": "@speech.mp3"}),
    ("/v1/videos", {"model": "wan-t2v", "prompt": "A cat", "size": "64x64", "input_reference": "@dog.png"}),
]


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[tuple[Hosted, Studio]]:
    with open_studio() as studio:
        async with hosted(tmp_path, studio.config) as gateway:
            yield gateway, studio


def quoted(gateway: Hosted, path: str, fields: dict[str, str]) -> Awaitable[Answer]:
    headers = {"content-type": f"{FORM_TYPE}; boundary={BOUNDARY}"}
    return gateway.post(form_of(fields.items(), FILES), path, headers=headers)


@pytest.mark.parametrize(("path", "fields"), FORMS)
async def test_a_form_is_quoted_as_it_would_be_billed(
    studio: tuple[Hosted, Studio], path: str, fields: dict[str, str]
) -> None:
    gateway, vendors = studio

    quote = await quoted(gateway, f"/v1/quote?path={path}", fields)

    told: Any = quote.json
    assert (quote.status, told["model"], told["format"]) == (200, fields["model"], "openai")
    assert 0 < float(told["yuan"]["held"]) <= float(told["yuan"]["at_most"])
    assert vendors.calls() == []
    assert (await gateway.balance())["available"] == "10"
    called = await quoted(gateway, path, fields)
    assert called.status == 200
    if path != "/v1/videos":
        cost = float(called.headers["x-request-cost"])
        assert float(told["yuan"]["at_least"]) <= cost <= float(told["yuan"]["at_most"])
    else:
        assert float((await gateway.balance())["available"]) == 10 - float(told["yuan"]["held"])


async def test_a_film_is_quoted_from_json_too(studio: tuple[Hosted, Studio]) -> None:
    gateway, _ = studio
    film = {"model": "wan-t2v", "prompt": "A cat"}

    short = await gateway.post(film | {"seconds": "5"}, "/v1/quote?path=/v1/videos")
    long = await gateway.post(film | {"seconds": "10"}, "/v1/quote?path=/v1/videos")

    assert (short.json["yuan"]["held"], long.json["yuan"]["held"]) == ("5", "10")


async def test_a_form_that_would_be_refused_is_not_quoted(studio: tuple[Hosted, Studio]) -> None:
    gateway, _ = studio
    where = "/v1/quote?path=/v1/audio/transcriptions"

    nowhere = await quoted(gateway, "/v1/quote", FORMS[0][1])
    no_chat = await quoted(gateway, "/v1/quote?path=/v1/chat/completions", FORMS[0][1])
    no_file = await quoted(gateway, where, {"model": "whisper-1"})
    no_sound = await quoted(gateway, where, {"model": "whisper-1", "file": "@dog.png"})
    stranger = await quoted(gateway, where, {"model": "nobody", "file": "@speech.mp3"})

    assert (nowhere.status, nowhere.json["error"]["param"]) == (400, "path")
    assert (no_chat.status, no_chat.json["error"]["param"]) == (400, "path")
    assert (no_file.status, no_file.json["error"]["param"]) == (400, "file")
    assert (no_sound.status, no_sound.json["error"]["param"]) == (400, "file")
    assert (stranger.status, stranger.json["error"]["code"]) == (404, "model_not_found")
