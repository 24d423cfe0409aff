"""API keys of an org: made, shown once, limited, rotated, disabled; and short-lived keys for pages that try calls."""

from typing import Annotated

from litestar import Controller, get, patch, post
from litestar.params import FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK
from msgspec import UNSET, Meta, Struct, UnsetType

from tokengate.accounts import changes, store
from tokengate.accounts.audit import By
from tokengate.accounts.changes import KeyChange
from tokengate.accounts.keys import NO_LIMITS, NO_RULES, Budget, KeyLimits, KeyRules
from tokengate.accounts.orgs.store import list_projects
from tokengate.accounts.store import CreatedKey, KeyInfo, Kind
from tokengate.accounts.users import read_name
from tokengate.core.errors import BadRequest, NotFound
from tokengate.core.ids import ms_of_id
from tokengate.core.money import NANO_PER_YUAN, read_yuan, write_yuan
from tokengate.core.periods import PERIODS, Period, span_of
from tokengate.ledger.store import list_wallets
from tokengate.storage.engine import Tx
from tokengate.usage.store import last_calls, spend_since
from tokengate.web.console import Console
from tokengate.web.console_api.access import may
from tokengate.web.console_api.given import Author, Id, OrgId, Services, Who
from tokengate.web.console_api.shapes import After, FutureMs, Limit, Page, Search, Yuan, require_future

SESSION_KEY_MS = 15 * 60_000
SESSION_KEY_CAP_NANO = 1 * NANO_PER_YUAN
SESSION_KEY_MOST_NANO = 10 * NANO_PER_YUAN

# A person tries one call at a time; this much more than that is a page gone wild.
_SESSION_LIMITS = KeyLimits(requests_per_minute=60, concurrency=4)

Models = Annotated[list[str], Meta(max_length=200, description="Ids of models; empty is all.")]
Networks = Annotated[list[str], Meta(max_length=100, description="Addresses and CIDR blocks; empty is anywhere.")]
PositiveInt = Annotated[int, Meta(ge=1, le=2**31 - 1)]
PositiveBigInt = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What a key may ask for; null leaves it to the platform's defaults."""

    requests_per_minute: PositiveInt | None = None
    tokens_per_minute: PositiveBigInt | None = None
    concurrency: PositiveInt | None = None
    spend_per_day_yuan: Yuan | None = None  # per UTC day; beyond it calls are refused with 429


class BudgetIn(Struct, frozen=True, forbid_unknown_fields=True):
    """What a key may spend in a calendar period, UTC; beyond it calls are refused with 402."""

    amount_yuan: Yuan
    period: Period


class BudgetOut(Struct, frozen=True):
    """A budget, and what has been spent of it in the period that ends at `resets_ms`."""

    amount_yuan: str
    period: Period
    spent_yuan: str
    resets_ms: int | None


class KeyOut(Struct, frozen=True):
    """A key without its text."""

    id: str
    name: str
    kind: Kind
    project_id: str
    wallet_id: str
    prefix: str
    last4: str
    created_ms: int
    created_by: str | None
    disabled_ms: int | None
    expires_ms: int | None
    last_used_ms: int | None
    models: list[str]
    ips: list[str]
    limits: Limits
    budget: BudgetOut | None


class KeyForm(Struct, frozen=True, forbid_unknown_fields=True):
    """A key to make. Without a project or a wallet it gets the org's first."""

    name: str
    project_id: str | None = None
    wallet_id: str | None = None
    expires_ms: FutureMs | None = None
    models: Models = []
    ips: Networks = []
    limits: Limits = Limits()
    budget: BudgetIn | None = None


class KeyPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a key; what is left out stays, null takes away."""

    name: str | UnsetType = UNSET
    expires_ms: FutureMs | UnsetType | None = UNSET
    models: Models | UnsetType = UNSET
    ips: Networks | UnsetType = UNSET
    limits: Limits | UnsetType = UNSET
    budget: BudgetIn | UnsetType | None = UNSET


class CreatedOut(Struct, frozen=True):
    """A key with its text, which is shown this once."""

    key: KeyOut
    secret: str


class SessionKeyForm(Struct, frozen=True, forbid_unknown_fields=True):
    """A key for a page that tries calls; `cap_yuan` is what it may spend at most, ¥1 unless said, up to ¥10."""

    project_id: str | None = None
    wallet_id: str | None = None
    cap_yuan: Yuan | None = None


class SessionKeyOut(Struct, frozen=True):
    """For the page's own use: never to be displayed or stored."""

    id: str
    secret: str
    expires_ms: int
    wallet_id: str
    cap_yuan: str


class Keys(Controller):
    """`/orgs/{org_id}/keys` and `/orgs/{org_id}/session-key`."""

    path = "/orgs/{org_id:str}"
    tags = ("keys",)

    @get("/keys", guards=[may("keys.read")], summary="List the keys of an org")
    async def list_keys(
        self,
        console: Services,
        org_id: OrgId,
        q: Search = "",
        kind: FromQuery[Kind | None] = None,
        project_id: Annotated[str, QueryParameter(max_length=64)] = "",
        limit: Limit = 50,
        after: After = "",
    ) -> Page[KeyOut]:
        """Oldest first; session keys that are over are left out."""
        now_ms = console.now_ms()
        async with console.database.read() as read:
            found = await store.list_keys(
                read,
                org_id,
                kind=kind,
                project_id=project_id or None,
                over_since_ms=now_ms,
                q=q,
                after=after or None,
                limit=limit + 1,
            )
            more = len(found) > limit
            keys = await _outs(read, console, org_id, found[:limit])
        return Page(keys, keys[-1].id if more else None)

    @post("/keys", guards=[may("keys.write")], summary="Create a key")
    async def create_key(self, console: Services, org_id: OrgId, by: Author, data: JSONBody[KeyForm]) -> CreatedOut:
        """Its text is in this answer and nowhere else."""
        require_future(data.expires_ms, by.now_ms)
        name, limits = read_name(data.name), _limits(data.limits)
        rules = _rules(console, data.models, data.ips, data.budget)
        async with console.database.tx() as tx:
            project_id, wallet_id = await _place(tx, org_id, data.project_id, data.wallet_id)
            created = await changes.create_key(
                tx,
                org_id,
                by,
                name=name,
                project_id=project_id,
                wallet_id=wallet_id,
                limits=limits,
                rules=rules,
                expires_ms=data.expires_ms,
            )
        return await _created(console, org_id, created)

    @get("/keys/{key_id:str}", guards=[may("keys.read")], summary="Show a key")
    async def show_key(self, console: Services, org_id: OrgId, key_id: Id) -> KeyOut:
        """With what it has spent of its budget, and when it was last used."""
        return await _show(console, org_id, key_id)

    @patch("/keys/{key_id:str}", guards=[may("keys.write")], summary="Change what a key is called and may do")
    async def change_key(
        self, console: Services, org_id: OrgId, key_id: Id, by: Author, data: JSONBody[KeyPatch]
    ) -> KeyOut:
        """Takes effect at once; calls in flight finish."""
        async with console.database.tx() as tx:
            await changes.change_key(
                tx, org_id, by, key_id, _patched(console, by, await _own(tx, org_id, key_id), data)
            )
        return await _changed(console, org_id, key_id)

    @post(
        "/keys/{key_id:str}/rotate",
        guards=[may("keys.write")],
        status_code=HTTP_200_OK,
        summary="Give a key a new text",
    )
    async def rotate_key(self, console: Services, org_id: OrgId, key_id: Id, by: Author) -> CreatedOut:
        """The old one is refused from now on; id, wallet, limits and usage stay."""
        async with console.database.tx() as tx:
            await _own(tx, org_id, key_id)
            created = await changes.rotate_key(tx, org_id, by, key_id)
        return await _created(console, org_id, created)

    @post("/keys/{key_id:str}/disable", guards=[may("keys.write")], status_code=HTTP_200_OK, summary="Disable a key")
    async def disable_key(self, console: Services, org_id: OrgId, key_id: Id, by: Author) -> KeyOut:
        """Its calls are refused from now on; those in flight finish."""
        async with console.database.tx() as tx:
            await changes.disable_key(tx, org_id, by, key_id)
        return await _changed(console, org_id, key_id)

    @post("/keys/{key_id:str}/enable", guards=[may("keys.write")], status_code=HTTP_200_OK, summary="Enable a key")
    async def enable_key(self, console: Services, org_id: OrgId, key_id: Id, by: Author) -> KeyOut:
        """A disabled key may call again."""
        async with console.database.tx() as tx:
            await changes.enable_key(tx, org_id, by, key_id)
        return await _changed(console, org_id, key_id)

    @post("/session-key", guards=[may("keys.write")], summary="Make a key for a page that tries calls")
    async def create_session_key(
        self, console: Services, org_id: OrgId, viewer: Who, by: Author, data: JSONBody[SessionKeyForm]
    ) -> SessionKeyOut:
        """It holds for 15 minutes, spends from one wallet up to its own cap, and is listed with the kind `session`."""
        cap_nano = SESSION_KEY_CAP_NANO if data.cap_yuan is None else _nano(data.cap_yuan, "cap_yuan")
        if cap_nano > SESSION_KEY_MOST_NANO:
            most = write_yuan(SESSION_KEY_MOST_NANO)
            raise BadRequest(f"A session key spends ¥{most} at most.", param="cap_yuan", code="cap_too_high")
        expires_ms = by.now_ms + SESSION_KEY_MS
        async with console.database.tx() as tx:
            project_id, wallet_id = await _place(tx, org_id, data.project_id, data.wallet_id)
            created = await changes.create_key(
                tx,
                org_id,
                by,
                name=f"session of {viewer.email or viewer.name}",
                project_id=project_id,
                wallet_id=wallet_id,
                limits=_SESSION_LIMITS,
                rules=KeyRules(budget=Budget(cap_nano, "never")),
                expires_ms=expires_ms,
                kind="session",
            )
        await console.keyring.refresh()
        return SessionKeyOut(created.id, created.key, expires_ms, wallet_id, write_yuan(cap_nano))


async def _changed(console: Console, org_id: str, key_id: str) -> KeyOut:
    """Return a changed key, once calls to this gateway go by the change."""
    await console.keyring.refresh()
    return await _show(console, org_id, key_id)


async def _show(console: Console, org_id: str, key_id: str) -> KeyOut:
    async with console.database.read() as read:
        (key,) = await _outs(read, console, org_id, [await store.get_key(read, org_id, key_id)])
    return key


async def _created(console: Console, org_id: str, created: CreatedKey) -> CreatedOut:
    return CreatedOut(await _changed(console, org_id, created.id), created.key)


async def _own(tx: Tx, org_id: str, key_id: str) -> KeyInfo:
    """Return a key that may be changed. Session keys are what they are."""
    key = await store.get_key(tx, org_id, key_id)
    if key.kind == "session":
        raise BadRequest("A session key cannot be changed; disable it.", code="session_key")
    return key


async def _place(tx: Tx, org_id: str, project_id: str | None, wallet_id: str | None) -> tuple[str, str]:
    """Return the project and the wallet that are named, or the org's first ones."""
    if not project_id:
        projects = await list_projects(tx, org_id, limit=1)
        if not projects:
            raise NotFound("The org has no project yet.", param="project_id")
        project_id = projects[0].id
    if not wallet_id:
        wallets = await list_wallets(tx, org_id, limit=1)
        if not wallets:
            raise NotFound("The org has no wallet yet.", param="wallet_id")
        wallet_id = wallets[0].id
    return project_id, wallet_id


async def _outs(read: Tx, console: Console, org_id: str, found: list[KeyInfo]) -> list[KeyOut]:
    ids = [key.id for key in found]
    used = await last_calls(read, org_id, ids)
    spent: dict[str, int] = {}
    for period in PERIODS:
        mine = [key.id for key in found if key.rules.budget is not None and key.rules.budget.period == period]
        if mine:
            spent |= await spend_since(read, org_id, mine, span_of(period, console.clock.now_s()).first_day)
    return [_out(console, key, used.get(key.id), spent.get(key.id, 0)) for key in found]


def _out(console: Console, key: KeyInfo, last_call: str | None, spent_nano: int) -> KeyOut:
    limits, budget = key.limits, key.rules.budget
    spend_nano = limits.spend_per_day_nano
    return KeyOut(
        id=key.id,
        name=key.name,
        kind=key.kind,
        project_id=key.project_id,
        wallet_id=key.wallet_id,
        prefix=key.prefix,
        last4=key.last4,
        created_ms=key.created_ms,
        created_by=key.created_by,
        disabled_ms=key.disabled_ms,
        expires_ms=key.expires_ms,
        last_used_ms=None if last_call is None else ms_of_id(last_call),
        models=list(key.rules.models),
        ips=list(key.rules.ips),
        limits=Limits(
            limits.requests_per_minute,
            limits.tokens_per_minute,
            limits.concurrency,
            None if spend_nano is None else write_yuan(spend_nano),
        ),
        budget=None if budget is None else _budget_out(console, budget, spent_nano),
    )


def _budget_out(console: Console, budget: Budget, spent_nano: int) -> BudgetOut:
    ends_s = span_of(budget.period, console.clock.now_s()).ends_s
    return BudgetOut(
        write_yuan(budget.nano), budget.period, write_yuan(spent_nano), None if ends_s is None else ends_s * 1000
    )


def _patched(console: Console, by: By, key: KeyInfo, data: KeyPatch) -> KeyChange:
    expires_ms = key.expires_ms
    if data.expires_ms is not UNSET:
        require_future(data.expires_ms, by.now_ms)
        expires_ms = data.expires_ms
    rules = _rules(
        console,
        list(key.rules.models) if data.models is UNSET else data.models,
        list(key.rules.ips) if data.ips is UNSET else data.ips,
        None if data.budget is UNSET else data.budget,
    )
    if data.budget is UNSET:
        rules = KeyRules(rules.models, rules.ips, key.rules.budget)
    return KeyChange(
        name=key.name if data.name is UNSET else read_name(data.name),
        expires_ms=expires_ms,
        limits=key.limits if data.limits is UNSET else _limits(data.limits),
        rules=rules,
    )


def _limits(given: Limits) -> KeyLimits:
    if given == Limits():
        return NO_LIMITS
    spend = given.spend_per_day_yuan
    return KeyLimits(
        given.requests_per_minute,
        given.tokens_per_minute,
        given.concurrency,
        None if spend is None else _nano(spend, "limits.spend_per_day_yuan"),
    )


def _rules(console: Console, models: list[str], ips: list[str], budget: BudgetIn | None) -> KeyRules:
    if not models and not ips and budget is None:
        return NO_RULES
    try:
        return KeyRules(
            models=tuple(dict.fromkeys(_model_id(console, name) for name in models)),
            ips=tuple(dict.fromkeys(text.strip() for text in ips)),
            budget=None if budget is None else Budget(_nano(budget.amount_yuan, "budget.amount_yuan"), budget.period),
        )
    except ValueError as error:
        raise BadRequest(f"{error}.", param="ips", code="bad_network") from None


def _model_id(console: Console, name: str) -> str:
    model = console.catalog.resolve(name)
    if model is None:
        raise BadRequest(f"There is no model '{name[:200]}'.", param="models", code="model_not_found")
    return model.id


def _nano(text: str, param: str) -> int:
    try:
        nano = read_yuan(text)
    except ValueError as error:
        raise BadRequest(f"{error}.", param=param, code="bad_amount") from None
    if nano <= 0:
        raise BadRequest("An amount must be above zero.", param=param, code="bad_amount")
    return nano
