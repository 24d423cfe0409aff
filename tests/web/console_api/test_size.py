"""Tables of any size are paged, filtered and sorted by the server: what reaches a page does not grow with them.

What is checked are pages and the bytes of answers, which no busy machine changes.
"""

import json
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio
from msgspec.structs import asdict
from sqlalchemy import delete, insert

from tests.simulators.openai_upstream import Upstream, by_model
from tests.usage.records import call
from tests.web.console_site import Caller, Site, console_site
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.storage.engine import Database
from tokengate.storage.tables import calls
from tokengate.usage.record import CallRecord

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module")]

MODELS = 10_000
CALLS = 100_000
AT_ONCE = 5_000
PAGE = 50
PAGE_BYTES = 100_000


class Crowded(NamedTuple):
    """A gateway with so many models and calls, and somebody who looks at them."""

    site: Site
    viewer: Caller


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crowded(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Crowded]:
    async with (
        Upstream(by_model) as simulator,
        console_site(tmp_path_factory.mktemp("crowded") / "gateway", catalogue(simulator.url)) as site,
    ):
        await keep(site.database)
        yield Crowded(site, await site.signed_in("viewer@crowded.example", roles={DEFAULT_ORG: "viewer"}))
        async with site.database.tx() as tx:
            await tx.execute(delete(calls))  # nobody paid for them, which the books would show


def catalogue(url: str) -> str:
    """Return the TOML of an upstream with that many models of its own."""
    ids = [f"model-{number:05}" for number in range(MODELS)]
    tables = "".join(
        f'[[model]]\nid = "{id}"\nvendor = "vendor-{number % 20:02}"\nmax_output = 1000\n'
        f'price = {{ input = "0.{number + 1:05}", output = "0.1" }}\n'
        for number, id in enumerate(ids)
    )
    return f'[[upstream]]\nname = "sim"\nbase_url = "{url}"\nmodels = {json.dumps(ids)}\n{tables}'


def record(number: int) -> CallRecord:
    failed = number % 10 == 0
    return call(
        days_ago=number % 90,
        second=number // 90,
        model=f"model-{number % 50:05}",
        outcome="error" if failed else "ok",
        status=502 if failed else 200,
        cost_nano=number * 1000,
    )


async def keep(database: Database) -> None:
    """Write the calls in a few statements; call by call as the gateway does would take minutes."""
    for first in range(0, CALLS, AT_ONCE):
        rows = [asdict(one) | {"day": one.day} for one in map(record, range(first, first + AT_ONCE))]
        async with database.tx() as tx:
            await tx.execute(insert(calls), rows)


async def page(caller: Caller, path: str) -> Any:
    """Return one page of a list, which is small however long the list is."""
    answer: httpx.Response = await caller.call("GET", path)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < PAGE_BYTES, f"{path}: {len(answer.content)} bytes"
    return answer.json()


async def test_a_hundred_thousand_calls_come_by_the_page(crowded: Crowded):
    path = f"/orgs/{DEFAULT_ORG}/calls"

    first = await page(crowded.viewer, f"{path}?limit={PAGE}")
    dearest = await page(crowded.viewer, f"{path}?limit={PAGE}&sort=-cost")
    failed = await page(crowded.viewer, f"{path}?limit={PAGE}&outcome=error&model=model-00010")
    second = await page(crowded.viewer, f"{path}?limit={PAGE}&after={first['next']}")

    assert len(first["data"]) == len(second["data"]) == PAGE
    assert not {one["id"] for one in first["data"]} & {one["id"] for one in second["data"]}
    assert [one["cost_yuan"] for one in dearest["data"][:2]] == ["0.099999", "0.099998"]
    assert failed["total"] == CALLS // 50
    assert {(one["outcome"], one["model"]) for one in failed["data"]} == {("error", "model-00010")}


async def test_ten_thousand_models_come_by_the_page(crowded: Crowded):
    visitor = crowded.site.visitor()
    path = "/portal/models"

    first = await page(visitor, f"{path}?limit={PAGE}&q=model-0")
    second = await page(visitor, f"{path}?limit={PAGE}&q=model-0&after={first['next']}")
    of_vendor = await page(visitor, f"{path}?limit={PAGE}&vendor=vendor-07")
    one = await page(visitor, f"{path}?limit={PAGE}&q=model-09999")

    assert len(first["data"]) == len(second["data"]) == PAGE
    assert first["total"] == MODELS
    assert not {one["id"] for one in first["data"]} & {one["id"] for one in second["data"]}
    assert of_vendor["total"] == MODELS // 20
    assert [found["id"] for found in one["data"]] == ["model-09999"]


async def test_what_is_searched_for_stays_small_beside_ten_thousand_models(crowded: Crowded):
    visitor = crowded.site.visitor()

    found = await page(visitor, "/portal/search?q=model&limit=20&lang=en")

    assert len(found["data"]) <= 20
