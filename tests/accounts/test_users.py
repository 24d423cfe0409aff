import pytest

from tests.accounts.people import NOW_MS, a_user, by
from tokengate.accounts.audit.store import list_entries
from tokengate.accounts.users import read_email, read_name, store
from tokengate.core.errors import BadRequest, Conflict, NotFound
from tokengate.storage.engine import Database


async def test_somebody_is_found_by_address_and_kept_unique(database: Database):
    user = await a_user(database)

    async with database.tx() as tx:
        with pytest.raises(Conflict, match="account with this"):
            await store.create_user(tx, by(), email=user.email, name="Other")
        assert await store.find_by_email(tx, "ann@a.example") == user  # the transaction is still good
        assert await store.find_by_email(tx, "bob@a.example") is None
        assert await store.password_hash_of(tx, user.id) == "hash" and user.has_password
        with pytest.raises(NotFound):
            await store.get_user(tx, "usr_none")


async def test_a_session_is_its_token_until_it_ends(database: Database):
    user = await a_user(database)
    async with database.tx() as tx:
        token = await store.open_session(tx, by(), user.id, NOW_MS + 10)
        other = await store.open_session(tx, by(), user.id, NOW_MS + 10)

    async with database.tx() as tx:
        found = await store.find_session(tx, token, NOW_MS)
        assert found is not None and found.user.id == user.id and found.expires_ms == NOW_MS + 10
        assert found.user.last_sign_in_ms == NOW_MS
        assert await store.find_session(tx, token, NOW_MS + 10) is None
        assert await store.find_session(tx, "another", NOW_MS) is None
        assert await store.end_sessions(tx, user.id, but=token) == 1
        assert await store.find_session(tx, other, NOW_MS) is None
        await store.end_session(tx, by(), token)
        assert await store.find_session(tx, token, NOW_MS) is None


async def test_who_is_disabled_has_no_session_any_more(database: Database):
    await a_user(database, "root@a.example", operator=True)
    user = await a_user(database)
    async with database.tx() as tx:
        token = await store.open_session(tx, by(), user.id, NOW_MS + 10)
        disabled = await store.set_disabled(tx, by(NOW_MS + 1), user.id, True)
        again = await store.set_disabled(tx, by(NOW_MS + 2), user.id, True)

        assert await store.find_session(tx, token, NOW_MS) is None
        assert disabled.disabled_ms == again.disabled_ms == NOW_MS + 1
        assert (await store.set_disabled(tx, by(), user.id, False)).disabled_ms is None
        assert await store.find_session(tx, token, NOW_MS) is None


async def test_the_last_operator_stays(database: Database):
    first, second = await a_user(database, operator=True), await a_user(database, "bob@a.example", operator=True)
    async with database.tx() as tx:
        await store.set_operator(tx, by(), second.id, False)

    for work in ("operator", "disabled"):
        with pytest.raises(Conflict, match="last one"):
            async with database.tx() as tx:
                if work == "operator":
                    await store.set_operator(tx, by(), first.id, False)
                else:
                    await store.set_disabled(tx, by(), first.id, True)
    async with database.read() as read:
        assert (await store.get_user(read, first.id)).operator


async def test_an_identity_is_one_person_for_ever(database: Database):
    user = await a_user(database)
    async with database.tx() as tx:
        assert await store.find_identity(tx, "company", "1") is None
        await store.add_identity(tx, by(), user.id, "company", "1")
        assert await store.find_identity(tx, "company", "1") == user
        assert await store.find_identity(tx, "other", "1") is None


async def test_people_are_listed_in_pages_and_found(database: Database):
    users = [await a_user(database, f"user{number}@a.example") for number in range(3)]

    async with database.read() as read:
        page = await store.list_users(read, limit=2)
        rest = await store.list_users(read, after=page[-1].id, limit=2)
        assert [user.id for user in page + rest] == [user.id for user in users]
        assert [user.id for user in await store.list_users(read, q="USER1")] == [users[1].id]
        assert await store.list_users(read, q="%") == []
        assert await store.any_user(read)


async def test_what_is_written_down_holds_no_secret(database: Database):
    user = await a_user(database)
    async with database.tx() as tx:
        await store.set_password_hash(tx, by(), user.id, "another hash")
        entries = await list_entries(tx, None, target=user.id)

    assert [entry.action for entry in entries] == ["user.password", "user.create"]
    assert "hash" not in str(entries)


@pytest.mark.parametrize(
    "text", ["", "ann", "ann@", "@a.example", "a b@c.example", "a@b", "a@b.", f"{'x' * 250}@a.example"]
)
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(BadRequest):
        read_email(text)


def test_addresses_are_compared_without_case():
    assert read_email(" Ann@A.Example ") == "ann@a.example"


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "\x00", "x" * 101])
def test_what_is_no_name_is_refused(text: str):
    with pytest.raises(BadRequest):
        read_name(text)
