"""The laws of a wire format: chunks do not matter, a stream adds up to the whole, what can be said comes back."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.formats.responses.samples import (
    FOLDER,
    HEADING,
    PAIRS,
    body_of,
    checked,
    fold,
    frames,
    read_stream,
    stream_of,
)
from tests.formats.responses.strategies import chats, replies
from tokengate.core.chat import Chat
from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.fold import events_of
from tokengate.core.reply import Event, Failure, Finish, Reply, Start
from tokengate.core.wire import Losses
from tokengate.formats.responses.format import RESPONSES
from tokengate.formats.responses.read_chat import read_chat

STREAMS = sorted(path.stem for path in FOLDER.glob("*.sse"))


def test_there_are_documented_replies() -> None:
    assert len(PAIRS) >= 15


@pytest.mark.parametrize("name", STREAMS)
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_cutting_a_stream_anywhere_gives_the_same_events(name: str, data: st.DataObject) -> None:
    stream = stream_of(name)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))

    events = read_stream(*(stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])))

    assert events == read_stream(stream)


@pytest.mark.parametrize("name", STREAMS)
def test_one_byte_at_a_time_gives_the_same_events(name: str) -> None:
    stream = stream_of(name)

    assert read_stream(*(stream[i : i + 1] for i in range(len(stream)))) == read_stream(stream)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_has_one_start_first_and_one_end_last(name: str) -> None:
    events = read_stream(stream_of(name))

    assert isinstance(events[0], Start)
    assert isinstance(events[-1], Finish | Failure)
    assert sum(isinstance(event, Start | Finish | Failure) for event in events) == 2


@pytest.mark.parametrize("name", [name for name in PAIRS if name != "failed"])
def test_a_stream_adds_up_to_the_whole_reply(name: str) -> None:
    whole = RESPONSES.read_reply(body_of(name))

    assert fold(read_stream(stream_of(name))) == structs.replace(whole, format="")


@given(chats())
@settings(max_examples=80, deadline=None)
def test_a_chat_that_can_be_said_comes_back(chat: Chat) -> None:
    losses = Losses("the backend", {})

    body = RESPONSES.write_chat(chat, losses)

    assert read_chat(body) == chat
    assert losses.dropped == []


@given(chats())
@settings(max_examples=30, deadline=None)
def test_a_vendor_is_never_asked_to_keep_anything(chat: Chat) -> None:
    body = msgspec.json.decode(RESPONSES.write_chat(chat, Losses("the backend", {})))

    assert body["store"] is False
    assert "previous_response_id" not in body


_CHAT = Chat(format="openai", model="m", messages=())


@given(replies())
@settings(max_examples=60, deadline=None)
def test_a_reply_that_can_be_said_comes_back(reply: Reply) -> None:
    body = RESPONSES.write_reply(reply, HEADING, _CHAT)

    checked(body)
    assert RESPONSES.read_reply(body) == structs.replace(reply, format="responses")


@given(replies())
@settings(max_examples=60, deadline=None)
def test_a_reply_told_as_a_stream_is_the_reply_told_whole(reply: Reply) -> None:
    writer = RESPONSES.stream_writer(HEADING, _CHAT)

    stream = b"".join(writer.write(event) for event in events_of(reply))

    last = frames(stream)[-1]
    assert last["response"] == checked(RESPONSES.write_reply(reply, HEADING, _CHAT))
    whole = RESPONSES.read_reply(RESPONSES.write_reply(reply, HEADING, _CHAT))
    assert fold(read_stream(stream)) == structs.replace(whole, format="")


_mutation = st.tuples(st.integers(0, 10**6), st.integers(0, 30), st.binary(max_size=12))


def _mutated(data: bytes, mutations: list[tuple[int, int, bytes]]) -> bytes:
    for at, removed, added in mutations:
        at %= len(data) + 1
        data = data[:at] + added + data[at + removed :]
    return data


@pytest.mark.parametrize("name", PAIRS)
@given(mutations=st.lists(_mutation, min_size=1, max_size=4))
@settings(max_examples=12, deadline=None)
def test_a_broken_reply_is_read_or_refused(name: str, mutations: list[tuple[int, int, bytes]]) -> None:
    try:
        RESPONSES.read_reply(_mutated(body_of(name), mutations))
    except UpstreamFailed as error:
        assert error.kind == "invalid"


@pytest.mark.parametrize("name", STREAMS)
@given(mutations=st.lists(_mutation, min_size=1, max_size=4))
@settings(max_examples=12, deadline=None)
def test_a_broken_stream_ends_once_or_is_refused(name: str, mutations: list[tuple[int, int, bytes]]) -> None:
    try:
        events: list[Event] = read_stream(_mutated(stream_of(name), mutations))
    except UpstreamFailed:
        return
    fold(events)
    assert isinstance(events[-1], Finish | Failure)


@given(mutations=st.lists(_mutation, min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_a_broken_request_is_read_or_refused(mutations: list[tuple[int, int, bytes]]) -> None:
    try:
        read_chat(_mutated(body_of("codex_request"), mutations))
    except BadRequest as error:
        assert error.message


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_MEMBERS = sorted(msgspec.json.decode(body_of("codex_request")))


@given(member=st.sampled_from([*_MEMBERS, "previous_response_id", "metadata", "prompt", "top_logprobs"]), value=_json)
@settings(max_examples=100, deadline=None)
def test_any_value_of_any_member_is_read_or_refused(member: str, value: object) -> None:
    request = msgspec.json.decode(body_of("codex_request"))
    request[member] = value
    try:
        read_chat(msgspec.json.encode(request))
    except BadRequest as error:
        assert error.param is not None


@given(
    at=st.integers(0, 12),
    name=st.sampled_from(["type", "role", "content", "call_id", "output", "summary", "x"]),
    value=_json,
)
@settings(max_examples=100, deadline=None)
def test_any_value_inside_any_item_is_read_or_refused(at: int, name: str, value: object) -> None:
    request = msgspec.json.decode(body_of("codex_request"))
    request["input"][at][name] = value
    try:
        read_chat(msgspec.json.encode(request))
    except BadRequest as error:
        assert error.param is not None and error.param.startswith(f"input[{at}]")


def test_nesting_without_end_is_refused() -> None:
    deep = b'{"model":"m","input":[' + b"[" * 100_000
    with pytest.raises(BadRequest):
        read_chat(deep)
    with pytest.raises(UpstreamFailed):
        RESPONSES.read_reply(b'{"output":' + b"[" * 100_000)
