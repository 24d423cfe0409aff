import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.mutation import mutated
from tokengate.core.errors import BadRequest, Unsupported, UpstreamFailed
from tokengate.core.speech import SpeechEvent
from tokengate.core.usage import Usage
from tokengate.core.wire import Heading, Losses
from tokengate.formats.dashscope.speech import DASHSCOPE_SPEECH, DashScopeSpeech
from tokengate.formats.openai.speech import OPENAI_SPEECH, OpenAISpeech, read_aloud

HEADING = Heading("1", "ours", 1_800_000_000)
ASK: dict[str, Any] = {"model": "ours", "input": {"text": "Hello", "voice": "Cherry"}}
OPENAI_ASK: dict[str, Any] = {"model": "ours", "input": "Hello", "voice": "alloy"}


def read(**more: Any) -> Any:
    return DASHSCOPE_SPEECH.read(json.dumps({**ASK, **more}).encode())


BAD: list[tuple[dict[str, Any], str]] = [
    ({"model": ""}, "'model' must be a string of 1 to 200 characters."),
    ({"input": {"voice": "Cherry"}}, "'input.text' is required."),
    ({"input": {"text": "", "voice": "Cherry"}}, "'input.text' must be a text of 1 to 4096 characters."),
    ({"input": {"text": "x" * 4097, "voice": "Cherry"}}, "'input.text' must be a text of 1 to 4096 characters."),
    ({"input": {"text": "Hi"}}, "'input.voice' is required."),
    ({"input": {"text": "Hi", "voice": 7}}, "'input.voice' must be the name of a voice."),
    ({"input": {"text": "Hi", "voice": "a", "language_type": 7}}, "'input.language_type' must be a string."),
    ({"parameters": {"instructions": 7}}, "'parameters.instructions' must be a string."),
]


@pytest.mark.parametrize(("more", "told"), BAD)
def test_a_bad_value_is_refused_by_name(more: dict[str, Any], told: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**more)

    assert caught.value.message == told


@settings(max_examples=100)
@given(data=st.data())
def test_what_is_mutated_is_read_or_refused(data: st.DataObject) -> None:
    whole = {**ASK, "parameters": {"instructions": "x", "language_type": "Auto"}}
    body = data.draw(mutated([json.dumps(whole).encode()]))

    with suppress(BadRequest):
        assert DASHSCOPE_SPEECH.read(bytes(body)).text


def test_what_the_sdk_puts_among_the_parameters_is_read_there() -> None:
    aloud = read(parameters={"language_type": "Chinese", "instructions": "Whisper."})

    assert (aloud.language, aloud.instructions, aloud.audio_format, aloud.stream) == (
        "Chinese",
        "Whisper.",
        "pcm",
        True,
    )
    assert DashScopeSpeech(stream=False).read(json.dumps(ASK).encode()).audio_format == "wav"


def test_the_vendors_own_callers_are_forwarded_but_for_the_models_name() -> None:
    body = json.dumps({**ASK, "more": 1}).encode()

    written = DASHSCOPE_SPEECH.write(DASHSCOPE_SPEECH.read(body), "theirs", {}, Losses("them", {}), events=False)

    assert written == body.replace(b'"ours"', b'"theirs"')


def test_openais_words_become_dashscopes() -> None:
    asked = OPENAI_ASK | {"response_format": "wav", "language": "Chinese", "instructions": "Whisper.", "speed": 2}
    losses = Losses("them", {})
    aloud = read_aloud(json.dumps(asked).encode())

    told = DASHSCOPE_SPEECH.write(aloud, "qwen3-tts-instruct-flash", {"voice": b'"Serena"'}, losses, events=False)

    assert json.loads(told)["input"] == {
        "text": "Hello",
        "voice": "Serena",
        "language_type": "Chinese",
        "instructions": "Whisper.",
    }
    assert (losses.dropped, losses.added) == (["speed"], [])


def test_a_model_that_follows_no_instructions_gets_none_and_the_format_is_said() -> None:
    losses = Losses("them", {})
    aloud = read_aloud(json.dumps(OPENAI_ASK | {"instructions": "Whisper."}).encode())

    told = DASHSCOPE_SPEECH.write(aloud, "qwen3-tts-flash", {}, losses, events=False)

    assert json.loads(told)["input"] == {"text": "Hello", "voice": "alloy"}
    assert (losses.dropped, losses.added) == (["instructions"], ["response_format wav"])


@pytest.mark.parametrize("audio_format", ["mp3", "opus", "aac", "flac"])
def test_what_has_to_be_compressed_is_refused(audio_format: str) -> None:
    aloud = read_aloud(json.dumps(OPENAI_ASK | {"response_format": audio_format}).encode())

    with pytest.raises(Unsupported, match="'response_format' must be wav or pcm with them"):
        DASHSCOPE_SPEECH.write(aloud, "qwen3-tts-flash", {}, Losses("them", {}), events=False)


def test_dashscopes_words_become_openais() -> None:
    asked = read(
        input={"text": "Hi", "voice": "Cherry", "language_type": "Chinese", "optimize_instructions": True},
        parameters={"instructions": "Whisper."},
    )
    words = {"model": "theirs", "input": "Hi", "voice": "Cherry", "response_format": "pcm", "instructions": "Whisper."}
    losses, openais = Losses("them", {}), Losses("them", {})

    told = OPENAI_SPEECH.write(asked, "theirs", {"seed": b"1"}, losses, events=True)
    lacking = OpenAISpeech(lacks=frozenset({"language"})).write(asked, "theirs", {}, openais, events=False)

    assert json.loads(told) == words | {"language": "Chinese", "stream_format": "sse", "seed": 1}
    assert json.loads(lacking) == words
    assert losses.dropped == ["input.optimize_instructions"]
    assert openais.dropped == ["input.optimize_instructions", "language"]


def event(**output: Any) -> bytes:
    return json.dumps({"output": output, "usage": {"characters": 5}, "request_id": "1"}).encode()


def test_an_event_has_sound_and_the_last_one_the_count() -> None:
    piece = base64.b64encode(b"\0\1").decode()
    done = DASHSCOPE_SPEECH.read_event(event(finish_reason="stop", audio={"data": "", "url": "http://x/a.wav"}))

    assert DASHSCOPE_SPEECH.read_event(event(finish_reason="null", audio={"data": piece})) == SpeechEvent(b"\0\1")
    assert done.done and done.usage is not None and done.usage.usage == Usage(character=5)
    assert DASHSCOPE_SPEECH.read_event(b'{"code":"Throttling","message":"Slow"}').error is not None
    assert DASHSCOPE_SPEECH.read_event(b"nothing") == SpeechEvent()


@pytest.mark.parametrize("body", [b"nothing", b'{"code":"InternalError"}', b'{"output":null}', b'{"output":[]}'])
def test_a_reply_that_is_no_speech_is_the_vendors_failure(body: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        DASHSCOPE_SPEECH.read_whole(body)


def test_events_have_whole_samples_and_the_end_has_the_rest() -> None:
    aloud = read()
    writer = DASHSCOPE_SPEECH.writer(aloud, HEADING, b"")

    first, none, last = writer.write(b"abc"), writer.write(b""), writer.end(Usage(character=5))

    assert first.startswith(b"id:1\nevent:result\n:HTTP_STATUS/200\n") and none == b""
    assert DASHSCOPE_SPEECH.read_event(first.partition(b"data:")[2]).sound == b"ab"
    end = json.loads(last.partition(b"data:")[2])
    assert end["output"]["finish_reason"] == "stop" and end["usage"]["characters"] == 5
    assert end["request_id"] == "req_1"
