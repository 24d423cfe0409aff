"""DashScope's asynchronous services: pictures, films and recordings are submitted, and followed under `/api/v1/tasks`.

Whose model it is does not matter: each backend that makes such a thing is asked in its own format, and those that make
it at once have done so before the submission is answered. A submission must say `X-DashScope-Async: enable`; the vendor
refuses it otherwise, and so it is here.
https://help.aliyun.com/zh/model-studio/manage-asynchronous-tasks, 2026-11
"""

from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import parse_qs

from msgspec import Struct
from msgspec.structs import replace

from tokengate.accounts.keys import Principal
from tokengate.core.clock import Clock
from tokengate.core.errors import BadRequest, Conflict, Forbidden, NotFound, Unavailable, Unsupported
from tokengate.core.images import Draw
from tokengate.core.jobs import Job, JobState, Task
from tokengate.core.parts import Data
from tokengate.core.video import Film
from tokengate.files.uploads import Uploads
from tokengate.formats.dashscope.films import FILM_NAMES, FILM_PATH, FRAMES_PATH, read_film
from tokengate.formats.dashscope.format import DASHSCOPE
from tokengate.formats.dashscope.pictures import GENERATION_PATH, IMAGE_IMAGE_PATH, TEXT_IMAGE_PATH, read_pictures
from tokengate.formats.dashscope.recordings import TRANSCRIPTION_PATH, read_recordings
from tokengate.formats.dashscope.task_replies import (
    KINDS,
    read_span,
    read_states,
    read_task_id,
    write_list,
    write_submitted,
    write_task,
    write_unknown,
)
from tokengate.gateway.images import with_checked_pictures
from tokengate.gateway.media import body_with_uploads
from tokengate.gateway.picture_check import checked
from tokengate.reference import table
from tokengate.reference.table import ApiOperation
from tokengate.tasks.jobs import JobOperation, Jobs
from tokengate.web.address import own_address
from tokengate.web.admit import Admit
from tokengate.web.dispatch import Endpoint, Handler
from tokengate.web.request import Headers, Request
from tokengate.web.surfaces.dashscope import options_of

_PATH: Final = "/api/v1/tasks/"
_JSON: Final = ("content-type", "application/json")
_NO_SYNC: Final = "current user api does not support synchronous calls."
_NOT_PENDING: Final = "Failed to cancel the task, please confirm if the task is in PENDING status."
_DEFAULT_SIZE: Final = 10
_MAX_SIZE: Final = 100
_PAGE: Final = 200  # rows read at a time
_MAX_LISTED: Final = 2_000  # of a day, which are counted


class _Service(Struct, frozen=True, eq=False):
    """One route that makes tasks."""

    published: ApiOperation
    operation: JobOperation
    read: Callable[[bytes], Task]


_SERVICES: Final = (
    _Service(table.DASHSCOPE_VIDEO, JobOperation("video-synthesis", FILM_PATH, "video", FILM_NAMES), read_film),
    _Service(table.DASHSCOPE_FRAMES, JobOperation("video-synthesis", FRAMES_PATH, "video", FILM_NAMES), read_film),
    _Service(
        table.DASHSCOPE_IMAGE,
        JobOperation("image-synthesis", TEXT_IMAGE_PATH, "image"),
        partial(read_pictures, service="text2image"),
    ),
    _Service(
        table.DASHSCOPE_IMAGE_EDIT,
        JobOperation("image-synthesis", IMAGE_IMAGE_PATH, "image"),
        partial(read_pictures, service="image2image"),
    ),
    _Service(
        table.DASHSCOPE_IMAGE_GENERATION,
        JobOperation("image-generation", GENERATION_PATH, "image"),
        partial(read_pictures, service="image-generation"),
    ),
    _Service(
        table.DASHSCOPE_TRANSCRIPTION,
        JobOperation("transcription", TRANSCRIPTION_PATH, "transcription"),
        read_recordings,
    ),
)


class DashScopeTasksSurface:
    """Hands tasks to the jobs. `base_url` is where callers reach the gateway, if the operator says so."""

    def __init__(self, jobs: Jobs, uploads: Uploads, admit: Admit, clock: Clock, base_url: str) -> None:
        self._jobs = jobs
        self._uploads = uploads
        self._admit = admit
        self._clock = clock
        self._base_url = base_url

    def endpoints(self) -> list[Endpoint]:
        """Return every route."""
        handlers: list[tuple[ApiOperation, Handler]] = [
            *((service.published, self._submission(service)) for service in _SERVICES),
            (table.DASHSCOPE_TASK, self._show),
            (table.DASHSCOPE_TASKS, self._list),
            (table.DASHSCOPE_TASK_CANCEL, self._cancel),
        ]
        return [
            Endpoint(published, handler, base=base, write_error=DASHSCOPE.write_error)
            for published, handler in handlers
            for base in published.bases
        ]

    def _submission(self, service: _Service) -> Handler:
        async def handler(request: Request) -> None:
            principal = self._admit.principal(request)
            if request.headers.get("x-dashscope-async") != "enable":
                raise Forbidden(_NO_SYNC, param="X-DashScope-Async")
            asked = options_of(request, is_async=True)
            body = await self._admit.json_body(request)
            if asked.resolve_uploads:
                read = partial(self._uploads.read, principal.org_id, principal.project_id)
                body = await body_with_uploads(body, read)
            task = _checked(service.read(body))
            taken = await self._jobs.submit(principal, service.operation, task, asked, request_id=request.id)
            request.whole(200, [_JSON, *taken.headers], write_submitted(taken.job, request.id))

        return handler

    async def _show(self, request: Request) -> None:
        principal = self._admit.principal(request)
        task_id = request.path.removeprefix(_PATH)
        try:
            reply = write_task(await self._job(principal, task_id), request.id, own_address(request, self._base_url))
        except NotFound:
            reply = write_unknown(task_id, request.id)
        self._answer(request, reply)

    async def _cancel(self, request: Request) -> None:
        principal = self._admit.principal(request)
        refused = Unsupported("", "task_id", _NOT_PENDING)
        try:
            job = await self._job(principal, request.path.removeprefix(_PATH).removesuffix("/cancel"))
            await self._jobs.cancel(principal, job.id)
        except NotFound:
            raise refused from None
        except Conflict as conflict:
            if conflict.retry_after_s is not None:
                raise Unavailable(conflict.message, retry_after_s=conflict.retry_after_s) from None
            raise refused from None
        request.json({"request_id": request.id})

    async def _list(self, request: Request) -> None:
        principal = self._admit.principal(request)
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        for name in ("api_key_id", "region"):
            if name in query:
                raise BadRequest(f"'{name}' picks nothing here: all tasks of the key's project are shown.", param=name)
        page, size = _number(query, "page_no", 1, _MAX_LISTED), _number(query, "page_size", _DEFAULT_SIZE, _MAX_SIZE)
        if "task_id" in query:
            found = await self._one(principal, query["task_id"])
        else:
            found = await self._found(principal, query)
        shown = found[(page - 1) * size : page * size]
        self._answer(request, write_list(shown, request.id, page=page, size=size, total=len(found)))

    async def _found(self, principal: Principal, query: dict[str, str]) -> list[Job]:
        """Return the tasks of a day that a list asks for, the newest first."""
        states: tuple[JobState, ...] = ()
        if "status" in query:
            states = read_states(query["status"])
            if not states:
                return []
        begins_s, ends_s = read_span(query.get("start_time"), query.get("end_time"), int(self._clock.now_s()))
        found: list[Job] = []
        before: str | None = None
        while len(found) < _MAX_LISTED:
            more = await self._jobs.list(
                principal,
                kinds=KINDS,
                states=states,
                model=query.get("model_name"),
                before=before,
                since_ms=begins_s * 1000,
                until_ms=ends_s * 1000,
                limit=_PAGE,
            )
            found.extend(more)
            if len(more) < _PAGE:
                break
            before = more[-1].id
        return found

    async def _one(self, principal: Principal, task_id: str) -> list[Job]:
        try:
            return [await self._job(principal, task_id)]
        except NotFound:
            return []

    async def _job(self, principal: Principal, task_id: str) -> Job:
        """Return the job that a task's id means. Raises NotFound, also for one that is no task here."""
        job_id = read_task_id(task_id)
        job = None if job_id is None else await self._jobs.get(principal, job_id)
        if job is None or job.kind not in KINDS:
            raise NotFound("There is no such task.")
        return job

    def _answer(self, request: Request, body: bytes) -> None:
        headers: Headers = [_JSON, ("x-request-id", request.id)]
        request.whole(200, headers, body)


def _checked(task: Task) -> Task:
    """Return the task with every picture that is inside it known to be one. Raises BadRequest."""
    match task:
        case Draw():
            return with_checked_pictures(task)
        case Film():
            frames = {name: getattr(task, name) for name in ("first_frame", "last_frame")}
            inside = {name: frame for name, frame in frames.items() if isinstance(frame, Data)}
            return replace(task, **{name: checked(frame, name)[0] for name, frame in inside.items()})
        case _:
            return task


def _number(query: dict[str, str], name: str, default: int, most: int) -> int:
    given = query.get(name, str(default))
    if not given.isascii() or not given.isdecimal() or len(given) > 6 or not 1 <= int(given) <= most:
        raise BadRequest(f"'{name}' must be a number from 1 to {most}.", param=name)
    return int(given)
