"""Wallets: show, top up, correct."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

import typer
from msgspec import Struct, structs

from tokengate.accounts.store import DEFAULT_ORG
from tokengate.cli.database import ask
from tokengate.cli.failures import CommandError
from tokengate.cli.options import AsJson, Config, Data, Org, not_empty, positive_yuan, yuan
from tokengate.cli.output import print_fields, print_json, print_rows, write_time
from tokengate.core.clock import SystemClock
from tokengate.core.money import write_yuan
from tokengate.ledger import store
from tokengate.ledger.store import Entry, Wallet
from tokengate.storage.engine import Database

app = typer.Typer(
    help="Wallets and what is in them. A running gateway sees changes within a second.", no_args_is_help=True
)

WalletId = Annotated[
    str, typer.Argument(metavar="WALLET_ID", help="The id of a wallet, as `tokengate wallet show` lists it.")
]

_YUAN = ("balance", "set_aside", "credit", "amount")


class WalletRow(Struct, frozen=True):
    """A wallet as it is listed. `set_aside` is the part that a running gateway may spend without asking."""

    id: str
    name: str
    balance: str
    set_aside: str
    credit: str
    created: str | None


class EntryRow(Struct, frozen=True):
    """A journal entry as its wallet sees it: what came in is positive."""

    time: str | None
    kind: str
    amount: str
    call: str | None
    note: str


@app.command()
def show(
    wallet: Annotated[
        str | None, typer.Argument(metavar="[WALLET_ID]", help="Show this one, with its entries.")
    ] = None,
    entries: Annotated[int, typer.Option(min=1, max=store.MAX_PAGE, help="How many of the newest entries.")] = 20,
    org: Org = DEFAULT_ORG,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List all wallets, or show one with its newest journal entries."""
    if wallet is None:
        rows = [_row(found) for found in ask(config, data, partial(_all_wallets, org))]
        print_rows(
            rows,
            as_json,
            yuan=_YUAN,
            empty="There is no wallet yet. `tokengate keys create --name NAME --balance 10` opens one with its key.",
        )
        return

    async def question(database: Database) -> tuple[Wallet, list[Entry]]:
        async with database.read() as read:
            found = await store.get_wallet(read, org, wallet)
            return found, await store.list_journal(read, org, wallet, limit=entries)

    found, newest = ask(config, data, question)
    fields = _fields(found)
    journal = [_entry(entry) for entry in newest]
    if as_json:
        print_json({**fields, "entries": journal})
        return
    print_fields(fields, as_json=False, yuan=_YUAN)
    print()
    print_rows(journal, as_json=False, yuan=_YUAN, empty="It has no entry yet.")


@app.command()
def topup(
    wallet: WalletId,
    amount: Annotated[int, typer.Argument(metavar="YUAN", parser=positive_yuan, help="Such as 50 or 12.34.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="Kept with the entry.")] = "",
    org: Org = DEFAULT_ORG,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Put money into a wallet.

    [dim]tokengate wallet topup wal_019aa5d3c1f8a1b2c3d4e5f60718293a 50 --note "invoice 7"[/dim]
    """

    async def change(database: Database) -> Wallet:
        async with database.tx() as tx:
            return await store.top_up(tx, org, wallet, amount, note, _now_ms())

    _print_changed(_ask_ledger(config, data, change), as_json)


@app.command(context_settings={"ignore_unknown_options": True})  # so that -3 is an amount
def correct(
    wallet: WalletId,
    amount: Annotated[int, typer.Argument(metavar="YUAN", parser=yuan, help="What to add; negative takes out.")],
    note: Annotated[str, typer.Option(metavar="TEXT", parser=not_empty, help="Why; kept with the entry.")],
    org: Org = DEFAULT_ORG,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Put a mistake right with an entry of its own; nothing is ever changed or deleted.

    What is taken out is first asked back from the running gateway, so calls in flight may delay it.

    [dim]tokengate wallet correct wal_019aa5d3c1f8a1b2c3d4e5f60718293a -3 --note "double top-up"[/dim]
    """

    async def change(database: Database) -> Wallet:
        return await store.correct(database, org, wallet, amount, note, _now_ms())

    _print_changed(_ask_ledger(config, data, change), as_json)


async def _all_wallets(org: str, database: Database) -> list[Wallet]:
    found: list[Wallet] = []
    async with database.read() as read:
        while page := await store.list_wallets(read, org, after=found[-1].id if found else ""):
            found += page
    return found


def _ask_ledger(config: Config, data: Data, change: Callable[[Database], Awaitable[Wallet]]) -> Wallet:
    try:
        return ask(config, data, change)
    except ValueError as error:
        raise CommandError(f"{str(error)[:1].upper()}{str(error)[1:]}") from None


def _print_changed(wallet: Wallet, as_json: bool) -> None:
    print_fields(_fields(wallet), as_json, yuan=_YUAN)


def _fields(wallet: Wallet) -> dict[str, object]:
    return structs.asdict(_row(wallet))


def _row(wallet: Wallet) -> WalletRow:
    return WalletRow(
        id=wallet.id,
        name=wallet.name,
        balance=write_yuan(wallet.balance_nano),
        set_aside=write_yuan(wallet.leased_nano + wallet.held_nano),
        credit=write_yuan(wallet.credit_nano),
        created=write_time(wallet.created_ms),
    )


def _entry(entry: Entry) -> EntryRow:
    came_in = entry.credit == f"wallet:{entry.wallet_id}"
    touches = came_in or entry.debit == f"wallet:{entry.wallet_id}"
    return EntryRow(
        time=write_time(entry.created_ms),
        kind=entry.kind,
        amount=write_yuan(entry.amount_nano if came_in else -entry.amount_nano) if touches else "0",
        call=entry.call_id,
        note=entry.note,
    )


def _now_ms() -> int:
    return int(SystemClock().now_s() * 1000)
