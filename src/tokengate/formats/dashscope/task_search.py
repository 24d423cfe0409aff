"""A task whose submission was not answered, looked for among the account's tasks.

https://help.aliyun.com/zh/model-studio/manage-asynchronous-tasks, 2026-11. The list says of a task when it was
submitted and for which model, not what was asked; only a task that succeeded repeats that: the prompt of films and
pictures, the addresses of recordings. So a task is known for ours once it succeeded, and one that failed never is.
"""

from datetime import datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.jobs import JobRequest, Progress, Task, Trace, TracePage
from tokengate.formats.dashscope.shapes import is_list, is_object
from tokengate.formats.dashscope.tasks import TASKS_PATH, read_state, text_of

_BEIJING: Final = timezone(timedelta(hours=8))
_PAGE: Final = 50


class TaskSearch(Struct, frozen=True):
    """Implements `core.jobs.JobSearch`. `asked` is what a task that succeeded must repeat."""

    base: str
    asked: tuple[str, ...]

    def page(self, task: Task, since_s: int, until_s: int, next: str) -> JobRequest:
        query = {
            "start_time": _time(since_s),
            "end_time": _time(until_s),
            "model_name": task.model,
            "page_no": next or "1",
            "page_size": str(_PAGE),
        }
        return JobRequest("GET", f"{self.base}{TASKS_PATH}/?{urlencode(query)}")

    def read_page(self, body: bytes, task: Task) -> TracePage:
        """Read a page. Raises UpstreamFailed."""
        try:
            page = _decode(body)
        except (ValueError, RecursionError) as error:
            raise UpstreamFailed("The upstream's list of tasks cannot be read.", kind="invalid") from error
        traces = tuple(
            Trace(one.task_id, one.gmt_create // 1000, None)
            for one in page.data
            if one.model_name in ("", task.model) and one.status not in ("FAILED", "CANCELED", "UNKNOWN")
        )
        return TracePage(traces, str(page.page_no + 1) if page.page_no < page.total_page else "")

    def matches(self, body: bytes, task: Task) -> bool | None:
        """Read the answer about one task. Raises UpstreamFailed."""
        said = read_state(body)
        if isinstance(said, Progress):
            return False if said.state.ended else None
        return _repeated(said.output) == self.asked


def _repeated(output: dict[str, Any]) -> tuple[str, ...]:
    """Return what a task says that it was asked: a prompt once, each recording."""
    if prompt := text_of(output, "orig_prompt"):
        return (prompt,)
    results = output.get("results")
    found = [one for one in (results if is_list(results) else []) if is_object(one)]
    if urls := [url for one in found if (url := text_of(one, "file_url"))]:
        return tuple(sorted(urls))
    return tuple(sorted({prompt for one in found if (prompt := text_of(one, "orig_prompt"))}))


class _Listed(Struct, frozen=True):
    task_id: str
    gmt_create: int  # in milliseconds since the epoch
    model_name: str = ""
    status: str = ""


class _Page(Struct, frozen=True):
    data: list[_Listed]
    page_no: int = 1
    total_page: int = 1


_decode = msgspec.json.Decoder(_Page).decode


def _time(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, _BEIJING).strftime("%Y%m%d%H%M%S")
