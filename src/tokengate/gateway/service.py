"""Operations of one question and one answer at one backend: forwarded where both sides speak one format, otherwise
through the vocabulary. Bills like every call. Pictures, which may stream, go their own way on top (pictures.py).
"""

from collections.abc import Callable, Mapping
from typing import Generic, NoReturn

import msgspec
from msgspec.structs import replace

from tokengate.core.http import Exchange
from tokengate.core.service import Asks, Form, Service, Tells
from tokengate.core.splice import Members
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Losses
from tokengate.formats.openai.replies import rename_model
from tokengate.gateway.adapter import WholeReply
from tokengate.gateway.call import Call
from tokengate.gateway.heading import heading_of
from tokengate.gateway.lane import prepare
from tokengate.gateway.media import Fetch
from tokengate.gateway.operation import Way
from tokengate.gateway.route import Target
from tokengate.gateway.written import Written
from tokengate.providers.provider import Provider

_encode = msgspec.json.Encoder().encode


def served(
    caller: Service[Asks, Tells], offered: Callable[[Provider], Service[Asks, Tells] | None]
) -> Callable[[Target], Way | None]:
    """Return how a backend is asked for a service: in the format that its vendor's file names, if it names one."""

    def way(target: Target) -> Way | None:
        format = offered(target.backend.provider)
        if format is None:
            return None

        async def ask(call: Call, body: bytes, fetch: Fetch) -> Served[Asks, Tells]:
            return Served(call, target, body, caller, format)

        return ask

    return way


class Served(Generic[Asks, Tells]):
    """Implements `Adapter`."""

    __slots__ = ("_call", "_caller", "_format", "_forwarded", "_question", "body", "dropped", "headers", "path")

    def __init__(
        self,
        call: Call,
        target: Target,
        body: bytes,
        caller: Service[Asks, Tells],
        format: Service[Asks, Tells],
    ) -> None:
        """`caller` is the format that was asked in, `format` the backend's. Raises Unsupported, BadRequest."""
        self._call = call
        self._caller = caller
        self._format = format
        self._question = question = caller.read(body)
        self._forwarded = caller.name == format.name and format.forwards(question)
        losses = Losses(target.backend.name, {})
        if self._forwarded:
            self.body = forwarded(call, target, body)
            self.headers: Mapping[str, str] = {}
        else:
            self.body, self.headers = body_of(format.write(replace(question, model=target.model), losses))
        self.dropped = losses.dropped
        # Who speaks DashScope's format says in the path which service is meant; OpenAI's copies have their own paths.
        native = self._forwarded and call.operation.speaks != "openai"
        self.path = (caller if native else format).path(target.model)
        if native:
            self.headers = call.options.vendor_headers

    def whole(self, data: bytes) -> WholeReply:
        """Read a reply and write it in the caller's format."""
        answer = self._format.read_reply(data, self._question)
        if self._forwarded:
            return WholeReply(self._edited(data), has_content=True, usage=answer.usage)
        if answer.usage is not None:
            return WholeReply(self._write(answer), has_content=True, usage=answer.usage)

        def written(usage: Usage) -> bytes:
            return self._write(replace(answer, usage=ReportedUsage(usage, b"")))

        return WholeReply(b"", has_content=True, usage=None, write=written)

    def lane(self, written: Written) -> NoReturn:
        raise AssertionError("such operations do not stream")

    def pieces(self, exchange: Exchange, fetch: Fetch) -> NoReturn:
        raise AssertionError("such operations do not stream")

    def _edited(self, data: bytes) -> bytes:
        """Return the vendor's reply with the caller's name of the model and the call's id, where it has such."""
        call = self._call
        put_id = call.operation.put_id
        renamed = rename_model(data, call.asked.model)
        return renamed if put_id is None else put_id(renamed, heading_of(call))

    def _write(self, answer: Tells) -> bytes:
        return self._caller.write_reply(answer, heading_of(self._call), self._question)


def body_of(written: bytes | Form) -> tuple[bytes, Mapping[str, str]]:
    """Return a request's body, and the headers that say what it is unless it is JSON."""
    match written:
        case Form():
            return written.body, {"content-type": written.content_type}
        case _:
            return written, {}


def forwarded(call: Call, target: Target, body: bytes) -> bytes:
    """Return the caller's bytes under the vendor's name of the model; only OpenAI's members can be fixed."""
    if call.operation.speaks == "openai":
        return prepare(body, call.asked, call.operation, target, None).body
    if call.asked.model == target.model:
        return body
    members = call.asked.members
    if body is not members.body:  # uploaded files are in it now
        members = Members(body)
    return members.replace("model", _encode(target.model))
