"""AI applications at run time: what operators publish is checked, stored, priced and logged, and the running gateway's
catalogue takes it over whole.

Every change is one transaction: the application, a new version of its price if it has changed, and the audit log.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Literal

from msgspec import Struct, json, structs

from tokengate.accounts.audit import Action, By
from tokengate.accounts.audit.store import record
from tokengate.apps import App, store
from tokengate.catalog.applications import APP_PREFIX, Published, Why
from tokengate.catalog.load import Catalog
from tokengate.catalog.versions import PriceMoved, store_prices, sync_prices
from tokengate.core.clock import Clock
from tokengate.core.errors import BadRequest, Conflict
from tokengate.core.settings import AppSettings, PriceSettings, Words
from tokengate.gateway.overlay import fixed_chat
from tokengate.storage.engine import Database, Tx

MAX_APPS = 1_000

State = Literal[Why, "available", "not_offered", "unpriced"]

# What a conversation brings along, and what the gateway itself decides.
_NEVER_FIXED = ("model", "messages", "stream", "stream_options")


class AuditedApp(Struct, frozen=True):
    """What the audit log keeps of an application: texts of two languages in one, parameters and price as JSON."""

    model: str
    title: str
    description: str
    system: str
    parameters: str
    allowed: list[str] | None
    price: str
    disabled_ms: int | None


class Applications:
    """The applications of the running gateway. `offers` says whether a backend offers a model."""

    def __init__(self, database: Database, catalog: Catalog, clock: Clock, offers: Callable[[str], bool]) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._offers = offers
        self._lock = asyncio.Lock()

    async def refresh(self, *, accept_prices: bool = True) -> None:
        """Let the catalogue have what is published now, with prices that name their versions. Raises PriceMoved."""
        async with self._lock:
            async with self._database.tx() as tx:
                # Nobody changes an application between the two, whose older price would look like a change back.
                await store.hold_apps(tx)
                beside = await with_published(tx, self._catalog)
                await sync_prices(tx, beside, int(self._clock.now_s() * 1000), accept=accept_prices)
            self._catalog.become(beside)

    def state_of(self, name: str, *, configured: bool) -> State:
        """Return whether an application can be called, or why not; one of the configuration is never obstructed."""
        obstacle = None if configured else self._catalog.obstacle_of(name)
        if obstacle is not None:
            return obstacle.kind
        model = self._catalog.resolve(f"{APP_PREFIX}{name}")
        assert model is not None, "what has no obstacle is in the catalogue"
        if not self._offers(model.answered_by):
            return "not_offered"
        return "available" if self._catalog.price_of(model.id) else "unpriced"


async def with_published(read: Tx, catalog: Catalog) -> Catalog:
    """Return the catalogue with what is published now."""
    return catalog.publishing(map(_published, await store.list_apps(read)))


async def create_app(tx: Tx, by: By, catalog: Catalog, definition: AppSettings, *, accept_price: bool = False) -> App:
    """Publish an application. Raises Conflict for a name that is taken and for a price that moved more than tenfold,
    BadRequest for what cannot be published."""
    stored = await store.list_apps(tx)
    if len(stored) >= MAX_APPS:
        raise Conflict(f"There are {MAX_APPS} applications already.", code="too_many_apps")
    app = App(definition, by.now_ms, by.now_ms)
    if app.name in [other.name for other in stored] or not await store.add_app(tx, app):
        raise _name_taken(app.name)
    await _check(tx, catalog, app, stored, accept_price)
    await record(tx, None, by, "app.create", app.name, after=_audited(app))
    return app


async def change_app(tx: Tx, by: By, catalog: Catalog, definition: AppSettings, *, accept_price: bool = False) -> App:
    """Let an application be something else from now on, under its name. Raises NotFound, and as `create_app` does."""
    before = await store.get_app(tx, definition.name)
    app = structs.replace(before, definition=definition, changed_ms=by.now_ms)
    await _check(tx, catalog, app, await store.list_apps(tx), accept_price)
    await _change(tx, by, "app.change", before, app)
    return app


async def enable_app(tx: Tx, by: By, name: str, *, enabled: bool) -> App:
    """Let an application be called, or refuse its calls from now on. Raises NotFound."""
    before = await store.get_app(tx, name)
    disabled_ms = None if enabled else before.disabled_ms or by.now_ms
    app = structs.replace(before, disabled_ms=disabled_ms)
    await _change(tx, by, "app.enable" if enabled else "app.disable", before, app)
    return app


async def delete_app(tx: Tx, by: By, name: str) -> None:
    """Forget an application; its bills and its price versions stay. Raises NotFound."""
    before = await store.get_app(tx, name)
    await store.delete_app(tx, name)
    await record(tx, None, by, "app.delete", name, before=_audited(before))


async def _change(tx: Tx, by: By, action: Action, before: App, after: App) -> None:
    await store.change_app(tx, after)
    await record(tx, None, by, action, after.name, before=_audited(before), after=_audited(after))


async def _check(tx: Tx, catalog: Catalog, app: App, stored: Iterable[App], accept_price: bool) -> None:
    """Raise for what cannot be published; store the price's version."""
    _check_parameters(app.definition)
    others = [_published(other) for other in stored if other.name != app.name]
    beside = catalog.publishing([*others, Published(app.definition)])
    obstacle = beside.obstacle_of(app.name)
    if obstacle is not None:
        if obstacle.kind == "name_taken":
            raise _name_taken(app.name)
        param = "price" if obstacle.kind == "bad_price" else "model"
        raise BadRequest(obstacle.sentence, param=param, code=obstacle.kind)
    model_id = f"{APP_PREFIX}{app.name}"
    price = beside.price_of(model_id)
    if price is None:
        reading = beside.reading_of(model_id)
        missing = f"its price lacks {', '.join(reading.missing)}" if reading else "its model has no price"
        raise BadRequest(f"The application could not be called: {missing}.", param="price", code="price_missing")
    try:
        await store_prices(tx, {model_id: price}, app.changed_ms, accept=accept_price)
    except PriceMoved as moved:
        moves = "; ".join(moved.moves)
        raise Conflict(f"The price moves more than tenfold: {moves}.", param="price", code="price_moved") from None


def _check_parameters(definition: AppSettings) -> None:
    for name in _NEVER_FIXED:
        if name in definition.parameters:
            raise BadRequest(f"'{name}' cannot be fixed.", param="parameters", code="bad_parameters")
    try:
        unknown = list(fixed_chat(definition.parameters).extra)
    except BadRequest as error:
        raise BadRequest(error.message, param="parameters", code="bad_parameters") from None
    if unknown:
        names = ", ".join(unknown)
        raise BadRequest(f"No format has a parameter '{names}'.", param="parameters", code="bad_parameters")


def _name_taken(name: str) -> Conflict:
    return Conflict(f"The name '{name}' is taken.", param="name", code="name_taken")


def _published(app: App) -> Published:
    return Published(app.definition, disabled=app.disabled_ms is not None)


def _audited(app: App) -> AuditedApp:
    one = app.definition
    return AuditedApp(
        model=one.model,
        title=_in_one(one.title),
        description=_in_one(one.description),
        system=one.system,
        parameters=json.encode(one.parameters).decode() if one.parameters else "",
        allowed=one.allowed,
        price=json.encode(_without_none(one.price)).decode() if one.price else "",
        disabled_ms=app.disabled_ms,
    )


def _in_one(words: Words) -> str:
    return words if isinstance(words, str) else " / ".join(words.values())


def _without_none(price: PriceSettings) -> dict[str, object]:
    return {name: value for name, value in structs.asdict(price).items() if value not in (None, [])}
