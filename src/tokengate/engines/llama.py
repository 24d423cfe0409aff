"""Chat completions and completions by a GGUF model in this process, as a transport.

Promises: the event loop never waits for the model (but for the moment of loading, in which llama.cpp holds the
interpreter); a generation that nobody waits for is stopped; tokens are counted by llama.cpp. What it cannot express
is refused by name.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Callable
from importlib.metadata import version
from pathlib import Path

from tokengate.core.clock import Clock
from tokengate.core.errors import BadRequest, UpstreamFailed
from tokengate.core.http import Exchange, HttpRequest, Timeouts
from tokengate.core.settings import ChatEngineSettings
from tokengate.engines import weights
from tokengate.engines.chat import read_chat
from tokengate.engines.cores import free_cores
from tokengate.engines.exchange import StreamExchange, WholeExchange
from tokengate.engines.extra import unusable
from tokengate.engines.forced import ForcedReader
from tokengate.engines.gguf import BadGguf, GgufFacts, read_facts
from tokengate.engines.pieces import JsonCheck, Piece
from tokengate.engines.plan import Plan
from tokengate.engines.replies import Choice, Reply
from tokengate.engines.run import Run
from tokengate.engines.runtime import LoadFailed, Runtime, Server, load_server, restore_signals
from tokengate.engines.state import LOADING, READY, STOPPED, EngineState, check_ready
from tokengate.engines.text import read_completion
from tokengate.formats.openai.refusal import refusal_of

_ATTEMPTS = 2  # at output that had to be JSON and is not


class LlamaEngine:
    """A GGUF model behind the Transport protocol: `/chat/completions` and `/completions`."""

    optional = False

    def __init__(
        self,
        settings: ChatEngineSettings,
        data: Path,
        clock: Clock,
        load_server: Callable[..., Server] = load_server,
    ) -> None:
        self._settings = settings
        self._load_server = load_server
        self._clock = clock
        self._data = data
        self._known = None if settings.gguf else weights.SMOLLM2
        self._path = Path(settings.gguf) if settings.gguf else weights.weights_path(data)
        self._state = LOADING
        self._runtime: Runtime | None = None
        self._runs: set[Run] = set()
        self._facts = GgufFacts("", "", None, "")
        self._context = settings.context
        self._fingerprint = ""

    @property
    def model(self) -> str:
        """The id that the model is offered under."""
        return self._settings.model

    @property
    def state(self) -> EngineState:
        return self._state

    @property
    def context(self) -> int:
        """Tokens that a prompt and its answer may have together: the configured number, or what the model was
        trained for when that is less. Final once the model is loaded."""
        return self._context

    @property
    def running(self) -> int:
        """Generations that the model is writing now."""
        return self._runtime.running if self._runtime else 0

    @property
    def waiting(self) -> int:
        """Generations that wait for a slot."""
        return self._runtime.waiting if self._runtime else 0

    async def start(self, progress: weights.Progress | None = None) -> None:
        """Load the model, and return when it is ready or cannot be; the state says which.

        `progress` is told of the bytes checked so far, on another thread. May be called again after a failure.
        """
        if self._runtime is not None:
            return
        self._state = LOADING
        try:
            runtime = await asyncio.to_thread(self._load, progress, asyncio.get_running_loop())
        except weights.WeightsMissing as error:
            self._state = EngineState("missing", str(error))
        except (weights.WeightsAltered, BadGguf, LoadFailed, OSError) as error:
            self._state = EngineState("failed", str(error))
        except ImportError as error:
            self._state = EngineState("failed", unusable("xllamacpp", error))
        else:
            if self._state is STOPPED:
                await asyncio.to_thread(runtime.close)
                return
            self._runtime = runtime
            self._state = READY

    async def send(self, request: HttpRequest) -> Exchange:
        """Answer a request. Raises BadRequest, Unsupported, Unavailable or UpstreamFailed."""
        check_ready(self.model, self._state)
        plan = self._read(request)
        reply = Reply(
            plan,
            reply_id=secrets.token_hex(12),
            created_s=int(self._clock.now_s()),
            fingerprint=self._fingerprint,
        )
        if not plan.stream:
            return WholeExchange(self.model, await self._whole(plan, reply, request.timeouts))
        run = self._run(plan, 0, request.timeouts)
        events = _events(run, plan, reply, self.model)
        first = await anext(events)
        return StreamExchange(self.model, first, events, run.stop)

    async def close(self) -> None:
        """Stop what is running and free the model."""
        self._state = STOPPED
        runtime, self._runtime = self._runtime, None
        if runtime is None:
            return
        for run in tuple(self._runs):
            run.stop()
        await asyncio.to_thread(runtime.close)

    def _load(self, progress: weights.Progress | None, loop: asyncio.AbstractEventLoop) -> Runtime:
        if self._known is not None:
            weights.verify(self._data, self._known, progress)
        elif not self._path.is_file():
            raise weights.WeightsMissing(f"There is no file {self._path}, which engine.chat.gguf names.")
        self._facts = facts = read_facts(self._path)
        self._context = min(self._settings.context, facts.context or self._settings.context)

        def loaded() -> None:
            with contextlib.suppress(RuntimeError):  # the loop ended while the model was loading
                loop.call_soon_threadsafe(restore_signals)

        server = self._load_server(
            self._path,
            context=self._context,
            threads=self._settings.threads or free_cores(),
            parallel=self._settings.parallel,
            loaded=loaded,
        )
        self._fingerprint = f"xllamacpp-{version('xllamacpp')}"
        return Runtime(self.model, server, self._settings.parallel)

    def _read(self, request: HttpRequest) -> Plan:
        knows_tools = self._facts.knows_tools
        try:
            match request.url:
                case "/chat/completions":
                    return read_chat(request.body, self.model, context=self._context, knows_tools=knows_tools)
                case "/completions":
                    return read_completion(request.body, self.model, context=self._context)
                case _:
                    raise BadRequest(f"The local model '{self.model}' does not answer {request.url}.", param="model")
        except RecursionError as error:  # what could just be read cannot always be written from further inside
            raise refusal_of(error) from None

    def _run(self, plan: Plan, attempt: int, timeouts: Timeouts) -> Run:
        assert self._runtime is not None, "only a ready engine runs"
        return Run(self._runtime, plan, attempt, timeouts, self.model, self._runs)

    async def _whole(self, plan: Plan, reply: Reply, timeouts: Timeouts) -> bytes:
        for attempt in range(_ATTEMPTS):
            run = self._run(plan, attempt, timeouts)
            choices = [Choice(index) for index in range(plan.choices)]
            try:
                async for piece in _read_pieces(run, plan, self.model):
                    choices[piece.choice].add(piece)
                return reply.whole(choices)
            except UpstreamFailed as failure:
                if not plan.json_output or failure.kind != "invalid" or attempt == _ATTEMPTS - 1:
                    raise
            finally:
                run.stop()
        raise AssertionError("the last attempt returns or raises")


async def _events(run: Run, plan: Plan, reply: Reply, backend: str) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in _read_pieces(run, plan, backend):
            if event := reply.event(piece):
                yield event
        yield reply.end()
    finally:
        run.stop()


async def _read_pieces(run: Run, plan: Plan, backend: str) -> AsyncGenerator[Piece, None]:
    """Yield the pieces as the caller is to see them. Raises UpstreamFailed when output that had to be JSON is not."""
    checks = [JsonCheck(backend) if plan.json_output and not plan.asked.stop else None for _ in range(plan.choices)]
    calls = [ForcedReader(plan.forced) if plan.forced else None for _ in range(plan.choices)]
    async for piece in run.pieces():
        if check := checks[piece.choice]:
            check.add(piece)
        call = calls[piece.choice]
        yield call.read(piece) if call else piece
