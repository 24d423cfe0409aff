"""DashScope's API as its callers meet it: to its own vendor byte for byte, to others in their format."""

import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.formats.dashscope.wire import SEEDS, data_of, fixture
from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.openai_upstream import Reply, Script, Upstream, by_model
from tokengate.accounts.keys import KeyLimits

TEXT = "/api/v1/services/aigc/text-generation/generation"
MULTIMODAL = "/api/v1/services/aigc/multimodal-generation/generation"
CHATS = [f"{base}/chat/completions" for base in ("/v1", "/api/gpt/v1", "/compatible-mode/v1")]
SSE = {"x-dashscope-sse": "enable"}
JSON = {"content-type": "application/json", "x-request-id": "theirs"}
EVENTS = {"content-type": "text/event-stream;charset=UTF-8"}
SAID = "You said: good day to you"
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


def ask(content: Any = "good day to you", model: str = "ours", **parameters: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": content}]
    return {"model": model, "input": {"messages": messages}, "parameters": {"result_format": "message", **parameters}}


@asynccontextmanager
async def serving(
    folder: Path, script: Script, *, provider: str = "dashscope_native", theirs: str = "qwen-plus", **options: Any
) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    """A gateway that sells `ours`, which its upstream calls `theirs`."""
    async with Upstream(script) as simulator:
        config = upstream(simulator.url, "ours", provider=provider, api_key="sk-vendor").replace(
            'models = ["ours"]', f'models = {{ ours = "{theirs}" }}'
        )
        config += sells("ours", input="0.001", output="0.01", max_output=32_000)
        async with hosted(folder, config, **options) as gateway:
            yield simulator, gateway


@asynccontextmanager
async def in_front_of_the_vendor(folder: Path, more: str = "") -> AsyncGenerator[tuple[DashScope, Hosted]]:
    """A gateway before the strict simulator, under names that say nothing of a model."""
    names = {"ours": "qwen-plus", "seeing": "qwen-vl-max", "only-streams": "qwq-plus"}
    with DashScope() as vendor:
        models = ", ".join(f'{ours} = "{theirs}"' for ours, theirs in names.items())
        config = upstream(vendor.url, provider="dashscope_native", api_key=vendor.key).replace(
            "models = []", f"models = {{ {models} }}"
        )
        config += "".join(sells(name, input="0.001", output="0.01", max_output=32_000) for name in names)
        async with hosted(folder, config + more) as gateway:
            yield vendor, gateway


def whole(name: str) -> Script:
    return lambda call: Reply(headers=JSON, body=fixture(name))


def streamed(*frames: bytes, ending: str = "complete") -> Script:
    return lambda call: Reply(headers=EVENTS, pieces=list(frames), ending=ending)


def stream_of(name: str) -> bytes:
    """Return a recorded stream with the blank lines that some public captures have lost."""
    return re.sub(rb"\n+id:", b"\n\nid:", fixture(name)).rstrip() + b"\n\n"


def frames_of(name: str) -> list[bytes]:
    return [frame + b"\n\n" for frame in stream_of(name).split(b"\n\n")[:-1]]


def under(request_id: str, data: bytes) -> bytes:
    return data.replace(b"98b76af4-4c9f-9397-af42-500425556f95", request_id.encode())


# To DashScope


@pytest.mark.parametrize(
    ("path", "name", "theirs"),
    [
        (TEXT, "request-tools.json", "qwen-plus"),
        (TEXT, "request-search.json", "qwen-plus"),
        (TEXT, "request-prompt.json", "qwen-max"),
        (MULTIMODAL, "request-multimodal.json", "qwen-vl-max"),
    ],
)
async def test_only_the_models_name_changes_on_the_way(tmp_path: Path, path: str, name: str, theirs: str) -> None:
    asked = json.loads(fixture(name)) | {"model": "ours"}
    body = json.dumps(asked, ensure_ascii=False, indent=1).encode()
    async with serving(tmp_path, whole("message.json"), theirs=theirs) as (simulator, gateway):
        answer = await gateway.post(body, path)

    assert simulator.calls[0].body == body.replace(b'"ours"', f'"{theirs}"'.encode())
    assert simulator.calls[0].path == path.replace("/api/v1", "/v1")
    assert answer.body == under(answer.headers["x-request-id"], fixture("message.json"))


@pytest.mark.parametrize("name", ["message", "thinking", "tools", "search", "choices", "logprobs"])
async def test_a_stream_in_pieces_arrives_byte_for_byte(tmp_path: Path, name: str) -> None:
    asked = ask(incremental_output=True, n=2 if name == "choices" else 1)
    async with serving(tmp_path, streamed(*frames_of(f"{name}.sse"))) as (simulator, gateway):
        answer = await gateway.post(asked, TEXT, headers=SSE)
        record = await gateway.last_call()

    assert answer.body == under(record["id"], stream_of(f"{name}.sse"))
    assert answer.headers["content-type"] == "text/event-stream;charset=UTF-8"
    assert simulator.calls[0].headers["x-dashscope-sse"] == "enable"
    assert (record["outcome"], record["usage_source"]) == ("ok", "vendor")
    assert record["output_tokens"] > 0


@pytest.mark.parametrize("headers", [SSE, {"accept": "text/event-stream"}])
async def test_who_wants_all_that_was_said_so_far_gets_it(tmp_path: Path, headers: dict[str, str]) -> None:
    async with in_front_of_the_vendor(tmp_path) as (vendor, gateway):
        unsaid = await gateway.post(ask(), TEXT, headers=headers)
        said = await gateway.post(ask(incremental_output=False), TEXT, headers=headers)
        text = await gateway.post(ask(result_format="text"), TEXT, headers=headers)

    assert vendor.last["parameters"]["incremental_output"] is True
    for answer in (unsaid, said):
        events = data_of(answer.body)
        contents = [event["output"]["choices"][0]["message"]["content"] for event in events]
        assert contents[-1] == SAID and len(contents) > 3
        assert all(later.startswith(earlier) for earlier, later in pairwise(contents))
        reasons = [event["output"]["choices"][0]["finish_reason"] for event in events]
        assert reasons == ["null"] * (len(events) - 1) + ["stop"]
        assert events[-1]["usage"]["output_tokens"] == 6
    assert data_of(text.body)[-1]["output"]["text"] == SAID


async def test_each_event_has_the_vendors_four_lines(tmp_path: Path) -> None:
    async with in_front_of_the_vendor(tmp_path) as (_, gateway):
        answer = await gateway.post(ask(), TEXT, headers=SSE)

    for number, frame in enumerate(answer.body.removesuffix(b"\n\n").split(b"\n\n"), 1):
        lines = frame.split(b"\n")
        assert lines[:3] == [b"id:%d" % number, b"event:result", b":HTTP_STATUS/200"]
        assert lines[3].startswith(b'data:{"output":') and len(lines) == 4


@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_that_another_service_serves_is_answered_in_the_services_own_way(
    tmp_path: Path, stream: bool
) -> None:
    headers = SSE if stream else {}
    async with in_front_of_the_vendor(tmp_path) as (vendor, gateway):
        text = await gateway.post(ask(model="seeing", incremental_output=True), TEXT, headers=headers)
        text_path = vendor.calls[-1].path
        listed = await gateway.post(
            ask([{"text": "good day to you"}], incremental_output=True), MULTIMODAL, headers=headers
        )

    assert (text_path, vendor.calls[-1].path) == (MULTIMODAL, TEXT)

    def contents(body: bytes) -> list[Any]:
        replies = data_of(body) if stream else [json.loads(body)]
        return [reply["output"]["choices"][0]["message"]["content"] for reply in replies]

    assert "".join(contents(text.body)) == SAID
    assert "".join(entry["text"] for content in contents(listed.body) for entry in content) == SAID


async def test_a_model_that_only_streams_is_answered_whole(tmp_path: Path) -> None:
    async with in_front_of_the_vendor(tmp_path) as (_, gateway):
        answer = await gateway.post(ask(model="only-streams"), TEXT)

    assert answer.json["output"]["choices"][0]["message"]["content"] == SAID
    assert answer.json["request_id"] == answer.headers["x-request-id"]


async def test_a_prompt_with_a_history_is_a_conversation(tmp_path: Path) -> None:
    asked = {
        "model": "ours",
        "input": {"prompt": "good day to you", "history": [{"user": "hi", "bot": "hello"}]},
        "parameters": {"result_format": "text"},
    }
    async with in_front_of_the_vendor(tmp_path) as (_, gateway):
        answer = await gateway.post(asked, TEXT)

    assert answer.json["output"] == {"text": SAID, "finish_reason": "stop"}


async def test_usage_is_billed_by_its_buckets(tmp_path: Path) -> None:
    async with serving(tmp_path, whole("multimodal.json"), theirs="qwen-vl-max") as (_, gateway):
        await gateway.post(ask([{"text": "hi"}]), MULTIMODAL)
        record = await gateway.last_call()

    units = {line["word"]: line["units"] for line in record["bill"]["lines"]}
    assert units == {"input": 388, "image_in": 2503, "output": 8, "reasoning": 4}
    assert record["endpoint"] == "multimodal-generation"


async def test_what_inspects_contents_goes_on_to_the_vendor_alone(tmp_path: Path) -> None:
    headers = {"X-DashScope-DataInspection": '{"input":"cip"}'}
    async with serving(tmp_path / "own", whole("message.json")) as (simulator, gateway):
        await gateway.post(ask(), TEXT, headers=headers)
        await gateway.post(ask(), MULTIMODAL, headers=headers)
    own = [call.headers for call in simulator.calls]
    async with serving(tmp_path / "other", by_model, provider="openai_compatible") as (simulator, gateway):
        answer = await gateway.post(ask(), TEXT, headers=headers)

    for head in own:
        assert head["x-dashscope-datainspection"] == '{"input":"cip"}'
    assert not any(name.startswith("x-dashscope") for name in simulator.calls[0].headers)
    assert all(name in answer.headers["x-tokengate-warning"] for name in headers)


async def test_the_operator_alone_chooses_the_workspace(tmp_path: Path) -> None:
    config = 'headers = { "X-DashScope-WorkSpace" = "ws-operator" }\n'
    async with Upstream(whole("message.json")) as simulator:
        settings = upstream(simulator.url, "ours", provider="dashscope_native", api_key="k") + config + sells("ours")
        async with hosted(tmp_path, settings) as gateway:
            refused = await gateway.post(ask(), TEXT, headers={"X-DashScope-WorkSpace": "ws-mine"})
            await gateway.post(ask(), TEXT)

    assert refused.status == 400 and "X-DashScope-WorkSpace" in refused.json["message"]
    assert len(simulator.calls) == 1
    assert simulator.calls[0].headers["x-dashscope-workspace"] == "ws-operator"


async def test_what_another_vendor_thought_does_not_reach_dashscope(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "reasoning_content": "hm", "reasoning_signature": "anthropic:AA"},
        {"role": "user", "content": "good day to you"},
    ]
    async with in_front_of_the_vendor(tmp_path) as (vendor, gateway):
        answer = await gateway.post(ask() | {"input": {"messages": turns}}, TEXT)

    assert answer.status == 200
    assert vendor.last["input"]["messages"][1] == {"role": "assistant", "content": "b", "reasoning_content": "hm"}


# To others


async def test_a_vendor_of_another_format_is_asked_in_it(tmp_path: Path) -> None:
    async with serving(tmp_path, by_model, provider="openai_compatible") as (simulator, gateway):
        answer = await gateway.post(ask(top_p=0.5, max_tokens=20), TEXT)
        record = await gateway.last_call()

    sent = simulator.calls[0]
    assert (sent.path, sent.json["model"], sent.json["top_p"]) == ("/v1/chat/completions", "qwen-plus", 0.5)
    told = answer.json
    assert told["output"]["choices"][0] == {
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": "Hello from the simulated upstream."},
    }
    assert (told["usage"]["input_tokens"], told["usage"]["total_tokens"]) == (10, 15)
    assert told["request_id"] == answer.headers["x-request-id"] == record["id"]


@pytest.mark.parametrize("incremental", [True, False])
async def test_a_stream_of_another_format_comes_in_this_ones_frames(tmp_path: Path, incremental: bool) -> None:
    async with serving(tmp_path, by_model, provider="openai_compatible") as (_, gateway):
        answer = await gateway.post(ask(incremental_output=incremental), TEXT, headers=SSE)

    events = data_of(answer.body)
    contents = [event["output"]["choices"][0]["message"]["content"] for event in events]
    said = "".join(contents) if incremental else contents[-1]
    assert said.strip() == "Hello from the simulated upstream."
    assert events[-1]["output"]["choices"][0]["finish_reason"] == "stop"
    assert events[-1]["usage"]["input_tokens"] == 10
    assert len({event["request_id"] for event in events}) == 1


async def test_a_name_of_any_characters_can_be_warned_of(tmp_path: Path) -> None:
    async with serving(tmp_path, by_model, provider="openai_compatible") as (_, gateway):
        answer = await gateway.post(ask() | {"parameters": {"odd\r\nx-evil: 1\x00世": 1}}, TEXT)

    assert answer.status == 200 and "x-evil" not in answer.headers
    assert "parameters.odd??x-evil: 1??" in answer.headers["x-tokengate-warning"]


@pytest.mark.parametrize("stream", [False, True])
async def test_an_application_is_called_by_its_name(tmp_path: Path, stream: bool) -> None:
    async with in_front_of_the_vendor(tmp_path, '[[app]]\nname = "wei"\nmodel = "ours"\nsystem = "Be kind."\n') as (
        vendor,
        gateway,
    ):
        answer = await gateway.post(ask(model="app/wei"), TEXT, headers=SSE if stream else {})

    last = data_of(answer.body)[-1] if stream else answer.json
    assert last["output"]["choices"][0]["message"]["content"] == SAID
    assert vendor.last["input"]["messages"][0] == {"role": "system", "content": "Be kind."}


# The same body at OpenAI's address


@pytest.mark.parametrize("path", CHATS)
async def test_the_pages_body_is_answered_as_the_page_shows(tmp_path: Path, path: str) -> None:
    asked, shown = (SEEDS / f"002-dashscope-{one}-1.json" for one in ("request", "reply"))
    reply = Reply(headers=JSON, body=shown.read_bytes())
    body = asked.read_bytes().replace(b"qwen-vl-max-latest", b"ours")
    async with serving(tmp_path, lambda call: reply, theirs="qwen-vl-max-latest") as (simulator, gateway):
        answer = await gateway.post(body, path)
        record = await gateway.last_call()

    assert simulator.calls[0].path == MULTIMODAL.replace("/api/v1", "/v1")
    assert simulator.calls[0].body == asked.read_bytes()
    ours = answer.headers["x-request-id"].encode()
    assert answer.body == shown.read_bytes().replace(b"7cb1f695-d0b5-963e-a5ed-93c07ed810be", ours)
    units = {line["word"]: line["units"] for line in record["bill"]["lines"]}
    assert units == {"input": 25, "video_in": 5182, "output": 110}


async def test_a_body_with_texts_is_answered_with_texts(tmp_path: Path) -> None:
    async with in_front_of_the_vendor(tmp_path) as (vendor, gateway):
        text = await gateway.post(ask(), CHATS[0])
        listed = await gateway.post(ask([{"text": "good day to you"}]), CHATS[0])
        stream = await gateway.post(ask(incremental_output=True), CHATS[0], headers=SSE)

    assert text.json["output"]["choices"][0]["message"]["content"] == SAID
    assert listed.json["output"]["choices"][0]["message"]["content"] == [{"text": SAID}]
    assert data_of(stream.body)[-1]["output"]["choices"][0]["finish_reason"] == "stop"
    assert {call.path for call in vendor.calls} == {TEXT}


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"input": {}}, "input.messages"),
        ({"input": "hi"}, "input"),
        ({"input": {"messages": [{"role": "user", "content": [7]}]}}, "input.messages[0].content[0]"),
        ({"stream": True}, "X-DashScope-SSE"),
        ({"parameters": {"n": 9}}, "parameters.n"),
    ],
)
async def test_its_mistakes_are_told_in_this_formats_shape(tmp_path: Path, more: dict[str, Any], named: str) -> None:
    async with serving(tmp_path, whole("message.json")) as (simulator, gateway):
        answer = await gateway.post(ask() | more, CHATS[0])

    assert (answer.status, answer.json["code"]) == (400, "InvalidParameter")
    assert named in answer.json["message"]
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert simulator.calls == []


async def test_a_body_of_both_formats_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, whole("message.json")) as (_, gateway):
        answer = await gateway.post(ask() | {"messages": [{"role": "user", "content": "a"}]}, CHATS[0])

    assert (answer.status, answer.json["error"]["param"]) == (400, "input")


# Errors


async def test_errors_have_this_formats_shape(tmp_path: Path) -> None:
    limits = {"slow": KeyLimits(requests_per_minute=1)}
    balances = {"main": "10", "poor": "0.000000001", "slow": "10"}
    async with serving(tmp_path, whole("message.json"), balances=balances, limits=limits) as (_, gateway):
        answers = {
            "InvalidApiKey": await gateway.post(ask(), TEXT, headers={"authorization": "Bearer sk-wrong"}),
            "Arrearage": await gateway.post(ask(), TEXT, key="poor"),
            "ModelNotFound": await gateway.post(ask(model="nothing"), TEXT),
            "InvalidParameter": await gateway.post(ask(temperature=2), MULTIMODAL),
        }
        await gateway.post(ask(), TEXT, key="slow")
        answers["Throttling.RateQuota"] = await gateway.post(ask(), TEXT, key="slow", headers=SSE)

    assert {code: answer.status for code, answer in answers.items()} == {
        "InvalidApiKey": 401,
        "Arrearage": 402,
        "ModelNotFound": 404,
        "InvalidParameter": 400,
        "Throttling.RateQuota": 429,
    }
    for code, answer in answers.items():
        assert list(answer.json) == ["code", "message", "request_id"]
        assert (answer.json["code"], answer.json["request_id"]) == (code, answer.headers["x-request-id"])
    assert "parameters.temperature" in answers["InvalidParameter"].json["message"]
    assert answers["Throttling.RateQuota"].headers["retry-after"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_vendors_refusal_keeps_its_code_words_and_status(tmp_path: Path, stream: bool) -> None:
    async with in_front_of_the_vendor(tmp_path) as (_, gateway):
        answer = await gateway.post(ask("fail DataInspectionFailed"), TEXT, headers=SSE if stream else {})

    assert (answer.status, answer.json["code"]) == (400, "DataInspectionFailed")
    assert answer.json["message"] == "Simulated DataInspectionFailed."


@pytest.mark.parametrize("incremental", [True, False])
@pytest.mark.parametrize("text", ["break InternalError", "cut"])
async def test_a_stream_that_breaks_off_ends_with_an_error_event(tmp_path: Path, text: str, incremental: bool) -> None:
    async with in_front_of_the_vendor(tmp_path) as (_, gateway):
        answer = await gateway.post(ask(text, incremental_output=incremental), TEXT, headers=SSE)
        record = await gateway.last_call()

    *_, last = answer.body.removesuffix(b"\n\n").split(b"\n\n")
    lines = last.split(b"\n")
    assert lines[1] == b"event:error" and lines[3].startswith(b"status:5")
    told = data_of(last)[0]
    assert told["code"] == "InternalError" and told["message"]
    assert told["request_id"] == answer.headers["x-request-id"] == record["id"]
    assert record["outcome"] != "ok" and record["output_tokens"] > 0


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"X-DashScope-Async": "enable"}, "X-DashScope-Async"),
        ({"X-DashScope-EncryptionKey": "AAAA"}, "X-DashScope-EncryptionKey"),
        ({"X-DashScope-DataInspection": "x" * 3000}, "X-DashScope-DataInspection"),
        ({"X-DashScope-WorkSpace": "ws-mine"}, "X-DashScope-WorkSpace"),
    ],
)
async def test_headers_that_cannot_be_met_are_refused_by_name(
    tmp_path: Path, headers: Mapping[str, str], named: str
) -> None:
    async with serving(tmp_path, whole("message.json")) as (simulator, gateway):
        answer = await gateway.post(ask(), TEXT, headers=headers)

    assert (answer.status, answer.json["code"]) == (400, "InvalidParameter")
    assert named in answer.json["message"] and simulator.calls == []


@pytest.mark.parametrize("path", ["/api/v1/services/aigc/virtual-try-on/image-synthesis", "/api/v1/fine-tunes"])
async def test_a_service_that_is_not_offered_is_told_in_this_formats_shape(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path, whole("message.json")) as (_, gateway):
        posted = await gateway.post(ask(), path)
        wrong_method = await gateway.get(TEXT)

    assert (posted.status, posted.json["code"]) == (404, "NotFound")
    assert posted.json["request_id"] == posted.headers["x-request-id"]
    assert (wrong_method.status, wrong_method.json["code"]) == (405, "InvalidParameter")


@pytest.mark.parametrize(
    "path",
    [
        "aigc/text2image/image-synthesis",
        "aigc/image2image/image-synthesis",
        "aigc/image-generation/generation",
        "aigc/video-generation/video-synthesis",
        "aigc/image2video/video-synthesis",
        "audio/asr/transcription",
    ],
)
async def test_a_service_of_tasks_wants_the_header_that_says_so(tmp_path: Path, path: str) -> None:
    async with serving(tmp_path, whole("message.json")) as (_, gateway):
        answer = await gateway.post(ask(), f"/api/v1/services/{path}")

    assert (answer.status, answer.json["code"]) == (403, "AccessDenied")
    assert answer.json["message"] == "current user api does not support synchronous calls."


@pytest.mark.parametrize("model", ["qwen-mt-plus", "qwen-mt-turbo"])
async def test_the_languages_of_a_translation_are_checked(tmp_path: Path, model: str) -> None:
    async with (
        Upstream(whole("message.json")) as simulator,
        hosted(tmp_path, upstream(simulator.url, model, provider="dashscope_native", api_key="k")) as gateway,
    ):
        wrong = [
            await gateway.post(ask(model=model, translation_options=options), TEXT)
            for options in ({"target_lang": "Klingon"}, {"source_lang": "zh", "target_lang": "English"}, {})
        ]
        right = await gateway.post(
            ask(model=model, translation_options={"source_lang": "auto", "target_lang": "English"}), TEXT
        )

    assert [answer.status for answer in (*wrong, right)] == [400, 400, 400, 200]
    assert "parameters.translation_options.target_lang" in wrong[0].json["message"]
    assert "parameters.translation_options.source_lang" in wrong[1].json["message"]
    assert simulator.calls[0].json["parameters"]["translation_options"]["target_lang"] == "English"


# Once more, and quotes


async def test_a_replayed_answer_is_the_same_and_a_stream_is_another_request(tmp_path: Path) -> None:
    headers = {"idempotency-key": "order-1"}
    async with serving(tmp_path, whole("message.json")) as (simulator, gateway):
        first, again = [await gateway.post(ask(), TEXT, headers=headers) for _ in range(2)]
        streamed_one = await gateway.post(ask(), TEXT, headers={**headers, **SSE})

    assert again.headers["idempotent-replayed"] == "true" and again.body == first.body
    assert (streamed_one.status, len(simulator.calls)) == (422, 1)


async def test_a_chat_can_be_quoted_wherever_it_is_posted(tmp_path: Path) -> None:
    asked = ask(max_tokens=50)
    async with serving(tmp_path, whole("message.json")) as (simulator, gateway):
        quotes = [await gateway.post(asked, f"/v1/quote?path={path}") for path in (TEXT, MULTIMODAL, CHATS[1])]
        by_members = await gateway.post(asked, "/v1/quote")
        wrong = await gateway.post({"model": "ours"}, f"/v1/quote?path={CHATS[0]}")

    for quote in (*quotes, by_members):
        assert (quote.json["format"], quote.json["output_tokens"]) == ("dashscope", {"at_most": 50})
    assert (wrong.status, wrong.json["error"]["param"]) == (400, "messages")
    assert simulator.calls == []
