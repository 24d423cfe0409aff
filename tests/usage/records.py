"""Call records for the tests of this folder."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from tokengate.core.ids import new_id
from tokengate.storage.engine import Database
from tokengate.storage.writer import Writer
from tokengate.usage.record import CallRecord, rows_of

NOON_S = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
DAY_S = 86_400


def day_before(days: int) -> int:
    at = datetime.fromtimestamp(NOON_S, UTC) - timedelta(days=days)
    return int(at.strftime("%Y%m%d"))


def call(days_ago: int = 0, second: int = 0, *, prefix: str = "req", **changed: Any) -> CallRecord:
    started_s = NOON_S - days_ago * DAY_S + second
    fields: dict[str, Any] = {
        "id": new_id(prefix, started_s),
        "org_id": "org_default",
        "project_id": "proj_default",
        "key_id": "key_1",
        "wallet_id": "wal_1",
        "endpoint": "chat/completions",
        "model": "qwen-max",
        "upstream": "dashscope",
        "stream": False,
        "status": 200,
        "outcome": "ok",
        "error": "",
        "started_ms": int(started_s * 1000),
        "latency_ms": 12,
        "first_token_ms": None,
        "input_tokens": 100,
        "output_tokens": 20,
        "cached_tokens": 5,
        "usage_source": "vendor",
        "cost_nano": 1_000_000,
        "overrun_nano": 0,
        "bill": '{"total":"0.001"}',
        "attempts": "",
        "client_request_id": None,
    }
    return CallRecord(**(fields | changed))


async def keep(database: Database, records: Iterable[CallRecord]) -> None:
    writer = Writer(database)
    await writer.start()
    try:
        for record in records:
            await writer.commit(rows_of(record))
    finally:
        await writer.close()
