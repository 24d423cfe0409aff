"""What a handler may ask for by naming it: `console: Services`, `viewer: Who`, `by: Author`, `org_id: OrgId`."""

from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from tokengate.accounts.audit import By
from tokengate.web.console import Console
from tokengate.web.console_api.access import Viewer

Services = NamedDependency[SkipValidation[Console]]
Who = NamedDependency[Viewer]
Author = NamedDependency[By]

OrgId = FromPath[str]
Id = FromPath[str]
