"""What is measured: no gateway at all, nginx as a plain proxy, TensorZero, LiteLLM's proxy, and TokenGate.

A peer installs what it needs in a virtual environment of its own under the run folder, and is started with the
settings its documentation recommends for speed. TokenGate runs with its default settings.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from bench import films, mock
from bench.machine import ROOT, RUN, BenchError, Server, answers, find_tool, refuse_used_port

MOCK_PORT = 18780
SLOW_PORT = 18781
NGINX_PORT = 18782
TOKENGATE_PORT = 18783
LITELLM_PORT = 18784
STATIC_PORT = 18785
FILMS_PORT = 18790
JOBS_PORT = 18791
PORTS = (MOCK_PORT, SLOW_PORT, NGINX_PORT, TOKENGATE_PORT, LITELLM_PORT, STATIC_PORT, FILMS_PORT, JOBS_PORT)

REQUIREMENTS = {
    "tensorzero": "tensorzero==2026.6.0",
    "litellm": "litellm[proxy]==1.106.2",
    "py-spy": "py-spy>=0.4",
}
NAMES = ("direct", "nginx", "litellm", "tensorzero", "tokengate")  # in the order of their turns
PLAIN = ("direct", "nginx")  # they hand on what comes, in whatever format
TITLES = {
    "direct": "direct (no gateway)",
    "nginx": "nginx, plain proxy",
    "tensorzero": "TensorZero",
    "litellm": "LiteLLM proxy",
    "tokengate": "TokenGate",
}
LONG_ROUNDS = {"litellm": 3}  # so slow that a round must be longer to mean something at 256 connections


class Peer(Struct, frozen=True):
    """A running peer: where each kind of call goes, and the process to watch (none for direct)."""

    name: str
    server: Server | None
    ready_s: float
    address: Callable[[str], str]  # kind of call -> URL of the chat completions endpoint
    model: Callable[[str], str]
    headers: dict[str, str] = {}


def start(name: str, core: int) -> Peer:
    """Start the named peer on the core and return it when it answers."""
    return _STARTS[name](core)


def version(name: str) -> str:
    match name:
        case "direct":
            return ""
        case "nginx":
            return _output([find_tool("nginx") or "nginx", "-v"]).rpartition("/")[2]
        case "tokengate":
            return _output(["git", "-C", str(ROOT), "describe", "--always", "--dirty"])
        case _:
            return REQUIREMENTS[name].partition("==")[2]


def environment(name: str) -> Path:
    """Return the virtual environment with the named package, made on first use."""
    folder = RUN / "peers" / name
    done = folder / "installed"
    if done.is_file() and done.read_text() == REQUIREMENTS[name]:
        return folder
    print(f"installing {REQUIREMENTS[name]} (once)", file=sys.stderr, flush=True)
    _install([sys.executable, "-m", "venv", str(folder)], name)
    _install([str(folder / "bin" / "pip"), "install", "-q", REQUIREMENTS[name]], name)
    done.write_text(REQUIREMENTS[name])
    return folder


def start_mock(core: int) -> Server:
    return _start_nginx("mock", core, lambda folder: mock.mock_config(folder, MOCK_PORT), MOCK_PORT, "/requests")[0]


def start_slow_mock(core: int) -> Server:
    refuse_used_port(SLOW_PORT)
    server = Server("slow-mock", [sys.executable, "-m", "bench.slow", "serve", str(SLOW_PORT)], core, ROOT)
    _ready(server, lambda: answers(f"http://127.0.0.1:{SLOW_PORT}/"))
    return server


def start_static(core: int, configuration: Callable[[Path, int], str]) -> Server:
    """Start an nginx that serves one file."""
    return _start_nginx("static", core, lambda folder: configuration(folder, STATIC_PORT), STATIC_PORT, "/")[0]


def mock_base(kind: str) -> str:
    """Return the base URL of the mock that answers this kind of call."""
    return f"{_mock_root(kind)}/v1"


def _mock_root(kind: str) -> str:
    """Return the base URL as Anthropic's SDK takes it: without the version."""
    return f"http://127.0.0.1:{SLOW_PORT if kind == 'slow' else MOCK_PORT}/{kind}"


def _start_direct(_core: int) -> Peer:
    return Peer("direct", None, 0.0, lambda kind: f"{mock_base(kind)}/chat/completions", _plain)


def _start_nginx_proxy(core: int) -> Peer:
    server, ready_s = _start_nginx(
        "nginx",
        core,
        lambda folder: mock.proxy_config(folder, NGINX_PORT, MOCK_PORT, SLOW_PORT),
        NGINX_PORT,
        "/healthz",
    )
    return Peer(
        "nginx", server, ready_s, lambda kind: f"http://127.0.0.1:{NGINX_PORT}/{kind}/v1/chat/completions", _plain
    )


def _start_tensorzero(core: int) -> Peer:
    """Start the Rust gateway that the Python package carries, without authentication or observability."""
    python = environment("tensorzero") / "bin" / "python"
    folder = _folder("tensorzero")
    models = "".join(
        f"""
[models.{kind}]
routing = ["mock"]
[models.{kind}.providers.mock]
type = "{type}"
model_name = "{kind}"
api_base = "{mock_base(kind)}/"
api_key_location = "{key}"
"""
        for type, key, kinds in (
            ("openai", "none", mock.CHAT_KINDS),
            ("anthropic", "env::MOCK_KEY", mock.MESSAGES_KINDS),  # it insists on a key
        )
        for kind in kinds
    )
    config = folder / "tensorzero.toml"
    config.write_text(
        f"[gateway]\nobservability.enabled = false\ndisable_pseudonymous_usage_analytics = true\n{models}"
    )
    told = folder / "base_url"
    told.unlink(missing_ok=True)
    script = folder / "serve.py"
    script.write_text(_TENSORZERO_SCRIPT)
    command = [str(python), str(script), str(config), str(told)]
    server = Server("tensorzero", command, core, folder, {"MOCK_KEY": "sk-mock"})

    def base_url() -> str:
        return told.read_text().strip() if told.is_file() else ""

    # The embedded gateway has no health route; it tells its address when it listens.
    ready_s = _ready(server, lambda: bool(base_url()))
    url = f"{base_url()}/chat/completions"
    return Peer("tensorzero", server, ready_s, lambda _: url, lambda kind: f"tensorzero::model_name::{kind}")


# The package starts its gateway on a port of its own choice, so the script tells it through a file.
_TENSORZERO_SCRIPT = """
import asyncio, pathlib, sys
import tensorzero

async def main(config, told):
    gateway = await tensorzero._start_http_gateway(
        config_file=config, clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=True
    )
    pathlib.Path(told).write_text(gateway.base_url)
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


def _start_litellm(core: int) -> Peer:
    """Start the proxy with one worker, without database, callbacks or retries; it insists on a master key."""
    binary = environment("litellm") / "bin" / "litellm"
    folder = _folder("litellm")
    models = [
        {
            "model_name": kind,
            "litellm_params": {"model": f"{vendor}/{kind}", "api_base": base(kind), "api_key": "sk-mock"},
        }
        for vendor, base, kinds in (
            ("openai", mock_base, mock.CHAT_KINDS),
            ("anthropic", _mock_root, mock.MESSAGES_KINDS),
        )
        for kind in kinds
    ]
    config = folder / "litellm.yaml"  # JSON is YAML
    config.write_text(
        json.dumps({"model_list": models, "litellm_settings": {"num_retries": 0, "set_verbose": False}}, indent=2)
    )
    key = f"sk-{secrets.token_hex(32)}"
    refuse_used_port(LITELLM_PORT)
    server = Server(
        "litellm",
        [str(binary), "--config", str(config), "--host", "127.0.0.1", "--port", str(LITELLM_PORT)],
        core,
        folder,
        {
            "LITELLM_MASTER_KEY": key,
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        },
    )
    ready_s = _ready(server, lambda: answers(f"http://127.0.0.1:{LITELLM_PORT}/health/readiness"))
    return Peer(
        "litellm",
        server,
        ready_s,
        lambda _: f"http://127.0.0.1:{LITELLM_PORT}/v1/chat/completions",
        _plain,
        {"Authorization": f"Bearer {key}"},
    )


def _start_tokengate(core: int) -> Peer:
    """Start TokenGate with a key whose limits are counted on every call but never reached."""
    folder = _folder("tokengate")
    config = folder / "tokengate.toml"
    config.write_text(tokengate_config(folder / "data"))
    key = _tokengate_key(config, folder)
    refuse_used_port(TOKENGATE_PORT)
    server = Server(
        "tokengate",
        [tokengate_binary(), "serve", *_where(config, folder), "--port", str(TOKENGATE_PORT)],
        core,
        folder,
    )
    ready_s = _ready(server, lambda: answers(f"http://127.0.0.1:{TOKENGATE_PORT}/readyz"))
    return Peer(
        "tokengate",
        server,
        ready_s,
        lambda _: f"http://127.0.0.1:{TOKENGATE_PORT}/v1/chat/completions",
        lambda kind: f"bench-{kind}",
        {"Authorization": f"Bearer {key}"},
    )


def tokengate_binary() -> str:
    binary = ROOT / ".venv" / "bin" / "tokengate"
    if not binary.is_file():
        raise BenchError("TokenGate is not installed; run `make setup` first")
    return str(binary)


def tokengate_config(data: Path) -> str:
    """Return a configuration that names upstreams, prices and limits, and leaves all else at its default.

    The engines are off because the start-up time and the memory are compared without the local model.
    """
    upstreams = "".join(
        f"""
[[upstream]]
name = "mock-{kind}"
provider = "{provider}"
base_url = "{base(kind)}"
api_key = "sk-mock"
models = {{ "bench-{kind}" = "{kind}" }}

[[model]]
id = "bench-{kind}"
context = 1000000
max_output = 8192
price = {{ input = "0.0025", output = "0.00875", per = "ktok" }}
"""
        for provider, base, kinds in (
            ("openai_compatible", mock_base, mock.CHAT_KINDS),
            ("anthropic", _mock_root, mock.MESSAGES_KINDS),
        )
        for kind in kinds
    )
    return _settings(data) + upstreams


def _settings(data: Path, database: str = "") -> str:
    return f"""[server]
data = "{data}"
database = "{database}"

[engine.chat]
enabled = false

[engine.embedding]
enabled = false

[engine.speech]
enabled = false

[engine.transcription]
enabled = false

[limits]
requests_per_minute = 1000000000
tokens_per_minute = 1000000000000000
concurrency = 100000
spend_per_day = "1000000"
"""


def start_films(core: int) -> Server:
    """Start the vendor whose films are made at once."""
    refuse_used_port(FILMS_PORT)
    server = Server("films", [sys.executable, "-m", "bench.films", str(FILMS_PORT)], core, ROOT)
    _ready(server, lambda: answers(f"http://127.0.0.1:{FILMS_PORT}/"))
    return server


def start_for_films(core: int, database: str) -> tuple[Server, str]:
    """Start TokenGate over that vendor, with an empty database: SQLite's, or the one of this URL; return its key."""
    folder = _folder("films")
    shutil.rmtree(folder / "data", ignore_errors=True)
    config = folder / "tokengate.toml"
    config.write_text(
        f"""{_settings(folder / "data", database)}
[[upstream]]
name = "films"
provider = "openai"
base_url = "http://127.0.0.1:{FILMS_PORT}/v1"
api_key = "sk-films"
models = ["{films.MODEL}"]

[[model]]
id = "{films.MODEL}"
price = {{ second = "0.01" }}
"""
    )
    key = _tokengate_key(config, folder)
    refuse_used_port(JOBS_PORT)
    where = _where(config, folder)
    server = Server("films-gateway", [tokengate_binary(), "serve", *where, "--port", str(JOBS_PORT)], core, folder)
    _ready(server, lambda: answers(f"http://127.0.0.1:{JOBS_PORT}/readyz"))
    return server, key


def forget_tokengate() -> None:
    """Delete the data of an earlier run, so that every run begins with an empty database."""
    shutil.rmtree(RUN / "tokengate" / "data", ignore_errors=True)


def verify_ledger(name: str = "tokengate") -> str:
    """Return what `tokengate ledger verify` says about the bench's data; raise when it finds a difference."""
    folder = _folder(name)
    done = subprocess.run(
        [tokengate_binary(), "ledger", "verify", *_where(folder / "tokengate.toml", folder)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise BenchError(f"ledger verify: {(done.stdout + done.stderr)[-1500:]}")
    return " ".join(done.stdout.split())


def _tokengate_key(config: Path, folder: Path) -> str:
    kept = folder / "data" / "bench.key"
    if kept.is_file():
        return kept.read_text()
    done = subprocess.run(
        [
            *(tokengate_binary(), "keys", "create", "--name", "bench", "--balance", "100000", "--json"),
            *_where(config, folder),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise BenchError(f"tokengate keys create: {(done.stdout + done.stderr)[-1500:]}")
    key: str = json.loads(done.stdout)["key"]
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(key)
    kept.chmod(0o600)
    return key


def _where(config: Path, folder: Path) -> list[str]:
    return ["--config", str(config), "--data", str(folder / "data")]


def _start_nginx(
    name: str, core: int, configuration: Callable[[Path], str], port: int, path: str
) -> tuple[Server, float]:
    folder = _folder(name)
    (folder / "after_body.sock").unlink(missing_ok=True)
    config = folder / "nginx.conf"
    config.write_text(configuration(folder))
    refuse_used_port(port)
    binary = find_tool("nginx") or "nginx"
    server = Server(name, [binary, "-e", str(folder / "error.log"), "-c", str(config)], core, folder)
    return server, _ready(server, lambda: answers(f"http://127.0.0.1:{port}{path}"))


def _ready(server: Server, ready: Callable[[], bool]) -> float:
    try:
        return server.wait_until(ready)
    except BaseException:
        server.stop()
        raise


def _folder(name: str) -> Path:
    folder = RUN / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _plain(kind: str) -> str:
    return kind


def _install(command: list[str], name: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PIP_NO_INPUT": "1"})
    if done.returncode != 0:
        raise BenchError(f"{name} could not be installed: {done.stderr[-800:]}")


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()


_STARTS: dict[str, Callable[[int], Peer]] = {
    "direct": _start_direct,
    "nginx": _start_nginx_proxy,
    "tensorzero": _start_tensorzero,
    "litellm": _start_litellm,
    "tokengate": _start_tokengate,
}
