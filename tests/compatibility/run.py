"""Runs cells of the matrix: a gateway in front of every simulated vendor, asked in every format.

A cell is what one capability comes to between one format of callers and one vendor, the same whole and streamed.
"""

import asyncio
import base64
from collections.abc import Generator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, json

from tests.compatibility.capability import IMAGE_URL, PDF, PDF_URL, PNG, VIDEO_URL, Capability
from tests.compatibility.clients import Ask, Client, encoded
from tests.compatibility.vendors import VENDORS, Running, Vendor
from tests.hosted import Hosted, hosted
from tests.raw_http import Answer
from tests.simulators.openai_upstream import Call, ThreadedUpstream
from tests.simulators.openai_upstream import Reply as Answered
from tokengate.core.parts import ToolCall

State = Literal["passed", "refused", "left_out", "absent", "absent_left_out"]

_FILES = {
    "/a.png": ("image/png", base64.b64decode(PNG)),
    "/a.pdf": ("application/pdf", base64.b64decode(PDF)),
    "/a.mp4": ("video/mp4", b"\0\0\0\x18ftypmp42"),
}
_WARNING = "x-tokengate-warning"


class Cell(Struct, frozen=True):
    """`reason` is in the gateway's own words.

    `refused` and `left_out` are by design, of what the vendor has; `absent` (the request is refused, or there is
    nothing to lose) and `absent_left_out` (it is answered without) are of what the vendor does not offer.
    """

    state: State
    reason: str = ""


class Outcome(Struct, frozen=True):
    """One way of asking. `lost` is a request of which something did not arrive and nobody was told, `silent` an answer
    in which something did not come back."""

    kind: Literal["passed", "refused", "vendor_refused", "left_out", "lost", "silent"]
    reason: str = ""


class Place:
    """The gateway, the vendors behind it, and a server with pictures."""

    def __init__(self, runner: asyncio.Runner, gateway: Hosted, running: Mapping[str, Running], files: str) -> None:
        self._runner = runner
        self._gateway = gateway
        self._running = running
        self._addresses = {IMAGE_URL: f"{files}/a.png", VIDEO_URL: f"{files}/a.mp4", PDF_URL: f"{files}/a.pdf"}

    def cell(self, client: Client, vendor: Vendor, capability: Capability) -> Cell:
        """Return what a capability comes to. Fails where something is lost, or where whole and streamed differ."""
        outcomes = [self._outcome(client, vendor, capability, stream=stream) for stream in (False, True)]
        lacks = capability.id in vendor.lacks
        why = vendor.on_request.get(capability.id, "")
        cells = [cell_of(outcome, lacks=lacks, on_request=why) for outcome in outcomes]
        where = f"{client.name} -> {vendor.id}: {capability.id}"
        assert cells[0] == cells[1], f"{where}: whole {outcomes[0]}, streamed {outcomes[1]}"
        return cells[0]

    def _outcome(self, client: Client, vendor: Vendor, capability: Capability, *, stream: bool) -> Outcome:
        ask = capability.asks[client.name]
        text = capability.text(vendor)
        running = self._running[vendor.id]
        before = running.count()
        model = vendor.model(capability.model)
        answer = self._send(client, model, text, ask, stream=stream)
        if answer.status == 200 and capability.results is not None:
            told = json.decode(self._send(client, model, text, ask, stream=False).body)
            calls = [
                part
                for part in client.read(_written(told), stream=False).choices[0].parts
                if isinstance(part, ToolCall)
            ]
            results = {call.id: capability.results(call.arguments) for call in calls}
            after = [*ask.after, *client.goes_on(told, results)]
            answer = self._send(
                client, model, text, Ask(ask.members, ask.parts, ask.turn, ask.before, after), stream=stream
            )
        if answer.status != 200:
            kind = "refused" if running.count() == before else "vendor_refused"
            return Outcome(kind, _message(answer))
        warned = answer.headers.get(_WARNING, "")
        if not capability.arrives(running.understood()):
            return Outcome("left_out", warned) if warned else Outcome("lost", str(running.understood())[:600])
        reply = client.read(answer.body, stream=stream)
        if not capability.returns(reply):
            return Outcome("left_out", warned) if warned else Outcome("silent", str(reply)[:600])
        return Outcome("passed")

    def _send(self, client: Client, model: str, text: str, ask: Ask, *, stream: bool) -> Answer:
        body = client.body(model, text, ask, stream=stream)
        headers = client.headers(stream)
        path = client.path(model, stream, body)
        return self._runner.run(self._gateway.post(encoded(body, self._addresses), path, headers=headers))


def cell_of(outcome: Outcome, *, lacks: bool, on_request: str) -> Cell:
    """Return what an outcome comes to. Raises AssertionError for what was lost, or is said wrongly of the vendor."""
    match outcome.kind:
        case "passed":
            assert not lacks, "passes, though the vendor is said to lack it"
            return Cell("passed")
        case "refused":
            return Cell("absent") if lacks else Cell("refused", outcome.reason)
        case "left_out":
            return Cell("absent_left_out") if lacks else Cell("left_out", outcome.reason)
        case "silent" | "vendor_refused" if lacks:
            return Cell("absent")
        case "silent" if on_request:
            return Cell("left_out", on_request)
        case _:
            raise AssertionError(f"{outcome.kind}: {outcome.reason}")


def _message(answer: Answer) -> str:
    told: Any = answer.json
    error = told.get("error", told)
    return error["message"]


def _written(value: Any) -> bytes:
    return json.encode(value)


def _serve(call: Call) -> Answered:
    kind, data = _FILES[call.path]
    return Answered(200, {"content-type": kind}, data)


@contextmanager
def open_place(folder: Path) -> Generator[Place]:
    """Start every vendor and a gateway before them."""
    with ExitStack() as stack:
        files = stack.enter_context(ThreadedUpstream(_serve))
        running = {vendor.id: stack.enter_context(vendor.start()) for vendor in VENDORS}
        config = '[outbound]\nprivate_hosts = ["127.0.0.1"]\n'
        config += "".join(vendor.config(running[vendor.id].url, running[vendor.id].key) for vendor in VENDORS)
        runner, gateway = stack.enter_context(gateway_of(folder, config))
        yield Place(runner, gateway, running, files.url.removesuffix("/v1"))


@contextmanager
def gateway_of(folder: Path, config: str) -> Generator[tuple[asyncio.Runner, Hosted]]:
    """Start a gateway, and what runs calls of it."""
    with asyncio.Runner() as runner:
        inside = AsyncExitStack()
        gateway = runner.run(inside.enter_async_context(hosted(folder, config, balances={"main": "1000000"})))
        try:
            yield runner, gateway
        finally:
            runner.run(inside.aclose())
