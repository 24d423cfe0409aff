"""Projects: parts of an org that keys belong to."""

from typing import Annotated

import typer

from tokengate.accounts.orgs import Project, store
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.accounts.users import read_name
from tokengate.cli.author import by_command
from tokengate.cli.database import ask
from tokengate.cli.named import NewName, every, print_named, print_one
from tokengate.cli.options import AsJson, Config, Data, Org
from tokengate.storage.engine import Database

app = typer.Typer(help="Projects: parts of an org that keys belong to.", no_args_is_help=True)


@app.command("list")
def list_(org: Org = DEFAULT_ORG, as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List the projects of an org."""

    async def question(database: Database) -> list[Project]:
        async with database.read() as read:
            return await every(lambda after: store.list_projects(read, org, after=after, limit=store.MAX_PAGE))

    print_named(ask(config, data, question), as_json, empty="It has no project yet.")


@app.command()
def create(
    name: Annotated[str, typer.Option(metavar="NAME", help="What it is called.")],
    org: Org = DEFAULT_ORG,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Create a project in an org."""

    async def change(database: Database) -> Project:
        async with database.tx() as tx:
            found = await store.get_org(tx, org)
            return await store.create_project(tx, found.id, by_command(), name=read_name(name))

    print_one(ask(config, data, change), as_json)


@app.command()
def rename(
    project: Annotated[str, typer.Argument(metavar="PROJECT_ID", help="The id of a project.")],
    name: NewName,
    org: Org = DEFAULT_ORG,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Give a project another name; its id stays."""

    async def change(database: Database) -> Project:
        async with database.tx() as tx:
            return await store.rename_project(tx, org, by_command(), project, name=read_name(name))

    print_one(ask(config, data, change), as_json)
