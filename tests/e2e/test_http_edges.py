"""Every refusal, byte by byte: whatever a caller sends gets a 4xx with a body that SDKs can read, never a 500, never
silence, and is never charged.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.hosted import CHAT, Hosted, hosted, sells, upstream
from tests.raw_http import Answer, Connection, head_of
from tests.simulators.openai_upstream import Upstream
from tokengate.accounts import store as accounts
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.core.clock import SystemClock, now_ms
from tokengate.formats.openai.parameters import ChatBody, CompletionBody, EmbeddingBody

pytestmark = pytest.mark.asyncio(loop_scope="module")

MESSAGES = [{"role": "user", "content": "Good morning"}]
GOOD: dict[str, Any] = {"model": "echo", "messages": MESSAGES}
BASES = ("/v1", "/api/gpt/v1", "/compatible-mode/v1")
MEGABYTE = 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def simulator() -> AsyncGenerator[Upstream]:
    async with Upstream() as simulator:
        yield simulator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory, simulator: Upstream) -> AsyncGenerator[Hosted]:
    config = f"""
        [server]
        max_body_mb = 1
        body_timeout_s = 0.3
        cors = ["https://app.example"]
        {upstream(simulator.url, "echo", "error-400", "unpriced", "embedder")}
        {upstream(simulator.url, "claude-like", name="other", provider="anthropic", api_key="sk")}
        {sells("echo")}
        {sells("claude-like")}
        {sells("error-400")}
        {sells("nowhere")}
        [[model]]
        id = "unpriced"
        [[model]]
        id = "embedder"
        kind = "embedding"
        price = {{ input = "1" }}
    """
    folder = tmp_path_factory.mktemp("edges")
    async with hosted(folder, config, balances={"main": "10", "poor": "0.5", "other": "1"}) as gateway:
        yield gateway


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def nothing_is_charged(gateway: Hosted, simulator: Upstream) -> AsyncGenerator[None]:
    """No refusal costs anything, leaves a hold behind, or is told to the operator as a defect."""
    before = await gateway.balance()
    with capture_logs() as logs:
        yield
        await gateway.idle()
    assert not [log for log in logs if log["event"] == "defect"]
    assert await gateway.balance() == before
    assert before["held"] == "0"


def has_openai_shape(answer: Answer) -> bool:
    error = answer.error
    return (
        set(error) == {"message", "type", "param", "code"}
        and isinstance(error["message"], str)
        and bool(error["message"])
        and answer.headers["content-type"] == "application/json"
        and answer.headers["x-request-id"].startswith("req_")
    )


# Keys.


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Bearer sk-wrong", "Basic dXNlcjpwYXNz"])
@pytest.mark.parametrize(
    ("base", "error"),
    [
        ("/v1", ("Incorrect API key provided. ", "invalid_api_key")),
        ("/compatible-mode/v1", ("Incorrect API key provided. ", "invalid_api_key")),
        ("/api/gpt/v1", ("Invalid API-KEY", None)),
    ],
)
async def test_without_a_right_key_the_page_s_own_words_come_back(
    gateway: Hosted, base: str, error: tuple[str, str | None], authorization: str | None
) -> None:
    headers = {"content-type": "application/json"} | ({} if authorization is None else {"authorization": authorization})
    async with gateway.connect() as connection:
        await connection.request("POST", f"{base}/chat/completions", headers, json.dumps(GOOD).encode())
        answer = await connection.answer()

    assert answer.status == 401
    message, code = error
    expected = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    assert answer.json == {"error": expected}


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/echo", "/v1/balance", "/v1/usage", "/v1/usage/req_1"])
async def test_every_path_of_the_api_wants_a_key(gateway: Hosted, path: str) -> None:
    answer = await gateway.get(path, headers={"authorization": "Bearer sk-wrong"})

    assert answer.status == 401
    assert answer.error["code"] == "invalid_api_key"


@pytest.mark.parametrize("authorization", [b"Bearer \xff\xfe", "Bearer schlüssel".encode(), b"Bearer sk-\x80"])
async def test_a_key_that_is_no_ascii_is_a_wrong_key(gateway: Hosted, authorization: bytes) -> None:
    body = json.dumps(GOOD).encode()
    async with gateway.connect() as connection:
        head = head_of("POST", CHAT, {"content-type": "application/json", "content-length": str(len(body))})
        await connection.send(head[:-2] + b"authorization: " + authorization + b"\r\n\r\n" + body)
        answer = await connection.answer()

    assert answer.status in (400, 401)


@pytest.mark.parametrize("name", ["idempotency-key", "x-client-request-id", "x-request-id", "origin", "content-type"])
async def test_a_header_that_is_no_text_is_the_caller_s_mistake(gateway: Hosted, name: str) -> None:
    body = b'{"model":"nothing"}'
    async with gateway.connect() as connection:
        headers = {**gateway.headers(), "content-length": str(len(body))}
        headers.pop(name, None)
        head = head_of("POST", CHAT, headers)
        await connection.send(head[:-2] + name.encode() + b": \xff\xfe\r\n\r\n" + body)
        answer = await connection.answer()

    assert 400 <= answer.status < 500


async def test_a_disabled_key_is_refused_within_a_second(gateway: Hosted) -> None:
    platform = gateway.platform
    async with platform.database.tx() as tx:
        await accounts.disable_key(tx, DEFAULT_ORG, gateway.keys["other"].id, now_ms(SystemClock()))

    async with asyncio.timeout(1):
        while (answer := await gateway.get("/v1/models", key="other")).status == 200:
            await asyncio.sleep(0.01)

    assert answer.status == 401
    assert answer.error["message"] == "This API key is disabled."


# Money and models.


async def test_a_wallet_that_cannot_pay_is_told_what_is_needed_and_what_there_is(
    gateway: Hosted, simulator: Upstream
) -> None:
    asked = len(simulator.calls)

    answer = await gateway.post({**GOOD, "max_tokens": 900}, key="poor")

    assert answer.status == 402
    assert has_openai_shape(answer)
    assert answer.error["type"] == answer.error["code"] == "insufficient_balance"
    needed, available = (part.split(" ")[0] for part in answer.error["message"].split("¥")[1:])
    assert float(needed) > 0.9
    assert available == "0.5"
    assert len(simulator.calls) == asked


@pytest.mark.parametrize(
    ("model", "status", "code", "says"),
    [
        ("no-such-model", 404, "model_not_found", "The model 'no-such-model' does not exist"),
        ("nowhere", 404, "model_not_found", "no upstream offers it"),
        ("unpriced", 403, "forbidden", "has no price set"),
        ("embedder", 400, "model_kind_mismatch", "is a model of kind 'embedding'"),
    ],
)
@pytest.mark.parametrize("base", BASES)
async def test_a_model_that_cannot_be_called_is_named(
    gateway: Hosted, simulator: Upstream, base: str, model: str, status: int, code: str, says: str
) -> None:
    asked = len(simulator.calls)

    answer = await gateway.post({**GOOD, "model": model}, f"{base}/chat/completions")

    assert answer.status == status
    assert has_openai_shape(answer)
    assert (answer.error["param"], answer.error["code"]) == ("model", code)
    assert says in answer.error["message"]
    assert len(simulator.calls) == asked


async def test_a_chat_model_whose_vendor_completes_no_texts_is_refused_with_the_way_to_ask_it(
    gateway: Hosted, simulator: Upstream
) -> None:
    asked = len(simulator.calls)

    answer = await gateway.post({"model": "claude-like", "prompt": "Good morning"}, "/v1/completions")

    assert (answer.status, answer.error["code"]) == (400, "operation_not_offered")
    assert answer.error["message"] == ("No upstream of 'claude-like' offers /completions. Ask it at /chat/completions.")
    assert len(simulator.calls) == asked


async def test_an_unpriced_model_is_listed_all_the_same(gateway: Hosted) -> None:
    models = (await gateway.get("/v1/models")).json["data"]

    assert "unpriced" in {model["id"] for model in models}


async def test_the_upstream_s_refusal_is_passed_on_in_its_own_words(gateway: Hosted, simulator: Upstream) -> None:
    asked = len(simulator.calls)

    answer = await gateway.post({**GOOD, "model": "error-400"})

    assert answer.status == 400
    assert answer.error == {
        "message": "The simulated upstream answers 400.",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "simulated_400",
    }
    assert len(simulator.calls) == asked + 1


# Paths and methods.


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/chat", "/v1/chat/completions/", "/v1/models/", "/v2/models", "/%00"])
async def test_an_unknown_path_is_a_404_that_names_it(gateway: Hosted, path: str) -> None:
    answer = await gateway.get(path)

    assert answer.status == 404
    assert has_openai_shape(answer)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("DELETE", "/api/gpt/v1/chat/completions", "POST"),
        ("PUT", "/v1/embeddings", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("PATCH", "/compatible-mode/v1/models/echo", "GET, HEAD"),
        ("POST", "/v1/balance", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_one(gateway: Hosted, method: str, path: str, allowed: str) -> None:
    async with gateway.connect() as connection:
        await connection.request(method, path, gateway.headers())
        answer = await connection.answer()

    assert answer.status == 405
    assert has_openai_shape(answer)
    assert answer.headers["allow"] == allowed
    assert answer.error["code"] == "method_not_allowed"


# Bodies that are too much, too late or of the wrong kind.


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"])
async def test_another_content_type_is_a_415(gateway: Hosted, kind: str) -> None:
    answer = await gateway.post(GOOD, headers={"content-type": kind})

    assert answer.status == 415
    assert has_openai_shape(answer)
    assert kind in answer.error["message"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "text/json"])
async def test_json_by_any_name_is_read(gateway: Hosted, kind: str) -> None:
    answer = await gateway.post({"model": "no-such-model", "messages": MESSAGES}, headers={"content-type": kind})

    assert answer.status == 404


@pytest.mark.parametrize("declared_bytes", [MEGABYTE + 1, 3 * MEGABYTE])
async def test_a_body_that_declares_too_much_is_refused_before_it_is_kept(gateway: Hosted, declared_bytes: int) -> None:
    async with gateway.connect() as connection:
        await connection.request("POST", CHAT, gateway.headers(), b" " * declared_bytes)
        answer = await connection.answer()

    assert answer.status == 413
    assert has_openai_shape(answer)
    assert str(MEGABYTE) in answer.error["message"]


async def test_a_body_that_declares_far_too_much_is_refused_before_it_is_sent(gateway: Hosted) -> None:
    async with gateway.connect() as connection:
        await connection.send(head_of("POST", CHAT, {**gateway.headers(), "content-length": str(2**40)}))
        answer = await connection.answer()

    assert answer.status == 413


async def test_a_chunked_body_without_an_end_is_cut_off_at_the_limit(gateway: Hosted) -> None:
    async with gateway.connect() as connection:
        await connection.send(head_of("POST", CHAT, {**gateway.headers(), "transfer-encoding": "chunked"}))
        sending = asyncio.ensure_future(_send_forever(connection))
        answer = await connection.answer()
        await connection.closed_by_peer()
        await sending

    assert answer.status == 413
    assert has_openai_shape(answer)


async def _send_forever(connection: Connection) -> None:
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    try:
        while True:
            await connection.send(piece)
            await asyncio.sleep(0)
    except ConnectionError:
        return  # the gateway has hung up


@pytest.mark.parametrize("framing", ["content-length: 100", "transfer-encoding: chunked"])
async def test_a_body_that_does_not_come_in_time_is_a_408(gateway: Hosted, framing: str) -> None:
    name, _, value = framing.partition(": ")
    async with gateway.connect() as connection:
        await connection.send(head_of("POST", CHAT, {**gateway.headers(), name: value}) + b"4\r\n{   ")
        answer = await connection.answer()

    assert answer.status == 408
    assert has_openai_shape(answer)
    assert answer.error["code"] == "request_timeout"
    assert "0.3 s" in answer.error["message"]


@pytest.mark.parametrize("framing", ["content-length: 100", "transfer-encoding: chunked"])
async def test_a_caller_who_leaves_inside_the_body_leaves_nothing_behind(gateway: Hosted, framing: str) -> None:
    name, _, value = framing.partition(": ")
    async with gateway.connect() as connection:
        await connection.send(head_of("POST", CHAT, {**gateway.headers(), name: value}) + b"4\r\n{   ")
        connection.leave()

    await gateway.idle()
    assert (await gateway.get("/healthz")).status == 200


async def test_a_compressed_body_is_refused(gateway: Hosted) -> None:
    answer = await gateway.post(b"\x1f\x8b\x08\x00", headers={"content-encoding": "gzip"})

    assert 400 <= answer.status < 500


# Bodies that cannot be read.

UNREADABLE = {
    "empty": b"",
    "blank": b"   ",
    "half": b'{"model": "echo", "messages": [',
    "trailing": b'{"model": "echo", "messages": []} []',
    "trailing comma": b'{"model": "echo",}',
    "text": b"hello",
    "null": b"null",
    "list": b"[]",
    "number": b"1",
    "NaN": b'{"model":"echo","messages":[{"role":"user","content":"x"}],"temperature":NaN}',
    "Infinity": b'{"model":"echo","messages":[{"role":"user","content":"x"}],"temperature":Infinity}',
    "1e400": b'{"model":"echo","messages":[{"role":"user","content":"x"}],"temperature":1e400}',
    "1e400 unknown": b'{"model":"echo","messages":[{"role":"user","content":"x"}],"strange":1e400}',
    "huge integer": b'{"model":"echo","messages":[{"role":"user","content":"x"}],"n":' + b"9" * 400 + b"}",
    "huge exponent": b'{"model":"echo","messages":[{"role":"user","content":"x"}],"n":1e999999999}',
    "deep list": b'{"model":"echo","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep unknown": b'{"model":"echo","messages":[{"role":"user","content":"x"}],"a":'
    + b'{"a":' * 50_000
    + b"1"
    + b"}" * 50_000
    + b"}",
    "open deep": b'{"a":' * 100_000,
    "invalid UTF-8": b'{"model":"echo","messages":[{"role":"user","content":"\xff\xfe"}]}',
    "overlong UTF-8": b'{"model":"echo","messages":[{"role":"user","content":"\xc0\xaf"}]}',
    "UTF-16": '{"model":"echo","messages":[{"role":"user","content":"x"}]}'.encode("utf-16"),
    "half a surrogate": rb'{"model":"echo","messages":[{"role":"user","content":"\ud800"}]}',
    "NUL": b'{"model":"echo\x00","messages":[]}',
    "duplicate model": b'{"model":"echo","model":"other","messages":[{"role":"user","content":"x"}]}',
    "duplicate messages": b'{"model":"echo","messages":[],"messages":[{"role":"user","content":"x"}]}',
    "duplicate by escape": rb'{"model":"echo","mod\u0065l":"other","messages":[{"role":"user","content":"x"}]}',
    "other case": b'{"model":"echo","Model":"other","messages":[{"role":"user","content":"x"}]}',
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("operation", ["chat/completions", "completions", "embeddings"])
async def test_a_body_that_cannot_be_read_is_a_400(
    gateway: Hosted, simulator: Upstream, operation: str, name: str
) -> None:
    asked = len(simulator.calls)

    answer = await gateway.post(UNREADABLE[name], f"/v1/{operation}")

    assert answer.status == 400
    assert has_openai_shape(answer)
    assert answer.error["type"] == "invalid_request_error"
    assert len(simulator.calls) == asked


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": 1}, "model"),
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": "x" * 201}, "model"),
        ({"messages": "hello"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [1]}, "messages[0]"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages[0].content"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"stream": "yes"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": 2**63}, "max_tokens"),
        ({"max_tokens": "10"}, "max_tokens"),
        ({"max_completion_tokens": 2**31}, "max_completion_tokens"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"temperature": 2.01}, "temperature"),
        ({"temperature": -0.01}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": 1.01}, "top_p"),
        ({"frequency_penalty": -2.5}, "frequency_penalty"),
        ({"stop": 1}, "stop"),
        ({"seed": 2**64}, "seed"),
        ({"top_logprobs": 21, "logprobs": True}, "top_logprobs"),
        ({"tools": {}}, "tools"),
        ({"stream_options": []}, "stream_options"),
        ({"stream_options": {"include_usage": "yes"}}, "stream_options.include_usage"),
    ],
)
async def test_a_wrong_parameter_is_named(gateway: Hosted, change: dict[str, Any], param: str) -> None:
    answer = await gateway.post({**GOOD, **change})

    assert answer.status == 400
    assert has_openai_shape(answer)
    assert answer.error["param"] == param
    assert param in answer.error["message"]


@pytest.mark.parametrize("missing", ["model", "messages"])
async def test_a_missing_parameter_is_named(gateway: Hosted, missing: str) -> None:
    answer = await gateway.post({name: value for name, value in GOOD.items() if name != missing})

    assert answer.status == 400
    assert (answer.error["param"], answer.error["code"]) == (missing, "missing_required_parameter")


async def test_an_idempotency_key_must_be_usable(gateway: Hosted) -> None:
    for key in ("", "x" * 256):
        answer = await gateway.post(GOOD, headers={"idempotency-key": key})

        assert answer.status == 400
        assert answer.error["param"] == "Idempotency-Key"


# The same, found by machine.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMES = {name for body in (ChatBody, CompletionBody, EmbeddingBody) for name in body.__struct_encode_fields__}
PARAMETERS = st.sampled_from([*sorted(NAMES - {"model"}), "strange"])
OPERATIONS = ("chat/completions", "completions", "embeddings")
PATHS = st.sampled_from([f"{base}/{operation}" for base in BASES for operation in OPERATIONS])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATHS, st.dictionaries(PARAMETERS, JSON, max_size=5), st.sampled_from(["echo", "embedder", "gone", 1, None]))
async def test_no_object_is_answered_with_a_defect(
    gateway: Hosted, path: str, parameters: dict[str, Any], model: object
) -> None:
    body = json.dumps({"model": model, **parameters}).encode()
    before = await gateway.balance()

    answer = await gateway.post(body, path)

    assert answer.status == 200 or 400 <= answer.status < 500, answer.body
    if answer.status != 200:
        assert has_openai_shape(answer)
        await gateway.idle()
        assert await gateway.balance() == before


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATHS, st.data())
async def test_no_bytes_are_answered_with_a_defect(gateway: Hosted, path: str, data: st.DataObject) -> None:
    sound = json.dumps({**GOOD, "model": "gone", "prompt": "x", "input": "x"}).encode()
    cut = data.draw(st.integers(0, len(sound)))
    junk = data.draw(st.binary(max_size=12))
    keep = data.draw(st.booleans())

    answer = await gateway.post(sound[:cut] + junk + (sound[cut:] if keep else b""), path)

    assert 400 <= answer.status < 500, answer.body
    assert has_openai_shape(answer)
