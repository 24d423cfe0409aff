from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.ledger import rules
from tokengate.ledger.rules import Ask, Hold, Lease, Move, Seen, State

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


def seen(*, free: int = 0, elsewhere: int = 0, recall: int = 0, tellers: int = 2, lease: Lease | None = None) -> Seen:
    leased = lease.leased_nano if lease is not None else 0
    return Seen(free + leased + elsewhere, free, recall, 0, leased, elsewhere, tellers)


def asks(*nano: int, insists: bool = False) -> list[Ask]:
    found = [Ask(one) for one in nano]
    for ask in found:
        ask.insists = insists
    return found


@given(free=AMOUNT, recall=AMOUNT, unheld=AMOUNT, tellers=st.integers(1, 5))
def test_lease_and_recall_never_work_against_each_other(free: int, recall: int, unheld: int, tellers: int) -> None:
    lease = lease_of(unheld)

    move = rules.next_move(lease, seen(free=free, recall=recall, tellers=tellers, lease=lease))

    assert -unheld <= move.nano <= free
    assert free - move.nano >= min(recall, free + unheld)
    assert move.recall_nano == recall


@given(free=AMOUNT, elsewhere=AMOUNT, recall=AMOUNT, unheld=AMOUNT, nano=AMOUNT, insists=st.booleans())
def test_hold_gets_what_is_there_and_asks_for_what_others_have(
    free: int, elsewhere: int, recall: int, unheld: int, nano: int, insists: bool
) -> None:
    lease = lease_of(unheld)

    wallet = seen(free=free, elsewhere=elsewhere, recall=recall, lease=lease)
    move = rules.next_move(lease, wallet, asks(nano, insists=insists))

    assert -unheld <= move.nano <= free
    has_it = unheld + move.nano >= nano
    if insists:
        assert has_it == (unheld + free >= nano)
    if not has_it and nano <= unheld + free + elsewhere:
        assert move.recall_nano >= nano
        assert move.nano == -unheld  # whoever is quicker gets it


def test_only_teller_leases_everything() -> None:
    assert rules.next_move(lease_of(0), seen(free=100, tellers=1), asks(1)).nano == 100
    assert rules.next_move(lease_of(0), seen(free=100, tellers=1)).nano == 100


def test_teller_beside_others_leases_ahead_and_no_more_than_its_share() -> None:
    lease = lease_of(0)
    lease.asked_nano = 10

    assert rules.next_move(lease, seen(free=1_000), asks(10)).nano == 50
    assert rules.next_move(lease, seen(free=60), asks(10)).nano == 30
    assert rules.next_move(lease, seen(free=60, tellers=6), asks(10)).nano == 10
    assert rules.next_move(lease, seen(free=60, tellers=6), asks(60)).nano == 60
    assert rules.next_move(lease, seen(free=60)).nano == 30


def test_lease_grows_with_what_is_spent_and_returns_when_nothing_is() -> None:
    lease, hold = held(100, of=100)
    rules.settle(hold, 100)
    lease.beat()

    assert rules.next_move(lease, seen(free=10_000)).nano == 200
    lease.lend(200)
    for _ in range(11):
        lease.beat()
    assert rules.next_move(lease, seen(free=9_800, lease=lease)).nano > -200
    lease.beat()
    assert rules.next_move(lease, seen(free=9_800, lease=lease)).nano == -200


def test_lease_of_everything_shrinks_when_another_teller_comes() -> None:
    lease = lease_of(1_000)
    lease.asked_nano = 10

    assert rules.next_move(lease, seen(tellers=2, lease=lease)).nano == 40 - 1_000


def test_recalled_lease_returns_down_to_its_share() -> None:
    lease = lease_of(1_000)

    assert rules.next_move(lease, seen(recall=10, tellers=4, lease=lease)) == Move(-750, 10)
    assert rules.next_move(lease, seen(recall=900, tellers=4, lease=lease)) == Move(-900, 900)
    assert rules.next_move(lease, seen(recall=10, tellers=1, lease=lease)) == Move(-10, 10)


def test_what_was_asked_back_is_no_longer_asked_once_it_is_there() -> None:
    lease = lease_of(3)
    first = rules.next_move(lease, seen(elsewhere=7, lease=lease), asks(10))
    assert first == Move(-3, 10, 10)
    lease.give_back(3)
    lease.recalled_nano = first.recalled_nano

    assert rules.next_move(lease, seen(free=3, elsewhere=7, recall=10), asks(10)) == Move(0, 10, 10)
    assert rules.next_move(lease, seen(free=10, recall=10), asks(10)) == Move(10, 0)
    assert rules.next_move(lease, seen(free=3, elsewhere=7, recall=10)) == Move(0, 0)
    assert rules.next_move(lease, seen(free=3, elsewhere=9, recall=12)).recall_nano == 12  # somebody else's


def test_hold_that_no_teller_could_pay_asks_for_nothing() -> None:
    assert rules.next_move(lease_of(3), seen(free=3, elsewhere=3), asks(10)) == Move(0, 0)


@given(leased=AMOUNT, share=st.integers(0, 100), cost=AMOUNT)
def test_wallet_and_house_together_pay_the_cost(leased: int, share: int, cost: int) -> None:
    lease, hold = held(leased * share // 100, of=leased)

    settled, overrun = rules.settle(hold, cost)

    assert settled + overrun == cost
    assert settled <= hold.nano <= leased
    assert lease.leased_nano == leased - settled
    assert lease.held_nano == 0
