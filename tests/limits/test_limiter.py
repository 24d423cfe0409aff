import pytest

from tests.support import FakeClock
from tokengate.accounts.keys import NO_LIMITS, Budget, KeyLimits, Principal
from tokengate.core.clock import day_of
from tokengate.core.errors import BudgetExhausted, RateLimited
from tokengate.core.periods import Period
from tokengate.limits.limiter import Limiter

YUAN = 1_000_000_000


def caller(key_id: str = "key_1", **limits: int) -> Principal:
    return Principal(key_id, "name", "org", "proj", "wal", KeyLimits(**limits))


def test_a_key_without_limits_costs_nothing_and_leaves_nothing(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)

    first, second = limiter.admit(caller(), "m", 100), limiter.admit(caller("key_2"), "m", 100)
    first.finish(100, YUAN)
    second.finish(100, YUAN)

    assert first is second
    assert first.headers == ()
    assert len(limiter) == 0


def test_requests_per_minute_are_refused_with_the_exact_wait(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    key = caller(requests_per_minute=3)
    for _ in range(3):
        limiter.admit(key, "m", 0).finish(0, 0)

    with pytest.raises(RateLimited) as refused:
        limiter.admit(key, "m", 0)

    assert refused.value.retry_after_s == 20
    assert refused.value.message == "Rate limit reached: 3 requests per minute for this key. Try again in 20s."
    assert dict(refused.value.headers) == {
        "x-ratelimit-limit-requests": "3",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m0s",
    }
    clock.advance(20)
    limiter.admit(key, "m", 0)


def test_a_refused_call_is_not_counted(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    key = caller(requests_per_minute=1, tokens_per_minute=100)
    limiter.admit(key, "m", 10).finish(10, 0)
    for _ in range(50):
        with pytest.raises(RateLimited):
            limiter.admit(key, "m", 10)

    clock.advance(60)
    admission = limiter.admit(key, "m", 100)

    assert dict(admission.headers)["x-ratelimit-remaining-tokens"] == "0"


def test_headers_tell_what_is_left_after_the_call_and_only_of_limits_that_are_set(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)

    admission = limiter.admit(caller(requests_per_minute=60, tokens_per_minute=6_000), "m", 1_500)

    assert admission.headers == (
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "59"),
        ("x-ratelimit-reset-requests", "1s"),
        ("x-ratelimit-limit-tokens", "6000"),
        ("x-ratelimit-remaining-tokens", "4500"),
        ("x-ratelimit-reset-tokens", "15s"),
    )
    assert limiter.admit(caller("key_2", concurrency=1), "m", 1_500).headers == ()


def test_tokens_are_charged_by_their_bound_and_corrected_at_the_end(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    key = caller(tokens_per_minute=1_000)
    running = limiter.admit(key, "m", 900)
    with pytest.raises(RateLimited, match="1000 tokens per minute") as refused:
        limiter.admit(key, "m", 200)
    assert refused.value.retry_after_s == 6

    running.finish(50, 0)

    assert dict(limiter.admit(key, "m", 200).headers)["x-ratelimit-remaining-tokens"] == "750"


def test_a_call_above_the_token_limit_passes_alone_and_delays_the_next_by_what_it_used(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    key = caller(tokens_per_minute=1_000)
    limiter.admit(key, "m", 1).finish(1, 0)
    with pytest.raises(RateLimited):
        limiter.admit(key, "m", 50_000)
    clock.advance(1)

    limiter.admit(key, "m", 50_000).finish(3_000, 0)

    with pytest.raises(RateLimited) as refused:
        limiter.admit(key, "m", 1_000)
    assert refused.value.retry_after_s == 180


def test_concurrent_calls_are_counted_until_they_finish(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    key = caller(concurrency=2)
    first = limiter.admit(key, "m", 0)
    limiter.admit(key, "other", 0)
    with pytest.raises(RateLimited, match="2 concurrent calls for this key") as refused:
        limiter.admit(key, "m", 0)
    assert refused.value.retry_after_s == 1

    first.finish(0, 0)

    limiter.admit(key, "m", 0)


def test_an_admission_is_finished_once(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    admission = limiter.admit(caller(concurrency=2), "m", 0)
    admission.finish(0, 0)

    with pytest.raises(AssertionError):
        admission.finish(0, 0)


def test_spend_is_refused_until_the_utc_day_ends(clock: FakeClock):
    clock.advance(86_400 - clock.now_s() % 86_400 + 3_600)  # one in the morning
    limiter = Limiter(clock, NO_LIMITS)
    key = caller(spend_per_day_nano=2 * YUAN)
    limiter.admit(key, "m", 0).finish(0, YUAN)
    limiter.admit(key, "m", 0).finish(0, YUAN)

    with pytest.raises(RateLimited, match="¥2 of spend per UTC day for this key") as refused:
        limiter.admit(key, "m", 0)

    assert refused.value.retry_after_s == 23 * 3_600
    clock.advance(23 * 3_600)
    limiter.admit(key, "m", 0)


def test_a_call_across_midnight_counts_for_the_day_in_which_it_began(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    key = caller(spend_per_day_nano=YUAN)
    running = limiter.admit(key, "m", 0)
    clock.advance(86_400)
    limiter.admit(key, "m", 0)

    running.finish(0, 5 * YUAN)

    limiter.admit(key, "m", 0)


def test_spend_of_the_day_is_taken_over_at_start_and_never_lowered(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS, {"dear": KeyLimits(spend_per_day_nano=3 * YUAN)})
    today = day_of(clock.now_s())
    limiter.load_spend({("key_1", "m"): YUAN, ("key_1", "dear"): 3 * YUAN, ("key_2", "m"): 9 * YUAN}, today)
    with pytest.raises(RateLimited, match="this key"):
        limiter.admit(caller("key_1", spend_per_day_nano=4 * YUAN), "m", 0)
    with pytest.raises(RateLimited, match="'dear'"):
        limiter.admit(caller("key_1"), "dear", 0)

    limiter.load_spend({("key_2", "m"): YUAN}, today)
    limiter.load_spend({("key_3", "m"): YUAN}, today - 1)

    with pytest.raises(RateLimited):
        limiter.admit(caller("key_2", spend_per_day_nano=2 * YUAN), "m", 0)
    limiter.admit(caller("key_3", spend_per_day_nano=YUAN), "m", 0)


def test_a_keys_own_limit_wins_over_the_default_one_by_one(clock: FakeClock):
    limiter = Limiter(clock, KeyLimits(requests_per_minute=1, concurrency=1))
    key = caller(requests_per_minute=10)
    running = limiter.admit(key, "m", 0)
    with pytest.raises(RateLimited, match="1 concurrent calls"):
        limiter.admit(key, "m", 0)
    running.finish(0, 0)

    limiter.admit(key, "m", 0).finish(0, 0)

    limiter.admit(caller("key_2"), "m", 0).finish(0, 0)
    with pytest.raises(RateLimited, match="1 requests per minute"):
        limiter.admit(caller("key_2"), "m", 0)


def test_a_models_limit_holds_per_key_and_leaves_other_models_alone(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS, {"m": KeyLimits(requests_per_minute=1)})
    limiter.admit(caller("key_1"), "m", 0).finish(0, 0)

    with pytest.raises(RateLimited, match="1 requests per minute for the model 'm' with this key"):
        limiter.admit(caller("key_1"), "m", 0)

    limiter.admit(caller("key_2"), "m", 0).finish(0, 0)
    limiter.admit(caller("key_1"), "other", 0).finish(0, 0)


def test_of_several_limits_the_longest_wait_is_told_and_the_tightest_headers(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS, {"m": KeyLimits(requests_per_minute=2)})
    key = caller(requests_per_minute=60, concurrency=2)
    limiter.admit(key, "m", 0)
    admission = limiter.admit(key, "m", 0)
    assert dict(admission.headers)["x-ratelimit-remaining-requests"] == "0"
    assert dict(admission.headers)["x-ratelimit-limit-requests"] == "2"

    with pytest.raises(RateLimited, match="2 requests per minute for the model 'm'") as refused:
        limiter.admit(key, "m", 0)

    assert refused.value.retry_after_s == 30


def test_idle_counters_are_dropped_and_busy_ones_kept(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    busy = limiter.admit(caller("busy", concurrency=1), "m", 0)
    for number in range(1_000):
        limiter.admit(caller(f"key_{number}", requests_per_minute=600), "m", 0).finish(0, 0)
    assert len(limiter) == 1_001
    clock.advance(60)

    for _ in range(600):
        limiter.admit(caller("other", requests_per_minute=10_000), "m", 0).finish(0, 0)

    assert len(limiter) == 2
    with pytest.raises(RateLimited):
        limiter.admit(caller("busy", concurrency=1), "m", 0)
    busy.finish(0, 0)


def test_a_counter_is_not_dropped_before_its_minute_is_over(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    key = caller("key", requests_per_minute=1)
    limiter.admit(key, "m", 0).finish(0, 0)
    clock.advance(59)

    for number in range(100):
        limiter.admit(caller(f"key_{number}", requests_per_minute=1), "m", 0).finish(0, 0)

    with pytest.raises(RateLimited):
        limiter.admit(key, "m", 0)


def budgeted(nano: int, period: Period = "month") -> Principal:
    return Principal("key_1", "name", "org", "proj", "wal", budget=Budget(nano, period))


def test_a_budget_that_is_spent_refuses_until_its_period_ends(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    key = budgeted(2 * YUAN, "day")
    for _ in range(2):
        limiter.admit(key, "m", 0).finish(10, YUAN)

    with pytest.raises(BudgetExhausted, match=r"¥2 per day\. It begins anew at 2026-11-19 00:00 UTC") as refused:
        limiter.admit(key, "m", 0)

    assert (refused.value.status, refused.value.code) == (402, "budget_exhausted")
    limiter.admit(Principal("key_2", "other", "org", "proj", "wal"), "m", 0)
    clock.advance(86_400)
    limiter.admit(key, "m", 0)


def test_a_budget_without_a_period_never_begins_anew(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    limiter.admit(budgeted(YUAN, "never"), "m", 0).finish(1, YUAN)
    clock.advance(400 * 86_400)

    with pytest.raises(BudgetExhausted, match=r"budget of ¥1\.$"):
        limiter.admit(budgeted(YUAN, "never"), "m", 0)


def test_a_call_counts_for_the_period_in_which_it_began(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    key = budgeted(YUAN, "day")
    late = limiter.admit(key, "m", 0)
    clock.advance(86_400)
    limiter.admit(key, "m", 0).finish(0, 0)

    late.finish(1, YUAN)

    limiter.admit(key, "m", 0)


def test_a_budget_and_limits_hold_together(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    key = Principal("key_1", "n", "org", "proj", "wal", KeyLimits(requests_per_minute=1), budget=Budget(YUAN, "month"))
    admission = limiter.admit(key, "m", 0)
    assert dict(admission.headers)["x-ratelimit-limit-requests"] == "1"
    admission.finish(1, YUAN)

    clock.advance(60)

    with pytest.raises(BudgetExhausted):
        limiter.admit(key, "m", 0)


def test_what_was_spent_before_the_start_is_taken_over_and_forgotten_with_the_budget(clock: FakeClock):
    limiter = Limiter(clock, NO_LIMITS)
    limiter.load_budgets({("key_1", "month"): YUAN})
    with pytest.raises(BudgetExhausted):
        limiter.admit(budgeted(YUAN), "m", 0)
    running = limiter.admit(budgeted(2 * YUAN), "m", 0)

    limiter.load_budgets({("key_1", "month"): YUAN // 2})  # records lag behind
    running.finish(1, YUAN)

    with pytest.raises(BudgetExhausted):
        limiter.admit(budgeted(2 * YUAN), "m", 0)
    limiter.load_budgets({})
    limiter.admit(budgeted(YUAN), "m", 0)
