"""The backends that the configuration names: upstreams over the network, engines in this process, and the routes
from models to them.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from msgspec import Struct, json

from tokengate.catalog.load import Catalog
from tokengate.catalog.model import Model
from tokengate.core.clock import Clock
from tokengate.core.http import Timeouts
from tokengate.core.settings import EngineSettings, Settings, UpstreamSettings
from tokengate.core.settings_file import SettingsError, credential, secret
from tokengate.engines.llama import LlamaEngine
from tokengate.engines.piper import SpeechEngine
from tokengate.engines.state import EngineState
from tokengate.engines.whisper import TranscriptionEngine
from tokengate.engines.wordllama import EmbeddingEngine
from tokengate.gateway.health import Breaker, Health, State
from tokengate.gateway.metrics import Metrics
from tokengate.gateway.overlay import fixed_chat
from tokengate.gateway.route import Backend, Route, Target
from tokengate.providers.load import provider_of, upstreams_from_environment, with_address
from tokengate.upstream.transport import HttpTransport

_log = structlog.get_logger("tokengate.gateway")

Engine = LlamaEngine | EmbeddingEngine | SpeechEngine | TranscriptionEngine


class BackendState(Struct, frozen=True):
    """An upstream, or an engine in this process, at one moment."""

    name: str
    provider: str
    address: str  # nothing of it is secret; empty for an engine
    engine: EngineState | None
    in_flight: int
    models: list[Health]  # the one that is worst off first

    @property
    def worst(self) -> Health | None:
        """Return the health of the model that is worst off; None when no model is offered."""
        return self.models[0] if self.models else None


class Backends:
    """All backends, opened at once; engines load in the background once started."""

    def __init__(self, settings: Settings, catalog: Catalog, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._targets: dict[str, list[Target]] = {}
        self._transports: list[HttpTransport] = []
        self._backends: list[Backend] = []
        self._engines = _engines(settings.engine, settings.server.data, clock)
        for engine in self._engines:
            self._add_engine(engine, catalog)
        for upstream in upstreams_of(settings):
            self._add_upstream(upstream, catalog)
        self.routes = {model_id: Route(targets) for model_id, targets in self._targets.items()}

    async def start(self) -> None:
        """Load the engines; return when each is ready or cannot be."""
        async with asyncio.TaskGroup() as group:
            for engine in self._engines:
                group.create_task(_start(engine))

    async def close(self) -> None:
        for engine in self._engines:
            await engine.close()
        for transport in self._transports:
            await transport.close()

    def not_ready(self) -> list[str]:
        """Return what keeps calls from being answered, as sentences; empty when the gateway is ready.

        An engine that is loading always counts; one that cannot be used counts when there is no upstream beside it,
        unless it is optional.
        """
        if not self._engines and not self._transports:
            return ["No upstream and no local model is configured."]
        return [f"{engine.model}: {engine.state.sentence}" for engine in self._engines if self._is_awaited(engine)]

    def absent(self) -> frozenset[str]:
        """Return the models that only an engine offers which has no weights, or failed to load."""
        useless = {id(engine) for engine in self._engines if engine.state.name in ("missing", "failed")}
        return frozenset(
            model_id
            for model_id, targets in (self._targets.items() if useless else ())
            if all(id(target.backend.transport) in useless for target in targets)
        )

    def states(self) -> list[BackendState]:
        """Return how each upstream and engine stands."""
        engines = {id(engine): engine.state for engine in self._engines}
        return [
            BackendState(
                name=backend.name,
                provider=backend.provider.name,
                address=shown_address(backend.base_url),
                engine=engines.get(id(backend.transport)),
                in_flight=backend.in_flight,
                models=sorted(
                    (target.breaker.snapshot() for target in self._all_targets() if target.backend is backend),
                    key=lambda health: (_BADNESS[health.state], health.failures),
                    reverse=True,
                ),
            )
            for backend in self._backends
        ]

    def breaker_states(self) -> Iterator[tuple[str, str, str]]:
        """Yield (upstream, model, state) for metrics."""
        for target in self._all_targets():
            yield target.backend.name, target.breaker.model, target.breaker.snapshot().state.value

    def _is_awaited(self, engine: Engine) -> bool:
        match engine.state.name:
            case "ready":
                return False
            case "loading":
                return True
            case "missing" | "failed":
                return not self._transports and not engine.optional

    def _all_targets(self) -> Iterator[Target]:
        for targets in self._targets.values():
            yield from targets

    def _add_engine(self, engine: Engine, catalog: Catalog) -> None:
        backend = Backend(
            name="local",
            provider=provider_of("local"),
            transport=engine,
            base_url="",
            credential="",
            headers={},
            timeouts=Timeouts(),
            on_abort="cancel",
            weight=1,
            tier=1,
        )
        self._backends.append(backend)
        model = catalog.resolve(engine.model)
        self._target(model.id if model else engine.model, backend, engine.model, None)

    def _add_upstream(self, upstream: UpstreamSettings, catalog: Catalog) -> None:
        provider = provider_of(upstream.provider)
        transport = HttpTransport(upstream, self._clock)
        self._transports.append(transport)
        backend = Backend(
            name=upstream.name,
            provider=provider,
            transport=transport,
            base_url=upstream.base_url,
            credential=credential(upstream),
            headers=upstream.headers,
            timeouts=upstream.timeouts,
            on_abort=upstream.on_abort,
            weight=upstream.weight,
            tier=upstream.tier,
        )
        self._backends.append(backend)
        for ours, theirs in _offered(upstream, catalog, provider.vendors):
            model = catalog.resolve(ours)
            self._target(ours, backend, theirs, model)

    def _target(self, model_id: str, backend: Backend, theirs: str, model: Model | None) -> None:
        breaker = Breaker(backend.name, model_id, self._clock, on_change=self._tell)
        parameters = model.parameters if model else {}
        provider = backend.provider
        spoken = provider.formats
        if model is not None and model.kind == "image":
            spoken = provider.drawing or spoken
        offered = {name: spoken[name] for name in model.formats if name in spoken} if model else {}
        target = Target(
            backend,
            theirs,
            breaker,
            {name: json.encode(value) for name, value in parameters.items()},
            offered or spoken,
            fixed_chat(parameters) if parameters else None,
        )
        self._targets.setdefault(model_id, []).append(target)

    def _tell(self, health: Health) -> None:
        """Log a change of a breaker; one that only the operator can mend is an alarm."""
        log = _log.warning
        if health.state is State.DISABLED:
            self._metrics.alarm("upstream_disabled")
            log = _log.error
        log("breaker", upstream=health.backend, model=health.model, state=health.state, kind=health.last_failure)


async def _start(engine: Engine) -> None:
    await engine.start()
    _log.info("engine", model=engine.model, state=engine.state.name, detail=engine.state.sentence)


def upstreams_of(settings: Settings) -> list[UpstreamSettings]:
    """Return the configured upstreams, each with its address, and one for each vendor whose key is in the environment
    and that no configured upstream names. Raises SettingsError for one whose provider or address is unknown."""
    named = {upstream.provider for upstream in settings.upstream} | {upstream.name for upstream in settings.upstream}
    found = [one for one in upstreams_from_environment(secret) if one.name not in named]
    return [*map(_addressed, settings.upstream), *found]


def shown_address(base_url: str) -> str:
    """Return an address without a name, a password and a query, in which operators may have put a credential."""
    address = urlsplit(base_url)
    return address._replace(netloc=address.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _addressed(upstream: UpstreamSettings) -> UpstreamSettings:
    try:
        return with_address(upstream)
    except ValueError as error:
        raise SettingsError(f"upstream {upstream.name!r}: {error}") from None


def _offered(upstream: UpstreamSettings, catalog: Catalog, vendors: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield (our model id, the vendor's name for it)."""
    if isinstance(upstream.models, dict):
        for ours, theirs in upstream.models.items():
            model = catalog.resolve(ours)
            yield (model.id if model else ours), theirs
        return
    named = upstream.models or [model.id for model in catalog.models() if model.vendor in vendors]
    for name in named:
        model = catalog.resolve(name)
        if model is None:
            yield name, name
        elif model.vendor in vendors:
            yield model.id, model.upstream_id or model.id
        else:
            yield model.id, name


def _engines(settings: EngineSettings, data: Path, clock: Clock) -> list[Engine]:
    engines: list[Engine] = []
    if settings.chat.enabled:
        engines.append(LlamaEngine(settings.chat, data, clock))
    if settings.embedding.enabled:
        engines.append(EmbeddingEngine(settings.embedding))
    if settings.speech.enabled:
        engines.append(SpeechEngine(settings.speech, data))
    if settings.transcription.enabled:
        engines.append(TranscriptionEngine(settings.transcription, data))
    return engines


_BADNESS = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2, State.DISABLED: 3}
