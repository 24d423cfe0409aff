"""Starts the gateway, and on the first start hands out the first key and says what to do with it."""

import sys
from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated

import typer

from tokengate import app as composition
from tokengate.accounts import store
from tokengate.accounts.orgs.store import invite, withdraw_set_up
from tokengate.accounts.store import DEFAULT_ORG, CreatedKey
from tokengate.accounts.users.store import any_user
from tokengate.billing.keys import create_key
from tokengate.cli.author import by_command
from tokengate.cli.client import local_url, portal_url
from tokengate.cli.database import with_database
from tokengate.cli.models import pull_with_progress
from tokengate.cli.options import Config, Data
from tokengate.core.clock import SystemClock
from tokengate.core.master_key import VARIABLE, find_master_key
from tokengate.core.money import NANO_PER_YUAN, write_yuan
from tokengate.core.settings import Settings
from tokengate.core.settings_file import load, secret
from tokengate.engines.weights import SMOLLM2, weights_path
from tokengate.gateway.backends import upstreams_of
from tokengate.storage.engine import Database

_FIRST_BALANCE_NANO = 10 * NANO_PER_YUAN
_MEGABYTE = 1_000_000


def serve(
    host: Annotated[str | None, typer.Option(metavar="HOST", help="Address to listen on (default: 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(metavar="PORT", help="Port to listen on (default: 8700).")] = None,
    data: Data = None,
    config: Config = None,
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="Processes on this port; only 1.")] = 1,
    accept_prices: Annotated[
        bool, typer.Option("--accept-prices", help="Start although a price moved more than tenfold.")
    ] = False,
) -> None:
    """Start the gateway: the API, its wallets and its local model, in one process.

    SIGTERM or Ctrl-C stops it: streams in flight finish and are billed first.

    [dim]tokengate serve[/dim]
    [dim]OPENAI_API_KEY=sk-... tokengate serve --port 8800 --data /var/lib/tokengate[/dim]
    """
    if workers > 1:
        raise typer.BadParameter(
            "processes behind one port could not be told apart, and each has metrics, rate limits and breakers of its "
            "own. On PostgreSQL start `tokengate serve` several times, each with its own --port, behind a load "
            "balancer. One process uses one core; the models run elsewhere.",
            param_hint="--workers",
        )
    settings = load(config, overrides={"host": host, "port": port, "data": data and str(data)})
    composition.refuse_taken_port(settings.server.host, settings.server.port)
    find_master_key(settings.server, secret(VARIABLE))  # a wrong one is told before anything is made
    _offer_weights(settings)
    first, set_up = with_database(settings, _first_start)
    if first is not None:
        print(f"\nFirst key, shown this once: {first.key}")
        print(f"Its wallet {first.wallet_id} holds ¥{write_yuan(_FIRST_BALANCE_NANO)}.", flush=True)
    if set_up is not None:
        print("\nNobody has an account yet. The first operator makes theirs here, within seven days:")
        print(f"  {portal_url(settings)}/invitations/{set_up}", flush=True)
    composition.serve(
        settings,
        accept_prices=accept_prices,
        on_ready=lambda platform: print(_welcome(settings, first, _chat_models(platform)), flush=True),
    )


async def _first_start(database: Database) -> tuple[CreatedKey | None, str | None]:
    """Return what the first start hands out: a key, and the token with which somebody becomes the operator."""
    return await _first_key(database), await _set_up_token(database)


async def _first_key(database: Database) -> CreatedKey | None:
    """Create a key with a little money when the platform has none yet."""
    async with database.read() as read:
        if await store.list_keys(read, DEFAULT_ORG, limit=1):
            return None
    return await create_key(database, SystemClock(), name="first", balance_nano=_FIRST_BALANCE_NANO)


async def _set_up_token(database: Database) -> str | None:
    """Invite whoever has the link to be the first operator, until there is somebody. Earlier links end."""
    by = by_command()
    async with database.read() as read:
        if await any_user(read):
            return None
    async with database.tx() as tx:
        await store.ensure_default_org(tx, by.now_ms)
        await withdraw_set_up(tx)
        return (await invite(tx, DEFAULT_ORG, by, email="", role="owner", operator=True)).token


def _offer_weights(settings: Settings) -> None:
    """Ask a person who is there whether to download the missing weights of the local model."""
    if _local_model(settings) == "weights missing" and sys.stdin.isatty():
        size_mb = SMOLLM2.size_bytes // _MEGABYTE
        if typer.confirm(f"The weights of the local model ({size_mb} MB) are not here. Download them?", default=True):
            pull_with_progress(settings.server.data, SMOLLM2)


def _local_model(settings: Settings) -> str:
    """Return what there is: off | own | not installed | weights missing | demo."""
    chat = settings.engine.chat
    if not chat.enabled:
        return "off"
    if chat.gguf:
        return "own"
    if find_spec("xllamacpp") is None:
        return "not installed"
    return "demo" if weights_path(settings.server.data).is_file() else "weights missing"


_LOCAL = {
    "off": "The local model is switched off.",
    "own": "The local model is {model}, from {gguf}.",
    "not installed": "There is no local model: pip install 'tokengate[local]', then tokengate models pull smollm2",
    "weights missing": "The local model has no weights yet: tokengate models pull smollm2, then start again.",
    "demo": "The local model {model} is a small English demo: good for a first call, not for real work.",
}

_CONNECT = """A vendor's models come with its key: stop, then start again after
  export OPENAI_API_KEY=sk-...       (or DASHSCOPE_API_KEY, ...; or an [[upstream]] in tokengate.toml)"""

_SAMPLE = """Try it:
  curl {base_url}/v1/chat/completions -H "Authorization: Bearer {key}" \\
    -H "Content-Type: application/json" \\
    -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Name three colours."}}]}}'"""


def _chat_models(platform: composition.Platform) -> list[str]:
    catalog = platform.catalog
    return [name for name in platform.backends.routes if (model := catalog.resolve(name)) and model.kind == "chat"]


def _welcome(settings: Settings, first: CreatedKey | None, offered: list[str]) -> str:
    """Return what a person who started the gateway wants to know; `offered` are the chat models that can be called."""
    base_url = local_url(settings.server)
    chat = settings.engine.chat
    local = _local_model(settings)
    connected = [upstream.name for upstream in upstreams_of(settings)]
    where = settings.server.database.partition("://")[0] or str(settings.server.data.absolute())
    parts = [
        f"\nTokenGate {version('tokengate')} answers at {base_url} (data: {where}).\n",
        _LOCAL[local].format(model=chat.model, gguf=chat.gguf),
        f"Upstreams: {', '.join(connected)}." if connected else _CONNECT,
    ]
    usable = [chat.model] if local in ("own", "demo") else [model for model in offered if model != chat.model]
    if usable:
        key = first.key if first else "$TOKENGATE_API_KEY"
        parts.append("\n" + _SAMPLE.format(base_url=base_url, key=key, model=usable[0]))
    return "\n".join(parts) + "\n"
