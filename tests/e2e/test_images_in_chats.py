"""Models that draw in chats: pictures in the message, whole and streamed, wherever both sides can carry them, and what
they cost."""

import base64
import io
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.hosted import CHAT, Hosted, hosted, upstream
from tests.raw_http import Answer
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.gemini_upstream import IMAGE_TOKENS, KEY, PNG, GeminiUpstream
from tests.simulators.image_upstream import KEY as OMNI_KEY
from tests.simulators.image_upstream import png
from tests.simulators.omni_painter import EDITOR, TWO_STAGES, OmniPainter
from tests.simulators.openai_upstream import DONE, Call, Reply, ThreadedUpstream, Upstream
from tests.support import pictures_in

GOOGLE = "/v1beta/models/painter:generateContent"
PRICE = 'price = { input = "0.01", output = "0.02", image_out = "0.04", per = "ktok" }'
ADDRESS = f"data:image/png;base64,{PNG}"


def body(**more: Any) -> dict[str, Any]:
    return {
        "model": "painter",
        "messages": [{"role": "user", "content": "a cat"}],
        "modalities": ["text", "image"],
    } | more


def painter(price: str = PRICE) -> str:
    return f'[[model]]\nid = "painter"\nkind = "image"\n{price}\n'


@asynccontextmanager
async def drawn_by_google(folder: Path) -> AsyncGenerator[tuple[Hosted, GeminiUpstream]]:
    with GeminiUpstream() as google:
        config = upstream(google.base_url, "painter", provider="google", api_key=KEY)
        config = config.replace('["painter"]', '{ painter = "gemini-3-pro-image-preview" }') + painter()
        async with hosted(folder, config, balances={"main": "1000"}) as gateway:
            yield gateway, google


PIECES = 'price = { image = "0.1", when = [{ size = "1344x768", image = "0.25" }] }'
BOTH = 'price = { input = "0.01", output = "0.02", per = "ktok", image = "0.1" }'


@asynccontextmanager
async def sold(folder: Path, vendor: str, price: str) -> AsyncGenerator[Hosted]:
    """Host a gateway that sells a model of Google, or of a server such as OpenRouter, which draws three pictures."""
    simulator: GeminiUpstream | ThreadedUpstream = GeminiUpstream() if vendor == "google" else ThreadedUpstream(three)
    with simulator:
        if isinstance(simulator, GeminiUpstream):
            config = upstream(simulator.base_url, "painter", provider="google", api_key=KEY)
            config = config.replace('["painter"]', '{ painter = "gemini-3-pro-image-preview" }')
        else:
            config = upstream(simulator.url, "painter")
        async with hosted(folder, config + painter(price), balances={"main": "1000"}) as gateway:
            yield gateway


def three(call: Call) -> Reply:
    """Answer a chat with three pictures, the first of 1344x768, whole or streamed, as OpenRouter does."""
    first = f"data:image/png;base64,{base64.b64encode(png(1344, 768)).decode()}"
    drawn = [{"type": "image_url", "image_url": {"url": url}} for url in (first, ADDRESS, ADDRESS)]
    head = {"id": "gen-1", "created": 1_750_000_000, "model": call.model}
    usage = {"prompt_tokens": 10, "completion_tokens": 260, "total_tokens": 270}
    if not call.json.get("stream"):
        return whole_of(head, {"role": "assistant", "content": "Here.", "images": drawn}, usage)
    deltas = [{"role": "assistant", "content": "Here."}, {"images": drawn[:1]}, {"images": drawn[1:]}]
    choices: list[list[dict[str, Any]]]
    choices = [[{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas]
    choices.append([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    events: list[dict[str, Any]] = [
        *({**head, "object": "chat.completion.chunk", "choices": one} for one in choices),
        {**head, "object": "chat.completion.chunk", "choices": [], "usage": usage},
    ]
    pieces = [b": OPENROUTER PROCESSING\n\n", *(b"data: %b\n\n" % json.dumps(one).encode() for one in events), DONE]
    return Reply(200, {"content-type": "text/event-stream"}, pieces=pieces)


def drawing(call: Call) -> Reply:
    """Answer a chat with a picture, as OpenRouter does."""
    picture = {"type": "image_url", "image_url": {"url": ADDRESS}, "index": 0}
    message = {"role": "assistant", "content": "Here it is.", "images": [picture]}
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 260,
        "total_tokens": 270,
        "completion_tokens_details": {"image_tokens": 258},
    }
    return whole_of({"id": "chatcmpl-1", "created": 1_750_000_000, "model": call.model}, message, usage)


def whole_of(head: dict[str, Any], message: dict[str, Any], usage: dict[str, Any]) -> Reply:
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    reply = {**head, "object": "chat.completion", "choices": choices, "usage": usage}
    return Reply(200, {"content-type": "application/json"}, json.dumps(reply).encode())


@asynccontextmanager
async def drawn_by_vllm_omni(
    folder: Path, model: str = "Qwen/Qwen-Image", balance: str = "1000"
) -> AsyncGenerator[tuple[Hosted, OmniPainter]]:
    server = OmniPainter()
    async with Upstream(server) as simulator:
        server.base_url = simulator.url.removesuffix("/v1")
        config = '[outbound]\nprivate_hosts = ["127.0.0.1"]\n'
        config += upstream(simulator.url, "painter", provider="vllm", api_key=OMNI_KEY)
        config = config.replace('["painter"]', f'{{ painter = "{model}" }}')
        config += painter('price = { image = "0.1", when = [{ size = "512x512", image = "0.04" }] }')
        async with hosted(folder, config, balances={"main": balance}) as gateway:
            yield gateway, server


def deltas(reply: Answer) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in reply.body.decode().splitlines() if line.startswith("data: {")]
    return [choice["delta"] for line in lines for choice in json.loads(line)["choices"]]


async def told(
    gateway: Hosted, caller: str, *, stream: bool, wide: bool = False
) -> tuple[int, list[dict[str, Any]], Decimal]:
    """Ask in a format, and return how many pictures came, the lines of the bill, and its total."""
    asked, path = body(stream=stream), CHAT
    if caller == "openai" and wide:
        asked["image_config"] = {"aspect_ratio": "16:9"}
    if caller == "gemini":
        config = {"responseModalities": ["TEXT", "IMAGE"]} | ({"imageConfig": {"aspectRatio": "16:9"}} if wide else {})
        asked = {"contents": [{"role": "user", "parts": [{"text": "a cat"}]}], "generationConfig": config}
        path = GOOGLE.replace("generateContent", "streamGenerateContent?alt=sse") if stream else GOOGLE
    reply = await gateway.post(asked, path)
    assert reply.status == 200, reply.body
    lines = reply.body.decode().splitlines()
    values = [json.loads(line[6:]) for line in lines if line.startswith("data: {")] if stream else reply.json
    bill = (await gateway.bill(reply.headers["x-request-id"]))["bill"]
    return pictures_in(values), bill["lines"], Decimal(bill["total"])


def opened(address: str) -> str | None:
    picture = Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,"))))
    picture.load()
    return picture.format


def sides(address: str) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,")))).size


async def test_a_chat_completion_has_googles_pictures(tmp_path: Path) -> None:
    async with drawn_by_google(tmp_path) as (gateway, google):
        reply = await gateway.post(body())
        streamed = await gateway.post(body(stream=True))

        message = reply.json["choices"][0]["message"]
        (picture,) = message["images"]
        assert (message["content"], opened(picture["image_url"]["url"])) == ("Here it is.", "PNG")
        (told,) = [image for delta in deltas(streamed) for image in delta.get("images", ())]
        assert told["image_url"]["url"] == picture["image_url"]["url"]
        asked = [request["generationConfig"]["responseModalities"] for _, request in google.requests]
        assert asked == [["TEXT", "IMAGE"]] * 2
        bill = (await gateway.bill(reply.headers["x-request-id"]))["bill"]
        units = {line["word"]: (line["units"], Decimal(line["amount"])) for line in bill["lines"]}
        assert units["image_out"] == (IMAGE_TOKENS, IMAGE_TOKENS * Decimal("0.04") / 1000)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("caller", ["openai", "gemini"])
@pytest.mark.parametrize(("vendor", "pictures", "each"), [("google", 1, "0.1"), ("openrouter", 3, "0.25")])
async def test_pictures_that_are_sold_by_the_piece_are_billed_as_they_came(
    tmp_path: Path, vendor: str, pictures: int, each: str, caller: str, stream: bool
) -> None:
    async with sold(tmp_path, vendor, PIECES) as gateway:
        came, lines, total = await told(gateway, caller, stream=stream)

    assert came == pictures
    assert [(line["word"], line["units"], line["price"]) for line in lines] == [("image", pictures, each)]
    assert total == Decimal(lines[0]["amount"]) == pictures * Decimal(each)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("caller", ["openai", "gemini"])
async def test_a_picture_of_google_has_the_price_of_its_size(tmp_path: Path, caller: str, stream: bool) -> None:
    async with sold(tmp_path, "google", PIECES) as gateway:
        came, lines, total = await told(gateway, caller, stream=stream, wide=True)

    assert (came, [(line["word"], line["units"]) for line in lines]) == (1, [("image", 1)])
    assert total == Decimal("0.25")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("vendor", ["google", "openrouter"])
async def test_a_price_in_tokens_and_pieces_bills_both_and_one_in_tokens_the_tokens_alone(
    tmp_path: Path, vendor: str, stream: bool
) -> None:
    rates = {"input": Decimal("0.01") / 1000, "output": Decimal("0.02") / 1000, "image": Decimal("0.1")}
    rates["image_out"] = rates["reasoning"] = rates["output"]
    found: list[dict[str, int]] = []
    for price in (BOTH, BOTH.replace(', image = "0.1"', "")):
        async with sold(tmp_path / str(len(found)), vendor, price) as gateway:
            came, lines, total = await told(gateway, "openai", stream=stream)
        units = {line["word"]: line["units"] for line in lines}
        assert total == sum(count * rates[word] for word, count in units.items())
        found.append(units)

    assert found[0] == {**found[1], "image": came} and "image" not in found[1] and found[1]["input"] > 0


async def test_a_chat_that_draws_nothing_is_not_billed_for_a_picture(tmp_path: Path) -> None:
    async with sold(tmp_path, "google", PIECES) as gateway:
        asked = body(messages=[{"role": "user", "content": "unsafe answer"}])
        reply = await gateway.post(asked)

        assert (reply.status, reply.headers["x-request-cost"]) == (200, "0")


async def test_a_drawn_picture_goes_back_with_the_next_turn(tmp_path: Path) -> None:
    async with drawn_by_google(tmp_path) as (gateway, google):
        message = (await gateway.post(body())).json["choices"][0]["message"]

        reply = await gateway.post(body(messages=[*body()["messages"], message, {"role": "user", "content": "a dog"}]))

        assert reply.status == 200
        parts = google.requests[-1][1]["contents"][1]["parts"]
        assert [part["inlineData"]["data"] for part in parts if "inlineData" in part] == [PNG]


async def test_googles_callers_get_the_pictures_of_a_server_of_openais_shape(tmp_path: Path) -> None:
    async with Upstream(drawing) as simulator:
        config = upstream(simulator.url, "painter") + painter()
        async with hosted(tmp_path, config, balances={"main": "1000"}) as gateway:
            asked = {
                "contents": [{"role": "user", "parts": [{"text": "a cat"}]}],
                "generationConfig": {"responseModalities": ["TEXT", "IMAGE"]},
            }
            by_google = await gateway.post(asked, GOOGLE)
            by_openai = await gateway.post(body())

    parts = by_google.json["candidates"][0]["content"]["parts"]
    assert parts[0]["text"] == "Here it is." and parts[1]["inlineData"] == {"mimeType": "image/png", "data": PNG}
    assert simulator.calls[0].json["modalities"] == ["text", "image"]
    assert by_openai.json["choices"][0]["message"]["images"][0]["image_url"]["url"] == ADDRESS
    assert by_google.headers["x-request-cost"] == by_openai.headers["x-request-cost"] == "0.01046"


@pytest.mark.parametrize("model", ["Qwen/Qwen-Image", TWO_STAGES])
async def test_a_vllm_omni_server_draws_in_chats_whole_and_streamed_and_is_paid_by_the_picture(
    tmp_path: Path, model: str
) -> None:
    """A model of one stage answers whole also when a stream was asked for."""
    async with drawn_by_vllm_omni(tmp_path, model) as (gateway, server):
        small = await gateway.post(body(seed=7, extra_body={"width": 512, "height": 512, "num_inference_steps": 4}))
        streamed = await gateway.post(body(stream=True, image_config={"aspect_ratio": "16:9"}))

        message = small.json["choices"][0]["message"]
        (picture,) = message["images"]
        assert message["content"] is None and sides(picture["image_url"]["url"]) == (512, 512)
        assert small.headers["x-request-cost"] == "0.04"
        (told,) = [image for delta in deltas(streamed) for image in delta.get("images", ())]
        assert sides(told["image_url"]["url"]) == (1360, 768) and b"data: [DONE]" in streamed.body
        bill = (await gateway.bill(streamed.headers["x-request-id"]))["bill"]
        assert [(line["word"], line["units"], Decimal(line["amount"])) for line in bill["lines"]] == [
            ("image", 1, Decimal("0.1"))
        ]
    assert [(asked["modalities"], asked.get("seed")) for asked in server.asked] == [(["image"], 7), (["image"], None)]


async def test_googles_callers_get_the_pictures_of_a_vllm_omni_server(tmp_path: Path) -> None:
    async with drawn_by_vllm_omni(tmp_path) as (gateway, server):
        asked = {
            "systemInstruction": {"parts": [{"text": "In oil."}]},
            "contents": [{"role": "user", "parts": [{"text": "a cat"}]}],
            "generationConfig": {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"imageSize": "2K"}},
        }
        reply = await gateway.post(asked, GOOGLE)

    (part,) = reply.json["candidates"][0]["content"]["parts"]
    assert sides(f"data:image/png;base64,{part['inlineData']['data']}") == (2048, 2048)
    assert server.understood == [("In oil. a cat", [])]


async def test_what_a_vllm_omni_server_drew_is_changed_step_by_step(tmp_path: Path) -> None:
    async with drawn_by_vllm_omni(tmp_path, EDITOR) as (gateway, server):
        server.pictures["/pictures/cat.png"] = original = png(64, 64, "cat")
        at = {"type": "image_url", "image_url": {"url": f"{server.base_url}/pictures/cat.png"}}
        first = {"role": "user", "content": [{"type": "text", "text": "blue"}, at]}

        drawn = (await gateway.post(body(messages=[first]))).json["choices"][0]["message"]
        again = await gateway.post(body(messages=[first, drawn, {"role": "user", "content": "with a hat"}]))

        data = drawn["images"][0]["image_url"]["url"].partition(",")[2]
        assert again.status == 200, again.body
        assert server.understood == [("blue", [original]), ("with a hat", [base64.b64decode(data)])]


async def test_a_picture_in_a_chat_is_held_for_before_it_is_drawn(tmp_path: Path) -> None:
    async with drawn_by_vllm_omni(tmp_path, balance="0.09") as (gateway, server):
        reply = await gateway.post(body())

        assert (reply.status, reply.json["error"]["code"]) == (402, "insufficient_balance")
        assert server.asked == []


async def test_a_vllm_omni_servers_refusal_reaches_the_caller_and_costs_nothing(tmp_path: Path) -> None:
    async with drawn_by_vllm_omni(tmp_path, EDITOR) as (gateway, _):
        two = [{"type": "image_url", "image_url": {"url": ADDRESS}}] * 2
        reply = await gateway.post(body(messages=[{"role": "user", "content": two}]))

        assert reply.status == 400 and "Multiple input images" in reply.json["error"]["message"]
        assert (await gateway.balance())["balance"] == "1000"


async def test_a_vllm_omni_server_that_drew_nothing_is_not_paid(tmp_path: Path) -> None:
    async with drawn_by_vllm_omni(tmp_path) as (gateway, _):
        reply = await gateway.post(body(messages=[{"role": "user", "content": "nothing"}]))

        assert "no images were produced" in reply.json["choices"][0]["message"]["content"]
        assert reply.headers["x-request-cost"] == "0"


@pytest.mark.parametrize("path", [CHAT, GOOGLE])
async def test_where_pictures_are_no_chat_a_chat_is_refused_by_name(tmp_path: Path, path: str) -> None:
    with DashScope() as vendor:
        config = upstream(vendor.url, "painter", provider="dashscope_native", api_key=vendor.key) + painter()
        async with hosted(tmp_path, config) as gateway:
            asked = body() if path == CHAT else {"contents": [{"role": "user", "parts": [{"text": "a cat"}]}]}
            reply = await gateway.post(asked, path)

            assert reply.status == 400 and "No upstream of 'painter' offers" in reply.body.decode()
            assert vendor.calls == []


async def test_a_format_without_pictures_in_answers_refuses_such_a_model(tmp_path: Path) -> None:
    async with drawn_by_google(tmp_path) as (gateway, google):
        asked = {"model": "painter", "max_tokens": 100, "messages": [{"role": "user", "content": "a cat"}]}

        reply = await gateway.post(asked, "/v1/messages")

        assert (reply.status, reply.json["error"]["type"]) == (400, "invalid_request_error")
        assert google.requests == []
