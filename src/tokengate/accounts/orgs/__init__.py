"""Orgs: their members, invitations and projects, as values."""

from msgspec import Struct

from tokengate.accounts.roles import ROLES, Role
from tokengate.core.errors import BadRequest

INVITATION_DAYS = 7


class Org(Struct, frozen=True):
    """A tenant: everything else belongs to one."""

    id: str
    name: str
    created_ms: int


class Membership(Struct, frozen=True):
    """An org in which somebody has a role."""

    org_id: str
    org_name: str
    role: Role


class Member(Struct, frozen=True):
    """Somebody who has a role in an org."""

    user_id: str
    email: str
    name: str
    role: Role
    created_ms: int


class Project(Struct, frozen=True):
    """A part of an org that keys belong to."""

    id: str
    name: str
    created_ms: int
    stores_responses: bool = True  # those whose callers let us; see conversations/


class Invitation(Struct, frozen=True):
    """An open invitation. Without `email`, whoever has the link may accept it."""

    id: str
    org_id: str
    org_name: str
    email: str
    role: Role
    operator: bool
    invited_by: str
    created_ms: int
    expires_ms: int


class NewInvitation(Struct, frozen=True):
    """An invitation just made: `token` is for the invited person's eyes and not stored."""

    invitation: Invitation
    token: str


def read_role(text: str) -> Role:
    """Return a role. Raises BadRequest when there is no such role."""
    if text not in ROLES:
        raise BadRequest(f"A role is one of {', '.join(ROLES)}.", param="role", code="bad_role")
    return text
