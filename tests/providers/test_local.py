"""What the voice and the recogniser on this machine are asked for, and what they are not."""

import io
import json
from typing import Any

import pytest

from tokengate.core.errors import Unsupported
from tokengate.core.speech import SpeechFormat
from tokengate.core.transcription import Recording, Transcribe
from tokengate.core.upload import StoredFile, Upload
from tokengate.core.wire import Losses
from tokengate.formats.openai.speech import read_aloud
from tokengate.providers.load import provider_of


def written(**asked: Any) -> tuple[dict[str, Any], list[str]]:
    """Return what the engine gets, and what the caller is warned of."""
    format: SpeechFormat | None = provider_of("local").speech
    assert format is not None
    body = {"model": "piper-joe", "input": "Hello.", "voice": "joe"} | asked
    losses = Losses("local", {})
    aloud = read_aloud(json.dumps(body).encode())
    data = format.write(aloud, "piper-joe", {}, losses, events=aloud.events)
    return json.loads(data), losses.dropped


def test_a_request_passes_as_it_is() -> None:
    asked = {"speed": 1.5, "response_format": "opus", "language": "English", "instructions": ""}

    assert written(**asked) == ({"model": "piper-joe", "input": "Hello.", "voice": "joe", **asked}, [])


@pytest.mark.parametrize("voice", ["alloy", "verse", {"id": "nova"}])
def test_the_voices_of_openai_are_read_by_joe_with_a_warning(voice: Any) -> None:
    assert written(voice=voice)[1] == ["voice"]


@pytest.mark.parametrize(
    ("asked", "param", "words"),
    [
        ({"voice": "Vivian"}, "voice", "must be 'joe'"),
        ({"instructions": "Be glad."}, "instructions", "not supported"),
        ({"language": "French"}, "language", "cannot be 'French': the local voice reads English only"),
        ({"stream_format": "sse"}, "stream_format", "cannot be 'sse'"),
        ({"input": "Hello 你好"}, "input", "has '你好' in it: the local voice reads English only"),
        ({"input": "Привет"}, "input", "English only"),
        ({"input": "안"}, "input", "English only"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(asked: dict[str, Any], param: str, words: str) -> None:
    with pytest.raises(Unsupported, match=words) as refused:
        written(**asked)

    assert refused.value.param == param


@pytest.mark.parametrize("text", ["Café, naïve, São Paulo.", "The number π is 3.14, and 5 °C is 41 °F.", "50 € — “so”"])
def test_names_and_signs_of_other_tongues_are_english_enough(text: str) -> None:
    assert written(input=text)[1] == []


def form(**asked: Any) -> tuple[dict[str, str], list[str]]:
    """Return the fields that the recogniser gets, and what the caller is warned of."""
    format = provider_of("local").transcription
    assert format is not None
    file = StoredFile("a.wav", "audio/wav", 4, "0" * 64, io.BytesIO(b"RIFF"))
    question = Transcribe(
        format="openai", model="whisper-tiny.en", task="transcribe", recording=Recording(file, "wav"), **asked
    )
    losses = Losses("local", {})
    upload = format.write(question, {}, losses)
    assert isinstance(upload, Upload)
    return dict(upload.fields), losses.dropped


@pytest.mark.parametrize("language", [None, "en", "English", "en-US"])
def test_english_is_heard(language: str | None) -> None:
    fields, dropped = form(language=language, shape="srt", prompt="TokenGate")

    assert (fields["response_format"], fields["prompt"], dropped) == ("verbose_json", "TokenGate", [])


def test_fields_that_the_recogniser_does_not_know_are_left_out_by_name() -> None:
    assert form(extra={"hotwords": ("x",)}) == ({"model": "whisper-tiny.en", "response_format": "json"}, ["hotwords"])


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"language": "zh"}, "language"),
        ({"shape": "diarized_json"}, "response_format"),
        ({"logprobs": True}, "include[]"),
    ],
)
def test_what_the_recogniser_cannot_do_is_refused_by_name(asked: dict[str, Any], param: str) -> None:
    with pytest.raises(Unsupported) as refused:
        form(**asked)

    assert refused.value.param == param


def test_the_recogniser_does_not_translate() -> None:
    format = provider_of("local").transcription
    assert format is not None

    assert format.tasks == {"transcribe"}
