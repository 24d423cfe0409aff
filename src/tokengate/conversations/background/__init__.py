"""Responses in the background as they are kept while they are made: what is needed to make one again, what a caller
may see of it meanwhile, and the events of its stream, which stay as long as the response.

A response is either here or stored: the commit that ends one stores it and drops its row. Content is sealed; what does
not open (the master key was changed) counts as gone.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import structlog
from msgspec import Raw, Struct

from tokengate.conversations.background import store
from tokengate.core.clock import Clock, now_ms
from tokengate.core.sealing import Sealer, Unsealable
from tokengate.storage.engine import Database, Tx
from tokengate.storage.tables import background_responses, response_events
from tokengate.storage.writer import Delete, Insert

Wish = Literal["cancel", "delete"]

_ROWS_OF_EVENTS = 16  # per query
_PURGE_BATCH = 100  # responses per transaction; each may have many rows of events

_log = structlog.get_logger("tokengate.conversations")


class Background(Struct, frozen=True):
    """A response that has not ended. `response` is its object as it was first told, queued."""

    id: str
    org_id: str
    project_id: str
    key_id: str
    previous_id: str | None
    body: bytes  # of the request
    items: tuple[bytes, ...]
    response: bytes
    client_request_id: str | None
    streams: bool  # whether its caller asked for the events
    created_ms: int
    state: str = "queued"
    wish: str = ""
    tries: int = 1  # how often it was begun

    @property
    def shown(self) -> bytes:
        """The response object as its caller may see it now."""
        status = "cancelled" if self.wish else self.state
        return _encode_json(_decode_json(self.response) | {"status": Raw(_encode_json(status))})


class Backgrounds:
    """Keeps such responses, and finds them again."""

    def __init__(self, database: Database, sealer: Sealer, clock: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock

    def row_of(self, one: Background, owner: str) -> Insert:
        """Return what enters a response, which that teller's process runs."""
        content = _Content(one.previous_id, one.body, one.items, one.response, one.client_request_id)
        sealed = self._sealer.seal(_encode(content), _context(one.org_id, one.project_id, one.id))
        row = (
            one.id,
            one.org_id,
            one.project_id,
            one.key_id,
            one.state,
            "",
            one.streams,
            one.tries,
            owner,
            one.created_ms,
            one.created_ms,
            sealed,
        )
        return Insert(background_responses, row)

    def dropped(self, response_id: str) -> Delete:
        """Return what takes a response out."""
        return Delete(background_responses, (response_id,))

    def events_of(self, one: Background, first: int, frames: Sequence[bytes]) -> Insert:
        """Return what keeps some events of a stream, of which the first has this number."""
        last = first + len(frames) - 1
        context = _events_context(one.org_id, one.project_id, one.id, last)
        sealed = self._sealer.seal(_encode(frames), context)
        return Insert(response_events, (one.id, last, now_ms(self._clock), sealed))

    async def find(self, org_id: str, project_id: str, response_id: str) -> Background | None:
        """Return a response that has not ended."""
        async with self._database.read() as read:
            return await self.find_in(read, org_id, project_id, response_id)

    async def find_in(self, read: Tx, org_id: str, project_id: str, response_id: str) -> Background | None:
        """Return a response that has not ended at the moment of `read`."""
        row = await store.find(read, org_id, project_id, response_id)
        return None if row is None else self._open(row)

    async def is_there(self, org_id: str, project_id: str, response_id: str) -> bool:
        """Say whether a response has not ended, also when its caller has deleted it."""
        async with self._database.read() as read:
            return await store.is_there(read, org_id, project_id, response_id)

    async def ask(self, org_id: str, project_id: str, response_id: str, wish: Wish) -> bool:
        """Ask the process that runs a response to end it; False when it has ended."""
        async with self._database.tx() as tx:
            return await store.ask(tx, org_id, project_id, response_id, wish)

    async def wishes(self, owner: str) -> list[tuple[str, str]]:
        """Return what is wished of a teller's process: ids of responses, and wishes."""
        async with self._database.read() as read:
            return await store.wishes(read, owner)

    async def claim(self, owner: str, limit: int) -> list[Background]:
        """Return responses that nobody runs, as the owner's own from now on."""
        at_ms = now_ms(self._clock)
        async with self._database.read() as read:
            due = await store.any_due(read, at_ms)
        if not due:
            return []
        async with self._database.tx() as tx:
            rows = await store.claim(tx, owner, at_ms, limit)
            found = [(row, self._open(row)) for row in rows]
            for row, one in found:
                if one is None:
                    await store.end(tx, row.id, owner, ())
        return [one for _, one in found if one is not None]

    async def begin(self, response_id: str, owner: str) -> None:
        """Note that a response is being made."""
        async with self._database.tx() as tx:
            await store.begin(tx, response_id, owner)

    async def leave(self, response_id: str, owner: str, *, tries: int, pause_ms: int) -> None:
        """Leave a response to whoever takes it up after the pause."""
        async with self._database.tx() as tx:
            await store.leave(tx, response_id, owner, tries, now_ms(self._clock) + pause_ms)

    async def end(self, response_id: str, owner: str, rows: Sequence[Insert]) -> bool:
        """End a response that the owner still runs, with these rows; False when another one runs it, or it has
        ended."""
        async with self._database.tx() as tx:
            return await store.end(tx, response_id, owner, rows)

    async def events(self, org_id: str, project_id: str, response_id: str, number: int) -> list[bytes]:
        """Return frames of a stream from event `number` on, as many as are read at once; none when there are none."""
        async with self._database.read() as read:
            rows = await store.events(read, response_id, number, _ROWS_OF_EVENTS)
        found: list[bytes] = []
        for last, sealed in rows:
            try:
                frames = _decode_frames(
                    self._sealer.open(sealed, _events_context(org_id, project_id, response_id, last))
                )
            except Unsealable as error:
                _log.warning("response_events_unsealable", response_id=response_id, reason=str(error))
                break
            missing = last - (number + len(found)) + 1
            if missing > len(frames):
                break
            found += frames[len(frames) - missing :] if missing > 0 else ()
        return found

    async def told(self, response_id: str) -> int:
        """Return how many events of a stream there are."""
        async with self._database.read() as read:
            last = await store.last_number(read, response_id)
        return 0 if last is None else last + 1

    async def forget_events(self, response_id: str) -> None:
        """Delete the events of a response."""
        async with self._database.tx() as tx:
            await store.delete_events(tx, response_id)

    async def purge(self, before_ms: int) -> None:
        """Delete the events that were told before, in small transactions."""
        while True:
            async with self._database.tx() as tx:
                if await store.delete_events_before(tx, before_ms, _PURGE_BATCH) < _PURGE_BATCH:
                    return

    def _open(self, row: store.Row) -> Background | None:
        try:
            content = _decode(self._sealer.open(row.content, _context(row.org_id, row.project_id, row.id)))
        except Unsealable as error:
            _log.warning("background_response_unsealable", response_id=row.id, reason=str(error))
            return None
        return Background(
            id=row.id,
            org_id=row.org_id,
            project_id=row.project_id,
            key_id=row.key_id,
            previous_id=content.previous_id,
            body=content.body,
            items=content.items,
            response=content.response,
            client_request_id=content.client_request_id,
            streams=row.streams,
            created_ms=row.created_ms,
            state=row.state,
            wish=row.wish,
            tries=row.tries,
        )


class _Content(Struct, frozen=True, array_like=True):
    """What is encrypted of a response."""

    previous_id: str | None
    body: bytes
    items: tuple[bytes, ...]
    response: bytes
    client_request_id: str | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Content).decode
_decode_frames = msgspec.msgpack.Decoder(list[bytes]).decode
_encode_json = msgspec.json.Encoder().encode
_decode_json = msgspec.json.Decoder(dict[str, Raw]).decode


def _context(org_id: str, project_id: str, response_id: str) -> bytes:
    """Return what binds a sealed response to its place; no part can hold the separator."""
    return f"background response\0{org_id}\0{project_id}\0{response_id}".encode()


def _events_context(org_id: str, project_id: str, response_id: str, last: int) -> bytes:
    return f"response events\0{org_id}\0{project_id}\0{response_id}\0{last}".encode()
