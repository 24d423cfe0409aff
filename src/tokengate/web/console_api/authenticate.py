"""From a cookie or an admin token to a viewer; and nothing is changed for a page of another site.

A browser has a session cookie, or before signing in a visitor's cookie; both are HttpOnly, and the CSRF token is made
from them by a hash, so only our own pages, which may read `GET /session`, know it.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode

from litestar import Request
from litestar.datastructures import Cookie, State
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.params import SkipValidation
from litestar.types import ASGIApp, HTTPReceiveMessage, Receive, Scope, Send, WebSocketReceiveMessage

from tokengate.accounts.audit import By
from tokengate.accounts.orgs.store import memberships_of
from tokengate.accounts.platform.store import find_admin_token, is_stale, touch_admin_token
from tokengate.accounts.roles import Role
from tokengate.accounts.tokens import ADMIN_PREFIX
from tokengate.accounts.users import User
from tokengate.accounts.users.store import find_session
from tokengate.core.errors import BadRequest, Forbidden, NotSignedIn
from tokengate.web.address import caller_address
from tokengate.web.console import Console
from tokengate.web.console_api.access import Viewer

SESSION_COOKIE = "tokengate_session"
VISITOR_COOKIE = "tokengate_visitor"
CSRF_HEADER = "x-csrf-token"

AnyRequest = Request[Viewer | None, None, State]

_SAFE = ("GET", "HEAD", "OPTIONS")
_MAX_TOKEN_CHARS = 200
_VISITOR_S = 86_400


class ReadRequest(AnyRequest):
    """What every request is made as: its body may be anything."""

    async def json(self) -> object:
        """Return the body's value. Raises BadRequest for one that is nested too deeply to be read."""
        try:
            return await super().json()
        except RecursionError:
            raise BadRequest("The body is nested too deeply.", code="invalid_request") from None


class Authenticate:
    """Middleware: puts the viewer (or None) into the scope. Raises NotSignedIn for a wrong admin token, Forbidden for a
    wrong CSRF token, BadRequest for text that no database takes."""

    def __init__(self, app: ASGIApp, console: Console) -> None:
        self._app = app
        self._console = console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        connection = AnyRequest(scope)
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            raise BadRequest("The address has a character that cannot be stored.", code="bad_character")
        token = _bearer(connection)
        if token:
            scope["user"] = await self._admin(token)
        else:
            if scope["method"] not in _SAFE:
                _check_csrf(connection)
            scope["user"] = await self._person(connection.cookies.get(SESSION_COOKIE, ""))
        scope["auth"] = None
        await self._app(scope, _without_nul(receive), send)

    async def _admin(self, token: str) -> Viewer:
        now_ms = self._console.now_ms()
        found = None
        if token.startswith(ADMIN_PREFIX) and len(token) <= _MAX_TOKEN_CHARS:
            async with self._console.database.read() as read:
                found = await find_admin_token(read, token, now_ms)
        if found is None:
            raise NotSignedIn("This admin token is unknown, revoked or expired.", code="bad_admin_token")
        if is_stale(found, now_ms):
            async with self._console.database.tx() as tx:
                await touch_admin_token(tx, found.id, now_ms)
        return Viewer("admin_token", found.id, found.name, "", operator=True, roles={})

    async def _person(self, token: str) -> Viewer | None:
        if not token or len(token) > _MAX_TOKEN_CHARS:
            return None
        async with self._console.database.read() as read:
            found = await find_session(read, token, self._console.now_ms())
            if found is None:
                return None
            user = found.user
            roles: dict[str, Role] = {one.org_id: one.role for one in await memberships_of(read, user.id)}
        return Viewer("user", user.id, user.name, user.email, user.operator, roles, token)


def viewer_of(request: AnyRequest) -> Viewer:
    """Return who asks. Raises NotSignedIn."""
    if request.user is None:
        raise NotSignedIn()
    return request.user


def maybe_viewer_of(request: AnyRequest) -> Viewer | None:
    """Return who asks; None for somebody who is not signed in."""
    return request.user


def by_of(request: AnyRequest, console: NamedDependency[SkipValidation[Console]]) -> By:
    """Return who asks as the author of a change. Raises NotSignedIn."""
    viewer = viewer_of(request)
    return By(
        viewer.kind,
        viewer.id,
        viewer.email or viewer.name,
        address_of(request, console),
        console.now_ms(),
        console.new_id,
    )


def by_visitor(request: AnyRequest, console: Console, email: str) -> By:
    """Return somebody who is not signed in as the author of a change: of the account that is theirs in a moment."""
    return By("user", "", email, address_of(request, console), console.now_ms(), console.new_id)


def by_user(request: AnyRequest, console: Console, user: User) -> By:
    """Return somebody who signs in with this very request as the author of a change."""
    return By("user", user.id, user.email, address_of(request, console), console.now_ms(), console.new_id)


def address_of(request: AnyRequest, console: Console) -> str:
    """Return the caller's address without the port, as trusted proxies tell it."""
    peer = request.client.host if request.client else ""
    return caller_address(peer, request.headers.get("x-forwarded-for", ""), console.trusted_proxies)


def csrf_token_of(cookie: str) -> str:
    """Return the token that belongs to a session's or a visitor's cookie."""
    return urlsafe_b64encode(hashlib.sha256(b"csrf:" + cookie.encode()).digest()).rstrip(b"=").decode()


def session_cookie(request: AnyRequest, console: Console, token: str) -> Cookie:
    """Return the cookie of a new session."""
    days = console.settings.portal.session_days
    return _cookie(request, console, SESSION_COOKIE, token, days * 86_400)


def visitor_cookie(request: AnyRequest, console: Console) -> Cookie:
    """Return a cookie for somebody who has none yet and is about to sign in."""
    return _cookie(request, console, VISITOR_COOKIE, secrets.token_urlsafe(32), _VISITOR_S)


def no_cookie(request: AnyRequest, console: Console, name: str) -> Cookie:
    """Return the cookie that makes a browser forget one."""
    return _cookie(request, console, name, "", 0)


def base_url_of(request: AnyRequest, console: Console) -> str:
    """Return where callers reach the gateway: as configured, else as this caller did."""
    configured = console.settings.portal.base_url.rstrip("/")
    return configured or f"{_scheme(request)}://{request.headers.get('host', 'localhost')}"


def _cookie(request: AnyRequest, console: Console, name: str, value: str, max_age_s: int) -> Cookie:
    secure = base_url_of(request, console).startswith("https:") or _scheme(request) == "https"
    return Cookie(name, value=value, path="/", max_age=max_age_s, httponly=True, samesite="lax", secure=secure)


def _scheme(request: AnyRequest) -> str:
    return "https" if request.headers.get("x-forwarded-proto", "") == "https" else "http"


def _bearer(connection: AnyRequest) -> str:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _check_csrf(request: AnyRequest) -> None:
    """A browser may hold the cookie of a session that is over beside a visitor's: the token of either will do."""
    given = request.headers.get(CSRF_HEADER, "").encode()
    for name in (SESSION_COOKIE, VISITOR_COOKIE):
        cookie = request.cookies.get(name, "")
        if cookie and secrets.compare_digest(given, csrf_token_of(cookie).encode()):
            return
    raise Forbidden("The header X-CSRF-Token must be the token that GET /console/api/session returns.", code="csrf")


def _without_nul(receive: Receive) -> Receive:
    """Refuse a JSON text with a NUL in it: not every database takes one."""

    async def checked() -> HTTPReceiveMessage | WebSocketReceiveMessage:
        message = await receive()
        if message["type"] == "http.request" and (b"\\u0000" in message["body"] or b"\0" in message["body"]):
            raise BadRequest("The body has a character that cannot be stored.", code="bad_character")
        return message

    return checked
