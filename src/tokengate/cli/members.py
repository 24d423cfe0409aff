"""Members of an org and their roles; links that invite new ones."""

from typing import Annotated

import typer
from msgspec import Struct

from tokengate.accounts.orgs import Member, NewInvitation, store
from tokengate.accounts.roles import Role
from tokengate.accounts.store import DEFAULT_ORG
from tokengate.accounts.users import read_email
from tokengate.accounts.users.store import find_by_email
from tokengate.cli.author import by_command
from tokengate.cli.client import portal_url
from tokengate.cli.database import ask
from tokengate.cli.failures import CommandError
from tokengate.cli.options import AsJson, Config, Data, Org
from tokengate.cli.output import print_fields, print_rows, write_time
from tokengate.core.settings_file import load
from tokengate.storage.engine import Database

app = typer.Typer(help="Members of an org and their roles.", no_args_is_help=True)

UserId = Annotated[
    str, typer.Argument(metavar="USER_ID", help="The id of a user, as `tokengate members list` shows it.")
]


class MemberRow(Struct, frozen=True):
    """A member as they are listed."""

    user: str
    email: str
    name: str
    role: Role
    since: str | None


@app.command("list")
def list_(org: Org = DEFAULT_ORG, as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List the members of an org."""

    async def question(database: Database) -> list[Member]:
        async with database.read() as read:
            return await store.list_members(read, org)

    rows = [_row(member) for member in ask(config, data, question)]
    print_rows(rows, as_json, empty="It has no member. `tokengate members invite` makes a link for one.")


@app.command()
def add(
    email: Annotated[str, typer.Option(metavar="EMAIL", help="Somebody who has an account.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = "developer",
    org: Org = DEFAULT_ORG,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Make somebody who has an account a member."""

    async def change(database: Database) -> Member:
        async with database.tx() as tx:
            user = await find_by_email(tx, read_email(email))
            if user is None:
                raise CommandError(f"Nobody has the address {email}; `tokengate members invite` makes a link for them")
            return await store.add_member(tx, (await store.get_org(tx, org)).id, by_command(), user.id, role)

    _print(ask(config, data, change), as_json)


@app.command()
def role(
    user: UserId,
    role: Annotated[Role, typer.Option(help="What they may do from now on.")],
    org: Org = DEFAULT_ORG,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Give a member another role. An org keeps an owner."""

    async def change(database: Database) -> Member:
        async with database.tx() as tx:
            return await store.set_role(tx, org, by_command(), user, role)

    _print(ask(config, data, change), as_json)


@app.command()
def remove(user: UserId, org: Org = DEFAULT_ORG, config: Config = None, data: Data = None) -> None:
    """Take a member's role away; keys that they made stay."""

    async def change(database: Database) -> None:
        async with database.tx() as tx:
            await store.remove_member(tx, org, by_command(), user)

    ask(config, data, change)
    print(f"{user} is no member any more.")


@app.command()
def invite(
    role: Annotated[Role, typer.Option(help="What they will be able to do.")] = "developer",
    email: Annotated[str, typer.Option(metavar="EMAIL", help="Only who has this address may accept.")] = "",
    org: Org = DEFAULT_ORG,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Make a link that invites somebody into an org; it holds for seven days and is shown once.

    [dim]tokengate members invite --role owner --org org_019aa5d3c1f8a1b2c3d4e5f60718293a[/dim]
    """
    settings = load(config, overrides={"data": data and str(data)})

    async def change(database: Database) -> NewInvitation:
        async with database.tx() as tx:
            found = await store.get_org(tx, org)
            address = read_email(email) if email else ""
            return await store.invite(tx, found.id, by_command(), email=address, role=role)

    made = ask(config, data, change)
    url = f"{portal_url(settings)}/invitations/{made.token}"
    print_fields({"id": made.invitation.id, "org": made.invitation.org_name, "role": role, "link": url}, as_json)


def _print(member: Member, as_json: bool) -> None:
    print_fields({"user": member.user_id, "email": member.email, "role": member.role}, as_json)


def _row(member: Member) -> MemberRow:
    return MemberRow(member.user_id, member.email, member.name, member.role, write_time(member.created_ms))
