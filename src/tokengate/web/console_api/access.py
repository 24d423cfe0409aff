"""Who may use a route: every route names exactly one of these rules in its `guards`."""

from typing import Literal, cast

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from msgspec import Struct

from tokengate.accounts.orgs.store import get_org, no_such_org
from tokengate.accounts.roles import Permission, Role, allows
from tokengate.core.errors import Forbidden, NotSignedIn
from tokengate.web.console import Console


class Viewer(Struct, frozen=True):
    """Who asks: a person with a session, or a script with an admin token, which counts as an operator."""

    kind: Literal["user", "admin_token"]
    id: str
    name: str
    email: str
    operator: bool
    roles: dict[str, Role]  # by org
    session: str = ""  # the session's token; never shown

    def role_in(self, org_id: str) -> Role | None:
        """Return the role in an org; operators are owners everywhere, None is no role."""
        return self.roles.get(org_id) or ("owner" if self.operator else None)


class Access(Struct, frozen=True):
    """A guard. `name` is what the rule is called in tests and in the published document."""

    name: str
    permission: Permission | None = None

    async def __call__(self, connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # pyright: ignore[reportMissingTypeArgument, reportUnknownParameterType]  # four parameters that say nothing here
        """Raise NotSignedIn, Forbidden, or NotFound for an org that the viewer has no role in."""
        if self.name == "public":
            return
        console = cast(Console, connection.app.state.console)  # pyright: ignore[reportUnknownMemberType]
        viewer = cast(Viewer | None, connection.scope["user"])
        if self.name == "reader" and console.portal.now.portal_public:
            return
        if viewer is None:
            raise NotSignedIn()
        if self.name == "operator" and not viewer.operator:
            raise Forbidden("Only operators of the platform may do this.", code="operators_only")
        if self.permission is not None:
            await _require(self.permission, viewer, str(connection.path_params["org_id"]), console)  # pyright: ignore[reportUnknownMemberType]


PUBLIC = Access("public")
READER = Access("reader")
SIGNED_IN = Access("signed_in")
OPERATOR = Access("operator")


def may(permission: Permission) -> Access:
    """Return the rule of a route of one org, `/orgs/{org_id}/...`."""
    return Access(permission, permission)


def access_of(handler: BaseRouteHandler) -> list[Access]:
    """Return the rules of a route: exactly one, or it is a mistake."""
    guards = cast("list[object]", handler.resolve_guards())  # pyright: ignore[reportUnknownMemberType]  # as above
    return [guard for guard in guards if isinstance(guard, Access)]


def require_access_rules(app: Litestar) -> None:
    """Assert that every route says who may use it."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and "OPTIONS" not in handler.http_methods:
                rules = access_of(handler)
                assert len(rules) == 1, f"{route.path} needs exactly one access rule, not {rules}"
                assert (rules[0].permission is not None) == ("{org_id" in route.path), f"{route.path}: {rules[0].name}"


async def _require(permission: Permission, viewer: Viewer, org_id: str, console: Console) -> None:
    role = viewer.role_in(org_id)
    if role is None:
        raise no_such_org(org_id)
    if org_id not in viewer.roles:
        async with console.database.read() as read:
            await get_org(read, org_id)
    if not allows(role, permission) and not viewer.operator:
        raise Forbidden(f"Your role '{role}' does not allow this.", code="role_forbids")
