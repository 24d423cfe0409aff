"""The ledger's rules, without any I/O: what a lease may hand out, how large it is, and what may become of a hold.

A hold resolves once: settled, released, expired, or handed over to the database, where a job's hold outlives its
process. In a lease, held <= leased at every moment, so what a teller spends never exceeds what it was lent. A
settlement that the database refused never was: its hold counts as released.
Whoever is the only teller leases everything; of several, each leases what its holds need, and ahead of them no more
than its share of what is free.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, assert_never

_HOLDS_AHEAD = 4  # beside others, a lease has room for so many more holds like the last one that did not fit
_SPENDING_AHEAD = 2  # and for so many times what was spent lately
_QUIET_BEATS = 12  # a minute without holds or spending, and an unheld lease returns


class State(Enum):
    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"
    HANDED_OVER = "handed over"


class Seen(NamedTuple):
    """A wallet as its row and the tables of tellers and leases say it."""

    balance_nano: int
    free_nano: int
    recall_nano: int
    job_held_nano: int
    lease_nano: int  # of the teller that looks, as committed
    elsewhere_nano: int  # what others have leased, held or not
    tellers: int  # that are alive, as far as is known


class Ask:
    """What a hold is waiting for. One that `insists` has asked others for it, and may take what is asked back."""

    __slots__ = ("insists", "nano")

    def __init__(self, nano: int) -> None:
        self.nano = nano
        self.insists = False


class Move(NamedTuple):
    """What passes from the wallet into a lease, or back when it is negative; and what is asked back afterwards."""

    nano: int
    recall_nano: int
    recalled_nano: int = 0  # the part of it that the teller itself asks for


class Lease:
    """What this teller may spend from one wallet, and what it knows of the wallet.

    `leased_nano` shrinks with each settlement, at once; the database follows when the settlement is committed.
    `job_held_nano` is what jobs hold of the wallet beside all leases.
    """

    __slots__ = (
        "asked_nano",
        "balance_nano",
        "elsewhere_nano",
        "held_nano",
        "job_held_nano",
        "leased_nano",
        "moves",
        "others_recall_nano",
        "pool_nano",
        "quiet_beats",
        "recalled_nano",
        "spent_before_nano",
        "spent_nano",
        "wallet_id",
    )

    def __init__(self, wallet_id: str) -> None:
        self.wallet_id = wallet_id
        self.balance_nano = 0
        self.leased_nano = 0
        self.held_nano = 0
        self.job_held_nano = 0
        self.moves = 0  # how often it was lent more or gave something back
        # Of the wallet, when it was seen last: what nobody has leased, what others have, what others ask back.
        self.pool_nano = 0
        self.elsewhere_nano = 0
        self.others_recall_nano = 0
        self.recalled_nano = 0  # what this teller asks back
        # Of its use: the last ask that did not fit, what was settled since the last beat and, fading, before it.
        self.asked_nano = 0
        self.spent_nano = 0
        self.spent_before_nano = 0
        self.quiet_beats = 0

    @property
    def free_nano(self) -> int:
        """What a new hold may take."""
        return self.leased_nano - self.held_nano

    @property
    def wanted_nano(self) -> int:
        """How much should be free, so that the holds to come need no database."""
        if self.quiet_beats >= _QUIET_BEATS:
            return 0
        spent_nano = self.spent_nano + self.spent_before_nano
        return self.held_nano + _HOLDS_AHEAD * self.asked_nano + _SPENDING_AHEAD * spent_nano

    def lend(self, nano: int) -> None:
        """Add what the wallet has lent in addition."""
        assert nano >= 0
        self.leased_nano += nano
        self.moves += 1

    def give_back(self, nano: int) -> None:
        """Take off what returns to the wallet; only what is not held can."""
        assert 0 <= nano <= self.free_nano
        self.leased_nano -= nano
        self.moves += 1

    def learn(self, seen: Seen) -> None:
        """Know the wallet as it is. Its balance is less by what is settled and not yet committed: by that, this lease
        is smaller than its row."""
        self.balance_nano = seen.balance_nano - (seen.lease_nano - self.leased_nano)
        self.job_held_nano = seen.job_held_nano
        self.recalled_nano = min(self.recalled_nano, seen.recall_nano)
        self.others_recall_nano = _others_recall(self, seen)
        self.elsewhere_nano = seen.elsewhere_nano
        reserved_nano = self.others_recall_nano if seen.tellers <= 1 else 0  # which an only teller never takes
        self.pool_nano = max(seen.free_nano - reserved_nano, 0)

    def beat(self) -> None:
        """Let time pass: what was spent lately fades, and an unused lease is no longer wanted."""
        self.quiet_beats = 0 if self.spent_nano or self.held_nano else self.quiet_beats + 1
        self.spent_before_nano = self.spent_before_nano * 7 // 8 + self.spent_nano
        self.spent_nano = 0


class Hold:
    """A part of a lease that is set aside for one call, in memory. It becomes nothing else than what the functions
    below make of it."""

    __slots__ = ("lease", "nano", "opened_ms", "state")

    def __init__(self, lease: Lease, nano: int, opened_ms: int) -> None:
        self.lease = lease
        self.nano = nano
        self.opened_ms = opened_ms
        self.state = State.HELD

    @property
    def wallet_id(self) -> str:
        return self.lease.wallet_id


def take(lease: Lease, nano: int, opened_ms: int) -> Hold | None:
    """Hold this much of the lease; None when it has less that is free."""
    assert nano >= 0
    if lease.leased_nano - lease.held_nano < nano:
        return None
    lease.held_nano += nano
    return Hold(lease, nano, opened_ms)


def grow(hold: Hold, nano: int) -> int:
    """Let the hold grow towards this size as far as the lease is free; return its size. A hold never shrinks."""
    lease = hold.lease
    if hold.state is State.HELD and nano > hold.nano:
        more = min(nano - hold.nano, lease.leased_nano - lease.held_nano)
        hold.nano += more
        lease.held_nano += more
    return hold.nano


def settle(hold: Hold, cost_nano: int) -> tuple[int, int]:
    """Resolve the hold at this cost: return what the wallet pays, and the overrun that the house bears.

    A cost above the hold first takes what the lease has free. An expired hold pays nothing any more.
    """
    assert cost_nano >= 0
    match hold.state:
        case State.HELD:
            settled = min(cost_nano, grow(hold, cost_nano))
            _resolve(hold, State.SETTLED)
            lease = hold.lease
            lease.leased_nano -= settled
            lease.balance_nano -= settled
            lease.spent_nano += settled
            assert 0 <= settled <= hold.nano and 0 <= lease.held_nano <= lease.leased_nano
            return settled, cost_nano - settled
        case State.EXPIRED:
            return 0, cost_nano
        case State.SETTLED | State.RELEASED | State.HANDED_OVER:
            raise AssertionError(f"a hold resolves once, and this one is {hold.state.value}")
        case _:
            assert_never(hold.state)


def release(hold: Hold) -> None:
    """Resolve the hold at no cost. One that expired meanwhile stays expired."""
    if hold.state is not State.EXPIRED:
        _resolve(hold, State.RELEASED)


def revoke(hold: Hold, settled_nano: int) -> None:
    """Undo a settlement that could not be made durable: the hold is released, and its money is free again."""
    if hold.state is State.EXPIRED:
        return
    assert hold.state is State.SETTLED and 0 <= settled_nano <= hold.nano
    hold.state = State.RELEASED
    hold.lease.leased_nano += settled_nano
    hold.lease.balance_nano += settled_nano


def hand_over(hold: Hold) -> None:
    """Resolve the hold because a row of the database holds its money from now on, and the lease is the smaller."""
    _resolve(hold, State.HANDED_OVER)
    hold.lease.leased_nano -= hold.nano
    hold.lease.job_held_nano += hold.nano
    hold.lease.moves += 1


def expire(hold: Hold) -> None:
    """Resolve the hold because its time is up, or because its lease was lost."""
    _resolve(hold, State.EXPIRED)


def next_move(lease: Lease, seen: Seen, asks: Sequence[Ask] = ()) -> Move:
    """Return what a teller leases or gives back, given the wallet and what holds are waiting for."""
    if seen.tellers <= 1:
        return _move_alone(lease, seen)
    unheld_nano = lease.free_nano
    recall_nano = _others_recall(lease, seen)
    left_nano = seen.free_nano
    if not any(ask.insists for ask in asks):
        left_nano = max(left_nano - recall_nano, 0)
    asked_nano = sum(ask.nano for ask in asks)
    short_nano, spare_nano = recall_nano - seen.free_nano, unheld_nano - asked_nano
    if short_nano > 0 and spare_nano > 0:
        # More than what is missing: whoever asked will ask again.
        back_nano = max(short_nano, spare_nano - spare_nano // seen.tellers)
        return Move(-min(spare_nano, back_nano), recall_nano)
    if not asks:
        return Move(_adjustment(lease, left_nano // seen.tellers), recall_nano)
    payable_nano = next((ask.nano for ask in asks if ask.nano <= unheld_nano + left_nano), None)
    if payable_nano is not None:
        ahead_nano = min(lease.wanted_nano + asked_nano - unheld_nano, left_nano // seen.tellers)
        return Move(max(payable_nano - unheld_nano, ahead_nano, 0), recall_nano)
    all_nano = unheld_nano + seen.free_nano + seen.elsewhere_nano
    hoped_nano = min(sum(ask.nano for ask in asks if ask.nano <= all_nano), all_nano)
    if not hoped_nano:
        return Move(0, recall_nano)
    # Near zero everything unheld lies in the wallet, where each hold of each teller takes what it needs at once: two
    # tellers that kept what is too little for either would both refuse what the wallet can pay.
    return Move(-unheld_nano, max(recall_nano, hoped_nano), hoped_nano)


def _move_alone(lease: Lease, seen: Seen) -> Move:
    """Lease everything that nobody asks back, and give back what is asked for."""
    recall_nano = _others_recall(lease, seen)
    lent_nano = max(seen.free_nano - recall_nano, 0)
    back_nano = min(lease.free_nano, max(recall_nano - seen.free_nano, 0))
    return Move(lent_nano - back_nano, recall_nano)


def _adjustment(lease: Lease, share_nano: int) -> int:
    """Return what brings an unheld lease near to what is wanted, when it is far from it."""
    wanted_nano, unheld_nano = lease.wanted_nano, lease.free_nano
    if unheld_nano > 2 * wanted_nano:
        return wanted_nano - unheld_nano
    return min(wanted_nano - unheld_nano, share_nano) if unheld_nano < wanted_nano // 2 else 0


def _others_recall(lease: Lease, seen: Seen) -> int:
    """Return what others ask back. One number stands for all who ask, the largest; those who still wait ask again."""
    return seen.recall_nano if seen.recall_nano > lease.recalled_nano else 0


def _resolve(hold: Hold, state: State) -> None:
    assert hold.state is State.HELD, f"a hold resolves once, and this one is {hold.state.value}"
    hold.state = state
    hold.lease.held_nano -= hold.nano
