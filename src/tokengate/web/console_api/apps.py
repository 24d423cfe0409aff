"""AI applications: operators publish presets over chat models, change them, turn them off and delete them."""

from typing import Annotated, Any

from litestar import Controller, delete, get, patch, post, put
from litestar.params import JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT
from msgspec import Meta, Struct, field

from tokengate.apps import App, store
from tokengate.core.errors import NotFound
from tokengate.core.settings import AppSettings, PriceSettings
from tokengate.core.settings import Words as Written
from tokengate.gateway import applications
from tokengate.gateway.applications import State
from tokengate.web.console import Console
from tokengate.web.console_api.access import OPERATOR
from tokengate.web.console_api.given import Author, Id, Services
from tokengate.web.console_api.shapes import Page

_MAX_PROMPT_CHARS = 100_000
_MAX_TITLE_CHARS = 100
_MAX_DESCRIPTION_CHARS = 2_000
_MAX_ALLOWED = 100

Parameter = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,63}$")]


class Title(Struct, frozen=True, forbid_unknown_fields=True):
    """A name in the readers' languages; where one is empty, the other is shown."""

    zh: Annotated[str, Meta(max_length=_MAX_TITLE_CHARS)] = ""
    en: Annotated[str, Meta(max_length=_MAX_TITLE_CHARS)] = ""


class Description(Struct, frozen=True, forbid_unknown_fields=True):
    """A paragraph in the readers' languages."""

    zh: Annotated[str, Meta(max_length=_MAX_DESCRIPTION_CHARS)] = ""
    en: Annotated[str, Meta(max_length=_MAX_DESCRIPTION_CHARS)] = ""


class AppForm(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an application is. `parameters` are given under OpenAI's names, over the caller's own; `allowed` names those
    that callers may give, null for all; without a `price` it costs what its model costs. `accept_price` lets the price
    move more than tenfold."""

    model: Annotated[str, Meta(min_length=1, max_length=200)]
    title: Title = Title()
    description: Description = Description()
    system: Annotated[str, Meta(max_length=_MAX_PROMPT_CHARS)] = ""
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    allowed: Annotated[list[Parameter], Meta(max_length=_MAX_ALLOWED)] | None = None
    price: PriceSettings | None = None
    accept_price: bool = False


class NewApp(AppForm, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An application to publish."""

    name: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,63}$")]


class AppSwitch(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether an application may be called."""

    disabled: bool


class AppView(Struct, frozen=True):
    """An application. Those of the configuration (`configured`) can only be changed there; they have no times."""

    name: str
    configured: bool
    state: State
    model: str
    title: Title
    description: Description
    system: str
    parameters: dict[str, Any]
    allowed: list[str] | None
    price: PriceSettings | None
    created_ms: int | None
    changed_ms: int | None


class Apps(Controller):
    """`/admin/apps...`."""

    path = "/admin/apps"
    tags = ("applications",)
    guards = (OPERATOR,)

    @get(summary="List the AI applications")
    async def list_apps(self, console: Services) -> Page[AppView]:
        """Those of the configuration first, then those published here, by name."""
        async with console.database.read() as read:
            stored = await store.list_apps(read)
        configured = [_view(console, one, None) for one in console.settings.app]
        return Page([*configured, *(_view(console, app.definition, app) for app in stored)], None)

    @post(summary="Publish an AI application")
    async def create_app(self, console: Services, by: Author, data: JSONBody[NewApp]) -> AppView:
        """It can be called as model `app/NAME` at once. 409 when the name is taken, or when the price differs more than
        tenfold from the last one of this name."""
        async with console.database.tx() as tx:
            app = await applications.create_app(
                tx, by, console.catalog, _settings(data.name, data), accept_price=data.accept_price
            )
        return await _told(console, app)

    @get("/{name:str}", summary="Show an AI application")
    async def show_app(self, console: Services, name: Id) -> AppView:
        """One of the configuration, or one published here."""
        async with console.database.read() as read:
            try:
                app = await store.get_app(read, name)
            except NotFound:
                for one in console.settings.app:
                    if one.name == name:
                        return _view(console, one, None)
                raise
        return _view(console, app.definition, app)

    @put("/{name:str}", summary="Change an AI application")
    async def change_app(self, console: Services, by: Author, name: Id, data: JSONBody[AppForm]) -> AppView:
        """All of it; calls in flight end as they began."""
        async with console.database.tx() as tx:
            app = await applications.change_app(
                tx, by, console.catalog, _settings(name, data), accept_price=data.accept_price
            )
        return await _told(console, app)

    @patch("/{name:str}", summary="Turn an AI application off or on")
    async def switch_app(self, console: Services, by: Author, name: Id, data: JSONBody[AppSwitch]) -> AppView:
        """Calls of one that is off are refused with 404 and the reason."""
        async with console.database.tx() as tx:
            app = await applications.enable_app(tx, by, name, enabled=not data.disabled)
        return await _told(console, app)

    @delete("/{name:str}", status_code=HTTP_204_NO_CONTENT, summary="Delete an AI application")
    async def delete_app(self, console: Services, by: Author, name: Id) -> None:
        """Its bills and the versions of its price stay."""
        async with console.database.tx() as tx:
            await applications.delete_app(tx, by, name)
        await _refresh(console)


async def _told(console: Console, app: App) -> AppView:
    await _refresh(console)
    return _view(console, app.definition, app)


async def _refresh(console: Console) -> None:
    await console.applications.refresh()
    console.shelf.renew()


def _settings(name: str, form: AppForm) -> AppSettings:
    return AppSettings(
        name=name,
        model=form.model,
        title=_written(form.title.zh, form.title.en),
        description=_written(form.description.zh, form.description.en),
        system=form.system,
        parameters=form.parameters,
        allowed=form.allowed,
        price=form.price,
    )


def _view(console: Console, one: AppSettings, stored: App | None) -> AppView:
    return AppView(
        name=one.name,
        configured=stored is None,
        state=console.applications.state_of(one.name, configured=stored is None),
        model=one.model,
        title=Title(*_both(one.title)),
        description=Description(*_both(one.description)),
        system=one.system,
        parameters=one.parameters,
        allowed=one.allowed,
        price=one.price,
        created_ms=stored.created_ms if stored else None,
        changed_ms=stored.changed_ms if stored else None,
    )


def _written(zh: str, en: str) -> Written:
    if zh == en or not (zh and en):
        return zh or en
    return {"zh": zh, "en": en}


def _both(words: Written) -> tuple[str, str]:
    if isinstance(words, str):
        return words, words
    return words.get("zh", ""), words.get("en", "")
