"""OpenAI's videos under each of OpenAI's base paths: films made as jobs, looked at, listed, downloaded, changed and
deleted. What a key's project made, all keys of that project see, and no other.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import parse_qs

import msgspec
from msgspec.structs import astuple, replace

from tokengate.accounts.keys import Principal
from tokengate.core.errors import BadRequest, Conflict, NotFound, Unsupported
from tokengate.core.jobs import Job, JobState
from tokengate.core.parts import Data
from tokengate.core.video import Film
from tokengate.files.results import Results
from tokengate.formats.openai.video_requests import NAME, NAMES, json_of_film_form, read_edit, read_film, read_remix
from tokengate.formats.openai.videos import (
    VARIANTS,
    origin_of,
    read_id,
    shown_id,
    write_deleted,
    write_list,
    write_video,
)
from tokengate.gateway.estimate import Estimate
from tokengate.gateway.picture_check import checked
from tokengate.reference import table
from tokengate.tasks.jobs import JobOperation, Jobs
from tokengate.web.admit import Admit, options
from tokengate.web.dispatch import Endpoint, Handler
from tokengate.web.file_reply import send_file
from tokengate.web.request import Request
from tokengate.web.surfaces.bases import BASES, Base
from tokengate.web.surfaces.quote import QuotableForm

_DEFAULT_PAGE: Final = 20
_MAX_PAGE: Final = 100
_OPERATION: Final = JobOperation("videos", "/videos", "video", NAMES)
_NOT_SERVED: Final = {
    "videos.extensions": "a film cannot be made longer; make another one",
    "videos.characters": "there are no characters; send a picture as input_reference",
}

_encode = msgspec.json.Encoder().encode

Asked = Callable[[Principal, bytes], Awaitable[Film]]


class VideosSurface:
    """Hands films to the jobs, and shows jobs as videos."""

    def __init__(self, jobs: Jobs, results: Results, admit: Admit) -> None:
        self._jobs = jobs
        self._results = results
        self._admit = admit

    def endpoints(self) -> list[Endpoint]:
        """Return every route, under every base path."""
        return [endpoint for base in BASES for endpoint in self._below(base)]

    def _below(self, base: Base) -> list[Endpoint]:
        head = f"{base.path}/videos/"
        served: list[tuple[table.ApiOperation, Handler]] = [
            (table.VIDEOS, self._submitting(self._film)),
            (table.LIST_VIDEOS, self._list),
            (table.SHOW_VIDEO, self._show(head)),
            (table.DELETE_VIDEO, self._delete(head)),
            (table.VIDEO_CONTENT, self._content(head)),
            (table.REMIX_VIDEO, self._remix(head)),
            (table.EDIT_VIDEO, self._submitting(self._edit)),
            (table.EXTEND_VIDEO, self._refuse(table.EXTEND_VIDEO)),
            (table.VIDEO_CHARACTERS, self._refuse(table.VIDEO_CHARACTERS)),
        ]
        return [Endpoint(operation, handler, base.path, base.bad_key) for operation, handler in served]

    def _submitting(self, asked: Asked) -> Handler:
        async def handler(request: Request) -> None:
            principal = self._admit.principal(request)
            said = options(request)
            film = await asked(principal, await self._body(request))
            taken = await self._jobs.submit(principal, _OPERATION, film, said, request_id=request.id)
            headers = [("content-type", "application/json"), *taken.headers]
            request.whole(200, headers, _encode(write_video(taken.job)))

        return handler

    def quotable_form(self) -> QuotableForm:
        """Return how films are quoted."""

        async def found(request: Request, principal: Principal) -> Estimate:
            film = await self._film(principal, await self._body(request))
            return self._jobs.estimate(principal, _OPERATION, film)

        return QuotableForm(_OPERATION.path, found, or_json=True)

    async def _body(self, request: Request) -> bytes:
        """Return the JSON body of a request that is a form, or JSON."""
        parts = await self._admit.form(request)
        if parts is None:
            return await self._admit.json_body(request)
        return json_of_film_form(map(astuple, parts))

    async def _film(self, principal: Principal, body: bytes) -> Film:
        film = read_film(body)
        if isinstance(film.first_frame, Data):
            return replace(film, first_frame=checked(film.first_frame, "input_reference")[0])
        return film

    async def _edit(self, principal: Principal, body: bytes) -> Film:
        id, prompt = read_edit(body)
        return await self._changed(principal, id, prompt)

    def _remix(self, head: str) -> Handler:
        async def handler(request: Request) -> None:
            id = _id_of(request, head, "/remix")

            async def asked(principal: Principal, body: bytes) -> Film:
                return await self._changed(principal, id, read_remix(body))

            await self._submitting(asked)(request)

        return handler

    async def _changed(self, principal: Principal, id: str, prompt: str) -> Film:
        """Return what is asked of a film that was made here: as long and as large, of the same model."""
        job = await self._found(principal, id)
        if job.state is not JobState.SUCCEEDED:
            raise Conflict("Only a completed video can be changed.", param="video_id", code="video_not_ready")
        film, origin = _film_of(job), origin_of(job)
        if origin is None:
            raise Unsupported(job.upstream, "video", f"'video' cannot be remixed: {job.upstream} has no remixes.")
        seconds = job.usage.second if job.usage else film.seconds
        return Film(
            format=NAME,
            model=job.model,
            prompt=prompt,
            remix_of=job.id,
            origin=origin,
            seconds=seconds,
            size=film.size,
            resolution=film.resolution,
            most_seconds=film.most_seconds,
        )

    def _show(self, head: str) -> Handler:
        async def handler(request: Request) -> None:
            principal = self._admit.principal(request)
            request.json(write_video(await self._found(principal, _id_of(request, head))))

        return handler

    async def _list(self, request: Request) -> None:
        principal = self._admit.principal(request)
        query = parse_qs(request.query)
        limit, seen, newest_first = _limit(query), _after(query), _newest_first(query)
        found = await self._jobs.list(
            principal,
            kinds=(_OPERATION.kind,),
            after=None if newest_first else seen,
            before=seen if newest_first else None,
            newest_first=newest_first,
            limit=limit + 1,
        )
        request.json(write_list(found[:limit], has_more=len(found) > limit))

    def _delete(self, head: str) -> Handler:
        async def handler(request: Request) -> None:
            principal = self._admit.principal(request)
            job = await self._found(principal, _id_of(request, head))
            await self._jobs.delete(principal, job.id, kind=_OPERATION.kind)
            request.json(write_deleted(job.id))

        return handler

    def _content(self, head: str) -> Handler:
        async def handler(request: Request) -> None:
            principal = self._admit.principal(request)
            job = await self._found(principal, _id_of(request, head, "/content"))
            variant = parse_qs(request.query).get("variant", ["video"])[-1]
            if variant not in VARIANTS:
                raise BadRequest(f"'variant' must be one of {', '.join(VARIANTS)}.", param="variant")
            await send_file(request, await self._results.open(job.id, _file_of(job, variant)))

        return handler

    def _refuse(self, operation: table.ApiOperation) -> Handler:
        async def handler(request: Request) -> None:
            self._admit.principal(request)
            raise BadRequest(
                f"{operation.path} is not served by this gateway: {_NOT_SERVED[operation.id]}.",
                code="unsupported_operation",
            )

        return handler

    async def _found(self, principal: Principal, id: str) -> Job:
        """Return a job of the caller's project. Raises NotFound."""
        job_id = read_id(id)
        if job_id is None:
            raise _unknown(id)
        try:
            return await self._jobs.get(principal, job_id, kind=_OPERATION.kind)
        except NotFound:
            raise _unknown(id) from None


def _film_of(job: Job) -> Film:
    assert isinstance(job.task, Film), "a job that makes a film was asked for one"
    return job.task


def _file_of(job: Job, variant: str) -> str:
    """Return the name of a job's file. Raises NotFound, saying why it is not there."""
    id = shown_id(job.id)
    if not job.state.ended:
        raise NotFound(
            f"Video '{id}' is not ready yet; ask GET /v1/videos/{id} for its status.", code="video_not_ready"
        )
    if job.state is not JobState.SUCCEEDED:
        raise NotFound(f"Video '{id}' was not made; GET /v1/videos/{id} says why.", code="video_failed")
    if not job.files:
        raise NotFound(f"The files of video '{id}' are kept no more.", code="video_expired")
    name = next((file.name for file in job.files if file.name.partition(".")[0] == variant), None)
    if name is None:
        raise NotFound(f"Video '{id}' has no {variant}: its model gives none.", param="variant")
    return name


def _id_of(request: Request, head: str, tail: str = "") -> str:
    return request.path[len(head) : len(request.path) - len(tail)]


def _unknown(id: str) -> NotFound:
    return NotFound(f"Video with id '{id[:100]}' not found.", param="video_id")


def _limit(query: Mapping[str, list[str]]) -> int:
    text = query.get("limit", [str(_DEFAULT_PAGE)])[-1]
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 1 <= int(text) <= _MAX_PAGE:
        raise BadRequest(f"'limit' must be an integer from 1 to {_MAX_PAGE}.", param="limit")
    return int(text)


def _after(query: Mapping[str, list[str]]) -> str | None:
    after = query.get("after", [""])[-1]
    if not after:
        return None
    job_id = read_id(after)
    if job_id is None:
        raise BadRequest("'after' must be the id of a video.", param="after")
    return job_id


def _newest_first(query: Mapping[str, list[str]]) -> bool:
    order = query.get("order", ["desc"])[-1]
    if order not in ("asc", "desc"):
        raise BadRequest("'order' must be asc or desc.", param="order")
    return order == "desc"
