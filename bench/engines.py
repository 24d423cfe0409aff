"""What the engines cost a gateway that nobody has called yet: time to start and memory, without them and with them.

    python -m bench.engines
    python -m bench.engines --data /var/lib/tokengate --times 9

It needs `tokengate[local,speech]`, and `tokengate models pull smollm2 joe whisper-tiny.en`. Start-up is from the spawn
to the first 200 of `/readyz`, and how much of it the processor worked, which on a busy machine says more; memory is
resident, of the gateway's own process, two seconds later, and of the processes that it has started. The medians of
several starts are told. The exit status is 1 when a gateway that has loaded no model takes longer, or more, than is
promised.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from msgspec import Struct
from rich.console import Console

from bench.machine import Server, answers, process_resident_mb, refuse_used_port, two_cores
from bench.peers import TOKENGATE_PORT, tokengate_binary

KINDS = ("chat", "embedding", "speech", "transcription")
# By what is written: the engines that are on. The chat model and the embeddings are loaded at the start.
CASES = {
    "no engine": (),
    "voice": ("speech",),
    "recogniser": ("transcription",),
    "voice and recogniser": ("speech", "transcription"),
    "all engines": KINDS,
}
MOST_S = 2.0
MOST_MB = 150.0
_SETTLED_S = 2.0
# Without anything to call a gateway is never ready.
_UPSTREAM = '[[upstream]]\nname = "nobody"\nbase_url = "http://127.0.0.1:9/v1"\nmodels = ["nothing"]\n'


class Started(Struct, frozen=True):
    """One start."""

    ready_s: float
    worked_s: float
    gateway_mb: float
    engines_mb: float

    @property
    def keeps_its_promise(self) -> bool:
        return self.ready_s < MOST_S and self.gateway_mb < MOST_MB


def measure(name: str, data: Path, times: int) -> Started:
    """Return the medians of several starts."""
    starts = [start(name, data) for _ in range(times)]
    return Started(
        statistics.median(one.ready_s for one in starts),
        statistics.median(one.worked_s for one in starts),
        statistics.median(one.gateway_mb for one in starts),
        statistics.median(one.engines_mb for one in starts),
    )


def start(name: str, data: Path) -> Started:
    """Start a gateway in a new folder that has the models of `data`, and end it."""
    folder = Path(tempfile.mkdtemp(prefix="tokengate-engines-"))
    try:
        (folder / "models").symlink_to((data / "models").resolve())
        config = folder / "tokengate.toml"
        engines = "".join(f"[engine.{one}]\nenabled = {str(one in CASES[name]).lower()}\n" for one in KINDS)
        config.write_text(_UPSTREAM + engines)
        refuse_used_port(TOKENGATE_PORT)
        where = ["--config", str(config), "--data", str(folder), "--port", str(TOKENGATE_PORT)]
        server = Server(f"engines-{name}", [tokengate_binary(), "serve", *where], two_cores()[0], folder)
        try:
            ready_s = server.wait_until(lambda: answers(f"http://127.0.0.1:{TOKENGATE_PORT}/readyz"))
            worked_s = server.cpu_s()
            time.sleep(_SETTLED_S)
            gateway_mb = process_resident_mb(server.pid)
            return Started(ready_s, worked_s, gateway_mb, server.resident_mb() - gateway_mb)
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.engines", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("data"), help="the folder with the models")
    parser.add_argument("--times", type=int, default=5, help="how often each gateway is started")
    chosen = parser.parse_args()
    out = Console(highlight=False, soft_wrap=True)
    is_kept = True
    for name, on in CASES.items():
        found = measure(name, chosen.data, chosen.times)
        started = f"{found.ready_s:.2f} s ({found.worked_s:.2f} s of work)"
        memory = f"{found.gateway_mb:.0f} MB, its processes {found.engines_mb:.0f} MB"
        out.print(f"{name}: {started}, {memory}", markup=False)
        loads = {"chat", "embedding"} & set(on)
        is_kept = is_kept and (bool(loads) or found.keeps_its_promise)
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
