"""Pictures through a running gateway: every vendor that makes them, whole and streamed, and the exact bill."""

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

from tests.hosted import Hosted, hosted, upstream
from tests.raw_http import Answer
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.gemini_upstream import IMAGE_TOKENS, GeminiUpstream
from tests.simulators.gemini_upstream import KEY as GOOGLE_KEY
from tests.simulators.image_upstream import (
    KEY,
    PARTIAL_TOKENS,
    TEXT_TOKENS,
    TOKENS_IN,
    TOKENS_OUT,
    ImageSimulator,
    Vendor,
    png,
)
from tests.simulators.openai_upstream import ThreadedUpstream, Upstream, by_model

GENERATIONS, EDITS, VARIATIONS = "/v1/images/generations", "/v1/images/edits", "/v1/images/variations"
PRIVATE = '[outbound]\nprivate_hosts = ["127.0.0.1"]\n'
# Yuan per 1,000 tokens.
BY_TOKENS = 'price = { input = "0.01", image_in = "0.02", output = "0.03", image_out = "0.04", per = "ktok" }'
PROVIDERS: dict[Vendor, str] = {"openai": "openai", "vllm": "vllm", "addresses": "openai_compatible"}


def body(prompt: str = "a cat", **more: Any) -> dict[str, Any]:
    return {"model": "painter", "prompt": prompt, "size": "64x32", **more}


def painter(price: str) -> str:
    return f'[[model]]\nid = "painter"\nkind = "image"\n{price}\n'


def per_picture(price: str, *rows: str) -> str:
    return f'price = {{ image = "{price}", when = [{", ".join(rows)}] }}'


@asynccontextmanager
async def painted_by(
    folder: Path, vendor: Vendor, price: str = BY_TOKENS
) -> AsyncGenerator[tuple[Hosted, ImageSimulator]]:
    simulator = ImageSimulator(vendor)
    with ThreadedUpstream(simulator) as server:
        simulator.base_url = server.url.removesuffix("/v1")
        config = upstream(server.url, "painter", provider=PROVIDERS[vendor], api_key=KEY) + painter(price) + PRIVATE
        async with hosted(folder, config) as gateway:
            yield gateway, simulator


def opened(text: str) -> Image.Image:
    picture = Image.open(io.BytesIO(base64.b64decode(text)))
    picture.load()
    return picture


def sizes(reply: Answer) -> list[tuple[int, int]]:
    assert reply.status == 200, reply.body
    return [opened(one["b64_json"]).size for one in reply.json["data"]]


def cost(reply: Answer) -> Decimal:
    return Decimal(reply.headers["x-request-cost"])


def events(reply: Answer) -> list[dict[str, Any]]:
    lines = reply.body.decode().splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def data_url(picture: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(picture).decode()}"


def form(*parts: tuple[str, bytes, str | None, str]) -> tuple[bytes, dict[str, str]]:
    """Return a form's body and its header; a part is a name, data, a file's name or None, and a type."""
    pieces: list[bytes] = []
    for name, data, file, kind in parts:
        head = f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{file}"' if file else "")
        head += f"\r\nContent-Type: {kind}" if kind else ""
        pieces.append(b"--frontier\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n")
    return b"".join(pieces) + b"--frontier--\r\n", {"content-type": "multipart/form-data; boundary=frontier"}


FIELDS = (("model", b"painter", None, ""), ("prompt", b"a cat", None, ""), ("size", b"64x32", None, ""))
FILE = ("image", png(8, 8), "a.png", "image/png")


async def test_pictures_are_billed_by_the_tokens_that_the_vendor_reports(tmp_path: Path) -> None:
    async with painted_by(tmp_path, "openai") as (gateway, simulator):
        sent = b'{"prompt" : "a cat","n":2, "model":"painter","size":"64x32","quality":"low" }'

        reply = await gateway.post(sent, GENERATIONS)

        assert sizes(reply) == [(64, 32), (64, 32)]
        assert (reply.json["size"], reply.json["quality"]) == ("64x32", "low")
        assert simulator.asked == [json.loads(sent)]
        assert cost(reply) == (TEXT_TOKENS * Decimal("0.01") + 2 * TOKENS_OUT * Decimal("0.04")) / 1000
        bill = await gateway.bill(reply.headers["x-request-id"])
        assert [line["word"] for line in bill["bill"]["lines"]] == ["input", "image_out"]
        assert bill["usage_source"] == "vendor"
        assert Decimal((await gateway.balance())["balance"]) == 10 - cost(reply)


async def test_a_stream_has_its_partial_pictures_and_the_same_bill(tmp_path: Path) -> None:
    async with painted_by(tmp_path, "openai") as (gateway, _):
        reply = await gateway.post(body(stream=True, partial_images=2), GENERATIONS)

        kinds = [one["type"] for one in events(reply)]
        assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
        assert all(opened(one["b64_json"]).size == (64, 32) for one in events(reply))
        bill = await gateway.bill(reply.headers["x-request-id"])
        written = TOKENS_OUT + 2 * PARTIAL_TOKENS
        assert Decimal(bill["cost"]) == (TEXT_TOKENS * Decimal("0.01") + written * Decimal("0.04")) / 1000


@pytest.mark.parametrize("path", [GENERATIONS, EDITS])
async def test_a_backend_that_answers_in_the_other_way_is_understood(tmp_path: Path, path: str) -> None:
    """A stream was asked for and the backend answers whole, or the other way round: same pictures, same bill."""
    asked = body(n=2, image=data_url(png(8, 8))) if path == EDITS else body(n=2)
    async with painted_by(tmp_path, "openai") as (gateway, simulator):
        right = [await gateway.post({**asked, "stream": stream}, path) for stream in (False, True)]
        simulator.other_way = True
        other = [await gateway.post({**asked, "stream": stream}, path) for stream in (False, True)]
        costs = [(await gateway.bill(one.headers["x-request-id"]))["cost"] for one in (*right, *other)]

    assert sizes(other[0]) == sizes(right[0]) == [(64, 32)] * 2
    assert other[0].json.keys() == right[0].json.keys()
    told = [[(one["type"], opened(one["b64_json"]).size) for one in events(reply)] for reply in (right[1], other[1])]
    assert told[0] == told[1] and len(told[0]) == 2
    assert events(other[1])[-1]["usage"]["total_tokens"] > 0
    # Each streamed picture has the prompt's tokens in its usage; a whole reply has them once.
    assert (costs[2], costs[3]) == (costs[1], costs[0])


async def test_a_stream_that_breaks_costs_no_picture_that_was_not_delivered(tmp_path: Path) -> None:
    price = per_picture("0.3")
    async with painted_by(tmp_path, "openai", price) as (gateway, _):
        reply = await gateway.post(body("break", stream=True, partial_images=1), GENERATIONS)

        assert "error" in events(reply)[-1]
        assert (await gateway.bill(reply.headers["x-request-id"]))["cost"] == "0"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_price_by_the_picture_follows_what_was_made(tmp_path: Path, stream: bool) -> None:
    rows = ('{ quality = "high", image = "0.8" }', '{ size = "64x32", image = "0.2" }')
    async with painted_by(tmp_path, "openai", per_picture("0.5", *rows)) as (gateway, _):
        bills: list[str] = []
        asked: tuple[dict[str, Any], ...] = ({"n": 3}, {"quality": "high"}, {"size": "auto"})
        for more in asked:
            reply = await gateway.post(body(**more, stream=stream), GENERATIONS)
            bills.append((await gateway.bill(reply.headers["x-request-id"]))["cost"])

        assert bills == ["0.6", "0.8", "0.5"]


async def test_every_picture_that_may_come_is_held_for(tmp_path: Path) -> None:
    async with painted_by(tmp_path, "vllm", per_picture("3")) as (gateway, simulator):
        quote = (await gateway.post(body(n=3), f"/v1/quote?path={GENERATIONS}")).json["yuan"]
        refused = await gateway.post(body(n=4), GENERATIONS)
        made = await gateway.post(body(n=3), GENERATIONS)

        assert (quote["held"], quote["at_most"]) == ("9", "9")
        assert (refused.status, refused.json["error"]["code"]) == (402, "insufficient_balance")
        assert cost(made) == 9
        assert len(simulator.asked) == 1


async def test_tokens_that_no_backend_counts_are_estimated_where_the_price_asks_for_them(tmp_path: Path) -> None:
    async with painted_by(tmp_path, "vllm") as (gateway, _):
        reply = await gateway.post(body(), GENERATIONS)

        bill = await gateway.bill(reply.headers["x-request-id"])
        assert bill["usage_source"] == "estimated"
        assert cost(reply) > 0


async def test_a_server_that_answers_whole_streams_too(tmp_path: Path) -> None:
    async with painted_by(tmp_path, "vllm", per_picture("1")) as (gateway, simulator):
        reply = await gateway.post(body(n=2, stream=True, partial_images=3), GENERATIONS)

        found = events(reply)
        assert [one["type"] for one in found] == ["image_generation.completed"] * 2
        assert [opened(one["b64_json"]).size for one in found] == [(64, 32)] * 2
        assert "stream" not in simulator.asked[0] and "partial_images" not in simulator.asked[0]
        assert (await gateway.bill(reply.headers["x-request-id"]))["cost"] == "2"


async def test_what_a_server_has_beside_goes_along_and_what_it_lacks_is_named(tmp_path: Path) -> None:
    async with painted_by(tmp_path, "vllm", per_picture("1")) as (gateway, simulator):
        reply = await gateway.post(body(num_inference_steps=4, seed=7, quality="high"), GENERATIONS)
        refused = await gateway.post(body(background="transparent"), GENERATIONS)

        assert simulator.asked == [{**body(num_inference_steps=4, seed=7), "n": 1}]
        assert reply.headers["x-tokengate-warning"].endswith("no such parameter: quality")
        assert (refused.status, refused.json["error"]["param"]) == (400, "background")


async def test_addresses_are_given_or_fetched_as_the_caller_asks(tmp_path: Path) -> None:
    async with painted_by(tmp_path, "addresses", per_picture("1")) as (gateway, simulator):
        plain = await gateway.post(body(), GENERATIONS)
        address = await gateway.post(body(response_format="url"), GENERATIONS)
        inside = await gateway.post(body(response_format="b64_json"), GENERATIONS)

        for reply in (plain, address):
            (one,) = reply.json["data"]
            assert one["url"].startswith(simulator.base_url) and one["revised_prompt"] == "a cat, in oil"
        assert sizes(inside) == [(64, 32)]


@pytest.mark.parametrize("vendor", ["openai", "vllm"])
async def test_an_address_is_refused_where_there_is_none(tmp_path: Path, vendor: Vendor) -> None:
    async with painted_by(tmp_path, vendor) as (gateway, simulator):
        refused = await gateway.post(body(response_format="url"), GENERATIONS)
        streamed = await gateway.post(body(response_format="url", stream=True), GENERATIONS)
        inside = await gateway.post(body(response_format="b64_json"), GENERATIONS)

        for reply in (refused, streamed):
            assert (reply.status, reply.json["error"]["param"]) == (400, "response_format")
        assert sizes(inside) == [(64, 32)]
        assert len(simulator.asked) == 1


@pytest.mark.parametrize("more", [{}, {"stream": True}], ids=["whole", "streamed"])
async def test_an_edit_sends_every_picture_and_its_mask(tmp_path: Path, more: dict[str, Any]) -> None:
    async with painted_by(tmp_path, "openai") as (gateway, simulator):
        pictures = [data_url(png(8, 8, "a")), data_url(png(9, 9, "b"))]
        given = body(image=pictures, mask=data_url(png(8, 8, "m")), input_fidelity="high", **more)

        reply = await gateway.post(given, EDITS)

        found = [one["b64_json"] for one in (events(reply) if more else reply.json["data"])]
        assert [opened(one).size for one in found] == [(64, 32)]
        assert [(file.name, file.media_type) for file in simulator.files[0]] == [
            ("image[]", "image/png"),
            ("image[]", "image/png"),
            ("mask", "image/png"),
        ]
        assert [file.data for file in simulator.files[0]] == [png(8, 8, "a"), png(9, 9, "b"), png(8, 8, "m")]
        asked = {**simulator.asked[0]}
        assert asked.pop("input_fidelity") == "high"
        if not more:
            tokens_in = TOKENS_IN * 3 * Decimal("0.02")
            assert cost(reply) == (TEXT_TOKENS * Decimal("0.01") + tokens_in + TOKENS_OUT * Decimal("0.04")) / 1000


async def test_a_form_and_json_ask_for_the_same(tmp_path: Path) -> None:
    async with painted_by(tmp_path, "openai") as (gateway, simulator):
        sent, headers = form(*FIELDS, ("n", b"2", None, ""), ("stream", b"false", None, ""), FILE)

        by_form = await gateway.post(sent, EDITS, headers=headers)
        by_json = await gateway.post(body(image=data_url(FILE[1]), n=2), EDITS)
        by_reference = await gateway.post(body(images=[{"image_url": data_url(FILE[1])}], n=2), EDITS)

        assert sizes(by_form) == sizes(by_json) == sizes(by_reference) == [(64, 32), (64, 32)]
        assert simulator.asked[0] == simulator.asked[1] == simulator.asked[2]
        assert simulator.files[0] == simulator.files[1] == simulator.files[2]


async def test_an_idempotency_key_knows_a_form_again_under_another_boundary(tmp_path: Path) -> None:
    async with painted_by(tmp_path, "openai") as (gateway, simulator):
        sent, headers = form(*FIELDS, FILE)
        other = sent.replace(b"frontier", b"borderline")
        again = {"content-type": "multipart/form-data; boundary=borderline", "idempotency-key": "k"}

        first = await gateway.post(sent, EDITS, headers={**headers, "idempotency-key": "k"})
        second = await gateway.post(other, EDITS, headers=again)

        assert (first.body, second.headers["idempotent-replayed"]) == (second.body, "true")
        assert len(simulator.asked) == 1


async def test_a_variation_is_made_where_it_is_offered_and_refused_by_name_elsewhere(tmp_path: Path) -> None:
    sent, headers = form(("model", b"painter", None, ""), ("size", b"64x32", None, ""), FILE)
    async with painted_by(tmp_path / "has", "addresses", per_picture("1")) as (gateway, simulator):
        reply = await gateway.post(sent, VARIATIONS, headers=headers)

        assert reply.json["data"][0]["url"].startswith(simulator.base_url)
    async with painted_by(tmp_path / "lacks", "openai") as (gateway, simulator):
        refused = await gateway.post(sent, VARIATIONS, headers=headers)

        assert (refused.status, refused.json["error"]["code"]) == (400, "operation_not_offered")
        assert simulator.asked == []


CUT = png(8, 8)[:-20]
BOMB = png(8, 8).replace((8).to_bytes(4, "big") * 2, (60_000).to_bytes(4, "big") * 2)


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (data_url(b"GIF but no"), "invalid_image_format"),
        (data_url(png(8, 8), "image/jpeg"), "invalid_image_format"),
        (data_url(CUT), "invalid_image"),
        (data_url(BOMB), "image_too_large"),
        ("data:image/png;base64,###", "invalid_base64_image"),
        ("http://10.0.0.1/a.png", "invalid_image_url"),
    ],
    ids=["no picture", "mislabelled", "cut off", "bomb", "no base64", "private address"],
)
async def test_a_picture_that_is_none_is_a_clear_400_and_costs_nothing(tmp_path: Path, picture: str, code: str) -> None:
    async with painted_by(tmp_path, "openai") as (gateway, simulator):
        reply = await gateway.post(body(image=picture), EDITS)

        assert (reply.status, reply.json["error"]["code"]) == (400, code)
        assert simulator.asked == []
        assert (await gateway.balance())["balance"] == "10"


@pytest.mark.parametrize(
    ("parts", "param"),
    [
        ((*FIELDS,), "image"),
        ((*FIELDS, FILE, ("n", b"many", None, "")), "n"),
        ((*FIELDS, FILE, ("n", b"11", None, "")), "n"),
        ((*FIELDS, FILE, ("size", b"64x32", None, "")), "size"),
        ((*FIELDS, FILE, ("notes", b"x", "notes.txt", "text/plain")), "notes"),
        ((*FIELDS, FILE, ("mask", png(9, 9), "mask.png", "image/png")), "mask"),
        ((FILE, ("model", b"painter", None, "")), "prompt"),
    ],
)
async def test_a_wrong_form_is_refused_by_the_name_of_what_is_wrong(
    tmp_path: Path, parts: tuple[tuple[str, bytes, str | None, str], ...], param: str
) -> None:
    async with painted_by(tmp_path, "openai") as (gateway, _):
        sent, headers = form(*parts)

        reply = await gateway.post(sent, EDITS, headers=headers)

        assert (reply.status, reply.json["error"]["param"]) == (400, param)


@pytest.mark.parametrize("cut", [3, 40, 200])
async def test_a_form_that_is_cut_off_is_a_400(tmp_path: Path, cut: int) -> None:
    async with painted_by(tmp_path, "openai") as (gateway, _):
        sent, headers = form(*FIELDS, FILE)

        short = await gateway.post(sent[:-cut], EDITS, headers=headers)
        nameless = await gateway.post(sent, EDITS, headers={"content-type": "multipart/form-data"})

        assert (short.status, nameless.status) == (400, 400)


@pytest.mark.parametrize(("prompt", "status"), [("fail 429", 429), ("nothing", 502)])
async def test_the_vendors_refusal_and_an_answer_without_pictures_cost_nothing(
    tmp_path: Path, prompt: str, status: int
) -> None:
    async with painted_by(tmp_path, "openai") as (gateway, _):
        reply = await gateway.post(body(prompt), GENERATIONS)

        assert reply.status == status
        assert (await gateway.balance())["balance"] == "10"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"size": "large"}, "size"),
        ({"size": "99999x1"}, "size"),
        ({"n": 0}, "n"),
        ({"quality": "best"}, "quality"),
        ({"output_format": "svg"}, "output_format"),
        ({"partial_images": 4}, "partial_images"),
        ({"frame_count": 4}, "frame_count"),
        ({"prompt": ""}, "prompt"),
        ({"Size": "64x32"}, "Size"),
    ],
)
async def test_wrong_parameters_are_refused_by_name(tmp_path: Path, more: dict[str, Any], param: str) -> None:
    async with painted_by(tmp_path, "openai") as (gateway, simulator):
        reply = await gateway.post({**body(), **more}, GENERATIONS)

        assert (reply.status, reply.json["error"]["param"]) == (400, param)
        assert simulator.asked == []


@asynccontextmanager
async def drawn_by_gemini(folder: Path) -> AsyncGenerator[tuple[Hosted, GeminiUpstream]]:
    with GeminiUpstream() as google:
        config = upstream(google.base_url, "painter", provider="google", api_key=GOOGLE_KEY)
        config = config.replace('["painter"]', '{ painter = "gemini-3-pro-image-preview" }') + painter(BY_TOKENS)
        async with hosted(folder, config) as gateway:
            yield gateway, google


async def test_gemini_draws_in_its_ratios_and_is_billed_by_its_tokens(tmp_path: Path) -> None:
    async with drawn_by_gemini(tmp_path) as (gateway, google):
        wide = await gateway.post(body(size="1536x1024"), GENERATIONS)
        large = await gateway.post(body(size="2048x2048", quality="high"), GENERATIONS)
        edit = await gateway.post(body(size="auto", image=data_url(png(8, 8))), EDITS)
        streamed = await gateway.post(body(size="1024x1024", stream=True, partial_images=2), GENERATIONS)

        assert "partial_images" in streamed.headers["x-tokengate-warning"]
        assert (sizes(wide), sizes(large)) == ([(1248, 832)], [(2048, 2048)])
        assert "quality" in large.headers["x-tokengate-warning"]
        assert [opened(one["b64_json"]).size for one in events(streamed)] == [(1024, 1024)]
        config = google.requests[0][1]["generationConfig"]
        assert config == {"responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": "3:2"}}
        assert "inlineData" in google.requests[2][1]["contents"][0]["parts"][0]
        bill = (await gateway.bill(edit.headers["x-request-id"]))["bill"]
        assert {line["word"]: line["units"] for line in bill["lines"]}["image_out"] == IMAGE_TOKENS


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"size": "1000x999"}, "size"),
        ({"n": 2}, "n"),
        ({"background": "transparent"}, "background"),
        ({"output_format": "webp"}, "output_format"),
        ({"response_format": "url"}, "response_format"),
        ({"negative_prompt": "dogs"}, "negative_prompt"),
    ],
)
async def test_what_gemini_cannot_say_is_refused_by_name(tmp_path: Path, more: dict[str, Any], param: str) -> None:
    async with drawn_by_gemini(tmp_path) as (gateway, google):
        reply = await gateway.post(body(**{"size": "auto", **more}), GENERATIONS)

        assert (reply.status, reply.json["error"]["param"]) == (400, param)
        assert reply.json["error"]["code"] == "unsupported_parameter"
        assert google.requests == []


async def test_what_gemini_will_not_draw_is_the_callers_fault(tmp_path: Path) -> None:
    async with drawn_by_gemini(tmp_path) as (gateway, _):
        for prompt in ("blocked prompt", "unsafe answer"):
            reply = await gateway.post(body(prompt, size="auto"), GENERATIONS)

            assert (reply.status, reply.json["error"]["code"]) == (400, "content_policy_violation")
        assert (await gateway.balance())["balance"] == "10"


@asynccontextmanager
async def drawn_by_dashscope(
    folder: Path, model: str, provider: str = "dashscope_native"
) -> AsyncGenerator[tuple[Hosted, DashScope]]:
    with DashScope() as vendor:
        url = vendor.url if provider == "dashscope_native" else vendor.url.replace("/api/v1", "/compatible-mode/v1")
        config = upstream(url, "painter", provider=provider, api_key=vendor.key)
        config = config.replace('["painter"]', f'{{ painter = "{model}" }}') + painter(per_picture("0.25")) + PRIVATE
        async with hosted(folder, config) as gateway:
            yield gateway, vendor


@pytest.mark.parametrize("provider", ["dashscope", "dashscope_native"])
async def test_dashscope_makes_pictures_at_addresses(tmp_path: Path, provider: str) -> None:
    async with drawn_by_dashscope(tmp_path, "wan2.6-t2i", provider) as (gateway, vendor):
        asked = body(size="1024x768", n=2, negative_prompt="dogs", seed=7, prompt_extend=False, quality="high")

        reply = await gateway.post(asked, GENERATIONS)
        inside = await gateway.post({**asked, "response_format": "b64_json"}, GENERATIONS)

        assert vendor.last == {
            "model": "wan2.6-t2i",
            "input": {"messages": [{"role": "user", "content": [{"text": "a cat"}]}]},
            "parameters": {
                "n": 2,
                "size": "1024*768",
                "negative_prompt": "dogs",
                "seed": 7,
                "prompt_extend": False,
            },
        }
        assert len([one["url"] for one in reply.json["data"]]) == 2 and reply.json["size"] == "1024x768"
        assert sizes(inside) == [(1024, 768)] * 2
        assert cost(reply) == cost(inside) == Decimal("0.5")
        assert "quality" in reply.headers["x-tokengate-warning"]


async def test_dashscope_edits_pictures_that_are_inside_or_at_addresses(tmp_path: Path) -> None:
    async with drawn_by_dashscope(tmp_path, "qwen-image-edit") as (gateway, vendor):
        inside = data_url(png(400, 400))

        reply = await gateway.post(body(size="auto", image=[inside, "https://pictures.example/a.png"]), EDITS)
        refused = await gateway.post(body(size="auto", image=inside, mask=inside), EDITS)

        content = vendor.last["input"]["messages"][0]["content"]
        assert content == [{"image": inside}, {"image": "https://pictures.example/a.png"}, {"text": "a cat"}]
        assert cost(reply) == Decimal("0.25")
        assert (refused.status, refused.json["error"]["param"]) == (400, "mask")


async def test_dashscopes_error_is_the_callers(tmp_path: Path) -> None:
    async with drawn_by_dashscope(tmp_path, "qwen-image") as (gateway, _):
        unsafe = await gateway.post(body("fail DataInspectionFailed", size="auto"), GENERATIONS)
        several = await gateway.post(body(size="auto", n=2), GENERATIONS)

        assert (unsafe.status, several.status) == (400, 400)
        assert (await gateway.balance())["balance"] == "10"


async def test_dashscopes_clients_get_pictures_in_their_own_format(tmp_path: Path) -> None:
    async with drawn_by_dashscope(tmp_path, "qwen-image") as (gateway, vendor):
        path = "/api/v1/services/aigc/multimodal-generation/generation"
        messages = [{"role": "user", "content": [{"text": "a cat"}]}]
        asked = {"model": "painter", "input": {"messages": messages}, "parameters": {"size": "1328*1328"}}

        reply = await gateway.post(asked, path)
        streamed = await gateway.post(asked, path, headers={"x-dashscope-sse": "enable"})
        wrong = await gateway.post({**asked, "parameters": {"size": "wide"}}, path)

        assert vendor.last == {**asked, "model": "qwen-image"}
        assert reply.json["usage"] == {"image_count": 1, "width": 1328, "height": 1328}
        assert reply.json["output"]["choices"][0]["message"]["content"][0]["image"].endswith(".png")
        assert cost(reply) == Decimal("0.25")
        assert (streamed.status, wrong.status) == (400, 400)
        assert wrong.json["code"] == "InvalidParameter"


async def test_a_model_that_makes_no_pictures_and_a_vendor_that_has_none_are_refused(tmp_path: Path) -> None:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "painter", "qwen-plus", provider="deepseek") + painter(per_picture("1"))
        async with hosted(tmp_path, config) as gateway:
            chat = await gateway.post(body(model="qwen-plus"), GENERATIONS)
            nobody = await gateway.post(body(), GENERATIONS)

        assert (chat.status, chat.json["error"]["code"]) == (400, "model_kind_mismatch")
        assert (nobody.status, nobody.json["error"]["code"]) == (400, "operation_not_offered")
