"""Running the gateway: health, readiness, metrics, browsers, HTTP/2, logs, and how it starts and stops."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gateway import COMMAND, GatewayProcess, free_port
from tests.engines.support import DATA, MODEL
from tests.hosted import CHAT, Hosted, create_keys, hosted, sells, upstream
from tests.raw_http import Connection, head_of
from tests.simulators.openai_upstream import DONE, Call, Reply, Upstream, by_model, chunk, usage_of
from tokengate.core.settings_file import load
from tokengate.engines import weights

SSE = {"content-type": "text/event-stream"}
MESSAGES = [{"role": "user", "content": "a-very-private-question"}]
ASK: dict[str, Any] = {"model": "ours", "messages": MESSAGES}
WORDS = [chunk("ours", [{"index": 0, "delta": {"content": f"word{n} "}, "finish_reason": None}]) for n in range(3)]
STOP = chunk("ours", [{"index": 0, "delta": {}, "finish_reason": "stop"}])
USAGE = chunk("ours", [], usage=usage_of(10, 5))
STREAM = [*WORDS, STOP, USAGE, DONE]
ONLY_CHAT = (
    "[engine.embedding]\nenabled = false\n[engine.speech]\nenabled = false\n[engine.transcription]\nenabled = false\n"
)


@asynccontextmanager
async def serving(folder: Path, *, config: str = "") -> AsyncGenerator[tuple[Upstream, Hosted]]:
    async with Upstream(by_model) as simulator:
        config += upstream(simulator.url, "ours") + sells("ours")
        async with hosted(folder, config) as gateway:
            yield simulator, gateway


# Health and readiness.


async def test_a_gateway_with_an_upstream_is_alive_and_ready(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway):
        health = await gateway.get("/healthz")
        ready = await gateway.get("/readyz")

    assert (health.status, health.json) == (200, {"status": "alive"})
    assert (ready.status, ready.json) == (200, {"status": "ready"})


async def test_a_gateway_that_can_answer_nothing_is_alive_and_not_ready(tmp_path: Path) -> None:
    async with hosted(tmp_path, "") as gateway:
        health = await gateway.get("/healthz")
        ready = await gateway.get("/readyz")

    assert health.status == 200
    assert ready.status == 503
    assert ready.json["missing"] == ["No upstream and no local model is configured."]


async def test_a_local_model_without_weights_says_how_to_get_them(tmp_path: Path) -> None:
    async with hosted(tmp_path, ONLY_CHAT) as gateway:
        while "loaded" in str((ready := await gateway.get("/readyz")).json):
            await asyncio.sleep(0.01)
        answer = await gateway.post({"model": MODEL, "messages": MESSAGES})

        assert ready.status == 503
        assert "tokengate models pull smollm2" in ready.json["missing"][0]
        assert (answer.status, answer.error["code"]) == (503, "model_missing")
        assert "tokengate models pull smollm2" in answer.error["message"]
        assert int(answer.headers["retry-after"]) >= 1
        assert (await gateway.balance())["available"] == "10"


async def test_while_a_local_model_loads_calls_are_told_to_come_back(tmp_path: Path) -> None:
    weights.pull(DATA)
    (tmp_path / "models").symlink_to(weights.weights_path(DATA).parent)
    config = f"[engine.chat]\ncontext = 256\nthreads = 1\nparallel = 1\n{ONLY_CHAT}"
    async with hosted(tmp_path, config) as gateway:
        ready = await gateway.get("/readyz")
        answer = await gateway.post({"model": MODEL, "messages": MESSAGES, "max_tokens": 1})
        async with asyncio.timeout(60):
            while (await gateway.get("/readyz")).status != 200:
                await asyncio.sleep(0.05)
        loaded = await gateway.post({"model": MODEL, "messages": MESSAGES, "max_tokens": 1})

    assert (ready.status, answer.status, loaded.status) == (503, 503, 200)
    assert ready.json["missing"] == [f"{MODEL}: It is being loaded."]
    assert answer.error["code"] == "model_loading"
    assert answer.headers["retry-after"] == "2"


# Metrics.


async def test_metrics_count_what_happened(tmp_path: Path) -> None:
    async with serving(tmp_path) as (simulator, gateway):
        await gateway.post(ASK)
        await gateway.post({**ASK, "stream": True})
        await gateway.post({**ASK, "n": 0})
        simulator.script = lambda _: Reply(raw=b"")
        await gateway.post(ASK)
        answer = await gateway.get("/metrics", headers={"authorization": ""})
        text = answer.body.decode()

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    call, one = 'endpoint="chat.completions",model="ours"', 'endpoint="chat.completions",model="ours",upstream="sim"'
    for line in (
        f'tokengate_requests_total{{{call},status="200",upstream="sim"}} 2.0',
        f'tokengate_requests_total{{{call},status="502",upstream="sim"}} 1.0',
        f"tokengate_cost_yuan_total{{{one}}} 0.03",
        f'tokengate_tokens_total{{direction="input",{one}}} 20.0',
        f"tokengate_first_token_seconds_count{{{one}}} 2.0",
        f"tokengate_latency_seconds_count{{{one}}} 3.0",
        'tokengate_refused_total{code="400"} 1.0',
        'tokengate_upstream_errors_total{kind="cut",upstream="sim"} 1.0',
        'tokengate_breaker{model="ours",state="closed",upstream="sim"} 1.0',
        "tokengate_in_flight 0.0",
        "tokengate_drains 0.0",
    ):
        assert line in text, line
    assert "tokengate_commit_seconds_bucket" in text
    assert "process_resident_memory_bytes" in text


async def test_calls_in_flight_are_seen(tmp_path: Path) -> None:
    async with serving(tmp_path) as (simulator, gateway), gateway.connect() as caller:
        simulator.script = lambda _: Reply(silent=True)
        await gateway.begin(caller, ASK)
        await simulator.arrived()

        assert "tokengate_in_flight 1.0" in (await gateway.get("/metrics")).body.decode()
        assert (await gateway.get("/internal/upstreams")).json["upstreams"][0]["in_flight"] == 1
        caller.leave()


# Browsers.


async def test_a_browser_may_ask_and_read_what_it_needs(tmp_path: Path) -> None:
    preflight = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-stainless-os",
    }
    async with serving(tmp_path) as (_, gateway), gateway.connect() as browser:
        await browser.request("OPTIONS", CHAT, preflight)
        allowed = await browser.answer()
        await gateway.begin(browser, ASK, headers={"origin": "https://app.example"})
        answer = await browser.answer()
        await gateway.begin(browser, {**ASK, "stream": True}, headers={"origin": "https://app.example"})
        stream = await browser.answer()
        await gateway.begin(browser, b"", headers={"origin": "https://app.example"})
        refused = await browser.answer()

    assert allowed.status == 204
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert allowed.headers["access-control-allow-headers"] == "authorization,content-type,x-stainless-os"
    assert int(allowed.headers["access-control-max-age"]) > 0
    for reply in (answer, stream, refused):
        assert reply.headers["access-control-allow-origin"] == "*"
        exposed = reply.headers["access-control-expose-headers"].lower().split(", ")
        assert {"x-request-id", "x-account-balance", "x-request-cost", "retry-after"} <= set(exposed)
        assert {name for name in reply.headers if name.startswith("x-")} <= set(exposed)


async def test_only_the_origins_of_the_configuration_are_allowed(tmp_path: Path) -> None:
    async with serving(tmp_path, config='[server]\ncors = ["https://app.example"]\n') as (_, gateway):
        friend = await gateway.get("/v1/models", headers={"origin": "https://app.example"})
        stranger = await gateway.get("/v1/models", headers={"origin": "https://evil.example"})

    assert friend.headers["access-control-allow-origin"] == "https://app.example"
    assert friend.headers["vary"] == "origin"
    assert "access-control-allow-origin" not in stranger.headers


# HTTP/1.1 and HTTP/2.


async def test_one_connection_carries_many_calls_whatever_becomes_of_them(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway), gateway.connect() as caller:
        statuses: list[int] = []
        for body in (ASK, {**ASK, "stream": True}, {**ASK, "model": "gone"}, b"{", {**ASK, "n": 0}, ASK):
            await gateway.begin(caller, body)
            statuses.append((await caller.answer()).status)

    assert statuses == [200, 200, 404, 400, 400, 200]


async def test_calls_sent_in_one_go_are_answered_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway), gateway.connect() as caller:
        body = json.dumps(ASK).encode()
        call = head_of("POST", CHAT, {**gateway.headers(), "content-length": str(len(body))}) + body
        listing = head_of("GET", "/v1/models", gateway.headers())
        await caller.send(call + listing + call)
        answers = [await caller.answer() for _ in range(3)]

    assert [answer.json["object"] for answer in answers] == ["chat.completion", "list", "chat.completion"]


@asynccontextmanager
async def curl_http2(gateway: Hosted, body: dict[str, Any]) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A call over HTTP/2 without TLS, its reply on standard output as it arrives."""
    headers = [part for name, value in gateway.headers().items() for part in ("-H", f"{name}: {value}")]
    process = await asyncio.create_subprocess_exec(
        *("curl", "--silent", "--no-buffer", "--http2-prior-knowledge", "-w", "%{http_version}"),
        *(*headers, "-d", json.dumps(body), gateway.url + CHAT),
        stdout=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@needs_curl
async def test_http_2_is_spoken(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, gateway), curl_http2(gateway, ASK) as curl:
        output, _ = await curl.communicate()

    assert json.loads(output[:-1])["choices"][0]["message"]["content"]
    assert output[-1:] == b"2"


@needs_curl
async def test_http_2_streams_chunk_by_chunk_and_a_caller_who_leaves_ends_the_upstream_call(tmp_path: Path) -> None:
    async with serving(tmp_path) as (simulator, gateway), curl_http2(gateway, {**ASK, "stream": True}) as curl:
        simulator.script = lambda _: Reply(headers=SSE, pieces=STREAM, gated=True)
        assert curl.stdout is not None
        call = await simulator.arrived()
        for word in WORDS:
            call.release()
            async with asyncio.timeout(60):
                assert await curl.stdout.readexactly(len(word)) == word
        assert not call.closed.is_set()
        curl.kill()

        await call.closed.wait()
        record = await gateway.last_call()

    assert (record["outcome"], record["usage_source"]) == ("client_gone", "estimated")


# Starting and stopping a real process.


class Process:
    """A real gateway process beside an upstream in the test's loop."""

    def __init__(self, folder: Path, simulator: Upstream, config: str = "") -> None:
        offer = upstream(simulator.url, "ours", "theirs", api_key="a-vendor-credential")
        self.gateway = GatewayProcess(folder, config + offer + sells("ours") + sells("theirs"))
        self.settings = load(self.gateway.config, environ={}, overrides={"data": str(folder)})
        self.key = ""

    async def __aenter__(self) -> "Process":
        keys = await create_keys(self.settings, {"main": "10"}, {})
        self.key = keys["main"].key
        await asyncio.to_thread(self.gateway.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gateway.kill()

    def connect(self) -> Connection:
        return Connection(self.gateway.port)

    async def begin(self, connection: Connection, body: dict[str, Any], **headers: str) -> None:
        sent = {"authorization": f"Bearer {self.key}", "content-type": "application/json", **headers}
        await connection.request("POST", CHAT, sent, json.dumps(body).encode())

    async def wait(self) -> int:
        process = self.gateway._process  # pyright: ignore[reportPrivateUsage]  # its exit is what is tested
        assert process is not None
        return await asyncio.to_thread(process.wait, 30)

    async def stops_taking_calls(self) -> tuple[int, int]:
        """Wait until new calls are refused; return the statuses of a call and of readiness then."""
        while True:
            async with self.connect() as caller:
                await self.begin(caller, {**ASK, "model": "gone"})
                refused = await caller.answer()
                if refused.status != 404:
                    await caller.request("GET", "/readyz")
                    return refused.status, (await caller.answer()).status

    async def records(self) -> dict[str, dict[str, Any]]:
        """Return what the stopped gateway recorded, by outcome."""
        async with hosted(self.gateway.folder, "") as gateway:
            calls = (await gateway.get("/v1/usage", headers={"authorization": f"Bearer {self.key}"})).json["data"]
            return {call["outcome"]: call for call in calls}


def scripted(call: Call) -> Reply:
    """Stream, gated, for a call that streams; hang otherwise."""
    return Reply(headers=SSE, pieces=STREAM, gated=True) if call.json.get("stream") else Reply(silent=True)


async def test_on_sigterm_what_is_in_flight_finishes_and_is_billed_and_the_deadline_ends_the_rest(
    tmp_path: Path,
) -> None:
    config = "[server]\nstop_timeout_s = 1.5\n"
    async with Upstream(scripted) as simulator, Process(tmp_path, simulator, config) as process:
        async with process.connect() as finishing, process.connect() as stuck, process.connect() as whole:
            for number, (caller, stream) in enumerate(((finishing, True), (stuck, True), (whole, False)), start=1):
                await process.begin(caller, {**ASK, "stream": stream})
                await simulator.arrived(number)
            for number, caller in enumerate((finishing, stuck)):
                simulator.calls[number].release()
                await caller.read_head()
                assert await caller.read_piece() == WORDS[0]

            os.kill(process.gateway.pid, signal.SIGTERM)
            assert await process.stops_taking_calls() == (503, 503)
            simulator.calls[0].release(9)
            finished = await finishing.read_rest()
            cut = await stuck.read_rest()
            refused = await whole.answer()
            status = await process.wait()
        records = await process.records()

    assert status == 0
    assert finished == b"".join((*WORDS[1:], STOP, DONE))
    assert b"[DONE]" not in cut
    assert "stopped" in json.loads(cut.split(b"data: ")[-1])["error"]["message"]
    assert (refused.status, refused.headers["retry-after"]) == (503, "2")
    assert {outcome: record["usage_source"] for outcome, record in records.items()} == {
        "ok": "vendor",
        "stopped": "estimated",
        "error": None,
    }
    assert records["ok"]["cost"] == "0.015"
    assert 0 < records["stopped"]["output_tokens"] < records["ok"]["output_tokens"]
    assert float(records["stopped"]["cost"]) > 0
    assert records["error"]["cost"] == "0"


async def test_a_second_gateway_on_the_port_or_the_data_is_refused_in_one_sentence_and_harms_nothing(
    tmp_path: Path,
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    async with Upstream(by_model) as simulator, Process(tmp_path, simulator) as process:
        same_port = await asyncio.to_thread(_serve, other, process.gateway.port, process.gateway.config)
        same_data = await asyncio.to_thread(_serve, tmp_path, free_port(), process.gateway.config)
        async with process.connect() as caller:
            await process.begin(caller, ASK)
            answer = await caller.answer()

    assert answer.status == 200
    refused: subprocess.CompletedProcess[str]
    for refused in (same_port, same_data):
        assert refused.returncode not in (0, None)
        assert len(refused.stderr.strip().splitlines()) == 1, refused.stderr
        assert "Traceback" not in refused.stderr
    assert f"already answers on 127.0.0.1:{process.gateway.port}" in same_port.stderr
    assert "another" in same_data.stderr


def _serve(folder: Path, port: int, config: Path) -> subprocess.CompletedProcess[str]:
    arguments = ["serve", "--port", str(port), "--data", str(folder), "--config", str(config)]
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=100)


async def test_the_log_holds_neither_keys_nor_what_was_said(tmp_path: Path) -> None:
    error = b'{"error":{"message":"a-vendor-credential, a-secret-tale"}}'
    told = chunk("ours", [{"index": 0, "delta": {"content": "a-secret-tale"}, "finish_reason": None}])
    cut = Reply(headers=SSE, pieces=[told], ending="cut")
    failure = Reply(500, {"content-type": "application/json"}, error)
    overrun = Reply(headers=SSE, pieces=[told, STOP, chunk("ours", [], usage=usage_of(10, 50_000)), DONE])
    replies = [cut, failure, failure, failure, failure, overrun]
    async with Upstream(lambda _: replies.pop(0)) as simulator:
        async with Process(tmp_path, simulator, '[server]\nlog_level = "debug"\n') as process:
            async with process.connect() as caller:
                for model in ("ours", *["ours"] * 5, "theirs", "theirs"):
                    await process.begin(caller, {**ASK, "model": model, "stream": True})
                    await caller.answer()
                await process.begin(caller, ASK, authorization="Bearer sk-a-wrong-key")
                await caller.answer()
            process.gateway.stop()
        log = process.gateway.log.read_text()

    assert replies == []
    events = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert all({"event", "level", "timestamp"} <= set(event) for event in events)
    assert {"breaker", "overrun", "stopping"} <= {event["event"] for event in events}
    for secret in (process.key, process.key[3:], "sk-a-wrong-key", "a-vendor-credential"):
        assert secret not in log
    assert "a-secret-tale" not in log and "a-very-private-question" not in log
