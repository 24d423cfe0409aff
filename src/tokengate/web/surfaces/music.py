"""Suno's music: the operations under `/suno/v2`, and the widespread `/suno/submit/{action}` and `/suno/fetch`.

Every operation is a task whose id is the answer. What a clip's id means is looked up among the tasks of the caller's
project, so that nobody works on another's music, and the vendor that made it is the one that is asked.
"""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from tokengate.accounts.keys import Principal
from tokengate.core.errors import BadRequest, NotFound
from tokengate.core.jobs import Job, JobState
from tokengate.core.music import Clip, Compose, Made, MusicAction, Origin, read_made
from tokengate.formats.suno.ids import is_task_id, read_clip_id
from tokengate.formats.suno.replies import write_error, write_taken, write_task, write_tasks
from tokengate.formats.suno.requests import DEFAULT_MODEL, NAMES, read_fetch, read_operation, read_submission
from tokengate.reference import table
from tokengate.reference.table import ApiOperation
from tokengate.tasks.jobs import JobOperation, Jobs
from tokengate.web.address import own_address
from tokengate.web.admit import Admit, options
from tokengate.web.dispatch import Endpoint, Handler
from tokengate.web.request import Headers, Request

_OPERATIONS: Final[dict[MusicAction, ApiOperation]] = {
    "create": table.MUSIC_CREATE,
    "extend": table.MUSIC_EXTEND,
    "cover": table.MUSIC_COVER,
    "upload_extend": table.MUSIC_UPLOAD_EXTEND,
    "upload_cover": table.MUSIC_UPLOAD_COVER,
    "replace_section": table.MUSIC_REPLACE,
    "concat": table.MUSIC_CONCAT,
    "stems": table.MUSIC_STEMS,
    "midi": table.MUSIC_MIDI,
    "lyrics": table.MUSIC_LYRICS,
    "mp4": table.MUSIC_MP4,
    "wav": table.MUSIC_WAV,
    "timing": table.MUSIC_TIMING,
    "beats": table.MUSIC_BEATS,
    "tags": table.MUSIC_TAGS,
}
# What a new version of a clip takes over from it when nothing else is said.
_TAKES_STYLE: Final = frozenset({"extend", "replace_section"})


class MusicSurface:
    """Hands music to the jobs. `base_url` is where callers reach the gateway, if the operator says so."""

    def __init__(self, jobs: Jobs, admit: Admit, base_url: str) -> None:
        self._jobs = jobs
        self._admit = admit
        self._base_url = base_url

    def endpoints(self) -> list[Endpoint]:
        """Return every route."""
        served: list[tuple[ApiOperation, Handler]] = [
            (table.MUSIC_TASK, self._show(table.MUSIC_TASK, widespread=False)),
            *((operation, self._operation(action, operation)) for action, operation in _OPERATIONS.items()),
            (table.MUSIC_SUBMIT, self._submit),
            (table.MUSIC_FETCH, self._show(table.MUSIC_FETCH, widespread=True)),
            (table.MUSIC_FETCH_MANY, self._fetch),
        ]
        return [
            Endpoint(operation, handler, operation.bases[0], write_error=write_error) for operation, handler in served
        ]

    def _operation(self, action: MusicAction, operation: ApiOperation) -> Handler:
        name = JobOperation(operation.id, operation.first_path, "music", NAMES)

        async def handler(request: Request) -> None:
            await self._take(request, name, lambda body: read_operation(body, action))

        return handler

    async def _submit(self, request: Request) -> None:
        action = request.path.removeprefix(table.MUSIC_SUBMIT.path.partition("{")[0])
        name = JobOperation(table.MUSIC_SUBMIT.id, request.path, "music", NAMES)
        await self._take(request, name, lambda body: read_submission(body, action))

    async def _take(self, request: Request, operation: JobOperation, read: Callable[[bytes], Compose]) -> None:
        principal = self._admit.principal(request)
        said = options(request)
        task = await self._found(principal, read(await self._admit.json_body(request)))
        taken = await self._jobs.submit(
            principal, operation, task, said, request_id=request.id, callback_url=task.callback_url
        )
        headers: Headers = [("content-type", "application/json"), *taken.headers]
        request.whole(200, headers, write_taken(taken.job))

    def _show(self, operation: ApiOperation, *, widespread: bool) -> Handler:
        head = operation.first_path.partition("{")[0]

        async def handler(request: Request) -> None:
            principal = self._admit.principal(request)
            job = await self._job(principal, request.path.removeprefix(head))
            self._answer(request, write_task(job, self._site(request), widespread=widespread))

        return handler

    async def _fetch(self, request: Request) -> None:
        """Tell of several tasks; ids of none are left out, as everywhere in this shape."""
        principal = self._admit.principal(request)
        found: list[Job] = []
        for task_id in dict.fromkeys(read_fetch(await self._admit.json_body(request))):
            try:
                found.append(await self._job(principal, task_id))
            except NotFound:
                continue
        self._answer(request, write_tasks(found, self._site(request)))

    async def _job(self, principal: Principal, task_id: str) -> Job:
        """Return a task of the caller's project. Raises NotFound."""
        unknown = NotFound(f"There is no task '{task_id[:100]}'.", param="task_id", code="task_not_exist")
        if not is_task_id(task_id):
            raise unknown
        try:
            return await self._jobs.get(principal, task_id, kind="music")
        except NotFound:
            raise unknown from None

    async def _found(self, principal: Principal, task: Compose) -> Compose:
        """Return the task with its model, and with the clip that it works on. Raises NotFound for a clip that is none
        of the project's, BadRequest for one that is not there yet."""
        if task.clip_id is None:
            return replace(task, model=task.model or DEFAULT_MODEL)
        unknown = NotFound(f"There is no clip '{task.clip_id[:100]}'.", param="clip_id", code="clip_not_exist")
        id = read_clip_id(task.clip_id)
        if id is None:
            raise unknown
        try:
            job = await self._jobs.get(principal, id.job_id, kind="music")
        except NotFound:
            raise unknown from None
        if job.state is not JobState.SUCCEEDED:
            raise BadRequest("The task that makes this clip has not succeeded.", param="clip_id", code="clip_not_ready")
        made = read_made(job.kept)
        if made is None or id.number > len(made.clips):
            raise unknown
        return _worked_on(task, job, made, made.clips[id.number - 1])

    def _site(self, request: Request) -> str:
        return own_address(request, self._base_url)

    def _answer(self, request: Request, body: bytes) -> None:
        request.whole(200, [("content-type", "application/json"), ("x-request-id", request.id)], body)


def _worked_on(task: Compose, job: Job, made: Made, clip: Clip) -> Compose:
    """Return the task with what it works on, and with the model, and where it is another version of the clip the style,
    that the clip was made with."""
    before = job.task
    assert isinstance(before, Compose), "a task of music is asked for in words of music"
    origin = Origin(
        clip=clip.id,
        task=made.task,
        action=before.action,
        upstream=job.upstream,
        part_of=before.origin.clip if before.origin else "",
    )
    if task.action in _TAKES_STYLE:
        task = replace(task, tags=task.tags or clip.tags or None, title=task.title or clip.title or None)
    return replace(task, model=task.model or job.model, origin=origin)
