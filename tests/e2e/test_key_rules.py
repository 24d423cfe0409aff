"""What a key may be used for, as a caller meets it: models, addresses, a budget."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.hosted import Hosted, hosted, sells, upstream
from tests.simulators.openai_upstream import Upstream
from tokengate.accounts.keys import NO_LIMITS, Budget, KeyRules
from tokengate.accounts.store import DEFAULT_ORG, change_key


def asking(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Good morning"}], "max_tokens": 50}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncGenerator[Hosted]:
    async with Upstream() as simulator:
        config = f"[server]\ntrusted_proxies = ['127.0.0.1']\n{sells('one')}{sells('two')}"
        async with hosted(tmp_path, config + upstream(simulator.url, "one", "two")) as gateway:
            yield gateway


async def restrict(gateway: Hosted, rules: KeyRules) -> None:
    """Give the key these rules, and wait until the gateway knows."""
    key = gateway.keys["main"]
    async with gateway.platform.database.tx() as tx:
        await change_key(tx, DEFAULT_ORG, key.id, name="main", expires_ms=None, limits=NO_LIMITS, rules=rules)
    find = gateway.platform.keyring.find
    async with asyncio.timeout(60):
        while find(key.key).budget != rules.budget or bool(find(key.key).models) != bool(rules.models):
            await asyncio.sleep(0.01)
        while (find(key.key).networks is None) == bool(rules.ips):
            await asyncio.sleep(0.01)


async def test_a_key_calls_only_its_models_and_sees_no_others(gateway: Hosted):
    await restrict(gateway, KeyRules(models=("one",)))

    allowed, refused = await gateway.post(asking("one")), await gateway.post(asking("two"))
    listed, shown = await gateway.get("/v1/models"), await gateway.get("/v1/models/two")

    assert allowed.status == 200
    assert (refused.status, refused.error["code"], refused.error["param"]) == (404, "model_not_found", "model")
    assert [model["id"] for model in listed.json["data"]] == ["one"] and shown.status == 404


async def test_a_key_calls_only_from_its_networks(gateway: Hosted):
    await restrict(gateway, KeyRules(ips=("203.0.113.0/24",)))

    direct = await gateway.post(asking("one"))
    proxied = await gateway.post(asking("one"), headers={"x-forwarded-for": "203.0.113.9"})

    assert (direct.status, direct.error["code"]) == (403, "address_not_allowed")
    assert proxied.status == 200


async def test_a_key_stops_when_its_budget_is_spent_also_by_calls_from_before(gateway: Hosted):
    assert (await gateway.post(asking("one"))).status == 200
    await restrict(gateway, KeyRules(budget=Budget(1, "month")))

    refused = await gateway.post(asking("one"))

    assert (refused.status, refused.error["code"]) == (402, "budget_exhausted")
    await restrict(gateway, KeyRules(budget=Budget(10**12, "month")))
    assert (await gateway.post(asking("one"))).status == 200


async def test_no_call_costs_more_than_what_is_left_of_its_key_s_budget(gateway: Hosted):
    await restrict(gateway, KeyRules(budget=Budget(2 * 10**9, "never")))

    refused = await gateway.post({**asking("one"), "max_tokens": 1_000})
    capped = await gateway.post({**asking("one"), "max_tokens": None})

    assert (refused.status, refused.error["code"]) == (402, "budget_exhausted")
    assert "and ¥2 is available of this key's budget of ¥2. Raise it, or lower max_tokens." in refused.error["message"]
    assert capped.status == 200
    assert capped.headers["x-tokengate-warning"].endswith("(budget)")
