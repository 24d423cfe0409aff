"""The composition root: the only place that constructs things and wires them together.

`serve` runs one gateway process until it is told to stop: server, teller, group commit, engines and watchers share one
event loop.
"""

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

import structlog
import uvloop
from msgspec import Struct

from tokengate.accounts.keyring import KeyRing
from tokengate.accounts.keys import KeyLimits
from tokengate.accounts.passwords import Passwords
from tokengate.accounts.upkeep.store import drop_expired
from tokengate.apps.store import CHANGES as APPS
from tokengate.catalog.load import Catalog, load_models
from tokengate.conversations.background import Backgrounds
from tokengate.conversations.responses import Conversations
from tokengate.core.clock import Clock, SystemClock, day_of
from tokengate.core.ids import new_id
from tokengate.core.logs import configure_logs
from tokengate.core.master_key import VARIABLE, open_master_key
from tokengate.core.money import read_yuan, write_yuan
from tokengate.core.networks import read_networks
from tokengate.core.sealing import Sealer
from tokengate.core.settings import CallLimits, Settings, UpstreamSettings
from tokengate.core.settings_file import client_secret, secret, storage_keys
from tokengate.files.links import Links
from tokengate.files.object_storage import place_of
from tokengate.files.results import Results
from tokengate.files.uploads import Uploads
from tokengate.gateway.applications import Applications
from tokengate.gateway.backends import Backends
from tokengate.gateway.meter import Meter
from tokengate.gateway.metrics import Metrics
from tokengate.gateway.pipeline import Gateway
from tokengate.gateway.watch import Watch
from tokengate.idempotency.replies import Replies
from tokengate.ledger.alerts import Alerts
from tokengate.ledger.codes import Redeemer
from tokengate.ledger.sweep import begin_serving
from tokengate.ledger.teller import Teller
from tokengate.limits.limiter import Limiter
from tokengate.storage.changes import Changes
from tokengate.storage.engine import Database, database_url, open_database
from tokengate.storage.migrations.upgrade import upgrade
from tokengate.storage.writer import Writer
from tokengate.tasks.background import Runs
from tokengate.tasks.callbacks import Callbacks
from tokengate.tasks.ends import Ends
from tokengate.tasks.job_hooks import JobHooks
from tokengate.tasks.jobs import Jobs
from tokengate.tasks.notify import Notifier
from tokengate.tasks.search import Searches
from tokengate.tasks.steps import Steps
from tokengate.tasks.store import live_holds
from tokengate.tasks.stored import Envelopes
from tokengate.tasks.submission import Submissions
from tokengate.tasks.worker import Worker
from tokengate.upstream.guard import Guard
from tokengate.upstream.media import MediaFetcher
from tokengate.upstream.transport import HttpTransport
from tokengate.usage import store
from tokengate.usage.crashed import record_crashed
from tokengate.usage.retention import drop_old_calls
from tokengate.web.admit import Admit
from tokengate.web.asgi import AsgiApp, AsgiHandler
from tokengate.web.console import Console, Portal
from tokengate.web.dispatch import Dispatch, Mount
from tokengate.web.oidc import Provider as OidcProvider
from tokengate.web.opening import Opening
from tokengate.web.portal.assets import STATIC, Assets
from tokengate.web.portal.pages import Pages
from tokengate.web.server import Server
from tokengate.web.shelf import Shelf
from tokengate.web.surfaces.account import AccountSurface
from tokengate.web.surfaces.anthropic import ANTHROPIC_LISTING, ANTHROPIC_QUOTABLE, AnthropicSurface
from tokengate.web.surfaces.apps import AppsSurface
from tokengate.web.surfaces.dashscope import DASHSCOPE_QUOTABLE, NATIVE_QUOTABLE, DashScopeSurface
from tokengate.web.surfaces.dashscope_services import DASHSCOPE_SERVICES_QUOTABLE, DashScopeServicesSurface
from tokengate.web.surfaces.dashscope_sockets import DashScopeSockets
from tokengate.web.surfaces.dashscope_tasks import DashScopeTasksSurface
from tokengate.web.surfaces.dashscope_uploads import DashScopeUploadsSurface
from tokengate.web.surfaces.gemini import GEMINI_LISTING, GEMINI_QUOTABLE, GeminiSurface
from tokengate.web.surfaces.jobs import JobsSurface
from tokengate.web.surfaces.models import OPENAI_LISTING, ModelsSurface
from tokengate.web.surfaces.music import MusicSurface
from tokengate.web.surfaces.openai import OpenAISurface
from tokengate.web.surfaces.operations import OperationsSurface
from tokengate.web.surfaces.pictures import PictureCalls
from tokengate.web.surfaces.quote import OPENAI_QUOTABLE, QuoteSurface
from tokengate.web.surfaces.reference import ReferenceSurface
from tokengate.web.surfaces.responses import ResponsesSurface
from tokengate.web.surfaces.results import ResultsSurface
from tokengate.web.surfaces.transcription import TranscriptionSurface
from tokengate.web.surfaces.videos import VideosSurface

_log = structlog.get_logger("tokengate.app")

_COLLECT_AFTER = 100_000  # objects
_GOODBYE_S = 2.0  # for the last bytes of replies that are done
_UPKEEP_S = 3_600
_SPEND_S = 10.0
_MEDIA = UpstreamSettings(name="The file's server", base_url="https://media.invalid", max_connections=64)
_WEBHOOKS = UpstreamSettings(name="The webhook", base_url="https://webhooks.invalid", max_connections=32)
_CONSOLE_BODY_BYTES = 1024 * 1024  # forms


class PortInUse(RuntimeError):
    """Something answers on the port already."""


class Platform(Struct, frozen=True, eq=False):
    """Everything that a running gateway consists of."""

    settings: Settings
    database: Database
    catalog: Catalog
    teller: Teller
    keyring: KeyRing
    watch: Watch
    runs: Runs
    admit: Admit
    backends: Backends
    metrics: Metrics
    console: Console
    results: Results
    links: Links
    dispatch: Dispatch


def serve(settings: Settings, *, accept_prices: bool = False, on_ready: Callable[[Platform], None]) -> None:
    """Serve until SIGTERM or SIGINT. `on_ready` is called once the port listens.

    Raises PortInUse, DatabaseInUse, MasterKeyError, PriceMoved (a price moved more than tenfold and was not accepted).
    """
    configure_logs(settings.server.log_level)
    refuse_taken_port(settings.server.host, settings.server.port)
    uvloop.run(_serve(settings, accept_prices, on_ready))


def refuse_taken_port(host: str, port: int) -> None:
    """Raise PortInUse when something answers, before anything is opened."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((host if host != "0.0.0.0" else "127.0.0.1", port)) == 0:
            raise PortInUse(f"Something already answers on {host}:{port}; stop it, or choose another --port.")


async def _serve(settings: Settings, accept_prices: bool, on_ready: Callable[[Platform], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with open_platform(settings, accept_prices=accept_prices) as platform:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        server = Server(platform.dispatch.answer, Opening)
        await server.start(settings.server.host, settings.server.port)
        _calm_collector()
        on_ready(platform)
        await stop.wait()
        await _drain(platform, settings.server.stop_timeout_s)
        await server.close(_GOODBYE_S)


def _calm_collector() -> None:
    """Keep the cyclic collector off what start-up built, and let it look at calls a little less often: they free
    themselves by reference counts."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 50)


async def _drain(platform: Platform, timeout_s: float) -> None:
    """Refuse new calls, let those in flight finish, and end the rest at the deadline, billed for what they gave; of
    responses in the background the rest is left to whoever starts next."""
    platform.admit.stopping = True
    platform.runs.stop()
    _log.info("stopping", in_flight=len(platform.watch))
    try:
        async with asyncio.timeout(timeout_s):
            await platform.watch.idle()
    except TimeoutError:
        _log.warning("stop_deadline", in_flight=len(platform.watch))
        await platform.runs.leave()
        await platform.watch.end_all()


@asynccontextmanager
async def open_platform(settings: Settings, *, accept_prices: bool = False) -> AsyncGenerator[Platform]:
    """Construct everything, start what runs in the background, and take it down in reverse order."""
    clock = SystemClock()
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        database = await open_database(database_url(settings))
        stack.push_async_callback(database.close)
        await begin_serving(database)
        master_key = open_master_key(settings.server, secret(VARIABLE))
        sealer = Sealer(master_key)
        catalog = load_models(settings)
        applications = Applications(database, catalog, clock, lambda model_id: model_id in backends.routes)
        await applications.refresh(accept_prices=accept_prices)

        writer = Writer(database, on_commit=metrics.commit)
        await writer.start()
        stack.push_async_callback(writer.close)

        async def note_crashed() -> None:
            crashed = await record_crashed(database, writer, teller.id)
            if crashed.calls:
                metrics.alarm("crashed_calls")
                _log.warning("crashed_calls", calls=crashed.calls, held_yuan=write_yuan(crashed.held_nano))

        teller = Teller(database, writer, clock, new_id=new_id, on_dead=note_crashed)
        await teller.open()
        stack.push_async_callback(teller.close)
        await note_crashed()
        keyring = KeyRing(database, clock)
        await keyring.load()
        limiter = await _open_limiter(settings, catalog, database, clock)
        replies = Replies(database, writer, sealer, clock, teller_id=lambda: teller.id)
        backgrounds = Backgrounds(database, sealer, clock)
        conversations = Conversations(database, backgrounds, sealer, clock)

        backends = Backends(settings, catalog, clock, metrics)
        stack.push_async_callback(backends.close)
        watch = Watch(writer, clock, teller_id=lambda: teller.id)
        meter = Meter(teller, writer, replies, metrics, clock)
        guard = Guard(settings.outbound.private_hosts)
        media = HttpTransport(_MEDIA, clock, guard, shows_redirects=True)
        stack.push_async_callback(media.close)
        fetcher = MediaFetcher(media)
        uploads = Uploads(settings.server.data / "uploads", sealer, clock, new_id=new_id)
        results = Results(
            place_of(settings.results, settings.server.data, storage_keys(settings.results)),
            clock,
            new_id=new_id,
        )
        links = Links(master_key, clock)
        gateway = Gateway(
            catalog=catalog,
            routes=backends.routes,
            teller=teller,
            limiter=limiter,
            replies=replies,
            watch=watch,
            meter=meter,
            fetch=fetcher.fetch,
            uploads=uploads,
            default_output_cap=settings.limits.default_output_cap,
        )
        runs = Runs(gateway, conversations, backgrounds, keyring, writer, clock, new_id=new_id)
        callbacks = Callbacks(master_key, settings.portal.base_url)
        envelopes = Envelopes(sealer)
        submissions = Submissions(database, envelopes, callbacks, gateway.fetch, media, metrics, clock)
        ends = Ends(
            database, envelopes, limiter, metrics, clock, keep_files_days=settings.results.keep_days, new_id=new_id
        )
        searches = Searches(database, envelopes, clock)
        steps = Steps(
            database, backends.routes, envelopes, submissions, searches, ends, results, fetcher, metrics, clock
        )
        worker = Worker(database, steps, teller, clock)
        jobs = Jobs(
            database, gateway, envelopes, submissions, steps, ends, worker, results, links, clock, new_id=new_id
        )
        stack.push_async_callback(jobs.close)
        trusted_proxies = read_networks(settings.server.trusted_proxies)
        admit = Admit(
            keyring,
            max_body_mb=settings.server.max_body_mb,
            body_timeout_s=settings.server.body_timeout_s,
            trusted_proxies=trusted_proxies,
        )

        def not_ready() -> list[str]:
            return ["The gateway is stopping."] if admit.stopping else backends.not_ready()

        webhooks = HttpTransport(_WEBHOOKS, clock, guard)
        stack.push_async_callback(webhooks.close)
        job_hooks = JobHooks(database, master_key)
        alerts = Alerts(database, sealer, clock, new_id=new_id)
        notifier = Notifier(
            database, alerts, job_hooks, webhooks, clock, held_nano=teller.held_nano, alarm=metrics.alarm, new_id=new_id
        )

        portal = Portal(database, settings)
        await portal.refresh()
        console = Console(
            settings=settings,
            database=database,
            clock=clock,
            new_id=new_id,
            sealer=sealer,
            passwords=Passwords(),
            keyring=keyring,
            portal=portal,
            catalog=catalog,
            applications=applications,
            backends=backends,
            teller=teller,
            watch=watch,
            redeemer=Redeemer(clock, new_id=new_id),
            alerts=alerts,
            notifier=notifier,
            jobs=jobs,
            guard=guard,
            oidc=_oidc_providers(settings, stack, clock),
            trusted_proxies=trusted_proxies,
            shelf=Shelf(catalog, backends, lambda: dispatch.endpoints, database, clock),
        )
        listings = {"openai": OPENAI_LISTING, "anthropic": ANTHROPIC_LISTING, "gemini": GEMINI_LISTING}
        gemini = GeminiSurface(gateway, admit)
        pictures = PictureCalls(gateway, jobs, results, admit, clock, settings.portal.base_url)
        dashscope = DashScopeSurface(gateway, pictures, admit)
        sockets = DashScopeSockets(admit)
        responses = ResponsesSurface(gateway, admit, conversations, runs)
        openai = OpenAISurface(gateway, pictures, admit, dashscope.answer)
        transcription = TranscriptionSurface(gateway, admit, settings.server.data)
        videos = VideosSurface(jobs, results, admit)
        forms = (*openai.quotable_forms(), *transcription.quotable_forms(), videos.quotable_form())
        quotable = (
            ANTHROPIC_QUOTABLE,
            *GEMINI_QUOTABLE,
            *DASHSCOPE_QUOTABLE,
            *DASHSCOPE_SERVICES_QUOTABLE,
            responses.quotable(),
            *OPENAI_QUOTABLE,
            NATIVE_QUOTABLE,
        )
        dispatch = Dispatch(
            [
                *openai.endpoints(),
                *transcription.endpoints(),
                *responses.endpoints(),
                *AppsSurface(gateway, admit).endpoints(),
                *AnthropicSurface(gateway, admit).endpoints(),
                *gemini.endpoints(),
                *dashscope.endpoints(),
                *DashScopeServicesSurface(gateway, admit).endpoints(),
                *DashScopeUploadsSurface(uploads, admit, settings.portal.base_url).endpoints(),
                *DashScopeTasksSurface(jobs, uploads, admit, clock, settings.portal.base_url).endpoints(),
                *ModelsSurface(catalog, backends.routes, backends.absent, admit, listings).endpoints(),
                *QuoteSurface(gateway, admit, quotable, forms).endpoints(),
                *AccountSurface(database, teller, admit).endpoints(),
                *ResultsSurface(results, links, admit).endpoints(),
                *JobsSurface(jobs, callbacks, job_hooks, admit, settings.portal.base_url).endpoints(),
                *MusicSurface(jobs, admit, settings.portal.base_url).endpoints(),
                *videos.endpoints(),
                *OperationsSurface(metrics, not_ready, backends.states).endpoints(),
                *ReferenceSurface(console, admit).endpoints(),
            ],
            mounts=[
                Mount("/console/api/", _console_api(console)),
                *gemini.mounts(),
                *dashscope.mounts(),
                *sockets.mounts(),
            ],
            pages=Pages(Assets(STATIC)).answer,
            clock=clock,
            new_id=new_id,
            cors=settings.server.cors,
            body_timeout_s=settings.server.body_timeout_s,
            on_refused=metrics.refuse,
        )
        metrics.show_breakers(backends.breaker_states)
        metrics.gauge("tokengate_in_flight", "Calls being answered now", lambda: len(watch))
        metrics.gauge("tokengate_job_steps", "Steps of jobs being done now", lambda: len(worker))
        metrics.gauge("tokengate_background_responses", "Responses in the background made here now", lambda: len(runs))
        metrics.gauge("tokengate_drains", "Abandoned calls being read to their end", lambda: watch.drains)

        async def refresh_keys() -> None:
            await _load_spend(limiter, database, clock)
            await keyring.refresh()

        async def refresh_applications() -> None:
            await applications.refresh()
            console.shelf.renew()

        changes = Changes(database)
        changes.watch("keys", refresh_keys)
        changes.watch("wallets", teller.refresh)
        changes.watch("settings", portal.refresh)
        changes.watch(APPS, refresh_applications)
        await changes.start()
        stack.push_async_callback(changes.close)

        await stack.enter_async_context(
            _background(
                watch.run(),
                backends.start(),
                notifier.run(),
                worker.run(),
                runs.run(),
                _follow_spend(teller, limiter, database, clock),
                _keep_house(
                    database, replies, conversations, uploads, jobs, settings.server.keep_calls_days, metrics, clock
                ),
            )
        )
        yield Platform(
            settings=settings,
            database=database,
            catalog=catalog,
            teller=teller,
            keyring=keyring,
            watch=watch,
            runs=runs,
            admit=admit,
            backends=backends,
            metrics=metrics,
            console=console,
            results=results,
            links=links,
            dispatch=dispatch,
        )


def _oidc_providers(settings: Settings, stack: AsyncExitStack, clock: Clock) -> dict[str, OidcProvider]:
    """Return the providers of sign-ins, each with a transport of its own that connects when somebody comes."""
    providers: dict[str, OidcProvider] = {}
    for one in settings.oidc:
        at = UpstreamSettings(f"oidc {one.name}", one.issuer, proxy=one.proxy, ca_file=one.ca_file)
        transport = HttpTransport(at, clock)
        stack.push_async_callback(transport.close)
        providers[one.name] = OidcProvider(one, client_secret(one), transport, clock)
    return providers


def _console_api(console: Console) -> AsgiHandler:
    """Return the console's API. Its framework is imported and the application built at the first request: neither the
    start nor the memory of a gateway without a console pays for it."""

    def load() -> AsgiApp:
        from tokengate.web.console_api import build_app

        return cast(AsgiApp, build_app(console))

    return AsgiHandler(load, max_body_bytes=_CONSOLE_BODY_BYTES, body_timeout_s=console.settings.server.body_timeout_s)


async def _open_limiter(settings: Settings, catalog: Catalog, database: Database, clock: Clock) -> Limiter:
    model_limits: dict[str, KeyLimits] = {}
    for own in settings.model:
        model = catalog.resolve(own.id)
        assert model is not None, f"[[model]] {own.id!r} is in the catalogue that was made with it"
        if own.limits != CallLimits():
            model_limits[model.id] = _limits(own.limits)
    limiter = Limiter(clock, _limits(settings.limits), model_limits)
    await _load_spend(limiter, database, clock)
    await _load_jobs(limiter, database)
    return limiter


def _limits(settings: CallLimits) -> KeyLimits:
    spend = settings.spend_per_day
    return KeyLimits(
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
        concurrency=settings.concurrency,
        spend_per_day_nano=None if spend is None else read_yuan(spend),
    )


async def _load_spend(limiter: Limiter, database: Database, clock: Clock) -> None:
    day = day_of(clock.now_s())
    async with database.read() as read:
        limiter.load_spend(await store.spend_of_day(read, day), day)
        limiter.load_budgets(await store.spend_of_budgets(read, clock.now_s()))


async def _load_jobs(limiter: Limiter, database: Database) -> None:
    async with database.read() as read:
        limiter.load_jobs(await live_holds(read))


async def _follow_spend(teller: Teller, limiter: Limiter, database: Database, clock: Clock) -> None:
    """Let limits of spend and budgets count what keys spend, and their jobs hold, at other gateways of the same
    database; once more when the last of them has left."""
    had_others = False
    while True:
        await asyncio.sleep(_SPEND_S)
        has_others = teller.others > 0
        if not (has_others or had_others):
            continue
        try:
            await _load_spend(limiter, database, clock)
            await _load_jobs(limiter, database)
            had_others = has_others
        except Exception:  # the database is away: the next time
            _log.exception("spend")


async def _keep_house(
    database: Database,
    replies: Replies,
    conversations: Conversations,
    uploads: Uploads,
    jobs: Jobs,
    keep_calls_days: int,
    metrics: Metrics,
    clock: Clock,
) -> None:
    """Drop what has served its time, and make room for the days to come."""
    while True:
        try:
            await replies.purge()
            await conversations.purge()
            await uploads.purge()
            await jobs.purge()
            async with database.tx() as tx:
                await upgrade(tx, now_s=clock.now_s())
                await drop_expired(tx, int(clock.now_s() * 1000))
            if keep_calls_days:
                dropped = await drop_old_calls(database, keep_calls_days, clock.now_s())
                if dropped.calls or dropped.partitions:
                    _log.info("old_calls_dropped", calls=dropped.calls, partitions=dropped.partitions)
        except Exception:
            metrics.alarm("upkeep")
            _log.exception("upkeep")
        await asyncio.sleep(_UPKEEP_S)


@asynccontextmanager
async def _background(*jobs: Coroutine[None, None, None]) -> AsyncGenerator[None]:
    """Run jobs beside the block and end them with it; a job that fails ends the process, loudly."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job) for job in jobs]
        yield
        for task in tasks:
            task.cancel()
