"""A real gateway process for end-to-end tests: configuration in, address and keys out, ended by signal."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import Future, wait
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

READY = "answers at"
_START_S = 30.0
_KNOWN_S = 10.0  # a second is what is promised, on a machine that is not busy


class NotStarted(RuntimeError):
    """The process ended, or said nothing, before it listened."""


class GatewayProcess:
    """`tokengate serve` on a free port, with a data folder and a configuration of its own.

    `config` is TOML text; engines are off unless it turns them on. `database` is a URL; empty is SQLite in the
    folder. Starting again after `kill` uses the same folder, port and database.
    """

    def __init__(self, folder: Path, config: str, *, database: str = "", environ: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.database = database
        self.log = folder / "gateway.log"
        self._environ = environ or {}
        self._process: subprocess.Popen[str] | None = None
        self.config = folder / "tokengate.toml"
        self.config.write_text(config if "[engine" in config else f"{config}\n{ENGINES_OFF}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def programs(self) -> set[int]:
        """The processes that the gateway has started and that live."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/children")
        return {int(number) for task in tasks for number in task.read_text().split()}

    def start(self) -> Self:
        """Start, and return once the gateway listens. Raises NotStarted with the end of its log."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "serve", "--port", str(self.port), *self._where()],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._env(),
            )
        assert self._process.stdout is not None
        listens: Future[bool] = Future()
        threading.Thread(target=_follow, args=(self._process.stdout, self.log, listens), daemon=True).start()
        wait([listens], _START_S)
        if not listens.done() or not listens.result():
            self.kill()
            raise NotStarted(self.log.read_text()[-4000:])
        return self

    def command(self, *arguments: str) -> Any:
        """Run a `tokengate` command beside the gateway and return its JSON."""
        done = subprocess.run(
            [*COMMAND, *arguments, *self._where(), "--json"], capture_output=True, text=True, env=self._env()
        )
        if done.returncode != 0:
            raise AssertionError(f"{arguments} ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def create_key(self, balance: str = "10", name: str = "test") -> str:
        """Return a new key with a wallet of its own, once the gateway knows it."""
        key: str = self.command("keys", "create", "--name", name, "--balance", balance)["key"]
        given_up_s = time.monotonic() + _KNOWN_S
        while not self._knows(key):
            assert time.monotonic() < given_up_s, "the gateway does not know the new key"
        return key

    def _knows(self, key: str) -> bool:
        try:
            self.get("/v1/balance", key)
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 401:
                    raise
            return False
        return True

    def get(self, path: str, key: str = "") -> Any:
        """GET JSON from the gateway."""
        request = urllib.request.Request(self.url + path, headers={"authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)

    def stop(self) -> int:
        """SIGTERM, wait, and return the exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=60)

    def kill(self) -> None:
        """SIGKILL, and wait."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _where(self) -> list[str]:
        return ["--data", str(self.folder), "--config", str(self.config)]

    def _env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
        if self.database:
            kept["TOKENGATE_DATABASE_URL"] = self.database
        return {**kept, **self._environ}


COMMAND = [sys.executable, "-m", "tokengate"]
ENGINES_OFF = "".join(
    f"[engine.{kind}]\nenabled = false\n" for kind in ("chat", "embedding", "speech", "transcription")
)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _follow(output: IO[str], log: Path, listens: Future[bool]) -> None:
    with output, log.open("a") as copy:
        for line in output:
            copy.write(line)
            copy.flush()
            if READY in line and not listens.done():
                listens.set_result(True)
    if not listens.done():
        listens.set_result(False)
