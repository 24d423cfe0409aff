from pathlib import Path

import pytest

from tests.web.console_site import PASSWORD, Site, by_system, console_site
from tokengate.accounts.orgs.store import invite
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.ledger.store import list_wallets

FORM = {"email": "Ann@A.example", "password": PASSWORD, "name": "Ann"}


async def test_open_sign_up_makes_an_org_that_can_be_used_at_once(tmp_path: Path):
    async with console_site(tmp_path / "open", '[portal]\nsign_up = "open"\nsite_name = "Ours"\n') as site:
        visitor = site.visitor()
        assert (await visitor.begin())["site_name"] == "Ours"

        session = await visitor.post("/sign-up", FORM)
        visitor.client.headers["x-csrf-token"] = session["csrf_token"]

        (org,) = session["user"]["orgs"]
        assert (session["user"]["email"], org["org_name"], org["role"]) == ("ann@a.example", "Ann", "owner")
        created = await visitor.post(f"/orgs/{org['org_id']}/keys", {"name": "first"})
        async with site.database.read() as read:
            (wallet,) = await list_wallets(read, org["org_id"])
        assert created["key"]["wallet_id"] == wallet.id and wallet.balance_nano == 0
        balance = await site.visitor(authorization=f"Bearer {created['secret']}").client.get("/v1/balance")
        assert balance.json()["wallet"] == wallet.id
        other = site.visitor()
        await other.begin()
        assert await other.refused("POST", "/sign-up", FORM) == (409, "email_taken")


@pytest.mark.parametrize(("mode", "code"), [("invitation", "invitation_needed"), ("closed", "sign_up_closed")])
async def test_who_may_sign_up_is_the_operator_s_choice(site: Site, mode: str, code: str):
    operator = await site.signed_in("root@platform.example", operator=True)
    await operator.patch("/admin/settings", {"sign_up": mode})
    visitor = site.visitor()
    await visitor.begin()

    assert await visitor.refused("POST", "/sign-up", FORM) == (403, code)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "ann"}, "bad_email"),
        ({"email": "a@b@c.example"}, "bad_email"),
        ({"password": "short"}, "bad_password"),
        ({"name": " "}, "bad_name"),
        ({"name": "x" * 101}, "bad_name"),
        ({"surprise": 1}, "invalid_request"),
    ],
)
async def test_what_an_account_cannot_have_is_refused_by_name(site: Site, change: dict[str, object], code: str):
    visitor = site.visitor()
    await visitor.begin()

    assert await visitor.refused("POST", "/sign-up", {**FORM, **change}) == (400, code)


async def test_an_invitation_lets_somebody_in_with_its_role_once(site: Site):
    org_id = await site.org("ours")
    owner = await site.signed_in("owner@a.example", roles={org_id: "owner"})
    made = await owner.post(f"/orgs/{org_id}/invitations", {"email": "ann@a.example", "role": "billing"})
    visitor = site.visitor()
    await visitor.begin()

    shown = await visitor.get(f"/invitations/{made['token']}")
    wrong = await visitor.refused("POST", "/sign-up", {**FORM, "email": "eve@a.example", "invitation": made["token"]})
    session = await visitor.post("/sign-up", {**FORM, "invitation": made["token"]})

    assert (shown["org_name"], shown["role"], shown["email"]) == ("ours", "billing", "ann@a.example")
    assert made["url"] == f"{site.gateway.url}/invitations/{made['token']}"
    assert wrong == (403, "invitation_for_another")
    assert session["user"]["orgs"] == [{"org_id": org_id, "org_name": "ours", "role": "billing"}]
    other = site.visitor()
    await other.begin()
    again = {**FORM, "email": "bob@a.example", "invitation": made["token"]}
    assert await other.refused("POST", "/sign-up", again) == (404, "not_found")
    assert made["token"] not in str(await owner.get(f"/orgs/{org_id}/audit"))


async def test_somebody_with_an_account_accepts_an_invitation_with_it(site: Site):
    first, second = await site.org("first"), await site.org("second")
    ann = await site.signed_in("ann@a.example", roles={first: "viewer"})
    owner = await site.signed_in("owner@a.example", roles={second: "owner"})
    made = await owner.post(f"/orgs/{second}/invitations", {"role": "developer"})

    session = await ann.post(f"/invitations/{made['token']}/accept")

    assert {org["org_id"]: org["role"] for org in session["user"]["orgs"]} == {first: "viewer", second: "developer"}
    again = await owner.post(f"/orgs/{second}/invitations", {"role": "developer", "email": "ann@a.example"})
    assert await ann.refused("POST", f"/invitations/{again['token']}/accept") == (409, "member_already")


async def test_an_invitation_that_is_withdrawn_leads_nowhere(site: Site):
    org_id = await site.org("ours")
    owner = await site.signed_in("owner@a.example", roles={org_id: "owner"})
    made = await owner.post(f"/orgs/{org_id}/invitations", {"role": "viewer"})
    (listed,) = (await owner.get(f"/orgs/{org_id}/invitations"))["data"]
    assert listed == made["invitation"]

    await owner.delete(f"/orgs/{org_id}/invitations/{listed['id']}")

    assert await site.visitor().refused("GET", f"/invitations/{made['token']}") == (404, "not_found")
    assert (await owner.get(f"/orgs/{org_id}/invitations"))["data"] == []


async def test_the_link_of_the_first_start_makes_an_operator(site: Site):
    async with site.database.tx() as tx:
        made = await invite(tx, DEFAULT_ORG, by_system(), email="", role="owner", operator=True)
    visitor = site.visitor()
    await visitor.begin()

    session = await visitor.post("/sign-up", {**FORM, "invitation": made.token})

    assert session["user"]["operator"]
    assert [(org["org_id"], org["role"]) for org in session["user"]["orgs"]] == [(DEFAULT_ORG, "owner")]
