"""Anthropic: its requests and refusals, what its models take, and that it takes what is written for it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from tests.simulators.anthropic_rules import check
from tokengate.core.chat import Chat, Custom, Function, JsonFormat, Message, Output, Reasoning, Sampling, ToolChoice
from tokengate.core.errors import Unsupported
from tokengate.core.http import HttpRequest, Timeouts
from tokengate.core.parts import CacheMark, Citation, Data, File, Image, Part, Text, Thinking, ToolCall, ToolResult
from tokengate.core.wire import Losses
from tokengate.providers.anthropic import PROVIDER, abilities_of

KEY = "sk-ant-api03-AbCdEf0123456789"
FORMAT = PROVIDER.formats["anthropic"]


def sent(base_url: str = PROVIDER.base_url, credential: str = KEY, **headers: str) -> HttpRequest:
    path = FORMAT.path("claude-opus-4-7", stream=True)
    headers = {**FORMAT.headers(stream=True), **headers}
    return PROVIDER.request(path, b"{}", credential=credential, base_url=base_url, headers=headers, timeouts=Timeouts())


def error_body(type: str, message: str = "No.") -> bytes:
    return json.dumps({"type": "error", "error": {"type": type, "message": message}, "request_id": "req_1"}).encode()


def test_a_request_carries_the_key_and_the_version_in_their_own_headers() -> None:
    request = sent()

    assert (request.method, request.url) == ("POST", "https://api.anthropic.com/v1/messages")
    assert request.headers == {
        "user-agent": "tokengate",
        "content-type": "application/json",
        "x-api-key": KEY,
        "anthropic-version": "2023-06-01",
    }


def test_an_operators_header_replaces_ours() -> None:
    headers = sent(**{"anthropic-beta": "a,b", "X-Api-Key": "theirs"}).headers

    assert (headers["anthropic-beta"], headers["x-api-key"]) == ("a,b", "theirs")


@pytest.mark.parametrize("base_url", ["https://proxy.example", "https://proxy.example/", "https://proxy.example/v1"])
def test_the_address_may_end_with_the_version(base_url: str) -> None:
    assert sent(base_url, credential="").url == "https://proxy.example/v1/messages"
    assert "x-api-key" not in sent(base_url, credential="").headers


@pytest.mark.parametrize(
    ("status", "type", "kind", "ours"),
    [
        (400, "invalid_request_error", "request", 400),
        (401, "authentication_error", "auth", 502),
        (402, "billing_error", "quota", 503),
        (403, "permission_error", "auth", 502),
        (404, "not_found_error", "request", 404),
        (413, "request_too_large", "request", 413),
        (429, "rate_limit_error", "limited", 429),
        (500, "api_error", "status", 502),
        (504, "timeout_error", "status", 502),
        (529, "overloaded_error", "limited", 503),
    ],
)
def test_a_refusal_is_whose_matter_it_is(status: int, type: str, kind: str, ours: int) -> None:
    body = error_body(type)

    failure = PROVIDER.failure(status, {"request-id": "req_2", "retry-after": "3"}, body)
    inside = PROVIDER.failure_inside({}, body)

    assert (failure.kind, failure.status, failure.upstream_status) == (kind, ours, status)
    assert (failure.upstream_request_id, failure.retry_after_s) == ("req_2", 3.0)
    assert inside is not None and (inside.kind, inside.status, inside.upstream_status) == (kind, ours, status)


@pytest.mark.parametrize(
    "message",
    [
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
        "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
    ],
)
def test_an_account_without_money_is_the_operators_matter(message: str) -> None:
    failure = PROVIDER.failure(400, {}, error_body("invalid_request_error", message))

    assert (failure.kind, failure.status) == ("quota", 503)


def test_the_key_is_in_no_error() -> None:
    failure = PROVIDER.failure(401, {}, error_body("authentication_error", f"invalid {KEY}"), credential=KEY)

    assert KEY not in failure.message + failure.body


# What a model takes


@pytest.mark.parametrize(
    ("model", "adaptive", "budget", "efforts", "sampling"),
    [
        ("claude-3-5-haiku-20241022", False, False, 0, True),
        ("claude-3-7-sonnet-latest", False, True, 0, True),
        ("claude-sonnet-4-20250514", False, True, 0, True),
        ("claude-haiku-4-5-20251001", False, True, 0, True),
        ("claude-sonnet-4.5", False, True, 0, True),
        ("claude-opus-4-5", False, True, 3, True),
        ("claude-sonnet-4-6", True, True, 4, True),
        ("us.anthropic.claude-opus-4-6-v1", True, True, 4, True),
        ("claude-opus-4-7", True, False, 5, False),
        ("claude-sonnet-5", True, False, 5, False),
        ("deepseek-chat", False, True, 0, True),
    ],
)
def test_a_name_tells_what_a_model_takes(
    model: str, adaptive: bool, budget: bool, efforts: int, sampling: bool
) -> None:
    known = abilities_of(model)

    assert (known.adaptive, known.budget, len(known.efforts), known.sampling) == (adaptive, budget, efforts, sampling)


def test_the_newest_cannot_but_think_and_take_instructions_anywhere() -> None:
    assert abilities_of("claude-opus-5-5").must_think and abilities_of("claude-fable-5").must_think
    assert not abilities_of("claude-opus-5").must_think
    assert abilities_of("claude-opus-4-8").system_turns and not abilities_of("claude-sonnet-5").system_turns
    assert abilities_of("claude-opus-4-1").json_schema and not abilities_of("claude-sonnet-4").json_schema


# Whatever callers of other formats say, the vendor takes it or it is refused by name

_text = st.text(max_size=6)
_cache = st.none() | st.just(CacheMark())
_texts = st.builds(Text, _text, _cache, citations=st.lists(st.just(Citation("https://x")), max_size=1).map(tuple))
_said = st.one_of(
    _texts,
    st.builds(Image, st.just(Data("image/png", "iVBORw0KGgo=")), detail=st.sampled_from([None, "low"])),
    st.builds(File, st.just(Data("text/plain", "SGk=")), name=_text),
)
_thoughts = st.builds(Thinking, _text, st.sampled_from(["", "AA"]), st.sampled_from(["", "gemini", "responses"]))
_arguments = st.sampled_from(["", "{}", '{"a":1}', '{"a', "[]"])
_schema = st.sampled_from([Raw(b'{"properties":{}}'), Raw(b'{"type":"object","properties":{"a":{"type":"string"}}}')])


@st.composite
def _chats(draw: st.DrawFn) -> Chat:
    messages: list[Message] = []
    for turn in range(draw(st.integers(1, 4))):
        match draw(st.sampled_from(["system", "user", "assistant", "tools"])):
            case "system":
                messages.append(Message("system", (draw(_texts),)))
            case "user":
                messages.append(Message("user", tuple(draw(st.lists(_said, max_size=2))), name=draw(_text)))
            case "assistant":
                messages.append(Message("assistant", tuple(draw(st.lists(_texts | _thoughts, max_size=2)))))
            case _:
                ids = draw(st.lists(st.sampled_from(["", "a:b", "call_1", "x y"]), min_size=1, max_size=3, unique=True))
                ids = [f"{one}{turn}" for one in ids]
                calls: list[Part] = [ToolCall(one, "f", draw(_arguments), custom=draw(st.booleans())) for one in ids]
                messages.append(Message("assistant", (*draw(st.lists(_thoughts, max_size=1)), *calls)))
                messages += [Message("user", (ToolResult(one, (draw(_texts),)),)) for one in ids]
    messages.append(Message("user", (Text("go on"), *draw(st.lists(_said, max_size=1)))))
    tools = draw(st.booleans())
    choice = draw(
        st.none()
        | st.sampled_from([ToolChoice("auto"), ToolChoice("none"), ToolChoice("required"), ToolChoice("named", ("f",))])
    )
    return Chat(
        format="openai",
        model=draw(st.sampled_from(["claude-sonnet-4-5", "claude-opus-4-6", "claude-opus-4-7", "claude-opus-4-8"])),
        messages=tuple(messages),
        tools=(Function("f", cache=draw(_cache)), Custom("g", definition="x")) if tools else (),
        tool_choice=choice if tools else None,
        parallel_tool_calls=draw(st.none() | st.booleans()),
        sampling=Sampling(
            temperature=draw(st.none() | st.floats(0, 2)),
            top_p=draw(st.none() | st.floats(0, 1)),
            top_k=draw(st.none() | st.integers(1, 50)),
            seed=draw(st.none() | st.integers()),
        ),
        output=Output(
            cap=draw(st.none() | st.integers(1, 20_000)),
            stop=tuple(draw(st.lists(_text, max_size=2))),
            json=draw(st.none() | st.just(JsonFormat()) | st.builds(JsonFormat, _schema)),
        ),
        reasoning=Reasoning(
            enabled=draw(st.none() | st.booleans()),
            effort=draw(st.none() | st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"])),
            budget=draw(st.none() | st.integers(-1, 20_000)),
            shown=draw(st.none() | st.booleans()),
        ),
        user=draw(st.none() | _text),
        service_tier=draw(st.none() | st.sampled_from(["auto", "flex"])),
        cache=draw(_cache),
    )


@settings(max_examples=300)
@given(_chats())
def test_what_other_formats_say_is_taken_or_refused_by_name(chat: Chat) -> None:
    try:
        body = FORMAT.write_chat(chat, Losses("anthropic", {}))
    except Unsupported as refusal:
        assert refusal.param
        return

    check(json.loads(body), beta=False)
