"""Admin tokens, with which scripts use the console's API as an operator."""

from typing import Annotated

import typer
from msgspec import Struct

from tokengate.accounts.platform import AdminToken, NewAdminToken, store
from tokengate.accounts.users import read_name
from tokengate.cli.author import by_command
from tokengate.cli.database import ask
from tokengate.cli.options import AsJson, Config, Data
from tokengate.cli.output import print_fields, print_rows, write_time
from tokengate.storage.engine import Database

app = typer.Typer(help="Admin tokens: scripts use the console's API with them.", no_args_is_help=True)

_DAY_MS = 86_400_000


class TokenRow(Struct, frozen=True):
    """A token as it is listed."""

    id: str
    name: str
    token: str
    created_by: str
    created: str | None
    expires: str | None
    last_used: str | None


@app.command("list")
def list_(as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List all tokens; the texts themselves are not stored."""

    async def question(database: Database) -> list[AdminToken]:
        async with database.read() as read:
            return await store.list_admin_tokens(read)

    print_rows([_row(token) for token in ask(config, data, question)], as_json, empty="There is no admin token.")


@app.command()
def create(
    name: Annotated[str, typer.Option(metavar="NAME", help="What it is for.")],
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="It expires after so many days; without it never.")
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Make a token and show it, once. It may do what an operator may.

    [dim]tokengate admin-tokens create --name nightly-report --days 365[/dim]
    """
    by = by_command()
    expires_ms = None if days is None else by.now_ms + days * _DAY_MS

    async def change(database: Database) -> NewAdminToken:
        async with database.tx() as tx:
            return await store.create_admin_token(tx, by, name=read_name(name), expires_ms=expires_ms)

    made = ask(config, data, change)
    print_fields({"id": made.info.id, "token": made.token, "expires": write_time(expires_ms)}, as_json)
    if not as_json:
        print("The token is shown this once; keep it now.")


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(metavar="TOKEN_ID", help="The id of a token, as the list shows it.")],
    config: Config = None,
    data: Data = None,
) -> None:
    """Refuse a token from now on."""

    async def change(database: Database) -> None:
        async with database.tx() as tx:
            await store.revoke_admin_token(tx, by_command(), token)

    ask(config, data, change)
    print(f"{token} is revoked.")


def _row(token: AdminToken) -> TokenRow:
    return TokenRow(
        id=token.id,
        name=token.name,
        token=f"tgadm-…{token.last4}",
        created_by=token.created_by,
        created=write_time(token.created_ms),
        expires=write_time(token.expires_ms),
        last_used=write_time(token.last_used_ms),
    )
