"""Fixtures and short ways to write bodies, shared by the tests of this folder."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from tokengate.core.chat import Chat, Message
from tokengate.core.fold import Fold
from tokengate.core.parts import Text
from tokengate.core.reply import Event
from tokengate.core.wire import Heading, Losses
from tokengate.formats.anthropic.abilities import PLAIN, Abilities
from tokengate.formats.anthropic.stream_read import StreamReader
from tokengate.formats.anthropic.write import write_chat

FIXTURES = Path(__file__).parents[2] / "fixtures" / "anthropic"
CHATS = {path.name.partition(".")[0]: path.read_bytes() for path in sorted(FIXTURES.glob("*.request.json"))}
STREAMS = {path.stem: path.read_bytes() for path in sorted(FIXTURES.glob("*.sse"))}
REPLIES = {name: (FIXTURES / f"{name}.reply.json").read_bytes() for name in STREAMS}

HI = (Message("user", (Text("hi"),)),)
HEADING = Heading("ours", "my-model", 1_795_000_000)


def body(**members: Any) -> bytes:
    """Return a small request with other members, None to leave one out."""
    whole = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]} | members
    return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()


def foreign(*messages: Message, **members: Any) -> Chat:
    """Return a chat of a caller who speaks another format."""
    return Chat(format="openai", model="m", messages=messages or HI, **members)


def written(chat: Chat, abilities: Abilities = PLAIN) -> tuple[Any, list[str]]:
    """Return the request that a vendor gets, and what was dropped."""
    losses = Losses("the backend", {})
    return json.loads(write_chat(chat, losses, abilities)), losses.dropped


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[a:b] for a, b in pairwise(ends)]


def events(pieces: list[bytes]) -> list[Event]:
    reader = StreamReader()
    read = [event for piece in pieces for event in reader.feed(piece)]
    return read + reader.close()


def folded(read: list[Event]) -> Fold:
    fold = Fold()
    for event in read:
        fold.add(event)
    return fold


def frames(stream: bytes) -> list[dict[str, Any]]:
    """Return the data of each event; the names of the events must agree."""
    found: list[dict[str, Any]] = []
    for frame in stream.decode().split("\n\n")[:-1]:
        name, data = frame.split("\n")
        value = json.loads(data.removeprefix("data: "))
        assert name == f"event: {value['type']}"
        found.append(value)
    return found
