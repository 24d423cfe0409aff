"""Looks at the configuration before a server does: mistakes, assumed prices, models that nobody can call."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import typer
from msgspec import Struct

from tokengate.catalog.load import Catalog, load_models
from tokengate.cli.options import AsJson, Config
from tokengate.cli.output import print_json
from tokengate.core.master_key import VARIABLE, MasterKeyError, find_master_key
from tokengate.core.settings import Settings
from tokengate.core.settings_file import SettingsError, config_file, credential, load, secret, storage_keys
from tokengate.providers.load import provider_of, with_address

app = typer.Typer(help="The configuration.", no_args_is_help=True)


class Remark(Struct, frozen=True):
    """Something that `config check` says. Only a problem makes it fail."""

    kind: Literal["problem", "unpriced", "assumed", "rounded"]
    about: str
    message: str


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction]  # keeps `check` a command of its own
    """The configuration: tokengate.toml, the environment and their defaults."""


@app.command()
def check(as_json: AsJson = False, config: Config = None) -> None:
    """Check the configuration without starting anything.

    Says which prices are assumed from others, which models have none (they are refused), and what is wrong. Ends
    with status 1 when something is wrong.

    [dim]tokengate config check --config /etc/tokengate.toml[/dim]
    """
    settings = load(config)
    catalog = load_models(settings)
    remarks = [*_problems(settings, catalog), *_price_remarks(catalog)]
    if as_json:
        print_json(remarks)
    else:
        print(f"Checked {config_file(config) or 'the defaults; there is no tokengate.toml'}.")
        _print(remarks)
    if any(remark.kind == "problem" for remark in remarks):
        raise typer.Exit(1)


def _problems(settings: Settings, catalog: Catalog) -> Iterator[Remark]:
    """Yield what would make calls fail."""
    for upstream in settings.upstream:
        try:
            provider = provider_of(with_address(upstream).provider)
            if not upstream.models and not provider.vendors:
                yield Remark("problem", upstream.name, "it offers no model; name them in `models`.")
            credential(upstream)
        except (ValueError, SettingsError) as error:
            yield Remark("problem", upstream.name, str(error))
        if upstream.ca_file and not Path(upstream.ca_file).is_file():
            yield Remark("problem", upstream.name, f"ca_file {upstream.ca_file} does not exist.")
        for name in upstream.models:
            model = catalog.resolve(name)
            if model is None:
                yield Remark(
                    "problem", upstream.name, f"it offers {name!r}, which is in no catalogue; add a [[model]]."
                )
            elif catalog.price_of(model.id) is None:
                yield Remark(
                    "problem", upstream.name, f"it offers {model.id!r}, which has no price; calls are refused."
                )
    try:
        find_master_key(settings.server, secret(VARIABLE))
    except MasterKeyError as error:
        yield Remark("problem", "server", str(error))
    try:
        storage_keys(settings.results)
    except SettingsError as error:
        yield Remark("problem", "results", str(error))
    gguf = settings.engine.chat.gguf
    if gguf and not Path(gguf).is_file():
        yield Remark("problem", "engine.chat", f"gguf {gguf} does not exist.")


def _price_remarks(catalog: Catalog) -> Iterator[Remark]:
    """Yield every price that was assumed or rounded, and every model without one."""
    for model in catalog.models():
        reading = catalog.reading_of(model.id)
        if reading is None or reading.price is None:
            missing = "" if reading is None else f" (missing: {', '.join(reading.missing)})"
            yield Remark("unpriced", model.id, f"no price is set{missing}; calls are refused.")
            continue
        if reading.fallbacks:
            yield Remark("assumed", model.id, "; ".join(map(" = ".join, reading.fallbacks)))
        if reading.rounded:
            yield Remark(
                "rounded", model.id, f"{', '.join(reading.rounded)}: rounded up to 10^-9 yuan per million units"
            )


_HEADINGS = {
    "assumed": "Prices assumed from another word of the same model",
    "rounded": "Prices rounded up",
    "unpriced": "Models without a price",
    "problem": "Problems",
}


def _print(remarks: Sequence[Remark]) -> None:
    for kind, heading in _HEADINGS.items():
        found = [remark for remark in remarks if remark.kind == kind]
        print(f"\n{heading}: {len(found) or 'none'}")
        for remark in found:
            print(f"  {remark.about}: {remark.message}")
