"""Tries the targets of a route in order until one answers; the next is tried only while nothing that the caller
would keep has reached them.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tokengate.core.clock import Clock
from tokengate.core.errors import Unavailable, Unsupported, UpstreamFailed
from tokengate.core.http import Exchange
from tokengate.gateway.adapt import reaches
from tokengate.gateway.adapter import Adapter
from tokengate.gateway.call import Attempt, Call
from tokengate.gateway.metrics import Metrics
from tokengate.gateway.route import Route, Target

T = TypeVar("T")

_MAX_FAILURE_BYTES = 64 * 1024  # of a vendor's error body
_MAX_ERROR = 500  # characters of a failed attempt's message kept in the record


async def first_answer(
    call: Call,
    route: Route,
    metrics: Metrics,
    clock: Clock,
    ask: Callable[[Target], Awaitable[T]],
    may_retry: Callable[[], bool],
) -> T:
    """Return the first answer. Raises the last failure, or Unavailable when every breaker is open."""
    last: UpstreamFailed | Unavailable | Unsupported | None = None
    for target in route.order():
        if not reaches(call.operation, target, call.model.kind):
            target.breaker.forget()
            continue
        call.begin(target)
        started_s = clock.monotonic_s()
        target.backend.in_flight += 1
        try:
            answer = await ask(target)
        except UpstreamFailed as failure:
            failure.backend = target.backend.name
            target.breaker.failure(failure.kind, failure.retry_after_s)
            metrics.upstream_error(target.backend.name, failure.kind)
            _note(call, target, started_s, clock, failure)
            if not failure.retryable or not may_retry():
                raise
            last = failure
        except (Unavailable, Unsupported) as unable:  # an engine that is loading or full; a format without the words
            target.breaker.forget()
            last = unable
        except BaseException:
            target.breaker.forget()
            raise
        else:
            target.breaker.success()
            _note(call, target, started_s, clock, None)
            return answer
        finally:
            target.backend.in_flight -= 1
    raise last or route.unavailable(call.model.id)


async def send(call: Call, target: Target, adapter: Adapter) -> Exchange:
    """Send a request; return once a 200 head has arrived. Raises UpstreamFailed in the vendor's words."""
    backend = target.backend
    call.dropped = adapter.dropped
    exchange = await backend.transport.send(backend.request(adapter.path, adapter.body, adapter.headers))
    if exchange.status == 200:
        call.reply_headers = exchange.headers
        call.reply_type = exchange.headers.get("content-type", "")
        return exchange
    try:
        failure = await exchange.read(_MAX_FAILURE_BYTES)
    finally:
        exchange.close()
    raise backend.provider.failure(exchange.status, exchange.headers, failure, credential=backend.credential)


def _note(call: Call, target: Target, started_s: float, clock: Clock, failure: UpstreamFailed | None) -> None:
    attempt = Attempt(
        upstream=target.backend.name,
        outcome="ok" if failure is None else failure.kind,
        ms=int((clock.monotonic_s() - started_s) * 1000),
    )
    if failure is not None:
        attempt.status = failure.upstream_status
        attempt.upstream_request_id = failure.upstream_request_id
        attempt.error = failure.message[:_MAX_ERROR]
    call.attempts.append(attempt)
