"""The catalogue in memory: every model of `data/*.toml` and the configuration, with its price, by any of its names.

Loading reads everything at once and refuses a catalogue in which one name could mean two models.
"""

import tomllib
from collections.abc import Iterable, Mapping
from copy import copy
from importlib import resources
from typing import Any, Literal

import msgspec
from msgspec import Struct, field, structs

from tokengate.catalog.applications import (
    APP_PREFIX,
    Obstacle,
    Published,
    application,
    lay_applications,
)
from tokengate.catalog.entries import CONFIGURATION, OWN_VENDOR, Entry, index, normalise, read_price_of
from tokengate.catalog.model import CatalogError, Model, Region, Status
from tokengate.catalog.price import Price
from tokengate.catalog.written import PriceReading
from tokengate.core.settings import CurrencySettings, Kind, ModelSettings, PriceSettings, Settings

_MAX_NAME = 200  # characters; the longest that the tables store
_DEFAULT_CURRENCY = CurrencySettings()


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a catalogue file. With `base`, what is left out is taken from that row of the same file."""

    id: str
    base: str = ""
    name: str = ""
    kind: Kind | None = None
    vendor: str = ""
    series: str = ""
    context: int | None = None
    max_output: int | None = None
    dimensions: tuple[int, ...] = ()
    han_as: int = 1
    capabilities: tuple[str, ...] = ()
    region: Region | None = None
    status: Status | None = None
    updated: str = ""
    aliases: tuple[str, ...] = ()
    description: str = ""
    upstream_id: str = ""
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    formats: tuple[str, ...] = ()
    price: dict[str, Any] | None = None
    source: str = ""
    checked: str = ""
    in_tree: bool | None = None


class CatalogFile(Struct, frozen=True, forbid_unknown_fields=True):
    """One vendor's file: defaults for its rows, then the rows."""

    vendor: str
    region: Region
    models: list[Row]
    prefixes: tuple[str, ...] = ()
    series: str = ""
    source: str = ""
    checked: str = ""
    currency: Literal["cny", "usd"] = "cny"
    per: Literal["ktok", "mtok"] = "ktok"
    in_tree: bool = True


class Catalog:
    """Models and prices, found in constant time. It changes only as a whole, by `become`, and in the version numbers of
    its prices."""

    def __init__(self, entries: Iterable[Entry], currency: CurrencySettings = _DEFAULT_CURRENCY) -> None:
        """Raises CatalogError for a name that would mean two models, and for a wrong price."""
        self._listed = {entry.model.id: entry for entry in entries}
        self._currency = currency
        self._read = {
            model_id: read_price_of(entry, currency)
            for model_id, entry in self._listed.items()
            if entry.price is not None
        }
        self._lay(tuple(entry.model for entry in self._listed.values()), self._read, {})

    def _lay(
        self, models: tuple[Model, ...], readings: dict[str, PriceReading], obstacles: Mapping[str, Obstacle]
    ) -> None:
        self._models = models
        self._exact = {model.id: model for model in models}
        self._names = index(models)
        self._readings = readings
        self._prices = {model_id: reading.price for model_id, reading in readings.items() if reading.price}
        self._obstacles = obstacles

    def resolve(self, name: str) -> Model | None:
        """Return the model that a caller means: id or alias, any case, dots or dashes, with or without the vendor."""
        model = self._exact.get(name)
        if model is not None or len(name) > _MAX_NAME:
            return model
        return self._names.get(normalise(name))

    def price_of(self, model_id: str) -> Price | None:
        """Return the price in force; None when the model has none and must be refused."""
        return self._prices.get(model_id)

    def models(self) -> tuple[Model, ...]:
        """Return every model, in the order of the files."""
        return self._models

    def prices(self) -> Mapping[str, Price]:
        """Return every price by model id."""
        return self._prices

    def reading_of(self, model_id: str) -> PriceReading | None:
        """Return how the model's price was read: fallbacks, rounding, missing words. None: no price was written."""
        return self._readings.get(model_id)

    def obstacle_of(self, name: str) -> Obstacle | None:
        """Return why an application that was published, as callers name it, cannot be called."""
        return self._obstacles.get(normalise(name[:_MAX_NAME]).removeprefix(APP_PREFIX))

    def set_versions(self, versions: Mapping[str, int]) -> None:
        """Let prices name their rows of `price_versions`; calls that hold an older price keep it."""
        for model_id, version in versions.items():
            self._prices[model_id] = structs.replace(self._prices[model_id], version=version)

    def publishing(self, published: Iterable[Published]) -> "Catalog":
        """Return a catalogue with these applications beside those of the configuration, which keep their names."""
        laid = lay_applications(self._listed, published, self._currency)
        readings = {model_id: reading for model_id, reading in self._read.items() if model_id in laid.entries}
        models = tuple(entry.model for entry in laid.entries.values())
        beside = copy(self)
        beside._lay(models, {**readings, **laid.readings}, laid.obstacles)
        return beside

    def become(self, other: "Catalog") -> None:
        """Take over what another catalogue has, between two calls."""
        self.__dict__.update(other.__dict__)


def load_models(settings: Settings) -> Catalog:
    """Return the catalogue of the package with the configuration's `[[model]]` entries over it.

    Raises CatalogError, naming the model.
    """
    entries = {entry.model.id: entry for entry in _packaged()}
    names = index(entry.model for entry in entries.values())
    for own in settings.model:
        known = entries.get(own.id) or entries.get(names[normalise(own.id)].id if normalise(own.id) in names else "")
        entry = _overridden(known, own) if known else _added(own)
        entries[entry.model.id] = entry
    names = index(entry.model for entry in entries.values())
    models = dict(entries)
    for app in settings.app:
        base = names.get(normalise(app.model))
        if base is None:
            raise CatalogError(f"the application '{app.name}' is over the model '{app.model}', which does not exist")
        if base.kind != "chat":
            raise CatalogError(f"the application '{app.name}' is over '{base.id}', which is no chat model")
        entry = application(app, models[base.id], entries.pop(app.name, None))
        entries[entry.model.id] = entry
    return Catalog(entries.values(), settings.currency)


def read_files() -> dict[str, CatalogFile]:
    """Return the packaged catalogue files by name. Raises CatalogError."""
    folder = resources.files("tokengate.catalog") / "data"
    files: dict[str, CatalogFile] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not entry.name.endswith(".toml"):
            continue
        try:
            files[entry.name] = msgspec.convert(tomllib.loads(entry.read_text(encoding="utf-8")), CatalogFile)
        except (msgspec.ValidationError, tomllib.TOMLDecodeError) as error:
            raise CatalogError(f"{entry.name}: {error}") from None
    return files


def _packaged() -> tuple[Entry, ...]:
    entries: dict[str, Entry] = {}
    for name, file in read_files().items():
        rows = {row.id: row for row in file.models}
        for row in file.models:
            if row.id in entries:
                raise CatalogError(f"{name}: the model '{row.id}' is listed twice")
            entries[row.id] = _entry(file, _inherited(name, row, rows))
    return tuple(entries.values())


def _inherited(name: str, row: Row, rows: Mapping[str, Row]) -> Row:
    if not row.base:
        return row
    base = rows.get(row.base)
    if base is None or base.base:
        raise CatalogError(f"{name}: the model '{row.id}' has the base '{row.base}', which is not a full row")
    own = {key: value for key, value in structs.asdict(row).items() if value != _ROW_DEFAULTS[key]}
    taken = {"name": row.id, "aliases": (), "in_tree": row.in_tree, "source": _base_source(row, base)}
    return structs.replace(base, **(taken | own))


def _base_source(row: Row, base: Row) -> str:
    return base.source if row.price or not base.price else f"priced as {base.id}"


_ROW_DEFAULTS: dict[str, Any] = structs.asdict(Row(id=""))


def _entry(file: CatalogFile, row: Row) -> Entry:
    model = Model(
        id=row.id,
        kind=row.kind or "chat",
        vendor=row.vendor or file.vendor,
        name=row.name or row.id,
        series=row.series or file.series,
        context=row.context,
        max_output=row.max_output,
        dimensions=row.dimensions,
        han_as=row.han_as,
        capabilities=row.capabilities,
        region=row.region or file.region,
        status=row.status or "available",
        updated=row.updated,
        aliases=row.aliases,
        prefixes=file.prefixes,
        description=row.description,
        upstream_id=row.upstream_id,
        parameters=row.parameters,
        formats=row.formats,
        price_source=(row.source or file.source) if row.price else "",
        price_checked=(row.checked or file.checked) if row.price else "",
        in_tree=file.in_tree if row.in_tree is None else row.in_tree,
    )
    if row.price is None:
        return Entry(model, None)
    written = {"currency": file.currency, "per": file.per} | row.price
    try:
        return Entry(model, msgspec.convert(written, PriceSettings))
    except msgspec.ValidationError as error:
        raise CatalogError(f"the price of model '{row.id}' is wrong: {error}") from None


def _overridden(known: Entry, own: ModelSettings) -> Entry:
    model = known.model
    changed = {
        key: value
        for key in ("kind", "name", "vendor", "series", "context", "max_output", "region")
        if (value := getattr(own, key))
    }
    if own.capabilities:
        changed["capabilities"] = tuple(own.capabilities)
    if own.formats:
        changed["formats"] = tuple(own.formats)
    if own.aliases:
        changed["aliases"] = (*model.aliases, *own.aliases)
    if own.price is not None:
        changed |= {"price_source": CONFIGURATION, "price_checked": ""}
    return Entry(structs.replace(model, **changed), own.price or known.price)


def _added(own: ModelSettings) -> Entry:
    return Entry(
        Model(
            id=own.id,
            kind=own.kind or "chat",
            vendor=own.vendor or OWN_VENDOR,
            name=own.name or own.id,
            series=own.series,
            context=own.context,
            max_output=own.max_output,
            capabilities=tuple(own.capabilities),
            region=own.region or "内部",
            aliases=tuple(own.aliases),
            formats=tuple(own.formats),
            price_source=CONFIGURATION if own.price else "",
        ),
        own.price,
    )
