"""Tools that a vendor runs itself: a caller of its format sees all of what they do, callers of other formats what their
formats can say, and everybody's next turn is accepted.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tokengate.core.chat import Chat, Message
from tokengate.core.fold import Fold, events_of
from tokengate.core.parts import Opaque, Text
from tokengate.core.reply import Event, Finish, Reply, Step, Stop
from tokengate.core.sse import data_of, split_frames
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Format, Heading, Losses
from tokengate.formats.anthropic.format import ANTHROPIC
from tokengate.formats.dashscope.format import DASHSCOPE
from tokengate.formats.gemini.format import GEMINI
from tokengate.formats.openai.format import OPENAI_CHAT
from tokengate.formats.responses.format import RESPONSES

FIXTURES = Path(__file__).parents[1] / "fixtures"
FORMATS: dict[str, Format] = {one.name: one for one in (OPENAI_CHAT, RESPONSES, ANTHROPIC, GEMINI, DASHSCOPE)}
HEADING = Heading("1", "m", 7)
USAGE = ReportedUsage(Usage(input=1, output=1), b"{}")

# By format, the fixtures in which a vendor's own tool ran, whole and streamed.
HOSTED = [
    ("responses", "hosted_tools"),
    ("responses", "web_search"),
    ("anthropic", "search"),
    ("anthropic", "pause"),
    ("gemini", "code"),
    ("gemini", "grounded"),
    ("dashscope", "search"),
    ("openai", "search"),
    ("openai", "dashscope-search"),
]
hosted = pytest.mark.parametrize(("vendor", "name"), HOSTED)
writer = pytest.mark.parametrize("caller", FORMATS)


def whole(vendor: str, name: str) -> Reply:
    folder = FIXTURES / vendor
    file = folder / f"{name}.reply.json"
    return FORMATS[vendor].read_reply((file if file.exists() else folder / f"{name}.json").read_bytes())


def streamed(vendor: str, name: str) -> list[Event]:
    reader = FORMATS[vendor].stream_reader()
    return [*reader.feed((FIXTURES / vendor / f"{name}.sse").read_bytes()), *reader.close()]


def asked(caller: str, *messages: Message) -> Chat:
    return Chat(format=caller, model="m", messages=messages or (user("Hi"),), include_usage=True)


def user(text: str) -> Message:
    return Message("user", (Text(text),))


def written(caller: str, events: Sequence[Event]) -> bytes:
    """Return the stream that a caller gets."""
    one = FORMATS[caller].stream_writer(HEADING, asked(caller))
    return b"".join(one.write(replace(event, usage=USAGE) if isinstance(event, Finish) else event) for event in events)


def said(caller: str, data: bytes) -> Reply:
    """Return what the caller's own format makes of a stream."""
    reader = FORMATS[caller].stream_reader()
    fold = Fold()
    for event in (*reader.feed(data), *reader.close()):
        fold.add(event)
    assert fold.failure is None
    return fold.reply()


def text_of(reply: Reply) -> str:
    return "".join(part.text for part in reply.choices[0].parts if isinstance(part, Text))


def pages_of(reply: Reply) -> set[str]:
    cited = (one.url for part in reply.choices[0].parts if isinstance(part, Text) for one in part.citations)
    return {url for url in (*cited, *(found.url for found in reply.searches)) if url}


def data_in(stream: bytes) -> list[dict[str, Any]]:
    return [json.loads(data) for frame in split_frames(stream) if (data := data_of(frame))]


@hosted
@writer
def test_the_answer_and_its_sources_are_said_to_every_caller(vendor: str, name: str, caller: str) -> None:
    reply = whole(vendor, name)

    from_whole = FORMATS[caller].read_reply(
        FORMATS[caller].write_reply(replace(reply, usage=USAGE), HEADING, asked(caller))
    )
    from_stream = said(caller, written(caller, streamed(vendor, name)))

    assert text_of(from_whole) == text_of(from_stream) == text_of(reply)
    cited = pages_of(replace(reply, searches=()))  # when there is any, Anthropic's callers see no other page
    pages = cited if cited and caller == "anthropic" and vendor != caller else pages_of(reply)
    assert pages_of(from_whole) == pages_of(from_stream) == pages
    own = [part for part in reply.choices[0].parts if isinstance(part, Opaque) and caller == vendor]
    for again in (from_whole, from_stream):
        blocks = [part for part in again.choices[0].parts if isinstance(part, Opaque)]
        assert [json.loads(bytes(one.raw)) for one in blocks if own] == [json.loads(bytes(one.raw)) for one in own]


@hosted
@writer
def test_the_next_turn_is_accepted(vendor: str, name: str, caller: str) -> None:
    """Whoever ran the tools, and whoever answers now: what is left out is named."""
    turn = Message("assistant", whole(vendor, name).choices[0].parts)
    chat = asked(vendor, user("Hi"), turn, user("And now?"))
    losses = Losses("backend", {})

    body = FORMATS[caller].write_chat(chat, losses)

    for part in turn.parts:
        if isinstance(part, Opaque):
            kept = bytes(msgspec.json.format(part.raw, indent=-1)) in bytes(msgspec.json.format(body, indent=-1))
            assert kept if caller == vendor else any(part.kind in one or "part" in one for one in losses.dropped)


STEPS = "code_interpreter", "image_generation", "mcp", "shell", "web_search", "file_search"


@pytest.mark.parametrize("name", ["hosted_tools", "web_search"])
def test_every_step_of_a_tool_reaches_a_caller_of_the_same_format(name: str) -> None:
    """But for the numbers of events and items, which are the gateway's own."""
    theirs = data_in((FIXTURES / "responses" / f"{name}.sse").read_bytes())
    ours = data_in(written("responses", streamed("responses", name)))

    def steps(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        item_ids = [event.get("item_id", event.get("item", {}).get("id", "")) for event in events]
        kinds = [event.get("item", {}).get("type", event["type"].removeprefix("response.")) for event in events]
        tools = {id for id, kind in zip(item_ids, kinds, strict=True) if id and kind.startswith(STEPS)}
        return [
            {name: value for name, value in event.items() if name != "sequence_number"}
            for event, id in zip(events, item_ids, strict=True)
            if id in tools
        ]

    assert len(steps(theirs)) > 2
    assert steps(ours) == steps(theirs)
    assert [event["sequence_number"] for event in ours] == list(range(len(ours)))


@writer
def test_steps_add_nothing_to_a_reply(caller: str) -> None:
    events = streamed("responses", "hosted_tools")
    without = [event for event in events if not isinstance(event, Step)]

    assert len(without) < len(events)
    fold, plain = Fold(), Fold()
    for event in events:
        fold.add(event)
    for event in without:
        plain.add(event)
    assert fold.reply() == plain.reply()
    if caller != "responses":
        assert written(caller, events) == written(caller, without)


def test_a_tool_that_never_ends_leaves_its_item_as_it_began() -> None:
    events = streamed("responses", "web_search")
    begun = next(at for at, event in enumerate(events) if isinstance(event, Step))
    cut = [*events[: begun + 1], *(event for event in events if isinstance(event, Stop | Finish))]

    told = data_in(written("responses", cut))

    assert told[-1]["type"] == "response.completed"
    assert [item["type"] for item in told[-1]["response"]["output"]] == ["web_search_call"]


def test_pages_that_an_answer_cites_are_what_a_search_found() -> None:
    """DashScope has no citations of its own."""
    reply = whole("responses", "web_search")
    assert not reply.searches

    body = json.loads(DASHSCOPE.write_reply(replace(reply, usage=USAGE), HEADING, asked("dashscope")))

    found = body["output"]["search_info"]["search_results"]
    assert {page["url"] for page in found} == pages_of(reply) and [page["index"] for page in found] == [1]
    assert list(events_of(reply))
