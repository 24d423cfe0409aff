"""Recordings in DashScope's own format, asked and answered in it: the caller's bytes go to backends that speak it.

How long a recording at an address is, is known when it was heard: the longest that the vendor takes is held for.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Final

from tokengate.catalog.tokens import prompt_bound
from tokengate.core.http import Exchange
from tokengate.core.splice import read_members
from tokengate.core.usage import ReportedUsage, Usage, UsageSource
from tokengate.formats.dashscope.content import NAME
from tokengate.formats.dashscope.format import DASHSCOPE
from tokengate.formats.dashscope.forwarding import forward_chat, put_id, rename_model
from tokengate.formats.dashscope.hearing import MAX_SECONDS
from tokengate.formats.dashscope.models import MULTIMODAL_PATH
from tokengate.formats.dashscope.requests import read_chat
from tokengate.gateway.adapter import WholeReply
from tokengate.gateway.call import Call
from tokengate.gateway.count import Used
from tokengate.gateway.forward import ForwardLane
from tokengate.gateway.heading import heading_of
from tokengate.gateway.media import Fetch
from tokengate.gateway.operation import Asked, Operation, Way
from tokengate.gateway.route import Target
from tokengate.gateway.tally import output_texts
from tokengate.gateway.written import Written

_SAID_PER_S: Final = 4  # tokens of quick speech: what a stream that broke is estimated by


def hearing_operation(*, stream: bool) -> Operation:
    """Return the operation of multimodal generation with a model that hears, whole or streamed."""
    read = partial(read_chat, stream=stream, parts=True)

    def asked(body: bytes) -> Asked:
        chat = read(body)
        return Asked(
            members=read_members(body),
            model=chat.model,
            stream=stream,
            prompts=1,
            prompt_bound=prompt_bound(0),
            seconds=MAX_SECONDS,
            chat=chat,
        )

    return Operation(
        name="multimodal-generation",
        path=MULTIMODAL_PATH,
        kinds=frozenset({"transcription"}),
        read=asked,
        chat_names=False,
        prompt_estimate=lambda body: 0,
        speaks=NAME,
        format=DASHSCOPE,
        read_chat=read,
        put_id=put_id,
        way=_way,
        uses=_uses,
        stream_type=DASHSCOPE.stream_type,
    )


def _way(target: Target) -> Way | None:
    format = target.backend.provider.transcription
    if format is None or format.name != NAME:
        return None
    path = format.path("transcribe")

    async def ask(call: Call, body: bytes, fetch: Fetch) -> HeardAlike:
        return HeardAlike(call, target, path)

    return ask


def _uses(call: Call, body: bytes, reported: ReportedUsage | None, written: int) -> Used:
    """Return the vendor's seconds; those of what was said when it broke off before it told them."""
    if reported is not None:
        return Used(reported.usage, UsageSource.VENDOR, reported.raw)
    return Used(Usage(second=min(written // _SAID_PER_S + 1, MAX_SECONDS)), UsageSource.ESTIMATED)


class HeardAlike:
    """Implements `Adapter` for a caller and a backend of DashScope's format."""

    __slots__ = ("_call", "_edit", "body", "dropped", "headers", "path")

    def __init__(self, call: Call, target: Target, path: str) -> None:
        asked = call.asked
        self._call = call
        self._edit = _edit_of(call)
        self.path = path
        self.headers: Mapping[str, str] = {**DASHSCOPE.headers(stream=asked.stream), **call.options.vendor_headers}
        self.body = forward_chat(asked.members, model=target.model, output_cap=None)
        self.dropped: list[str] = []

    def whole(self, data: bytes) -> WholeReply:
        """Read a whole reply, of silence too; its bytes stay the backend's but for the model's name and the id."""
        reply = DASHSCOPE.read_reply(data)
        return WholeReply(
            self._edit(data), has_content=True, usage=reply.usage, texts=() if reply.usage else output_texts(reply)
        )

    def pieces(self, exchange: Exchange, fetch: Fetch) -> AsyncIterator[bytes]:
        """Return the backend's body."""
        return exchange.chunks()

    def lane(self, written: Written) -> "HeardLane":
        """Return the lane of a streamed reply."""
        call = self._call
        writer = DASHSCOPE.stream_writer(heading_of(call), call.chat(b""))
        return HeardLane(DASHSCOPE.stream_reader(), writer, 1, self._edit, written)


class HeardLane(ForwardLane):
    """A stream in which nothing may have been said: silence is an answer, too."""

    __slots__ = ()

    @property
    def has_content(self) -> bool:
        return self.finished or super().has_content


def _edit_of(call: Call) -> Callable[[bytes], bytes]:
    heading, model = heading_of(call), call.asked.model
    return lambda data: put_id(rename_model(data, model), heading)
