"""Projects: parts of an org that keys belong to."""

from litestar import Controller, get, patch, post
from litestar.params import JSONBody
from msgspec import Struct

from tokengate.accounts.orgs import Project, store
from tokengate.accounts.users import read_name
from tokengate.web.console_api.access import may
from tokengate.web.console_api.given import Author, Id, OrgId, Services
from tokengate.web.console_api.shapes import After, Limit, Named, Page, page_of


class ProjectChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is changed of a project; what is left out or null stays."""

    name: str | None = None
    stores_responses: bool | None = None


class Projects(Controller):
    """`/orgs/{org_id}/projects`."""

    path = "/orgs/{org_id:str}/projects"
    tags = ("projects",)

    @get(guards=[may("org.read")], summary="List the projects of an org")
    async def list_projects(
        self, console: Services, org_id: OrgId, limit: Limit = 50, after: After = ""
    ) -> Page[Project]:
        """Oldest first: a key that names none is made in the first."""
        async with console.database.read() as read:
            found = await store.list_projects(read, org_id, after=after, limit=limit + 1)
        return page_of(found, limit)

    @post(guards=[may("projects.write")], summary="Create a project")
    async def create_project(self, console: Services, org_id: OrgId, by: Author, data: JSONBody[Named]) -> Project:
        """It has no key yet."""
        async with console.database.tx() as tx:
            return await store.create_project(tx, org_id, by, name=read_name(data.name))

    @patch("/{project_id:str}", guards=[may("projects.write")], summary="Change a project")
    async def change_project(
        self, console: Services, org_id: OrgId, project_id: Id, by: Author, data: JSONBody[ProjectChange]
    ) -> Project:
        """Rename it, or say whether responses of the Responses API are stored for its callers; its id stays."""
        async with console.database.tx() as tx:
            if data.name is not None:
                await store.rename_project(tx, org_id, by, project_id, name=read_name(data.name))
            if data.stores_responses is not None:
                await store.store_responses(tx, org_id, by, project_id, on=data.stores_responses)
            return await store.get_project(tx, org_id, project_id)
