"""llama.cpp in this process: loads a model, and runs generations on threads of its own, batched together.

At most `parallel` generations run at once; the rest wait here, where waiting can be cancelled. A generation stops
at its next token, or between two batches of a long prompt, when its feed is closed.
"""

import functools
import importlib
import secrets
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

from tokengate.core.errors import BadRequest, GatewayError, UpstreamFailed
from tokengate.engines.feed import End, Feed
from tokengate.engines.pieces import Piece, read_chunk
from tokengate.engines.slots import Slots

_MAX_REASON = 300  # characters
_FIRST_TOKEN = b'{"prompt": "a", "max_tokens": 1, "stream": true}'
_BATCH_TOKENS = 256  # of a prompt, between two looks at whether anybody still waits for the reply


class LoadFailed(Exception):
    """llama.cpp could not load the file."""


class Server(Protocol):
    """What is used of xllamacpp's server. Both calls block, hand over JSON chunks, and stop when told True."""

    def handle_chat_completions(self, prompt: bytes, callback: Callable[[bytes], bool]) -> None: ...
    def handle_completions(self, prompt: bytes, callback: Callable[[bytes], bool]) -> None: ...


def load_server(gguf: Path, *, context: int, threads: int, parallel: int, loaded: Callable[[], object]) -> Server:
    """Load a model; blocks. Raises LoadFailed, or ImportError when the runtime cannot be used.

    Loading takes SIGINT and SIGTERM away from Python: `loaded` is called, on this thread, when they can be restored.
    """
    xllamacpp: Any = importlib.import_module("xllamacpp")
    try:
        server: Server = xllamacpp.Server(_parameters(xllamacpp, gguf, context, threads, parallel))
        loaded()
        # The server's loop may start after its constructor returns, and a server that is freed before that waits
        # for the loop for ever: hence one token now.
        server.handle_completions(_FIRST_TOKEN, lambda _: False)
        return server
    except (RuntimeError, ValueError) as error:
        raise LoadFailed(
            f"llama.cpp could not load {gguf}: the file is incomplete, its architecture is unknown to this version, "
            "or memory does not suffice."
        ) from error


def restore_signals() -> None:
    """Give SIGINT and SIGTERM back to Python. Does nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if handler is not None:
            signal.signal(number, handler)


class Runtime:
    """Runs generations on a loaded model. `close` blocks; `submit` does not."""

    def __init__(self, backend: str, server: Server, parallel: int) -> None:
        self._backend = backend
        self._server: Server | None = server
        self._slots = Slots(backend, parallel)

    @property
    def running(self) -> int:
        """Generations that hold a slot."""
        return self._slots.running

    @property
    def waiting(self) -> int:
        """Generations that wait for a slot."""
        return self._slots.waiting

    def close(self) -> None:
        """Wait for the running generations, whose feeds must be closed by now, and free the model."""
        self._slots.close()
        self._server = None

    def submit(self, kind: Literal["chat", "text"], bodies: dict[int, bytes], feed: Feed[Piece]) -> Callable[[], None]:
        """Start the generation of each choice, and return what takes back those that still wait.

        Raises Unavailable when too many wait already.
        """
        return self._slots.submit(
            [functools.partial(self._run, kind, choice, body, feed) for choice, body in bodies.items()]
        )

    def _run(self, kind: Literal["chat", "text"], choice: int, body: bytes, feed: Feed[Piece]) -> None:
        try:
            if not feed.closed:
                self._generate(kind, choice, body, feed)
        except GatewayError as error:
            feed.put(error)

    def _generate(self, kind: Literal["chat", "text"], choice: int, body: bytes, feed: Feed[Piece]) -> None:
        server = self._server
        assert server is not None, "the pool is empty before the model is freed"
        failures: list[GatewayError] = []

        def stop_at(data: bytes) -> bool:
            try:
                piece = read_chunk(data, choice, self._backend)
            except GatewayError as error:
                failures.append(error)
                return True
            return feed.closed if piece is None else not feed.put(piece)

        answer = server.handle_chat_completions if kind == "chat" else server.handle_completions
        try:
            answer(body, stop_at)
        except ValueError as error:
            raise BadRequest(str(error)[:_MAX_REASON]) from error
        except RuntimeError as error:
            # What follows the colon repeats the prompt or the output, and errors are kept.
            reason = str(error).partition(":")[0][:_MAX_REASON]
            raise UpstreamFailed(f"The local model failed: {reason}.", kind="invalid", backend=self._backend) from error
        feed.put(failures[0] if failures else End(choice))


def _parameters(xllamacpp: Any, gguf: Path, context: int, threads: int, parallel: int) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(gguf)
    parameters.n_parallel = parallel
    parameters.n_ctx = context * parallel  # each slot has a context of its own
    parameters.n_batch = parameters.n_ubatch = _BATCH_TOKENS
    parameters.use_jinja = True
    parameters.warmup = False
    parameters.fit_params = False
    parameters.offline = True
    parameters.verbosity = -1  # its log would hold prompts, and goes to our standard error
    parameters.cache_ram_mib = 0  # it keeps up to 8 GiB of finished prompts otherwise
    parameters.sse_ping_interval = -1
    for cpu in (parameters.cpuparams, parameters.cpuparams_batch):
        cpu.n_threads = threads
        cpu.poll = 0  # spinning threads would take the event loop's core
    # It also listens on a loopback port of its own choice, which nothing here uses.
    parameters.api_keys = [secrets.token_urlsafe(32)]
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.n_threads_http = 1
    return parameters
