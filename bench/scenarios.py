"""How each figure is measured: start-up, load in interleaved rounds, many slow streams, memory over many calls."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bench import peers
from bench.load import check, mock_requests, run_slow, run_wrk
from bench.machine import BenchError, core_busy_s
from bench.mock import STREAM_KINDS
from bench.peers import PLAIN, Peer
from bench.results import FLAT_WARM_REQUESTS, FlatMemory, Load, Measured, PeerResult, SlowStreams

STARTS = 3
SETTLED_AFTER_S = 2.0  # memory is read this long after the first answer
WARM_S = 1
SLICE_S = 2
SAMPLE_EVERY_S = 0.25
SLOW_EARLY_S = (2.0, 4.0)  # a slow stream lasts ten seconds: these are its beginning
SLOW_LATE_S = (7.0, 9.5)  # and its end
# LiteLLM answers so few calls that a round at many connections must be longer to mean something.
LONG_ROUND_CONNECTIONS_PER_S = {"litellm": 8}
ROUNDS_AT_MOST = {"litellm": 3}

Say = Callable[[str], None]


def measure_start(name: str, core: int, result: PeerResult, times: int) -> None:
    """Start and stop the peer, and note how long it took to answer and what it occupied then."""
    for _ in range(times):
        peer = peers.start(name, core)
        if not peer.server:
            return
        try:
            time.sleep(SETTLED_AFTER_S)
            result.ready_s.append(peer.ready_s)
            result.idle_mb.append(peer.server.resident_mb())
        finally:
            peer.server.stop()


def measure_load(
    load: Load,
    running: Sequence[Peer],
    results: Mapping[str, PeerResult],
    cores: tuple[int, int],
    rounds: int,
    seconds: int,
    say: Say,
) -> None:
    """Measure the peers in turn (A B C A B C), so that a disturbance of the machine meets them all."""
    able = [peer for peer in running if not (load.converts and peer.name in PLAIN)]
    for number in range(rounds):
        for peer in able:
            result = results[peer.name]
            if result.failure or number >= ROUNDS_AT_MOST.get(peer.name, rounds):
                continue
            per_s = LONG_ROUND_CONNECTIONS_PER_S.get(peer.name)
            try:
                if number == 0:
                    check_billed(peer, load.kind)
                measured = _one_round(peer, load, cores, max(seconds, load.connections // per_s) if per_s else seconds)
            except BenchError as error:
                result.failure = str(error)
                say(f"{peer.name}: {error}")
                continue
            result.rounds.setdefault(load.name, []).append(measured)
            say(f"{load.title}, round {number + 1}: {peer.name} {measured.per_s:,.0f}/s, {measured.errors} errors")


def check_billed(peer: Peer, kind: str) -> None:
    """Call once; a whole reply of TokenGate must name its cost, or the bench would measure a gateway without a bill."""
    headers = check(peer, kind)
    if peer.name == "tokengate" and kind not in STREAM_KINDS and float(headers.get("x-request-cost", "0")) <= 0:
        raise BenchError(f"tokengate: the {kind} call was not billed")


def measure_slow(peer: Peer, streams: int, core: int) -> SlowStreams:
    """Read that many slow streams at once and watch the memory."""
    assert peer.server
    idle_mb = peer.server.resident_mb()
    started = time.monotonic()
    reading = run_slow(peer, streams, core)
    samples: list[tuple[float, float]] = []
    while reading.poll() is None:
        samples.append((time.monotonic() - started, peer.server.resident_mb()))
        time.sleep(SAMPLE_EVERY_S)
    assert reading.stdout
    said = reading.stdout.read()
    reading.stdout.close()
    if reading.returncode != 0:
        raise BenchError(f"{peer.name}: the slow streams' reader failed")
    counted = json.loads(said)
    return SlowStreams(
        streams,
        int(counted["complete"]),
        counted["seconds"],
        counted["events_per_s"],
        idle_mb,
        _median_within(samples, SLOW_EARLY_S),
        _median_within(samples, SLOW_LATE_S),
    )


def measure_flat(peer: Peer, load: Load, requests: int, core: int, say: Say) -> FlatMemory:
    """Send that many requests and compare the memory before and after, both at rest."""
    assert peer.server
    warm, _ = _send(peer, load, FLAT_WARM_REQUESTS, core, say)
    before_mb = peer.server.resident_mb()
    sent, errors = _send(peer, load, requests, core, say)
    assert warm
    return FlatMemory(sent, errors, before_mb, peer.server.resident_mb())


def _one_round(peer: Peer, load: Load, cores: tuple[int, int], seconds: int) -> Measured:
    gateway_core, load_core = cores
    run_wrk(peer, load.kind, load.connections, WARM_S, load_core)
    if peer.server:
        peer.server.wait_idle()
    answered, busy_s, own_s = mock_requests(), core_busy_s(gateway_core), peer.server.cpu_s() if peer.server else 0.0
    counted = run_wrk(peer, load.kind, load.connections, seconds, load_core)
    busy_s = core_busy_s(gateway_core) - busy_s
    own_s = peer.server.cpu_s() - own_s if peer.server else 0.0
    if peer.server:
        peer.server.wait_idle()
    if mock_requests() - answered < counted.requests:
        raise BenchError(f"{peer.name} answered {counted.requests} calls without asking the upstream each time")
    foreign_share = max(0.0, busy_s - own_s) / counted.seconds
    errors = counted.errors + counted.stalled(load.connections)
    return Measured(counted.per_s, counted.p50_ms, counted.p99_ms, errors, foreign_share)


def _send(peer: Peer, load: Load, requests: int, core: int, say: Say) -> tuple[int, int]:
    assert peer.server
    sent = errors = 0
    while sent < requests:
        counted = run_wrk(peer, load.kind, load.connections, SLICE_S, core)
        if not counted.requests:
            raise BenchError(f"{peer.name} answers no more after {sent} requests")
        sent += counted.requests
        errors += counted.errors
        say(f"memory over many calls: {sent:,} of {requests:,}, {peer.server.resident_mb():.0f} MB")
    peer.server.wait_idle()
    return sent, errors


def _median_within(samples: list[tuple[float, float]], span_s: tuple[float, float]) -> float:
    within = [mb for at_s, mb in samples if span_s[0] <= at_s <= span_s[1]]
    if not within:
        raise BenchError("the slow streams ended too early to read the memory")
    return median(within)
