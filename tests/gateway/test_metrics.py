from prometheus_client.parser import text_string_to_metric_families

from tokengate.gateway.metrics import Histogram, Metrics


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return every sample as Prometheus reads it."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def labelled(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


ONE = {"endpoint": "chat.completions", "model": "m", "upstream": "u"}


def test_calls_are_counted_per_endpoint_model_upstream_and_status():
    metrics = Metrics()
    for status, latency_ms, first_ms in ((200, 40, 7), (200, 60, None), (502, 10, None)):
        metrics.series("chat.completions", "m", "u").count(status, latency_ms, first_ms)
    metrics.series("embeddings", "m", "u").count(200, 1, None)

    shown = samples(metrics)

    assert shown[labelled("tokengate_requests_total", **ONE, status="200")] == 2
    assert shown[labelled("tokengate_requests_total", **ONE, status="502")] == 1
    assert shown[labelled("tokengate_latency_seconds_count", **ONE)] == 3
    assert shown[labelled("tokengate_latency_seconds_sum", **ONE)] == 0.11
    assert shown[labelled("tokengate_first_token_seconds_count", **ONE)] == 1


def test_money_is_shown_in_yuan():
    metrics = Metrics()
    series = metrics.series("chat.completions", "m", "u")
    series.cost_nano, series.overrun_nano = 1_500_000_000, 2_000_000

    shown = samples(metrics)

    assert shown[labelled("tokengate_cost_yuan_total", **ONE)] == 1.5
    assert shown[labelled("tokengate_overrun_yuan_total", **ONE)] == 0.002


def test_a_histogram_s_buckets_include_their_bound_and_add_up():
    histogram = Histogram((5, 10))
    for value in (1, 5, 6, 10, 11):
        histogram.observe(value)

    assert histogram.buckets(1000) == [("0.005", 2), ("0.01", 4), ("+Inf", 5)]
    assert histogram.total == 33


def test_commits_are_timed_in_seconds_and_rows_counted():
    metrics = Metrics()
    metrics.commit(6, 0.0004)
    metrics.commit(4, 0.002)

    shown = samples(metrics)

    assert shown[labelled("tokengate_commit_seconds_count")] == 2
    assert shown[labelled("tokengate_commit_seconds_bucket", le="0.0005")] == 1
    assert shown[labelled("tokengate_committed_rows_total")] == 10


def test_refusals_alarms_and_failed_attempts_are_counted_by_kind():
    metrics = Metrics()
    for _ in range(2):
        metrics.refuse("insufficient_balance")
        metrics.alarm("overrun")
        metrics.upstream_error("u", "timeout")

    shown = samples(metrics)

    assert shown[labelled("tokengate_refused_total", code="insufficient_balance")] == 2
    assert shown[labelled("tokengate_alarms_total", kind="overrun")] == 2
    assert shown[labelled("tokengate_upstream_errors_total", upstream="u", kind="timeout")] == 2


def test_gauges_are_read_when_they_are_shown():
    metrics = Metrics()
    value = 1.0
    state = "open"
    metrics.gauge("tokengate_example", "An example", lambda: value)
    metrics.show_breakers(lambda: [("u", "m", state)])
    samples(metrics)

    value, state = 2.0, "closed"
    metrics.gauge("tokengate_in_flight", "Calls being answered now", lambda: 3)
    shown = samples(metrics)

    assert shown[labelled("tokengate_example")] == 2
    assert shown[labelled("tokengate_in_flight")] == 3
    assert [key for key in shown if key[0] == "tokengate_breaker"] == [
        labelled("tokengate_breaker", upstream="u", model="m", state="closed")
    ]


def test_a_model_s_name_cannot_break_the_format():
    metrics = Metrics()
    metrics.series("chat.completions", 'odd"\n\\name', "u").count(200, 1, None)

    assert labelled(
        "tokengate_requests_total", endpoint="chat.completions", model='odd"\n\\name', upstream="u", status="200"
    ) in samples(metrics)
