"""The documented replies and streams of the Responses API, and small ways to read them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import msgspec
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel

from tokengate.core.chat import Chat
from tokengate.core.fold import Fold
from tokengate.core.reply import Choice, Event, Reply
from tokengate.core.wire import Heading, Losses
from tokengate.formats.responses.format import RESPONSES
from tokengate.formats.responses.read_chat import read_chat

FOLDER = Path(__file__).parents[2] / "fixtures" / "responses"

PAIRS = sorted(path.stem for path in FOLDER.glob("*.sse"))
FAILURES = sorted(path.stem for path in (FOLDER / "failures").glob("*.sse"))

HEADING = Heading(id="019aa5d3c1f8a1b2c3d4e5f60718293a", model="alias", created_s=1_795_000_000)

# The SDK's class of each type of event.
_EVENTS: dict[str, type[BaseModel]] = {
    get_args(one.model_fields["type"].annotation)[0]: one for one in get_args(get_args(ResponseStreamEvent)[0])
}


def body_of(name: str) -> bytes:
    """Return a documented body, such as `text.reply` or `codex.request`, without the white space that makes it easy
    to read."""
    value = json.loads((FOLDER / f"{name}.json").read_bytes())
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def stream_of(name: str) -> bytes:
    """Return a documented stream, such as `text` or `failures/cut`."""
    return (FOLDER / f"{name}.sse").read_bytes()


def read_whole(name: str) -> Choice:
    """Return the one choice of a documented reply."""
    (choice,) = RESPONSES.read_reply(body_of(f"{name}.reply")).choices
    return choice


def read_stream(*chunks: bytes) -> list[Event]:
    """Return all events of a stream that arrives in these pieces."""
    reader = RESPONSES.stream_reader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return events + reader.close()


def fold(events: Iterable[Event]) -> Reply:
    folded = Fold()
    for event in events:
        folded.add(event)
    return folded.reply()


def chat_of(**members: Any) -> Chat:
    """Return the chat of a request with these members."""
    return read_chat(json.dumps({"model": "m", "input": "hi", **members}).encode())


def written(chat: Chat, losses: Losses | None = None) -> dict[str, Any]:
    """Return the body that is written for a vendor."""
    body: dict[str, Any] = msgspec.json.decode(RESPONSES.write_chat(chat, losses or Losses("the backend", {})))
    return body


def frames(stream: bytes) -> list[dict[str, Any]]:
    """Return a stream's events, each checked against the SDK's own types."""
    found: list[dict[str, Any]] = []
    for number, frame in enumerate(part for part in stream.split(b"\n\n") if part):
        head, _, data = frame.partition(b"\ndata: ")
        event = json.loads(data)
        assert head == b"event: " + event["type"].encode()
        assert event["sequence_number"] == number
        _EVENTS[event["type"]].model_validate(event)
        found.append(event)
    return found


def checked(body: bytes) -> dict[str, Any]:
    """Return a whole reply, checked against the SDK's own types."""
    Response.model_validate_json(body)
    reply: dict[str, Any] = json.loads(body)
    return reply
