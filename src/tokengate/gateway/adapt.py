"""Chooses how one call is put to one backend: forwarded as it is, or converted."""

from tokengate.gateway.adapter import Adapter
from tokengate.gateway.call import Call
from tokengate.gateway.convert import Converted, format_for
from tokengate.gateway.embed import Embedded
from tokengate.gateway.forward import Forwarded
from tokengate.gateway.lane import OpenAILane
from tokengate.gateway.media import Fetch, inlined, needs_fetching
from tokengate.gateway.operation import Operation
from tokengate.gateway.route import Target


def reaches(operation: Operation, target: Target) -> bool:
    """Say whether a backend can be asked for an operation at all."""
    if operation.speaks in target.formats or operation.format is not None:
        return True
    return operation.embedding is not None and target.backend.provider.embedding is not None


async def adapt(call: Call, target: Target, body: bytes, output_cap: int | None, fetch: Fetch) -> Adapter:
    """Return the request for one target; `output_cap` is set only when the wallet cannot pay for more.

    Raises Unsupported for what the target's format cannot say, BadRequest for an address that cannot be fetched.
    """
    operation = call.operation
    own = target.formats.get(operation.speaks)
    if operation.embedding is not None and (own is None or operation.speaks != "openai"):
        return Embedded(call, target, body)
    if own is not None and operation.format is not None and not call.asked.stream and own.must_stream(target.model):
        own = None
    if call.model.preset is not None:  # what the application adds is not in the caller's bytes
        own = None
    if operation.speaks == "openai" and own is not None:
        include_usage = call.asked.include_usage or call.options.usage_always
        return OpenAILane(body, call.asked, operation, target, output_cap=output_cap, include_usage=include_usage)
    may_forward = target.fixed is None and not _is_foreign(operation, call, body)
    if own is not None and operation.forwarding is not None and may_forward:
        return Forwarded(call, target, output_cap)
    format = format_for(operation, target)
    chat = call.chat(body)
    if format.inline_media and needs_fetching(chat):
        chat = call.inline(await inlined(chat, fetch))
    return Converted(call, target, format, chat, body, output_cap)


def _is_foreign(operation: Operation, call: Call, body: bytes) -> bool:
    return operation.is_foreign is not None and operation.is_foreign(call.chat(body))
