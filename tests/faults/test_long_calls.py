"""Calls that ran for a while are noted, so that a crash leaves a record of those it cut off, and only of those."""

import asyncio
import json
from collections.abc import AsyncGenerator, Generator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.e2e.gateway import GatewayProcess
from tests.hosted import sells, upstream
from tests.raw_http import Connection
from tests.simulators.openai_upstream import ThreadedUpstream, by_model
from tests.support import PostgresqlServer
from tokengate.accounts.store import CreatedKey
from tokengate.billing.keys import create_key
from tokengate.core.clock import SystemClock
from tokengate.core.money import NANO_PER_YUAN
from tokengate.ledger.verify import verify
from tokengate.storage.engine import Database, open_database
from tokengate.storage.tables import calls, open_calls

MODEL = "chunks-5"
CALL = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "stream": True}).encode()


@pytest.fixture
def simulator() -> Generator[ThreadedUpstream]:
    with ThreadedUpstream(lambda call: replace(by_model(call), gated=True)) as simulator:
        yield simulator


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(
    request: pytest.FixtureRequest, postgresql_server: PostgresqlServer, tmp_path: Path
) -> AsyncGenerator[Database]:
    """A database that another process may serve."""
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/tokengate.db" if on_sqlite else await postgresql_server.create()
    database = await open_database(url)
    yield database
    await database.close()


@pytest.fixture
async def key(database: Database) -> CreatedKey:
    return await create_key(database, SystemClock(), name="test", balance_nano=10 * NANO_PER_YUAN)


@pytest.fixture
def gateway(database: Database, key: CreatedKey, simulator: ThreadedUpstream, tmp_path: Path) -> GatewayProcess:
    return GatewayProcess(tmp_path, upstream(simulator.url, MODEL) + sells(MODEL), database=database.dsn)


async def begin(connection: Connection, key: CreatedKey) -> str:
    """Begin a call, read its first word, and return its id."""
    headers = {"authorization": f"Bearer {key.key}", "content-type": "application/json"}
    await connection.request("POST", "/v1/chat/completions", headers, CALL)
    head = await connection.read_head()
    await connection.read_until(b"word0")
    return head.headers["x-request-id"]


async def noted(database: Database) -> int:
    async with database.read() as read:
        return (await read.execute(select(func.count()).select_from(open_calls))).scalar_one()


async def test_a_crash_records_the_calls_that_it_cut_off_beside_those_that_had_ended(
    gateway: GatewayProcess, simulator: ThreadedUpstream, database: Database, key: CreatedKey
) -> None:
    """The note of a call that has ended is removed a moment later: a kill may come before that."""
    with gateway:
        async with Connection(gateway.port) as first, Connection(gateway.port) as second:
            beginning = [asyncio.create_task(begin(connection, key)) for connection in (first, second)]
            await asyncio.to_thread(lambda: simulator.run(simulator.upstream.arrived(2)))
            for call in simulator.calls:
                call.release(3)
            ended, cut = await asyncio.gather(*beginning)
            async with asyncio.timeout(60):
                while await noted(database) < 2:
                    await asyncio.sleep(0.02)

            # Which connection carries which call is the upstream's to know: let both go on, and end one.
            for call in simulator.calls:
                call.release(1)
            simulator.calls[0].release(20)
            done = asyncio.create_task(first.read_until(b"[DONE]"))
            other = asyncio.create_task(second.read_until(b"[DONE]"))
            await asyncio.wait((done, other), return_when=asyncio.FIRST_COMPLETED)
            gateway.kill()
            if not done.done():
                ended, cut = cut, ended
            for task in (done, other):
                task.cancel()
            await asyncio.gather(done, other, return_exceptions=True)

        gateway.start()

        async with database.read() as read:
            columns = (calls.c.id, calls.c.outcome, calls.c.cost_nano > 0)
            records = {call_id: (outcome, paid) for call_id, outcome, paid in await read.execute(select(*columns))}
        assert records == {ended: ("ok", True), cut: ("crashed", False)}
        assert await noted(database) == 0
        assert (await verify(database)).differences == []
