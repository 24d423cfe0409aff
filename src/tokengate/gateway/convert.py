"""The vocabulary's lane: the caller's request is written in the backend's format, and its answer in the caller's.

Both lanes bill the same: usage is the vendor's own, or counted from what passed.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from itertools import chain

from msgspec.structs import replace

from tokengate.core.chat import Chat, Reasoning
from tokengate.core.errors import GatewayError
from tokengate.core.http import Exchange
from tokengate.core.reply import Event, Failure, Finish, FinishReason, Reply, Stop
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Format, Losses, StreamReader, StreamWriter
from tokengate.gateway.adapter import WholeReply
from tokengate.gateway.call import Call
from tokengate.gateway.heading import heading_of
from tokengate.gateway.media import Fetch
from tokengate.gateway.operation import Operation
from tokengate.gateway.overlay import overlaid
from tokengate.gateway.route import Target
from tokengate.gateway.tally import Tally, has_content, output_texts
from tokengate.gateway.written import Written


def format_for(operation: Operation, target: Target) -> Format:
    """Return the format in which a backend is asked: the caller's own if it can, else the one that says most."""
    return target.formats.get(operation.speaks) or next(iter(target.formats.values()))


class Converted:
    """Implements `Adapter` for a caller and a backend of different formats, or of one that bytes cannot cross."""

    __slots__ = ("_call", "_caller", "_chat", "_format", "as_said", "body", "dropped", "headers", "path")

    def __init__(
        self, call: Call, target: Target, format: Format, chat: Chat, body: bytes, output_cap: int | None
    ) -> None:
        operation = call.operation
        assert operation.format is not None, "a call that cannot be converted is not put to such a backend"
        self._call = call
        self._caller: Format = operation.format
        self._format = format
        self._chat = replace(chat, include_usage=True) if call.options.usage_always else chat
        if operation.portable is not None and format.name != operation.speaks:
            chat = operation.portable(chat)
        losses = Losses(target.backend.name, self._caller.names)
        stream = chat.stream or format.must_stream(target.model)  # other_way.py adds such a stream up
        chat = replace(chat, model=target.model, stream=stream, include_usage=True)
        if call.model.thinks:  # the next turn of a tool loop needs the proof, whether the caller asked for it or not
            chat = replace(chat, reasoning=replace(chat.reasoning, signed=True))
        elif call.model.capabilities and format.name != operation.speaks and chat.reasoning.left_open:
            losses.drop("reasoning")
            chat = replace(chat, reasoning=Reasoning())
        if target.fixed is not None:
            chat = overlaid(chat, target.fixed)
        if output_cap is None and format.needs_cap and chat.output.cap is None:
            output_cap = call.model.max_output
        if output_cap is not None:
            chat = replace(chat, output=replace(chat.output, cap=output_cap))
        own = operation.replies_alike and format.name == operation.speaks
        self.as_said = own and chat.reasoning.shown == self._chat.reasoning.shown  # replies may be forwarded
        self.body = self._format.write_chat(chat, losses)
        self.dropped = losses.dropped
        call.added = losses.added
        self.path = self._format.path(target.model, stream=chat.stream)
        self.headers: Mapping[str, str] = self._format.headers(stream=chat.stream)
        if format.name == operation.speaks:
            self.headers = {**self.headers, **call.options.vendor_headers}
        else:
            for name in call.options.vendor_headers:
                losses.drop(name)

    def whole(self, data: bytes) -> WholeReply:
        """Read a whole reply and write it in the caller's format."""
        return whole_reply(self._format.read_reply(data), self._written)

    def pieces(self, exchange: Exchange, fetch: Fetch) -> AsyncIterator[bytes]:
        """Return the backend's body."""
        return exchange.chunks()

    def lane(self, written: Written) -> "ConvertLane":
        """Return the lane of a streamed reply."""
        call = self._call
        writer = self._caller.stream_writer(heading_of(call), self._chat)
        return ConvertLane(self._format.stream_reader(), writer, call.asked.choices, written)

    def _written(self, reply: Reply, counted: Usage | None = None) -> bytes:
        """Return the reply in the caller's words, with usage: the vendor's, or what it will be billed for."""
        shown = reply if counted is None else replace(reply, usage=ReportedUsage(counted, b""))
        return self._caller.write_reply(shown, heading_of(self._call), self._chat)


def whole_reply(reply: Reply, write: Callable[[Reply, Usage | None], bytes]) -> WholeReply:
    """Return a whole reply as `write` puts it for the caller: with its own usage, or what it will be billed for."""
    if reply.usage is None:
        return WholeReply(b"", has_content(reply), None, output_texts(reply), partial(write, reply))
    return WholeReply(write(reply, None), has_content(reply), reply.usage)


class ConvertLane:
    """Implements `Lane`. The writer gets no Finish before the call is settled."""

    __slots__ = (
        "_choices",
        "_finish",
        "_reader",
        "_stopped",
        "_tally",
        "_writer",
        "ended",
        "failure",
        "finished",
    )

    def __init__(self, reader: StreamReader, writer: StreamWriter, choices: int, written: Written) -> None:
        self._reader = reader
        self._writer = writer
        self._choices = choices
        self._tally = Tally(written)
        self._stopped: set[int] = set()
        self._finish = Finish()
        self.finished = False
        self.ended = False
        self.failure: Failure | None = None

    @property
    def has_content(self) -> bool:
        return self._tally.has_content

    @property
    def usage(self) -> ReportedUsage | None:
        return self._reader.usage

    def feed(self, chunk: bytes) -> bytes:
        """Take a piece of the backend's body and return it in the caller's words."""
        return b"" if self.ended else self._write(self._reader.feed(chunk))

    def close(self) -> bytes:
        """Take note that the backend's body has ended."""
        return b"" if self.ended else self._write(self._reader.close())

    def count(self) -> None:
        """Nothing waits: the tally adds what passes."""

    def end(self, usage: Usage | None = None) -> bytes:
        """Return the end of the stream, with the usage that the call was billed for."""
        finish = replace(self._finish, usage=self._reader.usage or ReportedUsage(usage or Usage(), b""))
        return self._writer.write(finish)

    def length_end(self, usage: Usage | None = None) -> bytes:
        """Return the end of a stream that is cut because it got too long."""
        stops = [Stop(choice, FinishReason.LENGTH) for choice in range(self._choices) if choice not in self._stopped]
        last = Finish(ReportedUsage(usage or Usage(), b""))
        return b"".join(map(self._writer.write, chain(self._tally.open_blocks(), stops, (last,))))

    def fail(self, error: GatewayError) -> bytes:
        """Return the explicit error with which the stream ends."""
        return self._writer.fail(error)

    def _write(self, events: list[Event]) -> bytes:
        pieces: list[bytes] = []
        for event in events:
            match event:
                case Finish():
                    self._finish = event
                    self.finished = self.ended = True
                case Failure():
                    self.ended = True
                    if event.kind == "error":
                        self.failure = event
                case _:
                    if type(event) is Stop:
                        self._stopped.add(event.choice)
                    self._tally.add(event)
                    pieces.append(self._writer.write(event))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
