"""Embeddings in DashScope's own format: of texts, and of media, by two services."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.parts import Extra
from tokengate.core.usage import Usage
from tokengate.core.vectors import Embed, EmbedMedia, Vectors
from tokengate.core.wire import Heading, Losses
from tokengate.formats.dashscope.answers import request_id
from tokengate.formats.dashscope.content import NAME
from tokengate.formats.dashscope.models import embeds_media
from tokengate.formats.dashscope.parameters import MAX_TEXTS, Body, ContentsInput, EmbeddingParameters, TextsInput
from tokengate.formats.dashscope.refusal import must_be
from tokengate.formats.dashscope.replies import WireHead, error_message
from tokengate.formats.dashscope.requests import read_object, read_others, read_value
from tokengate.formats.dashscope.shapes import encode, is_list, is_null, is_object
from tokengate.formats.dashscope.usage import read_usage

TEXT_EMBEDDING_PATH: Final = "/services/embeddings/text-embedding/text-embedding"
MULTIMODAL_EMBEDDING_PATH: Final = "/services/embeddings/multimodal-embedding/multimodal-embedding"

_EMPTY = Raw(b"{}")
_KINDS: Final = ("text", "image", "video", "audio", "multi_images")
_CONTENTS_NAME: Final = "input.contents"
# What changes what a vector means; `text_type` only tunes it, and most vendors have nothing like it.
_ESSENTIAL: Final = frozenset({_CONTENTS_NAME, "parameters.instruct", "parameters.output_type"})


class DashScopeEmbeddings(Struct, frozen=True, kw_only=True):
    """Implements `core.vectors.EmbeddingFormat`. `multimodal` says to which service a client speaks; a vendor is asked
    at the one that serves the model."""

    multimodal: bool | None = None

    @property
    def name(self) -> str:
        return NAME

    def path(self, model: str) -> str:
        return MULTIMODAL_EMBEDDING_PATH if self._is_multimodal(model) else TEXT_EMBEDDING_PATH

    def read(self, body: bytes) -> Embed:
        """Read a client's request. Raises BadRequest."""
        wire, members = read_object(body, _decode_body)
        extra = read_others(members, _BODY)
        media = EmbedMedia()
        if self.multimodal:
            contents, others = read_object(wire.input, _decode_contents, "input")
            inputs, media = _read_contents(contents.contents)
            extra |= read_others(others, _CONTENTS, "input.")
            if media.size_bytes:
                extra[_CONTENTS_NAME] = Raw(encode(contents.contents))
        else:
            texts, others = read_object(wire.input, _decode_texts, "input")
            inputs = _read_texts(texts.texts)
            extra |= read_others(others, _TEXTS, "input.")
        raw = _EMPTY if is_null(wire.parameters) else wire.parameters
        given, parameters = read_object(raw, _decode_parameters, "parameters")
        extra |= read_others(parameters, frozenset({"dimension"}), "parameters.")
        essential = _ESSENTIAL - {"parameters.output_type"} if given.output_type == "dense" else _ESSENTIAL
        return Embed(
            format=NAME,
            model=wire.model,
            inputs=inputs,
            dimensions=given.dimension,
            extra=extra,
            essential=essential,
            media=media,
        )

    def forwards(self, question: Embed) -> bool:
        return True

    def write(self, question: Embed, losses: Losses) -> bytes:
        """Return the body of a request. Raises Unsupported."""
        extra: Extra = {}
        if question.format == NAME:
            extra = question.extra
        else:
            losses.foreign(question)
        asked: dict[str, Any] = {}
        if not self._is_multimodal(question.model):
            asked = {"texts": question.inputs}
        elif _CONTENTS_NAME not in extra:
            asked = {"contents": [{"text": text} for text in question.inputs]}
        return write_body(question.model, asked, {"dimension": question.dimensions}, extra)

    def read_reply(self, body: bytes, question: Embed) -> Vectors:
        """Read a reply. Raises UpstreamFailed when it is not one, also for an error that came with status 200.

        Callers of this format get it as it came; for others each text must have a dense vector.
        """
        try:
            head = _decode_head(body)
            if head.code or is_null(head.output):
                raise UpstreamFailed(error_message(head.message), kind="invalid")
            output = _decode_output(head.output)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's reply cannot be read.", kind="invalid") from error
        found = output.embeddings
        if found is None:  # the first of its models gives one vector for all entries
            found = [] if output.embedding is None else [_Embedding(embedding=output.embedding)]
        if not found:
            raise UpstreamFailed("The upstream's reply has no embeddings.", kind="empty")
        found.sort(key=lambda one: one.index if one.text_index is None else one.text_index)
        vectors = tuple(tuple(one.embedding) for one in found if one.embedding)
        if question.format != NAME and len(vectors) != len(question.inputs):
            raise UpstreamFailed("The upstream's embeddings are not those of the texts.", kind="invalid")
        return Vectors(vectors=vectors, usage=None if is_null(head.usage) else read_usage(bytes(head.usage)))

    def write_reply(self, answer: Vectors, heading: Heading, question: Embed) -> bytes:
        """Return the reply to `question`; the two services name a vector's place differently."""
        embeddings: list[dict[str, Any]] = [
            {"index": place, "embedding": vector, "type": "text"}
            if self.multimodal
            else {"text_index": place, "embedding": vector}
            for place, vector in enumerate(answer.vectors)
        ]
        usage = answer.usage.usage if answer.usage else Usage()
        told: dict[str, Any] = {"total_tokens": usage.input_total}
        if self.multimodal:
            told = {"input_tokens": usage.input_total, **told}
        return encode({"output": {"embeddings": embeddings}, "usage": told, "request_id": request_id(heading)})

    def _is_multimodal(self, model: str) -> bool:
        return embeds_media(model) if self.multimodal is None else self.multimodal


DASHSCOPE_EMBEDDINGS: Final = DashScopeEmbeddings()


def write_body(model: str, asked: dict[str, Any], parameters: dict[str, Any], extra: Extra) -> bytes:
    """Return a request of any service: what is None is left out, and what has no word goes back where it was."""
    body: dict[str, Any] = {
        "model": model,
        "input": asked,
        "parameters": {name: value for name, value in parameters.items() if value is not None},
    }
    for name, raw in extra.items():
        where, dot, member = name.partition(".")
        (body[where] if dot and where in ("input", "parameters") else body).setdefault(member if dot else name, raw)
    return encode(body)


class _Embedding(Struct):
    embedding: list[float] | None = None
    text_index: int | None = None
    index: int = 0


class _Output(Struct):
    embeddings: list[_Embedding] | None = None
    embedding: list[float] | None = None


_BODY = frozenset(Body.__struct_fields__)
_TEXTS = frozenset(TextsInput.__struct_fields__)
_CONTENTS = frozenset(ContentsInput.__struct_fields__)

_decode_body = msgspec.json.Decoder(Body).decode
_decode_texts = msgspec.json.Decoder(TextsInput).decode
_decode_contents = msgspec.json.Decoder(ContentsInput).decode
_decode_parameters = msgspec.json.Decoder(EmbeddingParameters).decode
_decode_head = msgspec.json.Decoder(WireHead).decode
_decode_output = msgspec.json.Decoder(_Output).decode


def _read_texts(texts: list[str]) -> tuple[str, ...]:
    if not 1 <= len(texts) <= MAX_TEXTS:
        raise must_be("input.texts")
    for index, text in enumerate(texts):
        if not text:
            raise must_be(f"input.texts[{index}]")
    return tuple(texts)


def _read_contents(contents: Iterable[Raw]) -> tuple[tuple[str, ...], EmbedMedia]:
    """Return the texts, with empty ones for what is none, and what else there is."""
    texts: list[str] = []
    counts: dict[str, int] = dict.fromkeys(_KINDS, 0)
    size_bytes = 0
    for index, raw in enumerate(contents):
        value = read_value(raw, f"input.contents[{index}]")
        kind = next((kind for kind in _KINDS if kind in value), None) if is_object(value) else None
        if kind is None or (kind == "text" and (type(value["text"]) is not str or not value["text"])):
            raise must_be(f"input.contents[{index}]")
        if value.keys() == {"text"}:
            texts.append(value["text"])
            continue
        texts.append("")
        counts[kind] += len(value[kind]) if is_list(value[kind]) else 1
        size_bytes += len(raw)
    if not 1 <= len(texts) <= MAX_TEXTS:
        raise must_be("input.contents")
    images = counts["image"] + counts["multi_images"]
    return tuple(texts), EmbedMedia(images, counts["video"], counts["audio"], size_bytes)
