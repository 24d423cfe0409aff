"""The money guarantees under any order of events: the real teller and writer on a real SQLite file, against a model
that only adds and subtracts."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from tests.ledger.bank import ORG, Bank
from tests.support import FakeClock, SqliteFiles
from tokengate.core.errors import InsufficientBalance
from tokengate.ledger import store
from tokengate.ledger.rules import State
from tokengate.ledger.store import CannotTakeOut
from tokengate.ledger.teller import HOLD_LIFETIME_MS, Hold
from tokengate.storage.engine import open_database
from tokengate.storage.tables import journal

T = TypeVar("T")
PICK = st.integers(0, 10**6)


class LedgerMachine(RuleBasedStateMachine):
    """`balance` is the model: what each wallet must have, by the events so far. `entries` are the journal as last
    seen, `open` the holds of the running teller, `expired` those that outlived their time."""

    files: SqliteFiles
    folder: Path

    @initialize(first=st.integers(0, 1_000), second=st.integers(0, 1_000))
    def start(self, first: int, second: int) -> None:
        self.loop = asyncio.Runner()
        self.clock = FakeClock()
        database = self.run(open_database(self.run(self.files.create(self.folder)), migrate=False))
        self.bank = self.loop.run(Bank.open(database, self.clock))
        self.balance: dict[str, int] = {}
        self.house_nano = 0
        self.open: list[Hold] = []
        self.expired: list[Hold] = []
        self.entries: dict[str, int] = {}
        for nano in (first, second):
            self.balance[self.run(self.bank.wallet(nano))] = nano

    def teardown(self) -> None:
        if hasattr(self, "bank"):
            # A difference stays, so once is enough. That no wallet is overdrawn is a constraint of the table.
            assert self.run(self.bank.differences()) == []
            self.run(self.bank.close())
            self.run(self.bank.database.close())
            self.loop.close()

    def run(self, todo: Coroutine[Any, Any, T]) -> T:
        """Run it, and what the teller does afterwards by itself: give back what became free, for whoever asked."""

        async def with_what_it_began() -> T:
            before = asyncio.all_tasks()
            result = await todo
            await asyncio.gather(*(asyncio.all_tasks() - before), return_exceptions=True)
            return result

        return self.loop.run(with_what_it_began())

    def wallet(self, pick: int) -> str:
        return list(self.balance)[pick % len(self.balance)]

    def held(self, wallet: str) -> int:
        return sum(hold.nano for hold in self.open if hold.wallet_id == wallet)

    def free(self, wallet: str) -> int:
        return self.balance[wallet] - self.held(wallet)

    @rule(pick=PICK, nano=st.integers(1, 1_000))
    def top_up(self, pick: int, nano: int) -> None:
        wallet = self.wallet(pick)
        self.run(self.bank.top_up(wallet, nano))
        self.balance[wallet] += nano

    @rule(pick=PICK, percent=st.integers(0, 110))
    def hold(self, pick: int, percent: int) -> None:
        wallet = self.wallet(pick)
        free = self.free(wallet)
        nano = free * percent // 100
        try:
            hold = self.run(self.bank.teller.hold(wallet, nano))
        except InsufficientBalance as refused:
            assert nano > free == refused.available_nano
            return
        assert nano <= free
        self.open.append(hold)

    @rule(pick=PICK, held=st.integers(0, 100), cost=st.integers(0, 200))
    def call(self, pick: int, held: int, cost: int) -> None:
        """One call from hold to settlement, with nothing in between."""
        before = len(self.open)
        self.hold(pick, held)
        if len(self.open) > before:
            self.settle(before, cost, grow=True)

    @rule(pick=PICK, nano=st.integers(1, 300), count=st.integers(2, 8))
    def hold_in_parallel_and_release(self, pick: int, nano: int, count: int) -> None:
        wallet = self.wallet(pick)
        free = self.free(wallet)

        async def all_at_once() -> list[Hold | BaseException]:
            asked = [self.bank.teller.hold(wallet, nano) for _ in range(count)]
            return await asyncio.gather(*asked, return_exceptions=True)

        got = [result for result in self.run(all_at_once()) if isinstance(result, Hold)]

        assert len(got) == min(count, free // nano)
        for hold in got:
            self.give_back(hold)

    @precondition(lambda self: self.open)
    @rule(pick=PICK, nano=st.integers(1, 1_000))
    def grow(self, pick: int, nano: int) -> None:
        hold = self.open[pick % len(self.open)]
        before, free = hold.nano, self.free(hold.wallet_id)

        assert self.run(self.bank.teller.grow(hold, nano)) == max(before, min(nano, before + free))

    @precondition(lambda self: self.open)
    @rule(pick=PICK, percent=st.integers(0, 300), grow=st.booleans())
    def settle(self, pick: int, percent: int, grow: bool) -> None:
        """Below, at and above the hold."""
        hold = self.open[pick % len(self.open)]
        cost = hold.nano * percent // 100
        most = self.free(hold.wallet_id) + hold.nano if grow else hold.nano + self.bank.teller.free_nano(hold.wallet_id)
        self.open.remove(hold)
        if grow:
            self.run(self.bank.teller.grow(hold, cost))

        settled = self.run(self.bank.pay(hold, cost))

        assert settled.settled_nano == min(cost, most)
        assert settled.settled_nano <= hold.nano
        assert settled.settled_nano + settled.overrun_nano == cost
        self.balance[hold.wallet_id] -= settled.settled_nano
        self.house_nano += settled.overrun_nano
        self.refuse_to_resolve_again(hold)

    @precondition(lambda self: self.open)
    @rule(pick=PICK, percent=st.integers(0, 300))
    def settle_and_revoke(self, pick: int, percent: int) -> None:
        """The database refused the rows: the wallet has what it had, and the hold is gone."""
        hold = self.open.pop(pick % len(self.open))

        async def settle_and_revoke() -> None:
            settled, _ = self.bank.settle(hold, hold.nano * percent // 100)
            self.bank.teller.revoke(hold, settled.settled_nano)

        self.run(settle_and_revoke())

        self.refuse_to_resolve_again(hold)

    @precondition(lambda self: self.expired)
    @rule(cost=st.integers(0, 1_000))
    def settle_too_late(self, cost: int) -> None:
        settled = self.run(self.bank.pay(self.expired.pop(), cost))

        assert (settled.settled_nano, settled.overrun_nano) == (0, cost)
        self.house_nano += cost

    @precondition(lambda self: self.open)
    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        hold = self.open.pop(pick % len(self.open))

        self.give_back(hold)

        self.refuse_to_resolve_again(hold)

    def give_back(self, hold: Hold) -> None:
        async def release() -> None:
            self.bank.teller.release(hold)

        self.run(release())

    def refuse_to_resolve_again(self, hold: Hold) -> None:
        with pytest.raises(AssertionError, match="resolves once"):
            self.bank.teller.settle(hold, 1, call_id="req_again", now_ms=0)

    @precondition(lambda self: len(self.open) > 1)
    @rule(pick=PICK, how=st.sampled_from(["crash", "crash before the commit", "restart", "time passes"]))
    def end_of_all_holds(self, pick: int, how: str) -> None:
        """Whatever becomes of the process, what was held is free again, and nobody has paid for it."""
        match how:
            case "crash":
                self.loop.run(self.bank.crash())
            case "crash before the commit":
                hold = self.open[pick % len(self.open)]
                self.bank.settle(hold, hold.nano)
                self.loop.run(self.bank.crash())
            case "restart":
                self.run(self.bank.teller.close())
                self.loop.run(self.bank.teller.open())
            case _:
                self.clock.advance(HOLD_LIFETIME_MS / 1000 + 1)
                self.run(self.bank.teller.beat())
                assert all(hold.state is State.EXPIRED for hold in self.open)
                self.expired += self.open
        self.open.clear()

    @rule(pick=PICK, percent=st.integers(-110, 30).filter(bool))
    def correct(self, pick: int, percent: int) -> None:
        """What no call holds can be taken out, although this teller has leased it."""
        wallet = self.wallet(pick)
        free = self.free(wallet)
        nano = free * percent // 100
        if not nano:
            return
        tries = 3 if -nano > free else 500  # the teller's answer may be late, but comes
        try:
            self.run(self.correct_while_the_teller_answers(wallet, nano, tries))
        except CannotTakeOut:
            assert -nano > free
            return
        assert -nano <= free
        self.balance[wallet] += nano

    async def correct_while_the_teller_answers(self, wallet: str, nano: int, tries: int) -> None:
        async def answer() -> None:
            while True:
                await self.bank.teller.refresh()
                await asyncio.sleep(0)

        answering = asyncio.create_task(answer())
        try:
            await store.correct(self.bank.database, ORG, wallet, nano, "", 0, tries=tries, pause_ms=20)
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    @rule(pick=PICK)
    def recall_and_forget(self, pick: int) -> None:
        """Somebody asks everything back and dies: what is not held returns, and can be leased again later."""
        wallet = self.wallet(pick)

        async def ask(nano: int) -> None:
            async with self.bank.database.tx() as tx:
                await tx.execute(store.wallets.update().where(store.wallets.c.id == wallet).values(recall_nano=nano))
            await self.bank.teller.refresh()

        self.run(ask(10**9))
        assert self.run(self.bank.leased()).get(wallet, 0) == self.held(wallet)
        self.run(ask(0))

    @invariant()
    def every_balance_is_what_the_events_say(self) -> None:
        for wallet, nano in self.balance.items():
            row = self.run(self.bank.row(wallet))
            assert row.balance_nano == nano
            assert self.held(wallet) <= row.leased_nano <= row.balance_nano

    @invariant()
    def the_teller_holds_no_more_than_it_leased_and_knows_the_balance(self) -> None:
        leased = self.run(self.bank.leased())
        for wallet, nano in leased.items():
            assert 0 <= self.bank.teller.free_nano(wallet) == nano - self.held(wallet)
            after_holds = self.bank.teller.balance_nano(wallet, after_holds=True)
            assert after_holds == self.bank.teller.balance_nano(wallet) - self.held(wallet)

    @invariant()
    def journal_entries_stay_and_sum_to_zero(self) -> None:
        async def look() -> dict[str, tuple[str, str, int]]:
            async with self.bank.database.read() as read:
                columns = (journal.c.id, journal.c.debit, journal.c.credit, journal.c.amount_nano)
                rows = await read.execute(select(*columns))
                return {entry: (debit, credit, nano) for entry, debit, credit, nano in rows}

        entries = self.run(look())
        assert self.entries.items() <= {entry: nano for entry, (_, _, nano) in entries.items()}.items()
        self.entries = {entry: nano for entry, (_, _, nano) in entries.items()}
        accounts: dict[str, int] = {}
        for debit, credit, nano in entries.values():
            accounts[debit] = accounts.get(debit, 0) - nano
            accounts[credit] = accounts.get(credit, 0) + nano
        assert sum(accounts.values()) == 0
        assert accounts.get("house:overrun", 0) == -self.house_nano
        for wallet, balance in self.balance.items():
            assert accounts.get(f"wallet:{wallet}", 0) == balance


def test_money_guarantees_hold_under_any_order_of_events(sqlite_files: SqliteFiles, tmp_path: Path) -> None:
    LedgerMachine.files, LedgerMachine.folder = sqlite_files, tmp_path
    # Without shrinking: each step of it would be a database again, and the failing steps are printed anyway.
    phases = (Phase.explicit, Phase.generate)
    few = settings(settings.get_profile("ci"), max_examples=12, stateful_step_count=40, phases=phases)
    run_state_machine_as_test(LedgerMachine, settings=few)
