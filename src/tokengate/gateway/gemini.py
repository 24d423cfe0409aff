"""Gemini's operations as the pipeline sees them: content, embeddings, and counting the tokens of a request.

The model and the wish for a stream are in the path, so each request has an operation of its own.
"""

from functools import partial

from msgspec.structs import replace

from tokengate.accounts.keys import Principal
from tokengate.core.wire import Losses
from tokengate.formats.gemini.embeddings import GeminiEmbeddings
from tokengate.formats.gemini.format import GEMINI
from tokengate.formats.gemini.forward import is_foreign
from tokengate.formats.gemini.path import action
from tokengate.formats.gemini.requests import read_chat
from tokengate.formats.gemini.tokens import read_count, read_count_reply, write_count
from tokengate.gateway.chats import chat_operation
from tokengate.gateway.embedding import embedding_operation
from tokengate.gateway.operation import Operation
from tokengate.gateway.pipeline import Gateway
from tokengate.gateway.route import Target
from tokengate.gateway.vendor_count import Question, count_prompt_of

_PICTURES = frozenset({"image"})


def generate(model: str, *, stream: bool) -> Operation:
    """Return the operation that asks a model for content."""
    return chat_operation(
        name="gemini.stream" if stream else "gemini.generate",
        path=":streamGenerateContent" if stream else ":generateContent",
        format=GEMINI,
        read_chat=partial(read_chat, model=model, stream=stream),
        forwarding=GEMINI,
        is_foreign=is_foreign,
        replies_alike=True,
        drawing_kinds=_PICTURES,
    )


def embed(model: str, *, single: bool) -> Operation:
    """Return the operation that embeds one text, or a batch."""
    return embedding_operation(
        name="gemini.embed" if single else "gemini.batch_embed",
        path=":embedContent" if single else ":batchEmbedContents",
        format=GeminiEmbeddings(model=model, single=single),
    )


async def count_tokens(gateway: Gateway, principal: Principal, model: str, body: bytes) -> int:
    """Return how many tokens a request would have. Raises GatewayError."""
    chat = read_count(body, model=model)

    def ask(target: Target) -> Question | None:
        format = target.formats.get(GEMINI.name)
        if format is None:
            return None
        losses = Losses(target.backend.name, GEMINI.names)
        asked = format.write_chat(replace(chat, model=target.model), losses)
        path = action(target.model, "countTokens")
        return Question(path, write_count(asked, target.model), format.headers(stream=False), read_count_reply)

    return await count_prompt_of(gateway, principal, generate(model, stream=False), chat, ask)
