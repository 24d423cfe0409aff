"""Projects: parts of an org that keys belong to."""

from typing import Annotated

import typer
from msgspec import Struct

from tokengate.accounts.orgs import Project, store
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.accounts.users import read_name
from tokengate.cli.author import by_command
from tokengate.cli.database import ask
from tokengate.cli.options import AsJson, Config, Data, Org
from tokengate.cli.output import print_fields, print_rows, write_time
from tokengate.storage.engine import Database

app = typer.Typer(help="Projects: parts of an org that keys belong to.", no_args_is_help=True)


class ProjectRow(Struct, frozen=True):
    """A project as it is listed."""

    id: str
    name: str
    created: str | None


@app.command("list")
def list_(org: Org = DEFAULT_ORG, as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List the projects of an org."""

    async def question(database: Database) -> list[Project]:
        found: list[Project] = []
        async with database.read() as read:
            after = ""
            while page := await store.list_projects(read, org, after=after, limit=store.MAX_PAGE):
                found += page
                after = page[-1].id
        return found

    rows = [ProjectRow(one.id, one.name, write_time(one.created_ms)) for one in ask(config, data, question)]
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
    name: Annotated[str, typer.Option(metavar="NAME", help="What it is called from now on.")],
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


def _print(project: Project, as_json: bool) -> None:
    print_fields({"id": project.id, "name": project.name, "created": write_time(project.created_ms)}, as_json)
