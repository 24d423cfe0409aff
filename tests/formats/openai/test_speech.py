import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokengate.core.errors import BadRequest, Unsupported
from tokengate.core.speech import SpeechEvent
from tokengate.core.usage import Usage
from tokengate.core.wire import Losses
from tokengate.formats.openai.requests import read_speech
from tokengate.formats.openai.speech import OPENAI_SPEECH, OpenAISpeech, read_aloud

ASK: dict[str, Any] = {"model": "m", "input": "Hello", "voice": "alloy"}


def write(format: OpenAISpeech, *, events: bool = False, fixed: dict[str, bytes] | None = None, **more: Any) -> Any:
    losses = Losses("them", {})
    body = format.write(read_aloud(json.dumps(ASK | more).encode()), "theirs", fixed or {}, losses, events=events)
    return json.loads(body), losses.dropped


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"model": ""}, "model", "a string of 1 to 200 characters"),
    ({"input": ""}, "input", "a text of 1 to 4096 characters"),
    ({"input": "x" * 4097}, "input", "a text of 1 to 4096 characters"),
    ({"input": ["a"]}, "input", "a text of 1 to 4096 characters"),
    ({"voice": ""}, "voice", "the name of a voice, or an object with the id of one"),
    ({"voice": 7}, "voice", "the name of a voice, or an object with the id of one"),
    ({"voice": {"id": ""}}, "voice.id", "a string of 1 to 200 characters"),
    ({"response_format": "ogg"}, "response_format", "one of mp3, opus, aac, flac, wav, pcm"),
    ({"speed": 0.2}, "speed", "a number from 0.25 to 4"),
    ({"speed": "fast"}, "speed", "a number from 0.25 to 4"),
    ({"instructions": 7}, "instructions", "a string"),
    ({"language": ""}, "language", "a string of 1 to 200 characters"),
    ({"stream_format": "chunks"}, "stream_format", "audio or sse"),
]


@pytest.mark.parametrize(("more", "param", "what"), BAD)
def test_a_bad_value_is_refused_by_name(more: dict[str, Any], param: str, what: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_speech(json.dumps(ASK | more).encode())

    assert (caught.value.param, caught.value.message) == (param, f"'{param}' must be {what}.")


@pytest.mark.parametrize("name", ["model", "input", "voice"])
def test_what_is_required_must_be_there(name: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_speech(json.dumps({key: value for key, value in ASK.items() if key != name}).encode())

    assert (caught.value.param, caught.value.code) == (name, "missing_required_parameter")


@settings(max_examples=100)
@given(data=st.data())
def test_what_is_mutated_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(json.dumps(ASK | {"speed": 2.0, "response_format": "wav", "language": "English"}).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body) - 1))
        end = min(len(body), start + data.draw(st.integers(0, 12)))
        body[start:end] = data.draw(st.binary(max_size=4) | st.sampled_from([b"null", b'"', b"{", b"]", b"-7"]))

    with suppress(BadRequest):
        assert read_aloud(bytes(body)).text


def test_the_callers_bytes_stay_but_for_the_model() -> None:
    asked: dict[str, Any] = {"voice": {"id": "voice_1"}, "speed": 2, "seed": 7, "language": "English"}

    assert write(OPENAI_SPEECH, **asked) == (ASK | asked | {"model": "theirs"}, [])


def test_what_a_vendor_lacks_is_left_out_by_name() -> None:
    format = OpenAISpeech(lacks=frozenset({"language"}))

    assert write(format, language="English") == (ASK | {"model": "theirs"}, ["language"])


def test_what_the_operator_fixed_wins() -> None:
    body, _ = write(OPENAI_SPEECH, fixed={"voice": b'"nova"', "seed": b"1"})

    assert body == ASK | {"model": "theirs", "voice": "nova", "seed": 1}


def test_mp3_is_asked_for_where_it_is_not_the_vendors_default() -> None:
    format = OpenAISpeech(default_format="wav", streams=frozenset({"wav", "pcm"}))

    assert write(format)[0]["response_format"] == "mp3"
    assert write(format, response_format="wav", stream_format="audio")[0]["stream_format"] == "audio"
    assert "stream_format" not in write(format, stream_format="audio")[0]


def test_a_format_that_the_vendor_cannot_write_or_stream_is_refused() -> None:
    format = OpenAISpeech(formats=frozenset({"mp3", "wav"}), streams=frozenset({"wav"}))

    with pytest.raises(Unsupported, match="'response_format' cannot be 'aac' with them"):
        write(format, response_format="aac")
    with pytest.raises(Unsupported, match="'stream_format' cannot be 'sse' for 'mp3' with them"):
        write(format, stream_format="sse", events=True)


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (b'{"type":"speech.audio.delta","audio":"SGk="}', SpeechEvent(sound=b"Hi")),
        (b'{"type":"speech.audio.delta","audio":"?"}', SpeechEvent()),
        (b'{"type":"speech.audio.done"}', SpeechEvent(done=True)),
        (b'{"type":"speech.audio.done","usage":null}', SpeechEvent(done=True)),
        (b'{"type":"speech.audio.done","usage":{"input_tokens":-1,"output_tokens":2}}', SpeechEvent(done=True)),
        (b'{"type":"speech.audio.done","usage":{"output_tokens":"2"}}', SpeechEvent(done=True)),
        (b'{"error":{"message":"Oh"}}', SpeechEvent(error=b'{"error":{"message":"Oh"}}')),
        (b'{"type":"error","message":"Oh"}', SpeechEvent(error=b'{"type":"error","message":"Oh"}')),
        (b'{"type":"speech.audio.other"}', SpeechEvent()),
        (b"[DONE]", SpeechEvent()),
        (b"\xff", SpeechEvent()),
    ],
)
def test_events_are_read(data: bytes, event: SpeechEvent) -> None:
    assert OPENAI_SPEECH.read_event(data) == event


def test_the_end_tells_the_tokens_of_text_and_sound() -> None:
    event = OPENAI_SPEECH.read_event(b'{"type":"speech.audio.done","usage":{"input_tokens":3,"output_tokens":50}}')

    assert event.usage is not None and event.usage.usage == Usage(input=3, audio_out=50)
    assert event.usage.raw == b'{"input_tokens":3,"output_tokens":50}'
