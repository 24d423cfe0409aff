"""How calls end when something goes wrong between the backend's last byte and ours: the caller leaves while the bill
is being written, the bill cannot be written, the gateway stops.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.hosted import Hosted, hosted, sells, upstream
from tests.raw_http import Connection
from tests.simulators.openai_upstream import Call, Reply, Upstream, by_model
from tests.support import eventually
from tokengate.core.money import NANO_PER_YUAN
from tokengate.ledger.verify import verify
from tokengate.storage.engine import connect_sqlite

MODEL = "usage-5-7"
BIG = "usage-5000-7000"  # more than the wallet has
COST = "0.012"  # (5 + 7) tokens at 1 yuan per 1,000
COST_NANO = 12 * NANO_PER_YUAN // 1000
TEN = 10 * NANO_PER_YUAN
BODY: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Good morning"}], "max_tokens": 100}
STREAM = {**BODY, "stream": True}


class Gate:
    """The upstream's script: streams wait for each piece when `closed`."""

    closed = False

    def __call__(self, call: Call) -> Reply:
        return replace(by_model(call), gated=self.closed)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def simulator(gate: Gate) -> AsyncGenerator[Upstream]:
    async with Upstream(gate) as simulator:
        yield simulator


@pytest.fixture
async def gateway(simulator: Upstream, tmp_path: Path) -> AsyncGenerator[Hosted]:
    async with hosted(tmp_path, upstream(simulator.url, MODEL, BIG) + sells(MODEL) + sells(BIG)) as gateway:
        yield gateway
        await gateway.idle()
        assert (await gateway.balance())["held"] == "0"
        assert (await verify(gateway.platform.database)).differences == []


@asynccontextmanager
async def no_commits(gateway: Hosted) -> AsyncGenerator[None]:
    """Another process is in the middle of a long transaction."""
    with closing(connect_sqlite(gateway.platform.database.path)) as other:
        await _execute(other, "BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@asynccontextmanager
async def no_entries(gateway: Hosted) -> AsyncGenerator[None]:
    """The database refuses every entry of the journal."""
    refuse = "CREATE TRIGGER refuse BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'refused'); END"
    with closing(connect_sqlite(gateway.platform.database.path)) as other:
        await _execute(other, "BEGIN IMMEDIATE", refuse, "COMMIT")
        try:
            yield
        finally:
            await _execute(other, "BEGIN IMMEDIATE", "DROP TRIGGER refuse", "COMMIT")


async def _execute(other: sqlite3.Connection, *statements: str) -> None:
    """Not on the event loop, which the gateway needs to end a transaction of its own."""
    for statement in statements:
        await asyncio.to_thread(other.execute, statement)


def balance_nano(gateway: Hosted) -> int:
    return gateway.platform.teller.balance_nano(gateway.keys["main"].wallet_id)


def counted(gateway: Hosted) -> dict[str, float]:
    """Return how many calls the metrics show by status."""
    found: dict[str, float] = {}
    for line in gateway.platform.metrics.text().decode().splitlines():
        if line.startswith("tokengate_requests_total{"):
            name, _, value = line.rpartition(" ")
            found[name.partition('status="')[2].partition('"')[0]] = float(value)
    return found


def rows(gateway: Hosted, sql: str) -> list[Any]:
    with closing(sqlite3.connect(gateway.platform.database.path)) as look:
        return look.execute(sql).fetchall()


async def leave_while_the_bill_is_written(gateway: Hosted, body: dict[str, Any]) -> None:
    async with gateway.connect() as connection:
        async with no_commits(gateway):
            await gateway.begin(connection, body)
            await eventually(lambda: balance_nano(gateway) == TEN - COST_NANO)
            assert len(gateway.platform.watch) == 1
            connection.leave()
            (call,) = gateway.platform.watch._calls.values()  # pyright: ignore[reportPrivateUsage]  # has it noticed?
            await eventually(lambda: call.client_gone)
        await gateway.idle()


@pytest.mark.parametrize("body", [BODY, STREAM], ids=["whole", "stream"])
async def test_caller_who_leaves_while_the_bill_is_written_is_billed_and_counted_once(
    gateway: Hosted, body: dict[str, Any]
) -> None:
    await gateway.balance()

    await leave_while_the_bill_is_written(gateway, body)

    call = await gateway.last_call()
    assert call["cost"] == COST
    assert (await gateway.balance())["balance"] == "9.988"
    assert counted(gateway) == {"200": 1}
    assert rows(gateway, "SELECT count(*), sum(cost_nano) FROM calls") == [(1, COST_NANO)]


async def test_idempotency_key_is_busy_until_the_bill_of_a_departed_caller_is_written(gateway: Hosted) -> None:
    await gateway.balance()
    once = gateway.headers(idempotency_key="once")
    async with gateway.connect() as connection, no_commits(gateway):
        await gateway.begin(connection, BODY, headers=once)
        await eventually(lambda: balance_nano(gateway) == TEN - COST_NANO)
        connection.leave()
        (call,) = gateway.platform.watch._calls.values()  # pyright: ignore[reportPrivateUsage]  # has it noticed?
        await eventually(lambda: call.client_gone)

        again = await gateway.post(BODY, headers=once)

        assert again.status == 409
    await gateway.idle()
    replayed = await gateway.post(BODY, headers=once)
    assert replayed.headers["idempotent-replayed"] == "true"
    assert (await gateway.balance())["balance"] == "9.988"


async def test_whole_reply_that_cannot_be_recorded_is_a_503_and_costs_nothing(gateway: Hosted) -> None:
    async with no_entries(gateway):
        with capture_logs() as logs:
            answer = await gateway.post(BODY)

    assert answer.status == 503
    assert answer.error["code"] == "not_recorded"
    assert "Hello" not in answer.body.decode()
    assert [log["log_level"] for log in logs if log["event"] == "not_recorded"] == ["error"]
    assert gateway.counter('tokengate_alarms_total{kind="not_recorded"}') == 1
    assert counted(gateway) == {"503": 1}


async def test_money_of_a_call_that_cannot_be_recorded_can_be_spent_again_at_once(gateway: Hosted) -> None:
    """Without a restart: what was settled in memory only is the wallet's."""
    async with no_entries(gateway):
        for _ in range(3):
            assert (await gateway.post(BODY)).status == 503

    assert gateway.platform.teller.free_nano(gateway.keys["main"].wallet_id) == TEN
    balance = await gateway.balance()
    assert (balance["balance"], balance["available"], balance["held"]) == ("10", "10", "0")
    assert (await gateway.post(BODY)).status == 200


async def test_stream_that_cannot_be_recorded_ends_with_an_error_and_costs_nothing(gateway: Hosted) -> None:
    async with no_entries(gateway):
        answer = await gateway.post(STREAM)

    assert answer.status == 200
    last = answer.body.strip().split(b"\n\n")[-1]
    assert b'"code":"not_recorded"' in last
    assert b"[DONE]" not in answer.body
    assert balance_nano(gateway) == TEN
    assert counted(gateway) == {"503": 1}


async def test_stream_that_meets_a_defect_ends_with_an_error_and_costs_nothing(
    gateway: Hosted, simulator: Upstream, gate: Gate
) -> None:
    """It costs more than was held, and the wallet cannot be asked for more, because the database has lost it."""
    gate.closed = True
    async with gateway.connect() as connection:
        await gateway.begin(connection, STREAM | {"model": BIG})
        (await simulator.arrived()).release(2)
        await connection.read_head()
        body = await connection.read_until(b"Hello")
        with closing(connect_sqlite(gateway.platform.database.path)) as other, capture_logs() as logs:
            await _execute(other, "BEGIN IMMEDIATE", "ALTER TABLE wallets RENAME TO lost", "COMMIT")
            simulator.calls[0].release(20)
            body += await connection.read_rest()
            await _execute(other, "BEGIN IMMEDIATE", "ALTER TABLE lost RENAME TO wallets", "COMMIT")

    assert b'"error"' in body.strip().split(b"\n\n")[-1]
    assert b"[DONE]" not in body
    assert [log["event"] for log in logs] == ["defect"]
    await gateway.idle()
    assert balance_nano(gateway) == TEN


async def test_stream_that_was_cut_and_billed_is_not_billed_again_for_the_same_idempotency_key(
    gateway: Hosted, simulator: Upstream
) -> None:
    simulator.script = lambda call: replace(by_model(call), pieces=(by_model(call).pieces or [])[:3], ending="cut")
    once = gateway.headers(idempotency_key="once")

    first = await gateway.post(STREAM, headers=once)
    balance = await gateway.balance()
    again = await gateway.post(STREAM, headers=once)

    assert b'"error"' in first.body
    assert balance["balance"] != "10"
    assert again.body == first.body
    assert again.headers["idempotent-replayed"] == "true"
    assert await gateway.balance() == balance
    assert len(simulator.calls) == 1


async def test_stream_that_its_caller_left_and_paid_is_not_billed_again_for_the_same_idempotency_key(
    gateway: Hosted, simulator: Upstream, gate: Gate
) -> None:
    gate.closed = True
    once = gateway.headers(idempotency_key="once")
    async with gateway.connect() as connection:
        await gateway.begin(connection, STREAM, headers=once)
        (await simulator.arrived()).release(2)  # the role, and the first word
        await connection.read_head()
        seen = await connection.read_until(b"Hello")
    await gateway.idle()
    balance = await gateway.balance()

    again = await gateway.post(STREAM, headers=once)

    assert balance["balance"] != "10"
    assert again.body.startswith(seen)
    assert b'"error"' in again.body
    assert b"[DONE]" not in again.body
    assert await gateway.balance() == balance
    assert len(simulator.calls) == 1


async def test_stop_ends_a_whole_call_with_a_503_and_costs_nothing(
    gateway: Hosted, simulator: Upstream, gate: Gate
) -> None:
    simulator.script = lambda _: Reply(silent=True)
    call = asyncio.create_task(gateway.post(BODY))
    await simulator.arrived()

    await gateway.platform.watch.end_all()

    answer = await call
    assert answer.status == 503
    assert answer.error["code"] == "unavailable"
    assert balance_nano(gateway) == TEN


async def test_stop_ends_a_stream_with_an_error_and_bills_what_was_delivered(
    gateway: Hosted, simulator: Upstream, gate: Gate
) -> None:
    gate.closed = True
    async with gateway.connect() as connection:
        await gateway.begin(connection, STREAM)
        (await simulator.arrived()).release(2)
        await connection.read_head()
        await connection.read_until(b"Hello")

        await gateway.platform.watch.end_all()

        rest = await connection.read_rest()
    assert b'"error"' in rest
    call = await gateway.last_call()
    assert (call["outcome"], call["usage_source"]) == ("stopped", "estimated")
    assert balance_nano(gateway) < TEN


async def test_stop_does_not_take_the_last_byte_from_a_caller_whose_bill_is_being_written(gateway: Hosted) -> None:
    await gateway.balance()
    async with gateway.connect() as connection:
        async with no_commits(gateway):
            await gateway.begin(connection, STREAM)
            await eventually(lambda: balance_nano(gateway) == TEN - COST_NANO)
            ending = asyncio.create_task(gateway.platform.watch.end_all())
            await asyncio.sleep(0)
        await ending
        await connection.read_head()
        body = await connection.read_rest()
    assert body.endswith(b"data: [DONE]\n\n")


async def test_stop_does_not_wait_for_a_caller_who_does_not_read(gateway: Hosted, simulator: Upstream) -> None:
    """Their connection is open and full, so that the last bytes of the reply cannot leave."""
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % (b"x" * 60_000)
    simulator.script = lambda _: Reply(
        headers={"content-type": "text/event-stream"}, pieces=[piece] * 400 + [b"data: [DONE]\n\n"]
    )
    async with gateway.connect() as connection:
        await gateway.begin(connection, STREAM)
        await simulator.arrived()
        await connection.read_head()
        await _stalled(connection)

        async with asyncio.timeout(60):
            await gateway.platform.watch.end_all()

    assert len(gateway.platform.watch) == 0


async def _stalled(connection: Connection) -> None:
    """Read a little and no more."""
    await connection.read_piece()
