"""Anthropic's operations as the pipeline sees them: a message, and counting the tokens of one."""

from tokengate.accounts.keys import Principal
from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.core.splice import Members
from tokengate.formats.anthropic.format import ANTHROPIC
from tokengate.formats.anthropic.forward import FORWARDING, is_foreign
from tokengate.formats.anthropic.read import read_chat, read_count
from tokengate.formats.anthropic.usage import read_count_reply
from tokengate.gateway.asked import prompt_estimate
from tokengate.gateway.call import Options
from tokengate.gateway.chats import chat_operation
from tokengate.gateway.pipeline import Gateway
from tokengate.gateway.route import Target

MESSAGES = chat_operation(
    name="messages",
    path="/messages",
    format=ANTHROPIC,
    read_chat=read_chat,
    forwarding=FORWARDING,
    is_foreign=is_foreign,
    id_header="request-id",
)

_COUNT = "/count_tokens"  # below the path of messages
_MAX_REPLY_BYTES = 64 * 1024


async def count_tokens(gateway: Gateway, principal: Principal, body: bytes, options: Options) -> int:
    """Return how many tokens a request would have: as the vendor counts them where it speaks this format, else about
    so many. Costs nothing; counts as a request of the key. Raises GatewayError.
    """
    chat = read_count(body)
    model, _, route = gateway.find(chat.model, MESSAGES, principal)
    admission = gateway.limiter.admit(principal, model.id, 0)
    try:
        for target in route.targets if model.preset is None and not is_foreign(chat) else ():
            counted = await _counted(target, chat, body, options)
            if counted is not None:
                return counted
        return prompt_estimate(chat)
    finally:
        admission.finish(0, 0)


async def _counted(target: Target, chat: Chat, body: bytes, options: Options) -> int | None:
    """Return the vendor's own count; None when it has none to give. Raises UpstreamFailed when the caller is at
    fault."""
    format = target.formats.get(MESSAGES.speaks)
    if format is None:
        return None
    path = format.path(target.model, stream=False) + _COUNT
    headers = {**format.headers(stream=False), **options.vendor_headers}
    asked = FORWARDING.forward_chat(Members(body), model=target.model, output_cap=None)
    backend = target.backend
    try:
        exchange = await backend.transport.send(backend.request(path, asked, headers))
        try:
            data = await exchange.read(_MAX_REPLY_BYTES)
        finally:
            exchange.close()
    except GatewayError:
        return None  # a count is worth no failover: an estimate is at hand
    if exchange.status == 200:
        return read_count_reply(data)
    failure = backend.provider.failure(exchange.status, exchange.headers, data, credential=backend.credential)
    if failure.kind == "request" and failure.status != 404:
        raise failure
    return None
