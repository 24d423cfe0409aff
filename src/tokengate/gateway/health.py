"""A breaker for each pair of backend and model: who may be asked now, judged by how the last calls ended.

    closed     calls go through; `failures` of the last `window` outcomes open it
    open       no call goes through until the cooldown ends, which is Retry-After when the backend names one and
               doubles otherwise
    half-open  one call goes through as a probe; its success closes, its failure opens again
    disabled   the vendor refused our credential or account: as open, for longer, and an alarm

Calls that fail by their caller's fault show a backend that works. Every method is constant work.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from msgspec import Struct

from tokengate.core.clock import Clock

# How a call failed when the caller's request was at fault, and when the operator's credential or account was.
_CALLERS_FAULT: Final = frozenset({"request"})
_OPERATORS_FAULT: Final = frozenset({"auth", "quota"})


class State(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    DISABLED = "disabled"


class Policy(Struct, frozen=True):
    """When a breaker opens, and for how long."""

    failures: int = 5
    window: int = 10
    first_cooldown_s: float = 5.0
    max_cooldown_s: float = 300.0
    disabled_s: float = 600.0
    probe_s: float = 60.0  # a probe that says nothing for so long does not keep others waiting


class Health(Struct, frozen=True):
    """A breaker at one moment, for people and metrics."""

    backend: str
    model: str
    state: State
    failures: int  # among the last outcomes
    cooldown_s: float  # until the next call may go through; 0 when one may now
    last_failure: str  # its kind; empty for none
    opened: int  # times since the start
    answered: int  # calls since the start, also those that their caller had got wrong
    failed: int  # calls since the start


class Breaker:
    """The health of one backend for one model. `on_change` is told of each change of state."""

    __slots__ = (
        "_answered",
        "_clock",
        "_cooldown_s",
        "_failed",
        "_last_failure",
        "_on_change",
        "_opened",
        "_outcomes",
        "_policy",
        "_state",
        "_until_s",
        "backend",
        "model",
    )

    def __init__(
        self,
        backend: str,
        model: str,
        clock: Clock,
        policy: Policy = Policy(),  # noqa: B008 - frozen
        on_change: Callable[[Health], None] | None = None,
    ) -> None:
        self.backend = backend
        self.model = model
        self._clock = clock
        self._policy = policy
        self._on_change = on_change
        self._state = State.CLOSED
        self._outcomes = 0  # the last `window` as bits, the newest lowest, 1 for a failure
        self._cooldown_s = policy.first_cooldown_s
        self._until_s = 0.0  # open, disabled: the cooldown's end; half-open: when the probe is given up
        self._last_failure = ""
        self._opened = 0
        self._answered = 0
        self._failed = 0

    def allow(self) -> bool:
        """Say whether a call may go through now. Exactly one of success, failure or forget must follow."""
        if self._state is State.CLOSED:
            return True
        now_s = self._clock.monotonic_s()
        if now_s < self._until_s:
            return False
        self._until_s = now_s + self._policy.probe_s
        self._change(State.HALF_OPEN)
        return True

    def success(self) -> None:
        """Note a call that was answered. One that began before the breaker opened only counts."""
        self._answered += 1
        if self._state is State.CLOSED:
            if self._outcomes:
                self._push(failed=False)
        elif self._state is State.HALF_OPEN:
            self._outcomes = 0
            self._cooldown_s = self._policy.first_cooldown_s
            self._change(State.CLOSED)

    def failure(self, kind: str, retry_after_s: float | None = None) -> None:
        """Note a call that failed, by the kind of its UpstreamFailed."""
        if kind in _CALLERS_FAULT:
            self.success()
            return
        self._failed += 1
        self._last_failure = kind
        if self._state is State.DISABLED:
            return
        if kind in _OPERATORS_FAULT:
            self._open(State.DISABLED, self._policy.disabled_s)
        elif self._state is State.HALF_OPEN:
            self._open(State.OPEN, self._next_cooldown_s(retry_after_s))
        elif self._state is State.CLOSED:
            self._push(failed=True)
            if self._outcomes.bit_count() >= self._policy.failures:
                self._open(State.OPEN, self._next_cooldown_s(retry_after_s))

    def forget(self) -> None:
        """Note a call whose end says nothing about the backend, such as a caller who left."""
        if self._state is State.HALF_OPEN:
            self._until_s = self._clock.monotonic_s()

    def reset(self) -> None:
        """Close it: the operator changed what was wrong."""
        self._outcomes = 0
        self._cooldown_s = self._policy.first_cooldown_s
        self._change(State.CLOSED)

    def cooldown_s(self) -> float:
        """Return how long until a call may go through; 0 when one may now."""
        if self._state is State.CLOSED:
            return 0.0
        return max(self._until_s - self._clock.monotonic_s(), 0.0)

    def snapshot(self) -> Health:
        """Return how it stands."""
        return Health(
            backend=self.backend,
            model=self.model,
            state=self._state,
            failures=self._outcomes.bit_count(),
            cooldown_s=self.cooldown_s(),
            last_failure=self._last_failure,
            opened=self._opened,
            answered=self._answered,
            failed=self._failed,
        )

    def _push(self, *, failed: bool) -> None:
        self._outcomes = (self._outcomes << 1 | failed) & ((1 << self._policy.window) - 1)

    def _next_cooldown_s(self, retry_after_s: float | None) -> float:
        """Return this cooldown, and double the next. A backend's own word is kept to, below the same limit."""
        if retry_after_s is not None:
            return min(retry_after_s, self._policy.max_cooldown_s)
        cooldown_s = self._cooldown_s
        self._cooldown_s = min(2 * cooldown_s, self._policy.max_cooldown_s)
        return cooldown_s

    def _open(self, state: State, cooldown_s: float) -> None:
        self._until_s = self._clock.monotonic_s() + cooldown_s
        self._opened += 1
        self._change(state)

    def _change(self, state: State) -> None:
        if state is self._state:
            return
        self._state = state
        if self._on_change is not None:
            self._on_change(self.snapshot())
