"""Anthropic's API as its callers meet it: to its own vendor byte for byte, to others in their format."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.formats.anthropic.examples import CHATS, REPLIES, STREAMS, frames
from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.anthropic_upstream import KEY, AnthropicSimulator
from tests.simulators.openai_upstream import Call, Reply, Script, Upstream, by_model
from tokengate.accounts.keys import KeyLimits

PATH = "/v1/messages"
ASK: dict[str, Any] = {"model": "ours", "max_tokens": 50, "messages": [{"role": "user", "content": "How long is it?"}]}
VERSION = {"anthropic-version": "2023-06-01"}
JSON = {"content-type": "application/json", "request-id": "req_theirs"}


@asynccontextmanager
async def serving(
    folder: Path, script: Script, *, provider: str = "anthropic", **options: Any
) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    """A gateway that sells `ours`, which its upstream calls `theirs`."""
    async with Upstream(script) as simulator:
        url = simulator.url.removesuffix("/v1") if provider == "anthropic" else simulator.url
        config = upstream(url, "ours", provider=provider, api_key=KEY).replace(
            'models = ["ours"]', 'models = { ours = "theirs" }'
        )
        config += sells("ours", input="0.001", output="0.01", max_output=32_000)
        async with hosted(folder, config, **options) as gateway:
            yield simulator, gateway


def whole(name: str) -> Script:
    return lambda call: Reply(headers=JSON, body=REPLIES[name])


def streamed(name: str) -> Script:
    pieces = [frame + b"\n\n" for frame in STREAMS[name].split(b"\n\n")[:-1]]
    return lambda call: Reply(headers={"content-type": "text/event-stream"}, pieces=pieces)


# To Anthropic


@pytest.mark.parametrize("name", CHATS)
async def test_only_the_models_name_changes_on_the_way(tmp_path: Path, name: str) -> None:
    asked = json.loads(CHATS[name]) | {"model": "ours", "stream": False}
    body = json.dumps(asked, ensure_ascii=False, indent=1).encode()
    async with serving(tmp_path, whole("tools")) as (simulator, gateway):
        answer = await gateway.post(body, PATH)

    assert simulator.calls[0].body == body.replace(b'"ours"', b'"theirs"')
    assert simulator.calls[0].path == "/v1/messages"
    assert answer.body == REPLIES["tools"].replace(b'"claude-opus-4-7"', b'"ours"')


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_arrives_byte_for_byte(tmp_path: Path, name: str) -> None:
    theirs = json.loads(REPLIES[name])["model"].encode()
    async with serving(tmp_path, streamed(name)) as (_, gateway):
        answer = await gateway.post(ASK | {"stream": True}, PATH)
        record = await gateway.last_call()

    assert answer.body == STREAMS[name].replace(b'"model":"%b"' % theirs, b'"model":"ours"', 1)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    usage = json.loads(REPLIES[name])["usage"]
    assert record["output_tokens"] == usage["output_tokens"]
    assert (record["outcome"], record["usage_source"]) == ("ok", "vendor")


async def test_usage_is_billed_by_its_buckets(tmp_path: Path) -> None:
    async with serving(tmp_path, whole("tools")) as (_, gateway):
        await gateway.post(ASK, PATH)
        record = await gateway.last_call()

    units = {line["word"]: line["units"] for line in record["bill"]["lines"]}
    assert units == {"input": 472, "cache_read": 100, "cache_write_5m": 20, "cache_write_1h": 10, "output": 89}


async def test_the_vendor_gets_its_own_key_the_version_and_the_callers_betas(tmp_path: Path) -> None:
    headers = {"anthropic-beta": "context-management-2025-06-27,interleaved-thinking-2025-05-14", **VERSION}
    async with serving(tmp_path, whole("text")) as (simulator, gateway):
        await gateway.post(ASK, f"{PATH}?beta=true", headers=headers)
        head = simulator.calls[0].headers

    assert (head["x-api-key"], "authorization" in head) == (KEY, False)
    assert (head["anthropic-version"], head["anthropic-beta"]) == ("2023-06-01", headers["anthropic-beta"])


async def test_a_call_of_claude_code_goes_through_to_the_strict_vendor(tmp_path: Path) -> None:
    asked = json.loads(CHATS["claude-code"])
    asked["messages"][-1]["content"][-1]["text"] = 'Bash({"command": "ls"})'
    simulator = AnthropicSimulator()
    async with Upstream(simulator) as vendor:
        config = upstream(vendor.url, provider="anthropic", api_key=KEY).replace("models = []\n", "")
        async with hosted(tmp_path, config, balances={"main": "1000"}) as gateway:
            headers = {"anthropic-beta": "claude-code-20250219,context-management-2025-06-27", **VERSION}
            answer = await gateway.post(asked, f"{PATH}?beta=true", headers=headers)

    events = frames(answer.body)
    assert [event["content_block"]["type"] for event in events if event["type"] == "content_block_start"] == [
        "thinking",
        "text",
        "tool_use",
    ]
    assert simulator.asked[0] == asked
    assert simulator.headers[0]["anthropic-beta"].startswith("claude-code-20250219")


async def test_what_another_vendor_thought_does_not_reach_anthropic(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "a"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "gemini:AA"},
                {"type": "text", "text": "b"},
            ],
        },
        {"role": "user", "content": "c"},
    ]
    async with serving(tmp_path, whole("text")) as (simulator, gateway):
        answer = await gateway.post(ASK | {"messages": turns}, PATH, headers={"anthropic-beta": "x-1"})

    assert simulator.calls[0].json["messages"][1]["content"] == [{"type": "text", "text": "b"}]
    assert simulator.calls[0].headers["anthropic-beta"] == "x-1"
    assert "thinking" in answer.headers["x-tokengate-warning"]


async def test_a_refusal_without_a_word_is_an_answer(tmp_path: Path) -> None:
    async with serving(tmp_path, whole("refusal")) as (simulator, gateway):
        answer = await gateway.post(ASK, PATH)

    assert (answer.status, answer.json["stop_reason"], len(simulator.calls)) == (200, "refusal", 1)


async def test_a_request_that_warms_the_cache_is_answered_and_billed(tmp_path: Path) -> None:
    warmed = json.loads(REPLIES["refusal"]) | {"stop_reason": "max_tokens"}
    warmed["usage"]["cache_creation_input_tokens"] = 2000
    async with serving(tmp_path, lambda call: Reply(headers=JSON, body=json.dumps(warmed).encode())) as (_, gateway):
        answer = await gateway.post(ASK | {"max_tokens": 0}, PATH)
        record = await gateway.last_call()

    assert (answer.status, answer.json["content"]) == (200, [])
    assert record["input_tokens"] == 2030


async def test_a_stream_that_is_cut_is_billed_for_the_prompt_that_the_vendor_counted(tmp_path: Path) -> None:
    body = STREAMS["tools"].partition(b"event: message_delta")[0]
    cut = Reply(headers={"content-type": "text/event-stream"}, pieces=[body], ending="cut")
    async with serving(tmp_path, lambda call: cut) as (_, gateway):
        answer = await gateway.post(ASK | {"stream": True}, PATH)
        record = await gateway.last_call()

    assert frames(answer.body)[-1]["error"]["type"] == "api_error"
    units = {line["word"]: line["units"] for line in record["bill"]["lines"]}
    assert (units["input"], units["cache_read"]) == (472, 100)
    assert 10 < units["output"] < 89 and record["usage_source"] == "estimated"


async def test_an_error_of_the_vendor_before_the_first_word_is_a_status(tmp_path: Path) -> None:
    start = STREAMS["text"].partition(b"event: content_block_start")[0]
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    reply = Reply(headers={"content-type": "text/event-stream"}, pieces=[start, error])
    async with serving(tmp_path, lambda call: reply) as (_, gateway):
        answer = await gateway.post(ASK | {"stream": True}, PATH)

    assert (answer.status, answer.json["error"]["type"]) == (503, "overloaded_error")


# To others


async def test_a_vendor_of_another_format_is_asked_in_it(tmp_path: Path) -> None:
    async with serving(tmp_path, by_model, provider="openai_compatible") as (simulator, gateway):
        answer = await gateway.post(ASK | {"system": "Be brief.", "top_k": 5}, PATH)
        record = await gateway.last_call()

    sent = simulator.calls[0]
    assert sent.path == "/v1/chat/completions"
    assert [turn["role"] for turn in sent.json["messages"]] == ["system", "user"]
    assert sent.json["model"] == "theirs"
    told = answer.json
    assert (told["type"], told["model"], told["stop_reason"]) == ("message", "ours", "end_turn")
    assert told["content"][0]["text"] == "Hello from the simulated upstream."
    assert told["usage"]["input_tokens"] == 10
    assert answer.headers["request-id"] == answer.headers["x-request-id"] == record["id"]
    assert told["id"] == "msg_" + record["id"].partition("_")[2]


async def test_a_stream_of_another_format_comes_in_this_ones_order(tmp_path: Path) -> None:
    async with serving(tmp_path, by_model, provider="openai_compatible") as (_, gateway):
        answer = await gateway.post(ASK | {"stream": True}, PATH)

    kinds = [event["type"] for event in frames(answer.body)]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert frames(answer.body)[-2]["usage"]["input_tokens"] == 10


async def test_what_no_other_format_knows_is_refused_by_name(tmp_path: Path) -> None:
    async with serving(tmp_path, by_model, provider="openai_compatible") as (simulator, gateway):
        answers = [
            await gateway.post(ASK | more, PATH)
            for more in ({"max_tokens": 0}, {"mcp_servers": [{"type": "url"}]}, {"tools": [{"type": "bash_20250124"}]})
        ]

    assert [(answer.status, answer.json["error"]["type"]) for answer in answers] == [(400, "invalid_request_error")] * 3
    assert "max_tokens" in answers[0].json["error"]["message"]
    assert "mcp_servers" in answers[1].json["error"]["message"]
    assert simulator.calls == []


# Errors


async def test_errors_have_this_formats_shape(tmp_path: Path) -> None:
    limits = {"slow": KeyLimits(requests_per_minute=1)}
    balances = {"main": "10", "poor": "0.000000001", "slow": "10"}
    async with serving(tmp_path, whole("text"), balances=balances, limits=limits) as (_, gateway):
        answers = {
            "authentication_error": await gateway.post(ASK, PATH, headers={"x-api-key": "sk-wrong"}),
            "billing_error": await gateway.post(ASK, PATH, key="poor"),
            "not_found_error": await gateway.post(ASK | {"model": "nothing"}, PATH),
            "invalid_request_error": await gateway.post(ASK | {"max_tokens": "many"}, PATH),
        }
        await gateway.post(ASK, PATH, key="slow")
        answers["rate_limit_error"] = await gateway.post(ASK, PATH, key="slow")

    statuses = {kind: answer.status for kind, answer in answers.items()}
    assert statuses == {
        "authentication_error": 401,
        "billing_error": 402,
        "not_found_error": 404,
        "invalid_request_error": 400,
        "rate_limit_error": 429,
    }
    for kind, answer in answers.items():
        told = answer.json
        assert (told["type"], told["error"]["type"]) == ("error", kind)
        assert told["request_id"] == answer.headers["request-id"] == answer.headers["x-request-id"]
    assert answers["rate_limit_error"].headers["retry-after"]


@pytest.mark.parametrize(
    "headers", [{"anthropic-version": "newest"}, {"anthropic-beta": "a\tb"}, {"anthropic-beta": "x" * 3000}]
)
async def test_headers_are_checked(tmp_path: Path, headers: dict[str, str]) -> None:
    async with serving(tmp_path, whole("text")) as (simulator, gateway):
        answer = await gateway.post(ASK, PATH, headers=headers)

    assert answer.status == 400 and next(iter(headers)) in answer.json["error"]["message"]
    assert simulator.calls == []


async def test_the_key_may_stand_in_either_header(tmp_path: Path) -> None:
    async with serving(tmp_path, whole("text")) as (_, gateway):
        key = next(iter(gateway.keys.values())).key
        own = await gateway.post(ASK, PATH, headers={"x-api-key": key, "authorization": ""})
        bearer = await gateway.post(ASK, PATH)
        both = await gateway.post(ASK, PATH, headers={"x-api-key": key})

    assert [own.status, bearer.status, both.status] == [200, 200, 200]


async def test_a_replayed_answer_has_the_id_of_its_bill(tmp_path: Path) -> None:
    headers = {"idempotency-key": "order-1"}
    async with serving(tmp_path, whole("text")) as (simulator, gateway):
        first, again = [await gateway.post(ASK, PATH, headers=headers) for _ in range(2)]

    assert again.headers["idempotent-replayed"] == "true" and again.body == first.body
    assert again.headers["request-id"] == first.headers["request-id"] == first.headers["x-request-id"]
    assert len(simulator.calls) == 1


# Counting


async def test_the_vendor_counts_where_it_can(tmp_path: Path) -> None:
    def script(call: Call) -> Reply:
        return Reply(headers=JSON, body=b'{"input_tokens": 2095}')

    counted = {name: value for name, value in ASK.items() if name != "max_tokens"}
    async with serving(tmp_path, script) as (simulator, gateway):
        answer = await gateway.post(counted, f"{PATH}/count_tokens", headers={"anthropic-beta": "x-1"})
        balance = (await gateway.balance())["balance"]

    assert (answer.status, answer.json) == (200, {"input_tokens": 2095})
    call = simulator.calls[0]
    assert (call.path, call.json) == ("/v1/messages/count_tokens", counted | {"model": "theirs"})
    assert call.headers["anthropic-beta"] == "x-1" and balance == "10"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500),
        Reply(status=404, body=b"{}"),
        Reply(headers=JSON, body=b"?"),
        Reply(headers=JSON, body=b"{}"),
        Reply(raw=b""),
    ],
)
async def test_where_it_cannot_the_count_is_an_estimate(tmp_path: Path, reply: Reply) -> None:
    asked = {"model": "ours", "messages": [{"role": "user", "content": "many words " * 100}]}
    async with serving(tmp_path, lambda call: reply) as (_, gateway):
        answer = await gateway.post(asked, f"{PATH}/count_tokens")

    assert answer.status == 200 and 150 < answer.json["input_tokens"] < 400


async def test_other_vendors_are_not_asked_to_count(tmp_path: Path) -> None:
    async with serving(tmp_path, by_model, provider="openai_compatible") as (simulator, gateway):
        answer = await gateway.post(ASK | {"max_tokens": None}, f"{PATH}/count_tokens")

    assert answer.json["input_tokens"] > 0 and simulator.calls == []


async def test_what_cannot_be_counted_is_refused_as_the_vendor_refuses_it(tmp_path: Path) -> None:
    body = b'{"type":"error","error":{"type":"invalid_request_error","message":"messages: bad"}}'
    async with serving(tmp_path, lambda call: Reply(status=400, headers=JSON, body=body)) as (_, gateway):
        theirs = await gateway.post({**ASK, "max_tokens": None}, f"{PATH}/count_tokens")
        ours = await gateway.post({"model": "ours"}, f"{PATH}/count_tokens")
        unknown = await gateway.post(ASK | {"model": "nothing"}, f"{PATH}/count_tokens")

    assert (theirs.status, theirs.json["error"]["message"]) == (400, "messages: bad")
    assert (ours.status, unknown.status) == (400, 404)


# Quotes and models


async def test_a_message_can_be_quoted(tmp_path: Path) -> None:
    async with serving(tmp_path, whole("text")) as (simulator, gateway):
        by_path = await gateway.post(ASK, "/v1/quote?path=/v1/messages")
        by_members = await gateway.post(ASK | {"system": "Be brief."}, "/v1/quote")

    assert by_path.json["format"] == by_members.json["format"] == "anthropic"
    assert by_path.json["output_tokens"] == {"at_most": 50} and simulator.calls == []


async def test_models_are_listed_in_pages(tmp_path: Path) -> None:
    async with Upstream(by_model) as simulator:
        names = [f"m{number}" for number in range(5)]
        config = upstream(simulator.url, *names) + "".join(sells(name) for name in names)
        async with hosted(tmp_path, config) as gateway:
            key = next(iter(gateway.keys.values())).key
            headers = {**VERSION, "x-api-key": key, "authorization": ""}

            async def page(query: str) -> Any:
                return (await gateway.get(f"/v1/models?{query}", headers=headers)).json

            whole_list = await page("")
            first, next_one = await page("limit=2"), await page("limit=2&after_id=m1")
            last, before = await page("after_id=m3&limit=9"), await page("limit=2&before_id=m3")
            wrong = await gateway.get("/v1/models?limit=0", headers=headers)
            unknown = await gateway.get("/v1/models/nothing", headers=headers)
            one = (await gateway.get("/v1/models/m2", headers=headers)).json

    assert [model["id"] for model in whole_list["data"]] == names and not whole_list["has_more"]
    assert ([model["id"] for model in first["data"]], first["has_more"], first["last_id"]) == (["m0", "m1"], True, "m1")
    assert [model["id"] for model in next_one["data"]] == ["m2", "m3"] and next_one["has_more"]
    assert ([model["id"] for model in last["data"]], last["has_more"]) == (["m4"], False)
    assert ([model["id"] for model in before["data"]], before["has_more"]) == (["m1", "m2"], True)
    assert (wrong.status, wrong.json["error"]["type"]) == (400, "invalid_request_error")
    assert (unknown.status, unknown.json["error"]["type"]) == (404, "not_found_error")
    assert (one["type"], one["id"], one["display_name"], one["max_tokens"]) == ("model", "m2", "m2", 1000)
    assert one["created_at"] == "1970-01-01T00:00:00Z" and one["lifecycle"] == "active"
