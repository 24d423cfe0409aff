"""The report: one table of ratios and the figures behind it, for the terminal, RESULTS.md and results.json."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import msgspec
from rich.console import Console
from rich.table import Table

from bench.profiling import PROFILE_S
from bench.results import LOADS, Figure, Goal, JobTimes, PageTimes, PeerResult, Result, added_ms, figure, goals

FOREIGN_SHARE = (
    0.15  # others used more than this of the gateway's core in some round: the figures are not to be trusted
)

Rows = list[list[str]]


def print_report(console: Console, result: Result) -> None:
    for title, header, rows in tables(result):
        print_table(console, title, header, rows)
    for line in remarks(result):
        console.print(line)


def print_table(console: Console, title: str, header: list[str], rows: Rows) -> None:
    table = Table(title=title, title_justify="left")
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def write(result: Result, folder: Path) -> None:
    """Write RESULTS.md and results.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "RESULTS.md").write_text(markdown(result))
    (folder / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")


def markdown(result: Result) -> str:
    """Return RESULTS.md: written by the run, never by hand."""
    lines = [
        "# Benchmark results",
        "",
        f"Written by `{result.command}` on {result.date}; `bench/README.md` says how each figure is measured.",
        "",
    ]
    for title, header, rows in tables(result):
        lines += [f"## {title}", "", *_markdown_table(header, rows), ""]
    lines += [*(f"- {remark}" for remark in remarks(result)), ""]
    for load, profile in result.profiles.items():
        title = next((known.title for known in LOADS if known.name == load), load)
        lines += [f"## Where TokenGate's time goes: {title}", ""]
        lines += [f"Own time of parts, then of functions; py-spy over {PROFILE_S} s of this load.", ""]
        lines += ["```text", *profile, "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def tables(result: Result) -> list[tuple[str, list[str], Rows]]:
    """Return the report's tables as (title, header, rows of text)."""
    found: list[tuple[str, list[str], Rows]] = [
        ("Goals", ["TokenGate", "measured", "aim", "floor", ""], [_goal_row(goal) for goal in goals(result)]),
        (
            "Requests per second (p50 / p99 in ms)",
            ["", *(load.title for load in LOADS), "added at 1 connection"],
            [_load_row(name, peer, result) for name, peer in result.peers.items()],
        ),
        (
            "Start-up and memory",
            ["", "start-up s", "MB after start", "MB after load", "1,000 slow streams: complete", "chunks/s", "MB"],
            [_memory_row(peer) for name, peer in result.peers.items() if name != "direct"],
        ),
    ]
    if result.pages:
        header = ["ms", "first paint", "load", "heading shown", "again: first paint", "load", "heading shown"]
        found.append(("Pages in Chromium", header, [_page_row(name, times) for name, times in result.pages.items()]))
    if result.jobs:
        found.append(jobs_table(result.jobs))
    return found


def jobs_table(jobs: Mapping[str, JobTimes]) -> tuple[str, list[str], Rows]:
    """Return the table of films as jobs."""
    at_once = max(times.at_once for times in jobs.values())
    header = ["", "alone: p50 ms", "p99 ms", f"jobs/s, {at_once} submitted at once", "processor ms a job"]
    rows = [
        [
            name,
            *map(_number, (times.p50_ms, times.p99_ms, times.per_s)),
            "-" if times.cpu_ms is None else _number(times.cpu_ms),
        ]
        for name, times in jobs.items()
    ]
    return "Films as jobs, of a vendor that makes them at once", header, rows


def remarks(result: Result) -> list[str]:
    """Return what a reader must know beside the tables."""
    lines = [f"{name}: {value}" for name, value in result.machine.items()]
    lines.append("versions: " + ", ".join(f"{p.title} {p.version}" for p in result.peers.values() if p.version))
    lines += [f"{peer.title} was not measured: {peer.failure}" for peer in result.peers.values() if peer.failure]
    ours = result.peers.get("tokengate")
    if ours and ours.flat:
        flat = ours.flat
        lines.append(
            f"TokenGate's memory over {flat.requests:,} requests: {flat.before_mb:.1f} MB before, "
            f"{flat.after_mb:.1f} MB after, {flat.errors} errors"
        )
    if ours and ours.slow:
        slow = ours.slow
        lines.append(
            f"TokenGate's memory with {slow.streams:,} slow streams open: {slow.early_mb:.1f} MB at their beginning, "
            f"{slow.late_mb:.1f} MB near their end"
        )
    if result.ledger:
        lines.append(f"ledger after the run: {result.ledger}")
    disturbed = _most_disturbed(result)
    if disturbed > FOREIGN_SHARE:
        lines.append(
            f"WARNING: other processes used up to {disturbed:.0%} of the gateway's core during a round; "
            "run again on a quiet machine"
        )
    return lines


def _goal_row(goal: Goal) -> list[str]:
    bound = "at most " if goal.at_most else ""
    return [
        goal.title,
        "-" if goal.value is None else f"{_number(goal.value)} {goal.unit}",
        "-" if goal.aim is None else f"{bound}{goal.aim:g} {goal.unit}",
        f"{bound}{goal.floor:g} {goal.unit}",
        goal.verdict,
    ]


def _load_row(name: str, peer: PeerResult, result: Result) -> list[str]:
    added = added_ms(result, name) if name != "direct" else None
    return [
        peer.title,
        *(_load_cell(figure(peer, load.name)) for load in LOADS),
        "-" if added is None else f"{added:.2f} ms",
    ]


def _load_cell(found: Figure | None) -> str:
    if found is None:
        return "-"
    if found.void:
        return f"void: {found.errors} errors"
    return f"{found.per_s:,.0f} ({_number(found.p50_ms)} / {_number(found.p99_ms)})"


def _page_row(name: str, times: PageTimes) -> list[str]:
    return [
        name,
        *(f"{ms:.0f}" for ms in (times.paint_ms, times.load_ms, times.heading_ms)),
        *(f"{ms:.0f}" for ms in (times.again_paint_ms, times.again_load_ms, times.again_heading_ms)),
    ]


def _memory_row(peer: PeerResult) -> list[str]:
    slow = peer.slow
    return [
        peer.title,
        _median_cell(peer.ready_s, 2),
        _median_cell(peer.idle_mb, 0),
        "-" if peer.loaded_mb is None else f"{peer.loaded_mb:.0f}",
        "-" if slow is None else f"{slow.complete:,} of {slow.streams:,}",
        "-" if slow is None else f"{slow.events_per_s:,.0f}",
        "-" if slow is None else f"{slow.late_mb:.0f}",
    ]


def _median_cell(values: Sequence[float], digits: int) -> str:
    return f"{median(values):.{digits}f}" if values else "-"


def _most_disturbed(result: Result) -> float:
    shares = [
        measured.foreign_share
        for name, peer in result.peers.items()
        if name != "direct"
        for rounds in peer.rounds.values()
        for measured in rounds
    ]
    return max(shares, default=0.0)


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _markdown_table(header: list[str], rows: Rows) -> list[str]:
    rule = ["---", *(["---:"] * (len(header) - 1))]
    return ["| " + " | ".join(row) + " |" for row in (header, rule, *rows)]
