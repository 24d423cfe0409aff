import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.gateway.parts import MemorySink, call
from tests.support import FakeClock
from tokengate.gateway.call import Call
from tokengate.gateway.watch import Watch
from tokengate.ledger import rules
from tokengate.storage.tables import open_calls
from tokengate.storage.writer import Delete, Insert, Row, Writer


class Rows(Writer):
    """Keeps what was written behind."""

    def __init__(self) -> None:
        self.later_rows: list[Row] = []

    def later(self, rows: Sequence[Row]) -> None:
        self.later_rows += rows


class Watched:
    """A watch with calls in it, looked at by hand."""

    def __init__(self, clock: FakeClock, tasks: asyncio.TaskGroup) -> None:
        self.rows = Rows()
        self.watch = Watch(self.rows, clock, teller_id=lambda: "tel_1")
        self._tasks = tasks

    async def begin(
        self, work: Coroutine[Any, Any, object], *, on_abort: str = "cancel", call_id: str = "req_1"
    ) -> tuple[Call, MemorySink]:
        """Start a call whose task does this work."""
        caller = MemorySink()
        one = call(call_id=call_id, sink=caller)
        one.on_abort = on_abort

        async def run() -> None:
            one.task = asyncio.current_task()
            self.watch.enter(one)
            try:
                await work
            except asyncio.CancelledError:
                one.attempts.clear()
            finally:
                self.watch.leave(one)

        self._tasks.create_task(run())
        await asyncio.sleep(0)
        return one, caller

    async def look(self) -> None:
        self.watch.look()
        for _ in range(4):
            await asyncio.sleep(0)


@asynccontextmanager
async def watched(clock: FakeClock) -> AsyncGenerator[Watched]:
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(60):
        yield Watched(clock, tasks)


async def test_a_caller_who_left_ends_the_call(clock: FakeClock):
    async with watched(clock) as calls:
        one, caller = await calls.begin(asyncio.Event().wait())
        await calls.look()
        assert len(calls.watch) == 1

        caller.leave()
        await calls.watch.idle()

    assert one.client_gone and not one.draining


async def test_a_caller_who_left_before_the_first_look_is_noticed_too(clock: FakeClock):
    async with watched(clock) as calls:
        _, caller = await calls.begin(asyncio.Event().wait())
        caller.leave()
        await calls.look()

        await calls.watch.idle()


async def test_a_drained_call_goes_on_and_is_counted(clock: FakeClock):
    async with watched(clock) as calls:
        ending = asyncio.Event()
        one, caller = await calls.begin(ending.wait(), on_abort="drain")
        await calls.look()
        caller.leave()
        await calls.look()

        assert (one.client_gone, one.draining, calls.watch.drains) == (True, True, 1)
        ending.set()
        await calls.watch.idle()

    assert calls.watch.drains == 0


async def test_only_so_many_calls_are_drained_at_once(clock: FakeClock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tokengate.gateway.watch._MAX_DRAINS", 1)
    async with watched(clock) as calls:
        ending = asyncio.Event()
        first, second = [
            await calls.begin(ending.wait(), on_abort="drain", call_id=f"req_{number}") for number in range(2)
        ]
        await calls.look()
        for _, caller in (first, second):
            caller.leave()
        await calls.look()

        assert (first[0].draining, second[0].draining) == (True, False)
        assert len(calls.watch) == 1
        ending.set()


async def test_a_call_whose_bill_is_on_its_way_is_never_cancelled(clock: FakeClock):
    async with watched(clock) as calls:
        settled = asyncio.Event()
        one, caller = await calls.begin(settled.wait())
        one.settling = True
        await calls.look()
        caller.leave()
        await calls.look()
        ending = asyncio.ensure_future(calls.watch.end_all())
        await calls.look()

        assert one.client_gone
        assert one.task is not None and not one.task.cancelling()
        settled.set()
        await ending


async def test_end_all_ends_every_call(clock: FakeClock):
    async with watched(clock) as calls:
        for number in range(3):
            await calls.begin(asyncio.Event().wait(), call_id=f"req_{number}")

        await calls.watch.end_all()

        assert len(calls.watch) == 0


async def test_a_call_that_takes_long_is_noted_for_the_operator_and_taken_off_again(clock: FakeClock):
    async with watched(clock) as calls:
        ending = asyncio.Event()
        one, _ = await calls.begin(ending.wait())
        one.started_s, one.hold = clock.monotonic_s(), held(5)
        await calls.look()
        assert calls.rows.later_rows == []

        clock.advance(1.1)
        await calls.look()
        await calls.look()
        (noted,) = calls.rows.later_rows
        ending.set()
        await calls.watch.idle()

    assert isinstance(noted, Insert) and noted.table is open_calls
    assert noted.row == ("req_1", "tel_1", "key_1", "wal_1", "m", "", 5, 0)
    assert calls.rows.later_rows[1] == Delete(open_calls, ("req_1",))


async def test_calls_that_hold_money_of_a_wallet_are_told_until_they_settle(clock: FakeClock):
    async with watched(clock) as calls:
        ending = asyncio.Event()
        one, _ = await calls.begin(ending.wait())
        await calls.begin(ending.wait(), call_id="req_2")
        one.hold = held(5)

        assert calls.watch.of_wallet("wal_1") == [one]
        assert calls.watch.of_wallet("wal_2") == []
        rules.settle(one.hold, 3)
        assert calls.watch.of_wallet("wal_1") == []
        ending.set()


def held(nano: int) -> rules.Hold:
    lease = rules.Lease("wal_1")
    lease.lend(nano)
    hold = rules.take(lease, nano, 0)
    assert hold is not None
    return hold
