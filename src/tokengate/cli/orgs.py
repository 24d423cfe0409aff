"""Orgs: each has its own members, projects, keys and wallets."""

from typing import Annotated

import typer

from tokengate.accounts.orgs import Org, store
from tokengate.accounts.users import read_name
from tokengate.billing.orgs import open_org
from tokengate.cli.author import by_command
from tokengate.cli.database import ask
from tokengate.cli.named import NewName, every, print_named, print_one
from tokengate.cli.options import AsJson, Config, Data
from tokengate.storage.engine import Database

app = typer.Typer(help="Orgs: each has its own members, projects, keys and wallets.", no_args_is_help=True)


@app.command("list")
def list_(as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List all orgs."""

    async def question(database: Database) -> list[Org]:
        async with database.read() as read:
            return await every(lambda after: store.list_orgs(read, after=after, limit=store.MAX_PAGE))

    print_named(ask(config, data, question), as_json, empty="There is no org yet.")


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

    print_one(ask(config, data, change), as_json)


@app.command()
def rename(
    org: Annotated[str, typer.Argument(metavar="ORG_ID", help="The id of an org.")],
    name: NewName,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Give an org another name; its id stays."""

    async def change(database: Database) -> Org:
        async with database.tx() as tx:
            return await store.rename_org(tx, org, by_command(), name=read_name(name))

    print_one(ask(config, data, change), as_json)
