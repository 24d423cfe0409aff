"""Messages in the words of the vocabulary: parts of every kind, reasoning in every spelling, tool calls and results."""

from typing import Any

import pytest

from tests.formats.openai.chats import loads, read, read_parts
from tokengate.core.chat import Message
from tokengate.core.parts import (
    Audio,
    CacheMark,
    Data,
    File,
    FileId,
    Image,
    Opaque,
    Refusal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
    Video,
)

CALL: dict[str, Any] = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def read_assistant(**members: Any) -> Message:
    return read(messages=[{"role": "assistant", "content": "", **members}]).messages[0]


@pytest.mark.parametrize(
    ("part", "read"),
    [
        ({"type": "text", "text": ""}, Text("")),
        (
            {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            Text("a", CacheMark("1h")),
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://e/a.png", "detail": "original"}},
            Image(Url("https://e/a.png"), "original"),
        ),
        ({"type": "image_url", "image_url": "oss://b/a"}, Image(Url("oss://b/a"))),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}, "min_pixels": 1, "max_pixels": 2},
            Image(Data("image/png", "AAAA"), None, 1, 2),
        ),
        (
            {"type": "image_url", "image_url": {"url": "DATA:image/png;charset=x;base64,AAAA"}},
            Image(Data("image/png", "AAAA")),
        ),
        ({"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}}, Audio(Data("audio/mpeg", "AA"))),
        ({"type": "input_audio", "input_audio": {"data": "https://e/a.mp3"}}, Audio(Url("https://e/a.mp3"))),
        (
            {"type": "input_audio", "input_audio": {"data": "data:;base64,AA", "format": "wav"}},
            Audio(Data("audio/wav", "AA")),
        ),
        ({"type": "audio_url", "audio_url": {"url": "https://e/a.wav"}}, Audio(Url("https://e/a.wav"))),
        (
            {"type": "video", "video": ["https://e/1", "https://e/2"], "fps": 2},
            Video((Url("https://e/1"), Url("https://e/2")), whole=False, fps=2),
        ),
        (
            {"type": "video_url", "video_url": {"url": "https://e/v"}, "fps": 0.5, "max_frames": 9, "total_pixels": 8},
            Video((Url("https://e/v"),), fps=0.5, max_frames=9, total_pixels=8),
        ),
        ({"type": "file", "file": {"file_id": "f1"}}, File(FileId("f1"))),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,JV", "filename": "a.pdf"}},
            File(Data("application/pdf", "JV"), "a.pdf"),
        ),
        ({"type": "file", "file": {"file_data": "QUI=", "filename": "a.csv"}}, File(Data("text/csv", "QUI="), "a.csv")),
    ],
)
def test_every_part_has_a_word(part: dict[str, Any], read: Any) -> None:
    assert read_parts(part) == (read,)


def test_a_part_of_a_kind_that_only_this_format_has_is_kept_whole() -> None:
    part = {"type": "image_embeds", "image_embeds": {"a": 1}}

    (read,) = read_parts(part)

    assert isinstance(read, Opaque)
    assert (read.format, read.kind, loads(read.raw)) == ("openai", "image_embeds", part)


def test_members_without_a_word_stay_at_their_part() -> None:
    image, text = read_parts(
        {"type": "image_url", "image_url": {"url": "https://e/a", "name": "n"}, "uuid": "u"},
        {"type": "text", "text": "t", "prompt_cache_breakpoint": {"mode": "explicit"}},
    )

    assert {name: loads(raw) for name, raw in image.extra.items()} == {"uuid": "u", "image_url": {"name": "n"}}
    assert loads(text.extra["prompt_cache_breakpoint"]) == {"mode": "explicit"}


def test_results_in_a_row_are_one_turn_of_the_user() -> None:
    chat = read(
        messages=[
            {"role": "assistant", "content": None, "tool_calls": [CALL, {**CALL, "id": "c2"}]},
            {"role": "tool", "tool_call_id": "c1", "content": "one"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "two"}], "name": "f"},
            {"role": "user", "content": "and?"},
        ]
    )

    assert chat.messages[1:] == (
        Message("user", (ToolResult("c1", (Text("one"),)), ToolResult("c2", (Text("two"),), "f"))),
        Message("user", (Text("and?"),)),
    )


def test_a_result_knows_whether_its_tool_was_a_custom_one() -> None:
    call = {"id": "c1", "type": "custom", "custom": {"name": "code", "input": "print(1)"}}

    chat = read(
        messages=[
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "1"},
        ]
    )

    assert chat.messages[0].parts == (ToolCall("c1", "code", "print(1)", custom=True),)
    assert chat.messages[1].parts == (ToolResult("c1", (Text("1"),), custom=True),)


def test_functions_from_before_tools_are_calls_and_results() -> None:
    chat = read(
        messages=[
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "x"},
        ],
        functions=[{"name": "f"}],
    )

    (call,), (result,) = chat.messages[0].parts, chat.messages[1].parts
    assert isinstance(call, ToolCall) and isinstance(result, ToolResult)
    assert (call.name, call.arguments, result.name) == ("f", "{}", "f")
    assert result.call_id == call.id
    assert chat.style == {"functions"}


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thinking_comes_before_the_text_under_either_name(name: str) -> None:
    message = read_assistant(**{name: "hm", "content": "yes"})

    assert message.parts == (Thinking("hm"), Text("yes"))


def test_details_of_reasoning_keep_whose_proof_they_are() -> None:
    details = [
        {"type": "reasoning.text", "text": "a", "signature": "s1", "format": "anthropic", "index": 0},
        {"type": "reasoning.encrypted", "data": "d", "format": "gemini", "index": 1},
        {"type": "reasoning.summary", "summary": "b", "signature": "s2", "format": "responses", "id": "rs", "index": 2},
        {"type": "reasoning.text", "text": "c", "signature": "s3", "format": "anthropic-claude-v1", "index": 3},
        {"type": "reasoning.unheard", "index": 4},
    ]

    thoughts = read_assistant(reasoning_content="abc", reasoning_details=details).parts

    assert thoughts[:3] == (
        Thinking("a", "s1", "anthropic"),
        Thinking("", "d", "gemini", redacted=True),
        Thinking("b", "s2", "responses", summary=True, id="rs"),
    )
    (last,) = thoughts[3:]
    assert isinstance(last, Thinking)
    assert (last.text, last.signature, last.format) == ("c", "s3", "openai")
    assert loads(last.extra["format"]) == "anthropic-claude-v1"


def test_details_that_a_client_collected_piece_by_piece_are_put_together() -> None:
    details = [
        {"type": "reasoning.text", "text": "Let me ", "format": "anthropic", "index": 0},
        {"type": "reasoning.text", "text": "think.", "format": "anthropic", "index": 0},
        {"type": "reasoning.text", "signature": "s", "format": "anthropic", "index": 0},
        {"type": "reasoning.text", "text": "More.", "signature": "t", "format": "anthropic", "index": 1},
    ]

    assert read_assistant(reasoning_details=details).parts == (
        Thinking("Let me think.", "s", "anthropic"),
        Thinking("More.", "t", "anthropic"),
    )


def test_a_proof_without_text_gets_the_text_beside_it() -> None:
    details = [{"type": "reasoning.text", "signature": "s", "format": "anthropic", "index": 0}]

    assert read_assistant(reasoning_content="hm", reasoning_details=details).parts == (
        Thinking("hm", "s", "anthropic"),
    )


def test_a_call_keeps_its_thought_signature() -> None:
    google = {"google": {"thought_signature": "sig"}, "other": 1}

    (call,) = read_assistant(tool_calls=[{**CALL, "extra_content": google}]).parts

    assert isinstance(call, ToolCall)
    assert call.signature == "sig"
    assert loads(call.extra["extra_content"]) == {"other": 1}


def test_what_an_assistant_said_and_drew_comes_back() -> None:
    message = read_assistant(
        content=[{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}],
        audio={"id": "audio_1"},
        images=[{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}],
        annotations=[{"type": "url_citation"}],
    )

    assert message.parts == (
        Text("a"),
        Refusal("no"),
        Audio(FileId("audio_1"), id="audio_1"),
        Image(Data("image/png", "AA")),
    )
    assert message.extra == {}


@pytest.mark.parametrize("spelling", [{"partial": True}, {"prefix": True}])
def test_a_message_may_be_the_beginning_of_the_answer(spelling: dict[str, bool]) -> None:
    assert read_assistant(content="Once", **spelling).partial


def test_a_beginning_can_be_asked_for_beside_the_messages() -> None:
    chat = read(
        messages=[{"role": "user", "content": "x"}, {"role": "assistant", "content": "Once"}],
        continue_final_message=True,
        add_generation_prompt=False,
    )

    assert [message.partial for message in chat.messages] == [False, True]
    assert chat.extra == {}


def test_a_marker_on_the_message_marks_its_last_part() -> None:
    chat = read(messages=[{"role": "user", "content": "x", "cache_control": {"type": "ephemeral"}, "name": "n"}])

    assert chat.messages == (Message("user", (Text("x", CacheMark()),), "n"),)
