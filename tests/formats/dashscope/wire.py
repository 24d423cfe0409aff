"""What the tests of DashScope's format share: the recorded shapes, and short ways to read and write."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from tokengate.core.chat import Chat, Message
from tokengate.core.fold import Fold
from tokengate.core.parts import Part, Text
from tokengate.core.reply import Event, Reply
from tokengate.core.wire import Heading, Losses
from tokengate.formats.dashscope.requests import read_chat
from tokengate.formats.dashscope.stream_read import DashScopeStreamReader
from tokengate.formats.dashscope.stream_write import DashScopeStreamWriter
from tokengate.formats.dashscope.writing import write_chat

FIXTURES = Path(__file__).parents[2] / "fixtures" / "dashscope"
SEEDS = Path(__file__).parents[2] / "fixtures" / "seeds"
HEADING = Heading("our-id", "our-model", 1_750_000_000)
MINIMAL: dict[str, Any] = {"model": "qwen-plus", "input": {"messages": [{"role": "user", "content": "hi"}]}}


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def chat(*parts: Part, format: str = "openai", model: str = "qwen-plus", **fields: Any) -> Chat:
    """Return a chat of one user's turn, in another format's words unless `format` says ours."""
    messages = (Message("user", parts or (Text("hi"),)),)
    return Chat(format=format, model=model, messages=messages, **fields)


def asked(*, parts: bool = False, stream: bool = False, **parameters: Any) -> Chat:
    """Read a minimal request with these parameters."""
    return read_chat(json.dumps({**MINIMAL, "parameters": parameters}).encode(), parts=parts, stream=stream)


def written(one: Chat) -> tuple[dict[str, Any], list[str]]:
    """Return a chat's request and what was dropped from it."""
    losses = Losses("DashScope", {})
    return json.loads(write_chat(one, losses)), losses.dropped


def read_stream(data: bytes, *cuts: int, pieces: bool = True) -> list[Event]:
    """Return a stream's events when it arrives in pieces that end at the cuts."""
    reader = DashScopeStreamReader(pieces=pieces)
    events: list[Event] = []
    ends = [0, *sorted(cuts), len(data)]
    for start, end in pairwise(ends):
        events += reader.feed(data[start:end])
    return events + reader.close()


def folded(events: list[Event]) -> Reply:
    fold = Fold()
    for event in events:
        fold.add(event)
    assert fold.failure is None
    return fold.reply()


def streamed(events: list[Event], one: Chat) -> bytes:
    """Write events as a stream for the caller of a chat."""
    writer = DashScopeStreamWriter(HEADING, one)
    return b"".join(map(writer.write, events))


def data_of(stream: bytes) -> list[dict[str, Any]]:
    """Return the data of a stream's events."""
    return [json.loads(line[5:]) for line in stream.splitlines() if line.startswith(b"data:")]


def plain(value: Any) -> Any:
    """Return a struct as builtins, so that kept JSON compares by what it says."""
    return msgspec.json.decode(msgspec.json.encode(value))
