import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from tests.formats.dashscope.wire import FIXTURES, HEADING, SEEDS, asked, chat, fixture, plain
from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import Citation, Image, Opaque, Part, Refusal, Text, Thinking, ToolCall, Url
from tokengate.core.reply import Choice, FinishReason, Reply, SearchResult
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.dashscope.answers import write_reply
from tokengate.formats.dashscope.replies import read_reply

USAGE = ReportedUsage(Usage(input=3, output=2), b"")
MESSAGE = asked(result_format="message")
REPLIES = sorted(
    path
    for name in ("text", "message", "thinking", "tools", "multimodal", "search", "choices", "logprobs", "picture")
    for path in FIXTURES.glob(f"{name}.json")
)


def answer(*parts: Part, finish: FinishReason | None = FinishReason.STOP, **fields: Any) -> Reply:
    return Reply(choices=(Choice(parts=parts, finish=finish),), usage=USAGE, **fields)


def output(reply: Reply, style: Any = MESSAGE) -> dict[str, Any]:
    return json.loads(write_reply(reply, HEADING, style))["output"]


def test_the_product_pages_answer_about_a_film_is_read_and_written_the_same():
    page = (SEEDS / "002-dashscope-reply-1.json").read_bytes()

    reply = read_reply(page)

    assert reply.usage is not None
    assert reply.usage.usage == Usage(input=25, video_in=5182, output=110)
    written = json.loads(write_reply(reply, HEADING, asked(parts=True)))
    expected = json.loads(page)
    assert written["output"] == expected["output"]
    assert written["usage"] == expected["usage"]
    assert written["request_id"] == "req_our-id"


@pytest.mark.parametrize(
    ("name", "parts", "finish"),
    [
        ("text", (Text("1+1 等于 2。"),), FinishReason.STOP),
        ("message", (Text("你好！有什么"),), FinishReason.LENGTH),
        ("thinking", (Thinking("嗯，很简单。"), Text("等于 2！")), FinishReason.STOP),
        ("multimodal", (Thinking("先看图。"), Text("一只狗在海边。")), FinishReason.STOP),
        ("picture", (Image(Url("https://img.example/made.png")),), FinishReason.STOP),
        (
            "tools",
            (
                ToolCall("call_29a870e7106f45deb8add3", "get_current_weather", '{"location": "杭州"}'),
                ToolCall("call_026e44bb31a74266949a20", "get_current_weather", '{"location": "上海"}'),
            ),
            FinishReason.TOOL_CALLS,
        ),
    ],
)
def test_recorded_answers_are_read(name: str, parts: tuple[Part, ...], finish: FinishReason):
    (choice,) = read_reply(fixture(f"{name}.json")).choices

    assert (choice.parts, choice.finish) == (parts, finish)


def test_several_choices_and_pages_found_and_likelihoods_are_read():
    choices = read_reply(fixture("choices.json")).choices
    searches = read_reply(fixture("search.json")).searches
    logprobs = read_reply(fixture("logprobs.json")).choices[0].logprobs

    assert [(choice.index, choice.finish) for choice in choices] == [(0, FinishReason.STOP), (1, FinishReason.LENGTH)]
    assert searches[0] == SearchResult(
        "https://news.example/1", "杭州降温", "百家号", "https://news.example/favicon.ico", 1
    )
    assert logprobs is not None
    assert [token.token for token in logprobs] == ["等于", "2"]
    assert logprobs[0].top[1].token == "3"


def test_a_forced_call_that_ends_with_stop_ends_with_tool_calls():
    reply = json.loads(fixture("tools.json"))
    reply["output"]["choices"][0]["finish_reason"] = "stop"

    (choice,) = read_reply(json.dumps(reply).encode()).choices

    assert (choice.finish, choice.native) == (FinishReason.TOOL_CALLS, "stop")


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.name)
def test_an_answer_that_was_read_is_written_and_read_again_the_same(path: Path):
    once = read_reply(path.read_bytes())

    again = read_reply(write_reply(once, HEADING, MESSAGE))

    assert plain(again.choices) == plain(once.choices)
    assert (again.usage, again.searches, plain(again.extra)) == (once.usage, once.searches, plain(once.extra))


def test_a_caller_of_the_text_form_gets_text():
    text = asked(result_format="text")

    assert output(answer(Text("a"), Refusal("b")), text) == {"text": "ab", "finish_reason": "stop"}
    assert output(answer(Thinking("hm"), Text("a")), text)["reasoning_content"] == "hm"
    assert "choices" in output(answer(ToolCall("c", "f", "{}")), text)


def test_the_text_form_has_new_members_of_a_choice_and_its_message_in_the_output():
    choice = Choice(
        parts=(Text("a"),), extra={"x_safe": Raw(b"true"), "message": Raw(b'{"x_mood":{"joy":1},"text":"no"}')}
    )
    reply = Reply(choices=(choice,), format="dashscope", extra={"x_of": Raw(b"1")})
    text = asked(result_format="text")

    told = {"text": "a", "finish_reason": "null", "x_safe": True, "x_mood": {"joy": 1}, "x_of": 1}
    assert output(reply, text) == told
    assert output(replace(reply, format="openai"), text) == {"text": "a", "finish_reason": "null"}


def test_a_caller_of_the_message_form_gets_messages():
    reply = answer(Thinking("hm"), Text("a"), ToolCall("c", "f", "{}", "sig"), finish=FinishReason.TOOL_CALLS)

    assert output(reply) == {
        "choices": [
            {
                "finish_reason": "tool_calls",
                "message": {
                    "role": "assistant",
                    "content": "a",
                    "reasoning_content": "hm",
                    "tool_calls": [
                        {
                            "index": 0,
                            "id": "c",
                            "type": "function",
                            "function": {"name": "f", "arguments": "{}"},
                            "extra_content": {"google": {"thought_signature": "sig"}},
                        }
                    ],
                },
            }
        ]
    }
    assert output(answer(Text("a")), asked(parts=True))["choices"][0]["message"]["content"] == [{"text": "a"}]


def test_what_proves_thinking_is_told_in_two_places():
    message = output(answer(Thinking("hm", "sig", "anthropic"), Text("a")))["choices"][0]["message"]

    assert message["reasoning_signature"] == "anthropic:sig"
    assert message["reasoning_details"] == [
        {"type": "reasoning.text", "text": "hm", "signature": "sig", "format": "anthropic", "index": 0}
    ]


def test_sealed_thinking_is_told_beside_the_rest():
    sealed = Thinking("", "sealed", "anthropic", redacted=True)

    message = output(answer(sealed, Thinking("hm", "sig", "anthropic"), Text("a")))["choices"][0]["message"]

    assert message["reasoning_content"] == "hm"
    assert "reasoning_signature" not in message
    assert message["reasoning_details"][0] == {
        "type": "reasoning.encrypted",
        "data": "sealed",
        "format": "anthropic",
        "index": 0,
    }


def test_what_only_another_format_understands_is_not_told():
    reply = answer(Text("a", extra={"x": Raw(b"1")}), Opaque("anthropic", "server_tool_use", Raw(b"{}")))

    assert output(reply)["choices"][0]["message"]["content"] == "a"


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        (None, "null"),
        (FinishReason.STOP, "stop"),
        (FinishReason.PAUSE, "stop"),
        (FinishReason.LENGTH, "length"),
        (FinishReason.CONTENT_FILTER, "content_filter"),
    ],
)
def test_why_an_answer_ended_is_told(finish: FinishReason | None, reason: str):
    assert output(answer(Text("a"), finish=finish))["choices"][0]["finish_reason"] == reason


NO_REPLIES: list[bytes] = [
    b"",
    b"[]",
    b"{}",
    b'{"output": null}',
    b'{"output": 1}',
    b'{"output": {"choices": 1}}',
    b'{"output": {"choices": [{"message": {"content": 5}}]}}',
    b'{"output": {"choices": [{"message": {"content": [1]}}]}}',
    fixture("error.json"),
    b'{"code": "Throttling", "message": "slow down", "output": {}}',
]


@pytest.mark.parametrize("body", NO_REPLIES, ids=range(len(NO_REPLIES)))
def test_what_is_no_answer_is_the_upstreams_failure(body: bytes):
    with pytest.raises(UpstreamFailed):
        read_reply(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"output": {}}',
        b'{"output": {"choices": null, "text": null}}',
        b'{"output": {"choices": [{}]}}',
        b'{"output": {"choices": [{"message": {"content": null, "tool_calls": []}}], "text": null}, "usage": null}',
        b'{"output": {"choices": []}, "usage": {}, "code": "", "message": ""}',
    ],
)
def test_an_answer_without_content_is_one(body: bytes):
    reply = read_reply(body)

    assert reply.usage is None
    assert all(choice.parts == () for choice in reply.choices)


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.name)
@settings(max_examples=50)
@given(data=st.data())
def test_a_mutated_answer_is_read_or_is_the_upstreams_failure(path: Path, data: st.DataObject):
    body = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body) - 1))
        end = min(len(body), start + data.draw(st.integers(0, 12)))
        body[start:end] = data.draw(st.binary(max_size=4) | st.sampled_from([b"null", b'"', b"{", b"]", b"7"]))

    try:
        reply = read_reply(bytes(body))
    except UpstreamFailed as error:
        assert error.kind == "invalid"
    else:
        assert write_reply(reply, HEADING, chat())


def test_pages_that_a_text_cites_are_told_as_found():
    cited = Text("So.", citations=(Citation(url="https://e.example/a", title="A"), Citation(url="https://e.example/a")))

    found = output(answer(cited))["search_info"]["search_results"]

    assert [(one["url"], one["index"]) for one in found] == [("https://e.example/a", 1)]
