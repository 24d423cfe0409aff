from sqlalchemy import select

from tests.web.console_site import PASSWORD, Site
from tokengate.storage.tables import sessions


async def test_a_page_begins_with_who_is_there_and_what_the_site_is(site: Site):
    session = await site.visitor().begin()

    assert session["user"] is None and len(session["csrf_token"]) == 43
    assert session["base_url"] == site.gateway.url
    assert (session["site_name"], session["sign_up"], session["portal_public"]) == ("TokenGate", "invitation", True)


async def test_somebody_signs_in_and_out(site: Site):
    org_id = await site.org("ours")
    caller = await site.signed_in("ann@a.example", roles={org_id: "developer"})

    session = await caller.get("/session")
    await caller.delete("/session")

    assert session["user"]["email"] == "ann@a.example" and not session["user"]["operator"]
    assert session["user"]["orgs"] == [{"org_id": org_id, "org_name": "ours", "role": "developer"}]
    assert (await caller.get("/session"))["user"] is None
    assert await caller.refused("GET", "/orgs") == (401, "not_signed_in")


async def test_the_session_s_cookie_is_kept_from_scripts_and_from_other_sites(site: Site):
    for proto, secure in (("http", False), ("https", True)):
        answer = await site.visitor(x_forwarded_proto=proto).call("GET", "/session")

        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=lax" in cookie and ("Secure" in cookie) == secure


async def test_the_text_of_a_session_is_not_stored(site: Site):
    caller = await site.signed_in("ann@a.example")
    token = caller.client.cookies["tokengate_session"]

    async with site.database.read() as read:
        rows = [tuple(row) for row in await read.execute(select(sessions))]
    assert len(rows) == 1 and token not in str(rows)


async def test_a_wrong_password_and_an_unknown_address_look_alike(site: Site):
    await site.user("ann@a.example")
    visitor = site.visitor()
    await visitor.begin()

    for email in ("ann@a.example", "nobody@a.example"):
        refused = await visitor.refused("POST", "/session", {"email": email, "password": "wrong password"})
        assert refused == (401, "bad_credentials")


async def test_failed_sign_ins_are_throttled_even_with_the_right_password(site: Site):
    await site.user("ann@a.example")
    await site.user("bob@a.example")
    visitor = site.visitor()
    await visitor.begin()

    refusals = [
        await visitor.refused("POST", "/session", {"email": "ANN@a.example", "password": "wrong password"})
        for _ in range(5)
    ]
    answer = await visitor.call("POST", "/session", {"email": "ann@a.example", "password": PASSWORD})

    assert refusals == [(401, "bad_credentials")] * 5
    assert answer.status_code == 429 and answer.json()["error"]["code"] == "too_many_sign_ins"
    assert int(answer.headers["retry-after"]) == 1
    assert (await visitor.sign_in("bob@a.example"))["user"]["email"] == "bob@a.example"


async def test_messages_come_in_the_caller_s_language(site: Site):
    visitor = site.visitor(accept_language="zh-CN,zh;q=0.9,en;q=0.8")

    answer = await visitor.call("GET", "/orgs")

    assert answer.json()["error"]["message"] == "请先登录。"


async def test_a_changed_password_ends_the_other_sessions(site: Site):
    first = await site.signed_in("ann@a.example")
    second = site.visitor()
    await second.sign_in("ann@a.example")

    wrong = await first.refused("POST", "/password", {"current": "wrong", "password": "another long one"})
    short = await first.refused("POST", "/password", {"current": PASSWORD, "password": "short"})
    await first.post("/password", {"current": PASSWORD, "password": "another long one"})

    assert (wrong, short) == ((400, "wrong_password"), (400, "bad_password"))
    assert (await first.get("/session"))["user"] is not None
    assert (await second.get("/session"))["user"] is None
    assert (await site.visitor().sign_in("ann@a.example", "another long one"))["user"] is not None


async def test_signing_out_everywhere_ends_every_session(site: Site):
    first = await site.signed_in("ann@a.example")
    second = site.visitor()
    await second.sign_in("ann@a.example")

    await first.delete("/session?everywhere=true")

    assert (await second.get("/session"))["user"] is None
