from tests.web.console_site import Site


async def test_an_org_is_shown_renamed_and_listed_to_its_members_only(site: Site):
    ours, theirs = await site.org("ours"), await site.org("theirs")
    admin = await site.signed_in("admin@a.example", roles={ours: "admin"})
    operator = await site.signed_in("root@platform.example", operator=True)

    renamed = await admin.patch(f"/orgs/{ours}", {"name": " Renamed "})

    assert renamed["name"] == (await admin.get(f"/orgs/{ours}"))["name"] == "Renamed"
    assert [org["id"] for org in (await admin.get("/orgs"))["data"]] == [ours]
    assert {ours, theirs} <= {org["id"] for org in (await operator.get("/orgs"))["data"]}
    page = await operator.get("/orgs?limit=1")
    rest = await operator.get(f"/orgs?after={page['next']}")
    assert len(page["data"]) == 1 and page["data"][0] not in rest["data"]
    assert [org["id"] for org in (await operator.get("/orgs?q=THEIR"))["data"]] == [theirs]


async def test_an_operator_makes_orgs_that_can_be_used_at_once(site: Site):
    operator = await site.signed_in("root@platform.example", operator=True)

    org = await operator.post("/orgs", {"name": "New"})

    assert [project["name"] for project in (await operator.get(f"/orgs/{org['id']}/projects"))["data"]] == ["Default"]
    assert (await operator.post(f"/orgs/{org['id']}/keys", {"name": "k"}))["key"]["project_id"]


async def test_projects_are_made_renamed_and_paged(site: Site):
    org_id = await site.org("ours")
    owner = await site.signed_in("owner@a.example", roles={org_id: "owner"})
    made = [await owner.post(f"/orgs/{org_id}/projects", {"name": f"p{number}"}) for number in range(3)]

    await owner.patch(f"/orgs/{org_id}/projects/{made[1]['id']}", {"name": "renamed"})

    page = await owner.get(f"/orgs/{org_id}/projects?limit=2")
    rest = await owner.get(f"/orgs/{org_id}/projects?limit=2&after={page['next']}")
    assert [project["name"] for project in page["data"] + rest["data"]] == ["p0", "renamed", "p2"]
    assert rest["next"] is None
    refused = await owner.refused("PATCH", f"/orgs/{org_id}/projects/proj_default", {"name": "theirs"})
    assert refused == (404, "not_found")


async def test_roles_are_changed_and_members_removed(site: Site):
    org_id = await site.org("ours")
    callers = await site.members(org_id)
    members = {one["role"]: one["user_id"] for one in (await callers["viewer"].get(f"/orgs/{org_id}/members"))["data"]}
    path = f"/orgs/{org_id}/members"

    changed = await callers["owner"].patch(f"{path}/{members['viewer']}", {"role": "admin"})
    await callers["owner"].delete(f"{path}/{members['billing']}")

    assert changed["role"] == "admin"
    assert (await callers["viewer"].patch(f"/orgs/{org_id}", {"name": "now allowed"}))["name"] == "now allowed"
    assert await callers["billing"].refused("GET", f"/orgs/{org_id}") == (404, "not_found")
    assert (await callers["owner"].get(f"{path}/{members['developer']}"))["role"] == "developer"


async def test_only_owners_make_change_or_remove_owners_and_one_stays(site: Site):
    org_id = await site.org("ours")
    callers = await site.members(org_id)
    members = {one["role"]: one["user_id"] for one in (await callers["owner"].get(f"/orgs/{org_id}/members"))["data"]}
    path, admin, owner = f"/orgs/{org_id}/members", callers["admin"], callers["owner"]

    assert await admin.refused("PATCH", f"{path}/{members['viewer']}", {"role": "owner"}) == (403, "owners_only")
    assert await admin.refused("PATCH", f"{path}/{members['owner']}", {"role": "viewer"}) == (403, "owners_only")
    assert await admin.refused("DELETE", f"{path}/{members['owner']}") == (403, "owners_only")
    assert await admin.refused("POST", f"/orgs/{org_id}/invitations", {"role": "owner"}) == (403, "owners_only")
    assert await owner.refused("PATCH", f"{path}/{members['owner']}", {"role": "admin"}) == (409, "last_owner")
    assert await owner.refused("DELETE", f"{path}/{members['owner']}") == (409, "last_owner")
    assert await owner.refused("PATCH", f"{path}/{members['viewer']}", {"role": "king"}) == (400, "invalid_request")
    await owner.patch(f"{path}/{members['admin']}", {"role": "owner"})
    await owner.delete(f"{path}/{members['owner']}")


async def test_a_project_says_whether_it_stores_responses(site: Site):
    org_id, other = await site.org("ours"), await site.org("theirs")
    owner = await site.signed_in("owner@a.example", roles={org_id: "owner"})
    project = await owner.post(f"/orgs/{org_id}/projects", {"name": "p"})
    assert project["stores_responses"]

    changed = await owner.patch(f"/orgs/{org_id}/projects/{project['id']}", {"stores_responses": False})

    assert (changed["name"], changed["stores_responses"]) == ("p", False)
    both = await owner.patch(f"/orgs/{org_id}/projects/{project['id']}", {"name": "q", "stores_responses": True})
    assert (both["name"], both["stores_responses"]) == ("q", True)
    entries = (await owner.get(f"/orgs/{org_id}/audit?action=project.store_responses"))["data"]
    assert [entry["after"] for entry in entries] == [{"stores_responses": True}, {"stores_responses": False}]
    theirs = f"/orgs/{other}/projects/{project['id']}"
    assert (await owner.refused("PATCH", theirs, {"stores_responses": False}))[0] == 404


async def test_every_change_is_in_the_audit_log_with_who_and_what(site: Site):
    ours, theirs = await site.org("ours"), await site.org("theirs")
    owner = await site.signed_in("owner@a.example", roles={ours: "owner"})
    project = await owner.post(f"/orgs/{ours}/projects", {"name": "before"})
    await owner.patch(f"/orgs/{ours}/projects/{project['id']}", {"name": "after"})
    await owner.patch(f"/orgs/{ours}/projects/{project['id']}", {"name": "after"})  # changes nothing

    entries = (await owner.get(f"/orgs/{ours}/audit?action=project"))["data"]

    assert [entry["action"] for entry in entries] == ["project.rename", "project.create"]
    renamed = entries[0]
    assert (renamed["actor_kind"], renamed["actor_name"], renamed["address"]) == (
        "user",
        "owner@a.example",
        "127.0.0.1",
    )
    assert (renamed["target"], renamed["before"], renamed["after"]) == (
        project["id"],
        {"name": "before"},
        {"name": "after"},
    )
    operator = await site.signed_in("root@platform.example", operator=True)
    assert theirs not in str(await owner.get(f"/orgs/{ours}/audit?limit=200"))
    assert {ours, theirs} <= {entry["org_id"] for entry in (await operator.get("/admin/audit?limit=200"))["data"]}
