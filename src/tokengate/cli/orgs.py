"""Orgs: each has its own members, projects, keys and wallets."""

from typing import Annotated

import typer
from msgspec import Struct

from tokengate.accounts.orgs import Org, store
from tokengate.accounts.users import read_name
from tokengate.billing.orgs import open_org
from tokengate.cli.author import by_command
from tokengate.cli.database import ask
from tokengate.cli.options import AsJson, Config, Data
from tokengate.cli.output import print_fields, print_rows, write_time
from tokengate.storage.engine import Database

app = typer.Typer(help="Orgs: each has its own members, projects, keys and wallets.", no_args_is_help=True)


class OrgRow(Struct, frozen=True):
    """An org as it is listed."""

    id: str
    name: str
    created: str | None


@app.command("list")
def list_(as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List all orgs."""

    async def question(database: Database) -> list[Org]:
        found: list[Org] = []
        async with database.read() as read:
            after = ""
            while page := await store.list_orgs(read, after=after, limit=store.MAX_PAGE):
                found += page
                after = page[-1].id
        return found

    rows = [OrgRow(org.id, org.name, write_time(org.created_ms)) for org in ask(config, data, question)]
    print_rows(rows, as_json, empty="There is no org yet.")


@app.command()
def create(
    name: Annotated[str, typer.Option(metavar="NAME", help="What it is called.")],
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Create an org with a project and an empty wallet. `tokengate members invite` brings its first owner."""

    async def change(database: Database) -> Org:
        async with database.tx() as tx:
            return await open_org(tx, by_command(), name=read_name(name))

    _print(ask(config, data, change), as_json)


@app.command()
def rename(
    org: Annotated[str, typer.Argument(metavar="ORG_ID", help="The id of an org.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="What it is called from now on.")],
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Give an org another name; its id stays."""

    async def change(database: Database) -> Org:
        async with database.tx() as tx:
            return await store.rename_org(tx, org, by_command(), name=read_name(name))

    _print(ask(config, data, change), as_json)


def _print(org: Org, as_json: bool) -> None:
    print_fields({"id": org.id, "name": org.name, "created": write_time(org.created_ms)}, as_json)
