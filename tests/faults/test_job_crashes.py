"""Jobs in flight while gateways are killed: every job ends, each is charged once or not at all, no vendor is asked
twice for the same, and no file is left behind. Films are followed by looks, and found again in their vendor's list;
songs are told of by callbacks, which get lost, and come late, twice, out of order, or once nobody waits for them.
"""

import asyncio
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select, update

from tests.e2e.gateway import GatewayProcess
from tests.simulators.film_upstream import KEY, FilmSimulator
from tests.simulators.music_vendor import KEY as MUSIC_KEY
from tests.simulators.openai_upstream import Call, Reply, ThreadedUpstream
from tests.simulators.sunoapi_vendor import SunoApiSimulator
from tests.support import PostgresqlServer
from tokengate.core.money import read_yuan
from tokengate.ledger.verify import verify
from tokengate.storage.engine import Database, open_database
from tokengate.storage.tables import calls, jobs, wallets
from tokengate.tasks.stored import SEARCH

SECONDS, PRICE_OF_SECOND, PRICE_OF_SONG = 4, "0.25", "0.5"
BALANCE = "2000"
CALLERS = 8
MASTER_KEY = "ab" * 32
ENDED = ("succeeded", "failed", "cancelled", "expired")


class Ask(NamedTuple):
    path: str
    body: dict[str, Any]
    prompt: str


class Vendor:
    """A simulated vendor, counted: `on_call` is told of each request, from any thread."""

    cost_nano: int  # of a job that succeeded
    fates: tuple[str, ...]  # what a prompt does to its job at the vendor (see the simulators), by turns

    def __init__(self) -> None:
        self.on_call: Callable[[], None] = lambda: None
        self.gateways: list[GatewayProcess] = []

    def __call__(self, call: Call) -> Reply:
        self.on_call()
        return self.answer(call)

    def answer(self, call: Call) -> Reply:
        raise NotImplementedError

    def config(self, url: str) -> str:
        raise NotImplementedError

    def ask(self, prompt: str) -> Ask:
        raise NotImplementedError

    @property
    def prompts(self) -> list[str]:
        """What was submitted."""
        raise NotImplementedError

    def check(self, ids: set[str]) -> None:
        """`ids` are the vendor's, of all jobs."""
        raise NotImplementedError

    def close(self) -> None: ...


class Films(Vendor):
    cost_nano = SECONDS * read_yuan(PRICE_OF_SECOND)
    fates = ("", "", "", "", "FAIL", "LOST", "LATE")

    def __init__(self) -> None:
        super().__init__()
        self._films = FilmSimulator("openai", looks=2)

    def answer(self, call: Call) -> Reply:
        return self._films(call)

    def config(self, url: str) -> str:
        return (
            f'[[upstream]]\nname = "openai"\nprovider = "openai"\nbase_url = "{url}"\napi_key = "{KEY}"\n'
            f'models = ["sora-2"]\n[[model]]\nid = "sora-2"\nprice = {{ second = "{PRICE_OF_SECOND}" }}\n'
        )

    def ask(self, prompt: str) -> Ask:
        body = {"model": "sora-2", "prompt": prompt, "seconds": str(SECONDS), "size": "720x1280"}
        return Ask("/v1/videos", body, prompt)

    @property
    def prompts(self) -> list[str]:
        return [asked["prompt"] for asked in self._films.asked]

    def check(self, ids: set[str]) -> None:
        # Whatever the vendor took is a job's: an answer that was lost with its gateway is found in the vendor's list.
        assert ids == self._films.made


class Songs(Vendor):
    """With each request, some callback of some song is posted to some gateway, whether it is true yet or not."""

    cost_nano = read_yuan(PRICE_OF_SONG)
    fates = ("", "", "", "", "FAIL because", "FORGET", "LATE 3")

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._songs = SunoApiSimulator()
        self._chance = chance
        self._posts = ThreadPoolExecutor(2)
        self.statuses: Counter[int] = Counter()  # of the answers to callbacks

    def answer(self, call: Call) -> Reply:
        tasks = list(self._songs.tasks.values())
        if tasks and self._chance.random() < 0.5:
            task = self._chance.choice(tasks)
            told = self._chance.choice(self._songs.told(task, "http://127.0.0.1:1"))
            self._posts.submit(self._post, self._chance.choice(self.gateways), task.body["callBackUrl"], told)
        return self._songs(call)

    def config(self, url: str) -> str:
        return (
            f'[[upstream]]\nname = "music"\nprovider = "sunoapi"\nbase_url = "{url.removesuffix("/v1")}"\n'
            f'api_key = "{MUSIC_KEY}"\nmodels = {{ "chirp-v4" = "chirp-v4" }}\n'
            f'[[model]]\nid = "chirp-v4"\nprice = {{ request = "{PRICE_OF_SONG}" }}\n'
            '[portal]\nbase_url = "https://ai.example.com"\n[outbound]\nprivate_hosts = ["127.0.0.1"]\n'
        )

    def ask(self, prompt: str) -> Ask:
        return Ask("/suno/v2/create", {"mv": "chirp-v4", "prompt": prompt, "title": "A song", "tags": "pop"}, prompt)

    @property
    def prompts(self) -> list[str]:
        return [asked["prompt"] for asked in self._songs.asked]

    def check(self, ids: set[str]) -> None:
        # The vendor has no list: a song whose answer was lost is a job's once a callback came, and nobody's otherwise.
        assert ids <= set(self._songs.tasks)
        assert self.statuses[200] > 0
        assert set(self.statuses) <= {200}, self.statuses

    def close(self) -> None:
        self._posts.shutdown()

    def tell_all(self) -> None:
        """Post every callback of every song once more."""
        for task in list(self._songs.tasks.values()):
            for told in self._songs.told(task, "http://127.0.0.1:1"):
                self._post(self.gateways[-1], task.body["callBackUrl"], told)

    def _post(self, gateway: GatewayProcess, url: str, told: dict[str, Any]) -> None:
        try:
            answer = httpx.post(gateway.url + urlsplit(url).path, json=told, timeout=60)
        except httpx.HTTPError:
            return  # killed meanwhile: a callback that is lost
        self.statuses[answer.status_code] += 1


class Crowd:
    """Callers who submit jobs and do not care who answers; what they were told is kept. While a gateway is down they
    ask another one, or wait until it is `up` again."""

    def __init__(self, vendor: Vendor, gateways: list[GatewayProcess], key: str) -> None:
        self.vendor = vendor
        self.gateways = gateways
        self.key = key
        self.told: dict[str, str] = {}  # job ids by prompt
        self.up = threading.Event()
        self.up.set()
        self._lock = threading.Lock()

    def submit(self, number: int) -> None:
        fates = self.vendor.fates
        ask = self.vendor.ask(f"job {number} {fates[number % len(fates)]}".strip())
        answer, at = None, number
        while answer is None:
            assert self.up.wait(60)
            try:
                answer = httpx.post(
                    self.gateways[at % len(self.gateways)].url + ask.path,
                    json=ask.body,
                    headers={"authorization": f"Bearer {self.key}"},
                    timeout=60,
                )
            except httpx.ConnectError:
                at += 1  # it never got the request
            except httpx.HTTPError:
                return  # killed meanwhile
        if answer.status_code == 200:
            with self._lock:
                told = answer.json()
                self.told[ask.prompt] = told["id"] if "id" in told else told["data"]


def config_of(vendor: Vendor, upstream: ThreadedUpstream, folder: Path) -> str:
    return f'{vendor.config(upstream.url)}[results]\nurl = "file://{folder / "results"}"\n'


def kill_after(
    vendor: Vendor, requests: int, gateway: GatewayProcess, up: threading.Event | None = None
) -> threading.Event:
    """Kill the gateway when the vendor has got so many requests more; return what tells that it was. If it comes back,
    `up` is cleared before."""
    left, killed, pid = [requests], threading.Event(), gateway.pid

    def count() -> None:
        left[0] -= 1
        if left[0] == 0:
            if up is not None:
                up.clear()
            os.kill(pid, signal.SIGKILL)
            killed.set()

    vendor.on_call = count
    return killed


async def all_ended(database: Database, vendor: Vendor) -> None:
    async with asyncio.timeout(300):
        while True:
            async with database.read() as read:
                steps = set(await read.scalars(select(jobs.c.step).where(jobs.c.ended_ms.is_(None)).distinct()))
            if not steps:
                return
            if steps == {SEARCH} and isinstance(vendor, Songs):
                await asyncio.to_thread(vendor.tell_all)
                await have_waited(database)
            await asyncio.sleep(0.05)


async def have_waited(database: Database) -> None:
    """Let the quarter of an hour be over in which the vendor might have told of songs whose answers were lost."""
    async with database.tx() as tx:
        await tx.execute(update(jobs).where(jobs.c.step == SEARCH).values(deadline_ms=0, due_ms=0))


async def ended(database: Database, vendor: Vendor, crowd: Crowd, folder: Path) -> dict[str, int]:
    """Wait for the end of all jobs, and check them; twice, when the vendor has more to say afterwards."""
    await all_ended(database, vendor)
    if isinstance(vendor, Songs):
        before = await check(database, vendor, crowd, folder)
        await asyncio.to_thread(vendor.tell_all)
        assert await check(database, vendor, crowd, folder) == before
    return await check(database, vendor, crowd, folder)


async def check(database: Database, vendor: Vendor, crowd: Crowd, folder: Path) -> dict[str, int]:
    """What must be true in the end; return how many jobs ended how."""
    twice = [prompt for prompt, count in Counter(vendor.prompts).items() if count > 1]
    assert vendor.prompts and not twice, twice
    assert (await verify(database)).differences == []
    async with database.read() as read:
        ended = (await read.execute(select(jobs))).all()
        paid = {row.id: row.cost_nano for row in await read.execute(select(calls.c.id, calls.c.cost_nano))}
        query = select(wallets.c.balance_nano, wallets.c.held_nano).where(wallets.c.name == "test")
        balance, held = (await read.execute(query)).one()
    assert held == 0
    ids = [job.vendor_id for job in ended if job.vendor_id]
    assert len(ids) == len(set(ids))
    vendor.check(set(ids))
    succeeded = {job.id for job in ended if job.state == "succeeded"}
    assert all(
        job.state in ENDED and job.cost_nano == (vendor.cost_nano if job.id in succeeded else 0) for job in ended
    )
    assert all(paid[job.id] == job.cost_nano for job in ended)
    assert balance == read_yuan(BALANCE) - len(succeeded) * vendor.cost_nano
    assert {path.name for path in (folder / "results").iterdir()} == succeeded
    known = {job.id for job in ended}
    assert all(f"job_{told.rpartition('_')[2]}" in known for told in crowd.told.values()), "a caller's job is gone"
    return dict(Counter(job.state for job in ended))


async def live(
    folder: Path, url: str, vendor: Vendor, chance: random.Random, *, count: int, kills: int
) -> dict[str, Any]:
    """One gateway on one database, killed again and again while jobs are under way."""
    with ThreadedUpstream(vendor) as upstream, closing(vendor):
        gateway = GatewayProcess(folder, config_of(vendor, upstream, folder), database=url)
        vendor.gateways = [gateway]
        with gateway:
            crowd = Crowd(vendor, [gateway], gateway.create_key(BALANCE))
            with ThreadPoolExecutor(CALLERS) as callers:
                for life in range(kills + 1):
                    numbers = range(life * count // (kills + 1), (life + 1) * count // (kills + 1))
                    killed = None
                    if life < kills:
                        killed = kill_after(vendor, chance.randrange(1, 3 * len(numbers)), gateway, crowd.up)
                    submitted = callers.map(crowd.submit, numbers)
                    if killed is not None:
                        assert await asyncio.to_thread(killed.wait, 60)
                        gateway.kill()
                        gateway.start()
                        crowd.up.set()
                    await asyncio.to_thread(list, submitted)
            vendor.on_call = lambda: None
            database = await open_database(url or f"sqlite:///{folder}/tokengate.db")
            try:
                return await ended(database, vendor, crowd, folder)
            finally:
                await database.close()


async def live_in_two(folder: Path, url: str, vendor: Vendor, chance: random.Random, *, count: int) -> dict[str, Any]:
    """Two gateways on one database; one of them is killed for good, and the other has all the jobs then."""
    with ThreadedUpstream(vendor) as upstream, closing(vendor):
        config = config_of(vendor, upstream, folder)
        for name in ("one", "two"):
            (folder / name).mkdir()
        environ = {"TOKENGATE_MASTER_KEY": MASTER_KEY}
        one = GatewayProcess(folder / "one", config, database=url, environ=environ)
        two = GatewayProcess(folder / "two", config, database=url, environ=environ)
        vendor.gateways = [one, two]
        with one, two:
            crowd = Crowd(vendor, [one, two], one.create_key(BALANCE))
            with ThreadPoolExecutor(CALLERS) as callers:
                killed = kill_after(vendor, chance.randrange(count // 2, count * 2), one)
                await asyncio.to_thread(list, callers.map(crowd.submit, range(count)))
            assert await asyncio.to_thread(killed.wait, 120)
            database = await open_database(url)
            try:
                return await ended(database, vendor, crowd, folder)
            finally:
                await database.close()


def vendor_of(kind: str, chance: random.Random) -> Vendor:
    return Films() if kind == "films" else Songs(chance)


pytestmark = pytest.mark.timeout(300)  # lives and deaths of whole processes take their time
KINDS = pytest.mark.parametrize("kind", ["films", "songs"])


@KINDS
async def test_jobs_outlive_every_kill_on_sqlite(tmp_path: Path, kind: str) -> None:
    chance = random.Random(1)

    states = await live(tmp_path, "", vendor_of(kind, chance), chance, count=28, kills=3)

    assert states["succeeded"] > 8, states
    assert states["failed"] > 1, states


@KINDS
async def test_jobs_of_a_gateway_that_is_gone_for_good_are_taken_over(
    tmp_path: Path, postgresql_server: PostgresqlServer, kind: str
) -> None:
    chance = random.Random(2)

    states = await live_in_two(tmp_path, await postgresql_server.create(), vendor_of(kind, chance), chance, count=30)

    assert states["succeeded"] > 8, states


@pytest.mark.soak
@pytest.mark.timeout(0)
@KINDS
@pytest.mark.parametrize("seed", range(300, 303))
async def test_five_hundred_jobs_outlive_twenty_kills(tmp_path: Path, kind: str, seed: int) -> None:
    chance = random.Random(seed)
    await live(tmp_path, "", vendor_of(kind, chance), chance, count=500, kills=20)


@pytest.mark.soak
@pytest.mark.timeout(0)
@KINDS
@pytest.mark.parametrize("seed", range(400, 403))
async def test_five_hundred_jobs_are_taken_over(
    tmp_path: Path, postgresql_server: PostgresqlServer, kind: str, seed: int
) -> None:
    chance = random.Random(seed)
    await live_in_two(tmp_path, await postgresql_server.create(), vendor_of(kind, chance), chance, count=500)
