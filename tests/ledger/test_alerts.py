"""Low-balance alerts on both databases: once per crossing, armed again by money that comes in."""

import asyncio
import base64
import json
from typing import Any

import pytest

from tests.ledger.bank import ORG, Bank
from tokengate.core.errors import BadRequest, NotFound
from tokengate.core.sealing import Sealer
from tokengate.ledger import store
from tokengate.ledger.alerts import LOW_BALANCE, SECRET_PREFIX, Alert, Alerts
from tokengate.storage.engine import Database
from tokengate.storage.tables import orgs, wallet_alerts

URL = "https://hooks.example.com/low"


def alerts_of(bank: Bank, key: bytes = b"k" * 32) -> Alerts:
    return Alerts(bank.database, Sealer(key), bank.clock)


async def set_alert(bank: Bank, org_id: str, wallet: str, **asked: Any) -> Alert:
    async with bank.database.tx() as tx:
        return await alerts_of(bank).set(tx, org_id, wallet, **asked)


async def remove_alert(bank: Bank, org_id: str, wallet: str) -> Alert:
    async with bank.database.tx() as tx:
        return await alerts_of(bank).remove(tx, org_id, wallet)


async def bodies(database: Database, alerts: Alerts, wallet: str) -> list[Any]:
    return [json.loads(message.body) for message in reversed(await alerts.messages(ORG, wallet))]


async def spend(bank: Bank, wallet: str, nano: int) -> None:
    await bank.teller.refresh(wallet)
    await bank.pay(await bank.teller.hold(wallet, nano), nano)


async def test_crossing_is_told_once_and_again_after_a_top_up(bank: Bank) -> None:
    wallet, alerts = await bank.wallet(100), alerts_of(bank)
    await set_alert(bank, ORG, wallet, threshold_nano=50, url=URL)

    assert await alerts.check(bank.teller.held_nano) == 0
    await spend(bank, wallet, 50)
    assert [await alerts.check(bank.teller.held_nano) for _ in range(3)] == [1, 0, 0]
    await spend(bank, wallet, 10)
    assert await alerts.check(bank.teller.held_nano) == 0

    await bank.top_up(wallet, 5)  # 45: still below
    assert await alerts.check(bank.teller.held_nano) == 0
    await bank.top_up(wallet, 55)
    assert await alerts.check(bank.teller.held_nano) == 0
    await spend(bank, wallet, 60)
    assert await alerts.check(bank.teller.held_nano) == 1

    told = await bodies(bank.database, alerts, wallet)
    assert [(body["type"], body["data"]["available_yuan"]) for body in told] == [
        (LOW_BALANCE, "0.00000005"),
        (LOW_BALANCE, "0.00000004"),
    ]
    assert told[0]["data"] == {
        "wallet_id": wallet,
        "wallet_name": "w",
        "org_id": ORG,
        "threshold_yuan": "0.00000005",
        "available_yuan": "0.00000005",
        "balance_yuan": "0.00000005",
        "held_yuan": "0",
    }


async def test_what_is_held_is_not_available(bank: Bank) -> None:
    wallet, alerts = await bank.wallet(100), alerts_of(bank)
    await set_alert(bank, ORG, wallet, threshold_nano=50, url=URL)

    hold = await bank.teller.hold(wallet, 70)

    assert await alerts.check(bank.teller.held_nano) == 1
    (body,) = await bodies(bank.database, alerts, wallet)
    assert (body["data"]["available_yuan"], body["data"]["held_yuan"]) == ("0.00000003", "0.00000007")
    bank.teller.release(hold)
    assert await alerts.check(bank.teller.held_nano) == 0


async def test_many_who_look_at_once_tell_it_once(bank: Bank) -> None:
    wallet, alerts = await bank.wallet(10), alerts_of(bank)
    await set_alert(bank, ORG, wallet, threshold_nano=50, url=URL)

    told = await asyncio.gather(*[alerts.check(bank.teller.held_nano) for _ in range(10)])

    assert sum(told) == 1
    assert len(await alerts.messages(ORG, wallet)) == 1


async def test_secret_is_shown_once_stored_sealed_and_kept_until_a_new_one_is_asked_for(bank: Bank) -> None:
    wallet, alerts = await bank.wallet(), alerts_of(bank)

    made = await set_alert(bank, ORG, wallet, threshold_nano=1, url=URL)
    changed = await set_alert(bank, ORG, wallet, threshold_nano=2, url=URL + "er")
    kept = await alerts.destination(ORG, wallet)
    renewed = await set_alert(bank, ORG, wallet, threshold_nano=2, url=URL, new_secret=True)

    assert made.secret is not None and made.secret.startswith(SECRET_PREFIX)
    key = base64.b64decode(made.secret.removeprefix(SECRET_PREFIX))
    assert kept is not None and (kept.url, kept.secret) == (URL + "er", key)
    assert changed.secret is None and (await alerts.get(ORG, wallet)).secret is None
    assert renewed.secret not in (None, made.secret)
    async with bank.database.read() as read:
        (row,) = (await read.execute(wallet_alerts.select())).all()
    assert key not in row.secret


async def test_alert_of_another_org_does_not_exist(bank: Bank) -> None:
    wallet, alerts = await bank.wallet(), alerts_of(bank)
    await set_alert(bank, ORG, wallet, threshold_nano=1, url=URL)
    async with bank.database.tx() as tx:
        await tx.execute(orgs.insert().values(id="org_other", name="Other", created_ms=0))

    for attempt in (
        alerts.get("org_other", wallet),
        set_alert(bank, "org_other", wallet, threshold_nano=1, url=URL),
        remove_alert(bank, "org_other", wallet),
        alerts.messages("org_other", wallet),
        alerts.test_body("org_other", wallet, 0),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await alerts.destination("org_other", wallet) is None
    assert (await alerts.get(ORG, wallet)).threshold_nano == 1


async def test_removed_alert_tells_nothing_more(bank: Bank) -> None:
    wallet, alerts = await bank.wallet(), alerts_of(bank)
    await set_alert(bank, ORG, wallet, threshold_nano=1, url=URL)

    await remove_alert(bank, ORG, wallet)

    assert await alerts.check(bank.teller.held_nano) == 0
    for attempt in (alerts.get(ORG, wallet), remove_alert(bank, ORG, wallet), alerts.test_body(ORG, wallet, 0)):
        with pytest.raises(NotFound):
            await attempt


@pytest.mark.parametrize(
    ("change", "param"), [({"threshold_nano": -1}, "threshold_yuan"), ({"url": "https://a/\n"}, "url")]
)
async def test_alert_that_makes_no_sense_is_refused(bank: Bank, change: dict[str, Any], param: str) -> None:
    wallet = await bank.wallet()
    asked: dict[str, Any] = {"threshold_nano": 1, "url": URL, **change}

    with pytest.raises(BadRequest) as refused:
        await set_alert(bank, ORG, wallet, **asked)

    assert refused.value.param == param


async def test_correction_that_adds_arms_an_alert_and_one_that_takes_does_not(bank: Bank) -> None:
    wallet, alerts = await bank.wallet(10), alerts_of(bank)
    await set_alert(bank, ORG, wallet, threshold_nano=50, url=URL)
    await alerts.check(bank.teller.held_nano)
    armed: list[bool] = []

    for nano in (-1, 30, 20):
        await store.correct(bank.database, ORG, wallet, nano, "a reason", 0)
        armed.append((await alerts.get(ORG, wallet)).armed)

    assert armed == [False, False, True]
