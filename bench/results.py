"""What a run found, as it is kept in results.json, and the goals that it is held against. Pure."""

from statistics import median

from msgspec import Struct, field

MEMORY_FLAT_MB = 10.0  # growth that is still called flat
SLOW_STREAMS = 1000
FLAT_REQUESTS = 200_000
FLAT_WARM_REQUESTS = 20_000  # before the first memory reading: caches and pools are full then


class Load(Struct, frozen=True):
    """One kind of load: which call, at how many connections."""

    name: str
    title: str
    kind: str
    connections: int
    converts: bool = False  # the upstream speaks another format than the caller: nothing for a plain proxy


LOADS = (
    Load("chat-1", "short chat, 1 connection", "whole", 1),
    Load("chat-32", "short chat, 32 connections", "whole", 32),
    Load("chat-256", "short chat, 256 connections", "whole", 256),
    Load("stream-32", "40-chunk streams, 32 connections", "stream", 32),
    Load("long-8", "200 KB prompt, 8 connections", "long", 8),
    Load("converted-32", "converted chat, 32 connections", "messages", 32, converts=True),
    Load("converted-stream-32", "converted streams, 32 connections", "messages-stream", 32, converts=True),
)


class Measured(Struct, frozen=True):
    """One round of one load: what the load generator counted, and who else used the gateway's core meanwhile."""

    per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    foreign_share: float


class SlowStreams(Struct, frozen=True):
    streams: int
    complete: int
    seconds: float
    events_per_s: float
    idle_mb: float
    early_mb: float
    late_mb: float


class FlatMemory(Struct, frozen=True):
    requests: int
    errors: int
    before_mb: float
    after_mb: float


class PageTimes(Struct, frozen=True):
    """Medians in ms of opening a page with an empty cache, and again: first contentful paint, load, heading shown."""

    paint_ms: float
    load_ms: float
    heading_ms: float
    again_paint_ms: float
    again_load_ms: float
    again_heading_ms: float


class JobTimes(Struct, frozen=True):
    """Films of a vendor that makes them at once: from submission to settlement, one after the other, and how many a
    second when so many are submitted at once, at what processor time of the gateway's for each."""

    jobs: int
    p50_ms: float
    p99_ms: float
    per_s: float
    at_once: int
    cpu_ms: float | None = None


class PeerResult(Struct):
    title: str
    version: str = ""
    failure: str = ""
    ready_s: list[float] = field(default_factory=list[float])
    idle_mb: list[float] = field(default_factory=list[float])
    loaded_mb: float | None = None
    rounds: dict[str, list[Measured]] = field(default_factory=dict[str, list[Measured]])
    slow: SlowStreams | None = None
    flat: FlatMemory | None = None


class Result(Struct):
    date: str
    command: str
    machine: dict[str, str]
    peers: dict[str, PeerResult]
    ledger: str = ""
    pages: dict[str, PageTimes] = field(default_factory=dict[str, PageTimes])
    jobs: dict[str, JobTimes] = field(default_factory=dict[str, JobTimes])
    profiles: dict[str, list[str]] = field(default_factory=dict[str, list[str]])


class Figure(Struct, frozen=True):
    """The medians of a peer's rounds under one load; void when any call failed."""

    per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    foreign_share: float

    @property
    def void(self) -> bool:
        return self.errors > 0 or self.per_s == 0


class Goal(Struct, frozen=True):
    """A promise about a figure: `floor` must hold, `aim` is wished; `at_most` says that less is better."""

    title: str
    unit: str
    value: float | None
    aim: float | None
    floor: float
    at_most: bool = False
    load: str = ""  # the load to profile when the figure is under its aim

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        if not self._meets(self.floor):
            return "UNDER THE FLOOR"
        if self.aim is not None and not self._meets(self.aim):
            return "floor met"
        return "aim met" if self.aim is not None else "met"

    def _meets(self, bound: float) -> bool:
        assert self.value is not None
        return self.value <= bound if self.at_most else self.value >= bound


def figure(peer: PeerResult | None, load: str) -> Figure | None:
    """Return the medians of the peer's rounds, or None when it was not measured."""
    rounds = peer.rounds.get(load) if peer else None
    if not rounds:
        return None
    return Figure(
        median(measured.per_s for measured in rounds),
        median(measured.p50_ms for measured in rounds),
        median(measured.p99_ms for measured in rounds),
        sum(measured.errors for measured in rounds),
        max(measured.foreign_share for measured in rounds),
    )


def goals(result: Result) -> list[Goal]:
    """Return every goal with what this run measured for it."""
    ours = result.peers.get("tokengate") or PeerResult("TokenGate")
    slow, flat = ours.slow, ours.flat
    grown_mb = flat.after_mb - flat.before_mb if flat and not flat.errors else None
    slow_grown_mb = slow.late_mb - slow.early_mb if slow and slow.complete == slow.streams else None
    return [
        _against(result, "tensorzero", "chat-32", aim=1.5, floor=1.0),
        _against(result, "tensorzero", "chat-256", aim=2.0, floor=1.4),
        _against(result, "tensorzero", "stream-32", aim=6.0, floor=4.0),
        _against(result, "tensorzero", "converted-32", floor=1.0),
        _against(result, "tensorzero", "converted-stream-32", floor=1.0),
        _against(result, "litellm", "chat-32", aim=150.0, floor=80.0),
        Goal("added at one connection (p50)", "ms", added_ms(result, "tokengate"), 0.7, 1.0, True, "chat-1"),
        Goal("start-up", "s", _median(ours.ready_s), None, 2.0, True),
        Goal("resident after start, without the model", "MB", _median(ours.idle_mb), None, 150.0, True),
        Goal(f"memory grown over {FLAT_REQUESTS:,} requests", "MB", grown_mb, None, MEMORY_FLAT_MB, True),
        Goal("memory grown over 1,000 slow streams at once", "MB", slow_grown_mb, None, MEMORY_FLAT_MB, True),
    ]


def added_ms(result: Result, name: str) -> float | None:
    """Return the milliseconds that a peer adds at one connection: its p50 less the direct one of the same round."""
    ours, direct = result.peers.get(name), result.peers.get("direct")
    if not ours or not direct:
        return None
    pairs = list(zip(ours.rounds.get("chat-1", []), direct.rounds.get("chat-1", []), strict=False))
    if not pairs or any(measured.errors or measured.per_s == 0 for measured, _ in pairs):
        return None
    return median(measured.p50_ms - bare.p50_ms for measured, bare in pairs)


def _against(result: Result, other: str, load: str, *, floor: float, aim: float | None = None) -> Goal:
    """Return the goal for a ratio: the median of the ratios of the rounds, since those of one turn stand side by side
    in time, and a machine's speed drifts."""
    ours, theirs = result.peers.get("tokengate"), result.peers.get(other)
    void = any(one is None or one.void for one in (figure(ours, load), figure(theirs, load)))
    value = None
    if ours and theirs and not void:
        turns = zip(ours.rounds[load], theirs.rounds[load], strict=False)
        value = median(our.per_s / their.per_s for our, their in turns)
    title = next(known.title for known in LOADS if known.name == load)
    name = result.peers[other].title if other in result.peers else other
    return Goal(f"{title}: requests/s of {name}'s", "x", value, aim, floor, load=load)


def _median(values: list[float]) -> float | None:
    return median(values) if values else None
