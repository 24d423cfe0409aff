import pytest

from bench.profiling import summarise
from bench.report import markdown, tables
from bench.results import (
    FlatMemory,
    Goal,
    JobTimes,
    Measured,
    PageTimes,
    PeerResult,
    Result,
    SlowStreams,
    added_ms,
    figure,
    goals,
)
from bench.soak import WARM_CYCLES, Cycle, judge


def rounds(*per_s: float, p50_ms: float = 1.0, errors: int = 0, foreign: float = 0.0) -> list[Measured]:
    return [Measured(rate, p50_ms, 2 * p50_ms, errors, foreign) for rate in per_s]


def result_of(**peers: PeerResult) -> Result:
    return Result("2026-11-21", "python -m bench", {"processor": "a processor"}, peers)


def goal_of(result: Result, words: str) -> Goal:
    return next(goal for goal in goals(result) if words in goal.title)


def test_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    result = result_of(
        tensorzero=PeerResult("TensorZero", rounds={"chat-32": rounds(5000, 1000, 50)}),
        tokengate=PeerResult("TokenGate", rounds={"chat-32": rounds(9000, 1500, 100)}),
    )

    goal = goal_of(result, "short chat, 32 connections: requests/s of TensorZero's")

    assert goal.value == pytest.approx(1.8)
    assert goal.verdict == "aim met"


def test_a_figure_with_any_failed_call_is_void() -> None:
    result = result_of(
        tensorzero=PeerResult("TensorZero", rounds={"chat-32": rounds(5000)}),
        tokengate=PeerResult("TokenGate", rounds={"chat-32": rounds(9000) + rounds(9000, errors=1)}),
    )

    found = figure(result.peers["tokengate"], "chat-32")

    assert found is not None and found.void
    assert goal_of(result, "short chat, 32 connections: requests/s of TensorZero's").verdict == "not measured"
    assert "void: 1 errors" in markdown(result)


@pytest.mark.parametrize(
    ("value", "at_most", "verdict"),
    [
        (1.5, False, "aim met"),
        (1.49, False, "floor met"),
        (0.99, False, "UNDER THE FLOOR"),
        (None, False, "not measured"),
    ],
)
def test_verdict_of_what_should_be_high(value: float | None, at_most: bool, verdict: str) -> None:
    assert Goal("ratio", "x", value, 1.5, 1.0, at_most).verdict == verdict


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.7, "aim met"), (0.71, "floor met"), (1.0, "floor met"), (1.01, "UNDER THE FLOOR")]
)
def test_verdict_of_what_should_be_low(value: float, verdict: str) -> None:
    assert Goal("added", "ms", value, 0.7, 1.0, at_most=True).verdict == verdict


def test_added_latency_is_taken_round_by_round() -> None:
    result = result_of(
        direct=PeerResult("direct", rounds={"chat-1": rounds(1, p50_ms=0.1) + rounds(1, p50_ms=0.9)}),
        tokengate=PeerResult("TokenGate", rounds={"chat-1": rounds(1, p50_ms=0.5) + rounds(1, p50_ms=1.3)}),
    )

    assert added_ms(result, "tokengate") == pytest.approx(0.4)


def test_slow_streams_that_were_cut_leave_the_memory_goal_unmeasured() -> None:
    cut = SlowStreams(1000, 999, 10.0, 20_000.0, 80.0, 100.0, 101.0)
    whole = SlowStreams(1000, 1000, 10.0, 20_000.0, 80.0, 100.0, 101.0)

    assert goal_of(result_of(tokengate=PeerResult("", slow=cut)), "slow streams").verdict == "not measured"
    assert goal_of(result_of(tokengate=PeerResult("", slow=whole)), "slow streams").value == pytest.approx(1.0)


def test_memory_that_grows_over_many_requests_is_under_the_floor() -> None:
    grown = PeerResult("TokenGate", flat=FlatMemory(200_000, 0, 100.0, 111.0))

    assert goal_of(result_of(tokengate=grown), "200,000 requests").verdict == "UNDER THE FLOOR"


def test_every_table_row_has_a_cell_per_column() -> None:
    result = result_of(direct=PeerResult("direct"), nginx=PeerResult("nginx"), tokengate=PeerResult("TokenGate"))

    for _, header, rows in tables(result):
        assert all(len(row) == len(header) for row in rows)


def test_report_names_peers_not_measured_and_a_disturbed_machine() -> None:
    result = result_of(
        litellm=PeerResult("LiteLLM", failure="no network"),
        nginx=PeerResult("nginx", rounds={"chat-1": rounds(5, foreign=0.4)}),
    )

    text = markdown(result)

    assert "LiteLLM was not measured: no network" in text
    assert "WARNING: other processes used up to 40%" in text


def test_profile_sums_own_time_by_part_and_function() -> None:
    folded = "\n".join(
        [
            "main (/x/src/tokengate/app.py:3);send (/x/src/tokengate/gateway/lane.py:10) 6",
            "main (/x/src/tokengate/app.py:3);send (/x/src/tokengate/gateway/lane.py:12) 2",
            "send (/x/src/tokengate/gateway/lane.py:12);0x7f00 (/x/site-packages/aiohttp/_http_parser.so) 1",
            "run (/x/threading.py:1);PyThread_acquire_lock_timed (libpython3.11.so.1.0) 50",
            "send (/x/src/tokengate/gateway/lane.py:12);read (/usr/lib/python3.11/asyncio/streams.py:5) 1",
        ]
    )

    lines = summarise(folded)

    assert lines[0] == " 80.0%  tokengate/gateway"
    assert " 10.0%  aiohttp" in lines
    assert " 10.0%  python asyncio" in lines
    assert " 90.0%  send (tokengate/gateway/lane.py)" in lines


def cycles(*resident_mb: float, errors: int = 0) -> list[Cycle]:
    return [Cycle(15.0, 1000, 300, errors, mb) for mb in resident_mb]


def test_soak_passes_when_memory_settles_after_the_first_cycles() -> None:
    assert judge(cycles(*[60.0] * WARM_CYCLES, *[100.0] * 20)) == []


def test_soak_fails_on_growth_and_on_failed_calls() -> None:
    growing = cycles(*(100.0 + 2 * cycle for cycle in range(40)))

    assert any("memory grew" in complaint for complaint in judge(growing))
    assert judge(cycles(100.0, 100.0, errors=1)) == ["2 calls failed"]


def test_page_times_have_a_table_when_they_were_measured() -> None:
    result = result_of(tokengate=PeerResult("TokenGate"))
    assert "Pages in Chromium" not in markdown(result)

    result.pages["home"] = PageTimes(120.4, 200, 210, 60, 80, 90)

    assert "| home | 120 | 200 | 210 | 60 | 80 | 90 |" in markdown(result)


def test_jobs_have_a_table_of_their_own() -> None:
    result = result_of()
    assert "Films as jobs" not in markdown(result)

    result.jobs = {
        "direct (no gateway)": JobTimes(50, 2.5, 4.0, 900, 32),
        "TokenGate, SQLite": JobTimes(50, 420.0, 610.0, 61, 32, 9.5),
    }

    text = markdown(result)
    assert "| | alone: p50 ms | p99 ms | jobs/s, 32 submitted at once | processor ms a job |" in text.replace(
        "|  |", "| |"
    )
    assert "| TokenGate, SQLite | 420 | 610 | 61.0 | 9.50 |" in text
