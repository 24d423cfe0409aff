import asyncio

import pytest

from tests.accounts.people import NOW_MS, a_user, an_org, by
from tokengate.accounts.orgs import INVITATION_DAYS, store
from tokengate.accounts.users.store import get_user
from tokengate.core.errors import Conflict, NotFound
from tokengate.storage.engine import Database

DAY_MS = 86_400_000


async def test_roles_are_given_changed_and_taken_away(database: Database):
    org, user, other = await an_org(database), await a_user(database), await a_user(database, "bob@a.example")
    async with database.tx() as tx:
        await store.add_member(tx, org.id, by(), user.id, "owner")
        await store.add_member(tx, org.id, by(), other.id, "viewer")
        with pytest.raises(Conflict, match="already"):
            await store.add_member(tx, org.id, by(), other.id, "admin")

        assert (await store.set_role(tx, org.id, by(), other.id, "admin")).role == "admin"
        assert [one.role for one in await store.memberships_of(tx, other.id)] == ["admin"]
        assert [member.role for member in await store.list_members(tx, org.id)] == ["owner", "admin"]
        await store.remove_member(tx, org.id, by(), other.id)
        with pytest.raises(NotFound):
            await store.get_member(tx, org.id, other.id)


async def test_two_owners_who_leave_at_once_leave_one(database: Database):
    org = await an_org(database)
    users = [await a_user(database, f"{name}@a.example") for name in ("ann", "bob")]
    async with database.tx() as tx:
        for user in users:
            await store.add_member(tx, org.id, by(), user.id, "owner")

    async def leave(user_id: str) -> bool:
        try:
            async with database.tx() as tx:
                await store.remove_member(tx, org.id, by(), user_id)
        except Conflict:
            return False
        return True

    left = await asyncio.gather(*(leave(user.id) for user in users))

    assert sorted(left) == [False, True]
    async with database.read() as read:
        assert len(await store.list_members(read, org.id)) == 1


async def test_an_invitation_holds_for_a_week_and_is_used_once(database: Database):
    org = await an_org(database)
    async with database.tx() as tx:
        made = await store.invite(tx, org.id, by(), email="ann@a.example", role="viewer")
        again = await store.invite(tx, org.id, by(), email="ann@a.example", role="billing")
        with pytest.raises(NotFound):
            await store.find_invitation(tx, made.token, NOW_MS)  # the newer one counts

        assert await store.find_invitation(tx, again.token, NOW_MS) == again.invitation
        assert await store.list_invitations(tx, org.id, NOW_MS) == [again.invitation]
        with pytest.raises(NotFound):
            await store.find_invitation(tx, again.token, NOW_MS + INVITATION_DAYS * DAY_MS)
        await store.use_invitation(tx, by(), again.invitation)
        with pytest.raises(NotFound):
            await store.use_invitation(tx, by(), again.invitation)


async def test_a_new_set_up_link_ends_the_one_before(database: Database):
    org = await an_org(database)
    async with database.tx() as tx:
        first = await store.invite(tx, org.id, by(), email="", role="owner", operator=True)
        other = await store.invite(tx, org.id, by(), email="", role="viewer")
        await store.withdraw_set_up(tx)

        with pytest.raises(NotFound):
            await store.find_invitation(tx, first.token, NOW_MS)
        assert await store.find_invitation(tx, other.token, NOW_MS)


async def test_what_belongs_to_another_org_is_not_there(database: Database):
    ours, theirs = await an_org(database), await an_org(database, "theirs")
    user = await a_user(database)
    async with database.tx() as tx:
        project = await store.create_project(tx, ours.id, by(), name="p")
        await store.add_member(tx, ours.id, by(), user.id, "owner")
        invitation = (await store.invite(tx, ours.id, by(), email="", role="viewer")).invitation

        for refused in (
            store.get_project(tx, theirs.id, project.id),
            store.rename_project(tx, theirs.id, by(), project.id, name="x"),
            store.get_member(tx, theirs.id, user.id),
            store.set_role(tx, theirs.id, by(), user.id, "viewer"),
            store.remove_member(tx, theirs.id, by(), user.id),
            store.withdraw_invitation(tx, theirs.id, by(), invitation.id),
        ):
            with pytest.raises(NotFound):
                await refused
        assert await store.list_projects(tx, theirs.id) == await store.list_invitations(tx, theirs.id, NOW_MS) == []
        assert (await store.get_project(tx, ours.id, project.id)).name == "p"
        assert await get_user(tx, user.id)
