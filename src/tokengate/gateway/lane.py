"""OpenAI's same-format lane: the caller's bytes go to the backend, edited by splice and only where they must be.

In the request: `model`, `stream_options`, the output cap, the provider's declared renames and drops. Every other byte
is untouched. Replies are edited by the format's own readers: `model`, and the usage chunk when nobody asked for it.
"""

from collections.abc import AsyncIterator, Mapping

from msgspec import Struct, json

from tokengate.core.errors import BadRequest
from tokengate.core.http import Exchange
from tokengate.core.splice import DuplicateMember, Members
from tokengate.formats.openai.replies import add_twins, read_reply, rename_model
from tokengate.formats.openai.stream import StreamLane
from tokengate.formats.openai.texts import reply_texts
from tokengate.gateway.adapter import WholeReply
from tokengate.gateway.media import Fetch
from tokengate.gateway.operation import Asked, Operation
from tokengate.gateway.route import Target
from tokengate.gateway.written import Written

_NO_HEADERS: Mapping[str, str] = {}
_NO_RENAMES: Mapping[str, str] = {}
_INCLUDE_USAGE = b'{"include_usage":true}'
_NULL = b"null"


class OpenAILane:
    """Implements `Adapter` for OpenAI's operations at a backend that speaks OpenAI's format."""

    __slots__ = ("_asked", "_include_usage", "_injected", "_provider", "body", "dropped", "path")

    headers = _NO_HEADERS

    def __init__(
        self,
        body: bytes,
        asked: Asked,
        operation: Operation,
        target: Target,
        *,
        output_cap: int | None,
        include_usage: bool,
    ) -> None:
        """`output_cap` is set only when the wallet cannot pay for more."""
        prepared = prepare(body, asked, operation, target, output_cap)
        self.path = operation.path
        self.body = prepared.body
        self.dropped: list[str] = []
        self._injected = prepared.usage_injected
        self._asked = asked
        self._provider = target.backend.provider
        self._include_usage = include_usage

    def whole(self, data: bytes) -> WholeReply:
        """Read a whole reply; its bytes stay the backend's but for the model's name and field twins."""
        reply = read_reply(data, reasoning_outside=self._provider.reasoning_outside)
        ours = self._asked.model
        if reply.model != ours:
            data = rename_model(data, ours)
        if self._provider.twins:
            data = add_twins(data, "message")
        if reply.usage is None:
            return WholeReply(data, reply.has_content, None, tuple(reply_texts(data)))
        return WholeReply(data, reply.has_content, reply.usage)

    def pieces(self, exchange: Exchange, fetch: Fetch) -> AsyncIterator[bytes]:
        """Return the backend's body."""
        return exchange.chunks()

    def lane(self, written: Written) -> StreamLane:
        """Return the lane of a streamed reply."""
        return StreamLane(
            model=self._asked.model,
            include_usage=self._include_usage,
            write=written.add,
            usage_injected=self._injected,
            choices=self._asked.choices,
            reasoning_outside=self._provider.reasoning_outside,
            twins=self._provider.twins,
        )


class Prepared(Struct, frozen=True):
    """A body ready for one backend."""

    body: bytes
    usage_injected: bool  # we asked for the usage chunk, the caller did not


def prepare(body: bytes, asked: Asked, operation: Operation, target: Target, output_cap: int | None) -> Prepared:
    """Return the body for one target; `output_cap` is set only when the wallet cannot pay for more."""
    provider = target.backend.provider
    renames = provider.renames if operation.chat_names else _NO_RENAMES
    drops = provider.drops if operation.chat_names else ()
    inject = asked.stream and not asked.include_usage and provider.usage_on_request
    renamed = asked.model != target.model
    members = asked.members
    if not (inject or target.parameters or renames or drops) and output_cap is None:
        if not renamed:
            return Prepared(body, usage_injected=False)
        if "model" in members:
            return Prepared(members.replace("model", json.encode(target.model)), usage_injected=False)

    wanted: dict[str, bytes] = {}
    removed: set[str] = {name for name in drops if name in members}
    for theirs, ours in renames.items():
        value = members.get(ours)
        if value is None:
            continue
        removed.add(ours)
        if value != _NULL and members.get(theirs) in (None, _NULL):
            wanted[theirs] = value
    if renamed:
        wanted["model"] = json.encode(target.model)
    if output_cap is not None:
        wanted[provider.output_cap_name if operation.chat_names else "max_tokens"] = str(output_cap).encode()
    if inject:
        wanted["stream_options"] = _with_usage(members.get("stream_options"))
    wanted.update(target.parameters)
    present = {name for name in wanted if name in members}
    return Prepared(
        members.edit(
            replace={name: wanted[name] for name in present},
            remove=removed - present,
            add={name: value for name, value in wanted.items() if name not in present},
        ),
        inject,
    )


def _with_usage(stream_options: bytes | None) -> bytes:
    """Return the options with usage asked for. Raises BadRequest when they name something twice."""
    if stream_options is None or stream_options == _NULL:
        return _INCLUDE_USAGE
    try:
        members = Members(stream_options)
    except DuplicateMember as error:
        param = f"stream_options.{error.member}"
        raise BadRequest(f"'{param}' appears more than once in the request body.", param=param) from None
    if "include_usage" in members:
        return members.edit(replace={"include_usage": b"true"})
    return members.edit(add={"include_usage": b"true"})
