"""A running gateway as a reader of its portal meets it: the request of each page, the samples that the page writes of
it, and what the gateway answers when it is asked plainly.
"""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.gateway import GatewayProcess
from tests.samples.kinds import AWKWARD, AWKWARD_TEXT, PICTURES, Kind, kinds
from tests.simulators.openai_upstream import Call, Reply, ThreadedUpstream, by_model, chunk, completion, usage_of

CONSOLE = Path(__file__).parents[2] / "console"
KEY_VARIABLE = "TOKENGATE_API_KEY"
ELSEWHERE = "https://ai.example.com"
LANG = "zh"  # its examples are not ASCII, which is where samples go wrong
MODELS = ("qwen-plus", "text-embedding-3-small")  # those of the pages
_SAID = ["你好！", "有什么", "可以 “帮” 您？"]
_SSE = {"content-type": "text/event-stream; charset=utf-8"}

# What a page's example stands for, which a reader replaces by something of their own.
_A_CALL = "req_0kq3v8s2m4n6p8r0"
_A_PICTURE = "guide/images/portal"


class Sample(NamedTuple):
    """A program, and the name of its file."""

    file: str
    code: str


class Request(NamedTuple):
    """A request, as one program or another sends it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


Samples = dict[str, Sample]  # by the variant's id


class Portal:
    """The gateway and the samples of its pages. `key` pays for calls, `quiet_key` has made one call long ago."""

    def __init__(
        self, gateway: GatewayProcess, simulator: ThreadedUpstream, programs: Path, key: str, quiet_key: str
    ) -> None:
        self.gateway = gateway
        self.simulator = simulator
        self.programs = programs
        self.key = key
        self.quiet_key = quiet_key
        self.requests = {kind: self._request_of(kind) for kind in kinds()}
        self.requests[AWKWARD] = self.requests[Kind("chat.completions")] | {"body": _chat(AWKWARD_TEXT, before="#)---")}
        self._samples: dict[str, dict[Kind, Samples]] = {}
        self._call_id = self._one_call()

    def served(self) -> list[str]:
        """Return the operations that the running gateway serves."""
        groups = self._get("/console/api/portal/operations")["data"]
        return [one["id"] for group in groups for one in group["operations"] if one["status"] == "released"]

    def samples(self, kind: Kind, base_url: str = "") -> Samples:
        """Return the samples of a kind as its page shows them; without a base URL with the gateway's own."""
        base = base_url or self.gateway.url
        if base not in self._samples:
            written = write_samples(self.requests.values(), base)
            self._samples[base] = dict(zip(self.requests, written, strict=True))
        return self._samples[base][kind]

    def filled(self, text: str) -> str:
        """Return a text with the page's examples replaced as a reader does, by something that there is."""
        picture = PICTURES[0] if PICTURES else _A_PICTURE
        return text.replace(_A_CALL, self._call_id).replace(_A_PICTURE, picture)

    def key_for(self, kind: Kind) -> str:
        """Return a key: calls are made with one, and balances and usage are read with another."""
        return self.key if self.requests[kind]["body"] else self.quiet_key

    def request(self, kind: Kind) -> Request:
        """Return the request that all samples of a kind are to send."""
        asked = self.requests[kind]
        headers = {
            name: value.replace(f"${KEY_VARIABLE}", self.key_for(kind)) for name, value in asked["headers"].items()
        }
        body = asked["body"].encode() if asked["body"] else None
        return Request(asked["method"], self.gateway.url + self.filled(asked["path"]), headers, body)

    def calls_since(self, number: int) -> list[Call]:
        """Return the calls that reached the upstream after so many."""
        return self.simulator.calls[number:]

    def _request_of(self, kind: Kind) -> dict[str, Any]:
        page = self._get(f"/console/api/portal/pages/api/{kind.operation}?lang={LANG}")
        examples = page["request_examples"]
        return page["sample_request"] | ({"body": examples[kind.example]["body"]} if examples else {})

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.gateway.url + path, timeout=10) as reply:
            return json.load(reply)

    def _one_call(self) -> str:
        """Make a call and return its id once it is recorded."""
        body = _chat("你好").encode()
        headers = {"authorization": f"Bearer {self.quiet_key}", "content-type": "application/json"}
        made = urllib.request.Request(f"{self.gateway.url}/v1/chat/completions", body, headers)
        with urllib.request.urlopen(made, timeout=10) as reply:
            call_id = reply.headers["x-request-id"]
        while call_id not in [call["id"] for call in self.gateway.get("/v1/usage", self.quiet_key)["data"]]:
            pass
        return call_id


def _chat(text: str, *, before: str = "") -> str:
    said = [{"role": "system", "content": before}] if before else []
    messages = [*said, {"role": "user", "content": text}]
    return json.dumps({"model": MODELS[0], "messages": messages}, ensure_ascii=False)


def plainly(request: Request) -> bytes:
    """Send a request and return the answer's body, of an error too."""
    sent = urllib.request.Request(request.url, request.body, request.headers, method=request.method)
    try:
        with urllib.request.urlopen(sent, timeout=30) as reply:
            return reply.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.read()


def write_samples(requests: Iterable[Mapping[str, Any]], base_url: str) -> list[Samples]:
    """Return the samples of each request, as the front end writes them."""
    tsx = CONSOLE / "node_modules" / ".bin" / "tsx"
    assert tsx.exists() and shutil.which("node"), "the packages of console/ are missing: make setup"
    done = subprocess.run(
        [tsx, "scripts/samples.ts", "--base-url", base_url],
        cwd=CONSOLE,
        input=json.dumps(list(requests)),
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return [
        {f"{one['language']}.{one['variant']}": Sample(one["file"], one["code"]) for one in samples}
        for samples in json.loads(done.stdout)
    ]


def configuration(upstream_url: str) -> str:
    """Return a configuration that offers the models of the pages."""
    return (
        f'[[upstream]]\nname = "simulator"\nbase_url = "{upstream_url}"\nmodels = {json.dumps(MODELS)}\n'
        f'[[app]]\nname = "xiaowei"\nmodel = "{MODELS[0]}"\nsystem = "Be kind."\n'
    )


def say_hello(call: Call) -> Reply:
    """Answer chats in Chinese, whole or streamed; anything else as the simulator does."""
    if not call.path.endswith("/chat/completions"):
        return by_model(call)
    if not call.json.get("stream"):
        said = completion(call.model, "".join(_SAID), usage_of(10, 5))
        return Reply(headers={"content-type": "application/json"}, body=json.dumps(said, ensure_ascii=False).encode())
    pieces = [chunk(call.model, [{"index": 0, "delta": {"content": text}, "finish_reason": None}]) for text in _SAID]
    pieces.append(chunk(call.model, [{"index": 0, "delta": {}, "finish_reason": "stop"}]))
    options: dict[str, Any] = call.json.get("stream_options") or {}
    if options.get("include_usage"):
        pieces.append(chunk(call.model, [], usage=usage_of(10, 5)))
    return Reply(headers=_SSE, pieces=[*pieces, b"data: [DONE]\n\n"])
