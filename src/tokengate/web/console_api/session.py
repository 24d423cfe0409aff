"""Who am I, signing in and signing out, and changing one's password."""

from litestar import Controller, Response, delete, get, post
from litestar.params import FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from msgspec import Struct

from tokengate.accounts.passwords import check_new_password
from tokengate.accounts.throttle import store as throttle
from tokengate.accounts.users import store
from tokengate.core.errors import BadRequest, NotSignedIn
from tokengate.web.console_api.access import PUBLIC, SIGNED_IN
from tokengate.web.console_api.authenticate import (
    SESSION_COOKIE,
    VISITOR_COOKIE,
    AnyRequest,
    address_of,
    maybe_viewer_of,
    no_cookie,
    visitor_cookie,
)
from tokengate.web.console_api.entering import SessionOut, entered, session_out
from tokengate.web.console_api.given import Author, Services, Who


class SignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """An address and a password."""

    email: str
    password: str


class PasswordChange(Struct, frozen=True, forbid_unknown_fields=True):
    """`current` is empty for who has none yet, having signed in through a provider only."""

    password: str
    current: str = ""


class Session(Controller):
    """`/session` and `/password`."""

    tags = ("session",)

    @get("/session", guards=[PUBLIC], summary="Say who is signed in, and what a page needs to begin with")
    async def show(self, request: AnyRequest, console: Services) -> Response[SessionOut]:
        """A visitor gets a cookie, to which the CSRF token belongs."""
        viewer = maybe_viewer_of(request)
        cookie = viewer.session if viewer is not None else request.cookies.get(VISITOR_COOKIE, "")
        new = [] if cookie or viewer is not None else [visitor_cookie(request, console)]
        return Response(
            await session_out(request, console, viewer, (new[0].value or "") if new else cookie),
            cookies=new,
            headers={"cache-control": "no-store"},
        )

    @post("/session", guards=[PUBLIC], status_code=HTTP_200_OK, summary="Sign in with a password")
    async def sign_in(self, request: AnyRequest, console: Services, data: JSONBody[SignIn]) -> Response[SessionOut]:
        """After some failures in a row, another try is allowed only after a while (429), which grows."""
        email, address, now_ms = data.email.strip().lower()[:320], address_of(request, console), console.now_ms()
        async with console.database.read() as read:
            await throttle.check(read, email, address, now_ms)
            user = await store.find_by_email(read, email)
            password_hash = "" if user is None else await store.password_hash_of(read, user.id)
        right = await console.passwords.matches(password_hash, data.password)
        async with console.database.tx() as tx:
            if right:
                await throttle.forgive(tx, email)
            else:
                await throttle.fail(tx, email, address, now_ms)
        if user is None or not right or user.disabled_ms is not None:
            raise NotSignedIn("The e-mail address or the password is wrong.", code="bad_credentials")
        return await entered(request, console, user)

    @delete("/session", guards=[SIGNED_IN], status_code=HTTP_204_NO_CONTENT, summary="Sign out")
    async def sign_out(
        self, request: AnyRequest, console: Services, viewer: Who, by: Author, everywhere: FromQuery[bool] = False
    ) -> Response[None]:
        """With `everywhere`, all other sessions of the same person end, too."""
        async with console.database.tx() as tx:
            await store.end_session(tx, by, viewer.session)
            if everywhere and viewer.kind == "user":
                await store.end_sessions(tx, viewer.id)
        return Response(None, status_code=HTTP_204_NO_CONTENT, cookies=[no_cookie(request, console, SESSION_COOKIE)])

    @post("/password", guards=[SIGNED_IN], status_code=HTTP_204_NO_CONTENT, summary="Change one's password")
    async def change_password(self, console: Services, viewer: Who, by: Author, data: JSONBody[PasswordChange]) -> None:
        """All other sessions of the same person end."""
        if viewer.kind != "user":
            raise BadRequest("A token has no password.", code="no_password")
        check_new_password(data.password)
        async with console.database.read() as read:
            await throttle.check(read, viewer.email, by.address, by.now_ms)
            before = await store.password_hash_of(read, viewer.id)
        if before and not await console.passwords.matches(before, data.current):
            async with console.database.tx() as tx:
                await throttle.fail(tx, viewer.email, by.address, by.now_ms)
            raise BadRequest("The current password is wrong.", param="current", code="wrong_password")
        password_hash = await console.passwords.hash(data.password)
        async with console.database.tx() as tx:
            await store.set_password_hash(tx, by, viewer.id, password_hash)
            await store.end_sessions(tx, viewer.id, but=viewer.session)
