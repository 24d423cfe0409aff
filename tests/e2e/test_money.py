"""Money at its limits, on SQLite and on PostgreSQL: races for the last yuan, shared wallets, money that comes and goes
while calls run. Nothing is ever spent twice, and nothing is refused that a wallet can pay.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted, sells, upstream
from tests.raw_http import Answer
from tests.simulators.openai_upstream import Call, Reply, Upstream, by_model
from tests.support import PostgresqlServer, eventually
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.billing.keys import create_key
from tokengate.core.clock import SystemClock, now_ms
from tokengate.core.money import NANO_PER_YUAN, read_yuan
from tokengate.ledger import store
from tokengate.ledger.store import CannotTakeOut, Wallet
from tokengate.storage.engine import Database, open_database

ONE_YUAN = "usage-5-1000"  # its prompt is free and it always writes 1,000 tokens at 1 yuan: what is held is the cost
CHEAP = "usage-3-7"
LONG = "usage-5-9"  # may write 128k tokens
MESSAGES = [{"role": "user", "content": "Good morning"}]
BODY: dict[str, Any] = {"model": ONE_YUAN, "messages": MESSAGES, "max_tokens": 1_000}


@pytest.fixture(params=["sqlite", "postgresql"])
async def environ(
    request: pytest.FixtureRequest, postgresql_server: PostgresqlServer
) -> AsyncGenerator[dict[str, str]]:
    """Where the gateway under test keeps its books."""
    if request.param == "sqlite":
        yield {}
        return
    url = await postgresql_server.create()
    yield {"TOKENGATE_DATABASE_URL": url}
    await postgresql_server.give_back(url)


@pytest.fixture
async def simulator() -> AsyncGenerator[Upstream]:
    async with Upstream() as simulator:
        yield simulator


@pytest.fixture
async def gateway(environ: dict[str, str], simulator: Upstream, tmp_path: Path) -> AsyncGenerator[Hosted]:
    config = (
        upstream(simulator.url, ONE_YUAN, CHEAP, LONG)
        + sells(ONE_YUAN, input="0", output="1", max_output=1_000)
        + sells(CHEAP, input="0.0301", output="0.0703", max_output=50)
        + sells(LONG, input="0.02", output="0.1", max_output=131_072)
    )
    async with hosted(tmp_path, config, balances={"main": "10", "poor": "0.5"}, environ=environ) as gateway:
        yield gateway
        await gateway.idle()
        for key in gateway.keys:
            assert (await gateway.balance(key))["held"] == "0"


@pytest.fixture
async def elsewhere(gateway: Hosted, environ: dict[str, str]) -> AsyncGenerator[Database]:
    """The database as another process has it open, such as a command."""
    url = environ.get("TOKENGATE_DATABASE_URL") or f"sqlite:///{gateway.platform.database.path}"
    database = await open_database(url, migrate=False)
    yield database
    await database.close()


def gated(call: Call) -> Reply:
    return replace(by_model(call), gated=True)


async def top_up(database: Database, wallet_id: str, yuan: str) -> Wallet:
    async with database.tx() as tx:
        return await store.top_up(tx, DEFAULT_ORG, wallet_id, read_yuan(yuan), "test", now_ms(SystemClock()))


async def correct(database: Database, wallet_id: str, yuan: str, *, tries: int = 100) -> Wallet:
    now = now_ms(SystemClock())
    return await store.correct(database, DEFAULT_ORG, wallet_id, read_yuan(yuan), "test", now, tries=tries)


async def share_wallet(gateway: Hosted, name: str, owner: str = "main") -> None:
    """Add a key that spends from the owner's wallet, and wait until the gateway knows it."""
    wallet_id = gateway.keys[owner].wallet_id
    created = await create_key(gateway.platform.database, SystemClock(), name=name, wallet_id=wallet_id)
    gateway.keys[name] = created
    async with asyncio.timeout(60):
        while (await gateway.get("/v1/models", key=name)).status == 401:
            await asyncio.sleep(0.005)


async def first_of(answers: Iterable[asyncio.Task[Answer]], count: int) -> list[Answer]:
    """Return the first answers, once there are that many."""
    found: list[Answer] = []
    async with asyncio.timeout(60):
        for answer in asyncio.as_completed(answers):
            found.append(await answer)
            if len(found) == count:
                break
    return found


def statuses(answers: Iterable[Answer]) -> dict[int, int]:
    found: dict[int, int] = {}
    for answer in answers:
        found[answer.status] = found.get(answer.status, 0) + 1
    return found


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_of_200_parallel_calls_exactly_those_run_that_the_wallet_can_pay(
    gateway: Hosted, simulator: Upstream, stream: bool
) -> None:
    simulator.script = gated
    answers = [asyncio.create_task(gateway.post(BODY | {"stream": stream})) for _ in range(200)]
    refused = await first_of(answers, 190)
    await simulator.arrived(10)
    assert (await gateway.balance())["available"] == "0"

    for call in simulator.calls:
        call.release(50)

    assert statuses(refused) == {402: 190}
    assert all("needs up to ¥1 and ¥0 is available" in answer.error["message"] for answer in refused)
    assert statuses(await asyncio.gather(*answers)) == {200: 10, 402: 190}
    assert len(simulator.calls) == 10
    balance = await gateway.balance()
    assert (balance["balance"], balance["available"], balance["held"]) == ("0", "0", "0")
    calls = (await gateway.get("/v1/usage?by=day")).json["data"]
    assert (calls[0]["cost"], calls[0]["output_tokens"]) == ("10", 10_000)


async def test_two_keys_race_for_the_wallet_that_they_share(gateway: Hosted, simulator: Upstream) -> None:
    await share_wallet(gateway, "second")
    simulator.script = gated
    answers = [asyncio.create_task(gateway.post(BODY, key=key)) for _ in range(20) for key in ("main", "second")]
    await first_of(answers, 30)
    await simulator.arrived(10)

    for call in simulator.calls:
        call.release()

    assert statuses(await asyncio.gather(*answers)) == {200: 10, 402: 30}
    assert (await gateway.balance("main"))["balance"] == (await gateway.balance("second"))["balance"] == "0"
    own = [(await gateway.get("/v1/usage?by=day", key=key)).json["data"][0]["cost"] for key in ("main", "second")]
    assert sum(map(int, own)) == 10


async def test_a_call_of_one_key_is_no_business_of_the_other(gateway: Hosted) -> None:
    await share_wallet(gateway, "second")

    answer = await gateway.post(BODY, key="main")

    request_id = answer.headers["x-request-id"]
    assert (await gateway.get(f"/v1/usage/{request_id}", key="main")).status == 200
    assert (await gateway.get(f"/v1/usage/{request_id}", key="second")).status == 404
    assert (await gateway.balance("second"))["balance"] == "9"


async def test_twenty_parallel_calls_that_name_no_cap_all_run_on_ten_yuan(gateway: Hosted, simulator: Upstream) -> None:
    """Their model may write 128k tokens, of which the wallet could not even pay one call in full."""
    simulator.hold_until = 20  # none is answered before all are held
    body = {"model": LONG, "messages": MESSAGES}

    answers = await asyncio.gather(*(gateway.post(body) for _ in range(20)))

    assert statuses(answers) == {200: 20}
    assert all("max_tokens lowered to" in answer.headers["x-tokengate-warning"] for answer in answers)
    cost_nano = sum(read_yuan(answer.headers["x-request-cost"]) for answer in answers)
    assert cost_nano == 20 * (5 * 20_000 + 9 * 100_000)
    assert read_yuan((await gateway.balance())["balance"]) == 10 * NANO_PER_YUAN - cost_nano


async def test_a_top_up_can_be_spent_by_the_next_call(gateway: Hosted, elsewhere: Database) -> None:
    assert (await gateway.post(BODY, key="poor")).status == 402

    await top_up(elsewhere, gateway.keys["poor"].wallet_id, "0.5")

    assert (await gateway.post(BODY, key="poor")).status == 200
    assert (await gateway.balance("poor"))["balance"] == "0"


async def test_a_top_up_is_seen_without_a_call(gateway: Hosted, elsewhere: Database) -> None:
    wallet_id = gateway.keys["main"].wallet_id
    assert (await gateway.balance())["balance"] == "10"

    await top_up(elsewhere, wallet_id, "5")

    await eventually(lambda: gateway.platform.teller.balance_nano(wallet_id) == 15 * NANO_PER_YUAN, within_s=1)


async def test_what_no_call_holds_can_be_taken_out_beside_calls_in_flight(
    gateway: Hosted, elsewhere: Database, simulator: Upstream
) -> None:
    simulator.script = gated
    wallet_id = gateway.keys["main"].wallet_id
    answers = [asyncio.create_task(gateway.post(BODY)) for _ in range(4)]
    await simulator.arrived(4)

    left = await correct(elsewhere, wallet_id, "-6")
    with pytest.raises(CannotTakeOut, match="calls in flight hold ¥4 of it"):
        await correct(elsewhere, wallet_id, "-1", tries=3)
    refused = await gateway.post(BODY)

    assert left.balance_nano == 4 * NANO_PER_YUAN
    assert refused.status == 402
    for call in simulator.calls:
        call.release()
    assert statuses(await asyncio.gather(*answers)) == {200: 4}
    assert (await gateway.balance())["balance"] == "0"


async def test_a_correction_waits_for_calls_in_flight_to_release_what_they_hold(
    gateway: Hosted, elsewhere: Database, simulator: Upstream
) -> None:
    simulator.script = lambda call: replace(gated(call), status=400, body=b'{"error":{"message":"no"}}')
    wallet_id = gateway.keys["main"].wallet_id
    answers = [asyncio.create_task(gateway.post(BODY)) for _ in range(10)]
    await simulator.arrived(10)

    correcting = asyncio.create_task(correct(elsewhere, wallet_id, "-3"))
    await eventually(lambda: gateway.platform.teller.free_nano(wallet_id) == 0)
    for call in simulator.calls:
        call.release()

    assert (await correcting).balance_nano == 7 * NANO_PER_YUAN
    assert statuses(await asyncio.gather(*answers)) == {400: 10}
    assert (await gateway.balance())["available"] == "7"


async def test_one_idempotency_key_is_charged_once_however_many_call_at_once(
    gateway: Hosted, simulator: Upstream
) -> None:
    simulator.script = gated
    once = gateway.headers(idempotency_key="once")
    answers = [asyncio.create_task(gateway.post(BODY, headers=once)) for _ in range(20)]
    await simulator.arrived()
    busy = await first_of(answers, 19)
    simulator.calls[0].release()
    (first,) = [answer for answer in await asyncio.gather(*answers) if answer.status == 200]
    assert statuses(busy) == {409: 19}

    again = await asyncio.gather(*(gateway.post(BODY, headers=once) for _ in range(20)))

    assert {(answer.status, answer.body, answer.headers["idempotent-replayed"]) for answer in again} == {
        (200, first.body, "true")
    }
    assert len(simulator.calls) == 1
    assert (await gateway.balance())["balance"] == "9"


async def test_200_parallel_calls_with_top_ups_and_corrections_between_them_leave_an_exact_balance(
    gateway: Hosted, elsewhere: Database
) -> None:
    """Near zero all the time, so that calls, top-ups and corrections meet at the wallet's last nano."""
    chance = random.Random(1)
    wallet_id = gateway.keys["poor"].wallet_id
    cost_nano = 3 * 30_100 + 7 * 70_300
    lowest_nano: list[int] = []

    async def call() -> int:
        body: dict[str, Any] = {"model": CHEAP, "messages": MESSAGES, "stream": chance.random() < 0.5}
        if chance.random() < 0.5:
            body["max_tokens"] = chance.choice([7, 30, 50])
        return (await gateway.post(body, key="poor")).status

    async def come_and_go() -> int:
        put_in = 0
        for _ in range(12):
            nano = chance.randrange(1, 20_000_000)
            if chance.random() < 0.5:
                async with elsewhere.tx() as tx:
                    await store.top_up(tx, DEFAULT_ORG, wallet_id, nano, "test", now_ms(SystemClock()))
                put_in += nano
                continue
            try:
                await store.correct(elsewhere, DEFAULT_ORG, wallet_id, -nano, "test", 0, tries=5, pause_ms=10)
                put_in -= nano
            except CannotTakeOut:
                pass
        return put_in

    async def look(done: asyncio.Event) -> None:
        while not done.is_set():
            async with elsewhere.read() as read:
                wallet = await store.get_wallet(read, DEFAULT_ORG, wallet_id)
            lowest_nano.append(min(wallet.balance_nano, wallet.leased_nano, wallet.free_nano))

    await correct(elsewhere, wallet_id, "-0.45")
    done = asyncio.Event()
    looking = asyncio.create_task(look(done))
    coming = asyncio.create_task(come_and_go())
    outcomes = await asyncio.gather(*(call() for _ in range(200)))
    put_in = await coming
    done.set()
    await looking

    paid = outcomes.count(200)
    assert paid + outcomes.count(402) == 200
    assert paid > 0
    assert min(lowest_nano) >= 0
    balance = await gateway.balance("poor")
    assert read_yuan(balance["balance"]) == NANO_PER_YUAN // 20 + put_in - paid * cost_nano
    assert balance["held"] == "0"
