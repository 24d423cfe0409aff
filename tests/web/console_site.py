"""The console's API of a hosted gateway, and callers of it: people with sessions, visitors, scripts."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.hosted import Hosted, hosted
from tokengate.accounts.audit import By
from tokengate.accounts.orgs.store import add_member, create_org
from tokengate.accounts.passwords import Passwords
from tokengate.accounts.roles import ROLES, Role
from tokengate.accounts.users import User
from tokengate.accounts.users.store import create_user
from tokengate.core.clock import SystemClock, now_ms
from tokengate.core.ids import new_id
from tokengate.storage.engine import Database

PASSWORD = "correct horse battery"
API = "/console/api"


def by_system() -> By:
    """Return the author of what a test prepares."""
    return By("system", "test", "test", "127.0.0.1", now_ms(SystemClock()), new_id)


class Caller:
    """A browser (cookies and CSRF token are kept) or a script."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def call(
        self, method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send JSON to a path below the API's prefix."""
        return await self.client.request(method, API + path, json=body, headers=headers)

    async def get(self, path: str) -> Any:
        """Return the JSON of what must be a success."""
        return _json(await self.call("GET", path))

    async def post(self, path: str, body: object = None) -> Any:
        return _json(await self.call("POST", path, body))

    async def patch(self, path: str, body: object) -> Any:
        return _json(await self.call("PATCH", path, body))

    async def delete(self, path: str) -> Any:
        return _json(await self.call("DELETE", path))

    async def refused(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        """Return status and code of what must be an error of the one shape."""
        answer = await self.call(method, path, body)
        assert answer.status_code >= 400, answer.text
        assert set(answer.json()) == {"error"} and set(answer.json()["error"]) == {
            "message",
            "code",
            "param",
            "request_id",
        }
        assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]
        return answer.status_code, answer.json()["error"]["code"]

    async def begin(self) -> Any:
        """Fetch the session, as every page does, and send its CSRF token from now on."""
        session = await self.get("/session")
        self.client.headers["x-csrf-token"] = session["csrf_token"]
        return session

    async def sign_in(self, email: str, password: str = PASSWORD) -> Any:
        await self.begin()
        session = await self.post("/session", {"email": email, "password": password})
        self.client.headers["x-csrf-token"] = session["csrf_token"]
        return session


class Site:
    """The hosted gateway with its console."""

    def __init__(self, gateway: Hosted) -> None:
        self.gateway = gateway
        self._clients: list[httpx.AsyncClient] = []

    @property
    def database(self) -> Database:
        return self.gateway.platform.database

    def visitor(self, **headers: str) -> Caller:
        """Return a new browser, or with headers (names with underscores) a script."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client = httpx.AsyncClient(base_url=self.gateway.url, headers=named, timeout=60)
        self._clients.append(client)
        return Caller(client)

    async def user(self, email: str, *, operator: bool = False) -> User:
        """Create somebody whose password is PASSWORD."""
        password_hash = await Passwords().hash(PASSWORD)
        async with self.database.tx() as tx:
            return await create_user(
                tx, by_system(), email=email, name=email, password_hash=password_hash, operator=operator
            )

    async def signed_in(self, email: str, *, operator: bool = False, roles: dict[str, Role] | None = None) -> Caller:
        """Create somebody with these roles by org, and return their browser."""
        user = await self.user(email, operator=operator)
        async with self.database.tx() as tx:
            for org_id, role in (roles or {}).items():
                await add_member(tx, org_id, by_system(), user.id, role)
        caller = self.visitor()
        await caller.sign_in(email)
        return caller

    async def org(self, name: str) -> str:
        """Create an org and return its id."""
        async with self.database.tx() as tx:
            return (await create_org(tx, by_system(), name=name)).id

    async def members(self, org_id: str) -> dict[Role, Caller]:
        """Return somebody signed in with each role of an org."""
        return {role: await self.signed_in(f"{role}@{org_id}.example", roles={org_id: role}) for role in ROLES}

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def console_site(folder: Path, config: str = "") -> AsyncGenerator[Site]:
    """Host a gateway and hand out its console."""
    async with hosted(folder, config) as gateway:
        site = Site(gateway)
        try:
            yield site
        finally:
            await site.close()


def _json(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, f"{answer.request.method} {answer.request.url}: {answer.text}"
    return answer.json() if answer.content else None
