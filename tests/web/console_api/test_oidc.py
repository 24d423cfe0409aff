from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey

from tests.simulators.oidc_provider import SECRET, OidcProvider
from tests.web.console_site import PASSWORD, Caller, Site, console_site
from tokengate.accounts.store import DEFAULT_ORG


@pytest.fixture
async def provider() -> AsyncGenerator[OidcProvider]:
    async with OidcProvider() as provider:
        yield provider


@pytest.fixture
async def site(tmp_path: Path, provider: OidcProvider) -> AsyncGenerator[Site]:
    """A site where whoever the provider knows joins the default org."""
    config = provider.config(create_users=True, join_org=DEFAULT_ORG, join_role="viewer")
    async with console_site(tmp_path / "gateway", config) as site:
        yield site


async def start(caller: Caller, next: str = "/console") -> str:
    """Go to the provider and return the address there."""
    answer = await caller.client.get("/console/api/oidc/company/start", params={"next": next})
    assert answer.status_code == 302
    return answer.headers["location"]


async def come_back(caller: Caller, parameters: dict[str, str]) -> httpx.Response:
    return await caller.client.get("/console/api/oidc/company/callback", params=parameters)


async def failing(caller: Caller, provider: OidcProvider) -> str:
    """Sign in, and return the code with which that fails; nobody may be signed in afterwards."""
    answer = await come_back(caller, provider.sign_in(await start(caller)))
    page, _, code = answer.headers["location"].partition("?error=")
    assert (answer.status_code, page) == (302, "/sign-in")
    assert (await caller.get("/session"))["user"] is None
    return code


async def test_somebody_new_signs_in_and_joins_the_org(site: Site, provider: OidcProvider):
    caller = site.visitor()
    assert (await caller.begin())["oidc"] == [{"name": "company", "title": "Company"}]

    url = await start(caller, "/console/keys?q=1")
    answer = await come_back(caller, provider.sign_in(url))

    assert url.startswith(f"{provider.issuer}/authorize?")
    assert (answer.status_code, answer.headers["location"]) == (302, "/console/keys?q=1")
    me = (await caller.get("/session"))["user"]
    assert (me["email"], me["name"], me["orgs"][0]["role"]) == ("ann@a.example", "Ann", "viewer")


async def test_the_second_time_it_is_the_same_person_whatever_the_address_is(site: Site, provider: OidcProvider):
    ids: list[str] = []
    for email in ("ann@a.example", "renamed@a.example"):
        provider.person["email"] = email
        caller = site.visitor()
        await come_back(caller, provider.sign_in(await start(caller)))
        ids.append((await caller.get("/session"))["user"]["id"])

    assert ids[0] == ids[1]
    assert provider.paths.count("/jwks") == provider.paths.count("/.well-known/openid-configuration") == 1


async def test_an_account_with_the_same_address_is_theirs_and_loses_the_password(site: Site, provider: OidcProvider):
    squatter = await site.signed_in("ann@a.example")
    caller = site.visitor()

    await come_back(caller, provider.sign_in(await start(caller)))

    assert (await caller.get("/session"))["user"]["email"] == "ann@a.example"
    assert (await squatter.get("/session"))["user"] is None
    await squatter.begin()
    refused = await squatter.refused("POST", "/session", {"email": "ann@a.example", "password": PASSWORD})
    assert refused == (401, "bad_credentials")


@pytest.mark.parametrize("next", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", ""])
async def test_nobody_is_sent_to_another_site(site: Site, provider: OidcProvider, next: str):
    caller = site.visitor()

    answer = await come_back(caller, provider.sign_in(await start(caller, next)))

    assert answer.headers["location"] == "/console"


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://another.example"},
        {"aud": "another"},
        {"aud": ["another", "third"]},
        {"aud": ["tokengate", "another"], "azp": "another"},
        {"nonce": "another"},
        {"exp": 1},
        {"nbf": 99_999_999_999},
        {"iat": 99_999_999_999},
        {"sub": ""},
        {"sub": None},
    ],
)
async def test_a_token_that_is_not_for_this_sign_in_is_refused(
    site: Site, provider: OidcProvider, wrong: dict[str, object]
):
    provider.wrong = wrong

    assert await failing(site.visitor(), provider) == "oidc_failed"


def _other_key(provider: OidcProvider) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": "1"})


def _secret_as_key(provider: OidcProvider) -> None:
    provider.header = {"alg": "HS256", "kid": "1"}
    provider.key = OctKey.import_key(SECRET * 2)  # pyright: ignore[reportAttributeAccessIssue]  # the wrong kind


def _unknown_key(provider: OidcProvider) -> None:
    provider.header = {"alg": "RS256", "kid": "never published"}


def _wrong_secret(provider: OidcProvider) -> None:
    provider.secret = "another"


def _another_issuer(provider: OidcProvider) -> None:
    provider.discovery = {"token_endpoint": f"{provider.issuer}/nothing"}


@pytest.mark.parametrize("mistake", [_other_key, _secret_as_key, _unknown_key, _wrong_secret, _another_issuer])
async def test_what_the_provider_did_not_sign_is_refused(
    site: Site, provider: OidcProvider, mistake: Callable[[OidcProvider], object]
):
    mistake(provider)

    assert await failing(site.visitor(), provider) == "oidc_failed"


def _age_keys(site: Site) -> None:
    """Make the keys old enough to be fetched again when one is unknown."""
    site.gateway.platform.console.oidc["company"].keys_fetched_s -= 61


async def test_keys_that_were_rotated_are_fetched_again(site: Site, provider: OidcProvider):
    caller = site.visitor()
    await come_back(caller, provider.sign_in(await start(caller)))
    provider.key = RSAKey.generate_key(2048, {"kid": "2"})
    provider.header = {"alg": "RS256", "kid": "2"}
    provider.published = [provider.key]
    _age_keys(site)

    other = site.visitor()
    await come_back(other, provider.sign_in(await start(other)))

    assert (await other.get("/session"))["user"] is not None


async def test_an_answer_counts_only_in_the_browser_that_asked(site: Site, provider: OidcProvider):
    asker, other = site.visitor(), site.visitor()
    answer = provider.sign_in(await start(asker))

    stolen = await come_back(other, answer)
    wrong_state = await come_back(asker, {**answer, "state": "x"})
    mixed_up = await come_back(asker, {**answer, "iss": "https://another.example"})
    denied = await come_back(asker, {"error": "access_denied", "state": answer["state"]})

    for refused in (stolen, wrong_state, mixed_up, denied):
        assert refused.headers["location"] == "/sign-in?error=oidc_failed"
    assert (await other.get("/session"))["user"] is None and (await asker.get("/session"))["user"] is None


async def test_an_address_that_is_not_verified_proves_nothing(site: Site, provider: OidcProvider):
    await site.user("ann@a.example", operator=True)
    for verified in ({"email_verified": False}, {}):
        provider.person = {"sub": "9", "email": "ann@a.example", **verified}
        assert await failing(site.visitor(), provider) == "email_not_verified"


async def test_somebody_who_is_disabled_stays_out(site: Site, provider: OidcProvider):
    caller = site.visitor()
    await come_back(caller, provider.sign_in(await start(caller)))
    operator = await site.signed_in("root@platform.example", operator=True)
    (user,) = (await operator.get("/admin/users?q=ann"))["data"]

    await operator.patch(f"/admin/users/{user['id']}", {"disabled": True})

    assert await failing(site.visitor(), provider) == "account_disabled"


async def test_a_provider_that_is_down_or_unknown_is_told(site: Site, provider: OidcProvider):
    provider.down = True
    visitor = site.visitor()

    answer = await visitor.client.get("/console/api/oidc/company/start")

    assert answer.headers["location"] == "/sign-in?error=oidc_failed"
    assert await visitor.refused("GET", "/oidc/another/start") == (404, "not_found")


async def test_without_permission_to_create_nobody_new_gets_in(tmp_path: Path, provider: OidcProvider):
    async with console_site(tmp_path / "closed", provider.config()) as site:
        assert await failing(site.visitor(), provider) == "invitation_needed"
    portal = '[portal]\nsign_up = "open"\nbase_url = "http://127.0.0.1:1/"\n'
    async with console_site(tmp_path / "open", portal + provider.config(trust_email=True)) as site:
        provider.person = {"sub": "7", "email": "new@a.example", "preferred_username": "new"}
        caller = site.visitor()
        url = await start(caller)
        assert "redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fconsole%2Fapi%2Foidc%2Fcompany%2Fcallback" in url
        await come_back(caller, provider.sign_in(url))
        me = (await caller.get("/session"))["user"]
        assert (me["name"], me["orgs"][0]["role"]) == ("new", "owner")
