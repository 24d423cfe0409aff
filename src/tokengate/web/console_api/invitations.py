"""Invitations into an org: made by members, seen and accepted by whoever has the link."""

from litestar import Controller, Response, delete, get, post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from msgspec import Struct

from tokengate.accounts.orgs import Invitation, store
from tokengate.accounts.roles import Role
from tokengate.accounts.users import read_email
from tokengate.core.errors import BadRequest
from tokengate.web.console_api.access import PUBLIC, SIGNED_IN, may
from tokengate.web.console_api.authenticate import AnyRequest, base_url_of
from tokengate.web.console_api.entering import SessionOut, join, session_out
from tokengate.web.console_api.given import Author, Id, OrgId, Services, Who
from tokengate.web.console_api.members import require_owner_for
from tokengate.web.console_api.shapes import Page


class Invite(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to invite; without an address, whoever has the link may accept."""

    role: Role
    email: str = ""


class InvitationOut(Struct, frozen=True):
    """An invitation just made; the token and the link are shown this once."""

    invitation: Invitation
    token: str
    url: str


class Invited(Struct, frozen=True):
    """What somebody with the link may know."""

    org_name: str
    email: str
    role: Role
    operator: bool
    expires_ms: int


class Invitations(Controller):
    """`/orgs/{org_id}/invitations` and `/invitations/{token}`."""

    tags = ("members",)

    @get("/orgs/{org_id:str}/invitations", guards=[may("members.write")], summary="List the open invitations")
    async def list_invitations(self, console: Services, org_id: OrgId) -> Page[Invitation]:
        """Those that were neither accepted nor withdrawn, and have not expired."""
        async with console.database.read() as read:
            return Page(await store.list_invitations(read, org_id, console.now_ms()), None)

    @post("/orgs/{org_id:str}/invitations", guards=[may("members.write")], summary="Invite somebody into the org")
    async def invite(
        self,
        request: AnyRequest,
        console: Services,
        org_id: OrgId,
        viewer: Who,
        by: Author,
        data: JSONBody[Invite],
    ) -> InvitationOut:
        """Give the link to the person: it is not sent. It holds for seven days."""
        require_owner_for(viewer, org_id, data.role)
        email = read_email(data.email) if data.email else ""
        async with console.database.tx() as tx:
            made = await store.invite(tx, org_id, by, email=email, role=data.role)
        url = f"{base_url_of(request, console)}/invitations/{made.token}"
        return InvitationOut(made.invitation, made.token, url)

    @delete(
        "/orgs/{org_id:str}/invitations/{invitation_id:str}",
        guards=[may("members.write")],
        status_code=HTTP_204_NO_CONTENT,
        summary="Withdraw an invitation",
    )
    async def withdraw(self, console: Services, org_id: OrgId, invitation_id: Id, by: Author) -> None:
        """Its link leads nowhere from now on."""
        async with console.database.tx() as tx:
            await store.withdraw_invitation(tx, org_id, by, invitation_id)

    @get("/invitations/{token:str}", guards=[PUBLIC], summary="Show what a link invites to")
    async def show(self, console: Services, token: Id) -> Invited:
        """An invitation that is over is a 404. Sign up with its token, or sign in and accept it."""
        async with console.database.read() as read:
            found = await store.find_invitation(read, token, console.now_ms())
        return Invited(found.org_name, found.email, found.role, found.operator, found.expires_ms)

    @post(
        "/invitations/{token:str}/accept",
        guards=[SIGNED_IN],
        status_code=HTTP_200_OK,
        summary="Accept an invitation with the account that is signed in",
    )
    async def accept(
        self, request: AnyRequest, console: Services, token: Id, viewer: Who, by: Author
    ) -> Response[SessionOut]:
        """One made for another e-mail address is refused (403)."""
        if viewer.kind != "user":
            raise BadRequest("Only a person can accept an invitation.", code="invalid_request")
        async with console.database.tx() as tx:
            found = await store.find_invitation(tx, token, by.now_ms)
            await join(tx, by, found, viewer.id, viewer.email)
        return Response(
            await session_out(request, console, viewer, viewer.session), headers={"cache-control": "no-store"}
        )
