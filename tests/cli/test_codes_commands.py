import asyncio
import csv
from pathlib import Path
from typing import cast

import pytest

from tests.cli.conftest import Run
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.core.clock import SystemClock
from tokengate.ledger.codes import Redeemer
from tokengate.storage.engine import open_database

Fields = dict[str, object]


@pytest.fixture
def wallet(run: Run) -> str:
    """A platform with one empty wallet."""
    return cast("dict[str, str]", run("keys", "create", "--name", "alice", "--json").json)["wallet"]


def batch_of(run: Run, *more: str) -> Fields:
    ran = run("codes", "create", "--count", "3", "--amount", "50", *more, "--json")
    assert ran.status == 0, ran.err
    return cast(Fields, ran.json)


def redeem(wallet: str, code: str) -> None:
    async def change() -> None:
        database = await open_database(f"sqlite:///{Path('data/tokengate.db').absolute()}")
        redeemer = Redeemer(SystemClock())
        async with database.tx() as tx:
            digest = redeemer.read(DEFAULT_ORG, code, by="usr_1")
            await redeemer.redeem(tx, DEFAULT_ORG, wallet, digest, by="usr_1")
        await database.close()

    asyncio.run(change())


def test_a_batch_is_printed_once_as_csv(run: Run, wallet: str):
    ran = run("codes", "create", "--count", "3", "--amount", "12.5", "--note", "autumn")

    head, *rows = csv.reader(ran.out.splitlines())
    (listed,) = cast("list[Fields]", run("codes", "list", "--json").json)
    assert ran.status == 0
    assert head == ["code", "yuan", "expires", "batch"]
    assert [row[1:] for row in rows] == [["12.5", "", listed["id"]]] * 3
    assert len({row[0] for row in rows}) == 3
    assert "shown this once" in ran.err
    assert (listed["state"], listed["codes"], listed["redeemed"], listed["note"]) == ("open", 3, 0, "autumn")


def test_a_batch_shows_what_was_redeemed_and_no_whole_code(run: Run, wallet: str):
    made = batch_of(run, "--days", "30")
    codes = cast("list[str]", made["codes"])
    redeem(wallet, codes[1])

    shown = cast("dict[str, list[Fields]]", run("codes", "show", str(made["id"]), "--json").json)
    printed = run("codes", "show", str(made["id"])).out

    assert [code["wallet"] for code in shown["codes"]] == [None, wallet, None]
    assert [code["code"] for code in shown["codes"]] == [f"…{code[-4:]}" for code in codes]
    assert not any(code in printed for code in codes)
    (balance,) = cast("list[Fields]", run("wallet", "show", "--json").json)
    assert balance["balance"] == "50"
    assert run("ledger", "verify").status == 0


def test_a_revoked_batch_says_so(run: Run, wallet: str):
    made = batch_of(run)

    revoked = cast(Fields, run("codes", "revoke", str(made["id"]), "--json").json)

    assert (revoked["state"], revoked["redeemed"]) == ("revoked", 0)
    assert run("codes", "revoke", "cbt_none").err == "tokengate: There is no batch cbt_none.\n"


def test_no_batch_is_said_to_be_none(run: Run, wallet: str):
    assert "There is no batch yet" in run("codes", "list").out


def test_the_prices_of_a_model_are_listed_by_version(run: Run, wallet: str):
    assert "was ever in force" in run("models", "prices", "no-such-model").out
