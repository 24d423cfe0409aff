"""OpenAI's operations as the pipeline sees them: the format's readers joined with the catalogue's token bounds."""

from functools import partial

from tokengate.catalog.tokens import document_bound, estimate_tokens, prompt_bound, sound_bound
from tokengate.formats.openai.chat_reader import chat_of
from tokengate.formats.openai.chat_reader import read_chat as read_chat_words
from tokengate.formats.openai.format import OPENAI_CHAT
from tokengate.formats.openai.images import EDITS, GENERATIONS, VARIATIONS
from tokengate.formats.openai.requests import Media, read_chat, read_completion, read_embedding, read_moderation
from tokengate.formats.openai.rerank import OPENAI_RERANK
from tokengate.formats.openai.speech import OPENAI_SPEECH
from tokengate.formats.openai.texts import prompt_text
from tokengate.formats.openai.vectors import OPENAI_EMBEDDINGS
from tokengate.gateway.call import Call
from tokengate.gateway.images import image_operation
from tokengate.gateway.lane import OpenAILane
from tokengate.gateway.media import Fetch
from tokengate.gateway.operation import Asked, Operation, Way
from tokengate.gateway.rerank import rerank_operation
from tokengate.gateway.route import Target
from tokengate.gateway.service import served
from tokengate.gateway.speech import speech_operation

_KEPT_BYTES = 16 * 1024  # a body up to this size is kept as it was read, in case it is to be converted


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
            films=media.films,
            tools=request.tools,
            media_size_bytes=media.characters,
            media_tokens=_media_bound(media),
        ),
        pictures=media.images + media.frames,
        thinking=request.thinking,
        said=request.said,
        to_chat=partial(chat_of, request.wire, request.members) if len(body) <= _KEPT_BYTES else None,
    )


def _media_bound(media: Media) -> int:
    return sum(map(document_bound, media.documents)) + sum(map(sound_bound, media.sounds))


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
        prompts=request.inputs,
        prompt_bound=prompt_bound(len(body), messages=request.inputs),
    )


def _moderation(body: bytes) -> Asked:
    request = read_moderation(body)
    return Asked(
        members=request.members,
        model=request.model,
        prompts=request.inputs,
        prompt_bound=prompt_bound(
            len(body),
            messages=request.inputs,
            media_size_bytes=request.media.characters,
        ),
        pictures=request.media.images,
    )


def _estimate(body: bytes) -> int:
    return estimate_tokens(prompt_text(body))


_embedded = served(OPENAI_EMBEDDINGS, lambda vendor: vendor.embedding)


def _embeddings(target: Target) -> Way | None:
    if "openai" in target.formats and target.backend.provider.embedding is not None:
        return _forwarded(target)
    return _embedded(target)


def _moderations(target: Target) -> Way | None:
    return _forwarded(target) if target.backend.provider.moderates else None


def _forwarded(target: Target) -> Way:
    async def ask(call: Call, body: bytes, fetch: Fetch) -> OpenAILane:
        return OpenAILane(body, call.asked, call.operation, target, output_cap=None, include_usage=False)

    return ask


CHAT_COMPLETIONS = Operation(
    name="chat.completions",
    path="/chat/completions",
    kinds=frozenset({"chat"}),
    drawing_kinds=frozenset({"image"}),
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
    instead="/chat/completions",
)
EMBEDDINGS = Operation(
    name="embeddings",
    path="/embeddings",
    kinds=frozenset({"embedding"}),
    read=_embedding,
    chat_names=False,
    prompt_estimate=_estimate,
    way=_embeddings,
)
RERANK = rerank_operation(name="rerank", path="/rerank", format=OPENAI_RERANK)
MODERATIONS = Operation(
    name="moderations",
    path="/moderations",
    kinds=frozenset({"moderation"}),
    read=_moderation,
    chat_names=False,
    prompt_estimate=_estimate,
    way=_moderations,
)
IMAGE_GENERATIONS = image_operation(name="images.generations", path="/images/generations", format=GENERATIONS)
IMAGE_EDITS = image_operation(name="images.edits", path="/images/edits", format=EDITS)
IMAGE_VARIATIONS = image_operation(name="images.variations", path="/images/variations", format=VARIATIONS)
SPEECH = speech_operation(name="audio.speech", path="/audio/speech", format=OPENAI_SPEECH)
