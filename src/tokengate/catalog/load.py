"""The catalogue in memory: every model of `data/*.toml` and the configuration, with its price, by any of its names.

Loading reads everything at once and refuses a catalogue in which one name could mean two models.
"""

import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any, Literal

import msgspec
from msgspec import Struct, field, structs

from tokengate.catalog.model import CatalogError, Model, Preset, Region, Status
from tokengate.catalog.price import Price
from tokengate.catalog.written import PriceReading, read_written
from tokengate.core.settings import AppSettings, CurrencySettings, Kind, ModelSettings, PriceSettings, Settings

_MAX_NAME = 200  # characters; the longest that the tables store
_SEPARATORS = str.maketrans("._ ", "---")
_OWN_VENDOR = "internal"


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


class _Entry(Struct, frozen=True):
    model: Model
    price: PriceSettings | None


class Catalog:
    """Models and prices, found in constant time. Only the version numbers of prices are set after it is made."""

    def __init__(self, models: Iterable[Model], readings: Mapping[str, PriceReading]) -> None:
        self._models = tuple(models)
        self._exact = {model.id: model for model in self._models}
        self._readings = dict(readings)
        self._prices = {model_id: reading.price for model_id, reading in readings.items() if reading.price}
        self._names = _index(self._models)

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

    def set_versions(self, versions: Mapping[str, int]) -> None:
        """Let prices name their rows of `price_versions`; calls that hold an older price keep it."""
        for model_id, version in versions.items():
            self._prices[model_id] = structs.replace(self._prices[model_id], version=version)


def load_models(settings: Settings) -> Catalog:
    """Return the catalogue of the package with the configuration's `[[model]]` entries over it.

    Raises CatalogError, naming the model.
    """
    entries = {entry.model.id: entry for entry in _packaged()}
    names = _index(entry.model for entry in entries.values())
    for own in settings.model:
        known = entries.get(own.id) or entries.get(names[normalise(own.id)].id if normalise(own.id) in names else "")
        entry = _overridden(known, own) if known else _added(own)
        entries[entry.model.id] = entry
    names = _index(entry.model for entry in entries.values())
    for app in settings.app:
        base = names.get(normalise(app.model))
        if base is None:
            raise CatalogError(f"the application '{app.name}' is over the model '{app.model}', which does not exist")
        entry = _application(app, entries[base.id], entries.pop(app.name, None))
        entries[entry.model.id] = entry
    readings = {
        model_id: _reading(entry, settings.currency) for model_id, entry in entries.items() if entry.price is not None
    }
    return Catalog((entry.model for entry in entries.values()), readings)


def normalise(name: str) -> str:
    """Return the form in which names are compared: `Qwen/Qwen2.5_7B Instruct` is `qwen/qwen2-5-7b-instruct`."""
    return name.strip().casefold().translate(_SEPARATORS)


def names_of(model: Model) -> set[str]:
    """Return every normalised name that leads to the model."""
    own = {normalise(name) for name in (model.id, *model.aliases)}
    prefixed = {f"{normalise(prefix)}/{name}" for prefix in model.prefixes for name in own if "/" not in name}
    return own | prefixed


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


def _packaged() -> tuple[_Entry, ...]:
    entries: dict[str, _Entry] = {}
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


def _entry(file: CatalogFile, row: Row) -> _Entry:
    model = Model(
        id=row.id,
        kind=row.kind or "chat",
        vendor=row.vendor or file.vendor,
        name=row.name or row.id,
        series=row.series or file.series,
        context=row.context,
        max_output=row.max_output,
        dimensions=row.dimensions,
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
        return _Entry(model, None)
    written = {"currency": file.currency, "per": file.per} | row.price
    try:
        return _Entry(model, msgspec.convert(written, PriceSettings))
    except msgspec.ValidationError as error:
        raise CatalogError(f"the price of model '{row.id}' is wrong: {error}") from None


def _overridden(known: _Entry, own: ModelSettings) -> _Entry:
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
        changed |= {"price_source": _CONFIGURATION, "price_checked": ""}
    return _Entry(structs.replace(model, **changed), own.price or known.price)


_CONFIGURATION = "configuration"


def _added(own: ModelSettings) -> _Entry:
    return _Entry(
        Model(
            id=own.id,
            kind=own.kind or "chat",
            vendor=own.vendor or _OWN_VENDOR,
            name=own.name or own.id,
            series=own.series,
            context=own.context,
            max_output=own.max_output,
            capabilities=tuple(own.capabilities),
            region=own.region or "内部",
            aliases=tuple(own.aliases),
            formats=tuple(own.formats),
            price_source=_CONFIGURATION if own.price else "",
        ),
        own.price,
    )


def _application(app: AppSettings, base: _Entry, listed: _Entry | None) -> _Entry:
    """Return an application as a model. A row that the catalogue has under its name becomes it: the product pages list
    applications before anybody has published them."""
    if base.model.kind != "chat":
        raise CatalogError(f"the application '{app.name}' is over '{base.model.id}', which is no chat model")
    known = listed.model if listed else None
    model = structs.replace(
        known or Model(app.name, "chat", _OWN_VENDOR, app.name, series=_APPLICATIONS),
        id=f"{APP_PREFIX}{app.name}",
        aliases=(*(known.aliases if known else ()), *((app.name,) if known else ())),
        context=base.model.context,
        max_output=base.model.max_output,
        capabilities=base.model.capabilities,
        status="available",
        preset=Preset(
            base.model.id, app.system, app.parameters, None if app.allowed is None else frozenset(app.allowed)
        ),
        price_source=_CONFIGURATION if app.price else base.model.price_source and f"priced as {base.model.id}",
        price_checked="" if app.price else base.model.price_checked,
    )
    if app.title:
        model = structs.replace(model, name=app.title)
    if app.description:
        model = structs.replace(model, description=app.description)
    return _Entry(model, app.price or base.price)


APP_PREFIX = "app/"
_APPLICATIONS = "AI 应用"


def _reading(entry: _Entry, currency: CurrencySettings) -> PriceReading:
    assert entry.price is not None
    try:
        return read_written(entry.price, entry.model.kind, currency, entry.model.price_source)
    except ValueError as error:
        raise CatalogError(f"the price of model '{entry.model.id}' is wrong: {error}") from None


def _index(models: Iterable[Model]) -> dict[str, Model]:
    names: dict[str, Model] = {}
    for model in models:
        for name in names_of(model):
            other = names.setdefault(name, model)
            if other.id != model.id:
                raise CatalogError(f"the name '{name}' would mean both '{other.id}' and '{model.id}'")
    return names
