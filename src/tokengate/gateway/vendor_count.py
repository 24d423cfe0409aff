"""Counting the tokens of a request without running it: by the vendor where it speaks the caller's format, else here."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from tokengate.accounts.keys import Principal
from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.gateway.count import count_tokens
from tokengate.gateway.operation import Operation
from tokengate.gateway.pipeline import Gateway
from tokengate.gateway.route import Target

_MAX_REPLY_BYTES = 64 * 1024
_NOT_THERE = (404, 405)  # a vendor without this operation; one may have others at a path like it


class Question(Struct, frozen=True):
    """How a vendor is asked for a count. `read` returns None, or raises UpstreamFailed, for what is none."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    read: Callable[[bytes], int | None]


async def count_prompt_of(
    gateway: Gateway,
    principal: Principal,
    operation: Operation,
    chat: Chat,
    ask: Callable[[Target], Question | None],
) -> int:
    """Return how many tokens a prompt has; `ask` gives the question for a backend, None for one that cannot be asked.

    Costs nothing; counts as a request of the key. Raises GatewayError, UpstreamFailed only when the caller is at fault.
    """
    model, _, route = gateway.find(chat.model, operation, principal)
    admission = gateway.limiter.admit(principal, model.id, 0)
    try:
        for target in route.targets if model.preset is None else ():
            question = ask(target)
            counted = None if question is None else await _answered(target, question)
            if counted is not None:
                return counted
        return (await count_tokens(chat, model)).tokens
    finally:
        admission.finish(0, 0)


async def _answered(target: Target, question: Question) -> int | None:
    """Return the vendor's own count; None when it has none to give."""
    backend = target.backend
    try:
        exchange = await backend.transport.send(backend.request(question.path, question.body, question.headers))
        try:
            data = await exchange.read(_MAX_REPLY_BYTES)
        finally:
            exchange.close()
        if exchange.status == 200:
            return question.read(data)
    except GatewayError:
        return None  # a count is worth no failover: it can be made here
    failure = backend.provider.failure(exchange.status, exchange.headers, data, credential=backend.credential)
    if failure.kind == "request" and exchange.status not in _NOT_THERE:
        raise failure
    return None
