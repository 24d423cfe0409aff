"""What is left of a key's budget, as its calls and jobs hold and spend it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import FakeClock
from tokengate.accounts.keys import Budget
from tokengate.core.errors import BudgetExhausted
from tokengate.limits.budgets import Allowance, Budgets

YUAN = 10**9
KEY = "key_1"

amounts = st.integers(0, 40)


def test_a_hold_above_what_is_left_is_refused_and_names_both(clock: FakeClock):
    budgets = Budgets(clock)
    budgets.allow(KEY, Budget(YUAN, "day")).end(YUAN // 4)

    with pytest.raises(BudgetExhausted) as refused:
        budgets.allow(KEY, Budget(YUAN, "day")).hold(3 * YUAN, instead="ask for a shorter film")

    assert (refused.value.status, refused.value.code) == (402, "budget_exhausted")
    assert refused.value.message == (
        "This call needs up to ¥3 and ¥0.75 is available of this key's budget of ¥1 per day. "
        "It begins anew at 2026-11-19 00:00 UTC. Raise it, or ask for a shorter film."
    )


def test_what_calls_at_once_hold_is_not_left_to_another(clock: FakeClock):
    budgets, budget = Budgets(clock), Budget(10, "never")
    first, second = budgets.allow(KEY, budget), budgets.allow(KEY, budget)
    first.hold(7)

    with pytest.raises(BudgetExhausted, match=re.escape("¥0.000000003 is available")):
        second.hold(4)
    first.end(1)

    second.hold(9)
    assert second.reach_nano == 9
    budgets.allow("key_2", budget).hold(10)


def test_a_hold_grows_as_far_as_the_budget_goes(clock: FakeClock):
    budgets, budget = Budgets(clock), Budget(10, "never")
    other, mine = budgets.allow(KEY, budget), budgets.allow(KEY, budget)
    other.hold(3)
    mine.hold(5)

    assert [mine.grow(6), mine.grow(9), mine.grow(2)] == [6, 7, 7]


def test_a_job_holds_until_it_ends_also_in_the_next_period(clock: FakeClock):
    budgets, budget = Budgets(clock), Budget(10, "day")
    budgets.hold_for_job("job_1", KEY, 6)
    clock.advance(86_400)

    assert budgets.allow(KEY, budget).reach_nano == 4
    budgets.end_job("job_1", KEY, 5)
    assert budgets.allow(KEY, budget).reach_nano == 5
    assert budgets.held_by_jobs(KEY) == 0


def test_jobs_of_before_and_of_other_processes_are_taken_over(clock: FakeClock):
    budgets = Budgets(clock)
    budgets.hold_for_job("job_1", KEY, 6)

    budgets.load_jobs([("job_2", KEY, 3), ("job_3", "key_2", 9)])

    assert (budgets.held_by_jobs(KEY), budgets.held_by_jobs("key_2")) == (3, 9)


@given(st.lists(st.tuples(st.sampled_from(["begin", "grow", "end", "job", "end job"]), amounts, amounts)))
def test_calls_and_jobs_together_never_pass_a_budget(steps: list[tuple[str, int, int]]):
    budgets, budget = Budgets(FakeClock()), Budget(100, "never")
    calls: list[tuple[Allowance, int]] = []
    jobs: dict[str, int] = {}
    spent = 0
    for number, (what, one, other) in enumerate(steps):
        try:
            match what:
                case "begin" | "job":
                    allowance = budgets.allow(KEY, budget)
                    allowance.hold(one)
                    if what == "begin":
                        calls.append((allowance, one))
                    else:
                        allowance.end(0)
                        budgets.hold_for_job(f"job_{number}", KEY, one)
                        jobs[f"job_{number}"] = one
                case "grow" if calls:
                    allowance, held = calls.pop(one % len(calls))
                    calls.append((allowance, allowance.grow(held + other)))
                case "end" if calls:
                    allowance, held = calls.pop(one % len(calls))
                    allowance.end(min(other, held))
                    spent += min(other, held)
                case "end job" if jobs:
                    job_id = sorted(jobs)[one % len(jobs)]
                    cost = min(other, jobs.pop(job_id))
                    budgets.end_job(job_id, KEY, cost)
                    spent += cost
                case _:
                    pass
        except BudgetExhausted:
            pass
        assert spent + sum(held for _, held in calls) + sum(jobs.values()) <= budget.nano
