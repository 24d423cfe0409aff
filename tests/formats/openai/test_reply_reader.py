"""Whole replies in the words of the vocabulary, as every vendor of OpenAI's format writes them."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec import Raw

from tests.formats.openai.chats import loads
from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import Audio, Citation, Data, Image, Part, Refusal, Text, Thinking, ToolCall
from tokengate.core.reply import Choice, FinishReason, Reply, SearchResult
from tokengate.core.usage import Usage
from tokengate.formats.openai.format import OPENAI_CHAT, OpenAIChat
from tokengate.providers.load import provider_of

FIXTURES = Path(__file__).parents[2] / "fixtures"
PAGES = [
    path for path in sorted((FIXTURES / "seeds").glob("???-reply-*.json")) if "choices" in json.loads(path.read_bytes())
]


def vendor(name: str) -> OpenAIChat:
    return cast("OpenAIChat", provider_of(name).formats["openai"])


def read(message: dict[str, Any], dialect: OpenAIChat = OPENAI_CHAT, **choice: Any) -> Choice:
    body = {"id": "chatcmpl-1", "choices": [{"message": message, "finish_reason": "stop", **choice}]}
    return dialect.read_reply(json.dumps(body).encode()).choices[0]


def recorded(name: str, dialect: OpenAIChat = OPENAI_CHAT) -> Reply:
    return dialect.read_reply((FIXTURES / "openai" / f"{name}.reply.json").read_bytes())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_replies_of_the_product_pages_are_read(path: Path) -> None:
    page = json.loads(path.read_bytes())
    message = page["choices"][0]["message"]

    reply = OPENAI_CHAT.read_reply(path.read_bytes())

    assert (reply.id, reply.model, reply.created_s) == (page["id"], page["model"], page["created"])
    thought = message.get("reasoning_content") or message.get("reasoning")
    expected: list[Part] = [Thinking(thought)] if thought else []
    assert reply.choices[0].parts == (*expected, Text(message["content"]))
    assert (reply.choices[0].finish, reply.choices[0].native) == (FinishReason.STOP, "stop")
    assert reply.usage is not None
    assert reply.usage.usage.input_total == page["usage"]["prompt_tokens"]
    assert reply.usage.usage.output_total == page["usage"]["completion_tokens"]


def test_what_the_pages_replies_have_beside_them_is_kept() -> None:
    reply = OPENAI_CHAT.read_reply((FIXTURES / "seeds" / "001-reply-1.json").read_bytes())

    assert reply.format == "openai"
    assert reply.choices[0].native == "stop"


@pytest.mark.parametrize(
    ("name", "word", "called", "finish"),
    [
        ("openai", "stop", False, FinishReason.STOP),
        ("openai", "stop", True, FinishReason.TOOL_CALLS),  # a forced call ends with stop
        ("openai", "length", True, FinishReason.LENGTH),
        ("openai", "function_call", True, FinishReason.TOOL_CALLS),
        ("openai", "content_filter", False, FinishReason.CONTENT_FILTER),
        ("openai", "something new", False, FinishReason.STOP),
        ("openai", None, False, None),
        ("zhipu", "sensitive", False, FinishReason.CONTENT_FILTER),
        ("zhipu", "model_context_window_exceeded", False, FinishReason.LENGTH),
        ("dashscope", "null", False, None),
        ("openai_compatible", "eos", False, FinishReason.STOP),
        ("openai_compatible", "end_turn", False, FinishReason.STOP),
    ],
)
def test_the_reason_of_the_end_is_read_in_the_vendors_words(
    name: str, word: str | None, called: bool, finish: FinishReason | None
) -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}] if called else []

    choice = read({"content": "x", "tool_calls": calls}, vendor(name), finish_reason=word)

    assert (choice.finish, choice.native) == (finish, word or "")


@pytest.mark.parametrize(
    ("name", "word"),
    [("zhipu", "network_error"), ("deepseek", "insufficient_system_resource"), ("vllm", "error"), ("vllm", "abort")],
)
def test_a_vendor_that_gave_up_has_failed(name: str, word: str) -> None:
    with pytest.raises(UpstreamFailed, match=word) as failure:
        read({"content": "half"}, vendor(name), finish_reason=word)

    assert failure.value.retryable


def test_everything_that_a_message_can_hold() -> None:
    theirs = {"format": Raw(b'"anthropic-claude-v1"')}
    assert recorded("openrouter-details").choices[0].parts == (
        Thinking("The user wants weather.", "EqQBCgIYAhIM", "openai", extra=theirs),
        Thinking("", "gAAAAABo", "openai", redacted=True, extra=theirs),
        Text("Let me look."),
        ToolCall("toolu_01", "get_weather", "{}"),
    )
    assert recorded("search").choices[0].parts == (
        Text("It is sunny.", citations=(Citation("https://example.com/w", "Weather", start=6, end=11),)),
    )
    assert recorded("refusal").choices[0].parts == (Refusal("I'm sorry, I cannot help with that."),)
    (audio,) = recorded("audio").choices[0].parts
    assert isinstance(audio, Audio)
    assert (audio.source, audio.id, audio.transcript) == (
        Data("", "UklGRiQAAABXQVZF"), "audio_abc", "Yes, it is.",
    )  # fmt: skip
    assert loads(audio.extra["expires_at"]) == 1741573552
    assert recorded("openrouter-images").choices[0].parts[1] == Image(Data("image/png", "iVBORw0KGgo="))
    assert recorded("custom-tool").choices[0].parts == (ToolCall("call_x", "code_exec", "print(1)", custom=True),)
    first, _ = recorded("google-parallel-calls").choices[0].parts
    assert first == ToolCall("function-call-1", "a", '{"x":1}', "CpYB")


def test_probabilities_come_with_their_choice() -> None:
    first, second = recorded("logprobs-n").choices

    assert first.logprobs is not None and second.logprobs is not None
    assert [token.token for token in first.logprobs] == ["Hello", "!"]
    assert first.logprobs[0].top[1].token == "Hi"
    assert second.logprobs[0].logprob == -2.5


def test_vendors_tell_the_stop_that_matched() -> None:
    assert recorded("vllm-stop-string").choices[0].stop_sequence == "three"
    assert read({"content": "x"}, matched_stop="</s>").stop_sequence == "</s>"
    assert read({"content": "x"}, stop_reason=151645).stop_sequence is None  # a token's id


def test_searches_are_read_under_every_name() -> None:
    found = SearchResult("https://example.com/g", "t", "网", "https://example.com/i", 1)

    assert recorded("glm-search").searches == (found,)
    assert recorded("dashscope-search").searches[0].title == "天气"
    cited = {"choices": [], "citations": ["https://e/1", "https://e/2"]}
    assert OPENAI_CHAT.read_reply(json.dumps(cited).encode()).searches == (
        SearchResult("https://e/1", index=1),
        SearchResult("https://e/2", index=2),
    )


def test_members_without_a_word_stay() -> None:
    body = {"id": "x", "choices": [{"message": {"content": "x", "context": 1}, "token_ids": [1]}], "provider": "p"}

    reply = OPENAI_CHAT.read_reply(json.dumps(body).encode())

    assert loads(reply.extra["provider"]) == "p"
    assert {name: loads(raw) for name, raw in reply.choices[0].extra.items()} == {
        "token_ids": [1],
        "message": {"context": 1},
    }


def test_reasoning_outside_the_completion_is_added() -> None:
    usage = {
        "prompt_tokens": 10120,
        "completion_tokens": 1499,
        "total_tokens": 14428,
        "prompt_tokens_details": {"cached_tokens": 128},
        "completion_tokens_details": {"reasoning_tokens": 2809},
    }
    body = json.dumps({"choices": [], "usage": usage}).encode()

    read = vendor("xai").read_reply(body).usage

    assert read is not None
    assert read.usage == Usage(input=9992, cache_read=128, output=1499, reasoning=2809)


def test_thoughts_in_the_text_are_told_apart_only_where_the_vendor_writes_them_so() -> None:
    message = {"content": "<think>\nhm\n</think>\n\nyes"}

    assert read(message, vendor("minimax")).parts == (Thinking("hm"), Text("yes"))
    assert read(message).parts == (Text("<think>\nhm\n</think>\n\nyes"),)


ODD: list[dict[str, Any]] = [
    {"content": None},
    {"content": 7, "tool_calls": {}, "refusal": [], "audio": "x", "images": [1], "annotations": None},
    {"content": [], "tool_calls": [None], "function_call": "f", "reasoning": {}, "reasoning_details": [1, {}]},
    {},
]


@pytest.mark.parametrize("message", ODD)
def test_what_cannot_be_understood_says_nothing(message: dict[str, Any]) -> None:
    assert read(message).parts == ()


def test_a_call_without_an_id_gets_one() -> None:
    calls = [{"function": {"name": "f", "arguments": {"a": 1}}}, {"function": {"name": "g"}}]

    first, second = read({"content": None, "tool_calls": calls}).parts

    assert isinstance(first, ToolCall) and isinstance(second, ToolCall)
    assert (first.arguments, second.arguments) == ('{"a":1}', "")
    assert len({first.id, second.id}) == 2 and first.id.startswith("call_")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"choices":{}}', b'{"error":{}}', b'{"a":"\xff"}'])
def test_what_is_no_chat_completion_is_an_upstream_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailed) as failure:
        OPENAI_CHAT.read_reply(body)

    assert failure.value.kind == "invalid"


def test_blank_lines_before_a_reply_are_a_vendors_way_to_keep_the_line_open() -> None:
    assert OPENAI_CHAT.read_reply(b'\n\n\n{"choices":[]}').choices == ()
