"""Signing up: in the open, where the platform allows that, or with an invitation."""

from litestar import Controller, Response, post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_201_CREATED
from msgspec import Struct

from tokengate.accounts.audit import By
from tokengate.accounts.orgs.store import find_invitation
from tokengate.accounts.passwords import check_new_password
from tokengate.accounts.throttle import store as throttle
from tokengate.accounts.users import User, read_email, read_name
from tokengate.accounts.users.store import create_user, find_by_email
from tokengate.billing.orgs import open_org
from tokengate.core.errors import Conflict, Forbidden
from tokengate.storage.engine import Tx
from tokengate.web.console import Console
from tokengate.web.console_api.access import PUBLIC
from tokengate.web.console_api.authenticate import AnyRequest, by_visitor
from tokengate.web.console_api.entering import SessionOut, entered, join
from tokengate.web.console_api.given import Services


class SignUpForm(Struct, frozen=True, forbid_unknown_fields=True):
    """A new account. `org_name` is empty for an org called as its owner; `invitation` is the token of a link."""

    email: str
    password: str
    name: str
    org_name: str = ""
    invitation: str = ""


class SignUp(Controller):
    """`/sign-up`."""

    tags = ("session",)

    @post("/sign-up", guards=[PUBLIC], status_code=HTTP_201_CREATED, summary="Make an account and sign in")
    async def sign_up(self, request: AnyRequest, console: Services, data: JSONBody[SignUpForm]) -> Response[SessionOut]:
        """Without an invitation this makes an org with a project and an empty wallet, and its owner."""
        email, name = read_email(data.email), read_name(data.name)
        org_name = read_name(data.org_name, param="org_name") if data.org_name else name
        check_new_password(data.password)
        by = by_visitor(request, console, email)
        if not data.invitation:
            _require_open(console)
        async with console.database.read() as read:
            await throttle.check(read, email, by.address, by.now_ms)
            if data.invitation:
                await find_invitation(read, data.invitation, by.now_ms)
            if await find_by_email(read, email) is not None:
                raise Conflict("There is an account with this e-mail address.", code="email_taken", param="email")
        password_hash = await console.passwords.hash(data.password)
        async with console.database.tx() as tx:
            user = await create_user(tx, by, email=email, name=name, password_hash=password_hash)
            user = await _settle(tx, by, user, org_name, data.invitation)
        answer = await entered(request, console, user)
        answer.status_code = HTTP_201_CREATED
        return answer


def _require_open(console: Console) -> None:
    match console.portal.now.sign_up:
        case "open":
            return
        case "invitation":
            raise Forbidden("Signing up needs an invitation.", code="invitation_needed")
        case "closed":
            raise Forbidden("Nobody can sign up here now.", code="sign_up_closed")


async def _settle(tx: Tx, by: By, user: User, org_name: str, invitation: str) -> User:
    """Give a new person a place: the org they are invited into, or one of their own."""
    if not invitation:
        await open_org(tx, by, name=org_name, owner_id=user.id)
        return user
    found = await find_invitation(tx, invitation, by.now_ms)
    return await join(tx, by, found, user.id, user.email)
