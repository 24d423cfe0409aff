from tests.web.console_site import PASSWORD, Site


async def test_a_script_acts_as_an_operator_with_an_admin_token_until_it_is_revoked(site: Site):
    operator = await site.signed_in("root@platform.example", operator=True)
    made = await operator.post("/admin/tokens", {"name": "ci"})
    script = site.visitor(authorization=f"Bearer {made['token']}")

    org = await script.post("/orgs", {"name": "by script"})  # without a CSRF token
    me = (await script.get("/session"))["user"]
    (listed,) = (await operator.get("/admin/tokens"))["data"]
    await operator.delete(f"/admin/tokens/{listed['id']}")

    assert made["token"].startswith("tgadm-") and made["token"] not in str(listed)
    assert listed["last_used_ms"] is not None and (me["operator"], me["name"]) == (True, "ci")
    (entry,) = (await operator.get(f"/admin/audit?target={org['id']}"))["data"]
    assert (entry["actor_kind"], entry["actor_name"]) == ("admin_token", "ci")
    assert await script.refused("GET", "/orgs") == (401, "bad_admin_token")


async def test_a_token_that_would_be_over_is_not_made(site: Site):
    operator = await site.signed_in("root@platform.example", operator=True)

    refused = await operator.refused("POST", "/admin/tokens", {"name": "late", "expires_ms": 1})

    assert refused == (400, "expired_already")


async def test_settings_are_changed_here_and_taken_back_to_the_configuration(site: Site):
    operator = await site.signed_in("root@platform.example", operator=True)

    changed = await operator.patch("/admin/settings", {"site_name": "Ours", "portal_public": False, "contact": "**x**"})
    session = await site.visitor().begin()
    restored = await operator.patch("/admin/settings", {"site_name": None})

    assert (session["site_name"], session["portal_public"], session["contact"]) == ("Ours", False, "**x**")
    assert (changed["site_name"], restored["site_name"], restored["contact"]) == ("Ours", "TokenGate", "**x**")
    assert await operator.refused("PATCH", "/admin/settings", {"sign_up": "maybe"}) == (400, "invalid_request")
    log = (await operator.get("/admin/audit?action=settings"))["data"]
    assert log[0]["before"] == {"site_name": "Ours"} and log[0]["after"] == {"site_name": "TokenGate"}


async def test_people_are_listed_found_disabled_and_made_operators(site: Site):
    operator = await site.signed_in("root@platform.example", operator=True)
    ann = await site.signed_in("ann@a.example")

    (found,) = (await operator.get("/admin/users?q=ANN"))["data"]
    await operator.patch(f"/admin/users/{found['id']}", {"operator": True})
    assert (await ann.get("/session"))["user"]["operator"]
    await operator.patch(f"/admin/users/{found['id']}", {"operator": False, "disabled": True})

    assert (await ann.get("/session"))["user"] is None
    visitor = site.visitor()
    await visitor.begin()
    refused = await visitor.refused("POST", "/session", {"email": "ann@a.example", "password": PASSWORD})
    assert refused == (401, "bad_credentials")
    await operator.patch(f"/admin/users/{found['id']}", {"disabled": False})
    await visitor.sign_in("ann@a.example")


async def test_the_platform_keeps_an_operator(site: Site):
    operator = await site.signed_in("root@platform.example", operator=True)
    me = (await operator.get("/session"))["user"]["id"]

    for change in ({"operator": False}, {"disabled": True}):
        assert await operator.refused("PATCH", f"/admin/users/{me}", change) == (409, "last_operator")
