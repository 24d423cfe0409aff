"""Streams of OpenAI's format as events: every vendor's way of writing, ending and failing."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from tokengate.core.errors import UpstreamFailed
from tokengate.core.fold import Fold
from tokengate.core.parts import Image, Part, Text, Thinking, ToolCall
from tokengate.core.reply import (
    BlockEnd,
    Event,
    Failure,
    Finish,
    FinishReason,
    LogprobsAdded,
    Reply,
    Start,
    Stop,
    TextDelta,
    ThinkingDelta,
    ThinkingSignature,
    ToolDelta,
    ToolStart,
)
from tokengate.formats.openai.format import OPENAI_CHAT, OpenAIChat
from tokengate.providers.load import provider_of

SEEDS = Path(__file__).parents[2] / "fixtures" / "seeds"
PAGES = sorted(SEEDS.glob("???-stream-*.sse"))
DONE = b"data: [DONE]\n\n"


def vendor(name: str) -> OpenAIChat:
    return cast("OpenAIChat", provider_of(name).formats["openai"])


def frame(*choices: dict[str, Any], **members: Any) -> bytes:
    chunk = {"id": "c1", "model": "m", "created": 5, "choices": list(choices), **members}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def piece(index: int = 0, finish: str | None = None, **delta: Any) -> bytes:
    return frame({"index": index, "delta": delta, "finish_reason": finish})


def call(index: int, id: str = "", name: str = "", arguments: str = "") -> dict[str, Any]:
    told: dict[str, Any] = {"index": index, "function": {"arguments": arguments}}
    if id:
        told |= {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
    return told


def events(*frames: bytes, dialect: OpenAIChat = OPENAI_CHAT) -> list[Event]:
    reader = dialect.stream_reader()
    return [event for one in frames for event in reader.feed(one)] + reader.close()


def whole(*frames: bytes, dialect: OpenAIChat = OPENAI_CHAT) -> Reply:
    fold = Fold()
    for event in events(*frames, dialect=dialect):
        fold.add(event)
    assert fold.failure is None
    return fold.reply()


def parts(*frames: bytes, dialect: OpenAIChat = OPENAI_CHAT) -> tuple[Part, ...]:
    return whole(*frames, piece(finish="stop"), DONE, dialect=dialect).choices[0].parts


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_streams_of_the_product_pages_are_read(path: Path) -> None:
    chunks = [json.loads(line[6:]) for line in path.read_text().splitlines() if line.startswith("data: {")]
    said = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])

    reply = whole(path.read_bytes())

    assert reply.choices[0].parts == (Text(said),)
    assert reply.choices[0].finish is FinishReason.STOP
    assert (reply.id, reply.model, reply.created_s) == tuple(chunks[0][name] for name in ("id", "model", "created"))
    counted = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    assert (reply.usage is not None) == bool(counted)
    if reply.usage is not None:
        assert reply.usage.usage.input_total == counted[-1]["prompt_tokens"]


def test_a_stream_is_told_event_by_event() -> None:
    told = events(
        piece(role="assistant", content=""),
        piece(reasoning_content="hm"),
        piece(content="a"),
        piece(content="b"),
        piece(tool_calls=[call(0, "c1", "f")]),
        piece(tool_calls=[call(0, arguments="{}")]),
        piece(finish="tool_calls"),
        frame(usage={"prompt_tokens": 1, "completion_tokens": 2}),
        DONE,
    )

    finish = told.pop()
    assert isinstance(finish, Finish) and finish.usage is not None and finish.usage.usage.output == 2
    assert told == [
        Start(id="c1", model="m", created_s=5),
        ThinkingDelta(0, 0, "hm"),
        BlockEnd(0, 0),
        TextDelta(0, 1, "a"),
        TextDelta(0, 1, "b"),
        BlockEnd(0, 1),
        ToolStart(0, 2, "c1", "f"),
        ToolDelta(0, 2, "{}"),
        BlockEnd(0, 2),
        Stop(0, FinishReason.TOOL_CALLS, "tool_calls"),
    ]


def test_thinking_between_texts_is_a_block_of_its_own() -> None:
    told = parts(piece(content="a"), piece(reasoning="hm"), piece(content="b"))

    assert told == (Text("a"), Thinking("hm"), Text("b"))


def test_choices_grow_side_by_side() -> None:
    reply = whole(
        piece(1, content="b"), piece(0, content="a"), piece(1, "length"), piece(0, content="a", finish="stop"), DONE
    )

    assert [(choice.index, choice.parts, choice.finish) for choice in reply.choices] == [
        (0, (Text("aa"),), FinishReason.STOP),
        (1, (Text("b"),), FinishReason.LENGTH),
    ]


def test_probabilities_come_before_the_text_that_they_belong_to() -> None:
    logprobs: dict[str, Any] = {"content": [{"token": "a", "logprob": -1, "bytes": None, "top_logprobs": []}]}
    told = events(frame({"index": 0, "delta": {"content": "a"}, "logprobs": logprobs, "finish_reason": "stop"}), DONE)

    assert isinstance(told[1], LogprobsAdded)
    assert told[2] == TextDelta(0, told[1].block, "a")


ONE, TWO = call(0, "a", "f", '{"x":1}'), call(1, "b", "g", "{}")
HALF, REST = call(0, "a", "f", '{"x"'), call(0, arguments=":1}")
WAYS: dict[str, list[list[dict[str, Any]]]] = {
    "as OpenAI does": [[HALF], [REST], [call(1, "b", "g")], [call(1, arguments="{}")]],
    "all at once": [[ONE, TWO]],
    "all at index 0": [[ONE], [{**TWO, "index": 0}]],
    "id repeated": [[HALF], [call(0, "a", "f", ":1}")], [TWO]],
    "without an index": [[{"id": "a", "function": ONE["function"]}, {"id": "b", "function": TWO["function"]}]],
    "in turns": [[HALF, call(1, "b", "g", "{")], [call(1, arguments="}"), REST]],
}


@pytest.mark.parametrize("frames", WAYS.values(), ids=WAYS)
def test_calls_are_put_together_however_they_come(frames: list[list[dict[str, Any]]]) -> None:
    assert parts(*(piece(tool_calls=calls) for calls in frames)) == (
        ToolCall("a", "f", '{"x":1}'),
        ToolCall("b", "g", "{}"),
    )


def test_a_call_without_an_id_gets_the_one_it_has_in_the_whole_reply() -> None:
    calls = [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]
    body = {"id": "c1", "choices": [{"message": {"tool_calls": calls}, "finish_reason": "stop"}]}

    assert parts(piece(tool_calls=calls)) == OPENAI_CHAT.read_reply(json.dumps(body).encode()).choices[0].parts


def test_a_proof_belongs_to_the_thinking_before_it() -> None:
    detail = {"type": "reasoning.text", "signature": "s", "format": "anthropic", "index": 0}
    sealed = {"type": "reasoning.encrypted", "data": "d", "format": "anthropic", "index": 1}

    told = events(piece(reasoning_content="hm"), piece(reasoning_details=[detail, sealed]), piece(finish="stop"), DONE)

    assert told[1:6] == [
        ThinkingDelta(0, 0, "hm"),
        ThinkingSignature(0, 0, "s", "anthropic"),
        BlockEnd(0, 0),
        ThinkingSignature(0, 1, "d", "anthropic", redacted=True),
        BlockEnd(0, 1),
    ]


def test_details_alone_are_thinking_too() -> None:
    details = (
        [{"type": "reasoning.text", "text": "a", "index": 0}],
        [{"type": "reasoning.text", "text": "b", "index": 0}],
    )

    assert parts(*(piece(reasoning_details=one) for one in details), piece(content="c")) == (Thinking("ab"), Text("c"))


def test_minimax_repeats_its_thinking_in_each_detail_and_its_message_at_the_end() -> None:
    def detail(text: str) -> bytes:
        return piece(reasoning_details=[{"type": "reasoning.text", "id": "r", "text": text, "index": 0}])

    last = frame({"index": 0, "message": {"content": "yes", "role": "assistant"}, "finish_reason": "stop"})
    reply = whole(detail("I "), detail("I think"), piece(content="yes"), last, dialect=vendor("minimax"))

    assert reply.choices[0].parts == (Thinking("I think", format="openai", id="r"), Text("yes"))


def test_minimax_may_think_in_the_text() -> None:
    pieces = [piece(content=text) for text in ("<thi", "nk>\nhm", "\n</think>", "\n\nyes")]

    assert parts(*pieces, dialect=vendor("minimax")) == (Thinking("hm"), Text("yes"))


def test_pictures_are_blocks_of_their_own() -> None:
    images = [{"image_url": {"url": f"data:image/png;base64,{data}"}} for data in ("AA", "BB")]

    told = parts(piece(content="Here:"), piece(images=images))

    assert [type(part) for part in told] == [Text, Image, Image]


def test_usage_on_every_chunk_counts_once_the_last_one() -> None:
    usage = [{"prompt_tokens": 3, "completion_tokens": count} for count in (1, 2)]
    reply = whole(
        frame({"index": 0, "delta": {"content": "a"}}, usage=usage[0]),
        frame({"index": 0, "delta": {"content": "b"}, "finish_reason": "stop"}, usage=usage[1]),
        DONE,
    )

    assert reply.usage is not None and reply.usage.usage.output == 2


def test_chunks_without_choices_comments_and_odd_line_ends_are_no_trouble() -> None:
    body = b"".join(
        (
            b": OPENROUTER PROCESSING\r\n\r\n",
            frame(prompt_filter_results=[{}]),
            b'event: x\r\nid: 1\r\ndata:{"id":"c1","choices":[{"delta":{"content":"a"},\r\n',
            b'data: "finish_reason":"stop"}]}\r\n\r\n',
            b'data: {"id":"c1","usage":null}\n\n',
            DONE,
        )
    )

    assert whole(body).choices[0].parts == (Text("a"),)


# Ends


def test_a_stream_may_end_without_its_mark() -> None:
    assert whole(piece(content="a"), piece(finish="stop")).choices[0].finish is FinishReason.STOP
    assert whole(piece(content="a"), piece(finish="stop").rstrip()).choices[0].finish is FinishReason.STOP


def test_a_mark_ends_a_choice_that_does_not_say_why() -> None:
    assert whole(piece(content="a"), DONE).choices[0].finish is FinishReason.STOP


@pytest.mark.parametrize("frames", [[], [DONE], [b": ping\n\n"], [piece(content="a")], [piece(0, "stop"), piece(1)]])
def test_a_stream_that_is_not_whole_was_cut(frames: list[bytes]) -> None:
    told = events(*frames)

    assert isinstance(told[0], Start)
    assert isinstance(told[-1], Failure) and told[-1].kind == "cut"
    assert sum(isinstance(event, Finish | Failure) for event in told) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'data: {"error":{"message":"No.","type":"server_error","code":null}}\n\n', "No."),
        (b'event: error\ndata: {"error":"No."}\n\n', "No."),
        (b'data: {"base_resp":{"status_code":1008,"status_msg":"No."},"choices":null}\n\n', "No."),
        (b'data: {"code":"Throttling","message":"No.","request_id":"r"}\n\n', "No."),
        (b'data: {"object":"error","message":"No.","code":400}\n\n', "No."),
    ],
)
def test_an_error_inside_a_stream_is_its_last_event(body: bytes, message: str) -> None:
    for before in ([], [piece(content="a")]):
        told = events(*before, body, piece(content="b"))

        assert isinstance(told[-1], Failure)
        assert (told[-1].kind, told[-1].message) == ("error", message)
        assert told[-1].raw is not None and json.loads(bytes(told[-1].raw))
        assert TextDelta(0, 0, "b") not in told


@pytest.mark.parametrize(
    "body", [b'{"error":{"message":"No."}}', b'{"base_resp":{"status_code":1004,"status_msg":"No."}}\n']
)
def test_an_error_instead_of_a_stream_is_its_only_event(body: bytes) -> None:
    start, failure = events(body)

    assert isinstance(start, Start)
    assert isinstance(failure, Failure) and (failure.kind, failure.message) == ("error", "No.")


def test_the_providers_rules_read_the_error_of_a_stream() -> None:
    provider = provider_of("minimax")
    (_, failure) = events(b'data: {"base_resp":{"status_code":1008,"status_msg":"balance"}}\n\n')

    assert isinstance(failure, Failure) and failure.raw is not None
    told = provider.failure_inside({}, bytes(failure.raw))
    assert told is not None and told.kind == "quota"


def test_a_vendor_that_gives_up_fails() -> None:
    told = events(piece(content="a"), piece(finish="network_error"), dialect=vendor("zhipu"))

    assert isinstance(told[-1], Failure) and "network_error" in told[-1].message


@pytest.mark.parametrize("body", [b"data: x\n\n", b"data: [1]\n\n", b'data: {"a":\n\n', b"data: \xff\n\n"])
def test_what_is_no_chunk_is_an_upstream_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        events(body)
