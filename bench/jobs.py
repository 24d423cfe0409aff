"""Films as jobs, of a vendor that makes them at once: what the gateway adds from submission to settlement, and how many
jobs a second it sees through, on SQLite and on PostgreSQL, beside a client that asks the vendor itself.

    python -m bench.jobs
    python -m bench.jobs --jobs 1000 --at-once 64 --profile
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from statistics import quantiles
from typing import Any

import aiohttp
import msgspec
from rich.console import Console

from bench.films import MODEL, SECONDS
from bench.machine import ROOT, BenchError, Server, two_cores
from bench.peers import FILMS_PORT, JOBS_PORT, start_films, start_for_films, verify_ledger
from bench.profiling import profile_of
from bench.report import jobs_table, print_table, write
from bench.results import JobTimes, Result
from tests.support import PostgresqlServer

LOOK_EVERY_S = 0.005
TIMEOUT_S = 300.0
_WARM = 5
_ENDED = ("succeeded", "failed", "cancelled", "expired")

Say = Callable[[str], None]
Film = Callable[[], Awaitable[None]]  # from its submission to its last byte


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.jobs", description=__doc__)
    parser.add_argument("--alone", type=int, default=50, help="jobs one after the other")
    parser.add_argument("--jobs", type=int, default=400, help="jobs for the rate")
    parser.add_argument("--at-once", type=int, default=32, help="submissions at once")
    parser.add_argument("--profile", action="store_true", help="where the gateway's time goes, on SQLite")
    parser.add_argument("--keep", action="store_true", help="put the figures into RESULTS.md, beside what is there")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    try:
        cores = two_cores()
        os.sched_setaffinity(0, {cores[1]})
        found, profiled = measure_jobs(
            cores, options.alone, options.jobs, options.at_once, console.print, with_profile=options.profile
        )
    except BenchError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    print_table(console, *jobs_table(found))
    if options.keep:
        result = msgspec.json.decode((ROOT / "bench" / "results.json").read_bytes(), type=Result)
        result.jobs = found
        if profiled:
            result.profiles["jobs"] = profiled
        write(result, ROOT / "bench")
    console.print("\n".join(profiled), markup=False)
    return 0


def measure_jobs(
    cores: tuple[int, int], alone: int, jobs: int, at_once: int, say: Say, *, with_profile: bool = False
) -> tuple[dict[str, JobTimes], list[str]]:
    """Return the figures of the vendor itself, and of the gateway on both databases, and a profile if it is wished.
    Raises BenchError."""
    found: dict[str, JobTimes] = {}
    profiled: list[str] = []
    with ExitStack() as stack:
        stack.callback(start_films(cores[1]).stop)
        found["direct (no gateway)"] = asyncio.run(_direct(alone, jobs, at_once))
        postgresql = PostgresqlServer()
        stack.callback(lambda: asyncio.run(postgresql.close()))
        for title, url in (("TokenGate, SQLite", ""), ("TokenGate, PostgreSQL", asyncio.run(postgresql.create()))):
            server, key = start_for_films(cores[0], url)
            try:
                found[title] = asyncio.run(_through(server, key, alone, jobs, at_once))
                say(f"{title}: {found[title].per_s:.0f} jobs/s")
                if with_profile and not url:
                    profiled = _profiled(server, key, cores[1], at_once)
            finally:
                server.stop()
            verify_ledger("films")
    return found, profiled


def _profiled(server: Server, key: str, core: int, at_once: int) -> list[str]:
    async def load(until_s: float) -> None:
        async with aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as session:
            gateway = _Gateway(session)
            while time.monotonic() < until_s:
                await _spread(gateway.submit, 100, at_once)
                await gateway.all_settled()

    return profile_of(server, "jobs", core, lambda seconds: asyncio.run(load(time.monotonic() + seconds)))


async def _direct(alone: int, jobs: int, at_once: int) -> JobTimes:
    async with aiohttp.ClientSession() as session:

        async def film() -> None:
            base = f"http://127.0.0.1:{FILMS_PORT}/v1/videos"
            made = await _json(session.post(base, json=_asked()))
            assert (await _json(session.get(f"{base}/{made['id']}")))["status"] == "completed"
            async with session.get(f"{base}/{made['id']}/content") as answer:
                await answer.read()

        times_ms = await _one_by_one(film, alone)
        began_s = time.perf_counter()
        await _spread(film, jobs, at_once)
        return _times(times_ms, jobs / (time.perf_counter() - began_s), at_once)


async def _through(server: Server, key: str, alone: int, jobs: int, at_once: int) -> JobTimes:
    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as session:
        gateway = _Gateway(session)
        times_ms = await _one_by_one(gateway.film, alone)
        before_s = server.cpu_s()
        began_s = time.perf_counter()
        await _spread(gateway.submit, jobs, at_once)
        await gateway.all_settled()
        per_s = jobs / (time.perf_counter() - began_s)
        cpu_ms = (server.cpu_s() - before_s) * 1000 / jobs
        await gateway.require_succeeded(_WARM + alone + jobs)
        return _times(times_ms, per_s, at_once, cpu_ms)


class _Gateway:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._base = f"http://127.0.0.1:{JOBS_PORT}/v1"

    async def submit(self) -> str:
        return str((await _json(self._session.post(f"{self._base}/videos", json=_asked())))["id"])

    async def film(self) -> None:
        """Submit one and look until it is settled."""
        id = await self.submit()
        async with asyncio.timeout(TIMEOUT_S):
            while (status := (await _json(self._session.get(f"{self._base}/videos/{id}")))["status"]) != "completed":
                if status == "failed":
                    raise BenchError("a film failed; see bench/.run/logs/films-gateway.log")
                await asyncio.sleep(LOOK_EVERY_S)

    async def all_settled(self) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while (await _json(self._session.get(f"{self._base}/jobs?state=queued&state=running&limit=1")))["data"]:
                await asyncio.sleep(LOOK_EVERY_S)

    async def require_succeeded(self, jobs: int) -> None:
        """Raise BenchError unless so many have, and none ended otherwise."""
        counts = dict.fromkeys(_ENDED, 0)
        after = ""
        while True:
            page = await _json(self._session.get(f"{self._base}/jobs?limit=100{after}"))
            for job in page["data"]:
                counts[job["state"]] += 1
            if not page["has_more"]:
                break
            after = f"&after={page['data'][-1]['id']}"
        if counts != {**dict.fromkeys(_ENDED, 0), "succeeded": jobs}:
            raise BenchError(f"of {jobs} jobs: {counts}")


def _asked() -> dict[str, str]:
    return {"model": MODEL, "prompt": "a cat on a bicycle", "seconds": SECONDS, "size": "720x1280"}


async def _one_by_one(film: Film, jobs: int) -> list[float]:
    for _ in range(_WARM):
        await film()
    times_ms: list[float] = []
    for _ in range(jobs):
        began_s = time.perf_counter()
        await film()
        times_ms.append((time.perf_counter() - began_s) * 1000)
    return times_ms


async def _spread(film: Callable[[], Awaitable[object]], jobs: int, at_once: int) -> None:
    left = iter(range(jobs))

    async def take() -> None:
        for _ in left:
            await film()

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(take())


def _times(times_ms: list[float], per_s: float, at_once: int, cpu_ms: float | None = None) -> JobTimes:
    cuts = quantiles(times_ms, n=100)
    return JobTimes(len(times_ms), cuts[49], cuts[98], per_s, at_once, cpu_ms)


async def _json(asked: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> dict[str, Any]:
    async with asked as answer:
        if answer.status != 200:
            raise BenchError(f"{answer.status}: {(await answer.text())[:500]}")
        return await answer.json()


def _stop(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
