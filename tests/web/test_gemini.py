"""Gemini's API as its callers meet it: to its own vendor byte for byte, to others in their format."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.formats.gemini.wire import PLAIN, chunks, fixture
from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.gemini_upstream import KEY
from tests.simulators.openai_upstream import Call, Reply, Script, Upstream, by_model, chunk
from tokengate.accounts.keys import KeyLimits

BASES = ("/v1beta", "/v1")
WHOLE, STREAM = (f"/v1beta/models/ours:{action}" for action in ("generateContent", "streamGenerateContent"))
SSE = f"{STREAM}?alt=sse"
JSON = {"content-type": "application/json; charset=UTF-8"}
EVENTS = {"content-type": "text/event-stream"}
REQUESTS = ("chat", "tools", "media", "json", "image", "code", "speech", "snake", "enum")
REPLIES = ("text", "tools", "grounded", "code", "image", "safety")
STREAMS = ("text", "thinking", "tools", "grounded", "image", "code")


@asynccontextmanager
async def serving(
    folder: Path, script: Script, *, provider: str = "google", kind: str = "chat", **options: Any
) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    """A gateway that sells `ours`, which its upstream calls `theirs`."""
    async with Upstream(script) as simulator:
        url = simulator.url.removesuffix("/v1") if provider == "google" else simulator.url
        config = upstream(url, "ours", provider=provider, api_key=KEY).replace(
            'models = ["ours"]', 'models = { ours = "theirs" }'
        )
        config += sells("ours", input="0.001", output="0.01", max_output=32_000, kind=kind)
        async with hosted(folder, config, **options) as gateway:
            yield simulator, gateway


def whole(name: str) -> Script:
    return lambda call: Reply(headers=JSON, body=fixture(f"{name}.reply.json"))


def streamed(name: str) -> Script:
    pieces = [frame + b"\n\n" for frame in fixture(f"{name}.sse").replace(b"\r\n", b"\n").split(b"\n\n") if frame]
    return lambda call: Reply(headers=EVENTS, pieces=pieces)


def named(body: bytes) -> list[Any]:
    """Return what the events of a vendor's stream say, with the model called as the caller called it."""
    return [event | {"modelVersion": "ours"} for event in chunks(body.replace(b"\r\n", b"\n"))]


# To Google


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_request_arrives_byte_for_byte(tmp_path: Path, name: str) -> None:
    body = fixture(f"{name}.request.json")
    async with serving(tmp_path, whole("text")) as (simulator, gateway):
        answer = await gateway.post(body, WHOLE)

    assert simulator.calls[0].body == body
    assert simulator.calls[0].path == "/v1beta/models/theirs:generateContent"
    assert answer.body == fixture("text.reply.json").replace(b'"gemini-3-flash-preview"', b'"ours"')


@pytest.mark.parametrize("name", REPLIES)
async def test_a_reply_arrives_with_all_its_members(tmp_path: Path, name: str) -> None:
    async with serving(tmp_path, whole(name)) as (_, gateway):
        answer = await gateway.post(PLAIN, WHOLE)
        record = await gateway.last_call()

    theirs = json.loads(fixture(f"{name}.reply.json"))
    assert answer.json == theirs | {"modelVersion": "ours"}
    usage = theirs["usageMetadata"]
    assert record["output_tokens"] == usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0)
    assert record["usage_source"] == "vendor"


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("array", [False, True])
async def test_a_stream_arrives_with_all_its_members(tmp_path: Path, name: str, array: bool) -> None:
    async with serving(tmp_path, streamed(name)) as (simulator, gateway):
        answer = await gateway.post(PLAIN, STREAM if array else SSE)

    told = answer.json if array else chunks(answer.body)
    assert told == named(fixture(f"{name}.sse"))
    assert (
        answer.headers["content-type"]
        == (JSON if array else {"content-type": "text/event-stream; charset=utf-8"})["content-type"]
    )
    assert simulator.calls[0].path == "/v1beta/models/theirs:streamGenerateContent?alt=sse"


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("written", ["ours", "models/ours", "models%2Fours", "OURS", "%6Furs"])
async def test_a_model_is_known_by_every_way_to_write_it(tmp_path: Path, base: str, written: str) -> None:
    async with serving(tmp_path, whole("text")) as (_, gateway):
        answer = await gateway.post(PLAIN, f"{base}/models/{written}:generateContent")

    assert answer.status == 200


async def test_a_models_name_may_have_slashes_and_colons(tmp_path: Path) -> None:
    async with Upstream(whole("text")) as simulator:
        names = ("qwen/qwen3:8b", "a b")
        config = upstream(simulator.url, *names, provider="google", api_key=KEY)
        async with hosted(tmp_path, config + "".join(map(sells, names))) as gateway:
            answers = [await gateway.post(PLAIN, f"/v1/models/{quote(name)}:generateContent") for name in names]

    assert [answer.status for answer in answers] == [200, 200]
    assert [unquote(call.path) for call in simulator.calls] == [
        f"/v1beta/models/{name}:generateContent" for name in names
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/tunedModels/mine:generateContent",
        "/v1beta/models/tunedModels/mine:generateContent",
        "/v1/models/tunedModels%2Fmine:streamGenerateContent?alt=sse",
    ],
)
async def test_tuned_models_are_refused_by_name(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path, whole("text")) as (simulator, gateway):
        answer = await gateway.post(PLAIN, path)

    assert (answer.status, answer.json["error"]["status"]) == (404, "NOT_FOUND")
    assert "tunedModels/mine" in answer.json["error"]["message"] and simulator.calls == []


async def test_the_vendor_gets_its_own_key_and_the_callers_nowhere(tmp_path: Path) -> None:
    async with serving(tmp_path, whole("text")) as (simulator, gateway):
        key = next(iter(gateway.keys.values())).key
        answer = await gateway.post(PLAIN, f"{WHOLE}?key={key}", headers={"authorization": ""})

    call = simulator.calls[0]
    assert (answer.status, call.headers["x-goog-api-key"]) == (200, KEY)
    assert key not in f"{call.path}{call.headers}{call.body}"


async def test_calls_that_google_did_not_make_come_with_what_it_wants_of_them(tmp_path: Path) -> None:
    turns: list[dict[str, Any]] = [
        {"parts": [{"text": "Call f."}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": "1"}}}]},
    ]
    async with serving(tmp_path, whole("text")) as (simulator, gateway):
        answer = await gateway.post({"contents": turns}, WHOLE)

    called = simulator.calls[0].json["contents"][1]["parts"][0]
    assert answer.status == 200 and called["functionCall"]["name"] == "f"
    assert called["thoughtSignature"]  # Google refuses a call without one


@pytest.mark.parametrize("array", [False, True])
async def test_a_cut_stream_ends_with_an_error_and_is_billed(tmp_path: Path, array: bool) -> None:
    body = b"".join(fixture("text.sse").replace(b"\r\n", b"\n").split(b"\n\n")[0:1]) + b"\n\n"
    cut = Reply(headers=EVENTS, pieces=[body], ending="cut")
    async with serving(tmp_path, lambda call: cut) as (_, gateway):
        answer = await gateway.post(PLAIN, STREAM if array else SSE)
        record = await gateway.last_call()

    first, last = answer.json if array else chunks(answer.body)
    assert first["candidates"] and last["error"]["status"] == "UNAVAILABLE"
    assert (answer.status, record["outcome"]) == (200, "upstream_cut") and record["cost"] != "0"


async def test_a_cut_array_says_so_in_its_last_element(tmp_path: Path) -> None:
    pieces = [chunk("theirs", [{"index": 0, "delta": {"content": "Once"}, "finish_reason": None}])]
    cut = Reply(headers=EVENTS, pieces=pieces, ending="cut")
    async with serving(tmp_path, lambda call: cut, provider="openai_compatible") as (_, gateway):
        answer = await gateway.post(PLAIN, STREAM)

    said, failed = answer.json
    assert said["candidates"][0]["content"]["parts"] == [{"text": "Once"}]
    assert failed["error"]["code"] == 502


# To others


async def test_a_vendor_of_another_format_is_asked_in_it(tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        **PLAIN,
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {"topK": 5},
    }
    async with serving(tmp_path, by_model, provider="openai_compatible") as (simulator, gateway):
        answer = await gateway.post(asked, WHOLE)
        record = await gateway.last_call()

    sent = simulator.calls[0]
    assert (sent.path, sent.json["model"]) == ("/v1/chat/completions", "theirs")
    assert [turn["role"] for turn in sent.json["messages"]] == ["system", "user"]
    told = answer.json
    assert told["candidates"][0]["content"]["parts"] == [{"text": "Hello from the simulated upstream."}]
    assert told["candidates"][0]["finishReason"] == "STOP"
    assert (told["modelVersion"], told["responseId"]) == ("ours", record["id"].partition("_")[2])
    assert told["usageMetadata"]["promptTokenCount"] == 10
    assert record["endpoint"] == "gemini.generate" and answer.headers["x-request-cost"]


@pytest.mark.parametrize("array", [False, True])
async def test_a_stream_of_another_format_comes_in_this_one(tmp_path: Path, array: bool) -> None:
    async with serving(tmp_path, by_model, provider="openai_compatible") as (_, gateway):
        answer = await gateway.post(PLAIN, STREAM if array else SSE, headers={"x-tokengate-cost": "stream"})

    told = answer.json if array else [event for event in chunks_of(answer.body) if event]
    texts = [part["text"] for event in told for part in event["candidates"][0]["content"]["parts"]]
    assert "".join(texts).strip() == "Hello from the simulated upstream."
    assert told[-1]["candidates"][0]["finishReason"] == "STOP"
    assert told[-1]["usageMetadata"]["totalTokenCount"] > 10
    assert (b": cost " in answer.body) is not array


def chunks_of(body: bytes) -> list[Any]:
    return chunks(b"".join(frame + b"\n\n" for frame in body.split(b"\n\n") if frame.startswith(b"data:")))


async def test_what_no_other_format_knows_is_refused_or_named(tmp_path: Path) -> None:
    async with serving(tmp_path, by_model, provider="openai_compatible") as (simulator, gateway):
        cached = await gateway.post({**PLAIN, "cachedContent": "cachedContents/1"}, WHOLE)
        running = await gateway.post({**PLAIN, "tools": [{"codeExecution": {}}]}, WHOLE)
        warned = await gateway.post({**PLAIN, "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT"}]}, WHOLE)

    assert [one.json["error"]["status"] for one in (cached, running)] == ["INVALID_ARGUMENT"] * 2
    assert "cachedContent" in cached.json["error"]["message"]
    assert "codeExecution" in running.json["error"]["message"]
    assert "safetySettings" in warned.headers["x-tokengate-warning"]
    assert len(simulator.calls) == 1


async def test_an_application_is_called_like_a_model(tmp_path: Path) -> None:
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "ours") + sells("ours")
        config += '[[app]]\nname = "helper"\nmodel = "ours"\nsystem = "Be kind."\n'
        async with hosted(tmp_path, config) as gateway:
            answer = await gateway.post(PLAIN, "/v1beta/models/app/helper:generateContent")

    assert answer.status == 200
    assert simulator.calls[0].json["messages"][0] == {"role": "system", "content": "Be kind."}


# Errors


async def test_errors_have_this_formats_shape(tmp_path: Path) -> None:
    limits = {"slow": KeyLimits(requests_per_minute=1)}
    balances = {"main": "10", "poor": "0.000000001", "slow": "10"}
    async with serving(tmp_path, whole("text"), balances=balances, limits=limits) as (_, gateway):
        wrong = await gateway.post(PLAIN, WHOLE, headers={"x-goog-api-key": "sk-wrong"})
        answers = {
            "UNAUTHENTICATED": wrong,
            "FAILED_PRECONDITION": await gateway.post(PLAIN, WHOLE, key="poor"),
            "NOT_FOUND": await gateway.post(PLAIN, "/v1beta/models/nothing:generateContent"),
            "INVALID_ARGUMENT": await gateway.post({**PLAIN, "generationConfig": {"temperature": 3}}, WHOLE),
            "UNIMPLEMENTED": await gateway.get(WHOLE),
        }
        await gateway.post(PLAIN, WHOLE, key="slow")
        answers["RESOURCE_EXHAUSTED"] = await gateway.post(PLAIN, WHOLE, key="slow")
        unknown = await gateway.post(PLAIN, "/v1beta/models/ours:predict")

    assert {name: answer.status for name, answer in answers.items()} == {
        "UNAUTHENTICATED": 401,
        "FAILED_PRECONDITION": 402,
        "NOT_FOUND": 404,
        "INVALID_ARGUMENT": 400,
        "UNIMPLEMENTED": 405,
        "RESOURCE_EXHAUSTED": 429,
    }
    for name, answer in answers.items():
        error = answer.json["error"]
        assert (error["code"], error["status"]) == (answer.status, name) and error["message"]
    details = {
        name: {one["@type"].rpartition(".")[2]: one for one in answers[name].json["error"].get("details", ())}
        for name in answers
    }
    assert details["UNAUTHENTICATED"]["ErrorInfo"]["reason"] == "API_KEY_INVALID"
    assert details["INVALID_ARGUMENT"]["BadRequest"]["fieldViolations"][0]["field"] == "generationConfig.temperature"
    assert details["RESOURCE_EXHAUSTED"]["RetryInfo"]["retryDelay"].endswith("s")
    assert details["NOT_FOUND"]["RequestInfo"]["requestId"] == answers["NOT_FOUND"].headers["x-request-id"]
    assert (unknown.status, unknown.json["error"]["status"]) == (405, "UNIMPLEMENTED")


async def test_an_array_of_one_error_answers_who_asked_for_an_array(tmp_path: Path) -> None:
    async with serving(tmp_path, whole("text")) as (_, gateway):
        array = await gateway.post({"contents": []}, STREAM)
        events = await gateway.post({"contents": []}, SSE)

    assert (array.status, events.status) == (400, 400)
    (told,) = array.json
    assert told["error"]["message"] == events.json["error"]["message"]


async def test_the_vendors_own_error_arrives_in_its_words(tmp_path: Path) -> None:
    body = {"error": {"code": 400, "message": "Too many stops.", "status": "INVALID_ARGUMENT"}}
    reply = Reply(status=400, headers=JSON, body=json.dumps(body).encode())
    async with serving(tmp_path, lambda call: reply) as (_, gateway):
        answer = await gateway.post(PLAIN, WHOLE)

    assert (answer.status, answer.json["error"]["message"]) == (400, "Too many stops.")


async def test_a_blocked_prompt_is_an_answer(tmp_path: Path) -> None:
    async with serving(tmp_path, whole("blocked")) as (simulator, gateway):
        answer = await gateway.post(PLAIN, WHOLE)

    assert (answer.status, len(simulator.calls)) == (200, 1)
    assert answer.json["promptFeedback"]["blockReason"] == "PROHIBITED_CONTENT"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'{"contents": {}}', b'{"contents": [{"parts": [{}]}]}'])
@pytest.mark.parametrize("path", [WHOLE, SSE, STREAM])
async def test_what_cannot_be_read_is_a_bad_request(tmp_path: Path, path: str, body: bytes) -> None:
    async with serving(tmp_path, whole("text")) as (simulator, gateway):
        answer = await gateway.post(body, path)

    assert answer.status == 400 and simulator.calls == []


async def test_the_key_may_stand_in_any_of_three_places_and_is_never_repeated(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with serving(tmp_path, whole("text")) as (_, gateway):
        key = next(iter(gateway.keys.values())).key
        bare = {"authorization": ""}
        ways = [
            await gateway.post(PLAIN, WHOLE, headers={"x-goog-api-key": key, **bare}),
            await gateway.post(PLAIN, f"{WHOLE}?key={key}", headers=bare),
            await gateway.post(PLAIN, f"{SSE}&key={key}", headers=bare),
            await gateway.post(PLAIN, WHOLE),
        ]
        failed = [
            await gateway.post(PLAIN, f"{WHOLE}?key={key}x", headers=bare),
            await gateway.post(b"{", f"{WHOLE}?key={key}", headers=bare),
            await gateway.post(PLAIN, f"/v1beta/nowhere?key={key}", headers=bare),
            await gateway.get(f"{WHOLE}?key={key}", headers=bare),
        ]
        record = await gateway.last_call()

    assert [answer.status for answer in ways[:2] + ways[3:]] == [200, 200, 200]
    assert [answer.status for answer in failed] == [401, 400, 404, 405]
    seen = [f"{answer.headers}{answer.body!r}" for answer in (*ways, *failed)]
    assert not any(key in text for text in (*seen, json.dumps(record), *capfd.readouterr()))


async def test_an_idempotency_key_is_bound_to_the_model_of_the_path(tmp_path: Path) -> None:
    headers = {"idempotency-key": "order-1"}
    async with Upstream(whole("text")) as simulator:
        config = upstream(simulator.url, "a", "b", provider="google", api_key=KEY) + sells("a") + sells("b")
        async with hosted(tmp_path, config) as gateway:
            first, again = [await gateway.post(PLAIN, "/v1/models/a:generateContent", headers=headers) for _ in "ab"]
            other = await gateway.post(PLAIN, "/v1/models/b:generateContent", headers=headers)

    assert again.headers["idempotent-replayed"] == "true" and again.body == first.body
    assert (other.status, len(simulator.calls)) == (422, 1)


async def test_a_replayed_stream_is_an_array_for_who_wants_one(tmp_path: Path) -> None:
    headers = {"idempotency-key": "order-1"}
    async with serving(tmp_path, streamed("text")) as (simulator, gateway):
        events = await gateway.post(PLAIN, SSE, headers=headers)
        array = await gateway.post(PLAIN, STREAM, headers=headers)

    assert array.headers["idempotent-replayed"] == "true" and len(simulator.calls) == 1
    assert array.json == chunks(events.body)


# Counting


async def test_the_vendor_counts_where_it_can(tmp_path: Path) -> None:
    body = b'{"totalTokens": 31, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 31}]}'
    request = {"generateContentRequest": {**PLAIN, "systemInstruction": {"parts": [{"text": "Be brief."}]}}}
    async with serving(tmp_path, lambda call: Reply(headers=JSON, body=body)) as (simulator, gateway):
        counted = [await gateway.post(asked, "/v1beta/models/ours:countTokens") for asked in (PLAIN, request)]
        balance = (await gateway.balance())["balance"]

    assert [one.json["totalTokens"] for one in counted] == [31, 31] and balance == "10"
    assert [call.path for call in simulator.calls] == ["/v1beta/models/theirs:countTokens"] * 2
    plain, wholly = [call.json["generateContentRequest"] for call in simulator.calls]
    assert plain == {"model": "models/theirs", **PLAIN}
    assert wholly["systemInstruction"]["parts"] == [{"text": "Be brief."}]


@pytest.mark.parametrize(
    "reply", [Reply(status=500), Reply(headers=JSON, body=b"?"), Reply(headers=JSON, body=b"{}"), Reply(raw=b"")]
)
async def test_where_it_cannot_the_count_is_made_here(tmp_path: Path, reply: Reply) -> None:
    asked = {"contents": [{"parts": [{"text": "many words " * 100}]}]}
    async with serving(tmp_path, lambda call: reply) as (_, gateway):
        answer = await gateway.post(asked, "/v1/models/ours:countTokens")

    assert answer.status == 200 and 150 < answer.json["totalTokens"] < 400


async def test_other_vendors_are_not_asked_to_count(tmp_path: Path) -> None:
    async with serving(tmp_path, by_model, provider="openai_compatible") as (simulator, gateway):
        answer = await gateway.post(PLAIN, "/v1beta/models/ours:countTokens")
        refused = await gateway.post({}, "/v1beta/models/ours:countTokens")
        unknown = await gateway.post(PLAIN, "/v1beta/models/nothing:countTokens")

    assert answer.json["totalTokens"] > 0 and simulator.calls == []
    assert (refused.status, unknown.status) == (400, 404)


# Embeddings


def texts(*words: str, **more: Any) -> dict[str, Any]:
    return {"requests": [{"model": "models/ours", "content": {"parts": [{"text": word}]}, **more} for word in words]}


async def test_google_is_asked_for_a_batch_of_vectors(tmp_path: Path) -> None:
    def script(call: Call) -> Reply:
        size = len(call.json["requests"])
        return Reply(headers=JSON, body=json.dumps({"embeddings": [{"values": [0.5, 1]}] * size}).encode())

    asked = texts("a", "b", taskType="RETRIEVAL_DOCUMENT", title="T", outputDimensionality=2)
    async with serving(tmp_path, script, kind="embedding") as (simulator, gateway):
        batch = await gateway.post(asked, "/v1beta/models/ours:batchEmbedContents")
        single = await gateway.post(asked["requests"][0], "/v1/models/ours:embedContent")
        record = await gateway.last_call(count=2)

    assert batch.json["embeddings"] == [{"values": [0.5, 1.0]}] * 2
    assert single.json["embedding"] == {"values": [0.5, 1.0]}
    sent = simulator.calls[0].json["requests"]
    assert simulator.calls[0].path == "/v1beta/models/theirs:batchEmbedContents"
    assert sent == [one | {"model": "models/theirs"} for one in asked["requests"]]
    assert record["endpoint"] == "gemini.embed" and record["input_tokens"] > 0
    assert record["usage_source"] == "estimated"


async def test_other_vendors_give_vectors_too(tmp_path: Path) -> None:
    asked = texts("a", "b", outputDimensionality=8, taskType="CLUSTERING")
    async with serving(tmp_path, by_model, provider="openai_compatible", kind="embedding") as (simulator, gateway):
        answer = await gateway.post(asked, "/v1beta/models/ours:batchEmbedContents")
        record = await gateway.last_call()

    sent = simulator.calls[0]
    assert (sent.path, sent.json["input"], sent.json["dimensions"]) == ("/v1/embeddings", ["a", "b"], 8)
    assert len(answer.json["embeddings"]) == 2 and all(one["values"] for one in answer.json["embeddings"])
    assert (
        answer.headers["x-tokengate-warning"] == "taskType dropped"
        or "taskType" in answer.headers["x-tokengate-warning"]
    )
    assert record["usage_source"] == "vendor"


async def test_openai_clients_reach_googles_vectors(tmp_path: Path) -> None:
    body = b'{"embeddings": [{"values": [0.5]}], "usageMetadata": {"promptTokenCount": 3}}'
    async with serving(tmp_path, lambda call: Reply(headers=JSON, body=body), kind="embedding") as (_, gateway):
        answer = await gateway.post({"model": "ours", "input": "a"}, "/v1/embeddings")

    assert answer.json["data"][0]["embedding"] == [0.5] and answer.json["usage"]["prompt_tokens"] == 3


NO_EMBEDDINGS: list[dict[str, Any]] = [
    {},
    {"requests": []},
    {"requests": [{}]},
    {"requests": texts("a")["requests"] * 101},
    texts("a", outputDimensionality=0),
    {"requests": [{"content": {"parts": [{"inlineData": {}}]}}]},
]


@pytest.mark.parametrize("body", NO_EMBEDDINGS)
async def test_what_cannot_be_embedded_is_refused(tmp_path: Path, body: dict[str, Any]) -> None:
    async with serving(tmp_path, by_model, provider="openai_compatible", kind="embedding") as (simulator, gateway):
        answer = await gateway.post(body, "/v1beta/models/ours:batchEmbedContents")

    assert (answer.status, answer.json["error"]["status"]) == (400, "INVALID_ARGUMENT") and simulator.calls == []


async def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, by_model, provider="openai_compatible") as (_, gateway):
        answer = await gateway.post(texts("a"), "/v1beta/models/ours:batchEmbedContents")

    assert answer.status == 400 and "'chat'" in answer.json["error"]["message"]


# Pictures


@pytest.mark.parametrize("path", [WHOLE, SSE, STREAM])
async def test_googles_models_that_draw_are_called_like_the_others(tmp_path: Path, path: str) -> None:
    script = whole("image") if path == WHOLE else streamed("image")
    async with serving(tmp_path, script, kind="image") as (_, gateway):
        answer = await gateway.post(fixture("image.request.json"), path)
        record = await gateway.last_call()

    told = chunks(answer.body) if path == SSE else answer.json if path == STREAM else [answer.json]
    parts = [part for event in told for part in event["candidates"][0]["content"]["parts"]]
    assert any(part.get("inlineData", {}).get("data") for part in parts)
    units = {line["word"]: line["units"] for line in record["bill"]["lines"]}
    assert units["image_out"] == 1290 and record["outcome"] == "ok"


async def test_a_picture_is_not_drawn_for_a_wallet_that_cannot_pay_it(tmp_path: Path) -> None:
    async with serving(tmp_path, whole("image"), kind="image", balances={"main": "0.00001"}) as (simulator, gateway):
        asked = {**PLAIN, "generationConfig": {"maxOutputTokens": 2000}}
        answer = await gateway.post(asked, WHOLE)

    assert (answer.status, simulator.calls) == (402, [])


@pytest.mark.parametrize("provider", ["openai", "xai"])
async def test_models_that_draw_but_do_not_chat_are_not_called_so(tmp_path: Path, provider: str) -> None:
    async with serving(tmp_path, by_model, provider=provider, kind="image") as (simulator, gateway):
        answer = await gateway.post(PLAIN, WHOLE)

    assert (answer.status, simulator.calls) == (400, [])
    assert answer.json["error"]["details"][0]["reason"] == "OPERATION_NOT_OFFERED"


# Quotes and models


async def test_requests_can_be_quoted_by_their_path(tmp_path: Path) -> None:
    asked = {**PLAIN, "generationConfig": {"maxOutputTokens": 50}}
    async with serving(tmp_path, whole("text")) as (simulator, gateway):
        quoted = [await gateway.post(asked, f"/v1/quote?path={quote(path)}") for path in (WHOLE, STREAM, SSE)]
        nameless = await gateway.post(asked, "/v1/quote")

    assert [(one.json["format"], one.json["model"]) for one in quoted] == [("gemini", "ours")] * 3
    assert quoted[0].json["output_tokens"] == {"at_most": 50} and simulator.calls == []
    assert nameless.status == 400 and ":generateContent" in nameless.json["error"]["message"]


async def test_models_are_listed_in_pages(tmp_path: Path) -> None:
    async with Upstream(by_model) as simulator:
        names = [f"m{number}" for number in range(5)]
        config = upstream(simulator.url, *names) + "".join(
            sells(name, kind="embedding" if name == "m4" else "chat") for name in names
        )
        async with hosted(tmp_path, config) as gateway:
            key = next(iter(gateway.keys.values())).key

            async def get(path: str, **headers: str) -> Any:
                return (await gateway.get(path, headers={"authorization": "", **headers})).json

            whole_list = await get(f"/v1/models?key={key}")
            by_header = await get("/v1/models", **{"x-goog-api-key": key})
            first = await get(f"/v1beta/models?pageSize=2&key={key}")
            second = await get(f"/v1beta/models?pageSize=2&pageToken={first['nextPageToken']}&key={key}")
            last = await get(f"/v1beta/models?pageSize=2&pageToken={second['nextPageToken']}&key={key}")
            bearer = await gateway.get("/v1beta/models?pageSize=5000")
            wrong = [
                await gateway.get(f"/v1beta/models?{query}")
                for query in ("pageSize=-1", "pageToken=x", "pageToken=%F0")
            ]
            one, prefixed = await get(f"/v1beta/models/m2?key={key}"), await get(f"/v1/models/models/m2?key={key}")
            unknown = await gateway.get("/v1beta/models/nothing")
            plain = (await gateway.get("/v1/models")).json

    assert [model["name"] for model in whole_list["models"]] == [f"models/{name}" for name in names]
    assert by_header == whole_list == bearer.json and "nextPageToken" not in whole_list
    pages = [[model["name"] for model in page["models"]] for page in (first, second, last)]
    assert pages == [["models/m0", "models/m1"], ["models/m2", "models/m3"], ["models/m4"]]
    assert "nextPageToken" not in last
    assert [(answer.status, answer.json["error"]["status"]) for answer in wrong] == [(400, "INVALID_ARGUMENT")] * 3
    assert one == prefixed and (one["displayName"], one["outputTokenLimit"]) == ("m2", 1000)
    assert one["supportedGenerationMethods"] == ["generateContent", "countTokens"]
    assert whole_list["models"][4]["supportedGenerationMethods"] == ["embedContent", "batchEmbedContents"]
    assert (unknown.status, unknown.json["error"]["status"]) == (404, "NOT_FOUND")
    assert plain["object"] == "list"
