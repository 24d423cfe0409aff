"""Forms that ask for a transcription, as the JSON that says the same, with the facts of the file in place of the file.

What is read, digested and billed is that JSON; a form's boundary is another one each time, and a file is large.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from tokengate.core.errors import BadRequest
from tokengate.core.transcription import Recording, Task, Transcribe
from tokengate.formats.openai.parameters import MAX_MODEL_CHARACTERS
from tokengate.formats.openai.refusal import missing, must_be, refusal_of

NAME: Final = "openai"
_LISTS: Final = frozenset({"timestamp_granularities", "include"})
_MAX_LANGUAGE: Final = 35  # characters of the longest tag that RFC 5646 registers
_MAX_PROMPT: Final = 16_384  # characters; models read the last 224 tokens of it, or a few thousand

_MUST_BE: Final[Mapping[str, str]] = {
    "model": f"a string of 1 to {MAX_MODEL_CHARACTERS} characters",
    "language": "the code of a language, such as en",
    "prompt": f"a text of at most {_MAX_PROMPT} characters",
    "response_format": "one of json, text, srt, verbose_json, vtt, diarized_json",
    "temperature": "a number from 0 to 1",
    "timestamp_granularities[]": "word or segment",
    "include[]": "logprobs",
    "stream": "true or false",
}

_encode = msgspec.json.Encoder().encode


class FileFacts(Struct, frozen=True):
    """What is known of a file without its bytes."""

    name: str
    sha256: str
    size_bytes: int
    container: str
    duration_ms: int | None


class TranscriptionBody(Struct, frozen=True):
    """`POST /v1/audio/transcriptions` and `/v1/audio/translations`, after
    https://platform.openai.com/docs/api-reference/audio/createTranscription, 2026-11. `extra` are fields of no name
    here."""

    model: Annotated[str, Meta(min_length=1, max_length=MAX_MODEL_CHARACTERS)]
    file: FileFacts
    language: Annotated[str, Meta(max_length=_MAX_LANGUAGE)] | None = None
    prompt: Annotated[str, Meta(max_length=_MAX_PROMPT)] | None = None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"] = "json"
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    timestamp_granularities: list[Literal["word", "segment"]] = []
    include: list[Literal["logprobs"]] = []
    stream: bool = False
    extra: dict[str, list[str]] = {}


_NAMES: Final = frozenset(TranscriptionBody.__struct_fields__) - {"extra", "file"}
_decode = msgspec.json.Decoder(TranscriptionBody, strict=False).decode  # a form's values are all texts


def json_of_recording(fields: Iterable[tuple[str, str]], recording: Recording) -> bytes:
    """Return the JSON body of a form's fields and its file. Raises BadRequest."""
    body: dict[str, Any] = {}
    extra: dict[str, list[str]] = {}
    for given, value in fields:
        name = given.removesuffix("[]")
        if name in _LISTS:
            body.setdefault(name, []).append(value)
        elif name not in _NAMES:
            extra.setdefault(given, []).append(value)
        elif name in body:
            raise BadRequest(f"'{name}' appears more than once in the form.", param=name)
        elif value or name == "model":  # a form sends what was left empty too
            body[name] = value
    if "model" not in body:
        raise missing("model")
    file = recording.file
    body["file"] = FileFacts(file.name, file.sha256, file.size_bytes, recording.container, recording.duration_ms)
    return _encode({**body, "extra": extra} if extra else body)


def read_transcription(body: bytes, task: Task) -> TranscriptionBody:
    """Read what `json_of_recording` returned. Raises BadRequest."""
    try:
        asked = _decode(body)
    except (ValueError, RecursionError) as error:
        refusal = refusal_of(error, words=_MUST_BE)
        if (listed := _listed(refusal.param or "")) is not None:
            raise must_be(listed, _MUST_BE[listed]) from None  # a form has no places in a list
        raise refusal from None
    if asked.timestamp_granularities and asked.response_format != "verbose_json":
        raise BadRequest(
            "'timestamp_granularities[]' needs a 'response_format' of verbose_json.", param="timestamp_granularities[]"
        )
    if asked.include and asked.response_format != "json":
        raise BadRequest("'include[]' with logprobs needs a 'response_format' of json.", param="include[]")
    if task == "translate" and asked.include:
        raise BadRequest("A translation has no logprobs.", param="include[]")
    if task == "translate" and asked.response_format == "diarized_json":
        raise must_be("response_format", "one of json, text, srt, verbose_json, vtt")
    if asked.stream and asked.response_format not in ("json", "text", "diarized_json"):
        raise BadRequest(
            f"'response_format' cannot be {asked.response_format} in a stream, which has events of its own.",
            param="response_format",
        )
    return asked


def _listed(param: str) -> str | None:
    name = f"{param.partition('[')[0]}[]"
    return name if name in _MUST_BE else None


def transcribe_of(asked: TranscriptionBody, task: Task, recording: Recording) -> Transcribe:
    """Return the request in the vocabulary."""
    return Transcribe(
        format=NAME,
        model=asked.model,
        task=task,
        recording=recording,
        language=asked.language,
        prompt=asked.prompt,
        shape=asked.response_format,
        temperature=asked.temperature,
        granularities=frozenset(asked.timestamp_granularities),
        stream=asked.stream,
        logprobs=bool(asked.include),
        extra={name: tuple(values) for name, values in asked.extra.items()},
    )
