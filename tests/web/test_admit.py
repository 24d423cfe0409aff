import asyncio

import pytest

from tests.support import FakeClock
from tests.web.requests import request_of
from tokengate.accounts.keyring import KeyRing
from tokengate.billing.keys import create_key
from tokengate.core.errors import BadKey, BadRequest, Unavailable, UnsupportedMediaType
from tokengate.storage.engine import Database
from tokengate.web.admit import Admit, options, within


class NoKeys(KeyRing):
    """Never asked."""

    def __init__(self) -> None:
        pass


def admit_of(keyring: KeyRing | None = None) -> Admit:
    return Admit(keyring or NoKeys(), max_body_mb=1, body_timeout_s=30.0)


async def test_the_key_of_a_bearer_header_is_found_however_it_is_written(sqlite_database: Database, clock: FakeClock):
    made = await create_key(sqlite_database, clock, name="alice")
    keyring = KeyRing(sqlite_database, clock)
    await keyring.load()
    admit = admit_of(keyring)

    for value in (f"Bearer {made.key}", f"bearer {made.key}", f"BEARER   {made.key} "):
        assert admit.principal(request_of(headers={"authorization": value})[0]).key_id == made.id
    for value in (made.key, f"Basic {made.key}", f"Bearer {made.key}x", f"Bearer{made.key}", ""):
        with pytest.raises(BadKey):
            admit.principal(request_of(headers={"authorization": value})[0])


def test_a_gateway_that_stops_admits_nobody():
    admit = admit_of()
    admit.stopping = True

    with pytest.raises(Unavailable) as refused:
        admit.principal(request_of()[0])

    assert refused.value.retry_after_s == 2


async def test_a_body_that_is_here_is_read_at_once():
    assert await admit_of().json_body(request_of("POST", body=b"{}")[0]) == b"{}"


async def test_an_empty_body_is_refused_in_words():
    with pytest.raises(BadRequest, match="empty"):
        await admit_of().json_body(request_of("POST")[0])


@pytest.mark.parametrize("kind", ["text/plain", "application/jsonp", "application/json5", "", " "])
async def test_what_is_not_declared_as_json_is_not_read(kind: str):
    with pytest.raises(UnsupportedMediaType):
        await admit_of().json_body(request_of("POST", headers={"content-type": kind}, body=b"{}")[0])


def test_what_the_headers_ask_for_is_read():
    request, _ = request_of(
        headers={"idempotency-key": "k", "x-client-request-id": "mine", "x-tokengate-cost": "stream"}
    )

    asked = options(request, usage_always=True)

    assert (asked.idempotency_key, asked.client_request_id) == ("k", "mine")
    assert asked.cost_comment and asked.usage_always


def test_a_request_id_of_the_caller_s_own_may_come_by_either_name_and_is_bounded():
    assert options(request_of(headers={"x-request-id": "x" * 1_000})[0]).client_request_id == "x" * 200
    assert options(request_of()[0]).client_request_id is None


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_idempotency_key_has_a_sane_length(key: str):
    with pytest.raises(BadRequest) as refused:
        options(request_of(headers={"idempotency-key": key})[0])

    assert refused.value.param == "Idempotency-Key"


async def test_within_returns_what_was_awaited_and_its_errors():
    async def fail() -> None:
        raise ValueError("as it is")

    assert await within(5, asyncio.sleep(0, "done")) == "done"
    with pytest.raises(ValueError, match="as it is"):
        await within(5, fail())


async def test_within_ends_what_is_late_and_leaves_the_task_usable():
    with pytest.raises(TimeoutError):
        await within(0.01, asyncio.sleep(60))

    task = asyncio.current_task()
    assert task is not None and task.cancelling() == 0
    await asyncio.sleep(0)


async def test_within_lets_a_cancellation_from_outside_pass():
    waiting = asyncio.ensure_future(within(60, asyncio.sleep(60)))
    await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
