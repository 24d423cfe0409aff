"""The upstreams and how they are doing, for operators: what the gateway that answers has seen of them."""

from typing import Literal

from litestar import Controller, get
from msgspec import Struct

from tokengate.gateway.backends import BackendState
from tokengate.gateway.health import Health, State
from tokengate.web.console_api.access import OPERATOR
from tokengate.web.console_api.given import Services
from tokengate.web.console_api.shapes import Page


class OfferedModel(Struct, frozen=True):
    """A model of an upstream. `failures` are among its last ten calls; `answered` and `failed` count all calls since
    the gateway started. `open_until_ms` is when the next call may go through, null when one may now."""

    model: str
    state: State
    failures: int
    open_until_ms: int | None
    last_failure: str
    answered: int
    failed: int


class UpstreamView(Struct, frozen=True):
    """An upstream, or a model in the gateway's own process: then `engine` says whether it is loaded. The model that is
    worst off comes first."""

    name: str
    provider: str
    address: str
    engine: Literal["missing", "loading", "ready", "failed"] | None
    in_flight: int
    models: list[OfferedModel]


class Upstreams(Controller):
    """`/admin/upstreams`."""

    path = "/admin/upstreams"
    tags = ("upstreams",)
    guards = (OPERATOR,)

    @get(summary="List the upstreams and their health")
    async def list_upstreams(self, console: Services) -> Page[UpstreamView]:
        """As the gateway that answers sees them; each of several gateways has breakers of its own."""
        now_ms = console.now_ms()
        return Page([_view(state, now_ms) for state in console.backends.states()], None)


def _view(state: BackendState, now_ms: int) -> UpstreamView:
    return UpstreamView(
        name=state.name,
        provider=state.provider,
        address=state.address,
        engine=state.engine.name if state.engine else None,
        in_flight=state.in_flight,
        models=[_offered(health, now_ms) for health in state.models],
    )


def _offered(health: Health, now_ms: int) -> OfferedModel:
    shut = health.state in (State.OPEN, State.DISABLED) and health.cooldown_s > 0
    return OfferedModel(
        model=health.model,
        state=health.state,
        failures=health.failures,
        open_until_ms=now_ms + int(health.cooldown_s * 1000) if shut else None,
        last_failure=health.last_failure,
        answered=health.answered,
        failed=health.failed,
    )
