"""What a call used when its backend never said: counted by the model's own tokenizer, or estimated.

Tokenizers work in a thread, so a long prompt holds nobody up; a model without one is estimated at once.
"""

import asyncio

from msgspec import Struct
from msgspec.structs import replace

from tokengate.catalog.model import Model
from tokengate.catalog.tokens import Counted, count_chat, count_text
from tokengate.catalog.tokens.families import family_of
from tokengate.core.chat import Chat
from tokengate.core.errors import BadRequest
from tokengate.core.usage import ReportedUsage, Usage, UsageSource
from tokengate.gateway.call import Call
from tokengate.gateway.operation import Operation


class Used(Struct, frozen=True):
    """What a call used, who says so, and the vendor's own words."""

    usage: Usage
    source: UsageSource
    raw: bytes | None = None


async def used_by(call: Call, body: bytes, reported: ReportedUsage | None, written: int | str) -> Used:
    """Return what a call used: what the vendor reported, or a count.

    `written` is what was delivered: its text, or a number of tokens that was estimated while it passed. A partial
    report knows the prompt.
    """
    if reported is not None and not reported.partial:
        return Used(reported.usage, UsageSource.VENDOR, reported.raw)
    if family_of(call.model) is None:
        return _count(call, body, reported, written)
    return await asyncio.to_thread(_count, call, body, reported, written)


async def count_tokens(chat: Chat, model: Model) -> Counted:
    """Count a prompt, for endpoints that only count."""
    if family_of(model) is None:
        return count_chat(chat, model)
    return await asyncio.to_thread(count_chat, chat, model)


async def count_prompt(operation: Operation, chat: Chat | None, body: bytes, model: Model) -> Counted:
    """Count the prompt in the body of a request; `chat` is the request as far as it was read already."""
    if family_of(model) is None:
        return _count_prompt(operation, chat, body, model)
    return await asyncio.to_thread(_count_prompt, operation, chat, body, model)


def _count(call: Call, body: bytes, reported: ReportedUsage | None, written: int | str) -> Used:
    model = call.model
    output = Counted(written, UsageSource.ESTIMATED) if isinstance(written, int) else count_text(written, model)
    if reported is not None:
        return Used(replace(reported.usage, output=output.tokens, reasoning=0), output.source, reported.raw)
    prompt = _count_prompt(call.operation, call.known_chat, body, model)
    exact = prompt.source is output.source is UsageSource.COUNTED
    source = UsageSource.COUNTED if exact else UsageSource.ESTIMATED
    return Used(Usage(input=prompt.tokens, output=output.tokens), source)


def _count_prompt(operation: Operation, chat: Chat | None, body: bytes, model: Model) -> Counted:
    if chat is None and operation.read_chat is not None:
        try:
            chat = operation.read_chat(body)
        except BadRequest:  # bytes that only the backend, which speaks the same format, could read
            chat = None
    if chat is None:
        return Counted(operation.prompt_estimate(body), UsageSource.ESTIMATED)
    return count_chat(chat, model)
