"""The usage record of one call, and the rows that keep it: the call itself and its share of the day's sums."""

import msgspec
from msgspec import Struct

from tokengate.core.ids import day_of_id
from tokengate.storage.tables import calls, usage_daily
from tokengate.storage.writer import Add, Insert, Row

FAILED_OUTCOMES = frozenset({"error", "upstream_cut", "crashed"})

# How the ids of calls begin: a call that took its vendor long has the id of its job. Behind that comes the time.
CALL_PREFIXES = ("req_", "job_")
BEHIND_ID = "g"  # sorts behind what comes after a prefix, which is hexadecimal

_MAX_ERROR_CHARS = 2_000
_MAX_CLIENT_REQUEST_ID_CHARS = 200  # the column's width


class CallRecord(Struct, frozen=True):
    """The columns of `calls` behind `day`, which is in the id; storage/tables.py says what each holds."""

    id: str
    org_id: str
    project_id: str
    key_id: str
    wallet_id: str
    endpoint: str
    model: str
    upstream: str
    stream: bool
    status: int
    outcome: str  # ok | error | client_gone | upstream_cut | length | stopped | cancelled | crashed
    error: str
    started_ms: int
    latency_ms: int
    first_token_ms: int | None
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    usage_source: str
    cost_nano: int
    overrun_nano: int
    bill: str
    attempts: str
    client_request_id: str | None

    @property
    def day(self) -> int:
        """The UTC day in which the call's id was made. It keys the record, so that an id is enough to find it."""
        day = day_of_id(self.id)
        assert day is not None, f"{self.id!r} is not an id of ours"
        return day


def rows_of(record: CallRecord) -> list[Row]:
    """Return what a finished call adds to the database.

    Text that came from outside is made to fit first: a bill must not fail for a strange request id.
    """
    day = record.day
    kept = record
    if record.error or record.client_request_id is not None:
        kept = _fitting(record)
    return [
        Insert(calls, (day, *msgspec.structs.astuple(kept))),
        Add(
            usage_daily,
            (day, record.key_id, record.model, record.org_id, record.project_id, record.wallet_id),
            (
                1,
                1 if record.outcome in FAILED_OUTCOMES else 0,
                record.input_tokens,
                record.output_tokens,
                record.cached_tokens,
                record.cost_nano,
                record.overrun_nano,
            ),
        ),
    ]


def _fitting(record: CallRecord) -> CallRecord:
    client_request_id = record.client_request_id
    if client_request_id is not None:
        client_request_id = _fit(client_request_id, _MAX_CLIENT_REQUEST_ID_CHARS)
    return msgspec.structs.replace(
        record, error=_fit(record.error, _MAX_ERROR_CHARS), client_request_id=client_request_id
    )


def _fit(text: str, most: int) -> str:
    """Return text that every database takes: no NUL, no lone surrogate, not too long."""
    if text.isprintable() and len(text) <= most:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:most]
