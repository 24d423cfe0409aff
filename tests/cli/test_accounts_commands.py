"""Users, orgs, members, projects and admin tokens at the command line."""

from typing import Any, cast

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def platform(run: Run) -> Run:
    """A platform with an operator."""
    assert run("users", "create", "--email", "Root@Platform.example", "--operator").status == 0
    return run


def json_of(run: Run, *arguments: str) -> Any:
    ran = run(*arguments, "--json")
    assert ran.status == 0, ran.err
    return cast(Any, ran.json)


def test_an_operator_is_made_with_a_password_that_is_shown_once(run: Run):
    made = json_of(run, "users", "create", "--email", "root@platform.example", "--name", "Root", "--operator")

    assert made["operator"] and len(made["password"]) == 20
    (listed,) = json_of(run, "users", "list")
    assert (listed["email"], listed["name"], listed["status"]) == ("root@platform.example", "Root", "active")
    (member,) = json_of(run, "members", "list")
    assert (member["email"], member["role"]) == ("root@platform.example", "owner")
    assert run("users", "create", "--email", "ROOT@platform.example").err == (
        "tokengate: There is an account with this e-mail address.\n"
    )


def test_somebody_gets_another_password_is_disabled_and_made_operator(platform: Run):
    json_of(platform, "users", "create", "--email", "ann@a.example")
    user = json_of(platform, "users", "list", "--q", "ann")[0]

    assert json_of(platform, "users", "password", "ann@a.example")["password"]
    assert platform("users", "operator", user["id"]).status == 0
    assert platform("users", "disable", "ann@a.example").status == 0
    assert json_of(platform, "users", "list", "--q", "ann")[0]["status"] == "disabled"
    assert platform("users", "enable", "ann@a.example").status == 0
    assert platform("users", "operator", "ann@a.example", "--revoke").status == 0
    last = platform("users", "operator", "root@platform.example", "--revoke")
    assert (last.status, last.err) == (1, "tokengate: The platform needs an operator: this is the last one.\n")
    assert platform("users", "disable", "nobody@a.example").status == 1


def test_a_project_may_store_no_responses(platform: Run):
    (project,) = json_of(platform, "projects", "list")
    assert project["stores_responses"]

    off = json_of(platform, "projects", "store-responses", project["id"], "--off")

    assert not off["stores_responses"]
    assert json_of(platform, "projects", "list") == [off]
    assert json_of(platform, "projects", "store-responses", project["id"], "--on")["stores_responses"]
    assert platform("projects", "store-responses", "proj_none", "--on").status == 1


def test_an_org_is_made_with_members_projects_and_keys_of_its_own(platform: Run):
    org = json_of(platform, "orgs", "create", "--name", "Ours")["id"]
    user = json_of(platform, "users", "create", "--email", "ann@a.example", "--org", org, "--role", "owner")["id"]
    json_of(platform, "users", "create", "--email", "bob@a.example")
    bob = json_of(platform, "members", "add", "--email", "bob@a.example", "--org", org)["user"]

    json_of(platform, "orgs", "rename", org, "--name", "Renamed")
    json_of(platform, "members", "role", bob, "--role", "billing", "--org", org)
    project = json_of(platform, "projects", "create", "--name", "second", "--org", org)["id"]
    json_of(platform, "projects", "rename", project, "--name", "other", "--org", org)
    key = json_of(platform, "keys", "create", "--name", "k", "--balance", "3", "--org", org)

    assert "Renamed" in {one["name"] for one in json_of(platform, "orgs", "list")}
    assert {one["user"]: one["role"] for one in json_of(platform, "members", "list", "--org", org)} == {
        user: "owner",
        bob: "billing",
    }
    assert [one["name"] for one in json_of(platform, "projects", "list", "--org", org)] == ["Default", "other"]
    assert [one["id"] for one in json_of(platform, "keys", "list", "--org", org)] == [key["id"]]
    assert json_of(platform, "keys", "list") == []
    assert json_of(platform, "wallet", "show", key["wallet"], "--org", org)["balance"] == "3"
    assert platform("members", "remove", bob, "--org", org).status == 0
    assert platform("members", "remove", user, "--org", org).err == (
        "tokengate: An org needs an owner: this is the last one.\n"
    )
    assert platform("keys", "disable", key["id"]).status == 1  # of another org


def test_an_invitation_is_a_link(platform: Run):
    made = json_of(platform, "members", "invite", "--role", "viewer", "--email", "eve@a.example")

    assert made["link"].startswith("http://127.0.0.1:8700/invitations/")


def test_an_admin_token_is_made_listed_and_revoked(platform: Run):
    made = json_of(platform, "admin-tokens", "create", "--name", "ci", "--days", "1")
    (listed,) = json_of(platform, "admin-tokens", "list")

    assert made["token"].startswith("tgadm-") and listed["token"] == f"tgadm-…{made['token'][-4:]}"
    assert platform("admin-tokens", "revoke", made["id"]).status == 0
    assert json_of(platform, "admin-tokens", "list") == []
