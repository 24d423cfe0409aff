"""A film whose submission was not answered, looked for in the vendor's list, which says of each what was asked for.

https://platform.openai.com/docs/api-reference/videos/list, 2026-11: the newest first, `after` names the last one that
is known. Pictures and sounds that a film was to begin with are not shown.
"""

import re
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.jobs import JobRequest, Trace, TracePage
from tokengate.core.video import Film

_PAGE: Final = 100

_is_date = re.compile(r"-\d{4}-\d{2}-\d{2}").fullmatch  # OpenAI shows the version that it chose


class Asked(Struct, frozen=True):
    """What a submission said that the list shows; None for what it did not say, or what the vendor shows otherwise."""

    seconds: str | None
    size: str | None
    remix_of: str | None


class VideoSearch(Struct, frozen=True):
    """Implements `core.jobs.JobSearch` for one film."""

    asked: Asked

    def page(self, task: Film, since_s: int, until_s: int, next: str) -> JobRequest:
        after = f"&after={quote(next, safe='')}" if next else ""
        return JobRequest("GET", f"/videos?limit={_PAGE}&order=desc{after}")

    def read_page(self, body: bytes, task: Film) -> TracePage:
        """Read a page. Raises UpstreamFailed."""
        try:
            page = _decode_page(body)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's list of videos cannot be read.", kind="invalid") from error
        traces = tuple(Trace(one.id, one.created_at, self._matches(one, task)) for one in page.data)
        return TracePage(traces, page.data[-1].id if page.has_more and page.data else "")

    def matches(self, body: bytes, task: Film) -> bool:
        """Read an answer about one film. Raises UpstreamFailed."""
        try:
            return self._matches(_decode_one(body), task)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's video cannot be read.", kind="invalid") from error

    def _matches(self, one: "_Listed", task: Film) -> bool:
        asked = self.asked
        return (
            one.prompt is not None
            and one.prompt.split() == task.prompt.split()
            and (asked.remix_of is not None or _is_version(one.model, task.model))
            and asked.remix_of == one.remixed_from_video_id
            and (asked.seconds is None or asked.seconds == one.seconds)
            and (asked.size is None or asked.size == one.size)
        )


class _Listed(Struct, frozen=True):
    id: str
    created_at: int
    model: str = ""
    prompt: str | None = None
    seconds: str | None = None
    size: str | None = None
    remixed_from_video_id: str | None = None


class _Page(Struct, frozen=True):
    data: list[_Listed]
    has_more: bool = False


_decode_one = msgspec.json.Decoder(_Listed).decode
_decode_page = msgspec.json.Decoder(_Page).decode


def _is_version(listed: str, asked: str) -> bool:
    return listed.startswith(asked) and (listed == asked or _is_date(listed[len(asked) :]) is not None)
