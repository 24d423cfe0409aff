"""Holds and settles in memory, against money leased from the database: no round trip stands in front of a call.

A teller answers for its leases only. Rows of a settlement are returned, and whoever asked commits them together with
the rest of the call.
"""

import asyncio
import logging

from msgspec import Struct

from tokengate.core.clock import Clock, day_of, now_ms, sleep_ms
from tokengate.core.errors import InsufficientBalance, NotFound, Unavailable
from tokengate.core.ids import NewId, day_of_id
from tokengate.ledger import rules, store
from tokengate.ledger.rules import Hold, Lease
from tokengate.ledger.sweep import sweep
from tokengate.storage.engine import Database, is_away
from tokengate.storage.tables import journal, leases, wallets
from tokengate.storage.writer import Add, Insert, Row, Writer

__all__ = ["Hold", "Settlement", "Teller"]

HOLD_LIFETIME_MS = 6 * 3_600_000  # far beyond every call's deadline: what is older was forgotten
RECALL_LIFETIME_MS = 15_000  # whoever asks money back gives up earlier, so an older recall was forgotten
_BEAT_MS = 5_000
_RETRY_S = 2  # what a caller is told to wait for while the database is away
_WALLETS_PER_QUERY = 500

_log = logging.getLogger(__name__)


class Settlement(Struct, frozen=True):
    """What a settled hold came to, and the rows that make it durable."""

    settled_nano: int
    overrun_nano: int  # what the house bears
    rows: list[Row]


class Teller:
    """The one teller of a process. `id` changes only when the database took this teller for dead."""

    def __init__(self, database: Database, writer: Writer, clock: Clock, *, new_id: NewId) -> None:
        self._database = database
        self._writer = writer
        self._clock = clock
        self._new_id = new_id
        self._leases: dict[str, Lease] = {}
        self._open: dict[Hold, None] = {}  # in the order of opening
        self._requests: dict[str, asyncio.Task[None]] = {}  # by wallet, at most one at a time
        self._recalls: dict[str, tuple[int, int]] = {}  # by wallet: how much is asked back, seen first when
        self._beating: asyncio.Task[None] | None = None
        self._now_ms = 0  # as of the last beat; exact enough for the age of a hold
        self.id = ""

    async def open(self) -> None:
        """Register, after taking back what dead tellers had leased. Raises DatabaseInUse when another process
        serves this database."""
        await self._database.lock_for_serving()
        await self._register()
        dead = await sweep(self._database, mine=self.id, now_ms=self._now_ms, alone=True)
        if dead:
            _log.warning("took back the leases of %d tellers that had died", len(dead))
        self._beating = asyncio.create_task(self._beat_forever(), name="teller")

    async def close(self) -> None:
        """Return every lease, once what was settled is durable. Holds that are still open expire."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, *self._requests.values(), return_exceptions=True)
            self._beating = None
        self._expire_all()
        self._leases.clear()
        await self._writer.commit(())
        async with self._database.tx() as tx:
            await store.return_leases(tx, [self.id])

    def try_hold(self, wallet_id: str, nano: int) -> Hold | None:
        """Hold from the lease; None when the lease is too small, and `hold` may know more."""
        lease = self._leases.get(wallet_id)
        if lease is None:
            return None
        hold = rules.take(lease, nano, self._now_ms)
        if hold is not None:
            self._open[hold] = None
        return hold

    async def hold(self, wallet_id: str, nano: int) -> Hold:
        """Hold, leasing more when that is needed. Raises InsufficientBalance, or NotFound."""
        hold = self.try_hold(wallet_id, nano)
        if hold is None:
            await self._lease_more(wallet_id, enough_nano=nano)
            hold = self.try_hold(wallet_id, nano)
        if hold is None:
            raise InsufficientBalance(needed_nano=nano, available_nano=self.free_nano(wallet_id))
        return hold

    async def grow(self, hold: Hold, nano: int) -> int:
        """Let the hold grow towards this size as far as the wallet can pay, and return its size."""
        if rules.grow(hold, nano) < nano and hold.state is rules.State.HELD:
            await self._lease_more(hold.wallet_id, enough_nano=nano - hold.nano)
            rules.grow(hold, nano)
        return hold.nano

    def settle(self, hold: Hold, cost_nano: int, *, call_id: str, now_ms: int) -> Settlement:
        """Resolve the hold at this cost, which may first take what the lease has free; the house bears the rest."""
        self._open.pop(hold, None)
        settled_nano, overrun_nano = rules.settle(hold, cost_nano)
        wallet_id = hold.lease.wallet_id
        rows: list[Row] = []
        if settled_nano:
            account = f"wallet:{wallet_id}"
            rows = [
                _entry("settle", wallet_id, account, settled_nano, call_id, now_ms),
                Add(wallets, (wallet_id,), (-settled_nano, -settled_nano)),
                Add(leases, (self.id, wallet_id), (-settled_nano,)),
            ]
        if overrun_nano:
            rows.append(_entry("overrun", wallet_id, "house:overrun", overrun_nano, call_id, now_ms))
        return Settlement(settled_nano, overrun_nano, rows)

    def revoke(self, hold: Hold, settled_nano: int) -> None:
        """Undo a settlement whose rows the writer has refused, all of them."""
        rules.revoke(hold, settled_nano)

    def release(self, hold: Hold) -> None:
        """Resolve the hold at no cost."""
        self._open.pop(hold, None)
        rules.release(hold)

    def free_nano(self, wallet_id: str) -> int:
        """Return what a new hold could take from the lease now."""
        lease = self._leases.get(wallet_id)
        return lease.free_nano if lease is not None else 0

    def held_nano(self, wallet_id: str) -> int:
        """Return what is held of the wallet now."""
        lease = self._leases.get(wallet_id)
        return lease.held_nano if lease is not None else 0

    def balance_nano(self, wallet_id: str, *, after_holds: bool = False) -> int:
        """Return the wallet's balance as far as this process knows; zero for one that it has not met."""
        lease = self._leases.get(wallet_id)
        if lease is None:
            return 0
        return lease.balance_nano - (lease.held_nano if after_holds else 0)

    async def refresh(self, wallet_id: str | None = None) -> None:
        """Look at a wallet, or at all known ones, again: lease what was topped up, give back what is asked for.
        Raises NotFound for a wallet that does not exist."""
        if wallet_id is not None:
            await self._lease_more(wallet_id)
            return
        known = list(self._leases)
        for start in range(0, len(known), _WALLETS_PER_QUERY):
            async with self._database.read() as read:
                found = await store.leased_wallets(read, self.id, known[start : start + _WALLETS_PER_QUERY])
            changed = [state.wallet.id for state in found if self._is_news(state)]
            await asyncio.gather(*map(self._lease_more, changed))

    async def beat(self) -> None:
        """Say that this teller lives, and put away what was forgotten: old holds, dead tellers, stale recalls."""
        self._now_ms = now_ms(self._clock)
        for hold in self._holds_before(self._now_ms - HOLD_LIFETIME_MS):
            _log.error("a hold of wallet %s expired", hold.wallet_id)
            self._expire(hold)
        async with self._database.tx() as tx:
            alive = await store.heartbeat(tx, self.id, self._now_ms)
            recalls = await store.list_recalls(tx)
            for wallet_id in self._stale(recalls):
                await store.drop_recall(tx, wallet_id)
        if not alive:
            _log.error("this teller was taken for dead: its holds expire, and it begins anew")
            self._expire_all()
            self._leases.clear()
            await self._register()
        await sweep(self._database, mine=self.id, now_ms=self._now_ms, alone=False)

    async def _beat_forever(self) -> None:
        while True:
            await sleep_ms(_BEAT_MS)
            try:
                await self.beat()
            except Exception:  # the database is away: the next beat tries again
                _log.exception("a teller's heartbeat failed")

    async def _register(self) -> None:
        self._now_ms = now_ms(self._clock)
        self.id = self._new_id("tel", self._clock.now_s())
        async with self._database.tx() as tx:
            await store.register_teller(tx, self.id, self._now_ms)

    async def _lease_more(self, wallet_id: str, *, enough_nano: int | None = None) -> None:
        """Return after a request that began after this call, or when another one made enough free.

        Waiting callers share one request. It is a task of the teller's own, because a caller that gives up must not
        leave it half done.
        """
        running = self._requests.get(wallet_id)
        if running is not None:
            await asyncio.shield(running)
            if enough_nano is not None and self.free_nano(wallet_id) >= enough_nano:
                return
            running = self._requests.get(wallet_id)
        if running is None:
            running = self._requests[wallet_id] = asyncio.create_task(self._request(wallet_id))
        await asyncio.shield(running)

    async def _request(self, wallet_id: str) -> None:
        """Lease what is free, or give back what is asked for, and learn the balance."""
        try:
            teller_id = self.id
            async with self._database.read() as read:
                found = await store.leased_wallets(read, teller_id, [wallet_id])
            if not found:
                raise NotFound(f"There is no wallet {wallet_id}.")
            (state,) = found
            lease = self._leases.setdefault(wallet_id, Lease(wallet_id))
            wallet = state.wallet
            back_nano = rules.give_back_size(lease.free_nano, wallet.free_nano, wallet.recall_nano)
            if rules.lease_size(wallet.free_nano, wallet.recall_nano):
                async with self._database.tx() as tx:
                    state = await store.lease(tx, teller_id, wallet_id)
                lease.lend(state.lent_nano)
            elif back_nano:
                lease.give_back(back_nano)
                async with self._database.tx() as tx:
                    state = await store.give_back(tx, teller_id, wallet_id, back_nano)
            lease.balance_nano = _balance(lease, state)
        except Exception as failure:
            if not is_away(failure):
                raise
            _log.error("the ledger does not answer: %s", failure)
            raise Unavailable(
                "The ledger does not answer. Try again later.", retry_after_s=_RETRY_S, code="ledger_unavailable"
            ) from failure
        finally:
            del self._requests[wallet_id]

    def _is_news(self, state: store.Leased) -> bool:
        lease, wallet = self._leases.get(state.wallet.id), state.wallet
        return lease is not None and (
            wallet.free_nano > 0 or wallet.recall_nano > 0 or lease.balance_nano != _balance(lease, state)
        )

    def _holds_before(self, opened_ms: int) -> list[Hold]:
        old: list[Hold] = []
        for hold in self._open:
            if hold.opened_ms >= opened_ms:
                break
            old.append(hold)
        return old

    def _expire_all(self) -> None:
        for hold in list(self._open):
            self._expire(hold)

    def _expire(self, hold: Hold) -> None:
        del self._open[hold]
        rules.expire(hold)

    def _stale(self, recalls: dict[str, int]) -> list[str]:
        """Return the wallets whose recall has stood unchanged for too long."""
        before, self._recalls = self._recalls, {}
        for wallet_id, nano in recalls.items():
            seen = before.get(wallet_id)
            self._recalls[wallet_id] = seen if seen is not None and seen[0] == nano else (nano, self._now_ms)
        oldest_ms = self._now_ms - RECALL_LIFETIME_MS
        return [wallet_id for wallet_id, (_, since_ms) in self._recalls.items() if since_ms < oldest_ms]


def _balance(lease: Lease, state: store.Leased) -> int:
    """Return the balance less what is settled and not yet committed: by that the lease in memory is the smaller."""
    return state.wallet.balance_nano - (state.lease_nano - lease.leased_nano)


def _entry(kind: str, wallet_id: str, debit: str, nano: int, call_id: str, now_ms: int) -> Insert:
    """Return a call's entry. Its key is made of the call's, so that no call can be entered twice."""
    entry_id = f"jnl_{call_id.rpartition('_')[2]}" + ("" if kind == "settle" else f"_{kind}")
    day = day_of_id(call_id) or day_of(now_ms // 1000)
    return Insert(journal, (day, entry_id, kind, wallet_id, debit, "house:revenue", nano, call_id, "", now_ms))
