"""Two gateways over one PostgreSQL database: they share wallets, keys and idempotency keys, and one goes on when the
other is killed."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.e2e.gateway import GatewayProcess
from tests.hosted import sells, upstream
from tests.raw_http import Answer, Connection
from tests.simulators.openai_upstream import Call, Reply, Upstream, by_model
from tests.support import PostgresqlServer
from tokengate.accounts.store import DEFAULT_ORG, CreatedKey, disable_key
from tokengate.billing.keys import create_key
from tokengate.core.clock import SystemClock
from tokengate.core.money import NANO_PER_YUAN, read_yuan
from tokengate.ledger import store
from tokengate.ledger.verify import verify
from tokengate.storage.engine import Database, open_database
from tokengate.storage.tables import calls, leases, tellers, wallets

ONE_YUAN = "usage-5-1000"  # its prompt is free and it always writes 1,000 tokens at 1 yuan: what is held is the cost
CHEAP = "usage-3-7"
MESSAGES = [{"role": "user", "content": "Good morning"}]
BODY: dict[str, Any] = {"model": ONE_YUAN, "messages": MESSAGES, "max_tokens": 1_000}
CHEAP_BODY: dict[str, Any] = {"model": CHEAP, "messages": MESSAGES, "max_tokens": 50}
CHEAP_NANO = 3 * 30_100 + 7 * 70_300
MASTER_KEY = "07" * 32
_WITHIN_S = 60.0
_KNOWN_S = 10.0  # a second is what is promised, on a machine that is not busy


class Pair:
    """Two running gateways with the keys that exist, and their database as a third process has it."""

    def __init__(
        self, gateways: list[GatewayProcess], keys: dict[str, CreatedKey], simulator: Upstream, database: Database
    ) -> None:
        self.gateways = gateways
        self.keys = keys
        self.simulator = simulator
        self.database = database

    async def post(self, at: int, body: dict[str, Any], *, key: str = "main", headers: dict[str, str] | None = None):
        """Make a call at one of the two."""
        async with Connection(self.gateways[at].port) as connection:
            authorization = {"authorization": f"Bearer {self.keys[key].key}", "content-type": "application/json"}
            data = json.dumps(body).encode()
            await connection.request("POST", "/v1/chat/completions", {**authorization, **(headers or {})}, data)
            return await connection.answer()

    async def wallet(self, key: str = "main") -> store.Wallet:
        async with self.database.read() as read:
            return await store.get_wallet(read, DEFAULT_ORG, self.keys[key].wallet_id)

    async def teller_count(self) -> int:
        async with self.database.read() as read:
            return (await read.execute(select(func.count()).select_from(tellers))).scalar_one()


@asynccontextmanager
async def pair(folder: Path, url: str, *, balance: str = "10") -> AsyncGenerator[Pair]:
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(Upstream())
        database = await open_database(url)
        stack.push_async_callback(database.close)
        keys = {"main": await create_key(database, SystemClock(), name="main", balance_nano=read_yuan(balance))}
        keys["shared"] = await create_key(database, SystemClock(), name="shared", wallet_id=keys["main"].wallet_id)
        config = (
            upstream(simulator.url, ONE_YUAN, CHEAP)
            + sells(ONE_YUAN, input="0", output="1", max_output=1_000)
            + sells(CHEAP, input="0.0301", output="0.0703", max_output=50)
        )
        gateways: list[GatewayProcess] = []
        for name in ("first", "second"):
            (folder / name).mkdir()
            environ = {"TOKENGATE_MASTER_KEY": MASTER_KEY}
            gateway = GatewayProcess(folder / name, config, database=url, environ=environ)
            stack.callback(gateway.kill)
            await asyncio.to_thread(gateway.start)
            gateways.append(gateway)
        found = Pair(gateways, keys, simulator, database)
        yield found
        assert (await verify(database)).differences == []


@pytest.fixture
async def url(postgresql_server: PostgresqlServer) -> AsyncGenerator[str]:
    url = await postgresql_server.create()
    yield url
    await postgresql_server.give_back(url)


def gated(call: Call) -> Reply:
    return replace(by_model(call), gated=True)


def statuses(answers: list[Answer]) -> dict[int, int]:
    return {status: sum(one.status == status for one in answers) for status in {one.status for one in answers}}


async def first_of(answers: list[asyncio.Task[Answer]], count: int) -> list[Answer]:
    """Return the answers that are there, once there are that many."""
    async with asyncio.timeout(_WITHIN_S):
        while sum(one.done() for one in answers) < count:
            await asyncio.wait([one for one in answers if not one.done()], return_when=asyncio.FIRST_COMPLETED)
    return [one.result() for one in answers if one.done()]


async def test_of_200_calls_spread_over_both_exactly_those_run_that_the_wallet_can_pay(
    tmp_path: Path, url: str
) -> None:
    async with pair(tmp_path, url) as both:
        both.simulator.script = gated
        names = ("main", "shared")
        answers = [
            asyncio.create_task(both.post(number % 2, BODY, key=names[number // 2 % 2])) for number in range(200)
        ]
        await both.simulator.arrived(10)
        assert statuses(await first_of(answers, 190)) == {402: 190}

        for call in both.simulator.calls:
            call.release(50)

        assert statuses(await asyncio.gather(*answers)) == {200: 10, 402: 190}
        wallet = await both.wallet()
        assert (wallet.balance_nano, wallet.leased_nano) == (0, 0)


async def test_calls_through_both_leave_an_exact_balance_and_nothing_that_cannot_be_spent(
    tmp_path: Path, url: str
) -> None:
    """Near zero at the end, where what one gateway has not spent is what the other needs."""
    async with pair(tmp_path, url, balance="0.5") as both:

        async def work(at: int) -> tuple[int, int]:
            """Call until refused; return how many calls were paid, and what the last would have held."""
            paid = 0
            while (answer := await both.post(at, CHEAP_BODY)).status == 200:
                paid += 1
            assert answer.status == 402, answer
            (needed,) = re.findall(r"needs up to ¥([0-9.]+)", answer.error["message"])
            return paid, read_yuan(needed)

        async with asyncio.timeout(_WITHIN_S):
            done = await asyncio.gather(*(work(number % 2) for number in range(8)))

        wallet = await both.wallet()
        assert wallet.balance_nano == NANO_PER_YUAN // 2 - sum(paid for paid, _ in done) * CHEAP_NANO
        assert wallet.balance_nano < min(needed for _, needed in done)


async def test_one_killed_under_load_costs_nobody_anything_and_the_other_goes_on(tmp_path: Path, url: str) -> None:
    async with pair(tmp_path, url, balance="100") as both:
        whole: list[str] = []
        killed = asyncio.Event()
        after = 0

        async def work(at: int) -> None:
            nonlocal after
            while after < 40:
                try:
                    answer = await both.post(at, CHEAP_BODY)
                except (OSError, EOFError):
                    assert at == 0 and killed.is_set()
                    return
                assert answer.status == 200, answer
                whole.append(answer.headers["x-request-id"])
                after += killed.is_set() and at == 1
                if len(whole) == 60:
                    killed.set()
                    both.gateways[0].kill()

        async with asyncio.timeout(_WITHIN_S):
            await asyncio.gather(*(work(number % 2) for number in range(8)))
            while await both.teller_count() > 1:
                await asyncio.sleep(0.1)

        assert (await verify(both.database)).differences == []
        async with both.database.read() as read:
            billed = {call: nano for call, nano in await read.execute(select(calls.c.id, calls.c.cost_nano))}
            left = (await read.execute(select(func.sum(leases.c.leased_nano)))).scalar_one()
            leased = (await read.execute(select(func.sum(wallets.c.leased_nano)))).scalar_one()
        assert all(billed[call] == CHEAP_NANO for call in whole)
        assert left == leased  # the dead one's lease has returned
        assert (await both.wallet()).balance_nano == 100 * NANO_PER_YUAN - sum(billed.values())
        assert (await both.post(1, {**BODY, "max_tokens": 1_000})).status == 200


async def test_a_key_that_is_disabled_is_refused_by_both_at_once(tmp_path: Path, url: str) -> None:
    async with pair(tmp_path, url) as both:
        for at in (0, 1):
            assert (await both.post(at, CHEAP_BODY, key="shared")).status == 200

        async with both.database.tx() as tx:
            await disable_key(tx, DEFAULT_ORG, both.keys["shared"].id, 1)

        async with asyncio.timeout(_KNOWN_S):
            for at in (0, 1):
                while (await both.post(at, CHEAP_BODY, key="shared")).status != 401:
                    pass


async def test_one_idempotency_key_runs_once_in_both_and_is_answered_by_both(tmp_path: Path, url: str) -> None:
    async with pair(tmp_path, url) as both:
        both.simulator.script = gated
        once = {"idempotency-key": "order 4711"}
        answers = [asyncio.create_task(both.post(number % 2, BODY, headers=once)) for number in range(20)]
        await both.simulator.arrived()
        refused = await first_of(answers, 19)
        assert {(one.status, one.headers["retry-after"]) for one in refused} == {(409, "1")}
        both.simulator.calls[0].release()
        (first,) = [one for one in await asyncio.gather(*answers) if one.status == 200]

        async with asyncio.timeout(_WITHIN_S):
            for at in (0, 1):
                while (again := await both.post(at, BODY, headers=once)).status == 409:
                    pass
                assert (again.status, again.body, again.headers["idempotent-replayed"]) == (200, first.body, "true")

        assert len(both.simulator.calls) == 1
        assert (await both.wallet()).balance_nano == 9 * NANO_PER_YUAN
