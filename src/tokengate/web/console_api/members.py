"""Members of an org and their roles. Only owners make, change or remove owners."""

from litestar import Controller, delete, get, patch
from litestar.params import JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT
from msgspec import Struct

from tokengate.accounts.orgs import Member, store
from tokengate.accounts.roles import Role
from tokengate.core.errors import Forbidden
from tokengate.web.console_api.access import Viewer, may
from tokengate.web.console_api.given import Author, Id, OrgId, Services, Who
from tokengate.web.console_api.shapes import Page


class RoleChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Another role."""

    role: Role


class Members(Controller):
    """`/orgs/{org_id}/members`."""

    path = "/orgs/{org_id:str}/members"
    tags = ("members",)

    @get(guards=[may("members.read")], summary="List the members of an org")
    async def list_members(self, console: Services, org_id: OrgId) -> Page[Member]:
        """All of them, those who have been there longest first."""
        async with console.database.read() as read:
            return Page(await store.list_members(read, org_id), None)

    @get("/{user_id:str}", guards=[may("members.read")], summary="Show a member")
    async def show_member(self, console: Services, org_id: OrgId, user_id: Id) -> Member:
        """Somebody who is no member of this org is a 404."""
        async with console.database.read() as read:
            return await store.get_member(read, org_id, user_id)

    @patch("/{user_id:str}", guards=[may("members.write")], summary="Give a member another role")
    async def change_role(
        self, console: Services, org_id: OrgId, user_id: Id, viewer: Who, by: Author, data: JSONBody[RoleChange]
    ) -> Member:
        """An org keeps an owner: the last one stays one (409)."""
        async with console.database.tx() as tx:
            before = await store.get_member(tx, org_id, user_id)
            require_owner_for(viewer, org_id, before.role, data.role)
            return await store.set_role(tx, org_id, by, user_id, data.role)

    @delete(
        "/{user_id:str}",
        guards=[may("members.write")],
        status_code=HTTP_204_NO_CONTENT,
        summary="Remove a member",
    )
    async def remove_member(self, console: Services, org_id: OrgId, user_id: Id, viewer: Who, by: Author) -> None:
        """Keys that they made stay."""
        async with console.database.tx() as tx:
            before = await store.get_member(tx, org_id, user_id)
            require_owner_for(viewer, org_id, before.role)
            await store.remove_member(tx, org_id, by, user_id)


def require_owner_for(viewer: Viewer, org_id: str, *roles: Role) -> None:
    """Raise Forbidden when an owner's role is at stake and the viewer is none."""
    if "owner" in roles and viewer.role_in(org_id) != "owner" and not viewer.operator:
        raise Forbidden("Only an owner may make, change or remove an owner.", code="owners_only")
