"""The HTTP API of the portal and the console at `/console/api`: one Litestar application, one file per noun.

To add routes, write a module beside this one with a controller and name it in `_CONTROLLERS` below:

    class Projects(Controller):
        path = "/orgs/{org_id:str}/projects"
        tags = ("projects",)

        @get(guards=[may("org.read")], summary="List the projects of an org")
        async def list_projects(
            self, console: Services, org_id: OrgId, limit: Limit = 50, after: After = ""
        ) -> Page[Project]:
            async with console.database.read() as read:
                found = await store.list_projects(read, org_id, after=after, limit=limit + 1)
            return page_of(found, limit)

- Each route names exactly one access rule in `guards` (see `access.py`): PUBLIC, READER (the portal's documentation:
  public, or for signed-in people, by setting), SIGNED_IN, OPERATOR, or `may(permission)` for what begins with
  `/orgs/{org_id:str}`, which makes another org a 404. Without one the application is not built. Permissions are the
  table in `accounts/roles.py`.
- `console: Services` has the services (`web/console.py`; add yours there and pass it in `app.py`). `viewer: Who` is
  who asks, `by: Author` the same person as the author of a change, for functions that write the audit log.
- Requests and replies are msgspec structs; money is a decimal string in a field `*_yuan`, times are `*_ms`. Lists are
  `Page`s. What is looked up in an org takes its `org_id` first: never look anything up by its own id alone.
- Refuse by raising from `core/errors.py`; give errors of forms a `code` of their own, and `words.py` its Chinese
  sentence.
- Every route has a `summary`, a sentence in the imperative, and `tags`.
- Add the route to the table in `tests/web/console_api/test_roles.py`, which tries every role on every route.

Unsafe methods need the header `X-CSRF-Token` with the token of `GET /session`, unless the caller is a script with
`Authorization: Bearer tgadm-...`. The application is built at the first request, never before the gateway listens.
"""

from collections.abc import Sequence

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.types import ControllerRouterHandler

from tokengate.web.console import Console
from tokengate.web.console_api.access import require_access_rules
from tokengate.web.console_api.admin import Admin
from tokengate.web.console_api.alerts import Alerts
from tokengate.web.console_api.apps import Apps
from tokengate.web.console_api.audit import Audit
from tokengate.web.console_api.authenticate import Authenticate, ReadRequest, by_of, viewer_of
from tokengate.web.console_api.calls import Calls
from tokengate.web.console_api.codes import CodeBatches
from tokengate.web.console_api.errors import EXCEPTION_HANDLERS
from tokengate.web.console_api.invitations import Invitations
from tokengate.web.console_api.jobs import Jobs
from tokengate.web.console_api.keys import Keys
from tokengate.web.console_api.members import Members
from tokengate.web.console_api.oidc import Oidc
from tokengate.web.console_api.openapi import openapi_config
from tokengate.web.console_api.orgs import Orgs
from tokengate.web.console_api.portal import Portal
from tokengate.web.console_api.projects import Projects
from tokengate.web.console_api.session import Session
from tokengate.web.console_api.sign_up import SignUp
from tokengate.web.console_api.upstreams import Upstreams
from tokengate.web.console_api.usage import Usage
from tokengate.web.console_api.wallets import AdminWallets, Wallets

PREFIX = "/console/api"

_CONTROLLERS: Sequence[ControllerRouterHandler] = (
    Admin,
    AdminWallets,
    Alerts,
    Apps,
    Audit,
    Calls,
    CodeBatches,
    Invitations,
    Jobs,
    Keys,
    Members,
    Oidc,
    Orgs,
    Portal,
    Projects,
    Session,
    SignUp,
    Upstreams,
    Usage,
    Wallets,
)


def build_app(console: Console) -> Litestar:
    """Build the application. Asserts that every route says who may use it."""
    app = Litestar(
        path=PREFIX,
        route_handlers=_CONTROLLERS,
        dependencies={
            "console": Provide(lambda: console, sync_to_thread=False, use_cache=True),
            "viewer": Provide(viewer_of, sync_to_thread=False),
            "by": Provide(by_of, sync_to_thread=False),
        },
        request_class=ReadRequest,
        state=State({"console": console}),
        middleware=[DefineMiddleware(Authenticate, console=console)],
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=openapi_config(),
        logging_config=None,
        request_max_body_size=None,  # the server bounds it
    )
    require_access_rules(app)
    return app
