import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.gateway.parts import backend, call, target
from tests.support import FakeClock
from tokengate.core.errors import Unavailable, UpstreamFailed
from tokengate.gateway.attempt import first_answer
from tokengate.gateway.call import Attempt, Call
from tokengate.gateway.health import Policy, State
from tokengate.gateway.metrics import Metrics
from tokengate.gateway.route import Route, Target

Ask = Callable[[Target], Awaitable[str]]


def targets(clock: FakeClock, *names: str) -> list[Target]:
    return [
        target(backend(name, tier=tier), clock=clock, policy=Policy(failures=1)) for tier, name in enumerate(names, 1)
    ]


def asking(answers: dict[str, str | BaseException], clock: FakeClock) -> Ask:
    async def ask(of: Target) -> str:
        assert of.backend.in_flight == 1
        clock.advance(0.25)
        answer = answers[of.backend.name]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return ask


async def first(
    route: list[Target], ask: Ask, of: Call, clock: FakeClock, metrics: Metrics, *, may_retry: bool = True
) -> str:
    return await first_answer(of, Route(route), metrics, clock, ask, may_retry=lambda: may_retry)


async def test_the_first_backend_that_answers_is_taken(clock: FakeClock):
    of, metrics = call(), Metrics()
    route = targets(clock, "ill", "well", "spare")
    failure = UpstreamFailed("Status 500.", kind="status", upstream_status=500, upstream_request_id="req-vendor")

    answer = await first(route, asking({"ill": failure, "well": "hello"}, clock), of, clock, metrics)

    assert answer == "hello"
    assert of.upstream == "well"
    assert of.attempts == [
        Attempt("ill", "status", 250, 500, "req-vendor", "Status 500."),
        Attempt("well", "ok", 250),
    ]
    assert [one.breaker.snapshot().state for one in route] == [State.OPEN, State.CLOSED, State.CLOSED]
    assert [one.backend.in_flight for one in route] == [0, 0, 0]
    assert b'tokengate_upstream_errors_total{kind="status",upstream="ill"} 1.0' in metrics.text()


async def test_the_caller_s_own_fault_is_told_at_once_and_blames_nobody(clock: FakeClock):
    route = targets(clock, "first", "second")
    fault = UpstreamFailed("No such parameter.", kind="request", status=400)

    with pytest.raises(UpstreamFailed) as told:
        await first(route, asking({"first": fault}, clock), call(), clock, Metrics())

    assert told.value is fault and fault.backend == "first"
    assert route[0].breaker.snapshot().state is State.CLOSED


async def test_nobody_else_is_asked_once_the_caller_has_content(clock: FakeClock):
    cut = UpstreamFailed("Cut.", kind="cut")
    route = targets(clock, "first", "second")

    with pytest.raises(UpstreamFailed) as told:
        await first(route, asking({"first": cut}, clock), call(), clock, Metrics(), may_retry=False)

    assert told.value is cut


async def test_when_all_fail_the_last_failure_is_told(clock: FakeClock):
    failures = {name: UpstreamFailed(f"{name} failed.", kind="status") for name in ("one", "two")}

    with pytest.raises(UpstreamFailed, match=r"two failed\."):
        await first(targets(clock, "one", "two"), asking({**failures}, clock), call(), clock, Metrics())


async def test_a_busy_engine_is_not_ill_but_the_next_backend_is_asked(clock: FakeClock):
    route = targets(clock, "engine", "vendor")
    busy = Unavailable("It is being loaded.", code="model_loading")

    answer = await first(route, asking({"engine": busy, "vendor": "hello"}, clock), call(), clock, Metrics())

    assert answer == "hello"
    assert route[0].breaker.snapshot().state is State.CLOSED


async def test_a_busy_engine_alone_says_so_itself(clock: FakeClock):
    busy = Unavailable("It is being loaded.", code="model_loading")

    with pytest.raises(Unavailable) as told:
        await first(targets(clock, "engine"), asking({"engine": busy}, clock), call(), clock, Metrics())

    assert told.value.code == "model_loading"


async def test_without_any_healthy_backend_the_route_says_so(clock: FakeClock):
    route = targets(clock, "one")
    assert route[0].breaker.allow()
    route[0].breaker.failure("status")

    with pytest.raises(Unavailable) as told:
        await first(route, asking({}, clock), call(), clock, Metrics())

    assert told.value.code == "backends_cooling_down"


async def test_a_caller_who_leaves_says_nothing_about_the_backend_and_frees_its_probe(clock: FakeClock):
    route = targets(clock, "one")
    assert route[0].breaker.allow()
    route[0].breaker.failure("status")
    clock.advance(100)

    with pytest.raises(asyncio.CancelledError):
        await first(route, asking({"one": asyncio.CancelledError()}, clock), call(), clock, Metrics())

    assert route[0].backend.in_flight == 0
    assert route[0].breaker.allow(), "the next call may probe"
