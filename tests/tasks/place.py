"""A gateway's jobs with a vendor that does as it is told: both in this process, the database a real one."""

import asyncio
from pathlib import Path
from typing import Any

from tests.gateway.parts import backend, target
from tests.support import FakeClock
from tests.tasks.film_vendor import PlainFilms, Vendor
from tokengate.accounts.keys import NO_LIMITS, Principal
from tokengate.catalog.load import load_models
from tokengate.catalog.versions import sync_prices
from tokengate.core.clock import now_ms
from tokengate.core.ids import new_id
from tokengate.core.sealing import KEY_BYTES, Sealer
from tokengate.core.settings import ModelSettings, PriceSettings, Settings
from tokengate.core.video import Film
from tokengate.files.links import Links
from tokengate.files.object_storage import Folder
from tokengate.files.results import Results
from tokengate.gateway.call import Options
from tokengate.gateway.metrics import Metrics
from tokengate.gateway.pipeline import Gateway
from tokengate.gateway.route import Route, Target
from tokengate.ledger import store as ledger
from tokengate.ledger.teller import Teller
from tokengate.ledger.verify import verify
from tokengate.limits.limiter import Limiter
from tokengate.storage.engine import Database
from tokengate.storage.tables import orgs
from tokengate.storage.writer import Writer
from tokengate.tasks.callbacks import Callbacks
from tokengate.tasks.ends import Ends
from tokengate.tasks.jobs import JobOperation, Jobs, Taken
from tokengate.tasks.search import Searches
from tokengate.tasks.steps import Steps
from tokengate.tasks.stored import Envelopes
from tokengate.tasks.submission import Submissions
from tokengate.tasks.worker import Worker
from tokengate.upstream.media import MediaFetcher

YUAN = 10**9
PRICE = "0.5"  # yuan a second
ORG = "org_1"
FILMS = JobOperation("/films", "/v1/films", "video")
MASTER_KEY = bytes(KEY_BYTES)


class Process:
    """One gateway process, as far as jobs go."""

    def __init__(self, place: "Place") -> None:
        database, clock = place.database, place.clock
        self.writer = Writer(database)
        self.teller = Teller(database, self.writer, clock, new_id=new_id)
        self.metrics = Metrics()
        targets: list[Target] = []
        for name, vendor in place.vendors.items():
            of = backend(name, jobs={"video": place.formats[name]})
            of.transport = vendor
            targets.append(target(of, model="their-film", clock=clock))
        routes = {"film": Route(targets)}
        self.limiter = limiter = Limiter(clock, NO_LIMITS)
        unused: Any = None
        gateway = Gateway(
            catalog=place.catalog,
            routes=routes,
            teller=self.teller,
            limiter=limiter,
            replies=unused,
            watch=unused,
            meter=unused,
            fetch=_no_fetch,
            uploads=unused,
            default_output_cap=0,
        )
        envelopes = Envelopes(Sealer(MASTER_KEY))
        callbacks = Callbacks(MASTER_KEY, "https://gate.example")
        submissions = Submissions(database, envelopes, callbacks, _no_fetch, place.vendor, self.metrics, clock)
        ends = Ends(database, envelopes, limiter, self.metrics, clock, keep_files_days=7, new_id=new_id)
        media = MediaFetcher(place.vendor)
        searches = Searches(database, envelopes, clock)
        steps = Steps(
            database, routes, envelopes, submissions, searches, ends, place.results, media, self.metrics, clock
        )
        self.worker = Worker(database, steps, self.teller, clock)
        links = Links(MASTER_KEY, clock)
        self.jobs = Jobs(
            database,
            gateway,
            envelopes,
            submissions,
            steps,
            ends,
            self.worker,
            place.results,
            links,
            clock,
            new_id=new_id,
        )

    async def open(self) -> None:
        await self.writer.start()
        await self.teller.open()

    async def close(self) -> None:
        await self.jobs.close()
        await self.teller.close()
        await self.writer.close()

    async def work(self) -> None:
        """Do all that is due."""
        while await self.worker.look():
            await self.worker.idle()


async def _no_fetch(url: str, limit_bytes: int) -> Any:
    raise AssertionError("nothing lies at an address here")


class Place:
    """A wallet, a model of half a yuan a second, a vendor, and one process."""

    def __init__(self, database: Database, clock: FakeClock, folder: Path) -> None:
        self.database = database
        self.clock = clock
        self.vendor = Vendor(clock)
        self.vendors: dict[str, Vendor] = {"one": self.vendor}
        self.formats: dict[str, PlainFilms] = {"one": PlainFilms()}
        self._unheard: list[asyncio.Task[Taken]] = []
        self._folder = folder / "results"
        self.results = Results(Folder(self._folder), clock, new_id=new_id)
        price = PriceSettings(second=PRICE, per="mtok")
        self.catalog = load_models(Settings(model=[ModelSettings(id="film", kind="video", price=price)]))

    async def open(self, yuan: int = 100) -> None:
        async with self.database.tx() as tx:
            await tx.execute(orgs.insert().values(id=ORG, name="Default", created_ms=0))
            self.wallet = await ledger.open_wallet(tx, ORG, "w", now_ms(self.clock))
            await ledger.top_up(tx, ORG, self.wallet, yuan * YUAN, "test", now_ms(self.clock))
            await sync_prices(tx, self.catalog, now_ms(self.clock))
        self.caller = Principal(key_id="key_1", name="k", org_id=ORG, project_id="prj_1", wallet_id=self.wallet)
        self.process = await self.start()

    async def start(self) -> Process:
        process = Process(self)
        await process.open()
        return process

    async def submit(
        self, process: Process | None = None, *, seconds: int = 10, key: str | None = None, **more: Any
    ) -> Taken:
        task = Film(format="plain", model="film", prompt="a cat", seconds=seconds)
        options = Options(idempotency_key=key)
        jobs = (process or self.process).jobs
        return await jobs.submit(self.caller, FILMS, task, options, request_id="req_1", **more)

    async def submit_unheard(self, **more: Any) -> None:
        """Submit, and return when the vendor is about to answer, which it never does."""
        reached, _ = await at_answer(self)
        self._unheard.append(asyncio.create_task(self.submit(**more)))
        await reached.wait()

    async def money(self) -> tuple[int, int]:
        """Return the balance and what jobs hold, in yuan x 10."""
        async with self.database.read() as read:
            wallet = await ledger.get_wallet(read, ORG, self.wallet)
        return wallet.balance_nano * 10 // YUAN, wallet.held_nano * 10 // YUAN

    def kept(self) -> set[str]:
        """Return the jobs of which files are there."""
        return {one.name for one in self._folder.iterdir()} if self._folder.exists() else set()

    async def differences(self) -> list[str]:
        return (await verify(self.database)).differences


async def die(process: Process) -> None:
    """Lose the process without a word: its database rows stay as they are. What it was about to hear of its vendor is
    never said, until `bury`."""
    await _cancel("teller")
    await process.writer.close()


async def bury() -> None:
    """End what a dead process left hanging, which must not change anything any more."""
    await _cancel("job_")


async def _cancel(name: str) -> None:
    tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith(name)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def successor(place: Place) -> Process:
    """Start another process, which finds its predecessor dead."""
    await place.database.close()  # frees the serve lock, as the end of the process would
    process = Process(place)
    await process.open()
    place.process = process
    return process


async def at_answer(place: Place) -> tuple[asyncio.Event, asyncio.Event]:
    """Let the vendor's next answer wait; return what is set when it does, and what lets it go on."""
    reached, go = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        place.vendor.before_answer = None
        reached.set()
        await go.wait()

    place.vendor.before_answer = wait
    return reached, go
