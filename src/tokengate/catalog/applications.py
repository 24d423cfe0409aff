"""AI applications as rows of the catalogue: a preset over a chat model, with the price of it or one of its own.

Those of the configuration are read at the start; those published at run time are laid over the rest, and one that does
not fit there keeps an obstacle instead of stopping anything.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct, structs

from tokengate.catalog.entries import CONFIGURATION, OWN_VENDOR, Entry, index, names_of, normalise, read_price_of
from tokengate.catalog.model import CatalogError, Model, Preset
from tokengate.catalog.written import PriceReading
from tokengate.core.settings import AppSettings, CurrencySettings, Words

APP_PREFIX = "app/"
CONSOLE = "console"  # the source of a price that an operator set at run time

SERIES = "AI 应用"  # of applications that no row of the catalogue lists

Why = Literal["disabled", "name_taken", "model_gone", "not_a_chat_model", "bad_price"]


class Published(Struct, frozen=True):
    """An application that an operator published at run time."""

    app: AppSettings
    disabled: bool = False


class Obstacle(Struct, frozen=True):
    """Why an application cannot be called; `sentence` is for callers."""

    kind: Why
    sentence: str


class Laid(Struct, frozen=True):
    """A catalogue with applications over it. `obstacles` are by normalised name."""

    entries: Mapping[str, Entry]
    readings: Mapping[str, PriceReading]
    obstacles: Mapping[str, Obstacle]


def application(app: AppSettings, base: Entry, listed: Entry | None, source: str = CONFIGURATION) -> Entry:
    """Return an application as a model. A row that the catalogue has under its name becomes it: the product pages list
    applications before anybody has published them."""
    assert base.model.kind == "chat", "the caller looked"
    known = listed.model if listed else None
    model = structs.replace(
        known or Model(app.name, "chat", OWN_VENDOR, app.name, series=SERIES, in_tree=False),
        id=f"{APP_PREFIX}{app.name}",
        aliases=(*(known.aliases if known else ()), *((app.name,) if known else ())),
        context=base.model.context,
        max_output=base.model.max_output,
        capabilities=base.model.capabilities,
        status="available",
        preset=Preset(
            base.model.id, app.system, app.parameters, None if app.allowed is None else frozenset(app.allowed)
        ),
        price_source=source if app.price else base.model.price_source and f"priced as {base.model.id}",
        price_checked="" if app.price else base.model.price_checked,
    )
    name, names = _in_languages(app.title)
    description, descriptions = _in_languages(app.description)
    if name:
        model = structs.replace(model, name=name, names=names)
    if description:
        model = structs.replace(model, description=description, descriptions=descriptions)
    return Entry(model, app.price or base.price)


def lay_applications(listed: Mapping[str, Entry], published: Iterable[Published], currency: CurrencySettings) -> Laid:
    """Return the catalogue's rows with the published applications among them."""
    names = index(entry.model for entry in listed.values())
    entries = dict(listed)
    readings: dict[str, PriceReading] = {}
    obstacles: dict[str, Obstacle] = {}
    for one in published:
        try:
            entry, reading = _laid(one, listed, names, currency)
        except _Obstructed as error:
            obstacles[normalise(one.app.name)] = error.obstacle
            continue
        if one.app.name in entry.model.aliases:
            del entries[one.app.name]
        entries[entry.model.id] = entry
        names |= dict.fromkeys(names_of(entry.model), entry.model)
        if reading is not None:
            readings[entry.model.id] = reading
    return Laid(entries, readings, obstacles)


class _Obstructed(Exception):
    def __init__(self, kind: Why, sentence: str) -> None:
        super().__init__(sentence)
        self.obstacle = Obstacle(kind, sentence)


def _laid(
    one: Published, listed: Mapping[str, Entry], names: Mapping[str, Model], currency: CurrencySettings
) -> tuple[Entry, PriceReading | None]:
    app = one.app
    if one.disabled:
        raise _Obstructed("disabled", f"The application '{app.name}' is turned off.")
    base = names.get(normalise(app.model))
    if base is None or base.id not in listed:
        raise _Obstructed(
            "model_gone", f"The application '{app.name}' is over the model '{app.model}', which is not here any more."
        )
    if base.kind != "chat" or base.preset is not None:
        raise _Obstructed(
            "not_a_chat_model", f"The application '{app.name}' is over '{base.id}', which is no chat model."
        )
    own = listed.get(app.name)
    replaced = own if own is not None and own.price is None else None
    entry = application(app, listed[base.id], replaced, CONSOLE)
    if any(names[name].id != app.name for name in names_of(entry.model) if name in names):
        raise _Obstructed("name_taken", f"The name '{app.name}' belongs to another application.")
    try:
        return entry, None if entry.price is None else read_price_of(entry, currency)
    except CatalogError as error:
        raise _Obstructed("bad_price", f"{str(error)[:1].upper()}{str(error)[1:]}.") from None


def _in_languages(words: Words) -> tuple[str, Mapping[str, str]]:
    """Return a text for everybody, and what readers of a language get instead."""
    if isinstance(words, str):
        return words, {}
    said = {lang: text for lang, text in words.items() if text}
    return said.get("zh") or said.get("en") or "", said
