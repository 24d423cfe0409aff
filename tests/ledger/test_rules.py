from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.ledger import rules
from tokengate.ledger.rules import Hold, Lease, State

Resolver = Callable[[Hold], None]
AMOUNT = st.integers(0, 2**62)


def lease_of(nano: int) -> Lease:
    lease = Lease("wal")
    lease.balance_nano = nano
    lease.lend(nano)
    return lease


def held(nano: int, *, of: int) -> tuple[Lease, Hold]:
    lease = lease_of(of)
    hold = rules.take(lease, nano, 0)
    assert hold is not None
    return lease, hold


def test_lease_hands_out_no_more_than_it_has() -> None:
    lease = lease_of(10)

    holds = [rules.take(lease, 4, 0) for _ in range(3)]

    assert [hold is not None for hold in holds] == [True, True, False]
    assert lease.free_nano == 2


def test_hold_of_nothing_needs_no_money() -> None:
    assert rules.take(lease_of(0), 0, 0) is not None


def test_cost_below_the_hold_frees_the_rest() -> None:
    lease, hold = held(6, of=10)

    assert rules.settle(hold, 4) == (4, 0)

    assert (lease.leased_nano, lease.held_nano, lease.free_nano, lease.balance_nano) == (6, 0, 6, 6)
    assert hold.state is State.SETTLED


def test_cost_above_the_hold_takes_what_is_free_and_the_house_bears_the_rest() -> None:
    lease, hold = held(6, of=10)
    other = rules.take(lease, 1, 0)

    assert rules.settle(hold, 12) == (9, 3)

    assert other is not None
    assert (lease.leased_nano, lease.held_nano, lease.free_nano) == (1, 1, 0)


def test_hold_grows_as_far_as_the_lease_is_free_and_never_shrinks() -> None:
    lease, hold = held(6, of=10)

    assert rules.grow(hold, 5) == 6
    assert rules.grow(hold, 9) == 9
    assert rules.grow(hold, 99) == 10
    assert lease.free_nano == 0


def settle_at_one(hold: Hold) -> None:
    rules.settle(hold, 1)


@pytest.mark.parametrize("first", [settle_at_one, rules.release])
@pytest.mark.parametrize("second", [settle_at_one, rules.release, rules.expire])
def test_hold_resolves_at_most_once(first: Resolver, second: Resolver) -> None:
    lease, hold = held(6, of=10)
    first(hold)
    before = (lease.leased_nano, lease.held_nano)

    with pytest.raises(AssertionError):
        second(hold)

    assert (lease.leased_nano, lease.held_nano) == before


def test_expired_hold_pays_nothing_any_more() -> None:
    lease, hold = held(6, of=10)
    rules.expire(hold)

    assert rules.settle(hold, 4) == (0, 4)
    rules.release(hold)

    assert hold.state is State.EXPIRED
    assert rules.grow(hold, 9) == 6
    assert (lease.leased_nano, lease.held_nano, lease.balance_nano) == (10, 0, 10)


def test_revoked_settlement_leaves_the_lease_as_if_the_hold_was_released() -> None:
    lease, hold = held(6, of=10)
    settled, _ = rules.settle(hold, 8)

    rules.revoke(hold, settled)

    assert hold.state is State.RELEASED
    assert (lease.leased_nano, lease.held_nano, lease.balance_nano) == (10, 0, 10)
    with pytest.raises(AssertionError):
        rules.revoke(hold, settled)


def test_revoking_what_an_expired_hold_did_not_pay_changes_nothing() -> None:
    lease, hold = held(6, of=10)
    rules.expire(hold)
    settled, _ = rules.settle(hold, 4)

    rules.revoke(hold, settled)

    assert hold.state is State.EXPIRED
    assert (lease.leased_nano, lease.balance_nano) == (10, 10)


def test_what_is_held_cannot_be_given_back() -> None:
    lease, _ = held(6, of=10)
    lease.give_back(4)

    with pytest.raises(AssertionError):
        lease.give_back(1)


@given(free=AMOUNT, recall=AMOUNT, unheld=AMOUNT)
def test_lease_and_recall_never_work_against_each_other(free: int, recall: int, unheld: int) -> None:
    lent, back = rules.lease_size(free, recall), rules.give_back_size(unheld, free, recall)

    assert 0 <= lent <= free
    assert 0 <= back <= unheld
    assert lent == 0 or back == 0
    assert free - lent + back >= min(recall, free + unheld)


@given(leased=AMOUNT, share=st.integers(0, 100), cost=AMOUNT)
def test_wallet_and_house_together_pay_the_cost(leased: int, share: int, cost: int) -> None:
    lease, hold = held(leased * share // 100, of=leased)

    settled, overrun = rules.settle(hold, cost)

    assert settled + overrun == cost
    assert settled <= hold.nano <= leased
    assert lease.leased_nano == leased - settled
    assert lease.held_nano == 0
