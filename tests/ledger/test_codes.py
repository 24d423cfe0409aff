"""Redemption codes on both databases: one code, one entry, whatever happens at once."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from tests.ledger.bank import ORG, Bank
from tokengate.core.clock import now_ms
from tokengate.core.errors import BadRequest, NotFound, RateLimited
from tokengate.core.money import MAX_NANO, NANO_PER_YUAN
from tokengate.ledger import codes
from tokengate.ledger.codes import Batch, MadeBatch, Redeemed, Redeemer, make_batch
from tokengate.ledger.codes import store as code_store
from tokengate.ledger.codes.guesses import MOST, WITHIN_MS, Guesses
from tokengate.ledger.codes.text import new_code, read_code
from tokengate.ledger.store import list_journal
from tokengate.storage.tables import codes as code_table
from tokengate.storage.tables import journal, orgs

YUAN = NANO_PER_YUAN


async def batch_of(bank: Bank, size: int = 1, nano: int = 50 * YUAN, *, expires_ms: int | None = None) -> MadeBatch:
    async with bank.database.tx() as tx:
        return await make_batch(
            tx,
            size=size,
            amount_nano=nano,
            expires_ms=expires_ms,
            note="autumn",
            created_by="usr_operator",
            now_ms=now_ms(bank.clock),
        )


class Counter:
    """Takes codes, as a route does."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._redeemer = Redeemer(bank.clock)

    async def redeem(self, org_id: str, wallet_id: str, typed: str, *, by: str) -> Redeemed:
        digest = self._redeemer.read(org_id, typed, by=by)
        async with self._bank.database.tx() as tx:
            return await self._redeemer.redeem(tx, org_id, wallet_id, digest, by=by)


def redeemer(bank: Bank) -> Counter:
    return Counter(bank)


async def revoke(bank: Bank, batch_id: str, at_ms: int) -> Batch:
    async with bank.database.tx() as tx:
        return await codes.revoke(tx, batch_id, at_ms)


async def refusal(bank: Bank, wallet: str, typed: str, by: str = "usr_1") -> str | None:
    with pytest.raises(BadRequest) as refused:
        await redeemer(bank).redeem(ORG, wallet, typed, by=by)
    return refused.value.code


async def test_code_becomes_money_through_an_entry_that_names_its_batch(bank: Bank) -> None:
    wallet = await bank.wallet()
    made = await batch_of(bank)

    redeemed = await redeemer(bank).redeem(ORG, wallet, made.codes[0], by="usr_1")

    async with bank.database.read() as read:
        (entry,) = await list_journal(read, ORG, wallet)
        (code,) = await code_store.list_codes(read, made.batch.id)
        batch = await code_store.get_batch(read, made.batch.id)
    assert (entry.kind, entry.debit, entry.credit) == ("redeem", f"codes:{made.batch.id}", f"wallet:{wallet}")
    assert (entry.amount_nano, entry.note) == (50 * YUAN, f"code …{made.codes[0][-4:]}")
    assert (code.redeemed_by, code.org_id, code.wallet_id, code.entry_id) == ("usr_1", ORG, wallet, entry.id)
    assert (redeemed.entry_id, redeemed.wallet.balance_nano, batch.redeemed) == (entry.id, 50 * YUAN, 1)
    assert batch.state(now_ms(bank.clock)) == "redeemed"
    assert await bank.differences() == []


async def test_of_fifty_who_redeem_one_code_exactly_one_wins(bank: Bank) -> None:
    wallets = [await bank.wallet() for _ in range(5)]
    made = await batch_of(bank)
    at_once = redeemer(bank)

    tries = await asyncio.gather(
        *[at_once.redeem(ORG, wallets[n % 5], made.codes[0], by=f"usr_{n}") for n in range(50)], return_exceptions=True
    )

    won = [outcome for outcome in tries if isinstance(outcome, Redeemed)]
    lost = [outcome.code for outcome in tries if isinstance(outcome, BadRequest)]
    assert (len(won), lost) == (1, ["code_redeemed"] * 49)
    balances = [(await bank.row(wallet)).balance_nano for wallet in wallets]
    assert sum(balances) == 50 * YUAN
    assert await bank.differences() == []


async def test_codes_of_one_batch_are_redeemed_at_once_and_each_pays_once(bank: Bank) -> None:
    wallet = await bank.wallet()
    made = await batch_of(bank, 20, YUAN)
    at_once = redeemer(bank)

    tries = await asyncio.gather(
        *[at_once.redeem(ORG, wallet, code, by="usr_1") for code in made.codes * 2], return_exceptions=True
    )

    assert sum(isinstance(outcome, Redeemed) for outcome in tries) == 20
    assert (await bank.row(wallet)).balance_nano == 20 * YUAN
    assert await bank.differences() == []


async def test_running_teller_can_spend_what_was_redeemed(bank: Bank) -> None:
    wallet = await bank.wallet()
    made = await batch_of(bank)
    await redeemer(bank).redeem(ORG, wallet, made.codes[0], by="usr_1")

    await bank.pay(await bank.teller.hold(wallet, 50 * YUAN), 30 * YUAN)

    assert (await bank.row(wallet)).balance_nano == 20 * YUAN
    assert await bank.differences() == []


async def test_expired_code_is_refused_and_pays_nothing(bank: Bank) -> None:
    wallet = await bank.wallet()
    made = await batch_of(bank, expires_ms=now_ms(bank.clock) + 1_000)
    bank.clock.advance(1)

    assert await refusal(bank, wallet, made.codes[0]) == "code_expired"
    assert made.batch.state(now_ms(bank.clock)) == "expired"
    assert (await bank.row(wallet)).balance_nano == 0


async def test_revoked_batch_keeps_what_was_redeemed_and_refuses_the_rest(bank: Bank) -> None:
    wallet = await bank.wallet()
    made = await batch_of(bank, 2)
    await redeemer(bank).redeem(ORG, wallet, made.codes[0], by="usr_1")

    revoked = await revoke(bank, made.batch.id, 7)
    again = await revoke(bank, made.batch.id, 8)

    assert await refusal(bank, wallet, made.codes[1]) == "code_revoked"
    assert await refusal(bank, wallet, made.codes[0]) == "code_redeemed"
    assert (revoked.revoked_ms, again.revoked_ms, revoked.state(9)) == (7, 7, "revoked")
    assert (await bank.row(wallet)).balance_nano == 50 * YUAN
    assert await bank.differences() == []


async def test_revoking_and_redeeming_at_once_never_pays_for_a_revoked_code(bank: Bank) -> None:
    wallet = await bank.wallet()
    made = await batch_of(bank, 20, YUAN)
    at_once = redeemer(bank)
    redeem = [at_once.redeem(ORG, wallet, code, by="usr_1") for code in made.codes]

    tries = await asyncio.gather(*redeem[:10], revoke(bank, made.batch.id, 7), *redeem[10:], return_exceptions=True)

    won = sum(isinstance(outcome, Redeemed) for outcome in tries)
    async with bank.database.read() as read:
        assert (await code_store.get_batch(read, made.batch.id)).redeemed == won
    assert (await bank.row(wallet)).balance_nano == won * YUAN
    assert await bank.differences() == []


async def test_code_that_does_not_fit_the_wallet_stays_unused(bank: Bank) -> None:
    full, empty = await bank.wallet(MAX_NANO), await bank.wallet()
    made = await batch_of(bank)

    assert await refusal(bank, full, made.codes[0]) == "code_does_not_fit"

    await redeemer(bank).redeem(ORG, empty, made.codes[0], by="usr_1")
    assert await bank.differences() == []


async def test_wallet_of_another_org_is_not_found_and_the_code_stays_unused(bank: Bank) -> None:
    wallet = await bank.wallet()
    made = await batch_of(bank)
    async with bank.database.tx() as tx:
        await tx.execute(orgs.insert().values(id="org_other", name="Other", created_ms=0))

    with pytest.raises(NotFound):
        await redeemer(bank).redeem("org_other", wallet, made.codes[0], by="usr_1")

    assert (await redeemer(bank).redeem(ORG, wallet, made.codes[0], by="usr_1")).amount_nano == 50 * YUAN


async def test_wrong_codes_are_told_apart_and_guessing_is_slowed_down(bank: Bank) -> None:
    wallet = await bank.wallet()
    made = await batch_of(bank)
    mine = redeemer(bank)

    assert await refusal(bank, wallet, "nonsense") == "code_malformed"
    for number in range(MOST):
        with pytest.raises(BadRequest) as refused:
            await mine.redeem(ORG, wallet, new_code().text, by=f"usr_{number}")
        assert refused.value.code == "code_unknown"
    with pytest.raises(RateLimited) as slowed:
        await mine.redeem(ORG, wallet, made.codes[0], by="usr_new")  # the org is slowed down, whoever guesses for it
    assert slowed.value.retry_after_s == WITHIN_MS // 1000

    bank.clock.advance(WITHIN_MS / 1000)
    assert (await mine.redeem(ORG, wallet, made.codes[0], by="usr_new")).amount_nano == 50 * YUAN


async def test_slips_of_the_finger_are_not_guesses(bank: Bank) -> None:
    wallet = await bank.wallet()
    made = await batch_of(bank)
    mine = redeemer(bank)

    for _ in range(2 * MOST):
        with pytest.raises(BadRequest):
            await mine.redeem(ORG, wallet, "7KQM-2XW9", by="usr_1")

    assert (await mine.redeem(ORG, wallet, made.codes[0], by="usr_1")).amount_nano == 50 * YUAN


def test_guesses_of_one_do_not_slow_down_another() -> None:
    guesses = Guesses()
    for _ in range(MOST):
        guesses.note(("org_a", "usr_a"), 0)

    guesses.check(("org_b", "usr_b"), 0)
    with pytest.raises(RateLimited):
        guesses.check(("org_b", "usr_a"), 0)
    guesses.check(("org_b", "usr_a"), WITHIN_MS)


async def test_codes_are_stored_as_hashes_with_their_last_four(bank: Bank) -> None:
    made = await batch_of(bank, 3)

    async with bank.database.read() as read:
        rows = (await read.execute(select(code_table))).all()
    stored = " ".join(map(repr, rows))
    assert sorted(code[-4:] for code in made.codes) == sorted(row.last4 for row in rows)
    for code in made.codes:
        assert code not in stored and code.replace("-", "") not in stored


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"size": 0}, "count"),
        ({"size": 10_001}, "count"),
        ({"amount_nano": 0}, "amount"),
        ({"amount_nano": MAX_NANO, "size": 2}, "amount"),
        ({"expires_ms": 1}, "expires"),
        ({"note": "x" * 501}, "note"),
        ({"note": "\0"}, "note"),
    ],
)
async def test_batch_that_makes_no_sense_is_refused_by_name(bank: Bank, change: dict[str, int], param: str) -> None:
    good = {"size": 1, "amount_nano": YUAN, "expires_ms": None, "note": "", "created_by": "cli"}

    with pytest.raises(BadRequest) as refused:
        async with bank.database.tx() as tx:
            await make_batch(tx, **(good | change), now_ms=now_ms(bank.clock))  # pyright: ignore[reportArgumentType]  # one of them wrong

    assert refused.value.param == param


async def test_batches_are_paged_newest_first_and_codes_by_position(bank: Bank) -> None:
    made = [await batch_of(bank, 3) for _ in range(3)]

    async with bank.database.read() as read:
        first = await code_store.list_batches(read, limit=2)
        rest = await code_store.list_batches(read, before=first[-1].id)
        listed = await code_store.list_codes(read, made[0].batch.id, limit=2)
        last = await code_store.list_codes(read, made[0].batch.id, after=2)
        with pytest.raises(NotFound):
            await code_store.get_batch(read, "cbt_none")
    assert [batch.id for batch in first + rest] == [one.batch.id for one in reversed(made)]
    assert [code.last4 for code in listed + last] == [code[-4:] for code in made[0].codes]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE codes SET redeemed_ms = NULL, entry_id = NULL WHERE position = 1",
        "UPDATE codes SET wallet_id = 'wal_other' WHERE position = 1",
        "UPDATE code_batches SET amount_nano = amount_nano + 1",
        "UPDATE codes SET redeemed_ms = 1, entry_id = 'jnl_none' WHERE position = 2",
    ],
)
async def test_verify_finds_codes_and_entries_that_do_not_match(bank: Bank, tampering: str) -> None:
    wallet = await bank.wallet()
    made = await batch_of(bank, 2)
    await redeemer(bank).redeem(ORG, wallet, made.codes[0], by="usr_1")
    async with bank.database.tx() as tx:
        await tx.execute(text(tampering))

    assert any("the redeemed codes and the journal differ" in told for told in await bank.differences())


async def test_redeemed_entries_are_in_the_journal_once_per_code(bank: Bank) -> None:
    wallet = await bank.wallet()
    made = await batch_of(bank, 4, 3)
    for code in made.codes[:3]:
        await redeemer(bank).redeem(ORG, wallet, code.lower().replace("-", " "), by="usr_1")

    async with bank.database.read() as read:
        amounts = (await read.execute(select(journal.c.amount_nano).where(journal.c.kind == "redeem"))).scalars().all()
    assert list(amounts) == [3, 3, 3]


def test_code_is_read_in_any_case_and_grouping() -> None:
    made = new_code()
    plain = made.text.replace("-", "")

    for typed in (made.text, plain, plain.lower(), f" {made.text} ", made.text.replace("-", "－"), " ".join(plain)):
        assert read_code(typed) == made.digest
    for typed in ("", plain[:-1], plain + "2", made.text * 10, "0" * 20, "é" * 20):
        assert read_code(typed) is None


@given(st.data())
def test_every_slip_of_one_character_and_every_swap_is_noticed(data: st.DataObject) -> None:
    plain = new_code().text.replace("-", "")
    at = data.draw(st.integers(0, 19))
    other = data.draw(st.integers(0, 19))
    char = data.draw(st.sampled_from("23456789ABCDEFGHJKMNPQRSTUVWXYZ"))
    slipped = plain[:at] + char + plain[at + 1 :]
    swapped = list(plain)
    swapped[at], swapped[other] = swapped[other], swapped[at]

    assert (read_code(slipped) is None) == (slipped != plain)
    assert (read_code("".join(swapped)) is None) == ("".join(swapped) != plain)


def test_codes_differ() -> None:
    assert len({new_code().text for _ in range(1_000)}) == 1_000
