"""Responses in the background outlive the processes that make them: none is paid twice, none stays unfinished."""

import asyncio
import json
import random
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.e2e.gateway import GatewayProcess
from tests.faults.crash import Killer
from tests.formats.responses.samples import frames
from tests.hosted import sells, upstream
from tests.raw_http import Answer, Connection
from tests.simulators.openai_upstream import Call, Reply, Upstream, by_model
from tests.support import PostgresqlServer
from tokengate.core.money import NANO_PER_YUAN
from tokengate.ledger.verify import verify
from tokengate.storage.engine import Database, open_database
from tokengate.storage.tables import background_responses, calls, leases, response_events, stored_responses, wallets

pytestmark = pytest.mark.timeout(300)  # lives and deaths of whole processes take their time

MODEL = "chunks-6"
SLOW = "slow-6-chunks"
WORDS = "word0 word1 word2 word3 word4 word5 "
COST_NANO = 10 * 1_000 + 6 * 10_000
MASTER_KEY = "07" * 32
SOON_S = 60.0


class Place:
    """Gateways on one database before a vendor whose words wait to be let out, and a key with ten yuan."""

    def __init__(self, gateways: list[GatewayProcess], simulator: Upstream, database: Database, key: str) -> None:
        self.gateways = gateways
        self.simulator = simulator
        self.database = database
        self.key = key

    async def ask(self, method: str, path: str = "", body: dict[str, Any] | None = None, *, at: int = 0) -> Answer:
        async with Connection(self.gateways[at].port) as connection:
            await self.begin(connection, method, path, body)
            return await connection.answer()

    async def begin(self, connection: Connection, method: str, path: str = "", body: Any = None) -> None:
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        data = b"" if body is None else json.dumps(body).encode()
        await connection.request(method, f"/v1/responses{path}", headers, data)

    async def create(self, *, at: int = 0, **more: Any) -> str:
        """Begin a response and return its id; of a stream nothing but its beginning is read."""
        body = {"model": MODEL, "input": "Hello", "background": True, **more}
        async with Connection(self.gateways[at].port) as connection:
            await self.begin(connection, "POST", "", body)
            if not more.get("stream"):
                return (await connection.answer()).json["id"]
            await connection.read_head()
            first = await connection.read_until(b"response.queued")
            return json.loads(first.partition(b"data: ")[2].partition(b"\n")[0])["response"]["id"]

    async def until(self, id: str, *statuses: str, at: int = 0) -> dict[str, Any]:
        """Return the response once its status is one of these."""
        async with asyncio.timeout(SOON_S):
            while (found := (await self.ask("GET", f"/{id}", at=at)).json)["status"] not in statuses:
                await asyncio.sleep(0.05)
        return found

    async def arrived(self, count: int) -> Call:
        async with asyncio.timeout(SOON_S):
            return await self.simulator.arrived(count)

    async def check(self, *, paid: int) -> None:
        """The books: so many responses were paid, nothing is held, and nothing is left to be made."""
        async with asyncio.timeout(SOON_S):
            while await self._count(background_responses):
                await asyncio.sleep(0.05)
        async with self.database.read() as read:
            costs = (await read.execute(select(calls.c.cost_nano).where(calls.c.cost_nano > 0))).scalars().all()
            payers = select(calls.c.wallet_id).where(calls.c.cost_nano > 0)
            balances = select(wallets.c.balance_nano).where(wallets.c.id.in_(payers))
            left = (await read.execute(balances)).scalars().all()
        assert list(costs) == [COST_NANO] * paid
        assert list(left) == [10 * NANO_PER_YUAN - paid * COST_NANO] * bool(paid)
        assert (await verify(self.database)).differences == []

    async def _count(self, table: Any) -> int:
        async with self.database.read() as read:
            return (await read.execute(select(func.count()).select_from(table))).scalar_one()


@asynccontextmanager
async def place(folder: Path, url: str, *names: str, config: str = "", model: str = MODEL) -> AsyncGenerator[Place]:
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(Upstream(gated))
        config += upstream(simulator.url, model) + sells(model, input="0.001", output="0.01", max_output=100)
        gateways: list[GatewayProcess] = []
        for name in names:
            (folder / name).mkdir()
            environ = {"TOKENGATE_MASTER_KEY": MASTER_KEY}
            gateway = GatewayProcess(folder / name, config, database=url, environ=environ)
            stack.callback(gateway.kill)
            await asyncio.to_thread(gateway.start)
            gateways.append(gateway)
        key = await asyncio.to_thread(gateways[0].create_key, "10")
        database = await open_database(url)
        stack.push_async_callback(database.close)
        yield Place(gateways, simulator, database, key)


def gated(call: Call) -> Reply:
    return replace(by_model(call), gated=True)


def text_of(response: dict[str, Any]) -> str:
    return "".join(part["text"] for item in response["output"] for part in item["content"])


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(
    request: pytest.FixtureRequest, tmp_path: Path, postgresql_server: PostgresqlServer
) -> AsyncGenerator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/tokengate.db"
        return
    url = await postgresql_server.create()
    yield url
    await postgresql_server.give_back(url)


@pytest.fixture
async def shared_url(postgresql_server: PostgresqlServer) -> AsyncGenerator[str]:
    url = await postgresql_server.create()
    yield url
    await postgresql_server.give_back(url)


async def test_what_a_killed_process_made_is_made_again_and_paid_once(tmp_path: Path, url: str) -> None:
    async with place(tmp_path, url, "only") as one:
        whole = await one.create()
        await one.arrived(1)
        silent = await one.create(stream=True)
        await one.arrived(2)
        spoke = await one.create(stream=True)
        await one.arrived(3)
        for number in (0, 2):
            one.simulator.calls[number].release(3)
        await one.until(whole, "in_progress")
        await one.until(spoke, "in_progress")
        async with Connection(one.gateways[0].port) as reader:
            await one.begin(reader, "GET", f"/{spoke}?stream=true")
            await reader.read_head()
            heard = await reader.read_until(b"word1")
        await told(one, spoke)
        one.gateways[0].kill()

        await asyncio.to_thread(one.gateways[0].start)
        (await one.arrived(5)).release(50)
        one.simulator.calls[3].release(50)
        ended = [await one.until(id, "completed", "failed") for id in (whole, silent, spoke)]
        stream = (await one.ask("GET", f"/{silent}?stream=true")).body
        cut = (await one.ask("GET", f"/{spoke}?stream=true")).body
        await one.check(paid=2)

    assert [one["status"] for one in ended] == ["completed", "completed", "failed"]
    assert text_of(ended[0]) == text_of(ended[1]) == WORDS
    assert [one["id"] for one in ended] == [whole, silent, spoke]
    assert frames(stream)[-1]["response"] == ended[1]
    assert cut.startswith(heard) and frames(cut)[-1]["response"] == ended[2]
    assert ended[2]["error"]["code"] == "server_error" and len(one.simulator.calls) == 5


async def told(one: Place, id: str) -> None:
    """Return once what a stream said can be read from the database."""
    async with asyncio.timeout(SOON_S):
        while True:
            async with one.database.read() as read:
                last = select(func.max(response_events.c.last_number)).where(response_events.c.response_id == id)
                if ((await read.execute(last)).scalar_one() or 0) > 5:
                    return
            await asyncio.sleep(0.02)


async def test_what_kills_every_process_fails_in_the_end(tmp_path: Path) -> None:
    async with place(tmp_path, f"sqlite:///{tmp_path}/tokengate.db", "only") as one:
        id = await one.create()
        for life in range(1, 4):
            (await one.arrived(life)).release(3)
            one.gateways[0].kill()
            await asyncio.to_thread(one.gateways[0].start)
        ended = await one.until(id, "failed")
        await one.check(paid=0)

    assert ended["error"]["code"] == "server_error" and len(one.simulator.calls) == 3


async def test_what_is_made_again_keeps_to_limits_and_waits_for_its_turn(tmp_path: Path) -> None:
    async with place(tmp_path, f"sqlite:///{tmp_path}/tokengate.db", "only") as one:
        ids = [await one.create(), await one.create()]
        await one.arrived(2)
        one.gateways[0].kill()
        config = one.gateways[0].config
        config.write_text("[limits]\nconcurrency = 1\n" + config.read_text())
        await asyncio.to_thread(one.gateways[0].start)
        first = await one.arrived(3)
        refused = await one.ask("POST", "", {"model": MODEL, "input": "Hello"})
        first.release(50)
        (await one.arrived(4)).release(50)
        ended = [await one.until(id, "completed", "failed") for id in ids]
        await one.check(paid=2)

    assert refused.status == 429
    assert [text_of(one) for one in ended] == [WORDS, WORDS]


async def test_what_is_cancelled_while_nobody_makes_it_is_cancelled(tmp_path: Path, shared_url: str) -> None:
    async with place(tmp_path, shared_url, "one", "two") as both:
        id = await both.create()
        (await both.arrived(1)).release(3)
        both.gateways[0].kill()
        cancelled = (await both.ask("POST", f"/{id}/cancel", at=1)).json
        await both.check(paid=0)
        ended = (await both.ask("GET", f"/{id}", at=1)).json

    assert cancelled["status"] == ended["status"] == "cancelled" and len(both.simulator.calls) == 1


async def test_a_stop_leaves_what_is_not_whole_to_the_next_start(tmp_path: Path, url: str) -> None:
    async with place(tmp_path, url, "only", config="[server]\nstop_timeout_s = 0.5\n") as one:
        whole = await one.create()
        stream = await one.create(stream=True)
        (await one.arrived(1)).release(3)
        await one.arrived(2)
        await one.until(whole, "in_progress")
        assert await asyncio.to_thread(one.gateways[0].stop) == 0
        for call in one.simulator.calls:
            await call.closed.wait()

        await asyncio.to_thread(one.gateways[0].start)
        for number in (3, 4):
            (await one.arrived(number)).release(50)
        ended = [await one.until(id, "completed", "failed") for id in (whole, stream)]
        await one.check(paid=2)

    assert [text_of(one) for one in ended] == [WORDS, WORDS]


async def test_a_stop_waits_for_what_ends_in_time(tmp_path: Path) -> None:
    async with place(tmp_path, f"sqlite:///{tmp_path}/tokengate.db", "only") as one:
        id = await one.create()
        call = await one.arrived(1)
        stopping = asyncio.create_task(asyncio.to_thread(one.gateways[0].stop))
        call.release(50)
        assert await stopping == 0
        await one.check(paid=1)
        await asyncio.to_thread(one.gateways[0].start)
        ended = (await one.ask("GET", f"/{id}")).json

    assert (ended["status"], text_of(ended)) == ("completed", WORDS)


async def test_two_gateways_show_stream_cancel_and_delete_each_others(tmp_path: Path, shared_url: str) -> None:
    async with place(tmp_path, shared_url, "one", "two") as both:
        first = await both.create(stream=True)
        call = await both.arrived(1)
        queued = (await both.ask("GET", f"/{first}", at=1)).json["status"]
        early = await both.ask("POST", "", {"model": MODEL, "input": "x", "previous_response_id": first}, at=1)
        async with Connection(both.gateways[1].port) as reader:
            await both.begin(reader, "GET", f"/{first}?stream=true")
            await reader.read_head()
            call.release(3)
            seen = await reader.read_until(b"word1")
            going_on = (await both.ask("GET", f"/{first}", at=1)).json["status"]
            call.release(50)
            seen += await reader.read_rest()
        here = (await both.ask("GET", f"/{first}?stream=true", at=0)).body

        second = await both.create(at=0)
        call = await both.arrived(2)
        cancelled = (await both.ask("POST", f"/{second}/cancel", at=1)).json["status"]
        await asyncio.wait_for(call.closed.wait(), SOON_S)
        third = await both.create(at=0)
        call = await both.arrived(3)
        gone = (await both.ask("DELETE", f"/{third}", at=1)).json["deleted"]
        await asyncio.wait_for(call.closed.wait(), SOON_S)
        shown = [(await both.ask("GET", f"/{id}", at=0)).json.get("status") for id in (first, second, third)]
        await both.check(paid=1)

    assert (queued, going_on, early.status, cancelled, gone) == ("queued", "in_progress", 400, "cancelled", True)
    assert seen == here and frames(seen)[-1]["type"] == "response.completed"
    assert shown == ["completed", "cancelled", None]


async def test_one_of_two_gateways_takes_over_what_a_killed_one_made(tmp_path: Path, shared_url: str) -> None:
    async with place(tmp_path, shared_url, "one", "two") as both:
        id = await both.create()
        (await both.arrived(1)).release(3)
        await both.until(id, "in_progress", at=1)
        both.gateways[0].kill()
        (await both.arrived(2)).release(50)
        ended = await both.until(id, "completed", "failed", at=1)
        await both.check(paid=1)
        async with both.database.read() as read:
            left = (await read.execute(select(func.count()).select_from(leases))).scalar_one()

    assert text_of(ended) == WORDS and left <= 1


async def test_under_load_every_response_ends_and_is_paid_once_or_not_at_all(tmp_path: Path, url: str) -> None:
    """Killed while callers read many streams, three times; each is found ended then, and whole if it was paid."""
    chance, killer = random.Random(5), Killer()
    async with place(tmp_path, url, "only", model=SLOW) as one:
        one.simulator.script = by_model
        known: dict[str, bool] = {}

        async def ask(stream: bool) -> None:
            body = {"model": SLOW, "input": "Hello", "background": True, "stream": stream}
            heard = b""
            with suppress(OSError, EOFError):  # the process has died
                async with Connection(one.gateways[0].port) as connection:
                    await one.begin(connection, "POST", "", body)
                    await connection.read_head()
                    while piece := await connection.read_piece():
                        heard += piece
                        if found := re.search(rb'"id":"(resp_[0-9a-f]{32})"', heard):
                            known[found[1].decode()] = stream
                        killer.saw("pieces")

        for _ in range(3):
            killer.arm("pieces", chance.randint(8, 60), one.gateways[0].pid)
            await asyncio.gather(*(ask(number % 3 > 0) for number in range(12)))
            one.gateways[0].kill()
            await asyncio.to_thread(one.gateways[0].start)
        ended = {id: await one.until(id, "completed", "failed") for id in known}
        streams = {id: (await one.ask("GET", f"/{id}?stream=true")).body for id, stream in known.items() if stream}
        async with one.database.read() as read:
            stored = (await read.execute(select(func.count()).select_from(stored_responses))).scalar_one()
            costs = (await read.execute(select(calls.c.cost_nano).where(calls.c.cost_nano > 0))).scalars().all()
        await one.check(paid=len(costs))

    whole = [id for id, response in ended.items() if response["status"] == "completed"]
    assert len(whole) > 5, (len(known), len(whole))
    assert len(whole) <= len(costs) <= len(whole) + stored - len(known)  # some were recorded, and not told in time
    assert all(text_of(ended[id]) == WORDS for id in whole)
    for id, stream in streams.items():
        assert frames(stream)[-1]["response"] == ended[id]
