"""What every page begins with, and how somebody whose identity is proven gets a session."""

from litestar import Response
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct

from tokengate.accounts.audit import By
from tokengate.accounts.orgs import Invitation, Membership
from tokengate.accounts.orgs.store import add_member, memberships_of, use_invitation
from tokengate.accounts.platform import SignUp
from tokengate.accounts.users import User
from tokengate.accounts.users.store import get_user, open_session, set_operator
from tokengate.core.errors import Forbidden
from tokengate.storage.engine import Tx
from tokengate.web.console import Console
from tokengate.web.console_api.access import Viewer
from tokengate.web.console_api.authenticate import (
    VISITOR_COOKIE,
    AnyRequest,
    base_url_of,
    by_user,
    csrf_token_of,
    no_cookie,
    session_cookie,
)

_DAY_MS = 86_400_000


class Me(Struct, frozen=True):
    """The person, or the script, that asks."""

    id: str
    name: str
    email: str
    operator: bool
    orgs: list[Membership]


class Provider(Struct, frozen=True):
    """A button of the sign-in page; it leads to `/console/api/oidc/{name}/start`."""

    name: str
    title: str


class SessionOut(Struct, frozen=True):
    """What every page begins with. `user` is null for somebody who is not signed in."""

    user: Me | None
    csrf_token: str
    base_url: str
    sign_up: SignUp
    oidc: list[Provider]
    portal_public: bool
    site_name: str
    contact: str


async def session_out(request: AnyRequest, console: Console, viewer: Viewer | None, cookie: str) -> SessionOut:
    """Describe the session; `cookie` is the one that the CSRF token belongs to."""
    me = None
    if viewer is not None:
        orgs: list[Membership] = []
        if viewer.kind == "user":
            async with console.database.read() as read:
                orgs = await memberships_of(read, viewer.id)
        me = Me(viewer.id, viewer.name, viewer.email, viewer.operator, orgs)
    portal = console.portal.now
    return SessionOut(
        user=me,
        csrf_token=csrf_token_of(cookie) if cookie else "",
        base_url=base_url_of(request, console),
        sign_up=portal.sign_up,
        oidc=[Provider(one.name, one.title or one.name) for one in console.settings.oidc],
        portal_public=portal.portal_public,
        site_name=portal.site_name,
        contact=portal.contact,
    )


async def join(tx: Tx, by: By, invitation: Invitation, user_id: str, email: str) -> User:
    """Give somebody what an invitation promises. Raises Forbidden when it is for another address; Conflict for a
    member; NotFound when somebody else used it just now."""
    if invitation.email and invitation.email != email:
        raise Forbidden("This invitation is for another e-mail address.", code="invitation_for_another", param="email")
    await use_invitation(tx, by, invitation)
    await add_member(tx, invitation.org_id, by, user_id, invitation.role)
    if invitation.operator:
        return await set_operator(tx, by, user_id, True)
    return await get_user(tx, user_id)


async def enter(request: AnyRequest, console: Console, user: User) -> str:
    """Open a session for somebody whose identity is proven, and return its token."""
    by = by_user(request, console, user)
    expires_ms = by.now_ms + console.settings.portal.session_days * _DAY_MS
    async with console.database.tx() as tx:
        return await open_session(tx, by, user.id, expires_ms)


async def entered(request: AnyRequest, console: Console, user: User) -> Response[SessionOut]:
    """Open a session, and return it with its cookie."""
    token = await enter(request, console, user)
    viewer = Viewer("user", user.id, user.name, user.email, user.operator, {}, token)
    return Response(
        await session_out(request, console, viewer, token),
        status_code=HTTP_200_OK,
        cookies=[session_cookie(request, console, token), no_cookie(request, console, VISITOR_COOKIE)],
        headers={"cache-control": "no-store"},
    )
