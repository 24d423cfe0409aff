from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tokengate.limits.bucket import Bucket

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US


def test_a_full_burst_passes_and_then_one_call_per_interval():
    bucket = Bucket()

    for _ in range(60):
        assert bucket.wait_us(1, 60, 0) == 0
        bucket.charge(1, 60, 0)

    assert bucket.wait_us(1, 60, 0) == SECOND_US
    assert bucket.wait_us(1, 60, SECOND_US - 1) == 1
    assert bucket.wait_us(1, 60, SECOND_US) == 0


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(1, 10_000_000),
    calls=st.lists(st.tuples(st.integers(0, 5 * MINUTE_US), st.integers(1, 10_000_000)), max_size=30),
)
def test_the_wait_it_tells_is_enough_and_not_a_microsecond_too_long(limit: int, calls: list[tuple[int, int]]):
    bucket, now_us = Bucket(), 0
    for pause_us, wanted in calls:
        now_us += pause_us
        amount = min(wanted, limit)

        wait_us = bucket.wait_us(amount, limit, now_us)

        if wait_us:
            assert bucket.wait_us(amount, limit, now_us + wait_us - 1) == 1
            now_us += wait_us
        assert bucket.wait_us(amount, limit, now_us) == 0
        bucket.charge(amount, limit, now_us)


@settings(max_examples=60, deadline=None)
@given(limit=st.integers(1, 1000), pauses_us=st.lists(st.integers(0, 20 * SECOND_US), min_size=1, max_size=200))
def test_no_stretch_of_time_sees_more_than_a_burst_and_its_refill(limit: int, pauses_us: list[int]):
    bucket, now_us = Bucket(), 0
    admitted_us: list[int] = []

    for pause_us in pauses_us:
        now_us += pause_us
        if not bucket.wait_us(1, limit, now_us):
            bucket.charge(1, limit, now_us)
            admitted_us.append(now_us)

    for first, start_us in enumerate(admitted_us):
        for count, at_us in enumerate(admitted_us[first:], start=1):
            assert count * MINUTE_US <= limit * (MINUTE_US + at_us - start_us)


def test_a_limit_that_does_not_divide_a_minute_does_not_drift():
    bucket, now_us = Bucket(), 0
    for _ in range(7):
        bucket.charge(1, 7, now_us)

    for _ in range(7 * 1000):
        now_us += bucket.wait_us(1, 7, now_us)
        bucket.charge(1, 7, now_us)

    # 7 calls a minute for 1000 minutes: each wait is rounded up by less than a microsecond.
    assert 0 <= now_us - 1000 * MINUTE_US <= 7
    assert bucket.reset_us(7, now_us) <= MINUTE_US


def test_a_correction_at_once_gives_back_what_was_not_used():
    bucket = Bucket()
    height = bucket.charge(1000, 1000, 0)

    bucket.correct(1000, 10, height, 0, 1000, 0)

    assert bucket.standing(1000, 0)[0] == 990


def test_a_correction_gives_back_nothing_that_leaked_away_meanwhile():
    bucket = Bucket()
    height = bucket.charge(600, 1000, 0)
    later_us = 36 * SECOND_US  # the 600 have just leaked away
    bucket.charge(500, 1000, later_us)

    bucket.correct(600, 0, height, 0, 1000, later_us)

    assert bucket.standing(1000, later_us)[0] == 500


def test_a_correction_upwards_delays_the_next_call():
    bucket = Bucket()
    height = bucket.charge(100, 100, 0)

    bucket.correct(100, 300, height, 0, 100, 0)

    assert bucket.standing(100, 0)[0] == 0
    assert bucket.wait_us(100, 100, 0) == 3 * MINUTE_US


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(1, 1000),
    calls=st.lists(st.tuples(st.integers(0, MINUTE_US), st.integers(0, 1000), st.integers(0, 2000)), max_size=20),
    order=st.randoms(use_true_random=False),
)
def test_corrections_in_any_order_leave_no_debt_for_ever_and_no_credit(
    limit: int, calls: list[tuple[int, int, int]], order: Random
):
    bucket, now_us = Bucket(), 0
    open_calls: list[tuple[int, int, int, int]] = []
    for pause_us, bound, actual in calls:
        now_us += pause_us
        open_calls.append((bound, actual, bucket.charge(bound, limit, now_us), now_us))
    order.shuffle(open_calls)

    for bound, actual, height, charged_us in open_calls:
        bucket.correct(bound, actual, height, charged_us, limit, now_us)
        assert 0 <= bucket.standing(limit, now_us)[0] <= limit

    used = sum(max(bound, actual) for bound, actual, _, _ in open_calls)
    assert bucket.reset_us(limit, now_us) <= -(-used * MINUTE_US // limit)


def test_a_limit_may_change_between_two_calls():
    bucket = Bucket()
    for _ in range(10):
        bucket.charge(1, 10, 0)

    assert bucket.standing(100, 0)[0] == 90
    assert bucket.wait_us(1, 5, 0) == 6 * MINUTE_US // 5
