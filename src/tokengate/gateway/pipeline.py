"""The one path of every synchronous call: admit, hold, attempt, forward, settle.

Promises: nothing is forwarded before the money is held; a reply's last byte leaves only after its bill is durable; a
call that ends for any other reason (an error, a caller who leaves, a stop) releases its hold or settles what was
delivered.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Set
from functools import partial

from msgspec import Struct

from tokengate.accounts.keys import Principal
from tokengate.billing.charge import Charge
from tokengate.billing.quote import hold_for_call
from tokengate.catalog.load import Catalog
from tokengate.catalog.model import Model
from tokengate.catalog.price import CallTraits, Price
from tokengate.core.errors import BadRequest, ClientGone, Forbidden, GatewayError, ModelNotFound, Unavailable
from tokengate.core.jobs import JobKind
from tokengate.core.money import write_yuan
from tokengate.files.uploads import Uploads
from tokengate.gateway.adapt import reaches
from tokengate.gateway.asked import as_counted
from tokengate.gateway.call import Call, Options, Sink
from tokengate.gateway.media import Fetch
from tokengate.gateway.meter import Meter, Metered
from tokengate.gateway.operation import Asked, Operation
from tokengate.gateway.preset import with_preset
from tokengate.gateway.route import Route
from tokengate.gateway.stream import StreamRun
from tokengate.gateway.watch import Watch
from tokengate.gateway.whole import first_whole
from tokengate.idempotency.replies import Replies, StoredReply
from tokengate.ledger.teller import Teller
from tokengate.limits.limiter import Admission, Limiter

_MINUTES_PER_DAY = 1_440


class Gateway(Struct, frozen=True, eq=False):
    """What a call needs, built once by the composition root."""

    catalog: Catalog
    routes: Mapping[str, Route]
    teller: Teller
    limiter: Limiter
    replies: Replies
    watch: Watch
    meter: Meter
    fetch: Fetch
    uploads: Uploads
    default_output_cap: int

    async def answer(
        self, call_id: str, principal: Principal, operation: Operation, body: bytes, sink: Sink, options: Options
    ) -> None:
        """Answer one call into `sink`. Raises GatewayError while no byte of a reply has left."""
        clock = self.meter.clock
        started_s, now_ms = clock.monotonic_s(), int(clock.now_s() * 1000)
        asked = operation.read(body)
        model, price, route = self.find(asked.model, operation, principal)
        if model.preset is not None:
            asked = with_preset(model, model.preset, asked, operation, body)
        asked = as_counted(asked, model)
        call = Call(call_id, principal, operation, asked, model, options, sink, started_s=started_s, now_ms=now_ms)
        if options.resolve_uploads:
            call.read_upload = partial(self.uploads.read, principal.org_id, principal.project_id)
        call.by_tokens = (asked.characters > 0 and not price.per_character) or (
            asked.seconds > 0 and not price.per_second
        )
        self.watch.enter(call)
        try:
            if options.idempotency_key is None:
                await self._admit(call, price, route, body, None)
            else:
                await self._admit_once(call, price, route, body, options.idempotency_key)
        finally:
            self.watch.leave(call)

    def find(self, name: str, operation: Operation, principal: Principal) -> tuple[Model, Price, Route]:
        """Return a model that the caller may use for an operation, its price and its route. Raises GatewayError."""
        model = self.allowed(name, principal)
        if model.preset is not None and operation.format is None:
            raise _is_application(name, operation.path)
        if model.kind not in operation.kinds and model.kind not in operation.drawing_kinds:
            raise _wrong_kind(name, model, operation.path, operation.kinds)
        price, route = self.offered(name, model)
        for target in route.targets:
            if reaches(operation, target, model.kind):
                return model, price, route
        raise not_offered(name, operation.path, instead=operation.instead if model.kind == "chat" else None)

    def find_for_jobs(self, name: str, kind: JobKind, path: str, principal: Principal) -> tuple[Model, Price, Route]:
        """Return a model that the caller may use for jobs of a kind, its price and its route. Raises GatewayError."""
        model = self.allowed(name, principal)
        if model.preset is not None:
            raise _is_application(name, path)
        if model.kind != kind:
            raise _wrong_kind(name, model, path, {kind})
        price, route = self.offered(name, model)
        if not any(kind in target.backend.provider.jobs for target in route.targets):
            raise not_offered(name, path)
        return model, price, route

    def allowed(self, name: str, principal: Principal) -> Model:
        """Return a model that the caller's key may use. Raises ModelNotFound."""
        model = self.catalog.resolve(name)
        if model is None:
            obstacle = self.catalog.obstacle_of(name) if principal.models is None else None
            raise ModelNotFound(name, obstacle.sentence if obstacle else None)
        if principal.models is not None and model.id not in principal.models:
            raise ModelNotFound(name)
        return model

    def offered(self, name: str, model: Model) -> tuple[Price, Route]:
        """Return the price and the route of a model. Raises Forbidden without a price, ModelNotFound without a
        backend."""
        price = self.catalog.price_of(model.id)
        if price is None:
            raise Forbidden(f"The model '{name}' has no price set, so it cannot be called.", param="model")
        route = self.routes.get(model.answered_by)
        if route is None:
            what = f"The model '{name}' is in the catalogue"
            if model.preset is not None:
                what = f"The application '{name}' is over the model '{model.answered_by}'"
            raise ModelNotFound(name, f"{what}, but no upstream offers it here.")
        return price, route

    async def _admit_once(self, call: Call, price: Price, route: Route, body: bytes, key: str) -> None:
        """Answer, or give back the stored reply of the same idempotency key."""
        digest = digest_of(call.operation, call.asked, body)
        stored = await self.replies.begin(call.principal.key_id, key, digest)
        if stored is not None:
            await _replay(call, stored)
            return
        try:
            await self._admit(call, price, route, body, digest)
        finally:
            self.replies.end(call.principal.key_id, key)

    async def _admit(self, call: Call, price: Price, route: Route, body: bytes, digest: bytes | None) -> None:
        asked = call.asked
        bound = 0  # of tokens: none where seconds, pictures or characters are paid for
        if price.per_token:
            bound = asked.prompt_bound + (asked.output_cap or self.default_output_cap) * asked.generated
        metered: Metered | None = None
        try:
            admission = self.limiter.admit(call.principal, call.model.id, bound)
            try:
                metered = await self._charge(call, price, route, body, digest, admission)
            finally:
                used = metered.usage if metered else None
                admission.finish(
                    used.input_total + used.output_total if used else 0, metered.bill.cost_nano if metered else 0
                )
        except GatewayError as error:
            self.meter.unbilled(call, error)
            raise
        except asyncio.CancelledError:
            if call.task is not None:
                call.task.uncancel()
            if call.client_gone:
                self.meter.unbilled(call, ClientGone())
                return
            stopped = Unavailable("The gateway stopped before the reply was whole.", retry_after_s=2)
            self.meter.unbilled(call, stopped)
            raise stopped from None

    async def _charge(
        self,
        call: Call,
        price: Price,
        route: Route,
        body: bytes,
        digest: bytes | None,
        admission: Admission,
    ) -> Metered | None:
        asked, wallet_id = call.asked, call.principal.wallet_id
        quote = await hold_for_call(
            self.teller,
            wallet_id,
            call.model,
            price,
            prompt_bound=asked.prompt_bound,
            prompts=asked.prompts,
            asked_cap=asked.output_cap,
            choices=asked.generated,
            default_cap=self.default_output_cap,
            searches=asked.searches,
            images=asked.images,
            characters=asked.characters,
            seconds=asked.seconds,
            allowance=admission.allowance,
        )
        call.hold = quote.hold
        minute = call.now_ms // 60_000 % _MINUTES_PER_DAY
        traits = CallTraits(thinking=asked.thinking, minute=minute, size=asked.size, quality=asked.quality)
        with Charge(quote, price, traits, wallet_id, self.teller, admission.allowance) as charge:
            if call.options.begin is not None:
                await call.options.begin(call, self.meter.head(call, charge, admission, "application/json"))
            if asked.stream:
                return await StreamRun(call, charge, route, body, digest, admission, self.fetch, self.meter).run()
            return await self._whole(call, charge, route, body, digest, admission)

    async def _whole(
        self, call: Call, charge: Charge, route: Route, body: bytes, digest: bytes | None, admission: Admission
    ) -> Metered:
        meter = self.meter
        reply = await first_whole(call, charge, route, body, self.fetch, meter.metrics, meter.clock)
        metered = await meter.price(call, charge, reply.used)
        headers = meter.head(call, charge, admission, reply.content_type)
        headers.append(("x-request-cost", write_yuan(metered.bill.cost_nano)))
        stored = meter.stored_reply(call, digest, headers, reply.body) if digest is not None else []
        outcome = "client_gone" if call.client_gone else "ok"
        await meter.commit(call, charge, metered, stored, last=reply.body, outcome=outcome)
        if not call.client_gone:
            call.sink.whole(200, headers, reply.body)
        return metered


def digest_of(operation: Operation, asked: Asked, body: bytes) -> bytes:
    """Return by what a request is known when its idempotency key comes again: the model and the wish for a stream may
    lie in the path."""
    head = f"{operation.name}\0{asked.model}\0{asked.stream}\0"
    return hashlib.sha256(head.encode("utf-8", "surrogatepass") + body).digest()


async def _replay(call: Call, stored: StoredReply) -> None:
    headers = [*stored.headers, ("idempotent-replayed", "true")]
    if not call.asked.stream:
        call.sink.whole(stored.status, headers, stored.body)
        return
    call.sink.open(stored.status, headers)
    call.sink.end(stored.body)


def not_offered(name: str, path: str, *, instead: str | None = None) -> BadRequest:
    """Return the refusal of an operation that none of a model's backends has; `instead` is one that they all have."""
    hint = f" Ask it at {instead}." if instead else ""
    return BadRequest(f"No upstream of '{name}' offers {path}.{hint}", param="model", code="operation_not_offered")


def _is_application(name: str, path: str) -> BadRequest:
    return BadRequest(f"'{name}' is an application; {path} cannot call it.", param="model")


def _wrong_kind(name: str, model: Model, path: str, kinds: Set[str]) -> BadRequest:
    return BadRequest(
        f"'{name}' is a model of kind '{model.kind}'; {path} serves {', '.join(sorted(kinds))}.",
        param="model",
        code="model_kind_mismatch",
    )
