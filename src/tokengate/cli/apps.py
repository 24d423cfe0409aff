"""AI applications that are published at run time: list, show, create, update, turn off and on, delete."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import Struct

from tokengate.apps import App, store
from tokengate.catalog.applications import APP_PREFIX
from tokengate.catalog.load import load_models
from tokengate.cli.author import by_command
from tokengate.cli.database import ask
from tokengate.cli.failures import CommandError
from tokengate.cli.options import AsJson, Config, Data
from tokengate.cli.output import print_fields, print_rows, write_time
from tokengate.core.settings import AppSettings, PriceSettings, Words
from tokengate.core.settings_file import load
from tokengate.gateway import applications
from tokengate.storage.engine import Database

app = typer.Typer(
    help="AI applications: presets over chat models. A running gateway sees changes within a second.",
    no_args_is_help=True,
)

_ALL = "all"
_NONE = "none"

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name, as `tokengate apps list` shows it.")]
Model = Annotated[str | None, typer.Option(metavar="MODEL", help="The chat model that answers.")]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="The display name.")]
TitleZh = Annotated[str | None, typer.Option(metavar="TEXT", help="The display name for Chinese readers.")]
Description = Annotated[str | None, typer.Option(metavar="TEXT", help="Shown on its page.")]
DescriptionZh = Annotated[str | None, typer.Option(metavar="TEXT", help="The same for Chinese readers.")]
System = Annotated[str | None, typer.Option(metavar="TEXT", help="The prompt that goes before every conversation.")]
SystemFile = Annotated[Path | None, typer.Option(metavar="FILE", help="The same, from a file.")]
Parameters = Annotated[
    str | None, typer.Option(metavar="JSON", help="Parameters under OpenAI's names, over the caller's own.")
]
Allowed = Annotated[
    str | None, typer.Option(metavar="NAMES", help=f"Parameters that callers may give, with commas; {_ALL!r} for all.")
]
Price = Annotated[
    str | None, typer.Option(metavar="JSON", help=f"Its own price, as in [app.price]; {_NONE!r} for the model's.")
]
AcceptPrice = Annotated[bool, typer.Option("--accept-price", help="Accept a price that moves more than tenfold.")]


class AppRow(Struct, frozen=True):
    """An application as it is listed."""

    name: str
    model: str
    title: str
    price: str
    status: str
    source: str
    changed: str | None


@app.command("list")
def list_(as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List the applications: those of the configuration, and those published at run time."""
    configured = [_row(one, None) for one in load(config).app]
    stored = ask(config, data, _all)
    rows = [*configured, *(_row(one.definition, one) for one in stored)]
    print_rows(
        rows,
        as_json,
        empty="There is no application yet. Make one with `tokengate apps create NAME --model MODEL`.",
    )


@app.command()
def show(name: Name, as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """Show all of an application.

    [dim]tokengate apps show guide --json[/dim]
    """
    for one in load(config).app:
        if one.name == name:
            _print(one, None, as_json)
            return

    async def question(database: Database) -> App:
        async with database.read() as read:
            return await store.get_app(read, name)

    found = ask(config, data, question)
    _print(found.definition, found, as_json)


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, - and _; called as app/NAME.")],
    model: Annotated[str, typer.Option(metavar="MODEL", help="The chat model that answers.")],
    title: Title = None,
    title_zh: TitleZh = None,
    description: Description = None,
    description_zh: DescriptionZh = None,
    system: System = None,
    system_file: SystemFile = None,
    parameters: Parameters = None,
    allowed: Allowed = None,
    price: Price = None,
    accept_price: AcceptPrice = False,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Publish an application: it can be called as model app/NAME at once.

    [dim]tokengate apps create guide --model qwen-plus --system "You show people around."[/dim]
    """
    said = _said(model, title, title_zh, description, description_zh, system, system_file, parameters, allowed, price)
    definition = _definition({"name": name, **said})
    catalog = load_models(load(config))

    async def change(database: Database) -> App:
        async with database.tx() as tx:
            return await applications.create_app(tx, by_command(), catalog, definition, accept_price=accept_price)

    made = ask(config, data, change)
    _print(made.definition, made, as_json)


@app.command()
def update(
    name: Name,
    model: Model = None,
    title: Title = None,
    title_zh: TitleZh = None,
    description: Description = None,
    description_zh: DescriptionZh = None,
    system: System = None,
    system_file: SystemFile = None,
    parameters: Parameters = None,
    allowed: Allowed = None,
    price: Price = None,
    accept_price: AcceptPrice = False,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Change an application; what is not named stays. Calls in flight end as they began.

    [dim]tokengate apps update guide --price '{"input": "0.002", "output": "0.006"}'[/dim]
    """
    catalog = load_models(load(config))

    async def change(database: Database) -> App:
        async with database.tx() as tx:
            before = (await store.get_app(tx, name)).definition
            said = _said(
                model,
                title,
                title_zh,
                description,
                description_zh,
                system,
                system_file,
                parameters,
                allowed,
                price,
                before=before,
            )
            definition = _definition({**msgspec.to_builtins(before), **said})
            return await applications.change_app(tx, by_command(), catalog, definition, accept_price=accept_price)

    changed = ask(config, data, change)
    _print(changed.definition, changed, as_json)


@app.command()
def disable(name: Name, config: Config = None, data: Data = None) -> None:
    """Refuse an application's calls from now on. Calls in flight finish."""
    _switch(name, config, data, enabled=False)
    print(f"{name} is disabled. `tokengate apps enable {name}` lets it be called again.")


@app.command()
def enable(name: Name, config: Config = None, data: Data = None) -> None:
    """Let a disabled application be called again."""
    _switch(name, config, data, enabled=True)
    print(f"{name} is enabled.")


@app.command()
def delete(name: Name, config: Config = None, data: Data = None) -> None:
    """Delete an application. Its bills and the versions of its price stay."""

    async def change(database: Database) -> None:
        async with database.tx() as tx:
            await applications.delete_app(tx, by_command(), name)

    ask(config, data, change)
    print(f"{name} is deleted.")


async def _all(database: Database) -> list[App]:
    async with database.read() as read:
        return await store.list_apps(read)


def _switch(name: str, config: Path | None, data: Path | None, *, enabled: bool) -> None:
    async def change(database: Database) -> None:
        async with database.tx() as tx:
            await applications.enable_app(tx, by_command(), name, enabled=enabled)

    ask(config, data, change)


def _said(
    model: str | None,
    title: str | None,
    title_zh: str | None,
    description: str | None,
    description_zh: str | None,
    system: str | None,
    system_file: Path | None,
    parameters: str | None,
    allowed: str | None,
    price: str | None,
    *,
    before: AppSettings | None = None,
) -> dict[str, Any]:
    """Return what a command line says of an application, by the names of `[[app]]`."""
    if system is not None and system_file is not None:
        raise typer.BadParameter("give the prompt or its file, not both", param_hint="--system-file")
    said: dict[str, Any] = {}
    if model is not None:
        said["model"] = model
    for key, text, chinese in (("title", title, title_zh), ("description", description, description_zh)):
        if text is not None or chinese is not None:
            said[key] = _words(getattr(before, key) if before else "", text, chinese)
    if system_file is not None:
        said["system"] = system_file.read_text(encoding="utf-8")
    if system is not None:
        said["system"] = system
    if parameters is not None:
        said["parameters"] = _object(parameters, "--parameters")
    if allowed is not None:
        said["allowed"] = None if allowed == _ALL else [name.strip() for name in allowed.split(",") if name.strip()]
    if price is not None:
        said["price"] = None if price == _NONE else _object(price, "--price")
    return said


def _words(before: Words, text: str | None, chinese: str | None) -> Words:
    """Return a text, in both languages once there is one for Chinese readers."""
    zh, en = (before, before) if isinstance(before, str) else (before.get("zh", ""), before.get("en", ""))
    if chinese is None and isinstance(before, str):
        return text or ""
    return {"zh": zh if chinese is None else chinese, "en": en if text is None else text}


def _object(text: str, option: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"it is no JSON object: {error}", param_hint=option) from None


def _definition(said: dict[str, Any]) -> AppSettings:
    try:
        return msgspec.convert(said, AppSettings)
    except msgspec.ValidationError as error:
        raise CommandError(f"The application is wrong: {error}") from None


def _row(one: AppSettings, stored: App | None) -> AppRow:
    return AppRow(
        name=one.name,
        model=one.model,
        title=_shown(one.title),
        price=_price(one.price) or "the model's",
        status="disabled" if stored is not None and stored.disabled_ms is not None else "enabled",
        source="run time" if stored else "configuration",
        changed=write_time(stored.changed_ms) if stored else None,
    )


def _print(one: AppSettings, stored: App | None, as_json: bool) -> None:
    fields: dict[str, Any] = {
        "name": one.name,
        "called_as": f"{APP_PREFIX}{one.name}",
        "model": one.model,
        "title": one.title if as_json else _shown(one.title),
        "description": one.description if as_json else _shown(one.description),
        "system": one.system,
        "parameters": one.parameters if as_json else msgspec.json.encode(one.parameters).decode(),
        "allowed": one.allowed if as_json or one.allowed is not None else _ALL,
        "price": _written(one.price) if as_json else _price(one.price) or "the model's",
        "source": "run time" if stored else "configuration",
        "created": write_time(stored.created_ms) if stored else None,
        "changed": write_time(stored.changed_ms) if stored else None,
        "disabled": write_time(stored.disabled_ms) if stored else None,
    }
    print_fields(fields, as_json)


def _shown(words: Words) -> str:
    return words if isinstance(words, str) else " / ".join(words.values())


def _written(price: PriceSettings | None) -> dict[str, Any] | None:
    if price is None:
        return None
    fields: dict[str, Any] = msgspec.to_builtins(price)
    return {name: value for name, value in fields.items() if value not in (None, [])}


def _price(price: PriceSettings | None) -> str:
    written = _written(price)
    return msgspec.json.encode(written).decode() if written else ""
