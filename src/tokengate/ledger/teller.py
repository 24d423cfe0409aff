"""Holds and settles in memory, against money leased from the database: no round trip stands in front of a call.

A teller answers for its leases only. Rows of a settlement are returned, and whoever asked commits them together with
the rest of the call.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from tokengate.core.clock import Clock, now_ms, sleep_ms
from tokengate.core.errors import InsufficientBalance, NotFound, Unavailable
from tokengate.core.ids import NewId
from tokengate.ledger import rules, store
from tokengate.ledger.entries import settlement_entry
from tokengate.ledger.rules import Ask, Hold, Lease, Seen
from tokengate.ledger.sweep import Sweeper, begin_serving
from tokengate.storage.engine import Database, is_away
from tokengate.storage.tables import leases, wallets
from tokengate.storage.writer import Add, Row, Writer

__all__ = ["Hold", "Settlement", "Teller"]

HOLD_LIFETIME_MS = 6 * 3_600_000  # far beyond every call's deadline: what is older was forgotten
RECALL_LIFETIME_MS = 15_000  # whoever asks money back gives up earlier, so an older recall was forgotten
_BEAT_MS = 5_000
_ASK_PAUSE_MS = 50
_ASK_TRIES = 20  # with the pause, a second: tellers answer at once, and calls may release what they hold
_RETRY_S = 2  # what a caller is told to wait for while the database is away
_WALLETS_PER_QUERY = 500

_log = logging.getLogger(__name__)


class Settlement(Struct, frozen=True):
    """What a settled hold came to, and the rows that make it durable."""

    settled_nano: int
    overrun_nano: int  # what the house bears
    rows: list[Row]


class Teller:
    """The one teller of a process, beside others of other processes. `id` changes only when they took it for dead."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        clock: Clock,
        *,
        new_id: NewId,
        on_dead: Callable[[], Awaitable[None]] | None = None,
        pause_ms: int = _ASK_PAUSE_MS,
    ) -> None:
        """`on_dead` is called after another teller was found dead and its leases were taken back; `pause_ms` is how
        long a hold waits before it asks again."""
        self._database = database
        self._writer = writer
        self._clock = clock
        self._new_id = new_id
        self._on_dead = on_dead
        self._pause_ms = pause_ms
        self._leases: dict[str, Lease] = {}
        self._open: dict[Hold, None] = {}  # in the order of opening
        self._asks: dict[str, list[Ask]] = {}  # by wallet: what holds are waiting for, the oldest first
        self._requests: dict[str, asyncio.Task[None]] = {}  # by wallet, at most one at a time
        self._recalls: dict[str, tuple[int, int]] = {}  # by wallet: how much is asked back, seen first when
        self._renewing = asyncio.Lock()
        self._sweeper = Sweeper(database)
        self._beating: asyncio.Task[None] | None = None
        self._now_ms = 0  # as of the last beat; exact enough for the age of a hold
        self.id = ""

    async def open(self) -> None:
        """Register beside the other tellers, where there may be any. Raises DatabaseInUse."""
        await begin_serving(self._database)
        await self._register()
        self._beating = asyncio.create_task(self._beat_forever(), name=f"teller {self.id}")

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
            await store.return_leases(tx, self.id)

    @property
    def others(self) -> int:
        """How many other tellers share the database, as of the last beat."""
        return self._sweeper.others

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
        """Hold, leasing more when that is needed, and asking other tellers for what they have not spent. Raises
        InsufficientBalance, or NotFound."""
        hold = self.try_hold(wallet_id, nano)
        if hold is None:
            await self._gather(wallet_id, nano)
            hold = self.try_hold(wallet_id, nano)
        if hold is None:
            lease = self._leases.get(wallet_id)
            free_nano = lease.free_nano + lease.pool_nano if lease is not None else 0
            raise InsufficientBalance(needed_nano=nano, available_nano=free_nano)
        return hold

    async def grow(self, hold: Hold, nano: int) -> int:
        """Let the hold grow towards this size as far as the wallet can pay, and return its size."""
        if rules.grow(hold, nano) < nano and hold.state is rules.State.HELD:
            await self._gather(hold.wallet_id, nano - hold.nano, or_less=True)
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
                settlement_entry("settle", wallet_id, account, settled_nano, call_id, now_ms),
                Add(wallets, (wallet_id,), (-settled_nano, -settled_nano)),
                Add(leases, (self.id, wallet_id), (-settled_nano,)),
            ]
        if overrun_nano:
            rows.append(settlement_entry("overrun", wallet_id, "house:overrun", overrun_nano, call_id, now_ms))
        if hold.lease.others_recall_nano:
            self._answer_recall(wallet_id)
        return Settlement(settled_nano, overrun_nano, rows)

    def revoke(self, hold: Hold, settled_nano: int) -> None:
        """Undo a settlement whose rows the writer has refused, all of them."""
        rules.revoke(hold, settled_nano)

    def release(self, hold: Hold) -> None:
        """Resolve the hold at no cost."""
        self._open.pop(hold, None)
        rules.release(hold)
        if hold.lease.others_recall_nano:
            self._answer_recall(hold.wallet_id)

    def hand_over(self, hold: Hold) -> None:
        """Resolve the hold because a transaction has moved it into the database (ledger/holds)."""
        self._open.pop(hold, None)
        rules.hand_over(hold)

    def free_nano(self, wallet_id: str) -> int:
        """Return what a new hold could take from the lease now."""
        lease = self._leases.get(wallet_id)
        return lease.free_nano if lease is not None else 0

    def reach_nano(self, wallet_id: str) -> int:
        """Return what new holds could take of the wallet at best: from the lease, and from what is not in it, which
        other tellers may hold meanwhile."""
        lease = self._leases.get(wallet_id)
        return lease.free_nano + lease.pool_nano + lease.elsewhere_nano if lease is not None else 0

    def held_nano(self, wallet_id: str) -> int:
        """Return what is held of the wallet now."""
        lease = self._leases.get(wallet_id)
        return lease.held_nano if lease is not None else 0

    def balance_nano(self, wallet_id: str, *, after_holds: bool = False) -> int:
        """Return the wallet's balance as far as this process knows; zero for one that it has not met."""
        lease = self._leases.get(wallet_id)
        if lease is None:
            return 0
        return lease.balance_nano - (lease.held_nano + lease.job_held_nano if after_holds else 0)

    async def refresh(self, wallet_id: str | None = None) -> None:
        """Look at a wallet, or at all known ones, again: lease what was topped up, give back what is asked for.
        Raises NotFound for a wallet that does not exist."""
        if wallet_id is not None:
            await self._lease_more(wallet_id)
            return
        known = [(one, lease, lease.moves) for one, lease in self._leases.items() if one not in self._requests]
        for start in range(0, len(known), _WALLETS_PER_QUERY):
            part = known[start : start + _WALLETS_PER_QUERY]
            async with self._database.read() as read:
                found = await store.leased_wallets(read, self.id, [one for one, _, _ in part])
            seen = {state.wallet.id: state.seen for state in found}
            changed = [one for one, lease, moves in part if self._has_news(lease, moves, seen[one])]
            await asyncio.gather(*map(self._lease_more, changed))

    async def beat(self) -> None:
        """Say that this teller lives, bring leases to the size that is wanted, and put away what was forgotten: old
        holds, dead tellers, stale recalls."""
        self._now_ms = now_ms(self._clock)
        for hold in self._holds_before(self._now_ms - HOLD_LIFETIME_MS):
            _log.error("a hold of wallet %s expired", hold.wallet_id)
            self._expire(hold)
        await self._database.lock_for_serving()
        teller_id = self.id
        async with self._database.tx() as tx:
            alive = await store.heartbeat(tx, teller_id, self._now_ms)
        if not alive:
            await self._begin_anew(teller_id)
        await self._drop_stale_recalls()
        dead = await self._sweeper.look(self.id)
        for lease in self._leases.values():
            lease.beat()
        if self.others:
            await self.refresh()
        if dead and self._on_dead is not None:
            await self._on_dead()

    async def _beat_forever(self) -> None:
        while True:
            await sleep_ms(_BEAT_MS)
            try:
                await self.beat()
            except Exception:  # the database is away: the next beat tries again
                _log.exception("a teller's heartbeat failed")

    async def _register(self) -> None:
        self._now_ms = now_ms(self._clock)
        teller_id = self._new_id("tel", self._clock.now_s())
        async with self._database.tx() as tx:
            await store.register_teller(tx, teller_id, self._now_ms)
        self.id = teller_id

    async def _begin_anew(self, teller_id: str) -> None:
        """Forget everything and register again: others have taken back the leases of the teller with this id."""
        async with self._renewing:
            if self.id != teller_id:
                return
            _log.error("this teller was taken for dead: its holds expire, and it begins anew")
            self._expire_all()
            self._leases.clear()
            await self._register()

    async def _gather(self, wallet_id: str, nano: int, *, or_less: bool = False) -> None:
        """Return once the lease has so much free, or when the wallet cannot pay it; with `or_less`, once the lease has
        what there is.

        What lies in other tellers' leases is asked back, which takes them a moment; what they hold may be released.
        """
        ask = Ask(nano)
        asks = self._asks.setdefault(wallet_id, [])
        asks.append(ask)
        tries = _ASK_TRIES
        try:
            while True:
                await self._lease_more(wallet_id, enough_nano=ask.nano)
                lease = self._leases.get(wallet_id)
                if lease is None:  # just begun anew
                    continue
                missing_nano = ask.nano - lease.free_nano
                reach_nano = lease.pool_nano + (lease.elsewhere_nano if tries else 0)
                if or_less and missing_nano > reach_nano:
                    ask.nano -= missing_nano - reach_nano
                    missing_nano = reach_nano
                if missing_nano <= 0 or missing_nano > reach_nano:
                    return
                reserved_nano = 0 if ask.insists else lease.others_recall_nano
                if missing_nano > lease.pool_nano - reserved_nano:
                    tries -= 1
                    ask.insists = True
                    await sleep_ms(self._pause_ms)
        finally:
            asks.remove(ask)
            if not asks:
                self._asks.pop(wallet_id, None)

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
        await asyncio.shield(running or self._begin_request(wallet_id))

    def _answer_recall(self, wallet_id: str) -> None:
        """Give back what has just become free, since somebody waits for it."""
        if wallet_id not in self._requests and self._beating is not None:
            self._begin_request(wallet_id)

    def _begin_request(self, wallet_id: str) -> asyncio.Task[None]:
        request = self._requests[wallet_id] = asyncio.create_task(self._request(wallet_id))
        request.add_done_callback(_forgive)  # whoever waits for it is told
        return request

    async def _request(self, wallet_id: str) -> None:
        """Lease or give back what the rules say, and learn how the wallet stands."""
        teller_id = self.id
        try:
            async with self._database.read() as read:
                found = await store.leased_wallets(read, teller_id, [wallet_id])
            if not found:
                raise NotFound(f"There is no wallet {wallet_id}.")
            (state,) = found
            lease = self._leases.setdefault(wallet_id, Lease(wallet_id))
            if _is_news(lease, state.seen, self._asks.get(wallet_id, ())):
                state = await self._move(teller_id, lease)
            lease.learn(state.seen)
        except store.TellerGone:
            await self._begin_anew(teller_id)
        except Exception as failure:
            if not is_away(failure):
                raise
            _log.error("the ledger does not answer: %s", failure)
            raise Unavailable(
                "The ledger does not answer. Try again later.", retry_after_s=_RETRY_S, code="ledger_unavailable"
            ) from failure
        finally:
            del self._requests[wallet_id]

    async def _move(self, teller_id: str, lease: Lease) -> store.Leased:
        async with self._database.tx() as tx:
            state = await store.lock_lease(tx, teller_id, lease.wallet_id)
            asks = self._asks.get(lease.wallet_id, ())
            if asks:
                lease.asked_nano = asks[0].nano
            move = rules.next_move(lease, state.seen, asks)
            if move.nano < 0:  # at once: no hold may take it while the transaction ends
                lease.give_back(-move.nano)
            state = await store.move_lease(tx, teller_id, state, move)
        if move.nano > 0:
            lease.lend(move.nano)
        lease.recalled_nano = move.recalled_nano
        return state

    def _has_news(self, lease: Lease, moves: int, seen: Seen) -> bool:
        """Learn how a wallet stands, unless the lease has changed since the look; return whether it should."""
        wallet_id = lease.wallet_id
        if self._leases.get(wallet_id) is not lease or lease.moves != moves or wallet_id in self._requests:
            return False
        lease.learn(seen)
        return _is_news(lease, seen, self._asks.get(wallet_id, ()))

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

    async def _drop_stale_recalls(self) -> None:
        """Forget what has been asked back unchanged for too long."""
        async with self._database.read() as read:
            recalls = await store.list_recalls(read)
        before, self._recalls = self._recalls, {}
        for wallet_id, nano in recalls.items():
            seen = before.get(wallet_id)
            self._recalls[wallet_id] = seen if seen is not None and seen[0] == nano else (nano, self._now_ms)
        oldest_ms = self._now_ms - RECALL_LIFETIME_MS
        stale = [wallet_id for wallet_id, (_, since_ms) in self._recalls.items() if since_ms < oldest_ms]
        if stale:
            async with self._database.tx() as tx:
                for wallet_id in stale:
                    await store.drop_recall(tx, wallet_id)


def _forgive(request: asyncio.Task[None]) -> None:
    if not request.cancelled():
        request.exception()


def _is_news(lease: Lease, seen: Seen, asks: Sequence[Ask]) -> bool:
    """Say whether there is something to lease, to give back or to ask for."""
    move = rules.next_move(lease, seen, asks)
    return move.nano != 0 or move.recall_nano != seen.recall_nano
