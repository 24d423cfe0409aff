"""Finds the job of a submission whose answer was lost, in its vendor's list.

A job is found when the list has one that asks for the same, was made when ours was sent, and is no other job's of ours.
Where that leaves a choice between different things, none is found: nobody is given what another asked for.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from tokengate.core.clock import Clock, now_ms
from tokengate.core.errors import UpstreamFailed
from tokengate.core.jobs import JobFormat, JobSearch, Task, Trace
from tokengate.core.sealing import Unsealable
from tokengate.gateway.route import Target
from tokengate.storage.engine import Database
from tokengate.tasks import store
from tokengate.tasks.ask import ask
from tokengate.tasks.stored import DEADLINES_MS, SEARCH, SENDING, Envelopes, StoredJob, write_task

_CLOCKS_S: Final = 60  # by which the vendor's clock may be wrong
_SENT_WITHIN_S: Final = 900  # a submission takes at most
_MOST_PAGES: Final = 20
_MOST_LOOKS: Final = 40  # at jobs of which the list does not say what they were asked


class Found(Struct, frozen=True):
    """The vendor has it, under this name."""

    vendor_id: str


class NotYet(Struct, frozen=True):
    """It may still show, or the vendor could not be asked."""

    why: str


class Nowhere(Struct, frozen=True):
    """It is not there, or it cannot be told from others (`several`)."""

    several: bool = False


Outcome = Found | NotYet | Nowhere


class Searches:
    """Built once; keeps nothing of any job."""

    def __init__(self, database: Database, envelopes: Envelopes, clock: Clock) -> None:
        self._database = database
        self._envelopes = envelopes
        self._clock = clock

    async def find(self, job: StoredJob, task: Task, target: Target, format: JobFormat[Any]) -> Outcome:
        """Look once. `job.deadline_ms` is until when it may still show."""
        if job.vendor_id:  # its vendor called back
            return Found(job.vendor_id)
        at_ms, asked = now_ms(self._clock), replace(task, model=target.model)
        search = format.search(asked)
        is_over = at_ms >= job.created_ms + DEADLINES_MS[job.kind]
        nothing = Nowhere() if at_ms >= job.deadline_ms else NotYet("the vendor does not name it yet")
        if search is None:
            return nothing
        try:
            listed = await self._list(job, asked, target, search)
            if listed is None:
                return Nowhere(several=True)
            async with self._database.read() as read:
                rivals = await store.rivals(read, job, {one.vendor_id for one in listed.traces(search, asked)})
            taken = {one.vendor_id for one in rivals}
            unknown = [one for one, matches in listed.free(search, asked, taken) if matches is None]
            if len(unknown) > _MOST_LOOKS:
                return Nowhere(several=True)
            for one in unknown:
                looked = await ask(target, format.look(one.vendor_id, asked), lambda body: body)
                listed.looks[one.vendor_id] = looked
            mine = [(one, matches) for one, matches in listed.free(search, asked, taken) if matches is not False]
        except UpstreamFailed as failure:
            # It has no list after all, or it was asked long enough.
            return Nowhere() if failure.kind == "request" or is_over else NotYet(failure.message)
        certain = [one for one, matches in mine if matches]
        if certain:
            return self._choose(certain, [one for one in rivals if one.step in (SENDING, SEARCH)], listed, task, format)
        return NotYet("it may be one that runs") if mine and not is_over else nothing

    async def _list(self, job: StoredJob, asked: Task, target: Target, search: JobSearch[Any]) -> "_Listed | None":
        """Read the vendor's list as far back as the submission; None when it is too long. Raises UpstreamFailed."""
        since_s = job.created_ms // 1000 - _CLOCKS_S
        listed = _Listed(asked.model, since_s, since_s + _SENT_WITHIN_S + 2 * _CLOCKS_S)
        next = ""
        for _ in range(_MOST_PAGES):
            request = search.page(asked, listed.since_s, listed.until_s, next)
            body, page = await ask(target, request, lambda body: (body, search.read_page(body, asked)))
            listed.pages.append(body)
            next = page.next
            if not next or all(one.created_s < since_s for one in page.traces):
                return listed
        return None

    def _choose(
        self, found: list[Trace], rivals: list[StoredJob], listed: "_Listed", task: Task, format: JobFormat[Any]
    ) -> Outcome:
        """Take the first, when all who may claim it ask for the very same, and none is left over."""
        claims, ids = 1, {one.vendor_id for one in found}
        for rival in rivals:
            try:
                theirs = self._envelopes.open_task(rival)
            except Unsealable:
                continue  # it will end for that
            asked = replace(theirs, model=listed.model)
            search = format.search(asked)
            if search is None or not any(
                matches and one.vendor_id in ids for one, matches in listed.free(search, asked, set())
            ):
                continue
            if rival.step == SENDING:
                return NotYet("a submission under way may have made what was found")
            if write_task(theirs) != write_task(task):
                return Nowhere(several=True)
            claims += 1
        if len(found) > claims:
            return Nowhere(several=True)
        first = min(found, key=lambda one: (one.created_s, one.vendor_id))
        return Found(first.vendor_id)


class _Listed:
    """What a vendor says of the jobs that were made between two times."""

    def __init__(self, model: str, since_s: int, until_s: int) -> None:
        self.model = model  # as the vendor calls it
        self.since_s = since_s
        self.until_s = until_s
        self.pages: list[bytes] = []
        self.looks: dict[str, bytes] = {}  # answers about single ones, by the vendor's name

    def traces(self, search: JobSearch[Any], asked: Task) -> Iterator[Trace]:
        """Yield the jobs, as `asked` sees them."""
        for page in self.pages:
            for one in search.read_page(page, asked).traces:
                if self.since_s <= one.created_s <= self.until_s:
                    yield one

    def free(self, search: JobSearch[Any], asked: Task, taken: set[str]) -> Iterator[tuple[Trace, bool | None]]:
        """Yield those that nobody has, and whether they are what was asked; None: that cannot be told yet."""
        for one in self.traces(search, asked):
            if one.vendor_id in taken:
                continue
            looked = self.looks.get(one.vendor_id)
            yield one, one.matches if looked is None else search.matches(looked, asked)
