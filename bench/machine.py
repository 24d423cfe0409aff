"""The machine under the benchmark: its two cores, the processes started on them, and what those use.

Every process runs in a group of its own and is ended by its id.
"""

import os
import platform
import resource
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUN = ROOT / "bench" / ".run"  # everything the benchmark writes but its results; not under version control
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 15.0
IDLE_SHARE = 0.05  # a process that uses less of its core than this has finished its work
IDLE_TIMEOUT_S = 30.0
FSYNC_SAMPLES = 200
OPEN_FILES = 65_536  # 1,000 streams are two sockets each in a gateway


class BenchError(Exception):
    """The benchmark cannot go on; the message says why and what to do."""


def two_cores() -> tuple[int, int]:
    """Return the gateway's core and the core of load generator and mock."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise BenchError("the benchmark needs two cores: one for the gateway, one for load and mock")
    return cores[0], cores[1]


def raise_open_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def need_tools(*names: str) -> None:
    """Install the named Debian packages whose command is missing, or say how."""
    missing = [name for name in names if not find_tool(name)]
    if not missing:
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], check=False)
    still = [name for name in missing if not find_tool(name)]
    if still:
        raise BenchError(f"please install {' and '.join(still)} (on Debian: apt-get install {' '.join(still)})")


def find_tool(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")


def refuse_used_port(port: int) -> None:
    """Raise when something answers there: a server of an earlier run would silently share the load."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise BenchError(f"port {port} already answers; end that process first")


class Server:
    """One started server and its children, pinned to a core; `stop` ends the whole group."""

    def __init__(
        self, name: str, command: Sequence[str], core: int, cwd: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = RUN / "logs" / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.started = time.monotonic()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                ["taskset", "-c", str(core), *command],
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool]) -> float:
        """Return the seconds from the spawn until `ready`; raise when the process ends or takes too long."""
        while not ready():
            if self._process.poll() is not None or time.monotonic() - self.started > START_TIMEOUT_S:
                raise BenchError(f"{self.name} did not start:\n{self.log_tail()}")
            time.sleep(0.005)
        return time.monotonic() - self.started

    def log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-1500:]

    def resident_mb(self) -> float:
        return sum(process_resident_mb(pid) for pid in self.tree())

    def cpu_s(self) -> float:
        return sum(process_cpu_s(pid) for pid in self.tree())

    def tree(self) -> list[int]:
        """Return the ids of this process and all its descendants."""
        found = [self.pid]
        for pid in found:
            found.extend(_children(pid))
        return found

    def wait_idle(self) -> None:
        """Wait until the work left over by clients that have gone is done."""
        deadline = time.monotonic() + IDLE_TIMEOUT_S
        window_s = 0.25
        while time.monotonic() < deadline:
            before = self.cpu_s()
            time.sleep(window_s)
            if self.cpu_s() - before < IDLE_SHARE * window_s:
                return

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_TIMEOUT_S)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # the group is ours alone: start_new_session
        self._process.wait()


def answers(url: str) -> bool:
    """Say whether the address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2.0) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def core_busy_s(core: int) -> float:
    """Return the seconds that the core has worked, for anyone, since the machine started."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal = (int(tick) for tick in ticks[:8])
            return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    raise BenchError(f"/proc/stat does not name core {core}")


def describe(data: Path) -> dict[str, str]:
    """Return what a reader needs to judge the figures: processor, kernel, and what an fsync costs here."""
    return {
        "processor": cpu_model(),
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "fsync": f"{fsync_ms(data):.3f} ms (median of {FSYNC_SAMPLES} appends of 4 KiB in the data folder)",
    }


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def fsync_ms(folder: Path) -> float:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "fsync.probe"
    block = b"x" * 4096
    taken_s: list[float] = []
    with path.open("wb", buffering=0) as probe:
        for _ in range(FSYNC_SAMPLES):
            started = time.perf_counter()
            probe.write(block)
            os.fsync(probe.fileno())
            taken_s.append(time.perf_counter() - started)
    path.unlink()
    return sorted(taken_s)[len(taken_s) // 2] * 1000


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found.extend(int(child) for child in task.read_text().split())
        except OSError:
            continue
    return found


def process_resident_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0) / 1024


def process_cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
