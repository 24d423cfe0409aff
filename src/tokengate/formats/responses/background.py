"""A response in the background: what is said of it before it runs, and when it ends without saying anything itself."""

from typing import Any

import msgspec
from msgspec import Struct

from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.core.wire import Heading
from tokengate.formats.responses.output import Frames
from tokengate.formats.responses.response import Envelope, Keeping, error_of

TOLD_AT_FIRST = 2  # events


class Said(Struct, frozen=True):
    """A response object, and the frames of the stream that tell of it."""

    response: bytes
    frames: bytes


def write_queued(heading: Heading, chat: Chat, keeping: Keeping) -> Said:
    """Return the response that waits to be run, and the first events of its stream."""
    response = {**Envelope(heading, chat, keeping).begun(), "status": "queued"}
    frames = Frames()
    frames.add("response.created", response=response)
    frames.add("response.queued", response=response)
    return Said(_encode(response), frames.take())


def write_cancelled(queued: bytes, told: int) -> Said:
    """Return a response that its caller has cancelled, of which nothing is shown; its stream, of which `told` events
    are out, ends as OpenAI ends it: with `response.failed`."""
    return _ended({**_decode(queued), "status": "cancelled"}, told)


def write_failed(queued: bytes, told: int, error: GatewayError) -> Said:
    """Return a response that failed before it said anything, and the end of its stream."""
    return _ended({**_decode(queued), "status": "failed", "error": error_of(error)}, told)


def _ended(response: dict[str, Any], told: int) -> Said:
    frames = Frames(told)
    frames.add("response.failed", response=response)
    return Said(_encode(response), frames.take())


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
