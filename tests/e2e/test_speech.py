"""Speech through a running gateway: what reaches the caller, what each vendor is asked, and the exact money."""

import asyncio
import base64
import io
import json
import tracemalloc
import wave
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted, upstream
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.openai_speech import KEY, QWEN, VllmOmniSimulator, duration_s, sound_of, usage_of
from tests.simulators.openai_upstream import Call, Reply, Script, Upstream
from tests.simulators.openai_vendor import KEY as OPENAI_KEY
from tests.simulators.openai_vendor import OpenAISimulator
from tokengate.accounts.keys import KeyLimits

PATH = "/v1/audio/speech"
ASK: dict[str, Any] = {"model": "tts-1-hd", "input": "Hello there", "voice": "alloy", "response_format": "wav"}
QWEN_ASK: dict[str, Any] = {"model": "qwen-tts", "input": "你好，世界", "voice": "Vivian", "response_format": "wav"}
WAV = {"content-type": "audio/wav"}
PIECE = bytes(range(200))


def sells(model: str, **price: str) -> str:
    words = ", ".join(f'{word} = "{amount}"' for word, amount in {**price, "per": "mtok"}.items())
    return f'[[model]]\nid = "{model}"\nkind = "speech"\nprice = {{ {words} }}\n'


@asynccontextmanager
async def openai(folder: Path, model: str, **price: str) -> AsyncGenerator[tuple[Hosted, OpenAISimulator]]:
    vendor = OpenAISimulator()
    async with Upstream(vendor) as simulator:
        config = upstream(simulator.url, model, provider="openai", api_key=OPENAI_KEY) + sells(model, **price)
        async with hosted(folder, config) as gateway:
            yield gateway, vendor


@asynccontextmanager
async def qwen(folder: Path, **price: str) -> AsyncGenerator[tuple[Hosted, VllmOmniSimulator]]:
    vendor = VllmOmniSimulator()
    async with Upstream(vendor) as simulator:
        config = f'[[upstream]]\nname = "omni"\nprovider = "vllm"\nbase_url = "{simulator.url}"\napi_key = "{KEY}"\n'
        config += f'models = {{ "qwen-tts" = "{QWEN}" }}\n' + sells("qwen-tts", **(price or {"character": "0.00008"}))
        async with hosted(folder, config) as gateway:
            yield gateway, vendor


@asynccontextmanager
async def scripted(folder: Path, *scripts: Script) -> AsyncGenerator[tuple[Hosted, list[Upstream]]]:
    """Open a gateway whose upstreams are asked one after the other, at 0.001 yuan a character."""
    simulators = [await _started(script) for script in scripts]
    config = sells("tts", character="0.001")
    for number, simulator in enumerate(simulators):
        config += upstream(simulator.url, "tts", name=f"up{number}", tier=number + 1)
    try:
        async with hosted(folder, config) as gateway:
            yield gateway, simulators
    finally:
        for simulator in simulators:
            await simulator.stop()


async def _started(script: Script) -> Upstream:
    simulator = Upstream(script)
    await simulator.start()
    return simulator


def ask(text: str = "Hello there", **more: Any) -> dict[str, Any]:
    return {"model": "tts", "input": text, "voice": "alloy", **more}


def seconds(wav: bytes) -> float:
    with wave.open(io.BytesIO(wav)) as file:
        return file.getnframes() / file.getframerate()


def events_of(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix(b"data: ")) for line in body.splitlines() if line.startswith(b"data: ")]


async def test_a_text_is_read_aloud_and_paid_by_its_characters(tmp_path: Path) -> None:
    async with openai(tmp_path, "tts-1-hd", character="0.000213") as (gateway, vendor):
        answers = [await gateway.post(ASK, base + "/audio/speech") for base in BASES]
        bill = await gateway.bill(answers[0].headers["x-request-id"])

        for answer in answers:
            assert (answer.status, answer.headers["content-type"]) == (200, "audio/wav")
            assert answer.body == sound_of(ASK, "wav")
            assert seconds(answer.body) == duration_s(ASK)
        assert vendor.asked == [ASK] * 3
        assert (bill["endpoint"], bill["cost"], bill["usage_source"]) == ("audio.speech", "0.002343", "counted")
        assert bill["bill"]["lines"] == [
            {"word": "character", "price": "0.000213", "per": 1, "units": 11, "amount": "0.002343"}
        ]
        assert (await gateway.balance())["balance"] == "9.992971"


BASES = ("/v1", "/api/gpt/v1", "/compatible-mode/v1")


async def test_characters_do_not_count_as_tokens_per_minute(tmp_path: Path) -> None:
    async with Upstream(OpenAISimulator()) as simulator:
        config = upstream(simulator.url, "tts-1-hd", provider="openai", api_key=OPENAI_KEY)
        config += sells("tts-1-hd", character="0.0001")
        limits = {"main": KeyLimits(tokens_per_minute=10)}
        async with hosted(tmp_path, config, limits=limits) as gateway:
            answers = [await gateway.post(ASK, PATH) for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert {answer.headers["x-ratelimit-remaining-tokens"] for answer in answers} == {"10"}


async def test_characters_are_those_of_unicode_and_the_quote_says_the_same(tmp_path: Path) -> None:
    async with openai(tmp_path, "tts-1-hd", character="0.001") as (gateway, _):
        text = ASK | {"input": "你好 😀!"}
        quote = (await gateway.post(text, "/v1/quote?path=/v1/audio/speech")).json
        answer = await gateway.post(text, PATH)
        bill = await gateway.bill(answer.headers["x-request-id"])

    assert quote["yuan"] == {"at_least": "0.005", "at_most": "0.005", "held": "0.005"}
    assert bill["cost"] == "0.005"


async def test_the_vendors_tokens_are_billed_where_they_have_the_price(tmp_path: Path) -> None:
    """Sound without events never says how many tokens it took, so the vendor is asked for events."""
    asked = ASK | {"model": "gpt-4o-mini-tts", "instructions": "Whisper."}
    usage = usage_of(asked)
    async with openai(tmp_path, "gpt-4o-mini-tts", input="1000", audio_out="2000") as (gateway, vendor):
        sound = await gateway.post(asked, PATH)
        events = await gateway.post(asked | {"stream_format": "sse"}, PATH)
        bills = [await gateway.bill(answer.headers["x-request-id"]) for answer in (sound, events)]

    assert (sound.headers["content-type"], sound.body) == ("audio/wav", sound_of(asked, "wav"))
    told = events_of(events.body)
    assert events.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert b"".join(base64.b64decode(event["audio"]) for event in told[:-1]) == sound_of(asked, "wav")
    assert told[-1] == {"type": "speech.audio.done", "usage": usage}
    assert vendor.asked == [asked | {"stream_format": "sse"}] * 2
    cost = Decimal(usage["input_tokens"] * 1000 + usage["output_tokens"] * 2000) / 1_000_000
    assert [(Decimal(bill["cost"]), bill["usage_source"]) for bill in bills] == [(cost, "vendor")] * 2
    assert bills[0]["bill"]["vendor_usage"] == usage


async def test_a_server_of_ones_own_gets_language_and_instructions(tmp_path: Path) -> None:
    async with qwen(tmp_path) as (gateway, vendor):
        answer = await gateway.post(QWEN_ASK | {"language": "Chinese", "instructions": "高兴地说"}, PATH)
        bill = await gateway.bill(answer.headers["x-request-id"])

    assert vendor.asked == [QWEN_ASK | {"model": QWEN, "language": "Chinese", "instructions": "高兴地说"}]
    assert seconds(answer.body) == duration_s(QWEN_ASK)
    assert bill["cost"] == "0.0004"


@pytest.mark.parametrize(
    ("more", "sent"),
    [
        ({}, {"stream_format": "sse"}),
        ({"stream_format": "audio"}, {"stream_format": "sse"}),
        ({"stream_format": "sse"}, {"stream_format": "sse"}),
        ({"response_format": "mp3"}, {}),
        ({"speed": 2.0}, {}),
        ({"speed": 2.0, "stream_format": "audio"}, {}),
    ],
    ids=["whole", "streamed", "events", "mp3", "faster", "faster and streamed"],
)
async def test_the_tokens_of_a_server_of_ones_own_are_billed_however_the_sound_comes(
    tmp_path: Path, more: dict[str, Any], sent: dict[str, Any]
) -> None:
    """Events end with the count; of sound that cannot be streamed the reply's head has it."""
    asked = QWEN_ASK | more
    usage = usage_of(asked)
    async with qwen(tmp_path, input="1000", audio_out="2000") as (gateway, vendor):
        answer = await gateway.post(asked, PATH)
        bill = await gateway.bill(answer.headers["x-request-id"])

    plain = {name: value for name, value in asked.items() if name != "stream_format"}
    assert vendor.asked == [plain | {"model": QWEN} | sent]
    if more.get("stream_format") == "sse":
        sound = b"".join(base64.b64decode(event["audio"]) for event in events_of(answer.body)[:-1])
    else:
        sound = answer.body
    assert sound == sound_of(asked, asked["response_format"])
    cost = Decimal(usage["input_tokens"] * 1000 + usage["output_tokens"] * 2000) / 1_000_000
    assert (Decimal(bill["cost"]), bill["usage_source"]) == (cost, "vendor")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"voice": "nobody"}, "Unknown speaker"),
        ({"language": "Klingon"}, "Unsupported language"),
        ({"task_type": "Base"}, "does not support task_type='Base'"),
    ],
)
async def test_a_server_of_ones_own_says_what_it_has_not(tmp_path: Path, more: dict[str, str], says: str) -> None:
    async with qwen(tmp_path) as (gateway, _):
        answer = await gateway.post(QWEN_ASK | more, PATH)

        assert answer.status == 400 and says in answer.json["error"]["message"]
        assert (await gateway.balance())["balance"] == "10"


@pytest.mark.parametrize("count", ["", "many", "-1", "9" * 20, "²"])
async def test_a_count_in_a_head_that_is_none_is_not_believed(tmp_path: Path, count: str) -> None:
    head = WAV | {"x-vllm-omni-input-tokens": "3", "x-vllm-omni-output-tokens": count.encode().decode("latin-1")}
    async with Upstream(lambda _: Reply(200, head, pieces=[PIECE])) as simulator:
        config = upstream(simulator.url, "tts", provider="vllm") + sells("tts", input="1000", audio_out="2000")
        async with hosted(tmp_path, config) as gateway:
            answer = await gateway.post(ask(response_format="mp3"), PATH)
            bill = await gateway.bill(answer.headers["x-request-id"])

    assert (answer.status, bill["usage_source"]) == (200, "estimated")


async def test_events_of_a_server_of_ones_own_that_break_off_end_with_an_error(tmp_path: Path) -> None:
    async with qwen(tmp_path) as (gateway, _):
        answer = await gateway.post(QWEN_ASK | {"input": "BREAK it off", "stream_format": "sse"}, PATH)
        bill = await gateway.bill(answer.headers["x-request-id"])

    told = events_of(answer.body)
    assert [event.get("type") for event in told[:-1]] == ["speech.audio.delta"] and "error" in told[-1]
    assert bill["outcome"] != "ok"


async def test_a_server_with_another_default_still_writes_mp3_unless_asked(tmp_path: Path) -> None:
    plain = {name: value for name, value in QWEN_ASK.items() if name != "response_format"}
    async with qwen(tmp_path) as (gateway, vendor):
        answer = await gateway.post(plain | {"stream_format": "audio"}, PATH)

    assert vendor.asked == [plain | {"model": QWEN, "response_format": "mp3"}]
    assert (answer.headers["content-type"], answer.body[:2]) == ("audio/mpeg", b"\xff\xfb")


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"response_format": "aac"}, "response_format"),
        ({"stream_format": "sse"}, "stream_format"),
        ({"response_format": "wav", "stream_format": "sse", "speed": 2}, "speed"),
    ],
)
async def test_what_a_vendor_cannot_write_is_refused_by_name(tmp_path: Path, more: dict[str, Any], param: str) -> None:
    async with qwen(tmp_path) as (gateway, vendor):
        answer = await gateway.post(QWEN_ASK | {"response_format": "mp3"} | more, PATH)

    assert (answer.status, answer.json["error"]["param"]) == (400, param)
    assert vendor.asked == []


async def test_openai_is_not_told_a_language_and_the_caller_is_warned(tmp_path: Path) -> None:
    async with openai(tmp_path, "tts-1-hd", character="0.001") as (gateway, vendor):
        answer = await gateway.post(ASK | {"language": "English"}, PATH)

    assert (answer.status, vendor.asked) == (200, [ASK])
    assert answer.headers["x-tokengate-warning"] == "dropped, sim has no such parameter: language"


async def test_a_vendor_without_speech_is_refused_by_name(tmp_path: Path) -> None:
    async with Upstream() as simulator:
        config = upstream(simulator.url, "tts", provider="deepseek") + sells("tts", character="0.001")
        async with hosted(tmp_path, config) as gateway:
            answer = await gateway.post(ask(), PATH)

    error = answer.json["error"]
    assert (answer.status, error["code"], error["param"]) == (400, "operation_not_offered", "model")
    assert error["message"] == "No upstream of 'tts' offers /audio/speech."
    assert simulator.calls == []


async def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    async with openai(tmp_path, "tts-1-hd", character="0.001") as (gateway, _):
        answer = await gateway.post({"model": "tts-1-hd", "input": "Hi"}, "/v1/embeddings")

    assert (answer.status, answer.json["error"]["code"]) == (400, "model_kind_mismatch")


@pytest.mark.parametrize(
    "failing",
    [
        Reply(200, WAV),
        Reply(200, WAV, pieces=[sound_of(ask(""), "wav")]),
        Reply(200, WAV, pieces=[b"RIFF"], ending="cut"),
        Reply(503, {"content-type": "application/json"}, b'{"error": {"message": "Busy"}}'),
        Reply(200, {"content-type": "application/json"}, b'{"error": {"message": "Busy", "code": "503"}}'),
        Reply(200, {"content-type": "text/html"}, b"<html>Hello</html>"),
    ],
    ids=["empty", "only a head", "cut in its head", "busy", "an error with status 200", "a page"],
)
async def test_before_the_first_sound_another_vendor_is_asked(tmp_path: Path, failing: Reply) -> None:
    sound = Reply(200, WAV, pieces=[PIECE, PIECE])
    async with scripted(tmp_path, lambda _: failing, lambda _: sound) as (gateway, simulators):
        answer = await gateway.post(ask(), PATH)
        bill = await gateway.bill(answer.headers["x-request-id"])

    assert (answer.status, answer.body) == (200, PIECE + PIECE)
    assert [len(simulator.calls) for simulator in simulators] == [1, 1]
    assert bill["cost"] == "0.011"


async def test_a_reply_without_sound_costs_nothing(tmp_path: Path) -> None:
    async with scripted(tmp_path, lambda _: Reply(200, WAV)) as (gateway, _):
        answer = await gateway.post(ask(), PATH)

        assert (answer.status, answer.headers["content-type"]) == (502, "application/json")
        assert (await gateway.balance())["balance"] == "10"


async def test_a_reply_that_the_vendor_cuts_is_broken_off_and_charged_once(tmp_path: Path) -> None:
    """Sound has no words for an error: only a body that does not end says that it is not whole."""
    cut = Reply(200, WAV, pieces=[PIECE, PIECE], ending="cut", gated=True)
    async with scripted(tmp_path, lambda _: cut) as (gateway, (simulator,)):
        async with gateway.connect() as caller:
            await gateway.begin(caller, ask(), PATH, headers={"idempotency-key": "one"})
            call = await simulator.arrived()
            call.release()
            await caller.read_head()
            first = await caller.read_piece()
            call.release(2)
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await caller.read_rest()
        record = await gateway.last_call()
        again = await gateway.post(ask(), PATH, headers={"idempotency-key": "one"})

        assert first == PIECE[:-1]
        assert (record["outcome"], record["cost"]) == ("upstream_cut", "0.011")
        assert (again.status, again.headers["idempotent-replayed"]) == (409, "true")
        assert "was cut" in again.json["error"]["message"]
        assert (await gateway.balance())["balance"] == "9.989"


async def test_a_caller_who_leaves_before_the_first_sound_pays_nothing(tmp_path: Path) -> None:
    async with scripted(tmp_path, lambda _: Reply(200, WAV, pieces=[PIECE], gated=True)) as (gateway, (simulator,)):
        async with gateway.connect() as caller:
            await gateway.begin(caller, ask(), PATH)
            call = await simulator.arrived()
        await call.closed.wait()
        record = await gateway.last_call()

        assert (record["outcome"], record["cost"]) == ("client_gone", "0")
        assert (await gateway.balance())["balance"] == "10"


async def test_a_caller_who_leaves_while_it_speaks_pays_for_the_text(tmp_path: Path) -> None:
    """The vendor charges all characters at once."""
    async with scripted(tmp_path, lambda _: Reply(200, WAV, pieces=[PIECE] * 3, gated=True)) as (
        gateway,
        (simulator,),
    ):
        async with gateway.connect() as caller:
            await gateway.begin(caller, ask(), PATH)
            call = await simulator.arrived()
            call.release()
            await caller.read_head()
            await caller.read_piece()
        await call.closed.wait()
        record = await gateway.last_call()

        assert (record["outcome"], record["cost"]) == ("client_gone", "0.011")
        assert (await gateway.balance())["balance"] == "9.989"


async def test_tokens_of_a_caller_who_leaves_are_read_to_the_vendors_count(tmp_path: Path) -> None:
    sound = base64.b64encode(PIECE).decode()
    pieces = [f'data: {{"type":"speech.audio.delta","audio":"{sound}"}}\n\n'.encode()] * 2
    pieces.append(b'data: {"type":"speech.audio.done","usage":{"input_tokens":3,"output_tokens":50}}\n\n')
    reply = Reply(200, {"content-type": "text/event-stream"}, pieces=pieces, gated=True)
    async with Upstream(lambda _: reply) as simulator:
        config = upstream(simulator.url, "tts", provider="openai") + sells("tts", input="1000", audio_out="2000")
        async with hosted(tmp_path, config) as gateway:
            async with gateway.connect() as caller:
                await gateway.begin(caller, ask(), PATH)
                call = await simulator.arrived()
                call.release()
                await caller.read_head()
                await caller.read_piece()
            call.release(3)
            record = await gateway.last_call()

    assert (record["outcome"], record["cost"], record["usage_source"]) == ("client_gone", "0.103", "vendor")


async def test_tokens_that_nobody_tells_are_estimated_from_the_text(tmp_path: Path) -> None:
    async with Upstream(lambda _: Reply(200, WAV, pieces=[PIECE])) as simulator:
        config = upstream(simulator.url, "tts") + sells("tts", input="1000", audio_out="2000")
        async with hosted(tmp_path, config) as gateway:
            answer = await gateway.post(ask(), PATH)
            bill = await gateway.bill(answer.headers["x-request-id"])

    units = {line["word"]: line["units"] for line in bill["bill"]["lines"]}
    assert (answer.body, bill["usage_source"]) == (PIECE, "estimated")
    assert units["audio_out"] == 6 * units["input"] > 0


async def test_a_backend_that_knows_no_events_gives_sound_which_becomes_them(tmp_path: Path) -> None:
    sound = Reply(200, WAV, pieces=[PIECE, PIECE])
    async with scripted(tmp_path, lambda _: sound) as (gateway, _):
        answer = await gateway.post(ask(stream_format="sse"), PATH)
        bill = await gateway.bill(answer.headers["x-request-id"])

    *told, last = events_of(answer.body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert b"".join(base64.b64decode(one["audio"]) for one in told) == PIECE + PIECE
    assert (last["type"], bill["cost"]) == ("speech.audio.done", "0.011")


async def test_an_error_among_events_ends_them_in_the_vendors_words(tmp_path: Path) -> None:
    sound = b'data: {"type":"speech.audio.delta","audio":"%b"}\n\n' % base64.b64encode(PIECE)
    broken = b'data: {"type":"error","error":{"message":"The voice broke.","code":"server_error"}}\n\n'
    reply = Reply(200, {"content-type": "text/event-stream"}, pieces=[sound, broken])
    async with scripted(tmp_path, lambda _: reply) as (gateway, _):
        answer = await gateway.post(ask(stream_format="sse"), PATH)
        record = await gateway.last_call()

    assert answer.body.startswith(sound)
    assert events_of(answer.body)[-1]["error"]["message"] == "The voice broke."
    assert record["cost"] == "0.011"


async def test_the_wallet_must_be_able_to_pay_for_the_text(tmp_path: Path) -> None:
    async with scripted(tmp_path, lambda _: Reply(200, WAV, pieces=[PIECE])) as (gateway, (simulator,)):
        answers = [await gateway.post(ask("x" * 4_096), PATH) for _ in range(3)]

        assert [answer.status for answer in answers] == [200, 200, 402]
        assert "4.096" in answers[2].json["error"]["message"]
        assert len(simulator.calls) == 2


async def test_a_repeated_call_gets_the_same_sound_and_is_charged_once(tmp_path: Path) -> None:
    async with scripted(tmp_path, lambda _: Reply(200, WAV, pieces=[PIECE, PIECE])) as (gateway, (simulator,)):
        first, second = [await gateway.post(ask(), PATH, headers={"idempotency-key": "one"}) for _ in range(2)]

        assert first.body == second.body == PIECE + PIECE
        assert second.headers["content-type"] == "audio/wav"
        assert (len(simulator.calls), (await gateway.balance())["balance"]) == (1, "9.989")


async def test_a_long_reply_passes_in_bounded_memory(tmp_path: Path) -> None:
    piece = bytes(1 << 20)

    def long(_: Call) -> Reply:
        return Reply(200, WAV, pieces=[piece] * 64)

    async with scripted(tmp_path, long) as (gateway, _), gateway.connect() as caller:
        await gateway.begin(caller, ask(), PATH)
        await caller.read_head()
        tracemalloc.start()
        size_bytes = 0
        while chunk := await caller.read_piece():
            size_bytes += len(chunk)
        _, most_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert size_bytes == 64 << 20
    assert most_bytes < 24 << 20


@asynccontextmanager
async def dashscope(folder: Path) -> AsyncGenerator[tuple[Hosted, DashScope]]:
    with DashScope() as vendor:
        config = f'[[upstream]]\nname = "them"\nprovider = "dashscope_native"\nbase_url = "{vendor.url}"\n'
        config += f'api_key = "{vendor.key}"\nmodels = ["qwen3-tts-flash", "qwen-tts"]\n'
        async with hosted(folder, config) as gateway:
            yield gateway, vendor


NATIVE = "/api/v1/services/aigc/multimodal-generation/generation"


async def test_a_han_character_is_held_and_paid_as_the_vendor_counts_it(tmp_path: Path) -> None:
    asked = {"model": "qwen3-tts-flash", "input": "你好 Hi", "voice": "Cherry", "response_format": "pcm"}
    native = {"model": "qwen3-tts-flash", "input": {"text": "你好 Hi", "voice": "Cherry"}}
    async with dashscope(tmp_path) as (gateway, _):
        quotes = [
            (await gateway.post(body, f"/v1/quote?path={path}")).json["yuan"]["held"]
            for body, path in ((asked, PATH), (native, NATIVE))
        ]
        answers = [
            await gateway.post(asked, PATH),
            await gateway.post(native, NATIVE),
            await gateway.post(native, NATIVE, headers={"x-dashscope-sse": "enable"}),
        ]
        bills = [await gateway.bill(answer.headers["x-request-id"]) for answer in answers]

    assert [answer.status for answer in answers] == [200] * 3
    assert quotes == ["0.00056"] * 2
    assert [(bill["cost"], bill["usage_source"]) for bill in bills] == [("0.00056", "vendor")] * 3
    assert answers[1].json["request_id"] == answers[1].headers["x-request-id"]


async def test_the_vendors_tokens_of_sound_are_billed(tmp_path: Path) -> None:
    asked = {"model": "qwen-tts", "input": "Hello there", "voice": "Cherry", "response_format": "wav"}
    async with dashscope(tmp_path) as (gateway, _):
        answer = await gateway.post(asked, PATH)
        bill = await gateway.bill(answer.headers["x-request-id"])

    assert (bill["cost"], bill["usage_source"]) == ("0.0005032", "vendor")  # 2 tokens of text, 50 of sound


@pytest.mark.parametrize("text", ["ERROR InternalError", "NOTHING", "BREAK InternalError", "HALF of it all, please"])
async def test_a_vendor_that_does_not_speak_to_the_end_is_not_taken_for_one_that_did(tmp_path: Path, text: str) -> None:
    native = {"model": "qwen3-tts-flash", "input": {"text": text, "voice": "Cherry"}}
    async with dashscope(tmp_path) as (gateway, _):
        answer = await gateway.post(native, NATIVE, headers={"x-dashscope-sse": "enable"})
        bill = await gateway.bill(answer.headers["x-request-id"])

    if answer.status == 200:
        assert b"event:error" in answer.body and bill["outcome"] == "upstream_cut"
        assert bill["bill"]["lines"][0]["units"] == len(text)
    else:
        assert answer.json["code"] in ("InternalError", "ServiceUnavailable") and bill["cost"] == "0"
