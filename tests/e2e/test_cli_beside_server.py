"""The commands beside a real gateway under load: what they change holds within a second, what they show is what calls
did, and neither disturbs the calls.
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.gateway import COMMAND, ENGINES_OFF, GatewayProcess
from tests.hosted import sells, upstream
from tests.raw_http import Answer, Connection
from tests.simulators.openai_upstream import ThreadedUpstream
from tests.support import PostgresqlServer
from tokengate.accounts.store import CreatedKey
from tokengate.billing.keys import create_key
from tokengate.core.clock import SystemClock
from tokengate.core.money import NANO_PER_YUAN, read_yuan
from tokengate.storage.engine import open_database

MODEL = "usage-3-7"
COST_NANO = 3 * 100 + 7 * 300
MESSAGES = [{"role": "user", "content": "Good morning"}]
WITHIN_S = 1.0  # the promise


class Beside:
    """A running gateway, and commands for the same configuration."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self.gateway = gateway
        self.url = gateway.database or f"sqlite:///{gateway.folder}/tokengate.db"

    async def command(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        """Run a command to its end; return what it printed on both channels."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            "--config",
            str(self.gateway.config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ},
        )
        out, err = await process.communicate()
        assert process.returncode == status, (arguments, process.returncode, err.decode())
        return out.decode(), err.decode()

    async def ask(self, *arguments: str) -> Any:
        return json.loads((await self.command(*arguments, "--json"))[0])

    async def new_key(self, name: str, yuan: int = 10) -> CreatedKey:
        """Create a key without a command, which would take most of a test's time."""
        database = await open_database(self.url, migrate=False)
        key = await create_key(database, SystemClock(), name=name, balance_nano=yuan * NANO_PER_YUAN)
        await database.close()
        await self.becomes(key.key, 200 if yuan else 402)
        return key

    async def call(self, key: str, *, stream: bool = False) -> Answer:
        async with Connection(self.gateway.port) as connection:
            return await call_on(connection, key, stream=stream)

    async def becomes(self, key: str, status: int) -> Answer:
        """Call until that is the answer; fail when it takes longer than promised."""
        async with asyncio.timeout(WITHIN_S):
            while (answer := await self.call(key)).status != status:
                pass
        return answer


async def call_on(connection: Connection, key: str, *, stream: bool = False, model: str = MODEL) -> Answer:
    body = json.dumps({"model": model, "messages": MESSAGES, "stream": stream, "max_tokens": 100}).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    await connection.request("POST", "/v1/chat/completions", headers, body)
    return await connection.answer()


class Load:
    """Callers of one key that never pause. `statuses` are their answers so far."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self._more = asyncio.Condition()

    async def work(self, port: int, key: str, stream: bool) -> None:
        async with Connection(port) as connection:
            while True:
                answer = await call_on(connection, key, stream=stream)
                async with self._more:
                    self.statuses.append(answer.status)
                    self._more.notify_all()

    async def more(self, count: int = 10) -> list[int]:
        """Return the next answers, once there are that many."""
        seen = len(self.statuses)
        async with asyncio.timeout(60), self._more:
            await self._more.wait_for(lambda: len(self.statuses) >= seen + count)
        return self.statuses[seen:]


@asynccontextmanager
async def load(beside: Beside, key: str, workers: int = 3) -> AsyncGenerator[Load]:
    """Keep a key busy, whole and streamed, for the length of the block. Calls in flight at its end are cut off."""
    load = Load()
    tasks = [asyncio.create_task(load.work(beside.gateway.port, key, stream=number > 0)) for number in range(workers)]
    try:
        await load.more()
        yield load
        await load.more()
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends


@pytest.fixture(scope="module")
def simulator() -> Generator[ThreadedUpstream]:
    with ThreadedUpstream() as simulator:
        yield simulator


def gateway_in(folder: Path, simulator: ThreadedUpstream, database: str = "") -> GatewayProcess:
    gateway = GatewayProcess(folder, "", database=database)
    server = f'[server]\nport = {gateway.port}\ndata = "{folder}"\ndatabase = "{database}"\n'
    if not database:
        server = server.replace('database = ""\n', "")
    model = sells(MODEL, input="0.0001", output="0.0003")
    gateway.config.write_text(f"{server}{upstream(simulator.url, MODEL)}{model}{ENGINES_OFF}")
    return gateway


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory, simulator: ThreadedUpstream) -> Generator[Beside]:
    with gateway_in(tmp_path_factory.mktemp("beside"), simulator) as gateway:
        yield Beside(gateway)


@pytest.fixture(scope="module")
def on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, simulator: ThreadedUpstream, postgresql_server: PostgresqlServer
) -> Generator[Beside]:
    url = asyncio.run(postgresql_server.create())
    with gateway_in(tmp_path_factory.mktemp("beside"), simulator, url) as gateway:
        yield Beside(gateway)


@pytest.fixture(params=["on_sqlite", "on_postgresql"])
def beside(request: pytest.FixtureRequest) -> Beside:
    return request.getfixturevalue(request.param)


async def test_a_key_disabled_under_load_is_refused_within_a_second_and_the_others_are_not(beside: Beside) -> None:
    bad, good = await beside.new_key("bad"), await beside.new_key("good")
    async with load(beside, bad.key) as refused, load(beside, good.key) as served:
        await beside.command("keys", "disable", bad.id)

        await beside.becomes(bad.key, 401)

        await refused.more(6)  # whatever was on its way
        assert set(await refused.more(20)) == {401}
        assert set(served.statuses) == {200}

        await beside.command("keys", "enable", bad.id)

        await beside.becomes(bad.key, 200)


async def test_a_rotated_key_changes_its_text_within_a_second_and_keeps_its_wallet(on_sqlite: Beside) -> None:
    beside, key = on_sqlite, await on_sqlite.new_key("rotated")

    new = await beside.ask("keys", "rotate", key.id)

    await beside.becomes(new["key"], 200)
    await beside.becomes(key.key, 401)
    assert (new["id"], new["wallet"]) == (key.id, key.wallet_id)
    assert new["key"] != key.key


async def test_a_limit_holds_within_a_second_and_goes_as_fast(on_sqlite: Beside) -> None:
    beside, key = on_sqlite, await on_sqlite.new_key("limited")

    await beside.command("keys", "limit", key.id, "--requests-per-minute", "1")

    refused = await beside.becomes(key.key, 429)
    assert int(refused.headers["retry-after"]) > 0
    await beside.command("keys", "limit", key.id, "--requests-per-minute", "none")
    await beside.becomes(key.key, 200)


async def test_a_top_up_beside_a_busy_gateway_can_be_spent_at_once(beside: Beside) -> None:
    other = await beside.new_key("busy")
    key = await beside.new_key("poor", yuan=0)
    async with load(beside, other.key) as served:
        wallet = await beside.ask("wallet", "topup", key.wallet_id, "0.5", "--note", "invoice 7")

        assert wallet["balance"] == "0.5"
        assert (await beside.call(key.key)).status == 200
        assert set(await served.more()) == {200}
    shown = await beside.ask("wallet", "show", key.wallet_id)
    entries = [(entry["kind"], read_yuan(entry["amount"])) for entry in shown["entries"]]
    assert entries == [("settle", -COST_NANO), ("top_up", NANO_PER_YUAN // 2)]
    assert read_yuan(shown["balance"]) == NANO_PER_YUAN // 2 - COST_NANO


async def test_money_is_taken_out_beside_a_gateway_that_spends_it(beside: Beside) -> None:
    key = await beside.new_key("corrected")
    async with load(beside, key.key, workers=6) as served:
        wallet = await beside.ask("wallet", "correct", key.wallet_id, "-4", "--note", "double top-up")
        _, sentence = await beside.command("wallet", "correct", key.wallet_id, "-100", "--note", "too much", status=1)

        assert 5 * NANO_PER_YUAN < read_yuan(wallet["balance"]) < 6 * NANO_PER_YUAN
        assert "cannot be taken out" in sentence
        await served.more()
        assert set(served.statuses) == {200}
    report = await beside.ask("ledger", "verify")
    assert report["differences"] == []


async def test_the_books_are_verified_beside_a_busy_gateway(on_sqlite: Beside) -> None:
    beside, key = on_sqlite, await on_sqlite.new_key("verified")
    async with load(beside, key.key, workers=6) as served:
        first, second = await beside.ask("ledger", "verify"), await beside.ask("ledger", "verify")

        assert first["differences"] == second["differences"] == []
        assert second["counted"]["calls"] > first["counted"]["calls"] > 0
        assert set(served.statuses) == {200}


async def test_a_key_made_beside_a_gateway_calls_within_a_second(on_sqlite: Beside) -> None:
    key = await on_sqlite.ask("keys", "create", "--name", "new", "--balance", "1")

    await on_sqlite.becomes(key["key"], 200)


async def test_an_application_published_beside_a_gateway_is_called_within_a_second(beside: Beside) -> None:
    key = await beside.new_key("apps")

    async def becomes(status: int, words: str = "") -> None:
        async with asyncio.timeout(WITHIN_S):
            while True:
                async with Connection(beside.gateway.port) as connection:
                    answer = await call_on(connection, key.key, model="app/guide")
                if answer.status == status and words in answer.body.decode():
                    return

    await beside.command("apps", "create", "guide", "--model", MODEL, "--system", "You show people around.")
    await becomes(200)
    await beside.command("apps", "disable", "guide")
    await becomes(404, "The application 'guide' is turned off.")
    await beside.command("apps", "delete", "guide")
    await becomes(404, "does not exist")


async def test_usage_is_what_callers_saw(on_sqlite: Beside) -> None:
    beside, key = on_sqlite, await on_sqlite.new_key("summed")
    before = {row["name"]: row["calls"] for row in await beside.ask("usage", "--by", "model")}
    for stream in (False, True, True):
        assert (await beside.call(key.key, stream=stream)).status == 200

    by_keys, by_models, (by_day,) = await asyncio.gather(
        *(beside.ask("usage", "--by", what) for what in ("key", "model", "day"))
    )

    (by_key,) = [row for row in by_keys if row["name"] == key.id]
    # One call more: the one that saw the new key work.
    assert (by_key["calls"], by_key["input_tokens"], by_key["output_tokens"]) == (4, 12, 28)
    assert read_yuan(by_key["cost"]) == 4 * COST_NANO
    (by_model,) = [row for row in by_models if row["name"] == MODEL]
    assert by_model["calls"] == before[MODEL] + 3
    assert by_day["calls"] == sum(row["calls"] for row in by_models)
    assert read_yuan(by_day["cost"]) == sum(read_yuan(row["cost"]) for row in by_models)


async def test_every_listing_is_json_for_who_asks(on_sqlite: Beside) -> None:
    beside, key = on_sqlite, await on_sqlite.new_key("listed")

    keys, wallets, models, upstreams = await asyncio.gather(
        beside.ask("keys", "list"), beside.ask("wallet", "show"), beside.ask("models", "list"), beside.ask("upstreams")
    )
    model, limits = await asyncio.gather(beside.ask("models", "show", MODEL), beside.ask("keys", "limit", key.id))

    assert [row["status"] for row in keys if row["id"] == key.id] == ["active"]
    assert [row["name"] for row in wallets if row["id"] == key.wallet_id] == ["listed"]
    assert MODEL in [row["id"] for row in models]
    assert [(row["name"], row["models"]) for row in upstreams] == [("sim", [MODEL])]
    assert model["id"] == MODEL
    assert limits["id"] == key.id


async def test_chat_streams_the_answer_and_prints_its_cost(on_sqlite: Beside) -> None:
    beside, key = on_sqlite, await on_sqlite.new_key("talker")

    out, err = await beside.command("chat", MODEL, "Good morning", "--key", key.key)

    assert out == "Hello from the simulated upstream. \n"
    assert err == "[3 + 7 tokens, vendor: ¥0.0000024]\n"
    answer = await beside.call(key.key)
    assert answer.headers["x-request-cost"] == "0.0000024"
