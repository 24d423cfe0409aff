"""A whole gateway in the test's own event loop, on a real port: everything that `serve` wires, started in a few
milliseconds and open to look into. Keys exist before it opens; engines are off unless the configuration has them.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.e2e.gateway import ENGINES_OFF, free_port
from tests.raw_http import Answer, Connection
from tokengate.accounts.keys import NO_LIMITS, KeyLimits
from tokengate.accounts.store import CreatedKey
from tokengate.app import Platform, open_platform
from tokengate.billing.keys import create_key
from tokengate.core.clock import SystemClock
from tokengate.core.money import read_yuan
from tokengate.core.settings import Settings
from tokengate.core.settings_file import load
from tokengate.ledger.verify import verify
from tokengate.storage.engine import database_url, open_database
from tokengate.web.opening import Opening
from tokengate.web.server import Server

CHAT = "/v1/chat/completions"


class Hosted:
    """The running gateway. `keys` are by name; the first one is used where none is named."""

    def __init__(self, platform: Platform, port: int, keys: dict[str, CreatedKey]) -> None:
        self.platform = platform
        self.port = port
        self.keys = keys

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> Connection:
        return Connection(self.port)

    def headers(self, key: str | None = None, **more: str) -> dict[str, str]:
        """Return the headers of a JSON request with a key's text; names are written with underscores."""
        text = (self.keys[key] if key else next(iter(self.keys.values()))).key
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"authorization": f"Bearer {text}", "content-type": "application/json", **named}

    async def get(self, path: str, *, key: str | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        async with self.connect() as connection:
            await connection.request("GET", path, {**self.headers(key), **(headers or {})})
            return await connection.answer()

    async def post(
        self,
        body: bytes | dict[str, Any],
        path: str = CHAT,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request on a connection of its own and return the whole reply."""
        async with self.connect() as connection:
            await self.begin(connection, body, path, key=key, headers=headers)
            return await connection.answer()

    async def begin(
        self,
        connection: Connection,
        body: bytes | dict[str, Any],
        path: str = CHAT,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send a request, and leave the reply to be read."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        await connection.request("POST", path, {**self.headers(key), **(headers or {})}, data)

    async def idle(self) -> None:
        """Return when no call is in flight."""
        async with asyncio.timeout(60):
            await self.platform.watch.idle()

    async def balance(self, key: str | None = None) -> dict[str, Any]:
        return (await self.get("/v1/balance", key=key)).json

    async def bill(self, request_id: str, key: str | None = None) -> dict[str, Any]:
        """Return the usage record of a call; records of calls without a bill are written behind, so wait for it."""
        found: list[dict[str, Any]] = []

        async def look() -> bool:
            answer = await self.get(f"/v1/usage/{request_id}", key=key)
            if answer.status == 200:
                found.append(answer.json)
            return bool(found)

        async with asyncio.timeout(60):
            while not await look():
                await asyncio.sleep(0.005)
        return found[0]

    async def last_call(self, key: str | None = None, *, count: int = 1) -> dict[str, Any]:
        """Return the newest usage record with its bill, once there are that many."""
        async with asyncio.timeout(60):
            while True:
                calls = (await self.get("/v1/usage", key=key)).json["data"]
                if len(calls) >= count:
                    return await self.bill(calls[0]["id"], key)
                await asyncio.sleep(0.005)

    def counter(self, text: str) -> float:
        """Return the value of one line of /metrics, such as `tokengate_alarms_total{kind="overrun"}`; 0 without it."""
        for line in self.platform.metrics.text().decode().splitlines():
            name, _, value = line.rpartition(" ")
            if name == text:
                return float(value)
        return 0.0


@asynccontextmanager
async def hosted(
    folder: Path,
    config: str,
    *,
    balances: Mapping[str, str] | None = None,
    limits: Mapping[str, KeyLimits] | None = None,
    environ: Mapping[str, str] | None = None,
) -> AsyncGenerator[Hosted]:
    """Host a gateway with this configuration. `balances` are the keys to make, each with a wallet of its own, in
    yuan; `limits` are theirs by the same names. At its end the books must be right."""
    folder.mkdir(exist_ok=True)
    file = folder / "tokengate.toml"
    file.write_text(config if "[engine" in config else f"{config}\n{ENGINES_OFF}")
    settings = load(file, environ=environ or {}, overrides={"data": str(folder), "port": free_port()})
    await _migrate(settings)
    keys = await create_keys(settings, balances or {"main": "10"}, limits or {})
    async with open_platform(settings) as platform:
        server = Server(platform.dispatch.answer, Opening)
        await server.start(settings.server.host, settings.server.port)
        try:
            gateway = Hosted(platform, settings.server.port, keys)
            yield gateway
            await gateway.idle()
            assert (await verify(platform.database)).differences == []
        finally:
            await server.close(0)


async def create_keys(
    settings: Settings, balances: Mapping[str, str], limits: Mapping[str, KeyLimits]
) -> dict[str, CreatedKey]:
    """Make keys by name in the database of these settings, each with a wallet of its own."""
    database = await open_database(database_url(settings))
    try:
        return {
            name: await create_key(
                database,
                SystemClock(),
                name=name,
                balance_nano=read_yuan(balance),
                limits=limits.get(name, NO_LIMITS),
            )
            for name, balance in balances.items()
        }
    finally:
        await database.close()


def sells(model: str, *, input: str = "1", output: str = "1", max_output: int = 1000, **more: object) -> str:
    """Return the TOML of a model, priced in yuan per 1,000 tokens."""
    given = "".join(f"{name} = {json.dumps(value)}\n" for name, value in more.items())
    return (
        f'[[model]]\nid = "{model}"\nmax_output = {max_output}\n{given}'
        f'price = {{ input = "{input}", output = "{output}", per = "ktok" }}\n'
    )


def upstream(
    url: str, *models: str, name: str = "sim", timeouts: Mapping[str, float] | None = None, **more: object
) -> str:
    """Return the TOML of an upstream that offers these models under their own names."""
    given = "".join(f"{name} = {json.dumps(value)}\n" for name, value in more.items())
    if timeouts:
        given += f"timeouts = {{ {', '.join(f'{stage} = {seconds}' for stage, seconds in timeouts.items())} }}\n"
    return f'[[upstream]]\nname = "{name}"\nbase_url = "{url}"\nmodels = {json.dumps(list(models))}\n{given}'


_migrated: list[bytes] = []


async def _migrate(settings: Settings) -> None:
    """Make the database by copying one: a migration per test would take most of its time."""
    file = settings.server.data / "tokengate.db"
    if file.exists() or settings.server.database:
        return
    if _migrated:
        file.write_bytes(_migrated[0])
        return
    await (await open_database(database_url(settings))).close()
    _migrated.append(file.read_bytes())
