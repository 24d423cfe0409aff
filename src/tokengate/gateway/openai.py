"""OpenAI's operations as the pipeline sees them: the format's readers joined with the catalogue's token bounds."""

from tokengate.catalog.tokens import estimate_tokens, prompt_bound
from tokengate.formats.openai.chat_reader import read_chat as read_chat_words
from tokengate.formats.openai.format import OPENAI_CHAT
from tokengate.formats.openai.requests import read_chat, read_completion, read_embedding
from tokengate.formats.openai.texts import prompt_text
from tokengate.formats.openai.vectors import OPENAI_EMBEDDINGS
from tokengate.gateway.operation import Asked, Operation


def _chat(body: bytes) -> Asked:
    request = read_chat(body)
    media = request.media
    return Asked(
        members=request.members,
        model=request.model,
        stream=request.stream,
        include_usage=request.include_usage,
        output_cap=request.output_bound,
        prompts=1,
        choices=request.n,
        generated=request.n,
        prompt_bound=prompt_bound(
            len(body),
            messages=request.messages,
            images=media.images + media.frames,
            tools=request.tools,
            media_size_bytes=media.characters,
        ),
        thinking=request.thinking,
    )


def _completion(body: bytes) -> Asked:
    request = read_completion(body)
    return Asked(
        members=request.members,
        model=request.model,
        stream=request.stream,
        include_usage=request.include_usage,
        output_cap=request.output_cap,
        prompts=request.prompts,
        choices=request.prompts * request.n,
        generated=request.choices,
        prompt_bound=prompt_bound(len(body), messages=request.prompts) + request.prompt_tokens,
    )


def _embedding(body: bytes) -> Asked:
    request = read_embedding(body)
    return Asked(
        members=request.members,
        model=request.model,
        stream=False,
        include_usage=False,
        output_cap=None,
        prompts=request.inputs,
        choices=1,
        generated=1,
        prompt_bound=prompt_bound(len(body), messages=request.inputs),
    )


def _estimate(body: bytes) -> int:
    return estimate_tokens(prompt_text(body))


CHAT_COMPLETIONS = Operation(
    name="chat.completions",
    path="/chat/completions",
    kinds=frozenset({"chat"}),
    read=_chat,
    chat_names=True,
    prompt_estimate=_estimate,
    format=OPENAI_CHAT,
    read_chat=read_chat_words,
)
COMPLETIONS = Operation(
    name="completions",
    path="/completions",
    kinds=frozenset({"chat", "completion"}),
    read=_completion,
    chat_names=False,
    prompt_estimate=_estimate,
)
EMBEDDINGS = Operation(
    name="embeddings",
    path="/embeddings",
    kinds=frozenset({"embedding"}),
    read=_embedding,
    chat_names=False,
    prompt_estimate=_estimate,
    embedding=OPENAI_EMBEDDINGS,
)
