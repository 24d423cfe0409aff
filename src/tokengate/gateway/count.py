"""What a call used when its backend never said: counted by the model's own tokenizer, or estimated.

Tokenizers work in a thread, so a long prompt holds nobody up; a model without one is estimated at once.
"""

import asyncio
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from tokengate.catalog.model import Model
from tokengate.catalog.price import Price
from tokengate.catalog.tokens import Counted, count_chat, count_texts, estimate_tokens
from tokengate.catalog.tokens.families import family_of
from tokengate.core.chat import Chat
from tokengate.core.errors import BadRequest
from tokengate.core.usage import ReportedUsage, Usage, UsageSource
from tokengate.gateway.call import Call
from tokengate.gateway.operation import Asked, Operation
from tokengate.gateway.written import Written


class Used(Struct, frozen=True):
    """What a call used, who says so, and the vendor's own words."""

    usage: Usage
    source: UsageSource
    raw: bytes | None = None
    size: str | None = None  # of pictures that were made, and their quality
    quality: str | None = None


async def used_by(call: Call, body: bytes, reported: ReportedUsage | None, written: Sequence[str] | Written) -> Used:
    """Return what a call used: what the vendor reported, or a count, and the pictures that a chat's reply has.

    `written` is what the model wrote: the texts of a whole reply, or those of a stream, which were counted while they
    passed. A partial report knows the prompt.
    """
    used = await _told_or_counted(call, body, reported, written)
    drawn = call.drawn
    if drawn is None or not drawn.count:
        return used
    return replace(used, usage=replace(used.usage, image=drawn.count), size=drawn.size)


def as_priced(used: Used, price: Price, asked: Asked) -> Used:
    """Return what a call for pictures used in the words of its price: pictures are counted, mostly with their tokens,
    and a price in either is whole. Tokens that no backend counted are estimated where nothing but pictures was asked
    for."""
    usage = used.usage
    if not usage.image:
        return used
    if not _prices(price, "image"):
        if asked.draw is None or usage.input_total + usage.output_total:
            return replace(used, usage=replace(usage, image=0))
        told = Usage(input=estimate_tokens(asked.draw.prompt), image_out=(asked.output_cap or 0) * usage.image)
        return replace(used, usage=told, source=UsageSource.ESTIMATED)
    if not _prices(price, "input") and not _prices(price, "output"):
        source = UsageSource.COUNTED if used.source is UsageSource.ESTIMATED else used.source
        return replace(used, usage=Usage(image=usage.image, search=usage.search), source=source)
    return used


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


async def _told_or_counted(
    call: Call, body: bytes, reported: ReportedUsage | None, written: Sequence[str] | Written
) -> Used:
    if call.operation.uses is not None:
        about = written.tokens if isinstance(written, Written) else sum(map(estimate_tokens, written))
        return call.operation.uses(call, body, reported, about)
    if reported is not None and not reported.partial:
        return Used(reported.usage, UsageSource.VENDOR, reported.raw, reported.size, reported.quality)
    output = await (written.count() if isinstance(written, Written) else _count_texts(written, call.model))
    if reported is not None:
        return Used(replace(reported.usage, output=output.tokens, reasoning=0), output.source, reported.raw)
    prompt = await count_prompt(call.operation, call.known_chat, body, call.model)
    exact = prompt.source is output.source is UsageSource.COUNTED
    source = UsageSource.COUNTED if exact else UsageSource.ESTIMATED
    return Used(Usage(input=prompt.tokens, output=output.tokens), source)


async def _count_texts(texts: Sequence[str], model: Model) -> Counted:
    if family_of(model) is None:
        return count_texts(texts, model)
    return await asyncio.to_thread(count_texts, texts, model)


def _count_prompt(operation: Operation, chat: Chat | None, body: bytes, model: Model) -> Counted:
    if chat is None and operation.read_chat is not None:
        try:
            chat = operation.read_chat(body)
        except BadRequest:  # bytes that only the backend, which speaks the same format, could read
            chat = None
    if chat is None:
        return Counted(operation.prompt_estimate(body), UsageSource.ESTIMATED)
    return count_chat(chat, model)


def _prices(price: Price, word: str) -> bool:
    return any(getattr(tier.rates, word) is not None for tier in price.tiers)
