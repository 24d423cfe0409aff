"""Streams as clients get them. Every frame is checked against the SDK's own types."""

import json
from typing import Any

import pytest
from msgspec import Raw

from tests.formats.responses.samples import HEADING, chat_of, checked, frames
from tokengate.core.chat import Chat
from tokengate.core.errors import RateLimited, UpstreamFailed
from tokengate.core.parts import Audio, Citation, Data, Image, Opaque, Text
from tokengate.core.reply import (
    BlockEnd,
    Choice,
    CitationAdded,
    Event,
    Failure,
    Finish,
    FinishReason,
    LogprobsAdded,
    Media,
    Reply,
    SearchResult,
    ServerTool,
    Start,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    TokenLogprob,
    ToolDelta,
    ToolStart,
)
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.responses.format import RESPONSES, ResponsesFormat
from tokengate.formats.responses.response import Keeping

USAGE = ReportedUsage(Usage(input=3, cache_read=2, output=4, reasoning=1), b"{}")
STOP = Stop(0, FinishReason.STOP)
PATCH = [{"type": "custom", "name": "apply_patch"}]


def told(*events: Event, chat: Chat | None = None) -> list[dict[str, Any]]:
    """Return the frames of a stream that says these events, its start and end added."""
    writer = RESPONSES.stream_writer(HEADING, chat or chat_of())
    stream = writer.write(Start(id="up", model="upstream-model"))
    stream += b"".join(writer.write(event) for event in events)
    return frames(stream + writer.write(Finish(USAGE)))


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in found]


def output_of(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    output: list[dict[str, Any]] = found[-1]["response"]["output"]
    return output


def test_a_plain_answer_has_the_documented_order_of_events() -> None:
    found = told(TextDelta(0, 0, "Hel"), TextDelta(0, 0, "lo"), BlockEnd(0, 0), STOP)

    assert kinds(found) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    response = found[-1]["response"]
    assert response["id"] == f"resp_{HEADING.id}"
    assert (response["model"], response["created_at"], response["status"]) == ("alias", 1_795_000_000, "completed")
    assert response["usage"] == {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 10,
    }


def test_thinking_with_its_proof_is_an_item_before_the_answer() -> None:
    found = told(
        ThinkingDelta(0, 0, "hm"),
        ThinkingSignature(0, 0, "EqQB", "anthropic"),
        BlockEnd(0, 0),
        TextDelta(0, 1, "42"),
        BlockEnd(0, 1),
        STOP,
    )

    assert kinds(found)[2:8] == [
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
    ]
    reasoning, message = output_of(found)
    assert reasoning["encrypted_content"] == "anthropic:EqQB"
    assert reasoning["content"] == [{"type": "reasoning_text", "text": "hm"}]
    assert message["content"][0]["text"] == "42"


def test_a_gist_of_thinking_is_told_as_a_summary() -> None:
    found = told(ThinkingDelta(0, 0, "plan", summary=True), BlockEnd(0, 0), STOP)

    assert kinds(found)[3:7] == [
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
    ]
    assert output_of(found)[0]["summary"] == [{"type": "summary_text", "text": "plan"}]


def test_a_vendors_seal_names_the_id_it_was_made_for() -> None:
    late = told(
        ThinkingDelta(0, 0, "plan", summary=True), ThinkingSignature(0, 0, "gAAA", "responses", id="rs_v"), STOP
    )
    early = told(ThinkingSignature(0, 0, "gAAA", "responses", redacted=True, id="rs_v"), STOP)

    assert output_of(late)[0]["encrypted_content"] == "responses#rs_v:gAAA"
    assert output_of(late)[0]["id"] != "rs_v"  # the id was told before the vendor's was known
    assert (output_of(early)[0]["id"], output_of(early)[0]["encrypted_content"]) == ("rs_v", "gAAA")


def test_a_call_that_is_signed_has_its_proof_before_it() -> None:
    found = told(ToolStart(0, 0, "c1", "f", signature="CiQB"), ToolDelta(0, 0, "{}"), BlockEnd(0, 0), STOP)

    carrier, call = output_of(found)
    assert (carrier["type"], carrier["encrypted_content"]) == ("reasoning", "call:CiQB")
    assert (call["type"], call["call_id"], call["arguments"]) == ("function_call", "c1", "{}")


def test_calls_that_are_told_in_turns_stay_apart() -> None:
    found = told(
        ToolStart(0, 0, "a", "f"),
        ToolStart(0, 1, "b", "g"),
        ToolDelta(0, 0, '{"x":'),
        ToolDelta(0, 1, "{}"),
        ToolDelta(0, 0, "1}"),
        BlockEnd(0, 0),
        BlockEnd(0, 1),
        Stop(0, FinishReason.TOOL_CALLS),
    )

    assert [(item["call_id"], item["arguments"]) for item in output_of(found)] == [("a", '{"x":1}'), ("b", "{}")]
    done = [event["item"]["call_id"] for event in found if event["type"] == "response.output_item.done"]
    assert sorted(done) == ["a", "b"]


def test_text_after_a_call_is_a_message_of_its_own() -> None:
    found = told(
        TextDelta(0, 0, "a"), BlockEnd(0, 0), ToolStart(0, 1, "c", "f"), BlockEnd(0, 1), TextDelta(0, 2, "b"), STOP
    )

    assert [item["type"] for item in output_of(found)] == ["message", "function_call", "message"]


def test_text_that_goes_on_beside_a_call_stays_in_its_message() -> None:
    found = told(
        TextDelta(0, 0, "a"), ToolStart(0, 1, "c", "f"), TextDelta(0, 0, "b"), BlockEnd(0, 0), BlockEnd(0, 1), STOP
    )

    message, _ = output_of(found)
    assert message["content"][0]["text"] == "ab"


def test_a_custom_tool_that_was_a_function_upstream_is_one_again() -> None:
    found = told(
        ToolStart(0, 0, "c", "apply_patch"),
        ToolDelta(0, 0, '{"input": "*** Be'),
        ToolDelta(0, 0, 'gin\\n"}'),
        BlockEnd(0, 0),
        STOP,
        chat=chat_of(tools=PATCH),
    )

    (call,) = output_of(found)
    assert (call["type"], call["input"]) == ("custom_tool_call", "*** Begin\n")
    assert "custom_tool_call_input.done" in kinds(found)
    assert not any("arguments" in kind for kind in kinds(found))


def test_a_reply_that_was_cut_says_where() -> None:
    length = told(TextDelta(0, 0, "Once"), BlockEnd(0, 0), Stop(0, FinishReason.LENGTH))
    filtered = told(TextDelta(0, 0, "Once"), BlockEnd(0, 0), Stop(0, FinishReason.CONTENT_FILTER))

    assert length[-1]["type"] == filtered[-1]["type"] == "response.incomplete"
    assert length[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert filtered[-1]["response"]["incomplete_details"] == {"reason": "content_filter"}
    assert output_of(length)[0]["status"] == "incomplete"


def test_a_failure_is_an_explicit_end_with_what_was_told_so_far() -> None:
    writer = RESPONSES.stream_writer(HEADING, chat_of())
    stream = writer.write(Start()) + writer.write(TextDelta(0, 0, "Once"))

    found = frames(stream + writer.fail(UpstreamFailed("The backend died.", kind="cut")))

    assert found[-1]["type"] == "response.failed"
    response = found[-1]["response"]
    assert (response["status"], response["error"]["message"]) == ("failed", "The backend died.")
    assert response["output"][0]["content"][0]["text"] == "Once"


def test_a_failure_before_the_start_is_still_a_stream() -> None:
    writer = RESPONSES.stream_writer(HEADING, chat_of())

    found = frames(writer.fail(RateLimited("Slow down.", retry_after_s=1)))

    assert kinds(found) == ["created", "in_progress", "failed"]
    assert found[-1]["response"]["error"]["code"] == "rate_limit_exceeded"


def test_an_event_that_says_so_fails_the_stream() -> None:
    writer = RESPONSES.stream_writer(HEADING, chat_of())

    found = frames(writer.write(Failure("cut", "gone")))

    assert found[-1]["type"] == "response.failed"


def test_citations_are_annotations_with_a_place() -> None:
    own = Raw(b'{"type":"file_citation","file_id":"f","filename":"a.txt","index":0}')
    found = told(
        TextDelta(0, 0, "It is so."),
        CitationAdded(0, 0, Citation(url="https://a.example", title="A", start=2, end=5)),
        CitationAdded(0, 0, Citation(url="https://b.example", title="B")),
        CitationAdded(0, 0, Citation(format="responses", raw=own)),
        STOP,
    )

    annotations = output_of(found)[0]["content"][0]["annotations"]
    assert [(one.get("start_index"), one.get("end_index")) for one in annotations] == [(2, 5), (0, 9), (None, None)]
    assert annotations[2] == json.loads(bytes(own))
    added = [event for event in found if event["type"] == "response.output_text.annotation.added"]
    assert [event["annotation_index"] for event in added] == [0, 1, 2]


def test_likelihoods_are_told_with_their_text() -> None:
    found = told(TextDelta(0, 0, "Hi"), LogprobsAdded(0, 0, (TokenLogprob("Hi", -0.1, (72, 105)),)), STOP)

    (part,) = output_of(found)[0]["content"]
    assert part["logprobs"] == [{"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}]


def test_a_picture_is_an_image_generation_call() -> None:
    (item,) = output_of(told(Media(0, 0, Image(Data("image/png", "AAAA"))), BlockEnd(0, 0), STOP))

    assert (item["type"], item["result"], item["output_format"]) == ("image_generation_call", "AAAA", "png")


def test_what_is_said_aloud_is_told_as_text() -> None:
    found = told(
        Media(0, 0, Audio(Data("audio/wav", "AAAA"), transcript="Hel")),
        Media(0, 0, Audio(Data("audio/wav", "AAAA"), transcript="lo")),
        STOP,
    )

    assert output_of(found)[0]["content"][0]["text"] == "Hello"


def test_a_built_in_tools_item_of_this_format_is_passed_and_others_are_not() -> None:
    raw = Raw(b'{"type":"file_search_call","id":"fs_1","status":"completed","queries":["x"]}')

    found = told(
        ServerTool(0, 0, Opaque("responses", "file_search_call", raw)),
        ServerTool(0, 1, Opaque("anthropic", "server_tool_use", Raw(b"{}"))),
        STOP,
    )

    assert output_of(found) == [json.loads(bytes(raw))]


def test_pages_that_a_search_found_are_sources_of_a_search() -> None:
    reply = Reply(
        choices=(Choice(parts=(Text("so"),), finish=FinishReason.STOP),),
        usage=USAGE,
        searches=(SearchResult("https://a.example", "A"),),
    )

    written = checked(RESPONSES.write_reply(reply, HEADING, chat_of()))

    assert written["output"][1]["action"]["sources"] == [{"type": "url", "url": "https://a.example"}]


def test_a_reply_says_what_it_was_asked() -> None:
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
    chat = chat_of(
        instructions="Be brief.",
        temperature=0.5,
        max_output_tokens=99,
        tools=[tool],
        tool_choice="required",
        reasoning={"effort": "low"},
        text={"verbosity": "low"},
        metadata={"a": "b"},
        safety_identifier="u",
        parallel_tool_calls=False,
    )

    response = checked(RESPONSES.write_reply(Reply(usage=USAGE), HEADING, chat))

    assert response["instructions"] == "Be brief."
    assert (response["temperature"], response["top_p"]) == (0.5, 1.0)
    assert (response["max_output_tokens"], response["tools"]) == (99, [tool])
    assert (response["tool_choice"], response["parallel_tool_calls"]) == ("required", False)
    assert response["reasoning"] == {"effort": "low", "summary": None}
    assert response["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert (response["metadata"], response["safety_identifier"]) == ({"a": "b"}, "u")


@pytest.mark.parametrize(("theirs", "told"), [("priority", "priority"), ("standard", "default"), (None, "auto")])
def test_a_tier_of_service_that_the_api_has_not_is_the_default(theirs: str | None, told: str) -> None:
    response = checked(RESPONSES.write_reply(Reply(usage=USAGE, service_tier=theirs), HEADING, chat_of()))

    assert response["service_tier"] == told


def test_a_caller_is_told_what_is_kept() -> None:
    format = ResponsesFormat(keeping=Keeping(store=True, previous_response_id="resp_0"))

    response = checked(format.write_reply(Reply(usage=USAGE), HEADING, chat_of()))

    assert (response["store"], response["previous_response_id"]) == (True, "resp_0")


def test_an_error_has_the_shape_that_the_sdk_parses() -> None:
    body = json.loads(RESPONSES.write_error(RateLimited("Slow down.", retry_after_s=1), "req_1"))

    assert body == {
        "error": {
            "message": "Slow down.",
            "type": "rate_limit_error",
            "param": None,
            "code": "rate_limit_exceeded",
        }
    }
