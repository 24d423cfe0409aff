"""Signing in through the organisation's own accounts."""

from typing import Annotated

import msgspec
from litestar import Controller, Response, get
from litestar.datastructures import Cookie
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_302_FOUND
from msgspec import Struct

from tokengate.accounts.audit import By
from tokengate.accounts.orgs.store import add_member
from tokengate.accounts.users import MAX_NAME_CHARS, User, read_email
from tokengate.accounts.users.store import (
    add_identity,
    create_user,
    end_sessions,
    find_by_email,
    find_identity,
    set_password_hash,
)
from tokengate.billing.orgs import open_org
from tokengate.core.errors import Forbidden, GatewayError, NotFound
from tokengate.core.sealing import Unsealable
from tokengate.storage.engine import Tx
from tokengate.web.console import Console
from tokengate.web.console_api.access import PUBLIC
from tokengate.web.console_api.authenticate import (
    VISITOR_COOKIE,
    AnyRequest,
    base_url_of,
    by_visitor,
    no_cookie,
    session_cookie,
)
from tokengate.web.console_api.entering import enter
from tokengate.web.console_api.given import Services
from tokengate.web.oidc import Identity, Provider, refused

ATTEMPT_COOKIE = "tokengate_oidc"

_PATH = "/console/api/oidc"
_ATTEMPT_S = 600
_MAX_TEXT = 4_000
_FIRST_PAGE = "/console"

Text = Annotated[str, QueryParameter(max_length=_MAX_TEXT)]


class _Kept(Struct, frozen=True):
    """What a browser keeps for us, sealed, while its person is at the provider's."""

    provider: str
    state: str
    nonce: str
    verifier: str
    next: str
    until_ms: int


_decode = msgspec.json.Decoder(_Kept).decode


class Oidc(Controller):
    """`/oidc/{provider}/start` and `/oidc/{provider}/callback`."""

    path = "/oidc/{provider:str}"
    tags = ("session",)

    @get("/start", guards=[PUBLIC], status_code=HTTP_302_FOUND, summary="Go to a provider to sign in")
    async def start(
        self, request: AnyRequest, console: Services, provider: FromPath[str], next: Text = ""
    ) -> Response[None]:
        """Afterwards the browser is at `next`, a path of this site."""
        found = _provider(console, provider)
        try:
            attempt = await found.begin(_callback(request, console, provider))
        except GatewayError as error:
            return _failed(error)
        kept = _Kept(
            provider,
            attempt.state,
            attempt.nonce,
            attempt.verifier,
            _own_path(next),
            console.now_ms() + _ATTEMPT_S * 1000,
        )
        sealed = console.sealer.seal(msgspec.json.encode(kept), b"oidc").hex()
        return _redirect(attempt.url, [_attempt_cookie(request, console, sealed, _ATTEMPT_S)])

    @get("/callback", guards=[PUBLIC], status_code=HTTP_302_FOUND, summary="Come back from a provider")
    async def callback(
        self,
        request: AnyRequest,
        console: Services,
        provider: FromPath[str],
        code: Text = "",
        returned_state: Annotated[str, QueryParameter(name="state", max_length=_MAX_TEXT)] = "",
        iss: Text = "",
        error: Text = "",
    ) -> Response[None]:
        """Opens a session; what fails leads back to the page of signing in with `?error=`."""
        forget = _attempt_cookie(request, console, "", 0)
        try:
            kept = _kept(request, console, provider, returned_state)
            if error or not code:
                raise refused("the provider refused")
            identity = await _provider(console, provider).finish(
                code, iss, nonce=kept.nonce, verifier=kept.verifier, redirect_uri=_callback(request, console, provider)
            )
            user = await _user_of(request, console, provider, identity)
        except GatewayError as failure:
            return _failed(failure, forget)
        token = await enter(request, console, user)
        return _redirect(
            kept.next,
            [forget, session_cookie(request, console, token), no_cookie(request, console, VISITOR_COOKIE)],
        )


def _provider(console: Console, name: str) -> Provider:
    found = console.oidc.get(name)
    if found is None:
        raise NotFound(f"There is no provider of sign-ins '{name[:64]}'.", param="provider")
    return found


def _kept(request: AnyRequest, console: Console, provider: str, state: str) -> _Kept:
    try:
        sealed = bytes.fromhex(request.cookies.get(ATTEMPT_COOKIE, ""))
        kept = _decode(console.sealer.open(sealed, b"oidc"))
    except (ValueError, Unsealable, msgspec.DecodeError):
        raise refused("it did not begin in this browser") from None
    if kept.provider != provider or kept.state != state or kept.until_ms < console.now_ms():
        raise refused("it did not begin in this browser, or took too long")
    return kept


async def _user_of(request: AnyRequest, console: Console, provider: str, identity: Identity) -> User:
    """Return whose account it is, made or found by its verified address at the first time."""
    email = read_email(identity.email) if identity.email else ""
    by = by_visitor(request, console, email)
    async with console.database.tx() as tx:
        user = await find_identity(tx, provider, identity.subject)
        if user is None:
            if not email:
                raise Forbidden("The provider has not verified an e-mail address.", code="email_not_verified")
            user = await find_by_email(tx, email)
            if user is None:
                user = await _new_user(tx, console, by, provider, email, identity.name)
            elif user.has_password:
                # Whoever set it never proved that the address is theirs; the provider did.
                await set_password_hash(tx, by, user.id, "")
                await end_sessions(tx, user.id)
            await add_identity(tx, by, user.id, provider, identity.subject)
    if user.disabled_ms is not None:
        raise Forbidden("This account is disabled.", code="account_disabled")
    return user


async def _new_user(tx: Tx, console: Console, by: By, provider: str, email: str, name: str) -> User:
    settings = next(one for one in console.settings.oidc if one.name == provider)
    if not settings.create_users and console.portal.now.sign_up != "open":
        raise Forbidden("Signing up needs an invitation.", code="invitation_needed")
    shown = "".join(char for char in name if char.isprintable()).strip()[:MAX_NAME_CHARS] or email.partition("@")[0]
    user = await create_user(tx, by, email=email, name=shown)
    if settings.join_org:
        await add_member(tx, settings.join_org, by, user.id, settings.join_role)
    else:
        await open_org(tx, by, name=shown, owner_id=user.id)
    return user


def _callback(request: AnyRequest, console: Console, provider: str) -> str:
    return f"{base_url_of(request, console)}{_PATH}/{provider}/callback"


def _own_path(text: str) -> str:
    """Return a path of this site: nobody is sent elsewhere through us."""
    own = text.startswith("/") and text[1:2] not in ("/", "\\") and text.isprintable()
    return text if own else _FIRST_PAGE


def _failed(error: GatewayError, *cookies: Cookie) -> Response[None]:
    return _redirect(f"/sign-in?error={error.code or 'oidc_failed'}", list(cookies))


def _redirect(url: str, cookies: list[Cookie]) -> Response[None]:
    return Response(
        None, status_code=HTTP_302_FOUND, cookies=cookies, headers={"location": url, "cache-control": "no-store"}
    )


def _attempt_cookie(request: AnyRequest, console: Console, value: str, max_age_s: int) -> Cookie:
    secure = base_url_of(request, console).startswith("https:")
    return Cookie(
        ATTEMPT_COOKIE, value=value, path=_PATH, max_age=max_age_s, httponly=True, samesite="lax", secure=secure
    )
