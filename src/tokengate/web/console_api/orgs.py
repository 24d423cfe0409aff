"""Orgs: those that one is a member of; an operator sees all of them."""

from litestar import Controller, get, patch, post
from litestar.params import JSONBody

from tokengate.accounts.orgs import Org, store
from tokengate.accounts.users import read_name
from tokengate.billing.orgs import open_org
from tokengate.web.console_api.access import OPERATOR, SIGNED_IN, may
from tokengate.web.console_api.given import Author, OrgId, Services, Who
from tokengate.web.console_api.shapes import After, Limit, Named, Page, Search, page_of


class Orgs(Controller):
    """`/orgs`."""

    path = "/orgs"
    tags = ("orgs",)

    @get(guards=[SIGNED_IN], summary="List one's orgs")
    async def list_orgs(
        self, console: Services, viewer: Who, q: Search = "", limit: Limit = 50, after: After = ""
    ) -> Page[Org]:
        """An operator sees every org of the platform."""
        only = None if viewer.operator else list(viewer.roles)
        async with console.database.read() as read:
            return page_of(await store.list_orgs(read, only=only, q=q, after=after, limit=limit + 1), limit)

    @post(guards=[OPERATOR], summary="Create an org")
    async def create_org(self, console: Services, by: Author, data: JSONBody[Named]) -> Org:
        """It has a project and an empty wallet, and no member: invite its first owner."""
        async with console.database.tx() as tx:
            return await open_org(tx, by, name=read_name(data.name))

    @get("/{org_id:str}", guards=[may("org.read")], summary="Show an org")
    async def show(self, console: Services, org_id: OrgId) -> Org:
        """Another's org is a 404."""
        async with console.database.read() as read:
            return await store.get_org(read, org_id)

    @patch("/{org_id:str}", guards=[may("org.write")], summary="Rename an org")
    async def rename(self, console: Services, org_id: OrgId, by: Author, data: JSONBody[Named]) -> Org:
        """Its id stays."""
        async with console.database.tx() as tx:
            return await store.rename_org(tx, org_id, by, name=read_name(data.name))
