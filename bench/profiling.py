"""Where TokenGate's time goes under a load: py-spy samples the process; own time is summed by part and function."""

import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.load import run_wrk
from bench.machine import RUN, Server, process_cpu_s
from bench.peers import Peer, environment
from bench.results import Load

SAMPLES_PER_S = 250
PROFILE_S = 8
TOP_FUNCTIONS = 20
TOP_PARTS = 15
# The sampler takes a thread that waits in native code for one that works; what waits is left out.
_WAITS = frozenset(
    {
        *("PyThread_acquire_lock_timed", "pthread_cond_wait", "pthread_cond_timedwait", "sem_clockwait", "sem_wait"),
        *("epoll_wait", "epoll_pwait", "poll", "select", "syscall", "clock_nanosleep", "accept4"),
    }
)
_PACKAGE = re.compile(r"(?:site-packages|src)/(tokengate/[a-z_]+|[A-Za-z0-9_]+)")
_STANDARD = re.compile(r"lib/python3\.\d+/(?:lib-dynload/)?([a-z_0-9]+)")
_FRAME = re.compile(r"^(?P<function>.*) \((?P<file>[^()]*?)(?::\d+)?\)$")


def profile(peer: Peer, load: Load, core: int) -> list[str]:
    """Return lines of text: the share of each part, then the functions with the most time of their own."""
    assert peer.server
    return profile_of(
        peer.server, load.name, core, lambda seconds: run_wrk(peer, load.kind, load.connections, seconds, core)
    )


def profile_of(server: Server, name: str, core: int, load: Callable[[int], object]) -> list[str]:
    """Return the same of a server under a load that lasts so many seconds."""
    busiest = max(server.tree(), key=process_cpu_s)
    recorded = RUN / "profiles" / f"{name}.folded"
    recorded.parent.mkdir(parents=True, exist_ok=True)
    spy = subprocess.Popen(
        [
            *("taskset", "-c", str(core), str(environment("py-spy") / "bin" / "py-spy"), "record"),
            *("--native", "--full-filenames", "-f", "raw", "-r", str(SAMPLES_PER_S), "-d", str(PROFILE_S)),
            *("-p", str(busiest), "-o", str(recorded)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    load(PROFILE_S + 1)
    _, complaint = spy.communicate()
    if spy.returncode != 0:
        return [f"no profile: {complaint.strip()[-300:]}"]
    return summarise(recorded.read_text())


def summarise(folded: str) -> list[str]:
    """Return the lines for stacks written as `outer;...;inner count`.

    Native frames without a name count for the function and the part that called them; threads that wait are left out.
    """
    functions: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    total = 0
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        samples = int(count)
        frames = stack.split(";")
        function = _function(frames)
        if function.partition(" ")[0].removeprefix("__") in _WAITS:
            continue
        total += samples
        functions[function] += samples
        parts[_part(frames)] += samples
    if not total:
        return ["no profile: no samples"]
    return [
        *(f"{count / total:6.1%}  {part}" for part, count in parts.most_common(TOP_PARTS)),
        "",
        *(f"{count / total:6.1%}  {function}" for function, count in functions.most_common(TOP_FUNCTIONS)),
    ]


def _part(frames: list[str]) -> str:
    """Return the innermost package on the stack; TokenGate's own by folder."""
    for frame in reversed(frames):
        if package := _PACKAGE.search(frame):
            return package[1]
        if module := _STANDARD.search(frame):
            return f"python {module[1]}"
    return "native code"


def _function(frames: list[str]) -> str:
    """Return the innermost frame that has a name, with the file it is in."""
    for frame in reversed(frames):
        named = _FRAME.match(frame)
        if named and not named["function"].startswith("0x"):
            return f"{named['function']} ({_short(named['file'])})"
    return "native code"


def _short(path: str) -> str:
    for root in ("site-packages/", "/src/"):
        if root in path:
            return path.rpartition(root)[2]
    return Path(path).name
