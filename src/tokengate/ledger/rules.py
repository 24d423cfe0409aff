"""The ledger's rules, without any I/O: what a lease may hand out, and what may become of a hold.

A hold resolves once: settled, released or expired. In a lease, held <= leased at every moment, so what a teller
spends never exceeds what it was lent. A settlement that the database refused never was: its hold counts as released.
"""

from enum import Enum
from typing import assert_never


class State(Enum):
    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"


class Lease:
    """What this teller may spend from one wallet, and the wallet's balance as this teller knows it.

    `leased_nano` shrinks with each settlement, at once; the database follows when the settlement is committed.
    """

    __slots__ = ("balance_nano", "held_nano", "leased_nano", "wallet_id")

    def __init__(self, wallet_id: str) -> None:
        self.wallet_id = wallet_id
        self.balance_nano = 0
        self.leased_nano = 0
        self.held_nano = 0

    @property
    def free_nano(self) -> int:
        """What a new hold may take."""
        return self.leased_nano - self.held_nano

    def lend(self, nano: int) -> None:
        """Add what the wallet has lent in addition."""
        assert nano >= 0
        self.leased_nano += nano

    def give_back(self, nano: int) -> None:
        """Take off what returns to the wallet; only what is not held can."""
        assert 0 <= nano <= self.free_nano
        self.leased_nano -= nano


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
            assert 0 <= settled <= hold.nano and 0 <= lease.held_nano <= lease.leased_nano
            return settled, cost_nano - settled
        case State.EXPIRED:
            return 0, cost_nano
        case State.SETTLED | State.RELEASED:
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


def expire(hold: Hold) -> None:
    """Resolve the hold because its time is up, or because its lease was lost."""
    _resolve(hold, State.EXPIRED)


def lease_size(free_nano: int, recall_nano: int) -> int:
    """Return how much a teller leases when it needs more: as the only one, everything that nobody asks back."""
    return max(free_nano - recall_nano, 0)


def give_back_size(unheld_nano: int, free_nano: int, recall_nano: int) -> int:
    """Return how much of its unheld lease a teller gives back so that the wallet has `recall_nano` free."""
    return min(unheld_nano, max(recall_nano - free_nano, 0))


def _resolve(hold: Hold, state: State) -> None:
    assert hold.state is State.HELD, f"a hold resolves once, and this one is {hold.state.value}"
    hold.state = state
    hold.lease.held_nano -= hold.nano
