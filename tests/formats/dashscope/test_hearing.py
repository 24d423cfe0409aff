"""Recordings heard at once: what is asked, what is refused by name, and what is read of the answer."""

import base64
import io
from typing import Any

import pytest
from msgspec import json

from tokengate.core.errors import Unsupported, UpstreamFailed
from tokengate.core.transcription import Recording, Transcribe
from tokengate.core.upload import StoredFile
from tokengate.core.usage import Usage
from tokengate.core.wire import Losses
from tokengate.formats.dashscope.hearing import MAX_SECONDS, DashScopeHearing

SOUND = b"RIFF...."
FORMAT = DashScopeHearing(base="/api/v1")


def recording(duration_ms: int | None = 2_250, size_bytes: int = len(SOUND)) -> Recording:
    return Recording(StoredFile("a.wav", "audio/wav", size_bytes, "00", io.BytesIO(SOUND)), "wav", duration_ms)


def asking(**more: Any) -> Transcribe:
    named: dict[str, Any] = {"format": "openai", "model": "qwen3-asr-flash", "task": "transcribe", **more}
    named.setdefault("recording", recording())
    return Transcribe(**named)


def test_a_recording_is_asked_about_with_its_context_and_language() -> None:
    losses = Losses("up", {})

    asked = json.decode(FORMAT.write(asking(prompt="TokenGate", language="en", temperature=0.2), {}, losses))

    sound = f"data:audio/wav;base64,{base64.b64encode(SOUND).decode()}"
    assert asked == {
        "model": "qwen3-asr-flash",
        "input": {
            "messages": [
                {"role": "system", "content": [{"text": "TokenGate"}]},
                {"role": "user", "content": [{"audio": sound}]},
            ]
        },
        "parameters": {"asr_options": {"language": "en"}},
    }
    assert losses.dropped == ["temperature"]
    assert FORMAT.path("transcribe") == "/api/v1/services/aigc/multimodal-generation/generation"


def test_the_operators_parameters_win() -> None:
    fixed = {"asr_options": b'{"enable_itn":true}'}

    asked = json.decode(FORMAT.write(asking(language="en"), fixed, Losses("up", {})))

    assert asked["parameters"] == {"asr_options": {"enable_itn": True}}


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"shape": "srt"}, "response_format"),
        ({"shape": "vtt"}, "response_format"),
        ({"shape": "verbose_json"}, "response_format"),
        ({"shape": "diarized_json"}, "response_format"),
        ({"granularities": frozenset({"word"})}, "timestamp_granularities[]"),
        ({"logprobs": True}, "include[]"),
        ({"recording": recording(duration_ms=MAX_SECONDS * 1000 + 1)}, "file"),
        ({"recording": recording(size_bytes=10_000_000)}, "file"),
        ({"model": "paraformer-v2"}, "model"),
        ({"model": "qwen3-asr-flash-filetrans"}, "model"),
    ],
)
def test_what_it_cannot_tell_or_take_is_refused_by_name(more: dict[str, Any], param: str) -> None:
    with pytest.raises(Unsupported) as refused:
        FORMAT.write(asking(**more), {}, Losses("up", {}))

    assert refused.value.param == param


@pytest.mark.parametrize("content", [[{"text": "Hello there"}], [{"text": "Hello "}, {"text": "there"}]])
def test_an_answer_is_a_text_with_its_language_and_seconds(content: list[Any]) -> None:
    message = {"role": "assistant", "content": content, "annotations": [{"type": "audio_info", "language": "en"}]}
    usage = {"input_tokens_details": {"text_tokens": 0}, "output_tokens_details": {"text_tokens": 6}, "seconds": 3}
    body = {"output": {"choices": [{"finish_reason": "stop", "message": message}]}, "usage": usage, "request_id": "r"}

    answer = FORMAT.read_reply(json.encode(body), asking())

    assert (answer.text, answer.language) == ("Hello there", "en")
    assert answer.usage is not None and answer.usage.usage == Usage(second=3)


def test_silence_is_an_answer_without_text() -> None:
    body = b'{"output":{"choices":[{"message":{"role":"assistant","content":[]}}]},"usage":{"seconds":2}}'

    assert FORMAT.read_reply(body, asking()).text == ""


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"output":{"choices":[]}}', b'{"code":"InternalError","message":"x"}'])
def test_what_is_no_answer_is_a_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        FORMAT.read_reply(body, asking())
