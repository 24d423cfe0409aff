"""Whole answers as OpenAI's SDK parses them, whoever gave them."""

import json
from typing import Any

import pytest
from msgspec import Raw
from openai.types.chat import ChatCompletion

from tests.formats.openai.chats import read
from tokengate.core.chat import Chat
from tokengate.core.errors import BadRequest, RateLimited
from tokengate.core.parts import Audio, Citation, Data, Image, Opaque, Part, Refusal, Text, Thinking, ToolCall, Url
from tokengate.core.reply import Choice, FinishReason, Reply, SearchResult, TokenLogprob
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Heading
from tokengate.formats.openai.format import OPENAI_CHAT

HEADING = Heading("req1", "our/model", 5)
USAGE = ReportedUsage(Usage(input=10, cache_read=4, cache_write_5m=2, output=3, reasoning=6), b"{}")


def write(*parts: Part, chat: Chat | None = None, choice: Choice | None = None, **fields: Any) -> dict[str, Any]:
    """Return the body of an answer, which must be one to the SDK, too."""
    choice = choice or Choice(parts=parts, finish=FinishReason.STOP)
    reply = Reply(choices=(choice,), usage=USAGE, **fields)
    body = OPENAI_CHAT.write_reply(reply, HEADING, chat or read())
    ChatCompletion.model_validate_json(body)
    return json.loads(body)


def message(*parts: Part, chat: Chat | None = None) -> dict[str, Any]:
    return write(*parts, chat=chat)["choices"][0]["message"]


def test_an_answer_is_headed_by_the_gateway() -> None:
    body = write(Text("hi"), id="vendors", model="vendors-model", created_s=9, service_tier="flex")

    assert (body["id"], body["model"], body["created"]) == ("chatcmpl-req1", "our/model", 5)
    assert (body["object"], body["service_tier"], body["system_fingerprint"]) == ("chat.completion", "flex", None)


def test_usage_has_openais_totals() -> None:
    assert write(Text("hi"))["usage"] == {
        "prompt_tokens": 16,
        "completion_tokens": 9,
        "total_tokens": 25,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 6},
    }


def test_a_plain_answer_has_every_member_of_a_message() -> None:
    assert message(Text("a"), Text("b")) == {
        "role": "assistant",
        "content": "ab",
        "refusal": None,
        "reasoning_content": None,
        "annotations": [],
    }


def test_calls_come_without_content() -> None:
    told = message(ToolCall("c1", "f", "", signature="sig"), ToolCall("c2", "g", '{"a":1}'))

    assert told["content"] is None
    assert told["tool_calls"] == [
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "f", "arguments": "{}"},
            "extra_content": {"google": {"thought_signature": "sig"}},
        },
        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": '{"a":1}'}},
    ]


def test_a_caller_of_functions_is_answered_in_functions() -> None:
    chat = read(functions=[{"name": "f"}])
    choice = Choice(parts=(ToolCall("c", "f", "{}"),), finish=FinishReason.TOOL_CALLS)

    told = write(chat=chat, choice=choice)["choices"][0]

    assert told["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert "tool_calls" not in told["message"]
    assert told["finish_reason"] == "function_call"


def test_a_caller_of_custom_tools_gets_text_from_a_vendor_that_has_only_functions() -> None:
    chat = read(tools=[{"type": "custom", "custom": {"name": "code"}}])

    told = message(ToolCall("c", "code", '{"input":"print(1)"}'), chat=chat)

    assert told["tool_calls"] == [{"id": "c", "type": "custom", "custom": {"name": "code", "input": "print(1)"}}]


def test_thinking_is_text_and_its_proofs_are_details() -> None:
    told = message(
        Thinking("a", "s", "anthropic"), Thinking("", "d", "gemini", redacted=True), Thinking("b"), Text("c")
    )

    assert told["reasoning_content"] == "ab"
    assert told["reasoning_details"] == [
        {"type": "reasoning.text", "text": "a", "signature": "s", "format": "anthropic", "index": 0},
        {"type": "reasoning.encrypted", "data": "d", "format": "gemini", "index": 1},
        {"type": "reasoning.text", "text": "b", "index": 2},
    ]


def test_thinking_without_a_proof_is_only_text() -> None:
    told = message(Thinking("a"), Text("b"))

    assert told["reasoning_content"] == "a"
    assert "reasoning_details" not in told


def test_sources_stand_where_they_are_in_the_whole_text() -> None:
    known = Citation("https://e/1", "one", "quoted", start=0, end=2)
    told = message(Text("ab"), Text("cde", citations=(known, Citation("https://e/2"))))

    assert [one["url_citation"] for one in told["annotations"]] == [
        {"start_index": 2, "end_index": 4, "title": "one", "url": "https://e/1", "content": "quoted"},
        {"start_index": 2, "end_index": 5, "title": "", "url": "https://e/2"},
    ]


def test_sound_that_the_vendor_does_not_keep_has_expired() -> None:
    spoken = message(Audio(Data("audio/wav", "AAAA"), transcript="hi", id="a"))["audio"]
    kept = message(Audio(Data("", "AA"), id="a", extra={"expires_at": Raw(b"99")}))["audio"]
    lying = message(Audio(Url("https://e/a.wav"), transcript="hi"))["audio"]

    assert spoken == {"id": "a", "data": "AAAA", "expires_at": 5, "transcript": "hi"}
    assert kept["expires_at"] == 99
    assert (lying["data"], lying["url"]) == ("", "https://e/a.wav")


def test_pictures_refusals_and_foreign_blocks() -> None:
    told = message(Image(Data("image/png", "AA")), Refusal("no"), Opaque("anthropic", "server_tool_use", Raw(b"{}")))

    assert told["images"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}, "index": 0}]
    assert (told["refusal"], told["content"]) == ("no", None)


@pytest.mark.parametrize(
    ("finish", "native", "word", "beside"),
    [
        (FinishReason.STOP, "stop", "stop", {}),
        (FinishReason.STOP, "end_turn", "stop", {"native_finish_reason": "end_turn"}),
        (FinishReason.LENGTH, "MAX_TOKENS", "length", {"native_finish_reason": "MAX_TOKENS"}),
        (FinishReason.PAUSE, "pause_turn", "stop", {"native_finish_reason": "pause_turn"}),
        (FinishReason.CONTENT_FILTER, "", "content_filter", {}),
    ],
)
def test_the_reason_of_the_end_has_openais_word(
    finish: FinishReason, native: str, word: str, beside: dict[str, str]
) -> None:
    choice = Choice(parts=(Text("x"),), finish=finish, native=native)

    told = write(choice=choice)["choices"][0]

    assert told["finish_reason"] == word
    assert {name: value for name, value in told.items() if name.startswith("native")} == beside


def test_a_stop_sequence_is_told_as_vllm_does() -> None:
    choice = Choice(parts=(Text("x"),), finish=FinishReason.STOP, stop_sequence="END")

    assert write(choice=choice)["choices"][0]["stop_reason"] == "END"


def test_probabilities_of_a_refusal_are_told_apart() -> None:
    logprobs = (TokenLogprob("a", -1.0, (97,)), TokenLogprob("b", -2.0, refusal=True))
    choice = Choice(parts=(Text("a"),), finish=FinishReason.STOP, logprobs=logprobs)

    told = write(choice=choice)["choices"][0]["logprobs"]

    assert [token["token"] for token in told["content"]] == ["a"]
    assert [token["token"] for token in told["refusal"]] == ["b"]


def test_found_pages_are_told_in_dashscopes_words() -> None:
    body = write(Text("x"), searches=(SearchResult("https://e", "t", "s", "i", 2),))

    assert body["search_info"] == {
        "search_results": [{"index": 2, "title": "t", "url": "https://e", "site_name": "s", "icon": "i"}]
    }


def test_members_without_a_word_go_back_to_a_caller_of_their_own_format() -> None:
    choice = Choice(
        parts=(Text("x"),),
        finish=FinishReason.STOP,
        extra={"token_ids": Raw(b"[1]"), "message": Raw(b'{"context":1}')},
    )

    own = write(choice=choice, format="openai", extra={"provider": Raw(b'"p"')})
    foreign = write(choice=choice, format="gemini", extra={"provider": Raw(b'"p"')})

    assert (own["provider"], own["choices"][0]["token_ids"], own["choices"][0]["message"]["context"]) == ("p", [1], 1)
    assert "provider" not in foreign and "token_ids" not in foreign["choices"][0]


def test_errors_have_the_sdks_shape() -> None:
    told = json.loads(OPENAI_CHAT.write_error(BadRequest("No.", param="n", code="c"), "req1"))
    limited = json.loads(OPENAI_CHAT.write_error(RateLimited("Slow down.", retry_after_s=1), "req1"))

    assert told == {"error": {"message": "No.", "type": "invalid_request_error", "param": "n", "code": "c"}}
    assert limited["error"]["type"] == "rate_limit_error"
