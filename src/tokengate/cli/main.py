"""The `tokengate` command: gathers the nouns, and turns expected failures into one sentence and an exit status.

Status 0 is success, 1 an expected failure, 2 a command line that was not understood.
"""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from tokengate.cli import (
    admin_tokens,
    apps,
    chat,
    codes,
    config,
    keys,
    ledger,
    members,
    models,
    orgs,
    projects,
    serve,
    upstreams,
    usage,
    users,
    wallet,
)
from tokengate.cli.failures import sentence_of

app = typer.Typer(
    name="tokengate",
    epilog="Begin with: tokengate serve · tokengate keys create --name me --balance 10 · tokengate usage --by model",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(serve.serve)
app.add_typer(users.app, name="users")
app.add_typer(orgs.app, name="orgs")
app.add_typer(members.app, name="members")
app.add_typer(projects.app, name="projects")
app.add_typer(keys.app, name="keys")
app.add_typer(wallet.app, name="wallet")
app.add_typer(codes.app, name="codes")
app.add_typer(models.app, name="models")
app.add_typer(apps.app, name="apps")
app.command()(upstreams.upstreams)
app.command()(usage.usage)
app.command()(chat.chat)
app.add_typer(ledger.app, name="ledger")
app.add_typer(admin_tokens.app, name="admin-tokens")
app.add_typer(config.app, name="config")


def _show_version(asked: bool) -> None:
    if asked:
        print(f"tokengate {version('tokengate')}")
        raise typer.Exit


@app.callback()
def _options(  # pyright: ignore[reportUnusedFunction]  # typer calls it
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """One key for every model: an AI gateway with prepaid wallets and exact bills."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    try:
        app(args=arguments, standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        print(f"tokengate: {sentence}", file=sys.stderr)
        return 1
    return 0
