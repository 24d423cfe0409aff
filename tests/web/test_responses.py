"""The Responses API as its callers meet it: a response, what is kept of it and for whom, and what is refused."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from tests.formats.responses.samples import frames
from tests.hosted import Hosted, hosted, sells, upstream
from tests.raw_http import Answer
from tests.simulators.openai_upstream import Reply, Upstream, by_model
from tests.simulators.openai_vendor import KEY, OpenAISimulator
from tokengate.accounts.audit import By
from tokengate.accounts.orgs.store import create_org, create_project
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.billing.keys import create_key
from tokengate.core.clock import SystemClock
from tokengate.core.ids import new_id
from tokengate.core.money import NANO_PER_YUAN
from tokengate.storage.tables import keys, projects, stored_responses

PATH = "/v1/responses"
ASK: dict[str, Any] = {"model": "gpt-4.1", "input": "Hello"}
WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
CALLS = 'get_weather({"city": "Rome"})'
IN_ROME = {"type": "function_call_output", "output": "sun"}


@asynccontextmanager
async def serving(folder: Path, **options: Any) -> AsyncGenerator[tuple[OpenAISimulator, Hosted]]:
    """A gateway before OpenAI's two models: one that thinks, and one that does not."""
    vendor = OpenAISimulator()
    async with Upstream(vendor) as simulator:
        config = upstream(simulator.url, "gpt-4.1", "gpt-5.4", provider="openai", api_key=KEY)
        config += sells("gpt-4.1", input="0.001", output="0.01") + sells("gpt-5.4", input="0.001", output="0.01")
        async with hosted(folder, config, **options) as gateway:
            yield vendor, gateway


@asynccontextmanager
async def elsewhere(folder: Path) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    """A gateway before a vendor that knows chat completions alone."""
    async with Upstream(by_model) as simulator:
        config = upstream(simulator.url, "ours") + sells("ours")
        async with hosted(folder, config) as gateway:
            yield simulator, gateway


async def delete(gateway: Hosted, path: str, key: str | None = None) -> Answer:
    async with gateway.connect() as connection:
        await connection.request("DELETE", path, gateway.headers(key))
        return await connection.answer()


async def strangers(gateway: Hosted) -> None:
    """Make `mine` and two keys that are not: `beside` of another project of the org, and `theirs` of another org."""
    platform = gateway.platform
    by = By("system", "", "", "", 0, new_id)
    async with platform.database.tx() as tx:
        others = await create_org(tx, by, name="Others")
        theirs = await create_project(tx, others.id, by, name="theirs")
        project = await create_project(tx, DEFAULT_ORG, by, name="beside")
    made = {"mine": gateway.keys["main"]}
    for name, org_id in (("beside", DEFAULT_ORG), ("theirs", others.id)):
        made[name] = await create_key(
            platform.database, SystemClock(), name=name, org_id=org_id, balance_nano=NANO_PER_YUAN
        )
    async with platform.database.tx() as tx:
        await tx.execute(update(keys).where(keys.c.id == made["beside"].id).values(project_id=project.id))
    assert theirs.id != project.id
    gateway.keys = made
    await platform.keyring.refresh()


async def kept(gateway: Hosted) -> int:
    """Return how many responses are stored."""
    async with gateway.platform.database.read() as read:
        return (await read.execute(select(func.count()).select_from(stored_responses))).scalar_one()


def said(response: Any) -> str:
    """Return the text of a response."""
    return "".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"])


# Making one


async def test_a_response_has_our_id_the_callers_model_and_a_bill(tmp_path: Path) -> None:
    async with serving(tmp_path) as (vendor, gateway):
        answer = await gateway.post(ASK | {"instructions": "Be brief.", "max_output_tokens": 50}, PATH)
        record = await gateway.last_call()

    told = answer.json
    assert told["id"] == "resp_" + record["id"].partition("_")[2]
    assert (told["object"], told["status"], told["model"], said(told)) == (
        "response",
        "completed",
        "gpt-4.1",
        "You said: Hello",
    )
    assert (told["instructions"], told["max_output_tokens"], told["store"]) == ("Be brief.", 50, True)
    assert told["usage"]["input_tokens"] == record["input_tokens"] > 0
    assert record["endpoint"] == "responses" and answer.headers["x-request-cost"] == record["cost"]
    assert vendor.responses.asked[0]["store"] is False


@pytest.mark.parametrize("base", ["/v1", "/api/gpt/v1", "/compatible-mode/v1"])
async def test_every_base_path_has_all_of_it(tmp_path: Path, base: str) -> None:
    async with serving(tmp_path) as (_, gateway):
        made = (await gateway.post(ASK, f"{base}/responses")).json
        shown = await gateway.get(f"{base}/responses/{made['id']}")
        items = await gateway.get(f"{base}/responses/{made['id']}/input_items")
        gone = await delete(gateway, f"{base}/responses/{made['id']}")

    assert (shown.json, len(items.json["data"]), gone.json["deleted"]) == (made, 1, True)


async def test_a_stream_has_every_event_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        answer = await gateway.post(ASK | {"stream": True}, PATH)
        events = frames(answer.body)
        shown = await gateway.get(f"{PATH}/{events[0]['response']['id']}")

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    kinds = [event["type"] for event in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert shown.json == events[-1]["response"]
    assert said(shown.json) == "You said: Hello"


async def test_a_vendor_of_another_format_is_asked_in_it(tmp_path: Path) -> None:
    async with elsewhere(tmp_path) as (simulator, gateway):
        asked = ASK | {"model": "ours", "instructions": "Be brief.", "truncation": "auto"}
        whole = await gateway.post(asked, PATH)
        stream = await gateway.post(asked | {"stream": True}, PATH)

    assert simulator.calls[0].path == "/v1/chat/completions"
    assert [turn["role"] for turn in simulator.calls[0].json["messages"]] == ["system", "user"]
    assert said(whole.json) == said(frames(stream.body)[-1]["response"]).strip() == "Hello from the simulated upstream."
    assert "truncation" in whole.headers["x-tokengate-warning"]


async def test_thinking_that_is_sealed_goes_through_a_tool_loop(tmp_path: Path) -> None:
    asked = {"model": "gpt-5.4", "tools": [WEATHER], "store": False, "include": ["reasoning.encrypted_content"]}
    turns: list[Any] = [{"role": "user", "content": CALLS}]
    async with serving(tmp_path) as (vendor, gateway):
        first = (await gateway.post(asked | {"input": turns}, PATH)).json
        call = first["output"][1]
        turns += [*first["output"], IN_ROME | {"call_id": call["call_id"]}]
        second = await gateway.post(asked | {"input": turns, "stream": True}, PATH)

    assert [item["type"] for item in first["output"]] == ["reasoning", "function_call"]
    assert first["output"][0]["encrypted_content"].startswith("gAAAAAB")
    assert said(frames(second.body)[-1]["response"]) == "The tools say: sun."
    sealed = vendor.responses.asked[1]["input"][1]
    assert (sealed["id"], sealed["encrypted_content"]) == (
        first["output"][0]["id"],
        first["output"][0]["encrypted_content"],
    )


# What came before


@pytest.mark.parametrize("stream", [False, True])
async def test_a_conversation_goes_on_from_an_id(tmp_path: Path, stream: bool) -> None:
    async with serving(tmp_path) as (vendor, gateway):
        first = (await gateway.post(ASK | {"instructions": "Be brief."}, PATH)).json
        asked = {"model": "gpt-4.1", "previous_response_id": first["id"], "input": "And now?", "stream": stream}
        answer = await gateway.post(asked, PATH)
        second = frames(answer.body)[-1]["response"] if stream else answer.json
        third = (await gateway.post(asked | {"previous_response_id": second["id"], "stream": False}, PATH)).json

    assert second["previous_response_id"] == first["id"] and second["instructions"] is None
    assert [turn["content"] for turn in vendor.responses.asked[1]["input"]] == ["Hello", "You said: Hello", "And now?"]
    assert len(vendor.responses.asked[2]["input"]) == 5
    assert all("previous_response_id" not in body and body["store"] is False for body in vendor.responses.asked)
    assert said(third) == "You said: And now?"


async def test_a_tool_loop_goes_on_from_an_id(tmp_path: Path) -> None:
    asked = {"model": "gpt-5.4", "tools": [WEATHER]}
    async with serving(tmp_path) as (vendor, gateway):
        first = (await gateway.post(asked | {"input": CALLS}, PATH)).json
        result = IN_ROME | {"call_id": first["output"][-1]["call_id"]}
        second = await gateway.post(asked | {"previous_response_id": first["id"], "input": [result]}, PATH)

    assert said(second.json) == "The tools say: sun."
    assert [item["type"] for item in vendor.responses.asked[1]["input"]] == [
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
    ]


async def test_items_may_be_named_by_their_ids(tmp_path: Path) -> None:
    async with serving(tmp_path) as (vendor, gateway):
        asked = {"model": "gpt-5.4", "tools": [WEATHER]}
        first = (await gateway.post(asked | {"input": CALLS}, PATH)).json
        thought, call = first["output"]
        listed = (await gateway.get(f"{PATH}/{first['id']}/input_items")).json["data"]
        turns = [{"type": "item_reference", "id": id} for id in (listed[0]["id"], thought["id"], call["id"])]
        turns += [IN_ROME | {"call_id": call["call_id"]}]
        second = await gateway.post(asked | {"input": turns}, PATH)
        unknown = await gateway.post(ASK | {"input": [{"type": "item_reference", "id": "msg_1"}]}, PATH)

    assert said(second.json) == "The tools say: sun."
    assert vendor.responses.asked[1]["input"][0]["content"] == CALLS
    assert (unknown.status, unknown.json["error"]["param"]) == (400, "input[0]")


async def test_the_whole_conversation_is_quoted_and_held(tmp_path: Path) -> None:
    async with serving(tmp_path, balances={"main": "10", "poor": "0.05"}) as (_, gateway):
        first = (await gateway.post(ASK | {"input": "many words " * 5000}, PATH)).json
        more = {"model": "gpt-4.1", "previous_response_id": first["id"], "input": "And?", "max_output_tokens": 20}
        quote = (await gateway.post(more, "/v1/quote")).json
        short = (await gateway.post(ASK | {"max_output_tokens": 20}, "/v1/quote?path=/v1/responses")).json
        long_ago = (await gateway.post(ASK | {"store": True}, PATH, key="poor")).json["id"]
        refused = await gateway.post(ASK | {"input": "many words " * 50_000}, PATH, key="poor")

    assert quote["format"] == short["format"] == "responses"
    assert quote["input_tokens"]["at_most"] > 55_000 > short["input_tokens"]["at_most"]
    assert quote["input_tokens"]["expected"] > 9_000
    assert long_ago and refused.status == 402


@pytest.mark.parametrize("id", ["resp_0", "resp_" + "0" * 32, "resp\u0000", "x" * 100, ""])
async def test_an_unknown_conversation_is_refused_by_name(tmp_path: Path, id: str) -> None:
    async with serving(tmp_path) as (vendor, gateway):
        answer = await gateway.post(ASK | {"previous_response_id": id}, PATH)

    assert (answer.status, answer.json["error"]["code"]) == (400, "previous_response_not_found")
    assert answer.json["error"]["param"] == "previous_response_id" and vendor.responses.asked == []


# Stored responses


async def test_what_is_stored_belongs_to_its_org_and_project(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        await strangers(gateway)
        made = (await gateway.post(ASK, PATH, key="mine")).json["id"]
        foreign: list[Answer] = []
        for name in ("beside", "theirs"):
            foreign += [
                await gateway.get(f"{PATH}/{made}", key=name),
                await gateway.get(f"{PATH}/{made}/input_items", key=name),
                await delete(gateway, f"{PATH}/{made}", name),
                await gateway.post({}, f"{PATH}/{made}/cancel", key=name),
            ]
        goes_on = [
            (await gateway.post(ASK | {"previous_response_id": made}, PATH, key=name)).status
            for name in ("beside", "theirs", "mine")
        ]
        without = await gateway.get(f"{PATH}/{made}", headers={"authorization": ""})
        mine = await gateway.get(f"{PATH}/{made}", key="mine")

    assert mine.status == 200
    assert (without.status, goes_on) == (401, [400, 400, 200])
    assert [answer.status for answer in foreign] == [404] * 8
    assert all(made in answer.json["error"]["message"] for answer in foreign)


async def test_a_deleted_response_is_gone(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        made = (await gateway.post(ASK, PATH)).json["id"]
        first, again = await delete(gateway, f"{PATH}/{made}"), await delete(gateway, f"{PATH}/{made}")
        shown = await gateway.get(f"{PATH}/{made}")
        goes_on = await gateway.post(ASK | {"previous_response_id": made}, PATH)

    assert first.json == {"id": made, "object": "response", "deleted": True}
    assert (again.status, shown.status, goes_on.status) == (404, 404, 400)


async def test_nothing_is_stored_for_a_caller_who_says_no(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        whole = (await gateway.post(ASK | {"store": False}, PATH)).json
        stream = await gateway.post(ASK | {"store": False, "stream": True}, PATH)
        shown = await gateway.get(f"{PATH}/{whole['id']}")
        count = await kept(gateway)

    assert whole["store"] is frames(stream.body)[-1]["response"]["store"] is False
    assert (shown.status, count) == (404, 0)


async def test_nothing_is_stored_for_a_project_that_says_no(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        earlier = (await gateway.post(ASK, PATH)).json
        async with gateway.platform.database.tx() as tx:
            await tx.execute(update(projects).values(stores_responses=False))
        await gateway.platform.keyring.refresh()
        later = await gateway.post(ASK | {"previous_response_id": earlier["id"]}, PATH)
        count = await kept(gateway)

    assert (later.status, later.json["store"], count) == (200, False, 1)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("text", ["FAIL rate_limit_exceeded", "LATER server_error", "HALF", "BREAK", "ERROR 500"])
async def test_nothing_is_stored_of_a_call_that_failed(tmp_path: Path, text: str, stream: bool) -> None:
    async with serving(tmp_path) as (_, gateway):
        answer = await gateway.post(ASK | {"input": text, "stream": stream}, PATH)
        whole = answer.status == 200 and not stream  # only streams break
        assert await kept(gateway) == whole


async def test_a_response_that_was_cut_by_its_cap_is_stored(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        asked = ASK | {"input": "word " * 30, "max_output_tokens": 16, "stream": True}
        ended = frames((await gateway.post(asked, PATH)).body)[-1]
        shown = await gateway.get(f"{PATH}/{ended['response']['id']}")

    assert ended["type"] == "response.incomplete"
    assert shown.json["incomplete_details"] == {"reason": "max_output_tokens"}


async def test_a_replayed_response_is_stored_once(tmp_path: Path) -> None:
    headers = {"idempotency-key": "order-1"}
    async with serving(tmp_path) as (vendor, gateway):
        first, again = [await gateway.post(ASK | {"stream": True}, PATH, headers=headers) for _ in range(2)]
        count = await kept(gateway)

    assert again.headers["idempotent-replayed"] == "true" and again.body == first.body
    assert (count, len(vendor.responses.asked)) == (1, 1)


async def test_input_items_are_listed_in_pages(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "c"}], "id": "msg_own"},
    ]
    async with serving(tmp_path) as (_, gateway):
        path = f"{PATH}/{(await gateway.post(ASK | {'input': turns}, PATH)).json['id']}/input_items"
        newest = (await gateway.get(path)).json
        first = (await gateway.get(f"{path}?order=asc&limit=2")).json
        rest = (await gateway.get(f"{path}?order=asc&limit=2&after={first['last_id']}")).json
        wrong = [await gateway.get(f"{path}?{one}") for one in ("limit=0", "limit=x", "order=up", "after=msg_x")]

    contents = [item["content"][0] for item in reversed(newest["data"])]
    assert [part["text"] for part in contents] == ["a", "b", "c"]
    assert [part["type"] for part in contents] == ["input_text", "output_text", "input_text"]
    assert (newest["object"], newest["has_more"], newest["first_id"]) == ("list", False, "msg_own")
    assert len({item["id"] for item in newest["data"]}) == 3
    assert (first["has_more"], [item["id"] for item in rest["data"]], rest["has_more"]) == (True, ["msg_own"], False)
    assert [(answer.status, answer.json["error"]["param"]) for answer in wrong] == [
        (400, "limit"),
        (400, "limit"),
        (400, "order"),
        (400, "after"),
    ]


# What is refused


async def test_what_does_not_exist_here_is_refused_by_name(tmp_path: Path) -> None:
    async with serving(tmp_path) as (vendor, gateway):
        answer = await gateway.post(ASK | {"conversation": "conv_1"}, PATH)

    assert (answer.status, answer.json["error"]["code"]) == (400, "unsupported_parameter")
    assert answer.json["error"]["param"] == "conversation" and vendor.responses.asked == []


async def test_a_response_that_was_not_in_the_background_is_neither_streamed_nor_cancelled(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        path = f"{PATH}/{(await gateway.post(ASK, PATH)).json['id']}"
        streamed = await gateway.get(f"{path}?stream=true")
        later = await gateway.get(f"{path}?starting_after=3")
        plain = await gateway.get(f"{path}?stream=false&include[]=message.output_text.logprobs")
        cancelled = await gateway.post({}, f"{path}/cancel")

    refused = [(answer.status, answer.json["error"]["param"]) for answer in (streamed, later, cancelled)]
    assert refused == [(400, "stream"), (400, "starting_after"), (400, "response_id")]
    assert plain.status == 200


async def test_built_in_tools_go_to_the_vendor_that_has_them_and_to_no_other(tmp_path: Path) -> None:
    tool = {"type": "code_interpreter", "container": {"type": "auto"}}
    search = {"type": "web_search", "search_context_size": "low"}
    async with serving(tmp_path / "own") as (vendor, gateway):
        answer = await gateway.post(ASK | {"tools": [tool, search], "input": "SEARCH"}, PATH)
    async with elsewhere(tmp_path / "other") as (simulator, gateway):
        refused = await gateway.post(ASK | {"model": "ours", "tools": [tool]}, PATH)

    assert vendor.responses.asked[0]["tools"] == [tool, search]
    assert [item["type"] for item in answer.json["output"]] == ["web_search_call", "message"]
    assert (refused.status, refused.json["error"]["param"]) == (400, "tools")
    assert "code_interpreter" in refused.json["error"]["message"] and simulator.calls == []


async def test_xai_gets_its_own_tools_and_what_heads_the_conversation_among_the_input(tmp_path: Path) -> None:
    reply = {
        "id": "resp_x",
        "object": "response",
        "status": "completed",
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}],
        "usage": {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6},
    }
    script = Reply(headers={"content-type": "application/json"}, body=json.dumps(reply).encode())
    async with Upstream(lambda call: script) as simulator:
        config = upstream(simulator.url, "grok", provider="xai", api_key="xai-1") + sells("grok")
        async with hosted(tmp_path, config) as gateway:
            asked = {"model": "grok", "input": "Hello", "instructions": "Be brief.", "tools": [{"type": "x_search"}]}
            answer = await gateway.post(asked, PATH)

    sent = simulator.calls[0]
    assert (sent.path, sent.json["tools"], sent.json["store"]) == ("/v1/responses", [{"type": "x_search"}], False)
    assert [item["role"] for item in sent.json["input"]] == ["system", "user"] and "instructions" not in sent.json
    assert (said(answer.json), answer.json["instructions"]) == ("Hi", "Be brief.")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("rate_limit_exceeded", 429),
        ("context_length_exceeded", 400),
        ("invalid_prompt", 400),
        ("server_is_overloaded", 503),
        ("server_error", 502),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_vendors_errors_inside_a_200_have_their_status(
    tmp_path: Path, code: str, status: int, stream: bool
) -> None:
    async with serving(tmp_path) as (_, gateway):
        answer = await gateway.post(ASK | {"input": f"FAIL {code}", "stream": stream}, PATH)
        balance = (await gateway.balance())["balance"]

    assert (answer.status, answer.json["error"]["code"], balance) == (status, code, "10")
    assert answer.json["error"]["message"] == f"The simulated vendor says {code}."


async def test_an_error_in_the_middle_of_a_stream_is_its_last_event(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        later = frames((await gateway.post(ASK | {"input": "LATER rate_limit_exceeded", "stream": True}, PATH)).body)
        cut = frames((await gateway.post(ASK | {"input": "HALF of it", "stream": True}, PATH)).body)
        records = [await gateway.last_call(count=2)]

    assert (later[-1]["type"], cut[-1]["type"]) == ("response.failed", "response.failed")
    assert later[-1]["response"]["error"]["code"] == "rate_limit_exceeded"
    assert cut[-1]["response"]["error"]["code"] == "server_error"
    assert later[-1]["response"]["output"][0]["status"] == "incomplete"
    assert records[0]["outcome"] == "upstream_cut"


async def test_errors_have_openais_shape(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        answers = [
            await gateway.post(ASK, PATH, headers={"authorization": "Bearer sk-wrong"}),
            await gateway.post(ASK | {"model": "nothing"}, PATH),
            await gateway.post(ASK | {"temperature": 3}, PATH),
            await gateway.post({"model": "gpt-4.1"}, PATH),
            await gateway.post(b"[", PATH),
            await gateway.get(f"{PATH}/resp_%00"),
        ]

    assert [answer.status for answer in answers] == [401, 404, 400, 400, 400, 404]
    assert all(set(answer.json["error"]) == {"message", "type", "param", "code"} for answer in answers)
    assert [answer.json["error"]["param"] for answer in answers[1:4]] == ["model", "temperature", "input"]


# Other ways to the same models


async def test_a_model_that_is_only_in_responses_is_reached_from_chat_completions(tmp_path: Path) -> None:
    vendor = OpenAISimulator()
    async with Upstream(vendor) as simulator:
        config = upstream(simulator.url, "gpt-5.4", provider="openai", api_key=KEY)
        config += sells("gpt-5.4", formats=["responses"])
        async with hosted(tmp_path, config) as gateway:
            asked = {"model": "gpt-5.4", "messages": [{"role": "user", "content": "Hello"}]}
            whole = await gateway.post(asked)
            stream = await gateway.post(asked | {"stream": True})

    assert whole.json["choices"][0]["message"]["content"] == "You said: Hello"
    assert b'"finish_reason":"stop"' in stream.body and stream.body.endswith(b"data: [DONE]\n\n")
    assert len(vendor.responses.asked) == 2 and vendor.asked == []


async def test_an_application_keeps_its_own_words_to_itself(tmp_path: Path) -> None:
    vendor = OpenAISimulator()
    async with Upstream(vendor) as simulator:
        config = upstream(simulator.url, "gpt-4.1", provider="openai", api_key=KEY) + sells("gpt-4.1")
        config += '[[app]]\nname = "helper"\nmodel = "gpt-4.1"\nsystem = "The secret of the house."\n'
        async with hosted(tmp_path, config) as gateway:
            first = await gateway.post(ASK | {"model": "app/helper"}, PATH)
            asked = {"model": "app/helper", "previous_response_id": first.json["id"], "input": "And?"}
            second = await gateway.post(asked | {"stream": True}, PATH)

    assert (first.json["model"], first.json["instructions"]) == ("app/helper", None)
    assert b"secret" not in first.body + second.body
    assert [body["instructions"] for body in vendor.responses.asked] == ["The secret of the house."] * 2
    assert len(vendor.responses.asked[1]["input"]) == 3


async def test_an_input_is_quoted_for_what_its_model_does(tmp_path: Path) -> None:
    async with Upstream(lambda call: Reply(status=500)) as simulator:
        config = upstream(simulator.url, "chats", "embeds") + sells("chats")
        config += '[[model]]\nid = "embeds"\nkind = "embedding"\nprice = { input = "0.001" }\n'
        async with hosted(tmp_path, config) as gateway:
            formats = [
                (await gateway.post({"model": model, "input": "a"}, "/v1/quote")).json["format"]
                for model in ("chats", "embeds")
            ]
            neither = await gateway.post({"model": "nothing", "input": "a"}, "/v1/quote")

    assert formats == ["responses", "openai"]
    assert neither.status == 404


async def test_what_is_stored_is_sealed(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        await gateway.post(ASK | {"input": "a very secret word"}, PATH)
        async with gateway.platform.database.read() as read:
            row = (await read.execute(select(stored_responses))).one()

    assert b"secret" not in row.content
    assert json.dumps(row.id).strip('"').startswith("resp_")
