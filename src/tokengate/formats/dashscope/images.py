"""Pictures in DashScope's own format: multimodal generation, at once by qwen-image, qwen-image-edit and wan2.6.

https://help.aliyun.com/zh/model-studio/qwen-image-api and qwen-image-edit-api, 2026-11. Pictures come at addresses that
are gone after a day; an edit's pictures stand before its text in one message.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.images import Draw, Drawing, Picture, Size, Task, read_size
from tokengate.core.parts import FileId, Image, Source, Text
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Heading, Losses
from tokengate.formats.dashscope.answers import request_id
from tokengate.formats.dashscope.content import NAME, read_part, write_source
from tokengate.formats.dashscope.embeddings import write_body
from tokengate.formats.dashscope.models import MULTIMODAL_PATH, default_pictures, draws_only_slowly
from tokengate.formats.dashscope.parameters import MAX_SEED, Body
from tokengate.formats.dashscope.refusal import missing, must_be, require_within
from tokengate.formats.dashscope.replies import WireHead, error_message
from tokengate.formats.dashscope.requests import read_object, read_others
from tokengate.formats.dashscope.shapes import encode, is_null
from tokengate.formats.dashscope.usage import read_usage

MAX_PICTURES: Final = 6  # in a reply
MAX_PICTURES_IN: Final = 16

_EMPTY: Final = Raw(b"{}")
# The vocabulary's words that it does not know and that change little, under OpenAI's names.
_DROPPED: Final = {
    "quality": "quality",
    "compression": "output_compression",
    "moderation": "moderation",
    "fidelity": "input_fidelity",
    "style": "style",
    "partial_images": "partial_images",
    "user": "user",
}


class DashScopeImages(Struct, frozen=True, kw_only=True):
    """Implements `core.images.ImageFormat`. `base` is before the service's path, where the vendor's address is that of
    its compatible mode."""

    task: Task
    base: str = ""
    inlines: bool = False
    only_addresses: bool = True

    @property
    def name(self) -> str:
        return NAME

    def path(self, model: str) -> str:
        return self.base + MULTIMODAL_PATH

    def read(self, body: bytes) -> Draw:
        """Read a client's request. Raises BadRequest."""
        wire, members = read_object(body, _decode_body)
        asked, input_members = read_object(wire.input, _decode_input, "input")
        raw = _EMPTY if is_null(wire.parameters) else wire.parameters
        given, parameters = read_object(raw, _decode_parameters, "parameters")
        pictures, texts = read_message(asked)
        require_within("parameters.n", given.n, 1, MAX_PICTURES)
        require_within("parameters.seed", given.seed, 0, MAX_SEED)
        size = None if given.size is None else read_size(given.size)
        if given.size is not None and size is None:
            raise must_be("parameters.size", "such as 1328*1328")
        return Draw(
            format=NAME,
            model=wire.model,
            task=self.task,
            prompt="\n".join(texts),
            pictures=tuple(pictures),
            n=given.n or default_pictures(wire.model),
            size=size,
            negative_prompt=given.negative_prompt,
            seed=given.seed,
            delivery="url",
            extra={
                **read_others(members, _BODY),
                **read_others(input_members, _INPUT, "input."),
                **read_others(parameters, _PARAMETERS, "parameters."),
            },
        )

    def only_as_job(self, model: str) -> bool:
        return draws_only_slowly(model)

    def streams(self, question: Draw) -> bool:
        return False

    def forwards(self, question: Draw) -> bool:
        return True

    def write(self, question: Draw, losses: Losses) -> bytes:
        """Return the body of a request. Raises Unsupported."""
        if draws_only_slowly(question.model):
            raise losses.refuse("model", f"draws only as a task at {losses.target}: ask at /api/v1/services/aigc")
        refuse_words(question, losses)
        for name in question.extra:
            if name not in _ITS_OWN:
                losses.drop(name)
        own = {f"parameters.{name}": raw for name, raw in question.extra.items() if name in _ITS_OWN}
        return write_body(question.model, messages_of(question), parameters_of(question), own)

    def read_reply(self, body: bytes, question: Draw) -> Drawing:
        """Read a reply. Raises UpstreamFailed when it is not one, also for an error that came with status 200."""
        try:
            head = _decode_head(body)
            if head.code or is_null(head.output):
                raise UpstreamFailed(error_message(head.message), kind="invalid")
            output = _decode_output(head.output)
            counted = _decode_counted(head.usage) if not is_null(head.usage) else _Counted()
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's pictures cannot be read.", kind="invalid") from error
        pictures = tuple(
            Picture(url=part.image)
            for choice in output.choices
            for part in (choice.message.content if choice.message else ())
            if part.image
        )
        if not pictures:
            raise UpstreamFailed("The upstream's reply has no pictures.", kind="empty")
        size = str(Size(counted.width, counted.height)) if counted.width and counted.height else None
        reported = read_usage(bytes(head.usage))
        usage = msgspec.structs.replace(reported.usage if reported else Usage(), image=len(pictures))
        raw = b"" if is_null(head.usage) else bytes(head.usage)
        return Drawing(pictures=pictures, size=size, usage=ReportedUsage(usage, raw, size=size))

    def write_reply(self, answer: Drawing, heading: Heading, question: Draw) -> bytes:
        """Return the reply to `question`: one choice for each picture."""
        choices = [
            {"finish_reason": "stop", "message": {"role": "assistant", "content": [{"image": one.url}]}}
            for one in answer.pictures
        ]
        usage: dict[str, Any] = {"image_count": len(answer.pictures)}
        size = read_size(answer.size or "") or question.size
        if size is not None:
            usage |= {"width": size.width, "height": size.height}
        return encode({"output": {"choices": choices}, "usage": usage, "request_id": request_id(heading)})

    def write_stream(self, answer: Drawing, heading: Heading, question: Draw) -> bytes:
        raise AssertionError("pictures are not streamed in this format")


GENERATION: Final = DashScopeImages(task="generation")
EDIT: Final = DashScopeImages(task="edit")


def refuse_words(question: Draw, losses: Losses) -> None:
    """Drop the vocabulary's words that change little. Raises Unsupported for one that changes the picture."""
    if question.mask is not None:
        raise losses.refuse("mask")
    if question.background == "transparent":
        raise losses.refuse("background")
    if question.output_format not in (None, "png"):
        raise losses.refuse("output_format", f"must be png at {losses.target}")
    for word, name in _DROPPED.items():
        if getattr(question, word) is not None:
            losses.drop(name)


def messages_of(question: Draw) -> dict[str, Any]:
    """Return the input: one message, with the pictures before the text."""
    content: list[dict[str, Any]] = [{"image": write_source(source)} for source in question.pictures]
    content.append({"text": question.prompt})
    return {"messages": [{"role": "user", "content": content}]}


def parameters_of(question: Draw) -> dict[str, Any]:
    """Return the parameters that have a word. How many pictures is always said: some models make four otherwise."""
    return {
        "n": question.n,
        "size": f"{question.size.width}*{question.size.height}" if question.size else None,
        "negative_prompt": question.negative_prompt,
        "seed": question.seed,
    }


def task_of(body: bytes) -> Task:
    """Say what a client's request is for: with a picture it is an edit. What cannot be read is for `read` to refuse."""
    try:
        messages = _decode_peek(body).input.messages
    except (ValueError, RecursionError):
        return "generation"
    return "edit" if any(b'"image"' in bytes(one.content) for one in messages) else "generation"


def model_of(body: bytes) -> str:
    """Return the model that a client's request names; empty for what `read` will refuse."""
    try:
        return _decode_peek(body).model
    except (ValueError, RecursionError):
        return ""


class _Message(Struct):
    role: str = "user"
    content: list[Raw] = []


class Asked(Struct):
    messages: list[_Message] | None = None


class _Parameters(Struct):
    n: int | None = None
    size: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None


class _PeekMessage(Struct):
    content: Raw = Raw(b"null")


class _PeekInput(Struct):
    messages: list[_PeekMessage] = []


class _Peek(Struct):
    model: str
    input: _PeekInput


class _Part(Struct):
    image: str | None = None


class _Said(Struct):
    content: list[_Part] = []


class _Choice(Struct):
    message: _Said | None = None


class _Output(Struct):
    choices: list[_Choice] = []


class _Counted(Struct):
    width: int | None = None
    height: int | None = None


_BODY: Final = frozenset(Body.__struct_fields__)
_INPUT: Final = frozenset(Asked.__struct_fields__)
_PARAMETERS: Final = frozenset(_Parameters.__struct_fields__)
_ITS_OWN: Final = frozenset({"prompt_extend", "watermark"})  # parameters that clients of OpenAI's format may send, too

_decode_body = msgspec.json.Decoder(Body).decode
_decode_input = msgspec.json.Decoder(Asked).decode
_decode_parameters = msgspec.json.Decoder(_Parameters).decode
_decode_head = msgspec.json.Decoder(WireHead).decode
_decode_output = msgspec.json.Decoder(_Output).decode
_decode_counted = msgspec.json.Decoder(_Counted).decode
_decode_peek = msgspec.json.Decoder(_Peek).decode


def read_message(asked: Asked) -> tuple[list[Source], list[str]]:
    """Return the pictures and the texts of the one message that such a request has."""
    if asked.messages is None:
        raise missing("input.messages")
    if len(asked.messages) != 1 or asked.messages[0].role != "user":
        raise must_be("input.messages", "one message of the user")
    pictures: list[Source] = []
    texts: list[str] = []
    for at, raw in enumerate(asked.messages[0].content):
        param = f"input.messages[0].content[{at}]"
        refusal = must_be(param, 'an entry such as {"text": "..."} or {"image": "..."}')
        try:
            part = read_part(raw, lambda refusal=refusal: refusal)
        except (msgspec.ValidationError, msgspec.DecodeError):
            raise refusal from None
        match part:
            case Text():
                texts.append(part.text)
            case Image(source=source) if not isinstance(source, FileId):
                pictures.append(source)
            case _:
                raise refusal
    if len(pictures) > MAX_PICTURES_IN:
        raise BadRequest(f"A request may have at most {MAX_PICTURES_IN} pictures.", param="input.messages")
    if not any(texts):
        raise missing("input.messages[0].content[0].text")
    return pictures, texts
