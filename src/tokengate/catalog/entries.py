"""A row of the catalogue on its way into memory: a model with its written price, and the names that lead to it."""

from collections.abc import Iterable

from msgspec import Struct

from tokengate.catalog.model import CatalogError, Model
from tokengate.catalog.written import PriceReading, read_written
from tokengate.core.settings import CurrencySettings, PriceSettings

CONFIGURATION = "configuration"  # the source of a price that is in tokengate.toml
OWN_VENDOR = "internal"

_SEPARATORS = str.maketrans("._ ", "---")


class Entry(Struct, frozen=True):
    """A model and its price as it was written."""

    model: Model
    price: PriceSettings | None


def normalise(name: str) -> str:
    """Return the form in which names are compared: `Qwen/Qwen2.5_7B Instruct` is `qwen/qwen2-5-7b-instruct`."""
    return name.strip().casefold().translate(_SEPARATORS)


def names_of(model: Model) -> set[str]:
    """Return every normalised name that leads to the model."""
    own = {normalise(name) for name in (model.id, *model.aliases)}
    prefixed = {f"{normalise(prefix)}/{name}" for prefix in model.prefixes for name in own if "/" not in name}
    return own | prefixed


def index(models: Iterable[Model]) -> dict[str, Model]:
    """Return each model by all its names. Raises CatalogError for a name that would mean two."""
    names: dict[str, Model] = {}
    for model in models:
        for name in names_of(model):
            other = names.setdefault(name, model)
            if other.id != model.id:
                raise CatalogError(f"the name '{name}' would mean both '{other.id}' and '{model.id}'")
    return names


def read_price_of(entry: Entry, currency: CurrencySettings) -> PriceReading:
    """Read the price of a row that has one. Raises CatalogError."""
    assert entry.price is not None
    try:
        return read_written(entry.price, entry.model.kind, currency, entry.model.price_source)
    except ValueError as error:
        raise CatalogError(f"the price of model '{entry.model.id}' is wrong: {error}") from None
