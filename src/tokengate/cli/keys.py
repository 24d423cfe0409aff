"""API keys: create, list, disable, enable, rotate, limit."""

from typing import Annotated

import typer
from msgspec import Struct, structs

from tokengate.accounts import changes, store
from tokengate.accounts.changes import KeyChange
from tokengate.accounts.keys import KeyLimits
from tokengate.accounts.store import DEFAULT_ORG, CreatedKey, KeyInfo
from tokengate.billing.keys import create_key
from tokengate.cli.author import by_command
from tokengate.cli.database import ask, with_database
from tokengate.cli.failures import CommandError
from tokengate.cli.options import AsJson, Config, Data, Org, not_empty, positive_yuan
from tokengate.cli.output import print_fields, print_rows, write_time
from tokengate.core.clock import SystemClock
from tokengate.core.money import write_yuan
from tokengate.core.settings_file import load
from tokengate.storage.engine import Database

app = typer.Typer(
    help="API keys and what they may do. A running gateway sees changes within a second.", no_args_is_help=True
)

KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="The id of a key, as `tokengate keys list` shows it.")]

NO_LIMIT = 0


class KeyRow(Struct, frozen=True):
    """A key as it is listed."""

    id: str
    name: str
    key: str
    wallet: str
    status: str
    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrency: int | None
    spend_per_day: str | None
    created: str | None


@app.command()
def create(
    name: Annotated[str, typer.Option(metavar="NAME", parser=not_empty, help="What the key is for.")],
    balance: Annotated[
        int | None,
        typer.Option(metavar="YUAN", parser=positive_yuan, help="Open a wallet for the key with this much in it."),
    ] = None,
    wallet: Annotated[
        str | None, typer.Option(metavar="WALLET_ID", help="Spend from this wallet, shared with other keys.")
    ] = None,
    org: Org = DEFAULT_ORG,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Create a key and show it, once.

    Without --wallet the key gets a wallet of its own, empty unless --balance says otherwise.

    [dim]tokengate keys create --name alice --balance 10[/dim]
    [dim]tokengate keys create --name ci --wallet wal_019aa5d3c1f8a1b2c3d4e5f60718293a --json[/dim]
    """
    if balance is not None and wallet is not None:
        raise typer.BadParameter("a shared wallet is topped up with `tokengate wallet topup`", param_hint="--balance")

    async def change(database: Database) -> CreatedKey:
        return await create_key(
            database,
            SystemClock(),
            name=name,
            org_id=org,
            balance_nano=balance or 0,
            wallet_id=wallet,
            by=by_command(),
        )

    settings = load(config, overrides={"data": data and str(data)})
    _print_created(with_database(settings, change), as_json)


@app.command("list")
def list_(org: Org = DEFAULT_ORG, as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List all keys, with what tells them apart; the keys themselves are not stored."""

    async def question(database: Database) -> list[KeyInfo]:
        found: list[KeyInfo] = []
        async with database.read() as read:
            while page := await store.list_keys(read, org, after=found[-1].id if found else None):
                found += page
        return found

    rows = [_row(key) for key in ask(config, data, question)]
    print_rows(
        rows,
        as_json,
        yuan=("spend_per_day",),
        empty="There is no key yet. Make one with `tokengate keys create --name NAME --balance 10`.",
    )


@app.command()
def disable(key: KeyId, org: Org = DEFAULT_ORG, config: Config = None, data: Data = None) -> None:
    """Refuse all calls of a key from now on. Calls in flight finish."""

    async def change(database: Database) -> None:
        async with database.tx() as tx:
            await changes.disable_key(tx, org, by_command(), key)

    ask(config, data, change)
    print(f"{key} is disabled. `tokengate keys enable {key}` lets it call again.")


@app.command()
def enable(key: KeyId, org: Org = DEFAULT_ORG, config: Config = None, data: Data = None) -> None:
    """Let a disabled key call again."""

    async def change(database: Database) -> None:
        async with database.tx() as tx:
            await changes.enable_key(tx, org, by_command(), key)

    ask(config, data, change)
    print(f"{key} is enabled.")


@app.command()
def rotate(
    key: KeyId, org: Org = DEFAULT_ORG, as_json: AsJson = False, config: Config = None, data: Data = None
) -> None:
    """Replace a key's text and show the new one, once. The old text is refused from now on.

    Its id, wallet, limits and usage stay.
    """

    async def change(database: Database) -> CreatedKey:
        async with database.tx() as tx:
            return await changes.rotate_key(tx, org, by_command(), key)

    _print_created(ask(config, data, change), as_json)


def _limit(text: str) -> int:
    if text == "none":
        return NO_LIMIT
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise typer.BadParameter(f"{text!r} is neither a whole number from 1 nor `none`")
    return int(text)


def _spend_limit(text: str) -> int:
    return NO_LIMIT if text == "none" else positive_yuan(text)


@app.command()
def limit(
    key: KeyId,
    requests_per_minute: Annotated[int | None, typer.Option(metavar="N|none", parser=_limit)] = None,
    tokens_per_minute: Annotated[int | None, typer.Option(metavar="N|none", parser=_limit)] = None,
    concurrency: Annotated[
        int | None, typer.Option(metavar="N|none", parser=_limit, help="Calls in flight at once.")
    ] = None,
    spend_per_day: Annotated[
        int | None, typer.Option(metavar="YUAN|none", parser=_spend_limit, help="Per day, UTC.")
    ] = None,
    org: Org = DEFAULT_ORG,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Set or remove limits of a key; those not named stay. Without any, show them.

    Where a key has no limit of its own, the default of the table `limits` in tokengate.toml holds.

    [dim]tokengate keys limit key_019aa5d3c1f8a1b2c3d4e5f60718293a --requests-per-minute 60 --spend-per-day none[/dim]
    """
    numbers = {
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "concurrency": concurrency,
        "spend_per_day_nano": spend_per_day,
    }
    wanted = {name: value or None for name, value in numbers.items() if value is not None}

    async def change(database: Database) -> KeyLimits:
        async with database.tx() as tx:
            found = await store.get_key(tx, org, key)
            limits = found.limits
            if wanted:
                try:
                    limits = structs.replace(limits, **wanted)
                except ValueError as error:
                    raise CommandError(str(error)) from None
                change = KeyChange(found.name, found.expires_ms, limits, found.rules)
                await changes.change_key(tx, org, by_command(), key, change)
        return limits

    limits = ask(config, data, change)
    fields: dict[str, object] = {
        "id": key,
        "requests_per_minute": limits.requests_per_minute,
        "tokens_per_minute": limits.tokens_per_minute,
        "concurrency": limits.concurrency,
        "spend_per_day": _yuan(limits.spend_per_day_nano),
    }
    print_fields(fields, as_json, yuan=("spend_per_day",))


def _print_created(created: CreatedKey, as_json: bool) -> None:
    print_fields({"id": created.id, "key": created.key, "wallet": created.wallet_id}, as_json)
    if not as_json:
        print("The key is shown this once; keep it now.")


def _row(key: KeyInfo) -> KeyRow:
    return KeyRow(
        id=key.id,
        name=key.name,
        key=f"{key.prefix}…{key.last4}",
        wallet=key.wallet_id,
        status="active" if key.disabled_ms is None else "disabled",
        requests_per_minute=key.limits.requests_per_minute,
        tokens_per_minute=key.limits.tokens_per_minute,
        concurrency=key.limits.concurrency,
        spend_per_day=_yuan(key.limits.spend_per_day_nano),
        created=write_time(key.created_ms),
    )


def _yuan(nano: int | None) -> str | None:
    return None if nano is None else write_yuan(nano)
