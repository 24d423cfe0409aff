"""What keys with a budget have spent of it in its period, and what their calls and jobs hold of the rest.

A call takes an allowance, holds from it what it may cost at most, and spends when it ends; so calls at once cannot pass
a budget together, but for what a vendor reports beyond a hold. What a call spends counts for the period in which it
began, what a job spends for the one in which it ends: until then its hold counts in each. Other processes' calls are
known by what they spent; their jobs by what they hold, too.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from tokengate.core.clock import Clock
from tokengate.core.errors import BudgetExhausted
from tokengate.core.periods import Period, span_of


class Budget(Protocol):
    """What a key may spend in a period."""

    @property
    def nano(self) -> int: ...
    @property
    def period(self) -> Period: ...


class Budgets:
    """The counts of all keys with a budget, and the holds of all keys' jobs."""

    def __init__(self, clock: Clock) -> None:
        self._now_s = clock.now_s
        self._counts: dict[tuple[str, Period], _Count] = {}
        self._jobs: dict[str, dict[str, int]] = {}  # by key: what each of its jobs holds

    def allow(self, key_id: str, budget: Budget) -> "Allowance":
        """Return what a call may hold and spend from. Raises BudgetExhausted when nothing is left."""
        count = self._count(key_id, budget.period)
        if count.spent_nano >= budget.nano:
            raise BudgetExhausted(budget.nano, budget.period, count.ends_s)
        return Allowance(self, key_id, budget, count)

    def held_by_jobs(self, key_id: str) -> int:
        """Return what a key's jobs hold together."""
        jobs = self._jobs.get(key_id)
        return sum(jobs.values()) if jobs else 0

    def hold_for_job(self, job_id: str, key_id: str, nano: int) -> None:
        """Count what a job holds; `end_job` must follow, here or in another process."""
        self._jobs.setdefault(key_id, {})[job_id] = nano

    def end_job(self, job_id: str, key_id: str, cost_nano: int) -> None:
        """Forget a job's hold, and count what it has cost."""
        jobs = self._jobs.get(key_id, {})
        jobs.pop(job_id, None)
        if not jobs:
            self._jobs.pop(key_id, None)
        for (owner, _), count in self._counts.items():
            if owner == key_id:
                count.spent_nano += cost_nano

    def load(self, spent: Mapping[tuple[str, Period], int]) -> None:
        """Take over what keys with a budget have spent in its period so far, as the usage records have it; what is
        not named has no budget any more. Counts that are already higher stay."""
        counts: dict[tuple[str, Period], _Count] = {}
        for (key_id, period), nano in spent.items():
            found = counts[(key_id, period)] = self._count(key_id, period)
            found.spent_nano = max(found.spent_nano, nano)
        self._counts = counts

    def load_jobs(self, held: Iterable[tuple[str, str, int]]) -> None:
        """Take over what the jobs of all keys hold: job, key and amount of each."""
        self._jobs = {}
        for job_id, key_id, nano in held:
            self.hold_for_job(job_id, key_id, nano)

    def _count(self, key_id: str, period: Period) -> "_Count":
        count = self._counts.get((key_id, period))
        now_s = self._now_s()
        if count is None or (count.ends_s is not None and now_s >= count.ends_s):
            count = self._counts[(key_id, period)] = _Count(span_of(period, now_s).ends_s)
        return count


class Allowance:
    """One call's part of its key's budget; `end` must be called exactly once, however the call ends."""

    __slots__ = ("_budget", "_budgets", "_count", "_held_nano", "_key_id")

    def __init__(self, budgets: Budgets, key_id: str, budget: Budget, count: "_Count") -> None:
        self._budgets = budgets
        self._key_id = key_id
        self._budget = budget
        self._count = count
        self._held_nano = 0

    @property
    def reach_nano(self) -> int:
        """The most that this call may hold now: what is neither spent nor held by others."""
        others_nano = self._count.held_nano - self._held_nano + self._budgets.held_by_jobs(self._key_id)
        return max(self._budget.nano - self._count.spent_nano - others_nano, 0)

    def hold(self, nano: int, *, instead: str = "") -> None:
        """Hold so much, in place of what is held. Raises BudgetExhausted, which names what is needed and what there
        is; `instead` says what costs less."""
        reach_nano = self.reach_nano
        if nano > reach_nano:
            budget = self._budget
            raise BudgetExhausted(
                budget.nano,
                budget.period,
                self._count.ends_s,
                needed_nano=nano,
                available_nano=reach_nano,
                instead=instead,
            )
        self._hold(nano)

    def grow(self, nano: int) -> int:
        """Let the hold grow towards this size as far as the budget goes, and return its size."""
        self._hold(max(self._held_nano, min(nano, self.reach_nano)))
        return self._held_nano

    def end(self, cost_nano: int) -> None:
        """Hold nothing any more, and count what the call has cost."""
        self._hold(0)
        self._count.spent_nano += cost_nano

    def _hold(self, nano: int) -> None:
        self._count.held_nano += nano - self._held_nano
        self._held_nano = nano


class _Count:
    """One key's spending in one period, to which the calls that began in it add when they end."""

    __slots__ = ("ends_s", "held_nano", "spent_nano")

    def __init__(self, ends_s: int | None) -> None:
        self.ends_s = ends_s
        self.spent_nano = 0
        self.held_nano = 0
