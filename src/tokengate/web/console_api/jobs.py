"""Jobs of an org: how far they are, what came of them, and ending them early."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.params import QueryParameter
from msgspec import Struct

from tokengate.core.errors import BadRequest
from tokengate.core.jobs import JOB_KINDS, Job, JobKind, JobState
from tokengate.core.money import write_yuan
from tokengate.web.console_api.access import may
from tokengate.web.console_api.given import Id, OrgId, Services
from tokengate.web.console_api.shapes import After, Limit, Page, Search, page_of

# `state` alone is the framework's own word.
StateWord = Annotated[str, QueryParameter(name="state", max_length=16, description="Only this state.")]

_STATES = {state.value: state for state in JobState}


class JobFileView(Struct, frozen=True):
    """A result; `path` is signed, and good for a day."""

    name: str
    media_type: str
    size_bytes: int
    path: str


class JobView(Struct, frozen=True):
    """A job as its org sees it."""

    id: str
    kind: JobKind
    model: str
    state: str
    percent: int
    created_ms: int
    ended_ms: int | None
    cost_yuan: str | None  # null before the end
    error: str
    files: list[JobFileView]


class Jobs(Controller):
    """`/orgs/{org_id}/jobs`."""

    path = "/orgs/{org_id:str}/jobs"
    tags = ("jobs",)

    @get(guards=[may("calls.read")], summary="List the jobs of an org, newest first")
    async def list_jobs(
        self,
        console: Services,
        org_id: OrgId,
        kind: Search = "",
        job_state: StateWord = "",
        limit: Limit = 50,
        after: After = "",
    ) -> Page[JobView]:
        """`kind` is image, video, music or transcription; `state` queued, running, succeeded, failed, cancelled or
        expired."""
        if kind and kind not in JOB_KINDS:
            raise BadRequest(f"'{kind}' is no kind of job.", param="kind")
        if job_state and job_state not in _STATES:
            raise BadRequest(f"'{job_state}' is no state of a job.", param="state")
        found = await console.jobs.of_org(
            org_id,
            kinds=(JOB_KINDS[kind],) if kind else (),
            states=(_STATES[job_state],) if job_state else (),
            before=after or None,
            limit=limit + 1,
        )
        return page_of([_view(job) for job in found], limit)

    @post("/{job_id:str}/cancel", guards=[may("keys.write")], status_code=200, summary="Cancel a job")
    async def cancel_job(self, console: Services, org_id: OrgId, job_id: Id) -> JobView:
        """Where its vendor lets it; it then costs nothing."""
        return _view(await console.jobs.cancel_of_org(org_id, job_id))


def _view(job: Job) -> JobView:
    return JobView(
        id=job.id,
        kind=job.kind,
        model=job.model,
        state=job.state.value,
        percent=job.percent,
        created_ms=job.created_s * 1000,
        ended_ms=None if job.ended_s is None else job.ended_s * 1000,
        cost_yuan=write_yuan(job.cost_nano) if job.state.ended else None,
        error=job.error.message if job.error is not None else "",
        files=[JobFileView(one.name, one.media_type, one.size_bytes, one.path) for one in job.files],
    )
