"""An org's calls: found among many, as a file, and one of them with its bill worked out."""

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter, SkipValidation
from litestar.response import Stream
from msgspec import Struct

from tokengate.billing.recompute import Recomputed, recompute
from tokengate.core.errors import NotFound
from tokengate.core.money import write_yuan
from tokengate.storage.engine import Database
from tokengate.usage.record import CallRecord
from tokengate.usage.search import MAX_COUNT, CallSummary, count_calls, find_calls, stream_calls
from tokengate.usage.search.wanted import CallFilter, Sort
from tokengate.usage.store import get_call
from tokengate.web.console_api.access import may
from tokengate.web.console_api.given import Id, OrgId, Services
from tokengate.web.console_api.shapes import After, Limit
from tokengate.web.console_api.table_file import csv_headers, csv_lines

FromMs = Annotated[int | None, QueryParameter(ge=0, lt=2**48, description="The earliest start.")]
ToMs = Annotated[int | None, QueryParameter(ge=0, lt=2**48, description="The first start that is too late.")]
Exactly = Annotated[str | None, QueryParameter(min_length=1, max_length=200, description="Only calls with this one.")]
Status = Annotated[int | None, QueryParameter(ge=100, le=599, description="Only calls with this HTTP status.")]
Begins = Annotated[
    str | None,
    QueryParameter(min_length=1, max_length=200, description="How a request id, ours or the caller's own, begins."),
]
Order = Annotated[Sort, QueryParameter(description="A minus sign puts the latest, dearest or slowest first.")]

_COLUMNS = (
    "id",
    "started_ms",
    "endpoint",
    "model",
    "upstream",
    "key_id",
    "project_id",
    "wallet_id",
    "stream",
    "status",
    "outcome",
    "latency_ms",
    "first_token_ms",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cost_yuan",
    "client_request_id",
    "error",
)


class CallView(Struct, frozen=True):
    """A call as it is listed."""

    id: str
    project_id: str
    key_id: str
    wallet_id: str
    endpoint: str
    model: str
    upstream: str
    stream: bool
    status: int
    outcome: str
    error: str
    started_ms: int
    latency_ms: int
    first_token_ms: int | None
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_yuan: str
    client_request_id: str | None


class CallsPage(Struct, frozen=True):
    """A part of the list. `total` is exact up to ten thousand; `more` says that there are more than `total`."""

    data: list[CallView]
    next: str | None
    total: int
    more: bool


class LineView(Struct, frozen=True):
    """One line of a bill: units / per x price = amount, exactly."""

    word: str
    units: int
    price_yuan: str
    per: int
    amount_yuan: str


class BillView(Struct, frozen=True):
    """A bill with the price version that it was made with, worked out again.

    `agrees` says that every line and the total come out again from that version as it is stored, null that the
    version is not there to be asked. `cost_yuan` is what the wallet paid, `overrun_yuan` what the house paid beyond it.
    """

    price_version: int
    price_source: str | None
    currency_rate: str | None
    usage_source: str
    lines: list[LineView]
    total_yuan: str
    cost_yuan: str
    overrun_yuan: str
    tier: dict[str, str | int | bool]
    unpriced: list[str]
    recomputed_yuan: str | None
    agrees: bool | None
    vendor_usage: dict[str, object] | None


class AttemptView(Struct, frozen=True):
    """One try at one backend."""

    upstream: str
    outcome: str
    ms: int
    status: int | None = None
    upstream_request_id: str | None = None
    error: str | None = None


class CallDetail(Struct, frozen=True):
    """A call, its bill (null when it was never priced), and what was tried."""

    call: CallView
    usage_source: str
    bill: BillView | None
    attempts: list[AttemptView]


def wanted_calls(
    from_ms: FromMs = None,
    to_ms: ToMs = None,
    model: Exactly = None,
    key_id: Exactly = None,
    project_id: Exactly = None,
    status: Status = None,
    outcome: Exactly = None,
    q: Begins = None,
) -> CallFilter:
    """Return the calls that a request asks for. Filters narrow each other."""
    return CallFilter(from_ms, to_ms, model, key_id, project_id, status, outcome, q)


Wanted = NamedDependency[SkipValidation[CallFilter]]
_DEPENDENCIES = {"wanted": Provide(wanted_calls, sync_to_thread=False)}

_read_attempts = msgspec.json.Decoder(list[AttemptView]).decode
_read_object = msgspec.json.Decoder(dict[str, object]).decode


class Calls(Controller):
    """`/orgs/{org_id}/calls`."""

    path = "/orgs/{org_id:str}"
    tags = ("calls",)
    dependencies = _DEPENDENCIES

    @get("/calls", guards=[may("calls.read")], summary="List an org's calls")
    async def list_calls(
        self,
        console: Services,
        org_id: OrgId,
        wanted: Wanted,
        sort: Order = "-started",
        limit: Limit = 50,
        after: After = "",
    ) -> CallsPage:
        """`after` belongs to the order in which it was returned."""
        page = await find_calls(console.database, org_id, wanted, sort=sort, after=after or None, limit=limit)
        total = await count_calls(console.database, org_id, wanted)
        found = [_view(call) for call in page.calls]
        return CallsPage(found, page.next, min(total, MAX_COUNT), total > MAX_COUNT)

    @get("/calls.csv", guards=[may("calls.read")], summary="Download an org's calls as a file", media_type="text/csv")
    async def download_calls(
        self,
        console: Services,
        org_id: OrgId,
        wanted: Wanted,
    ) -> Stream:
        """All that match, the latest first, a million at most."""
        return Stream(
            _csv(console.database, org_id, wanted),
            media_type="text/csv; charset=utf-8",
            headers=csv_headers("calls"),
        )

    @get("/calls/{id:str}", guards=[may("calls.read")], summary="Show a call with its bill and attempts")
    async def show_call(self, console: Services, org_id: OrgId, id: Id) -> CallDetail:
        """The bill is worked out again from its price version."""
        async with console.database.read() as read:
            found = await get_call(read, org_id, None, id) if id.isprintable() else None
        if found is None:
            raise NotFound(f"There is no call {id[:100]}.")
        bill = None
        if found.bill:
            bill = _bill(found, await recompute(console.database, found.bill))
        fields = {name: getattr(found, name) for name in CallSummary.__struct_fields__}
        attempts = _read_attempts(found.attempts) if found.attempts else []
        return CallDetail(_view(CallSummary(**fields)), found.usage_source, bill, attempts)


def _view(call: CallSummary) -> CallView:
    fields = msgspec.structs.asdict(call)
    return CallView(
        **{name: value for name, value in fields.items() if name != "cost_nano"}, cost_yuan=write_yuan(call.cost_nano)
    )


def _bill(found: CallRecord, again: Recomputed) -> BillView:
    stored, price = again.bill, again.price
    raw = bytes(stored.vendor_usage)
    return BillView(
        price_version=stored.price_version,
        price_source=None if price is None else price.source,
        currency_rate=None if price is None else price.currency_rate or None,
        usage_source=stored.usage_source,
        lines=[LineView(line.word, line.units, line.price, line.per, line.amount) for line in stored.lines],
        total_yuan=write_yuan(stored.total_nano),
        cost_yuan=write_yuan(found.cost_nano),
        overrun_yuan=write_yuan(found.overrun_nano),
        tier=msgspec.to_builtins(stored.when),
        unpriced=list(stored.unpriced),
        recomputed_yuan=None if again.total_nano is None else write_yuan(again.total_nano),
        agrees=again.agrees,
        vendor_usage=_read_object(raw) if raw.startswith(b"{") else None,
    )


async def _csv(database: Database, org_id: str, wanted: CallFilter) -> AsyncIterator[str]:
    yield csv_lines([_COLUMNS])
    async for calls in stream_calls(database, org_id, wanted):
        yield csv_lines([getattr(view, name) for name in _COLUMNS] for view in map(_view, calls))
