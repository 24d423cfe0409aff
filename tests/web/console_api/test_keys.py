from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.hosted import sells, upstream
from tests.simulators.openai_upstream import Upstream
from tests.usage.records import call as recorded
from tests.usage.records import keep
from tests.web.console_site import Caller, Site, by_system, console_site
from tokengate.billing.orgs import open_org
from tokengate.core.money import NANO_PER_YUAN
from tokengate.ledger.store import list_wallets, top_up

LIMITS = {"requests_per_minute": 60, "tokens_per_minute": None, "concurrency": 3, "spend_per_day_yuan": "1.5"}
CALL = {"model": "one", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 50}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncGenerator[Site]:
    """A site with two models that can be called."""
    async with Upstream() as simulator:
        config = f"{sells('one')}{sells('two')}{upstream(simulator.url, 'one', 'two')}"
        async with console_site(tmp_path / "gateway", config) as site:
            yield site


@pytest.fixture
async def org_id(site: Site) -> str:
    """An org with a wallet that has some money."""
    by = by_system()
    async with site.database.tx() as tx:
        org = await open_org(tx, by, name="ours")
        (wallet,) = await list_wallets(tx, org.id)
        await top_up(tx, org.id, wallet.id, 5 * NANO_PER_YUAN, "", by.now_ms)
    return org.id


@pytest.fixture
async def developer(site: Site, org_id: str) -> Caller:
    return await site.signed_in("dev@a.example", roles={org_id: "developer"})


async def call(site: Site, secret: str, model: str = "one") -> httpx.Response:
    client = site.visitor(authorization=f"Bearer {secret}").client
    return await client.post("/v1/chat/completions", json={**CALL, "model": model})


async def test_the_last_use_of_a_key_may_be_a_job(site: Site, org_id: str, developer: Caller):
    made = [(await developer.post(f"/orgs/{org_id}/keys", {"name": name}))["key"]["id"] for name in ("film", "chat")]
    free: dict[str, Any] = {"org_id": org_id, "cost_nano": 0, "bill": ""}
    films, chats = ((prefix, {**free, "key_id": key}) for prefix, key in zip(("job", "req"), made, strict=True))
    latest = [recorded(second=2, prefix=prefix, **of_key) for prefix, of_key in (films, chats)]
    first = [recorded(second=1, prefix="req", **films[1]), recorded(second=1, prefix="job", **chats[1])]
    await keep(site.database, [*latest, *first])

    shown = [await developer.get(f"/orgs/{org_id}/keys/{key_id}") for key_id in made]

    assert [key["last_used_ms"] for key in shown] == [one.started_ms for one in latest]


async def test_a_key_is_made_with_what_it_may_do_and_works_at_once(site: Site, org_id: str, developer: Caller):
    form = {"name": "k", "models": ["one"], "ips": ["127.0.0.0/8"], "limits": LIMITS}
    form["budget"] = {"amount_yuan": "2", "period": "month"}

    created = await developer.post(f"/orgs/{org_id}/keys", form)
    answer, refused = await call(site, created["secret"]), await call(site, created["secret"], "two")

    assert answer.status_code == 200 and refused.status_code == 404
    shown = await developer.get(f"/orgs/{org_id}/keys/{created['key']['id']}")
    assert (shown["models"], shown["ips"], shown["limits"]) == (["one"], ["127.0.0.0/8"], LIMITS)
    assert shown["budget"]["spent_yuan"] == answer.headers["x-request-cost"]
    assert shown["budget"]["resets_ms"] > shown["created_ms"] and shown["last_used_ms"] >= shown["created_ms"]
    assert (shown["kind"], shown["disabled_ms"]) == ("api", None)
    assert created["secret"].startswith(shown["prefix"]) and created["secret"].endswith(shown["last4"])
    listing = (await developer.get(f"/orgs/{org_id}/keys"))["data"]
    assert listing == [shown] and created["secret"] not in str(listing)


async def test_a_key_is_changed_field_by_field(site: Site, org_id: str, developer: Caller):
    created = await developer.post(
        f"/orgs/{org_id}/keys", {"name": "k", "models": ["one"], "budget": {"amount_yuan": "1", "period": "never"}}
    )
    path = f"/orgs/{org_id}/keys/{created['key']['id']}"

    renamed = await developer.patch(path, {"name": "new", "ips": ["203.0.113.7"]})
    elsewhere = await call(site, created["secret"])
    freed = await developer.patch(path, {"ips": [], "models": [], "budget": None, "limits": LIMITS})

    assert (renamed["name"], renamed["models"], renamed["budget"]["amount_yuan"]) == ("new", ["one"], "1")
    assert elsewhere.status_code == 403
    assert (freed["name"], freed["models"], freed["budget"], freed["limits"]) == ("new", [], None, LIMITS)
    assert (await call(site, created["secret"], "two")).status_code == 200


async def test_a_key_is_rotated_disabled_and_enabled_at_once(site: Site, org_id: str, developer: Caller):
    created = await developer.post(f"/orgs/{org_id}/keys", {"name": "k"})
    path = f"/orgs/{org_id}/keys/{created['key']['id']}"

    rotated = await developer.post(f"{path}/rotate")
    old, new = await call(site, created["secret"]), await call(site, rotated["secret"])
    disabled = await developer.post(f"{path}/disable")
    refused = await call(site, rotated["secret"])
    await developer.post(f"{path}/enable")

    assert (old.status_code, new.status_code, refused.status_code) == (401, 200, 401)
    assert rotated["key"]["id"] == created["key"]["id"] and disabled["disabled_ms"] is not None
    assert (await call(site, rotated["secret"])).status_code == 200
    owner = await site.signed_in("owner@a.example", roles={org_id: "owner"})
    log = (await owner.get(f"/orgs/{org_id}/audit?target={created['key']['id']}"))["data"]
    assert [entry["action"] for entry in log] == ["key.enable", "key.disable", "key.rotate", "key.create"]
    assert created["secret"] not in str(log) and rotated["secret"] not in str(log)


async def test_a_session_key_tries_calls_and_is_listed(site: Site, org_id: str, developer: Caller):
    poor = await developer.post(f"/orgs/{org_id}/session-key", {"cap_yuan": "0.000000001"})
    made = await developer.post(f"/orgs/{org_id}/session-key", {"cap_yuan": "2"})

    refused, answered = await call(site, poor["secret"]), await call(site, made["secret"])

    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "budget_exhausted")
    assert answered.status_code == 200
    keys = {key["id"]: key for key in (await developer.get(f"/orgs/{org_id}/keys?kind=session"))["data"]}
    assert keys.keys() == {poor["id"], made["id"]}
    listed = keys[made["id"]]
    assert listed["kind"] == "session"
    assert 0 < made["expires_ms"] - listed["created_ms"] <= 15 * 60_000
    path = f"/orgs/{org_id}/keys/{made['id']}"
    assert await developer.refused("PATCH", path, {"budget": None}) == (400, "session_key")
    assert await developer.refused("POST", f"{path}/rotate") == (400, "session_key")
    await developer.post(f"{path}/disable")
    assert (await call(site, made["secret"])).status_code == 401


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, "invalid_request"),
        ({"name": ""}, "bad_name"),
        ({"name": "k", "models": ["nothing"]}, "model_not_found"),
        ({"name": "k", "ips": ["everywhere"]}, "bad_network"),
        ({"name": "k", "expires_ms": 1}, "expired_already"),
        ({"name": "k", "limits": {"concurrency": 0}}, "invalid_request"),
        ({"name": "k", "budget": {"amount_yuan": "-1", "period": "day"}}, "invalid_request"),
        ({"name": "k", "budget": {"amount_yuan": "0", "period": "day"}}, "bad_amount"),
        ({"name": "k", "budget": {"amount_yuan": "1", "period": "year"}}, "invalid_request"),
        ({"name": "k", "limits": {"spend_per_day_yuan": "9999999999.999999999"}}, "bad_amount"),
    ],
)
async def test_what_a_key_cannot_be_is_refused_by_name(org_id: str, developer: Caller, form: dict[str, Any], code: str):
    assert await developer.refused("POST", f"/orgs/{org_id}/keys", form) == (400, code)


async def test_a_key_is_never_made_in_what_belongs_to_another_org(site: Site, org_id: str, developer: Caller):
    theirs = await site.org("theirs")
    other = await site.signed_in("owner@b.example", roles={theirs: "owner"})
    project = await other.post(f"/orgs/{theirs}/projects", {"name": "p"})
    mine = await developer.post(f"/orgs/{org_id}/keys", {"name": "k"})
    wallet_id = mine["key"]["wallet_id"]

    for form in ({"project_id": project["id"]}, {"wallet_id": "wal_none"}):
        refused = await developer.refused("POST", f"/orgs/{org_id}/keys", {"name": "k", **form})
        assert refused == (404, "not_found")
    stolen = {"name": "k", "project_id": project["id"], "wallet_id": wallet_id}
    assert await other.refused("POST", f"/orgs/{theirs}/keys", stolen) == (404, "not_found")
    for method, tail in (("GET", ""), ("POST", "/rotate"), ("POST", "/disable"), ("POST", "/enable")):
        path = f"/orgs/{theirs}/keys/{mine['key']['id']}{tail}"
        assert await other.refused(method, path) == (404, "not_found")
