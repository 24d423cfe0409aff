"""Backends that fail, each in its own way: who is tried next, who is left alone, what the caller is told, and when."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.e2e.gateway import COMMAND, free_port
from tests.hosted import Hosted, hosted, sells, upstream
from tests.raw_http import Answer
from tests.simulators.openai_upstream import DONE, Reply, Upstream, by_model, chunk, completion, usage_of

JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}
ASK: dict[str, Any] = {"model": "ours", "messages": [{"role": "user", "content": "Hi"}]}
ROLE = chunk("ours", [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
WORD = chunk("ours", [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}])
WHOLE = json.dumps(completion("ours", "Good morning", usage_of(10, 5))).encode()


def fails(status: int, code: str = "broken", **headers: str) -> Reply:
    error = {"message": f"Status {status}.", "type": "server_error", "param": None, "code": code}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {**JSON, **named}, json.dumps({"error": error}).encode())


@asynccontextmanager
async def failing(
    folder: Path, reply: Reply, *, timeouts: dict[str, float] | None = None
) -> AsyncGenerator[tuple[Upstream, Upstream, Hosted]]:
    """A gateway whose first backend always answers like this; the second one is well."""
    async with Upstream(lambda _: reply) as first, Upstream(by_model) as second:
        config = (
            upstream(first.url, "ours", name="first", timeouts=timeouts)
            + upstream(second.url, "ours", name="second", tier=2)
            + sells("ours")
        )
        async with hosted(folder, config) as gateway:
            yield first, second, gateway


@asynccontextmanager
async def alone(
    folder: Path, reply: Reply, *, timeouts: dict[str, float] | None = None
) -> AsyncGenerator[tuple[Upstream, Hosted]]:
    """A gateway with one backend, which answers like this."""
    async with Upstream(lambda _: reply) as simulator:
        config = upstream(simulator.url, "ours", timeouts=timeouts) + sells("ours")
        async with hosted(folder, config) as gateway:
            yield simulator, gateway


def was_answered_by_second(answer: Answer, record: dict[str, Any], kind: str) -> bool:
    return (
        answer.status == 200
        and [attempt["upstream"] for attempt in record["attempts"]] == ["first", "second"]
        and [attempt["outcome"] for attempt in record["attempts"]] == [kind, "ok"]
        and record["cost"] == "0.015"
    )


# The next backend.

FAILURES = {
    "status 500": (fails(500), "status"),
    "status 502 in HTML": (Reply(502, {"content-type": "text/html"}, b"<html><title>Bad</title></html>"), "status"),
    "status 429": (fails(429, retry_after="30"), "limited"),
    "status 503": (fails(503, retry_after="30"), "limited"),
    "status 401": (fails(401, "invalid_api_key"), "auth"),
    "status 402": (fails(402), "quota"),
    "insufficient quota": (fails(429, "insufficient_quota"), "quota"),
    "a 404 that is not the API's": (Reply(404, {"content-type": "text/plain"}, b"nginx"), "status"),
    "a redirect": (Reply(302, {"location": "http://127.0.0.1:1/"}), "invalid"),
    "no answer at all": (Reply(silent=True), "timeout"),
    "a connection that closes": (Reply(raw=b""), "cut"),
    "no HTTP": (Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n"), "invalid"),
}
BROKEN_WHOLES = {
    "an empty body": (Reply(headers=JSON), "invalid"),
    "half a body": (Reply(headers=JSON, body=WHOLE[:40], declared_bytes=len(WHOLE), ending="cut"), "cut"),
    "a silent rest": (Reply(headers=JSON, body=WHOLE[:40], declared_bytes=len(WHOLE), ending="stall"), "timeout"),
    "no JSON": (Reply(headers=JSON, body=b"<html>"), "invalid"),
    "no choices": (Reply(headers=JSON, body=b'{"object":"chat.completion","choices":[]}'), "empty"),
    "no content": (Reply(headers=JSON, body=json.dumps(completion("ours", "", usage_of(10, 0))).encode()), "empty"),
    "an error inside": (Reply(headers=JSON, body=b'{"error":{"message":"Overloaded","code":"503"}}'), "status"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", FAILURES)
async def test_a_backend_that_fails_before_content_is_replaced_by_the_next(
    tmp_path: Path, name: str, stream: bool
) -> None:
    reply, kind = FAILURES[name]
    async with failing(tmp_path, reply, timeouts={"first": 0.2}) as (first, second, gateway):
        answer = await gateway.post({**ASK, "stream": stream})
        record = await gateway.bill(answer.headers["x-request-id"])

    assert len(first.calls) == len(second.calls) == 1
    assert was_answered_by_second(answer, record, kind)
    assert not stream or answer.body.endswith(DONE)


@pytest.mark.parametrize("name", BROKEN_WHOLES)
async def test_a_whole_reply_that_cannot_be_used_is_asked_of_the_next(tmp_path: Path, name: str) -> None:
    reply, kind = BROKEN_WHOLES[name]
    async with failing(tmp_path, reply, timeouts={"first": 0.2, "between": 0.2}) as (_, second, gateway):
        answer = await gateway.post(ASK)
        record = await gateway.bill(answer.headers["x-request-id"])

    assert len(second.calls) == 1
    assert was_answered_by_second(answer, record, kind)


async def test_a_refused_connection_is_replaced_by_the_next(tmp_path: Path) -> None:
    async with Upstream() as second:
        config = (
            upstream(f"http://127.0.0.1:{free_port()}/v1", "ours", name="first")
            + upstream(second.url, "ours", name="second", tier=2)
            + sells("ours")
        )
        async with hosted(tmp_path, config) as gateway:
            answer = await gateway.post(ASK)
            record = await gateway.bill(answer.headers["x-request-id"])

    assert was_answered_by_second(answer, record, "connect")


async def test_a_stream_goes_on_with_the_next_backend_although_its_head_is_out(tmp_path: Path) -> None:
    """A role-only chunk is no content: the caller has it, and gets the answer of another backend all the same."""
    async with failing(tmp_path, Reply(headers=SSE, pieces=[ROLE], gated=True, ending="cut")) as (first, _, gateway):
        async with gateway.connect() as caller:
            await gateway.begin(caller, {**ASK, "stream": True})
            call = await first.arrived()
            call.release()
            head = await caller.read_head()
            assert await caller.read_piece() == ROLE
            call.release()
            rest = await caller.read_rest()
        record = await gateway.bill(head.headers["x-request-id"])

    assert b"error" not in rest and rest.endswith(DONE)
    assert [attempt["outcome"] for attempt in record["attempts"]] == ["cut", "ok"]


async def test_after_content_no_other_backend_is_asked(tmp_path: Path) -> None:
    async with failing(tmp_path, Reply(headers=SSE, pieces=[WORD], ending="cut")) as (first, second, gateway):
        answer = await gateway.post({**ASK, "stream": True})

    assert (len(first.calls), len(second.calls)) == (1, 0)
    assert b'"error"' in answer.body and b"[DONE]" not in answer.body


@pytest.mark.parametrize("status", [400, 404, 413, 415, 422])
async def test_what_is_the_caller_s_own_fault_is_not_asked_again(tmp_path: Path, status: int) -> None:
    async with failing(tmp_path, fails(status)) as (first, second, gateway):
        answer = await gateway.post(ASK)

        assert answer.status == status
        assert answer.error["message"] == f"Status {status}."
        assert (len(first.calls), len(second.calls)) == (1, 0)
        assert (await gateway.balance())["balance"] == "10"
        assert states(gateway) == {"first": "closed", "second": "closed"}


# What the caller is told when nobody is left.


@pytest.mark.parametrize(
    ("reply", "status", "code", "says"),
    [
        (fails(500), 502, "broken", "Status 500."),
        (fails(429, "slow_down", retry_after="7"), 429, "slow_down", "Status 429."),
        (fails(503, "busy", retry_after="7"), 503, "busy", "Status 503."),
        (fails(401, "invalid_api_key"), 502, "upstream_auth", "your API key is fine"),
        (fails(402), 503, "upstream_quota", "your balance is fine"),
        (Reply(raw=b""), 502, "upstream_error", "closed the connection without an answer"),
        (Reply(headers=JSON), 502, "upstream_error", "cannot be read"),
    ],
)
async def test_the_last_failure_is_told_in_the_vendor_s_words(
    tmp_path: Path, reply: Reply, status: int, code: str, says: str
) -> None:
    async with alone(tmp_path, reply) as (_, gateway):
        answer = await gateway.post(ASK)
        record = await gateway.last_call()

        assert answer.status == record["status"] == status
        assert answer.error["code"] == code
        assert says in answer.error["message"]
        assert answer.headers.get("retry-after") == ("7" if "retry-after" in reply.headers else None)
        assert (await gateway.balance())["available"] == "10"


async def test_a_vendor_s_error_is_told_without_the_gateway_s_credential(tmp_path: Path) -> None:
    leaky = Reply(500, JSON, b'{"error":{"message":"Key vendor-secret-123 on Bearer sk-abcdefghijkl is odd"}}')
    async with Upstream(lambda _: leaky) as simulator:
        config = upstream(simulator.url, "ours", api_key="vendor-secret-123") + sells("ours")
        async with hosted(tmp_path, config) as gateway:
            answer = await gateway.post(ASK)
            record = json.dumps(await gateway.last_call())

    assert simulator.calls[0].headers["authorization"] == "Bearer vendor-secret-123"
    for told in (answer.body.decode(), record):
        assert "[removed]" in told
        assert "vendor-secret" not in told and "sk-abcdef" not in told


# Deadlines.


@contextmanager
def unconnectable() -> Generator[str]:
    """An address whose connections are neither accepted nor refused: its backlog is full."""
    with socket.socket() as listener, socket.socket() as filler:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        filler.connect(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


async def test_no_connection_in_time_is_a_504(tmp_path: Path) -> None:
    with unconnectable() as url:
        async with hosted(tmp_path, upstream(url, "ours", timeouts={"connect": 0.2}) + sells("ours")) as gateway:
            answer = await gateway.post(ASK)

    assert (answer.status, answer.error["code"]) == (504, "upstream_timeout")
    assert "no connection within 0.2 s" in answer.error["message"]


@pytest.mark.parametrize(
    ("reply", "timeouts", "says"),
    [
        (Reply(silent=True), {"first": 0.2}, "no answer within 0.2 s"),
        (Reply(headers=JSON, body=b"{", declared_bytes=9, ending="stall"), {"between": 0.2}, "fell silent for 0.2 s"),
        (Reply(headers=JSON, pieces=[b" "] * 99, gap_s=0.05), {"total": 0.3}, "did not finish its answer within 0.3 s"),
    ],
)
async def test_a_whole_reply_that_is_late_is_a_504(
    tmp_path: Path, reply: Reply, timeouts: dict[str, float], says: str
) -> None:
    async with alone(tmp_path, reply, timeouts=timeouts) as (simulator, gateway):
        answer = await gateway.post(ASK)
        await simulator.calls[0].closed.wait()

        assert (answer.status, answer.error["code"]) == (504, "upstream_timeout")
        assert says in answer.error["message"]
        assert (await gateway.balance())["available"] == "10"


@pytest.mark.parametrize(
    ("ending", "timeouts", "says"),
    [
        ("stall", {"between": 0.2}, "fell silent for 0.2 s"),
        ("complete", {"total": 0.3}, "did not finish its answer within 0.3 s"),
    ],
)
async def test_a_stream_that_is_late_ends_with_an_error_event(
    tmp_path: Path, ending: str, timeouts: dict[str, float], says: str
) -> None:
    pieces = [ROLE, *[WORD] * (3 if ending == "stall" else 99)]
    async with alone(tmp_path, Reply(headers=SSE, pieces=pieces, gap_s=0.02, ending=ending), timeouts=timeouts) as (
        simulator,
        gateway,
    ):
        answer = await gateway.post({**ASK, "stream": True})
        record = await gateway.bill(answer.headers["x-request-id"])
        await simulator.calls[0].closed.wait()

    last = json.loads(answer.body.split(b"data: ")[-1])
    assert last["error"]["code"] == "upstream_timeout"
    assert says in last["error"]["message"]
    assert (record["status"], record["outcome"], record["usage_source"]) == (504, "upstream_cut", "estimated")


# Breakers.


def states(gateway: Hosted) -> dict[str, str]:
    """Return the state of each upstream as the operator sees it, after checking that the metrics say the same."""
    shown = {one.name: one.models[0].state.value for one in gateway.platform.backends.states()}
    for name, state in shown.items():
        assert gateway.counter(f'tokengate_breaker{{model="ours",state="{state}",upstream="{name}"}}') == 1
    return shown


async def test_a_backend_that_keeps_failing_is_left_alone_until_its_cooldown_ends(tmp_path: Path) -> None:
    async with failing(tmp_path, fails(500)) as (first, second, gateway):
        for _ in range(8):
            assert (await gateway.post(ASK)).status == 200

        assert (len(first.calls), len(second.calls)) == (5, 8)
        assert states(gateway) == {"first": "open", "second": "closed"}
        rows = (await gateway.get("/internal/upstreams")).json["upstreams"]
        assert (rows[0]["failures"], rows[0]["last_failure"]) == (5, "status")
        assert 4 < rows[0]["cooldown_s"] <= 5
        assert gateway.counter('tokengate_upstream_errors_total{kind="status",upstream="first"}') == 5


async def test_the_command_line_shows_what_is_left_alone(tmp_path: Path) -> None:
    async with failing(tmp_path, fails(503, retry_after="60")) as (_, _, gateway):
        for _ in range(5):
            await gateway.post(ASK)
        environ = {**os.environ, "TOKENGATE_PORT": str(gateway.port)}
        command = await asyncio.create_subprocess_exec(
            *COMMAND, "upstreams", "--json", stdout=asyncio.subprocess.PIPE, env=environ, cwd=tmp_path
        )
        output, _ = await command.communicate()

    first, second = json.loads(output)
    assert (first["name"], first["state"], first["failures"], first["models"]) == ("first", "open", 5, ["ours"])
    assert 0 < first["cooldown_s"] <= 60
    assert (second["name"], second["state"]) == ("second", "closed")


async def test_a_model_without_a_healthy_backend_is_a_503_that_says_when(tmp_path: Path) -> None:
    async with alone(tmp_path, fails(429, retry_after="40")) as (simulator, gateway):
        for _ in range(5):
            assert (await gateway.post(ASK)).status == 429
        answer = await gateway.post(ASK)

        assert (answer.status, answer.error["code"]) == (503, "backends_cooling_down")
        assert 38 <= int(answer.headers["retry-after"]) <= 40
        assert len(simulator.calls) == 5


async def test_a_probe_that_is_answered_closes_the_breaker(tmp_path: Path) -> None:
    async with alone(tmp_path, fails(429, retry_after="0")) as (simulator, gateway):
        for _ in range(5):
            await gateway.post(ASK)
        assert states(gateway) == {"sim": "open"}
        simulator.script = by_model

        answer = await gateway.post(ASK)

        assert answer.status == 200
        assert states(gateway) == {"sim": "closed"}


async def test_a_probe_that_fails_opens_the_breaker_again(tmp_path: Path) -> None:
    async with alone(tmp_path, fails(429, retry_after="0")) as (simulator, gateway):
        for _ in range(5):
            await gateway.post(ASK)
        simulator.script = lambda _: fails(500)

        probed = await gateway.post(ASK)
        refused = await gateway.post(ASK)

        assert (probed.status, refused.status) == (502, 503)
        assert states(gateway) == {"sim": "open"}
        assert len(simulator.calls) == 6


async def test_only_one_call_probes(tmp_path: Path) -> None:
    async with alone(tmp_path, fails(429, retry_after="0")) as (simulator, gateway):
        for _ in range(5):
            await gateway.post(ASK)
        simulator.script = lambda _: Reply(silent=True)
        async with gateway.connect() as probing:
            await gateway.begin(probing, ASK)
            await simulator.arrived(6)

            other = await gateway.post(ASK)

            assert (other.status, other.error["code"]) == (503, "backends_cooling_down")
            assert states(gateway) == {"sim": "half-open"}
            probing.leave()
            await simulator.calls[5].closed.wait()


async def test_a_refused_credential_disables_the_backend_and_wakes_the_operator(tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with failing(tmp_path, fails(401, "invalid_api_key")) as (first, _, gateway):
            for _ in range(3):
                assert (await gateway.post(ASK)).status == 200

            assert len(first.calls) == 1
            assert states(gateway) == {"first": "disabled", "second": "closed"}
            assert gateway.counter('tokengate_alarms_total{kind="upstream_disabled"}') == 1

    changes = [log for log in logs if log["event"] == "breaker"]
    assert [(log["upstream"], log["state"], log["kind"]) for log in changes] == [("first", "disabled", "auth")]
    assert changes[0]["log_level"] == "error"
