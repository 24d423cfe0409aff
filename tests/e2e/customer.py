"""A gateway as a test of a real client sees it: addresses, a key, a model, and the upstream's answers in its hand."""

import contextlib
import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.gateway import GatewayProcess
from tests.simulators.openai_upstream import DONE, Call, Reply, Script, ThreadedUpstream, by_model
from tokengate.accounts.keys import NO_LIMITS, KeyLimits
from tokengate.billing.keys import create_key
from tokengate.core.clock import SystemClock
from tokengate.core.money import NANO_PER_YUAN
from tokengate.storage.engine import open_database

SEEDS = Path(__file__).parents[1] / "fixtures" / "seeds"
NODE = Path(__file__).parents[1] / "node"
LOCAL_CHAT = "smollm2-135m-instruct"
LOCAL_EMBEDDING = "wordllama-256"

RICH, POOR, LIMITED = "rich", "poor", "limited"
KEYS = {RICH: 200, POOR: 8, LIMITED: 8}
MODELS = [f"model-{number}" for number in range(200)]
EMBEDDING_MODEL = "embedder"
UNPRICED_MODEL = "xiaowei"
IMPATIENT = [f"impatient-{number}" for number in range(4)]  # their upstream must begin, and go on, within a second
PAGE_MODELS = (
    "Qwen3-VL-8B-Instruct",
    "qwen2.5-14b-instruct",
    "qwen-mt-turbo",
    "qwen-plus",
    "qwen-vl-plus",
    "qwen-vl-max-latest",
    "qwen3.6-max-preview",
)

JSON = {"content-type": "application/json", "x-request-id": "req-simulated"}
SSE = {"content-type": "text/event-stream; charset=utf-8", "x-request-id": "req-simulated"}


def configuration(upstream_url: str) -> str:
    """Return a configuration that offers the pages' models, the tests' own and the local ones."""
    offered = json.dumps([*PAGE_MODELS, *MODELS, EMBEDDING_MODEL, UNPRICED_MODEL])
    own = "\n".join(
        f'[[model]]\nid = "{model}"\nprice = {{ input = "0.001", output = "0.002" }}' for model in (*MODELS, *IMPATIENT)
    )
    return f"""
        [[upstream]]
        name = "simulator"
        base_url = "{upstream_url}"
        models = {offered}

        [[upstream]]
        name = "impatient"
        base_url = "{upstream_url}"
        models = {json.dumps(IMPATIENT)}
        timeouts = {{ first = 1.0, between = 1.0 }}

        [[model]]
        id = "{EMBEDDING_MODEL}"
        kind = "embedding"
        price = {{ input = "0.001" }}

        {own}

        [engine.chat]
        context = 128
        threads = 1
        parallel = 1
    """


async def create_keys(path: Path, counts: Mapping[str, int]) -> dict[str, list[str]]:
    """Create a database with so many keys of each kind, and return them."""
    path.parent.mkdir()
    database = await open_database(f"sqlite:///{path}")
    balances = {RICH: 10 * NANO_PER_YUAN, POOR: NANO_PER_YUAN // 1000, LIMITED: 10 * NANO_PER_YUAN}
    limits = {LIMITED: KeyLimits(requests_per_minute=2)}
    try:
        return {
            kind: [
                (
                    await create_key(
                        database,
                        SystemClock(),
                        name=f"{kind}-{number}",
                        balance_nano=balances[kind],
                        limits=limits.get(kind, NO_LIMITS),
                    )
                ).key
                for number in range(count)
            ]
            for kind, count in counts.items()
        }
    finally:
        await database.close()


def wait_until_ready(gateway: GatewayProcess) -> None:
    """Wait until the local models are loaded."""
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        try:
            gateway.get("/readyz")
        except urllib.error.HTTPError as waiting:
            waiting.close()
            time.sleep(0.02)
        else:
            return
    raise AssertionError(gateway.log.read_text())


class Answers:
    """The simulator's script: what a test wants for a model, else the plausible answer of its name."""

    def __init__(self) -> None:
        self._scripts: dict[str, Script] = {}

    def __call__(self, call: Call) -> Reply:
        return self._scripts.get(call.model, by_model)(call)

    def clear(self) -> None:
        self._scripts.clear()

    def set(self, model: str, *replies: Reply) -> None:
        """Answer with these replies in turn; the last one repeats."""
        waiting = list(replies)
        self._scripts[model] = lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]


class Answer(NamedTuple):
    """An HTTP reply, as plain as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Customer:
    """The gateway for one test."""

    def __init__(
        self, gateway: GatewayProcess, simulator: ThreadedUpstream, answers: Answers, key: str, model: str
    ) -> None:
        self.url = gateway.url
        self.v1 = f"{gateway.url}/v1"
        self.key = key
        self.model = model
        self._simulator = simulator
        self._answers = answers
        self._before = len(simulator.calls)

    def answer(self, *replies: Reply, model: str = "") -> None:
        """Have the upstream answer calls for the test's model (or another) with these, the last one repeated."""
        self._answers.set(model or self.model, *replies)

    @property
    def calls(self) -> list[Call]:
        """The calls that reached the upstream during this test."""
        return self._simulator.calls[self._before :]

    def arrived(self, count: int = 1) -> Call:
        """Wait for the test's call of that number and return it."""
        return self._simulator.run(self._simulator.upstream.arrived(self._before + count))

    def wait_closed(self, call: Call) -> None:
        """Wait until the connection of an upstream call is closed."""
        self._simulator.wait_closed(call)

    def send(self, path: str, body: bytes | None = None, key: str | None = None, **headers: str) -> Answer:
        """Send a plain HTTP request and return the answer, whatever its status."""
        sent = {"authorization": f"Bearer {self.key if key is None else key}", "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data=body, headers=sent)
        with contextlib.ExitStack() as stack:
            try:
                reply = stack.enter_context(urllib.request.urlopen(request, timeout=30))
            except urllib.error.HTTPError as refused:
                reply = stack.enter_context(refused)
            found = {name.lower(): value for name, value in reply.headers.items()}
            return Answer(reply.status or 0, found, reply.read())

    def balance(self) -> str:
        return self.send("/v1/balance").json["balance"]

    def settled(self) -> dict[str, Any]:
        """Return the newest call once it is recorded, for calls that end after their caller has left."""
        deadline_s = time.monotonic() + 10
        while not (bills := self.bills()):
            assert time.monotonic() < deadline_s, "no call was recorded"
        return bills[0]

    def bills(self) -> list[dict[str, Any]]:
        """Return the key's calls, the newest first."""
        return self.send("/v1/usage").json["data"]


def node() -> str:
    """Return the path of Node, whose packages `make setup` installs."""
    found = shutil.which("node")
    assert found, "Node 20 or newer is needed"
    assert (NODE / "node_modules" / "openai").is_dir(), "the packages of tests/node are missing: make setup"
    return found


def whole(value: object, status: int = 200, **headers: str) -> Reply:
    """Return a whole JSON reply."""
    body = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    return Reply(status, JSON | {name.replace("_", "-"): text for name, text in headers.items()}, body)


def refusal(status: int, message: str = "The vendor is unwell.", **headers: str) -> Reply:
    """Return an error in OpenAI's shape."""
    error = {"message": message, "type": "server_error", "param": None, "code": f"vendor_{status}"}
    return whole({"error": error}, status, **headers)


def seed_stream(name: str) -> Reply:
    """Return a streamed reply of a product page, event by event."""
    frames = (SEEDS / name).read_bytes().strip().split(b"\n\n")
    return Reply(headers=SSE, pieces=[frame + b"\n\n" for frame in frames])


def stream(*frames: bytes, gated: bool = False, ending: str = "complete") -> Reply:
    """Return a streamed reply of these frames; `[DONE]` follows when it is complete."""
    pieces = [*frames, DONE] if ending == "complete" else list(frames)
    return Reply(headers=SSE, pieces=pieces, gated=gated, ending=ending)
