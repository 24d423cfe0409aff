"""May this key make this call now? Requests and tokens per minute, concurrent calls and spend per UTC day.

Limits hold per key, and per key and model where the operator sets some for a model; all of them must let a call
pass, and a refused call is not counted. Everything is in the memory of this process, work per call does not grow
with the number of keys, and counters that no longer say anything are dropped.

Tokens are charged at admission by their upper bound and corrected when the call ends. A call whose bound exceeds the
limit itself is admitted when the whole minute's tokens are free; what it uses beyond them delays the calls after
it. Spend counts when a call ends: the calls that are in flight when a day's limit is reached may end above it. A key's
budget (limits/budgets.py) is stricter, and is refused in another way: waiting does not help soon, if ever.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from tokengate.core.clock import Clock, day_of
from tokengate.core.errors import RateLimited
from tokengate.core.money import write_yuan
from tokengate.core.periods import Period
from tokengate.limits.bucket import Bucket
from tokengate.limits.budgets import Allowance, Budget, Budgets
from tokengate.limits.headers import REQUESTS, TOKENS, Headers, rate_headers, write_duration

_SWEPT_PER_CALL = 2  # counters looked at per call; a call makes at most two, so the idle ones always run out
_BUSY_RETRY_US = 1_000_000  # nobody knows when a call in flight ends
_DAY_S = 86_400

Scope = str | tuple[str, str]  # a key, or a key and a model


class Limits(Protocol):
    """Four limits, each at least 1; None is no limit."""

    @property
    def requests_per_minute(self) -> int | None: ...
    @property
    def tokens_per_minute(self) -> int | None: ...
    @property
    def concurrency(self) -> int | None: ...
    @property
    def spend_per_day_nano(self) -> int | None: ...


class Caller(Protocol):
    """Who makes the call, with limits of their own."""

    @property
    def key_id(self) -> str: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def budget(self) -> Budget | None: ...


class Admission:
    """A call that may go on. `finish` must be called exactly once, however the call ends."""

    __slots__ = ("_admitted_us", "_charges", "_day", "_limiter", "allowance", "headers")

    def __init__(
        self,
        limiter: "Limiter | None",
        charges: "list[_Charge]",
        headers: Headers,
        day: int,
        admitted_us: int,
        allowance: Allowance | None = None,
    ) -> None:
        self.headers = headers  # the limits that are set, as they stand after this call was admitted
        self.allowance = allowance  # of a key with a budget: the call's hold must be taken from it
        self._limiter = limiter
        self._charges = charges
        self._day = day
        self._admitted_us = admitted_us

    def finish(self, tokens: int, cost_nano: int) -> None:
        """Say what the call used: all its tokens, and what its wallet paid."""
        if self.allowance is not None:
            self.allowance.end(cost_nano)
            self.allowance = None
        if self._limiter is None:
            return
        assert self._charges, "an admission is finished once"
        charges, self._charges = self._charges, []
        self._limiter.finish(charges, self._day, self._admitted_us, tokens, cost_nano)


_UNLIMITED = Admission(None, [], (), 0, 0)


class Limiter:
    """All counters of this process.

    `defaults` hold for every key that does not name the same limit itself; `model_limits` maps a model's id to
    what each key may ask of that model.
    """

    def __init__(self, clock: Clock, defaults: Limits, model_limits: Mapping[str, Limits] | None = None) -> None:
        self._now_s = clock.now_s
        self._monotonic_s = clock.monotonic_s
        self._defaults = defaults
        self._model_rules = {
            model_id: rules for model_id, limits in (model_limits or {}).items() if (rules := _rules(limits, limits))
        }
        self._counters: OrderedDict[Scope, _Counter] = OrderedDict()
        self._spent: dict[Scope, int] = {}
        self._budgets = Budgets(clock)
        self._day = 0
        self._day_ends_s = 0

    def __len__(self) -> int:
        """Return how many counters are kept, for metrics."""
        return len(self._counters)

    def admit(self, caller: Caller, model_id: str, tokens_bound: int) -> Admission:
        """Admit a call that will use at most `tokens_bound` tokens. Raises RateLimited, BudgetExhausted."""
        charges: list[_Charge] = []
        budget = caller.budget
        allowance = None if budget is None else self._budgets.allow(caller.key_id, budget)
        key_id = caller.key_id
        counter = self._counters.get(key_id)
        if counter is not None and counter.limits is caller.limits:
            charges.append(_Charge(key_id, counter, counter.rules, tokens_bound))
        elif key_rules := _rules(caller.limits, self._defaults):
            charges.append(self._charge(key_id, caller.limits, key_rules, tokens_bound))
        if self._model_rules and (model_rules := self._model_rules.get(model_id)):
            charges.append(self._charge((key_id, model_id), model_rules, model_rules, tokens_bound))
        if not charges:
            return _UNLIMITED if allowance is None else Admission(None, [], (), 0, 0, allowance)
        now_us = int(self._monotonic_s() * 1_000_000)
        self._turn_day()
        waits: list[tuple[int, str]] = []
        for charge in charges:
            self._add_waits(waits, charge, now_us)
        if not waits:
            for charge in charges:
                charge.make(now_us)
        if len(self._counters) > len(charges):
            self._sweep(now_us)
        if waits:
            raise _refusal(waits, charges, now_us)
        return Admission(self, charges, _headers(charges, now_us), self._day, now_us, allowance)

    def finish(self, charges: "list[_Charge]", day: int, admitted_us: int, tokens: int, cost_nano: int) -> None:
        """End a call, for its Admission. The cost counts for the day in which the call began."""
        now_us = int(self._monotonic_s() * 1_000_000)
        for charge in charges:
            charge.end(tokens, admitted_us, now_us)
            if charge.rules.spend_per_day_nano is not None:
                self._turn_day()
                if day == self._day:
                    self._spent[charge.scope] = self._spent.get(charge.scope, 0) + cost_nano

    def hold_for_job(self, job_id: str, key_id: str, nano: int, admission: Admission) -> None:
        """Let a job hold what its submission held of a budget; `end_job` must follow, here or in another process."""
        if admission.allowance is not None:
            admission.allowance.hold(0)
        self._budgets.hold_for_job(job_id, key_id, nano)

    def end_job(self, job_id: str, key_id: str, model_id: str, nano: int) -> None:
        """Count what a job has cost its key, when it ends. It counts for the day and the period in which it ends."""
        self._turn_day()
        scopes: list[Scope] = [key_id, (key_id, model_id)] if model_id in self._model_rules else [key_id]
        for scope in scopes:
            self._spent[scope] = self._spent.get(scope, 0) + nano
        self._budgets.end_job(job_id, key_id, nano)

    def load_spend(self, spent: Mapping[tuple[str, str], int], day: int) -> None:
        """Take over what (key, model) pairs have spent on `day` so far, as the usage records have it.

        Counts that are already higher stay: a record may lag behind the calls of this process.
        """
        self._turn_day()
        if day != self._day:
            return
        loaded: dict[Scope, int] = {}
        for (key_id, model_id), nano in spent.items():
            loaded[key_id] = loaded.get(key_id, 0) + nano
            if model_id in self._model_rules:
                loaded[(key_id, model_id)] = nano
        for scope, nano in loaded.items():
            self._spent[scope] = max(self._spent.get(scope, 0), nano)

    def load_budgets(self, spent: Mapping[tuple[str, Period], int]) -> None:
        """Take over what keys with a budget have spent in its period so far, as the usage records have it; what is
        not named has no budget any more. Counts that are already higher stay."""
        self._budgets.load(spent)

    def load_jobs(self, held: Iterable[tuple[str, str, int]]) -> None:
        """Take over what the jobs of all keys hold: job, key and amount of each."""
        self._budgets.load_jobs(held)

    def _charge(self, scope: Scope, limits: Limits, rules: "_Rules", tokens_bound: int) -> "_Charge":
        counter = self._counters.get(scope)
        if counter is None:
            counter = self._counters[scope] = _Counter(limits, rules)
        else:
            counter.limits, counter.rules = limits, rules
        return _Charge(scope, counter, rules, tokens_bound)

    def _add_waits(self, waits: list[tuple[int, str]], charge: "_Charge", now_us: int) -> None:
        """Add how long each limit that is reached keeps the call out, and which it is."""
        rules, counter = charge.rules, charge.counter
        limit = rules.requests_per_minute
        if limit is not None and (wait_us := counter.requests.wait_us(1, limit, now_us)):
            waits.append((wait_us, f"{limit} requests per minute for {charge.where()}"))
        limit = rules.tokens_per_minute
        if limit is not None and (wait_us := counter.tokens.wait_us(charge.tokens, limit, now_us)):
            asked = f"this call asks for up to {charge.tokens}"
            waits.append((wait_us, f"{limit} tokens per minute for {charge.where()}; {asked}"))
        limit = rules.concurrency
        if limit is not None and counter.in_flight >= limit:
            waits.append((_BUSY_RETRY_US, f"{limit} concurrent calls for {charge.where()}"))
        limit = rules.spend_per_day_nano
        if limit is not None and self._spent.get(charge.scope, 0) >= limit:
            wait_us = max(self._day_ends_s * 1_000_000 - int(self._now_s() * 1_000_000), 1)
            waits.append((wait_us, f"¥{write_yuan(limit)} of spend per UTC day for {charge.where()}"))

    def _turn_day(self) -> None:
        now_s = self._now_s()
        if now_s >= self._day_ends_s:
            self._day = day_of(now_s)
            self._day_ends_s = (int(now_s) // _DAY_S + 1) * _DAY_S
            self._spent.clear()

    def _sweep(self, now_us: int) -> None:
        """Look at the oldest counters: the idle ones go, the others to the end of the queue."""
        for _ in range(min(_SWEPT_PER_CALL, len(self._counters))):
            scope, counter = self._counters.popitem(last=False)
            if not counter.is_idle(now_us):
                self._counters[scope] = counter


class _Rules(NamedTuple):
    """Limits in force, at least one of them set."""

    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrency: int | None
    spend_per_day_nano: int | None


class _Counter:
    """What one scope has used lately, and the limits as they were named at its last call."""

    __slots__ = ("in_flight", "limits", "requests", "rules", "tokens")

    def __init__(self, limits: Limits, rules: _Rules) -> None:
        self.limits = limits
        self.rules = rules  # what `limits` come to
        self.requests = Bucket()
        self.tokens = Bucket()
        self.in_flight = 0

    def is_idle(self, now_us: int) -> bool:
        """Whether no call is in flight and both buckets have run empty."""
        if self.in_flight:
            return False
        requests, tokens, _, _ = self.rules
        return (requests is None or not self.requests.reset_us(requests, now_us)) and (
            tokens is None or not self.tokens.reset_us(tokens, now_us)
        )


class _Charge:
    """One call against one counter."""

    __slots__ = ("_height", "counter", "rules", "scope", "tokens")

    def __init__(self, scope: Scope, counter: _Counter, rules: _Rules, tokens_bound: int) -> None:
        self.scope = scope
        self.counter = counter
        self.rules = rules
        limit = rules.tokens_per_minute
        self.tokens = tokens_bound if limit is None or tokens_bound < limit else limit
        self._height = 0

    def where(self) -> str:
        """Return what the limits are for, in words."""
        return "this key" if isinstance(self.scope, str) else f"the model '{self.scope[1]}' with this key"

    def make(self, now_us: int) -> None:
        rules, counter = self.rules, self.counter
        counter.in_flight += 1
        if (limit := rules.requests_per_minute) is not None:
            counter.requests.charge(1, limit, now_us)
        if (limit := rules.tokens_per_minute) is not None:
            self._height = counter.tokens.charge(self.tokens, limit, now_us)

    def end(self, tokens: int, admitted_us: int, now_us: int) -> None:
        counter = self.counter
        counter.in_flight -= 1
        assert counter.in_flight >= 0
        if (limit := self.rules.tokens_per_minute) is not None:
            counter.tokens.correct(self.tokens, tokens, self._height, admitted_us, limit, now_us)


def _rules(own: Limits, defaults: Limits) -> _Rules | None:
    """Return each limit that is set, the key's own before the default; None when there is none at all."""
    requests = own.requests_per_minute
    tokens = own.tokens_per_minute
    concurrency = own.concurrency
    spend_nano = own.spend_per_day_nano
    if requests is None:
        requests = defaults.requests_per_minute
    if tokens is None:
        tokens = defaults.tokens_per_minute
    if concurrency is None:
        concurrency = defaults.concurrency
    if spend_nano is None:
        spend_nano = defaults.spend_per_day_nano
    if requests is None and tokens is None and concurrency is None and spend_nano is None:
        return None
    return _Rules(requests, tokens, concurrency, spend_nano)


def _refusal(waits: list[tuple[int, str]], charges: list[_Charge], now_us: int) -> RateLimited:
    """Refuse by the limit that takes longest to let the call pass, so that Retry-After can be trusted."""
    wait_us, sentence = max(waits)
    return RateLimited(
        f"Rate limit reached: {sentence}. Try again in {write_duration(wait_us)}.",
        retry_after_s=wait_us / 1_000_000,
        headers=_headers(charges, now_us),
    )


def _headers(charges: list[_Charge], now_us: int) -> Headers:
    """Return the headers of the limits that are set; of two limits of a kind, those of the tighter one."""
    requests = tokens = None
    for charge in charges:
        rules, counter = charge.rules, charge.counter
        if (limit := rules.requests_per_minute) is not None:
            left, reset_us = counter.requests.standing(limit, now_us)
            if requests is None or left < requests[1]:
                requests = (limit, left, reset_us)
        if (limit := rules.tokens_per_minute) is not None:
            left, reset_us = counter.tokens.standing(limit, now_us)
            if tokens is None or left < tokens[1]:
                tokens = (limit, left, reset_us)
    headers = rate_headers(REQUESTS, *requests) if requests else ()
    return headers + rate_headers(TOKENS, *tokens) if tokens else headers
