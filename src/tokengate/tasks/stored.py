"""A job as its row has it, and the two parts of it that are sealed: what was asked, and what the vendor said."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from tokengate.core.images import Draw
from tokengate.core.jobs import JobKind, JobState, Progress, Task
from tokengate.core.known import known
from tokengate.core.music import Compose
from tokengate.core.recordings import Hear
from tokengate.core.sealing import Sealer
from tokengate.core.video import Film
from tokengate.files.results import Stored

TASKS: Final[dict[JobKind, type[Task]]] = {
    "image": known(Draw),
    "music": known(Compose),
    "transcription": known(Hear),
    "video": known(Film),
}

# What is to be done next: send it to a vendor; find out what became of a submission that nobody may be waiting for any
# more; find the job of one whose answer was lost; ask how far it is; get its files and settle it; nothing.
SUBMIT, SENDING, SEARCH, LOOK, FETCH, DONE = "submit", "sending", "search", "look", "fetch", "done"

# How long a vendor may take, by what is made.
DEADLINES_MS: Final[dict[JobKind, int]] = {
    "image": 3_600_000,
    "music": 2 * 3_600_000,
    "video": 6 * 3_600_000,
    "transcription": 12 * 3_600_000,
}


class StoredJob(Struct, frozen=True):
    """The columns of `jobs`; storage/tables.py says what each holds."""

    id: str
    org_id: str
    project_id: str
    key_id: str
    wallet_id: str
    kind: JobKind
    endpoint: str
    model: str
    model_id: str
    state: JobState
    step: str
    percent: int
    upstream: str
    vendor_id: str
    task: bytes
    outcome: bytes
    files: str
    error_code: str
    error: str
    held_nano: int
    cost_nano: int
    price_version: int
    tries: int
    callback_url: str
    idempotency_key: str | None
    digest: bytes
    client_request_id: str | None
    attempts: str
    created_ms: int
    started_ms: int | None
    ended_ms: int | None
    deadline_ms: int
    due_ms: int
    files_until_ms: int | None
    owner: str


NOTHING_SAID: Final = Progress(JobState.QUEUED)


class Envelopes:
    """Seals and opens what a row keeps from those who only see the database."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal_task(self, job_id: str, task: Task) -> bytes:
        return self._sealer.seal(_encode(task), _context("task", job_id))

    def open_task(self, job: StoredJob) -> Task:
        """Return what was asked. Raises Unsealable."""
        return msgspec.json.decode(self._sealer.open(job.task, _context("task", job.id)), type=TASKS[job.kind])

    def seal_outcome(self, job_id: str, progress: Progress) -> bytes:
        return self._sealer.seal(_encode(progress), _context("outcome", job_id))

    def open_outcome(self, job: StoredJob) -> Progress:
        """Return what the vendor said last that callers are told of. Raises Unsealable."""
        if not job.outcome:
            return NOTHING_SAID
        return _decode_outcome(self._sealer.open(job.outcome, _context("outcome", job.id)))


def write_task(task: Task) -> bytes:
    """Return what was asked as JSON: the same question gives the same bytes."""
    return _encode(task)


def write_files(files: list[Stored]) -> str:
    """Return what is known of a job's files, as its row has it."""
    return _encode(files).decode()


def read_files(text: str) -> list[Stored]:
    """Return what `write_files` wrote."""
    return _decode_files(text) if text else []


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode_outcome: Any = msgspec.json.Decoder(Progress).decode
_decode_files: Any = msgspec.json.Decoder(list[Stored]).decode


def _context(part: str, job_id: str) -> bytes:
    return f"job {part}\0{job_id}".encode()
