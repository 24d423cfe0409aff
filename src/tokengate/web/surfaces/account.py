"""A key's own money and calls: balance, usage, and the bill line of one call.

Every look-up is bounded by the key's org and key: another's call id is a 404.
"""

from datetime import date
from typing import Literal
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from tokengate.accounts.keys import Principal
from tokengate.core.errors import BadRequest, NotFound
from tokengate.core.money import write_yuan
from tokengate.ledger.teller import Teller
from tokengate.reference import table
from tokengate.storage.engine import Database
from tokengate.usage import store
from tokengate.usage.record import CallRecord
from tokengate.web.admit import Admit
from tokengate.web.dispatch import Endpoint
from tokengate.web.request import Request

_MAX_PAGE = 200
_DEFAULT_PAGE = 50
_GROUPS = ("model", "day")


class AccountSurface:
    """`GET /v1/balance`, `/v1/usage`, `/v1/usage/{request_id}`."""

    def __init__(self, database: Database, teller: Teller, admit: Admit) -> None:
        self._database = database
        self._teller = teller
        self._admit = admit

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(table.BALANCE, self._balance),
            Endpoint(table.USAGE, self._usage),
            Endpoint(table.USAGE_OF_CALL, self._one),
        ]

    async def _balance(self, request: Request) -> None:
        principal = self._admit.principal(request)
        wallet_id = principal.wallet_id
        await self._teller.refresh(wallet_id)
        balance_nano = self._teller.balance_nano(wallet_id)
        free_nano = self._teller.balance_nano(wallet_id, after_holds=True)
        request.json(
            {
                "object": "balance",
                "wallet": wallet_id,
                "currency": "CNY",
                "balance": write_yuan(balance_nano),
                "available": write_yuan(free_nano),
                "held": write_yuan(balance_nano - free_nano),
            },
        )

    async def _usage(self, request: Request) -> None:
        principal = self._admit.principal(request)
        asked = _Query.read(request.query)
        if asked.by is not None:
            await self._totals(request, principal, asked)
            return
        async with self._database.read() as read:
            page = await store.list_calls(
                read,
                principal.org_id,
                key_id=principal.key_id,
                first_day=asked.first_day,
                last_day=asked.last_day,
                model=asked.model,
                after=asked.after,
                limit=asked.limit,
            )
        request.json(
            {
                "object": "list",
                "data": [_summary(call) for call in page.calls],
                "has_more": page.next is not None,
                "next": page.next,
            }
        )

    async def _totals(self, request: Request, principal: Principal, asked: "_Query") -> None:
        async with self._database.read() as read:
            wanted = store.UsageFilter(asked.first_day, asked.last_day, principal.key_id, asked.model)
            totals = await store.totals(read, principal.org_id, asked.by or "model", wanted)
        rows = [
            {
                asked.by: total.name,
                "calls": total.calls,
                "errors": total.errors,
                "input_tokens": total.input_tokens,
                "output_tokens": total.output_tokens,
                "cached_tokens": total.cached_tokens,
                "cost": write_yuan(total.cost_nano),
            }
            for total in totals
        ]
        request.json({"object": "list", "data": rows})

    async def _one(self, request: Request) -> None:
        principal = self._admit.principal(request)
        call_id = request.path.rpartition("/")[2]
        found = None
        if call_id.isprintable():  # not every database takes a NUL
            async with self._database.read() as read:
                found = await store.get_call(read, principal.org_id, principal.key_id, call_id)
        if found is None:
            raise NotFound(f"No call '{call_id[:100]}' of this key.", param="request_id")
        detail: dict[str, object] = dict(_summary(found))
        detail["bill"] = msgspec.Raw(found.bill.encode()) if found.bill else None
        detail["attempts"] = msgspec.Raw(found.attempts.encode()) if found.attempts else []
        detail["error"] = found.error or None
        request.json(detail)


class _Query(Struct, frozen=True):
    """The query string of `/v1/usage`, checked."""

    limit: int = _DEFAULT_PAGE
    after: str | None = None
    first_day: int | None = None
    last_day: int | None = None
    model: str | None = None
    by: Literal["model", "day"] | None = None

    @classmethod
    def read(cls, query: str) -> "_Query":
        asked = dict(parse_qsl(query, keep_blank_values=True))
        unknown = sorted(set(asked) - {"limit", "after", "from", "to", "model", "by"})
        if unknown:
            raise BadRequest(f"Unknown parameter '{unknown[0]}'.", param=unknown[0])
        for name, text in asked.items():
            if not text.isprintable():  # not every database takes a NUL
                raise BadRequest(f"'{name}' has a character that cannot be printed.", param=name)
        by = asked.get("by")
        if by not in (None, *_GROUPS):
            raise BadRequest(f"'by' must be one of {', '.join(_GROUPS)}.", param="by")
        limit = _number("limit", asked.get("limit"), _DEFAULT_PAGE)
        if not 1 <= limit <= _MAX_PAGE:
            raise BadRequest(f"'limit' must be from 1 to {_MAX_PAGE}.", param="limit")
        return cls(
            limit,
            asked.get("after"),
            _day("from", asked),
            _day("to", asked),
            asked.get("model"),
            by,
        )


def _number(name: str, text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadRequest(f"'{name}' must be a whole number.", param=name)
    return int(text)


def _day(name: str, asked: dict[str, str]) -> int | None:
    text = asked.get(name)
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"'{name}' must be a day, such as 2026-11-21.", param=name) from None
    return day.year * 10_000 + day.month * 100 + day.day


def _summary(call: CallRecord) -> dict[str, object]:
    return {
        "object": "call",
        "id": call.id,
        "created": call.started_ms // 1000,
        "endpoint": call.endpoint,
        "model": call.model,
        "stream": call.stream,
        "status": call.status,
        "outcome": call.outcome,
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
        "cached_tokens": call.cached_tokens,
        "usage_source": call.usage_source or None,
        "cost": write_yuan(call.cost_nano),
        "latency_ms": call.latency_ms,
        "first_token_ms": call.first_token_ms,
        "client_request_id": call.client_request_id,
    }
