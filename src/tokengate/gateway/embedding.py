"""Embeddings as the pipeline sees them, in any format but OpenAI's."""

from tokengate.catalog.tokens import estimate_tokens, prompt_bound, sound_bound
from tokengate.core.splice import read_members
from tokengate.core.vectors import EmbeddingFormat
from tokengate.gateway.operation import Asked, Operation, PutId
from tokengate.gateway.service import served


def embedding_operation(*, name: str, path: str, format: EmbeddingFormat, put_id: PutId | None = None) -> Operation:
    """Return the operation of a format. `path` is what messages call it."""

    def read(body: bytes) -> Asked:
        asked = format.read(body)
        members = read_members(body)
        media = asked.media
        return Asked(
            members=members,
            model=asked.model,
            prompts=len(asked.inputs),
            prompt_bound=prompt_bound(
                len(body),
                messages=len(asked.inputs),
                films=media.films,
                media_size_bytes=media.size_bytes,
                media_tokens=media.sounds * sound_bound(None),
            ),
            pictures=media.images,
        )

    return Operation(
        name=name,
        path=path,
        kinds=frozenset({"embedding"}),
        read=read,
        chat_names=False,
        prompt_estimate=lambda body: sum(map(estimate_tokens, format.read(body).inputs)),
        speaks=format.name,
        put_id=put_id,
        way=served(format, lambda vendor: vendor.embedding),
    )
