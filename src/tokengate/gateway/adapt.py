"""Chooses how one call is put to one backend: forwarded as it is, or converted."""

from msgspec.structs import replace

from tokengate.core.wire import Format
from tokengate.gateway.adapter import Adapter
from tokengate.gateway.call import Call
from tokengate.gateway.convert import Converted, format_for
from tokengate.gateway.drawing_chat import DrawingChat
from tokengate.gateway.forward import Forwarded, forwarded
from tokengate.gateway.lane import OpenAILane
from tokengate.gateway.media import Fetch, ReadUpload, body_with_uploads, inlined, needs_fetching, with_uploads
from tokengate.gateway.operation import Operation
from tokengate.gateway.other_way import OtherWay
from tokengate.gateway.route import Target

_UPLOADED = b"oss:"


def reaches(operation: Operation, target: Target, kind: str) -> bool:
    """Say whether a backend can be asked for an operation with a model of this kind at all."""
    if kind in operation.drawing_kinds:
        return bool(target.backend.provider.drawing)
    if operation.way is not None:
        return operation.way(target) is not None
    return operation.speaks in target.formats or operation.format is not None


async def adapt(call: Call, target: Target, body: bytes, output_cap: int | None, fetch: Fetch) -> Adapter:
    """Return the request for one target; `output_cap` is set only when the wallet cannot pay for more.

    Raises Unsupported for what the target's format cannot say, BadRequest for an address that cannot be fetched.
    """
    operation = call.operation
    if call.read_upload is not None and operation.speaks != "openai" and operation.format is None:
        body = await body_with_uploads(body, call.read_upload)
    if operation.way is not None:
        way = operation.way(target)
        assert way is not None, "such a backend is not asked"
        return await way(call, body, fetch)
    own = target.formats.get(operation.speaks)
    if own is not None and operation.format is not None and not call.asked.stream and own.must_stream(target.model):
        own = None
    if call.read_upload is not None:
        await _resolve(call, body, call.read_upload)
    # What the application adds, and what was uploaded, is not in the caller's bytes.
    if call.model.preset is not None or call.resolved:
        own = None
    if own is not None and operation.chat_names and not own.forwards(call.asked.members, call.asked.said):
        own = None
    if operation.speaks == "openai" and own is not None:
        include_usage = call.asked.include_usage or call.options.usage_always
        lane = OpenAILane(body, call.asked, operation, target, output_cap=output_cap, include_usage=include_usage)
        return _answered(call, own if operation.format is not None else None, body, lane)
    chat = call.chat(body)
    may_forward = target.fixed is None and not _is_foreign(call, target, body)
    may_forward = may_forward and not (own is not None and needs_fetching(chat, own.must_inline))
    if own is not None and operation.forwarding is not None and may_forward:
        return _answered(call, own, body, forwarded(call, target, output_cap))
    format = format_for(operation, target)
    if needs_fetching(chat, format.must_inline):
        chat = call.inline(await inlined(chat, fetch, format.must_inline))
    converted = Converted(call, target, format, chat, body, output_cap)
    if not converted.as_said:
        return _answered(call, format, body, converted)
    asked = Forwarded(call, target, converted.path, converted.headers, converted.body, converted.dropped)
    return _answered(call, format, body, asked)


def _answered(call: Call, format: Format | None, body: bytes, inner: Adapter) -> Adapter:
    """Return the adapter for whichever way the backend answers; of a model that draws, one that counts the pictures."""
    adapter = OtherWay(call, format, body, inner)
    if format is None or call.model.kind not in call.operation.drawing_kinds:
        return adapter
    return DrawingChat(call, format, adapter)


def _is_foreign(call: Call, target: Target, body: bytes) -> bool:
    is_foreign = call.operation.is_foreign
    return is_foreign is not None and is_foreign(replace(call.chat(body), model=target.model))


async def _resolve(call: Call, body: bytes, read: ReadUpload) -> None:
    """Put uploaded files into the request, once. Raises BadRequest for a file that is not the caller's."""
    if call.resolved or call.operation.read_chat is None or _UPLOADED not in body:
        return
    chat = await with_uploads(call.chat(body), read)
    if chat is not None:
        call.resolve(chat)
