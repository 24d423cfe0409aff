"""Orgs, members, invitations and projects in the database. An org always keeps an owner."""

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.accounts.audit import By
from tokengate.accounts.audit.store import record
from tokengate.accounts.orgs import INVITATION_DAYS, Invitation, Member, Membership, NewInvitation, Org, Project
from tokengate.accounts.roles import Role
from tokengate.accounts.tokens import digest_of_token, new_token
from tokengate.core.errors import Conflict, NotFound
from tokengate.storage.changes import bump
from tokengate.storage.tables import invitations, members, orgs, projects, users

MAX_PAGE = 200
MAX_MEMBERS = 1_000

_DAY_MS = 86_400_000
_ORG = (orgs.c.id, orgs.c.name, orgs.c.created_ms)
_MEMBER = (members.c.user_id, users.c.email, users.c.name, members.c.role, members.c.created_ms)
_PROJECT = (projects.c.id, projects.c.name, projects.c.created_ms, projects.c.stores_responses)
_INVITATION = (
    invitations.c.id,
    invitations.c.org_id,
    orgs.c.name,
    invitations.c.email,
    invitations.c.role,
    invitations.c.operator,
    invitations.c.invited_by,
    invitations.c.created_ms,
    invitations.c.expires_ms,
)


async def create_org(tx: AsyncConnection, by: By, *, name: str) -> Org:
    """Create an org without anything in it."""
    org = Org(by.make_id("org"), name, by.now_ms)
    await tx.execute(insert(orgs).values(id=org.id, name=name, created_ms=by.now_ms))
    await record(tx, org.id, by, "org.create", org.id, after=org)
    return org


async def get_org(read: AsyncConnection, org_id: str) -> Org:
    """Return one org. Raises NotFound."""
    row = (await read.execute(select(*_ORG).where(orgs.c.id == org_id))).first()
    if row is None:
        raise no_such_org(org_id)
    return Org(*row)


async def list_orgs(
    read: AsyncConnection, *, only: list[str] | None = None, q: str = "", after: str = "", limit: int = 50
) -> list[Org]:
    """Return the platform's orgs, oldest first, or of them `only` some ids; `q` is a part of the name."""
    assert 1 <= limit <= MAX_PAGE + 1
    query = select(*_ORG).where(orgs.c.id > after)
    if only is not None:
        query = query.where(orgs.c.id.in_(only))
    if q:
        query = query.where(func.lower(orgs.c.name).contains(q.lower(), autoescape=True))
    return [Org(*row) for row in await read.execute(query.order_by(orgs.c.id).limit(limit))]


async def rename_org(tx: AsyncConnection, org_id: str, by: By, *, name: str) -> Org:
    """Give an org another name. Raises NotFound."""
    before = await get_org(tx, org_id)
    await tx.execute(update(orgs).where(orgs.c.id == org_id).values(name=name))
    after = await get_org(tx, org_id)
    await record(tx, org_id, by, "org.rename", org_id, before=before, after=after)
    return after


async def memberships_of(read: AsyncConnection, user_id: str) -> list[Membership]:
    """Return the orgs in which somebody has a role, oldest first."""
    query = (
        select(members.c.org_id, orgs.c.name, members.c.role)
        .join(orgs, orgs.c.id == members.c.org_id)
        .where(members.c.user_id == user_id)
        .order_by(members.c.org_id)
        .limit(MAX_MEMBERS)
    )
    return [Membership(*row) for row in await read.execute(query)]


async def list_members(read: AsyncConnection, org_id: str) -> list[Member]:
    """Return who has a role in the org, those who have it longest first."""
    query = select(*_MEMBER).join(users, users.c.id == members.c.user_id).where(members.c.org_id == org_id)
    rows = await read.execute(query.order_by(members.c.created_ms, members.c.user_id).limit(MAX_MEMBERS))
    return [Member(*row) for row in rows]


async def get_member(read: AsyncConnection, org_id: str, user_id: str) -> Member:
    """Return one member. Raises NotFound."""
    query = select(*_MEMBER).join(users, users.c.id == members.c.user_id)
    row = (await read.execute(query.where(members.c.org_id == org_id, members.c.user_id == user_id))).first()
    if row is None:
        raise NotFound(f"There is no member '{user_id}'.")
    return Member(*row)


async def add_member(tx: AsyncConnection, org_id: str, by: By, user_id: str, role: Role) -> Member:
    """Give somebody a role in the org. Raises Conflict when they have one."""
    try:
        async with tx.begin_nested():
            await tx.execute(insert(members).values(org_id=org_id, user_id=user_id, role=role, created_ms=by.now_ms))
    except IntegrityError:
        raise Conflict("This person is a member already.", code="member_already") from None
    member = await get_member(tx, org_id, user_id)
    await record(tx, org_id, by, "member.add", user_id, after=member)
    return member


async def set_role(tx: AsyncConnection, org_id: str, by: By, user_id: str, role: Role) -> Member:
    """Give a member another role. Raises NotFound; Conflict for the last owner."""
    before = await get_member(tx, org_id, user_id)
    mine = (members.c.org_id == org_id) & (members.c.user_id == user_id)
    await tx.execute(update(members).where(mine).values(role=role))
    await _require_owner(tx, org_id)
    after = await get_member(tx, org_id, user_id)
    await record(tx, org_id, by, "member.role", user_id, before=before, after=after)
    return after


async def remove_member(tx: AsyncConnection, org_id: str, by: By, user_id: str) -> None:
    """Take somebody's role away. Raises NotFound; Conflict for the last owner."""
    before = await get_member(tx, org_id, user_id)
    await tx.execute(delete(members).where(members.c.org_id == org_id, members.c.user_id == user_id))
    await _require_owner(tx, org_id)
    await record(tx, org_id, by, "member.remove", user_id, before=before)


async def invite(
    tx: AsyncConnection, org_id: str, by: By, *, email: str, role: Role, operator: bool = False
) -> NewInvitation:
    """Invite somebody into the org; the token is shown once. An earlier invitation of the same address ends."""
    if email:
        await tx.execute(delete(invitations).where(invitations.c.org_id == org_id, invitations.c.email == email))
    token = new_token()
    invitation_id = by.make_id("inv")
    await tx.execute(
        insert(invitations).values(
            id=invitation_id,
            org_id=org_id,
            email=email,
            role=role,
            operator=operator,
            digest=digest_of_token(token),
            invited_by=by.id,
            created_ms=by.now_ms,
            expires_ms=by.now_ms + INVITATION_DAYS * _DAY_MS,
        )
    )
    row = (await tx.execute(_invitations().where(invitations.c.id == invitation_id))).one()
    made = Invitation(*row)
    await record(tx, org_id, by, "invitation.create", invitation_id, after=made)
    return NewInvitation(made, token)


async def list_invitations(read: AsyncConnection, org_id: str, now_ms: int) -> list[Invitation]:
    """Return the open invitations, the oldest first."""
    query = _invitations().where(invitations.c.org_id == org_id, invitations.c.expires_ms > now_ms)
    return [Invitation(*row) for row in await read.execute(query.order_by(invitations.c.id).limit(MAX_MEMBERS))]


async def withdraw_invitation(tx: AsyncConnection, org_id: str, by: By, invitation_id: str) -> None:
    """End an open invitation. Raises NotFound."""
    mine = (invitations.c.org_id == org_id) & (invitations.c.id == invitation_id)
    row = (await tx.execute(_invitations().where(mine))).first()
    if row is None:
        raise NotFound(f"There is no invitation '{invitation_id}'.")
    await tx.execute(delete(invitations).where(mine))
    await record(tx, org_id, by, "invitation.withdraw", invitation_id, before=Invitation(*row))


async def withdraw_set_up(tx: AsyncConnection) -> None:
    """End every invitation to become the first operator: a new one is about to be printed."""
    await tx.execute(delete(invitations).where(invitations.c.operator, invitations.c.email == ""))


async def find_invitation(read: AsyncConnection, token: str, now_ms: int) -> Invitation:
    """Return the open invitation with this token. Raises NotFound."""
    query = _invitations().where(invitations.c.digest == digest_of_token(token), invitations.c.expires_ms > now_ms)
    row = (await read.execute(query)).first()
    if row is None:
        raise NotFound("This invitation does not exist, or was accepted, withdrawn or has expired.", param="token")
    return Invitation(*row)


async def use_invitation(tx: AsyncConnection, by: By, invitation: Invitation) -> None:
    """End an invitation because it is being accepted. Raises NotFound when somebody else just did."""
    used = await tx.execute(delete(invitations).where(invitations.c.id == invitation.id))
    if not used.rowcount:
        raise NotFound("This invitation was accepted just now.", param="token")
    await record(tx, invitation.org_id, by, "invitation.accept", invitation.id, before=invitation)


async def create_project(tx: AsyncConnection, org_id: str, by: By, *, name: str) -> Project:
    """Create a project."""
    project = Project(by.make_id("proj"), name, by.now_ms)
    await tx.execute(insert(projects).values(id=project.id, org_id=org_id, name=name, created_ms=by.now_ms))
    await record(tx, org_id, by, "project.create", project.id, after=project)
    return project


async def get_project(read: AsyncConnection, org_id: str, project_id: str) -> Project:
    """Return one project. Raises NotFound."""
    query = select(*_PROJECT).where(projects.c.org_id == org_id, projects.c.id == project_id)
    row = (await read.execute(query)).first()
    if row is None:
        raise NotFound(f"There is no project '{project_id}'.")
    return Project(*row)


async def list_projects(read: AsyncConnection, org_id: str, *, after: str = "", limit: int = 50) -> list[Project]:
    """Return the org's projects, oldest first."""
    assert 1 <= limit <= MAX_PAGE + 1
    query = select(*_PROJECT).where(projects.c.org_id == org_id, projects.c.id > after)
    return [Project(*row) for row in await read.execute(query.order_by(projects.c.id).limit(limit))]


async def rename_project(tx: AsyncConnection, org_id: str, by: By, project_id: str, *, name: str) -> Project:
    """Give a project another name. Raises NotFound."""
    before = await get_project(tx, org_id, project_id)
    await tx.execute(update(projects).where(projects.c.org_id == org_id, projects.c.id == project_id).values(name=name))
    after = await get_project(tx, org_id, project_id)
    await record(tx, org_id, by, "project.rename", project_id, before=before, after=after)
    return after


async def store_responses(tx: AsyncConnection, org_id: str, by: By, project_id: str, *, on: bool) -> Project:
    """Let a project's callers have their responses stored, or keep none from now on. Raises NotFound."""
    before = await get_project(tx, org_id, project_id)
    mine = (projects.c.org_id == org_id) & (projects.c.id == project_id)
    await tx.execute(update(projects).where(mine).values(stores_responses=on))
    after = await get_project(tx, org_id, project_id)
    await bump(tx, "keys")
    await record(tx, org_id, by, "project.store_responses", project_id, before=before, after=after)
    return after


def no_such_org(org_id: str) -> NotFound:
    """Return the refusal that an org which somebody may not see shares with one that does not exist."""
    return NotFound(f"There is no org '{org_id[:64]}'.", param="org_id")


def _invitations():  # SQLAlchemy's own type says all columns
    return select(*_INVITATION).join(orgs, orgs.c.id == invitations.c.org_id)


async def _require_owner(tx: AsyncConnection, org_id: str) -> None:
    """Locks the org first: two owners who leave at once must not both find the other one."""
    await tx.execute(select(orgs.c.id).where(orgs.c.id == org_id).with_for_update())
    left = await tx.execute(
        select(members.c.user_id).where(members.c.org_id == org_id, members.c.role == "owner").limit(1)
    )
    if left.first() is None:
        raise Conflict("An org needs an owner: this is the last one.", code="last_owner")
