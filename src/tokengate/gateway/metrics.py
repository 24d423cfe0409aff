"""Counts of what the gateway did, kept as plain integers and shown to Prometheus on demand.

One `Series` per (endpoint, model, upstream): the hot path adds to its fields and bisects two histograms, nothing
is locked, formatted or looked up by label. Labels come from the catalogue and the configuration, so their number is
bounded.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from tokengate.core.money import NANO_PER_YUAN

_LATENCY_BOUNDS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000)
_COMMIT_BOUNDS_US = (100, 250, 500, 1000, 2500, 5000, 10_000, 50_000, 250_000, 1_000_000)


class Histogram:
    """Counts per bucket of integers; the unit is the bounds' own."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[int, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0

    def observe(self, value: int) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self, per_second: int) -> list[tuple[str, float]]:
        """Return cumulative buckets with bounds in seconds, as Prometheus wants them."""
        rows: list[tuple[str, float]] = []
        running = 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            running += count
            rows.append((str(bound / per_second), running))
        rows.append(("+Inf", running + self.counts[-1]))
        return rows


class Series:
    """The numbers of one (endpoint, model, upstream)."""

    __slots__ = ("cost_nano", "first_token", "input_tokens", "latency", "output_tokens", "overrun_nano", "statuses")

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self.input_tokens = 0
        self.output_tokens = 0
        self.cost_nano = 0
        self.overrun_nano = 0
        self.latency = Histogram(_LATENCY_BOUNDS_MS)
        self.first_token = Histogram(_LATENCY_BOUNDS_MS)

    def count(self, status: int, latency_ms: int, first_token_ms: int | None) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.latency.observe(latency_ms)
        if first_token_ms is not None:
            self.first_token.observe(first_token_ms)


class Metrics(Collector):
    """All series, and the gauges that other parts lend it as functions."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str, str], Series] = {}
        self._upstream_errors: dict[tuple[str, str], int] = {}
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self._breakers: Callable[[], Iterable[tuple[str, str, str]]] = tuple
        self.refused: dict[str, int] = {}
        self.alarms: dict[str, int] = {}
        self.commits = Histogram(_COMMIT_BOUNDS_US)
        self.committed_rows = 0
        self._registry = CollectorRegistry()
        for part in (self, ProcessCollector, PlatformCollector, GCCollector):
            if part is self:
                self._registry.register(self)
            else:
                part(registry=self._registry)  # type: ignore[operator]  # the three are classes

    def series(self, endpoint: str, model: str, upstream: str) -> Series:
        key = (endpoint, model, upstream)
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = Series()
        return found

    def upstream_error(self, upstream: str, kind: str) -> None:
        key = (upstream, kind)
        self._upstream_errors[key] = self._upstream_errors.get(key, 0) + 1

    def refuse(self, code: str) -> None:
        self.refused[code] = self.refused.get(code, 0) + 1

    def alarm(self, kind: str) -> None:
        self.alarms[kind] = self.alarms.get(kind, 0) + 1

    def commit(self, rows: int, seconds: float) -> None:
        self.commits.observe(int(seconds * 1_000_000))
        self.committed_rows += rows

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Show `value()` as a gauge on every scrape."""
        self._gauges[name] = (text, value)

    def show_breakers(self, states: Callable[[], Iterable[tuple[str, str, str]]]) -> None:
        """Show (upstream, model, state) rows on every scrape."""
        self._breakers = states

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        labels = ["endpoint", "model", "upstream"]
        requests = CounterMetricFamily("tokengate_requests", "Calls by final status", labels=[*labels, "status"])
        tokens = CounterMetricFamily("tokengate_tokens", "Tokens by direction", labels=[*labels, "direction"])
        cost = CounterMetricFamily("tokengate_cost_yuan", "Charged to wallets", labels=labels)
        overrun = CounterMetricFamily("tokengate_overrun_yuan", "Borne by the house beyond the hold", labels=labels)
        latency = HistogramMetricFamily("tokengate_latency_seconds", "Request head to last byte", labels=labels)
        first = HistogramMetricFamily("tokengate_first_token_seconds", "Time to first token", labels=labels)
        for key, one in list(self._series.items()):
            for status, count in one.statuses.items():
                requests.add_metric([*key, str(status)], count)
            tokens.add_metric([*key, "input"], one.input_tokens)
            tokens.add_metric([*key, "output"], one.output_tokens)
            cost.add_metric(key, one.cost_nano / NANO_PER_YUAN)
            overrun.add_metric(key, one.overrun_nano / NANO_PER_YUAN)
            latency.add_metric(key, one.latency.buckets(1000), one.latency.total / 1000)
            first.add_metric(key, one.first_token.buckets(1000), one.first_token.total / 1000)
        yield from (requests, tokens, cost, overrun, latency, first)
        yield from self._collect_rest()

    def _collect_rest(self) -> Iterable[Metric]:
        errors = CounterMetricFamily("tokengate_upstream_errors", "Failed attempts", labels=["upstream", "kind"])
        for (upstream, kind), count in list(self._upstream_errors.items()):
            errors.add_metric([upstream, kind], count)
        refused = CounterMetricFamily("tokengate_refused", "Calls refused before any attempt", labels=["code"])
        for code, count in list(self.refused.items()):
            refused.add_metric([code], count)
        alarms = CounterMetricFamily("tokengate_alarms", "Things that must wake someone", labels=["kind"])
        for kind, count in list(self.alarms.items()):
            alarms.add_metric([kind], count)
        commits = HistogramMetricFamily("tokengate_commit_seconds", "Group commit of the ledger")
        commits.add_metric([], self.commits.buckets(1_000_000), self.commits.total / 1_000_000)
        rows = CounterMetricFamily("tokengate_committed_rows", "Rows made durable", value=self.committed_rows)
        breakers = GaugeMetricFamily(
            "tokengate_breaker", "1 for the breaker's current state", labels=["upstream", "model", "state"]
        )
        for upstream, model, state in self._breakers():
            breakers.add_metric([upstream, model, state], 1)
        yield from (errors, refused, alarms, commits, rows, breakers)
        for name, (text, value) in self._gauges.items():
            yield GaugeMetricFamily(name, text, value=value())
