"""Orgs and API keys in the database. Whatever changes a key tells the processes that know keys by heart."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tokengate.accounts.keys import NO_LIMITS, NO_RULES, Budget, KeyLimits, KeyRules, Principal, new_key
from tokengate.core.errors import NotFound
from tokengate.core.ids import NewId
from tokengate.core.networks import read_networks
from tokengate.storage.changes import bump
from tokengate.storage.tables import keys, orgs, projects, wallets

DEFAULT_ORG = "org_default"
DEFAULT_PROJECT = "proj_default"
MAX_PAGE = 1_000

Kind = Literal["api", "session"]

_STREAMED_ROWS = 500  # between two looks at the event loop
_LIMITS = (keys.c.requests_per_minute, keys.c.tokens_per_minute, keys.c.concurrency, keys.c.spend_per_day_nano)
_RULES = (keys.c.models, keys.c.ips, keys.c.budget_nano, keys.c.budget_period)
_INFO = (
    keys.c.id,
    keys.c.name,
    keys.c.project_id,
    keys.c.wallet_id,
    keys.c.prefix,
    keys.c.last4,
    keys.c.created_ms,
    keys.c.disabled_ms,
    keys.c.expires_ms,
    keys.c.kind,
    keys.c.created_by,
)
_PRINCIPAL = (
    keys.c.digest,
    keys.c.disabled_ms,
    keys.c.id,
    keys.c.name,
    keys.c.org_id,
    keys.c.project_id,
    keys.c.wallet_id,
    keys.c.expires_ms,
    projects.c.stores_responses,
)


class KeyInfo(Struct, frozen=True):
    """What its owner may see of a key again."""

    id: str
    name: str
    project_id: str
    wallet_id: str
    prefix: str
    last4: str
    created_ms: int
    disabled_ms: int | None
    expires_ms: int | None
    kind: Kind
    created_by: str | None
    limits: KeyLimits
    rules: KeyRules


class CreatedKey(Struct, frozen=True):
    """A key with its text, which is not stored and cannot be shown again."""

    id: str
    key: str
    wallet_id: str


class StoredKey(Struct, frozen=True):
    """A key as the key ring needs it."""

    digest: bytes
    disabled: bool
    principal: Principal


async def ensure_default_org(tx: AsyncConnection, now_ms: int) -> None:
    """Create the org and the project that everything belongs to until there are others."""
    if (await tx.execute(select(orgs.c.id).where(orgs.c.id == DEFAULT_ORG))).first() is None:
        await tx.execute(insert(orgs).values(id=DEFAULT_ORG, name="Default", created_ms=now_ms))
    if (await tx.execute(select(projects.c.id).where(projects.c.id == DEFAULT_PROJECT))).first() is None:
        await tx.execute(
            insert(projects).values(id=DEFAULT_PROJECT, org_id=DEFAULT_ORG, name="Default", created_ms=now_ms)
        )


async def create_key(
    tx: AsyncConnection,
    org_id: str,
    *,
    wallet_id: str,
    name: str,
    now_ms: int,
    new_id: NewId,
    project_id: str = DEFAULT_PROJECT,
    limits: KeyLimits = NO_LIMITS,
    rules: KeyRules = NO_RULES,
    expires_ms: int | None = None,
    kind: Kind = "api",
    created_by: str | None = None,
) -> CreatedKey:
    """Create a key that spends from one of the org's wallets. Raises NotFound for a wallet or project that the
    org does not have."""
    for table, wanted, what in ((wallets, wallet_id, "wallet"), (projects, project_id, "project")):
        query = select(table.c.id).where(table.c.id == wanted, table.c.org_id == org_id)
        if (await tx.execute(query)).first() is None:
            raise NotFound(f"There is no {what} '{wanted}'.")
    made = new_key()
    key_id = new_id("key", now_ms / 1000)
    await tx.execute(
        insert(keys).values(
            id=key_id,
            org_id=org_id,
            project_id=project_id,
            wallet_id=wallet_id,
            name=name,
            digest=made.digest,
            prefix=made.prefix,
            last4=made.last4,
            created_ms=now_ms,
            expires_ms=expires_ms,
            kind=kind,
            created_by=created_by,
            **_limit_values(limits),
            **_rule_values(rules),
        )
    )
    await bump(tx, "keys")
    return CreatedKey(id=key_id, key=made.text, wallet_id=wallet_id)


async def get_key(read: AsyncConnection, org_id: str, key_id: str) -> KeyInfo:
    """Return one key. Raises NotFound."""
    query = select(*_INFO, *_RULES, *_LIMITS).where(keys.c.org_id == org_id, keys.c.id == key_id)
    row = (await read.execute(query)).first()
    if row is None:
        raise _no_such_key(key_id)
    return _info(row)


async def list_keys(
    read: AsyncConnection,
    org_id: str,
    *,
    kind: Kind | None = None,
    project_id: str | None = None,
    over_since_ms: int | None = None,
    q: str = "",
    after: str | None = None,
    limit: int = MAX_PAGE,
) -> list[KeyInfo]:
    """Return the org's keys, disabled ones included, oldest first; `after` is the id of the last one seen, `q` a part
    of the name. With `over_since_ms`, session keys that were over by then are left out."""
    assert 1 <= limit <= MAX_PAGE
    query = select(*_INFO, *_RULES, *_LIMITS).where(keys.c.org_id == org_id)
    if kind is not None:
        query = query.where(keys.c.kind == kind)
    if project_id is not None:
        query = query.where(keys.c.project_id == project_id)
    if over_since_ms is not None:
        query = query.where(or_(keys.c.kind != "session", keys.c.expires_ms > over_since_ms))
    if q:
        query = query.where(keys.c.name.icontains(q, autoescape=True))
    if after is not None:
        query = query.where(keys.c.id > after)
    return [_info(row) for row in await read.execute(query.order_by(keys.c.id).limit(limit))]


async def disable_key(tx: AsyncConnection, org_id: str, key_id: str, now_ms: int) -> None:
    """Refuse a key's calls from now on; a disabled key keeps the time when it was first disabled."""
    if (await get_key(tx, org_id, key_id)).disabled_ms is None:
        await _update_key(tx, org_id, key_id, disabled_ms=now_ms)


async def enable_key(tx: AsyncConnection, org_id: str, key_id: str) -> None:
    """Let a disabled key call again."""
    await _update_key(tx, org_id, key_id, disabled_ms=None)


async def rotate_key(tx: AsyncConnection, org_id: str, key_id: str) -> CreatedKey:
    """Give a key a new text; the old one is refused from now on. Id, wallet, limits and usage stay."""
    wallet_id = (await get_key(tx, org_id, key_id)).wallet_id
    made = new_key()
    await _update_key(tx, org_id, key_id, digest=made.digest, prefix=made.prefix, last4=made.last4)
    return CreatedKey(id=key_id, key=made.text, wallet_id=wallet_id)


async def set_limits(tx: AsyncConnection, org_id: str, key_id: str, limits: KeyLimits) -> None:
    """Replace all limits of a key."""
    await _update_key(tx, org_id, key_id, **_limit_values(limits))


async def change_key(
    tx: AsyncConnection,
    org_id: str,
    key_id: str,
    *,
    name: str,
    expires_ms: int | None,
    limits: KeyLimits,
    rules: KeyRules,
) -> None:
    """Replace what a key is called and what it may do. Raises NotFound."""
    await _update_key(
        tx, org_id, key_id, name=name, expires_ms=expires_ms, **_limit_values(limits), **_rule_values(rules)
    )


async def stream_keys(read: AsyncConnection, now_ms: int) -> AsyncIterator[StoredKey]:
    """Yield every key of every org, for the key ring, but for session keys that are over."""
    alive = or_(keys.c.kind != "session", keys.c.expires_ms > now_ms)
    query = select(*_PRINCIPAL, *_RULES, *_LIMITS).join(projects, projects.c.id == keys.c.project_id).where(alive)
    result = await read.stream(query)
    async for rows in result.partitions(_STREAMED_ROWS):
        for row in rows:
            digest, disabled_ms, key_id, name, org_id, project_id, wallet_id, expires_ms, stores, *rest = row
            rules = _rules(rest[: len(_RULES)])
            yield StoredKey(
                digest=digest,
                disabled=disabled_ms is not None,
                principal=Principal(
                    key_id=key_id,
                    name=name,
                    org_id=org_id,
                    project_id=project_id,
                    wallet_id=wallet_id,
                    limits=_limits(rest[len(_RULES) :]),
                    expires_ms=expires_ms,
                    models=frozenset(rules.models) or None,
                    networks=read_networks(rules.ips) or None,
                    budget=rules.budget,
                    stores_responses=stores,
                ),
            )


async def _update_key(tx: AsyncConnection, org_id: str, key_id: str, **values: object) -> None:
    changed = await tx.execute(update(keys).where(keys.c.org_id == org_id, keys.c.id == key_id).values(**values))
    if not changed.rowcount:
        raise _no_such_key(key_id)
    await bump(tx, "keys")


def _no_such_key(key_id: str) -> NotFound:
    return NotFound(f"There is no key '{key_id}'.")


def _info(row: Sequence[Any]) -> KeyInfo:
    fields, rules = len(_INFO), len(_INFO) + len(_RULES)
    return KeyInfo(*row[:fields], limits=_limits(row[rules:]), rules=_rules(row[fields:rules]))


_decode_list = msgspec.json.Decoder(tuple[str, ...]).decode


def _rules(values: Sequence[Any]) -> KeyRules:
    models, ips, nano, period = values
    if not models and not ips and nano is None:
        return NO_RULES
    return KeyRules(
        models=_decode_list(models) if models else (),
        ips=_decode_list(ips) if ips else (),
        budget=None if nano is None else Budget(nano, period),
    )


def _rule_values(rules: KeyRules) -> dict[str, Any]:
    budget = rules.budget
    return {
        "models": msgspec.json.encode(rules.models).decode() if rules.models else "",
        "ips": msgspec.json.encode(rules.ips).decode() if rules.ips else "",
        "budget_nano": None if budget is None else budget.nano,
        "budget_period": None if budget is None else budget.period,
    }


def _limits(values: Sequence[int | None]) -> KeyLimits:
    return NO_LIMITS if all(value is None for value in values) else KeyLimits(*values)


def _limit_values(limits: KeyLimits) -> dict[str, int | None]:
    return {name: getattr(limits, name) for name in KeyLimits.__struct_fields__}
