"""Jobs: what takes a vendor longer than a caller should wait, in words of no vendor. One is submitted, looked at until
it has ended, and then its files are fetched.

A `JobFormat` is sans-I/O, as every format is: it says what to send and reads what came back.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, Protocol, Self, TypeVar, get_args

from msgspec import Struct

from tokengate.core.parts import Data
from tokengate.core.service import Form, Question
from tokengate.core.upload import Upload
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Losses

JobKind = Literal["image", "video", "music", "transcription"]  # what is made; a model of the same kind makes it
JOB_KINDS: dict[str, JobKind] = {kind: kind for kind in get_args(JobKind)}


class JobState(StrEnum):
    """queued -> running -> one of the other four, which it never leaves. Each may follow at once."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def ended(self) -> bool:
        return self not in (JobState.QUEUED, JobState.RUNNING)


class Most(Struct, frozen=True):
    """What a job can come to at most, in the buckets that its price asks about, and the traits that pick the price;
    None for a trait that only the vendor knows: then the dearest price counts."""

    usage: Usage
    size: str | None = None
    quality: str | None = None
    resolution: str | None = None
    task: str | None = None


class Task(Question, frozen=True, kw_only=True):
    """What is asked of a job; each kind adds its own words. It is kept as JSON for as long as the job is."""

    @property
    def most(self) -> Most:
        """What it can come to at most."""
        raise NotImplementedError

    @property
    def upstream(self) -> str:
        """The upstream that alone can do it, because it has what is worked on; empty when any can."""
        return ""

    def light(self) -> Self:
        """Return it without the bytes of files, which nobody needs once it was submitted."""
        raise NotImplementedError


class JobError(Struct, frozen=True):
    """Why a job failed, in the vendor's words without secrets, or in ours."""

    code: str
    message: str


class JobRequest(Struct, frozen=True):
    """One request to the vendor about a job. `path` lies below its base URL; `body` is JSON unless it is a form."""

    method: Literal["GET", "POST", "DELETE", "PUT"]
    path: str
    body: bytes | Form = b""
    headers: Mapping[str, str] = {}


class VendorFile(Struct, frozen=True):
    """A file that a job made: at an address anyone may read, or behind the vendor's credential (`path`, below its base
    URL), or here. `name` is ours, unique within the job, such as `video.mp4`; `optional` ones may be lost."""

    name: str
    url: str = ""
    path: str = ""
    data: bytes = b""
    media_type: str = ""  # when it is known before the file is
    optional: bool = False


class Progress(Struct, frozen=True):
    """What a vendor says of a job. Success comes with `usage`: what was delivered. `told` is JSON: whatever else the
    vendor said that callers are told, such as titles or revised prompts; `kept` is what they are not, such as the
    vendor's own ids, which later jobs need. Neither holds addresses of files."""

    state: JobState
    percent: int | None = None
    files: tuple[VendorFile, ...] = ()
    usage: ReportedUsage | None = None
    error: JobError | None = None
    told: bytes = b""
    kept: bytes = b""


class Submitted(Struct, frozen=True):
    """The vendor has taken a job, under a name of its own; `progress` when it already said how far it is."""

    vendor_id: str
    progress: Progress | None = None


class Place(Struct, frozen=True):
    """Where to post a form with a file, and the address by which the vendor knows the file then."""

    url: str
    form: Upload
    address: str


class Storage(Protocol):
    """How files are brought to a vendor's own storage, which is asked for leave first."""

    def ask(self, model: str) -> JobRequest:
        """Return the question for leave to bring a file for a model."""
        ...

    def read(self, leave: bytes, file: Data, at: int) -> Place:
        """Read the leave for one file, the `at`th of its job. Raises UpstreamFailed."""
        ...


Asks = TypeVar("Asks", bound=Task, contravariant=True)


class Trace(Struct, frozen=True):
    """A job in a vendor's list. `matches` says whether it is what a submission of ours asked for, as far as the vendor
    shows what it was asked; None: only looking at it can tell."""

    vendor_id: str
    created_s: int
    matches: bool | None


class TracePage(Struct, frozen=True):
    """A page of a vendor's list; `next` asks for the one behind it, and is empty on the last."""

    traces: tuple[Trace, ...]
    next: str = ""


class JobSearch(Protocol[Asks]):
    """How a vendor's list is searched for the job of a submission whose answer was lost."""

    def page(self, task: Asks, since_s: int, until_s: int, next: str) -> JobRequest:
        """Return the question for a page of the jobs that were made between two times, in seconds since the epoch, or
        of more. `next` is empty for the first."""
        ...

    def read_page(self, body: bytes, task: Asks) -> TracePage:
        """Read the answer. Raises UpstreamFailed."""
        ...

    def matches(self, body: bytes, task: Asks) -> bool | None:
        """Read the answer to `JobFormat.look`, as `Trace.matches` says; None as long as that cannot be told yet.
        Raises UpstreamFailed."""
        ...


class JobFormat(Protocol[Asks]):
    """How one vendor is asked for jobs of one kind."""

    @property
    def name(self) -> str:
        """Of the wire format: requests that came in it keep what has no word in the vocabulary."""
        ...

    @property
    def inlines(self) -> bool:
        """Whether its vendor fetches nothing, so that files at addresses must be put into a submission."""
        ...

    @property
    def storage(self) -> Storage | None:
        """The vendor's own storage, where it fetches files and takes none inside a submission: what is inside a task
        is brought there first."""
        ...

    def submit(self, task: Asks, losses: Losses, *, key: str, callback: str) -> JobRequest:
        """Return the submission for `task.model`. `key` is the job's own id, for vendors that take an idempotency key;
        `callback` is our address for vendors that tell of the end, or empty. Raises Unsupported."""
        ...

    def read_submitted(self, body: bytes, task: Asks) -> Submitted:
        """Read the answer to a submission. Raises UpstreamFailed."""
        ...

    @property
    def resubmits(self) -> bool:
        """Whether the vendor takes the same `key` twice as one job: then a submission whose answer was lost is sent
        again. Otherwise it is searched for, or waited for, where that is possible; elsewhere such a job fails, and
        costs its caller nothing."""
        ...

    def search(self, task: Asks) -> JobSearch[Asks] | None:
        """Return how the vendor's list is searched for such a job; None where there is none that could tell."""
        ...

    def calls_back(self, task: Asks) -> bool:
        """Whether the vendor names the job at the `callback` that its submission came with."""
        ...

    def read_callback(self, body: bytes) -> str:
        """Return the vendor's name of the job out of what it sent to `callback`; empty when there is none in it."""
        ...

    def look(self, vendor_id: str, task: Asks) -> JobRequest:
        """Return the question how far a job is."""
        ...

    def read_progress(self, body: bytes, task: Asks) -> Progress:
        """Read the answer. Raises UpstreamFailed for what is none; a job that the vendor does not know any more is
        EXPIRED. What comes with an error status is read, too, and counts when it says that the job has ended."""
        ...

    def cancel(self, vendor_id: str) -> JobRequest | None:
        """Return the request that ends a job early; None where the vendor has none."""
        ...


JobFormats = Mapping[JobKind, JobFormat[Any]]

NO_JOBS: JobFormats = {}


class JobFile(Struct, frozen=True):
    """A result as callers see it. `path` is signed and good for a day, or until `Job.files_until_s`; it lies below the
    address at which they reach this platform."""

    name: str
    media_type: str
    size_bytes: int
    path: str


class Job(Struct, frozen=True, kw_only=True):
    """A job as its callers see it; each public format writes it in its own words. Times are seconds since the epoch."""

    id: str
    kind: JobKind
    model: str  # as the caller called it
    task: Task
    state: JobState
    percent: int
    created_s: int
    started_s: int | None = None
    ended_s: int | None = None
    files_until_s: int | None = None
    files: tuple[JobFile, ...] = ()
    error: JobError | None = None
    usage: Usage | None = None  # once it succeeded
    cost_nano: int = 0
    upstream: str = ""  # that has it
    told: bytes = b""  # JSON of the vendor's, see Progress
    kept: bytes = b""
    raw_usage: bytes = b""  # the vendor's own usage, JSON
