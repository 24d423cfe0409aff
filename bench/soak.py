"""The soak: hours of mixed load on TokenGate; memory is read after every cycle, the ledger verified at the end.

    python -m bench.soak --minutes 60

Each cycle runs, at the same time, short chats, streams, long prompts, slow streams, and slow streams whose clients
leave. It fails on any refused or broken call, on memory that grows, and on a ledger that does not add up.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from statistics import median

import msgspec
from msgspec import Struct
from rich.console import Console

from bench import peers
from bench.load import Round, run_slow, run_wrk
from bench.machine import RUN, BenchError, need_tools, raise_open_files, refuse_used_port, two_cores
from bench.peers import Peer

CYCLE_S = 15
WARM_CYCLES = 4  # memory is compared from here on
GROWTH_AT_MOST_MB = 20.0
SLOW_STREAMS = 200
LEAVING_STREAMS = 100
WRK_LOADS = (("whole", 16), ("stream", 8), ("long", 2))


class Cycle(Struct, frozen=True):
    """What one cycle counted; `errors` are calls that were refused, cut short or never answered."""

    seconds: float
    requests: int
    streams: int
    errors: int
    resident_mb: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    console = Console()
    try:
        cycles = soak(options.minutes * 60, lambda text: console.print(text, highlight=False, markup=False))
        console.print(f"ledger: {peers.verify_ledger()}", markup=False)
    except BenchError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    (RUN / "soak.json").write_bytes(msgspec.json.format(msgspec.json.encode(cycles), indent=2))
    complaints = judge(cycles)
    for complaint in complaints:
        console.print(complaint, style="red", markup=False)
    return 1 if complaints else 0


def judge(cycles: list[Cycle]) -> list[str]:
    """Return what is wrong with the cycles; empty when the soak passed."""
    complaints: list[str] = []
    if errors := sum(cycle.errors for cycle in cycles):
        complaints.append(f"{errors} calls failed")
    settled = [cycle.resident_mb for cycle in cycles[WARM_CYCLES:]]
    part = max(1, len(settled) // 5)
    if len(settled) >= 2:
        grown_mb = median(settled[-part:]) - median(settled[:part])
        if grown_mb > GROWTH_AT_MOST_MB:
            complaints.append(f"memory grew by {grown_mb:.1f} MB after the first {WARM_CYCLES} cycles")
    return complaints


def soak(seconds: float, say: Callable[[str], None]) -> list[Cycle]:
    gateway_core, load_core = two_cores()
    raise_open_files()
    need_tools("nginx", "wrk")
    for port in peers.PORTS:
        refuse_used_port(port)
    os.sched_setaffinity(0, {load_core})
    peers.forget_tokengate()
    cycles: list[Cycle] = []
    with ExitStack() as stack:
        for start in (peers.start_mock, peers.start_slow_mock):
            stack.callback(start(load_core).stop)
        gateway = peers.start("tokengate", gateway_core)
        assert gateway.server
        stack.callback(gateway.server.stop)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            cycle = _cycle(gateway, load_core)
            cycles.append(cycle)
            say(
                f"cycle {len(cycles)}: {cycle.requests:,} requests, {cycle.streams} slow streams, "
                f"{cycle.errors} errors, {cycle.resident_mb:.1f} MB"
            )
    return cycles


def _cycle(gateway: Peer, core: int) -> Cycle:
    assert gateway.server
    started = time.monotonic()
    with ThreadPoolExecutor() as pool:
        loads: list[Future[Round]] = [
            pool.submit(run_wrk, gateway, kind, connections, CYCLE_S, core) for kind, connections in WRK_LOADS
        ]
        slow = pool.submit(_slow, gateway, SLOW_STREAMS, core, "read")
        leaving = pool.submit(_slow, gateway, LEAVING_STREAMS, core, "leave")
        counted = [load.result() for load in loads]
        read, left = slow.result(), leaving.result()
    gateway.server.wait_idle()
    return Cycle(
        seconds=time.monotonic() - started,
        requests=sum(load.requests for load in counted),
        streams=SLOW_STREAMS + LEAVING_STREAMS,
        errors=sum(load.errors for load in counted)
        + sum(load.stalled(connections) for load, (_, connections) in zip(counted, WRK_LOADS, strict=True))
        + SLOW_STREAMS
        - int(read["complete"])
        + int(left["refused"]),
        resident_mb=gateway.server.resident_mb(),
    )


def _slow(gateway: Peer, streams: int, core: int, word: str) -> dict[str, float]:
    said, _ = run_slow(gateway, streams, core, word).communicate()
    if not said:
        raise BenchError("the slow streams' reader failed")
    return json.loads(said)


def _stop(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
