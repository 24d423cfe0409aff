import random
from collections import Counter

import pytest

from tests.gateway.parts import backend, target
from tests.support import FakeClock
from tokengate.gateway.health import Policy
from tokengate.gateway.route import Route, Target

POLICY = Policy(failures=1, window=1, first_cooldown_s=10)


def names(route: Route) -> list[str]:
    return [one.backend.name for one in route.order()]


def open_breaker(of: Target) -> None:
    assert of.breaker.allow()
    of.breaker.failure("status")


def test_tiers_are_tried_in_their_order():
    route = Route([target(backend(name, tier=tier)) for name, tier in (("third", 9), ("first", 1), ("second", 2))])

    assert names(route) == ["first", "second", "third"]


def test_every_backend_of_a_tier_has_its_turn_before_the_next_tier():
    route = Route([target(backend(name, tier=tier)) for name, tier in (("a", 1), ("b", 1), ("c", 2), ("d", 1))])

    order = names(route)

    assert sorted(order[:3]) == ["a", "b", "d"]
    assert order[3] == "c"


def test_weights_share_the_calls_of_a_tier():
    random.seed(4)
    route = Route([target(backend("heavy", weight=3)), target(backend("light", weight=1))])

    first = Counter(next(iter(route.order())).backend.name for _ in range(4_000))

    assert first["heavy"] == pytest.approx(3_000, abs=150)


def test_a_backend_whose_breaker_is_open_is_left_out(clock: FakeClock):
    ill = target(backend("ill"), clock=clock, policy=POLICY)
    well = target(backend("well", tier=2), clock=clock)
    open_breaker(ill)

    assert names(Route([ill, well])) == ["well"]

    clock.advance(10)

    assert names(Route([ill, well])) == ["ill", "well"]


def test_a_single_backend_is_left_out_too(clock: FakeClock):
    ill = target(clock=clock, policy=POLICY)
    open_breaker(ill)

    assert names(Route([ill])) == []


def test_a_breaker_is_asked_only_when_its_turn_comes(clock: FakeClock):
    """The permission for a probe would be lost on a backend that is never asked."""
    spare = target(backend("spare", tier=2), clock=clock, policy=POLICY)
    open_breaker(spare)
    clock.advance(10)

    next(iter(Route([target(), spare]).order()))

    assert spare.breaker.allow(), "its one probe is still to be had"


def test_a_route_without_a_healthy_backend_says_when_to_come_back(clock: FakeClock):
    soon, late = (target(clock=clock, policy=Policy(failures=1, first_cooldown_s=wait_s)) for wait_s in (3, 60))
    open_breaker(soon)
    open_breaker(late)

    refusal = Route([late, soon]).unavailable("qwen3")

    assert (refusal.status, refusal.code, refusal.retry_after_s) == (503, "backends_cooling_down", 3)
    assert "'qwen3'" in refusal.message and "3 s" in refusal.message
