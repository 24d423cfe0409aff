"""Replies as vendors send them, whole and streamed."""

import json

import pytest

from tests.formats.responses.samples import body_of, fold, read_stream, read_whole, stream_of
from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import Opaque, Refusal, Text, Thinking, ToolCall
from tokengate.core.reply import Failure, Finish, FinishReason, Start, Stop, TextDelta, ThinkingDelta, ToolDelta
from tokengate.core.usage import Usage
from tokengate.formats.responses.format import RESPONSES


def frame(**event: object) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def test_reasoning_in_pieces_is_one_summary_with_its_seal() -> None:
    thinking, text = read_whole("reasoning").parts

    assert isinstance(thinking, Thinking)
    assert thinking.text.startswith("**Weighing options**") and "\n\n**Deciding**" in thinking.text
    assert (thinking.summary, thinking.format, thinking.id) == (True, "responses", "rs_68a1")
    assert thinking.signature.startswith("gAAAA")
    assert text == Text("42")


def test_open_reasoning_is_told_in_full() -> None:
    assert read_whole("open_reasoning").parts[0] == Thinking("The user greets. I greet back.")


def test_calls_are_read_with_their_call_ids() -> None:
    choice = read_whole("tools")

    assert choice.finish is FinishReason.TOOL_CALLS
    assert [part.id for part in choice.parts if isinstance(part, ToolCall)] == ["call_a1", "call_a2"]


def test_a_custom_tools_input_is_its_text() -> None:
    call = read_whole("custom_tool").parts[1]

    assert isinstance(call, ToolCall) and call.custom
    assert call.arguments.startswith("*** Begin Patch")


def test_what_the_vendor_did_itself_stays_whole() -> None:
    parts = read_whole("hosted_tools").parts

    assert [part.kind for part in parts if isinstance(part, Opaque)] == [
        "code_interpreter_call",
        "image_generation_call",
        "mcp_call",
        "shell_call",
        "shell_call_output",
        "file_search_call",
        "local_shell_call",
    ]


def test_a_call_in_a_namespace_means_something_to_this_format_only() -> None:
    parts = read_whole("namespaced").parts

    assert [part.kind for part in parts if isinstance(part, Opaque)] == ["tool_search_call", "function_call"]


def test_a_citation_keeps_where_it_stands() -> None:
    text = read_whole("web_search").parts[-1]

    assert isinstance(text, Text)
    (citation,) = text.citations
    assert (citation.title, citation.start, citation.end) == ("Good news", 0, 31)


def test_a_refusal_is_one() -> None:
    assert read_whole("refusal").parts == (Refusal("I'm sorry, I cannot help with that."),)


def test_likelihoods_are_read() -> None:
    logprobs = read_whole("logprobs").logprobs

    assert logprobs is not None
    assert [one.token for one in logprobs] == ["Hello", " there", "!"]
    assert logprobs[0].top[1].token == "Hey"


@pytest.mark.parametrize(
    ("name", "finish", "native"),
    [
        ("text", FinishReason.STOP, "completed"),
        ("incomplete", FinishReason.LENGTH, "max_output_tokens"),
        ("filtered", FinishReason.CONTENT_FILTER, "content_filter"),
    ],
)
def test_why_it_stopped_is_read(name: str, finish: FinishReason, native: str) -> None:
    choice = read_whole(name)

    assert (choice.finish, choice.native) == (finish, native)


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("text", Usage(input=36, output=87)),
        ("cached", Usage(input=64, cache_read=1920, cache_write_5m=64, output=24)),
        ("reasoning", Usage(input=75, output=162, reasoning=1024)),
        ("web_search", Usage(input=328, output=356, search=1)),  # opening a page is no search
        ("hosted_tools", Usage(input=10, output=20, search=3)),  # as the vendor counted them
    ],
)
def test_usage_is_read_into_disjoint_buckets(name: str, usage: Usage) -> None:
    finish = read_stream(stream_of(name))[-1]

    assert isinstance(finish, Finish) and finish.usage is not None
    assert finish.usage.usage == usage


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"input_tokens": None}, {"input_tokens": "7"}, [], {"input_tokens": 1, "input_tokens_details": 7}],
)
def test_usage_that_says_nothing_is_none(usage: object) -> None:
    reply = RESPONSES.read_reply(json.dumps({"output": [], "status": "completed", "usage": usage}).encode())

    assert reply.usage is None


def test_details_never_exceed_the_total_they_are_in() -> None:
    usage = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 50, "cache_write_tokens": 3},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 9},
    }

    reply = RESPONSES.read_reply(json.dumps({"output": [], "usage": usage}).encode())

    assert reply.usage is not None
    assert reply.usage.usage == Usage(cache_read=10, reasoning=4)


def test_a_reply_that_failed_keeps_its_error_for_the_provider() -> None:
    *_, failure = read_stream(stream_of("failures/failed"))

    assert isinstance(failure, Failure)
    assert failure.message == "The model failed to generate a response."
    assert json.loads(bytes(failure.raw or b""))["error"]["code"] == "server_error"


@pytest.mark.parametrize(
    ("name", "code"), [("error_event", "rate_limit_exceeded"), ("error_nested", "context_length_exceeded")]
)
def test_an_error_inside_a_stream_is_a_failure(name: str, code: str) -> None:
    *_, failure = read_stream(stream_of(f"failures/{name}"))

    assert isinstance(failure, Failure) and failure.kind == "error"
    assert json.loads(bytes(failure.raw or b""))["error"]["code"] == code


def test_a_stream_that_ends_early_is_cut() -> None:
    events = read_stream(stream_of("failures/cut"))

    assert isinstance(events[-1], Failure) and events[-1].kind == "cut"
    assert any(isinstance(event, TextDelta) for event in events)


def test_nothing_at_all_is_a_start_and_a_cut() -> None:
    start, failure = read_stream(b"")

    assert isinstance(start, Start)
    assert isinstance(failure, Failure) and failure.kind == "cut"


def test_what_was_told_only_at_an_items_end_is_told_then() -> None:
    stream = (
        frame(type="response.created", response={"id": "resp_1", "model": "m"})
        + frame(
            type="response.output_item.done",
            output_index=0,
            item={"type": "message", "content": [{"type": "output_text", "text": "whole"}]},
        )
        + frame(
            type="response.output_item.done",
            output_index=1,
            item={"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        )
        + frame(type="response.completed", response={"id": "resp_1", "status": "completed", "output": []})
    )

    (choice,) = fold(read_stream(stream)).choices

    assert choice.parts == (Text("whole"), ToolCall("c", "f", "{}"))
    assert choice.finish is FinishReason.TOOL_CALLS


def test_deltas_that_were_lost_are_made_up_for_at_the_end() -> None:
    stream = (
        frame(type="response.output_item.added", output_index=0, item={"type": "function_call", "call_id": "c"})
        + frame(type="response.function_call_arguments.delta", output_index=0, delta='{"a":')
        + frame(
            type="response.output_item.done",
            output_index=0,
            item={"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a":1}'},
        )
    )

    deltas = [event.arguments for event in read_stream(stream) if isinstance(event, ToolDelta)]

    assert deltas == ['{"a":', "1}"]


def test_comments_unknown_events_and_an_end_mark_are_passed_over() -> None:
    stream = b": ping\n\n" + stream_of("text").replace(
        b"event: response.completed", b'data: {"type":"response.new.thing","delta":{}}\n\nevent: response.completed'
    )

    assert fold(read_stream(stream + b"data: [DONE]\n\n")) == fold(read_stream(stream_of("text")))


def test_line_ends_of_any_kind_are_line_ends() -> None:
    stream = stream_of("reasoning")

    assert read_stream(stream.replace(b"\n", b"\r\n")) == read_stream(stream)


def test_pieces_of_reasoning_are_parted_by_a_blank_line() -> None:
    deltas = [event.text for event in read_stream(stream_of("reasoning")) if isinstance(event, ThinkingDelta)]

    assert sum(delta.startswith("\n\n") for delta in deltas) == 1


def test_a_stop_comes_before_the_end() -> None:
    *_, stop, finish = read_stream(stream_of("incomplete"))

    assert stop == Stop(0, FinishReason.LENGTH, "max_output_tokens")
    assert isinstance(finish, Finish)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b'{"output": 7}', b'{"output": [7]}', b"<html>"])
def test_what_is_no_reply_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamFailed) as failed:
        RESPONSES.read_reply(body)

    assert failed.value.kind == "invalid"


@pytest.mark.parametrize("name", ["error", "failed"])
def test_a_response_that_failed_is_no_reply_whatever_it_said(name: str) -> None:
    body = b'{"error":{"code":"x","message":"no"}}' if name == "error" else body_of("failures/failed.reply")

    with pytest.raises(UpstreamFailed) as failed:
        RESPONSES.read_reply(body)

    assert failed.value.kind == "status"
    assert json.loads(failed.value.body)["error"] == json.loads(body)["error"]


def test_a_response_that_failed_without_a_word_is_no_reply_either() -> None:
    with pytest.raises(UpstreamFailed):
        RESPONSES.read_reply(b'{"status":"failed","error":null,"output":[]}')
