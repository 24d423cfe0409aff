"""Jobs of every kind, whatever format they were asked for in: `/v1/jobs` and what lies below, and the addresses at
which vendors tell of their ends.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, TypeVar
from urllib.parse import parse_qs

import msgspec
from msgspec import Raw

from tokengate.core.errors import BadRequest, NotFound
from tokengate.core.jobs import JOB_KINDS, Job, JobState
from tokengate.core.money import write_yuan
from tokengate.reference import table
from tokengate.tasks.callbacks import PATH as CALLBACKS
from tokengate.tasks.callbacks import Callbacks
from tokengate.tasks.job_hooks import JobHooks
from tokengate.tasks.jobs import Jobs
from tokengate.web.address import own_address
from tokengate.web.admit import Admit, within
from tokengate.web.dispatch import Endpoint
from tokengate.web.request import Request

T = TypeVar("T")

_PATH: Final = "/v1/jobs/"
_DEFAULT_LIMIT: Final = 20
_MAX_LIMIT: Final = 100
_MAX_CALLBACK_BYTES: Final = 4 * 1024 * 1024
_LOOK_S: Final = 1.0
_QUIET_LOOKS: Final = 15  # without news a comment goes out, so that nobody on the way closes the connection

_encode = msgspec.json.Encoder().encode


class JobsSurface:
    """Shows jobs to the project that they belong to. `base_url` is where callers reach the gateway, if the operator
    says so."""

    def __init__(self, jobs: Jobs, callbacks: Callbacks, hooks: JobHooks, admit: Admit, base_url: str) -> None:
        self._jobs = jobs
        self._callbacks = callbacks
        self._hooks = hooks
        self._admit = admit
        self._base_url = base_url

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(table.JOBS, self._list),
            Endpoint(table.JOB, self._show),
            Endpoint(table.JOB_EVENTS, self._events),
            Endpoint(table.JOB_CANCEL, self._cancel),
            Endpoint(table.JOB_DELETE, self._delete),
            Endpoint(table.JOB_CALLBACK, self._call_back),
            Endpoint(table.WEBHOOK_SECRET, self._show_secret),
        ]

    async def _list(self, request: Request) -> None:
        principal = self._admit.principal(request)
        query = parse_qs(request.query)
        limit = _limit(query)
        kinds = _all_of(query, "kind", JOB_KINDS)
        states = _all_of(query, "state", {state.value: state for state in JobState})
        found = await self._jobs.list(
            principal,
            kinds=kinds,
            states=states,
            model=query.get("model", [None])[0],
            before=query.get("after", [None])[0],
            limit=limit + 1,
        )
        page = [self._written(request, job) for job in found[:limit]]
        request.json({"object": "list", "data": page, "has_more": len(found) > limit})

    async def _show(self, request: Request) -> None:
        principal = self._admit.principal(request)
        request.json(self._written(request, await self._jobs.get(principal, _job_id(request))))

    async def _cancel(self, request: Request) -> None:
        principal = self._admit.principal(request)
        request.json(self._written(request, await self._jobs.cancel(principal, _job_id(request, "/cancel"))))

    async def _delete(self, request: Request) -> None:
        principal = self._admit.principal(request)
        job_id = _job_id(request)
        await self._jobs.delete(principal, job_id)
        request.json({"id": job_id, "object": "job.deleted", "deleted": True})

    async def _events(self, request: Request) -> None:
        """Send the job whenever something of it changes, until it has ended."""
        principal = self._admit.principal(request)
        job_id = _job_id(request, "/events")
        job = await self._jobs.get(principal, job_id)
        gone = asyncio.Event()
        request.when_gone(gone.set)
        request.open(200, [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-store")])
        sent, quiet = None, 0
        while True:
            if (job.state, job.percent) != sent:
                sent, quiet = (job.state, job.percent), 0
                event = b"event: job\ndata: " + _encode(self._written(request, job)) + b"\n\n"
            else:
                quiet += 1
                event = b": \n\n" if quiet % _QUIET_LOOKS == 0 else b""
            if job.state.ended:
                request.end(event)
                return
            if event:
                await request.write(event)
            with suppress(TimeoutError):
                await within(_LOOK_S, gone.wait())
            if gone.is_set() or self._admit.stopping:
                request.break_off()
                return
            job = await self._jobs.get(principal, job_id)

    async def _show_secret(self, request: Request) -> None:
        principal = self._admit.principal(request)
        request.json({"object": "webhook_secret", "secret": self._hooks.secret(principal.project_id)})

    async def _call_back(self, request: Request) -> None:
        """Take a vendor's word that something became of a job."""
        job_id, _, token = request.path.removeprefix(CALLBACKS).partition("/")
        self._callbacks.require(job_id, token)
        await self._jobs.called_back(job_id, await request.body(_MAX_CALLBACK_BYTES))
        request.json({"code": 200, "msg": "success"})

    def _written(self, request: Request, job: Job) -> dict[str, object]:
        own = own_address(request, self._base_url)
        written: dict[str, object] = {
            "id": job.id,
            "object": "job",
            "kind": job.kind,
            "model": job.model,
            "state": job.state.value,
            "progress": job.percent,
            "created_at": job.created_s,
            "started_at": job.started_s,
            "ended_at": job.ended_s,
            "files_until": job.files_until_s,
            "files": [
                {"name": one.name, "type": one.media_type, "bytes": one.size_bytes, "url": own + one.path}
                for one in job.files
            ],
            "error": None if job.error is None else {"code": job.error.code, "message": job.error.message},
            "cost": write_yuan(job.cost_nano) if job.state.ended else None,
            "usage": job.usage,
            "details": Raw(job.told) if job.told else None,
        }
        return written


def _job_id(request: Request, end: str = "") -> str:
    job_id = request.path.removeprefix(_PATH).removesuffix(end)
    if not job_id or "/" in job_id:
        raise NotFound(f"Unknown request URL: {request.method} {request.path[:200]}.")
    return job_id


def _limit(query: dict[str, list[str]]) -> int:
    given = query.get("limit", [str(_DEFAULT_LIMIT)])[0]
    if not given.isdecimal() or not given.isascii() or len(given) > 3 or not 1 <= int(given) <= _MAX_LIMIT:
        raise BadRequest(f"'limit' must be a number from 1 to {_MAX_LIMIT}.", param="limit")
    return int(given)


def _all_of(query: dict[str, list[str]], param: str, words: Mapping[str, T]) -> tuple[T, ...]:
    given = query.get(param, [])
    if not all(word in words for word in given):
        raise BadRequest(f"'{param}' must be one of {', '.join(words)}.", param=param)
    return tuple(words[word] for word in given)
