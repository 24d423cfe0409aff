"""Every route, every role, and another org: a route without an entry here fails."""

from typing import Any

import pytest

from tests.web.console_site import Caller, Site
from tokengate.accounts.roles import ROLES, TABLE, Permission
from tokengate.app import Platform
from tokengate.web.console_api import PREFIX, build_app
from tokengate.web.console_api.access import access_of

# Who may use each route: public, reader (public by setting), signed_in, operator, or a permission of accounts/roles.py.
EXPECTED: dict[tuple[str, str], str] = {
    ("GET", "/session"): "public",
    ("POST", "/session"): "public",
    ("DELETE", "/session"): "signed_in",
    ("POST", "/password"): "signed_in",
    ("GET", "/portal/tree"): "reader",
    ("GET", "/portal/pages/{slug}"): "reader",
    ("GET", "/portal/search"): "reader",
    ("GET", "/portal/home"): "reader",
    ("GET", "/portal/models"): "reader",
    ("GET", "/portal/models/{id}"): "reader",
    ("GET", "/portal/prices"): "reader",
    ("GET", "/portal/operations"): "reader",
    ("GET", "/portal/status-codes"): "reader",
    ("GET", "/portal/parameters"): "reader",
    ("POST", "/sign-up"): "public",
    ("GET", "/oidc/{provider}/start"): "public",
    ("GET", "/oidc/{provider}/callback"): "public",
    ("GET", "/orgs"): "signed_in",
    ("POST", "/orgs"): "operator",
    ("GET", "/orgs/{org_id}"): "org.read",
    ("PATCH", "/orgs/{org_id}"): "org.write",
    ("GET", "/orgs/{org_id}/audit"): "audit.read",
    ("GET", "/orgs/{org_id}/jobs"): "calls.read",
    ("POST", "/orgs/{org_id}/jobs/{job_id}/cancel"): "keys.write",
    ("GET", "/orgs/{org_id}/members"): "members.read",
    ("GET", "/orgs/{org_id}/members/{user_id}"): "members.read",
    ("PATCH", "/orgs/{org_id}/members/{user_id}"): "members.write",
    ("DELETE", "/orgs/{org_id}/members/{user_id}"): "members.write",
    ("GET", "/orgs/{org_id}/invitations"): "members.write",
    ("POST", "/orgs/{org_id}/invitations"): "members.write",
    ("DELETE", "/orgs/{org_id}/invitations/{invitation_id}"): "members.write",
    ("GET", "/invitations/{token}"): "public",
    ("POST", "/invitations/{token}/accept"): "signed_in",
    ("GET", "/orgs/{org_id}/projects"): "org.read",
    ("POST", "/orgs/{org_id}/projects"): "projects.write",
    ("PATCH", "/orgs/{org_id}/projects/{project_id}"): "projects.write",
    ("GET", "/orgs/{org_id}/keys"): "keys.read",
    ("POST", "/orgs/{org_id}/keys"): "keys.write",
    ("GET", "/orgs/{org_id}/keys/{key_id}"): "keys.read",
    ("PATCH", "/orgs/{org_id}/keys/{key_id}"): "keys.write",
    ("POST", "/orgs/{org_id}/keys/{key_id}/rotate"): "keys.write",
    ("POST", "/orgs/{org_id}/keys/{key_id}/disable"): "keys.write",
    ("POST", "/orgs/{org_id}/keys/{key_id}/enable"): "keys.write",
    ("POST", "/orgs/{org_id}/session-key"): "keys.write",
    ("GET", "/admin/audit"): "operator",
    ("GET", "/admin/upstreams"): "operator",
    ("GET", "/admin/apps"): "operator",
    ("POST", "/admin/apps"): "operator",
    ("GET", "/admin/apps/{name}"): "operator",
    ("PUT", "/admin/apps/{name}"): "operator",
    ("PATCH", "/admin/apps/{name}"): "operator",
    ("DELETE", "/admin/apps/{name}"): "operator",
    ("GET", "/orgs/{org_id}/wallets"): "wallets.read",
    ("POST", "/orgs/{org_id}/wallets"): "wallets.write",
    ("GET", "/orgs/{org_id}/wallets/{id}"): "wallets.read",
    ("GET", "/orgs/{org_id}/wallets/{id}/journal"): "wallets.read",
    ("GET", "/orgs/{org_id}/wallets/{id}/journal.csv"): "wallets.read",
    ("GET", "/orgs/{org_id}/wallets/{id}/holds"): "wallets.read",
    ("POST", "/orgs/{org_id}/wallets/{id}/redeem"): "wallets.write",
    ("GET", "/orgs/{org_id}/wallets/{id}/alert"): "wallets.read",
    ("PUT", "/orgs/{org_id}/wallets/{id}/alert"): "alerts.write",
    ("DELETE", "/orgs/{org_id}/wallets/{id}/alert"): "alerts.write",
    ("POST", "/orgs/{org_id}/wallets/{id}/alert/test"): "alerts.write",
    ("GET", "/orgs/{org_id}/calls"): "calls.read",
    ("GET", "/orgs/{org_id}/calls.csv"): "calls.read",
    ("GET", "/orgs/{org_id}/calls/{id}"): "calls.read",
    ("GET", "/orgs/{org_id}/usage"): "calls.read",
    ("GET", "/admin/wallets"): "operator",
    ("POST", "/admin/wallets/{id}/top-up"): "operator",
    ("GET", "/admin/code-batches"): "operator",
    ("POST", "/admin/code-batches"): "operator",
    ("POST", "/admin/code-batches.csv"): "operator",
    ("GET", "/admin/code-batches/{id}"): "operator",
    ("GET", "/admin/code-batches/{id}/codes"): "operator",
    ("POST", "/admin/code-batches/{id}/revoke"): "operator",
    ("GET", "/admin/tokens"): "operator",
    ("POST", "/admin/tokens"): "operator",
    ("DELETE", "/admin/tokens/{token_id}"): "operator",
    ("GET", "/admin/settings"): "operator",
    ("PATCH", "/admin/settings"): "operator",
    ("GET", "/admin/users"): "operator",
    ("PATCH", "/admin/users/{user_id}"): "operator",
}
ENDS_SESSION = {("DELETE", "/session")}  # tried last


def routes_of(platform: Platform) -> dict[tuple[str, str], str]:
    """Return the application's own table: method and path to the name of the rule."""
    found: dict[tuple[str, str], str] = {}
    for route in build_app(platform.console).routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in set(handler.http_methods) - {"OPTIONS", "HEAD"}:
                path = getattr(route, "path_format").removeprefix(PREFIX)  # noqa: B009  # Litestar's type lacks it
                if not path.startswith("/openapi.json"):
                    found[(str(method), path)] = access_of(handler)[0].name
    return found


async def test_every_route_has_the_rule_that_is_written_here(site: Site):
    assert routes_of(site.gateway.platform) == EXPECTED


def filled(path: str, org_id: str) -> str:
    """Return a path with the org's id and ids that nothing has."""
    parts = [org_id if part == "{org_id}" else "none_1" if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


async def status_of(caller: Caller, method: str, path: str, org_id: str) -> tuple[int, Any]:
    answer = await caller.call(method, filled(path, org_id), None if method in ("GET", "DELETE") else {})
    code = answer.json()["error"]["code"] if answer.status_code >= 400 else None
    return answer.status_code, code


def _ordered() -> list[tuple[tuple[str, str], str]]:
    return sorted(EXPECTED.items(), key=lambda item: (item[0] in ENDS_SESSION, item[0]))


# What is refused only for its body or for an id that nothing has was let in.
REFUSED = {"not_signed_in", "operators_only", "role_forbids", "csrf"}


async def test_each_role_may_use_what_the_table_says_and_nothing_else(site: Site):
    org_id = await site.org("ours")
    for role, caller in (await site.members(org_id)).items():
        for (method, path), rule in _ordered():
            status, code = await status_of(caller, method, path, org_id)

            allowed = rule in ("public", "reader", "signed_in") or (rule in TABLE and role in TABLE[_permission(rule)])
            where = f"{role} {method} {path}: {status} {code}"
            if allowed:
                assert code not in REFUSED and status < 500, where
            else:
                assert (status, code) == (403, "operators_only" if rule == "operator" else "role_forbids"), where


async def test_another_org_does_not_exist_for_any_role(site: Site):
    theirs, ours = await site.org("theirs"), await site.org("ours")
    for role, caller in (await site.members(ours)).items():
        for (method, path), rule in _ordered():
            if rule in TABLE:
                refused = await status_of(caller, method, path, theirs)
                unknown = await status_of(caller, method, path, "org_none")
                assert refused == unknown == (404, "not_found"), f"{role} {method} {path}"


async def test_somebody_who_is_not_signed_in_may_use_only_what_is_public(site: Site):
    org_id = await site.org("ours")
    visitor = site.visitor()
    await visitor.begin()
    for (method, path), rule in _ordered():
        status, code = await status_of(visitor, method, path, org_id)
        if rule in ("public", "reader"):
            assert code not in REFUSED and status < 500, f"{method} {path}: {status} {code}"
        else:
            assert (status, code) == (401, "not_signed_in"), f"{method} {path}"


async def test_an_operator_may_use_everything_and_sees_only_orgs_that_there_are(site: Site):
    org_id = await site.org("ours")
    operator = await site.signed_in("operator@platform.example", operator=True)
    for (method, path), rule in _ordered():
        if rule in TABLE:
            assert await status_of(operator, method, path, "org_none") == (404, "not_found"), f"{method} {path}"
        status, code = await status_of(operator, method, path, org_id)
        assert code not in REFUSED and status < 500, f"{method} {path}: {status} {code}"


async def test_nothing_is_changed_without_the_csrf_token(site: Site):
    org_id = await site.org("ours")
    operator = await site.signed_in("operator@platform.example", operator=True)
    for token in ("", "x" * 43):
        operator.client.headers["x-csrf-token"] = token
        for (method, path), _ in _ordered():
            if method != "GET":
                assert await status_of(operator, method, path, org_id) == (403, "csrf"), f"{method} {path}"


@pytest.mark.parametrize("permission", sorted(TABLE))
def test_owners_may_do_everything_and_no_permission_is_nobody_s(permission: Permission):
    assert "owner" in TABLE[permission] and TABLE[permission] <= set(ROLES)


def _permission(rule: str) -> Permission:
    return next(permission for permission in TABLE if permission == rule)
