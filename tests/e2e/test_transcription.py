"""Recordings through a running gateway: what reaches the caller, what each vendor is asked, and the exact money."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted, upstream
from tests.raw_http import Answer
from tests.simulators.openai_transcription import KEY, SPOKEN, TRANSLATED, WHISPER, VllmSimulator, tone
from tests.simulators.openai_upstream import Call, Reply, Script, Upstream
from tests.simulators.openai_vendor import KEY as OPENAI_KEY
from tests.simulators.openai_vendor import OpenAISimulator

PATH = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"
BASES = ("/v1", "/api/gpt/v1", "/compatible-mode/v1")
SOUNDS = Path(__file__).parents[1] / "fixtures" / "sound"
SAID = " ".join(SPOKEN[:5])  # of a recording of 2.25 s
FILE = tone(2.25)
Fields = Sequence[tuple[str, str]]


def form(fields: Fields, file: bytes = FILE, name: str = "speech.wav", *, first: bool = False) -> bytes:
    """Return the body of a form with the boundary `limit`; its file comes last, or `first`."""
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields]
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: audio/x-any\r\n\r\n'
    parts.insert(0 if first else len(parts), head.encode() + file)
    return b"".join(b"--limit\r\n" + part + b"\r\n" for part in parts) + b"--limit--\r\n"


async def ask(gateway: Hosted, fields: Fields, path: str = PATH, file: bytes = FILE, **more: Any) -> Answer:
    headers = {"content-type": "multipart/form-data; boundary=limit", **more.pop("headers", {})}
    return await gateway.post(form(fields, file, **more), path, headers=headers)


def sells(model: str, **price: str) -> str:
    words = ", ".join(f'{word} = "{amount}"' for word, amount in {**price, "per": "mtok"}.items())
    return f'[[model]]\nid = "{model}"\nkind = "transcription"\nprice = {{ {words} }}\n'


@asynccontextmanager
async def openai(
    folder: Path, model: str = "whisper-1", **price: str
) -> AsyncGenerator[tuple[Hosted, OpenAISimulator]]:
    vendor = OpenAISimulator()
    async with Upstream(vendor) as simulator:
        config = upstream(simulator.url, model, provider="openai", api_key=OPENAI_KEY)
        config += sells(model, **(price or {"second": "0.001"}))
        async with hosted(folder, config) as gateway:
            yield gateway, vendor


@asynccontextmanager
async def vllm(folder: Path, **price: str) -> AsyncGenerator[tuple[Hosted, VllmSimulator]]:
    vendor = VllmSimulator()
    async with Upstream(vendor) as simulator:
        config = f'[[upstream]]\nname = "own"\nprovider = "vllm"\nbase_url = "{simulator.url}"\napi_key = "{KEY}"\n'
        config += f'models = {{ "whisper" = "{WHISPER}" }}\n' + sells("whisper", **(price or {"second": "0.001"}))
        async with hosted(folder, config) as gateway:
            yield gateway, vendor


@asynccontextmanager
async def scripted(folder: Path, *scripts: Script, **price: str) -> AsyncGenerator[tuple[Hosted, list[Upstream]]]:
    """Open a gateway whose upstreams are asked one after the other."""
    simulators = [Upstream(script) for script in scripts]
    config = sells("ear", **(price or {"second": "0.001"}))
    for number, simulator in enumerate(simulators):
        await simulator.start()
        config += upstream(simulator.url, "ear", name=f"up{number}", tier=number + 1)
    try:
        async with hosted(folder, config) as gateway:
            yield gateway, simulators
    finally:
        for simulator in simulators:
            await simulator.stop()


def events_of(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix(b"data: ")) for line in body.splitlines() if line.startswith(b"data: ")]


def json_reply(value: dict[str, Any]) -> Reply:
    return Reply(200, {"content-type": "application/json"}, json.dumps(value).encode())


async def test_a_recording_is_written_down_and_paid_by_the_vendors_seconds(tmp_path: Path) -> None:
    async with openai(tmp_path) as (gateway, vendor):
        answers = [await ask(gateway, [("model", "whisper-1")], base + "/audio/transcriptions") for base in BASES]
        bill = await gateway.bill(answers[0].headers["x-request-id"])
        balance = (await gateway.balance())["balance"]

    for answer in answers:
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        assert answer.json == {"text": SAID, "usage": {"type": "duration", "seconds": 3}}
    asked = {"model": "whisper-1", "response_format": "json", "task": "transcribe", "file": "speech.wav"}
    assert vendor.asked == [{**asked, "seconds": 2.25}] * 3
    assert (bill["endpoint"], bill["cost"], bill["usage_source"]) == ("audio.transcriptions", "0.003", "vendor")
    assert bill["bill"]["lines"] == [{"word": "second", "price": "0.001", "per": 1, "units": 3, "amount": "0.003"}]
    assert bill["bill"]["vendor_usage"] == {"type": "duration", "seconds": 3}
    assert balance == "9.991"


@pytest.mark.parametrize(
    ("shape", "type_", "said"),
    [
        ("text", "text/plain; charset=utf-8", f"{SAID}\n"),
        (
            "srt",
            "text/plain; charset=utf-8",
            "1\n00:00:00,000 --> 00:00:01,000\nHello there,\n\n"
            "2\n00:00:01,000 --> 00:00:02,000\ngeneral. You\n\n"
            "3\n00:00:02,000 --> 00:00:02,250\nare\n\n",
        ),
        (
            "vtt",
            "text/vtt; charset=utf-8",
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHello there,\n\n"
            "00:00:01.000 --> 00:00:02.000\ngeneral. You\n\n"
            "00:00:02.000 --> 00:00:02.250\nare\n\n",
        ),
    ],
)
@pytest.mark.parametrize("place", ["openai", "vllm"])
async def test_shapes_without_usage_are_written_here_and_billed_alike(
    tmp_path: Path, place: str, shape: str, type_: str, said: str
) -> None:
    async with openai(tmp_path) if place == "openai" else vllm(tmp_path) as (gateway, vendor):
        model = "whisper-1" if place == "openai" else "whisper"
        answer = await ask(gateway, [("model", model), ("response_format", shape)])
        bill = await gateway.bill(answer.headers["x-request-id"])

    assert (answer.status, answer.headers["content-type"]) == (200, type_)
    assert answer.body.decode() == said
    assert answer.headers["x-request-cost"] == "0.003"
    assert [asked["response_format"] for asked in vendor.asked] == ["json" if shape == "text" else "verbose_json"]
    assert (bill["cost"], bill["usage_source"]) == ("0.003", "vendor")


async def test_openais_times_come_through_byte_for_byte(tmp_path: Path) -> None:
    fields = [
        ("model", "whisper-1"),
        ("response_format", "verbose_json"),
        ("timestamp_granularities[]", "word"),
        ("timestamp_granularities[]", "segment"),
        ("language", "en"),
        ("prompt", "A film."),
        ("temperature", "0.25"),
    ]
    async with openai(tmp_path) as (gateway, vendor):
        answer = await ask(gateway, fields)

    (asked,) = vendor.asked
    assert asked["timestamp_granularities[]"] == ["segment", "word"]
    assert (asked["language"], asked["prompt"], asked["temperature"]) == ("en", "A film.", "0.25")
    told = answer.json
    assert (told["task"], told["language"], told["duration"], told["text"]) == ("transcribe", "english", 2.25, SAID)
    assert [one["text"] for one in told["segments"]] == [" Hello there,", " general. You", " are"]
    assert told["words"][1] == {"word": "there,", "start": 0.5, "end": 1.0}
    assert told["usage"] == {"type": "duration", "seconds": 3}


async def test_vllms_times_are_written_as_openai_writes_them(tmp_path: Path) -> None:
    async with vllm(tmp_path) as (gateway, vendor):
        answer = await ask(gateway, [("model", "whisper"), ("response_format", "verbose_json"), ("top_p", "0.5")])
        refused = await ask(
            gateway,
            [("model", "whisper"), ("response_format", "verbose_json"), ("timestamp_granularities[]", "word")],
        )

    told = answer.json
    assert (told["duration"], told["usage"]) == (2.25, {"type": "duration", "seconds": 3})
    assert told["segments"][0].keys() >= {"id", "seek", "start", "end", "text", "tokens", "avg_logprob"}
    assert [asked.get("top_p") for asked in vendor.asked] == ["0.5"]
    assert (refused.status, refused.json["error"]["param"]) == (400, "timestamp_granularities[]")


async def test_translations_are_english(tmp_path: Path) -> None:
    async with openai(tmp_path) as (gateway, vendor):
        fields = [("model", "whisper-1"), ("response_format", "verbose_json"), ("language", "de")]
        whole = await ask(gateway, fields, TRANSLATIONS)
        plain = await ask(gateway, [("model", "whisper-1")], TRANSLATIONS)
        bill = await gateway.bill(whole.headers["x-request-id"])

    assert (whole.json["language"], whole.json["text"]) == ("english", " ".join(TRANSLATED[:5]))
    assert plain.json["text"] == " ".join(TRANSLATED[:5])
    assert [asked["task"] for asked in vendor.asked] == ["translate", "translate"]
    assert whole.headers["x-tokengate-warning"] == "dropped, sim has no such parameter: language"
    assert bill["endpoint"] == "audio.translations"


@pytest.mark.parametrize("first", [True, False])
async def test_a_file_may_come_anywhere_in_the_form(tmp_path: Path, first: bool) -> None:
    async with openai(tmp_path) as (gateway, _):
        answer = await ask(gateway, [("model", "whisper-1"), ("prompt", "")], first=first)

    assert answer.json["text"] == SAID


async def test_every_kind_of_file_is_heard_or_refused(tmp_path: Path) -> None:
    async with openai(tmp_path) as (gateway, vendor):
        for file in sorted(SOUNDS.glob("tone*")):
            answer = await ask(gateway, [("model", "whisper-1")], file=file.read_bytes(), name=file.name)

            if file.suffix in (".aac", ".mka"):
                error = answer.json["error"]
                assert (answer.status, error["param"], error["code"]) == (400, "file", "unsupported_file")
            else:
                assert answer.status == 200, file.name
                assert vendor.asked[-1]["file"] == ("recording.ogg" if file.suffix == ".opus" else file.name)


TOKENS = {"input": "2.5", "audio_in": "6", "output": "10"}


async def test_tokens_are_billed_where_they_have_the_price(tmp_path: Path) -> None:
    async with openai(tmp_path, "gpt-4o-transcribe", **TOKENS) as (gateway, _):
        fields = [("model", "gpt-4o-transcribe"), ("prompt", "one two"), ("include[]", "logprobs")]
        whole = await ask(gateway, fields)
        streamed = await ask(gateway, [*fields, ("stream", "true")])
        bills = [await gateway.bill(one.headers["x-request-id"]) for one in (whole, streamed)]

    usage = whole.json["usage"]
    assert usage["input_token_details"] == {"text_tokens": 2, "audio_tokens": 23}
    assert whole.json["logprobs"][0]["token"] == "H"
    assert events_of(streamed.body)[-1]["usage"] == usage
    for bill in bills:
        units = {line["word"]: line["units"] for line in bill["bill"]["lines"]}
        assert units == {"input": 2, "audio_in": 23, "output": 7}
        assert (bill["usage_source"], bill["cost"]) == ("vendor", "0.000213")
    assert bills[0]["bill"]["vendor_usage"] == usage


async def test_the_vendors_events_come_through_as_they_are(tmp_path: Path) -> None:
    async with openai(tmp_path, "gpt-4o-transcribe-diarize", **TOKENS) as (gateway, _):
        fields = [
            ("model", "gpt-4o-transcribe-diarize"),
            ("response_format", "diarized_json"),
            ("chunking_strategy", "auto"),
            ("known_speaker_names[]", "Ann"),
            ("known_speaker_names[]", "Ben"),
        ]
        whole = await ask(gateway, fields)
        streamed = await ask(gateway, [*fields, ("stream", "true")], headers={"x-tokengate-cost": "stream"})

    assert [one["speaker"] for one in whole.json["segments"]] == ["A", "B", "A"]
    assert streamed.headers["content-type"].startswith("text/event-stream")
    events = events_of(streamed.body)
    kinds = [event["type"].rpartition(".")[2] for event in events]
    assert kinds == ["delta"] * 5 + ["segment"] * 3 + ["done"]
    assert "".join(event["delta"] for event in events[:5]) == events[-1]["text"] == SAID
    assert b": cost 0.00" in streamed.body


@pytest.mark.parametrize("path", [PATH, TRANSLATIONS])
async def test_vllms_chunks_become_openais_events(tmp_path: Path, path: str) -> None:
    async with vllm(tmp_path) as (gateway, vendor):
        answer = await ask(gateway, [("model", "whisper"), ("stream", "true")], path)
        bill = await gateway.bill(answer.headers["x-request-id"])

    said = " ".join(TRANSLATED[:5]) if path == TRANSLATIONS else SAID
    events = events_of(answer.body)
    assert [event["type"].rpartition(".")[2] for event in events] == ["delta"] * 5 + ["done"]
    assert "".join(event["delta"] for event in events[:-1]) == events[-1]["text"] == said
    assert events[-1]["usage"]["input_token_details"] == {"text_tokens": 0, "audio_tokens": 113}
    assert vendor.asked[0]["stream_include_usage"] == "true"
    # It counts tokens in a stream, and the price is for seconds: those of the file count.
    assert (bill["cost"], bill["usage_source"]) == ("0.003", "counted")


async def test_a_model_that_does_not_stream_answers_in_one_piece(tmp_path: Path) -> None:
    async with openai(tmp_path) as (gateway, vendor):
        answer = await ask(gateway, [("model", "whisper-1"), ("stream", "true")])

    assert [event["type"] for event in events_of(answer.body)] == ["transcript.text.delta", "transcript.text.done"]
    assert events_of(answer.body)[1]["usage"] == {"type": "duration", "seconds": 3}
    assert "stream" not in vendor.asked[0]


@pytest.mark.parametrize("stream", [False, True])
async def test_silence_is_a_reply_and_is_paid(tmp_path: Path, stream: bool) -> None:
    async with openai(tmp_path, "gpt-4o-transcribe", **TOKENS) as (gateway, _):
        fields = [("model", "gpt-4o-transcribe"), ("prompt", "SILENT"), ("stream", str(stream).lower())]
        answer = await ask(gateway, fields)

    told = events_of(answer.body)[-1] if stream else answer.json
    assert (answer.status, told["text"]) == (200, "")
    assert told["usage"]["output_tokens"] == 2


@pytest.mark.parametrize("reply", [{"text": "Hi"}, {"text": "Hi", "usage": None}])
async def test_a_backend_that_counts_nothing_is_paid_by_the_files_own_length(
    tmp_path: Path, reply: dict[str, Any]
) -> None:
    async with scripted(tmp_path, lambda call: json_reply(reply)) as (gateway, _):
        answer = await ask(gateway, [("model", "ear")])
        bill = await gateway.bill(answer.headers["x-request-id"])

    assert answer.json == {"text": "Hi", "usage": {"type": "duration", "seconds": 3}}
    assert (bill["usage_source"], bill["cost"]) == ("counted", "0.003")


@pytest.mark.parametrize("shape", ["json", "text"])
async def test_events_in_place_of_a_whole_reply_are_joined(tmp_path: Path, shape: str) -> None:
    usage = {"type": "duration", "seconds": 5}
    told = [{"type": "transcript.text.delta", "delta": part} for part in ("Hi ", "there")]
    last = {"type": "transcript.text.done", "text": "Hi there", "usage": usage}
    pieces = [f"data: {json.dumps(one)}\n\n".encode() for one in (*told, last)]
    reply = Reply(200, {"content-type": "text/event-stream"}, pieces=pieces)
    async with scripted(tmp_path, lambda call: reply) as (gateway, _):
        answer = await ask(gateway, [("model", "ear"), ("response_format", shape)])
        bill = await gateway.bill(answer.headers["x-request-id"])

    if shape == "text":
        assert answer.body == b"Hi there\n"
    else:
        assert answer.json == {"text": "Hi there", "usage": usage}
    assert (bill["usage_source"], bill["cost"]) == ("vendor", "0.005")


async def test_events_that_do_not_end_are_no_reply(tmp_path: Path) -> None:
    piece = b'data: {"type":"transcript.text.delta","delta":"Hi "}\n\n'
    cut = Reply(200, {"content-type": "text/event-stream"}, pieces=[piece])
    async with scripted(tmp_path, lambda call: cut, lambda call: json_reply({"text": "Hi"})) as (gateway, _):
        answer = await ask(gateway, [("model", "ear")])

    assert (answer.status, answer.json["text"]) == (200, "Hi")


async def test_tokens_that_nobody_counted_are_estimated(tmp_path: Path) -> None:
    async with scripted(tmp_path, lambda call: json_reply({"text": "Hi there"}), **TOKENS) as (gateway, _):
        answer = await ask(gateway, [("model", "ear")])
        bill = await gateway.bill(answer.headers["x-request-id"])

    assert bill["usage_source"] == "estimated"
    assert {line["word"]: line["units"] for line in bill["bill"]["lines"]}["audio_in"] == 30
    assert answer.json["usage"]["type"] == "tokens"


async def test_what_is_held_covers_the_recording(tmp_path: Path) -> None:
    vendor = OpenAISimulator()
    async with Upstream(vendor) as simulator:
        config = upstream(simulator.url, "whisper-1", provider="openai", api_key=OPENAI_KEY)
        config += sells("whisper-1", second="1")
        async with hosted(tmp_path, config, balances={"poor": "2.5"}) as gateway:
            answer = await ask(gateway, [("model", "whisper-1")])

    assert (answer.status, answer.json["error"]["code"]) == (402, "insufficient_balance")
    assert vendor.asked == []


REFUSED: list[tuple[Fields, str]] = [
    ([], "model"),
    ([("model", "")], "model"),
    ([("model", "whisper-1"), ("model", "whisper-1")], "model"),
    ([("model", "whisper-1"), ("response_format", "xml")], "response_format"),
    ([("model", "whisper-1"), ("response_format", "diarized_json")], "response_format"),
    ([("model", "whisper-1"), ("response_format", "srt"), ("stream", "true")], "response_format"),
    ([("model", "whisper-1"), ("temperature", "1.5")], "temperature"),
    ([("model", "whisper-1"), ("temperature", "nan")], "temperature"),
    ([("model", "whisper-1"), ("temperature", "warm")], "temperature"),
    ([("model", "whisper-1"), ("stream", "maybe")], "stream"),
    ([("model", "whisper-1"), ("timestamp_granularities[]", "word")], "timestamp_granularities[]"),
    (
        [("model", "whisper-1"), ("response_format", "verbose_json"), ("timestamp_granularities[]", "page")],
        "timestamp_granularities[]",
    ),
    ([("model", "whisper-1"), ("include[]", "everything")], "include[]"),
    ([("model", "whisper-1"), ("response_format", "text"), ("include[]", "logprobs")], "include[]"),
    ([("model", "whisper-1"), ("prompt", "x" * 20_000)], "prompt"),
    ([("model", "whisper-1"), ("keywords[]", "x" * 5_000_000)], "keywords[]"),
]


async def test_what_cannot_be_asked_is_refused_by_name(tmp_path: Path) -> None:
    async with openai(tmp_path) as (gateway, vendor):
        for fields, param in REFUSED:
            answer = await ask(gateway, fields)

            assert (answer.status, answer.json["error"]["param"]) == (400, param), fields
    assert vendor.asked == []


NO_RECORDINGS = [
    (b"", "a.wav", "empty_file"),
    (b"Hello, I am a text.", "a.wav", "unsupported_file"),
    (b"%PDF-1.7 " + bytes(100), "a.pdf", "unsupported_file"),
    (FILE[:-1000], "a.wav", "invalid_file"),
    (FILE[:40], "a.wav", "invalid_file"),
    (tone(0), "a.wav", "invalid_file"),
    (FILE, "a.mp3", "invalid_file"),
    (FILE, "a.mkv", "invalid_file"),
]


async def test_files_that_are_no_recordings_are_refused(tmp_path: Path) -> None:
    async with openai(tmp_path) as (gateway, vendor):
        for file, name, code in NO_RECORDINGS:
            answer = await ask(gateway, [("model", "whisper-1")], file=file, name=name)

            error = answer.json["error"]
            assert (answer.status, error["param"], error["code"]) == (400, "file", code), name
    assert vendor.asked == []


async def test_silence_of_a_day_in_a_few_bytes_is_refused(tmp_path: Path) -> None:
    """A file without compression says so at once; FLAC stores a day of silence in two megabytes."""
    flac = bytearray((SOUNDS / "tone.flac").read_bytes())
    flac[21:26] = (flac[21] & 0xF0 | 0xF).to_bytes(1, "big") + b"\xff" * 4
    async with openai(tmp_path) as (gateway, vendor):
        answer = await ask(gateway, [("model", "whisper-1")], file=bytes(flac), name="a.flac")

    assert (answer.status, answer.json["error"]["code"]) == (400, "audio_too_long")
    assert vendor.asked == []


NO_FORMS: list[tuple[bytes, str | None]] = [
    (form([("model", "whisper-1")])[:-60], None),
    (form([("model", "whisper-1")])[:2000], None),
    (b"--limit--\r\n", "missing_required_parameter"),
    (b"no form at all", None),
    (
        b'--limit\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc\r\n--limit--\r\n',
        "missing_required_parameter",
    ),
    (form([("model", "whisper-1")]).replace(b'name="file"', b'name="mask"'), None),
]


async def test_forms_that_are_not_whole_are_refused(tmp_path: Path) -> None:
    headers = {"content-type": "multipart/form-data; boundary=limit"}
    async with openai(tmp_path) as (gateway, vendor):
        for body, code in NO_FORMS:
            answer = await gateway.post(body, PATH, headers=headers)

            assert (answer.status, answer.json["error"]["code"]) == (400, code), body[:100]
        wrong = await gateway.post({"model": "whisper-1"}, PATH)

    assert wrong.status == 415
    assert vendor.asked == []


async def test_shapes_that_a_model_does_not_have_are_refused_by_name(tmp_path: Path) -> None:
    async with openai(tmp_path, "gpt-4o-transcribe", **TOKENS) as (gateway, vendor):
        answer = await ask(gateway, [("model", "gpt-4o-transcribe"), ("response_format", "srt")])

    error = answer.json["error"]
    assert (answer.status, error["param"], error["code"]) == (400, "response_format", "unsupported_parameter")
    assert "cannot be srt" in error["message"]
    assert vendor.asked == []


async def test_a_vendor_without_transcription_is_refused_by_name(tmp_path: Path) -> None:
    async with Upstream() as simulator:
        config = upstream(simulator.url, "ear", provider="deepseek") + sells("ear", second="0.001")
        async with hosted(tmp_path, config) as gateway:
            answer = await ask(gateway, [("model", "ear")])
            translated = await ask(gateway, [("model", "ear")], TRANSLATIONS)

    assert answer.json["error"]["message"] == "No upstream of 'ear' offers /audio/transcriptions."
    assert translated.json["error"]["message"] == "No upstream of 'ear' offers /audio/translations."
    assert simulator.calls == []


async def test_the_next_backend_gets_the_whole_file_too(tmp_path: Path) -> None:
    calls: list[Call] = []

    def second(call: Call) -> Reply:
        calls.append(call)
        return json_reply({"text": "Hi", "usage": {"type": "duration", "seconds": 2.1}})

    async with scripted(tmp_path, lambda call: Reply(503), second) as (gateway, simulators):
        answer = await ask(gateway, [("model", "ear")])
        bill = await gateway.bill(answer.headers["x-request-id"])

    assert answer.status == 200
    assert FILE in simulators[0].calls[0].body
    assert FILE in calls[0].body
    assert bill["cost"] == "0.003"  # a begun second is a whole one


@pytest.mark.parametrize("prompt", ["HALF", "BREAK"])
async def test_a_stream_that_breaks_ends_with_an_error_and_is_billed_for_what_came(tmp_path: Path, prompt: str) -> None:
    async with openai(tmp_path, "gpt-4o-transcribe", **TOKENS) as (gateway, _):
        fields = [("model", "gpt-4o-transcribe"), ("prompt", prompt), ("stream", "true")]
        answer = await ask(gateway, fields)
        bill = await gateway.bill(answer.headers["x-request-id"])

    events = events_of(answer.body)
    assert events[0]["type"] == "transcript.text.delta"
    assert "error" in events[-1]
    assert bill["usage_source"] == "estimated"
    assert bill["status"] != 200


async def test_errors_of_the_vendor_reach_the_caller_and_cost_nothing(tmp_path: Path) -> None:
    async with openai(tmp_path) as (gateway, _):
        answer = await ask(gateway, [("model", "whisper-1"), ("prompt", "ERROR 400")])
        balance = (await gateway.balance())["balance"]

    assert (answer.status, answer.json["error"]["message"]) == (400, "The simulated vendor answers 400.")
    assert balance == "10"


NO_REPLIES = (
    b"not json",
    b'{"text": 1}',
    b'{"text": "a", "text": "b"}',
    b"[]",
    b'{"text": "a", "segments": [{"start": "x"}]}',
    b'{"words": []}',
)


@pytest.mark.parametrize("reply", NO_REPLIES)
async def test_replies_that_make_no_sense_are_failures(tmp_path: Path, reply: bytes) -> None:
    script: Script = lambda call: Reply(200, {"content-type": "application/json"}, reply)  # noqa: E731 - a script
    async with scripted(tmp_path, script) as (gateway, _):
        answers = [
            await ask(gateway, [("model", "ear"), more])
            for more in (("response_format", "json"), ("response_format", "srt"), ("stream", "true"))
        ]
        balance = (await gateway.balance())["balance"]

    assert [answer.status for answer in answers] == [502, 502, 502]
    assert balance == "10"


async def test_times_that_a_backend_does_not_tell_are_not_made_up(tmp_path: Path) -> None:
    async with scripted(tmp_path, lambda call: json_reply({"text": "Hi"})) as (gateway, _):
        answer = await ask(gateway, [("model", "ear"), ("response_format", "vtt")])

    assert answer.status == 502
    assert answer.json["error"]["message"] == "The upstream gave no times for its transcription."


async def test_the_same_idempotency_key_is_heard_and_paid_once(tmp_path: Path) -> None:
    headers = {"idempotency-key": "k"}
    fields = [("model", "whisper-1"), ("response_format", "vtt")]
    async with openai(tmp_path) as (gateway, vendor):
        one = await ask(gateway, fields, headers=headers)
        two = await ask(gateway, fields, headers=headers)
        other = await ask(gateway, fields, file=tone(1.0), headers=headers)
        balance = (await gateway.balance())["balance"]

    assert (two.headers["idempotent-replayed"], two.headers["content-type"]) == ("true", "text/vtt; charset=utf-8")
    assert two.body == one.body
    assert other.status == 422
    assert (len(vendor.asked), balance) == (1, "9.997")


async def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    size_bytes = 64 * 1024 * 1024
    taken: list[int] = []

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        left = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        taken.append(left)
        while left:
            left -= len(await reader.read(64 * 1024))
        body = b'{"text":"Hi","usage":{"type":"duration","seconds":3}}'
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 53\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    wav = tone(0)[:40] + size_bytes.to_bytes(4, "little")
    start, end = form([("model", "ear")], wav + b"SOUND").split(b"SOUND")
    async with await asyncio.start_server(swallow, "127.0.0.1", 0, limit=64 * 1024) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with hosted(tmp_path, upstream(url, "ear") + sells("ear", second="0.001")) as gateway:
            assert (await ask(gateway, [("model", "ear")])).status == 200  # what is loaded once
            tracemalloc.start()
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            headers = gateway.headers() | {"content-type": "multipart/form-data; boundary=limit", "connection": "close"}
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            length = f"content-length: {len(start) + size_bytes + len(end)}\r\n"
            writer.write(f"POST {PATH} HTTP/1.1\r\nhost: here\r\n{length}{lines}\r\n".encode() + start)
            for _ in range(0, size_bytes, 64 * 1024):
                writer.write(bytes(64 * 1024))
                await writer.drain()
            writer.write(end)
            answer = await reader.read()
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            writer.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert taken[1] > size_bytes
    assert peak < 12 * 1024 * 1024
