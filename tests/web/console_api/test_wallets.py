"""Wallets as an org and the platform's operators see them, on both databases."""

import asyncio
import csv
from decimal import Decimal

import pytest

from tests.web.console_api.paying import MESSAGES, Paying
from tokengate.ledger import statement
from tokengate.ledger.codes.text import new_code


async def test_a_wallet_is_opened_listed_and_shown(paying: Paying):
    billing = await paying.member("billing")

    made = await billing.post(f"{paying.org}/wallets", {"name": "研发"})
    first = await billing.get(f"{paying.org}/wallets?limit=1")
    second = await billing.get(f"{paying.org}/wallets?limit=1&after={first['next']}")

    assert (made["name"], made["balance_yuan"], made["held_yuan"], made["available_yuan"]) == ("研发", "0", "0", "0")
    assert (first["data"][0]["id"], first["data"][0]["balance_yuan"]) == (paying.key.wallet_id, "10")
    assert (second["data"], second["next"]) == ([made], None)
    assert await billing.get(f"{paying.org}/wallets/{made['id']}") == made
    assert await billing.refused("POST", f"{paying.org}/wallets", {"name": " "}) == (400, "bad_name")
    (entry,) = (await (await paying.operator()).get(f"{paying.org}/audit?action=wallet.create"))["data"]
    assert (entry["target"], entry["after"]) == (made["id"], {"name": "研发"})


async def test_the_journal_is_what_came_and_went(paying: Paying):
    viewer = await paying.member("viewer")
    call_id = await paying.call("b")
    await paying.site.gateway.idle()

    entries = (await viewer.get(f"{paying.wallet}/journal"))["data"]
    spent = (await viewer.get(f"{paying.wallet}/journal?kind=settle"))["data"]
    others = (await viewer.get(f"{paying.wallet}/journal?kind=top_up&kind=redeem"))["data"]
    first = await viewer.get(f"{paying.wallet}/journal?limit=1")
    rest = await viewer.get(f"{paying.wallet}/journal?limit=1&after={first['next']}")

    assert [(entry["kind"], entry["change_yuan"]) for entry in entries] == [("settle", "-0.015"), ("top_up", "10")]
    assert spent == entries[:1] and spent[0]["call_id"] == call_id
    assert others == entries[1:] == rest["data"] and rest["next"] is None
    assert await viewer.refused("GET", f"{paying.wallet}/journal?kind=magic") == (400, "invalid_request")
    assert (await viewer.get(f"{paying.wallet}/journal?to_ms=1"))["data"] == []


async def test_the_journal_is_a_file_that_is_what_the_list_says(paying: Paying, monkeypatch: pytest.MonkeyPatch):
    operator, billing = await paying.operator(), await paying.member("billing")
    form = {"amount_yuan": "5", "note": '=HYPERLINK("http://x"), again'}
    await operator.post(f"/admin/wallets/{paying.key.wallet_id}/top-up", form)
    await paying.call("b")
    await paying.site.gateway.idle()
    monkeypatch.setattr(statement, "MAX_PAGE", 1)  # so that three entries are several pages

    answer = await billing.call("GET", f"{paying.wallet}/journal.csv")
    filtered = await billing.call("GET", f"{paying.wallet}/journal.csv?kind=settle")

    head, *rows = csv.reader(answer.text.splitlines())
    table = [dict(zip(head, row, strict=True)) for row in rows]
    listed = (await billing.get(f"{paying.wallet}/journal"))["data"]
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="journal.csv"'
    assert [row["id"] for row in table] == [entry["id"] for entry in listed]
    assert [row["change_yuan"] for row in table] == ["-0.015", "5", "10"]  # numbers for a spreadsheet
    assert table[1]["note"] == '\'=HYPERLINK("http://x"), again'  # and no formula
    assert len(filtered.text.splitlines()) == 2
    refused = await billing.refused("GET", f"{paying.org}/wallets/wal_none/journal.csv")
    assert refused == (404, "not_found")


async def test_a_call_under_way_holds_money_and_is_listed(paying: Paying):
    developer = await paying.member("developer")
    body = {"model": "hang", "messages": MESSAGES, "max_tokens": 1000}
    running = asyncio.ensure_future(paying.site.gateway.post(body))
    while not (held := (await developer.get(f"{paying.wallet}/holds"))["data"]):
        await asyncio.sleep(0.01)
    wallet = await developer.get(paying.wallet)

    assert [(hold["model"], hold["key_id"]) for hold in held] == [("hang", paying.key.id)]
    assert wallet["held_yuan"] == held[0]["held_yuan"]
    assert Decimal(wallet["held_yuan"]) > 1
    assert Decimal(wallet["available_yuan"]) == Decimal(wallet["balance_yuan"]) - Decimal(wallet["held_yuan"])

    running.cancel()
    await paying.site.gateway.idle()
    assert (await developer.get(f"{paying.wallet}/holds"))["data"] == []
    assert (await developer.get(paying.wallet))["held_yuan"] == "0"


async def test_a_code_is_redeemed_once_and_is_in_the_journal_and_the_audit_log(paying: Paying):
    operator, billing = await paying.operator(), await paying.member("billing")
    made = await paying.codes(operator)

    redeemed = await billing.post(f"{paying.wallet}/redeem", {"code": made["codes"][0].lower()})

    assert (redeemed["amount_yuan"], redeemed["wallet"]["balance_yuan"]) == ("50", "60")
    again = await billing.refused("POST", f"{paying.wallet}/redeem", {"code": made["codes"][0]})
    assert again == (400, "code_redeemed")
    (entry,) = (await billing.get(f"{paying.wallet}/journal?kind=redeem"))["data"]
    assert (entry["id"], entry["debit"]) == (redeemed["entry_id"], f"codes:{made['batch']['id']}")
    (audited,) = (await operator.get(f"{paying.org}/audit?action=wallet.redeem"))["data"]
    assert audited["after"]["entry_id"] == entry["id"]
    assert made["codes"][0] not in str(audited)


async def test_of_many_requests_with_one_code_exactly_one_pays(paying: Paying):
    operator, owner = await paying.operator(), await paying.member("owner")
    (code, _) = (await paying.codes(operator))["codes"]

    answers = await asyncio.gather(
        *[owner.call("POST", f"{paying.wallet}/redeem", {"code": code}) for _ in range(20)],
        *[operator.call("POST", f"{paying.wallet}/redeem", {"code": code}) for _ in range(20)],
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 39
    assert (await owner.get(paying.wallet))["balance_yuan"] == "60"


async def test_why_a_code_is_refused_is_told_by_its_code_in_the_caller_s_language(paying: Paying):
    operator, admin = await paying.operator(), await paying.member("admin")
    revoked = await paying.codes(operator)
    await operator.post(f"/admin/code-batches/{revoked['batch']['id']}/revoke")
    admin.client.headers["accept-language"] = "zh-CN"

    for code, why in ((revoked["codes"][0], "revoked"), ("nonsense", "malformed"), (new_code().text, "unknown")):
        assert await admin.refused("POST", f"{paying.wallet}/redeem", {"code": code}) == (400, f"code_{why}")
    answer = await admin.call("POST", f"{paying.wallet}/redeem", {"code": new_code().text})
    assert answer.json()["error"]["message"] == "没有这个兑换码。"
    for _ in range(8):
        await admin.refused("POST", f"{paying.wallet}/redeem", {"code": new_code().text})
    slowed = await admin.call("POST", f"{paying.wallet}/redeem", {"code": new_code().text})
    assert (slowed.status_code, slowed.json()["error"]["code"]) == (429, "too_many_codes")
    assert int(slowed.headers["retry-after"]) > 3_000


async def test_an_operator_finds_and_tops_up_wallets_of_every_org(paying: Paying):
    operator = await paying.operator()
    org_id = await paying.site.org("theirs")
    theirs = await operator.post(f"/orgs/{org_id}/wallets", {"name": "Acme 100%"})

    found = (await operator.get("/admin/wallets?q=acme"))["data"]
    topped = await operator.post(f"/admin/wallets/{theirs['id']}/top-up", {"amount_yuan": "12.5", "note": "invoice 7"})

    assert found == [{**theirs, "org_name": "theirs"}]
    assert topped["balance_yuan"] == "12.5"
    (entry,) = (await operator.get(f"/orgs/{org_id}/wallets/{theirs['id']}/journal"))["data"]
    assert (entry["kind"], entry["change_yuan"], entry["note"]) == ("top_up", "12.5", "invoice 7")
    for amount in ("0", "-1", "ten", "0.0000000001", "99999999999"):
        form = {"amount_yuan": amount}
        assert await operator.refused("POST", f"/admin/wallets/{theirs['id']}/top-up", form) == (400, "bad_amount")
    assert await operator.refused("POST", "/admin/wallets/wal_none/top-up", {"amount_yuan": "1"}) == (404, "not_found")


async def test_a_top_up_with_an_idempotency_key_pays_once_under_any_race(paying: Paying):
    operator = await paying.operator()
    path, form = f"/admin/wallets/{paying.key.wallet_id}/top-up", {"amount_yuan": "5", "note": "invoice 8"}

    async def top_up(key: str, amount: str = "5") -> tuple[int, str]:
        answer = await operator.call("POST", path, {**form, "amount_yuan": amount}, headers={"idempotency-key": key})
        return answer.status_code, answer.json().get("balance_yuan") or answer.json()["error"]["code"]

    same = await asyncio.gather(*[top_up("invoice-8") for _ in range(20)])
    later = await top_up("invoice-8")
    other_amount = await top_up("invoice-8", "6")
    another = await top_up("invoice-9")

    assert set(same) == {(200, "15")} and later == (200, "15")
    assert other_amount == (422, "idempotency_key_reused")
    assert another == (200, "20")
    assert await top_up("k" * 256) == (400, "invalid_request")
    entries = (await operator.get(f"{paying.wallet}/journal?kind=top_up"))["data"]
    assert [entry["change_yuan"] for entry in entries] == ["5", "5", "10"]
    assert len((await operator.get(f"{paying.org}/audit?action=wallet.top_up"))["data"]) == 2


async def test_a_top_up_that_failed_leaves_its_key_free(paying: Paying):
    operator = await paying.operator()
    path, headers = f"/admin/wallets/{paying.key.wallet_id}/top-up", {"idempotency-key": "one"}

    too_much = await operator.call("POST", path, {"amount_yuan": "9223372036"}, headers=headers)
    paid = await operator.call("POST", path, {"amount_yuan": "1"}, headers=headers)

    assert (too_much.status_code, too_much.json()["error"]["code"]) == (400, "bad_amount")
    assert paid.json()["balance_yuan"] == "11"


async def test_a_wallet_of_another_org_does_not_exist(paying: Paying):
    org_id = await paying.site.org("theirs")
    owner = await paying.site.signed_in("owner@theirs.example", roles={org_id: "owner"})
    operator = await paying.operator()
    (code, _) = (await paying.codes(operator))["codes"]
    wallet = f"/orgs/{org_id}/wallets/{paying.key.wallet_id}"

    for path in ("", "/journal", "/holds", "/alert"):
        assert await owner.refused("GET", wallet + path) == (404, "not_found")
    assert await owner.refused("POST", f"{wallet}/redeem", {"code": code}) == (404, "not_found")
    assert await owner.refused("POST", f"{wallet}/alert/test") == (404, "not_found")
    form = {"threshold_yuan": "1", "url": "https://hooks.example.com"}
    assert await owner.refused("PUT", f"{wallet}/alert", form) == (404, "not_found")
    assert (await operator.get("/admin/code-batches?limit=1"))["data"][0]["redeemed"] == 0
