"""The same idempotency key (per API key, for 24 hours) gives the same reply and one charge.

A reply is kept by a row in the commit that makes its bill durable, so there is never one without the other. Which
calls are running is known in memory; where several processes share the database, each call is claimed there first, in
the name of its process's teller, and a dead teller's claims mean nothing: if the process died, its calls count as never
run. Replies are message content, so they are sealed; one that does not open (the master key was changed) counts as
never run, too.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from typing import Never

import msgspec
import structlog
from msgspec import Struct

from tokengate.core.clock import Clock, now_ms
from tokengate.core.errors import BadRequest, Conflict, KeyReused
from tokengate.core.sealing import Sealer, Unsealable
from tokengate.idempotency.store import KeptRow, claim, delete_replies_before, delete_reply, find_reply
from tokengate.storage.engine import Database
from tokengate.storage.tables import idempotency
from tokengate.storage.writer import Delete, Insert, Row, Writer

MAX_BODY_BYTES = 4 * 1024 * 1024  # a larger reply is not kept

_LIFETIME_MS = 24 * 60 * 60 * 1000
_MAX_KEY_CHARS = 255  # the column's width
_CONFLICT_RETRY_S = 1.0
_PURGE_BATCH = 100  # rows per transaction; each may hold 4 MB

_log = structlog.get_logger("tokengate.idempotency")


class StoredReply(Struct, frozen=True):
    """A whole reply, or all bytes of a stream, as the first caller got it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class _Sealed(Struct, frozen=True, array_like=True):
    """What is encrypted of a reply."""

    headers: tuple[tuple[str, str], ...]
    body: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Sealed).decode


class Replies:
    """Replies by (API key, idempotency key).

    stored = await replies.begin(key_id, idempotency_key, digest)
    if stored is None:
        try: ...   # run the call; commit `rows_of` together with its bill
        finally: replies.end(key_id, idempotency_key)
    """

    def __init__(
        self, database: Database, writer: Writer, sealer: Sealer, clock: Clock, *, teller_id: Callable[[], str]
    ) -> None:
        self._database = database
        self._writer = writer
        self._sealer = sealer
        self._clock = clock
        self._teller_id = teller_id
        self._running: dict[tuple[str, str], bytes] = {}
        self._looking: dict[tuple[str, str], asyncio.Event] = {}  # set once it is known whether there is a reply
        self._leaving: dict[tuple[str, str], asyncio.Future[None]] = {}  # claims that are being given up

    async def begin(self, key_id: str, idempotency_key: str, body_digest: bytes) -> StoredReply | None:
        """Return the reply of an earlier call, or None after marking this one as running: `end` must follow.

        Raises Conflict while the same call is running, KeyReused when the key came with another body, and
        BadRequest for a key that cannot be one.
        """
        if not 1 <= len(idempotency_key) <= _MAX_KEY_CHARS or not idempotency_key.isprintable():
            raise BadRequest(
                f"Idempotency-Key must be 1 to {_MAX_KEY_CHARS} printable characters.", code="invalid_idempotency_key"
            )
        scope = (key_id, idempotency_key)
        while (looking := self._looking.get(scope)) is not None:
            await looking.wait()
        running = self._running.get(scope)
        if running is not None:
            _refuse_second(running, body_digest)
        looked = self._looking[scope] = asyncio.Event()
        try:
            if self._database.shared:
                await self._claim(scope, body_digest)
            try:
                stored = await self._find(key_id, idempotency_key, body_digest)
            except BaseException:
                self._leave(scope)
                raise
        finally:
            del self._looking[scope]
            looked.set()
        if stored is None:
            self._running[scope] = body_digest
        else:
            self._leave(scope)
        return stored

    def end(self, key_id: str, idempotency_key: str) -> None:
        """The call is over, with or without a reply; exactly one `end` per `begin` that returned None."""
        scope = (key_id, idempotency_key)
        del self._running[scope]
        self._leave(scope)

    def rows_of(
        self,
        key_id: str,
        idempotency_key: str,
        body_digest: bytes,
        status: int,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        now_ms: int,
    ) -> list[Row]:
        """Return what keeps a billed reply, for the same commit as its bill; nothing when the body is too large."""
        if len(body) > MAX_BODY_BYTES:
            return []
        sealed = self._sealer.seal(_encode(_Sealed(tuple(headers), body)), _context(key_id, idempotency_key))
        return [Insert(idempotency, (key_id, idempotency_key, body_digest, status, sealed, now_ms))]

    async def purge(self) -> int:
        """Delete the replies that are older than a day, in small transactions; return how many."""
        purged = 0
        while True:
            async with self._database.tx() as tx:
                count = await delete_replies_before(tx, self._oldest_ms(), _PURGE_BATCH)
            purged += count
            if count < _PURGE_BATCH:
                return purged

    async def _claim(self, scope: tuple[str, str], body_digest: bytes) -> None:
        """Be the one living process that runs this call. Raises Conflict and KeyReused as `begin` does."""
        leaving = self._leaving.get(scope)
        if leaving is not None:
            await asyncio.wait([leaving])  # it would take the new claim with it
        mine = False
        try:
            async with self._database.tx() as tx:
                other = await claim(tx, *_claim_of(scope), body_digest, self._teller_id(), now_ms(self._clock))
                mine = other is None
        except BaseException:
            if mine:  # the caller left while it was being committed
                self._leave(scope)
            raise
        if other is not None:
            _refuse_second(other, body_digest)

    def _leave(self, scope: tuple[str, str]) -> None:
        """Give up a claim, if there are any here."""
        if not self._database.shared:
            return

        def left(future: asyncio.Future[None]) -> None:
            del self._leaving[scope]
            if (error := future.exception()) is not None:  # it stands until this process ends
                _log.warning("claim_not_left", key_id=scope[0], reason=str(error))

        leaving = self._leaving[scope] = self._writer.commit([Delete(idempotency, _claim_of(scope))])
        leaving.add_done_callback(left)

    async def _find(self, key_id: str, idempotency_key: str, body_digest: bytes) -> StoredReply | None:
        async with self._database.read() as read:
            row = await find_reply(read, key_id, idempotency_key)
        if row is None:
            return None
        kept = None if row.created_ms < self._oldest_ms() else self._open(row, key_id, idempotency_key)
        if kept is None:
            # The new reply's row will take its place.
            async with self._database.tx() as tx:
                await delete_reply(tx, key_id, idempotency_key, row.created_ms + 1)
            return None
        _same_body(row.body_digest, body_digest)
        return StoredReply(status=row.status, headers=kept.headers, body=kept.body)

    def _open(self, row: KeptRow, key_id: str, idempotency_key: str) -> _Sealed | None:
        try:
            return _decode(self._sealer.open(row.reply, _context(key_id, idempotency_key)))
        except Unsealable as error:
            _log.warning("kept_reply_unsealable", key_id=key_id, reason=str(error))
            return None

    def _oldest_ms(self) -> int:
        return int(self._clock.now_s() * 1000) - _LIFETIME_MS


def _context(key_id: str, idempotency_key: str) -> bytes:
    """Return what binds a sealed reply to its place; neither part can hold the separator."""
    return f"idempotent reply\0{key_id}\0{idempotency_key}".encode()


def _claim_of(scope: tuple[str, str]) -> tuple[str, str]:
    """Return the key of a claim's row; no caller's own key begins with what cannot be printed."""
    key_id, idempotency_key = scope
    return key_id, f"\n{hashlib.sha256(idempotency_key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _refuse_second(first: bytes, body_digest: bytes) -> Never:
    _same_body(first, body_digest)
    raise Conflict(
        "A call with this Idempotency-Key is still running. Try again when it has ended.",
        retry_after_s=_CONFLICT_RETRY_S,
    )


def _same_body(first: bytes, body_digest: bytes) -> None:
    if first != body_digest:
        raise KeyReused("This Idempotency-Key was used with another request. Use a new key for a new request.")
