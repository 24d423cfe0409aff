"""What the laws of all formats (tests/laws) do not ask: the SDK's own types, failures, and any value in any place."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.formats.responses.samples import FAILURES, HEADING, PAIRS, body_of, chat_of, checked, frames, read_stream
from tests.formats.responses.samples import stream_of as documented
from tests.formats.responses.strategies import chats, replies
from tokengate.core.chat import Chat
from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.fold import events_of
from tokengate.core.reply import Failure, Finish, Reply, Start
from tokengate.core.wire import Losses
from tokengate.formats.responses.format import RESPONSES
from tokengate.formats.responses.read_chat import read_chat


def test_there_are_documented_replies() -> None:
    assert len(PAIRS) >= 14 and len(FAILURES) == 4


@pytest.mark.parametrize("name", [*PAIRS, *(f"failures/{name}" for name in FAILURES)])
def test_one_byte_at_a_time_gives_the_same_events(name: str) -> None:
    stream = documented(name)

    assert read_stream(*(stream[i : i + 1] for i in range(len(stream)))) == read_stream(stream)


@pytest.mark.parametrize("name", FAILURES)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_a_failing_stream_cut_anywhere_fails_the_same_way(name: str, data: st.DataObject) -> None:
    stream = documented(f"failures/{name}")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))

    events = read_stream(*(stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])))

    assert events == read_stream(stream)
    assert isinstance(events[0], Start) and isinstance(events[-1], Failure)
    assert sum(isinstance(event, Start | Finish | Failure) for event in events) == 2


@given(chats())
@settings(max_examples=30, deadline=None)
def test_a_vendor_is_never_asked_to_keep_anything(chat: Chat) -> None:
    body = msgspec.json.decode(RESPONSES.write_chat(chat, Losses("the backend", {})))

    assert body["store"] is False
    assert "previous_response_id" not in body


@given(replies())
@settings(max_examples=60, deadline=None)
def test_a_reply_told_as_a_stream_is_the_reply_told_whole(reply: Reply) -> None:
    chat = chat_of()
    writer = RESPONSES.stream_writer(HEADING, chat)

    told = frames(b"".join(writer.write(event) for event in events_of(reply)))

    assert told[-1]["response"] == checked(RESPONSES.write_reply(reply, HEADING, chat))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_CODEX = body_of("codex.request")
_MEMBERS = sorted(msgspec.json.decode(_CODEX))
_OTHERS = ["previous_response_id", "metadata", "prompt", "top_logprobs", "conversation", "stream_options"]


@given(member=st.sampled_from([*_MEMBERS, *_OTHERS]), value=_json)
@settings(max_examples=100, deadline=None)
def test_any_value_of_any_member_is_read_or_refused(member: str, value: object) -> None:
    request = msgspec.json.decode(_CODEX)
    request[member] = value
    try:
        read_chat(msgspec.json.encode(request))
    except BadRequest as error:
        assert error.param is not None and error.param.startswith(member)


@given(
    at=st.integers(0, 12),
    name=st.sampled_from(["type", "role", "content", "call_id", "output", "summary", "x"]),
    value=_json,
)
@settings(max_examples=100, deadline=None)
def test_any_value_inside_any_item_is_read_or_refused(at: int, name: str, value: object) -> None:
    request = msgspec.json.decode(_CODEX)
    request["input"][at][name] = value
    try:
        read_chat(msgspec.json.encode(request))
    except BadRequest as error:
        assert error.param is not None and error.param.startswith(f"input[{at}]")


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(BadRequest):
        read_chat(b'{"model":"m","input":[' + b"[" * 100_000)
    with pytest.raises(UpstreamFailed):
        RESPONSES.read_reply(b'{"output":' + b"[" * 100_000)
