"""Addresses with what no database takes, or no number has, in front of PostgreSQL, which is the pickier one."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.hosted import Hosted, hosted
from tests.support import PostgresqlServer

ODD = (
    "GET /v1/jobs/%00",
    "GET /v1/jobs/%00/events",
    "POST /v1/jobs/%00/cancel",
    "DELETE /v1/jobs/%00",
    "GET /v1/jobs?after=%00",
    "GET /v1/jobs?model=%00",
    f"GET /v1/jobs?limit=0100{'9' * 5000}",
    "GET /v1/responses/%00",
    "DELETE /v1/responses/%00",
    "DELETE /v1/responses/%2500",
    "GET /v1/videos/%00",
    "GET /v1/videos?after=%00",
    "GET /v1/usage?model=%00",
    "GET /v1/usage/%00",
    "GET /api/v1/tasks/%00",
    "GET /api/v1/tasks/?model_name=%00",
    f"GET /api/v1/tasks/?page_size=000001{'0' * 5000}",
    "GET /suno/fetch/%00",
)


@pytest.fixture
async def gateway(postgresql_server: PostgresqlServer, tmp_path: Path) -> AsyncGenerator[Hosted]:
    url = await postgresql_server.create()
    async with hosted(tmp_path, f'[server]\ndatabase = "{url}"\n') as gateway:
        yield gateway
    await postgresql_server.give_back(url)


async def test_odd_addresses_are_refused(gateway: Hosted) -> None:
    statuses: dict[str, int] = {}
    for asked in ODD:
        method, path = asked.split(" ")
        async with gateway.connect() as connection:
            await connection.request(method, path, gateway.headers())
            statuses[asked[:60]] = (await connection.answer()).status

    assert {asked: status for asked, status in statuses.items() if status not in (400, 404)} == {}
