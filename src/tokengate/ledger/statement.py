"""A wallet's journal at any length, for who checks it against their own books."""

from collections.abc import AsyncGenerator, Sequence

from tokengate.ledger.store import MAX_PAGE, Entry, list_journal
from tokengate.storage.engine import Database

MAX_STREAMED = 1_000_000


async def stream_journal(
    database: Database,
    org_id: str,
    wallet_id: str,
    *,
    kinds: Sequence[str] = (),
    from_ms: int | None = None,
    to_ms: int | None = None,
) -> AsyncGenerator[list[Entry]]:
    """Yield what list_journal has, the newest first, page by page: memory is bounded, and no snapshot is held open."""
    before: str | None = None
    for _ in range(MAX_STREAMED // MAX_PAGE):
        async with database.read() as read:
            page = await list_journal(
                read, org_id, wallet_id, kinds=kinds, from_ms=from_ms, to_ms=to_ms, before=before, limit=MAX_PAGE
            )
        if page:
            yield page
        if len(page) < MAX_PAGE:
            return
        before = page[-1].id
