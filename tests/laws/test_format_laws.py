"""What holds for every wire format, over one table of them.

Chunk law: a stream's bytes, cut anywhere, give the same events. Sum law: a stream's events add up to the reply that the
same format reads whole. Round trip: what a format can express is the same after it was written and read again. And no
caller or vendor can make a reader raise anything but its declared errors.

A format adds its row to `ROWS`; recorded or documented bytes lie in `tests/fixtures/NAME`: `*.request.json`,
`*.reply.json`, and `*.sse`, which says what the reply of the same stem says.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.responses import strategies as responses
from tests.laws import gemini_words, openai_words
from tests.laws import vocabulary as v
from tests.laws.mutation import cuts, mutated
from tokengate.core.chat import Chat, Message
from tokengate.core.errors import BadRequest, Unsupported, UpstreamFailed
from tokengate.core.fold import Fold, events_of
from tokengate.core.parts import NO_EXTRA, Part, Text
from tokengate.core.reply import Event, Failure, Finish, Reply, Start
from tokengate.core.wire import Format, Heading, Losses
from tokengate.formats.anthropic.format import ANTHROPIC
from tokengate.formats.anthropic.read import read_chat as read_anthropic_chat
from tokengate.formats.gemini.format import GEMINI
from tokengate.formats.openai.chat_reader import read_chat as read_openai_chat
from tokengate.formats.responses.format import RESPONSES
from tokengate.formats.responses.read_chat import read_chat as read_responses_chat
from tokengate.providers.load import all_providers, provider_of

FIXTURES = Path(__file__).parents[1] / "fixtures"
HEADING = Heading("1", "m", 1)


@dataclass(frozen=True)
class Row:
    """One format: how it reads a request, and what it can express."""

    name: str
    format: Format
    # Bytes to Chat; the second argument tells model and stream to formats that keep them in the path.
    read_chat: Callable[[bytes, Chat], Chat]
    chats: st.SearchStrategy[Chat]
    replies: st.SearchStrategy[Reply]
    fixtures: str = ""  # a folder of tests/fixtures
    same_chat: Callable[[Chat], Chat] = field(default=lambda chat: chat)  # a normal form, where one thing has two words
    same_reply: Callable[[Reply], Reply] = field(default=lambda reply: reply)


ANTHROPIC_TEXTS = st.builds(Text, text=v.LINE, cache=v.maybe(v.CACHE_MARKS))
ANTHROPIC_IMAGES = st.builds(v.Image, source=v.IMAGE_SOURCES | v.FILE_IDS, cache=v.maybe(v.CACHE_MARKS))
ANTHROPIC_FILES = st.builds(
    v.File,
    source=v.data("application/pdf", "text/plain") | v.FILE_IDS | v.URLS,
    title=v.TEXT,
    context=v.TEXT,
    citations=st.booleans(),
    cache=v.maybe(v.CACHE_MARKS),
)
ANTHROPIC_SEEN = ANTHROPIC_TEXTS | ANTHROPIC_IMAGES | ANTHROPIC_FILES
ANTHROPIC_THOUGHTS = v.PLAIN_THOUGHTS | v.signed_thoughts(*v.FORMATS) | v.sealed_thoughts(*v.FORMATS)
ANTHROPIC_MESSAGES = v.talks(
    v.messages("system", v.few(ANTHROPIC_TEXTS, 1)),
    v.messages(
        "user",
        v.turns(
            v.few(st.builds(v.ToolResult, call_id=v.ID, content=v.few(ANTHROPIC_SEEN), is_error=st.booleans()), 0, 2),
            v.few(ANTHROPIC_SEEN, 1),
        ),
    ),
    v.messages(
        "assistant",
        v.turns(
            v.few(v.signed_thoughts("anthropic") | v.sealed_thoughts("anthropic"), 0, 2),
            v.few(ANTHROPIC_TEXTS, 1, 2),
            v.few(st.builds(v.ToolCall, id=v.ID, name=v.NAME, arguments=v.ARGUMENTS, cache=v.maybe(v.CACHE_MARKS))),
        ),
    ),
).filter(lambda talk: talk[-1].role != "system")


def anthropic_row() -> Row:
    """The row of Anthropic's Messages."""
    return Row(
        name="anthropic",
        format=ANTHROPIC,
        read_chat=lambda body, _: read_anthropic_chat(body),
        chats=v.chats(
            "anthropic",
            messages=ANTHROPIC_MESSAGES.map(with_prefill),
            tools=v.few(st.builds(v.Function, name=v.NAME, description=v.TEXT, parameters=v.raw(v.SCHEMAS))),
            tool_choice=v.maybe(v.CHOICES.filter(lambda choice: choice.mode == "named" or not choice.names)),
            sampling=st.builds(
                v.Sampling,
                temperature=v.maybe(st.floats(0, 1)),
                top_p=v.maybe(st.floats(0, 1)),
                top_k=v.maybe(st.integers(0, 100)),
            ),
            output=st.builds(
                v.Output,
                cap=st.integers(1, 10**6),
                stop=v.few(v.LINE, 0, 4),
                json=v.maybe(st.builds(v.JsonFormat, schema=v.raw(v.SCHEMAS))),
            ),
            reasoning=st.builds(
                v.Reasoning,
                enabled=v.maybe(st.booleans()),
                effort=v.maybe(st.sampled_from(["low", "medium", "high", "xhigh", "max"])),
            ).map(with_open_budget),
            user=v.maybe(v.WORD),
            service_tier=v.maybe(st.just("auto")),
            cache=v.maybe(v.CACHE_MARKS),
            extra=st.dictionaries(v.NAME.map(lambda name: f"x_{name}"), v.raw(v.OBJECTS.filter(bool)), max_size=2),
        ),
        replies=v.replies(
            v.turns(
                v.few(ANTHROPIC_THOUGHTS, 0, 2),
                v.few(
                    st.builds(
                        Text,
                        text=v.WORD,
                        citations=v.few(st.builds(v.Citation, url=v.TEXT, title=v.TEXT, quote=v.TEXT), 0, 2),
                    ),
                    0,
                    2,
                ),
                v.few(st.builds(v.ToolCall, id=v.ID, name=v.NAME, arguments=v.ARGUMENTS, signature=v.TEXT), 0, 2),
            ),
            sequences=v.maybe(v.LINE),
            usage=v.usages("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning", "search"),
            service_tier=v.maybe(st.sampled_from(["standard", "priority", "batch"])),
        ),
        fixtures="anthropic",
        same_chat=lambda chat: msgspec.structs.replace(chat, include_usage=True),
    )


def with_open_budget(reasoning: v.Reasoning) -> v.Reasoning:
    """Who thinks without a budget leaves it to the model."""
    return msgspec.structs.replace(reasoning, budget=v.OPEN_BUDGET if reasoning.enabled else None)


def with_prefill(talk: tuple[Message, ...]) -> tuple[Message, ...]:
    """A last turn of the assistant is the beginning of the answer."""
    last = msgspec.structs.replace(talk[-1], partial=talk[-1].role == "assistant")
    return (*talk[:-1], last)


OPENAI_ROWS = [
    Row(
        name=name,
        format=dialect,
        read_chat=lambda body, _: read_openai_chat(body),
        chats=chats,
        replies=openai_words.REPLIES,
        fixtures="openai",
        same_chat=openai_words.compact,
    )
    for name, dialect, chats in openai_words.DIALECTS
]
ROWS = [
    anthropic_row(),
    OPENAI_ROWS[0],
    Row(
        name="gemini",
        format=GEMINI,
        read_chat=lambda body, chat: GEMINI.read_chat(body, model=chat.model, stream=chat.stream),
        chats=gemini_words.CHATS,
        replies=gemini_words.REPLIES,
        fixtures="gemini",
        same_chat=openai_words.compact,
        same_reply=gemini_words.compact,
    ),
    Row(
        name="responses",
        format=RESPONSES,
        read_chat=lambda body, _: read_responses_chat(body),
        chats=responses.chats(),
        replies=responses.replies(),
        fixtures="responses",
    ),
]

each_format = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
each_dialect = pytest.mark.parametrize("row", [*ROWS, *OPENAI_ROWS[1:]], ids=lambda row: row.name)


# Laws


@each_dialect
@given(data=st.data())
def test_what_a_format_can_ask_for_survives_writing_and_reading(row: Row, data: st.DataObject) -> None:
    chat = data.draw(row.chats)

    losses = Losses("vendor", {})
    body = row.format.write_chat(chat, losses)

    assert losses.dropped == []
    assert row.same_chat(settled(row.read_chat(body, chat))) == row.same_chat(settled(chat))


@each_format
@given(data=st.data())
def test_what_a_format_can_answer_survives_writing_and_reading(row: Row, data: st.DataObject) -> None:
    reply = data.draw(row.replies)

    body = row.format.write_reply(reply, HEADING, asked(row.format))

    assert row.same_reply(headless(row.format.read_reply(body))) == row.same_reply(headless(reply))


@each_format
@given(data=st.data())
def test_a_streamed_reply_adds_up_to_the_whole_one(row: Row, data: st.DataObject) -> None:
    reply = data.draw(row.replies)
    chat = asked(row.format, stream=True)

    fold = folded(read(row.format, streamed(row.format, events_of(reply), chat)))

    assert fold.failure is None
    assert row.same_reply(headless(fold.reply())) == row.same_reply(headless(reply))


@each_format
@given(data=st.data())
def test_a_stream_cut_anywhere_gives_the_same_events(row: Row, data: st.DataObject) -> None:
    stream = streamed(row.format, events_of(data.draw(row.replies)), asked(row.format, stream=True))

    assert read(row.format, *data.draw(cuts(stream))) == read(row.format, stream)


@each_format
@given(data=st.data())
def test_a_stream_has_one_beginning_and_one_end(row: Row, data: st.DataObject) -> None:
    stream = streamed(row.format, events_of(data.draw(row.replies)), asked(row.format, stream=True))

    events = read(row.format, stream[: data.draw(st.integers(0, len(stream)))])

    assert [isinstance(event, Start) for event in events] == [True] + [False] * (len(events) - 1)
    assert [isinstance(event, Finish | Failure) for event in events] == [False] * (len(events) - 1) + [True]


# Every writer takes everything that the vocabulary can say


@each_dialect
@given(data=st.data())
def test_every_chat_is_written_or_refused_by_name(row: Row, data: st.DataObject) -> None:
    chat = data.draw(v.any_chats(data.draw(st.sampled_from(v.FORMATS))))

    try:
        body = row.format.write_chat(chat, Losses("vendor", {}))
    except Unsupported as refusal:
        assert refusal.param
    else:
        assert isinstance(msgspec.json.decode(body), dict)


@pytest.mark.parametrize("vendor", sorted(all_providers()))
@settings(max_examples=30)
@given(data=st.data())
def test_every_vendor_is_asked_or_refused_by_name(vendor: str, data: st.DataObject) -> None:
    chat = data.draw(v.any_chats(data.draw(st.sampled_from(v.FORMATS))))

    for format in provider_of(vendor).formats.values():
        try:
            body = format.write_chat(chat, Losses("vendor", {}))
        except Unsupported as refusal:
            assert refusal.param
        else:
            assert isinstance(msgspec.json.decode(body), dict)


@each_format
@given(data=st.data())
def test_every_reply_is_written_whole_and_as_a_stream(row: Row, data: st.DataObject) -> None:
    reply = data.draw(v.any_replies())
    chat = data.draw(
        st.sampled_from([asked(row.format, stream=True), asked(row.format, stream=True, style="functions")])
    )

    whole = row.format.write_reply(reply, HEADING, chat)
    stream = streamed(row.format, events_of(reply), chat)

    assert isinstance(msgspec.json.decode(whole), dict)
    assert isinstance(read(row.format, stream)[-1], Finish | Failure)


# Bytes from outside


def fixtures(row: Row, *endings: str) -> list[bytes]:
    folder = FIXTURES / row.fixtures
    return [path.read_bytes() for ending in endings for path in sorted(folder.glob(f"*{ending}"))]


@each_format
def test_recorded_streams_add_up_to_the_recorded_replies(row: Row) -> None:
    streams = sorted((FIXTURES / row.fixtures).glob("*.sse"))

    assert streams
    for stream in streams:
        whole = row.format.read_reply(stream.with_suffix(".reply.json").read_bytes())
        fold = folded(read(row.format, stream.read_bytes()))
        assert fold.failure is None, stream.name
        assert bare(fold.reply()) == bare(whole), stream.name


@each_format
@given(data=st.data())
def test_recorded_streams_cut_anywhere_give_the_same_events(row: Row, data: st.DataObject) -> None:
    stream = data.draw(st.sampled_from(fixtures(row, ".sse")))

    assert read(row.format, *data.draw(cuts(stream))) == read(row.format, stream)


@each_dialect
@settings(max_examples=300)
@given(data=st.data())
def test_no_request_can_do_worse_than_be_refused(row: Row, data: st.DataObject) -> None:
    body = data.draw(mutated(fixtures(row, ".request.json")))

    try:
        chat = row.read_chat(body, asked(row.format))
        row.format.write_chat(chat, Losses("vendor", {}))
    except BadRequest as refusal:
        assert refusal.status == 400


@each_format
@settings(max_examples=300)
@given(data=st.data())
def test_no_reply_can_do_worse_than_fail(row: Row, data: st.DataObject) -> None:
    body = data.draw(mutated(fixtures(row, ".reply.json")))

    try:
        reply = row.format.read_reply(body)
    except UpstreamFailed:
        return
    usage = reply.usage or v.ReportedUsage(v.Usage(), b"{}")
    row.format.write_reply(msgspec.structs.replace(reply, usage=usage), HEADING, asked(row.format))


@each_format
@settings(max_examples=300)
@given(data=st.data())
def test_no_stream_can_do_worse_than_fail(row: Row, data: st.DataObject) -> None:
    stream = data.draw(mutated(fixtures(row, ".sse")))

    try:
        events = read(row.format, *data.draw(cuts(stream)))
    except UpstreamFailed:
        return
    assert isinstance(events[-1], Finish | Failure)
    folded(events)
    streamed(row.format, events, asked(row.format, stream=True))


# Tools of the laws


def asked(format: Format, *, stream: bool = False, style: str = "") -> Chat:
    """The request that an answer belongs to: it asks for everything that is told only when asked for."""
    text: tuple[Part, ...] = (Text("hi"),)
    return Chat(
        format=format.name,
        model="m",
        messages=(Message("user", text),),
        stream=stream,
        include_usage=True,
        style=frozenset({style}),
        output=v.Output(n=2, logprobs=True, top_logprobs=3),
        reasoning=v.Reasoning(shown=True),
    )


def streamed(format: Format, events: Any, chat: Chat) -> bytes:
    """The bytes of a stream; its last event comes with usage, as the gateway sees to it."""
    writer = format.stream_writer(HEADING, chat)
    pieces: list[bytes] = []
    for event in events:
        if isinstance(event, Finish) and event.usage is None:
            event = Finish(v.ReportedUsage(v.Usage(), b"{}"), event.searches)
        pieces.append(writer.write(event))
    return b"".join(pieces)


def read(format: Format, *chunks: bytes) -> list[Event]:
    reader = format.stream_reader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return [*events, *reader.close()]


def folded(events: list[Event]) -> Fold:
    fold = Fold()
    for event in events:
        fold.add(event)
    return fold


def settled(chat: Chat) -> Chat:
    """A chat as it compares: turns of the user in a row are one."""
    joined: list[Message] = []
    for message in chat.messages:
        last = joined[-1] if joined else None
        if last is not None and last.role == message.role == "user" and last.name == message.name:
            joined[-1] = msgspec.structs.replace(last, parts=(*last.parts, *message.parts))
        else:
            joined.append(message)
    return msgspec.structs.replace(chat, messages=tuple(joined))


def headless(reply: Reply) -> Reply:
    """A reply without what the gateway's own heading replaces, and without its vendor's own words."""
    return msgspec.structs.replace(bare(reply, native=False), id="", model="", created_s=0)


def bare(reply: Reply, *, native: bool = True) -> Reply:
    """A reply without what streams do not tell: members that have no word."""
    choices = tuple(
        msgspec.structs.replace(
            choice,
            parts=tuple(without_extra(part) for part in choice.parts),
            extra=NO_EXTRA,
            native=choice.native if native else "",
        )
        for choice in reply.choices
    )
    usage = reply.usage and v.ReportedUsage(reply.usage.usage, b"")
    return msgspec.structs.replace(reply, choices=choices, usage=usage, format="", extra=NO_EXTRA)


def without_extra(part: Part) -> Part:
    return msgspec.structs.replace(part, extra=NO_EXTRA) if getattr(part, "extra", NO_EXTRA) else part
