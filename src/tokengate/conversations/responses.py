"""Stored responses: each keeps its own part of a conversation, and the conversation is the chain of them. One in the
background is found here, too, before it has ended; it cannot be continued then.

A response is kept by a row in the commit that makes its bill durable. It is message content, so it is sealed; one that
does not open (the master key was changed) counts as gone. A response of another org or project is as if it were not
there.
"""

from collections.abc import Iterator

import msgspec
import structlog
from msgspec import Raw, Struct

from tokengate.conversations import store
from tokengate.conversations.background import Backgrounds
from tokengate.conversations.background.store import delete_events
from tokengate.conversations.store import StoredRow
from tokengate.core.clock import Clock
from tokengate.core.errors import BadRequest, NotFound
from tokengate.core.sealing import Sealer, Unsealable
from tokengate.storage.engine import Database
from tokengate.storage.tables import stored_responses
from tokengate.storage.writer import Insert

KEPT_DAYS = 30

MAX_CHAIN = 1_000  # responses in one conversation; each round of a tool loop is one
MAX_HISTORY_BYTES = 64 * 1024 * 1024  # of a whole conversation, sealed

_KEPT_MS = KEPT_DAYS * 86_400_000
_FETCHED = 100  # responses of a chain per query
_MAX_ID = 64  # characters
_PURGE_BATCH = 100  # rows per transaction; each may hold a whole request

_log = structlog.get_logger("tokengate.conversations")


class StoredResponse(Struct, frozen=True):
    """A response as its caller got it, and the items of its own input as the caller gave them, as JSON."""

    id: str
    previous_id: str | None
    response: bytes
    items: tuple[bytes, ...]

    @property
    def output(self) -> list[Raw]:
        """The items that the model gave."""
        return _decode_output(self.response).output

    @property
    def standing(self) -> "Standing":
        """How it stands with the response."""
        return _decode_standing(self.response)

    def all_items(self) -> Iterator[Raw]:
        """Yield this part of the conversation: what was asked, then what was answered."""
        yield from map(Raw, self.items)
        yield from self.output


class Conversations:
    """Keeps responses and finds them again, for 30 days."""

    def __init__(self, database: Database, backgrounds: Backgrounds, sealer: Sealer, clock: Clock) -> None:
        self._database = database
        self._backgrounds = backgrounds
        self._sealer = sealer
        self._clock = clock

    def row_of(self, org_id: str, project_id: str, stored: StoredResponse) -> Insert:
        """Return what keeps a response, for the same commit as its bill."""
        content = _encode(_Content(stored.response, stored.items))
        sealed = self._sealer.seal(content, _context(org_id, project_id, stored.id))
        row = (stored.id, org_id, project_id, stored.previous_id, self._now_ms(), len(sealed), sealed)
        return Insert(stored_responses, row)

    async def get(self, org_id: str, project_id: str, response_id: str) -> StoredResponse:
        """Return a stored response, or one in the background as it stands. Raises NotFound."""
        if not _may_be(response_id):
            raise _no_such_response(response_id)
        async with self._database.read() as read:
            row = await store.find_response(read, org_id, project_id, response_id, self._oldest_ms())
            running = await self._backgrounds.find_in(read, org_id, project_id, response_id) if row is None else None
        if running is not None:
            return StoredResponse(running.id, running.previous_id, running.shown, running.items)
        stored = None if row is None else self._open(org_id, project_id, row)
        if stored is None:
            raise _no_such_response(response_id)
        return stored

    async def find(self, org_id: str, project_id: str, response_ids: list[str]) -> list[StoredResponse]:
        """Return which of some responses are there, in no order. Raises BadRequest when that is too much."""
        oldest_ms = self._oldest_ms()
        found: list[StoredResponse] = []
        async with self._database.read() as read:
            size_bytes = 0
            for part in _parts(response_ids[: MAX_CHAIN + 1]):
                size_bytes += await store.size_of(read, org_id, project_id, part, oldest_ms)
            if len(response_ids) > MAX_CHAIN or size_bytes > MAX_HISTORY_BYTES:
                raise _too_long("input")
            for part in _parts(response_ids):
                rows = await store.find_responses(read, org_id, project_id, part, oldest_ms)
                found += [stored for row in rows if (stored := self._open(org_id, project_id, row)) is not None]
        return found

    async def delete(self, org_id: str, project_id: str, response_id: str) -> None:
        """Delete a stored response, with its events. Raises NotFound."""
        if not _may_be(response_id):
            raise _no_such_response(response_id)
        async with self._database.tx() as tx:
            if not await store.delete_response(tx, org_id, project_id, response_id):
                raise _no_such_response(response_id)
            await delete_events(tx, response_id)

    async def history(self, org_id: str, project_id: str, response_id: str) -> list[Raw]:
        """Return the items of the conversation up to a response and with it, the oldest first.

        Raises BadRequest when it, or one before it, is gone, when it has not ended well, and for a conversation that
        is too long.
        """
        if not _may_be(response_id):
            raise _no_previous_response(response_id)
        oldest_ms = self._oldest_ms()
        found: dict[str, StoredResponse] = {}
        async with self._database.read() as read:
            chain = await store.chain_of(read, org_id, project_id, response_id, oldest_ms, MAX_CHAIN + 1)
            if len(chain) > MAX_CHAIN or sum(link.size_bytes for link in chain) > MAX_HISTORY_BYTES:
                raise _too_long("previous_response_id")
            if not chain:
                running = await self._backgrounds.find_in(read, org_id, project_id, response_id)
                if running is not None:
                    raise _not_continuable(response_id, "cancelled" if running.wish else running.state)
            missing = response_id if not chain else chain[-1].previous_id
            if missing is not None:
                raise _no_previous_response(missing)
            ids = [link.id for link in chain]
            for part in _parts(ids):
                for row in await store.find_responses(read, org_id, project_id, part, oldest_ms):
                    stored = self._open(org_id, project_id, row)
                    if stored is None:
                        raise _no_previous_response(row.id)
                    found[row.id] = stored
        status = found[response_id].standing.status
        if status in ("failed", "cancelled"):
            raise _not_continuable(response_id, status)
        return [item for id in reversed(ids) for item in found[id].all_items()]

    async def purge(self) -> int:
        """Delete the responses that have served their time, in small transactions; return how many."""
        await self._backgrounds.purge(self._oldest_ms())
        purged = 0
        while True:
            async with self._database.tx() as tx:
                count = await store.delete_responses_before(tx, self._oldest_ms(), _PURGE_BATCH)
            purged += count
            if count < _PURGE_BATCH:
                return purged

    def _open(self, org_id: str, project_id: str, row: StoredRow) -> StoredResponse | None:
        try:
            content = _decode(self._sealer.open(row.content, _context(org_id, project_id, row.id)))
        except Unsealable as error:
            _log.warning("stored_response_unsealable", response_id=row.id, reason=str(error))
            return None
        return StoredResponse(row.id, row.previous_id, content.response, content.items)

    def _now_ms(self) -> int:
        return int(self._clock.now_s() * 1000)

    def _oldest_ms(self) -> int:
        return self._now_ms() - _KEPT_MS


class _Content(Struct, frozen=True, array_like=True):
    """What is encrypted of a response."""

    response: bytes
    items: tuple[bytes, ...]


class Standing(Struct, frozen=True):
    """What a response object says of its making."""

    status: str
    background: bool = False


class _Output(Struct):
    output: list[Raw]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Content).decode
_decode_output = msgspec.json.Decoder(_Output).decode
_decode_standing = msgspec.json.Decoder(Standing).decode


def _context(org_id: str, project_id: str, response_id: str) -> bytes:
    """Return what binds a sealed response to its place; no part can hold the separator."""
    return f"stored response\0{org_id}\0{project_id}\0{response_id}".encode()


def _may_be(response_id: str) -> bool:
    """Say whether a text may be an id; not every database takes a NUL."""
    return len(response_id) <= _MAX_ID and response_id.isprintable()


def _no_such_response(response_id: str) -> NotFound:
    return NotFound(f"Response with id '{response_id[:_MAX_ID]}' not found.")


def _parts(ids: list[str]) -> Iterator[list[str]]:
    """Yield ids in as many at once as a query takes."""
    for at in range(0, len(ids), _FETCHED):
        yield ids[at : at + _FETCHED]


def _too_long(param: str) -> BadRequest:
    return BadRequest(
        f"The conversation is too long: at most {MAX_CHAIN} responses and {MAX_HISTORY_BYTES} bytes can be continued. "
        "Send what matters of it as input.",
        param=param,
        code="conversation_too_long",
    )


def _no_previous_response(response_id: str) -> BadRequest:
    return BadRequest(
        f"Previous response with id '{response_id[:_MAX_ID]}' not found.",
        param="previous_response_id",
        code="previous_response_not_found",
    )


def _not_continuable(response_id: str, status: str) -> BadRequest:
    return BadRequest(
        f"Previous response with id '{response_id[:_MAX_ID]}' cannot be continued: its status is {status}.",
        param="previous_response_id",
        code="previous_response_not_completed",
    )
