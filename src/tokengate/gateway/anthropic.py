"""Anthropic's operations as the pipeline sees them: a message, and counting the tokens of one."""

from tokengate.accounts.keys import Principal
from tokengate.core.splice import Members
from tokengate.formats.anthropic.format import ANTHROPIC
from tokengate.formats.anthropic.forward import FORWARDING, is_foreign
from tokengate.formats.anthropic.read import read_chat, read_count
from tokengate.formats.anthropic.usage import read_count_reply
from tokengate.gateway.call import Options
from tokengate.gateway.chats import chat_operation
from tokengate.gateway.pipeline import Gateway
from tokengate.gateway.route import Target
from tokengate.gateway.vendor_count import Question, count_prompt_of

MESSAGES = chat_operation(
    name="messages",
    path="/messages",
    format=ANTHROPIC,
    read_chat=read_chat,
    forwarding=FORWARDING,
    is_foreign=is_foreign,
    replies_alike=True,
    id_header="request-id",
)

_COUNT = "/count_tokens"  # below the path of messages


async def count_tokens(gateway: Gateway, principal: Principal, body: bytes, options: Options) -> int:
    """Return how many tokens a request would have. Raises GatewayError."""
    chat = read_count(body)
    foreign = is_foreign(chat)

    def ask(target: Target) -> Question | None:
        format = target.formats.get(MESSAGES.speaks)
        if format is None or foreign:
            return None
        path = format.path(target.model, stream=False) + _COUNT
        asked = FORWARDING.forward_chat(Members(body), model=target.model, output_cap=None)
        return Question(path, asked, {**format.headers(stream=False), **options.vendor_headers}, read_count_reply)

    return await count_prompt_of(gateway, principal, MESSAGES, chat, ask)
