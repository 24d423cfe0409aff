"""Text read aloud, simulated: a tone of 0.05 s for each character at speed 1, as real WAV, PCM or MP3.

`speak` is OpenAI's `/audio/speech`; `VllmOmniSimulator` is a vLLM-Omni server with Qwen3-TTS. What the text says is
what happens:

    ERROR 429   that status
    NOTHING     an empty reply with status 200
    HEAD        a WAV file without any sound
    HALF        the reply is cut
    BREAK       events end with an error
"""

import base64
import io
import json
import math
import re
import struct
import wave
from collections.abc import Iterator
from typing import Any

from tests.media_files import media_file
from tests.simulators.openai_rules import Json, Rejected
from tests.simulators.openai_upstream import Call, Reply

KEY = "sk-speech-simulated"
MODELS = ("tts-1-hd", "gpt-4o-mini-tts")
VOICES = ("alloy", "ash", "coral", "echo", "nova", "onyx", "sage")
SPEAKERS = ("vivian", "serena", "uncle_fu", "dylan", "eric", "ryan", "aiden", "ono_anna", "sohee")
LANGUAGES = (
    "Auto",
    "Chinese",
    "English",
    "Japanese",
    "Korean",
    "German",
    "French",
    "Russian",
    "Portuguese",
    "Spanish",
    "Italian",
)
QWEN = "Qwen/Qwen3-TTS-12Hz-1.7B-CustomVoice"
RATE_HZ = 24_000
SECONDS_PER_CHARACTER = 0.05
TOKENS_PER_CHARACTER = 2  # of sound

_PIECE_BYTES = 4_096
_EVENTS = "text/event-stream; charset=utf-8"
_TYPES = {"wav": "audio/wav", "pcm": "audio/pcm", "mp3": "audio/mpeg"} | {
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
}
_RECIPES = {"opus": "ogg-opus", "aac": "aac", "flac": "flac"}
_ERROR = re.compile(r"ERROR (\d{3})")
_OPENAI = {"model", "input", "voice", "response_format", "speed", "instructions", "stream_format"}
_OMNI = _OPENAI | {"language", "task_type", "max_new_tokens", "seed", "stream"}


def speak(body: Json) -> Reply:
    """Return OpenAI's reply. Raises Rejected."""
    if unknown := body.keys() - _OPENAI:
        raise Rejected(f"Unrecognized request argument supplied: {sorted(unknown)[0]}", sorted(unknown)[0])
    if body["model"] not in MODELS:
        raise Rejected(f"The model `{body['model']}` does not exist.", "model")
    voice: Any = body["voice"]
    if voice not in VOICES and (isinstance(voice, str) or list(voice) != ["id"]):
        raise Rejected(f"Invalid value: '{voice}'. Supported values are: 'alloy', ...", "voice")
    events = body.get("stream_format") == "sse"
    if events and body["model"] != "gpt-4o-mini-tts":
        raise Rejected("This model does not support stream_format 'sse'.", "stream_format")
    return _reply(body, body.get("response_format") or "mp3", events=events)


class VllmOmniSimulator:
    """A script for an `Upstream`. It remembers what it was asked."""

    def __init__(self, key: str = KEY) -> None:
        self.key = key
        self.asked: list[Json] = []

    def __call__(self, call: Call) -> Reply:
        if call.headers.get("authorization") != f"Bearer {self.key}":
            return _error(401, "Unauthorized", None)
        if (call.method, call.path) != ("POST", "/v1/audio/speech"):
            return Reply(404, {"content-type": "application/json"}, b'{"detail":"Not Found"}')
        body = call.json
        wanted = body.get("response_format") or "wav"
        if body["model"] != QWEN:
            return _error(404, f"The model `{body['model']}` does not exist.", "model")
        if body.keys() - _OMNI or str(body["voice"]).lower() not in SPEAKERS:
            return _error(400, f"Unknown speaker or parameter: {sorted(body)}", None)
        if body.get("language", "Auto") not in LANGUAGES:
            return _error(400, f"Unsupported language: {body['language']}", None)
        if (task := body.get("task_type") or "CustomVoice") != "CustomVoice":
            return _error(400, f"Qwen3-TTS CustomVoice checkpoint does not support task_type='{task}'.", None)
        events = body.get("stream_format") == "sse" or (body.get("stream") and body.get("stream_format") is None)
        streamed = events or body.get("stream_format") == "audio"
        if wanted not in ("wav", "pcm", "flac", "mp3", "opus") or (streamed and wanted not in ("wav", "pcm")):
            return _error(400, "Streaming requires response_format='pcm' or 'wav'.", "response_format")
        if streamed and body.get("speed", 1.0) != 1.0:
            return _error(400, "Streaming requires speed=1.0.", "speed")
        self.asked.append(body)
        reply = _reply(body, wanted, events=bool(events))
        if events and reply.pieces:
            reply.pieces = [_named(piece) for piece in reply.pieces]
        if reply.status == 200 and not streamed:
            reply.headers.update(_headers(usage_of(body)))
        return reply


def duration_s(body: Json) -> float:
    """Return how long a text is spoken."""
    return len(body["input"]) * SECONDS_PER_CHARACTER / (body.get("speed") or 1.0)


def usage_of(body: Json) -> Json:
    """Return what the vendor counts of a text."""
    words, sound = len(body["input"].split()), TOKENS_PER_CHARACTER * len(body["input"])
    return {"input_tokens": words, "output_tokens": sound, "total_tokens": words + sound}


def sound_of(body: Json, audio_format: str) -> bytes:
    """Return a tone of the text's duration."""
    samples = round(duration_s(body) * RATE_HZ)
    if audio_format == "mp3":
        # MPEG 1 layer III, 128 kbit/s, 44.1 kHz: 1,152 samples of silence a frame.
        return (b"\xff\xfb\x90\x00" + bytes(413)) * math.ceil(duration_s(body) * 44_100 / 1_152)
    if audio_format in _RECIPES:
        return media_file(_RECIPES[audio_format], math.ceil(duration_s(body)))
    pcm = b"".join(struct.pack("<h", int(8_000 * math.sin(at * 0.12))) for at in range(samples))
    if audio_format == "pcm":
        return pcm
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(pcm)
    return file.getvalue()


def pieces_of(sound: bytes) -> list[bytes]:
    """Return sound as it is sent, in pieces."""
    return [sound[at : at + _PIECE_BYTES] for at in range(0, len(sound), _PIECE_BYTES)]


def _reply(body: Json, audio_format: str, *, events: bool) -> Reply:
    text: str = body["input"]
    if asked := _ERROR.search(text):
        return _error(int(asked[1]), f"The simulated vendor answers {asked[1]}.", None)
    if audio_format not in _TYPES:
        return _error(400, f"The simulated vendor writes no {audio_format}.", "response_format")
    headers = {"content-type": _TYPES[audio_format], "x-request-id": "req-spoken"}
    if "NOTHING" in text:
        return Reply(200, headers)
    sound = sound_of(body, audio_format)
    pieces = pieces_of(sound)
    if "BREAK" in text:
        broken = {"message": "The engine is gone.", "type": "server_error", "param": None, "code": 500}
        failed = _event({"type": "speech.audio.error", "error": broken})
        return Reply(200, headers | {"content-type": _EVENTS}, pieces=[*list(_events(pieces, None))[:1], failed])
    if "HEAD" in text:
        pieces = [sound[:44]]
    if events:
        headers["content-type"] = _EVENTS
        pieces = list(_events(pieces, usage_of(body)))
    if "HALF" in text:
        return Reply(200, headers, pieces=pieces[:2], ending="cut")
    return Reply(200, headers, pieces=pieces)


def _events(pieces: list[bytes], usage: Json | None) -> Iterator[bytes]:
    for piece in pieces:
        yield _event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    yield _event({"type": "speech.audio.done", **({"usage": usage} if usage else {})})


def _named(event: bytes) -> bytes:
    """Return an event with its name before it, as this server writes it."""
    return f"event: {json.loads(event.removeprefix(b'data: '))['type']}\n".encode() + event


def _headers(usage: Json) -> dict[str, str]:
    return {f"x-vllm-omni-{name.replace('_', '-')}": str(count) for name, count in usage.items()}


def _event(value: Json) -> bytes:
    return f"data: {json.dumps(value, separators=(',', ':'))}\n\n".encode()


def _error(status: int, message: str, param: str | None) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": None}
    return Reply(status, {"content-type": "application/json"}, json.dumps({"error": error}).encode())
