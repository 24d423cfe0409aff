"""Changes of keys, each with its line in the audit log; the stores do the work."""

from msgspec import Struct, structs

from tokengate.accounts import store
from tokengate.accounts.audit import Action, By
from tokengate.accounts.audit.store import record
from tokengate.accounts.keys import NO_LIMITS, NO_RULES, KeyLimits, KeyRules
from tokengate.accounts.store import CreatedKey, KeyInfo, Kind
from tokengate.storage.engine import Tx


class KeyChange(Struct, frozen=True):
    """Everything that can be changed of a key."""

    name: str
    expires_ms: int | None
    limits: KeyLimits
    rules: KeyRules


async def create_key(
    tx: Tx,
    org_id: str,
    by: By,
    *,
    name: str,
    project_id: str,
    wallet_id: str,
    limits: KeyLimits = NO_LIMITS,
    rules: KeyRules = NO_RULES,
    expires_ms: int | None = None,
    kind: Kind = "api",
) -> CreatedKey:
    """Create a key. Raises NotFound for a project or wallet that the org does not have."""
    created = await store.create_key(
        tx,
        org_id,
        wallet_id=wallet_id,
        project_id=project_id,
        name=name,
        now_ms=by.now_ms,
        new_id=by.new_id,
        limits=limits,
        rules=rules,
        expires_ms=expires_ms,
        kind=kind,
        created_by=by.id,
    )
    after = await store.get_key(tx, org_id, created.id)
    await record(tx, org_id, by, "key.create" if kind == "api" else "key.create_session", created.id, after=after)
    return created


async def change_key(tx: Tx, org_id: str, by: By, key_id: str, change: KeyChange) -> KeyInfo:
    """Replace what a key is called and what it may do. Raises NotFound."""
    before = await store.get_key(tx, org_id, key_id)
    await store.change_key(tx, org_id, key_id, **structs.asdict(change))
    return await _changed(tx, org_id, by, "key.change", before)


async def disable_key(tx: Tx, org_id: str, by: By, key_id: str) -> KeyInfo:
    """Refuse a key's calls from now on. Raises NotFound."""
    before = await store.get_key(tx, org_id, key_id)
    await store.disable_key(tx, org_id, key_id, by.now_ms)
    return await _changed(tx, org_id, by, "key.disable", before)


async def enable_key(tx: Tx, org_id: str, by: By, key_id: str) -> KeyInfo:
    """Let a disabled key call again. Raises NotFound."""
    before = await store.get_key(tx, org_id, key_id)
    await store.enable_key(tx, org_id, key_id)
    return await _changed(tx, org_id, by, "key.enable", before)


async def rotate_key(tx: Tx, org_id: str, by: By, key_id: str) -> CreatedKey:
    """Give a key a new text; the old one is refused from now on. Raises NotFound."""
    before = await store.get_key(tx, org_id, key_id)
    created = await store.rotate_key(tx, org_id, key_id)
    await _changed(tx, org_id, by, "key.rotate", before)
    return created


async def _changed(tx: Tx, org_id: str, by: By, action: Action, before: KeyInfo) -> KeyInfo:
    after = await store.get_key(tx, org_id, before.id)
    await record(tx, org_id, by, action, before.id, before=before, after=after)
    return after
