"""An org's wallets: what is in them, how it came and went, and codes that are turned into money."""

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import Controller, get, post
from litestar.params import HeaderParameter, JSONBody, QueryParameter
from litestar.response import Stream
from msgspec import Meta, Struct, structs

from tokengate.accounts.audit.store import record
from tokengate.accounts.users import read_name
from tokengate.core.errors import BadRequest
from tokengate.core.money import write_yuan
from tokengate.ledger import store
from tokengate.ledger.statement import stream_journal
from tokengate.ledger.store import Entry, EntryKind, Wallet
from tokengate.web.console import Console
from tokengate.web.console_api.access import OPERATOR, may
from tokengate.web.console_api.amounts import read_amount
from tokengate.web.console_api.given import Author, Id, OrgId, Services
from tokengate.web.console_api.orgs import Named
from tokengate.web.console_api.shapes import MAX_PAGE, After, Limit, Page, Search, page_of
from tokengate.web.console_api.table_file import csv_headers, csv_lines

Kinds = Annotated[list[EntryKind] | None, QueryParameter(description="Only entries of these kinds.")]
FromMs = Annotated[int | None, QueryParameter(ge=0, lt=2**48, description="The earliest time.")]
ToMs = Annotated[int | None, QueryParameter(ge=0, lt=2**48, description="The first time that is too late.")]

Once = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A retry with the same key pays no second time.",
    ),
]


class WalletView(Struct, frozen=True):
    """A wallet. `available_yuan` is the balance without what is held for calls under way."""

    id: str
    org_id: str
    name: str
    balance_yuan: str
    held_yuan: str
    available_yuan: str
    created_ms: int


class FoundWalletView(WalletView, frozen=True):
    """A wallet and whose it is."""

    org_name: str


class EntryView(Struct, frozen=True):
    """A journal entry. `change_yuan` is what it did to the wallet's balance: money that came in is positive."""

    id: str
    kind: EntryKind
    change_yuan: str
    amount_yuan: str
    debit: str
    credit: str
    call_id: str | None
    note: str
    created_ms: int


class HoldView(Struct, frozen=True):
    """A call under way and what it holds now."""

    call_id: str
    key_id: str
    project_id: str
    model: str
    held_yuan: str
    started_ms: int


class TypedCode(Struct, frozen=True, forbid_unknown_fields=True):
    """A redemption code as somebody typed it, in any case and grouping."""

    code: str


class RedeemedView(Struct, frozen=True):
    """What a code came to."""

    entry_id: str
    amount_yuan: str
    wallet: WalletView


class TopUp(Struct, frozen=True, forbid_unknown_fields=True):
    """Money for a wallet, and why."""

    amount_yuan: str
    note: Annotated[str, Meta(max_length=500)] = ""


class AuditedRedemption(Struct, frozen=True):
    """What the audit log says of a redemption."""

    entry_id: str
    batch_id: str
    amount_yuan: str


class AuditedWallet(Struct, frozen=True):
    """What the audit log says of a new wallet."""

    name: str


class Wallets(Controller):
    """`/orgs/{org_id}/wallets`."""

    path = "/orgs/{org_id:str}/wallets"
    tags = ("wallets",)

    @get(guards=[may("wallets.read")], summary="List an org's wallets")
    async def list_wallets(
        self, console: Services, org_id: OrgId, limit: Limit = 50, after: After = ""
    ) -> Page[WalletView]:
        """The oldest first."""
        async with console.database.read() as read:
            found = await store.list_wallets(read, org_id, after=after, limit=limit + 1)
        page = page_of(found, limit)
        return Page([view_of(console, wallet) for wallet in page.data], page.next)

    @post(guards=[may("wallets.write")], summary="Open an empty wallet")
    async def open_wallet(self, console: Services, org_id: OrgId, by: Author, data: JSONBody[Named]) -> WalletView:
        """Keys that name it spend from it."""
        name = read_name(data.name)
        async with console.database.tx() as tx:
            wallet_id = await store.open_wallet(tx, org_id, name, by.now_ms, new_id=by.new_id)
            await record(tx, org_id, by, "wallet.create", wallet_id, after=AuditedWallet(name))
            return view_of(console, await store.get_wallet(tx, org_id, wallet_id))

    @get("/{id:str}", guards=[may("wallets.read")], summary="Show a wallet")
    async def show_wallet(self, console: Services, org_id: OrgId, id: Id) -> WalletView:
        """Balance as of the last call that ended, and what calls under way hold."""
        async with console.database.read() as read:
            return view_of(console, await store.get_wallet(read, org_id, id))

    @get("/{id:str}/journal", guards=[may("wallets.read")], summary="List a wallet's journal, newest first")
    async def list_journal(
        self,
        console: Services,
        org_id: OrgId,
        id: Id,
        kind: Kinds = None,
        from_ms: FromMs = None,
        to_ms: ToMs = None,
        limit: Limit = 50,
        after: After = "",
    ) -> Page[EntryView]:
        """The time of a call's entry is the one at which the call began."""
        async with console.database.read() as read:
            found = await store.list_journal(
                read,
                org_id,
                id,
                kinds=kind or (),
                from_ms=from_ms,
                to_ms=to_ms,
                before=after or None,
                limit=limit + 1,
            )
        page = page_of(found, limit)
        return Page([_entry(entry) for entry in page.data], page.next)

    @get(
        "/{id:str}/journal.csv",
        guards=[may("wallets.read")],
        summary="Download a wallet's journal as a file",
        media_type="text/csv",
    )
    async def download_journal(
        self,
        console: Services,
        org_id: OrgId,
        id: Id,
        kind: Kinds = None,
        from_ms: FromMs = None,
        to_ms: ToMs = None,
    ) -> Stream:
        """All that match, the newest first, a million at most."""
        async with console.database.read() as read:
            await store.get_wallet(read, org_id, id)
        pages = stream_journal(console.database, org_id, id, kinds=kind or (), from_ms=from_ms, to_ms=to_ms)
        return Stream(_csv(pages), media_type="text/csv; charset=utf-8", headers=csv_headers("journal"))

    @get("/{id:str}/holds", guards=[may("wallets.read")], summary="List the calls that hold money of a wallet now")
    async def list_holds(self, console: Services, org_id: OrgId, id: Id) -> Page[HoldView]:
        """The oldest first, two hundred at most."""
        async with console.database.read() as read:
            await store.get_wallet(read, org_id, id)
        holds = [
            HoldView(
                call_id=call.id,
                key_id=call.principal.key_id,
                project_id=call.principal.project_id,
                model=call.model.id,
                held_yuan=write_yuan(call.held_nano),
                started_ms=call.now_ms,
            )
            for call in console.watch.of_wallet(id)[:MAX_PAGE]
        ]
        return Page(holds, None)

    @post("/{id:str}/redeem", status_code=200, guards=[may("wallets.write")], summary="Redeem a code into a wallet")
    async def redeem(
        self, console: Services, org_id: OrgId, id: Id, by: Author, data: JSONBody[TypedCode]
    ) -> RedeemedView:
        """Refused with code_malformed, code_unknown, code_redeemed, code_expired, code_revoked or too_many_codes."""
        digest = console.redeemer.read(org_id, data.code, by=by.id)
        async with console.database.tx() as tx:
            redeemed = await console.redeemer.redeem(tx, org_id, id, digest, by=by.id)
            amount = write_yuan(redeemed.amount_nano)
            after = AuditedRedemption(redeemed.entry_id, redeemed.batch_id, amount)
            await record(tx, org_id, by, "wallet.redeem", id, after=after)
        return RedeemedView(redeemed.entry_id, amount, view_of(console, redeemed.wallet))


class AdminWallets(Controller):
    """`/admin/wallets`: the wallets of every org, for operators."""

    path = "/admin/wallets"
    tags = ("wallets",)

    @get(guards=[OPERATOR], summary="Find wallets of every org")
    async def find_wallets(
        self, console: Services, q: Search = "", limit: Limit = 50, after: After = ""
    ) -> Page[FoundWalletView]:
        """`q` is how the id of the wallet or of its org begins, or a part of the name of either."""
        async with console.database.read() as read:
            found = await store.find_wallets(read, q, after=after, limit=limit + 1)
        page = page_of(found, limit)
        views = [(view_of(console, one.wallet), one.org_name) for one in page.data]
        return Page([FoundWalletView(**structs.asdict(view), org_name=name) for view, name in views], page.next)

    @post("/{id:str}/top-up", status_code=200, guards=[OPERATOR], summary="Put money into a wallet")
    async def top_up(
        self, console: Services, id: Id, by: Author, data: JSONBody[TopUp], once: Once = None
    ) -> WalletView:
        """The note is kept with the journal entry. With an `Idempotency-Key`, a retry answers with the wallet as it is;
        the same key with another amount is refused (422)."""
        nano = read_amount(data.amount_yuan, "amount_yuan")
        async with console.database.tx() as tx:
            org_id = await store.org_of_wallet(tx, id)
            if once is not None and not await store.claim_top_up(tx, org_id, id, once, nano, by.now_ms):
                return view_of(console, await store.get_wallet(tx, org_id, id))
            try:
                wallet = await store.top_up(tx, org_id, id, nano, data.note, by.now_ms, new_id=by.new_id)
            except ValueError as error:
                raise BadRequest(f"It cannot be topped up: {error}.", param="amount_yuan", code="bad_amount") from None
            await record(tx, org_id, by, "wallet.top_up", id, after=TopUp(write_yuan(nano), data.note))
        return view_of(console, wallet)


def view_of(console: Console, wallet: Wallet) -> WalletView:
    """Return a wallet as its owners see it now."""
    held_nano = console.teller.held_nano(wallet.id)
    return WalletView(
        id=wallet.id,
        org_id=wallet.org_id,
        name=wallet.name,
        balance_yuan=write_yuan(wallet.balance_nano),
        held_yuan=write_yuan(held_nano),
        available_yuan=write_yuan(wallet.balance_nano - held_nano),
        created_ms=wallet.created_ms,
    )


async def _csv(pages: AsyncIterator[list[Entry]]) -> AsyncIterator[str]:
    columns = EntryView.__struct_fields__
    yield csv_lines([columns])
    async for entries in pages:
        yield csv_lines(structs.astuple(_entry(entry)) for entry in entries)


def _entry(entry: Entry) -> EntryView:
    account = f"wallet:{entry.wallet_id}"
    change_nano = (entry.credit == account) * entry.amount_nano - (entry.debit == account) * entry.amount_nano
    return EntryView(
        id=entry.id,
        kind=entry.kind,
        change_yuan=write_yuan(change_nano),
        amount_yuan=write_yuan(entry.amount_nano),
        debit=entry.debit,
        credit=entry.credit,
        call_id=entry.call_id,
        note=entry.note,
        created_ms=entry.created_ms,
    )
