"""Whole replies: the vendor's, read, and any vendor's, written for a client."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, structs

from tests.formats.anthropic.examples import HEADING, REPLIES
from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import (
    Audio,
    Citation,
    Data,
    FileId,
    Image,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    Url,
)
from tokengate.core.reply import Choice, FinishReason, Reply, SearchResult
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.anthropic.replies import ending_in_words, read_reply, write_reply

BY_ITSELF = {"caller": Raw(b'{"type":"direct"}')}  # of a call that no program of the model's made


def reply(*parts: Part, finish: FinishReason = FinishReason.STOP, **members: Any) -> Reply:
    return Reply(choices=(Choice(parts=parts, finish=finish, **members),), usage=ReportedUsage(Usage(), b"{}"))


def written(reply: Reply) -> Any:
    return json.loads(write_reply(reply, HEADING))


# The vendor's


def test_tools_are_read() -> None:
    read = read_reply(REPLIES["tools"])

    (choice,) = read.choices
    assert choice.parts == (
        Text("Okay, let's check both."),
        ToolCall(
            "toolu_01T1x1fJ34qAmk2tNTrN7Up6",
            "get_weather",
            '{"location": "San Francisco, CA", "unit": "fahrenheit"}',
            extra=BY_ITSELF,
        ),
        ToolCall("toolu_01T1x1fJ34qAmk2tNTrN7Up7", "get_time", "{}", extra=BY_ITSELF),
    )
    assert (choice.finish, choice.native) == (FinishReason.TOOL_CALLS, "tool_use")
    assert (read.id, read.model) == ("msg_014p7gG3wDgGV9EUtLvnow3U", "claude-opus-4-7")
    assert read.usage is not None
    assert read.usage.usage == Usage(input=472, cache_read=100, cache_write_5m=20, cache_write_1h=10, output=89)
    assert (read.service_tier, read.format) == ("standard", "anthropic")


def test_thinking_is_read_with_its_proof() -> None:
    first, second, _ = read_reply(REPLIES["thinking"]).choices[0].parts

    assert isinstance(first, Thinking) and isinstance(second, Thinking)
    assert (first.text[:10], first.signature[:4], first.format) == ("Let me sol", "EqQB", "anthropic")
    assert (second.text, second.signature[:4], second.redacted) == ("", "EmwK", True)
    usage = read_reply(REPLIES["thinking"]).usage
    assert usage is not None and usage.usage == Usage(input=43, output=22, reasoning=260)


def test_a_search_is_read_with_what_it_found_and_cited() -> None:
    read = read_reply(REPLIES["search"])

    _, asked, found, cited, _ = read.choices[0].parts
    assert isinstance(asked, Opaque) and asked.kind == "server_tool_use"
    assert isinstance(found, Opaque) and found.kind == "web_search_tool_result"
    assert isinstance(cited, Text) and [(one.url, one.quote) for one in cited.citations] == [
        ("https://weather.example/ny", "Partly cloudy, 21 °C")
    ]
    assert read.searches == (
        SearchResult("https://weather.example/ny", "Weather: New York, NY", index=1),
        SearchResult("https://news.example/today", "New York today", index=2),
    )
    assert read.usage is not None and read.usage.usage.search == 1


@pytest.mark.parametrize(
    ("name", "finish", "sequence"),
    [
        ("text", FinishReason.STOP, "END"),
        ("refusal", FinishReason.CONTENT_FILTER, None),
        ("pause", FinishReason.PAUSE, None),
    ],
)
def test_reasons_are_read(name: str, finish: FinishReason, sequence: str | None) -> None:
    (choice,) = read_reply(REPLIES[name]).choices

    assert (choice.finish, choice.stop_sequence) == (finish, sequence)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"content": "x"}',
        b'{"content": [7]}',
        b'{"content": [{"type": "text", "text": 7}]}',
        b'{"content": [{"type": "x", "deep": ' + b"[" * 50_000,
    ],
)
def test_what_is_no_reply_fails(data: bytes) -> None:
    with pytest.raises(UpstreamFailed) as caught:
        read_reply(data)

    assert caught.value.kind == "invalid"


@given(
    st.sampled_from(sorted(REPLIES)),
    st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=3), st.integers(0, 4)), min_size=1, max_size=4),
)
def test_a_damaged_reply_is_read_or_fails(name: str, changes: list[tuple[int, bytes, int]]) -> None:
    data = REPLIES[name]
    for place, new, removed in changes:
        at = place % len(data)
        data = data[:at] + new + data[at + removed :]

    try:
        read = read_reply(data)
    except UpstreamFailed:
        return
    assert len(read.choices) == 1


# For clients


def test_a_reply_has_every_member_that_the_sdk_knows() -> None:
    usage = ReportedUsage(
        Usage(input=5, cache_read=2, cache_write_5m=3, cache_write_1h=4, image_in=6, output=7, reasoning=8, search=1),
        b"{}",
    )
    whole = structs.replace(reply(Text("hi"), stop_sequence="END"), usage=usage, service_tier="priority")

    assert written(whole) == {
        "id": "msg_ours",
        "type": "message",
        "role": "assistant",
        "model": "my-model",
        "content": [{"type": "text", "text": "hi", "citations": None}],
        "stop_reason": "stop_sequence",
        "stop_sequence": "END",
        "usage": {
            "input_tokens": 11,
            "cache_creation_input_tokens": 7,
            "cache_read_input_tokens": 2,
            "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
            "output_tokens": 15,
            "output_tokens_details": {"thinking_tokens": 8},
            "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
            "service_tier": "priority",
        },
    }


@pytest.mark.parametrize(
    ("part", "blocks"),
    [
        (Text(""), []),
        (Refusal("I won't."), [{"type": "text", "text": "I won't.", "citations": None}]),
        (Thinking("hm"), [{"type": "thinking", "thinking": "hm", "signature": ""}]),
        (Thinking("hm", "AA", "gemini"), [{"type": "thinking", "thinking": "hm", "signature": "gemini:AA"}]),
        (Thinking("hm", "AA", "anthropic"), [{"type": "thinking", "thinking": "hm", "signature": "AA"}]),
        (
            Thinking("", "gA", "responses", redacted=True, id="rs_1"),
            [{"type": "redacted_thinking", "data": "responses#rs_1:gA"}],
        ),
        (
            ToolCall("call_1", "f", '{"a": 1}', signature="AxQ"),
            [
                {"type": "thinking", "thinking": "", "signature": "call:AxQ"},
                {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
            ],
        ),
        (ToolCall("c", "f", '{"a'), [{"type": "tool_use", "id": "c", "name": "f", "input": {"INVALID_JSON": '{"a'}}]),
        (
            Image(Data("image/png", "AAAA")),
            [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}],
        ),
        (Image(Url("https://x")), [{"type": "image", "source": {"type": "url", "url": "https://x"}}]),
        (Image(FileId("f")), [{"type": "image", "source": {"type": "file", "file_id": "f"}}]),
        (Audio(Data("audio/wav", "AAAA"), "hello"), [{"type": "text", "text": "hello", "citations": None}]),
        (Audio(Data("audio/wav", "AAAA")), []),
        (Opaque("anthropic", "x", Raw(b'{"type":"x"}')), [{"type": "x"}]),
        (Opaque("gemini", "x", Raw(b"{}")), []),
        (
            Text("x", citations=(Citation("https://x", "X", "so"),)),
            [
                {
                    "type": "text",
                    "text": "x",
                    "citations": [
                        {
                            "type": "web_search_result_location",
                            "url": "https://x",
                            "title": "X",
                            "cited_text": "so",
                            "encrypted_index": "",
                        }
                    ],
                }
            ],
        ),
    ],
)
def test_every_part_has_its_block(part: Part, blocks: list[Any]) -> None:
    assert written(reply(part))["content"] == blocks


@pytest.mark.parametrize(
    ("finish", "native", "word"),
    [
        (FinishReason.STOP, "stop", "end_turn"),
        (FinishReason.LENGTH, "length", "max_tokens"),
        (FinishReason.LENGTH, "model_context_window_exceeded", "model_context_window_exceeded"),
        (FinishReason.TOOL_CALLS, "tool_calls", "tool_use"),
        (FinishReason.CONTENT_FILTER, "SAFETY", "refusal"),
        (FinishReason.PAUSE, "pause_turn", "pause_turn"),
        (FinishReason.ERROR, "", "end_turn"),
        (FinishReason.STOP, "max_tokens", "end_turn"),
    ],
)
def test_reasons_are_written(finish: FinishReason, native: str, word: str) -> None:
    assert written(reply(Text("x"), finish=finish, native=native))["stop_reason"] == word


def test_sealed_thinking_is_not_the_last_word() -> None:
    sealed = Thinking("", "AxQ", "gemini", redacted=True)

    def types(*parts: Part) -> list[str]:
        return [block["type"] for block in written(reply(*parts))["content"]]

    assert types(Text("a"), sealed) == ["text"]
    assert types(Text("a"), sealed, Text("b")) == ["text", "redacted_thinking", "text"]
    assert types(sealed) == ["redacted_thinking"]


def test_a_reply_without_choices_is_an_empty_message() -> None:
    message = written(Reply())

    assert message["content"] == [] and message["usage"]["input_tokens"] == 0


_word = st.text("abc:#~=", min_size=1, max_size=6)
_said = st.text(min_size=1, max_size=6)
_parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(
        Text,
        _said,
        citations=st.lists(st.builds(Citation, _word, st.text(max_size=4), st.text(max_size=4)), max_size=2).map(tuple),
    ),
    st.builds(Thinking, _said),
    st.builds(Thinking, st.text(max_size=6), st.text("Eq=", min_size=1), st.just("anthropic"), st.booleans()).filter(
        lambda part: not (part.redacted and part.text)
    ),
    st.builds(
        Thinking, st.text(max_size=6), _word, st.sampled_from(["gemini", "responses"]), id=st.sampled_from(["", "rs_1"])
    ),
    st.builds(
        ToolCall, _word, _word, st.sampled_from(["{}", '{"a":1}']), signature=st.sampled_from(["", "AxQ=", "a:b"])
    ),
    st.just(Opaque("anthropic", "server_tool_use", Raw(b'{"type":"server_tool_use","id":"s"}'))),
)
_counts = st.integers(0, 10**6)


@given(
    st.lists(_parts, max_size=4),
    st.sampled_from([finish for finish in FinishReason if finish is not FinishReason.ERROR]),
    st.builds(
        Usage,
        input=_counts,
        cache_read=_counts,
        cache_write_5m=_counts,
        cache_write_1h=_counts,
        output=_counts,
        reasoning=_counts,
        search=_counts,
    ),
)
def test_what_is_written_reads_as_the_same_reply(parts: list[Part], finish: FinishReason, usage: Usage) -> None:
    whole = structs.replace(reply(*parts, finish=finish), usage=ReportedUsage(usage, b"{}"))

    read = read_reply(write_reply(whole, HEADING))

    assert read.choices[0].parts == ending_in_words(tuple(parts)) and read.choices[0].finish is finish
    assert read.usage is not None and read.usage.usage == usage


def test_a_refusal_in_words_ends_as_one() -> None:
    told = written(reply(Refusal("No.")))

    assert (told["stop_reason"], told["content"][0]["text"]) == ("refusal", "No.")


def test_pages_of_a_search_are_sources_of_the_last_text() -> None:
    found = SearchResult("https://e.example/a", "A page", index=1)

    told = written(structs.replace(reply(Text("First."), Text("Second.")), searches=(found,)))["content"]

    assert told[0]["citations"] is None
    assert [(one["url"], one["title"]) for one in told[1]["citations"]] == [("https://e.example/a", "A page")]
