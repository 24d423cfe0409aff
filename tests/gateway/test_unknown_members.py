"""What nobody knows yet passes between a caller and a backend of one format, also where the request had to be written
anew: members of replies and of streams that a vendor adds reach the caller with their values.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, structs

from tests.formats.responses.samples import stream_of as body_of_stream
from tests.gateway.parts import backend, call, target
from tests.gateway.vendors import ANTHROPIC, DASHSCOPE, GEMINI, OPENAI, RESPONSES, Said, Vendor
from tokengate.catalog.model import Model
from tokengate.core.chat import Chat
from tokengate.core.reply import REPLY, Beside, Event, Finish, FinishReason, Start, Stop, TextDelta
from tokengate.core.sse import data_of, split_frames
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Format, Heading
from tokengate.formats.anthropic.format import ANTHROPIC as ANTHROPIC_FORMAT
from tokengate.formats.dashscope.format import DASHSCOPE as DASHSCOPE_FORMAT
from tokengate.formats.gemini.format import GEMINI as GEMINI_FORMAT
from tokengate.formats.openai.format import OpenAIChat
from tokengate.formats.openai.shapes import is_list, is_object
from tokengate.formats.responses.format import RESPONSES as RESPONSES_FORMAT
from tokengate.gateway.adapt import adapt
from tokengate.gateway.anthropic import MESSAGES
from tokengate.gateway.call import Call
from tokengate.gateway.dashscope import generation
from tokengate.gateway.gemini import generate
from tokengate.gateway.openai import CHAT_COMPLETIONS
from tokengate.gateway.operation import Operation
from tokengate.gateway.other_way import OtherWay
from tokengate.gateway.overlay import fixed_chat
from tokengate.gateway.responses import CREATE
from tokengate.gateway.written import Written

USER = [{"role": "user", "content": "Hi"}]
MODEL = Model(id="m", kind="chat", vendor="v", name="M")
# A vendor with a word that every request gets, so that none goes to it byte for byte.
PLACES: dict[str, tuple[Vendor, Format, Said]] = {
    "openai": (OPENAI, OpenAIChat(lacks=frozenset({"seed"}), no_thought="."), {"messages": USER}),
    "anthropic": (ANTHROPIC, ANTHROPIC_FORMAT, {"messages": USER, "max_tokens": 9}),
    "gemini": (GEMINI, GEMINI_FORMAT, {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}),
    "dashscope": (
        DASHSCOPE,
        DASHSCOPE_FORMAT,
        {"input": {"messages": USER}, "parameters": {"result_format": "message", "incremental_output": True}},
    ),
    "responses": (RESPONSES, RESPONSES_FORMAT, {"input": USER}),
}
# The objects of a reply, or of an event, in which something new may stand; `*` is each of a list.
OBJECTS: dict[str, tuple[str, ...]] = {
    "openai": ("", "choices.*", "choices.*.delta", "choices.*.message"),
    "anthropic": ("", "message", "delta", "content_block", "content.*"),
    "gemini": ("", "candidates.*", "candidates.*.content", "candidates.*.content.parts.*"),
    "dashscope": ("output", "output.choices.*", "output.choices.*.message"),
    "responses": ("response",),
}


def operation_of(name: str, *, stream: bool) -> Operation:
    match name:
        case "openai":
            return CHAT_COMPLETIONS
        case "anthropic":
            return MESSAGES
        case "gemini":
            return generate("m", stream=stream)
        case "dashscope":
            return generation(multimodal=False, stream=stream)
        case _:
            return CREATE


async def asked(name: str, *, stream: bool) -> tuple[OtherWay, Call]:
    """Return the adapter of a call whose request is written anew for a backend of its own format."""
    _, format, said = PLACES[name]
    given = said if name in ("gemini", "dashscope") else {**said, "stream": stream}
    body = json.dumps({"model": "m", **given}).encode()
    fixed = fixed_chat({}) if name != "openai" else None
    to = structs.replace(target(backend(name)), formats={name: format}, fixed=fixed)
    one = call(body, operation=operation_of(name, stream=stream))

    async def nothing(url: str, limit_bytes: int) -> Any:
        raise AssertionError("no address was named")

    adapter = await adapt(one, to, body, None, nothing)
    assert isinstance(adapter, OtherWay)
    return adapter, one


def objects(said: Any, path: str) -> Iterator[Said]:
    """Yield the objects at a path of what a vendor says."""
    name, _, rest = path.partition(".")
    if not name and is_object(said):
        yield said
    elif name == "*" and is_list(said):
        for one in said:
            yield from objects(one, rest)
    elif is_object(said):
        yield from objects(said.get(name), rest)


def with_news(name: str, said: tuple[Said, ...], draw: Any) -> tuple[list[Said], set[int]]:
    """Return what a vendor says with new members in some of its objects, and their values."""
    copies: list[Said] = json.loads(json.dumps(said))
    values: set[int] = set()
    for copy in copies:
        for path in OBJECTS[name]:
            for one in objects(copy, path):
                if draw(st.booleans()):
                    value = 1_000_000 + len(values)
                    values.add(value)
                    # A response comes several times in a stream, and its last state counts.
                    number = value if name == "responses" else draw(st.integers(0, 2))
                    one[f"x_new_{number}"] = value
    return copies, values


def found(value: Any) -> set[int]:
    """Return the values of new members, wherever they are."""
    if is_list(value):
        return {one for item in value for one in found(item)}
    if not is_object(value):
        return set()
    own: set[int] = {item for name, item in value.items() if name.startswith("x_new_")}
    return own | {one for item in value.values() for one in found(item)}


@pytest.mark.parametrize("name", PLACES)
@given(data=st.data())
async def test_new_members_of_a_stream_reach_the_caller(name: str, data: st.DataObject) -> None:
    vendor = PLACES[name][0]
    said, values = with_news(name, (*vendor.opening, *vendor.texts, *vendor.closing), data.draw)
    adapter, one = await asked(name, stream=True)
    one.reply_type = "text/event-stream"
    lane = adapter.lane(Written(MODEL))

    told = b"".join([*map(lane.feed, vendor.frames(*said)), lane.close(), lane.end(Usage(input=10, output=5))])

    assert lane.finished
    events = [json.loads(data_of(frame)) for frame in split_frames(told) if data_of(frame).startswith(b"{")]
    assert found(events) == values


@pytest.mark.parametrize("name", PLACES)
@given(data=st.data())
async def test_new_members_of_a_whole_reply_reach_the_caller(name: str, data: st.DataObject) -> None:
    vendor = PLACES[name][0]
    whole = {"response": vendor.whole} if name == "responses" else vendor.whole
    said, values = with_news(name, (whole,), data.draw)
    adapter, one = await asked(name, stream=False)
    one.reply_type = "application/json"

    told = adapter.whole(json.dumps(said[0]["response"] if name == "responses" else said[0]).encode())

    assert found(json.loads(told.body)) == values


def call_of(name: str, draw: Any) -> tuple[Said, list[Said], set[int]]:
    """Return a reply of a vendor with a tool call that has new members: whole, as events, and their values."""
    values = [1_000_000 + number for number in range(draw(st.integers(0, 4)))]
    objects = [dict[str, int]() for _ in range(3)]
    for value in values:
        objects[draw(st.integers(0, 2))][f"x_new_{value}"] = value
    at_start, inside, later = objects
    match name:
        case "openai":
            function = {"name": "f", "arguments": "{}", **inside}
            call = {"id": "call_1", "type": "function", "function": function, **at_start, **later}
            begun = {"index": 0, **call, "function": {**function, "arguments": ""}, **at_start}
            begun = {name: value for name, value in begun.items() if name not in later}
            rest = {"index": 0, "function": {"arguments": "{}"}, **later}
            head: Said = {"id": "c1", "object": "chat.completion", "created": 7, "model": "m"}
            usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
            whole = {**head, "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
            deltas = ({"tool_calls": [begun]}, {"tool_calls": [rest]})
            chunks = [{**head, "choices": [{"index": 0, "delta": one, "finish_reason": None}]} for one in deltas]
            last: Said = {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
            return {**whole, "usage": usage}, [*chunks, {**head, "choices": [last], "usage": usage}], set(values)
        case "anthropic":
            block: Said = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}, **at_start, **inside, **later}
            start, *_, end = ANTHROPIC.opening[0], ANTHROPIC.closing[-1]
            stop = {"stop_reason": "tool_use", "stop_sequence": None}
            whole: Said = {**ANTHROPIC.whole, "content": [block], **stop}
            events: list[Said] = [
                start,
                {"type": "content_block_start", "index": 0, "content_block": block},
                {"type": "content_block_stop", "index": 0},
                {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 5}},
                end,
            ]
            return whole, events, set(values)
        case "dashscope":
            function = {"name": "f", "arguments": "{}", **inside}
            call = {"index": 0, "id": "call_1", "type": "function", "function": function, **at_start}
            rest = {"index": 0, "id": "", "type": "function", "function": {"arguments": ""}, **later}
            usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
            whole = {**_calling("tool_calls", {**call, **later}), "usage": usage}
            events = [_calling("null", call), _calling("null", rest), {**_calling("tool_calls"), "usage": usage}]
            return whole, events, set(values)
        case _:
            item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "status": "completed"}
            item = {**item, "arguments": "{}", **at_start, **inside}
            return *item_of(item, {"arguments": ""}, later), set(values)


def _calling(finish: str, *calls: Said) -> Said:
    message = {"role": "assistant", "content": "", "tool_calls": [*calls]}
    return {"output": {"choices": [{"finish_reason": finish, "message": message}]}, "request_id": "d1"}


def item_of(item: Said, begun: Said, later: Said) -> tuple[Said, list[Said]]:
    """Return a response of one item, whole and as events; what it begins with, and what only its end says."""
    return items_of({**item, **later}, begun={**item, **begun})


def items_of(*items: Said, begun: Said | None = None) -> tuple[Said, list[Said]]:
    """Return a response of these items, whole and as events; what the items begin with is their ends without content,
    or as it is given."""
    whole = {**RESPONSES.whole, "output": list(items)}
    events = [RESPONSES.opening[0]]
    for index, item in enumerate(items):
        first = begun or {**item, "content": []}
        events.append({"type": "response.output_item.added", "output_index": index, "item": first})
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    return whole, [*events, {"type": "response.completed", "response": whole}]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("other_way", [False, True], ids=["as asked", "the other way"])
@pytest.mark.parametrize("name", ["openai", "anthropic", "dashscope", "responses"])
@given(data=st.data())
async def test_new_members_of_a_tool_call_reach_the_caller(
    name: str, other_way: bool, stream: bool, data: st.DataObject
) -> None:
    whole, events, values = call_of(name, data.draw)

    said = await told(name, whole, events, stream=stream, other_way=other_way)

    assert found(said) == values


async def told(name: str, whole: Said, events: list[Said], *, stream: bool, other_way: bool) -> Any:
    """Return what a caller gets of a reply: its object, or its events."""
    adapter, one = await asked(name, stream=stream)
    in_events = stream is not other_way
    one.reply_type = "text/event-stream" if in_events else "application/json"
    vendor = PLACES[name][0]
    body = b"".join([*vendor.frames(*events), *vendor.last()]) if in_events else json.dumps(whole).encode()
    if not stream:
        return json.loads(adapter.whole(body).body)
    lane = adapter.lane(Written(MODEL))
    out = b"".join([lane.feed(body), lane.close(), lane.end(Usage(input=10, output=5))])
    assert lane.finished
    return [json.loads(data_of(frame)) for frame in split_frames(out) if data_of(frame).startswith(b"{")]


SUMMARY = [{"type": "summary_text", "text": "Hm."}]
THOUGHT = [{"type": "reasoning_text", "text": "Hm."}]
ITEMS: dict[str, Said] = {
    "message": {"type": "message", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]},
    "refusal": {"type": "message", "content": [{"type": "refusal", "refusal": "No"}]},
    "gist": {"type": "reasoning", "summary": SUMMARY, "encrypted_content": "gAAA"},
    "full": {"type": "reasoning", "summary": [], "content": THOUGHT},
    "both": {"type": "reasoning", "summary": SUMMARY, "content": THOUGHT},
    "sealed": {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
    "silent": {"type": "reasoning", "summary": []},
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("other_way", [False, True], ids=["as asked", "the other way"])
@pytest.mark.parametrize("kind", ITEMS)
@given(data=st.data())
async def test_new_members_of_an_item_reach_the_caller(
    kind: str, other_way: bool, stream: bool, data: st.DataObject
) -> None:
    item: Said = {"id": "it_1", **json.loads(json.dumps(ITEMS[kind]))}
    values = set(range(1_000_000, 1_000_000 + data.draw(st.integers(0, 4))))
    later: Said = {}
    parts = item["content"] if item["type"] == "message" else ()
    for value in values:
        data.draw(st.sampled_from([item, later, *parts]))[f"x_new_{value}"] = value
    begun: Said = {name: [] for name in ("content", "summary") if name in item}

    whole, events = item_of(item, begun, later)
    said = await told("responses", whole, events, stream=stream, other_way=other_way)

    assert found(said) == values
    last = said[-1]["response"] if stream else said
    assert found(last) == values
    if stream:
        at_start = {value for name, value in item.items() if name.startswith("x_new_")}
        added = next(event["item"] for event in said if event["type"] == "response.output_item.added")
        assert found(added) >= at_start


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("other_way", [False, True], ids=["as asked", "the other way"])
async def test_a_part_of_a_message_that_nobody_knows_comes_behind_its_texts(other_way: bool, stream: bool) -> None:
    text: Said = {"type": "output_text", "text": "Hi", "annotations": []}
    item: Said = {"id": "msg_1", "type": "message", "x_new": 1, "content": [text, *STRANGE]}

    whole, events = item_of(item, {"content": []}, {})
    said = await told("responses", whole, events, stream=stream, other_way=other_way)

    last = said[-1]["response"] if stream else said
    (message,) = last["output"]
    assert message["x_new"] == 1
    assert [one["type"] for one in message["content"]] == ["output_text", "x_sticker", "x_map"]
    assert message["content"][1:] == STRANGE
    if stream:
        for kind in ("added", "done"):
            parts = [event for event in said if event["type"] == f"response.content_part.{kind}"]
            assert [event["content_index"] for event in parts] == [0, 1, 2]
            assert [event["part"] for event in parts[1:]] == STRANGE
        done = next(event["item"] for event in said if event["type"] == "response.output_item.done")
        assert done["content"] == message["content"]


STRANGE: list[Said] = [{"type": "x_sticker", "x_face": {"mood": 3}}, {"type": "x_map", "text": None, "at": [1]}]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("other_way", [False, True], ids=["as asked", "the other way"])
async def test_a_message_of_nothing_that_is_known_keeps_its_place(other_way: bool, stream: bool) -> None:
    text: Said = {"type": "output_text", "text": "Hi", "annotations": []}
    silent: Said = {"id": "msg_1", "type": "message", "phase": "commentary", "x_new": 1, "content": STRANGE}
    plain: Said = {"id": "msg_2", "type": "message", "phase": "commentary", "content": [text]}

    said = await told("responses", *items_of(plain, silent, plain), stream=stream, other_way=other_way)

    last = said[-1]["response"] if stream else said
    assert [[one["type"] for one in item["content"]] for item in last["output"]] == [
        ["output_text"],
        ["x_sticker", "x_map"],
        ["output_text"],
    ]
    assert last["output"][1]["content"] == STRANGE
    assert (last["output"][1]["x_new"], last["output"][1]["phase"]) == (1, "commentary")
    assert all("x_new" not in last["output"][index] for index in (0, 2))
    if stream:
        of_item = [event for event in said if event.get("output_index") == 1]
        kinds = [event["type"].removeprefix("response.") for event in of_item]
        parts = ["content_part.added", "content_part.done"] * len(STRANGE)
        assert kinds == ["output_item.added", *parts, "output_item.done"]
        assert of_item[0]["item"]["content"] == [] and of_item[-1]["item"] == last["output"][1]
        assert [event["part"] for event in of_item if event["type"].endswith("part.done")] == STRANGE


@pytest.mark.parametrize("other_way", [False, True], ids=["as asked", "the other way"])
async def test_a_step_of_a_part_that_nobody_knows_comes_where_it_lies(other_way: bool) -> None:
    item: Said = {"id": "msg_1", "type": "message", "content": STRANGE}
    whole, events = items_of(item)
    step: Said = {"type": "response.x_map.delta", "output_index": 0, "content_index": 1, "item_id": "msg_1", "x": 7}

    said = await told("responses", whole, [*events[:2], step, *events[2:]], stream=True, other_way=other_way)

    steps = [event for event in said if event["type"] == step["type"]]
    assert [(one["output_index"], one["content_index"], one["x"]) for one in steps] == [(0, 1, 7)] * (not other_way)
    (message,) = said[-1]["response"]["output"]
    assert all(one["item_id"] == message["id"] for one in steps)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("other_way", [False, True], ids=["as asked", "the other way"])
@pytest.mark.parametrize("phase", ["commentary", None])
async def test_messages_of_one_phase_in_a_row_stay_apart(phase: str | None, other_way: bool, stream: bool) -> None:
    messages: list[Said] = [
        {"type": "message", "phase": phase, "content": [{"type": "output_text", "text": text} for text in texts]}
        for texts in ("ab", "c")
    ]

    said = await told("responses", *items_of(*messages), stream=stream, other_way=other_way)

    last = said[-1]["response"] if stream else said
    assert [[one["text"] for one in item["content"]] for item in last["output"]] == [["a", "b"], ["c"]]
    assert len({item["id"] for item in last["output"]}) == 2
    if stream:
        added = [event["output_index"] for event in said if event["type"] == "response.content_part.added"]
        assert added == [0, 0, 1]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_googles_proof_of_a_call_comes_with_what_is_beside_it(stream: bool) -> None:
    """As Google's compatible endpoint writes it; a later piece of the call may bring more."""
    google = {"thought_signature": "CiQB", "x": 1}
    call: Said = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    call |= {"extra_content": {"google": google, "other": {"y": 2}}}
    adapter, one = await asked("openai", stream=stream)
    one.reply_type = "text/event-stream" if stream else "application/json"

    if not stream:
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        reply = {**OPENAI.whole, "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
        (told,) = json.loads(adapter.whole(json.dumps(reply).encode()).body)["choices"][0]["message"]["tool_calls"]
        assert told == call
        return
    lane = adapter.lane(Written(MODEL))
    late = {"index": 0, "extra_content": {"other": {"z": 3}}}
    pieces = [{"tool_calls": [{"index": 0, **call}]}, {"tool_calls": [late]}]
    chunks = [{"id": "c1", "model": "m", "choices": [{"index": 0, "delta": one}]} for one in pieces]
    last: Said = {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    frames = [*OPENAI.frames(*chunks, last), *OPENAI.last()]
    out = b"".join([*map(lane.feed, frames), lane.close(), lane.end(Usage(input=10, output=5))])
    deltas = [
        one
        for frame in split_frames(out)
        if data_of(frame).startswith(b"{")
        for choice in json.loads(data_of(frame))["choices"]
        for one in choice["delta"].get("tool_calls", ())
    ]
    assert deltas[0]["extra_content"] == call["extra_content"]
    assert [one["extra_content"] for one in deltas[1:] if "extra_content" in one] == [{"other": {"z": 3}}]


def in_order(events: list[Said]) -> dict[Any, list[int]]:
    """Return what new events are numbered, by the item that they are of."""
    told: dict[Any, list[int]] = {}
    for event in events:
        if "x_new" in event["type"]:
            told.setdefault(event.get("item_id"), []).append(event["x"])
    return told


@pytest.mark.parametrize(
    "name", ["text", "reasoning", "silent_reasoning", "tools", "hosted_tools", "namespaced", "custom_tool"]
)
@given(data=st.data())
async def test_new_events_of_a_responses_stream_reach_the_caller_in_order(name: str, data: st.DataObject) -> None:
    """Wherever they stand: those of an item under our number and id, those of none as they are."""
    theirs = [json.loads(data_of(frame)) for frame in split_frames(body_of_stream(name))]
    ids: dict[int, str] = {one["output_index"]: one["item"]["id"] for one in theirs if "item" in one}
    streamed: list[Said] = []
    begun: set[int] = set()
    for number, event in enumerate(theirs):
        streamed.append(event)
        if "item" in event:
            begun.add(event["output_index"])
        last = event["type"] == "response.completed"
        for place in data.draw(st.lists(st.sampled_from([None, *sorted(begun)]), max_size=2)) if not last else ():
            new: Said = {"type": "response.x_new.step", "x": len(streamed) * 1000 + number, "kind": "news"}
            if place is not None:
                new |= {"output_index": place, "item_id": ids[place]}
            streamed.append(new | {"sequence_number": 99})
    adapter, one = await asked("responses", stream=True)
    one.reply_type = "text/event-stream"
    lane = adapter.lane(Written(MODEL))

    told = b"".join([*map(lane.feed, RESPONSES.frames(*streamed)), lane.close(), lane.end(Usage(input=1, output=1))])

    ours = [json.loads(data_of(frame)) for frame in split_frames(told)]
    assert [event["sequence_number"] for event in ours] == list(range(len(ours)))
    output = [item["id"] for item in ours[-1]["response"]["output"]]
    assert len(output) == len(ids)
    renamed = dict(zip([ids[place] for place in sorted(ids)], output, strict=True))
    expected = {renamed.get(id, id): numbers for id, numbers in in_order(streamed).items()}
    assert in_order(ours) == expected
    for at, event in enumerate(ours):
        if "x_new" in event["type"]:
            assert event["kind"] == "news"
            if "item_id" in event:
                assert output[event["output_index"]] == event["item_id"]
                added = [one["item"]["id"] for one in ours[:at] if one["type"] == "response.output_item.added"]
                assert event["item_id"] in added


async def test_an_item_that_nobody_knows_is_told_as_its_vendor_does() -> None:
    """Whatever its events are called: those of a text in it are none of a message's."""
    note: Said = {"id": "nt_1", "type": "x_note", "status": "in_progress"}
    place: Said = {"item_id": "nt_1", "output_index": 1, "content_index": 0}
    silent: Said = {"id": "rs_1", "type": "reasoning", "summary": []}
    message: Said = {"id": "msg_1", "type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    inside = ["content_part.added", "output_text.delta", "output_text.done", "x_note.folded", "content_part.done"]
    output = [silent, {**note, "status": "completed", "text": "Hm"}, message]
    told_by_vendor: list[Said] = [
        {"type": "response.output_item.added", "output_index": 0, "item": silent},
        {"type": "response.output_item.done", "output_index": 0, "item": silent},
        {"type": "response.output_item.added", "output_index": 1, "item": note},
        *({"type": f"response.{kind}", **place, "delta": "Hm"} for kind in inside),
        {"type": "response.output_item.done", "output_index": 1, "item": output[1]},
    ]
    whole = {**RESPONSES.whole, "output": output}
    tail: list[Said] = [
        {"type": "response.output_item.added", "output_index": 2, "item": {**message, "content": []}},
        {"type": "response.output_text.delta", "output_index": 2, "content_index": 0, "delta": "Hi"},
        {"type": "response.output_item.done", "output_index": 2, "item": message},
        {"type": "response.completed", "response": whole},
    ]

    events = [RESPONSES.opening[0], *told_by_vendor, *tail]
    said = await told("responses", whole, events, stream=True, other_way=False)

    assert [event["sequence_number"] for event in said] == list(range(len(said)))
    ours = said[2 : 2 + len(told_by_vendor)]
    assert [event["type"] for event in ours] == [event["type"] for event in told_by_vendor]
    assert [event["output_index"] for event in ours] == [event["output_index"] for event in told_by_vendor]
    assert [event["item"]["type"] for event in ours if "item" in event] == ["reasoning"] * 2 + ["x_note"] * 2
    assert [event["delta"] for event in ours if "delta" in event] == ["Hm"] * len(inside)
    assert [item["type"] for item in said[-1]["response"]["output"]] == ["reasoning", "x_note", "message"]
    assert said[-1]["response"]["output"][1] == output[1]


@pytest.mark.parametrize("name", PLACES)
async def test_new_members_of_another_format_say_nothing(name: str) -> None:
    _, format, _ = PLACES[name]
    chat = Chat(format=name, model="m", messages=(), stream=True)
    heading = Heading("1", "m", 7)
    plain: list[Event] = [Start(), TextDelta(0, 0, "Hi"), Stop(0, FinishReason.STOP)]
    news: list[Event] = [Beside(place, "other", {"x_new_0": Raw(b"1")}) for place in (REPLY, 0)]
    last = Finish(ReportedUsage(Usage(input=1, output=1), b""))

    streams: list[bytes] = []
    for events in ([*plain, last], [plain[0], *news, *plain[1:], last]):
        writer = format.stream_writer(heading, chat)
        streams.append(b"".join(map(writer.write, events)))

    assert streams[0] == streams[1]
