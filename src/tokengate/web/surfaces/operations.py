"""For those who run the gateway: health, readiness, metrics, and the state of the upstreams (this machine only)."""

from collections.abc import Callable

from tokengate.core.errors import NotFound
from tokengate.gateway.backends import BackendState
from tokengate.gateway.health import State
from tokengate.gateway.metrics import Metrics
from tokengate.reference import table
from tokengate.web.dispatch import Endpoint
from tokengate.web.request import Headers, Request

_LOOPBACK = ("127.", "[::1]", "::1")

Readiness = Callable[[], list[str]]
UpstreamStates = Callable[[], list[BackendState]]


class OperationsSurface:
    """`/healthz`, `/readyz`, `/metrics`, `/internal/upstreams`."""

    def __init__(self, metrics: Metrics, not_ready: Readiness, upstreams: UpstreamStates) -> None:
        self._metrics = metrics
        self._not_ready = not_ready
        self._upstreams = upstreams

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(table.HEALTH, self._health),
            Endpoint(table.READINESS, self._ready),
            Endpoint(table.METRICS, self._show_metrics),
            Endpoint(table.UPSTREAMS, self._show_upstreams),
        ]

    async def _health(self, request: Request) -> None:
        request.json({"status": "alive"})

    async def _ready(self, request: Request) -> None:
        missing = self._not_ready()
        if missing:
            request.json({"status": "not ready", "missing": missing}, 503)
        else:
            request.json({"status": "ready"})

    async def _show_metrics(self, request: Request) -> None:
        headers: Headers = [("content-type", "text/plain; version=0.0.4; charset=utf-8")]
        request.whole(200, headers, self._metrics.text())

    async def _show_upstreams(self, request: Request) -> None:
        if not request.client.startswith(_LOOPBACK):
            raise NotFound("Unknown request URL: GET /internal/upstreams.")
        request.json({"upstreams": [_row(state) for state in self._upstreams()]})


def _row(state: BackendState) -> dict[str, object]:
    worst = state.worst
    return {
        "name": state.name,
        "provider": state.provider,
        "base_url": state.address,
        "models": [health.model for health in state.models],
        "state": worst.state if worst else State.CLOSED,
        "failures": worst.failures if worst else 0,
        "cooldown_s": round(worst.cooldown_s, 1) if worst else 0,
        "last_failure": worst.last_failure if worst else "",
        "in_flight": state.in_flight,
    }
