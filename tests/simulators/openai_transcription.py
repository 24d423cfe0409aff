"""Recordings written down, simulated: a word for each begun half second, two words a segment.

`read_hearing` and `hear` are OpenAI's `/audio/transcriptions` and `/audio/translations`; `VllmSimulator` is a vLLM
server with Whisper. What the prompt says is what happens:

    ERROR 429   that status
    SILENT      nothing is said in the recording
    BREAK       a stream fails after its first words
    HALF        a stream is cut
    NOTIMES     segments are left out
"""

import io
import json
import math
import re
import wave
from collections.abc import Iterator
from typing import Any

from multipart import MultipartError, MultipartParser

from tests.simulators.openai_rules import Json, Rejected
from tests.simulators.openai_upstream import DONE, Call, Reply

KEY = "sk-hearing-simulated"
WHISPER = "openai/whisper-large-v3"
TRANSCRIBERS = (
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize",
    "gpt-transcribe",
)
SPOKEN = ("Hello", "there,", "general.", "You", "are", "a", "bold", "one.")
TRANSLATED = ("Good", "day,", "general.", "You", "are", "so", "very", "bold.")
LANGUAGES = {"en": "english", "zh": "chinese", "de": "german"}

_MOST_BYTES = 25 * 1024 * 1024
_ENDINGS = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
_MAGIC = {
    "wav": b"RIFF",
    "flac": b"fLaC",
    "ogg": b"OggS",
    "oga": b"OggS",
    "webm": b"\x1aE\xdf\xa3",
    "m4a": b"ftyp",
    "mp4": b"ftyp",
}
_SINGLE = {"model", "language", "prompt", "response_format", "temperature", "stream", "chunking_strategy"}
_LISTS = {
    "timestamp_granularities[]",
    "include[]",
    "languages[]",
    "keywords[]",
    "known_speaker_names[]",
    "known_speaker_references[]",
}
_TRANSLATION = {"model", "prompt", "response_format", "temperature"}
_SHAPES = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
_OTHER_DURATION_S = 1.5  # of files that are no WAV: those of tests/fixtures/sound
_ERROR = re.compile(r"ERROR (\d{3})")
_VLLM = {
    "model",
    "language",
    "prompt",
    "hotwords",
    "response_format",
    "timestamp_granularities[]",
    "stream",
    "stream_include_usage",
    "temperature",
    "top_p",
    "seed",
    "repetition_penalty",
    "vad_config.enabled",
}


def read_form(call: Call) -> tuple[Json, str, bytes]:
    """Return a form's fields (lists have names with brackets), its file's name, and its file. Raises Rejected."""
    kind = call.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data") or "boundary=" not in kind:
        raise Rejected("Invalid Content-Type: expected multipart/form-data.")
    fields: Json = {}
    name, data = "", b""
    boundary = kind.partition("boundary=")[2].strip('"')
    # A form stays in memory, however large its file is: one on the disk would have to be closed.
    whole = len(call.body)
    try:
        parts: list[Any] = list(
            MultipartParser(io.BytesIO(call.body), boundary, strict=True, spool_limit=whole, memory_limit=whole)
        )
    except MultipartError as error:
        raise Rejected(f"Could not parse multipart form: {error}") from None
    for part in parts:
        if part.filename is not None:
            if part.name != "file" or data:
                raise Rejected(f"Unexpected file '{part.name}'.", part.name)
            name, data = part.filename, part.raw
        elif part.name.endswith("[]"):
            fields.setdefault(part.name, []).append(part.value)
        elif part.name in fields:
            raise Rejected(f"Duplicate field '{part.name}'.", part.name)
        else:
            fields[part.name] = part.value
    if not data:
        raise Rejected("Missing required parameter: 'file'.", "file", "missing_required_parameter")
    return fields, name, data


def read_hearing(call: Call, path: str) -> Json:
    """Return the fields of a request to OpenAI, with `file`, `seconds` and `task`. Raises Rejected."""
    fields, name, data = read_form(call)
    task = "translate" if path.endswith("translations") else "transcribe"
    known = _TRANSLATION if task == "translate" else _SINGLE | _LISTS
    if unknown := fields.keys() - known:
        raise Rejected(f"Unknown parameter: '{sorted(unknown)[0]}'.", sorted(unknown)[0], "unknown_parameter")
    if len(data) > _MOST_BYTES:
        raise Rejected(f"Maximum content size limit ({_MOST_BYTES}) exceeded ({len(data)} bytes read)", "file")
    ending = name.rpartition(".")[2].lower()
    if ending not in _ENDINGS or _MAGIC.get(ending, b"") not in data[:16]:
        raise Rejected(f"Invalid file format. Supported formats: {list(_ENDINGS)}", "file")
    model = fields.get("model", "")
    if model not in TRANSCRIBERS or (task == "translate" and model != "whisper-1"):
        raise Rejected(f"Invalid model {model}.", "model")
    _check_shape(fields, model)
    temperature = float(fields.get("temperature", "0"))
    if not 0 <= temperature <= 1:
        raise Rejected("'temperature' must be between 0 and 1.", "temperature")
    return {**fields, "task": task, "file": name, "seconds": duration_s(data)}


def _check_shape(fields: Json, model: str) -> None:
    shape = fields.get("response_format", "json")
    whisper = model.startswith("whisper")
    possible = ("json", "text", "diarized_json") if "diarize" in model else ("json", "text")
    if shape not in _SHAPES or shape not in (_SHAPES[:-1] if whisper else possible):
        words = f"response_format '{shape}' is not compatible with model '{model}'. Use 'json' or 'text' instead."
        raise Rejected(words, "response_format", "unsupported_value")
    times = fields.get("timestamp_granularities[]", [])
    if times and (shape != "verbose_json" or set(times) - {"word", "segment"}):
        raise Rejected("'timestamp_granularities' requires 'verbose_json'.", "timestamp_granularities")
    if fields.get("include[]") and (whisper or "diarize" in model or shape != "json"):
        raise Rejected(f"'include' is not supported with '{model}'.", "include")
    if fields.get("stream") not in (None, "true", "false"):
        raise Rejected("'stream' must be a boolean.", "stream")


def hear(asked: Json) -> Reply:
    """Return OpenAI's reply to what `read_hearing` returned."""
    prompt = asked.get("prompt", "")
    if found := _ERROR.search(prompt):
        return _error(int(found[1]), f"The simulated vendor answers {found[1]}.", None)
    model, shape = asked["model"], asked.get("response_format", "json")
    usage = openai_usage(asked)
    if asked.get("stream") == "true" and not model.startswith("whisper"):
        return _stream(asked, [_event(event) for event in _events(asked, usage)])
    text = " ".join(words_of(asked))
    match shape:
        case "verbose_json":
            told: Json = {**_verbose(asked), "usage": usage}
        case "diarized_json":
            segments = [_diarized(index, one) for index, one in enumerate(_segments(asked))]
            told = {"task": "transcribe", "duration": asked["seconds"], "text": text, "segments": segments}
            told["usage"] = usage
        case "json":
            told = {"text": text, "usage": usage}
            if asked.get("include[]"):
                told["logprobs"] = [{"token": word, "bytes": list(word.encode()), "logprob": -0.1} for word in text]
        case _:
            return Reply(200, {"content-type": "text/plain; charset=utf-8"}, f"{text}\n".encode())
    return Reply(200, {"content-type": "application/json"}, json.dumps(told).encode())


class VllmSimulator:
    """A script for an `Upstream`. It remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Json] = []

    def __call__(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {KEY}":
            return _vllm_error(401, "Unauthorized", None)
        path = call.path.removeprefix("/v1")
        if call.method != "POST" or path not in ("/audio/transcriptions", "/audio/translations"):
            return Reply(404, {"content-type": "application/json"}, b'{"detail":"Not Found"}')
        try:
            fields, name, data = read_form(call)
        except Rejected as refusal:
            return _vllm_error(422, str(refusal), refusal.param)
        shape = fields.get("response_format", "json")
        streamed = fields.get("stream") == "true"
        if fields.keys() - _VLLM or fields.get("model") != WHISPER or fields.get("language", "en") not in LANGUAGES:
            return _vllm_error(400, f"The simulated server has no such model, language or field: {fields}", None)
        if shape not in ("json", "text", "verbose_json"):
            return _vllm_error(400, "Currently only support response_format: `text`, `json` or `verbose_json`", None)
        if "word" in fields.get("timestamp_granularities[]", []) or (streamed and shape == "verbose_json"):
            return _vllm_error(400, "Currently do not support word timestamps, or verbose_json in a stream.", None)
        task = "translate" if path.endswith("translations") else "transcribe"
        asked: Json = {**fields, "task": task, "file": name, "seconds": duration_s(data)}
        self.asked.append(asked)
        if found := _ERROR.search(asked.get("prompt", "")):
            return _vllm_error(int(found[1]), f"The simulated server answers {found[1]}.", None)
        if streamed:
            return _stream(asked, [*map(_event, _chunks(asked)), DONE])
        if shape == "verbose_json":
            told: Json = {**_verbose(asked), "duration": str(asked["seconds"])}
        else:
            usage: Json = {"type": "duration", "seconds": math.ceil(duration_s(data))}
            told = {"text": " ".join(words_of(asked)), "usage": usage}
        return Reply(200, {"content-type": "application/json"}, json.dumps(told).encode())


def tone(duration_s: float) -> bytes:
    """Return a WAV file of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8_000)
        out.writeframes(bytes(2 * round(8_000 * duration_s)))
    return file.getvalue()


def duration_s(data: bytes) -> float:
    """Return how long a file is."""
    if not data.startswith(b"RIFF"):
        return _OTHER_DURATION_S
    with wave.open(io.BytesIO(data)) as file:
        return file.getnframes() / file.getframerate()


def words_of(asked: Json) -> list[str]:
    """Return what is said."""
    if "SILENT" in asked.get("prompt", ""):
        return []
    words = TRANSLATED if asked["task"] == "translate" else SPOKEN
    return [words[at % len(words)] for at in range(math.ceil(asked["seconds"] * 2))]


def openai_usage(asked: Json) -> Json:
    """Return what OpenAI counts: seconds for Whisper, tokens for the others."""
    if asked["model"].startswith("whisper"):
        return {"type": "duration", "seconds": math.ceil(asked["seconds"])}
    heard, said = math.ceil(asked["seconds"] * 10), len(words_of(asked)) + 2
    texts = len(asked.get("prompt", "").split())
    return {
        "type": "tokens",
        "input_tokens": heard + texts,
        "input_token_details": {"text_tokens": texts, "audio_tokens": heard},
        "output_tokens": said,
        "total_tokens": heard + texts + said,
    }


def _segments(asked: Json) -> list[Json]:
    words = words_of(asked)
    return [
        {
            "id": at // 2,
            "seek": 0,
            "start": at / 2,
            "end": min(at / 2 + 1.0, asked["seconds"]),
            "text": " " + " ".join(words[at : at + 2]),
            "tokens": [50364, 2425 + at],
            "temperature": 0.0,
            "avg_logprob": -0.25,
            "compression_ratio": 0.8,
            "no_speech_prob": 0.01,
        }
        for at in range(0, len(words), 2)
    ]


def _verbose(asked: Json) -> Json:
    times = asked.get("timestamp_granularities[]", ["segment"])
    words = words_of(asked)
    told: Json = {
        "task": asked["task"],
        "language": "english" if asked["task"] == "translate" else LANGUAGES[asked.get("language", "en")],
        "duration": asked["seconds"],
        "text": " ".join(words),
    }
    if "segment" in times and "NOTIMES" not in asked.get("prompt", ""):
        told["segments"] = _segments(asked)
    if "word" in times:
        told["words"] = [{"word": word, "start": at / 2, "end": at / 2 + 0.5} for at, word in enumerate(words)]
    return told


def _diarized(index: int, segment: Json) -> Json:
    names = {"type": "transcript.text.segment", "id": f"seg_{index}", "speaker": "AB"[index % 2]}
    return {**names, "start": segment["start"], "end": segment["end"], "text": segment["text"]}


def _events(asked: Json, usage: Json) -> Iterator[Json]:
    words = words_of(asked)
    for at, word in enumerate(words):
        yield {"type": "transcript.text.delta", "delta": word if at == 0 else f" {word}"}
    if asked.get("response_format") == "diarized_json":
        yield from (_diarized(index, one) for index, one in enumerate(_segments(asked)))
    yield {"type": "transcript.text.done", "text": " ".join(words), "usage": usage}


def _chunks(asked: Json) -> Iterator[Json]:
    kind = "translation" if asked["task"] == "translate" else "transcription"
    head = {"id": "trsc-1", "object": f"{kind}.chunk", "created": 1, "model": asked["model"]}
    for at, word in enumerate(words_of(asked)):
        yield {**head, "choices": [{"delta": {"content": word if at == 0 else f" {word}"}}]}
    yield {**head, "choices": [{"delta": {}, "finish_reason": "stop"}]}
    if asked.get("stream_include_usage") == "true":
        heard, said = math.ceil(asked["seconds"] * 50), len(words_of(asked))
        counted = {"prompt_tokens": heard, "completion_tokens": said, "total_tokens": heard + said}
        yield {**head, "choices": [], "usage": counted}


def _stream(asked: Json, pieces: list[bytes]) -> Reply:
    headers = {"content-type": "text/event-stream; charset=utf-8"}
    prompt = asked.get("prompt", "")
    if "HALF" in prompt:
        return Reply(200, headers, pieces=pieces[:2])
    if "BREAK" in prompt:
        broken = {"error": {"message": "The model broke down.", "type": "server_error", "param": None, "code": None}}
        return Reply(200, headers, pieces=[pieces[0], _event(broken)])
    return Reply(200, headers, pieces=pieces)


def _event(value: Json) -> bytes:
    return f"data: {json.dumps(value, separators=(',', ':'))}\n\n".encode()


def _error(status: int, message: str, param: str | None) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": None}
    return Reply(status, {"content-type": "application/json"}, json.dumps({"error": error}).encode())


def _vllm_error(status: int, message: str, param: str | None) -> Reply:
    error = {"message": message, "type": "BadRequestError", "param": param, "code": status}
    return Reply(status, {"content-type": "application/json"}, json.dumps({"error": error}).encode())
