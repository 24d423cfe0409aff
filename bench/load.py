"""The load: wrk with one thread on the load core, its figures, and the check that a peer answers right first."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from msgspec import Struct
from msgspec.json import decode

from bench.machine import ROOT, RUN, BenchError
from bench.mock import MESSAGES_KINDS, STREAM_KINDS, STREAM_TEXT, WHOLE_TEXT
from bench.peers import MOCK_PORT, Peer

LONG_PROMPT_BYTES = 200_000
REQUEST_TIMEOUT_S = 60
STALLED_SHARE = 0.5  # fewer connections at work than this, and some are stuck
SHORT_PROMPT = "You are asked for one sentence only. What is the capital of France, and since when has it been that?"

_SCRIPT = """
local body = io.open("{body}", "rb")
wrk.method = "POST"
wrk.body = body:read("*a")
{headers}
done = function(summary, latency, requests)
  local e = summary.errors
  local line = 'RESULT {{"requests":%d,"seconds":%.6f,"errors":%d,"mean_ms":%.3f,"p50_ms":%.3f,"p99_ms":%.3f}}\\n'
  io.write(string.format(line,
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency.mean / 1000, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


class Round(Struct, frozen=True):
    """What one run of the load generator counted; every answer that is not 2xx and every broken one is an error."""

    requests: int
    seconds: float
    errors: int
    mean_ms: float
    p50_ms: float
    p99_ms: float

    @property
    def per_s(self) -> float:
        return self.requests / self.seconds

    def stalled(self, connections: int) -> int:
        """Return how many connections waited for answers that never came; the generator itself counts only answers.

        By Little's law rate times latency is the number of connections at work; a few are always between two calls.
        """
        working = self.per_s * self.mean_ms / 1000
        return round(connections - working) if working < connections * STALLED_SHARE else 0


def request_body(peer: Peer, kind: str) -> str:
    prompt = (
        "The quick brown fox jumps over the lazy dog. " * (LONG_PROMPT_BYTES // 45) if kind == "long" else SHORT_PROMPT
    )
    body: dict[str, object] = {
        "model": peer.model(kind),
        "messages": [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": prompt}],
        "temperature": 0.7,
    }
    if kind in STREAM_KINDS:
        body["stream"] = True
    if kind in MESSAGES_KINDS:  # Anthropic's API insists on a cap
        body["max_tokens"] = 1000
    return json.dumps(body)


def check(peer: Peer, kind: str) -> dict[str, str]:
    """Call the peer once and return the reply's headers; raise unless it carries the mock's whole text."""
    request = urllib.request.Request(
        peer.address(kind),
        request_body(peer, kind).encode(),
        {"Content-Type": "application/json", **peer.headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as reply:
            headers = {name.lower(): value for name, value in reply.headers.items()}
            text = reply.read().decode()
    except urllib.error.HTTPError as error:
        raise BenchError(f"{peer.name}: {kind} call answered {error.code}: {error.read()[:500]!r}") from error
    except OSError as error:
        raise BenchError(f"{peer.name}: {kind} call failed: {error}") from error
    streamed = kind in STREAM_KINDS
    said = streamed_text(text) if streamed else decode(text)["choices"][0]["message"]["content"]
    if said != (STREAM_TEXT if streamed else WHOLE_TEXT):
        raise BenchError(f"{peer.name}: {kind} call answered another text: {said[:200]!r}")
    return headers


def streamed_text(events: str) -> str:
    """Return the text that a chat stream carries; raise unless it ends with [DONE]."""
    data = [line.removeprefix("data: ") for line in events.splitlines() if line.startswith("data: ")]
    if not data or data[-1] != "[DONE]":
        raise BenchError("the stream does not end with [DONE]")
    chunks = [decode(line) for line in data[:-1]]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def run_wrk(peer: Peer, kind: str, connections: int, seconds: int, core: int) -> Round:
    """Load the peer and return what was counted; complete streams count as one request each."""
    folder = RUN / "load"
    folder.mkdir(parents=True, exist_ok=True)
    body = folder / f"{peer.name}-{kind}.json"
    body.write_text(request_body(peer, kind))
    script = folder / f"{peer.name}-{kind}.lua"
    script.write_text(wrk_script(body, peer.headers))
    done = subprocess.run(
        [
            *("taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"),
            *(f"--timeout={REQUEST_TIMEOUT_S}s", "-s", str(script), peer.address(kind)),
        ],
        capture_output=True,
        text=True,
    )
    return read_wrk(done.stdout + done.stderr)


def wrk_script(body: Path, headers: dict[str, str]) -> str:
    lines = [
        f'wrk.headers["{name}"] = "{value}"' for name, value in {"Content-Type": "application/json", **headers}.items()
    ]
    return _SCRIPT.format(body=body, headers="\n".join(lines))


def read_wrk(output: str) -> Round:
    for line in output.splitlines():
        if line.startswith("RESULT "):
            return decode(line.removeprefix("RESULT "), type=Round)
    raise BenchError(f"wrk gave no figures:\n{output[-800:]}")


def run_slow(peer: Peer, streams: int, core: int, word: str = "read") -> subprocess.Popen[str]:
    """Begin to read that many slow streams at once, or to leave them (`leave`); the process prints its counts."""
    request = RUN / "load" / f"{peer.name}-slow.json"
    request.parent.mkdir(parents=True, exist_ok=True)
    request.write_text(json.dumps({"headers": peer.headers, "body": request_body(peer, "slow")}))
    return subprocess.Popen(
        [
            *("taskset", "-c", str(core), sys.executable, "-m", "bench.slow"),
            *(word, peer.address("slow"), str(streams), str(request)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def mock_requests() -> int:
    """Return how many requests the mock has answered since it started, this one included."""
    with urllib.request.urlopen(f"http://127.0.0.1:{MOCK_PORT}/requests", timeout=5.0) as reply:
        return int(reply.read().split()[9])
