"""Short ways to read and write Gemini's format in tests."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokengate.core.chat import Chat, Message
from tokengate.core.fold import Fold
from tokengate.core.parts import Part, Text
from tokengate.core.reply import Event, Finish, Reply
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Heading, Losses
from tokengate.formats.gemini.format import GEMINI, GeminiFormat

FIXTURES = Path(__file__).parents[2] / "fixtures" / "gemini"
HEADING = Heading("reply-1", "my-model", 1_750_000_000)
FLASH = "gemini-3-flash-preview"
OLD = "gemini-2.5-flash"
PLAIN = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def read(request: Any, *, model: str = FLASH, stream: bool = False) -> Chat:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return GEMINI.read_chat(body, model=model, stream=stream)


def asking(**members: Any) -> Chat:
    """Read a plain request with these members."""
    return read({**PLAIN, **members})


def chat(*messages: Message, format: str = "openai", model: str = FLASH, **fields: Any) -> Chat:
    return Chat(format=format, model=model, messages=messages or (Message("user", (Text("Hi"),)),), **fields)


def user(*parts: Part) -> Message:
    return Message("user", parts)


def assistant(*parts: Part) -> Message:
    return Message("assistant", parts)


def write(asked: Chat, format: GeminiFormat = GEMINI) -> tuple[dict[str, Any], list[str]]:
    """Return the request for the vendor, and what was dropped."""
    losses = Losses("Google", {})
    return json.loads(format.write_chat(asked, losses)), losses.dropped


def stream(body: bytes) -> tuple[Reply, list[Event]]:
    """Read a whole stream."""
    reader, fold = GEMINI.stream_reader(), Fold()
    events = [*reader.feed(body), *reader.close()]
    for event in events:
        fold.add(event)
    return fold.reply(), events


def written(events: Iterable[Event], asked: Chat | None = None) -> bytes:
    """Write a stream whose last event comes with usage."""
    writer = GEMINI.stream_writer(HEADING, asked or chat())
    usage = ReportedUsage(Usage(input=1, output=1), b"{}")
    return b"".join(
        writer.write(Finish(usage, event.searches) if isinstance(event, Finish) and event.usage is None else event)
        for event in events
    )


def chunks(body: bytes) -> list[dict[str, Any]]:
    """Return what the events of a stream say."""
    return [json.loads(frame.removeprefix(b"data: ")) for frame in body.split(b"\n\n") if frame]
