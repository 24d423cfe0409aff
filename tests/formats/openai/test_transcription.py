"""Transcriptions in OpenAI's shape: whatever is asked or answered is read, or refused as what it is."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from tokengate.core.errors import BadRequest, Unsupported, UpstreamFailed
from tokengate.core.transcription import Recording, Segment, Task, Transcribe, Transcript
from tokengate.core.upload import StoredFile
from tokengate.core.usage import Usage
from tokengate.core.wire import Losses
from tokengate.formats.openai.transcription import OPENAI_TRANSCRIPTION, OpenAITranscription, write_transcript
from tokengate.formats.openai.transcription_forms import json_of_recording, read_transcription, transcribe_of

RECORDING = Recording(StoredFile("a.wav", "audio/wav", 4, "00", io.BytesIO(b"RIFF")), "wav", 2_250)
NAMES = ["model", "language", "prompt", "response_format", "temperature", "stream", "include[]", "hotwords"]
FIELDS = st.lists(
    st.tuples(
        st.sampled_from([*NAMES, "timestamp_granularities[]", "timestamp_granularities"]) | st.text(max_size=8),
        st.sampled_from(["whisper-1", "srt", "verbose_json", "0.5", "true", "word", "logprobs"]) | st.text(max_size=8),
    ),
    max_size=8,
)
MEMBERS = ["text", "usage", "type", "seconds", "segments", "words", "start", "delta", "choices", "error"]
NUMBERS = st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5),
    max_leaves=12,
)


def asking(**more: object) -> Transcribe:
    named = {"format": "openai", "model": "m", "task": "transcribe", "recording": RECORDING, **more}
    return Transcribe(**named)  # pyright: ignore[reportArgumentType] - by name


@given(FIELDS, st.sampled_from(["transcribe", "translate"]))
def test_any_form_is_read_or_refused(fields: list[tuple[str, str]], task: Task) -> None:
    try:
        body = json_of_recording([("model", "m"), *fields], RECORDING)
        question = transcribe_of(read_transcription(body, task), task, RECORDING)
    except BadRequest as refusal:
        assert refusal.message
        return
    try:
        upload = OPENAI_TRANSCRIPTION.write(question, {}, Losses("up", {}))
    except Unsupported:
        return
    assert dict(upload.fields)["model"] == "m"


@given(VALUES)
def test_any_reply_is_read_or_a_failure(value: object) -> None:
    body = json.encode(value)
    try:
        answer = OPENAI_TRANSCRIPTION.read_reply(body, asking(shape="verbose_json"))
    except UpstreamFailed:
        return
    told = json.decode(write_transcript(answer, asking(shape="verbose_json"), Usage(second=3)))
    assert told["text"] == answer.text
    for shape in ("text", "srt", "vtt", "json"):
        assert write_transcript(answer, asking(shape=shape), Usage(second=3)) is not None


@given(VALUES | st.binary())
def test_any_event_is_read(value: object) -> None:
    OPENAI_TRANSCRIPTION.read_event(value if isinstance(value, bytes) else json.encode(value))


def test_what_a_backend_does_not_tell_is_worked_out_or_null() -> None:
    answer = Transcript(text="Hi", segments=(Segment(start_s=0.0, end_s=1.0, text="Hi Hi Hi Hi Hi Hi Hi Hi"),))

    told = json.decode(write_transcript(answer, asking(shape="verbose_json", language="en"), Usage(second=3)))

    (segment,) = told["segments"]
    assert (told["language"], told["duration"]) == ("en", 2.25)
    assert segment["compression_ratio"] > 1
    assert (segment["avg_logprob"], segment["no_speech_prob"], segment["tokens"]) == (None, None, [])


def test_the_operators_fields_win_over_the_callers() -> None:
    question = asking(language="en", extra={"hotwords": ("a",), "seed": ("1",)})

    upload = OPENAI_TRANSCRIPTION.write(question, {"language": b'"de"', "seed": b"7"}, Losses("up", {}))

    assert dict(upload.fields) == {
        "model": "m",
        "response_format": "json",
        "hotwords": "a",
        "language": "de",
        "seed": "7",
    }


def test_a_file_above_the_vendors_limit_is_refused() -> None:
    with pytest.raises(Unsupported) as caught:
        OpenAITranscription(max_file_bytes=3).write(asking(), {}, Losses("up", {}))

    assert caught.value.param == "file"
