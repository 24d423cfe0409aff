"""Redemption codes: make a batch, see what became of it, withdraw it."""

import csv
import sys
from typing import Annotated

import typer
from msgspec import Struct, structs

from tokengate.cli.database import ask
from tokengate.cli.options import AsJson, Config, Data, positive_yuan
from tokengate.cli.output import print_fields, print_json, print_rows, write_time
from tokengate.core.clock import SystemClock, now_ms
from tokengate.core.money import write_yuan
from tokengate.ledger import codes
from tokengate.ledger.codes import MAX_SIZE, Batch, MadeBatch, store
from tokengate.ledger.codes.store import Code
from tokengate.storage.engine import Database

app = typer.Typer(help="Redemption codes, which turn into money in a wallet once.", no_args_is_help=True)

BatchId = Annotated[
    str, typer.Argument(metavar="BATCH_ID", help="The id of a batch, as `tokengate codes list` shows it.")
]

_CREATED_BY = "command line"


class BatchRow(Struct, frozen=True):
    """A batch as it is listed; `amount` is what each code is worth."""

    id: str
    state: str
    amount: str
    codes: int
    redeemed: int
    note: str
    created_by: str
    created: str | None
    expires: str | None
    revoked: str | None


class CodeRow(Struct, frozen=True):
    """What can be seen again of a code."""

    position: int
    code: str
    redeemed: str | None
    by: str | None
    wallet: str | None
    entry: str | None


@app.command()
def create(
    count: Annotated[int, typer.Option(min=1, max=MAX_SIZE, help="How many codes.")],
    amount: Annotated[int, typer.Option(metavar="YUAN", parser=positive_yuan, help="What each code is worth.")],
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="They expire after so many days; without it never.")
    ] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="Kept with the batch.")] = "",
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Make a batch of codes and print them, once: as CSV, or as JSON.

    [dim]tokengate codes create --count 100 --amount 50 --days 365 --note "autumn" > codes.csv[/dim]
    """

    async def change(database: Database) -> MadeBatch:
        at_ms = _now_ms()
        async with database.tx() as tx:
            return await codes.make_batch(
                tx,
                size=count,
                amount_nano=amount,
                expires_ms=None if days is None else at_ms + days * 86_400_000,
                note=note,
                created_by=_CREATED_BY,
                now_ms=at_ms,
            )

    made = ask(config, data, change)
    if as_json:
        print_json({**structs.asdict(_row(made.batch)), "codes": made.codes})
        return
    lines = csv.writer(sys.stdout)
    lines.writerow(("code", "yuan", "expires", "batch"))
    row = _row(made.batch)
    lines.writerows((code, row.amount, row.expires or "", row.id) for code in made.codes)
    print(f"{row.id}: the codes are shown this once; keep them now.", file=sys.stderr)


@app.command("list")
def list_(as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List all batches, the newest first."""

    async def question(database: Database) -> list[Batch]:
        found: list[Batch] = []
        async with database.read() as read:
            while page := await store.list_batches(read, before=found[-1].id if found else None, limit=store.MAX_PAGE):
                found += page
        return found

    rows = [_row(batch) for batch in ask(config, data, question)]
    print_rows(
        rows,
        as_json,
        yuan=("amount",),
        empty="There is no batch yet. Make one with `tokengate codes create --count 10 --amount 50`.",
    )


@app.command()
def show(batch: BatchId, as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """Show a batch and which of its codes were redeemed. Of each code only the end can be seen."""

    async def question(database: Database) -> tuple[Batch, list[Code]]:
        found: list[Code] = []
        async with database.read() as read:
            about = await store.get_batch(read, batch)
            while page := await store.list_codes(
                read, batch, after=found[-1].position if found else 0, limit=store.MAX_PAGE
            ):
                found += page
        return about, found

    about, found = ask(config, data, question)
    fields = structs.asdict(_row(about))
    rows = [_code(code) for code in found]
    if as_json:
        print_json({**fields, "codes": rows})
        return
    print_fields(fields, as_json=False, yuan=("amount",))
    print()
    print_rows(rows, as_json=False, empty="It has no codes.")


@app.command()
def revoke(batch: BatchId, as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """Refuse the codes of a batch from now on. What was redeemed before stays where it is."""

    async def change(database: Database) -> Batch:
        async with database.tx() as tx:
            return await codes.revoke(tx, batch, _now_ms())

    print_fields(structs.asdict(_row(ask(config, data, change))), as_json, yuan=("amount",))


def _row(batch: Batch) -> BatchRow:
    return BatchRow(
        id=batch.id,
        state=batch.state(_now_ms()),
        amount=write_yuan(batch.amount_nano),
        codes=batch.size,
        redeemed=batch.redeemed,
        note=batch.note,
        created_by=batch.created_by,
        created=write_time(batch.created_ms),
        expires=write_time(batch.expires_ms),
        revoked=write_time(batch.revoked_ms),
    )


def _code(code: Code) -> CodeRow:
    return CodeRow(
        position=code.position,
        code=f"…{code.last4}",
        redeemed=write_time(code.redeemed_ms),
        by=code.redeemed_by,
        wallet=code.wallet_id,
        entry=code.entry_id,
    )


def _now_ms() -> int:
    return now_ms(SystemClock())
