"""What operators of the platform do: settings, people, and tokens for scripts."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT
from msgspec import UNSET, Meta, Struct, UnsetType

from tokengate.accounts.platform import AdminToken, NewAdminToken, PortalSettings, SignUp, store
from tokengate.accounts.users import User, read_name
from tokengate.accounts.users import store as users
from tokengate.core.errors import BadRequest
from tokengate.web.console_api.access import OPERATOR
from tokengate.web.console_api.given import Author, Id, Services
from tokengate.web.console_api.shapes import After, FutureMs, Limit, Page, Search, page_of, require_future

_MAX_CONTACT_CHARS = 10_000


class TokenForm(Struct, frozen=True, forbid_unknown_fields=True):
    """A token to make; without `expires_ms` it holds until it is revoked."""

    name: str
    expires_ms: FutureMs | None = None


class SettingsChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings to change; null takes one back to what the configuration says."""

    sign_up: SignUp | UnsetType | None = UNSET
    portal_public: bool | UnsetType | None = UNSET
    site_name: str | UnsetType | None = UNSET
    contact: Annotated[str, Meta(max_length=_MAX_CONTACT_CHARS)] | UnsetType | None = UNSET


class UserChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a person. Who is disabled cannot sign in, and is signed out at once."""

    operator: bool | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET


class Admin(Controller):
    """`/admin/...`."""

    path = "/admin"
    tags = ("platform",)
    guards = (OPERATOR,)

    @get("/tokens", summary="List the admin tokens")
    async def list_tokens(self, console: Services) -> Page[AdminToken]:
        """Without their texts, which are not stored."""
        async with console.database.read() as read:
            return Page(await store.list_admin_tokens(read), None)

    @post("/tokens", summary="Make an admin token")
    async def create_token(self, console: Services, by: Author, data: JSONBody[TokenForm]) -> NewAdminToken:
        """It acts as an operator, and its text is shown this once."""
        require_future(data.expires_ms, by.now_ms)
        async with console.database.tx() as tx:
            return await store.create_admin_token(tx, by, name=read_name(data.name), expires_ms=data.expires_ms)

    @delete("/tokens/{token_id:str}", status_code=HTTP_204_NO_CONTENT, summary="Revoke an admin token")
    async def revoke_token(self, console: Services, by: Author, token_id: Id) -> None:
        """It is refused from now on."""
        async with console.database.tx() as tx:
            await store.revoke_admin_token(tx, by, token_id)

    @get("/settings", summary="Show the portal's settings")
    async def show_settings(self, console: Services) -> PortalSettings:
        """What an operator set here, else what the configuration says."""
        await console.portal.refresh()
        return console.portal.now

    @patch("/settings", summary="Change the portal's settings")
    async def change_settings(self, console: Services, by: Author, data: JSONBody[SettingsChange]) -> PortalSettings:
        """Those not named stay."""
        changes: dict[str, object] = msgspec.to_builtins(data)
        if isinstance(data.site_name, str):
            changes["site_name"] = read_name(data.site_name, param="site_name")
        async with console.database.tx() as tx:
            await store.set_portal_settings(tx, by, console.portal.defaults, changes)
        await console.portal.refresh()
        return console.portal.now

    @get("/users", summary="List everybody who has an account")
    async def list_users(self, console: Services, q: Search = "", limit: Limit = 50, after: After = "") -> Page[User]:
        """`q` is a part of the name or of the address."""
        async with console.database.read() as read:
            return page_of(await users.list_users(read, q=q, after=after, limit=limit + 1), limit)

    @patch("/users/{user_id:str}", summary="Make somebody an operator, or keep them from signing in")
    async def change_user(self, console: Services, by: Author, user_id: Id, data: JSONBody[UserChange]) -> User:
        """The last operator stays one (409)."""
        if data.operator is UNSET and data.disabled is UNSET:
            raise BadRequest("Name what to change: operator or disabled.", code="invalid_request")
        async with console.database.tx() as tx:
            user = await users.get_user(tx, user_id)
            if data.operator is not UNSET:
                user = await users.set_operator(tx, by, user_id, data.operator)
            if data.disabled is not UNSET:
                user = await users.set_disabled(tx, by, user_id, data.disabled)
        return user
