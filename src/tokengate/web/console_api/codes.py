"""Redemption codes, for operators: batches are made, looked at, and revoked."""

from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from tokengate.accounts.audit import By
from tokengate.accounts.audit.store import record
from tokengate.core.money import write_yuan
from tokengate.ledger import codes
from tokengate.ledger.codes import MAX_SIZE, Batch, MadeBatch, store
from tokengate.ledger.codes.store import Code
from tokengate.web.console import Console
from tokengate.web.console_api.access import OPERATOR
from tokengate.web.console_api.amounts import read_amount
from tokengate.web.console_api.given import Author, Id, Services
from tokengate.web.console_api.shapes import After, Limit, Page, page_of
from tokengate.web.console_api.table_file import csv_headers, csv_lines

AfterPosition = Annotated[int, QueryParameter(ge=0, lt=2**31, description="The `next` of the page before.")]


class BatchForm(Struct, frozen=True, forbid_unknown_fields=True):
    """A batch to be made; without `expires_ms` its codes do not expire."""

    count: Annotated[int, Meta(ge=1, le=MAX_SIZE)]
    amount_yuan: str
    expires_ms: Annotated[int, Meta(ge=0, lt=2**48)] | None = None
    note: Annotated[str, Meta(max_length=500)] = ""


class BatchView(Struct, frozen=True):
    """A batch: open, expired, revoked, or redeemed when no code is left. `amount_yuan` is what each code is worth."""

    id: str
    state: str
    amount_yuan: str
    count: int
    redeemed: int
    note: str
    created_by: str
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None


class MadeBatchView(Struct, frozen=True):
    """A new batch with its codes, which are shown this once."""

    batch: BatchView
    codes: list[str]


class CodeView(Struct, frozen=True):
    """What may be seen again of a code: its end, and what redeemed it."""

    position: int
    last4: str
    redeemed_ms: int | None
    redeemed_by: str | None
    org_id: str | None
    wallet_id: str | None
    entry_id: str | None


class AuditedBatch(Struct, frozen=True):
    """What the audit log says of a batch: never a code."""

    amount_yuan: str
    count: int
    expires_ms: int | None
    note: str
    revoked_ms: int | None


class CodeBatches(Controller):
    """`/admin/code-batches`."""

    path = "/admin"
    tags = ("codes",)

    @get("/code-batches", guards=[OPERATOR], summary="List batches of redemption codes, newest first")
    async def list_batches(self, console: Services, limit: Limit = 50, after: After = "") -> Page[BatchView]:
        """With how many of each were redeemed."""
        async with console.database.read() as read:
            found = await store.list_batches(read, before=after or None, limit=limit + 1)
        page = page_of(found, limit)
        return Page([_view(batch, console.now_ms()) for batch in page.data], page.next)

    @post("/code-batches", guards=[OPERATOR], summary="Make a batch of redemption codes")
    async def make_batch(self, console: Services, by: Author, data: JSONBody[BatchForm]) -> MadeBatchView:
        """The codes are in this answer and nowhere else: only their hashes are kept."""
        made = await _make(console, by, data)
        return MadeBatchView(_view(made.batch, by.now_ms), list(made.codes))

    @post(
        "/code-batches.csv",
        guards=[OPERATOR],
        summary="Make a batch of redemption codes, as a file",
        media_type="text/csv",
    )
    async def make_batch_csv(self, console: Services, by: Author, data: JSONBody[BatchForm]) -> Response[str]:
        """A line per code: the code, what it is worth, when it expires, its batch."""
        made = await _make(console, by, data)
        batch = made.batch
        worth = write_yuan(batch.amount_nano)
        rows = [(code, worth, batch.expires_ms, batch.id) for code in made.codes]
        text = csv_lines([("code", "yuan", "expires_ms", "batch"), *rows])
        return Response(text, media_type="text/csv", headers=csv_headers(batch.id))

    @get("/code-batches/{id:str}", guards=[OPERATOR], summary="Show a batch of redemption codes")
    async def show_batch(self, console: Services, id: Id) -> BatchView:
        """Its codes are a list of their own."""
        async with console.database.read() as read:
            return _view(await store.get_batch(read, id), console.now_ms())

    @get("/code-batches/{id:str}/codes", guards=[OPERATOR], summary="List the codes of a batch")
    async def list_codes(
        self, console: Services, id: Id, limit: Limit = 50, after: AfterPosition = 0
    ) -> Page[CodeView]:
        """In the order in which they were made; of each only the end can be seen."""
        async with console.database.read() as read:
            await store.get_batch(read, id)
            found = await store.list_codes(read, id, after=after, limit=limit + 1)
        following = str(found[limit - 1].position) if len(found) > limit else None
        return Page([_code(code) for code in found[:limit]], following)

    @post("/code-batches/{id:str}/revoke", status_code=200, guards=[OPERATOR], summary="Revoke a batch of codes")
    async def revoke_batch(self, console: Services, id: Id, by: Author) -> BatchView:
        """What was redeemed before stays where it is."""
        async with console.database.tx() as tx:
            before = await store.get_batch(tx, id)
            batch = await codes.revoke(tx, id, by.now_ms)
            await record(tx, None, by, "code_batch.revoke", id, before=_audited(before), after=_audited(batch))
        return _view(batch, by.now_ms)


async def _make(console: Console, by: By, form: BatchForm) -> MadeBatch:
    amount_nano = read_amount(form.amount_yuan, "amount_yuan")
    async with console.database.tx() as tx:
        made = await codes.make_batch(
            tx,
            size=form.count,
            amount_nano=amount_nano,
            expires_ms=form.expires_ms,
            note=form.note,
            created_by=by.id,
            now_ms=by.now_ms,
            new_id=by.new_id,
        )
        await record(tx, None, by, "code_batch.create", made.batch.id, after=_audited(made.batch))
    return made


def _audited(batch: Batch) -> AuditedBatch:
    return AuditedBatch(write_yuan(batch.amount_nano), batch.size, batch.expires_ms, batch.note, batch.revoked_ms)


def _view(batch: Batch, now_ms: int) -> BatchView:
    return BatchView(
        id=batch.id,
        state=batch.state(now_ms),
        amount_yuan=write_yuan(batch.amount_nano),
        count=batch.size,
        redeemed=batch.redeemed,
        note=batch.note,
        created_by=batch.created_by,
        created_ms=batch.created_ms,
        expires_ms=batch.expires_ms,
        revoked_ms=batch.revoked_ms,
    )


def _code(code: Code) -> CodeView:
    return CodeView(
        position=code.position,
        last4=code.last4,
        redeemed_ms=code.redeemed_ms,
        redeemed_by=code.redeemed_by,
        org_id=code.org_id,
        wallet_id=code.wallet_id,
        entry_id=code.entry_id,
    )
