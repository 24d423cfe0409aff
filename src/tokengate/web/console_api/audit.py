"""The audit log, of one org and of the whole platform."""

from litestar import Controller, get

from tokengate.accounts.audit import AuditEntry
from tokengate.accounts.audit.store import list_entries
from tokengate.web.console_api.access import OPERATOR, may
from tokengate.web.console_api.given import OrgId, Services
from tokengate.web.console_api.shapes import After, Limit, Page, Search, page_of


class Audit(Controller):
    """`/orgs/{org_id}/audit` and `/admin/audit`."""

    tags = ("audit",)

    @get("/orgs/{org_id:str}/audit", guards=[may("audit.read")], summary="List the changes of an org, newest first")
    async def of_org(
        self,
        console: Services,
        org_id: OrgId,
        action: Search = "",
        target: Search = "",
        limit: Limit = 50,
        after: After = "",
    ) -> Page[AuditEntry]:
        """`action` may be a whole one, such as `key.create`, or a group, such as `key`."""
        async with console.database.read() as read:
            found = await list_entries(read, org_id, action=action, target=target, after=after, limit=limit + 1)
        return page_of(found, limit)

    @get("/admin/audit", guards=[OPERATOR], summary="List the changes of the whole platform, newest first")
    async def of_platform(
        self, console: Services, action: Search = "", target: Search = "", limit: Limit = 50, after: After = ""
    ) -> Page[AuditEntry]:
        """`action` may be a whole one, such as `user.create`, or a group, such as `user`."""
        async with console.database.read() as read:
            found = await list_entries(read, None, action=action, target=target, after=after, limit=limit + 1)
        return page_of(found, limit)
