"""The upstreams and how they are doing: as the running gateway sees them, else as they are configured."""

import sys

import msgspec
from msgspec import Struct, field

from tokengate.cli.client import Client, Unreachable, local_url
from tokengate.cli.options import AsJson, Config
from tokengate.cli.output import print_rows
from tokengate.core.settings import Settings
from tokengate.core.settings_file import load
from tokengate.gateway.backends import shown_address, upstreams_of

_NOT_RUNNING = "not running"


class UpstreamRow(Struct, frozen=True):
    """An upstream as it is listed; `state` is that of its worst breaker."""

    name: str
    provider: str
    base_url: str
    models: list[str]
    state: str
    failures: int = 0
    cooldown_s: float = 0
    last_failure: str = ""
    in_flight: int = 0


class _Upstreams(Struct):
    upstreams: list[UpstreamRow] = field(default_factory=list[UpstreamRow])


_read = msgspec.json.Decoder(_Upstreams).decode


def upstreams(as_json: AsJson = False, config: Config = None) -> None:
    """Show the upstreams with their breakers, calls in flight and cooldowns.

    Asks the gateway that runs on this machine; without one, shows what is configured.
    """
    settings = load(config)
    try:
        rows = _read(Client(local_url(settings.server)).get("/internal/upstreams")).upstreams
    except Unreachable as error:
        print(f"{error}. This is what is configured:", file=sys.stderr)
        rows = _configured(settings)
    print_rows(
        rows,
        as_json,
        empty="There is no upstream: set a vendor's key, such as OPENAI_API_KEY, or add an [[upstream]].",
    )


def _configured(settings: Settings) -> list[UpstreamRow]:
    return [
        UpstreamRow(one.name, one.provider, shown_address(one.base_url), list(one.models), _NOT_RUNNING)
        for one in upstreams_of(settings)
    ]
