"""Projects: parts of an org that keys belong to."""

from typing import Annotated

import typer
from msgspec import Struct, structs

from tokengate.accounts.orgs import Project, store
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.accounts.users import read_name
from tokengate.cli.author import by_command
from tokengate.cli.database import ask
from tokengate.cli.named import NewName, every
from tokengate.cli.options import AsJson, Config, Data, Org
from tokengate.cli.output import print_fields, print_rows, write_time
from tokengate.storage.engine import Database

app = typer.Typer(help="Projects: parts of an org that keys belong to.", no_args_is_help=True)


class ProjectRow(Struct, frozen=True):
    """A project as it is printed."""

    id: str
    name: str
    created: str | None
    stores_responses: bool


@app.command("list")
def list_(org: Org = DEFAULT_ORG, as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List the projects of an org."""

    async def question(database: Database) -> list[Project]:
        async with database.read() as read:
            return await every(lambda after: store.list_projects(read, org, after=after, limit=store.MAX_PAGE))

    rows = [_row(one) for one in ask(config, data, question)]
    print_rows(rows, as_json, empty="It has no project yet.")


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

    _print(ask(config, data, change), as_json)


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

    _print(ask(config, data, change), as_json)


@app.command("store-responses")
def store_responses(
    project: Annotated[str, typer.Argument(metavar="PROJECT_ID", help="The id of a project.")],
    on: Annotated[bool, typer.Option("--on/--off", help="Whether they are stored from now on.")],
    org: Org = DEFAULT_ORG,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Say whether answers of the Responses API are stored for a project's callers, for 30 days."""

    async def change(database: Database) -> Project:
        async with database.tx() as tx:
            return await store.store_responses(tx, org, by_command(), project, on=on)

    _print(ask(config, data, change), as_json)


def _print(project: Project, as_json: bool) -> None:
    print_fields(structs.asdict(_row(project)), as_json)


def _row(project: Project) -> ProjectRow:
    return ProjectRow(project.id, project.name, write_time(project.created_ms), project.stores_responses)
