"""DashScope's services as the pipeline sees them: text and multimodal generation, embeddings and rerank.

Which service a request is for is in its path, and whether a chat asks for a stream in its headers.
"""

from collections.abc import Mapping
from functools import partial

import msgspec
from msgspec import Raw, Struct

from tokengate.core.images import Task
from tokengate.formats.dashscope.embeddings import (
    MULTIMODAL_EMBEDDING_PATH,
    TEXT_EMBEDDING_PATH,
    DashScopeEmbeddings,
)
from tokengate.formats.dashscope.format import DASHSCOPE
from tokengate.formats.dashscope.forwarding import is_foreign, put_id
from tokengate.formats.dashscope.images import EDIT, GENERATION
from tokengate.formats.dashscope.models import MULTIMODAL_PATH, TEXT_PATH, is_multimodal
from tokengate.formats.dashscope.requests import read_chat
from tokengate.formats.dashscope.rerank import DASHSCOPE_RERANK, RERANK_PATH
from tokengate.formats.dashscope.speech import DashScopeSpeech
from tokengate.gateway.chats import chat_operation
from tokengate.gateway.embedding import embedding_operation
from tokengate.gateway.hearing import hearing_operation
from tokengate.gateway.images import image_operation
from tokengate.gateway.operation import Operation
from tokengate.gateway.rerank import rerank_operation
from tokengate.gateway.speech import speech_operation


def generation(*, multimodal: bool, stream: bool) -> Operation:
    """Return the operation of a service, whole or streamed."""
    return _OPERATIONS[multimodal, stream]


def drawing(task: Task) -> Operation:
    """Return the operation of multimodal generation with a model that makes pictures."""
    return _DRAWING[task]


def speaking(*, stream: bool) -> Operation:
    """Return the operation of multimodal generation with a model that speaks."""
    return _SPEAKING[stream]


def hearing(*, stream: bool) -> Operation:
    """Return the operation of multimodal generation with a model that hears."""
    return _HEARING[stream]


def is_for_multimodal(body: bytes) -> bool:
    """Say which service a body is for that came without a service's path: content in lists, or a model that sees."""
    try:
        asked = _decode(body)
    except (ValueError, RecursionError):
        return False  # to be refused by name when it is read
    messages = asked.input.messages or ()
    return is_multimodal(asked.model) or any(bytes(message.content).startswith(b"[") for message in messages)


class _Message(Struct):
    content: Raw = Raw(b"null")


class _Input(Struct):
    messages: list[_Message] | None = None


class _Body(Struct):
    model: str
    input: _Input


_decode = msgspec.json.Decoder(_Body).decode


def _operation(*, multimodal: bool, stream: bool) -> Operation:
    return chat_operation(
        name="multimodal-generation" if multimodal else "text-generation",
        path=MULTIMODAL_PATH if multimodal else TEXT_PATH,
        format=DASHSCOPE,
        read_chat=partial(read_chat, stream=stream, parts=multimodal),
        forwarding=DASHSCOPE,
        is_foreign=is_foreign,
        put_id=put_id,
    )


_OPERATIONS = {
    (multimodal, stream): _operation(multimodal=multimodal, stream=stream)
    for multimodal in (False, True)
    for stream in (False, True)
}

TEXT_EMBEDDING = embedding_operation(
    name="text-embedding", path=TEXT_EMBEDDING_PATH, format=DashScopeEmbeddings(multimodal=False), put_id=put_id
)
MULTIMODAL_EMBEDDING = embedding_operation(
    name="multimodal-embedding",
    path=MULTIMODAL_EMBEDDING_PATH,
    format=DashScopeEmbeddings(multimodal=True),
    put_id=put_id,
)
TEXT_RERANK = rerank_operation(name="text-rerank", path=RERANK_PATH, format=DASHSCOPE_RERANK, put_id=put_id)
_SPEAKING = {
    stream: speech_operation(
        name="multimodal-generation", path=MULTIMODAL_PATH, format=DashScopeSpeech(stream=stream), put_id=put_id
    )
    for stream in (False, True)
}
_HEARING = {stream: hearing_operation(stream=stream) for stream in (False, True)}
_DRAWING: Mapping[Task, Operation] = {
    format.task: image_operation(name="multimodal-generation", path=MULTIMODAL_PATH, format=format)
    for format in (GENERATION, EDIT)
}
