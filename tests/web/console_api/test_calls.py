"""Calls as an org sees them: found, downloaded, opened with their bill."""

import asyncio
import csv
from decimal import Decimal

from tests.web.console_api.paying import Paying


async def test_calls_are_listed_filtered_and_paged(paying: Paying):
    developer = await paying.member("developer")
    made = [await paying.call(model, x_client_request_id=f"mine-{number}") for number, model in enumerate("abaab")]
    await paying.site.gateway.idle()

    everything = await developer.get(f"{paying.org}/calls")
    of_model = await developer.get(f"{paying.org}/calls?model=b&status=200&outcome=ok&key_id={paying.key.id}")
    first = await developer.get(f"{paying.org}/calls?sort=started&limit=3")
    rest = await developer.get(f"{paying.org}/calls?sort=started&limit=3&after={first['next']}")
    dearest = await developer.get(f"{paying.org}/calls?sort=-cost&limit=2")
    mine = await developer.get(f"{paying.org}/calls?q=mine-3")
    by_id = await developer.get(f"{paying.org}/calls?q={made[0]}")

    assert [call["id"] for call in everything["data"]] == made[::-1]
    assert (everything["total"], everything["more"], everything["next"]) == (5, False, None)
    assert [call["id"] for call in of_model["data"]] == [made[4], made[1]]
    assert [call["id"] for call in first["data"] + rest["data"]] == made
    assert [call["model"] for call in dearest["data"]] == ["b", "b"] and dearest["total"] == 5
    assert [call["id"] for call in mine["data"]] == [made[3]]
    assert [call["id"] for call in by_id["data"]] == [made[0]]
    assert everything["data"][0]["cost_yuan"] == "0.015"


async def test_a_question_that_makes_no_sense_is_refused(paying: Paying):
    viewer = await paying.member("viewer")

    for query in ("status=9", "sort=magic", "limit=0", "limit=201", "from_ms=-1", "from_ms=x", "q=", "after=x"):
        assert (await viewer.refused("GET", f"{paying.org}/calls?{query}"))[0] == 400, query


async def test_a_call_opens_with_its_bill_worked_out_again(paying: Paying):
    viewer = await paying.member("viewer")
    call_id = await paying.call("a")
    await paying.site.gateway.idle()

    shown = await viewer.get(f"{paying.org}/calls/{call_id}")

    bill = shown["bill"]
    assert (shown["call"]["id"], shown["usage_source"]) == (call_id, "vendor")
    assert [(line["word"], line["units"], line["price_yuan"], line["per"]) for line in bill["lines"]] == [
        ("input", 10, "2.5", 1_000_000),
        ("output", 5, "8.75", 1_000_000),
    ]
    amounts = [Decimal(line["price_yuan"]) * line["units"] / line["per"] for line in bill["lines"]]
    assert [Decimal(line["amount_yuan"]) for line in bill["lines"]] == amounts
    assert Decimal(bill["total_yuan"]) == sum(amounts) == Decimal(shown["call"]["cost_yuan"])
    assert (bill["agrees"], bill["recomputed_yuan"]) == (True, bill["total_yuan"])
    assert (bill["cost_yuan"], bill["overrun_yuan"], bill["price_source"]) == (bill["total_yuan"], "0", "configuration")
    assert bill["vendor_usage"]["prompt_tokens"] == 10
    (attempt,) = shown["attempts"]
    assert (attempt["upstream"], attempt["outcome"]) == ("sim", "ok")


async def test_a_call_that_failed_opens_with_its_error_and_without_a_bill(paying: Paying):
    viewer = await paying.member("viewer")
    call_id = await paying.call("error-400")
    while not (await viewer.get(f"{paying.org}/calls?outcome=error"))["data"]:
        await asyncio.sleep(0.01)  # it is written behind

    shown = await viewer.get(f"{paying.org}/calls/{call_id}")

    assert (shown["call"]["status"], shown["call"]["outcome"], shown["call"]["cost_yuan"]) == (400, "error", "0")
    assert shown["bill"] is None and shown["call"]["error"]
    assert [(attempt["upstream"], attempt["status"]) for attempt in shown["attempts"]] == [("sim", 400)]


async def test_calls_are_a_file_of_any_length(paying: Paying):
    developer = await paying.member("developer")
    made = [await paying.call("a", x_client_request_id=mine) for mine in ("one", '=HYPERLINK("http://x")', "zwei,drei")]
    await paying.site.gateway.idle()

    answer = await developer.call("GET", f"{paying.org}/calls.csv")
    filtered = await developer.call("GET", f"{paying.org}/calls.csv?q=one")

    head, *rows = csv.reader(answer.text.splitlines())
    table = [dict(zip(head, row, strict=True)) for row in rows]
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert [row["id"] for row in table] == made[::-1]
    mine = [row["client_request_id"] for row in table]
    assert mine == ["zwei,drei", '\'=HYPERLINK("http://x")', "one"]  # no formula for a spreadsheet
    assert {row["cost_yuan"] for row in table} == {"0.00006875"}
    assert len(filtered.text.splitlines()) == 2


async def test_a_call_of_another_org_does_not_exist(paying: Paying):
    call_id = await paying.call("a")
    await paying.site.gateway.idle()
    org_id = await paying.site.org("theirs")
    owner = await paying.site.signed_in("owner@theirs.example", roles={org_id: "owner"})

    assert await owner.refused("GET", f"/orgs/{org_id}/calls/{call_id}") == (404, "not_found")
    assert await owner.refused("GET", f"/orgs/{org_id}/calls/nonsense") == (404, "not_found")
    assert (await owner.get(f"/orgs/{org_id}/calls?q={call_id}"))["data"] == []
    assert (await owner.get(f"/orgs/{org_id}/calls"))["total"] == 0
    assert len((await owner.call("GET", f"/orgs/{org_id}/calls.csv")).text.splitlines()) == 1


async def test_usage_has_every_day_and_adds_up(paying: Paying):
    viewer = await paying.member("viewer")
    for model in "aab":
        await paying.call(model)
    await paying.site.gateway.idle()

    by_day = await viewer.get(f"{paying.org}/usage")
    by_model = await viewer.get(f"{paying.org}/usage?by=model")
    by_key = await viewer.get(f"{paying.org}/usage?by=key&model=a")
    split = await viewer.get(f"{paying.org}/usage?split=model")
    keys = await viewer.get(f"{paying.org}/usage?by=day&split=key&model=a")
    nothing = await viewer.get(f"{paying.org}/usage?by=day&from_day=20200227&to_day=20200302")

    assert len(by_day["data"]) == 30
    assert [day["calls"] for day in by_day["data"] if day["calls"]] == [3]
    assert [(row["name"], row["calls"]) for row in by_model["data"]] == [("b", 1), ("a", 2)]
    assert [(row["name"], row["calls"]) for row in by_key["data"]] == [(paying.key.id, 2)]
    assert by_day["total"] == by_model["total"] == split["total"]
    assert (split["data"], by_day["parts"]) == (by_day["data"], [])
    today = by_day["data"][-1]["name"]
    assert [(part["day"], part["row"]) for part in split["parts"]] == [(today, row) for row in by_model["data"]]
    assert [(part["row"]["name"], part["row"]["calls"]) for part in keys["parts"]] == [(paying.key.id, 2)]
    assert Decimal(by_model["total"]["cost_yuan"]) == Decimal("0.0151375")
    days = ["20200227", "20200228", "20200229", "20200301", "20200302"]
    assert [day["name"] for day in nothing["data"]] == days
    for query in (
        "by=magic",
        "split=day",
        "by=key&split=model",
        "from_day=20261131&to_day=20261201",
        "from_day=20261201&to_day=20261101",
        "from_day=1",
    ):
        assert (await viewer.refused("GET", f"{paying.org}/usage?{query}"))[0] == 400, query
