"""People: who has an account, and who runs the platform."""

import secrets
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from msgspec import Struct

from tokengate.accounts.audit import By
from tokengate.accounts.orgs.store import add_member
from tokengate.accounts.passwords import Passwords, check_new_password
from tokengate.accounts.roles import Role
from tokengate.accounts.store import DEFAULT_ORG, ensure_default_org
from tokengate.accounts.users import User, read_email, read_name, store
from tokengate.cli.author import by_command
from tokengate.cli.database import ask, with_database
from tokengate.cli.failures import CommandError
from tokengate.cli.named import every
from tokengate.cli.options import AsJson, Config, Data
from tokengate.cli.output import print_fields, print_rows, write_time
from tokengate.core.settings_file import load
from tokengate.storage.engine import Database, Tx

app = typer.Typer(help="People who have an account.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(metavar="USER", help="An e-mail address, or the id of a user.")]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of making one.")
]

_PASSWORD_BYTES = 15


class UserRow(Struct, frozen=True):
    """Somebody as they are listed."""

    id: str
    email: str
    name: str
    operator: bool
    status: str
    last_sign_in: str | None
    created: str | None


@app.command("list")
def list_(
    q: Annotated[str, typer.Option(metavar="TEXT", help="Only those with this in the name or the address.")] = "",
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List everybody who has an account."""

    async def question(database: Database) -> list[User]:
        async with database.read() as read:
            return await every(lambda after: store.list_users(read, q=q, after=after, limit=store.MAX_PAGE))

    rows = [_row(user) for user in ask(config, data, question)]
    print_rows(rows, as_json, empty="There is nobody. `tokengate users create --operator` makes the first account.")


@app.command()
def create(
    email: Annotated[str, typer.Option(metavar="EMAIL", help="With this they sign in.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="How they are shown.")] = "",
    operator: Annotated[bool, typer.Option("--operator", help="They run the platform.")] = False,
    org: Annotated[str | None, typer.Option(metavar="ORG_ID", help="They become a member of this org.")] = None,
    role: Annotated[Role, typer.Option(help="Their role in it.")] = "developer",
    password_stdin: FromInput = False,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Make an account and show its password, once. An operator becomes an owner of the default org.

    [dim]tokengate users create --email ann@example.com --operator[/dim]
    [dim]echo "$PASSWORD" | tokengate users create --email bob@example.com --org org_... --password-stdin[/dim]
    """
    address = read_email(email)
    password = _password(password_stdin)
    by = by_command()

    async def change(database: Database) -> User:
        password_hash = await Passwords().hash(password)
        async with database.tx() as tx:
            user = await store.create_user(
                tx,
                by,
                email=address,
                name=read_name(name or address.partition("@")[0]),
                password_hash=password_hash,
                operator=operator,
            )
            if operator and org is None:
                await ensure_default_org(tx, by.now_ms)
                await add_member(tx, DEFAULT_ORG, by, user.id, "owner")
            elif org is not None:
                await add_member(tx, org, by, user.id, role)
        return user

    user = with_database(load(config, overrides={"data": data and str(data)}), change)
    _print_with_password(user, password, password_stdin, as_json)


@app.command()
def password(
    user: Who, password_stdin: FromInput = False, as_json: AsJson = False, config: Config = None, data: Data = None
) -> None:
    """Give somebody a new password, show it once, and sign them out everywhere."""
    new = _password(password_stdin)
    by = by_command()

    async def change(database: Database) -> User:
        password_hash = await Passwords().hash(new)
        async with database.tx() as tx:
            found = await _find(tx, user)
            await store.set_password_hash(tx, by, found.id, password_hash)
            await store.end_sessions(tx, found.id)
        return found

    _print_with_password(ask(config, data, change), new, password_stdin, as_json)


@app.command()
def disable(user: Who, config: Config = None, data: Data = None) -> None:
    """Keep somebody from signing in, and sign them out now. Keys that they made stay."""
    found = _change(config, data, user, lambda tx, by, one: store.set_disabled(tx, by, one.id, True))
    print(f"{found.email} cannot sign in. `tokengate users enable {found.email}` lets them again.")


@app.command()
def enable(user: Who, config: Config = None, data: Data = None) -> None:
    """Let somebody who was disabled sign in again."""
    found = _change(config, data, user, lambda tx, by, one: store.set_disabled(tx, by, one.id, False))
    print(f"{found.email} can sign in.")


@app.command()
def operator(
    user: Who,
    revoke: Annotated[bool, typer.Option("--revoke", help="They are none any more.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Make somebody an operator of the platform, who may do everything in every org."""
    found = _change(config, data, user, lambda tx, by, one: store.set_operator(tx, by, one.id, not revoke))
    print(f"{found.email} is {'an' if found.operator else 'no'} operator.")


def _change(config: Config, data: Data, user: str, work: Callable[[Tx, By, User], Awaitable[User]]) -> User:
    async def change(database: Database) -> User:
        async with database.tx() as tx:
            return await work(tx, by_command(), await _find(tx, user))

    return ask(config, data, change)


async def _find(tx: Tx, user: str) -> User:
    if "@" not in user:
        return await store.get_user(tx, user)
    found = await store.find_by_email(tx, read_email(user))
    if found is None:
        raise CommandError(f"Nobody has the address {user}")
    return found


def _password(from_input: bool) -> str:
    if not from_input:
        return secrets.token_urlsafe(_PASSWORD_BYTES)
    password = sys.stdin.readline().rstrip("\r\n")
    check_new_password(password)
    return password


def _print_with_password(user: User, password: str, given: bool, as_json: bool) -> None:
    fields: dict[str, object] = {"id": user.id, "email": user.email, "operator": user.operator}
    print_fields(fields if given else {**fields, "password": password}, as_json)
    if not given and not as_json:
        print("The password is shown this once.")


def _row(user: User) -> UserRow:
    return UserRow(
        id=user.id,
        email=user.email,
        name=user.name,
        operator=user.operator,
        status="active" if user.disabled_ms is None else "disabled",
        last_sign_in=write_time(user.last_sign_in_ms),
        created=write_time(user.created_ms),
    )
