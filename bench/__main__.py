"""Run the benchmark: `python -m bench`, or `make bench`. Prints one table and writes RESULTS.md and results.json."""

import argparse
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from bench import peers
from bench.jobs import measure_jobs
from bench.machine import ROOT, RUN, BenchError, describe, need_tools, raise_open_files, refuse_used_port, two_cores
from bench.pages import measure_pages, static_config
from bench.peers import NAMES, TITLES, Peer
from bench.profiling import profile
from bench.report import print_report, write
from bench.results import FLAT_REQUESTS, LOADS, SLOW_STREAMS, Load, PeerResult, Result, goals
from bench.scenarios import STARTS, check_billed, measure_flat, measure_load, measure_slow, measure_start

BENCH = ROOT / "bench"
OTHERS = ("start", "slow", "flat", "pages", "jobs")
SLOW_PEERS = ("nginx", "tensorzero", "tokengate")  # LiteLLM's proxy does not carry a thousand streams
QUICK_ROUNDS, QUICK_SECONDS, QUICK_STREAMS, QUICK_REQUESTS = 2, 2, 200, 20_000
JOBS_ALONE, JOBS, JOBS_AT_ONCE = 50, 400, 32


def main() -> int:
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 160)
    signal.signal(signal.SIGTERM, _stop)
    try:
        cores = two_cores()
        raise_open_files()
        need_tools("nginx", "wrk")
        for port in peers.PORTS:
            refuse_used_port(port)
        os.sched_setaffinity(0, {cores[1]})
        result = Run(options, cores, console).all()
    except BenchError as error:
        console.print(f"[red]{error}[/]")
        return 1
    except KeyboardInterrupt:
        return 130
    print_report(console, result)
    write(result, options.out)
    console.print(f"written: {options.out / 'RESULTS.md'}, {options.out / 'results.json'}")
    return 1 if any(goal.verdict == "UNDER THE FLOOR" for goal in goals(result)) else 0


class Run:
    """One run: start-up of every peer, load in interleaved rounds, slow streams, memory over many calls, profiles."""

    def __init__(self, options: argparse.Namespace, cores: tuple[int, int], console: Console) -> None:
        self._options = options
        self._gateway_core, self._load_core = self._cores = cores
        self._console = console
        peers.forget_tokengate()
        self._result = Result(
            date=time.strftime("%Y-%m-%d %H:%M %Z"),
            command=f"python -m bench {shlex.join(sys.argv[1:])}".strip(),
            machine=describe(RUN / "tokengate"),
            peers={name: PeerResult(TITLES[name], peers.version(name)) for name in options.peers},
        )

    def all(self) -> Result:
        with ExitStack() as stack:
            for server in (peers.start_mock(self._load_core), peers.start_slow_mock(self._load_core)):
                stack.callback(server.stop)
            if self._wants("start"):
                self._starts()
            if any(self._wants(load.name) for load in LOADS):
                with self._started(self._options.peers) as running:
                    self._loads(running)
            if self._wants("slow"):
                with self._started([name for name in self._options.peers if name in SLOW_PEERS]) as running:
                    self._slow_streams(running)
            if self._wants("pages") and "tokengate" in self._options.peers:
                self._pages()
            if self._wants("jobs") and "tokengate" in self._options.peers:
                with self._noted("tokengate"):
                    self._result.jobs, _ = measure_jobs(self._cores, JOBS_ALONE, JOBS, JOBS_AT_ONCE, self._say)
            if "tokengate" in self._options.peers and not self._result.peers["tokengate"].failure:
                self._tokengate_alone()
        return self._result

    def _starts(self) -> None:
        for name in self._options.peers:
            with self._noted(name):
                measure_start(name, self._gateway_core, self._result.peers[name], 1 if self._options.quick else STARTS)

    def _loads(self, running: list[Peer]) -> None:
        for load in LOADS:
            if self._wants(load.name):
                measure_load(
                    load,
                    running,
                    self._result.peers,
                    self._cores,
                    self._options.rounds,
                    self._options.seconds,
                    self._say,
                )
        for peer in running:
            if peer.server:
                self._result.peers[peer.name].loaded_mb = peer.server.resident_mb()

    def _slow_streams(self, running: list[Peer]) -> None:
        for peer in running:
            with self._noted(peer.name):
                found = measure_slow(peer, self._options.streams, self._load_core)
                self._result.peers[peer.name].slow = found
                self._say(f"slow streams: {peer.name} {found.complete:,} of {found.streams:,} complete")

    def _pages(self) -> None:
        """Open pages of a gateway that does nothing else, beside a static one."""
        with self._started(["tokengate"]) as running, self._noted("tokengate"):
            static = peers.start_static(self._gateway_core, static_config)
            try:
                for _ in running:
                    ours, other = (f"http://127.0.0.1:{port}" for port in (peers.TOKENGATE_PORT, peers.STATIC_PORT))
                    self._result.pages = measure_pages(ours, other, self._options.rounds, self._say)
            finally:
                static.stop()

    def _tokengate_alone(self) -> None:
        """Measure the memory of a fresh process over many calls, and profile what is under its aim."""
        with self._started(["tokengate"]) as running, self._noted("tokengate"):
            for peer in running:
                if self._wants("flat"):
                    chat = _load("chat-32")
                    check_billed(peer, chat.kind)
                    self._result.peers["tokengate"].flat = measure_flat(
                        peer, chat, self._options.requests, self._load_core, self._say
                    )
                for name in self._to_profile():
                    self._say(f"profile of {name}")
                    self._result.profiles[name] = profile(peer, _load(name), self._load_core)
        with self._noted("tokengate"):
            self._result.ledger = peers.verify_ledger()

    def _to_profile(self) -> list[str]:
        under = [goal.load for goal in goals(self._result) if goal.verdict in ("floor met", "UNDER THE FLOOR")]
        return list(dict.fromkeys([*self._options.profile, *(name for name in under if name)]))

    @contextmanager
    def _started(self, names: list[str]) -> Generator[list[Peer]]:
        """Run the peers that start; one that does not is noted and left out."""
        with ExitStack() as stack:
            running: list[Peer] = []
            for name in names:
                if self._result.peers[name].failure:
                    continue
                with self._noted(name):
                    peer = peers.start(name, self._gateway_core)
                    if peer.server:
                        stack.callback(peer.server.stop)
                    running.append(peer)
            yield running

    @contextmanager
    def _noted(self, name: str) -> Generator[None]:
        try:
            yield
        except BenchError as error:
            self._result.peers[name].failure = str(error)
            self._console.print(f"{name}: {error}", style="red", markup=False)

    def _wants(self, name: str) -> bool:
        return not self._options.only or name in self._options.only

    def _say(self, text: str) -> None:
        self._console.print(text, style="dim", highlight=False, markup=False)


def _load(name: str) -> Load:
    return next(load for load in LOADS if load.name == name)


def _options() -> argparse.Namespace:
    loads = [load.name for load in LOADS]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few minutes' run; its figures are rough")
    parser.add_argument("--only", type=_names([*loads, *OTHERS]), default=[], help=f"of {','.join([*loads, *OTHERS])}")
    parser.add_argument("--peers", type=_names(NAMES), default=list(NAMES), help=f"of {','.join(NAMES)}")
    parser.add_argument("--profile", type=_names(loads), default=[], help="profile TokenGate under these loads too")
    parser.add_argument("--rounds", type=int, help="rounds per load and peer (5)")
    parser.add_argument("--seconds", type=int, help="seconds per round (3)")
    parser.add_argument("--out", type=Path, default=BENCH, help="the folder of RESULTS.md and results.json")
    options = parser.parse_args()
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else 5)
    options.seconds = options.seconds or (QUICK_SECONDS if options.quick else 3)
    options.streams = QUICK_STREAMS if options.quick else SLOW_STREAMS
    options.requests = QUICK_REQUESTS if options.quick else FLAT_REQUESTS
    return options


def _names(known: list[str] | tuple[str, ...]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(known)}")
        return names

    return read


def _stop(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
