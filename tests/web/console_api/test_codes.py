"""Batches of redemption codes, made and withdrawn by operators."""

import csv

from tests.web.console_api.paying import Paying


async def test_a_batch_is_made_shown_and_listed_and_its_codes_are_shown_once(paying: Paying):
    operator = await paying.operator()

    made = await paying.codes(operator, count=3, amount_yuan="12.5", note="秋季")
    batch = made["batch"]
    await paying.codes(operator)
    shown = await operator.get(f"/admin/code-batches/{batch['id']}")
    newest = await operator.get("/admin/code-batches?limit=1")
    older = await operator.get(f"/admin/code-batches?limit=1&after={newest['next']}")
    codes = await operator.get(f"/admin/code-batches/{batch['id']}/codes?limit=2")
    rest = await operator.get(f"/admin/code-batches/{batch['id']}/codes?limit=2&after={codes['next']}")

    assert (batch["state"], batch["count"], batch["amount_yuan"], batch["note"]) == ("open", 3, "12.5", "秋季")
    assert len(set(made["codes"])) == 3
    assert shown == batch == older["data"][0]
    ends = [code["last4"] for code in codes["data"] + rest["data"]]
    assert (ends, rest["next"]) == ([code[-4:] for code in made["codes"]], None)
    assert not any(code in str((shown, codes, rest)) for code in made["codes"])


async def test_a_batch_can_be_a_file(paying: Paying):
    operator = await paying.operator()

    answer = await operator.call("POST", "/admin/code-batches.csv", {"count": 3, "amount_yuan": "50"})

    head, *rows = csv.reader(answer.text.splitlines())
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert head == ["code", "yuan", "expires_ms", "batch"]
    assert len(rows) == 3 and all(row[1:3] == ["50", ""] for row in rows)


async def test_making_and_revoking_are_in_the_audit_log_without_any_code(paying: Paying):
    operator = await paying.operator()
    made = await paying.codes(operator)
    batch_id = made["batch"]["id"]

    revoked = await operator.post(f"/admin/code-batches/{batch_id}/revoke")
    again = await operator.post(f"/admin/code-batches/{batch_id}/revoke")

    assert revoked["state"] == "revoked" and revoked == again
    entries = (await operator.get(f"/admin/audit?target={batch_id}"))["data"]
    assert [entry["action"] for entry in entries] == ["code_batch.revoke", "code_batch.create"]
    assert not any(code in str(entries) for code in made["codes"])


async def test_a_batch_that_makes_no_sense_is_refused_by_name(paying: Paying):
    operator = await paying.operator()

    for form, code in (
        ({"count": 0, "amount_yuan": "1"}, None),
        ({"count": 10_001, "amount_yuan": "1"}, None),
        ({"count": 1, "amount_yuan": "0"}, "bad_amount"),
        ({"count": 1, "amount_yuan": "1", "expires_ms": 1}, None),
        ({"count": 1, "amount_yuan": "1", "magic": True}, "invalid_request"),
        ({"count": 1}, "invalid_request"),
    ):
        status, told = await operator.refused("POST", "/admin/code-batches", form)
        assert status == 400 and (code is None or told == code), form
    assert await operator.refused("GET", "/admin/code-batches/cbt_none") == (404, "not_found")
    assert await operator.refused("GET", "/admin/code-batches/cbt_none/codes") == (404, "not_found")
