"""The breaker, by example and against a slow model of the same rules."""

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import FakeClock
from tokengate.gateway.health import Breaker, Health, Policy, State

POLICY = Policy(failures=3, window=5, first_cooldown_s=10, max_cooldown_s=35, disabled_s=100, probe_s=60)


def opened(clock: FakeClock, retry_after_s: float | None = None) -> Breaker:
    breaker = Breaker("acme", "m", clock, POLICY)
    for _ in range(POLICY.failures):
        assert breaker.allow()
        breaker.failure("connect", retry_after_s)
    return breaker


def test_opens_at_n_failures_of_the_last_m(clock: FakeClock) -> None:
    breaker = Breaker("acme", "m", clock, POLICY)
    for outcome in "f.f..f.f":  # never three of five
        breaker.failure("cut") if outcome == "f" else breaker.success()
    assert breaker.allow()

    breaker.failure("cut")

    assert not breaker.allow()
    assert breaker.snapshot() == Health("acme", "m", State.OPEN, 3, 10, "cut", 1, answered=4, failed=5)


def test_one_probe_goes_through_after_the_cooldown(clock: FakeClock) -> None:
    breaker = opened(clock)
    clock.advance(9.9)
    assert not breaker.allow()
    clock.advance(0.2)

    assert [breaker.allow(), breaker.allow(), breaker.allow()] == [True, False, False]
    assert breaker.snapshot().state is State.HALF_OPEN


def test_probe_that_succeeds_closes(clock: FakeClock) -> None:
    breaker = opened(clock)
    clock.advance(10)
    breaker.allow()

    breaker.success()

    assert breaker.snapshot().state is State.CLOSED
    assert breaker.snapshot().failures == 0
    assert all(breaker.allow() for _ in range(5))


def test_cooldown_doubles_up_to_its_limit_and_starts_over_after_a_success(clock: FakeClock) -> None:
    breaker = opened(clock)
    seen: list[float] = []
    for _ in range(4):
        seen.append(breaker.cooldown_s())
        clock.advance(breaker.cooldown_s())
        assert breaker.allow()
        breaker.failure("timeout")
    assert seen == [10, 20, 35, 35]

    clock.advance(35)
    breaker.allow()
    breaker.success()
    for _ in range(3):
        breaker.failure("timeout")

    assert breaker.cooldown_s() == 10


def test_retry_after_is_the_cooldown(clock: FakeClock) -> None:
    assert opened(clock, retry_after_s=2.5).cooldown_s() == 2.5
    assert opened(clock, retry_after_s=86_400).cooldown_s() == POLICY.max_cooldown_s


def test_callers_fault_does_not_count_and_shows_a_backend_that_works(clock: FakeClock) -> None:
    breaker = Breaker("acme", "m", clock, POLICY)
    for _ in range(20):
        breaker.failure("request")
    assert breaker.snapshot().state is State.CLOSED

    breaker = opened(clock)
    clock.advance(10)
    breaker.allow()
    breaker.failure("request")

    assert breaker.snapshot().state is State.CLOSED


def test_refused_credential_disables_at_once_with_an_alarm(clock: FakeClock) -> None:
    changes: list[Health] = []
    breaker = Breaker("acme", "m", clock, POLICY, changes.append)

    breaker.failure("auth")
    breaker.failure("auth")

    assert [(change.state, change.last_failure, change.opened) for change in changes] == [(State.DISABLED, "auth", 1)]
    assert (breaker.allow(), breaker.cooldown_s()) == (False, 100)


def test_disabled_backend_is_probed_after_a_long_time_or_closed_by_hand(clock: FakeClock) -> None:
    breaker = Breaker("acme", "m", clock, POLICY)
    breaker.failure("quota")
    clock.advance(100)
    assert breaker.allow()
    breaker.failure("quota")
    assert breaker.snapshot().state is State.DISABLED

    breaker.reset()

    assert breaker.allow()
    assert breaker.snapshot().state is State.CLOSED


def test_probe_that_is_forgotten_makes_room_for_another(clock: FakeClock) -> None:
    breaker = opened(clock)
    clock.advance(10)
    breaker.allow()

    breaker.forget()

    assert breaker.allow()


def test_probe_that_never_ends_is_given_up(clock: FakeClock) -> None:
    breaker = opened(clock)
    clock.advance(10)
    breaker.allow()
    assert not breaker.allow()

    clock.advance(60)

    assert breaker.allow()


def test_late_outcomes_of_calls_from_before_do_not_move_an_open_breaker(clock: FakeClock) -> None:
    breaker = opened(clock)

    breaker.success()
    breaker.failure("cut", 30)

    assert (breaker.snapshot().state, breaker.cooldown_s(), breaker.snapshot().opened) == (State.OPEN, 10, 1)


class Oracle:
    """The same rules, written with a list and no thought for speed; for calls that end before the next begins."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.outcomes: deque[bool] = deque(maxlen=POLICY.window)
        self.state = "closed"
        self.until_s = 0.0
        self.trips = 0

    def allow(self) -> bool:
        if self.state == "closed":
            return True
        if self.clock.monotonic_s() < self.until_s:
            return False
        self.state = "half-open"
        return True

    def end(self, kind: str, retry_after_s: float | None) -> None:
        if kind in ("ok", "request"):
            if self.state == "half-open":
                self.outcomes.clear()
                self.trips = 0
                self.state = "closed"
            else:
                self.outcomes.append(False)
        elif kind in ("auth", "quota"):
            self.state, self.until_s = "disabled", self.clock.monotonic_s() + POLICY.disabled_s
        else:
            if self.state == "closed":
                self.outcomes.append(True)
            if self.state == "half-open" or sum(self.outcomes) >= POLICY.failures:
                self.state, self.until_s = "open", self.clock.monotonic_s() + self.cooldown_s(retry_after_s)

    def cooldown_s(self, retry_after_s: float | None) -> float:
        if retry_after_s is not None:
            return min(retry_after_s, POLICY.max_cooldown_s)
        self.trips += 1
        return min(POLICY.first_cooldown_s * 2 ** (self.trips - 1), POLICY.max_cooldown_s)


steps = st.tuples(
    st.sampled_from([0.0, 0.0, 0.0, 1.0, 5.0, 11.0, 36.0, 101.0]),
    st.sampled_from(
        ["ok", "ok", "request", "connect", "timeout", "cut", "status", "limited", "empty", "auth", "quota"]
    ),
    st.sampled_from([None, None, 0.0, 3.0, 50.0]),
)


@settings(max_examples=200)
@given(st.lists(steps, max_size=60))
def test_breaker_agrees_with_its_oracle(sequence: list[tuple[float, str, float | None]]) -> None:
    clock = FakeClock()
    breaker, oracle = Breaker("acme", "m", clock, POLICY), Oracle(clock)
    for wait_s, kind, retry_after_s in sequence:
        clock.advance(wait_s)

        allowed = breaker.allow()

        assert allowed == oracle.allow()
        if allowed:
            breaker.success() if kind == "ok" else breaker.failure(kind, retry_after_s)
            oracle.end(kind, retry_after_s)
        now = breaker.snapshot()
        assert now.state.value == oracle.state
        assert now.cooldown_s <= POLICY.disabled_s
        assert (now.cooldown_s == 0) == breaker_lets_through(oracle)


def breaker_lets_through(oracle: Oracle) -> bool:
    return oracle.state == "closed" or oracle.clock.monotonic_s() >= oracle.until_s


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["allow", "ok", "cut", "auth", "forget", "wait"]), max_size=80))
def test_open_breaker_lets_one_call_through_per_cooldown_or_probe(events: list[str]) -> None:
    """Whatever overlaps: between two admissions of a breaker that is not closed, time passed or an outcome came."""
    clock = FakeClock()
    breaker = opened(clock)
    quiet = False  # one was let through, and nothing happened since
    for event in events:
        match event:
            case "allow":
                before = breaker.snapshot().state
                admitted = breaker.allow()
                if before is not State.CLOSED:
                    assert not (admitted and quiet)
                    quiet = quiet or admitted
            case "wait":
                clock.advance(10)
                quiet = False
            case "ok":
                breaker.success()
                quiet = False
            case "forget":
                breaker.forget()
                quiet = False
            case kind:
                breaker.failure(kind)
                quiet = False
