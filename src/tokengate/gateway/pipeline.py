"""The one path of every synchronous call: admit, hold, attempt, forward, settle.

Promises: nothing is forwarded before the money is held; a reply's last byte leaves only after its bill is durable; a
call that ends for any other reason (an error, a caller who leaves, a stop) releases its hold or settles what was
delivered.
"""

import asyncio
import hashlib
from collections.abc import Mapping

from msgspec import Struct

from tokengate.accounts.keys import Principal
from tokengate.billing.charge import Charge
from tokengate.billing.quote import hold_for_call
from tokengate.catalog.load import Catalog
from tokengate.catalog.model import Model
from tokengate.catalog.price import CallTraits, Price
from tokengate.core.errors import BadRequest, ClientGone, Forbidden, GatewayError, ModelNotFound, Unavailable
from tokengate.core.money import write_yuan
from tokengate.gateway.adapt import reaches
from tokengate.gateway.call import Call, Options, Sink
from tokengate.gateway.media import Fetch
from tokengate.gateway.meter import Meter, Metered
from tokengate.gateway.operation import Operation
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
        call = Call(call_id, principal, operation, asked, model, options, sink, started_s=started_s, now_ms=now_ms)
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
        model = self.catalog.resolve(name)
        if model is None or (principal.models is not None and model.id not in principal.models):
            raise ModelNotFound(name)
        if model.preset is not None and operation.format is None:
            raise BadRequest(f"'{name}' is an application; {operation.path} cannot call it.", param="model")
        if model.kind not in operation.kinds:
            served = ", ".join(sorted(operation.kinds))
            raise BadRequest(
                f"'{name}' is a model of kind '{model.kind}'; {operation.path} serves {served}.",
                param="model",
                code="model_kind_mismatch",
            )
        price = self.catalog.price_of(model.id)
        if price is None:
            raise Forbidden(f"The model '{name}' has no price set, so it cannot be called.", param="model")
        route = self.routes.get(model.id)
        if route is None:
            raise ModelNotFound(name, f"The model '{name}' is in the catalogue, but no upstream offers it here.")
        if not any(reaches(operation, target) for target in route.targets):
            raise BadRequest(
                f"No upstream of '{name}' offers {operation.path}.", param="model", code="operation_not_offered"
            )
        return model, price, route

    async def _admit_once(self, call: Call, price: Price, route: Route, body: bytes, key: str) -> None:
        """Answer, or give back the stored reply of the same idempotency key."""
        digest = hashlib.sha256(call.operation.name.encode() + b"\0" + body).digest()
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
        output_bound = (asked.output_cap or self.default_output_cap) * asked.generated
        metered: Metered | None = None
        try:
            admission = self.limiter.admit(call.principal, call.model.id, asked.prompt_bound + output_bound)
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
        )
        call.hold = quote.hold
        traits = CallTraits(thinking=asked.thinking, minute=call.now_ms // 60_000 % _MINUTES_PER_DAY)
        with Charge(quote, price, traits, wallet_id, self.teller) as charge:
            if asked.stream:
                return await StreamRun(call, charge, route, body, digest, admission, self.fetch, self.meter).run()
            return await self._whole(call, charge, route, body, digest, admission)

    async def _whole(
        self, call: Call, charge: Charge, route: Route, body: bytes, digest: bytes | None, admission: Admission
    ) -> Metered:
        meter = self.meter
        reply = await first_whole(call, charge, route, body, self.fetch, meter.metrics, meter.clock)
        metered = await meter.price(call, charge, reply.used)
        headers = meter.head(call, charge, admission, "application/json")
        headers.append(("x-request-cost", write_yuan(metered.bill.cost_nano)))
        stored = meter.stored_reply(call, digest, headers, reply.body) if digest is not None else []
        await meter.commit(call, charge, metered, stored, outcome="client_gone" if call.client_gone else "ok")
        if not call.client_gone:
            call.sink.whole(200, headers, reply.body)
        return metered


async def _replay(call: Call, stored: StoredReply) -> None:
    headers = [*stored.headers, ("idempotent-replayed", "true")]
    if not call.asked.stream:
        call.sink.whole(stored.status, headers, stored.body)
        return
    call.sink.open(stored.status, headers)
    call.sink.end(stored.body)
