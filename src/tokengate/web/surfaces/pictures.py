"""Pictures that are asked for at once, of models whose backends make them only as jobs, or without the addresses that
the caller's format has them at: a job is submitted, its end is waited for, and answered as if the pictures had been
made at once. All others are left to the pipeline.

When the caller leaves, or the deadline passes, the job is cancelled as long as its vendor has not begun it; from then
on it goes on and is paid for, and what it made lies at `/v1/jobs/{id}`. A job with an Idempotency-Key is not cancelled:
who asks again with the same key waits for the same job.
"""

import asyncio
import base64
from contextlib import suppress
from functools import partial
from itertools import zip_longest
from typing import Final

import msgspec
from msgspec import Struct

from tokengate.accounts.keys import Principal
from tokengate.core.clock import Clock
from tokengate.core.errors import (
    ClientGone,
    Conflict,
    GatewayError,
    NotFound,
    Unavailable,
    UpstreamFailed,
    UpstreamTimeout,
)
from tokengate.core.images import Draw, Drawing, DrawingTold, ImageFormat, Picture
from tokengate.core.jobs import Job, JobFile, JobState
from tokengate.core.money import write_balance, write_yuan
from tokengate.core.usage import ReportedUsage
from tokengate.core.wire import Heading
from tokengate.files.results import Results
from tokengate.formats.dashscope.errors import kind_of
from tokengate.formats.openai.stream import error_event
from tokengate.gateway.call import Options
from tokengate.gateway.media import body_with_uploads
from tokengate.gateway.operation import Operation
from tokengate.gateway.picture_check import MAX_PICTURE_BYTES
from tokengate.gateway.pictures import only_as_jobs
from tokengate.gateway.pipeline import Gateway
from tokengate.gateway.route import Route
from tokengate.tasks.jobs import JobOperation, Jobs
from tokengate.web.address import own_address
from tokengate.web.admit import Admit, within
from tokengate.web.request import Headers, Request

_LOOK_S: Final = 0.5
_QUIET_LOOKS: Final = 30  # after which a comment goes out into a stream, so that nobody on the way closes it
_STATUS: Final = {"request": 400, "limited": 429}
_RENEWED: Final = ("x-request-id", "x-account-balance")  # headers of a submission that its end knows better
_NO_RETRY: Final = ("x-should-retry", "false")  # which SDKs heed: another call would be another job


class PictureCalls:
    """Answers operations that make pictures. `base_url` is where callers reach the gateway, if the operator says so."""

    def __init__(
        self, gateway: Gateway, jobs: Jobs, results: Results, admit: Admit, clock: Clock, base_url: str
    ) -> None:
        self._gateway = gateway
        self._jobs = jobs
        self._results = results
        self._admit = admit
        self._clock = clock
        self._base_url = base_url

    async def answer(
        self, request: Request, principal: Principal, operation: Operation, body: bytes, options: Options
    ) -> None:
        """Answer one call. Raises GatewayError while no byte of a reply has left."""
        format = operation.images
        assert format is not None, "an operation that makes pictures"
        route = self._route(body)
        if route is None or not only_as_jobs(route, format):
            await self._gateway.answer(request.id, principal, operation, body, request, options)
            return
        if options.resolve_uploads:
            read = partial(self._gateway.uploads.read, principal.org_id, principal.project_id)
            body = await body_with_uploads(body, read)
        draw = operation.read(body).draw
        assert draw is not None, "a request for pictures is read into the vocabulary"
        asked = JobOperation(operation.name, operation.path, "image")
        taken = await self._jobs.submit(principal, asked, draw, options, request_id=request.id)
        request.id = taken.job.id  # under which the call is billed
        headers = [header for header in taken.headers if header[0] not in _RENEWED]
        if draw.stream:
            head: Headers = [("content-type", operation.stream_type), ("x-request-id", request.id), *headers]
            request.open(200, head)
        try:
            job = await self._ended(request, principal, taken.job, options, route, comments=draw.stream)
            drawing = await self._drawing(request, job, draw)
        except GatewayError as error:
            if not draw.stream:
                raise
            request.end(error_event(error.message, error.type, error.code, param=error.param))
            return
        await self._send(request, principal, format, drawing, draw, job, headers)

    async def _send(
        self,
        request: Request,
        principal: Principal,
        format: ImageFormat,
        drawing: Drawing,
        draw: Draw,
        job: Job,
        headers: Headers,
    ) -> None:
        heading = Heading(job.id.partition("_")[2], job.model, job.created_s)
        if draw.stream:
            request.end(format.write_stream(drawing, heading, draw))
            return
        teller = self._gateway.teller
        await teller.refresh(principal.wallet_id)
        balance_nano = teller.balance_nano(principal.wallet_id, after_holds=True)
        head: Headers = [
            ("content-type", "application/json"),
            ("x-request-id", job.id),
            *headers,
            ("x-account-balance", write_balance(balance_nano)),
            ("x-request-cost", write_yuan(job.cost_nano)),
        ]
        request.whole(200, head, format.write_reply(drawing, heading, draw))

    def _route(self, body: bytes) -> Route | None:
        """Return the route of the model that a body names; None for what the pipeline will refuse."""
        try:
            model = self._gateway.catalog.resolve(_decode_model(body).model)
        except (ValueError, RecursionError):
            return None
        return None if model is None else self._gateway.routes.get(model.answered_by)

    async def _ended(
        self, request: Request, principal: Principal, job: Job, options: Options, route: Route, *, comments: bool
    ) -> Job:
        """Return the job once it has succeeded. Raises ClientGone, UpstreamTimeout at the longest deadline that an
        upstream of its model has, Unavailable when the gateway stops, and the vendor's error."""
        until_s = self._clock.monotonic_s() + max(target.backend.timeouts.total for target in route.targets)
        try:
            job = await self._awaited(request, principal, job, until_s, comments=comments)
        except (ClientGone, UpstreamTimeout):
            if options.idempotency_key is None:
                await self._cancel(principal, job.id)
            raise
        if job.state is not JobState.SUCCEEDED:
            raise _failure(job)
        return job

    async def _awaited(
        self, request: Request, principal: Principal, job: Job, until_s: float, *, comments: bool
    ) -> Job:
        gone = asyncio.Event()
        request.when_gone(gone.set)
        looks = 0
        while not job.state.ended:
            with suppress(TimeoutError):
                await within(_LOOK_S, gone.wait())
            if gone.is_set():
                raise ClientGone
            if self._admit.stopping:
                request.extra.append(_NO_RETRY)
                raise Unavailable(f"The gateway stops; what becomes of the pictures is told at /v1/jobs/{job.id}.")
            if self._clock.monotonic_s() >= until_s:
                request.extra.append(_NO_RETRY)
                raise UpstreamTimeout(
                    f"The pictures were not made in time; what becomes of them is told at /v1/jobs/{job.id}.",
                    stage="total",
                    backend=job.upstream,
                )
            looks += 1
            if comments and looks % _QUIET_LOOKS == 0:
                await request.write(b": \n\n")
            job = await self._jobs.get(principal, job.id)
        return job

    async def _cancel(self, principal: Principal, job_id: str) -> None:
        """End a job that nobody waits for, if its vendor lets it go."""
        with suppress(Conflict, NotFound, UpstreamFailed):
            await self._jobs.cancel(principal, job_id)

    async def _drawing(self, request: Request, job: Job, draw: Draw) -> Drawing:
        """Return what a job made, as its caller wants it. Raises NotFound, Unavailable, UpstreamFailed."""
        if not job.files:
            raise NotFound("The pictures are kept no more.", code="result_expired")
        inside = draw.stream or draw.delivery == "b64_json"
        own = own_address(request, self._base_url)
        told = _decode_told(job.told) if job.told else DrawingTold()
        words = [one.revised_prompt for one in told.pictures if not one.code]
        pictures = tuple(
            [
                Picture(
                    base64=await self._read(job.id, file) if inside else None,
                    url=None if inside else own + file.path,
                    revised_prompt=said or None,
                )
                for file, said in zip_longest(job.files, words[: len(job.files)])
            ]
        )
        usage = None if job.usage is None else ReportedUsage(job.usage, job.raw_usage)
        return Drawing(pictures=pictures, usage=usage)

    async def _read(self, job_id: str, file: JobFile) -> str:
        if file.size_bytes > MAX_PICTURE_BYTES:
            raise UpstreamFailed(f"The upstream's picture is larger than {MAX_PICTURE_BYTES} bytes.", kind="too_large")
        result = await self._results.open(job_id, file.name)
        data = b"".join([piece async for piece in result.read()])
        return base64.b64encode(data).decode()


def _failure(job: Job) -> UpstreamFailed:
    """Return why a job made nothing, in the vendor's words where it has some."""
    if job.error is None:
        return UpstreamFailed(f"The job was {job.state.value}.", kind="status", backend=job.upstream)
    kind = kind_of(job.error.code)
    return UpstreamFailed(
        job.error.message or "The job failed.",
        kind=kind,
        status=_STATUS.get(kind, 502),
        backend=job.upstream,
        type="invalid_request_error" if kind == "request" else None,
        code=job.error.code,
    )


class _Named(Struct):
    model: str = ""


_decode_model = msgspec.json.Decoder(_Named).decode
_decode_told = msgspec.json.Decoder(DrawingTold).decode
